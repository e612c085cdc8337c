/* Claims of proto/topic.h about names. Filters are in topic_filter_test.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/topic.h"

#define CLIP "01890a5d-0000-7000-8000-00000000002a"
#define V    "vestibule/v1/"

struct good {
	const char *name;
	enum topic_kind kind;
	const char *owner, *device, *clip, *username, *cell;
};

static const struct good table[] = {
	{V "device/d7/ring", TOPIC_DEVICE_RING, "", "d7", "", "", ""},
	{V "device/d7/motion", TOPIC_DEVICE_MOTION, "", "d7", "", "", ""},
	{V "device/d7/clip-ready", TOPIC_DEVICE_CLIP_READY, "", "d7", "", "", ""},
	{V "device/d7/status", TOPIC_DEVICE_STATUS, "", "d7", "", "", ""},
	{V "device/d7/ack", TOPIC_DEVICE_ACK, "", "d7", "", "", ""},
	{V "device/d7/pull/" CLIP "/bob", TOPIC_DEVICE_PULL, "", "d7", CLIP, "bob", ""},
	{V "device/d7/chunk/" CLIP "/bob", TOPIC_DEVICE_CHUNK, "", "d7", CLIP, "bob", ""},
	{V "device/d7/claim", TOPIC_DEVICE_CLAIM, "", "d7", "", "", ""},
	{V "home/h1/json/d7/ring", TOPIC_HOME_JSON_RING, "h1", "d7", "", "", ""},
	{V "home/h1/json/d7/motion", TOPIC_HOME_JSON_MOTION, "h1", "d7", "", "", ""},
	{V "home/h1/json/d7/clip-ready", TOPIC_HOME_JSON_CLIP_READY, "h1", "d7", "", "", ""},
	{V "home/h1/json/d7/status", TOPIC_HOME_JSON_STATUS, "h1", "d7", "", "", ""},
	{V "home/h1/ask", TOPIC_HOME_ASK, "h1", "", "", "", ""},
	{V "home/h1/command", TOPIC_HOME_COMMAND, "h1", "", "", "", ""},
	{V "home/h1/receipt", TOPIC_HOME_RECEIPT, "h1", "", "", "", ""},
	{V "agency/pd/command", TOPIC_AGENCY_COMMAND, "pd", "", "", "", ""},
	{V "agency/pd/notice", TOPIC_AGENCY_NOTICE, "pd", "", "", "", ""},
	{V "relay/r1/job", TOPIC_RELAY_JOB, "r1", "", "", "", ""},
	{V "relay/r1/report", TOPIC_RELAY_REPORT, "r1", "", "", "", ""},
	{V "area/u4pru/alert", TOPIC_AREA_ALERT, "", "", "", "", "u4pru"},
	{V "user/bob/sync", TOPIC_USER_SYNC, "", "", "", "bob", ""},
	{V "user/bob/reply", TOPIC_USER_REPLY, "", "", "", "bob", ""},
	{V "user/bob/denied", TOPIC_USER_DENIED, "", "", "", "bob", ""},
	{V "user/bob/link", TOPIC_USER_LINK, "", "", "", "bob", ""},
	{V "public/agency/pd", TOPIC_PUBLIC_AGENCY, "pd", "", "", "", ""},
	{V "public/request/" CLIP, TOPIC_PUBLIC_REQUEST, "", "", CLIP, "", ""},
	{V "operator/health", TOPIC_OPERATOR_HEALTH, "", "", "", "", ""},
	{V "operator/metrics", TOPIC_OPERATOR_METRICS, "", "", "", "", ""},
	{"$CONTROL/vestibule/v1", TOPIC_CONTROL, "", "", "", "", ""},
	{"$CONTROL/vestibule/v1/response", TOPIC_CONTROL_RESPONSE, "", "", "", "", ""},
	{"zigbee2mqtt/lamp", TOPIC_OTHER, "", "", "", "", ""},
	{"/", TOPIC_OTHER, "", "", "", "", ""},
	{"/vestibule/v1/device/d7/ring", TOPIC_OTHER, "", "", "", "", ""},
	{"vestibule2/v1/device/d7/ring", TOPIC_OTHER, "", "", "", "", ""},
	{"Vestibule/v1", TOPIC_OTHER, "", "", "", "", ""},
	{"$SYS/broker/uptime", TOPIC_DOLLAR, "", "", "", "", ""},
	{"$CONTROL/dynamic-security/v1", TOPIC_DOLLAR, "", "", "", "", ""},
	{"$CONTROL/vestibule/v1/", TOPIC_DOLLAR, "", "", "", "", ""},
	{"$", TOPIC_DOLLAR, "", "", "", "", ""},
};

static void is_text(struct span s, const char *want) {
	assert_true(span_eq(s, span_str(want)));
}

static void every_topic_of_the_table_parses_to_its_fields(void **state) {
	(void)state;
	bool seen[TOPIC_KINDS] = {false};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct topic t;
		assert_int_equal(topic_parse(span_str(table[i].name), &t), ERR_NONE);
		assert_int_equal(t.kind, table[i].kind);
		is_text(t.owner, table[i].owner);
		is_text(t.device, table[i].device);
		is_text(t.clip, table[i].clip);
		is_text(t.username, table[i].username);
		is_text(t.cell, table[i].cell);
		seen[t.kind] = true;
	}
	for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KINDS; kind++) assert_true(seen[kind]);
}

static void building_gives_back_the_name(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct topic t;
		struct buf b;
		buf_init(&b, 300);
		assert_int_equal(topic_parse(span_str(table[i].name), &t), ERR_NONE);
		topic_build(&t, &b);
		bool ours = t.kind != TOPIC_OTHER && t.kind != TOPIC_DOLLAR;
		assert_string_equal(buf_cstr(&b), ours ? table[i].name : "");
		buf_fini(&b);
	}
}

static void anything_else_under_vestibule_is_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
		"vestibule",
		"vestibule/",
		"vestibule/v1",
		V,
		"vestibule//v1/device/d7/ring",
		"vestibule/v2/device/d7/ring",
		"vestibule/V1/device/d7/ring",
		V "device/d7/ring/",
		V "device/d7/ring/x",
		V "device/d7",
		V "device//ring",
		V "device/D7/ring",
		V "device/d 7/ring",
		V "device/d7/Ring",
		V "device/d7/rings",
		V "device/d7/pull/" CLIP,
		V "device/d7/pull/" CLIP "/bo",
		V "device/d7/pull/" CLIP "/bob/x",
		V "device/d7/pull/01890A5D-0000-7000-8000-00000000002a/bob",
		V "device/d7/pull/01890a5d-0000-7000-8000-00000000002/bob",
		V "home/h1/json/d7",
		V "home/h1/json/d7/ack",
		V "home/h1/json/ring",
		V "area/u4pr/alert",
		V "area/u4pra/alert",
		V "area/U4PRU/alert",
		V "user/bo/sync",
		V "public/agency/",
		V "public/request/d7",
		V "operator/health/x",
		V "O/x",
		"",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct topic t = {.kind = TOPIC_OTHER};
		assert_int_equal(topic_parse(span_str(bad[i]), &t), ERR_INPUT);
		assert_int_equal(t.kind, TOPIC_UNKNOWN);
		assert_int_equal(t.device.len, 0);
	}
}

static void wildcards_zero_bytes_and_bad_utf8_are_no_names(void **state) {
	(void)state;
	struct topic t;
	assert_int_equal(topic_parse(SPAN_LIT("a/+"), &t), ERR_INPUT);
	assert_int_equal(topic_parse(SPAN_LIT("a#"), &t), ERR_INPUT);
	assert_int_equal(topic_parse(span_of("a\0b", 3), &t), ERR_INPUT);
	assert_int_equal(topic_parse(SPAN_LIT("a\xff"), &t), ERR_INPUT);
	assert_int_equal(topic_parse(SPAN_LIT("a\xc3\xa9"), &t), ERR_NONE);
}

static void ids_hold_at_their_lengths(void **state) {
	(void)state;
	char id[66];
	memset(id, 'a', sizeof(id));
	assert_false(topic_id_is_valid(span_of(id, 0)));
	assert_true(topic_id_is_valid(span_of(id, 1)));
	assert_true(topic_id_is_valid(span_of(id, 64)));
	assert_false(topic_id_is_valid(span_of(id, 65)));
	assert_false(topic_username_is_valid(span_of(id, 2)));
	assert_true(topic_username_is_valid(span_of(id, 3)));
	assert_true(topic_username_is_valid(span_of(id, 64)));
	assert_false(topic_username_is_valid(span_of(id, 65)));
	for (int c = 0; c < 256; c++) {
		char one = (char)c;
		bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
		assert_int_equal(topic_id_is_valid(span_of(&one, 1)), good);
	}
}

static void names_over_the_limit_are_refused_only_where_they_are_ours(void **state) {
	(void)state;
	char name[TOPIC_BYTES_MAX + 2];
	struct topic t;
	memset(name, 'a', sizeof(name));
	assert_int_equal(topic_parse(span_of(name, TOPIC_BYTES_MAX + 1), &t), ERR_NONE);
	memcpy(name, "vestibule/", 10);
	assert_int_equal(topic_parse(span_of(name, TOPIC_BYTES_MAX), &t), ERR_INPUT);
	assert_int_equal(topic_parse(span_of(name, TOPIC_BYTES_MAX + 1), &t), ERR_LIMIT);
	memcpy(name, "$CONTROL/vestibule/", 19);
	assert_int_equal(topic_parse(span_of(name, TOPIC_BYTES_MAX), &t), ERR_NONE);
	assert_int_equal(topic_parse(span_of(name, TOPIC_BYTES_MAX + 1), &t), ERR_LIMIT);
}

static void longest_names_of_ours_fit_the_limit(void **state) {
	(void)state;
	char id[64];
	memset(id, 'x', sizeof(id));
	struct span s = span_of(id, sizeof(id));
	for (int kind = TOPIC_DEVICE_RING; kind <= TOPIC_CONTROL_RESPONSE; kind++) {
		struct topic t = {(enum topic_kind)kind, s, s, SPAN_LIT(CLIP), s, SPAN_LIT("u4pru")}, again;
		struct buf b;
		buf_init(&b, TOPIC_BYTES_MAX);
		topic_build(&t, &b);
		assert_int_equal(buf_error(&b), ERR_NONE);
		assert_int_equal(topic_parse(buf_view(&b), &again), ERR_NONE);
		assert_int_equal(again.kind, kind);
		buf_fini(&b);
	}
}

static void levels_are_counted_from_zero_and_may_be_empty(void **state) {
	(void)state;
	struct span level;
	assert_true(topic_level(SPAN_LIT("a//b/"), 0, &level));
	is_text(level, "a");
	assert_true(topic_level(SPAN_LIT("a//b/"), 1, &level));
	is_text(level, "");
	assert_true(topic_level(SPAN_LIT("a//b/"), 2, &level));
	is_text(level, "b");
	assert_true(topic_level(SPAN_LIT("a//b/"), 3, &level));
	is_text(level, "");
	assert_false(topic_level(SPAN_LIT("a//b/"), 4, &level));
}

static void consumed_topics_are_the_six_that_nobody_reads(void **state) {
	(void)state;
	for (int kind = -1; kind <= TOPIC_KINDS; kind++) {
		bool want = kind == TOPIC_DEVICE_CLAIM || kind == TOPIC_HOME_COMMAND ||
					kind == TOPIC_AGENCY_COMMAND || kind == TOPIC_RELAY_REPORT ||
					kind == TOPIC_USER_SYNC || kind == TOPIC_CONTROL;
		assert_int_equal(topic_is_consumed((enum topic_kind)kind), want);
	}
}

static void every_kind_has_its_own_name(void **state) {
	(void)state;
	for (int i = 0; i < TOPIC_KINDS; i++) {
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(topic_kind_name((enum topic_kind)i),
									topic_kind_name((enum topic_kind)k));
		}
	}
	assert_string_equal(topic_kind_name(TOPIC_KINDS), "unknown");
	assert_string_equal(topic_kind_name(TOPIC_HOME_JSON_MOTION), "home/json/motion");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_topic_of_the_table_parses_to_its_fields),
		cmocka_unit_test(building_gives_back_the_name),
		cmocka_unit_test(anything_else_under_vestibule_is_refused),
		cmocka_unit_test(wildcards_zero_bytes_and_bad_utf8_are_no_names),
		cmocka_unit_test(ids_hold_at_their_lengths),
		cmocka_unit_test(names_over_the_limit_are_refused_only_where_they_are_ours),
		cmocka_unit_test(longest_names_of_ours_fit_the_limit),
		cmocka_unit_test(levels_are_counted_from_zero_and_may_be_empty),
		cmocka_unit_test(consumed_topics_are_the_six_that_nobody_reads),
		cmocka_unit_test(every_kind_has_its_own_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
