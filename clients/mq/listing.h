/* Items of a sync answer, gathered before they are printed: the answer may be asked for again from
 * its start, so that an item can come twice (exchange.h); here each appears once, in its latest
 * form, oldest first. One thread, one owner.
 *
 *     struct listing l; listing_init(&l);
 *     listing_add(&l, at_ms, id, buf_view(&line)); ...      in the sink
 *     ok = listing_print(&l); listing_fini(&l);
 */
#ifndef MQ_LISTING_H
#define MQ_LISTING_H

#include "lib/err.h"
#include "lib/span.h"

enum { LISTING_ITEMS_MAX = 200000, LISTING_BYTES_MAX = 268435456 };

struct listing_item;

struct listing {
	struct listing_item *items; /* owned */
	size_t count;
	size_t cap;
	size_t bytes;
	enum err error; /* sticks, as in buf.h */
};

void listing_init(struct listing *l); /* allocates nothing */
void listing_fini(struct listing *l);

/* Copies the text (one or more lines without the last line feed). key: what the item is, borrowed
 * for the call; items are printed by at_ms, then by key. Errors stick: ERR_NOMEM, or ERR_LIMIT over
 * one of the limits. */
void listing_add(struct listing *l, uint64_t at_ms, struct span key, struct span text);

/* Prints to stdout. False: an error stuck, or stdout failed; a sentence is on stderr. */
bool listing_print(struct listing *l) MUST_CHECK;

#endif
