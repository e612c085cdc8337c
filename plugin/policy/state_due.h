/* Rows by the time at which they need a look, so that the tick of consent need not walk through all
 * of all homes each second. A binary heap of (time, node); the node remembers its place. Owned by
 * the index (state_index.c), which says what comes and goes. */
#ifndef POLICY_STATE_DUE_H
#define POLICY_STATE_DUE_H

#include "lib/err.h"

enum { STATE_DUE_NONE = 0 }; /* a place: not in the heap */

struct state_due_item {
	int64_t at_ms;
	void *owner;
	size_t *place; /* the owner's: index + 1 */
};

struct state_due {
	struct state_due_item *items; /* owned; items[0] ends first */
	size_t count, cap;
};

void state_due_fini(struct state_due *d);
enum err state_due_reserve(struct state_due *d, size_t n) MUST_CHECK; /* n more; ERR_NOMEM */

/* Room must be reserved. *place: STATE_DUE_NONE before, kept up to date until removed. */
void state_due_add(struct state_due *d, int64_t at_ms, void *owner, size_t *place);
void state_due_del(struct state_due *d, size_t *place); /* STATE_DUE_NONE is fine */

/* The places whose end is at or before until_ms, in no order, without looking at others. place 0:
 * the first. 0: no more. The heap must not change meanwhile. */
size_t state_due_next(const struct state_due *d, int64_t until_ms, size_t place);

#endif
