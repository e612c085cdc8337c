/* The consent engine under arbitrary scripts: each three bytes are one thing that somebody does, or
 * time that passes. Properties, after every step:
 *   1. what is absorbed stays absorbed, and every change is one that the state takes (world_apply
 * insists);
 *   2. a refused command changes nothing (world_step insists);
 *   3. a clip can be fetched only under an ACTIVE grant of that agency that is durable and was
 * approved by an adult who is still there, whose hold is over, and whose release was at a tick;
 *   4. the operator never adds to, or removes from, a home in which somebody lives;
 *   5. nothing that ended keeps its header;
 *   6. a tick comes to an end.
 *
 * Input: one byte of options, then the script: verb, who, argument. */
#define WORLD_ASSERTS
#define assert_int_equal(a, b)                         \
	do {                                               \
		if ((long long)(a) != (long long)(b)) abort(); \
	} while (0)
#define assert_non_null(p) \
	do {                   \
		if (!(p)) abort(); \
	} while (0)
#define assert_true(p)   assert_non_null(p)
#define fail_msg(...)    abort()
#define print_error(...) (void)fprintf(stderr, __VA_ARGS__)

#include "tests/unit/consent/town.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SCRIPT_MAX = 200 };

static const char *const people[] = {"alice", "bob",   "kid",   "carol",   "ines",    "ivan",
									 "sam",   "sue",   "eve",   "liam",    "aud",     "fsup",
									 "mover", "dev-1", "dev-2", "root-op", "alarm-4", "dan"};
enum { PEOPLE = sizeof(people) / sizeof(people[0]) };

static const char *const rules_texts[] = {
	"",          "ask police", "ask police only burglary\nask fire",
	"never all", "never pd",   "quiet 22:00-07:00",
	"nonsense"};

/* The n-th row of a kind, counted round; NULL when there is none. */
static const struct row *nth(const struct world *w, enum row_kind kind, uint8_t n) {
	size_t count = state_count(w->st, kind);
	if (count == 0) return NULL;
	const struct row *r = state_each(w->st, kind, NULL);
	for (size_t i = n % count; i > 0; i--) r = state_each(w->st, kind, r);
	return r;
}

static const char *key_of(const struct world *w, enum row_kind kind, uint8_t n,
						  char key[ROW_KEY_SIZE]) {
	const struct row *r = nth(w, kind, n);
	if (!r || !span_copy(row_key(r), key, ROW_KEY_SIZE)) return NULL;
	return key;
}

static void submit(struct world *w, const char *who, uint8_t arg) {
	struct world_submit r;
	world_submit_init(w, &r);
	r.m.emergency = arg & 1;
	if (arg & 2) r.m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID;
	if (arg & 4) r.circle.radius_m = 500;
	r.circle.lat_e7 += (arg >> 3) * 50000;
	(void)world_submit(w, who, &r); /* refusals are checked by world_step */
}

static void answer(struct world *w, const char *who, uint8_t arg, bool yes) {
	char clip[ROW_KEY_SIZE];
	const struct row_ask_clip *offer = (const struct row_ask_clip *)nth(w, ROW_ASK_CLIP, arg >> 1);
	const struct row_ask *ask = offer ? state_ask(w->st, span_str(offer->ask)) : NULL;
	if (!ask) return;
	memcpy(clip, offer->clip, sizeof(offer->clip));
	if (yes)
		(void)world_yes(w, who, ask, clip);
	else
		(void)world_no(w, who, ask, clip);
}

static void retract(struct world *w, const char *who, uint8_t arg) {
	char key[ROW_KEY_SIZE];
	enum row_kind kind = arg & 1 ? ROW_STANDING : ROW_GRANT;
	if (!key_of(w, kind, arg >> 1, key)) return;
	enum reason why = world_retract(w, who, key);
	if (why != REASON_OK || kind == ROW_STANDING) return;
	/* I4: from here on, in this very moment, nothing can be fetched under it */
	const struct row_delivery *d = world_delivery(w, key);
	if (d && consent_may_fetch(w->st, world_who(w, "eve"), d, w->now) == REASON_OK) abort();
}

static void operate(struct world *w, uint8_t arg) {
	static const enum row_kind kinds[] = {ROW_CREDENTIAL, ROW_AGENCY,     ROW_DEVICE, ROW_HOME,
										  ROW_TOKEN,      ROW_INTEGRATOR, ROW_RELAY,  ROW_GRANT};
	static const enum operator_kind ops[] = {OPERATOR_SUSPEND, OPERATOR_RESUME, OPERATOR_REMOVE,
											 OPERATOR_PUT};
	char key[ROW_KEY_SIZE];
	enum row_kind kind = kinds[arg & 7];
	enum operator_kind op = ops[(arg >> 3) & 3];
	const struct row *row = nth(w, kind, arg >> 5);
	if (!row || !key_of(w, kind, arg >> 5, key)) return;
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

static void moderate(struct world *w, uint8_t arg) {
	static const enum operator_kind ops[] = {OPERATOR_REJECT_REQUEST, OPERATOR_SUSPEND_REQUEST,
											 OPERATOR_RESUME_REQUEST};
	char key[ROW_KEY_SIZE];
	if (!key_of(w, ROW_REQUEST, arg >> 2, key)) return;
	(void)world_operator(w, ops[arg % 3], NULL, ROW_NONE, key);
}

static void pass(struct world *w, uint8_t arg) {
	static const int64_t steps[] = {1000, 60000, LIMIT_HOUR_MS, LIMIT_DAY_MS, 20 * LIMIT_DAY_MS};
	if (arg % 6 == 5)
		world_to_tick(w);
	else
		world_pass(w, steps[arg % 6] * (1 + arg / 64));
}

static void about_request(struct world *w, const char *who, uint8_t arg) {
	static const int verbs[] = {AGENCY_CASE(APPROVE), AGENCY_CASE(APPROVE), AGENCY_CASE(WITHDRAW),
								AGENCY_CASE(RESOLVE)};
	char key[ROW_KEY_SIZE];
	if (key_of(w, ROW_REQUEST, arg >> 2, key)) (void)world_about(w, who, verbs[arg & 3], key);
}

static void clip(struct world *w, const char *who, uint8_t arg) {
	struct world_clip c = {.start_ms = w->now.utc_ms - (arg >> 3) * 600000,
						   .duration_ms = 20000,
						   .unsealed = arg & 1,
						   .unsynced = arg & 2};
	(void)world_clip(w, who, &c);
}

static void members(struct world *w, const char *who, uint8_t arg) {
	if (arg % 4 == 0)
		(void)world_invite(w, who, "dan", 1 + arg / 4 % 3);
	else if (arg % 4 == 1)
		(void)world_remove(w, who, people[arg / 4 % PEOPLE]);
	else if (arg % 4 == 2)
		(void)world_leave(w, who);
	else
		(void)world_rules(w, who, rules_texts[arg / 4 % 7]);
}

static void relay(struct world *w, const char *who, uint8_t arg) {
	const struct row_delivery *d = (const struct row_delivery *)nth(w, ROW_DELIVERY, arg >> 3);
	if (d) (void)world_report(w, who, arg & 3, d, arg & 4 ? 999 : 1000);
}

static void fetch(struct world *w, const char *who, uint8_t arg) {
	char key[ROW_KEY_SIZE];
	if (key_of(w, ROW_DELIVERY, arg, key)) (void)world_fetch(w, who, key);
}

static void act(struct world *w, const uint8_t *b) {
	const char *who = people[b[1] % PEOPLE];
	switch (b[0] % 14) {
	case 0: submit(w, who, b[2]); return;
	case 1:
	case 2: about_request(w, who, b[2]); return;
	case 3:
	case 4: answer(w, who, b[2], true); return;
	case 5: answer(w, who, b[2], false); return;
	case 6: retract(w, who, b[2]); return;
	case 7: clip(w, who, b[2]); return;
	case 8: members(w, who, b[2]); return;
	case 9: relay(w, who, b[2]); return;
	case 10: fetch(w, who, b[2]); return;
	case 11: pass(w, b[2]); return;
	case 12:
		(void)world_grant(w, who, "alarm", b[2] & 1 ? "d1" : "",
						  w->now.utc_ms + b[2] * LIMIT_DAY_MS);
		return;
	default:
		if (b[1] & 1)
			operate(w, b[2]);
		else if (b[1] & 2)
			moderate(w, b[2]);
		else if (b[2] & 1)
			world_commit(w);
		else
			w->lazy_store = !w->lazy_store;
	}
}

/* --- properties ---------------------------------------------------------------------------- */

static void check_fetchable(const struct world *w, const struct row_delivery *d) {
	const struct row_credential *eve = world_who(w, "eve");
	if (consent_may_fetch(w->st, eve, d, w->now) != REASON_OK) return;
	const struct row_grant *g = state_grant(w->st, span_str(d->grant));
	assert_non_null(g);
	const struct row_credential *actor = world_who(w, g->actor);
	assert_int_equal(g->state, GSTATE_ACTIVE);
	assert_true(state_durable(w->st, &g->row) &&
				span_eq(span_str(g->agency), span_str(eve->subject)));
	assert_true(actor && actor->kind == CRED_MEMBER && actor->role >= ROLE_ADULT);
	assert_true(span_eq(span_str(actor->subject), span_str(g->home)));
	assert_int_equal(g->nbf_ms % LIMIT_MINUTE_MS, 0);
	assert_true(g->nbf_ms >= g->decided_ms + LIMIT_MINUTE_MS && w->now.utc_ms < g->exp_ms);
}

static void check(const struct world *w) {
	const struct row *r = state_each(w->st, ROW_DELIVERY, NULL);
	for (; r; r = state_each(w->st, ROW_DELIVERY, r))
		check_fetchable(w, (const struct row_delivery *)r);
	for (r = state_each(w->st, ROW_GRANT, NULL); r; r = state_each(w->st, ROW_GRANT, r)) {
		const struct row_grant *g = (const struct row_grant *)r;
		if (g->state >= GSTATE_REFUSED) assert_int_equal(g->header.len, 0);
	}
}

static size_t people_of(const struct world *w, const char *home) {
	size_t n = 0;
	const struct row *r = state_child(w->st, ROW_CREDENTIAL, 0, span_str(home), NULL);
	for (; r; r = state_child(w->st, ROW_CREDENTIAL, 0, span_str(home), r)) {
		n += ((const struct row_credential *)r)->kind == CRED_MEMBER;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 4) return 0;
	struct world *w = world_town();
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	w->opts.demo = data[0] & 1;
	if (data[0] & 2) w->opts.hold_ticks = 2;
	for (size_t i = 1; i + 3 <= size && i < 3 * SCRIPT_MAX; i += 3) {
		size_t before[2] = {people_of(w, "h1"), people_of(w, "h2")};
		bool by_operator = data[i] % 14 == 13;
		act(w, data + i);
		check(w);
		if (!by_operator) continue;
		assert_int_equal(people_of(w, "h1"), before[0]);
		assert_int_equal(people_of(w, "h2"), before[1]);
	}
	world_free(w);
	return 0;
}
