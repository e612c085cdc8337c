/* The three events and the claims of a device as protobuf bytes, and back as far as the spool needs them.
 * Everything is checked by proto/codec.h on the way out and on the way in, so that what the spool
 * holds is what the broker accepts. Not here: when, where and how often they are sent. Pure but for
 * allocation; any thread. */
#ifndef SDK_MESSAGE_H
#define SDK_MESSAGE_H

#include "clients/sdk/vestibule_device.h"
#include "proto/codec.h"
#include "proto/uuid.h"

struct message_head { /* the fields that all events share */
	uint8_t event_id[UUID_BYTES];
	uint64_t at_ms;
	bool synced;
	uint64_t seq;
};

/* Appends the encoding to out. ERR_INPUT, ERR_LIMIT: *why names field and limit; ERR_NOMEM. */
enum err message_ring(const struct message_head *head, struct buf *out,
					  struct codec_fault *why) MUST_CHECK;
enum err message_motion(const struct message_head *head, enum vestibule_motion kind,
						uint32_t permille, struct buf *out, struct codec_fault *why) MUST_CHECK;
enum err message_clip(const struct message_head *head, const struct vestibule_clip *clip,
					  struct buf *out, struct codec_fault *why) MUST_CHECK;

/* token_sha256: 32 bytes; both NULL for a reset. */
enum err message_claim(const struct message_head *head, const char *username,
					   const uint8_t *token_sha256, struct buf *out,
					   struct codec_fault *why) MUST_CHECK;

/* Decodes one event of the kind. Errors as codec_decode. */
enum err message_read(struct codec *c, enum vestibule_kind kind, struct span bytes,
					  struct message_head *out) MUST_CHECK;

size_t message_bytes_max(void); /* of any of the three */

#endif
