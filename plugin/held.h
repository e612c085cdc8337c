/* The queue of what may be told only once it is durable (I3): in the order of the changes, each
 * entry with the seq that must be committed first. An entry is a tell of consent (composed from the
 * rows as they are then) or a finished message. Broker thread only. */
#ifndef PLUGIN_HELD_H
#define PLUGIN_HELD_H

#include "plugin/consent/consent.h"
#include "plugin/outbound.h"

enum { HELD_MAX = 65536 };

struct held_item {
	uint64_t seq;
	struct tell tell;                 /* TELL_NONE: message instead */
	struct outbound_message *message; /* owned by the item */
};

struct held; /* grows up to HELD_MAX items */

struct held *held_new(void);    /* NULL: no memory */
void held_free(struct held *h); /* NULL is fine */

/* Given to h, also on failure. ERR_LIMIT, ERR_NOMEM: dropped and counted; whoever waits for it
 * repeats. */
enum err held_put(struct held *h, struct held_item item) MUST_CHECK;

/* Takes the first item whose seq is durable: false when there is none. out->message is then the
 * caller's. */
bool held_take(struct held *h, uint64_t durable_seq, struct held_item *out);

size_t held_count(const struct held *h);
uint64_t held_lost(const struct held *h);

#endif
