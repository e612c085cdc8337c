/* One clip on its way from a device into the storage: held bytes are hashed again after a restart,
 * the rest is pulled through a window, hashed and written, and committed only when length and
 * SHA-256 are what the job said. No network here: the caller sends what copy_pull() asks for and
 * hands in what arrives. Memory: one window (1 MiB) and a little, however long the clip is. Time is
 * an argument (boot milliseconds). One thread.
 *
 *     copy_chunk() when a chunk arrives; on each turn:
 *     while (copy_pull(c, now, &offset, &length)) send it;
 *     switch (copy_step(c, now)) ...
 */
#ifndef RELAY_COPY_H
#define RELAY_COPY_H

#include "clients/relay/backend.h"
#include "clients/relay/outbox.h"
#include "vestibule/v1/event.pb-c.h"

enum {
	COPY_STALL_MS = 30000,            /* no new byte for so long: leave the place to another clip */
	COPY_MARK_BYTES = 4 * 1024 * 1024 /* durable so often, and remembered for resuming */
};

enum copy_result {
	COPY_BUSY = 0, /* go on */
	COPY_MARK,     /* go on; copy_held() has grown: record it */
	COPY_VERIFIED, /* go on; every byte is here and right: record it before the commit that follows
					*/
	COPY_STORED,   /* committed */
	COPY_GONE,     /* the device no longer has the clip */
	COPY_STALLED,  /* silence; what is here is kept */
	COPY_MISMATCH, /* length or SHA-256 is wrong: nothing of it is worth keeping */
	COPY_STORAGE   /* the backend failed or is full: its why() tells; what is here is kept */
};

struct copy;

/* o: borrowed for the call; backend: kept. *out is NULL when there is nothing to do or it cannot be
 * done: the result then is COPY_STORED (whole object there already), COPY_BUSY (backend says later)
 * or COPY_STORAGE (also: no memory). */
enum copy_result copy_new(struct backend *backend, const struct outbox_object *o, int64_t boot_ms,
						  struct copy **out);
/* keep: partial bytes may be taken up later. NULL is fine. */
void copy_free(struct copy *c, bool keep);

bool copy_pull(struct copy *c, int64_t boot_ms, uint64_t *offset,
			   uint32_t *length); /* what to ask the device for */
void copy_reconnected(
	struct copy *c, int64_t boot_ms); /* what was asked is lost, the silence was not the device's */
void copy_chunk(struct copy *c, const Vestibule__V1__ClipChunk *chunk, int64_t boot_ms);
/* Hashes, writes, commits what it can without waiting; after any result but BUSY, MARK and VERIFIED
 * only copy_free. */
enum copy_result copy_step(struct copy *c, int64_t boot_ms);

/* Before an end that keeps: makes durable what is written, if the storage can; copy_held() tells
 * how much. */
void copy_park(struct copy *c);
uint64_t copy_held(const struct copy *c); /* bytes that are durable in the backend */
bool copy_has_work(const struct copy *c); /* step again without sleeping */
int64_t copy_due_ms(
	const struct copy *c); /* boot time at which pull or step has something to do by itself */

#endif
