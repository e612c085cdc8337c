/* Copies for clients that a kick of ours has sent away. The broker forgets to pay back, until the
 * session is resumed once more, what a purge dropped (BROKER 4): a session whose queue was full of
 * one home's copies would lose every other home's meanwhile, and at QoS 0 nothing waits for it at
 * all. So from the kick until the client is back, and not to be kicked again, its copies are kept
 * here, in their order, and the broker gets none. Then they follow, each asked about again: a grant
 * may have ended meanwhile (I5).
 *
 *     resend_away(r, id, now);              kicked
 *     resend_put(r, id, topic, ...)         READ would have allowed this copy
 *     resend_back(r, id, clean);            it has logged in
 *     resend_tick(r, now, &world);          sends what may go
 *
 * Only while somebody is away is anything looked up. Broker thread only. */
#ifndef PLUGIN_RESEND_H
#define PLUGIN_RESEND_H

#include "lib/clock.h"
#include "plugin/outbound.h"

enum {
	RESEND_PER_CLIENT = 1000,    /* copies; one more is the broker's */
	RESEND_BYTES_MAX = 16777216, /* of all copies, with their names */
	RESEND_AWAY_MS = 60000,      /* who is not back by then: its copies go to the broker's queue */
	RESEND_AT_ONCE = 50, /* to one client and RESEND_EVERY_MS: the broker's own queue is short */
	RESEND_EVERY_MS = 100
};

struct resend;

struct resend *resend_new(uint64_t seed0, uint64_t seed1); /* NULL: no memory */
void resend_free(struct resend *r);                        /* drops what waits; NULL is fine */

/* Kicked just now. Without memory nothing is kept for it, and its copies are the broker's. */
void resend_away(struct resend *r, struct span client_id, struct moment now);
/* Logged in; nothing when it was not away. clean: it wants nothing of its old session. */
void resend_back(struct resend *r, struct span client_id, bool clean);

bool resend_is_idle(const struct resend *r); /* nobody is away */

/* Everything is copied. ERR_ABSENT: it is not away. ERR_LIMIT, ERR_NOMEM: not kept. */
enum err resend_put(struct resend *r, struct span client_id, struct span topic, struct span payload,
					uint8_t qos) MUST_CHECK;

struct resend_world {
	bool (*is_leaving)(void *ctx,
					   const char *client_id); /* to be kicked again: it waits for that */
	bool (*may_go)(void *ctx, const struct outbound_packet *p); /* false: dropped */
	outbound_send_fn *send;
	void *ctx;
};

/* In TICK, behind the kicks. */
void resend_tick(struct resend *r, struct moment now, const struct resend_world *w);

#endif
