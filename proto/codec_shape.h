/* One value against one rule. Inside proto/ only. Pure; any thread. */
#ifndef PROTO_CODEC_SHAPE_H
#define PROTO_CODEC_SHAPE_H

#include "proto/codec_rules.h"

/* member points at the field inside the message's struct (or at one element of a list); not for
 * messages. ERR_LIMIT: outside its minimum or maximum. ERR_INPUT: missing, or of the wrong shape.
 */
enum err codec_shape_check(const struct codec_rule *rule, const ProtobufCFieldDescriptor *f,
						   const void *member) MUST_CHECK;

/* The rule in words: "16 bytes, UUIDv7", "0-1000", "at most 96 bytes of text". */
void codec_shape_text(const struct codec_rule *rule, struct buf *out);

/* Raw access for those who walk a message. A number's value; the bytes of a string or bytes field.
 */
int64_t codec_shape_number(const ProtobufCFieldDescriptor *f, const void *member);
struct span codec_shape_bytes(const ProtobufCFieldDescriptor *f, const void *member);

#endif
