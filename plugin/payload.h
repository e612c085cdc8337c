/* Is the payload of a WRITE well-formed for its topic? Size first, then the codec (every field),
 * JSON events made protobuf on the way. What the message means is not asked. Broker thread only. */
#ifndef PLUGIN_PAYLOAD_H
#define PLUGIN_PAYLOAD_H

#include "plugin/policy/reason.h"
#include "proto/codec.h"
#include "proto/topic.h"

/* Decodes. REASON_OK: *msg is the message, borrowed until the next decode on c, or NULL for topics
 * without one of ours (status words, apps' topics, $CONTROL). REASON_TOO_LARGE, REASON_MALFORMED:
 * *why names field and limit. REASON_BUSY: no memory. The kind must be one that somebody may write.
 */
enum reason payload_decode(struct codec *c, enum topic_kind kind, struct span payload,
						   ProtobufCMessage **msg, struct codec_fault *why);

/* The event_id of a payload that may be anything, for a Denial; false when it has no readable one.
 */
bool payload_event_id(struct span payload, uint8_t out[16]);

#endif
