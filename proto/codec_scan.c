/* Wire bytes against a descriptor. Limits of values are checked later, on the decoded message. */
#include "proto/codec_scan.h"

#include "proto/wire.h"

enum { FIELDS_MAX = 32 }; /* of one message; a descriptor with more is refused whole */

static const char malformed[] = "protobuf wire format, shortest form";
static const char not_known[] = "not a known field";
static const char known_value[] = "a known value";

static int field_index(const ProtobufCMessageDescriptor *desc, uint32_t number) {
	for (unsigned i = 0; i < desc->n_fields; i++) {
		if (desc->fields[i].id == number) return (int)i;
	}
	return -1;
}

static bool is_packed(const ProtobufCFieldDescriptor *f) {
	return f->label == PROTOBUF_C_LABEL_REPEATED && f->type == PROTOBUF_C_TYPE_SINT32;
}

static bool is_varint(ProtobufCType type) {
	return type == PROTOBUF_C_TYPE_BOOL || type == PROTOBUF_C_TYPE_UINT32 ||
		   type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_SINT32 ||
		   type == PROTOBUF_C_TYPE_ENUM;
}

/* NULL when the number fits its type, else what it had to be. */
static const char *check_varint(const ProtobufCFieldDescriptor *f, uint64_t v) {
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL: return v <= 1 ? NULL : "true or false";
	case PROTOBUF_C_TYPE_UINT64: return NULL;
	case PROTOBUF_C_TYPE_ENUM:
		if (v > INT32_MAX) return known_value;
		return protobuf_c_enum_descriptor_get_value(f->descriptor, (int)v) ? NULL : known_value;
	default: return v <= UINT32_MAX ? NULL : "at most 32 bits";
	}
}

static const char *check_packed(const ProtobufCFieldDescriptor *f, struct span bytes) {
	uint64_t v;
	while (bytes.len) {
		if (!wire_varint(&bytes, &v)) return malformed;
		const char *limit = check_varint(f, v);
		if (limit) return limit;
	}
	return NULL;
}

static const char *check_value(const ProtobufCFieldDescriptor *f, const struct wire_field *w) {
	enum wire_type want = is_varint(f->type) && !is_packed(f) ? WIRE_VARINT : WIRE_BYTES;
	if (w->type != want) return "another wire type";
	if (want == WIRE_VARINT) return check_varint(f, w->value);
	if (is_packed(f)) return check_packed(f, w->bytes);
	if (f->type == PROTOBUF_C_TYPE_STRING && w->bytes.len &&
		memchr(w->bytes.ptr, 0, w->bytes.len)) {
		return "text without control characters";
	}
	return NULL;
}

/* A field may come once, a message list as often as its rule allows, one member of a oneof. */
static const char *check_repeats(const ProtobufCMessageDescriptor *desc, unsigned at,
								 const uint32_t *counts) {
	const ProtobufCFieldDescriptor *f = &desc->fields[at];
	bool list = f->label == PROTOBUF_C_LABEL_REPEATED && !is_packed(f);
	if (counts[at] > 0 && !list) return "once";
	if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) return NULL;
	for (unsigned i = 0; i < desc->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &desc->fields[i];
		bool same = other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
					other->quantifier_offset == f->quantifier_offset;
		if (same && counts[i] > 0) return "only one of the commands";
	}
	return NULL;
}

enum err codec_scan(const ProtobufCMessageDescriptor *desc, struct span bytes, bool tolerant,
					const struct codec_path *at, struct codec_fault *why) {
	uint32_t counts[FIELDS_MAX] = {0};
	if (desc->n_fields > FIELDS_MAX) return codec_path_fault(at, NULL, not_known, ERR_INPUT, why);
	while (bytes.len) {
		struct wire_field w;
		if (!wire_next(&bytes, &w)) return codec_path_fault(at, NULL, malformed, ERR_INPUT, why);
		int index = field_index(desc, w.number);
		if (index < 0 && tolerant) continue;
		if (index < 0) {
			char name[16];
			(void)snprintf(name, sizeof(name), "%u", (unsigned)w.number); /* 29 bits fit */
			return codec_path_fault(at, name, not_known, ERR_INPUT, why);
		}
		const ProtobufCFieldDescriptor *f = &desc->fields[index];
		const char *limit = check_repeats(desc, (unsigned)index, counts);
		if (!limit) limit = check_value(f, &w);
		if (tolerant && limit == known_value && w.value <= INT32_MAX) limit = NULL;
		if (limit) return codec_path_fault(at, f->name, limit, ERR_INPUT, why);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
			bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
			struct codec_path here = {at, f->name, list ? (long)counts[index] : -1};
			enum err e = codec_scan(f->descriptor, w.bytes, tolerant, &here, why);
			if (e != ERR_NONE) return e;
		}
		counts[index]++;
	}
	return ERR_NONE;
}
