/* Rules word by word and clock by clock: each line that is one beside the nearest that is none; and whose
 * word counts for a home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/consent/rules.h"
#include "tests/unit/policy/rows.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MINUTE   INT64_C(60000)
enum { BURGLARY = 1 }; /* of IncidentType */

static struct rules of(const char *text) {
	struct rules r;
	if (rules_parse(span_str(text), &r, NULL) != ERR_NONE) fail_msg("%s", text);
	return r;
}

static void a_word_is_that_word_and_no_other(void **unused) {
	(void)unused;
	static const struct {
		enum err expected;
		const char *text;
	} lines[] = {
		{ERR_NONE, "never type fire"},
		{ERR_INPUT, "never type fires"},
		{ERR_INPUT, "never type fir"},
		{ERR_INPUT, "never type _ire"},
		{ERR_NONE, "never type hit_and-run"},
		{ERR_INPUT, "never type hit and-run"},
		{ERR_INPUT, "never type hit--and-run"},
		{ERR_NONE, "ask police only fire, arson"},
		{ERR_INPUT, "ask police only fire arson"},
		{ERR_INPUT, "ask police only fire,"},
		{ERR_NONE, "never all"},
		{ERR_INPUT, "never all pd"},
		{ERR_NONE, "never pd"},
		{ERR_INPUT, "never pd fd"},
		{ERR_INPUT, "never pd fd td"},
		{ERR_INPUT, "never PD"},
		{ERR_NONE, "never agency pd"},
		{ERR_INPUT, "never agency"},
		{ERR_INPUT, "never agency PD"},
		{ERR_NONE, "mute alerts"},
		{ERR_INPUT, "mute alert"},
		{ERR_INPUT, "mute alerts now"},
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct rules r;
		if (rules_parse(span_str(lines[i].text), &r, NULL) != lines[i].expected)
			fail_msg("%s", lines[i].text);
	}
}

static void a_clock_is_two_digits_a_colon_and_two_digits(void **unused) {
	(void)unused;
	static const struct {
		enum err expected;
		const char *text;
	} lines[] = {
		{ERR_NONE, "quiet 22:00-07:00"},
		{ERR_INPUT, "quiet 22.00-07:00"},
		{ERR_INPUT, "quiet 2/:00-07:00"},
		{ERR_INPUT, "quiet 2a:00-07:00"},
		{ERR_INPUT, "quiet 22:00+07:00"},
		{ERR_INPUT, "quiet 22:00-07:0"},
		{ERR_INPUT, "quiet 22:00-24:00"},
		{ERR_INPUT, "quiet 22:00-07:60"},
		{ERR_NONE, "quiet 23:59-00:00"},
		{ERR_INPUT, "quiet 24:00-07:00"},
		{ERR_INPUT, "quiet 22:00-22:00"},
		{ERR_NONE, "quiet 22:00-07:00 +14:59"},
		{ERR_INPUT, "quiet 22:00-07:00 +15:00"},
		{ERR_INPUT, "quiet 22:00-07:00 +1:00"},
		{ERR_INPUT, "quiet 22:00-07:00 01:00"},
		{ERR_NONE, "quiet 22:00-07:00 -01:00"},
		{ERR_INPUT, "quiet 22:00-07:00 +"},
		{ERR_INPUT, "quiet 22:00-07:00 +01:00 x"},
		{ERR_INPUT, "quiet"},
	};
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct rules r;
		if (rules_parse(span_str(lines[i].text), &r, NULL) != lines[i].expected)
			fail_msg("%s", lines[i].text);
	}
}

static void it_is_quiet_from_the_first_minute_until_before_the_last(void **unused) {
	(void)unused;
	static const struct {
		bool quiet;
		const char *text;
		int64_t minute; /* since 1970 */
	} cases[] = {
		{false, "quiet 08:00-09:30", 479},
		{true, "quiet 08:00-09:30", 480},
		{true, "quiet 08:00-09:30", 569},
		{false, "quiet 08:00-09:30", 570},
		{false, "quiet 22:00-07:00", 1319},
		{true, "quiet 22:00-07:00", 1320},
		{true, "quiet 22:00-07:00", 0},
		{true, "quiet 22:00-07:00", 419},
		{false, "quiet 22:00-07:00", 420},
		{true, "quiet 22:00-23:30 -01:00", 0},
		{false, "quiet 22:00-23:00 -01:00", 0},
		{true, "quiet 00:00-00:30 +01:00", 1380},
		{false, "quiet 00:00-00:30 +01:00", 1379},
		{false, "", 0},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rules r = of(cases[i].text);
		if (rules_is_quiet(&r, cases[i].minute * MINUTE) != cases[i].quiet) fail_msg("%zu", i);
	}
}

static void what_takes_back_an_objection_widens(void **unused) {
	(void)unused;
	static const struct {
		bool widens;
		const char *before, *after;
	} cases[] = {
		{false, "", ""},
		{true, "", "ask police"},
		{false, "ask police", ""},
		{true, "ask police only fire", "ask police only fire, arson"},
		{true, "never all", ""},
		{false, "never all", "never all"},
		{false, "", "never all"},
		{true, "never type fire", "never type arson"},
		{false, "never type fire", "never type fire\nnever type arson"},
		{true, "never pd", ""},
		{true, "never pd", "never fd"},
		{false, "never pd", "never fd\nnever pd"},
		{false, "never pd", "never all"},
		{true, "never all\nnever pd", "never pd"},
		{true, "quiet 22:00-07:00", ""},
		{false, "quiet 22:00-07:00", "quiet 12:00-13:00\nquiet 22:00-07:00"},
		{true, "quiet 22:00-07:00", "quiet 22:01-07:00"},
		{true, "quiet 22:00-07:00", "quiet 22:00-06:59"},
		{true, "quiet 22:00-07:00", "quiet 22:00-07:00 +01:00"},
		{true, "mute alerts", ""},
		{false, "mute alerts", "mute alerts"},
		{false, "", "mute alerts"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rules before = of(cases[i].before), after = of(cases[i].after);
		if (rules_widen(&before, &after) != cases[i].widens)
			fail_msg("%s -> %s", cases[i].before, cases[i].after);
	}
}

static void what_is_no_agency_or_incident_was_never_opted_in_to(void **unused) {
	(void)unused;
	struct rules r = of("ask police\nask fire\nask ambulance");
	assert_true(rules_opt_in(&r, AGENCY_POLICE, BURGLARY));
	assert_false(rules_opt_in(&r, AGENCY_NONE, BURGLARY));
	assert_false(rules_opt_in(&r, AGENCY_KINDS, BURGLARY));
	assert_false(rules_opt_in(&r, -1, BURGLARY));
	assert_false(rules_opt_in(&r, AGENCY_POLICE, 0));
	assert_false(rules_opt_in(&r, AGENCY_POLICE, RULES_TYPES));
	assert_true(rules_object(&r, SPAN_LIT("pd"), 0));
	assert_true(rules_object(&r, SPAN_LIT("pd"), RULES_TYPES));
	assert_false(rules_object(&r, SPAN_LIT("pd"), BURGLARY));
}

/* --- whose word counts --- */

static enum rules_word word(const struct state *st) {
	static const struct row_agency pd = {
		.row.kind = ROW_AGENCY, .id = "metro-pd", .kind = AGENCY_POLICE};
	return rules_home(st, SPAN_LIT("oak"), &pd, BURGLARY, NOW_MS);
}

static void says(struct state *st, const char *username, const char *text) {
	struct row_rules r = {.row.kind = ROW_RULES, .home = "oak"};
	assert_true(span_copy(span_str(username), r.username, sizeof(r.username)));
	assert_true(span_copy(span_str(text), r.text, sizeof(r.text)));
	rows_put(st, &r.row);
}

static void only_an_adult_of_the_home_speaks_for_it(void **unused) {
	(void)unused;
	static const char *const others[] = {"nobody", "kid", "ann", "inv-1"};
	struct state *st = world_new();
	rows_put(st, CRED("kid", CRED_MEMBER, "oak", ROLE_LIMITED));
	for (size_t i = 0; i < COUNT(others); i++) says(st, others[i], "ask police");
	assert_int_equal(word(st), RULES_NO);
	says(st, "zoe", "ask police");
	assert_int_equal(word(st), RULES_ASK);
	for (size_t i = 0; i < COUNT(others); i++) says(st, others[i], "never all");
	assert_int_equal(word(st), RULES_ASK);
	says(st, "zoe", "ask police\nquiet 00:00-23:59");
	assert_int_equal(word(st), RULES_LATER);
	state_free(st);
}

static void a_suspended_adult_can_only_object(void **unused) {
	(void)unused;
	struct state *st = world_new();
	rows_put(st, SUSPENDED("yan", CRED_MEMBER, "oak", ROLE_ADULT));
	says(st, "yan", "ask police");
	assert_int_equal(word(st), RULES_NO);
	says(st, "zoe", "ask police");
	assert_int_equal(word(st), RULES_ASK);
	says(st, "yan", "never metro-pd");
	assert_int_equal(word(st), RULES_NO);
	state_free(st);
}

static void rules_that_cannot_be_read_object(void **unused) {
	(void)unused;
	struct state *st = world_new();
	rows_put(st, CRED("yan", CRED_MEMBER, "oak", ROLE_ADULT));
	says(st, "zoe", "ask police");
	assert_int_equal(word(st), RULES_ASK);
	says(st, "yan", "ask everybody");
	assert_int_equal(word(st), RULES_NO);
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_that_word_and_no_other),
		cmocka_unit_test(a_clock_is_two_digits_a_colon_and_two_digits),
		cmocka_unit_test(it_is_quiet_from_the_first_minute_until_before_the_last),
		cmocka_unit_test(what_takes_back_an_objection_widens),
		cmocka_unit_test(what_is_no_agency_or_incident_was_never_opted_in_to),
		cmocka_unit_test(only_an_adult_of_the_home_speaks_for_it),
		cmocka_unit_test(a_suspended_adult_can_only_object),
		cmocka_unit_test(rules_that_cannot_be_read_object),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
