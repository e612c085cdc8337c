/* The clips that are being copied right now: at most TRANSFERS_MAX, each with its own chunk topic.
 * Takes due objects from the outbox, asks devices, feeds copy.c, and writes down how it ended.
 * Never two of one clip at a time (they would share a topic). An end that the outbox would not
 * record is kept and written again until it does. One thread. */
#ifndef RELAY_TRANSFERS_H
#define RELAY_TRANSFERS_H

#include "clients/relay/core.h"

enum { TRANSFERS_MAX = 4 };

struct transfers;

struct transfers *transfers_new(struct core *core); /* core: kept. NULL: no memory */
void transfers_free(
	struct transfers *t); /* parks what runs, so that it resumes at the next start */

void transfers_turn(struct transfers *t); /* each turn of the loop */
void transfers_kick(struct transfers *t); /* the outbox has news: look at the next turn */
int transfers_wait_ms(const struct transfers *t);

bool transfers_chunk(struct transfers *t, struct span topic,
					 struct span payload); /* false: not one of ours */
void transfers_refused(struct transfers *t,
					   const char *filter); /* the broker would not let us subscribe */
void transfers_connected(struct transfers *t);
void transfers_drop(struct transfers *t,
					const char *object); /* at once, keeping nothing; writes no row */

#endif
