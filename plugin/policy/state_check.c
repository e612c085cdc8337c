/* Rules between rows, checked against the rows as they will be after the whole change, so that the
 * order of operations inside a change does not matter. */
#include "plugin/policy/state_check.h"

/* Which kind each parent is of. A lasting parent must be there as long as the child is live;
 * another only when the child is made: history outlives what it tells of. Credentials have a parent
 * by their kind. */
static const struct {
	enum row_kind kind[2];
	bool lasting[2];
} parents[ROW_KINDS] = {
	[ROW_DEVICE] = {{ROW_HOME}, {true}},
	[ROW_TOKEN] = {{ROW_CREDENTIAL}, {true}},
	[ROW_APP_TOPIC] = {{ROW_CREDENTIAL}, {true}},
	[ROW_RULES] = {{ROW_HOME}, {true}},
	[ROW_STANDING] = {{ROW_HOME, ROW_INTEGRATOR}, {true, true}},
	[ROW_CLIP] = {{ROW_DEVICE, ROW_HOME}, {true, true}},
	[ROW_REQUEST] = {{ROW_AGENCY}, {true}},
	[ROW_ASK] = {{ROW_REQUEST, ROW_HOME}, {true, true}},
	[ROW_ASK_CLIP] = {{ROW_ASK, ROW_CLIP}, {true, false}},
	[ROW_GRANT] = {{ROW_REQUEST, ROW_HOME}, {true, true}},
	[ROW_DELIVERY] = {{ROW_GRANT, ROW_REQUEST}, {true, true}},
	[ROW_JOB] = {{ROW_RELAY, ROW_DELIVERY}, {false, true}},
	[ROW_FETCH] = {{ROW_DELIVERY}, {false}},
	[ROW_RECEIPT] = {{ROW_HOME}, {false}},
	[ROW_NOTICE] = {{ROW_AGENCY}, {false}},
};

static const enum row_kind subject_kind[CRED_KINDS] = {
	[CRED_DEVICE] = ROW_DEVICE,  [CRED_MEMBER] = ROW_HOME, [CRED_INTEGRATOR] = ROW_INTEGRATOR,
	[CRED_OFFICER] = ROW_AGENCY, [CRED_RELAY] = ROW_RELAY,
};

static enum row_kind parent_kind(const struct row *r, int which) {
	if (r->kind != ROW_CREDENTIAL) return parents[r->kind].kind[which];
	const struct row_credential *c = (const struct row_credential *)r;
	return which == 0 ? subject_kind[c->kind] : ROW_NONE;
}

static bool is_lasting(const struct row *r, int which) {
	return r->kind == ROW_CREDENTIAL || parents[r->kind].lasting[which];
}

static int64_t state_of(const struct row *r) {
	const union row_any *any = (const union row_any *)r;
	switch (r->kind) {
	case ROW_DEVICE: return any->device.retired;
	case ROW_INTEGRATOR: return any->integrator.retired;
	case ROW_AGENCY: return any->agency.retired;
	case ROW_STANDING: return any->standing.state;
	case ROW_GRANT: return any->grant.state;
	case ROW_REQUEST: return any->request.state;
	case ROW_ASK: return any->ask.state;
	case ROW_DELIVERY: return any->delivery.state;
	default: return 0;
	}
}

/* Nothing can follow from this row any more. */
static bool is_ended(const struct row *r) {
	int64_t state = state_of(r);
	switch (r->kind) {
	case ROW_DEVICE:
	case ROW_INTEGRATOR:
	case ROW_AGENCY: return state != 0;
	case ROW_STANDING:
	case ROW_GRANT: return state >= GSTATE_REFUSED;
	case ROW_REQUEST: return state >= REQ_WITHDRAWN;
	case ROW_ASK: return state == ASK_DECIDED || state == ASK_LAPSED;
	case ROW_DELIVERY: return state == DLV_VOID || state == DLV_PURGED;
	default: return false;
	}
}

/* --- rows before and after the change --- */

static bool is_about(const struct row_op *op, enum row_kind kind, struct span key) {
	return op->row->kind == kind && span_eq(row_key(op->row), key);
}

/* The row as the whole change leaves it: the last operation on its key decides. */
static const struct row *after(const struct state_index *ix, const struct change *c,
							   enum row_kind kind, struct span key) {
	for (size_t i = c->count; i > 0; i--) {
		const struct row_op *op = &c->ops[i - 1];
		if (is_about(op, kind, key)) return op->del ? NULL : op->row;
	}
	return state_index_get(ix, kind, key);
}

/* The row that operation n replaces. A delete in between does not wash an end away, so it is not
 * looked at. */
static const struct row *before(const struct state_index *ix, const struct change *c, size_t n) {
	const struct row *r = c->ops[n].row;
	for (size_t i = n; i > 0; i--) {
		const struct row_op *op = &c->ops[i - 1];
		if (!op->del && is_about(op, r->kind, row_key(r))) return op->row;
	}
	return state_index_get(ix, r->kind, row_key(r));
}

/* --- the rules --- */

/* I7. An ask that was decided or has lapsed is over as well. */
static bool leaves_absorbing(const struct row *old, const struct row *r) {
	const union row_any *a = (const union row_any *)old, *b = (const union row_any *)r;
	if (old->kind == ROW_DEVICE && a->device.claimed_ms && !b->device.claimed_ms) return true;
	return is_ended(old) && state_of(old) != state_of(r);
}

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

/* A yes is to one thing for one party; a device is of one home for ever (a new home makes a new
 * id). */
static bool changes_owner(const struct row *old, const struct row *r) {
	const union row_any *a = (const union row_any *)old, *b = (const union row_any *)r;
	switch (r->kind) {
	case ROW_STANDING:
		if (a->standing.kind != b->standing.kind || !same(a->standing.device, b->standing.device))
			return true;
		break;
	case ROW_GRANT:
		if (!same(a->grant.clip, b->grant.clip) || !same(a->grant.agency, b->grant.agency))
			return true;
		if (!same(a->grant.device, b->grant.device)) return true;
		break;
	case ROW_CREDENTIAL: return a->credential.kind != b->credential.kind;
	case ROW_RULES:
	case ROW_JOB: return false;
	default: break;
	}
	return !span_eq(row_parent(old, 0), row_parent(r, 0)) ||
		   !span_eq(row_parent(old, 1), row_parent(r, 1));
}

static const char *check_put(const struct state_index *ix, const struct change *c, size_t n) {
	const struct row *r = c->ops[n].row, *old = before(ix, c, n);
	if (old && leaves_absorbing(old, r)) return "absorbing";
	if (old && changes_owner(old, r)) return "owner";
	for (int which = 0; which < 2; which++) {
		enum row_kind kind = parent_kind(r, which);
		if (kind == ROW_NONE || (old && (is_ended(r) || !is_lasting(r, which)))) continue;
		if (!after(ix, c, kind, row_parent(r, which))) return "parent";
	}
	return NULL;
}

/* Does a live row of that kind still name the deleted parent? */
static bool has_children(const struct state_index *ix, const struct change *c,
						 const struct row *gone, enum row_kind kind, int which) {
	const struct row *r = state_index_first(ix, kind, which, row_key(gone));
	for (; r; r = state_index_after(r, which)) {
		if (parent_kind(r, which) != gone->kind || !is_lasting(r, which)) continue;
		const struct row *now = after(ix, c, kind, row_key(r));
		if (now && !is_ended(now)) return true;
	}
	return false;
}

static const char *check_del(const struct state_index *ix, const struct change *c,
							 const struct row *gone) {
	if (after(ix, c, gone->kind, row_key(gone))) return NULL; /* put again later in this change */
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		for (int which = 0; which < 2; which++) {
			bool may = parents[kind].kind[which] == gone->kind || kind == ROW_CREDENTIAL;
			if (may && has_children(ix, c, gone, (enum row_kind)kind, which)) return "children";
		}
	}
	return NULL;
}

const char *state_check_change(const struct state_index *ix, const struct change *c) {
	if (c->count > CHANGE_OPS_MAX) return "count";
	for (size_t i = 0; i < c->count; i++) {
		const char *bad = "kind";
		const struct row_op *op = &c->ops[i];
		if (op->del ? !row_desc(op->row->kind) : row_validate(op->row, &bad) != ERR_NONE)
			return bad;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct row_op *op = &c->ops[i];
		const char *bad = op->del ? check_del(ix, c, op->row) : check_put(ix, c, i);
		if (bad) return bad;
	}
	return NULL;
}

const char *state_check_loaded(const struct state_index *ix, const struct row *r) {
	for (int which = 0; which < 2; which++) {
		enum row_kind kind = parent_kind(r, which);
		if (kind == ROW_NONE || is_ended(r) || !is_lasting(r, which)) continue;
		if (!state_index_get(ix, kind, row_parent(r, which))) return "parent";
	}
	return NULL;
}
