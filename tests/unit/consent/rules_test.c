/* The text of rules: what is one, what is none, and that combining only narrows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/consent/rules.h"

static enum err parse(const char *text, struct rules *r, size_t *line) {
	return rules_parse(span_str(text), r, line);
}

static void text_that_is_rules_is_taken(void **state) {
	(void)state;
	static const char *const good[] = {
		"",
		"\n\n",
		"# a comment",
		"  # indented",
		"ask police",
		"ask fire\nask ambulance\n",
		"\task\tpolice  ",
		"ask police only burglary",
		"ask police only burglary,arson",
		"ask police only burglary , missing-person",
		"ask police only missing_person",
		"never all",
		"never central-pd",
		"never agency central-pd",
		"never type arson",
		"quiet 22:00-07:00",
		"quiet 22:00-07:00 +01:00",
		"quiet 00:00-23:59 -14:59",
		"mute alerts",
		"ask police\r\n",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct rules r;
		assert_int_equal(parse(good[i], &r, NULL), ERR_NONE);
	}
}

static void text_that_is_none_opts_in_to_nothing(void **state) {
	(void)state;
	static const char *const bad[] = {
		"ask",
		"ask everybody",
		"ask police only",
		"ask police only burglary,",
		"ask police only ,burglary",
		"ask police only gossip",
		"ask police burglary",
		"ask police, fire",
		"Ask police",
		"never",
		"never type",
		"never type gossip",
		"never type arson, fire",
		"never agency",
		"never agency a b",
		"never Central",
		"quiet",
		"quiet 22:00",
		"quiet 24:00-07:00",
		"quiet 22:60-07:00",
		"quiet 2:00-07:00",
		"quiet 22:00-22:00",
		"quiet 22:00-07:00 01:00",
		"quiet 22:00-07:00 +15:00",
		"quiet 22:00-07:00 +01:00 x",
		"mute",
		"mute all",
		"allow all",
		"ask police\nnonsense",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rules r;
		assert_int_equal(parse(bad[i], &r, NULL), ERR_INPUT);
		for (int kind = 0; kind < AGENCY_KINDS; kind++) assert_int_equal(r.asked[kind], 0);
	}
}

static void fault_names_its_line(void **state) {
	(void)state;
	struct rules r;
	size_t line = 0;
	assert_int_equal(parse("ask police\n# x\n\nask nobody\n", &r, &line), ERR_INPUT);
	assert_int_equal(line, 4);
}

static void more_lines_than_fit_are_refused(void **state) {
	(void)state;
	char text[RULES_NEVER_MAX * 10 + 32];
	size_t n = 0;
	struct rules r;
	for (int i = 0; i < RULES_NEVER_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "never a%d\n", i);
	assert_int_equal(parse(text, &r, NULL), ERR_NONE);
	(void)snprintf(text + n, sizeof(text) - n, "never b\n");
	assert_int_equal(parse(text, &r, NULL), ERR_LIMIT);
	assert_int_equal(
		parse("quiet 01:00-02:00\nquiet 03:00-04:00\nquiet 05:00-06:00\nquiet 07:00-08:00", &r,
			  NULL),
		ERR_NONE);
	assert_int_equal(parse("quiet 01:00-02:00\nquiet 03:00-04:00\nquiet 05:00-06:00\nquiet "
						   "07:00-08:00\nquiet 09:00-10:00",
						   &r, NULL),
					 ERR_LIMIT);
}

static void opt_in_and_objection_are_by_kind_agency_and_type(void **state) {
	(void)state;
	struct rules r;
	assert_int_equal(
		parse("ask police only burglary, arson\nnever agency rough-pd\nnever type arson", &r, NULL),
		ERR_NONE);
	assert_true(rules_opt_in(&r, AGENCY_POLICE, 1));
	assert_false(rules_opt_in(&r, AGENCY_POLICE, 2));
	assert_false(rules_opt_in(&r, AGENCY_FIRE, 1));
	assert_false(rules_opt_in(&r, AGENCY_POLICE, 0));
	assert_false(rules_opt_in(&r, AGENCY_POLICE, 13));
	assert_false(rules_object(&r, SPAN_LIT("pd"), 1));
	assert_true(rules_object(&r, SPAN_LIT("rough-pd"), 1));
	assert_true(rules_object(&r, SPAN_LIT("pd"), 10));
	assert_true(rules_object(&r, SPAN_LIT("pd"), 0)); /* what has no type is objected to */
}

static void quiet_hours_are_half_open_and_know_midnight_and_offset(void **state) {
	(void)state;
	static const struct {
		const char *text;
		int minute;
		bool quiet;
	} cases[] = {
		{"quiet 22:00-07:00", 22 * 60 - 1, false},   {"quiet 22:00-07:00", 22 * 60, true},
		{"quiet 22:00-07:00", 7 * 60 - 1, true},     {"quiet 22:00-07:00", 7 * 60, false},
		{"quiet 12:00-13:00", 12 * 60, true},        {"quiet 12:00-13:00", 13 * 60, false},
		{"quiet 22:00-07:00 +01:00", 21 * 60, true}, {"quiet 22:00-07:00 +01:00", 6 * 60, false},
		{"quiet 22:00-07:00 -05:00", 3 * 60, true},  {"quiet 22:00-07:00 -05:00", 12 * 60, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rules r;
		assert_int_equal(parse(cases[i].text, &r, NULL), ERR_NONE);
		assert_int_equal(
			rules_is_quiet(&r, INT64_C(86400000) * 20000 + (int64_t)cases[i].minute * 60000),
			cases[i].quiet);
	}
}

static void change_that_lets_more_through_is_no_denial(void **state) {
	(void)state;
	static const struct {
		const char *before, *after;
		bool widens;
	} cases[] = {
		{"", "ask fire", true},
		{"ask fire", "", false},
		{"ask police", "ask police only arson", false},
		{"ask police only arson", "ask police", true},
		{"ask fire\nnever all", "ask fire", true},
		{"ask fire", "ask fire\nnever all", false},
		{"never a1\nnever b1", "never b1", true},
		{"never a1", "never all", false},
		{"never type arson", "never type fire", true},
		{"quiet 01:00-02:00", "", true},
		{"", "quiet 01:00-02:00", false},
		{"mute alerts", "", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rules before, after;
		assert_int_equal(parse(cases[i].before, &before, NULL), ERR_NONE);
		assert_int_equal(parse(cases[i].after, &after, NULL), ERR_NONE);
		assert_int_equal(rules_widen(&before, &after), cases[i].widens);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_is_rules_is_taken),
		cmocka_unit_test(text_that_is_none_opts_in_to_nothing),
		cmocka_unit_test(fault_names_its_line),
		cmocka_unit_test(more_lines_than_fit_are_refused),
		cmocka_unit_test(opt_in_and_objection_are_by_kind_agency_and_type),
		cmocka_unit_test(quiet_hours_are_half_open_and_know_midnight_and_offset),
		cmocka_unit_test(change_that_lets_more_through_is_no_denial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
