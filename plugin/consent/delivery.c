/* The stored copy: made by the relay, announced at a tick, fetched, purged. Not here: whether it
 * may exist at all (grant.c). */
#include "plugin/consent/delivery.h"

#include "lib/hex.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/request.h"
#include "plugin/consent/sample.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind
#define NOTICE(kind)  VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_##kind
#define REPORT(kind)  VESTIBULE__V1__REPORT_KIND__REPORT_KIND_##kind

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

/* --- jobs ------------------------------------------------------------------------------------- */

static bool has_credential(const struct state *st, const struct row_relay *relay) {
	const struct row *row = state_child(st, ROW_CREDENTIAL, 0, span_str(relay->id), NULL);
	for (; row; row = state_child(st, ROW_CREDENTIAL, 0, span_str(relay->id), row)) {
		const struct row_credential *c = (const struct row_credential *)row;
		if (c->kind == CRED_RELAY && !c->suspended) return true;
	}
	return false;
}

const char *delivery_relay(const struct state *st) {
	const struct row_relay *best = NULL;
	const struct row *row = state_each(st, ROW_RELAY, NULL);
	for (; row; row = state_each(st, ROW_RELAY, row)) {
		const struct row_relay *relay = (const struct row_relay *)row;
		if (!has_credential(st, relay)) continue;
		if (!best || strcmp(relay->id, best->id) < 0) best = relay;
	}
	return best ? best->id : NULL;
}

static void add_job(const struct step *s, const struct row_delivery *d, enum job_kind kind) {
	struct row_job *job = effects_new(s, ROW_JOB);
	effects_uuid(s, job->id);
	EFFECTS_TEXT(job->relay, d->relay);
	EFFECTS_TEXT(job->delivery, d->id);
	job->kind = kind;
	job->created_ms = s->now.utc_ms;
	(void)effects_tell(s, TELL_JOB, job->id);
}

static void drop_jobs(const struct step *s, const struct row_delivery *d) {
	const struct row *row = state_child(s->st, ROW_JOB, 1, span_str(d->id), NULL);
	for (; row; row = state_child(s->st, ROW_JOB, 1, span_str(d->id), row)) effects_del(s, row);
}

static bool has_job(const struct step *s, const struct row_delivery *d, enum job_kind kind) {
	const struct row *row = state_child(s->st, ROW_JOB, 1, span_str(d->id), NULL);
	for (; row; row = state_child(s->st, ROW_JOB, 1, span_str(d->id), row)) {
		if (((const struct row_job *)row)->kind == (int64_t)kind) return true;
	}
	return false;
}

/* --- begin and end ---------------------------------------------------------------------------- */

static bool same_source(const struct step *s, const struct row_delivery *d,
						const struct row_grant *g) {
	const struct row_grant *other = state_grant(s->st, span_str(d->grant));
	return other && same(d->request, g->request) && same(other->device, g->device);
}

/* One pseudonym for a device in a request: that of an earlier delivery, this change's included,
 * else a new one. */
static void set_source(const struct step *s, const struct row_grant *g, struct row_delivery *d) {
	const struct change *c = &s->fx->change;
	const struct row_delivery *o = NULL;
	for (size_t i = 0; i < c->count && !o; i++) {
		const struct row *r = c->ops[i].row;
		if (r->kind != ROW_DELIVERY || r == &d->row) continue;
		if (same_source(s, (const struct row_delivery *)r, g)) o = (const struct row_delivery *)r;
	}
	const struct row *row = state_child(s->st, ROW_DELIVERY, 1, span_str(g->request), NULL);
	for (; row && !o; row = state_child(s->st, ROW_DELIVERY, 1, span_str(g->request), row)) {
		if (same_source(s, (const struct row_delivery *)row, g))
			o = (const struct row_delivery *)row;
	}
	if (o)
		EFFECTS_TEXT(d->source, o->source);
	else
		effects_pseudonym(s, d->source);
}

void delivery_start(const struct step *s, const struct row_grant *g, const char *relay) {
	struct row_delivery *d = effects_new(s, ROW_DELIVERY);
	effects_pseudonym(s, d->id);
	EFFECTS_TEXT(d->grant, g->id);
	EFFECTS_TEXT(d->request, g->request);
	EFFECTS_TEXT(d->relay, relay);
	set_source(s, g, d);
	effects_object_name(s, d->object);
	d->state = DLV_COPYING;
	add_job(s, d, JOB_COPY);
}

void delivery_end(const struct step *s, const struct row_grant *g) {
	const struct row *row = state_child(s->st, ROW_DELIVERY, 0, span_str(g->id), NULL);
	for (; row; row = state_child(s->st, ROW_DELIVERY, 0, span_str(g->id), row)) {
		const struct row_delivery *old = (const struct row_delivery *)row;
		if (old->state != DLV_COPYING && old->state != DLV_STAGED && old->state != DLV_FETCHED)
			continue;
		struct row_delivery *d = effects_alter(s, old);
		drop_jobs(s, d);
		if (old->state == DLV_COPYING) add_job(s, d, JOB_CANCEL);
		add_job(s, d, JOB_PURGE);
		d->state = DLV_PURGING;
		d->ended_ms = s->now.utc_ms;
	}
}

/* --- reports of the relay --------------------------------------------------------------------- */

static bool is_whole_copy(const struct step *s, const struct row_grant *g,
						  const Vestibule__V1__RelayReport *m) {
	const struct row_clip *clip = state_clip(s->st, span_str(g->clip));
	char sha256[65];
	if (!clip || m->payload_sha256.len != 32 || !m->payload_sha256.data) return false;
	hex_encode(span_of(m->payload_sha256.data, 32), sha256);
	return m->payload_length == (uint64_t)clip->payload_length &&
		   same(sha256, clip->payload_sha256);
}

/* The copy came when nobody may have it any more: purge again, whatever the first purge found. */
static enum reason late_copy(const struct step *s, const struct row_delivery *d) {
	if (d->state != DLV_PURGING && d->state != DLV_PURGED) return REASON_STATE;
	if (!has_job(s, d, JOB_PURGE)) add_job(s, d, JOB_PURGE);
	return REASON_OK;
}

static enum reason copied(const struct step *s, const struct row_delivery *d,
						  const Vestibule__V1__RelayReport *m) {
	const struct row_grant *g = state_grant(s->st, span_str(d->grant));
	if (d->state != DLV_COPYING) return late_copy(s, d);
	if (!g || g->state != GSTATE_ACTIVE) return REASON_STATE;
	if (!is_whole_copy(s, g, m)) return REASON_MALFORMED;
	struct row_delivery *n = effects_alter(s, d);
	n->state = DLV_STAGED;
	n->staged_ms = s->now.utc_ms;
	drop_jobs(s, n);
	return REASON_OK;
}

static enum reason gone(const struct step *s, const struct row_delivery *d) {
	const struct row_grant *g = state_grant(s->st, span_str(d->grant));
	if (d->state != DLV_COPYING || !g) return REASON_STATE;
	struct row_delivery *n = effects_alter(s, d);
	n->state = DLV_VOID;
	n->ended_ms = s->now.utc_ms;
	drop_jobs(s, n);
	(void)grant_receipt(s, RECEIPT(VOID), g); /* names nobody */
	return REASON_OK;
}

static enum reason purged(const struct step *s, const struct row_delivery *d) {
	const struct row_grant *g = state_grant(s->st, span_str(d->grant));
	if (!has_job(s, d, JOB_PURGE)) return REASON_STATE;
	drop_jobs(s, d);
	if (d->state != DLV_PURGING) return REASON_OK; /* once more after a late copy */
	struct row_delivery *n = effects_alter(s, d);
	n->state = DLV_PURGED;
	if (g) (void)grant_receipt(s, RECEIPT(PURGED), g); /* names nobody */
	return REASON_OK;
}

/* By the job while there is one, else by the object's name, which is never used twice. */
static const struct row_delivery *find_delivery(const struct step *s,
												const Vestibule__V1__RelayReport *m) {
	char id[UUID_TEXT_SIZE];
	const struct row_job *job =
		effects_uuid_of(m->job_id, id) ? state_job(s->st, span_str(id)) : NULL;
	if (job) return state_delivery(s->st, span_str(job->delivery));
	const struct row *row =
		m->object && m->object[0] ? state_each(s->st, ROW_DELIVERY, NULL) : NULL;
	for (; row; row = state_each(s->st, ROW_DELIVERY, row)) {
		if (same(((const struct row_delivery *)row)->object, m->object))
			return (const struct row_delivery *)row;
	}
	return NULL;
}

enum reason delivery_report(const struct step *s, const Vestibule__V1__RelayReport *m) {
	const struct row_delivery *d = find_delivery(s, m);
	if (!d || !same(d->relay, s->who->subject)) return REASON_NOT_YOURS;
	if (m->object && m->object[0] && !same(m->object, d->object)) return REASON_NOT_YOURS;
	switch (m->kind) {
	case REPORT(COPIED): return copied(s, d, m);
	case REPORT(GONE): return gone(s, d);
	case REPORT(PURGED): return purged(s, d);
	default: return REASON_STATE;
	}
}

/* --- fetching --------------------------------------------------------------------------------- */

enum reason consent_may_fetch(const struct state *st, const struct row_credential *officer,
							  const struct row_delivery *delivery, struct moment now) {
	if (!state_may_allow(st) || !now.sound) return REASON_NOT_READY;
	if (!officer || officer->kind != CRED_OFFICER || officer->role != ROLE_EVIDENCE)
		return REASON_ROLE;
	if (officer->suspended) return REASON_SUSPENDED;
	const struct row_request *r = delivery ? state_request(st, span_str(delivery->request)) : NULL;
	if (!r || !delivery->announced || !same(r->agency, officer->subject)) return REASON_NOT_YOURS;
	if (!request_live_agency(st, span_str(r->agency)) || r->state == REQ_SUSPENDED)
		return REASON_SUSPENDED;
	if (r->state != REQ_OPEN && r->state != REQ_RESOLVED && r->state != REQ_EXPIRED)
		return REASON_NO_GRANT;
	const struct row_grant *g = state_grant(st, span_str(delivery->grant));
	if (!g || delivery->revoke_told || now.utc_ms >= g->exp_ms || now.utc_ms < g->nbf_ms)
		return REASON_NO_GRANT;
	/* What the agency was not told yet looks as if the relay could not be reached. */
	if (g->state != GSTATE_ACTIVE || grant_due_end(st, g, now.utc_ms) != GSTATE_NONE)
		return REASON_UNAVAILABLE;
	if (delivery->state != DLV_STAGED && delivery->state != DLV_FETCHED) return REASON_UNAVAILABLE;
	return state_durable(st, &g->row) ? REASON_OK : REASON_UNAVAILABLE;
}

static bool fetches_spent(const struct step *s, const struct row_delivery *d) {
	int count = 0;
	const struct row *row = state_child(s->st, ROW_FETCH, 0, span_str(d->id), NULL);
	for (; row; row = state_child(s->st, ROW_FETCH, 0, span_str(d->id), row)) {
		if (((const struct row_fetch *)row)->at_ms > s->now.utc_ms - LIMIT_DAY_MS) count++;
	}
	return count >= LIMIT_FETCHES;
}

/* I22: the record comes first, the link when it is durable. What cannot be served is recorded and
 * counted alike, so that neither the cap nor the notice tells the one from the other. */
enum reason delivery_fetch(const struct step *s, const Vestibule__V1__Fetch *m) {
	char id[UUID_TEXT_SIZE];
	if (s->who->role != ROLE_EVIDENCE) return REASON_ROLE;
	if (!effects_uuid_of(m->delivery_id, id)) return REASON_MALFORMED;
	const struct row_delivery *d = state_delivery(s->st, span_str(id));
	enum reason may = consent_may_fetch(s->st, s->who, d, s->now);
	if (may != REASON_OK && may != REASON_UNAVAILABLE) return may;
	if (fetches_spent(s, d)) return REASON_FETCH_LIMIT;
	struct row_fetch *f = effects_new(s, ROW_FETCH);
	effects_uuid(s, f->id); /* an event_id is one sender's own: two officers may draw the same */
	EFFECTS_TEXT(f->delivery, d->id);
	EFFECTS_TEXT(f->username, s->who->username);
	f->at_ms = s->now.utc_ms;
	struct row_notice *n = effects_answer(s, NOTICE(RECORDED), s->who->subject);
	EFFECTS_TEXT(n->delivery, d->id);
	(void)effects_tell(s, may == REASON_OK ? TELL_LINK : TELL_UNAVAILABLE, d->id);
	if (may != REASON_OK) return REASON_OK;
	const struct row_grant *g = state_grant(s->st, span_str(d->grant));
	struct row_delivery *fetched = effects_alter(s, d);
	fetched->state = DLV_FETCHED;
	(void)grant_receipt(s, RECEIPT(FETCHED), g); /* the agency, never the officer */
	return REASON_OK;
}

/* --- ticks ------------------------------------------------------------------------------------ */

static bool announce_due(const struct step *s, const struct row_delivery *d,
						 const struct row_request *r, int64_t boundary) {
	const struct row_grant *g = state_grant(s->st, span_str(d->grant));
	if (d->announced || d->state != DLV_STAGED || d->staged_ms >= boundary ||
		!state_durable(s->st, &d->row))
		return false;
	if (!g || g->state != GSTATE_ACTIVE || grant_due_end(s->st, g, s->now.utc_ms) != GSTATE_NONE)
		return false;
	return r->state != REQ_SUSPENDED && request_live_agency(s->st, span_str(r->agency));
}

static bool revoke_due(const struct step *s, const struct row_delivery *d, int64_t boundary) {
	const struct row_grant *g = state_grant(s->st, span_str(d->grant));
	if (!d->announced || d->revoke_told || d->ended_ms == 0 || d->ended_ms >= boundary)
		return false;
	return g && g->state == GSTATE_REVOKED; /* an end date was known from the start */
}

static bool is_due(const struct step *s, const struct row_delivery *d) {
	int64_t boundary;
	const struct row_request *r = state_request(s->st, span_str(d->request));
	if (!r || !request_tick_now(s, r, &boundary)) return false;
	return announce_due(s, d, r, boundary) || revoke_due(s, d, boundary);
}

static void tell(const struct step *s, const struct row_delivery *old) {
	const struct row_request *r = state_request(s->st, span_str(old->request));
	struct row_delivery *d = effects_alter(s, old);
	bool revoked = old->announced != 0;
	if (revoked)
		d->revoke_told = 1;
	else
		d->announced = 1;
	struct row_notice *n =
		effects_notice(s, revoked ? NOTICE(REVOKED) : NOTICE(DELIVERY), r->agency);
	EFFECTS_TEXT(n->request, d->request);
	EFFECTS_TEXT(n->delivery, d->id);
	n->state = r->state;
}

bool delivery_tick(const struct step *s) {
	struct sample due = {.count = 0};
	const struct row *row = state_each(s->st, ROW_DELIVERY, NULL);
	for (; row; row = state_each(s->st, ROW_DELIVERY, row)) {
		if (is_due(s, (const struct row_delivery *)row)) sample_offer(s, &due, row);
	}
	sample_shuffle(s, &due);
	for (size_t i = 0; i < due.count; i++) {
		if (!effects_room(s->fx, 2, 1)) return false;
		tell(s, (const struct row_delivery *)due.pick[i]);
	}
	return due.offered == due.count;
}
