/* See jsonevent.h. The message struct is filled through protobuf-c's description of it: one loop
 * for all kinds. */
#include "plugin/jsonevent.h"

#include <cjson/cJSON.h>

#include "lib/hex.h"
#include "proto/uuid.h"

enum { BYTES_MAX = 1024, FIELDS_MAX = 16 };

/* The largest of the three; and room for its byte fields. */
struct target {
	union {
		ProtobufCMessage base;
		Vestibule__V1__RingEvent ring;
		Vestibule__V1__MotionEvent motion;
		Vestibule__V1__ClipReady clip;
	} m;
	uint8_t bytes[FIELDS_MAX][BYTES_MAX];
	size_t bytes_used;
	uint32_t seen; /* bit per field index: members must not repeat */
};

static enum err fault(struct codec_fault *why, enum err e, const char *message, const char *field,
					  const char *limit) {
	(void)snprintf(why->field, sizeof(why->field), "%s%s%.40s", message, field ? "." : "",
				   field ? field : "");
	(void)snprintf(why->limit, sizeof(why->limit), "%s", limit);
	return e;
}

static const char *descriptor_of(enum codec_kind kind, const ProtobufCMessageDescriptor **d) {
	*d = kind == CODEC_RING     ? &vestibule__v1__ring_event__descriptor
		 : kind == CODEC_MOTION ? &vestibule__v1__motion_event__descriptor
								: &vestibule__v1__clip_ready__descriptor;
	return codec_name(kind);
}

/* Whole numbers that a double holds exactly. */
static const char *set_number(const cJSON *item, uint64_t max, uint64_t *out) {
	const double exact_max = 9007199254740991.0;
	if (!cJSON_IsNumber(item)) return "a whole number";
	double v = item->valuedouble;
	if (!(v >= 0 && v <= exact_max)) return "0 to 9007199254740991";
	if ((double)(uint64_t)v != v) return "a whole number";
	if ((uint64_t)v > max) return "a smaller number";
	*out = (uint64_t)v;
	return NULL;
}

static const char *set_bytes(struct target *t, const ProtobufCFieldDescriptor *f, const cJSON *item,
							 ProtobufCBinaryData *out) {
	struct span text = span_str(cJSON_GetStringValue(item));
	if (!cJSON_IsString(item)) return "text";
	if (t->bytes_used >= FIELDS_MAX) return "fewer byte fields";
	uint8_t *bytes = t->bytes[t->bytes_used];
	struct span name = span_str(f->name);
	bool is_id = name.len > 3 && span_eq(span_drop(name, name.len - 3), SPAN_LIT("_id"));
	if (is_id) {
		if (uuid_parse(text, bytes) != ERR_NONE) return "UUID text, lower case";
		*out = (ProtobufCBinaryData){UUID_BYTES, bytes};
	} else {
		if (text.len > (size_t)2 * BYTES_MAX) return "at most 1024 bytes of hex";
		if (text.len % 2 || hex_decode(text, bytes, text.len / 2) != ERR_NONE) return "hex digits";
		*out = (ProtobufCBinaryData){text.len / 2, text.len ? bytes : NULL};
	}
	t->bytes_used++;
	return NULL;
}

/* NULL: set. Else what the member must be. */
static const char *set(struct target *t, const ProtobufCFieldDescriptor *f, const cJSON *item) {
	void *member = (uint8_t *)&t->m + f->offset;
	uint64_t n = 0;
	const char *must = NULL;
	switch (f->type) {
	case PROTOBUF_C_TYPE_UINT64:
		must = set_number(item, UINT64_MAX, &n);
		if (!must) *(uint64_t *)member = n;
		return must;
	case PROTOBUF_C_TYPE_UINT32:
		must = set_number(item, UINT32_MAX, &n);
		if (!must) *(uint32_t *)member = (uint32_t)n;
		return must;
	case PROTOBUF_C_TYPE_BOOL:
		if (!cJSON_IsBool(item)) return "true or false";
		*(protobuf_c_boolean *)member = cJSON_IsTrue(item);
		return NULL;
	case PROTOBUF_C_TYPE_STRING:
		if (!cJSON_IsString(item)) return "text";
		*(char **)member = item->valuestring;
		return NULL;
	case PROTOBUF_C_TYPE_ENUM: {
		int v = cJSON_IsString(item) ? codec_enum(f->descriptor, span_str(item->valuestring)) : -1;
		if (v < 0) return "one of its words";
		*(int *)member = v;
		return NULL;
	}
	case PROTOBUF_C_TYPE_BYTES: return set_bytes(t, f, item, member);
	default: return "not set in JSON";
	}
}

static enum err fill(struct target *t, const ProtobufCMessageDescriptor *d, const char *name,
					 const cJSON *object, struct codec_fault *why) {
	const cJSON *item;
	cJSON_ArrayForEach(item, object) {
		const ProtobufCFieldDescriptor *f =
			protobuf_c_message_descriptor_get_field_by_name(d, item->string);
		if (!f) return fault(why, ERR_INPUT, name, item->string, "not a known field");
		uint32_t bit = UINT32_C(1) << (f - d->fields);
		if (t->seen & bit) return fault(why, ERR_INPUT, name, f->name, "given once");
		t->seen |= bit;
		const char *must = set(t, f, item);
		if (must) return fault(why, ERR_INPUT, name, f->name, must);
	}
	return ERR_NONE;
}

static bool is_blank(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum err jsonevent_encode(enum codec_kind kind, struct span text, struct buf *out,
						  struct codec_fault *why) {
	const ProtobufCMessageDescriptor *d;
	const char *name = descriptor_of(kind, &d), *end = NULL;
	if (text.len > JSONEVENT_BYTES_MAX)
		return fault(why, ERR_LIMIT, name, NULL, "at most 8192 bytes of JSON");
	if (memchr(text.ptr, 0, text.len))
		return fault(why, ERR_INPUT, name, NULL, "JSON text without zero bytes");
	struct target *t = calloc(1, sizeof(*t));
	if (!t) return ERR_NOMEM;
	enum err e = ERR_INPUT;
	cJSON *object = cJSON_ParseWithLengthOpts((const char *)text.ptr, text.len, &end, 0);
	struct span tail = object ? span_drop(text, (size_t)(end - (const char *)text.ptr)) : text;
	while (tail.len && is_blank(tail.ptr[0])) tail = span_drop(tail, 1);
	if (!cJSON_IsObject(object) || tail.len) {
		(void)fault(why, ERR_INPUT, name, NULL, "one JSON object");
	} else {
		protobuf_c_message_init(d, &t->m);
		e = fill(t, d, name, object, why);
		if (e == ERR_NONE) e = codec_encode(&t->m.base, out);
	}
	cJSON_Delete(object);
	free(t);
	return e;
}
