/* A poster arrives whole whatever is lost on the way, is given up at some point, and only a picture
 * counts as one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/homeassistant/poster.h"

#define CLIP  "01890a5d-0000-7000-8000-000000000001"
#define OTHER "01890a5d-0000-7000-8000-000000000002"

static uint8_t bytes[POSTER_BYTES_MAX] = {0xff, 0xd8, 0xff, 0xe0};

static bool give(struct poster *p, const char *clip, uint64_t offset, size_t len) {
	Vestibule__V1__ClipChunk c = VESTIBULE__V1__CLIP_CHUNK__INIT;
	c.part = VESTIBULE__V1__PART__PART_POSTER;
	c.offset = offset;
	c.data = (ProtobufCBinaryData){len, bytes + (offset < sizeof(bytes) ? offset : 0)};
	return poster_take(p, 0, span_str(clip), &c);
}

static bool is_asked(struct poster *p, int64_t now_ms, uint64_t want_offset, uint32_t want_len) {
	uint64_t offset = 0;
	uint32_t len = 0;
	if (!poster_next(p, now_ms, &offset, &len)) return false;
	assert_int_equal(offset, want_offset);
	assert_int_equal(len, want_len);
	return true;
}

static void poster_becomes_whole_in_order(void **state) {
	(void)state;
	struct poster p;
	poster_init(&p);
	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 100000 - 30000, 5));
	assert_true(is_asked(&p, 5, 0, 70000));
	assert_false(is_asked(&p, 6, 0, 0));
	assert_false(give(&p, CLIP, 65536, 4464)); /* the one before it was lost */
	assert_false(give(&p, OTHER, 0, 65536));
	assert_false(give(&p, CLIP, 0, 65536));
	assert_false(give(&p, CLIP, 0, 65536)); /* twice */
	assert_true(is_asked(&p, 5 + POSTER_RETRY_MS, 65536, 4464));
	assert_true(give(&p, CLIP, 65536, 4464));
	assert_int_equal(poster_jpeg(&p).len, 70000);
	assert_memory_equal(poster_jpeg(&p).ptr, bytes, 70000);
	assert_false(is_asked(&p, 1000000, 0, 0));
	assert_false(give(&p, CLIP, 65536, 4464));
	poster_fini(&p);
}

static void poster_that_does_not_come_is_given_up(void **state) {
	(void)state;
	struct poster p;
	poster_init(&p);
	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 10, 0));
	for (int i = 0; i < POSTER_TRIES; i++)
		assert_true(is_asked(&p, (int64_t)i * POSTER_RETRY_MS, 0, 10));
	assert_false(is_asked(&p, 1000000, 0, 10));
	assert_false(give(&p, CLIP, 0, 10));
	poster_fini(&p);
}

static void device_that_breaks_its_word_gets_no_picture_shown(void **state) {
	(void)state;
	struct poster p;
	poster_init(&p);
	Vestibule__V1__ClipChunk gone = VESTIBULE__V1__CLIP_CHUNK__INIT;
	gone.part = VESTIBULE__V1__PART__PART_POSTER;
	gone.status = VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE;
	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 10, 0));
	assert_false(poster_take(&p, 0, SPAN_LIT(CLIP), &gone));
	assert_false(is_asked(&p, 1000000, 0, 10));

	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 10, 0));
	assert_false(give(&p, CLIP, 0, 11)); /* more than was announced */
	assert_false(is_asked(&p, 1000000, 0, 10));

	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 10, 0));
	Vestibule__V1__ClipChunk payload = VESTIBULE__V1__CLIP_CHUNK__INIT; /* of the clip itself */
	payload.data = (ProtobufCBinaryData){10, bytes};
	assert_false(poster_take(&p, 0, SPAN_LIT(CLIP), &payload));
	assert_false(give(&p, CLIP, 0, 0)); /* nothing at all: waits on */
	assert_true(give(&p, CLIP, 0, 10));
	poster_fini(&p);
}

static void later_clip_wins(void **state) {
	(void)state;
	struct poster p;
	poster_init(&p);
	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 10, 0));
	assert_false(give(&p, CLIP, 0, 6));
	assert_true(poster_begin(&p, SPAN_LIT(OTHER), 8, 1));
	assert_false(give(&p, CLIP, 6, 4));
	assert_true(is_asked(&p, 1, 0, 8));
	assert_true(give(&p, OTHER, 0, 8));
	poster_fini(&p);
}

static void what_cannot_be_one_is_not_asked_for(void **state) {
	(void)state;
	struct poster p;
	poster_init(&p);
	assert_false(poster_begin(&p, SPAN_LIT(CLIP), 0, 0));
	assert_false(poster_begin(&p, SPAN_LIT(CLIP), POSTER_BYTES_MAX + 1, 0));
	assert_false(poster_begin(&p, SPAN_LIT("x/../y"), 10, 0));
	assert_false(is_asked(&p, 10, 0, 0));
	assert_true(poster_begin(&p, SPAN_LIT(CLIP), POSTER_BYTES_MAX, 0));
	poster_fini(&p);
}

static void sealed_poster_is_no_picture(void **state) {
	(void)state;
	struct poster p;
	poster_init(&p);
	assert_int_equal(poster_jpeg(&p).len, 0);
	assert_true(poster_begin(&p, SPAN_LIT(CLIP), 10, 0));
	bytes[0] = 'a';
	assert_true(give(&p, CLIP, 0, 10));
	bytes[0] = 0xff;
	assert_int_equal(poster_jpeg(&p).len, 0);
	poster_fini(&p);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(poster_becomes_whole_in_order),
		cmocka_unit_test(poster_that_does_not_come_is_given_up),
		cmocka_unit_test(device_that_breaks_its_word_gets_no_picture_shown),
		cmocka_unit_test(later_clip_wins),
		cmocka_unit_test(what_cannot_be_one_is_not_asked_for),
		cmocka_unit_test(sealed_poster_is_no_picture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
