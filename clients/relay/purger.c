/* Deletion, expiry and sweep. */
#include "clients/relay/purger.h"

#include "lib/failpoint.h"
#include "clients/relay/retry.h"

enum {
	PURGER_LOOK = 32 /* rows in one scan */,
	PURGER_FOUND = 64 /* orphans in one round of a sweep */,
	PURGER_AGAIN_MS = 200 /* the storage is at it: look again soon */
};

struct purger {
	struct core *core;
	struct transfers *transfers;
	int64_t scan_ms;  /* boot time */
	int64_t sweep_ms; /* boot time */
};

struct purger *purger_new(struct core *core, struct transfers *transfers) {
	struct purger *p = calloc(1, sizeof(*p));
	if (p) *p = (struct purger){.core = core, .transfers = transfers};
	return p;
}

void purger_free(struct purger *p) {
	free(p);
}

void purger_kick(struct purger *p) {
	p->scan_ms = 0;
}

int purger_wait_ms(const struct purger *p) {
	int64_t wait = p->scan_ms - p->core->now.boot_ms;
	return wait <= 0 ? 0 : wait > CORE_SCAN_MS ? CORE_SCAN_MS : (int)wait;
}

/* The object's row, or one that knows no more than the name. */
static enum err row_of(struct purger *p, const char *object, struct outbox_object *o) {
	enum err e = outbox_get(p->core->outbox, object, o);
	if (e != ERR_ABSENT) return e;
	*o = (struct outbox_object){.state = OUTBOX_NONE};
	return span_copy(span_str(object), o->name, sizeof(o->name)) ? ERR_NONE : ERR_INPUT;
}

static enum err mark_deleting(struct purger *p, struct outbox_object *o,
							  const struct outbox_job *job) {
	if (o->state != OUTBOX_DELETED && o->state != OUTBOX_DELETING) {
		o->state = OUTBOX_DELETING;
		o->attempts = 0;
		o->next_ms = 0;
	}
	enum err e = core_put(p->core, o, job);
	(void)failpoint_hit("purge-recorded");
	purger_kick(p);
	return e;
}

enum err purger_object(struct purger *p, const char *object, const struct outbox_job *job) {
	struct outbox_object o;
	(void)failpoint_hit("purge-arrived");
	/* deny first: the row follows, and a failure here is met again when the row is worked off */
	transfers_drop(p->transfers, object);
	(void)p->core->backend->ops->remove(p->core->backend, object);
	enum err e = row_of(p, object, &o);
	if (e == ERR_STORE) core_outbox_trouble(p->core, object);
	return e == ERR_NONE ? mark_deleting(p, &o, job) : e;
}

/* Removes, and looks whether it is gone. AGAIN: the storage is at it. */
static enum backend_result prove_gone(struct purger *p, const char *object) {
	struct backend *b = p->core->backend;
	uint64_t length;
	enum backend_result r = b->ops->remove(b, object);
	if (r != BACKEND_DONE) return r;
	r = b->ops->stat(b, object, &length);
	return r == BACKEND_DONE ? BACKEND_FAILED : r;
}

static void delete_one(struct purger *p, struct outbox_object *o) {
	enum backend_result r = prove_gone(p, o->name);
	if (r == BACKEND_AGAIN) {
		p->scan_ms = p->core->now.boot_ms + PURGER_AGAIN_MS;
		return;
	}
	if (r == BACKEND_ABSENT) {
		int64_t settle_ms = p->core->backend->settle_ms;
		(void)failpoint_hit("purge-removed");
		o->state = OUTBOX_DELETED;
		o->next_ms = settle_ms ? p->core->now.utc_ms + settle_ms : 0;
	} else {
		core_storage_trouble(p->core, o->name);
		o->next_ms = core_later_ms(p->core, o->attempts, RETRY_DELETE_MS);
		if (o->attempts < UINT32_MAX) o->attempts++;
	}
	if (core_put(p->core, o, NULL) != ERR_NONE || o->state != OUTBOX_DELETED) return;
	(void)failpoint_hit("purge-done");
	log_line(p->core->log, LOG_INFO, "purged", "object", o->name, NULL);
	purger_kick(p); /* there may be more than one look holds */
}

static void delete_due(struct purger *p) {
	struct outbox_object rows[PURGER_LOOK];
	size_t count = 0;
	if (outbox_due(p->core->outbox, OUTBOX_DELETING, p->core->now.utc_ms, rows, PURGER_LOOK,
				   &count) != ERR_NONE) {
		core_outbox_trouble(p->core, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++) delete_one(p, &rows[i]);
}

/* The second removal: an upload that was cut off may have taken effect after the first. */
static void settle_one(struct purger *p, const struct outbox_object *o) {
	enum backend_result r = prove_gone(p, o->name);
	int64_t next_ms = 0;
	if (r == BACKEND_AGAIN) {
		p->scan_ms = p->core->now.boot_ms + PURGER_AGAIN_MS;
		return;
	}
	if (r == BACKEND_ABSENT) {
		(void)failpoint_hit("s3-settled");
		log_line(p->core->log, LOG_INFO, "settled", "object", o->name, NULL);
	} else {
		core_storage_trouble(p->core, o->name);
		next_ms = p->core->now.utc_ms + RETRY_DELETE_MS;
	}
	if (outbox_settle(p->core->outbox, o->name, next_ms) != ERR_NONE)
		core_outbox_trouble(p->core, o->name); /* it is found again */
}

static void settle_due(struct purger *p) {
	struct outbox_object rows[PURGER_LOOK];
	size_t count = 0;
	if (outbox_settling(p->core->outbox, p->core->now.utc_ms, rows, PURGER_LOOK, &count) !=
		ERR_NONE) {
		core_outbox_trouble(p->core, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++) settle_one(p, &rows[i]);
}

/* A deletion cannot be undone: it waits for a clock that can be trusted (links are refused
 * meanwhile). */
static void expire(struct purger *p) {
	struct outbox_object rows[PURGER_LOOK];
	size_t count = 0;
	if (!p->core->now.sound) return;
	if (outbox_expired(p->core->outbox, p->core->now.utc_ms, rows, PURGER_LOOK, &count) !=
		ERR_NONE) {
		core_outbox_trouble(p->core, NULL);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		log_line(p->core->log, LOG_INFO, "expired", "object", rows[i].name, NULL);
		if (purger_object(p, rows[i].name, NULL) != ERR_NONE)
			return; /* told there; the next scan goes on */
	}
}

/* --- sweep --- */

struct sweep {
	struct purger *purger;
	char found[PURGER_FOUND][BACKEND_NAME_SIZE];
	size_t count;
	bool more;
};

/* Wanted: anything on its way, stored, or being deleted already. A row that cannot be read condemns
 * nothing. */
static void consider(void *ctx, const char *name) {
	struct sweep *s = ctx;
	struct outbox_object o;
	enum err e = outbox_get(s->purger->core->outbox, name, &o);
	bool orphan =
		e == ERR_ABSENT || (e == ERR_NONE && (o.state == OUTBOX_DELETED || o.state == OUTBOX_GONE));
	if (!orphan) return;
	if (s->count == PURGER_FOUND)
		s->more = true;
	else
		(void)span_copy(span_str(name), s->found[s->count++],
						BACKEND_NAME_SIZE); /* 32 digits: the backend's promise */
}

static void sweep(struct purger *p) {
	struct core *c = p->core;
	struct sweep s = {.purger = p};
	enum backend_result r = c->backend->ops->list(c->backend, c->now, consider, &s);
	if (r == BACKEND_FAILED) core_storage_trouble(c, NULL);
	for (size_t i = 0; i < s.count; i++) {
		log_line(c->log, LOG_WARN, "orphan", "object", s.found[i], NULL);
		if (purger_object(p, s.found[i], NULL) != ERR_NONE) s.more = true;
		/* under a tombstone there is no deletion left but this one */
		if (outbox_settle(c->outbox, s.found[i], 1) != ERR_NONE) s.more = true;
	}
	if (outbox_forget(c->outbox, c->now.utc_ms) != ERR_NONE) core_outbox_trouble(c, NULL);
	bool done = r == BACKEND_DONE && !s.more;
	p->sweep_ms = c->now.boot_ms + (done                  ? PURGER_SWEEP_MS
									: r == BACKEND_FAILED ? RETRY_DELETE_MS
														  : CORE_SCAN_MS);
}

void purger_turn(struct purger *p) {
	if (p->core->now.boot_ms < p->scan_ms) return;
	p->scan_ms = p->core->now.boot_ms + CORE_SCAN_MS;
	if (p->core->now.boot_ms >= p->sweep_ms && p->core->now.sound) sweep(p);
	expire(p);
	delete_due(p);
	settle_due(p);
}
