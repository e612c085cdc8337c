/* Every filter of a small language, asked for by one credential of each kind and role, against what
 * the contract page says, read literally: which filters each may stand on, and which topics it may
 * read. The oracle is the two lists of each role below and a matcher that does nothing clever.
 * In the lists = stands for any one id, written out; + is also matched by a written level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

#define V1       "vestibule/v1/"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { TEXT_BYTES = 192, LISTED = 32, SETS = 8 };

/* --- what the contract page says ------------------------------------------------------------------ */

#define OF_OWN_DEVICES(tail) V1 "device/elm-door/" tail, V1 "device/elm-yard/" tail
#define OF_NEW_DEVICE(tail)  V1 "device/elm-new/" tail /* nothing to read before its claim */
#define MEMBER_FILTERS(name)                                                                       \
	V1 "home/elm/json/#", V1 "home/elm/receipt", OF_OWN_DEVICES("ring"), OF_NEW_DEVICE("ring"),    \
		OF_OWN_DEVICES("motion"), OF_NEW_DEVICE("motion"), OF_OWN_DEVICES("clip-ready"),           \
		OF_NEW_DEVICE("clip-ready"), OF_OWN_DEVICES("status"), OF_NEW_DEVICE("status"),            \
		OF_OWN_DEVICES("chunk/+/" name), OF_NEW_DEVICE("chunk/+/" name), V1 "user/" name "/reply", \
		V1 "user/" name "/denied", V1 "public/#"
#define EVENTS_OF(root) root "/ring", root "/motion", root "/clip-ready", root "/status"
#define MEMBER_TOPICS(name)                                                               \
	EVENTS_OF(V1 "device/elm-door"), EVENTS_OF(V1 "device/elm-yard"),                     \
		EVENTS_OF(V1 "home/elm/json/elm-door"), EVENTS_OF(V1 "home/elm/json/elm-yard"),   \
		OF_OWN_DEVICES("chunk/+/" name), V1 "home/elm/receipt", V1 "user/" name "/reply", \
		V1 "user/" name "/denied", V1 "public/+/+"
#define OFFICER_FILTERS(name) \
	V1 "agency/metro-pd/notice", V1 "user/" name "/reply", V1 "user/" name "/denied", V1 "public/#"
#define OFFICER_TOPICS(name)                                                          \
	V1 "agency/metro-pd/notice", V1 "user/" name "/reply", V1 "user/" name "/denied", \
		V1 "public/+/+"

static const struct role {
	const char *username;
	const char *filters[LISTED], *topics[LISTED];
} roles[] = {
	{"door-1",
	 {V1 "device/elm-door/pull/#", V1 "device/elm-door/ack", V1 "user/door-1/reply",
	  V1 "user/door-1/denied"},
	 {V1 "device/elm-door/pull/+/+", V1 "device/elm-door/ack", V1 "user/door-1/reply",
	  V1 "user/door-1/denied"}},
	{"ann",
	 {MEMBER_FILTERS("ann"), V1 "home/elm/ask", V1 "area/u33db/alert", V1 "area/u33dc/alert"},
	 {MEMBER_TOPICS("ann"), V1 "home/elm/ask", V1 "area/u33db/alert"}},
	{"hub", {MEMBER_FILTERS("hub"), "homeassistant/#"}, {MEMBER_TOPICS("hub"), "homeassistant/#"}},
	{"alarm-4",
	 {V1 "device/+/ring", V1 "device/+/motion", V1 "device/=/status", V1 "home/+/json/+/ring",
	  V1 "home/+/json/+/motion", V1 "home/+/json/+/clip-ready", V1 "home/=/json/=/status",
	  V1 "user/alarm-4/reply", V1 "user/alarm-4/denied", V1 "public/#"},
	 {V1 "device/elm-door/ring", OF_OWN_DEVICES("motion"), OF_OWN_DEVICES("status"),
	  V1 "home/elm/json/elm-door/ring", V1 "home/elm/json/elm-door/motion",
	  V1 "home/elm/json/elm-yard/motion", V1 "home/elm/json/elm-door/status",
	  V1 "home/elm/json/elm-yard/status", V1 "user/alarm-4/reply", V1 "user/alarm-4/denied",
	  V1 "public/+/+"}},
	{"inv-1", {OFFICER_FILTERS("inv-1")}, {OFFICER_TOPICS("inv-1")}},
	{"sup-1", {OFFICER_FILTERS("sup-1")}, {OFFICER_TOPICS("sup-1")}},
	{"evi-1",
	 {OFFICER_FILTERS("evi-1"), V1 "user/evi-1/link"},
	 {OFFICER_TOPICS("evi-1"), V1 "user/evi-1/link"}},
	{"lia-1", {OFFICER_FILTERS("lia-1")}, {OFFICER_TOPICS("lia-1")}},
	{"aud-1", {OFFICER_FILTERS("aud-1")}, {OFFICER_TOPICS("aud-1")}},
	{"relay-1",
	 {V1 "relay/mover/job", V1 "device/=/chunk/+/relay-1", V1 "user/relay-1/reply",
	  V1 "user/relay-1/denied", V1 "public/#"},
	 {V1 "relay/mover/job", V1 "device/elm-door/chunk/" UUID_OF("50") "/relay-1",
	  V1 "user/relay-1/reply", V1 "user/relay-1/denied", V1 "public/+/+"}},
	{"z2m",
	 {"zigbee2mqtt/#", "frigate/events", V1 "user/z2m/denied", V1 "public/#"},
	 {"zigbee2mqtt/#", "frigate/events", V1 "user/z2m/denied", V1 "public/+/+"}},
	{"ops-1",
	 {V1 "operator/health", V1 "operator/metrics", "$SYS/#", "$CONTROL/vestibule/v1/response",
	  V1 "user/ops-1/reply", V1 "user/ops-1/denied", V1 "public/#"},
	 {V1 "operator/health", V1 "operator/metrics", "$SYS/+/+", "$CONTROL/vestibule/v1/response",
	  V1 "user/ops-1/reply", V1 "user/ops-1/denied", V1 "public/+/+"}},
	{"sus", {NULL}, {NULL}},    /* suspended */
	{"mia", {NULL}, {NULL}},    /* not on disk yet */
	{"gone-1", {NULL}, {NULL}}, /* its device is retired */
};

/* --- the oracle ------------------------------------------------------------------------------------ */

/* MQTT 5.0 section 4.7, level by level; also for a filter in the place of the name: then, is it
 * inside? */
static bool fits(const char *list, const char *name) {
	if (strcmp(list, "#") == 0) return true;
	size_t l = strcspn(list, "/"), n = strcspn(name, "/");
	bool plus = n == 1 && name[0] == '+', hash = n == 1 && name[0] == '#';
	bool level = l == n && memcmp(list, name, n) == 0;
	if (list[0] == '+') level = !hash;
	if (list[0] == '=') level = n > 0 && !hash && !plus && name[0] != '$';
	if (!level) return false;
	if (!name[n]) return !list[l] || strcmp(list + l, "/#") == 0;
	return list[l] && fits(list + l + 1, name + n + 1);
}

static bool is_listed(const char *const *list, const char *text) {
	for (; *list; list++) {
		if (fits(*list, text)) return true;
	}
	return false;
}

/* A wildcard is a whole level, and # the last one. */
static bool is_well_formed(const char *filter) {
	for (const char *p = filter; *p; p++) {
		bool alone = (p == filter || p[-1] == '/') && (p[1] == '\0' || p[1] == '/');
		if ((*p == '+' || *p == '#') && !alone) return false;
		if (*p == '#' && p[1]) return false;
	}
	return filter[0] && strncmp(filter, "$share", 6) != 0;
}

static bool is_consumed(const char *name) {
	static const char *const ends[] = {"/command", "/report", "/sync", "/claim"};
	for (size_t i = 0; i < COUNT(ends); i++) {
		size_t len = strlen(name), tail = strlen(ends[i]);
		if (len > tail && strcmp(name + len - tail, ends[i]) == 0) return true;
	}
	return strcmp(name, "$CONTROL/vestibule/v1") == 0;
}

/* --- all names of the grammar, for what is own, foreign and absent ----------------------------------- */

enum { NAMES = 400 };
static char names[NAMES][TEXT_BYTES];
static size_t name_count;

static void name_add(const char *root, const char *id, const char *tail) {
	assert_true(name_count < NAMES);
	int n = snprintf(names[name_count++], TEXT_BYTES, V1 "%s/%s%s%s", root, id, tail[0] ? "/" : "",
					 tail);
	assert_true(n > 0 && n < TEXT_BYTES);
}

#define EACH(text, ...) \
	for (const char *const *text = (const char *const[]){__VA_ARGS__, NULL}; *text; text++)
#define DEVICES "elm-door", "elm-yard", "elm-new", "elm-gone", "oak-door", "absent"
#define CLIPS   UUID_OF("50"), UUID_OF("51"), UUID_OF("99")
#define USERS   "door-1", "ann", "hub", "alarm-4", "inv-1", "evi-1", "relay-1", "z2m", "ops-1", "zoe"

static void name_devices(void) {
	char tail[TEXT_BYTES];
	EACH(device, DEVICES) {
		EACH(word, "ring", "motion", "clip-ready", "status", "ack", "claim")
		name_add("device", *device, *word);
		EACH(clip, CLIPS) EACH(user, "ann", "hub", "zoe", "relay-1", "evi-1") {
			(void)snprintf(tail, sizeof(tail), "chunk/%s/%s", *clip, *user);
			name_add("device", *device, tail);
			if (strcmp(*clip, UUID_OF("50")) != 0) continue;
			(void)snprintf(tail, sizeof(tail), "pull/%s/%s", *clip, *user);
			name_add("device", *device, tail);
		}
		EACH(home, "elm", "oak") EACH(word, "ring", "motion", "clip-ready", "status") {
			(void)snprintf(tail, sizeof(tail), "json/%s/%s", *device, *word);
			name_add("home", *home, tail);
		}
	}
}

static int name_all(void **unused) {
	(void)unused;
	name_devices();
	EACH(home, "elm", "oak", "absent")
	EACH(word, "ask", "command", "receipt") name_add("home", *home, *word);
	EACH(agency, "metro-pd", "fire-9", "absent")
	EACH(word, "command", "notice") name_add("agency", *agency, *word);
	EACH(relay, "mover", "spare", "absent")
	EACH(word, "job", "report") name_add("relay", *relay, *word);
	EACH(cell, "u33db", "u33dc") name_add("area", *cell, "alert");
	EACH(user, USERS) EACH(word, "sync", "reply", "denied", "link") name_add("user", *user, *word);
	EACH(agency, "metro-pd", "absent") name_add("public/agency", *agency, "");
	EACH(request, UUID_OF("40"), UUID_OF("99")) name_add("public/request", *request, "");
	EACH(word, "health", "metrics") name_add("operator", *word, "");
	EACH(other, "$CONTROL/vestibule/v1", "$CONTROL/vestibule/v1/response", "$SYS/broker/uptime",
		 "zigbee2mqtt", "zigbee2mqtt/lamp", "frigate/events", "frigate/set", "homeassistant/lamp")
	(void)snprintf(names[name_count++], TEXT_BYTES, "%s", *other);
	assert_true(name_count < NAMES);
	return 0;
}

/* --- asking ------------------------------------------------------------------------------------------ */

static struct state *st;
static size_t filters_asked, filters_allowed, triples;

static bool asks(const struct role *r, enum access access, const char *name) {
	static const struct policy_opts with_agencies = {.agencies = true};
	struct question q = {
		.access = access,
		.who = state_credential(st, span_str(r->username)),
		.name = span_str(name),
		.now_ms = NOW_MS,
		.has_event = true,
		.event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true},
	};
	assert_non_null(q.who);
	return policy_decide(st, &q, &with_agencies).kind == VERDICT_ALLOW;
}

/* What a filter that stands lets through: no name that is nobody's to read, no status of more than
 * one device or home, and each other name as the list of the role says. */
static void look_at_each_name(const struct role *r, const char *filter) {
	const char *status = NULL;
	for (size_t i = 0; i < name_count; i++) {
		const char *name = names[i];
		triples++;
		if (filter[0] != '$' && name[0] == '$' && filter[0] != name[0]) continue; /* 4.7.2 */
		if (!fits(filter, name)) continue;
		if (is_consumed(name))
			fail_msg("%s stands on %s, which matches %s", r->username, filter, name);
		if (asks(r, ACCESS_READ, name) != is_listed(r->topics, name))
			fail_msg("%s stands on %s and reads %s wrongly", r->username, filter, name);
		size_t len = strlen(name);
		if (len < 7 || strcmp(name + len - 7, "/status") != 0) continue;
		bool own_home = strncmp(filter, V1 "home/elm/json/", 27) == 0;
		if (status && !own_home)
			fail_msg("%s stands on %s, which matches %s and %s", r->username, filter, status, name);
		status = name;
	}
}

static void ask_all(const char *filter) {
	for (const struct role *r = roles; r < roles + COUNT(roles); r++) {
		bool want = is_well_formed(filter) && is_listed(r->filters, filter);
		bool got = asks(r, ACCESS_SUBSCRIBE, filter);
		filters_asked++;
		if (got != want) fail_msg("%s: %s is %s", r->username, filter, got ? "allowed" : "refused");
		if (!got) continue;
		filters_allowed++;
		look_at_each_name(r, filter);
	}
}

/* Every text that takes one level of each set in their order, and every shorter one. */
static void each_filter(const char *const sets[SETS][LISTED], const char *so_far, size_t depth) {
	char text[TEXT_BYTES];
	for (const char *const *level = sets[depth]; depth < SETS && *level; level++) {
		int n = snprintf(text, sizeof(text), "%s%s%s", so_far, depth ? "/" : "", *level);
		assert_true(n >= 0 && (size_t)n < sizeof(text));
		ask_all(text);
		if (depth + 1 < SETS && sets[depth + 1][0]) each_filter(sets, text, depth + 1);
	}
}

/* --- claims ------------------------------------------------------------------------------------------- */

static void i14_each_name_is_read_by_those_whom_the_page_lists(void **unused) {
	(void)unused;
	for (const struct role *r = roles; r < roles + COUNT(roles); r++) {
		for (size_t i = 0; i < name_count; i++) {
			if (asks(r, ACCESS_READ, names[i]) == is_listed(r->topics, names[i])) continue;
			fail_msg("%s and %s", r->username, names[i]);
		}
	}
}

#define ROOTS                                                                                   \
	"device", "home", "agency", "relay", "area", "user", "public", "operator", "nonsense", "+", \
		"#", ""

static void i14_no_filter_of_the_grammar_stands_but_those_of_the_page(void **unused) {
	(void)unused;
	static const char *const sets[SETS][LISTED] = {
		{"vestibule"},
		{"v1"},
		{ROOTS},
		{"elm-door", "elm-new", "elm-gone", "oak-door", "absent",  "elm", "oak",   "metro-pd",
		 "fire-9",   "mover",   "spare",    "u33db",    "ann",     "zoe", "evi-1", "relay-1",
		 "z2m",      "ops-1",   "request",  "health",   "metrics", "+",   "#",     ""},
		{"ring", "motion", "clip-ready", "status",  "ack",         "claim", "pull",   "chunk",
		 "json", "ask",    "command",    "receipt", "notice",      "job",   "report", "alert",
		 "sync", "reply",  "denied",     "link",    UUID_OF("40"), "+",     "#",      ""},
		{"+", "#", "status"},
	};
	static const char *const deep[SETS][LISTED] = {
		{"vestibule"},
		{"v1"},
		{ROOTS},
		{"elm-door", "oak-door", "elm", "oak", "+", "#", ""},
		{"ring", "pull", "chunk", "json", "status", "+", "#"},
		{"elm-door", "oak-door", UUID_OF("50"), "+", "#", ""},
		{"ring", "motion", "clip-ready", "status", "ann", "relay-1", "+", "#", ""},
	};
	each_filter(sets, "", 0);
	each_filter(deep, "", 0);
}

static void i14_no_filter_around_the_grammar_stands_but_those_listed(void **unused) {
	(void)unused;
	static const char *const words[] = {"vestibule", "v1",          "public",  "operator",
										"health",    "zigbee2mqtt", "frigate", "events",
										"$SYS",      "$CONTROL",    "$share",  "homeassistant",
										"+",         "#",           ""};
	const char *sets[SETS][LISTED] = {{NULL}};
	for (size_t depth = 0; depth < 4; depth++) memcpy(sets[depth], words, sizeof(words));
	each_filter((const char *const(*)[LISTED])sets, "", 0);
	EACH(filter, "$share/g/" V1 "public/#", "$share/g/" V1 "home/elm/json/#", "$share/g/$SYS/#",
		 "$share/g/zigbee2mqtt/#", "$CONTROL/vestibule/v1/response", "$CONTROL/vestibule/v1/+",
		 "$CONTROL/vestibule/v1/#", "$CONTROL/vestibule/v1/response/#", "$SYS/broker/+/x/#",
		 V1 "public+/#", V1 "public/a+", V1 "public/#/x", "zigbee2mqtt/#b", "frigate/set",
		 "zigbee2mqtt/+/#")
	ask_all(*filter);
}

static int world_up(void **unused) {
	st = rows_state();
	world_homes(st);
	world_integrators(st);
	world_agencies(st);
	world_deliveries(st);
	world_others(st);
	rows_put(st, TOPIC("z2m", "frigate/set", APP_WRITE));
	rows_put_soon(st, STANDING("07", "oak", "alarm-co", "", GRANT_RING, GSTATE_ACTIVE, NOW_MS - 1,
							   NOW_MS + DAY_MS));
	rows_put_soon(st, CRED("mia", CRED_MEMBER, "elm", ROLE_ADULT));
	return name_all(unused);
}

static int world_down(void **unused) {
	(void)unused;
	print_message("%zu filters asked for, %zu stand, %zu triples of filter, topic and principal\n",
				  filters_asked, filters_allowed, triples);
	state_free(st);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i14_each_name_is_read_by_those_whom_the_page_lists),
		cmocka_unit_test(i14_no_filter_of_the_grammar_stands_but_those_of_the_page),
		cmocka_unit_test(i14_no_filter_around_the_grammar_stands_but_those_listed),
	};
	return cmocka_run_group_tests(tests, world_up, world_down);
}
