/* What an event of a device says, out of protobuf or JSON. Protobuf is held against every rule of
 * the codec; of JSON only what is needed here is read: the broker judges the rest, and its answer is
 * checked. One thread. */
#ifndef CONFORM_SAID_H
#define CONFORM_SAID_H

#include "proto/codec.h"
#include "proto/uuid.h"

enum { SAID_JSON_MAX = 8192 /* proto/README.md, "JSON in" */ };

struct said {
	enum codec_kind kind; /* CODEC_RING, CODEC_MOTION or CODEC_CLIP_READY */
	uint8_t event_id[UUID_BYTES];
	uint64_t seq;
	/* the rest of CODEC_CLIP_READY */
	uint8_t clip_id[UUID_BYTES];
	uint64_t payload_length;
	uint8_t sha256[32];
	uint32_t poster_length;
};

size_t said_bytes_max(enum codec_kind kind, struct span payload); /* the limit of its form */

/* ERR_INPUT, ERR_LIMIT: why says field and limit; ERR_NOMEM. */
enum err said_read(struct codec *codec, enum codec_kind kind, struct span payload, struct said *out,
				   struct codec_fault *why) MUST_CHECK;

#endif
