/* Standing grants of homes to integrators. Not here: what they let through (policy.c). */
#include "plugin/consent/standing.h"

#include "plugin/consent/limits.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

static struct row_receipt *receipt(const struct step *s, int kind, const struct row_standing *g) {
	struct row_receipt *r = effects_receipt(s, kind, g->home);
	EFFECTS_TEXT(r->grant, g->id);
	EFFECTS_TEXT(r->device, g->device);
	EFFECTS_TEXT(r->integrator, g->integrator);
	r->grant_kind = g->kind;
	r->exp_ms = g->exp_ms;
	return r;
}

/* --- commands --------------------------------------------------------------------------------- */

static enum reason check(const struct step *s, const Vestibule__V1__GrantStanding *m) {
	if (!m->integrator || !m->device || m->kind <= 0 || (int)m->kind >= GRANT_KINDS)
		return REASON_MALFORMED;
	const struct row_integrator *i = state_integrator(s->st, span_str(m->integrator));
	if (!i || i->retired) return REASON_NOT_YOURS;
	if (m->device[0]) {
		const struct row_device *d = state_device(s->st, span_str(m->device));
		if (!d || d->retired || !d->claimed_ms || !same(d->home, s->who->subject))
			return REASON_NOT_YOURS;
	}
	if (m->exp_ms <= (uint64_t)s->now.utc_ms) return REASON_END_DATE;
	return m->exp_ms <= (uint64_t)(s->now.utc_ms + LIMIT_STANDING_MAX_MS) ? REASON_OK
																		  : REASON_END_DATE;
}

static bool is_like(const struct row_standing *g, const char *integrator, const char *device,
					int64_t kind) {
	return g->state == GSTATE_ACTIVE && g->kind == kind && same(g->integrator, integrator) &&
		   same(g->device, device);
}

enum reason standing_give(const struct step *s, const Vestibule__V1__GrantStanding *m) {
	enum reason why = check(s, m);
	if (why != REASON_OK) return why;
	struct span home = span_str(s->who->subject);
	size_t like = 0;
	const struct row *row = state_child(s->st, ROW_STANDING, 0, home, NULL);
	for (; row; row = state_child(s->st, ROW_STANDING, 0, home, row)) {
		const struct row_standing *g = (const struct row_standing *)row;
		if (!is_like(g, m->integrator, m->device, m->kind)) continue;
		if (same(g->actor, s->who->username) && g->exp_ms >= (int64_t)m->exp_ms)
			return REASON_OK; /* he gave it, for at least as long: the command came twice */
		like++;
	}
	if (like >= LIMIT_STANDING_ALIKE) return REASON_STATE;
	struct row_standing *g = effects_new(s, ROW_STANDING);
	effects_uuid(s, g->id);
	EFFECTS_TEXT(g->home, s->who->subject);
	EFFECTS_TEXT(g->integrator, m->integrator);
	EFFECTS_TEXT(g->device, m->device);
	EFFECTS_TEXT(g->actor, s->who->username);
	g->kind = m->kind;
	g->state = GSTATE_ACTIVE;
	g->nbf_ms = s->now.utc_ms + 1; /* I5: a copy of this very millisecond may be an old one */
	g->exp_ms = (int64_t)m->exp_ms;
	EFFECTS_TEXT(receipt(s, RECEIPT(GRANT_GIVEN), g)->actor, s->who->username);
	return REASON_OK;
}

static struct row_standing *end(const struct step *s, const struct row_standing *g,
								enum grant_state to) {
	struct row_standing *n = effects_alter(s, g);
	n->state = to;
	n->ended_ms = s->now.utc_ms;
	effects_kick_grant(s, n->id);
	s->fx->denial = true;
	return n;
}

enum reason standing_retract(const struct step *s, const struct row_standing *g) {
	if (g->state != GSTATE_ACTIVE) return REASON_ENDED;
	/* With every other that lets the same be read: who takes it back means all of it. */
	const struct row *row = state_child(s->st, ROW_STANDING, 0, span_str(g->home), NULL);
	for (; row; row = state_child(s->st, ROW_STANDING, 0, span_str(g->home), row)) {
		const struct row_standing *each = (const struct row_standing *)row;
		if (!is_like(each, g->integrator, g->device, g->kind)) continue;
		struct row_standing *n = end(s, each, GSTATE_REVOKED);
		EFFECTS_TEXT(receipt(s, RECEIPT(GRANT_RETRACTED), n)->actor, s->who->username);
	}
	return REASON_OK;
}

void standing_end_of(const struct step *s, const char *home, const char *username) {
	const struct row *row = state_child(s->st, ROW_STANDING, 0, span_str(home), NULL);
	for (; row; row = state_child(s->st, ROW_STANDING, 0, span_str(home), row)) {
		const struct row_standing *g = (const struct row_standing *)row;
		if (g->state != GSTATE_ACTIVE || !same(g->actor, username)) continue;
		if (!effects_room(s->fx, 8, 8)) return;
		(void)receipt(s, RECEIPT(GRANT_RETRACTED), end(s, g, GSTATE_REVOKED)); /* names nobody */
	}
}

void standing_end_device(const struct step *s, const struct row_device *d) {
	const struct row *row = state_child(s->st, ROW_STANDING, 0, span_str(d->home), NULL);
	for (; row; row = state_child(s->st, ROW_STANDING, 0, span_str(d->home), row)) {
		const struct row_standing *g = (const struct row_standing *)row;
		if (g->state != GSTATE_ACTIVE || !same(g->device, d->id)) continue;
		if (!effects_room(s->fx, 8, 8)) return;
		(void)receipt(s, RECEIPT(GRANT_RETRACTED), end(s, g, GSTATE_REVOKED)); /* names nobody */
	}
}

bool standing_end_all(const struct step *s) {
	const struct row_standing *g;
	for (size_t n = 0; (g = state_standing_nth(s->st, n)); n++) {
		if (!effects_room(s->fx, 2, 1)) return false;
		(void)receipt(s, RECEIPT(GRANT_RETRACTED), end(s, g, GSTATE_REVOKED)); /* names nobody */
	}
	return true;
}

/* --- time ------------------------------------------------------------------------------------- */

static enum grant_state due_end(const struct step *s, const struct row_standing *g) {
	const struct row_integrator *i = state_integrator(s->st, span_str(g->integrator));
	const struct row_device *d = g->device[0] ? state_device(s->st, span_str(g->device)) : NULL;
	if (g->exp_ms <= s->now.utc_ms) return GSTATE_EXPIRED;
	if (!i || i->retired || (g->device[0] && (!d || d->retired))) return GSTATE_REVOKED;
	return state_is_adult_of(s->st, g->actor, g->home) ? GSTATE_NONE : GSTATE_REVOKED;
}

/* The receipt before the end is remembered by a row of its own: an update of the grant's row would
 * deny what it allows until its commit (decision 0001). */
static bool is_warning_due(const struct step *s, const struct row_standing *g,
						   char mark[ROW_ID_SIZE + 8]) {
	if (g->exp_ms - g->nbf_ms <= LIMIT_STANDING_WARN_MS)
		return false; /* who gives so little knows when it ends */
	if (s->now.utc_ms < g->exp_ms - LIMIT_STANDING_WARN_MS) return false;
	memcpy(mark, "warned/", 8);
	(void)span_copy(span_str(g->id), mark + 7, ROW_UUID_SIZE); /* an id fits */
	return !state_get(s->st, ROW_META, span_str(mark));
}

/* Ends it if it is due. False: out of room. */
static bool end_due(const struct step *s, const struct row_standing *g) {
	enum grant_state to = g->state == GSTATE_ACTIVE ? due_end(s, g) : GSTATE_NONE;
	if (to == GSTATE_NONE) return true;
	if (!effects_room(s->fx, 2, 1)) return false;
	if (effects_latest(s, ROW_STANDING, span_str(g->id)) != &g->row) return true; /* done before */
	int kind = to == GSTATE_EXPIRED ? RECEIPT(GRANT_EXPIRED) : RECEIPT(GRANT_RETRACTED);
	(void)receipt(s, kind, end(s, g, to)); /* names nobody */
	return true;
}

static bool end_expired(const struct step *s) {
	const struct row_standing *g = state_standing_ending(s->st, s->now.utc_ms, NULL);
	for (; g; g = state_standing_ending(s->st, s->now.utc_ms, g)) {
		if (!end_due(s, g)) return false;
	}
	return true;
}

static bool end_of_home(const struct step *s, struct span home) {
	const struct row *row = state_child(s->st, ROW_STANDING, 0, home, NULL);
	for (; row; row = state_child(s->st, ROW_STANDING, 0, home, row)) {
		if (!end_due(s, (const struct row_standing *)row)) return false;
	}
	return true;
}

/* Whose granter, device or integrator changed since the last look. */
static bool end_orphans(const struct step *s) {
	const char *home;
	const struct row_standing *g;
	if (state_touched_all(s->st, s->cmd->looked_seq)) {
		for (size_t n = 0; (g = state_standing_nth(s->st, n)); n++) {
			if (!end_due(s, g)) return false;
		}
		return true;
	}
	for (size_t n = 0; (home = state_touched_since(s->st, s->cmd->looked_seq, n)); n++) {
		if (!end_of_home(s, span_str(home))) return false;
	}
	return true;
}

/* A warning may be some seconds late: of very many grants a part is looked at each second. */
static bool warn(const struct step *s) {
	enum { AT_ONCE = 1024 };
	char name[ROW_ID_SIZE + 8];
	const struct row_standing *g;
	size_t turns = state_standing_count(s->st) / AT_ONCE + 1;
	size_t n = (size_t)(s->now.utc_ms / LIMIT_SECOND_MS) % turns;
	for (; (g = state_standing_nth(s->st, n)); n += turns) {
		if (!is_warning_due(s, g, name) || due_end(s, g) != GSTATE_NONE) continue;
		if (!effects_room(s->fx, 2, 1)) return false;
		struct row_meta *mark = effects_new(s, ROW_META);
		EFFECTS_TEXT(mark->name, name);
		mark->value = s->now.utc_ms;
		(void)receipt(s, RECEIPT(GRANT_ENDING), g); /* names nobody */
	}
	return true;
}

bool standing_tick(const struct step *s) {
	if (!end_expired(s) || !end_orphans(s)) return false;
	s->fx->looked = true;
	return warn(s);
}
