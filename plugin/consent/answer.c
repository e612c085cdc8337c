/* What an adult answers to an ask: every decision is checked before any takes effect, so that an
 * answer counts whole or not at all. Not here: what becomes of a grant afterwards (grant.c). */
#include "lib/hex.h"
#include "plugin/consent/ask.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/request.h"
#include "plugin/consent/rules.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind

struct answer {
	const struct row_ask *ask;
	const struct row_request *request;
	const struct row_agency *agency;
	const Vestibule__V1__Answer *msg;
	int64_t release_ms; /* of what is approved now */
};

/* --- may it be said? -------------------------------------------------------------------------- */

/* First tick at or after now + hold. */
static int64_t release_time(const struct step *s, const struct row_request *r) {
	int64_t period = request_tick_ms(s->opts, r), at = s->now.utc_ms + s->opts->hold_ticks * period;
	return (at + period - 1) / period * period;
}

static enum reason open_answer(const struct step *s, const Vestibule__V1__Answer *m,
							   struct answer *a) {
	char id[UUID_TEXT_SIZE];
	if (!effects_uuid_of(m->ask_id, id) || m->none == (m->n_decisions > 0)) return REASON_MALFORMED;
	if (m->n_decisions > LIMIT_ASK_CLIPS) return REASON_TOO_LARGE;
	const struct row_ask *ask = state_ask(s->st, span_str(id));
	if (!ask || !span_eq(span_str(ask->home), span_str(s->who->subject))) return REASON_NOT_YOURS;
	*a = (struct answer){.ask = ask, .msg = m};
	a->request = state_request(s->st, span_str(ask->request));
	a->agency = a->request ? state_agency(s->st, span_str(a->request->agency)) : NULL;
	/* nobody is told that an ask is DECIDED: answers to it go on being taken */
	if (!a->agency || (ask->state != ASK_PENDING && ask->state != ASK_DECIDED))
		return REASON_NOT_PENDING;
	if (request_is_closed(a->request) || s->now.utc_ms >= ask->exp_ms) return REASON_NOT_PENDING;
	a->release_ms = release_time(s, a->request);
	return REASON_OK;
}

static const struct row_clip *offered(const struct step *s, const struct answer *a,
									  const char *clip) {
	char key[2 * UUID_TEXT_SIZE];
	ask_clip_key(a->ask->id, clip, key);
	const struct row_ask_clip *o =
		(const struct row_ask_clip *)state_get(s->st, ROW_ASK_CLIP, span_str(key));
	return o && o->revision <= (int64_t)a->msg->revision ? state_clip(s->st, span_str(clip)) : NULL;
}

static enum reason check_envelope(const struct step *s, const struct answer *a,
								  const struct row_clip *clip, const Vestibule__V1__Decision *d) {
	char key_id[17];
	if (clip->sealed.len == 0) /* and may be: ask_clip_fits */
		return d->header.len == 0 ? REASON_OK : REASON_HEADER;
	if (d->header.len != CODEC_HEADER_LEN || !d->header.data) return REASON_HEADER;
	if (a->msg->key_id.len != 8 || !a->msg->key_id.data) return REASON_KEY;
	hex_encode(span_of(a->msg->key_id.data, 8), key_id);
	if (!span_eq(span_str(key_id), span_str(a->agency->key_id))) return REASON_KEY;
	return s->now.utc_ms >= a->agency->key_nbf_ms && s->now.utc_ms < a->agency->key_exp_ms
			   ? REASON_OK
			   : REASON_KEY;
}

static enum reason check_end(const struct answer *a, uint64_t exp_ms) {
	if (exp_ms == 0) return REASON_OK;
	if (exp_ms <= (uint64_t)a->release_ms) return REASON_END_DATE;
	return exp_ms <= (uint64_t)(a->release_ms + LIMIT_GRANT_MAX_MS) ? REASON_OK : REASON_END_DATE;
}

/* The order of checks does not depend on what other adults said: only what everybody was told
 * (revoked, expired after the release) may refuse a yes. */
static enum reason check_yes(const struct step *s, const struct answer *a,
							 const struct row_clip *clip, const Vestibule__V1__Decision *d) {
	const struct row_request *r = a->request;
	if (r->state != REQ_OPEN || s->now.utc_ms >= r->exp_ms) return REASON_NOT_PENDING;
	if (!request_live_agency(s->st, span_str(r->agency))) return REASON_NOT_PENDING;
	enum rules_word word =
		rules_home(s->st, span_str(a->ask->home), a->agency, r->incident, s->now.utc_ms);
	if (word == RULES_NO) return REASON_NOT_PENDING;
	if (!ask_clip_fits(s, r, clip)) return REASON_NOT_OFFERED;
	enum reason why = check_envelope(s, a, clip, d);
	if (why == REASON_OK) why = check_end(a, d->exp_ms);
	if (why != REASON_OK) return why;
	const struct row_grant *g = grant_find(s, a->ask->home, r->id, clip->id);
	return g && (g->state == GSTATE_REVOKED || g->state == GSTATE_EXPIRED) ? REASON_ENDED
																		   : REASON_OK;
}

static enum reason check_no(const struct step *s, const struct answer *a, const char *clip) {
	const struct row_grant *g = grant_find(s, a->ask->home, a->request->id, clip);
	return g && g->state == GSTATE_ACTIVE ? REASON_STATE : REASON_OK; /* released: retract it */
}

/* Does this yes write anything? A yes to what is approved already says nothing new. */
static bool is_news(const struct row_grant *g) {
	return !g || (g->state == GSTATE_REFUSED && g->release_ms == 0);
}

static bool rate_spent(const struct step *s, const struct answer *a) {
	const struct row *row = state_child(s->st, ROW_GRANT, 1, span_str(a->ask->home), NULL);
	size_t count = 0;
	for (; row; row = state_child(s->st, ROW_GRANT, 1, span_str(a->ask->home), row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (g->decided_ms <= s->now.utc_ms - LIMIT_APPROVALS_MS) continue;
		if (span_eq(span_str(g->actor), span_str(s->who->username))) count++;
	}
	for (size_t i = 0; i < a->msg->n_decisions; i++) {
		char clip[UUID_TEXT_SIZE];
		const Vestibule__V1__Decision *d = a->msg->decisions[i];
		if (!d->yes) continue;
		(void)effects_uuid_of(d->clip_id, clip); /* an id: check_decisions */
		if (is_news(grant_find(s, a->ask->home, a->request->id, clip)) && ++count > LIMIT_APPROVALS)
			return true;
	}
	return false;
}

static bool is_repeated(const Vestibule__V1__Answer *m, size_t n) {
	struct span id = span_of(m->decisions[n]->clip_id.data, m->decisions[n]->clip_id.len);
	for (size_t i = 0; i < n; i++) {
		if (span_eq(id, span_of(m->decisions[i]->clip_id.data, m->decisions[i]->clip_id.len)))
			return true;
	}
	return false;
}

static enum reason check_decisions(const struct step *s, const struct answer *a) {
	for (size_t i = 0; i < a->msg->n_decisions; i++) {
		const Vestibule__V1__Decision *d = a->msg->decisions[i];
		char clip_id[UUID_TEXT_SIZE];
		if (!effects_uuid_of(d->clip_id, clip_id) || is_repeated(a->msg, i))
			return REASON_MALFORMED;
		const struct row_clip *clip = offered(s, a, clip_id);
		if (!clip) return REASON_NOT_OFFERED;
		enum reason why = d->yes ? check_yes(s, a, clip, d) : check_no(s, a, clip_id);
		if (why != REASON_OK) return why;
	}
	return rate_spent(s, a) ? REASON_APPROVAL_RATE : REASON_OK;
}

/* --- saying it -------------------------------------------------------------------------------- */

static struct row_grant *new_grant(const struct step *s, const struct answer *a,
								   const struct row_clip *clip) {
	struct row_grant *g = effects_new(s, ROW_GRANT);
	effects_uuid(s, g->id);
	EFFECTS_TEXT(g->request, a->request->id);
	EFFECTS_TEXT(g->home, a->ask->home);
	EFFECTS_TEXT(g->ask, a->ask->id);
	EFFECTS_TEXT(g->clip, clip->id);
	EFFECTS_TEXT(g->agency, a->request->agency);
	EFFECTS_TEXT(g->device, clip->device);
	g->decided_ms = s->now.utc_ms;
	return g;
}

static void keep_header(const struct step *s, const struct answer *a, struct row_grant *g,
						const Vestibule__V1__Decision *d) {
	uint8_t *header = effects_bytes(s, d->header.len);
	if (!header) return;
	memcpy(header, d->header.data, d->header.len);
	g->header = (struct blob){header, d->header.len};
	EFFECTS_TEXT(g->key_id, a->agency->key_id);
}

/* After another adult's no, a yes is answered and told like any other, and changes nothing: its row
 * stays REFUSED and says "not shared" at the tick (CONSENT 7, silent veto). */
static void apply_yes(const struct step *s, const struct answer *a, const struct row_clip *clip,
					  const Vestibule__V1__Decision *d) {
	const struct row_grant *old = grant_find(s, a->ask->home, a->request->id, clip->id);
	if (!is_news(old)) return;
	struct row_grant *g = old ? effects_alter(s, old) : new_grant(s, a, clip);
	if (!old) {
		g->state = GSTATE_APPROVED;
		keep_header(s, a, g, d);
	}
	g->decided_ms = s->now.utc_ms;
	g->release_ms = a->release_ms;
	g->exp_ms = d->exp_ms ? (int64_t)d->exp_ms : a->release_ms + LIMIT_GRANT_DEFAULT_MS;
	EFFECTS_TEXT(g->actor, s->who->username);
	EFFECTS_TEXT(grant_receipt(s, RECEIPT(APPROVED), g)->actor, s->who->username);
}

static void apply_no(const struct step *s, const struct answer *a, const struct row_clip *clip) {
	const struct row_grant *old = grant_find(s, a->ask->home, a->request->id, clip->id);
	if (old && old->state == GSTATE_APPROVED) {
		(void)grant_end(s, old, GSTATE_REFUSED, false); /* nobody is told whose no it was */
	} else if (!old) {
		struct row_grant *g = new_grant(s, a, clip);
		g->state = GSTATE_REFUSED;
		g->ended_ms = s->now.utc_ms;
	}
}

static void decline_all(const struct step *s, const struct answer *a) {
	const struct row *row = state_child(s->st, ROW_ASK_CLIP, 0, span_str(a->ask->id), NULL);
	for (; row; row = state_child(s->st, ROW_ASK_CLIP, 0, span_str(a->ask->id), row)) {
		const struct row_clip *clip =
			state_clip(s->st, span_str(((const struct row_ask_clip *)row)->clip));
		if (clip) apply_no(s, a, clip);
	}
}

static bool all_decided(const struct step *s, const struct answer *a) {
	const struct row *row = state_child(s->st, ROW_ASK_CLIP, 0, span_str(a->ask->id), NULL);
	for (; row; row = state_child(s->st, ROW_ASK_CLIP, 0, span_str(a->ask->id), row)) {
		const char *clip = ((const struct row_ask_clip *)row)->clip;
		if (!grant_find(s, a->ask->home, a->request->id, clip) && state_clip(s->st, span_str(clip)))
			return false;
	}
	return true;
}

enum reason answer_home(const struct step *s, const Vestibule__V1__Answer *m) {
	struct answer a;
	bool any_yes = false;
	enum reason why = open_answer(s, m, &a);
	if (why == REASON_OK) why = check_decisions(s, &a);
	if (why != REASON_OK) return why;
	for (size_t i = 0; i < m->n_decisions; i++) {
		char clip_id[UUID_TEXT_SIZE];
		(void)effects_uuid_of(m->decisions[i]->clip_id, clip_id); /* an id: check_decisions */
		const struct row_clip *clip = offered(s, &a, clip_id);
		if (m->decisions[i]->yes)
			apply_yes(s, &a, clip, m->decisions[i]);
		else
			apply_no(s, &a, clip);
		any_yes |= m->decisions[i]->yes != 0;
	}
	if (m->none) decline_all(s, &a);
	if (a.ask->state == ASK_PENDING && all_decided(s, &a)) {
		struct row_ask *ask = effects_alter(s, a.ask);
		ask->state = ASK_DECIDED;
	}
	s->fx->denial = !any_yes;
	return REASON_OK;
}
