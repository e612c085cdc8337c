/* Which homes are asked for what, and when an ask is over. Not here: what is answered (answer.c).
 */
#include "plugin/consent/ask.h"

#include "plugin/consent/geometry.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/request.h"
#include "plugin/consent/rules.h"

struct offer {
	const struct row_clip *clip[LIMIT_ASK_CLIPS];
	size_t count;
};

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

void ask_clip_key(const char *ask, const char *clip, char key[2 * UUID_TEXT_SIZE]) {
	size_t a = strlen(ask), c = strlen(clip);
	key[0] = '\0';
	if (a != UUID_TEXT || c != UUID_TEXT) return;
	memcpy(key, ask, a);
	key[a] = '/';
	memcpy(key + a + 1, clip, c + 1);
}

/* --- clips ------------------------------------------------------------------------------------ */

static bool in_circle(const struct row_device *d, const struct row_request *r) {
	struct geometry_circle c = {.lat_e7 = r->lat_e7, .lon_e7 = r->lon_e7, .radius_m = r->radius_m};
	return !d->retired && d->claimed_ms != 0 && geometry_cell_in(span_str(d->cell), &c);
}

static bool in_window(const struct row_clip *clip, const struct row_request *r) {
	return clip->start_ms >= r->from_ms - LIMIT_CLIP_SLACK_MS &&
		   clip->start_ms + clip->duration_ms <= r->to_ms + LIMIT_CLIP_SLACK_MS;
}

static bool has_envelope(const struct step *s, const struct row_clip *clip) {
	const struct row_home *home = state_home(s->st, span_str(clip->home));
	return clip->sealed.len != 0 || (s->opts->demo && home && home->unsealed_ok);
}

static bool clip_itself_fits(const struct step *s, const struct row_request *r,
							 const struct row_clip *clip) {
	bool kept = clip->arrived_ms > s->now.utc_ms - LIMIT_CLIP_KEPT_MS;
	return kept && clip->synced && in_window(clip, r) && has_envelope(s, clip);
}

bool ask_clip_fits(const struct step *s, const struct row_request *r, const struct row_clip *clip) {
	const struct row_device *d = state_device(s->st, span_str(clip->device));
	return d && in_circle(d, r) && clip_itself_fits(s, r, clip);
}

static bool is_offered(const struct step *s, const struct row_ask *ask,
					   const struct row_clip *clip) {
	char key[2 * UUID_TEXT_SIZE];
	ask_clip_key(ask->id, clip->id, key);
	return state_get(s->st, ROW_ASK_CLIP, span_str(key)) != NULL;
}

/* Clips of the home that fit and that ask (may be NULL) does not offer yet. */
static void collect(const struct step *s, const struct row_request *r, struct span home,
					const struct row_ask *ask, struct offer *o) {
	const struct row *row = state_child(s->st, ROW_DEVICE, 0, home, NULL);
	for (; row; row = state_child(s->st, ROW_DEVICE, 0, home, row)) {
		const struct row_device *d = (const struct row_device *)row;
		if (!in_circle(d, r)) continue;
		const struct row *c = state_child(s->st, ROW_CLIP, 0, span_str(d->id), NULL);
		for (; c && o->count < LIMIT_ASK_CLIPS;
			 c = state_child(s->st, ROW_CLIP, 0, span_str(d->id), c)) {
			const struct row_clip *clip = (const struct row_clip *)c;
			if (!clip_itself_fits(s, r, clip) || (ask && is_offered(s, ask, clip))) continue;
			o->clip[o->count++] = clip;
		}
	}
}

static void offer(const struct step *s, const struct row_ask *ask, const struct row_clip *clip) {
	struct row_ask_clip *o = effects_new(s, ROW_ASK_CLIP);
	ask_clip_key(ask->id, clip->id, o->id);
	EFFECTS_TEXT(o->ask, ask->id);
	EFFECTS_TEXT(o->clip, clip->id);
	o->revision = ask->revision;
}

/* --- making ----------------------------------------------------------------------------------- */

/* Is there an ask for this request, and is the home under its cap? */
static bool may_be_asked(const struct step *s, const struct row_request *r, const char *home) {
	int recent = 0;
	const struct change *c = &s->fx->change;
	for (size_t i = 0; i < c->count; i++) {
		const struct row_ask *a = (const struct row_ask *)c->ops[i].row;
		if (a->row.kind != ROW_ASK || !same(a->home, home)) continue;
		if (same(a->request, r->id)) return false;
		if (!state_ask(s->st, span_str(a->id))) recent++;
	}
	const struct row *row = state_child(s->st, ROW_ASK, 1, span_str(home), NULL);
	for (; row; row = state_child(s->st, ROW_ASK, 1, span_str(home), row)) {
		const struct row_ask *a = (const struct row_ask *)row;
		if (same(a->request, r->id)) return false;
		if (a->made_ms > s->now.utc_ms - LIMIT_ASKS_MS) recent++;
	}
	return recent < LIMIT_ASKS_PER_HOME;
}

/* False: out of room. */
static bool make(const struct step *s, const struct row_request *r, const char *home) {
	struct offer o = {.count = 0};
	collect(s, r, span_str(home), NULL, &o);
	if (o.count == 0) return true;
	if (!effects_room(s->fx, o.count + 1, 1)) return false;
	struct row_ask *ask = effects_new(s, ROW_ASK);
	effects_uuid(s, ask->id);
	EFFECTS_TEXT(ask->request, r->id);
	EFFECTS_TEXT(ask->home, home);
	ask->state = ASK_PENDING;
	ask->revision = 1;
	ask->made_ms = s->now.utc_ms;
	ask->exp_ms = r->exp_ms;
	for (size_t i = 0; i < o.count; i++) offer(s, ask, o.clip[i]);
	(void)effects_tell(s, TELL_ASK, ask->id);
	return true;
}

static bool make_all(const struct step *s, const struct row_request *r,
					 const struct row_agency *agency) {
	const struct row *row = state_each(s->st, ROW_DEVICE, NULL);
	for (; row; row = state_each(s->st, ROW_DEVICE, row)) {
		const struct row_device *d = (const struct row_device *)row;
		if (!in_circle(d, r) || !may_be_asked(s, r, d->home)) continue;
		struct span home = span_str(d->home);
		if (rules_home(s->st, home, agency, r->incident, s->now.utc_ms) != RULES_ASK) continue;
		if (!make(s, r, d->home)) return false;
	}
	return true;
}

/* False: out of room. */
static bool revise(const struct step *s, const struct row_request *r, const struct row_ask *ask) {
	struct offer o = {.count = 0};
	size_t offered = 0;
	const struct row *c = state_child(s->st, ROW_ASK_CLIP, 0, span_str(ask->id), NULL);
	for (; c; c = state_child(s->st, ROW_ASK_CLIP, 0, span_str(ask->id), c)) offered++;
	if (offered >= LIMIT_ASK_CLIPS) return true;
	collect(s, r, span_str(ask->home), ask, &o);
	if (o.count > LIMIT_ASK_CLIPS - offered) o.count = LIMIT_ASK_CLIPS - offered;
	if (o.count == 0) return true;
	if (!effects_room(s->fx, o.count + 1, 1)) return false;
	struct row_ask *n = effects_alter(s, ask);
	n->revision++;
	for (size_t i = 0; i < o.count; i++) offer(s, n, o.clip[i]);
	(void)effects_tell(s, TELL_ASK, n->id);
	return true;
}

static bool revise_all(const struct step *s, const struct row_request *r,
					   const struct row_agency *agency) {
	const struct row *row = state_child(s->st, ROW_ASK, 0, span_str(r->id), NULL);
	for (; row; row = state_child(s->st, ROW_ASK, 0, span_str(r->id), row)) {
		const struct row_ask *ask = (const struct row_ask *)row;
		const struct row_ask *latest =
			(const struct row_ask *)effects_latest(s, ROW_ASK, row_key(row));
		if (!latest || latest->state != ASK_PENDING)
			continue; /* it may have lapsed in this very tick */
		struct span home = span_str(ask->home);
		if (rules_home(s->st, home, agency, r->incident, s->now.utc_ms) != RULES_ASK) continue;
		if (!revise(s, r, ask)) return false;
	}
	return true;
}

static bool has_key(const struct step *s, const struct row_agency *a) {
	if (!a->recipient[0]) return s->opts->demo;
	return a->key_id[0] && s->now.utc_ms >= a->key_nbf_ms && s->now.utc_ms < a->key_exp_ms;
}

/* Homes are looked at in the first minute of a request, until all that fit into one change at a
 * time are asked, and then at each of its ticks: clips, opt-ins and ends of quiet hours come
 * together there. */
bool ask_tick_make(const struct step *s) {
	int64_t boundary;
	const struct row *row = state_each(s->st, ROW_REQUEST, NULL);
	for (; row; row = state_each(s->st, ROW_REQUEST, row)) {
		const struct row_request *r = (const struct row_request *)row;
		if (r->state != REQ_OPEN || !state_durable(s->st, row) || s->now.utc_ms >= r->exp_ms)
			continue;
		const struct row_agency *agency = request_live_agency(s->st, span_str(r->agency));
		bool tick = request_tick_now(s, r, &boundary);
		bool fresh = s->now.utc_ms < r->opened_ms + LIMIT_MINUTE_MS;
		if (!agency || !has_key(s, agency) || (!tick && !fresh)) continue;
		if (!make_all(s, r, agency) || (tick && !revise_all(s, r, agency))) return false;
	}
	return true;
}

/* --- lapsing ---------------------------------------------------------------------------------- */

static bool has_clip_left(const struct step *s, const struct row_ask *ask) {
	const struct row *c = state_child(s->st, ROW_ASK_CLIP, 0, span_str(ask->id), NULL);
	for (; c; c = state_child(s->st, ROW_ASK_CLIP, 0, span_str(ask->id), c)) {
		const struct row_clip *clip =
			state_clip(s->st, span_str(((const struct row_ask_clip *)c)->clip));
		const struct row_device *d = clip ? state_device(s->st, span_str(clip->device)) : NULL;
		if (d && !d->retired) return true;
	}
	return false;
}

static bool is_over(const struct step *s, const struct row_ask *ask) {
	const struct row_request *r = state_request(s->st, span_str(ask->request));
	const struct row_agency *a = r ? state_agency(s->st, span_str(r->agency)) : NULL;
	if (!a || request_is_closed(r) || s->now.utc_ms >= ask->exp_ms) return true;
	if (rules_home(s->st, span_str(ask->home), a, r->incident, s->now.utc_ms) == RULES_NO)
		return true;
	return !has_clip_left(s, ask);
}

bool ask_tick_lapse(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_ASK, NULL);
	for (; row; row = state_each(s->st, ROW_ASK, row)) {
		const struct row_ask *ask = (const struct row_ask *)row;
		if (ask->state != ASK_PENDING || !is_over(s, ask)) continue;
		if (!effects_room(s->fx, 1, 0)) return false;
		struct row_ask *n = effects_alter(s, ask);
		n->state = ASK_LAPSED; /* no message to anybody */
		s->fx->denial = true;
	}
	return true;
}
