/* The line on the socket, and the small texts people type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/doorbell/settings.h"
#include "clients/doorbell/wire.h"

static void line_is_a_word_and_pairs(void **state) {
	(void)state;
	struct wire_line l;
	assert_int_equal(wire_parse(SPAN_LIT("motion\tkind=person\tnote=a=b c\tempty="), &l), ERR_NONE);
	assert_true(span_eq(l.word, SPAN_LIT("motion")));
	assert_int_equal(l.count, 3);
	assert_true(span_eq(wire_get(&l, "kind"), SPAN_LIT("person")));
	assert_true(span_eq(wire_get(&l, "note"), SPAN_LIT("a=b c")));
	assert_int_equal(wire_get(&l, "empty").len, 0);
	assert_int_equal(wire_get(&l, "absent").len, 0);
	assert_int_equal(wire_parse(SPAN_LIT("ring"), &l), ERR_NONE);
	assert_int_equal(l.count, 0);
}

static void other_lines_are_refused(void **state) {
	(void)state;
	struct wire_line l;
	static const char *const bad[] = {
		"",           "\t",        "ring\t",       "ring\tx",     "ring\t=x",   "Ring",
		"ring \tx=1", "ring\tX=1", "ring\tx=\x01", "ring\tx=1\r", "ring\tx=1\t"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(wire_parse(span_str(bad[i]), &l), ERR_INPUT);
	struct buf b;
	buf_init(&b, 1024);
	buf_str(&b, "x");
	for (int i = 0; i < WIRE_PAIRS_MAX; i++) wire_put(&b, "k", "v");
	assert_int_equal(wire_parse(buf_view(&b), &l), ERR_NONE);
	wire_put(&b, "k", "v");
	assert_int_equal(wire_parse(buf_view(&b), &l), ERR_LIMIT);
	buf_fini(&b);
}

static void value_cannot_make_a_second_pair_or_line(void **state) {
	(void)state;
	struct wire_line l;
	struct buf b;
	buf_init(&b, 1024);
	buf_str(&b, "x");
	wire_put(&b, "message", "a\tseq=1\nb");
	assert_int_equal(wire_parse(buf_view(&b), &l), ERR_NONE);
	assert_int_equal(l.count, 1);
	assert_true(span_eq(wire_get(&l, "message"), SPAN_LIT("a?seq=1?b")));
	buf_fini(&b);
}

static void file_comes_along_and_no_second_one(void **state) {
	(void)state;
	int pair[2], fd = -1, file[2];
	struct buf b;
	struct stat a, c;
	buf_init(&b, WIRE_LINE_MAX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pipe(file), 0);
	assert_int_equal(wire_send(pair[0], SPAN_LIT("clip\tx=1\n"), file[0]), ERR_NONE);
	assert_int_equal(wire_receive(pair[1], &b, &fd), ERR_NONE);
	assert_string_equal(buf_cstr(&b), "clip\tx=1");
	assert_true(fd >= 0 && fd != file[0]);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(file[0], &c), 0);
	assert_int_equal(a.st_ino, c.st_ino);
	close(fd);
	assert_int_equal(wire_send(pair[0], SPAN_LIT("half a line"), -1), ERR_NONE);
	close(pair[0]);
	assert_int_equal(wire_receive(pair[1], &b, &fd), ERR_NET);
	assert_int_equal(fd, -1);
	close(pair[1]);
	close(file[0]);
	close(file[1]);
	buf_fini(&b);
}

static void endless_line_is_cut_off(void **state) {
	(void)state;
	int pair[2], fd;
	char much[WIRE_LINE_MAX + 1];
	struct buf b;
	memset(much, 'x', sizeof much);
	buf_init(&b, WIRE_LINE_MAX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(wire_send(pair[0], span_of(much, sizeof much), -1), ERR_NONE);
	assert_int_equal(wire_receive(pair[1], &b, &fd), ERR_LIMIT);
	close(pair[0]);
	close(pair[1]);
	buf_fini(&b);
}

static void confidence_is_read_exactly_or_refused(void **state) {
	(void)state;
	uint32_t v;
	static const struct {
		const char *text;
		uint32_t permille;
	} good[] = {{"0", 0},       {"1", 1000},  {"1.0", 1000}, {"0.9", 900},
				{"0.955", 955}, {"0.05", 50}, {"90%", 900},  {"100%", 1000}};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(settings_permille(good[i].text, &v), ERR_NONE);
		assert_int_equal(v, good[i].permille);
	}
	static const char *const bad[] = {"",     "1.001", "2",   "0.9555", "0.", ".9", "-0.1",
									  "101%", "0.9%",  "1e0", " 1",     "1 ", "nan"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(settings_permille(bad[i], &v), ERR_INPUT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_a_word_and_pairs),
		cmocka_unit_test(other_lines_are_refused),
		cmocka_unit_test(value_cannot_make_a_second_pair_or_line),
		cmocka_unit_test(file_comes_along_and_no_second_one),
		cmocka_unit_test(endless_line_is_cut_off),
		cmocka_unit_test(confidence_is_read_exactly_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
