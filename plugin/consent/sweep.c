/* Forgetting. Not here: what ends for a reason (grants, requests), only what is old. */
#include "plugin/consent/sweep.h"

#include "plugin/consent/clip.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/request.h"

static bool sweep_seen(const struct step *s) {
	const int64_t until_ms = s->now.utc_ms - LIMIT_SEEN_MS;
	const struct row *row = state_older(s->st, ROW_SEEN, until_ms, NULL);
	for (; row; row = state_older(s->st, ROW_SEEN, until_ms, row)) {
		if (!effects_room(s->fx, 1, 0)) return false;
		effects_del(s, row);
	}
	return true;
}

/* A clip can be asked for as long as it is kept; one that a live grant rests on stays until that
 * ends. */
static bool sweep_clips(const struct step *s) {
	const int64_t until_ms = s->now.utc_ms - LIMIT_CLIP_KEPT_MS;
	const struct row *row = state_older(s->st, ROW_CLIP, until_ms, NULL);
	for (; row; row = state_older(s->st, ROW_CLIP, until_ms, row)) {
		const struct row_clip *clip = (const struct row_clip *)row;
		if (clip_is_needed(s->st, clip)) continue;
		if (!clip_drop(s, clip)) return false;
	}
	return true;
}

static bool is_long_closed(const struct step *s, const char *request) {
	const struct row_request *r = state_request(s->st, span_str(request));
	return r && request_is_closed(r) && r->closed_ms <= s->now.utc_ms - LIMIT_REFUSAL_MS;
}

/* Every no, and every yes that was never released, is erased 30 days after the request closed; what
 * was delivered stays as proof. */
static bool sweep_grants(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_GRANT, NULL);
	for (; row; row = state_each(s->st, ROW_GRANT, row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (grant_is_live(g) || g->nbf_ms != 0 || !is_long_closed(s, g->request)) continue;
		if (!effects_room(s->fx, 1, 0)) return false;
		effects_del(s, row);
	}
	return true;
}

static bool drop_offers(const struct step *s, const struct row_ask *ask) {
	const struct row *row = state_child(s->st, ROW_ASK_CLIP, 0, span_str(ask->id), NULL);
	for (; row; row = state_child(s->st, ROW_ASK_CLIP, 0, span_str(ask->id), row)) {
		if (!effects_room(s->fx, 2, 0)) return false;
		effects_del(s, row);
	}
	return true;
}

/* So is the asking. */
static bool sweep_asks(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_ASK, NULL);
	for (; row; row = state_each(s->st, ROW_ASK, row)) {
		const struct row_ask *ask = (const struct row_ask *)row;
		if (ask->state == ASK_PENDING || !is_long_closed(s, ask->request)) continue;
		if (!drop_offers(s, ask) || !effects_room(s->fx, 1, 0)) return false;
		effects_del(s, row);
	}
	return true;
}

bool sweep_tick(const struct step *s) {
	if (s->now.utc_ms % LIMIT_SWEEP_MS >= 2 * LIMIT_SECOND_MS) return true;
	return sweep_seen(s) && sweep_clips(s) && sweep_grants(s) && sweep_asks(s);
}
