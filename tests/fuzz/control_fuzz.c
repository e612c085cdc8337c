/* The operator's JSON under arbitrary text, through the real engine over a store in memory.
 * Properties: whatever an operator types, a member, a member's token, an approval, a grant, a clip
 * or an answer is never made or changed by it (I27; what goes with something that he removes may
 * end); what was refused as no request left nothing behind; the engine is still well.
 *
 * Input: the request. */
#include "plugin/control.h"

#include "tests/unit/plugin/broker_stub.h"
#include "tests/unit/policy/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static void to_nobody(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	(void)line;
}

static struct log quiet = {.sink = to_nobody};

static struct store *town(void) {
	const struct row *rows[] = {
		HOME("maple"),
		HOME("oak"),
		DEVICE("front", "maple", "u33db2m3"),
		UNCLAIMED("back", "oak", ""),
		ROW(ROW_INTEGRATOR, integrator, .id = "alarm", .name = "Alarm"),
		ROW(ROW_AGENCY, agency, .id = "pd", .name = "Police", .kind = AGENCY_POLICE),
		ROW(ROW_RELAY, relay, .id = "mover", .name = "Mover"),
		CRED("ann", CRED_MEMBER, "maple", ROLE_ADMIN),
		CRED("abe", CRED_MEMBER, "maple", ROLE_LIMITED),
		CRED("front-1", CRED_DEVICE, "front", ROLE_NONE),
		CRED("alarm-1", CRED_INTEGRATOR, "alarm", ROLE_NONE),
		CRED("eva", CRED_OFFICER, "pd", ROLE_EVIDENCE),
		CRED("root-op", CRED_OPERATOR, "", ROLE_NONE),
		ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64),
		STANDING("01", "maple", "alarm", "", GRANT_RING, GSTATE_ACTIVE, 1, NOW_MS * 2),
	};
	enum { COUNT = sizeof(rows) / sizeof(rows[0]) };
	struct change c = {.seq = 1, .at_ms = 1, .count = COUNT};
	const struct change *list[] = {&c};
	char why[STORE_WHY_SIZE];
	for (size_t i = 0; i < COUNT; i++) c.ops[i].row = rows[i];
	struct store *s = store_mem_open();
	must(s && s->ops->commit(s, list, 1, why) == ERR_NONE);
	return s;
}

/* --- what is a home's alone --- */

static bool is_a_members(const struct state *st, const struct row *r) {
	const union row_any *any = (const union row_any *)r;
	if (r->kind == ROW_CREDENTIAL) return any->credential.kind == CRED_MEMBER;
	if (r->kind != ROW_TOKEN) return true;
	const struct row_credential *who = state_credential(st, span_str(any->token.username));
	return who && who->kind == CRED_MEMBER;
}

/* Nothing but what the operator may do: end a grant together with what it was given to, suspend. */
static bool is_allowed(const struct row *old, const struct row *r) {
	union row_any copy;
	memcpy(&copy, r, row_desc(r->kind)->size);
	if (r->kind == ROW_STANDING && copy.standing.state > GSTATE_ACTIVE) return true;
	if (r->kind == ROW_CREDENTIAL)
		copy.credential.suspended = ((const struct row_credential *)old)->suspended;
	return row_eq(old, &copy.row);
}

/* Every row of a home's that is there was there before. */
static void check_homes(const struct state *before, const struct state *st) {
	static const enum row_kind kinds[] = {ROW_CREDENTIAL, ROW_TOKEN, ROW_RULES, ROW_STANDING,
										  ROW_CLIP,       ROW_ASK,   ROW_GRANT};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (const struct row *r = state_each(st, kinds[i], NULL); r;
			 r = state_each(st, kinds[i], r)) {
			if (!is_a_members(st, r)) continue;
			const struct row *old = state_get(before, kinds[i], row_key(r));
			must(old && is_allowed(old, r));
		}
	}
}

/* A second state of the same rows, to compare with. */
static struct state *copy_of(const struct state *st) {
	const char *bad = "";
	struct state *copy = state_new(3, 4);
	must(copy != NULL);
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		for (const struct row *r = state_each(st, (enum row_kind)kind, NULL); r;
			 r = state_each(st, (enum row_kind)kind, r))
			must(state_load(copy, r, &bad) == ERR_NONE);
	}
	must(state_complete(copy, state_seq(st), &bad) == ERR_NONE);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct engine_opts opts = {
		.consent = {.agencies = true, .tick_ms = 900000, .hold_ticks = 1},
		.policy = {.agencies = true}};
	char why[STORE_WHY_SIZE] = "";
	struct engine *e = engine_new(&opts, town(), &quiet, why);
	must(e != NULL);
	engine_enter(e);
	engine_tick(e);
	const struct state *st = engine_state(e);
	struct state *before = copy_of(st);
	uint64_t seq = state_seq(st);
	struct control_client who = {.client_id = SPAN_LIT("root-op"),
								 .who = state_credential(st, SPAN_LIT("root-op"))};
	enum err rc = control_handle(e, who, span_of(data, size));
	if (rc == ERR_INPUT || rc == ERR_LIMIT) must(state_seq(st) == seq || rc == ERR_LIMIT);
	check_homes(before, st);
	must(!engine_health(e).state.refusing && engine_health(e).changes_refused == 0);
	engine_free(e, 1000);
	state_free(before);
	return 0;
}
