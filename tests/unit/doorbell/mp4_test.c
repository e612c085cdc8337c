/* The movie header's duration, and every way in which a file may be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/doorbell/mp4.h"
#include "lib/buf.h"

struct file {
	struct buf b;
	size_t fail_at; /* reads from here on fail; 0: none */
	uint64_t limit; /* what the parser was told; it must never ask beyond */
};

static bool read_file(void *ctx, uint64_t at, void *into, size_t len) {
	const struct file *f = (const struct file *)ctx;
	assert_true(at <= f->limit && len <= f->limit - at);
	if (f->fail_at && at + len > f->fail_at) return false;
	memcpy(into, f->b.ptr + at, len);
	return true;
}

static void be(struct buf *b, uint64_t v, int bytes) {
	for (int i = bytes - 1; i >= 0; i--) buf_char(b, (char)(uint8_t)(v >> (8 * i)));
}

static void box(struct buf *b, const char *type, uint32_t body) {
	be(b, body + 8, 4);
	buf_str(b, type);
}

static void mvhd0(struct buf *b, uint32_t scale, uint32_t duration) {
	box(b, "mvhd", 100);
	be(b, 0, 4);
	be(b, 0, 8);
	be(b, scale, 4);
	be(b, duration, 4);
	for (int i = 0; i < 80; i++) buf_char(b, 0);
}

static void mvhd1(struct buf *b, uint32_t scale, uint64_t duration) {
	box(b, "mvhd", 112);
	be(b, 0x01000000, 4);
	be(b, 0, 8);
	be(b, 0, 8);
	be(b, scale, 4);
	be(b, duration, 8);
	for (int i = 0; i < 80; i++) buf_char(b, 0);
}

static void ftyp(struct buf *b) {
	box(b, "ftyp", 8);
	buf_str(b, "isom");
	be(b, 512, 4);
}

static void start(struct file *f) {
	*f = (struct file){.fail_at = 0};
	buf_init(&f->b, 1 << 20);
	ftyp(&f->b);
}

static enum err parse(struct file *f, uint32_t *ms) {
	*ms = 0;
	f->limit = f->b.len;
	enum err e = mp4_duration(read_file, f, f->b.len, ms);
	return e;
}

static void duration_of_both_header_versions_is_read(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	box(&f.b, "free", 3); /* whatever stands before moov */
	buf_str(&f.b, "abc");
	box(&f.b, "moov", 108);
	mvhd0(&f.b, 600, 3660);
	assert_int_equal(parse(&f, &ms), ERR_NONE);
	assert_int_equal(ms, 6100);
	buf_fini(&f.b);
	start(&f);
	box(&f.b, "moov", 120 + 8);
	box(&f.b, "free", 0);
	mvhd1(&f.b, 90000, 90000ULL * 61);
	assert_int_equal(parse(&f, &ms), ERR_NONE);
	assert_int_equal(ms, 61000);
	buf_fini(&f.b);
}

static void large_and_open_ended_boxes_are_followed(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	be(&f.b, 1, 4); /* a media box with a 64-bit size */
	buf_str(&f.b, "mdat");
	be(&f.b, 20, 8);
	be(&f.b, 0, 4);
	be(&f.b, 0, 4); /* the last box: to the end of the file */
	buf_str(&f.b, "moov");
	mvhd0(&f.b, 1000, 5000);
	assert_int_equal(parse(&f, &ms), ERR_NONE);
	assert_int_equal(ms, 5000);
	buf_fini(&f.b);
}

static void every_truncation_is_refused(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	box(&f.b, "moov", 108);
	mvhd0(&f.b, 600, 3660);
	for (size_t len = 0; len < f.b.len; len++) {
		ms = 7;
		f.limit = len;
		assert_int_equal(mp4_duration(read_file, &f, len, &ms), ERR_INPUT);
		assert_int_equal(ms, 7); /* written on success only */
	}
	buf_fini(&f.b);
}

static void box_larger_than_the_one_around_it_is_refused(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	box(&f.b, "moov", 107); /* one byte less than its movie header */
	mvhd0(&f.b, 600, 3660);
	assert_int_equal(parse(&f, &ms), ERR_INPUT);
	buf_fini(&f.b);
	start(&f);
	be(&f.b, 1, 4);
	buf_str(&f.b, "moov");
	be(&f.b, UINT64_MAX, 8);
	mvhd0(&f.b, 600, 3660);
	assert_int_equal(parse(&f, &ms), ERR_INPUT);
	buf_fini(&f.b);
	start(&f);
	be(&f.b, 7, 4); /* smaller than its own header */
	buf_str(&f.b, "moov");
	assert_int_equal(parse(&f, &ms), ERR_INPUT);
	buf_fini(&f.b);
}

static void open_ended_box_inside_another_is_refused(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	box(&f.b, "moov", 8 + 108);
	be(&f.b, 0, 4);
	buf_str(&f.b, "free");
	mvhd0(&f.b, 600, 3660);
	assert_int_equal(parse(&f, &ms), ERR_INPUT);
	buf_fini(&f.b);
}

static enum err of_mvhd(uint32_t scale, uint64_t duration, bool version1, uint32_t *ms) {
	struct file f;
	start(&f);
	box(&f.b, "moov", version1 ? 120 : 108);
	if (version1)
		mvhd1(&f.b, scale, duration);
	else
		mvhd0(&f.b, scale, (uint32_t)duration);
	enum err e = parse(&f, ms);
	buf_fini(&f.b);
	return e;
}

static void durations_hold_at_their_limits(void **state) {
	(void)state;
	uint32_t ms;
	assert_int_equal(of_mvhd(0, 5, false, &ms), ERR_INPUT);
	assert_int_equal(of_mvhd(1000, 0, false, &ms), ERR_ABSENT);
	assert_int_equal(of_mvhd(1000, UINT32_MAX, false, &ms), ERR_ABSENT); /* "unknown" */
	assert_int_equal(of_mvhd(1000, UINT64_MAX, true, &ms), ERR_ABSENT);
	assert_int_equal(of_mvhd(1, UINT64_MAX - 1, true, &ms), ERR_LIMIT);
	assert_int_equal(of_mvhd(1000, MP4_DURATION_MAX_MS, true, &ms), ERR_NONE);
	assert_int_equal(ms, MP4_DURATION_MAX_MS);
	assert_int_equal(of_mvhd(1000, MP4_DURATION_MAX_MS + 1, true, &ms), ERR_LIMIT);
	assert_int_equal(of_mvhd(UINT32_MAX, 1, false, &ms), ERR_NONE);
	assert_int_equal(ms, 1);
}

static void file_of_endless_boxes_ends_at_the_limit(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	for (int i = 0; i < MP4_BOXES_MAX; i++) box(&f.b, "free", 0);
	box(&f.b, "moov", 108);
	mvhd0(&f.b, 600, 3660);
	assert_int_equal(parse(&f, &ms), ERR_LIMIT);
	buf_fini(&f.b);
}

static void other_files_are_no_mp4(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	assert_int_equal(parse(&f, &ms), ERR_INPUT); /* no movie */
	box(&f.b, "moov", 8);
	box(&f.b, "trak", 0);
	assert_int_equal(parse(&f, &ms), ERR_INPUT); /* no movie header */
	buf_reset(&f.b);
	box(&f.b, "moov", 108); /* a movie, but no file type before it */
	mvhd0(&f.b, 600, 3660);
	assert_int_equal(parse(&f, &ms), ERR_INPUT);
	buf_reset(&f.b);
	buf_str(&f.b, "GIF89a and so on");
	assert_int_equal(parse(&f, &ms), ERR_INPUT);
	buf_fini(&f.b);
}

static void failing_disk_is_not_called_a_bad_file(void **state) {
	(void)state;
	struct file f;
	uint32_t ms;
	start(&f);
	box(&f.b, "moov", 108);
	mvhd0(&f.b, 600, 3660);
	for (f.fail_at = 1; f.fail_at < 16 + 8 + 8 + 20; f.fail_at++)
		assert_int_equal(parse(&f, &ms), ERR_STORE);
	assert_int_equal(parse(&f, &ms), ERR_NONE);
	buf_fini(&f.b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_of_both_header_versions_is_read),
		cmocka_unit_test(large_and_open_ended_boxes_are_followed),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(box_larger_than_the_one_around_it_is_refused),
		cmocka_unit_test(open_ended_box_inside_another_is_refused),
		cmocka_unit_test(durations_hold_at_their_limits),
		cmocka_unit_test(file_of_endless_boxes_ends_at_the_limit),
		cmocka_unit_test(other_files_are_no_mp4),
		cmocka_unit_test(failing_disk_is_not_called_a_bad_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
