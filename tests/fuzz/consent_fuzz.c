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
#include "tests/unit/consent/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SCRIPT_MAX = 200 };

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
		script_act(w, data + i);
		check(w);
		if (!by_operator) continue;
		assert_int_equal(people_of(w, "h1"), before[0]);
		assert_int_equal(people_of(w, "h2"), before[1]);
	}
	world_free(w);
	return 0;
}
