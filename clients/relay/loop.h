/* The relay's one poll loop: sources with a descriptor and a wish, and a curl_multi handle for
 * storage that speaks HTTP. One thread. A turn is: ask every source what it waits for, sleep until
 * the first of it, then let every source run once, in the order they were added, whether or not its
 * descriptor stirred (so a source with a timer or with work left over needs nothing else).
 * Callbacks enqueue, the loop acts: a source must not call loop_turn.
 *
 *     loop_add(l, &(struct loop_source){.fd = my_fd, .events = my_events, .wait_ms = my_wait, .run
 * = my_run, .ctx = me}); while (!stop) if (loop_turn(l) != ERR_NONE) break;
 */
#ifndef RELAY_LOOP_H
#define RELAY_LOOP_H

#include <curl/curl.h>
#include <poll.h>

#include "lib/err.h"

enum { LOOP_SOURCES_MAX = 8, LOOP_SLEEP_MS = 1000 /* a turn comes at least so often */ };

struct loop_source {
	int (*fd)(void *ctx);       /* -1: none at the moment; NULL: never one */
	short (*events)(void *ctx); /* POLLIN, POLLOUT; NULL: POLLIN */
	int (*wait_ms)(void *ctx);  /* how long the loop may sleep; NULL: as long as it likes */
	void (*run)(void *ctx, short revents); /* revents: 0 when nothing stirred */
	void *ctx;
};

struct loop;

struct loop *loop_new(void); /* NULL: no memory. curl_global_init must have been called */
void loop_free(struct loop *l);

/* Copies the source. ERR_LIMIT: LOOP_SOURCES_MAX. There is no removal but by ctx: when its owner is
 * freed. */
enum err loop_add(struct loop *l, const struct loop_source *source) MUST_CHECK;
void loop_remove(struct loop *l, const void *ctx);

CURLM *loop_multi(
	struct loop *l); /* borrowed: easy handles added here make progress on every turn */

enum err loop_turn(struct loop *l)
	MUST_CHECK; /* ERR_NET: poll itself failed, which waiting will not mend */

#endif
