/* How clip grants are released and how they end. Not here: how they begin (answer.c), the stored
 * copy (delivery.c). */
#include "plugin/consent/grant.h"

#include "plugin/consent/delivery.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/request.h"
#include "plugin/consent/sample.h"
#include "plugin/consent/standing.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind

bool grant_is_live(const struct row_grant *g) {
	return g->state == GSTATE_APPROVED || g->state == GSTATE_ACTIVE;
}

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

static bool is_about(const struct row_grant *g, const char *request, const char *clip) {
	return same(g->clip, clip) && same(g->request, request);
}

const struct row_grant *grant_find(const struct step *s, const char *home, const char *request,
								   const char *clip) {
	const struct change *c = &s->fx->change;
	for (size_t i = 0; i < c->count; i++) {
		const struct row *r =
			c->ops[i].row; /* put: only the sweep deletes grants, and asks nothing */
		if (r->kind == ROW_GRANT && is_about((const struct row_grant *)r, request, clip))
			return (const struct row_grant *)r;
	}
	const struct row *r = state_child(s->st, ROW_GRANT, 1, span_str(home), NULL);
	for (; r; r = state_child(s->st, ROW_GRANT, 1, span_str(home), r)) {
		if (is_about((const struct row_grant *)r, request, clip))
			return (const struct row_grant *)r;
	}
	return NULL;
}

/* --- ends ------------------------------------------------------------------------------------- */

static bool key_gone(const struct row_grant *g, const struct row_agency *a, int64_t now_ms) {
	if (!g->key_id[0]) return false; /* an unsealed clip was wrapped to nobody */
	if (!same(g->key_id, a->key_id)) return true;
	return g->state == GSTATE_APPROVED && now_ms >= a->key_exp_ms;
}

enum grant_state grant_due_end(const struct state *st, const struct row_grant *g, int64_t now_ms) {
	if (!grant_is_live(g)) return GSTATE_NONE;
	const struct row_request *r = state_request(st, span_str(g->request));
	const struct row_agency *a = state_agency(st, span_str(g->agency));
	const struct row_device *d = state_device(st, span_str(g->device));
	if (g->exp_ms <= now_ms) return GSTATE_EXPIRED;
	if (!r || !a || a->retired || !d || d->retired || !state_home(st, span_str(g->home)))
		return GSTATE_REVOKED;
	if (key_gone(g, a, now_ms) || !state_is_adult_of(st, g->actor, g->home)) return GSTATE_REVOKED;
	if (g->state == GSTATE_APPROVED && request_is_closed(r)) return GSTATE_EXPIRED;
	return GSTATE_NONE;
}

struct row_grant *grant_end(const struct step *s, const struct row_grant *g, enum grant_state to,
							bool by_system) {
	bool was_active = g->state == GSTATE_ACTIVE;
	struct row_grant *n = effects_alter(s, g);
	n->state = to;
	n->header = (struct blob){NULL, 0};
	n->ended_ms = s->now.utc_ms;
	n->actor_kind = by_system ? 1 : 0;
	if (was_active) delivery_end(s, n);
	s->fx->denial = true;
	return n;
}

struct row_receipt *grant_receipt(const struct step *s, int kind, const struct row_grant *g) {
	struct row_receipt *r = effects_receipt(s, kind, g->home);
	EFFECTS_TEXT(r->ask, g->ask);
	EFFECTS_TEXT(r->clip, g->clip);
	EFFECTS_TEXT(r->grant, g->id);
	EFFECTS_TEXT(r->device, g->device);
	EFFECTS_TEXT(r->agency, g->agency);
	r->exp_ms = g->exp_ms;
	return r;
}

/* What was not released yet ends silently until its tick. */
static void end_by_system(const struct step *s, const struct row_grant *g, enum grant_state to) {
	bool was_active = g->state == GSTATE_ACTIVE;
	struct row_grant *n = grant_end(s, g, to, true);
	if (was_active)
		(void)grant_receipt(s, to == GSTATE_EXPIRED ? RECEIPT(EXPIRED) : RECEIPT(REVOKED),
							n); /* names nobody */
}

void grant_end_device(const struct step *s, const struct row_device *d) {
	const struct row *row = state_child(s->st, ROW_GRANT, 1, span_str(d->home), NULL);
	for (; row; row = state_child(s->st, ROW_GRANT, 1, span_str(d->home), row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (!grant_is_live(g) || !same(g->device, d->id)) continue;
		if (!effects_room(s->fx, 12, 8)) return;
		end_by_system(s, g, GSTATE_REVOKED);
	}
}

bool grant_end_all(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_GRANT, NULL);
	for (; row; row = state_each(s->st, ROW_GRANT, row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (!grant_is_live(g)) continue;
		if (!effects_room(s->fx, 12, 8)) return false;
		end_by_system(s, g, GSTATE_REVOKED);
	}
	return true;
}

bool grant_end_request(const struct step *s, const struct row_request *r) {
	const struct row *row = state_child(s->st, ROW_GRANT, 0, span_str(r->id), NULL);
	for (; row; row = state_child(s->st, ROW_GRANT, 0, span_str(r->id), row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (g->state != GSTATE_ACTIVE) continue;
		if (!effects_room(s->fx, 6, 4)) return false;
		end_by_system(s, g, GSTATE_REVOKED);
	}
	return true;
}

/* A retraction before the release may meet a grant that ended silently: it is answered as if it had
 * not. */
static enum reason retract_clip(const struct step *s, const struct row_grant *g) {
	if (!grant_is_live(g) && g->release_ms == 0) return REASON_ENDED;
	bool live = grant_is_live(g);
	struct row_grant *n = live ? grant_end(s, g, GSTATE_REVOKED, false) : effects_alter(s, g);
	n->release_ms = 0;
	s->fx->denial = true;
	EFFECTS_TEXT(grant_receipt(s, RECEIPT(REVOKED), n)->actor, s->who->username);
	return REASON_OK;
}

enum reason grant_retract(const struct step *s, const Vestibule__V1__Retract *m) {
	char id[UUID_TEXT_SIZE];
	if (!effects_uuid_of(m->grant_id, id)) return REASON_MALFORMED;
	const struct row_grant *g = state_grant(s->st, span_str(id));
	if (g && same(g->home, s->who->subject)) return retract_clip(s, g);
	const struct row_standing *standing = state_standing(s->st, span_str(id));
	if (standing && same(standing->home, s->who->subject)) return standing_retract(s, standing);
	return REASON_NOT_YOURS;
}

/* --- time ------------------------------------------------------------------------------------- */

bool grant_tick_ends(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_GRANT, NULL);
	for (; row; row = state_each(s->st, ROW_GRANT, row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		enum grant_state to = grant_due_end(s->st, g, s->now.utc_ms);
		if (to == GSTATE_NONE) continue;
		if (!effects_room(s->fx, 6, 4)) return false;
		end_by_system(s, g, to);
	}
	return true;
}

static bool may_release(const struct step *s, const struct row_grant *g) {
	int64_t boundary;
	if (g->state != GSTATE_APPROVED || !state_durable(s->st, &g->row)) return false;
	const struct row_request *r = state_request(s->st, span_str(g->request));
	if (!r || r->state != REQ_OPEN || !state_durable(s->st, &r->row)) return false;
	if (!request_tick_now(s, r, &boundary) || g->release_ms > boundary) return false;
	const struct row_agency *a = request_live_agency(s->st, span_str(g->agency));
	if (!a || (g->key_id[0] && s->now.utc_ms < a->key_nbf_ms)) return false;
	return grant_due_end(s->st, g, s->now.utc_ms) == GSTATE_NONE && s->now.utc_ms < r->exp_ms;
}

static void release(const struct step *s, const struct row_grant *g, const char *relay) {
	int64_t boundary;
	const struct row_request *r = state_request(s->st, span_str(g->request));
	struct row_grant *n = effects_alter(s, g);
	(void)request_tick_now(s, r, &boundary); /* may_release asked: it is */
	n->state = GSTATE_ACTIVE;
	n->nbf_ms = boundary;
	n->release_ms = 0;
	delivery_start(s, n, relay);
	(void)grant_receipt(s, RECEIPT(SHARED), n); /* names nobody */
}

/* Approved once, never released: the home learns at the tick that would have released it. */
static bool tell_not_shared(const struct step *s) {
	int64_t boundary;
	const struct row *row = state_each(s->st, ROW_GRANT, NULL);
	for (; row; row = state_each(s->st, ROW_GRANT, row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (grant_is_live(g) || g->release_ms == 0) continue;
		const struct row_request *r = state_request(s->st, span_str(g->request));
		if (r && (!request_tick_now(s, r, &boundary) || g->release_ms > boundary)) continue;
		if (!effects_room(s->fx, 2, 1)) return false;
		struct row_grant *n = effects_alter(s, g);
		n->release_ms = 0;
		(void)grant_receipt(s, RECEIPT(NOT_SHARED), n); /* no actor, no cause */
	}
	return true;
}

bool grant_tick_release(const struct step *s) {
	struct sample due = {.count = 0};
	const char *relay = delivery_relay(s->st);
	const struct row *row = relay ? state_each(s->st, ROW_GRANT, NULL) : NULL;
	for (; row; row = state_each(s->st, ROW_GRANT, row)) {
		if (may_release(s, (const struct row_grant *)row)) sample_offer(s, &due, row);
	}
	sample_shuffle(s, &due);
	for (size_t i = 0; i < due.count; i++) {
		if (!effects_room(s->fx, 4, 2)) return false;
		release(s, (const struct row_grant *)due.pick[i], relay);
	}
	return due.offered == due.count && tell_not_shared(s);
}
