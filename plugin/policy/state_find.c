/* Looking things up in the state: by kind with the right type, and the two questions that span
 * rows, on which the policy of integrators and relays rests. Allocates nothing. */
#include "plugin/policy/state_impl.h"

#define TYPED(name, KIND, key)                                                       \
	const struct row_##name *state_##name(const struct state *st, struct span key) { \
		return (const struct row_##name *)state_get(st, KIND, key);                  \
	}
TYPED(home, ROW_HOME, id)
TYPED(device, ROW_DEVICE, id)
TYPED(credential, ROW_CREDENTIAL, username)
TYPED(integrator, ROW_INTEGRATOR, id)
TYPED(agency, ROW_AGENCY, id)
TYPED(relay, ROW_RELAY, id)
TYPED(rules, ROW_RULES, username)
TYPED(standing, ROW_STANDING, id)
TYPED(clip, ROW_CLIP, id)
TYPED(request, ROW_REQUEST, id)
TYPED(ask, ROW_ASK, id)
TYPED(grant, ROW_GRANT, id)
TYPED(delivery, ROW_DELIVERY, id)
TYPED(job, ROW_JOB, id)

static bool same(const char *a, struct span b) {
	return span_eq(span_str(a), b);
}

bool state_is_adult_of(const struct state *st, const char *username, const char *home) {
	const struct row_credential *c = state_credential(st, span_str(username));
	return c && c->kind == CRED_MEMBER && (c->role == ROLE_ADULT || c->role == ROLE_ADMIN) &&
		   same(c->subject, span_str(home));
}

/* --- standing grants --- */

/* Everything but home and integrator, which the list that it is in stands for. */
static bool does_let_read(const struct state *st, const struct row_standing *g,
						  const struct row_device *device, enum grant_kind kind) {
	if (g->state != GSTATE_ACTIVE || !state_durable(st, &g->row)) return false;
	if (!state_is_adult_of(st, g->actor, g->home)) return false;
	if (kind != GRANT_NONE && g->kind != (int64_t)kind) return false;
	return g->device[0] == '\0' || same(g->device, span_str(device->id));
}

const struct row_standing *state_standing_for(const struct state *st, struct span integrator,
											  const struct row_device *device, enum grant_kind kind,
											  int64_t now_ms, int64_t effective_ms) {
	char room[STATE_EXTRA_SIZE];
	if (!state_is_claimed(st, device)) return NULL;
	struct span pair = state_index_pair(integrator, span_str(device->home), room);
	const struct row *r = state_index_first(&st->index, ROW_STANDING, STATE_BY_EXTRA, pair);
	for (; r; r = state_index_after(r, STATE_BY_EXTRA)) {
		const struct row_standing *g = (const struct row_standing *)r;
		if (!does_let_read(st, g, device, kind)) continue;
		if (g->nbf_ms <= now_ms && now_ms < g->exp_ms && effective_ms >= g->nbf_ms) return g;
	}
	return NULL;
}

/* --- rows that need a look --- */

const struct row *state_older(const struct state *st, enum row_kind kind, int64_t until_ms,
							  const struct row *after) {
	size_t place = after ? state_index_place(after) : 0;
	place = state_due_next(&st->index.due[kind], until_ms, place);
	return place ? state_index_at(&st->index, kind, place) : NULL;
}

const struct row_standing *state_standing_ending(const struct state *st, int64_t until_ms,
												 const struct row_standing *after) {
	return (const struct row_standing *)state_older(st, ROW_STANDING, until_ms,
													after ? &after->row : NULL);
}

const struct row_standing *state_standing_nth(const struct state *st, size_t n) {
	if (n >= st->index.due[ROW_STANDING].count) return NULL;
	return (const struct row_standing *)state_index_at(&st->index, ROW_STANDING, n + 1);
}

size_t state_standing_count(const struct state *st) {
	return st->index.due[ROW_STANDING].count;
}

const char *state_touched_since(const struct state *st, uint64_t seq, size_t n) {
	return state_touched_home(&st->touched, seq, n);
}

bool state_touched_all(const struct state *st, uint64_t seq) {
	return state_touched_any(&st->touched, seq);
}

/* --- copy jobs --- */

static const struct row_job *copy_job_of(const struct state *st, struct span relay,
										 const struct row_delivery *d) {
	const struct row *r = state_child(st, ROW_JOB, 1, span_str(d->id), NULL);
	for (; r; r = state_child(st, ROW_JOB, 1, span_str(d->id), r)) {
		const struct row_job *j = (const struct row_job *)r;
		if (j->kind == JOB_COPY && same(j->relay, relay) && state_durable(st, r)) return j;
	}
	return NULL;
}

static const struct row_job *copy_job_under(const struct state *st, struct span relay,
											const struct row_grant *g) {
	const struct row *r = state_child(st, ROW_DELIVERY, 0, span_str(g->id), NULL);
	for (; r; r = state_child(st, ROW_DELIVERY, 0, span_str(g->id), r)) {
		const struct row_delivery *d = (const struct row_delivery *)r;
		const struct row_job *j = d->state == DLV_COPYING ? copy_job_of(st, relay, d) : NULL;
		if (j) return j;
	}
	return NULL;
}

const struct row_job *state_copy_job(const struct state *st, struct span relay, struct span device,
									 struct span clip) {
	const struct row *r = state_index_first(&st->index, ROW_GRANT, STATE_BY_EXTRA, clip);
	for (; r; r = state_index_after(r, STATE_BY_EXTRA)) {
		const struct row_grant *g = (const struct row_grant *)r;
		bool live = g->state == GSTATE_ACTIVE && same(g->device, device) && state_durable(st, r);
		const struct row_job *j = live ? copy_job_under(st, relay, g) : NULL;
		if (j) return j;
	}
	return NULL;
}
