/* Options: each accepted value beside its nearest refusal. */
#include "plugin/options.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/plugin/broker_stub.h"

static enum err parse(struct options *o, char why[OPTIONS_WHY_SIZE], int count,
					  const char *const pairs[][2]) {
	struct mosquitto_opt opts[8];
	for (int i = 0; i < count; i++) {
		opts[i].key = (char *)(uintptr_t)pairs[i][0];
		opts[i].value = (char *)(uintptr_t)pairs[i][1];
	}
	return options_parse(opts, count, o, why);
}

static void accepts(struct options *o, int count, const char *const pairs[][2]) {
	char why[OPTIONS_WHY_SIZE] = "";
	assert_int_equal(parse(o, why, count, pairs), ERR_NONE);
}

static void refuses(const char *what, int count, const char *const pairs[][2]) {
	struct options o;
	char why[OPTIONS_WHY_SIZE] = "";
	assert_int_not_equal(parse(&o, why, count, pairs), ERR_NONE);
	assert_non_null(strstr(why, what));
}

static void agencies_and_demo_are_off_by_default(void **state) {
	(void)state;
	struct options o;
	accepts(&o, 1, (const char *const[][2]){{"store", "/x"}});
	assert_false(o.agencies);
	assert_false(o.demo);
	assert_int_equal(o.tick_ms, 900000);
	assert_int_equal(o.hold_ticks, 1);
}

static void demo_ticks_are_two_seconds_unless_told(void **state) {
	(void)state;
	struct options o;
	accepts(&o, 2, (const char *const[][2]){{"store", "/x"}, {"demo", "true"}});
	assert_int_equal(o.tick_ms, 2000);
	accepts(&o, 3,
			(const char *const[][2]){{"release_tick", "1"}, {"store", "/x"}, {"demo", "true"}});
	assert_int_equal(o.tick_ms, 1000);
}

static void i24_release_tick_holds_at_its_boundaries(void **state) {
	(void)state;
	struct options o;
	accepts(&o, 2, (const char *const[][2]){{"store", "/x"}, {"release_tick", "300"}});
	refuses("at least 300", 2, (const char *const[][2]){{"store", "/x"}, {"release_tick", "299"}});
	accepts(&o, 2, (const char *const[][2]){{"store", "/x"}, {"release_tick", "86400"}});
	refuses("release_tick", 2,
			(const char *const[][2]){{"store", "/x"}, {"release_tick", "86401"}});
	refuses("release_tick", 3,
			(const char *const[][2]){{"store", "/x"}, {"release_tick", "0"}, {"demo", "true"}});
}

static void misread_options_stop_the_start(void **state) {
	(void)state;
	refuses("store is missing", 0, NULL);
	refuses("store", 1, (const char *const[][2]){{"store", ""}});
	refuses("stores is not an option", 1, (const char *const[][2]){{"stores", "/x"}});
	refuses("given twice", 2, (const char *const[][2]){{"store", "/x"}, {"store", "/x"}});
	refuses("on or off", 2, (const char *const[][2]){{"store", "/x"}, {"agencies", "ON"}});
	refuses("on or off", 2, (const char *const[][2]){{"store", "/x"}, {"agencies", NULL}});
	refuses("true or false", 2, (const char *const[][2]){{"store", "/x"}, {"demo", "on"}});
	refuses("hold_ticks", 2, (const char *const[][2]){{"store", "/x"}, {"hold_ticks", "0"}});
	refuses("hold_ticks", 2, (const char *const[][2]){{"store", "/x"}, {"hold_ticks", "1 "}});
	refuses("hold_ticks", 2, (const char *const[][2]){{"store", "/x"}, {"hold_ticks", "-1"}});
	refuses("log_level", 2, (const char *const[][2]){{"store", "/x"}, {"log_level", "verbose"}});
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agencies_and_demo_are_off_by_default),
		cmocka_unit_test(demo_ticks_are_two_seconds_unless_told),
		cmocka_unit_test(i24_release_tick_holds_at_its_boundaries),
		cmocka_unit_test(misread_options_stop_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
