/* Pulls and chunks: turns, sizes, ends, and what a clip source may answer. */
#include "scratch.h"

#include "clients/sdk/pulls.h"

static const char clip_a[] = "018bcfe5-6800-7000-8000-00000000000a";
static const char clip_b[] = "018bcfe5-6800-7000-8000-00000000000b";

struct bench {
	struct pulls p;
	struct codec *codec;
	struct codec *reader;
	uint64_t size;  /* of every clip's payload */
	int64_t answer; /* when not 0: what the source says instead */
};

static int64_t source(void *ctx, const struct vestibule_read *want, uint8_t *into, uint64_t *size) {
	struct bench *b = (struct bench *)ctx;
	assert_in_range(want->len, 1, VESTIBULE_CHUNK_BYTES);
	*size = b->size;
	if (b->answer != 0) return b->answer;
	if (want->part == VESTIBULE_POSTER) return VESTIBULE_GONE;
	if (want->offset >= b->size) return 0;
	size_t n = b->size - want->offset < want->len ? (size_t)(b->size - want->offset) : want->len;
	memset(into, want->clip_id[15], n);
	return (int64_t)n;
}

static int setup(void **state) {
	struct bench *b = (struct bench *)calloc(1, sizeof *b);
	assert_non_null(b);
	b->codec = codec_new();
	b->reader = codec_new();
	b->size = 150000;
	pulls_init(&b->p, b->codec, source, b);
	*state = b;
	return 0;
}

static int teardown(void **state) {
	struct bench *b = (struct bench *)*state;
	pulls_clear(&b->p);
	codec_free(b->codec);
	codec_free(b->reader);
	free(b);
	return 0;
}

static enum err pull(struct bench *b, const char *clip, const char *who, int part, uint64_t offset,
					 uint32_t length) {
	Vestibule__V1__ClipPull m = VESTIBULE__V1__CLIP_PULL__INIT;
	struct buf bytes;
	buf_init(&bytes, 64);
	m.part = (Vestibule__V1__Part)part;
	m.offset = offset;
	m.length = length;
	assert_int_equal(codec_encode(&m.base, &bytes), ERR_NONE);
	enum err e = pulls_add(&b->p, clip, who, buf_view(&bytes));
	buf_fini(&bytes);
	return e;
}

/* The next chunk, valid by the codec's rules; NULL: no pull waits. */
static const Vestibule__V1__ClipChunk *chunk(struct bench *b, struct pull *to) {
	struct span payload;
	ProtobufCMessage *msg;
	struct codec_fault why;
	enum err e = pulls_next(&b->p, to, &payload);
	if (e == ERR_ABSENT) return NULL;
	assert_int_equal(e, ERR_NONE);
	if (codec_decode(b->reader, CODEC_CHUNK, payload, &msg, &why) != ERR_NONE)
		fail_msg("%s: %s", why.field, why.limit);
	return (const Vestibule__V1__ClipChunk *)msg;
}

static void clip_is_answered_in_chunks_of_64_kib_up_to_its_end(void **state) {
	struct bench *b = (struct bench *)*state;
	struct pull to;
	uint64_t at = 0;
	assert_int_equal(pull(b, clip_a, "anna", 0, 0, 1048576), ERR_NONE);
	for (size_t want = 65536; at < b->size; at += want) {
		const Vestibule__V1__ClipChunk *c = chunk(b, &to);
		assert_non_null(c);
		if (b->size - at < want) want = (size_t)(b->size - at);
		assert_string_equal(to.clip, clip_a);
		assert_string_equal(to.username, "anna");
		assert_int_equal(c->status, 0);
		assert_int_equal(c->offset, at);
		assert_int_equal(c->data.len, want);
		assert_int_equal(c->data.data[0], 0x0a);
		assert_int_equal(c->last, at + want == b->size);
	}
	assert_null(chunk(b, &to));
	assert_null(b->p.piece); /* no buffers while idle */
}

static void pull_of_a_piece_gets_that_piece(void **state) {
	struct bench *b = (struct bench *)*state;
	struct pull to;
	assert_int_equal(pull(b, clip_a, "anna", 0, 1000, 10), ERR_NONE);
	const Vestibule__V1__ClipChunk *c = chunk(b, &to);
	assert_int_equal(c->offset, 1000);
	assert_int_equal(c->data.len, 10);
	assert_false(c->last);
	assert_null(chunk(b, &to));
}

static void pulls_take_turns(void **state) {
	struct bench *b = (struct bench *)*state;
	struct pull to;
	assert_int_equal(pull(b, clip_a, "anna", 0, 0, 131072), ERR_NONE);
	assert_int_equal(pull(b, clip_b, "relay-1", 0, 0, 131072), ERR_NONE);
	static const char *const who[] = {"anna", "relay-1", "anna", "relay-1"};
	for (size_t i = 0; i < 4; i++) {
		assert_non_null(chunk(b, &to));
		assert_string_equal(to.username, who[i]);
	}
	assert_null(chunk(b, &to));
}

static void missing_clip_is_gone_and_an_offset_behind_the_end_is_out_of_range(void **state) {
	struct bench *b = (struct bench *)*state;
	struct pull to;
	assert_int_equal(pull(b, clip_a, "anna", 1, 0, 100), ERR_NONE); /* no poster */
	assert_int_equal(chunk(b, &to)->status, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE);
	assert_int_equal(pull(b, clip_a, "anna", 0, b->size, 100), ERR_NONE);
	assert_int_equal(chunk(b, &to)->status, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_RANGE);
	assert_int_equal(pull(b, clip_a, "anna", 0, b->size - 1, 100),
					 ERR_NONE); /* the last byte is not */
	const Vestibule__V1__ClipChunk *c = chunk(b, &to);
	assert_int_equal(c->status, 0);
	assert_int_equal(c->data.len, 1);
	assert_true(c->last);
	assert_null(chunk(b, &to));
}

static void source_that_lies_about_lengths_is_not_believed(void **state) {
	struct bench *b = (struct bench *)*state;
	struct pull to;
	b->answer = VESTIBULE_CHUNK_BYTES + 1;
	assert_int_equal(pull(b, clip_a, "anna", 0, 0, 100), ERR_NONE);
	assert_int_equal(chunk(b, &to)->status, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_RANGE);
	b->answer = 100; /* but the part is said to have 50 */
	b->size = 50;
	assert_int_equal(pull(b, clip_a, "anna", 0, 0, 100), ERR_NONE);
	assert_int_equal(chunk(b, &to)->status, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_RANGE);
	assert_null(chunk(b, &to));
}

static void without_a_source_every_clip_is_gone(void **state) {
	struct bench *b = (struct bench *)*state;
	struct pull to;
	b->p.read = NULL;
	assert_int_equal(pull(b, clip_a, "anna", 0, 0, 100), ERR_NONE);
	assert_int_equal(chunk(b, &to)->status, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE);
}

static void pulls_are_bounded_and_a_repeated_one_takes_no_place(void **state) {
	struct bench *b = (struct bench *)*state;
	for (uint64_t i = 0; i < PULLS_MAX; i++)
		assert_int_equal(pull(b, clip_a, "anna", 0, i, 1), ERR_NONE);
	assert_int_equal(pull(b, clip_a, "anna", 0, 5, 1), ERR_NONE); /* waits already */
	assert_int_equal(pull(b, clip_a, "anna", 0, PULLS_MAX, 1), ERR_LIMIT);
	assert_int_equal(b->p.count, PULLS_MAX);
}

static void malformed_pulls_are_refused(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(pulls_add(&b->p, clip_a, "anna", SPAN_LIT("\xff\xff")), ERR_INPUT);
	assert_int_equal(pull(b, "not-a-uuid", "anna", 0, 0, 1), ERR_INPUT);
	assert_int_equal(pull(b, clip_a, "anna", 0, 0, 1048577), ERR_INPUT);
	assert_int_equal(pull(b, clip_a, "anna", 0, UINT64_MAX, 1), ERR_INPUT);
	assert_int_equal(b->p.count, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(clip_is_answered_in_chunks_of_64_kib_up_to_its_end),
		T(pull_of_a_piece_gets_that_piece),
		T(pulls_take_turns),
		T(missing_clip_is_gone_and_an_offset_behind_the_end_is_out_of_range),
		T(source_that_lies_about_lengths_is_not_believed),
		T(without_a_source_every_clip_is_gone),
		T(pulls_are_bounded_and_a_repeated_one_takes_no_place),
		T(malformed_pulls_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
