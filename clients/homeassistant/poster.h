/* Brings the poster of a clip, a small picture, from its device: what to ask for next, and what came.
 * Chunks come at QoS 0 and may be lost; then it is asked for again from where our copy ends, a few
 * times. The latest clip wins. Pure: time is an argument, messages are the caller's.
 *
 *     poster_begin(&p, clip, length, now);
 *     if (poster_next(&p, now, &offset, &len)) publish(ClipPull{POSTER, offset, len});     after each event
 *     if (poster_take(&p, now, clip, chunk)) ... poster_jpeg(&p)                           each chunk
 */
#ifndef HOMEASSISTANT_POSTER_H
#define HOMEASSISTANT_POSTER_H

#include "lib/buf.h"
#include "proto/codec.h"
#include "proto/uuid.h"

enum {
	POSTER_BYTES_MAX = 98304, /* with its topic below the broker's usual max_packet_size */
	POSTER_RETRY_MS = 3000,
	POSTER_TRIES = 5
};

struct poster {
	char clip[UUID_TEXT_SIZE]; /* "": none is wanted */
	uint32_t length;
	unsigned tries;
	int64_t due_ms; /* when to ask (again) */
	struct buf bytes;
};

void poster_init(struct poster *p); /* allocates nothing */
void poster_fini(struct poster *p);

/* Begins anew, whatever was under way. False, and nothing is wanted: not a clip id, or length is 0
 * or above POSTER_BYTES_MAX. */
bool poster_begin(struct poster *p, struct span clip, uint64_t length, int64_t now_ms);

/* Is it time to ask? Gives up after POSTER_TRIES. */
bool poster_next(struct poster *p, int64_t now_ms, uint64_t *offset, uint32_t *len);

/* True: this chunk made it whole; the bytes are good until the next call of poster_begin or
 * poster_fini, and nothing more is wanted. clip: from the chunk's topic. */
bool poster_take(struct poster *p, int64_t now_ms, struct span clip,
				 const Vestibule__V1__ClipChunk *chunk);

/* The bytes, when they look like a JPEG; else empty. A sealed poster does not: only the people of
 * the home can open it, and it stays as it is. */
struct span poster_jpeg(const struct poster *p);

#endif
