/* Sync: what a credential may know of the state, answered from memory in Reply parts (DESIGN 3:
 * state is what counts, messages are hints). Only what is durable is told. What each role gets is
 * the table in sync.c; asked for something else, it gets an empty last part: the same answer as for
 * nothing there.
 *
 * Broker thread only; allocates one encoding buffer a call. */
#ifndef PLUGIN_SYNC_H
#define PLUGIN_SYNC_H

#include "plugin/compose.h"

enum {
	SYNC_PARTS_MAX = 64
}; /* an answer that would be longer ends there: ask again with since_ms */

struct sync_opts {
	const struct state *st;
	struct compose *compose;
	const struct row_credential *who;
	struct moment now;
	/* A job is being told to a relay: false leaves it out (not due, its device offline, too many
	 * open). May be NULL. */
	bool (*issue)(void *ctx, const struct row_job *job);
	/* One encoded part; false ends the answer. */
	bool (*send)(void *ctx, struct span part);
	void *ctx;
};

/* ERR_NOMEM, ERR_LIMIT: the answer is incomplete, without a last part; the client asks again. */
enum err sync_answer(const struct sync_opts *o, const Vestibule__V1__Sync *sync) MUST_CHECK;

#endif
