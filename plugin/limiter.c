/* See limiter.h. */
#include "plugin/limiter.h"

#include "lib/table.h"
#include "plugin/policy/row.h"

/* A token bucket as one number: the time at which it will be full again. */
struct bucket {
	int64_t full_at_ms;
};

static bool bucket_take(struct bucket *b, int64_t boot_ms, int64_t burst, int64_t every_ms) {
	int64_t full_at = b->full_at_ms > boot_ms ? b->full_at_ms : boot_ms;
	if (full_at - boot_ms > (burst - 1) * every_ms) return false;
	b->full_at_ms = full_at + every_ms;
	return true;
}

struct times {
	int64_t at_ms[LIMIT_KEPT];
	size_t count; /* ever taken */
};

struct device {
	char id[ROW_ID_SIZE];
	struct times taken[LIMITER_KINDS];
	uint8_t ids[LIMIT_IDS][16];
	size_t id_count; /* ever */
	struct bucket ingress;
	struct log_gate lines;
	uint64_t hole;     /* lowest seq of a clip passed over and not come again; 0: none */
	uint64_t last_seq; /* of the last clip, taken or not */
	int64_t used_boot_ms;
};

struct principal {
	char username[ROW_ID_SIZE];
	struct bucket bucket[LIMITER_BUCKETS];
	struct log_gate lines, refusals;
	int64_t used_boot_ms;
};

struct limiter {
	struct log *log;
	struct table devices, principals;
	uint64_t limited;
};

struct limiter *limiter_new(uint64_t seed0, uint64_t seed1, struct log *log) {
	struct limiter *l = calloc(1, sizeof(*l));
	if (!l) return NULL;
	l->log = log;
	table_init(&l->devices, seed0, seed1);
	table_init(&l->principals, seed1, seed0);
	return l;
}

void limiter_free(struct limiter *l) {
	if (!l) return;
	size_t at = 0;
	for (void *v; (v = table_next(&l->devices, &at));) free(v);
	at = 0;
	for (void *v; (v = table_next(&l->principals, &at));) free(v);
	table_fini(&l->devices);
	table_fini(&l->principals);
	free(l);
}

static struct device *need_device(struct limiter *l, struct span id) {
	struct device *d = table_get(&l->devices, id);
	if (d) return d;
	d = calloc(1, sizeof(*d));
	if (!d) return NULL;
	if (!span_copy(id, d->id, sizeof(d->id)) ||
		table_put(&l->devices, span_str(d->id), d, NULL) != ERR_NONE) {
		free(d);
		return NULL;
	}
	return d;
}

static bool is_known(const struct device *d, const uint8_t id[16]) {
	size_t n = d->id_count < LIMIT_IDS ? d->id_count : LIMIT_IDS;
	for (size_t i = 0; i < n; i++) {
		if (memcmp(d->ids[i], id, 16) == 0) return true;
	}
	return false;
}

/* Would one more at that time make more than max in some minute that begins or ends with it? */
static bool is_full(const struct times *t, int64_t at_ms, size_t max) {
	size_t before = 0, after = 0, n = t->count < LIMIT_KEPT ? t->count : LIMIT_KEPT;
	for (size_t i = 0; i < n; i++) {
		int64_t x = t->at_ms[i];
		if (x <= at_ms && at_ms - x < LIMIT_WINDOW_MS) before++;
		if (x >= at_ms && x - at_ms < LIMIT_WINDOW_MS) after++;
	}
	return before >= max || after >= max;
}

/* Repeating starts over at the lowest seq without an ack. A device that comes back below what it
 * sent before and above the hole has given that event up, and may be told so. */
static void follow(struct device *d, uint64_t seq) {
	if (d->hole && seq > d->hole && seq <= d->last_seq) d->hole = 0;
	d->last_seq = seq;
}

static void count(struct limiter *l, struct log_gate *lines, const char *key, const char *who,
				  const char *what, struct moment now) {
	l->limited++;
	if (!log_gate_open(lines, now.boot_ms, 1, LIMIT_LOG_EVERY_MS)) return;
	char more[16];
	(void)snprintf(more, sizeof(more), "%u", lines->dropped); /* 16 bytes hold any uint32 */
	log_line(l->log, LOG_WARN, "limited", key, who, "what", what, "suppressed", more, NULL);
}

static void pass_over(struct device *d, uint64_t seq) {
	if (!d->hole || seq < d->hole) d->hole = seq;
}

enum limiter_answer limiter_take(struct limiter *l, struct span device,
								 const struct limiter_event *ev, struct moment now) {
	static const size_t max[LIMITER_KINDS] = {LIMIT_RING_MIN, LIMIT_MOTION_MIN,
											  LIMIT_CLIP_READY_MIN};
	static const char *const names[LIMITER_KINDS] = {"ring", "motion", "clip-ready"};
	struct device *d = need_device(l, device);
	if (!d || !ENSURE((unsigned)ev->kind < LIMITER_KINDS)) return LIMITER_LATER;
	d->used_boot_ms = now.boot_ms;
	if (ev->kind == LIMITER_CLIP) follow(d, ev->seq);
	if (ev->kind != LIMITER_CLIP && is_known(d, ev->event_id)) return LIMITER_REPEATED;
	struct times *t = &d->taken[ev->kind];
	if (is_full(t, ev->effective_ms, max[ev->kind]) ||
		!bucket_take(&d->ingress, now.boot_ms, LIMIT_INGRESS_BURST, LIMIT_INGRESS_MS)) {
		count(l, &d->lines, "device", d->id, names[ev->kind], now);
		if (ev->kind == LIMITER_CLIP) pass_over(d, ev->seq);
		return LIMITER_LATER;
	}
	t->at_ms[t->count++ % LIMIT_KEPT] = ev->effective_ms;
	if (ev->kind != LIMITER_CLIP) memcpy(d->ids[d->id_count++ % LIMIT_IDS], ev->event_id, 16);
	if (d->hole == ev->seq) d->hole = 0;
	return LIMITER_TAKE;
}

void limiter_put_back(struct limiter *l, struct span device, uint64_t seq) {
	struct device *d = need_device(l, device);
	l->limited++;
	if (d) pass_over(d, seq);
}

uint64_t limiter_ack(const struct limiter *l, struct span device, uint64_t value) {
	const struct device *d = table_get(&l->devices, device);
	if (!d || !d->hole || value < d->hole) return value;
	return d->hole - 1;
}

static struct principal *need_principal(struct limiter *l, struct span username,
										struct moment now) {
	struct principal *p = table_get(&l->principals, username);
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p) return NULL;
		if (!span_copy(username, p->username, sizeof(p->username)) ||
			table_put(&l->principals, span_str(p->username), p, NULL) != ERR_NONE) {
			free(p);
			return NULL;
		}
	}
	p->used_boot_ms = now.boot_ms;
	return p;
}

bool limiter_principal(struct limiter *l, struct span username, enum limiter_bucket bucket,
					   struct moment now) {
	static const int64_t burst[LIMITER_BUCKETS] = {LIMIT_COMMAND_BURST, LIMIT_PULL_BURST,
												   LIMIT_CHUNK_BURST, LIMIT_SESSION_BURST};
	static const int64_t every[LIMITER_BUCKETS] = {LIMIT_COMMAND_MS, LIMIT_PULL_MS, LIMIT_CHUNK_MS,
												   LIMIT_SESSION_MS};
	static const char *const names[LIMITER_BUCKETS] = {"command", "pull", "chunk", "session"};
	if (!ENSURE((unsigned)bucket < LIMITER_BUCKETS)) return false;
	struct principal *p = need_principal(l, username, now);
	if (!p) return false;
	if (bucket_take(&p->bucket[bucket], now.boot_ms, burst[bucket], every[bucket])) return true;
	count(l, &p->lines, "who", p->username, names[bucket], now);
	return false;
}

bool limiter_may_log(struct limiter *l, struct span username, struct moment now) {
	struct principal *p = need_principal(l, username, now);
	return p && log_gate_open(&p->refusals, now.boot_ms, LIMIT_LOG_BURST, LIMIT_LOG_EVERY_MS);
}

void limiter_repeated(struct limiter *l, struct span device, uint64_t seq) {
	struct device *d = table_get(&l->devices, device);
	if (d) follow(d, seq);
}

static bool is_done(const struct principal *p, struct moment now) {
	return now.boot_ms - p->used_boot_ms >= LIMIT_IDLE_MS &&
		   p->bucket[LIMITER_SESSION].full_at_ms <= now.boot_ms; /* the others are full long ago */
}

void limiter_sweep(struct limiter *l, struct moment now) {
	enum { AT_ONCE = 256 };
	void *idle[AT_ONCE]; /* a table must not change while it is walked */
	size_t n = 0, at = 0;
	for (struct principal *p; n < AT_ONCE && (p = table_next(&l->principals, &at));) {
		if (is_done(p, now)) idle[n++] = p;
	}
	for (size_t i = 0; i < n; i++) {
		free(table_del(&l->principals, span_str(((struct principal *)idle[i])->username)));
	}
	n = at = 0;
	for (struct device *d; n < AT_ONCE && (d = table_next(&l->devices, &at));) {
		if (!d->hole && now.boot_ms - d->used_boot_ms >= LIMIT_IDLE_MS) idle[n++] = d;
	}
	for (size_t i = 0; i < n; i++) {
		free(table_del(&l->devices, span_str(((struct device *)idle[i])->id)));
	}
}

uint64_t limiter_limited(const struct limiter *l) {
	return l->limited;
}
