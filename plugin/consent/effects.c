/* Building the effects of a step: rows in the arena, identifiers, receipts and notices. Not here:
 * what follows from what. */
#include "plugin/consent/effects.h"

#include "lib/hex.h"

enum { SCRATCH_BYTES = sizeof(union row_any), ALIGN = 16 };

/* The arena's tail is never handed out: after an overflow rows are written there and forgotten. */
enum { ARENA_BYTES = EFFECTS_BYTES - (SCRATCH_BYTES + ALIGN - 1) / ALIGN * ALIGN };

void effects_clear(struct effects *fx) {
	memset(fx, 0, offsetof(struct effects, arena));
}

bool effects_overflowed(const struct effects *fx) {
	return fx->used > ARENA_BYTES;
}

static void overflow(struct effects *fx) {
	fx->used = ARENA_BYTES + 1;
}

/* A sixteenth of the arena is kept for what every command adds: its answer and its mark. */
bool effects_room(const struct effects *fx, size_t ops, size_t tells) {
	if (effects_overflowed(fx) || fx->used > ARENA_BYTES - ARENA_BYTES / 16) return false;
	bool kicks = fx->kick_count + 1 < EFFECTS_KICKS_MAX;
	return kicks && fx->change.count + ops <= CHANGE_OPS_MAX &&
		   fx->tell_count + tells <= EFFECTS_TELLS_MAX;
}

uint8_t *effects_bytes(const struct step *s, size_t n) {
	struct effects *fx = s->fx;
	size_t rounded = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n == 0 || effects_overflowed(fx)) return NULL;
	if (rounded > ARENA_BYTES - fx->used) {
		overflow(fx);
		return NULL;
	}
	uint8_t *at = fx->arena + fx->used;
	fx->used += rounded;
	return at;
}

static struct row *place(const struct step *s, enum row_kind kind, size_t bytes, bool del) {
	struct effects *fx = s->fx;
	uint8_t *at = fx->change.count < CHANGE_OPS_MAX ? effects_bytes(s, bytes) : NULL;
	if (!at) {
		overflow(fx);
		at = fx->arena + ARENA_BYTES;
	}
	memset(at, 0, at == fx->arena + ARENA_BYTES ? SCRATCH_BYTES : bytes);
	struct row *r = (struct row *)(void *)at;
	r->kind = kind;
	if (!effects_overflowed(fx))
		fx->change.ops[fx->change.count++] = (struct row_op){.del = del, .row = r};
	return r;
}

void *effects_new(const struct step *s, enum row_kind kind) {
	return place(s, kind, row_desc(kind)->size, false);
}

/* Blobs come along: the originals die with the row they belong to. */
static struct row *copy_row(const struct step *s, const struct row *old, bool del) {
	struct row *copy = place(s, old->kind, row_clone_bytes(old), del);
	if (!effects_overflowed(s->fx)) row_clone_into(old, copy);
	return copy;
}

/* The last operation of this change on that row, or NULL. */
static const struct row_op *find_op(const struct effects *fx, enum row_kind kind, struct span key) {
	for (size_t i = fx->change.count; i > 0; i--) {
		const struct row_op *op = &fx->change.ops[i - 1];
		if (op->row->kind == kind && span_eq(row_key(op->row), key)) return op;
	}
	return NULL;
}

void *effects_alter(const struct step *s, const void *old) {
	const struct row *r = old;
	const struct row_op *op = find_op(s->fx, r->kind, row_key(r));
	/* the row lies in our own arena, which the caller of the step may write */
	if (op && !op->del) return s->fx->arena + ((const uint8_t *)op->row - s->fx->arena);
	return copy_row(s, r, false);
}

void effects_put(const struct step *s, const struct row *r) {
	(void)copy_row(s, r, false); /* nobody alters it further */
}

void effects_del(const struct step *s, const void *old) {
	(void)copy_row(s, old, true); /* its key is what counts */
}

const struct row *effects_latest(const struct step *s, enum row_kind kind, struct span key) {
	const struct row_op *op = find_op(s->fx, kind, key);
	if (op) return op->del ? NULL : op->row;
	return state_get(s->st, kind, key);
}

/* --- tells and kicks -------------------------------------------------------------------------- */

struct tell *effects_tell(const struct step *s, enum tell_kind kind, const char *id) {
	struct effects *fx = s->fx;
	if (fx->tell_count == EFFECTS_TELLS_MAX) {
		overflow(fx);
		fx->tell_count--;
	}
	struct tell *t = &fx->tell[fx->tell_count++];
	*t = (struct tell){.kind = kind, .reason = REASON_OK};
	EFFECTS_TEXT(t->id, id);
	if (s->cmd->event_id.len == UUID_BYTES) uuid_text(s->cmd->event_id.ptr, t->event_id);
	if (s->who) EFFECTS_TEXT(t->username, s->who->username);
	return t;
}

void effects_recorded(const struct step *s, enum reason reason) {
	effects_tell(s, TELL_RECORDED, "")->reason = reason;
}

static struct kick *kick(const struct step *s) {
	struct effects *fx = s->fx;
	if (fx->kick_count == EFFECTS_KICKS_MAX) {
		overflow(fx);
		fx->kick_count--;
	}
	struct kick *k = &fx->kick[fx->kick_count++];
	memset(k, 0, sizeof(*k));
	return k;
}

void effects_kick_user(const struct step *s, const char *username) {
	EFFECTS_TEXT(kick(s)->username, username);
}

void effects_kick_grant(const struct step *s, const char *grant) {
	EFFECTS_TEXT(kick(s)->grant, grant);
}

/* --- identifiers ------------------------------------------------------------------------------ */

static void draw_agency(const struct step *s, uint8_t *out, size_t len) {
	if (s->rnd.fill_agency)
		s->rnd.fill_agency(s->rnd.ctx, out, len);
	else
		s->rnd.fill(s->rnd.ctx, out, len);
}

void effects_uuid(const struct step *s, char out[UUID_TEXT_SIZE]) {
	uint8_t random[10], id[UUID_BYTES];
	s->rnd.fill(s->rnd.ctx, random, sizeof(random));
	uuid_v7(s->now.utc_ms, random, id);
	uuid_text(id, out);
}

void effects_uuid_agency(const struct step *s, char out[UUID_TEXT_SIZE]) {
	uint8_t random[10], id[UUID_BYTES];
	draw_agency(s, random, sizeof(random));
	uuid_v7(s->now.utc_ms, random, id);
	uuid_text(id, out);
}

void effects_pseudonym(const struct step *s, char out[UUID_TEXT_SIZE]) {
	uint8_t id[UUID_BYTES];
	draw_agency(s, id, sizeof(id));
	uuid_text(id, out);
}

void effects_object_name(const struct step *s, char out[33]) {
	uint8_t id[16];
	draw_agency(s, id, sizeof(id));
	hex_encode(span_of(id, sizeof(id)), out);
}

/* Rejection makes it uniform; the bound on tries keeps a broken source from holding the thread. */
uint32_t effects_below(const struct step *s, uint32_t n) {
	uint32_t limit = UINT32_MAX - UINT32_MAX % n, v = 0;
	for (int tries = 0; tries < 64; tries++) {
		draw_agency(s, (uint8_t *)&v, sizeof(v));
		if (v < limit) break;
	}
	return v % n;
}

bool effects_uuid_of(ProtobufCBinaryData bytes, char out[UUID_TEXT_SIZE]) {
	out[0] = '\0';
	if (bytes.len != UUID_BYTES || !bytes.data) return false;
	uuid_text(bytes.data, out);
	return true;
}

/* --- receipts and notices --------------------------------------------------------------------- */

struct row_receipt *effects_receipt(const struct step *s, int kind, const char *home) {
	struct row_receipt *r = effects_new(s, ROW_RECEIPT);
	effects_uuid(s, r->id);
	EFFECTS_TEXT(r->home, home);
	r->kind = kind;
	r->at_ms = s->now.utc_ms;
	(void)effects_tell(s, TELL_RECEIPT, r->id); /* nothing to add to it */
	return r;
}

struct row_notice *effects_notice(const struct step *s, int kind, const char *agency) {
	struct row_notice *n = effects_new(s, ROW_NOTICE);
	effects_uuid_agency(s, n->id);
	EFFECTS_TEXT(n->agency, agency);
	n->kind = kind;
	n->at_ms = s->now.utc_ms;
	(void)effects_tell(s, TELL_NOTICE, n->id); /* nothing to add to it */
	return n;
}

struct row_notice *effects_answer(const struct step *s, int kind, const char *agency) {
	struct row_notice *n = effects_notice(s, kind, agency);
	if (s->cmd->event_id.len == UUID_BYTES) uuid_text(s->cmd->event_id.ptr, n->in_reply_to);
	return n;
}
