/* The store's contract in its simplest form: rows in hash tables, nothing survives. For tests,
 * which run the same suite on every store. */
#include "plugin/store/store.h"

#include "lib/table.h"

struct store_mem {
	struct store store; /* first: the public part */
	uint64_t last_seq;
	struct table rows[ROW_KINDS]; /* key -> owned row */
};

static enum err mem_load(struct store *s, store_row_fn *fn, void *ctx, uint64_t *seq,
						 char why[STORE_WHY_SIZE]) {
	struct store_mem *m = (struct store_mem *)s;
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		size_t at = 0;
		const struct row *r;
		while ((r = table_next(&m->rows[kind], &at))) {
			enum err e = fn(ctx, r);
			if (e != ERR_NONE) {
				(void)snprintf(why, STORE_WHY_SIZE, "the reader stopped: %s", err_name(e));
				return e;
			}
		}
	}
	*seq = m->last_seq;
	return ERR_NONE;
}

/* All that can fail, before anything changes: order of seqs, validity of rows, memory. room:
 * operations of the whole commit, since none of its puts is in the table yet. */
static enum err mem_prepare(struct store_mem *m, const struct change *c, uint64_t after,
							size_t room, struct change **copy, char why[STORE_WHY_SIZE]) {
	if (c->seq <= after) {
		(void)snprintf(why, STORE_WHY_SIZE, "change %llu does not follow %llu",
					   (unsigned long long)c->seq, (unsigned long long)after);
		return ERR_INPUT;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct row_op *op = &c->ops[i];
		const char *bad = NULL;
		const struct row_desc *desc = row_desc(op->row->kind);
		if (!desc || (!op->del && row_validate(op->row, &bad) != ERR_NONE)) {
			(void)snprintf(why, STORE_WHY_SIZE, "%s: %s does not validate",
						   desc ? desc->name : "row", bad ? bad : "kind");
			return ERR_INPUT;
		}
		if (!op->del && table_reserve(&m->rows[op->row->kind], room) != ERR_NONE) goto nomem;
	}
	*copy = store_change_clone(c);
	if (*copy) return ERR_NONE;
nomem:
	(void)snprintf(why, STORE_WHY_SIZE, "out of memory");
	return ERR_STORE;
}

static void mem_apply(struct store_mem *m, struct change *c) {
	for (size_t i = 0; i < c->count; i++) {
		struct row *row = (struct row *)c->ops[i].row; /* ours: store_change_clone made it */
		struct table *t = &m->rows[row->kind];
		void *old = NULL;
		if (c->ops[i].del) {
			old = table_del(t, row_key(row));
		} else {
			row->seq = c->seq;
			enum err e = table_put(t, row_key(row), row, &old);
			if (!ENSURE(e == ERR_NONE)) continue; /* reserved before */
			c->ops[i].row = NULL;                 /* given to the table */
		}
		row_free(old);
	}
	m->last_seq = c->seq;
}

static enum err mem_commit(struct store *s, const struct change *const *changes, size_t count,
						   char why[STORE_WHY_SIZE]) {
	struct store_mem *m = (struct store_mem *)s;
	struct change **copies = calloc(count ? count : 1, sizeof(struct change *));
	if (!copies) {
		(void)snprintf(why, STORE_WHY_SIZE, "out of memory");
		return ERR_STORE;
	}
	size_t room = 0;
	for (size_t i = 0; i < count; i++) room += changes[i]->count;

	enum err e = ERR_NONE;
	uint64_t after = m->last_seq;
	for (size_t i = 0; i < count && e == ERR_NONE; i++) {
		e = mem_prepare(m, changes[i], after, room, &copies[i], why);
		after = changes[i]->seq;
	}
	for (size_t i = 0; i < count; i++) {
		if (e == ERR_NONE) mem_apply(m, copies[i]);
		store_change_free(copies[i]);
	}
	free(copies);
	return e;
}

static void mem_close(struct store *s) {
	struct store_mem *m = (struct store_mem *)s;
	for (int kind = 0; kind < ROW_KINDS; kind++) {
		size_t at = 0;
		struct row *r;
		while ((r = table_next(&m->rows[kind], &at))) row_free(r);
		table_fini(&m->rows[kind]);
	}
	free(m);
}

struct store *store_mem_open(void) {
	static const struct store_ops ops = {
		.load = mem_load, .commit = mem_commit, .close = mem_close};
	struct store_mem *m = calloc(1, sizeof(*m));
	if (!m) return NULL;
	m->store.ops = &ops;
	for (int kind = 0; kind < ROW_KINDS; kind++) table_init(&m->rows[kind], (uint64_t)kind, 0);
	return &m->store;
}
