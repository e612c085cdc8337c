/* Copying a clip into the directory backend: committed only when whole and right, resumed from what
 * is durable, and never visible before. The backend is the real one, in a folder of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/relay/copy.h"

#define NAME "00000000000000000000000000000001"
enum { KIB64 = 65536 };

struct room {
	char dir[64];
	struct log log;
	struct moment now;
	struct backend *b;
	struct outbox_object o;
	struct copy *c;
	int64_t boot_ms;
};

static uint8_t byte_at(uint64_t n) {
	return (uint8_t)(n * 2654435761U >> 13);
}

static void set_clip(struct room *r, uint64_t length) {
	uint8_t *clip = malloc(length);
	assert_non_null(clip);
	for (uint64_t i = 0; i < length; i++) clip[i] = byte_at(i);
	assert_int_equal(EVP_Digest(clip, length, r->o.sha256, NULL, EVP_sha256(), NULL), 1);
	free(clip);
	r->o.length = length;
}

static int enter(void **state) {
	struct room *r = calloc(1, sizeof(*r));
	char why[BACKEND_WHY_SIZE];
	assert_non_null(r);
	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/vestibule-copy-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	struct backend_dir_opts opts = {.path = r->dir, .now = &r->now, .log = &r->log};
	r->b = backend_dir_new(&opts, why);
	assert_non_null(r->b);
	r->o = (struct outbox_object){.name = NAME};
	set_clip(r, 5 * 1024 * 1024 + 3);
	*state = r;
	return 0;
}

static int leave(void **state) {
	struct room *r = *state;
	char path[512];
	copy_free(r->c, false);
	r->b->ops->free(r->b);
	DIR *d = opendir(r->dir);
	assert_non_null(d);
	struct dirent *e;
	while ((e = readdir(d))) {
		(void)snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
		(void)unlink(path);
	}
	(void)closedir(d);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

static bool exists(struct room *r, const char *suffix, off_t *size) {
	char path[512];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/" NAME "%s", r->dir, suffix);
	if (stat(path, &st) != 0) return false;
	*size = st.st_size;
	return true;
}

static void begin(struct room *r) {
	assert_int_equal(copy_new(r->b, &r->o, r->boot_ms, &r->c), COPY_BUSY);
	assert_non_null(r->c);
}

static void give(struct room *r, uint64_t offset, size_t len, uint8_t flip, bool last) {
	static uint8_t block[KIB64];
	Vestibule__V1__ClipChunk chunk = VESTIBULE__V1__CLIP_CHUNK__INIT;
	for (size_t i = 0; i < len; i++) block[i] = byte_at(offset + i);
	block[0] ^= flip;
	chunk.offset = offset;
	chunk.data = (ProtobufCBinaryData){.len = len, .data = block};
	chunk.last = last;
	copy_chunk(r->c, &chunk, r->boot_ms);
}

static void answer(struct room *r, uint64_t offset, uint32_t length, uint64_t limit, uint8_t flip) {
	uint64_t end = offset + length;
	for (uint64_t at = offset; at < end && at < limit; at += KIB64) {
		uint64_t len = end - at < KIB64 ? end - at : KIB64;
		give(r, at, (size_t)len, flip, at + len == r->o.length);
	}
}

/* Answers pulls below `limit`, stepping, until something ends or nothing moves. flip spoils the
 * first byte of each chunk. */
static enum copy_result answer_until(struct room *r, uint64_t limit, uint8_t flip) {
	enum copy_result res = COPY_BUSY;
	for (int idle = 0; idle < 3; idle++) {
		uint64_t offset[8];
		uint32_t length[8];
		size_t asked = 0;
		while (copy_pull(r->c, r->boot_ms, &offset[asked], &length[asked])) asked++;
		for (size_t i = 0; i < asked; i++) answer(r, offset[i], length[i], limit, flip);
		if (asked) idle = 0;
		if (copy_has_work(r->c)) idle = 0;
		res = copy_step(r->c, r->boot_ms);
		if (res == COPY_MARK || res == COPY_VERIFIED) {
			off_t size;
			assert_false(exists(r, "", &size)); /* hold-back: not visible before the commit */
			r->o.received = copy_held(r->c);
			idle = 0;
		} else if (res != COPY_BUSY) {
			break;
		}
	}
	return res;
}

static void whole_clip_becomes_visible_at_the_end_only(void **state) {
	struct room *r = *state;
	off_t size = 0;
	begin(r);
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_STORED);
	assert_true(exists(r, "", &size));
	assert_int_equal(size, (off_t)r->o.length);
	assert_false(exists(r, ".part", &size));
}

static void every_byte_but_the_last_shows_nothing(void **state) {
	struct room *r = *state;
	off_t size = 0;
	set_clip(r, KIB64 + 1);
	begin(r);
	assert_int_equal(answer_until(r, KIB64, 0), COPY_BUSY);
	assert_false(exists(r, "", &size));
	assert_true(exists(r, ".part", &size));
	assert_int_equal(size, KIB64);
	r->boot_ms += 3000;
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_STORED);
}

static void one_wrong_byte_is_a_mismatch_and_leaves_nothing(void **state) {
	struct room *r = *state;
	off_t size = 0;
	begin(r);
	assert_int_equal(answer_until(r, UINT64_MAX, 1), COPY_MISMATCH);
	copy_free(r->c, false);
	r->c = NULL;
	assert_false(exists(r, "", &size));
	assert_false(exists(r, ".part", &size));
}

static void resuming_hashes_what_is_held_and_pulls_the_rest(void **state) {
	struct room *r = *state;
	uint64_t offset = 0;
	uint32_t length = 0;
	begin(r);
	assert_int_equal(answer_until(r, 3 * 1024 * 1024, 0), COPY_BUSY);
	copy_park(r->c);
	r->o.received = copy_held(r->c);
	assert_int_equal(r->o.received, 3 * 1024 * 1024);
	copy_free(r->c, true);
	begin(r);
	assert_true(copy_pull(r->c, r->boot_ms, &offset, &length));
	assert_int_equal(offset, 3 * 1024 * 1024);
	copy_reconnected(r->c, r->boot_ms);
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_STORED);
}

static void bytes_that_were_not_durable_are_not_trusted(void **state) {
	struct room *r = *state;
	off_t size = 0;
	begin(r);
	assert_int_equal(answer_until(r, 5 * 1024 * 1024, 0), COPY_BUSY);
	assert_int_equal(r->o.received, 4 * 1024 * 1024); /* the last mark */
	copy_free(r->c, true);
	begin(r);
	assert_true(exists(r, ".part", &size));
	assert_int_equal(size, 4 * 1024 * 1024);
	assert_int_equal(copy_held(r->c), 4 * 1024 * 1024);
}

static void spoilt_held_bytes_are_a_mismatch(void **state) {
	struct room *r = *state;
	char path[512];
	begin(r);
	assert_int_equal(answer_until(r, 5 * 1024 * 1024, 0), COPY_BUSY);
	copy_free(r->c, true);
	r->c = NULL;
	(void)snprintf(path, sizeof(path), "%s/" NAME ".part", r->dir);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "!", 1, 1000), 1);
	assert_int_equal(close(fd), 0);
	begin(r);
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_MISMATCH);
}

static void object_that_is_there_is_not_pulled_again(void **state) {
	struct room *r = *state;
	begin(r);
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_STORED);
	copy_free(r->c, true);
	assert_int_equal(copy_new(r->b, &r->o, 0, &r->c), COPY_STORED);
	assert_null(r->c);
	r->o.length++;
	assert_int_equal(copy_new(r->b, &r->o, 0, &r->c), COPY_STORAGE);
}

static void silence_stalls_after_half_a_minute_and_a_byte_does_not(void **state) {
	struct room *r = *state;
	begin(r);
	assert_int_equal(answer_until(r, 0, 0), COPY_BUSY);
	r->boot_ms += COPY_STALL_MS - 1;
	give(r, 0, 1, 0, false);
	assert_int_equal(copy_step(r->c, r->boot_ms), COPY_BUSY);
	r->boot_ms += COPY_STALL_MS - 1;
	assert_int_equal(copy_step(r->c, r->boot_ms), COPY_BUSY);
	give(r, 0, 1, 0, false); /* the same byte again is no progress */
	r->boot_ms += 1;
	assert_int_equal(copy_step(r->c, r->boot_ms), COPY_STALLED);
}

static void gone_and_a_shorter_clip_end_it(void **state) {
	struct room *r = *state;
	Vestibule__V1__ClipChunk chunk = VESTIBULE__V1__CLIP_CHUNK__INIT;
	begin(r);
	assert_int_equal(answer_until(r, KIB64, 0), COPY_BUSY);
	chunk.status = VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE;
	chunk.part = VESTIBULE__V1__PART__PART_POSTER; /* of another part: not about us */
	copy_chunk(r->c, &chunk, 0);
	assert_int_equal(copy_step(r->c, r->boot_ms), COPY_BUSY);
	chunk.part = VESTIBULE__V1__PART__PART_PAYLOAD;
	copy_chunk(r->c, &chunk, 0);
	assert_int_equal(copy_step(r->c, r->boot_ms), COPY_GONE);
	copy_free(r->c, false);
	begin(r);
	assert_int_equal(answer_until(r, 0, 0), COPY_BUSY);
	give(r, KIB64, KIB64, 0, true);
	assert_int_equal(copy_step(r->c, r->boot_ms), COPY_MISMATCH);
}

static void removed_object_is_absent_with_its_part(void **state) {
	struct room *r = *state;
	uint64_t length = 0;
	off_t size = 0;
	begin(r);
	assert_int_equal(answer_until(r, KIB64, 0), COPY_BUSY);
	assert_int_equal(r->b->ops->remove(r->b, NAME), BACKEND_DONE);
	assert_false(exists(r, ".part", &size));
	assert_int_equal(r->b->ops->stat(r->b, NAME, &length), BACKEND_ABSENT);
	assert_int_equal(r->b->ops->remove(r->b, NAME), BACKEND_DONE);
	/* the copy that was under way cannot make it appear any more */
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_BUSY);
	r->boot_ms += 3000;
	assert_int_equal(answer_until(r, UINT64_MAX, 0), COPY_STORAGE);
	assert_false(exists(r, "", &size));
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
	const struct CMUnitTest tests[] = {
		ROOM(whole_clip_becomes_visible_at_the_end_only),
		ROOM(every_byte_but_the_last_shows_nothing),
		ROOM(one_wrong_byte_is_a_mismatch_and_leaves_nothing),
		ROOM(resuming_hashes_what_is_held_and_pulls_the_rest),
		ROOM(bytes_that_were_not_durable_are_not_trusted),
		ROOM(spoilt_held_bytes_are_a_mismatch),
		ROOM(object_that_is_there_is_not_pulled_again),
		ROOM(silence_stalls_after_half_a_minute_and_a_byte_does_not),
		ROOM(gone_and_a_shorter_clip_end_it),
		ROOM(removed_object_is_absent_with_its_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
