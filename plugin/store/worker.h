/* The store thread and its two queues; nothing else is shared between the threads (DESIGN 6). The
 * broker's thread puts changes in; the worker commits them in order, several at a time when several
 * wait, and reports the highest durable seq. A commit that fails with ERR_STORE is tried again for
 * ever, with a pause that doubles from 50 ms to 5 s: nothing is dropped, nothing is reordered,
 * nothing is rolled back. What held a denial is marked outside the database as well (store.h, mark)
 * before it counts as durable. The broker's thread never waits here: the mutex is held for a pointer's
 * swap only, never across a disk operation.
 *
 * Threads: all functions are the broker thread's. Signals are blocked in the worker's thread. */
#ifndef STORE_WORKER_H
#define STORE_WORKER_H

#include "plugin/store/store.h"

enum {
	WORKER_QUEUE_MAX = 4096, /* changes waiting; above it only denials are taken */
	WORKER_BATCH_MAX = 64    /* changes committed in one transaction */
};

struct worker;

/* Starts the thread; s becomes the worker's until worker_stop, which closes it. NULL: no memory or
 * no thread (s stays the caller's). */
struct worker *worker_start(struct store *s, uint64_t durable_seq);

/* Copies c into the queue. ERR_LIMIT: WORKER_QUEUE_MAX waiting and not `denial`; ERR_NOMEM: not
 * queued (a denial then must be offered again: the caller keeps it). Never waits for I/O. */
enum err worker_put(struct worker *w, const struct change *c, bool denial) MUST_CHECK;

struct worker_report {
	uint64_t durable_seq; /* highest committed */
	bool failing;         /* the last try failed; why says how; it goes on trying */
	bool broken;          /* ERR_INPUT: will never succeed; nothing more is tried */
	size_t waiting;       /* changes not yet durable */
	char why[STORE_WHY_SIZE];
};

bool worker_has_news(const struct worker *w); /* one atomic load: for the head of every callback */
struct worker_report worker_report(struct worker *w); /* takes the news */
bool worker_room(const struct worker *w); /* would worker_put take a change that is not a denial? */

/* Commits what waits, but gives up after timeout_ms (a hung disk must not hold up the broker's
 * exit); closes the store when the thread ended, else abandons both. */
void worker_stop(struct worker *w, int timeout_ms);

#endif
