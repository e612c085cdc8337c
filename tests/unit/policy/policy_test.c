/* The invariants (DESIGN 8) that the policy holds, each over all credentials, topics and filters
 * of the small world of rows.h: what no line of a table could enumerate. Single answers are in
 * tests/tables/policy.table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

#define V1       "vestibule/v1/"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct policy_opts with_agencies = {.agencies = true};

/* Names of every kind, for things that exist, exist elsewhere, or do not. */
static const char *const names[] = {
	V1 "device/elm-door/ring",
	V1 "device/oak-door/ring",
	V1 "device/absent/ring",
	V1 "device/elm-yard/motion",
	V1 "device/oak-door/motion",
	V1 "device/absent/motion",
	V1 "device/elm-door/clip-ready",
	V1 "device/oak-door/clip-ready",
	V1 "device/elm-door/status",
	V1 "device/oak-door/status",
	V1 "device/elm-door/ack",
	V1 "device/elm-door/pull/" UUID_OF("50") "/ann",
	V1 "device/elm-door/pull/" UUID_OF("50") "/relay-1",
	V1 "device/elm-door/pull/" UUID_OF("50") "/evi-1",
	V1 "device/elm-door/chunk/" UUID_OF("50") "/ann",
	V1 "device/elm-door/chunk/" UUID_OF("50") "/relay-1",
	V1 "device/elm-door/chunk/" UUID_OF("50") "/evi-1",
	V1 "home/elm/json/elm-door/ring",
	V1 "home/elm/json/elm-yard/motion",
	V1 "home/elm/json/elm-door/clip-ready",
	V1 "device/elm-door/claim",
	V1 "device/elm-new/ring",
	V1 "device/elm-new/claim",
	V1 "home/elm/json/elm-door/status",
	V1 "home/elm/ask",
	V1 "home/oak/ask",
	V1 "home/elm/command",
	V1 "home/oak/command",
	V1 "home/elm/receipt",
	V1 "agency/metro-pd/command",
	V1 "agency/metro-pd/notice",
	V1 "agency/fire-9/command",
	V1 "agency/fire-9/notice",
	V1 "relay/mover/job",
	V1 "relay/mover/report",
	V1 "area/u33db/alert",
	V1 "user/ann/sync",
	V1 "user/evi-1/sync",
	V1 "user/ann/reply",
	V1 "user/evi-1/reply",
	V1 "user/evi-1/denied",
	V1 "user/evi-1/link",
	V1 "public/agency/metro-pd",
	V1 "public/request/" UUID_OF("40"),
	V1 "operator/health",
	V1 "operator/metrics",
	"$CONTROL/vestibule/v1",
	"$CONTROL/vestibule/v1/response",
	"$SYS/broker/uptime",
	"zigbee2mqtt/lamp",
	"homeassistant/x",
};

/* Filters of every shape, honest and not. */
static const char *const filters[] = {
	"#",
	"+/#",
	"+",
	"+/+/+/+/+",
	"/#",
	"vestibule/#",
	"vestibule/+/#",
	V1 "#",
	V1 "+/#",
	V1 "+/+/ring",
	V1 "device/#",
	V1 "device/+/#",
	V1 "device/+/+",
	V1 "device/+/ring",
	V1 "device/+/motion",
	V1 "device/+/clip-ready",
	V1 "device/+/status",
	V1 "device/elm-door/#",
	V1 "device/elm-door/+",
	V1 "device/elm-door/pull/#",
	V1 "device/elm-door/pull/+/+",
	V1 "device/+/pull/#",
	V1 "device/+/chunk/#",
	V1 "device/elm-door/chunk/+/ann",
	V1 "device/elm-door/chunk/+/+",
	V1 "device/elm-door/chunk/#",
	V1 "device/elm-door/chunk/+/relay-1",
	V1 "home/#",
	V1 "home/+/#",
	V1 "home/elm/#",
	V1 "home/elm/+",
	V1 "home/elm/json/#",
	V1 "home/+/json/#",
	V1 "home/+/json/+/ring",
	V1 "home/+/json/+/motion",
	V1 "home/+/json/+/clip-ready",
	V1 "home/+/json/+/status",
	V1 "home/elm/json/+/status",
	V1 "home/+/ask",
	V1 "home/+/command",
	V1 "home/+/receipt",
	V1 "agency/#",
	V1 "agency/+/notice",
	V1 "agency/+/+",
	V1 "agency/metro-pd/#",
	V1 "agency/metro-pd/+",
	V1 "relay/#",
	V1 "relay/+/job",
	V1 "relay/mover/+",
	V1 "area/#",
	V1 "area/+/alert",
	V1 "user/#",
	V1 "user/+/+",
	V1 "user/ann/#",
	V1 "user/ann/+",
	V1 "user/evi-1/#",
	V1 "user/+/reply",
	V1 "user/+/link",
	V1 "public/#",
	V1 "public/+/+",
	V1 "operator/#",
	V1 "operator/+",
	"$SYS/#",
	"$SYS/+/clients",
	"$CONTROL/#",
	"$CONTROL/+/v1",
	"$CONTROL/vestibule/v1/#",
	"$share/g/" V1 "public/#",
	"$share/g/#",
	"$share/g/$SYS/#",
	"zigbee2mqtt/#",
	"+/lamp",
	"homeassistant/+",
};

static struct verdict ask(const struct state *st, const struct row *who, enum access access,
						  const char *name) {
	struct question q = {
		.access = access,
		.who = (const struct row_credential *)who,
		.name = span_str(name),
		.now_ms = NOW_MS,
		.has_event = true,
		.event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true},
		.status = SPAN_LIT("online"),
	};
	return policy_decide(st, &q, &with_agencies);
}

static bool allows(const struct state *st, const struct row *who, enum access access,
				   const char *name) {
	return ask(st, who, access, name).kind == VERDICT_ALLOW;
}

static int64_t kind_of(const struct row *who) {
	return ((const struct row_credential *)who)->kind;
}

static bool is_on(enum topic_kind kind, const char *name) {
	struct topic t;
	return topic_parse(span_str(name), &t) == ERR_NONE && t.kind == kind;
}

#define EACH_WHO(who, st)                                                   \
	for (const struct row *who = state_each(st, ROW_CREDENTIAL, NULL); who; \
		 who = state_each(st, ROW_CREDENTIAL, who))
#define EACH_TEXT(text, list) \
	for (const char *const *text = (list); text < (list) + COUNT(list); text++)
#define EACH_ACCESS(access)                                            \
	for (enum access access = ACCESS_READ; access <= ACCESS_SUBSCRIBE; \
		 access = (enum access)(access + 1))

/* --- I1 --- */

static size_t count_allowed(const struct state *asked, const struct state *st) {
	size_t allowed = 0;
	EACH_WHO(who, st) {
		EACH_TEXT(name, names) EACH_ACCESS(access) allowed += allows(asked, who, access, *name);
		EACH_TEXT(filter, filters) allowed += allows(asked, who, ACCESS_SUBSCRIBE, *filter);
	}
	return allowed;
}

static void i1_empty_incomplete_or_refusing_state_refuses_everything(void **unused) {
	(void)unused;
	struct state *st = world_new(), *loading = state_new(5, 6), *refusing = world_new();
	assert_true(count_allowed(st, st) > 100); /* the questions can be answered with yes */
	state_set_refusing(refusing);
	assert_int_equal(count_allowed(loading, st), 0);
	assert_int_equal(count_allowed(refusing, st), 0);
	assert_int_equal(count_allowed(NULL, st), 0);
	state_free(st);
	state_free(loading);
	state_free(refusing);
}

/* All rows are there and their seq is an old one, but nobody said that these are all. */
static void i1_half_loaded_state_refuses_everything(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = world_new(), *half = state_new(5, 6);
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		const struct row *r = state_each(st, (enum row_kind)kind, NULL);
		for (; r; r = state_each(st, (enum row_kind)kind, r))
			assert_int_equal(state_load(half, r, &bad), ERR_NONE);
	}
	state_committed(half, state_seq(st));
	assert_int_equal(count_allowed(half, half), 0);
	assert_int_equal(state_complete(half, state_seq(st), &bad), ERR_NONE);
	assert_true(count_allowed(half, half) > 100);
	state_free(st);
	state_free(half);
}

static void i1_nobody_and_no_access_are_refused(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_TEXT(name, names) {
		EACH_ACCESS(access) assert_false(allows(st, NULL, access, *name));
		EACH_WHO(who, st) assert_false(allows(st, who, ACCESS_NONE, *name));
	}
	state_free(st);
}

static void i1_without_options_agencies_are_off(void **unused) {
	(void)unused;
	struct state *st = world_new();
	struct question q = {.access = ACCESS_READ,
						 .who = state_credential(st, SPAN_LIT("evi-1")),
						 .name = SPAN_LIT(V1 "public/agency/metro-pd"),
						 .now_ms = NOW_MS};
	assert_int_equal(policy_decide(st, &q, &with_agencies).kind, VERDICT_ALLOW);
	assert_int_equal(policy_decide(st, &q, NULL).reason, REASON_AGENCIES_OFF);
	assert_int_equal(policy_decide(st, &q, &(struct policy_opts){0}).reason, REASON_AGENCIES_OFF);
	state_free(st);
}

static void i1_a_clock_that_is_not_sound_leaves_only_the_way_out(void **unused) {
	(void)unused;
	struct state *st = world_new();
	state_set_unsound(st, true);
	EACH_WHO(who, st) EACH_TEXT(name, names) {
		bool write = is_on(TOPIC_HOME_COMMAND, *name) || is_on(TOPIC_DEVICE_CLAIM, *name) ||
					 is_on(TOPIC_CONTROL, *name);
		bool read = is_on(TOPIC_USER_REPLY, *name) || is_on(TOPIC_USER_DENIED, *name) ||
					is_on(TOPIC_OPERATOR_HEALTH, *name) || is_on(TOPIC_CONTROL_RESPONSE, *name);
		if (!write) assert_false(allows(st, who, ACCESS_WRITE, *name));
		if (!read) assert_false(allows(st, who, ACCESS_READ, *name));
	}
	state_free(st);
}

/* --- I4, I13, I14 --- */

static void i4_a_retracted_grant_denies_the_next_message(void **unused) {
	(void)unused;
	struct state *st = world_new();
	const char *ring = V1 "device/elm-door/ring";
	struct verdict v =
		ask(st, state_get(st, ROW_CREDENTIAL, SPAN_LIT("alarm-4")), ACCESS_READ, ring);
	assert_int_equal(v.kind, VERDICT_ALLOW);
	assert_string_equal(v.grant->id, UUID_OF("01"));
	rows_put_soon(st, STANDING("01", "elm", "alarm-co", "elm-door", GRANT_RING, GSTATE_REVOKED,
							   NOW_MS - 60 * MINUTE_MS, NOW_MS + DAY_MS));
	v = ask(st, state_get(st, ROW_CREDENTIAL, SPAN_LIT("alarm-4")), ACCESS_READ, ring);
	assert_int_equal(v.reason, REASON_NO_GRANT);
	assert_null(v.grant);
	state_free(st);
}

static void what_is_retired_may_do_nothing_with_its_credential(void **unused) {
	(void)unused;
	static const char *const users[] = {"door-1", "alarm-4", "evi-1"};
	struct state *st = world_new();
	rows_put_soon(st, RETIRED("elm-door", "elm")); /* denials wait for no commit */
	rows_put_soon(st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co", .retired = 1));
	rows_put_soon(st,
				  ROW(ROW_AGENCY, agency, .id = "metro-pd", .kind = AGENCY_POLICE, .retired = 1));
	EACH_TEXT(user, users) EACH_TEXT(name, names) EACH_ACCESS(access) {
		const struct row *who = state_get(st, ROW_CREDENTIAL, span_str(*user));
		assert_false(allows(st, who, access, *name));
	}
	state_free(st);
}

static void i13_only_status_is_retained_under_vestibule(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_WHO(who, st) EACH_TEXT(name, names) {
		struct question q = {.access = ACCESS_WRITE,
							 .who = (const struct row_credential *)who,
							 .retain = true,
							 .name = span_str(*name),
							 .now_ms = NOW_MS,
							 .status = SPAN_LIT("online")};
		bool yes = policy_decide(st, &q, &with_agencies).kind == VERDICT_ALLOW;
		if (yes) assert_true(is_on(TOPIC_DEVICE_STATUS, *name) || is_on(TOPIC_OTHER, *name));
	}
	state_free(st);
}

static const char *const consumed[] = {
	V1 "device/elm-door/claim", V1 "home/elm/command", V1 "agency/metro-pd/command",
	V1 "relay/mover/report",    V1 "user/ann/sync",    "$CONTROL/vestibule/v1",
};

static void i14_no_filter_reaches_a_consumed_topic_or_the_status_of_many(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_WHO(who, st) EACH_TEXT(filter, filters) {
		if (!allows(st, who, ACCESS_SUBSCRIBE, *filter)) continue;
		struct span f = span_str(*filter);
		EACH_TEXT(name, consumed) assert_false(topic_overlaps(f, span_str(*name)));
		bool elm = topic_overlaps(f, SPAN_LIT(V1 "device/elm-door/status")) ||
				   topic_overlaps(f, SPAN_LIT(V1 "home/elm/json/elm-door/status"));
		bool oak = topic_overlaps(f, SPAN_LIT(V1 "device/oak-door/status")) ||
				   topic_overlaps(f, SPAN_LIT(V1 "home/oak/json/oak-door/status"));
		assert_false(elm && oak);
		assert_false(span_starts(f, SPAN_LIT("$share")));
		if (f.ptr[0] == '$') assert_int_equal(kind_of(who), CRED_OPERATOR);
	}
	state_free(st);
}

/* What may be subscribed to by wildcard is what some READ can pass: nothing is subscribed to in
 * vain by shape. */
static void i14_filters_outside_the_role_are_refused(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_WHO(who, st) {
		int64_t kind = kind_of(who);
		bool wide = kind == CRED_INTEGRATOR;
		assert_false(allows(st, who, ACCESS_SUBSCRIBE, V1 "device/+/ring") && !wide);
		assert_false(allows(st, who, ACCESS_SUBSCRIBE, V1 "home/+/json/+/motion") && !wide);
		assert_false(allows(st, who, ACCESS_SUBSCRIBE, V1 "public/#") && kind == CRED_DEVICE);
		assert_false(allows(st, who, ACCESS_SUBSCRIBE, V1 "agency/metro-pd/notice") &&
					 kind != CRED_OFFICER);
		assert_false(allows(st, who, ACCESS_SUBSCRIBE, V1 "home/elm/ask") && kind != CRED_MEMBER);
		assert_false(allows(st, who, ACCESS_SUBSCRIBE, V1 "relay/mover/job") && kind != CRED_RELAY);
	}
	state_free(st);
}

/* --- I16 --- */

/* {name of a thing of others, the same name of a thing that does not exist} */
static const char *const pairs[][2] = {
	{V1 "device/oak-door/ring", V1 "device/absent/ring"},
	{V1 "device/oak-door/motion", V1 "device/absent/motion"},
	{V1 "device/oak-door/clip-ready", V1 "device/absent/clip-ready"},
	{V1 "device/oak-door/status", V1 "device/absent/status"},
	{V1 "device/oak-door/ack", V1 "device/absent/ack"},
	{V1 "device/oak-door/pull/" UUID_OF("50") "/ann",
	 V1 "device/absent/pull/" UUID_OF("50") "/ann"},
	{V1 "device/oak-door/chunk/" UUID_OF("50") "/ann",
	 V1 "device/absent/chunk/" UUID_OF("99") "/ann"},
	{V1 "device/oak-door/chunk/" UUID_OF("50") "/relay-1",
	 V1 "device/absent/chunk/" UUID_OF("99") "/relay-1"},
	{V1 "home/oak/json/oak-door/ring", V1 "home/absent/json/absent/ring"},
	{V1 "home/oak/json/oak-door/motion", V1 "home/oak/json/absent/motion"},
	{V1 "home/oak/json/oak-door/clip-ready", V1 "home/absent/json/oak-door/clip-ready"},
	{V1 "home/oak/json/oak-door/status", V1 "home/absent/json/absent/status"},
	{V1 "home/oak/ask", V1 "home/absent/ask"},
	{V1 "home/oak/command", V1 "home/absent/command"},
	{V1 "home/oak/receipt", V1 "home/absent/receipt"},
	{V1 "agency/fire-9/command", V1 "agency/absent/command"},
	{V1 "agency/fire-9/notice", V1 "agency/absent/notice"},
	{V1 "relay/spare/job", V1 "relay/absent/job"},
	{V1 "relay/spare/report", V1 "relay/absent/report"},
	{V1 "area/u33dc/alert", V1 "area/00000/alert"},
	{V1 "user/zoe/sync", V1 "user/absent/sync"},
	{V1 "user/zoe/reply", V1 "user/absent/reply"},
	{V1 "user/zoe/denied", V1 "user/absent/denied"},
	{V1 "user/fire-1/link", V1 "user/absent/link"},
	{V1 "public/agency/fire-9", V1 "public/agency/absent"},
	{V1 "public/request/" UUID_OF("40"), V1 "public/request/" UUID_OF("99")},
};

static bool has_a_stake(const struct row *who) {
	static const char *const owners[] = {"zoe", "oak-1", "fire-1", "relay-2"};
	EACH_TEXT(owner, owners) {
		if (span_eq(row_key(who), span_str(*owner))) return true;
	}
	return false;
}

static void i16_missing_and_forbidden_are_answered_alike(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_WHO(who, st) {
		if (has_a_stake(who)) continue;
		for (size_t i = 0; i < COUNT(pairs); i++) EACH_ACCESS(access) {
				struct verdict a = ask(st, who, access, pairs[i][0]),
							   b = ask(st, who, access, pairs[i][1]);
				if (a.kind == b.kind && a.reason == b.reason) continue;
				fail_msg("%s, access %d: %s %s, %s %s", row_key(who).ptr, access, pairs[i][0],
						 reason_word(a.reason), pairs[i][1], reason_word(b.reason));
			}
	}
	state_free(st);
}

static void i16_a_filter_is_answered_alike_with_and_without_a_grant(void **unused) {
	(void)unused;
	struct state *with = world_new(), *without = rows_state();
	rows_put(without, ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co"));
	rows_put(without, CRED("alarm-4", CRED_INTEGRATOR, "alarm-co", ROLE_NONE));
	EACH_TEXT(filter, filters) {
		struct verdict a = ask(with, state_get(with, ROW_CREDENTIAL, SPAN_LIT("alarm-4")),
							   ACCESS_SUBSCRIBE, *filter);
		struct verdict b = ask(without, state_get(without, ROW_CREDENTIAL, SPAN_LIT("alarm-4")),
							   ACCESS_SUBSCRIBE, *filter);
		assert_true(a.kind == b.kind && a.reason == b.reason);
	}
	state_free(with);
	state_free(without);
}

/* --- I18, I19, I20 --- */

static void i18_no_will_but_the_own_status_of_a_device(void **unused) {
	(void)unused;
	struct state *st = world_new();
	size_t passed = 0;
	EACH_WHO(who, st) EACH_TEXT(name, names) {
		struct question q = {.access = ACCESS_WRITE,
							 .who = (const struct row_credential *)who,
							 .is_will = true,
							 .name = span_str(*name),
							 .now_ms = NOW_MS,
							 .status = SPAN_LIT("offline")};
		if (policy_decide(st, &q, &with_agencies).kind != VERDICT_ALLOW) continue;
		struct topic t;
		assert_int_equal(topic_parse(q.name, &t), ERR_NONE);
		assert_int_equal(t.kind, TOPIC_DEVICE_STATUS);
		assert_true(span_eq(t.device, span_str(q.who->subject)));
		passed++;
	}
	assert_true(passed > 0);
	state_free(st);
}

static void i19_what_an_officer_may_write_no_device_may_read(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_TEXT(name, names) {
		bool officer = false, device = false;
		EACH_WHO(who, st) {
			if (kind_of(who) == CRED_OFFICER) officer |= allows(st, who, ACCESS_WRITE, *name);
			if (kind_of(who) == CRED_DEVICE) device |= allows(st, who, ACCESS_READ, *name);
		}
		assert_false(officer && device);
		if (officer)
			assert_true(is_on(TOPIC_AGENCY_COMMAND, *name) || is_on(TOPIC_USER_SYNC, *name));
	}
	state_free(st);
}

/* What agencies write, cause, or are told: a device hears of none of it. */
static void i19_no_device_reads_what_an_agency_has_a_word_in(void **unused) {
	(void)unused;
	static const enum topic_kind kinds[] = {
		TOPIC_AGENCY_COMMAND, TOPIC_AGENCY_NOTICE, TOPIC_PUBLIC_AGENCY, TOPIC_PUBLIC_REQUEST,
		TOPIC_AREA_ALERT,     TOPIC_HOME_ASK,      TOPIC_RELAY_JOB,     TOPIC_USER_LINK};
	struct state *st = world_new();
	size_t asked = 0;
	EACH_WHO(who, st) EACH_TEXT(name, names) {
		if (kind_of(who) != CRED_DEVICE) continue;
		for (size_t i = 0; i < COUNT(kinds); i++) {
			if (!is_on(kinds[i], *name)) continue;
			assert_false(allows(st, who, ACCESS_READ, *name));
			asked++;
		}
	}
	assert_true(asked > COUNT(kinds));
	state_free(st);
}

static void i20_no_officer_reads_anything_of_a_device_or_home(void **unused) {
	(void)unused;
	struct state *st = world_new();
	EACH_WHO(who, st) {
		if (kind_of(who) != CRED_OFFICER) continue;
		EACH_TEXT(name, names) {
			struct span n = span_str(*name);
			bool home =
				span_starts(n, SPAN_LIT(V1 "device/")) || span_starts(n, SPAN_LIT(V1 "home/"));
			if (home) EACH_ACCESS(access) assert_false(allows(st, who, access, *name));
		}
		EACH_TEXT(filter, filters) {
			if (!allows(st, who, ACCESS_SUBSCRIBE, *filter)) continue;
			assert_false(topic_overlaps(span_str(*filter), SPAN_LIT(V1 "device/#")));
			assert_false(topic_overlaps(span_str(*filter), SPAN_LIT(V1 "home/#")));
		}
	}
	state_free(st);
}

/* An event whose clock runs ahead is not new: it counts as its arrival. */
static void an_event_from_the_future_counts_as_its_arrival(void **unused) {
	(void)unused;
	struct state *st = world_new();
	struct question q = {
		.access = ACCESS_READ,
		.who = state_credential(st, SPAN_LIT("alarm-4")),
		.now_ms = NOW_MS,
		.has_event = true,
		.name = SPAN_LIT(V1 "device/elm-door/ring"),
		.event = {UINT64_MAX, (uint64_t)(NOW_MS - 61 * MINUTE_MS), true},
	};
	assert_int_equal(policy_decide(st, &q, &with_agencies).reason, REASON_BEFORE_GRANT);
	q.event.arrived_ms = (uint64_t)NOW_MS;
	assert_int_equal(policy_decide(st, &q, &with_agencies).kind, VERDICT_ALLOW);
	q.event.arrived_ms = UINT64_MAX; /* cannot be told: older than any grant */
	assert_int_equal(policy_decide(st, &q, &with_agencies).reason, REASON_BEFORE_GRANT);
	state_free(st);
}

static void mute_alerts_is_read_as_the_rules_are(void **unused) {
	(void)unused;
	static const struct {
		const char *text;
		bool muted;
	} cases[] = {
		{"mute alerts", true},
		{"ask fire\n  mute   alerts  \nnever all", true},
		{"#mute alerts", false},
		{"mute alerts now", false},
		{"mutealerts", false},
		{"mute\nalerts", false},
		{"", false},
	};
	struct state *st = world_new();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct row_rules rules = {.row = {.kind = ROW_RULES}, .username = "ann", .home = "elm"};
		assert_true(span_copy(span_str(cases[i].text), rules.text, sizeof(rules.text)));
		rows_put_soon(st, &rules.row); /* a denial waits for no commit */
		bool muted = !allows(st, state_get(st, ROW_CREDENTIAL, SPAN_LIT("ann")), ACCESS_READ,
							 V1 "area/u33db/alert");
		assert_true(muted == cases[i].muted);
	}
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i1_empty_incomplete_or_refusing_state_refuses_everything),
		cmocka_unit_test(i1_half_loaded_state_refuses_everything),
		cmocka_unit_test(i1_nobody_and_no_access_are_refused),
		cmocka_unit_test(i1_without_options_agencies_are_off),
		cmocka_unit_test(i1_a_clock_that_is_not_sound_leaves_only_the_way_out),
		cmocka_unit_test(i4_a_retracted_grant_denies_the_next_message),
		cmocka_unit_test(what_is_retired_may_do_nothing_with_its_credential),
		cmocka_unit_test(i13_only_status_is_retained_under_vestibule),
		cmocka_unit_test(i14_no_filter_reaches_a_consumed_topic_or_the_status_of_many),
		cmocka_unit_test(i14_filters_outside_the_role_are_refused),
		cmocka_unit_test(i16_missing_and_forbidden_are_answered_alike),
		cmocka_unit_test(i16_a_filter_is_answered_alike_with_and_without_a_grant),
		cmocka_unit_test(i18_no_will_but_the_own_status_of_a_device),
		cmocka_unit_test(i19_what_an_officer_may_write_no_device_may_read),
		cmocka_unit_test(i19_no_device_reads_what_an_agency_has_a_word_in),
		cmocka_unit_test(i20_no_officer_reads_anything_of_a_device_or_home),
		cmocka_unit_test(an_event_from_the_future_counts_as_its_arrival),
		cmocka_unit_test(mute_alerts_is_read_as_the_rules_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
