/* The look at the raw bytes before protobuf-c sees them, because protobuf-c is generous: it keeps
 * unknown fields, lets a later field overwrite an earlier one, cuts numbers to 32 bits, and ends
 * strings at a zero byte. Inside proto/ only. No allocation; any thread. */
#ifndef PROTO_CODEC_SCAN_H
#define PROTO_CODEC_SCAN_H

#include "proto/codec_path.h"

/* ERR_INPUT with *why: not wire format to the exact end, a field that desc does not have, of
 * another type, given twice, a second member of a oneof, a number too large for its type, an
 * unknown enum value, a string with a zero byte. tolerant: fields and enum values that desc does
 * not have are passed over. */
enum err codec_scan(const ProtobufCMessageDescriptor *desc, struct span bytes, bool tolerant,
					const struct codec_path *at, struct codec_fault *why) MUST_CHECK;

#endif
