/* See said.h. */
#include "clients/conform/said.h"

#include <cjson/cJSON.h>

#include "lib/hex.h"

static bool is_json(struct span payload) {
	return payload.len && payload.ptr[0] == '{';
}

size_t said_bytes_max(enum codec_kind kind, struct span payload) {
	return is_json(payload) ? (size_t)SAID_JSON_MAX : codec_bytes_max(kind);
}

static enum err fault(struct codec_fault *why, const char *field, const char *limit) {
	(void)snprintf(why->field, sizeof(why->field), "%s", field);
	(void)snprintf(why->limit, sizeof(why->limit), "%s", limit);
	return ERR_INPUT;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static bool get_number(const cJSON *object, const char *name, double max, uint64_t *out) {
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!m) return true; /* left out: 0 */
	if (!cJSON_IsNumber(m) || !(m->valuedouble >= 0) || m->valuedouble > max) return false;
	*out = (uint64_t)m->valuedouble;
	return (double)*out == m->valuedouble;
}

static bool get_id(const cJSON *object, const char *name, uint8_t out[UUID_BYTES]) {
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(m) && uuid_parse(span_str(m->valuestring), out) == ERR_NONE &&
		   uuid_is_v7(span_of(out, UUID_BYTES));
}

static enum err read_clip(const cJSON *o, struct said *out, struct codec_fault *why) {
	const cJSON *sha = cJSON_GetObjectItemCaseSensitive(o, "payload_sha256");
	uint64_t poster = 0;
	if (!get_id(o, "clip_id", out->clip_id)) return fault(why, "clip_id", "text of a UUIDv7");
	if (!get_number(o, "payload_length", CODEC_CLIP_MAX, &out->payload_length) ||
		out->payload_length == 0)
		return fault(why, "payload_length", "1-2147483647");
	if (!get_number(o, "poster_length", CODEC_POSTER_MAX, &poster))
		return fault(why, "poster_length", "0-1048576");
	out->poster_length = (uint32_t)poster;
	if (!cJSON_IsString(sha) ||
		hex_decode(span_str(sha->valuestring), out->sha256, sizeof(out->sha256)) != ERR_NONE)
		return fault(why, "payload_sha256", "64 hex digits");
	return ERR_NONE;
}

static enum err read_json(struct span payload, struct said *out, struct codec_fault *why) {
	cJSON *o = cJSON_ParseWithLength((const char *)payload.ptr, payload.len);
	enum err e = ERR_NONE;
	if (!cJSON_IsObject(o))
		e = fault(why, "", "one JSON object");
	else if (!get_id(o, "event_id", out->event_id))
		e = fault(why, "event_id", "text of a UUIDv7");
	else if (!get_number(o, "seq", 9007199254740991.0, &out->seq) || out->seq == 0)
		e = fault(why, "seq", "1-9007199254740991");
	else if (out->kind == CODEC_CLIP_READY)
		e = read_clip(o, out, why);
	cJSON_Delete(o);
	return e;
}

/* --- protobuf --------------------------------------------------------------------------------- */

/* Lengths are those that the codec demands. */
static void copy(uint8_t *to, ProtobufCBinaryData from, size_t len) {
	if (from.len == len) memcpy(to, from.data, len);
}

static void take_clip(const Vestibule__V1__ClipReady *m, struct said *out) {
	copy(out->event_id, m->event_id, UUID_BYTES);
	copy(out->clip_id, m->clip_id, UUID_BYTES);
	copy(out->sha256, m->payload_sha256, sizeof(out->sha256));
	out->seq = m->seq;
	out->payload_length = m->payload_length;
	out->poster_length = m->poster_length;
}

static void take(const ProtobufCMessage *msg, struct said *out) {
	if (out->kind == CODEC_RING) {
		const Vestibule__V1__RingEvent *ring = (const void *)msg;
		copy(out->event_id, ring->event_id, UUID_BYTES);
		out->seq = ring->seq;
	} else if (out->kind == CODEC_MOTION) {
		const Vestibule__V1__MotionEvent *motion = (const void *)msg;
		copy(out->event_id, motion->event_id, UUID_BYTES);
		out->seq = motion->seq;
	} else {
		take_clip((const void *)msg, out);
	}
}

enum err said_read(struct codec *codec, enum codec_kind kind, struct span payload, struct said *out,
				   struct codec_fault *why) {
	ProtobufCMessage *msg;
	*out = (struct said){.kind = kind};
	if (is_json(payload)) return read_json(payload, out, why);
	enum err e = codec_decode(codec, kind, payload, &msg, why);
	if (e == ERR_NONE) take(msg, out);
	return e;
}
