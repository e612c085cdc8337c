/* Claims of lib/buf.h, lib/hex.h, lib/utf8.h, lib/span.h and lib/err.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/hex.h"
#include "lib/utf8.h"

static void buffer_never_exceeds_its_maximum(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 4);
	buf_str(&b, "abcd");
	assert_int_equal(buf_error(&b), ERR_NONE);
	buf_char(&b, 'e');
	assert_int_equal(buf_error(&b), ERR_LIMIT);
	assert_int_equal(b.len, 4);
	assert_string_equal(buf_cstr(&b), "abcd");
	buf_fini(&b);
}

static void first_error_sticks_and_later_appends_do_nothing(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 3);
	buf_str(&b, "abcd");
	buf_str(&b, "x");
	buf_int(&b, 1);
	buf_printf(&b, "%d", 1);
	buf_hex(&b, SPAN_LIT("z"));
	assert_int_equal(buf_error(&b), ERR_LIMIT);
	assert_int_equal(b.len, 0);
	buf_reset(&b);
	buf_str(&b, "abc");
	assert_int_equal(buf_error(&b), ERR_NONE);
	assert_string_equal(buf_cstr(&b), "abc");
	buf_fini(&b);
}

static void empty_buffer_reads_as_empty_string(void **state) {
	(void)state;
	struct buf b;
	size_t len = 7;
	buf_init(&b, 10);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_view(&b).len, 0);
	assert_null(buf_steal(&b, &len));
	assert_int_equal(len, 7);
	buf_fini(&b);
}

static void stolen_bytes_are_terminated_and_leave_it_empty(void **state) {
	(void)state;
	struct buf b;
	size_t len = 0;
	buf_init(&b, 10);
	buf_str(&b, "0123456789");
	uint8_t *bytes = buf_steal(&b, &len);
	assert_non_null(bytes);
	assert_int_equal(len, 10);
	assert_int_equal(bytes[10], 0);
	assert_int_equal(b.len, 0);
	free(bytes);
	buf_str(&b, "again");
	assert_string_equal(buf_cstr(&b), "again");
	buf_fini(&b);
}

static void integers_print_in_full_range(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 100);
	buf_int(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_int(&b, INT64_MAX);
	buf_char(&b, ' ');
	buf_int(&b, 0);
	assert_string_equal(buf_cstr(&b), "-9223372036854775808 9223372036854775807 0");
	buf_fini(&b);
}

static void printf_fits_to_the_last_byte(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 5);
	buf_printf(&b, "%s", "12345");
	assert_int_equal(buf_error(&b), ERR_NONE);
	buf_reset(&b);
	buf_printf(&b, "%s", "123456");
	assert_int_equal(buf_error(&b), ERR_LIMIT);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void json_strings_stay_json_whatever_comes_in(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 200);
	buf_json(&b, SPAN_LIT("a\"b\\c\n\t\x01\x7f\xc3\xa9\xff\xed\xa0\x80"));
	assert_string_equal(buf_cstr(&b), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\xc3\xa9\xef\xbf\xbd"
									  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_fini(&b);
}

static void hex_reads_what_it_wrote_and_nothing_else(void **state) {
	(void)state;
	uint8_t in[256], out[256];
	char text[513];
	for (size_t i = 0; i < 256; i++) in[i] = (uint8_t)i;
	hex_encode(span_of(in, 256), text);
	assert_int_equal(hex_decode(span_str(text), out, 256), ERR_NONE);
	assert_memory_equal(in, out, 256);
	assert_int_equal(hex_decode(SPAN_LIT("aAfF"), out, 2), ERR_NONE);
	assert_int_equal(out[1], 0xff);
	out[0] = 9;
	assert_int_equal(hex_decode(SPAN_LIT("00g0"), out, 2), ERR_INPUT);
	assert_int_equal(hex_decode(SPAN_LIT("000"), out, 1), ERR_INPUT);
	assert_int_equal(hex_decode(SPAN_LIT("0000"), out, 1), ERR_INPUT);
	assert_int_equal(out[0], 9);
	assert_int_equal(hex_decode(SPAN_LIT(""), out, 0), ERR_NONE);
}

static void utf8_accepts_exactly_the_shortest_forms(void **state) {
	(void)state;
	/* every code point, encoded by a second implementation */
	for (uint32_t c = 0; c <= 0x110000; c++) {
		uint8_t s[4];
		size_t n = 0;
		if (c < 0x80) {
			s[n++] = (uint8_t)c;
		} else if (c < 0x800) {
			s[n++] = (uint8_t)(0xC0 + c / 64);
			s[n++] = (uint8_t)(0x80 + c % 64);
		} else if (c < 0x10000) {
			s[n++] = (uint8_t)(0xE0 + c / 4096);
			s[n++] = (uint8_t)(0x80 + c / 64 % 64);
			s[n++] = (uint8_t)(0x80 + c % 64);
		} else {
			s[n++] = (uint8_t)(0xF0 + c / 262144);
			s[n++] = (uint8_t)(0x80 + c / 4096 % 64);
			s[n++] = (uint8_t)(0x80 + c / 64 % 64);
			s[n++] = (uint8_t)(0x80 + c % 64);
		}
		bool good = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
		uint32_t code = 0;
		assert_int_equal(utf8_next(span_of(s, n), &code), good ? n : 0);
		if (good) assert_int_equal(code, c);
		if (n > 1) assert_int_equal(utf8_next(span_of(s, n - 1), NULL), 0);
	}
	assert_false(utf8_is_valid(SPAN_LIT("\xc0\x80")));
	assert_false(utf8_is_valid(SPAN_LIT("\xe0\x80\x80")));
	assert_false(utf8_is_valid(SPAN_LIT("\xf0\x80\x80\x80")));
	assert_false(utf8_is_valid(SPAN_LIT("a\x80")));
	assert_true(utf8_is_valid(SPAN_LIT("")));
}

static void characters_that_deceive_are_not_plain(void **state) {
	(void)state;
	static const uint32_t bad[] = {0,     '\n',   0x1b,   0x7f,   0x85,   0x9f,
								   0x61c, 0x200e, 0x2028, 0x202e, 0x2066, 0x2069};
	static const uint32_t good[] = {' ', '~', 0xa0, 0xe9, 0x2027, 0x202f, 0x2065, 0x206a, 0x1F600};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) assert_false(utf8_is_plain(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) assert_true(utf8_is_plain(good[i]));
}

static void span_copy_refuses_what_would_be_cut(void **state) {
	(void)state;
	char dst[4] = "xyz";
	assert_true(span_copy(SPAN_LIT("abc"), dst, sizeof(dst)));
	assert_string_equal(dst, "abc");
	assert_false(span_copy(SPAN_LIT("abcd"), dst, sizeof(dst)));
	assert_string_equal(dst, "");
	assert_false(span_copy(span_of("a\0b", 3), dst, sizeof(dst)));
	assert_false(span_copy(SPAN_LIT(""), dst, 0));
	assert_int_equal(span_drop(SPAN_LIT("abc"), 3).len, 0);
	assert_false(span_eq(SPAN_LIT("a"), SPAN_LIT("ab")));
	assert_true(span_eq(span_str(NULL), SPAN_LIT("")));
}

static int broken_calls;
static void count_broken(const char *file, int line, const char *what) {
	(void)file;
	(void)line;
	assert_string_equal(what, "1 > 2");
	broken_calls++;
}

static void broken_truth_calls_the_hook_and_refuses(void **state) {
	(void)state;
	err_assert_hook(count_broken);
	assert_false(ENSURE(1 > 2));
	assert_true(ENSURE(2 > 1));
	assert_int_equal(broken_calls, 1);
	err_assert_hook(NULL);
}

static void every_error_has_its_own_name(void **state) {
	(void)state;
	for (int i = 0; i < ERR_COUNT; i++) {
		assert_string_not_equal(err_name((enum err)i), "unknown");
		for (int k = 0; k < i; k++)
			assert_string_not_equal(err_name((enum err)i), err_name((enum err)k));
	}
	assert_string_equal(err_name(ERR_COUNT), "unknown");
	assert_string_equal(err_name((enum err) - 1), "unknown");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_never_exceeds_its_maximum),
		cmocka_unit_test(first_error_sticks_and_later_appends_do_nothing),
		cmocka_unit_test(empty_buffer_reads_as_empty_string),
		cmocka_unit_test(stolen_bytes_are_terminated_and_leave_it_empty),
		cmocka_unit_test(integers_print_in_full_range),
		cmocka_unit_test(printf_fits_to_the_last_byte),
		cmocka_unit_test(json_strings_stay_json_whatever_comes_in),
		cmocka_unit_test(hex_reads_what_it_wrote_and_nothing_else),
		cmocka_unit_test(utf8_accepts_exactly_the_shortest_forms),
		cmocka_unit_test(characters_that_deceive_are_not_plain),
		cmocka_unit_test(span_copy_refuses_what_would_be_cut),
		cmocka_unit_test(broken_truth_calls_the_hook_and_refuses),
		cmocka_unit_test(every_error_has_its_own_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
