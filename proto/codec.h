/* Protobuf bytes <-> validated messages. Decoding is bounded three times: a maximum size per
 * message kind, a capped arena instead of the heap (nothing else is allocated), and a rule for
 * every field. Unknown fields, wrong wire types, missing mandatory fields and values outside their
 * limit are refused with the name of the field and the limit it broke. What decodes here is safe to
 * use without further checks of shape; what the shape means (does the clip exist, may he) is not
 * decided here. Not thread safe per struct codec.
 *
 *     struct codec *c = codec_new();
 *     struct codec_fault why;
 *     Vestibule__V1__RingEvent *ring;
 *     if (codec_decode(c, CODEC_RING, payload, (ProtobufCMessage **)&ring, &why) != ERR_NONE)
 *             ... why.field, why.limit
 *     codec_free(c);      the message is borrowed until the next codec_decode or codec_free
 */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/span.h"
#include "vestibule/v1/agency.pb-c.h"
#include "vestibule/v1/enrol.pb-c.h"
#include "vestibule/v1/event.pb-c.h"
#include "vestibule/v1/home.pb-c.h"
#include "vestibule/v1/relay.pb-c.h"
#include "vestibule/v1/user.pb-c.h"

/* Limits of fields, once; proto/README.md prints the same numbers and docs-check compares them. */
enum {
	CODEC_SEALED_MAX = 854, /* age header with 8 recipients: 70 + 98 * 8 */
	CODEC_HEADER_LEN = 168, /* agency header: one recipient */
	CODEC_MANIFEST_MAX = 1024,
	CODEC_MEDIA_MAX = 32,
	CODEC_CHUNK_MAX = 65536,     /* data bytes of one ClipChunk */
	CODEC_PULL_MAX = 1048576,    /* length of one ClipPull */
	CODEC_CLIP_MAX = 2147483647, /* payload_length */
	CODEC_POSTER_MAX = 1048576,
	CODEC_ASK_CLIPS_MAX = 32,
	CODEC_DECISIONS_MAX = 32,
	CODEC_RULES_MAX = 2048,
	CODEC_REASON_MIN = 20,
	CODEC_REASON_MAX = 500,
	CODEC_CASE_MAX = 32,
	CODEC_ALERT_TEXT_MAX = 280,
	CODEC_URL_MAX = 2048,
	CODEC_RINGS_MAX = 8,
	CODEC_VERTICES_MAX = 512,
	CODEC_NOTICE_BYTES = 512,      /* every AgencyNotice encodes to exactly this */
	CODEC_REPLY_BYTES_MAX = 49152, /* one part of a Reply */
	CODEC_ARENA_BYTES = 262144,    /* all memory one decode may use */
	CODEC_ASK_BYTES_MAX = 48000,   /* so that any Ask fits into one part of a Reply */
	CODEC_NAME_MAX = 96,           /* bytes of a name for people */
	CODEC_LIST_MAX = 512           /* entries of one list of a Reply */
};

#define CODEC_TIME_MAX INT64_C(253402300799999) /* the last millisecond of the year 9999 */

enum codec_kind {
	CODEC_RING = 0,
	CODEC_MOTION,
	CODEC_CLIP_READY,
	CODEC_DEVICE_ACK,
	CODEC_PULL,
	CODEC_CHUNK,
	CODEC_ASK,
	CODEC_HOME_COMMAND,
	CODEC_RECEIPT,
	CODEC_AGENCY_COMMAND,
	CODEC_NOTICE,
	CODEC_FETCH_LINK,
	CODEC_PUBLIC_AGENCY,
	CODEC_PUBLIC_REQUEST,
	CODEC_RELAY_JOB,
	CODEC_RELAY_REPORT,
	CODEC_ALERT,
	CODEC_SYNC,
	CODEC_REPLY,
	CODEC_DENIAL,
	CODEC_ENROL_HOME, /* the last three never pass the broker */
	CODEC_ENROL_DEVICE,
	CODEC_ENROL_RESULT,
	CODEC_DEVICE_CLAIM,
	CODEC_KINDS
};

struct codec_fault {
	char field[64]; /* "ClipReady.clip_id", "HomeCommand.answer.decisions[3].header"; "" for the
					   whole message */
	char limit[96]; /* "16 bytes, UUIDv7", "0-1000", "at most 854 bytes", "not a known field" */
};

struct codec; /* holds the arena */

struct codec *codec_new(void); /* NULL: no memory */
void codec_free(struct codec *c);

/* Arguments: bytes borrowed for the call; *msg borrowed until the next decode on c; *why written on
 * failure. ERR_LIMIT: larger than the kind's maximum, arena exhausted, or a field over its limit.
 * ERR_INPUT: malformed, unknown field, wrong type, missing field. *msg points to the generated
 * struct of the kind. */
enum err codec_decode(struct codec *c, enum codec_kind kind, struct span bytes,
					  ProtobufCMessage **msg, struct codec_fault *why) MUST_CHECK;

/* The same for programs that read what the plugin sent, which may be newer than they are:
 * arrived_ms may be set, fields that this version does not know are passed over, enum values that
 * it does not know read as 0. All other rules hold. */
enum err codec_decode_routed(struct codec *c, enum codec_kind kind, struct span bytes,
							 ProtobufCMessage **msg, struct codec_fault *why) MUST_CHECK;

/* The same rules on a message built by us, before it is sent; arrived_ms may be set, the size is
 * not judged. */
enum err codec_validate(enum codec_kind kind, const ProtobufCMessage *msg,
						struct codec_fault *why) MUST_CHECK;

/* Canonical encoding, appended to out. ERR_LIMIT / ERR_NOMEM from the buffer. */
enum err codec_encode(const ProtobufCMessage *msg, struct buf *out) MUST_CHECK;

/* Encodes a notice padded with zeros to CODEC_NOTICE_BYTES. ERR_LIMIT when it is longer without
 * padding. */
enum err codec_encode_notice(const Vestibule__V1__AgencyNotice *notice, struct buf *out) MUST_CHECK;

/* JSON text of a validated message: field names as in the .proto, 16-byte ids as UUID text, other
 * bytes as lower-case hex, enums as lower-case words ("person", "missing_person"), in field order
 * but for events, which begin at_ms, arrived_ms, synced (event.h). Unset strings, bytes, lists and
 * sub-messages are left out; so are headers, manifests, token digests and padding, always: JSON is
 * for reading, logging and automations, and none of these may see them. ERR_LIMIT / ERR_NOMEM from
 * the buffer. */
enum err codec_json(const ProtobufCMessage *msg, struct buf *out) MUST_CHECK;

size_t codec_bytes_max(enum codec_kind kind); /* largest accepted encoding */
const char *codec_name(enum codec_kind kind); /* "RingEvent", ... */

/* Words for enum values: "person" from MOTION_KIND_PERSON. NULL when unknown; codec_enum: -1 when
 * unknown. */
const char *codec_word(const ProtobufCEnumDescriptor *e, int value);
int codec_enum(const ProtobufCEnumDescriptor *e, struct span word);

/* Prints the field table of all messages (name, number, type, limit) as Markdown: proto/README.md
 * embeds it. */
void codec_print_fields(struct buf *out);

#endif
