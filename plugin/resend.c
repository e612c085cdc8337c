/* See resend.h. */
#include "plugin/resend.h"

#include <sys/queue.h>

#include "lib/table.h"

enum { PASS_EVERY_MS = 10 };

struct copy {
	STAILQ_ENTRY(copy) next;
	struct outbound_message *message;
	size_t bytes;
};

TAILQ_HEAD(away_list, away);

struct away {
	STAILQ_HEAD(copies, copy) copies; /* oldest first */
	size_t count;
	struct away_list *in; /* gone or back */
	int64_t until_boot_ms, next_boot_ms;
	TAILQ_ENTRY(away) of_list;
	size_t id_len;
	char id[];
};

struct resend {
	struct table by_id;          /* owned */
	struct away_list gone, back; /* gone: first kicked first */
	size_t bytes;
	int64_t pass_boot_ms;
};

struct resend *resend_new(uint64_t seed0, uint64_t seed1) {
	struct resend *r = calloc(1, sizeof(*r));
	if (!r) return NULL;
	table_init(&r->by_id, seed0, seed1);
	TAILQ_INIT(&r->gone);
	TAILQ_INIT(&r->back);
	return r;
}

static void drop_first(struct resend *r, struct away *a) {
	struct copy *c = STAILQ_FIRST(&a->copies);
	STAILQ_REMOVE_HEAD(&a->copies, next);
	a->count--;
	r->bytes -= c->bytes;
	outbound_message_free(c->message);
	free(c);
}

static void forget(struct resend *r, struct away *a) {
	while (a->count > 0) drop_first(r, a);
	TAILQ_REMOVE(a->in, a, of_list);
	(void)table_del(&r->by_id, span_of(a->id, a->id_len)); /* the value is a itself */
	free(a);
}

void resend_free(struct resend *r) {
	struct away *a;
	if (!r) return;
	while ((a = TAILQ_FIRST(&r->gone))) forget(r, a);
	while ((a = TAILQ_FIRST(&r->back))) forget(r, a);
	table_fini(&r->by_id);
	free(r);
}

static void move(struct away *a, struct away_list *to) {
	if (a->in) TAILQ_REMOVE(a->in, a, of_list);
	a->in = to;
	TAILQ_INSERT_TAIL(to, a, of_list);
}

static struct away *need(struct resend *r, struct span client_id) {
	struct away *a = table_get(&r->by_id, client_id);
	if (a) return a;
	a = calloc(1, sizeof(*a) + client_id.len + 1);
	if (!a) return NULL;
	STAILQ_INIT(&a->copies);
	a->id_len = client_id.len;
	memcpy(a->id, client_id.ptr, client_id.len);
	if (table_put(&r->by_id, span_of(a->id, a->id_len), a, NULL) == ERR_NONE) return a;
	free(a);
	return NULL;
}

void resend_away(struct resend *r, struct span client_id, struct moment now) {
	struct away *a = client_id.len ? need(r, client_id) : NULL;
	if (!a) return;
	a->until_boot_ms = now.boot_ms + RESEND_AWAY_MS;
	move(a, &r->gone);
}

void resend_back(struct resend *r, struct span client_id, bool clean) {
	struct away *a = resend_is_idle(r) ? NULL : table_get(&r->by_id, client_id);
	if (!a) return;
	if (clean) {
		forget(r, a);
		return;
	}
	a->next_boot_ms = 0;
	move(a, &r->back);
}

bool resend_is_idle(const struct resend *r) {
	return r->by_id.count == 0;
}

enum err resend_put(struct resend *r, struct span client_id, struct span topic, struct span payload,
					uint8_t qos) {
	struct away *a = resend_is_idle(r) ? NULL : table_get(&r->by_id, client_id);
	if (!a) return ERR_ABSENT;
	size_t bytes = sizeof(struct copy) + client_id.len + topic.len + payload.len;
	if (a->count >= RESEND_PER_CLIENT || bytes > RESEND_BYTES_MAX - r->bytes) return ERR_LIMIT;
	struct copy *c = calloc(1, sizeof(*c));
	if (!c) return ERR_NOMEM;
	c->bytes = bytes;
	c->message = outbound_message_new(client_id, topic, payload, qos, false);
	if (!c->message) {
		free(c);
		return ERR_NOMEM;
	}
	STAILQ_INSERT_TAIL(&a->copies, c, next);
	a->count++;
	r->bytes += bytes;
	return ERR_NONE;
}

static void send(struct resend *r, struct away *a, size_t most, const struct resend_world *w) {
	for (; most > 0 && a->count > 0; most--) {
		struct outbound_packet *p = outbound_message_packet(STAILQ_FIRST(&a->copies)->message);
		if (w->may_go(w->ctx, p) && w->send(w->ctx, p)) p->payload = NULL; /* the taker's now */
		drop_first(r, a);
	}
}

void resend_tick(struct resend *r, struct moment now, const struct resend_world *w) {
	struct away *a, *next;
	if (resend_is_idle(r) || now.boot_ms < r->pass_boot_ms) return;
	r->pass_boot_ms = now.boot_ms + PASS_EVERY_MS;
	for (a = TAILQ_FIRST(&r->back); a; a = next) {
		next = TAILQ_NEXT(a, of_list);
		if (now.boot_ms < a->next_boot_ms || w->is_leaving(w->ctx, a->id)) continue;
		a->next_boot_ms = now.boot_ms + RESEND_EVERY_MS;
		send(r, a, RESEND_AT_ONCE, w);
		if (a->count == 0) forget(r, a);
	}
	while ((a = TAILQ_FIRST(&r->gone)) && a->until_boot_ms <= now.boot_ms) {
		send(r, a, a->count, w);
		forget(r, a);
	}
}
