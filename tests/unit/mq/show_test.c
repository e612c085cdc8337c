/* Nothing that somebody else chose moves the cursor, reorders a line or makes a second one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/mq/show.h"

static void expect_text(const char *in, const char *want) {
	struct buf b;
	buf_init(&b, 256);
	show_text(&b, in);
	assert_string_equal(buf_cstr(&b), want);
	buf_fini(&b);
}

static void a_name_cannot_leave_its_place_on_the_line(void **state) {
	(void)state;
	expect_text("Front door", "Front door");
	expect_text("T\xC3\xBCr", "T\xC3\xBCr");
	expect_text("a\nb\rc\td", "a?b?c?d");
	expect_text("\x1B[2J", "?[2J");
	expect_text("\xC2\x9B"
				"2J",
				"?2J"); /* C1 control sequence introducer */
	expect_text("a\xE2\x80\xAE"
				"b",
				"a?b"); /* right-to-left override */
	expect_text("a\xE2\x80\xA8"
				"b",
				"a?b");       /* line separator */
	expect_text("\xC3", "?"); /* cut in the middle */
	expect_text("\xFF\xFE", "??");
	expect_text(NULL, "");
}

static void times_are_utc_and_absent_ones_a_dash(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 256);
	show_time(&b, UINT64_C(1795636805123));
	buf_char(&b, ' ');
	show_time(&b, 0);
	buf_char(&b, ' ');
	show_time(&b, UINT64_MAX);
	assert_string_equal(buf_cstr(&b), "2026-11-25T20:00:05Z - -");
	buf_fini(&b);
}

static void unknown_words_are_called_so(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 256);
	show_word(&b, &vestibule__v1__incident_type__descriptor, 6, true);
	buf_char(&b, ' ');
	show_word(&b, &vestibule__v1__incident_type__descriptor, 6, false);
	buf_char(&b, ' ');
	show_word(&b, &vestibule__v1__incident_type__descriptor, 99, true);
	assert_string_equal(buf_cstr(&b), "missing person missing_person unknown");
	buf_fini(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_cannot_leave_its_place_on_the_line),
		cmocka_unit_test(times_are_utc_and_absent_ones_a_dash),
		cmocka_unit_test(unknown_words_are_called_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
