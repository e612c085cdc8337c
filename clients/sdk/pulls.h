/* Pulls that wait and the chunks that answer them. A pull asks for up to 1 MiB of one part of one
 * clip; it is answered with chunks of at most 64 KiB, one at a time, the pulls taking turns so that
 * nobody waits for another's whole clip. What does not fit into the fixed table is dropped: who
 * pulls asks again. Buffers for a chunk exist only while pulls wait. Not here: MQTT, and where the
 * bytes come from (a callback). One owner, no lock. */
#ifndef SDK_PULLS_H
#define SDK_PULLS_H

#include "clients/sdk/vestibule_device.h"
#include "proto/codec.h"
#include "proto/topic.h"
#include "proto/uuid.h"

enum { PULLS_MAX = 32 };

struct pull {
	uint8_t clip_id[UUID_BYTES];
	char clip[TOPIC_CLIP_LEN + 1];
	char username[TOPIC_USERNAME_MAX + 1];
	enum vestibule_part part;
	uint64_t offset; /* of the next chunk */
	uint64_t left;
};

struct pulls {
	struct pull all[PULLS_MAX]; /* the first is served next */
	size_t count;
	uint8_t *piece; /* VESTIBULE_CHUNK_BYTES, while count > 0 */
	struct buf encoded;
	struct codec *codec; /* borrowed */
	vestibule_clip_read_fn *read;
	void *ctx;
};

void pulls_init(struct pulls *p, struct codec *codec, vestibule_clip_read_fn *read, void *ctx);
void pulls_clear(struct pulls *p); /* forgets all pulls and frees the buffers */

/* Takes a pull from its message: clip and username as the topic has them, bytes a ClipPull. One
 * that waits already is not taken twice. ERR_INPUT: not a valid ClipPull or clip id; ERR_LIMIT: the
 * table is full; ERR_NOMEM. */
enum err pulls_add(struct pulls *p, const char *clip, const char *username,
				   struct span bytes) MUST_CHECK;

/* The next chunk: its receiver in *to (clip and username), its encoding in *payload, borrowed until
 * the next call. The pull moves behind the others, or is forgotten with its last chunk. ERR_ABSENT:
 * no pull waits; ERR_NOMEM: the pull was dropped. */
enum err pulls_next(struct pulls *p, struct pull *to, struct span *payload) MUST_CHECK;

#endif
