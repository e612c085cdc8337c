/* Which piece of a clip to ask the device for next. Chunks come at QoS 0: they may be lost,
 * repeated, or arrive after we asked again. So the file grows strictly from front to back: a chunk
 * that continues it is taken, older bytes are dropped, a hole makes us ask again from where the
 * file ends. Bounded twice: at most PULL_WINDOW bytes are asked for ahead of the file, and nothing
 * beyond the announced length is ever taken. Pure: time is an argument, bytes are the caller's. No
 * I/O here.
 *
 *     pull_init(&p, length, have, now);
 *     while (pull_next(&p, now, &offset, &len)) publish(ClipPull{offset, len});      after each
 * event switch (pull_take(&p, now, chunk, &fresh)) ...                                  for each
 * ClipChunk
 */
#ifndef HOME_PULL_H
#define HOME_PULL_H

#include "lib/span.h"
#include "proto/codec.h"

enum {
	PULL_PIECE = 262144,  /* bytes of one request */
	PULL_WINDOW = 524288, /* bytes asked for and not yet here */
	PULL_RETRY_MS = 3000, /* nothing came: ask again, then after twice as long, and so on */
	PULL_RETRY_MAX_MS = 30000
};

struct pull {
	uint64_t length;  /* of the whole payload, as ClipReady announced it */
	uint64_t have;    /* bytes of the file, from its start */
	uint64_t asked;   /* end of what was asked for; have <= asked <= length */
	uint64_t hole_at; /* where a hole made us ask again last; UINT64_MAX: nowhere yet */
	int64_t retry_ms; /* present patience */
	int64_t waits_since_ms;
};

/* have: bytes that are there already (a resumed file), at most length. */
void pull_init(struct pull *p, uint64_t length, uint64_t have, int64_t now_ms);

/* Is there a range to ask for now? Then it is counted as asked. */
bool pull_next(struct pull *p, int64_t now_ms, uint64_t *offset, uint32_t *len);

enum pull_verdict {
	PULL_IGNORE = 0, /* nothing new in it, a hole before it, or another part */
	PULL_TAKE,       /* append *fresh to the file; counted as there */
	PULL_GONE,       /* the device no longer has the clip */
	PULL_WRONG /* the device's idea of the clip is not the announced one (range refused, too long or
				  short) */
};

/* *fresh points into the chunk, and is not empty, when the verdict is PULL_TAKE. */
enum pull_verdict pull_take(struct pull *p, int64_t now_ms, const Vestibule__V1__ClipChunk *chunk,
							struct span *fresh);

bool pull_is_done(const struct pull *p);

#endif
