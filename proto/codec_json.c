/* Messages as JSON, one way. What may be mirrored to whom is the caller's decision; what must never
 * be shown is marked in the rules. */
#include "proto/codec.h"

#include "proto/codec_rules.h"
#include "proto/codec_shape.h"
#include "proto/uuid.h"

static const void *member_of(const ProtobufCMessage *msg, size_t offset) {
	return (const uint8_t *)msg + offset;
}

static void put_message(const ProtobufCMessage *msg, struct buf *out);

static void put_bytes(struct span s, struct buf *out) {
	buf_char(out, '"');
	if (s.len == UUID_BYTES) {
		char text[UUID_TEXT_SIZE];
		uuid_text(s.ptr, text);
		buf_str(out, text);
	} else {
		buf_hex(out, s);
	}
	buf_char(out, '"');
}

static void put_value(const ProtobufCFieldDescriptor *f, const void *member, struct buf *out) {
	int64_t number = codec_shape_number(f, member);
	const char *word;
	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE: put_message(*(ProtobufCMessage *const *)member, out); break;
	case PROTOBUF_C_TYPE_STRING: buf_json(out, codec_shape_bytes(f, member)); break;
	case PROTOBUF_C_TYPE_BYTES: put_bytes(codec_shape_bytes(f, member), out); break;
	case PROTOBUF_C_TYPE_BOOL: buf_str(out, number ? "true" : "false"); break;
	case PROTOBUF_C_TYPE_ENUM:
		word = codec_word(f->descriptor, (int)number);
		buf_json(out, word ? span_str(word) : SPAN_LIT("unknown"));
		break;
	default: buf_int(out, number); break;
	}
}

static void put_list(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *msg,
					 struct buf *out) {
	size_t count = *(const size_t *)member_of(msg, f->quantifier_offset);
	size_t stride = f->type == PROTOBUF_C_TYPE_MESSAGE ? sizeof(void *) : sizeof(int32_t);
	const uint8_t *items = *(const uint8_t *const *)member_of(msg, f->offset);
	buf_char(out, '[');
	for (size_t i = 0; i < count && out->error == ERR_NONE; i++) {
		if (i) buf_char(out, ',');
		put_value(f, items + i * stride, out);
	}
	buf_char(out, ']');
}

static bool is_unset(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *msg) {
	const void *member = member_of(msg, f->offset);
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		return *(const size_t *)member_of(msg, f->quantifier_offset) == 0;
	}
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		return (uint32_t) * (const int *)member_of(msg, f->quantifier_offset) != f->id;
	}
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) return !*(ProtobufCMessage *const *)member;
	bool bytes = f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_BYTES;
	return bytes && codec_shape_bytes(f, member).len == 0;
}

static void put_field(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *msg, bool *first,
					  struct buf *out) {
	if (is_unset(f, msg)) return;
	if (!*first) buf_char(out, ',');
	*first = false;
	buf_json(out, span_str(f->name));
	buf_char(out, ':');
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		put_list(f, msg, out);
	} else {
		put_value(f, member_of(msg, f->offset), out);
	}
}

/* How events begin, so that event_times_json finds the times without parsing (event.h). */
static const char *const event_head[] = {"at_ms", "arrived_ms", "synced"};
enum { EVENT_HEAD = sizeof(event_head) / sizeof(event_head[0]) };

static bool is_event_head(const char *name) {
	for (size_t i = 0; i < EVENT_HEAD; i++) {
		if (strcmp(name, event_head[i]) == 0) return true;
	}
	return false;
}

static void put_message(const ProtobufCMessage *msg, struct buf *out) {
	const struct codec_message *m = codec_rules_find(msg->descriptor);
	bool first = true;
	bool event =
		protobuf_c_message_descriptor_get_field_by_name(msg->descriptor, "arrived_ms") != NULL;
	buf_char(out, '{');
	for (size_t i = 0; event && i < EVENT_HEAD; i++) {
		put_field(protobuf_c_message_descriptor_get_field_by_name(msg->descriptor, event_head[i]),
				  msg, &first, out);
	}
	for (size_t i = 0; m && i < m->count; i++) {
		const ProtobufCFieldDescriptor *f = &m->desc->fields[i];
		if (m->rules[i].flags & RULE_HIDDEN || (event && is_event_head(f->name))) continue;
		put_field(f, msg, &first, out);
	}
	buf_char(out, '}');
}

enum err codec_json(const ProtobufCMessage *msg, struct buf *out) {
	put_message(msg, out);
	return buf_error(out);
}
