/* See settle.h. Commits several steps at a time: there is nobody to wait for an answer. */
#include "plugin/store/settle.h"

#include <sys/random.h>

#include "plugin/consent/consent.h"

enum { TOGETHER = 32 /* changes in one transaction */ };

/* --- load ------------------------------------------------------------------------------------- */

struct loading {
	struct state *st;
	const char *bad;
	char what[ROW_KEY_SIZE + 64];
};

static enum err load_row(void *ctx, const struct row *r) {
	struct loading *l = ctx;
	enum err e = state_load(l->st, r, &l->bad);
	if (e != ERR_NONE) {
		const struct row_desc *d = row_desc(r->kind);
		struct span key = row_key(r);
		(void)snprintf(l->what, sizeof(l->what), "%s %.*s", d ? d->name : "row", (int)key.len,
					   (const char *)key.ptr); /* cut: the table's name is enough to look */
	}
	return e;
}

enum err settle_load(struct store *s, struct state *st, uint64_t *seq, char why[STORE_WHY_SIZE]) {
	struct loading l = {.st = st};
	enum err rc = s->ops->load(s, load_row, &l, seq, why);
	if (rc == ERR_NONE) {
		rc = state_complete(st, *seq, &l.bad);
		if (rc != ERR_NONE)
			(void)snprintf(why, STORE_WHY_SIZE, "the store is not whole: %s",
						   l.bad ? l.bad : err_name(rc));
	} else if (l.what[0]) {
		(void)snprintf(why, STORE_WHY_SIZE, "the store holds a bad row: %.120s: %.80s", l.what,
					   l.bad ? l.bad : err_name(rc));
	}
	return rc;
}

/* --- a restored store ------------------------------------------------------------------------- */

struct settling {
	struct store *s;
	struct state *st;
	struct moment now;
	uint64_t seq;
	struct effects *fx;            /* owned */
	struct change *made[TOGETHER]; /* owned; in memory, and not committed yet */
	size_t count;
	struct settle_sum sum;
	char *why;
};

static void from_kernel(void *ctx, uint8_t *out, size_t len) {
	(void)ctx;
	while (len > 0) {
		ssize_t n = getrandom(out, len, 0);
		if (n <= 0) continue; /* a signal; there is no other failure once the kernel has its seed */
		out += n;
		len -= (size_t)n;
	}
}

static enum err commit(struct settling *t) {
	if (t->count == 0) return ERR_NONE;
	enum err e = t->s->ops->commit(t->s, (const struct change *const *)t->made, t->count, t->why);
	for (size_t i = 0; i < t->count; i++) store_change_free(t->made[i]);
	t->count = 0;
	if (e == ERR_NONE) state_committed(t->st, t->seq);
	return e;
}

static void count_ended(struct settling *t, const struct change *c) {
	for (size_t i = 0; i < c->count; i++) {
		if (c->ops[i].row->kind == ROW_GRANT) t->sum.clip_grants++;
		if (c->ops[i].row->kind == ROW_STANDING) t->sum.standing_grants++;
	}
}

static enum err take(struct settling *t, struct change *c) {
	const char *bad = NULL;
	c->seq = t->seq + 1;
	enum err e = state_apply(t->st, c, &bad);
	if (e != ERR_NONE) {
		(void)snprintf(t->why, STORE_WHY_SIZE, "what a restore ends cannot be applied: %s",
					   bad ? bad : err_name(e));
		return e;
	}
	struct change *copy = store_change_clone(c);
	if (!copy) return ERR_NOMEM;
	t->seq = c->seq;
	count_ended(t, c);
	t->made[t->count++] = copy;
	return t->count == TOGETHER ? commit(t) : ERR_NONE;
}

static enum err end_all(struct settling *t) {
	static const struct consent_opts opts = {.tick_ms = 1,
											 .hold_ticks = 1}; /* nothing is released */
	const struct consent_random rnd = {.fill = from_kernel};
	const struct command cmd = {.kind = COMMAND_RESTORED};
	enum err e = ERR_NONE;
	do {
		consent_step(t->st, &opts, &cmd, t->now, rnd, t->fx);
		if (!ENSURE(t->fx->reason == REASON_OK && t->fx->change.count > 0)) return ERR_INPUT;
		e = take(t, &t->fx->change);
	} while (e == ERR_NONE && t->fx->more);
	return e == ERR_NONE ? commit(t) : e;
}

enum err settle_restored(struct store *s, struct state *st, struct moment now, uint64_t *seq,
						 struct settle_sum *sum, char why[STORE_WHY_SIZE]) {
	struct settling t = {.s = s, .st = st, .now = now, .seq = *seq, .why = why};
	*sum = t.sum;
	if (!s->restored) return ERR_NONE;
	(void)snprintf(why, STORE_WHY_SIZE, "out of memory");
	t.fx = calloc(1, sizeof(*t.fx));
	enum err e = t.fx ? end_all(&t) : ERR_NOMEM;
	free(t.fx);
	for (size_t i = 0; i < t.count; i++) store_change_free(t.made[i]);
	if (e == ERR_NONE && s->ops->settled) e = s->ops->settled(s, why);
	if (e != ERR_NONE) return e;
	*seq = t.seq;
	*sum = t.sum;
	return ERR_NONE;
}
