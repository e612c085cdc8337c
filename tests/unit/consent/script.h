/* Scripts about consent: three bytes are one thing that somebody does, or time that passes. A fuzzer
 * and the simulator play them.
 * Not here: what must be true afterwards. */
#ifndef TESTS_CONSENT_SCRIPT_H
#define TESTS_CONSENT_SCRIPT_H

#include "tests/unit/consent/abort.h"
#include "tests/unit/consent/town.h"

static const char *const script_people[] = {"alice", "bob",   "kid",   "carol",   "ines",    "ivan",
											"sam",   "sue",   "eve",   "liam",    "aud",     "fsup",
											"mover", "dev-1", "dev-2", "root-op", "alarm-4", "dan"};
enum { SCRIPT_PEOPLE = sizeof(script_people) / sizeof(script_people[0]) };

static const char *const script_rules[] = {
	"",          "ask police", "ask police only burglary\nask fire",
	"never all", "never pd",   "quiet 22:00-07:00",
	"nonsense"};

/* The n-th row of a kind, counted round; NULL when there is none. */
static inline const struct row *script_nth(const struct world *w, enum row_kind kind, uint8_t n) {
	size_t count = state_count(w->st, kind);
	if (count == 0) return NULL;
	const struct row *r = state_each(w->st, kind, NULL);
	for (size_t i = n % count; i > 0; i--) r = state_each(w->st, kind, r);
	return r;
}

static inline const char *script_key_of(const struct world *w, enum row_kind kind, uint8_t n,
										char key[ROW_KEY_SIZE]) {
	const struct row *r = script_nth(w, kind, n);
	if (!r || !span_copy(row_key(r), key, ROW_KEY_SIZE)) return NULL;
	return key;
}

static inline void script_submit(struct world *w, const char *who, uint8_t arg) {
	struct world_submit r;
	world_submit_init(w, &r);
	r.m.emergency = arg & 1;
	if (arg & 2) r.m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID;
	if (arg & 4) r.circle.radius_m = 500;
	r.circle.lat_e7 += (arg >> 3) * 50000;
	(void)world_submit(w, who, &r); /* refusals are checked by world_step */
}

static inline void script_answer(struct world *w, const char *who, uint8_t arg, bool yes) {
	char clip[ROW_KEY_SIZE];
	const struct row_ask_clip *offer =
		(const struct row_ask_clip *)script_nth(w, ROW_ASK_CLIP, arg >> 1);
	const struct row_ask *ask = offer ? state_ask(w->st, span_str(offer->ask)) : NULL;
	if (!ask) return;
	memcpy(clip, offer->clip, sizeof(offer->clip));
	if (yes)
		(void)world_yes(w, who, ask, clip);
	else
		(void)world_no(w, who, ask, clip);
}

static inline void script_retract(struct world *w, const char *who, uint8_t arg) {
	char key[ROW_KEY_SIZE];
	enum row_kind kind = arg & 1 ? ROW_STANDING : ROW_GRANT;
	if (!script_key_of(w, kind, arg >> 1, key)) return;
	enum reason why = world_retract(w, who, key);
	if (why != REASON_OK || kind == ROW_STANDING) return;
	/* I4: from here on, in this very moment, nothing can be fetched under it */
	const struct row_delivery *d = world_delivery(w, key);
	if (d && consent_may_fetch(w->st, world_who(w, "eve"), d, w->now) == REASON_OK) abort();
}

static inline void script_operate(struct world *w, uint8_t arg) {
	static const enum row_kind kinds[] = {ROW_CREDENTIAL, ROW_AGENCY,     ROW_DEVICE, ROW_HOME,
										  ROW_TOKEN,      ROW_INTEGRATOR, ROW_RELAY,  ROW_GRANT};
	static const enum operator_kind ops[] = {OPERATOR_SUSPEND, OPERATOR_RESUME, OPERATOR_REMOVE,
											 OPERATOR_PUT};
	char key[ROW_KEY_SIZE];
	enum row_kind kind = kinds[arg & 7];
	enum operator_kind op = ops[(arg >> 3) & 3];
	const struct row *row = script_nth(w, kind, arg >> 5);
	if (!row || !script_key_of(w, kind, arg >> 5, key)) return;
	union row_any copy;
	uint8_t rings[64];
	struct row_agency agency;
	memcpy(&copy, row, row_desc(kind)->size);
	if (kind == ROW_AGENCY) {
		world_agency_row(&agency, key, AGENCY_POLICE, rings, sizeof(rings));
		if (arg & 32) agency.key_id[0] = '9';
		copy.agency = agency;
	}
	(void)world_operator(w, op, op == OPERATOR_PUT ? &copy.row : NULL, kind, key);
}

static inline void script_moderate(struct world *w, uint8_t arg) {
	static const enum operator_kind ops[] = {OPERATOR_REJECT_REQUEST, OPERATOR_SUSPEND_REQUEST,
											 OPERATOR_RESUME_REQUEST};
	char key[ROW_KEY_SIZE];
	if (!script_key_of(w, ROW_REQUEST, arg >> 2, key)) return;
	(void)world_operator(w, ops[arg % 3], NULL, ROW_NONE, key);
}

static inline void script_pass(struct world *w, uint8_t arg) {
	static const int64_t steps[] = {1000, 60000, LIMIT_HOUR_MS, LIMIT_DAY_MS, 20 * LIMIT_DAY_MS};
	if (arg % 6 == 5)
		world_to_tick(w);
	else
		world_pass(w, steps[arg % 6] * (1 + arg / 64));
}

static inline void script_about_request(struct world *w, const char *who, uint8_t arg) {
	static const int verbs[] = {AGENCY_CASE(APPROVE), AGENCY_CASE(APPROVE), AGENCY_CASE(WITHDRAW),
								AGENCY_CASE(RESOLVE)};
	char key[ROW_KEY_SIZE];
	if (script_key_of(w, ROW_REQUEST, arg >> 2, key))
		(void)world_about(w, who, verbs[arg & 3], key);
}

static inline void script_clip(struct world *w, const char *who, uint8_t arg) {
	struct world_clip c = {.start_ms = w->now.utc_ms - (arg >> 3) * 600000,
						   .duration_ms = 20000,
						   .unsealed = arg & 1,
						   .unsynced = arg & 2};
	(void)world_clip(w, who, &c);
}

static inline void script_members(struct world *w, const char *who, uint8_t arg) {
	if (arg % 4 == 0)
		(void)world_invite(w, who, "dan", 1 + arg / 4 % 3);
	else if (arg % 4 == 1)
		(void)world_remove(w, who, script_people[arg / 4 % SCRIPT_PEOPLE]);
	else if (arg % 4 == 2)
		(void)world_leave(w, who);
	else
		(void)world_rules(w, who, script_rules[arg / 4 % 7]);
}

static inline void script_relay(struct world *w, const char *who, uint8_t arg) {
	const struct row_delivery *d =
		(const struct row_delivery *)script_nth(w, ROW_DELIVERY, arg >> 3);
	if (d)
		(void)world_report(w, who, arg & 3, d, arg & 4 ? WORLD_CLIP_BYTES - 1 : WORLD_CLIP_BYTES);
}

static inline void script_fetch(struct world *w, const char *who, uint8_t arg) {
	char key[ROW_KEY_SIZE];
	if (script_key_of(w, ROW_DELIVERY, arg, key)) (void)world_fetch(w, who, key);
}

static inline void script_act(struct world *w, const uint8_t *b) {
	const char *who = script_people[b[1] % SCRIPT_PEOPLE];
	switch (b[0] % 14) {
	case 0: script_submit(w, who, b[2]); return;
	case 1:
	case 2: script_about_request(w, who, b[2]); return;
	case 3:
	case 4: script_answer(w, who, b[2], true); return;
	case 5: script_answer(w, who, b[2], false); return;
	case 6: script_retract(w, who, b[2]); return;
	case 7: script_clip(w, who, b[2]); return;
	case 8: script_members(w, who, b[2]); return;
	case 9: script_relay(w, who, b[2]); return;
	case 10: script_fetch(w, who, b[2]); return;
	case 11: script_pass(w, b[2]); return;
	case 12:
		(void)world_grant(w, who, "alarm", b[2] & 1 ? "d1" : "",
						  w->now.utc_ms + b[2] * LIMIT_DAY_MS);
		return;
	default:
		if (b[1] & 1)
			script_operate(w, b[2]);
		else if (b[1] & 2)
			script_moderate(w, b[2]);
		else if (b[2] & 1)
			world_commit(w);
		else
			w->lazy_store = !w->lazy_store;
	}
}

#endif
