/* Rows for tests of the policy, in one line each, and a small world of homes and strangers: see
 * world_new below, and the head of tests/tables/policy.table, which tells the same in words. For
 * tests, benches and fuzzers; included, not linked. */
#ifndef TESTS_POLICY_ROWS_H
#define TESTS_POLICY_ROWS_H

#include "plugin/policy/state.h"

#define NOW_MS    INT64_C(1767225600000) /* the moment at which tests ask */
#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)
#define HASH64    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* One UUID for each number 0-99, as text. */
#define UUID_OF(nn) "00000000-0000-7000-8000-0000000000" nn

#define ROW(KIND, name, ...) (&(struct row_##name){.row = {.kind = KIND}, __VA_ARGS__}.row)

static inline enum err rows_try(struct state *st, const struct row *r, const char **bad) {
	struct change c = {.seq = state_seq(st) + 1, .count = 1, .ops = {{false, r}}};
	return state_apply(st, &c, bad);
}

/* In memory, and not durable yet. */
static inline void rows_put_soon(struct state *st, const struct row *r) {
	const char *bad = "";
	enum err e = rows_try(st, r, &bad);
	if (e == ERR_NONE) return;
	(void)fprintf(stderr, "row %s of %s: %s\n", row_key(r).ptr, row_desc(r->kind)->name, bad);
	abort();
}

static inline void rows_put(struct state *st, const struct row *r) {
	rows_put_soon(st, r);
	state_committed(st, state_seq(st));
}

static inline void rows_del(struct state *st, const struct row *r) {
	const char *bad = "";
	struct change c = {.seq = state_seq(st) + 1, .count = 1, .ops = {{true, r}}};
	if (state_apply(st, &c, &bad) != ERR_NONE) abort();
	state_committed(st, state_seq(st));
}

static inline struct state *rows_state(void) {
	const char *bad;
	struct state *st = state_new(1, 2);
	if (!st || state_complete(st, 0, &bad) != ERR_NONE) abort();
	return st;
}

#define HOME(ID) ROW(ROW_HOME, home, .id = ID)
#define DEVICE(ID, HOME_ID, CELL) \
	ROW(ROW_DEVICE, device, .id = ID, .home = HOME_ID, .cell = CELL, .claimed_ms = 1)
#define UNCLAIMED(ID, HOME_ID, CELL) \
	ROW(ROW_DEVICE, device, .id = ID, .home = HOME_ID, .cell = CELL)
#define RETIRED(ID, HOME_ID) \
	ROW(ROW_DEVICE, device, .id = ID, .home = HOME_ID, .retired = 1, .claimed_ms = 1)
#define CRED(USER, KIND, SUBJECT, ROLE)                                                 \
	ROW(ROW_CREDENTIAL, credential, .username = USER, .kind = KIND, .subject = SUBJECT, \
		.role = ROLE)
#define SUSPENDED(USER, KIND, SUBJECT, ROLE)                                            \
	ROW(ROW_CREDENTIAL, credential, .username = USER, .kind = KIND, .subject = SUBJECT, \
		.role = ROLE, .suspended = 1)
#define TOPIC(USER, FILTER, ACCESS)                                                          \
	ROW(ROW_APP_TOPIC, app_topic, .id = USER " " FILTER, .username = USER, .filter = FILTER, \
		.access = ACCESS)
#define STANDING(NN, HOME_ID, INTEGRATOR, DEVICE_ID, KIND, STATE, NBF, EXP)                   \
	ROW(ROW_STANDING, standing, .id = UUID_OF(NN), .home = HOME_ID, .integrator = INTEGRATOR, \
		.device = DEVICE_ID, .kind = KIND, .state = STATE, .nbf_ms = NBF, .exp_ms = EXP,      \
		.actor = "ann")
#define REQUEST(NN, AGENCY, STATE)                                                                 \
	ROW(ROW_REQUEST, request, .id = UUID_OF(NN), .agency = AGENCY, .state = STATE,                 \
		.author = "inv-1", .approver = "sup-1", .incident = 1, .purpose = 1,                       \
		.case_number = "2026/17", .reason = "Burglary, two witnesses saw a van.", .radius_m = 300, \
		.from_ms = NOW_MS - DAY_MS, .to_ms = NOW_MS - DAY_MS + 30 * MINUTE_MS, .life_ms = DAY_MS,  \
		.submitted_ms = NOW_MS - 100, .opened_ms = NOW_MS - 50, .exp_ms = NOW_MS + DAY_MS)
#define CLIP(NN, HOME_ID, DEVICE_ID)                                                              \
	ROW(ROW_CLIP, clip, .id = UUID_OF(NN), .device = DEVICE_ID, .home = HOME_ID,                  \
		.event_id = UUID_OF(NN), .trigger = 1, .media_type = "video/mp4", .payload_length = 1000, \
		.payload_sha256 = HASH64, .arrived_ms = NOW_MS - DAY_MS)
#define GRANT(NN, REQ, ASK_NN, CLIP_NN, STATE, EXP)                                  \
	ROW(ROW_GRANT, grant, .id = UUID_OF(NN), .request = UUID_OF(REQ), .home = "elm", \
		.ask = UUID_OF(ASK_NN), .clip = UUID_OF(CLIP_NN), .agency = "metro-pd",      \
		.device = "elm-door", .state = STATE, .nbf_ms = NOW_MS - 10, .exp_ms = EXP,  \
		.actor = "ann")
#define DELIVERY(NN, GRANT_NN, REQ, STATE)                                     \
	ROW(ROW_DELIVERY, delivery, .id = UUID_OF(NN), .grant = UUID_OF(GRANT_NN), \
		.request = UUID_OF(REQ), .source = UUID_OF("90"), .relay = "mover",    \
		.object = "0123456789abcdef0123456789abcdef", .state = STATE)
#define JOB(NN, RELAY, DELIVERY_NN, KIND)                                                  \
	ROW(ROW_JOB, job, .id = UUID_OF(NN), .relay = RELAY, .delivery = UUID_OF(DELIVERY_NN), \
		.kind = KIND)

static inline void world_homes(struct state *st) {
	rows_put(st, HOME("elm"));
	rows_put(st, HOME("oak"));
	rows_put(st, DEVICE("elm-door", "elm", "u33db2m3"));
	rows_put(st, DEVICE("elm-yard", "elm", ""));
	rows_put(st, RETIRED("elm-gone", "elm"));
	rows_put(st, UNCLAIMED("elm-new", "elm", "u33dr0m3"));
	rows_put(st, DEVICE("oak-door", "oak", "u33dc9xy"));
	rows_put(st, CRED("door-1", CRED_DEVICE, "elm-door", ROLE_NONE));
	rows_put(st, CRED("yard-1", CRED_DEVICE, "elm-yard", ROLE_NONE));
	rows_put(st, CRED("gone-1", CRED_DEVICE, "elm-gone", ROLE_NONE));
	rows_put(st, CRED("new-1", CRED_DEVICE, "elm-new", ROLE_NONE));
	rows_put(st, CRED("oak-1", CRED_DEVICE, "oak-door", ROLE_NONE));
	rows_put(st, CRED("ann", CRED_MEMBER, "elm", ROLE_ADMIN));
	rows_put(st, CRED("ben", CRED_MEMBER, "elm", ROLE_ADULT));
	rows_put(st, CRED("hub", CRED_MEMBER, "elm", ROLE_LIMITED));
	rows_put(st, SUSPENDED("sus", CRED_MEMBER, "elm", ROLE_ADULT));
	rows_put(st, CRED("zoe", CRED_MEMBER, "oak", ROLE_ADULT));
	rows_put(st, ROW(ROW_RULES, rules, .username = "ben", .home = "elm",
					 .text = "never police\nmute alerts\n"));
	rows_put(st, TOPIC("hub", "homeassistant/#", APP_BOTH));
}

static inline void world_integrators(struct state *st) {
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co"));
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "cloud-co"));
	rows_put(st, CRED("alarm-4", CRED_INTEGRATOR, "alarm-co", ROLE_NONE));
	rows_put(st, CRED("cloud-1", CRED_INTEGRATOR, "cloud-co", ROLE_NONE));
	int64_t hour_ago = NOW_MS - 60 * MINUTE_MS, soon = NOW_MS + DAY_MS;
	rows_put(st, STANDING("01", "elm", "alarm-co", "elm-door", GRANT_RING, GSTATE_ACTIVE, hour_ago,
						  soon));
	rows_put(st,
			 STANDING("02", "elm", "alarm-co", "", GRANT_MOTION, GSTATE_ACTIVE, hour_ago, soon));
	rows_put(st, STANDING("03", "elm", "alarm-co", "", GRANT_CLIP, GSTATE_REVOKED, hour_ago, soon));
	rows_put(st, STANDING("04", "elm", "alarm-co", "elm-yard", GRANT_RING, GSTATE_ACTIVE, hour_ago,
						  NOW_MS));
	rows_put(st, STANDING("05", "elm", "cloud-co", "", GRANT_CLIP, GSTATE_ACTIVE, hour_ago, soon));
	rows_put(st,
			 STANDING("06", "oak", "cloud-co", "", GRANT_RING, GSTATE_ACTIVE, NOW_MS + 1, soon));
}

static inline void world_agencies(struct state *st) {
	rows_put(st, ROW(ROW_AGENCY, agency, .id = "metro-pd", .kind = AGENCY_POLICE));
	rows_put(st, ROW(ROW_AGENCY, agency, .id = "fire-9", .kind = AGENCY_FIRE));
	rows_put(st, ROW(ROW_AGENCY, agency, .id = "old-pd", .kind = AGENCY_POLICE, .suspended = 1));
	rows_put(st, CRED("inv-1", CRED_OFFICER, "metro-pd", ROLE_INVESTIGATOR));
	rows_put(st, CRED("sup-1", CRED_OFFICER, "metro-pd", ROLE_SUPERVISOR));
	rows_put(st, CRED("evi-1", CRED_OFFICER, "metro-pd", ROLE_EVIDENCE));
	rows_put(st, CRED("lia-1", CRED_OFFICER, "metro-pd", ROLE_LIAISON));
	rows_put(st, CRED("aud-1", CRED_OFFICER, "metro-pd", ROLE_AUDITOR));
	rows_put(st, CRED("fire-1", CRED_OFFICER, "fire-9", ROLE_EVIDENCE));
	rows_put(st, CRED("old-1", CRED_OFFICER, "old-pd", ROLE_EVIDENCE));
}

/* Clip 50 is being copied for request 40; clip 51 was taken back; the grant of clip 52 has run out.
 */
static inline void world_deliveries(struct state *st) {
	rows_put(st, ROW(ROW_RELAY, relay, .id = "mover"));
	rows_put(st, ROW(ROW_RELAY, relay, .id = "spare"));
	rows_put(st, CRED("relay-1", CRED_RELAY, "mover", ROLE_NONE));
	rows_put(st, CRED("relay-2", CRED_RELAY, "spare", ROLE_NONE));
	rows_put(st, CLIP("50", "elm", "elm-door"));
	rows_put(st, CLIP("51", "elm", "elm-door"));
	rows_put(st, CLIP("52", "elm", "elm-door"));
	rows_put(st, REQUEST("40", "metro-pd", REQ_OPEN));
	rows_put(st, ROW(ROW_ASK, ask, .id = UUID_OF("41"), .request = UUID_OF("40"), .home = "elm",
					 .state = ASK_PENDING, .revision = 1));
	rows_put(st, GRANT("60", "40", "41", "50", GSTATE_ACTIVE, NOW_MS + DAY_MS));
	rows_put(st, GRANT("61", "40", "41", "51", GSTATE_REVOKED, NOW_MS + DAY_MS));
	rows_put(st, GRANT("62", "40", "41", "52", GSTATE_ACTIVE, NOW_MS));
	rows_put(st, DELIVERY("70", "60", "40", DLV_COPYING));
	rows_put(st, DELIVERY("71", "61", "40", DLV_PURGING));
	rows_put(st, DELIVERY("72", "62", "40", DLV_COPYING));
	rows_put(st, JOB("80", "mover", "70", JOB_COPY));
	rows_put(st, JOB("81", "mover", "71", JOB_PURGE));
	rows_put(st, JOB("82", "mover", "72", JOB_COPY));
}

static inline void world_others(struct state *st) {
	rows_put(st, CRED("z2m", CRED_APP, "", ROLE_NONE));
	rows_put(st, TOPIC("z2m", "zigbee2mqtt/#", APP_BOTH));
	rows_put(st, TOPIC("z2m", "frigate/events", APP_READ));
	rows_put(st, CRED("ops-1", CRED_OPERATOR, "", ROLE_NONE));
}

/* The whole world, and at its end what is in memory but not on disk: a ring grant of oak to
 * alarm-co, and mia, who is to be an adult of elm. state_free it. */
static inline struct state *world_new(void) {
	struct state *st = rows_state();
	world_homes(st);
	world_integrators(st);
	world_agencies(st);
	world_deliveries(st);
	world_others(st);
	rows_put_soon(st, STANDING("07", "oak", "alarm-co", "", GRANT_RING, GSTATE_ACTIVE,
							   NOW_MS - MINUTE_MS, NOW_MS + DAY_MS));
	rows_put_soon(st, CRED("mia", CRED_MEMBER, "elm", ROLE_ADULT));
	return st;
}

#endif
