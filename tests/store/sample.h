/* Valid rows of every kind for the store's tests, made from the row descriptions, and a reader that
 * keeps what a store hands out. Tests only. */
#ifndef TESTS_STORE_SAMPLE_H
#define TESTS_STORE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/store/store.h"

enum { SAMPLE_ROWS_MAX = 4096 };

struct sample_rows {
	struct row *rows[SAMPLE_ROWS_MAX]; /* owned */
	size_t count;
};

static inline enum err sample_keep(void *ctx, const struct row *r) {
	struct sample_rows *all = ctx;
	if (all->count == SAMPLE_ROWS_MAX) return ERR_LIMIT;
	all->rows[all->count] = row_clone(r);
	if (!all->rows[all->count]) return ERR_NOMEM;
	all->count++;
	return ERR_NONE;
}

static inline void sample_drop(struct sample_rows *all) {
	for (size_t i = 0; i < all->count; i++) row_free(all->rows[i]);
	all->count = 0;
}

static inline const struct row *sample_find(const struct sample_rows *all, const struct row *like) {
	for (size_t i = 0; i < all->count; i++) {
		if (all->rows[i]->kind == like->kind && span_eq(row_key(all->rows[i]), row_key(like)))
			return all->rows[i];
	}
	return NULL;
}

static inline void sample_field(union row_any *out, const struct field *f, unsigned n) {
	static const uint8_t bytes[168] = {1, 0, 255, 'x'};
	char *at = (char *)out + f->offset;
	switch (f->type) {
	case FIELD_INT:
	case FIELD_BOOL: {
		int64_t v = f->max;
		memcpy(at, &v, sizeof(v));
		break;
	}
	case FIELD_BLOB: {
		struct blob b = {bytes, f->max < 168 ? (size_t)f->max : 168};
		memcpy(at, &b, sizeof(b));
		break;
	}
	case FIELD_UUID:
	case FIELD_UUID_OPT: (void)snprintf(at, f->size, "0190a0b0-0000-7000-8000-%012u", n); break;
	case FIELD_HEX:
	case FIELD_HEX_OPT:
		for (int64_t i = 0; i < f->max; i++) at[i] = "0123456789abcdef"[i % 16];
		break;
	case FIELD_FILTER: (void)snprintf(at, f->size, "zigbee2mqtt/%u/#", n); break;
	case FIELD_CELL_OPT: (void)snprintf(at, f->size, "u33dc0e5"); break;
	default:
		(void)snprintf(at, f->size, f->min > 10 ? "a sentence of some length, %u" : "name-%u", n);
		break;
	}
}

/* A valid row of that kind with its own key for each n. */
static inline void sample_row(union row_any *out, enum row_kind kind, unsigned n) {
	const struct row_desc *d = row_desc(kind);
	*out = (union row_any){.row = {.kind = kind}};
	for (size_t i = 0; i < d->field_count; i++) sample_field(out, &d->fields[i], n);
	switch (kind) {
	case ROW_CREDENTIAL:
		out->credential.kind = CRED_MEMBER;
		out->credential.role = ROLE_ADULT;
		break;
	case ROW_TOKEN:
		(void)snprintf(out->token.id, sizeof(out->token.id), "%s/0", out->token.username);
		break;
	case ROW_APP_TOPIC:
		(void)snprintf(out->app_topic.id, sizeof(out->app_topic.id), "%s %s",
					   out->app_topic.username, out->app_topic.filter);
		break;
	case ROW_STANDING: out->standing.nbf_ms = 0; break;
	case ROW_REQUEST:
		out->request.from_ms = 0;
		out->request.approver[0] = 's';
		out->request.reviewer[0] = 't';
		break;
	case ROW_ASK_CLIP:
		(void)snprintf(out->ask_clip.id, sizeof(out->ask_clip.id), "%s/%s", out->ask_clip.ask,
					   out->ask_clip.clip);
		break;
	case ROW_GRANT:
		out->grant.state = GSTATE_ACTIVE;
		out->grant.nbf_ms = 0;
		break;
	case ROW_SEEN:
		(void)snprintf(out->seen.id, sizeof(out->seen.id), "%s/0190a0b0-0000-7000-8000-%012u",
					   out->seen.username, n);
		break;
	default: break;
	}
	const char *bad = "";
	if (row_validate(&out->row, &bad) != ERR_NONE) fail_msg("sample of %s: %s", d->name, bad);
}

/* One change with one row. */
static inline enum err sample_commit(struct store *s, uint64_t seq, const struct row *r, bool del,
									 char why[STORE_WHY_SIZE]) {
	struct change c = {.seq = seq, .count = 1, .ops = {{.del = del, .row = r}}};
	const struct change *one = &c;
	return s->ops->commit(s, &one, 1, why);
}

#endif
