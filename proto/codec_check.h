/* A whole message against its rules, sub-messages included. Inside proto/ only. No allocation; any
 * thread. */
#ifndef PROTO_CODEC_CHECK_H
#define PROTO_CODEC_CHECK_H

#include "proto/codec_path.h"

enum codec_manner {
	CHECK_OURS,      /* built here, or a part of something: every rule */
	CHECK_PUBLISHED, /* from a publisher: fields that the plugin alone sets must be absent, too */
	CHECK_ROUTED /* from the plugin, perhaps a newer one: enum values settled to 0 are accepted */
};

/* ERR_LIMIT, ERR_INPUT as codec_decode, with *why. */
enum err codec_check(const ProtobufCMessage *msg, enum codec_manner manner,
					 const struct codec_path *at, struct codec_fault *why) MUST_CHECK;

/* Makes a message of a newer version one of ours: unknown enum values become 0, unknown fields
 * vanish. */
void codec_check_settle(ProtobufCMessage *msg);

#endif
