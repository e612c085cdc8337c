/* What can be done with any row by its description alone: read a field, validate, copy, compare,
 * print. Not here: the descriptions (row_desc.c), and whether a row may follow another
 * (state_check.c). */
#include "plugin/policy/row.h"

#include "lib/utf8.h"
#include "plugin/policy/reason.h"
#include "proto/geohash.h"
#include "proto/topic.h"
#include "proto/uuid.h"

static const void *member(const struct row *r, const struct field *f) {
	return (const uint8_t *)r + f->offset;
}

static bool is_text(const struct field *f) {
	return f->type != FIELD_INT && f->type != FIELD_BOOL && f->type != FIELD_BLOB;
}

/* Bounded: text that has lost its zero is as long as its array, and the validator then refuses it.
 */
static struct span text_of(const struct row *r, const struct field *f) {
	const char *text = member(r, f);
	return span_of(text, strnlen(text, f->size));
}

static int64_t int_of(const struct row *r, const struct field *f) {
	return *(const int64_t *)member(r, f);
}

static struct span blob_of(const struct row *r, const struct field *f) {
	const struct blob *b = member(r, f);
	return (struct span){b->ptr, b->len};
}

struct span row_text(const struct row *r, int field) {
	const struct row_desc *d = row_desc(r->kind);
	if (!d || field < 0 || (size_t)field >= d->field_count || !is_text(&d->fields[field])) {
		return (struct span){NULL, 0};
	}
	return text_of(r, &d->fields[field]);
}

struct span row_key(const struct row *r) {
	const struct row_desc *d = row_desc(r->kind);
	return d ? row_text(r, d->key) : (struct span){NULL, 0};
}

struct span row_parent(const struct row *r, int which) {
	const struct row_desc *d = row_desc(r->kind);
	return d && (which == 0 || which == 1) ? row_text(r, d->parent[which]) : (struct span){NULL, 0};
}

/* --- validation: one field --- */

static bool is_words(struct span s) {
	uint32_t code;
	for (size_t n; s.len; s = span_drop(s, n)) {
		n = utf8_next(s, &code);
		if (n == 0 || (code != '\n' && !utf8_is_plain(code))) return false;
	}
	return true;
}

static bool is_hex(struct span s) {
	for (size_t i = 0; i < s.len; i++) {
		if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
			return false;
	}
	return true;
}

static bool is_uuid(struct span s) {
	uint8_t id[UUID_BYTES];
	return uuid_parse(s, id) == ERR_NONE;
}

static bool is_cell(struct span s) {
	return geohash_is_valid(s, GEOHASH_DEVICE);
}

/* Outside vestibule/ and $, whatever a leading wildcard could reach included. */
static bool is_filter(struct span s) {
	if (!topic_filter_is_valid(s) || s.ptr[0] == '$') return false;
	return !topic_overlaps(s, SPAN_LIT("vestibule/#"));
}

/* What a text of each type is made of. */
static bool (*const shapes[])(struct span) = {
	[FIELD_ID] = topic_id_is_valid,
	[FIELD_ID_OPT] = topic_id_is_valid,
	[FIELD_USERNAME] = topic_username_is_valid,
	[FIELD_UUID] = is_uuid,
	[FIELD_UUID_OPT] = is_uuid,
	[FIELD_HEX] = is_hex,
	[FIELD_HEX_OPT] = is_hex,
	[FIELD_TEXT] = is_words,
	[FIELD_FILTER] = is_filter,
	[FIELD_CELL_OPT] = is_cell,
};

static enum err check_text(const struct row *r, const struct field *f) {
	struct span s = text_of(r, f);
	if (s.len == f->size) return ERR_INPUT; /* no zero at its end; the array is the maximum */
	if (s.len == 0) return f->min == 0 ? ERR_NONE : ERR_INPUT;
	if ((int64_t)s.len < f->min) return ERR_LIMIT;
	if (f->type == FIELD_HEX_OPT && (int64_t)s.len != f->max) return ERR_LIMIT;
	return shapes[f->type](s) ? ERR_NONE : ERR_INPUT;
}

static enum err check_field(const struct row *r, const struct field *f) {
	if (is_text(f)) return check_text(r, f);
	if (f->type == FIELD_BLOB) {
		struct span b = blob_of(r, f);
		if (b.len && !b.ptr) return ERR_INPUT;
		return (uint64_t)b.len > (uint64_t)f->max ? ERR_LIMIT : ERR_NONE;
	}
	int64_t v = int_of(r, f);
	return v < f->min || v > f->max ? ERR_LIMIT : ERR_NONE;
}

/* --- validation: several fields together --- */

/* Is whole the text a, sep, b? */
static bool is_joined(const char *whole, const char *a, char sep, struct span b) {
	struct span w = span_str(whole), first = span_str(a);
	return w.len == first.len + 1 + b.len && span_starts(w, first) &&
		   w.ptr[first.len] == (uint8_t)sep && span_eq(span_drop(w, first.len + 1), b);
}

static const char *cross_credential(const struct row_credential *c) {
	bool alone = c->kind == CRED_APP || c->kind == CRED_OPERATOR;
	if (alone != (c->subject[0] == '\0')) return "subject";
	bool home_role = c->role >= ROLE_LIMITED && c->role <= ROLE_ADMIN;
	bool agency_role = c->role >= ROLE_INVESTIGATOR; /* the last is the field's maximum */
	if (home_role != (c->kind == CRED_MEMBER) || agency_role != (c->kind == CRED_OFFICER))
		return "role";
	return NULL;
}

static const char *cross_token(const struct row_token *t) {
	bool slot = is_joined(t->id, t->username, '/', SPAN_LIT("0")) ||
				is_joined(t->id, t->username, '/', SPAN_LIT("1"));
	return slot ? NULL : "id";
}

static const char *cross_agency(const struct row_agency *a) {
	return a->key_exp_ms < a->key_nbf_ms ? "key_exp_ms" : NULL;
}

static bool is_case_letter(char c) {
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
		   c == '/' || c == '-';
}

static const char *cross_request(const struct row_request *r) {
	for (const char *c = r->case_number; *c; c++) {
		if (!is_case_letter(*c)) return "case_number";
	}
	if (r->from_ms >= r->to_ms) return "to_ms";
	/* I24: two persons, but for an emergency, which a second one reviews. */
	bool same = r->approver[0] && span_eq(span_str(r->author), span_str(r->approver));
	if (same && !r->emergency) return "approver";
	if (r->reviewer[0] && span_eq(span_str(r->author), span_str(r->reviewer))) return "reviewer";
	if (r->state == REQ_OPEN && r->exp_ms <= r->opened_ms) return "exp_ms";
	return NULL;
}

static const char *cross_grant(const struct row_grant *g) {
	if (g->header.len != 0 && g->header.len != 168) return "header";
	if (g->state >= GSTATE_REFUSED && g->header.len != 0) return "header"; /* erased with the yes */
	if (g->state == GSTATE_ACTIVE && g->exp_ms <= g->nbf_ms) return "exp_ms";
	return NULL;
}

static const char *cross_seen(const struct row_seen *s) {
	uint8_t id[UUID_BYTES];
	size_t n = strlen(s->username);
	struct span rest = span_drop(span_str(s->id), n + 1);
	return uuid_parse(rest, id) == ERR_NONE && is_joined(s->id, s->username, '/', rest) ? NULL
																						: "id";
}

/* Fields are each valid here, so text ends in its array. NULL, or the field that does not fit the
 * others. */
static const char *cross_check(const struct row *r) {
	const union row_any *any = (const union row_any *)r;
	switch (r->kind) {
	case ROW_CREDENTIAL: return cross_credential(&any->credential);
	case ROW_TOKEN: return cross_token(&any->token);
	case ROW_AGENCY: return cross_agency(&any->agency);
	case ROW_REQUEST: return cross_request(&any->request);
	case ROW_GRANT: return cross_grant(&any->grant);
	case ROW_SEEN: return cross_seen(&any->seen);
	case ROW_APP_TOPIC: {
		const struct row_app_topic *t = &any->app_topic;
		return is_joined(t->id, t->username, ' ', span_str(t->filter)) ? NULL : "id";
	}
	case ROW_ASK_CLIP: {
		const struct row_ask_clip *a = &any->ask_clip;
		return is_joined(a->id, a->ask, '/', span_str(a->clip)) ? NULL : "id";
	}
	case ROW_STANDING: return any->standing.exp_ms > any->standing.nbf_ms ? NULL : "exp_ms";
	default: return NULL;
	}
}

bool row_field_is_valid(const struct row *r, const struct field *f) {
	return check_field(r, f) == ERR_NONE;
}

enum err row_validate(const struct row *r, const char **bad) {
	const struct row_desc *d = row_desc(r->kind);
	*bad = "kind";
	if (!d) return ERR_INPUT;
	for (size_t i = 0; i < d->field_count; i++) {
		enum err e = check_field(r, &d->fields[i]);
		*bad = d->fields[i].name;
		if (e != ERR_NONE) return e;
	}
	const char *field = cross_check(r);
	if (field) *bad = field;
	return field ? ERR_INPUT : ERR_NONE;
}

/* --- copies --- */

size_t row_clone_bytes(const struct row *r) {
	const struct row_desc *d = row_desc(r->kind);
	if (!d) return 0;
	size_t bytes = d->size;
	for (size_t i = 0; i < d->field_count; i++) {
		if (d->fields[i].type != FIELD_BLOB) continue;
		size_t len = blob_of(r, &d->fields[i]).len;
		if (len > SIZE_MAX / 2 - bytes) return 0;
		bytes += len;
	}
	return bytes;
}

struct row *row_clone_into(const struct row *r, void *mem) {
	const struct row_desc *d = row_desc(r->kind);
	uint8_t *copy = mem;
	memcpy(copy, r, d->size);
	uint8_t *tail = copy + d->size; /* blobs follow the struct in one allocation */
	for (size_t i = 0; i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		if (f->type != FIELD_BLOB) continue;
		struct span b = blob_of(r, f);
		if (b.len) memcpy(tail, b.ptr, b.len);
		*(struct blob *)(void *)(copy + f->offset) = (struct blob){b.len ? tail : NULL, b.len};
		tail += b.len;
	}
	return mem;
}

struct row *row_clone(const struct row *r) {
	size_t bytes = row_clone_bytes(r);
	void *mem = bytes ? malloc(bytes) : NULL;
	return mem ? row_clone_into(r, mem) : NULL;
}

void row_free(struct row *r) {
	free(r);
}

bool row_eq(const struct row *a, const struct row *b) {
	const struct row_desc *d = row_desc(a->kind);
	if (!d || a->kind != b->kind) return false;
	for (size_t i = 0; i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		bool same;
		if (is_text(f))
			same = span_eq(text_of(a, f), text_of(b, f));
		else if (f->type == FIELD_BLOB)
			same = span_eq(blob_of(a, f), blob_of(b, f));
		else
			same = int_of(a, f) == int_of(b, f);
		if (!same) return false;
	}
	return true;
}

/* --- JSON --- */

/* What opens something never leaves the store in a listing: hashes of tokens, headers that wrap a
 * file key. */
static bool is_secret(enum row_kind kind, const struct field *f) {
	struct span name = span_str(f->name);
	return (kind == ROW_TOKEN && span_eq(name, SPAN_LIT("sha256"))) ||
		   (kind == ROW_GRANT && span_eq(name, SPAN_LIT("header"))) ||
		   (kind == ROW_CLIP && span_eq(name, SPAN_LIT("sealed")));
}

void row_json(const struct row *r, struct buf *out) {
	const struct row_desc *d = row_desc(r->kind);
	buf_char(out, '{');
	bool first = true;
	for (size_t i = 0; d && i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		if (is_secret(r->kind, f)) continue;
		if (!first) buf_char(out, ',');
		first = false;
		buf_json(out, span_str(f->name));
		buf_char(out, ':');
		if (is_text(f))
			buf_json(out, text_of(r, f));
		else if (f->type == FIELD_BOOL)
			buf_str(out, int_of(r, f) ? "true" : "false");
		else if (f->type == FIELD_INT)
			buf_int(out, int_of(r, f));
		else {
			buf_char(out, '"');
			buf_hex(out, blob_of(r, f));
			buf_char(out, '"');
		}
	}
	buf_char(out, '}');
}
