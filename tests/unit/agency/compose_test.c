/* What is typed becomes exactly the message that is sent, or a sentence that names the option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/agency/compose.h"

#define NOW INT64_C(1795636800000)

static const struct settings good = {
	.type = "hit-and-run",
	.case_number = "2026/17",
	.reason = "Bicycle struck at the crossing, driver fled",
	.lat = "52.52",
	.lon = "-13.4050001",
	.radius_m = 300,
	.from = "-2h",
	.to = "2026-11-25T20:00Z",
	.open_hours = 24,
};

static void a_submit_says_what_was_typed(void **state) {
	(void)state;
	uint8_t id[16] = {7};
	Vestibule__V1__Circle circle;
	Vestibule__V1__Submit s;
	char why[COMPOSE_WHY_SIZE];
	assert_true(compose_submit(&good, NOW, id, &circle, &s, why));
	assert_int_equal(s.incident_type, VESTIBULE__V1__INCIDENT_TYPE__INCIDENT_TYPE_HIT_AND_RUN);
	assert_int_equal(s.purpose, VESTIBULE__V1__PURPOSE__PURPOSE_INVESTIGATION);
	assert_int_equal(s.circle->lat_e7, 525200000);
	assert_int_equal(s.circle->lon_e7, -134050001);
	assert_int_equal(s.circle->radius_m, 300);
	assert_int_equal(s.from_ms, NOW - 7200000);
	assert_int_equal(s.to_ms, NOW);
	assert_int_equal(s.open_hours, 24);
	assert_false(s.emergency);
	assert_memory_equal(s.request_id.data, id, 16);
}

static void an_emergency_is_for_aid(void **state) {
	(void)state;
	struct settings set = good;
	uint8_t id[16] = {7};
	Vestibule__V1__Circle circle;
	Vestibule__V1__Submit s;
	char why[COMPOSE_WHY_SIZE];
	set.emergency = true;
	assert_true(compose_submit(&set, NOW, id, &circle, &s, why));
	assert_int_equal(s.purpose, VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID);
	assert_true(s.emergency);
}

static void refused(struct settings set, const char *names) {
	uint8_t id[16] = {7};
	Vestibule__V1__Circle circle;
	Vestibule__V1__Submit s;
	char why[COMPOSE_WHY_SIZE] = "";
	assert_false(compose_submit(&set, NOW, id, &circle, &s, why));
	assert_non_null(strstr(why, names));
}

static void what_is_missing_or_wrong_is_named(void **state) {
	(void)state;
	struct settings set = good;
	set.type = "assembly"; /* absent on purpose */
	refused(set, "--type assembly");
	set = good, set.type = NULL;
	refused(set, "--type is missing");
	set = good, set.type = "unspecified";
	refused(set, "--type");
	set = good, set.case_number = NULL;
	refused(set, "--case");
	set = good, set.reason = NULL;
	refused(set, "--reason");
	set = good, set.lat = "91";
	refused(set, "--lat 91");
	set = good, set.lon = NULL;
	refused(set, "--lon");
	set = good, set.radius_m = 0;
	refused(set, "--radius");
	set = good, set.from = "yesterday";
	refused(set, "--from yesterday");
	set = good, set.to = NULL;
	refused(set, "--to");
	set = good, set.purpose = "marketing";
	refused(set, "--purpose marketing");
}

static void degrees_are_exact(void **state) {
	(void)state;
	static const struct {
		const char *text;
		enum err want;
		int32_t e7;
	} rows[] = {
		{"0", ERR_NONE, 0},         {"-0.1", ERR_NONE, -1000000},  {"180", ERR_NONE, 1800000000},
		{"0.0000001", ERR_NONE, 1}, {"180.0000001", ERR_LIMIT, 0}, {"0.00000001", ERR_INPUT, 0},
		{"", ERR_INPUT, 0},         {"-", ERR_INPUT, 0},           {".5", ERR_INPUT, 0},
		{"5.", ERR_INPUT, 0},       {"1e2", ERR_INPUT, 0},         {"+5", ERR_INPUT, 0},
		{"52,5", ERR_INPUT, 0},     {"52.5.1", ERR_INPUT, 0},      {"9999", ERR_INPUT, 0},
		{"nan", ERR_INPUT, 0},      {"0x10", ERR_INPUT, 0},        {"181", ERR_LIMIT, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int32_t e7 = 0;
		assert_int_equal(compose_degrees(span_str(rows[i].text), 180, &e7), rows[i].want);
		assert_int_equal(e7, rows[i].e7);
	}
}

static void an_alert_names_a_cell_of_five_letters(void **state) {
	(void)state;
	struct settings set = {
		.subject = "u33db", .kind = "missing-person", .text = "A child", .until = "+6h"};
	Vestibule__V1__SendAlert alert;
	char why[COMPOSE_WHY_SIZE];
	assert_true(compose_alert(&set, NOW, &alert, why));
	assert_int_equal(alert.kind, VESTIBULE__V1__ALERT_KIND__ALERT_KIND_MISSING_PERSON);
	assert_int_equal(alert.until_ms, NOW + 6 * 3600000);
	set.subject = "u33d";
	assert_false(compose_alert(&set, NOW, &alert, why));
	set.subject = "u33da"; /* a is no letter of geohash */
	assert_false(compose_alert(&set, NOW, &alert, why));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_submit_says_what_was_typed),
		cmocka_unit_test(an_emergency_is_for_aid),
		cmocka_unit_test(what_is_missing_or_wrong_is_named),
		cmocka_unit_test(degrees_are_exact),
		cmocka_unit_test(an_alert_names_a_cell_of_five_letters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
