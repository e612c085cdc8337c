/* The rows in memory, how they change, and whether anything may be allowed. A change is checked
 * whole and all its memory is taken before the first row moves, so that it happens wholly or not at
 * all. Not here: how rows are linked (state_index.c), which change may follow (state_check.c),
 * questions that span rows (state_find.c). */
#include "plugin/policy/state.h"

#include "plugin/policy/state_check.h"
#include "plugin/policy/state_impl.h"

struct state *state_new(uint64_t seed0, uint64_t seed1) {
	struct state *st = calloc(1, sizeof(*st));
	if (!st) return NULL;
	state_index_init(&st->index, seed0, seed1);
	st->health.incomplete = true;
	return st;
}

void state_free(struct state *st) {
	if (!st) return;
	state_index_fini(&st->index);
	free(st);
}

static enum err refuse(const char **bad, const char *what) {
	if (bad) *bad = what;
	return ERR_INPUT;
}

/* --- changes --- */

/* Takes all memory that c needs. ERR_NOMEM: nothing is left in puts. */
static enum err prepare(struct state *st, const struct change *c, struct state_put *puts) {
	for (size_t i = 0; i < c->count; i++) {
		const struct row *r = c->ops[i].row;
		if (c->ops[i].del) continue;
		enum err e = state_index_reserve(&st->index, r->kind, c->count);
		if (e == ERR_NONE) e = state_index_prepare(r, c->seq, &puts[i]);
		if (e == ERR_NONE) continue;
		for (size_t j = 0; j < i; j++) state_index_discard(&puts[j]);
		return e;
	}
	return ERR_NONE;
}

/* I3: a change that carried a seq the store has already committed would count as durable before it
 * is. */
static bool is_seq_spent(const struct state *st, uint64_t seq) {
	return seq < st->seq || (!st->health.incomplete && seq <= st->durable_seq);
}

enum err state_apply(struct state *st, const struct change *c, const char **bad) {
	struct state_put puts[CHANGE_OPS_MAX] = {0};
	const char *what = is_seq_spent(st, c->seq) ? "seq" : state_check_change(&st->index, c);
	if (what) return refuse(bad, what);
	enum err e = prepare(st, c, puts);
	if (e != ERR_NONE) return e;
	for (size_t i = 0; i < c->count; i++) {
		const struct row *r = c->ops[i].row;
		state_touched_note(&st->touched, c->seq, c->ops[i].del ? NULL : r,
						   state_get(st, r->kind, row_key(r)));
		if (c->ops[i].del)
			state_index_del(&st->index, c->ops[i].row->kind, row_key(c->ops[i].row));
		else
			state_index_put(&st->index, &puts[i]);
	}
	st->seq = c->seq;
	return ERR_NONE;
}

enum err state_load(struct state *st, const struct row *r, const char **bad) {
	const char *what = NULL;
	if (!st->health.incomplete) return refuse(bad, "complete");
	if (row_validate(r, &what) != ERR_NONE) return refuse(bad, what);
	if (state_get(st, r->kind, row_key(r))) return refuse(bad, "key");
	struct state_put put;
	enum err e = state_index_reserve(&st->index, r->kind, 1);
	if (e == ERR_NONE) e = state_index_prepare(r, r->seq, &put);
	if (e != ERR_NONE) return e;
	state_index_put(&st->index, &put);
	if (r->seq > st->seq) st->seq = r->seq;
	return ERR_NONE;
}

enum err state_complete(struct state *st, uint64_t durable_seq, const char **bad) {
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		const struct row *r = state_each(st, (enum row_kind)kind, NULL);
		for (; r; r = state_each(st, (enum row_kind)kind, r)) {
			const char *what = state_check_loaded(&st->index, r);
			if (!what) continue;
			state_set_refusing(st);
			return refuse(bad, what);
		}
	}
	enum err e = state_index_sort(&st->index);
	if (e != ERR_NONE) return e;
	if (durable_seq > st->seq) st->seq = durable_seq;
	state_committed(st, durable_seq);
	st->health.incomplete = false;
	return ERR_NONE;
}

/* --- health --- */

struct state_health state_health(const struct state *st) {
	return st->health;
}

void state_set_refusing(struct state *st) {
	st->health.refusing = true;
}

void state_set_unsound(struct state *st, bool unsound) {
	st->health.unsound = unsound;
}

void state_set_store_down(struct state *st, bool down) {
	st->health.store_down = down;
}

bool state_may_allow(const struct state *st) {
	return !st->health.incomplete && !st->health.refusing && !st->health.unsound;
}

uint64_t state_seq(const struct state *st) {
	return st->seq;
}

uint64_t state_durable_seq(const struct state *st) {
	return st->durable_seq;
}

void state_committed(struct state *st, uint64_t seq) {
	if (seq > st->durable_seq) st->durable_seq = seq;
}

bool state_durable(const struct state *st, const struct row *r) {
	return r && r->seq <= st->durable_seq;
}

bool state_is_claimed(const struct state *st, const struct row_device *d) {
	return d && !d->retired && d->claimed_ms != 0 && d->claim_seq <= st->durable_seq;
}

/* --- walking --- */

const struct row *state_get(const struct state *st, enum row_kind kind, struct span key) {
	return state_index_get(&st->index, kind, key);
}

const struct row *state_child(const struct state *st, enum row_kind kind, int which,
							  struct span parent, const struct row *after) {
	if (which != 0 && which != 1) return NULL;
	if (after) return state_index_after(after, which);
	return state_index_first(&st->index, kind, which, parent);
}

const struct row *state_each(const struct state *st, enum row_kind kind, const struct row *after) {
	if (after) return state_index_after(after, STATE_BY_ALL);
	return state_index_first(&st->index, kind, STATE_BY_ALL, (struct span){NULL, 0});
}

size_t state_count(const struct state *st, enum row_kind kind) {
	return kind > ROW_NONE && kind < ROW_KINDS ? st->index.rows[kind].count : 0;
}
