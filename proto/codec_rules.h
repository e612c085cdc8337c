/* The rule of every field of every message: one table that the codec checks against, that faults
 * quote, and that proto/README.md prints. Inside proto/ only; others use codec.h. Constant; any
 * thread. */
#ifndef PROTO_CODEC_RULES_H
#define PROTO_CODEC_RULES_H

#include "proto/codec.h"

/* What a value must look like. Zero refuses everything: a field without a rule cannot be sent. */
enum codec_shape {
	SHAPE_NONE = 0,
	SHAPE_BOOL,
	SHAPE_NUMBER, /* min to max */
	SHAPE_TIME,   /* milliseconds, 1 to CODEC_TIME_MAX */
	SHAPE_ENUM,   /* a known value; 0 only when optional */
	SHAPE_UUID7,
	SHAPE_UUID,   /* 16 bytes */
	SHAPE_BYTES,  /* min to max */
	SHAPE_ZEROS,  /* at most max zero bytes */
	SHAPE_SEALED, /* age header, 1-8 recipients */
	SHAPE_HEADER, /* age header, one recipient */
	SHAPE_NOTE,   /* text in bytes: printable, line feeds allowed */
	SHAPE_ID,
	SHAPE_USERNAME,
	SHAPE_WORD, /* [a-z0-9_], 1-64 */
	SHAPE_CASE,
	SHAPE_MEDIA,  /* closed list */
	SHAPE_OBJECT, /* 32 lower-case hex digits */
	SHAPE_CELL,   /* geohash, 5 letters */
	SHAPE_URL,
	SHAPE_RECIPIENT,
	SHAPE_TEXT,  /* one line, min to max bytes */
	SHAPE_CHARS, /* one line, min to max characters */
	SHAPE_LINES, /* line feeds allowed, min to max bytes */
	SHAPE_MESSAGE
};

enum {
	RULE_OPTIONAL = 1, /* may be absent: zero, empty, unset */
	RULE_HIDDEN = 2,   /* left out of JSON */
	RULE_PLUGIN = 4    /* set by the plugin alone: refused in what a publisher sends */
};

struct codec_rule {
	const char *field;
	enum codec_shape shape;
	unsigned flags;
	int64_t min, max;
	uint32_t count_min, count_max; /* of a repeated field */
};

/* What spans fields. NULL when the message satisfies it, else the name of the field to blame. */
typedef const char *codec_cross_fn(const ProtobufCMessage *msg);

struct codec_message {
	const ProtobufCMessageDescriptor *desc;
	const struct codec_rule *rules; /* one a field, in the order of the descriptor */
	size_t count;
	codec_cross_fn *cross; /* may be NULL */
	const char *note;      /* what cross demands, in words */
};

size_t codec_rules_count(void);
const struct codec_message *codec_rules_at(size_t i);
/* NULL when the message is not in the table. */
const struct codec_message *codec_rules_find(const ProtobufCMessageDescriptor *desc);

const char *codec_cross_answer(const ProtobufCMessage *msg);
const char *codec_cross_decision(const ProtobufCMessage *msg);
const char *codec_cross_ring(const ProtobufCMessage *msg);
const char *codec_cross_job(const ProtobufCMessage *msg);
const char *codec_cross_report(const ProtobufCMessage *msg);
const char *codec_cross_claim(const ProtobufCMessage *msg);
const char *codec_cross_home(const ProtobufCMessage *msg);
const char *codec_cross_agency(const ProtobufCMessage *msg);
const char *codec_cross_enrol(const ProtobufCMessage *msg);

#endif
