/* Times as officers type them: two forms, and nothing that only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/agency/when.h"

#define NOW INT64_C(1795636800000) /* 2026-11-25T20:00:00Z */

static void expect(const char *text, int64_t want) {
	int64_t got = -1;
	assert_int_equal(when_parse(span_str(text), NOW, &got), ERR_NONE);
	assert_int_equal(got, want);
}

static void refuse(const char *text, enum err want) {
	int64_t got = -1;
	assert_int_equal(when_parse(span_str(text), NOW, &got), want);
	assert_int_equal(got, -1);
}

static void utc_dates_are_read(void **state) {
	(void)state;
	expect("2026-11-25T20:00Z", NOW);
	expect("2026-11-25T20:00:59Z", NOW + 59000);
	expect("2000-01-01T00:00Z", INT64_C(946684800000));
	expect("2000-02-29T00:00Z", INT64_C(951782400000));
	expect("2028-02-29T23:59:59Z", INT64_C(1835481599000));
	expect("2028-03-01T00:00Z", INT64_C(1835481600000));
	expect("2099-12-31T23:59:59Z", INT64_C(4102444799000));
}

static void days_that_do_not_exist_are_refused(void **state) {
	(void)state;
	refuse("2026-02-29T00:00Z", ERR_INPUT);
	refuse("2026-04-31T00:00Z", ERR_INPUT);
	refuse("2026-00-10T00:00Z", ERR_INPUT);
	refuse("2026-13-10T00:00Z", ERR_INPUT);
	refuse("2026-01-00T00:00Z", ERR_INPUT);
	refuse("2026-01-01T24:00Z", ERR_INPUT);
	refuse("2026-01-01T00:60Z", ERR_INPUT);
	refuse("2026-01-01T00:00:60Z", ERR_INPUT);
	refuse("1999-12-31T23:59Z", ERR_LIMIT);
	refuse("2100-01-01T00:00Z", ERR_LIMIT);
}

static void a_time_without_its_zone_is_refused(void **state) {
	(void)state;
	refuse("2026-11-25T20:00", ERR_INPUT);
	refuse("2026-11-25T20:00+01:00", ERR_INPUT);
	refuse("2026-11-25T20:00z", ERR_INPUT);
	refuse("2026-11-25 20:00Z", ERR_INPUT);
	refuse("2026-11-25", ERR_INPUT);
	refuse("20:00Z", ERR_INPUT);
	refuse("2026-11-25T20:00ZZ", ERR_INPUT);
	refuse(" 2026-11-25T20:00Z", ERR_INPUT);
	refuse("2026-11-25T20:0Z", ERR_INPUT);
	refuse("2026-11-25T20:00:5Z", ERR_INPUT);
	refuse("", ERR_INPUT);
	refuse("now", ERR_INPUT);
}

static void relative_times_count_from_now(void **state) {
	(void)state;
	expect("-2h", NOW - 7200000);
	expect("+90m", NOW + 5400000);
	expect("-3d", NOW - 259200000);
	expect("+0m", NOW);
	expect("-0s", NOW);
	expect("-30s", NOW - 30000);
}

static void a_relative_time_needs_sign_number_and_unit(void **state) {
	(void)state;
	refuse("2h", ERR_INPUT);
	refuse("-", ERR_INPUT);
	refuse("-h", ERR_INPUT);
	refuse("-2", ERR_INPUT);
	refuse("-2w", ERR_INPUT);
	refuse("--2h", ERR_INPUT);
	refuse("-2 h", ERR_INPUT);
	refuse("-2hh", ERR_INPUT);
	refuse("-100001m", ERR_LIMIT);
	refuse("-99999999999999999999d", ERR_INPUT);
	refuse("-50000d", ERR_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utc_dates_are_read),
		cmocka_unit_test(days_that_do_not_exist_are_refused),
		cmocka_unit_test(a_time_without_its_zone_is_refused),
		cmocka_unit_test(relative_times_count_from_now),
		cmocka_unit_test(a_relative_time_needs_sign_number_and_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
