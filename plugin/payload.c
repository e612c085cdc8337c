/* See payload.h. */
#include "plugin/payload.h"

#include "plugin/control.h"
#include "plugin/jsonevent.h"

/* The message of a topic; CODEC_KINDS: none of ours. */
static enum codec_kind codec_of(enum topic_kind kind) {
	switch (kind) {
	case TOPIC_DEVICE_RING: return CODEC_RING;
	case TOPIC_DEVICE_MOTION: return CODEC_MOTION;
	case TOPIC_DEVICE_CLIP_READY: return CODEC_CLIP_READY;
	case TOPIC_DEVICE_PULL: return CODEC_PULL;
	case TOPIC_DEVICE_CHUNK: return CODEC_CHUNK;
	case TOPIC_DEVICE_CLAIM: return CODEC_DEVICE_CLAIM;
	case TOPIC_HOME_COMMAND: return CODEC_HOME_COMMAND;
	case TOPIC_AGENCY_COMMAND: return CODEC_AGENCY_COMMAND;
	case TOPIC_RELAY_REPORT: return CODEC_RELAY_REPORT;
	case TOPIC_USER_SYNC: return CODEC_SYNC;
	default: return CODEC_KINDS;
	}
}

/* A limit that one field broke is a malformed message; the whole being too large is its own reason.
 */
static enum reason reason_of(enum err e, const struct codec_fault *why) {
	if (e == ERR_NONE) return REASON_OK;
	if (e == ERR_NOMEM) return REASON_BUSY;
	return e == ERR_LIMIT && !strchr(why->field, '.') ? REASON_TOO_LARGE : REASON_MALFORMED;
}

static enum reason decode_json(struct codec *c, enum codec_kind kind, struct span text,
							   ProtobufCMessage **msg, struct codec_fault *why) {
	struct buf bytes;
	buf_init(&bytes, codec_bytes_max(kind));
	enum err e = jsonevent_encode(kind, text, &bytes, why);
	if (e == ERR_NONE) e = codec_decode(c, kind, buf_view(&bytes), msg, why);
	buf_fini(&bytes); /* the message lives in the codec's memory */
	return reason_of(e, why);
}

enum reason payload_decode(struct codec *c, enum topic_kind kind, struct span payload,
						   ProtobufCMessage **msg, struct codec_fault *why) {
	enum codec_kind k = codec_of(kind);
	*msg = NULL;
	if (k == CODEC_KINDS) {
		if (kind != TOPIC_CONTROL || payload.len <= CONTROL_BYTES_MAX) return REASON_OK;
		(void)snprintf(why->limit, sizeof(why->limit), "at most %d bytes", CONTROL_BYTES_MAX);
		return REASON_TOO_LARGE;
	}
	bool is_event = k == CODEC_RING || k == CODEC_MOTION || k == CODEC_CLIP_READY;
	if (is_event && payload.len && payload.ptr[0] == '{')
		return decode_json(c, k, payload, msg, why);
	return reason_of(codec_decode(c, k, payload, msg, why), why);
}

bool payload_event_id(struct span payload, uint8_t out[16]) {
	enum { TAG_FIELD_1_BYTES = 0x0a };
	if (payload.len < 18 || payload.ptr[0] != TAG_FIELD_1_BYTES || payload.ptr[1] != 16)
		return false;
	memcpy(out, payload.ptr + 2, 16);
	return true;
}
