/* Valid messages made from the rules themselves, for tests and fuzzing seeds: every field at a
 * value in the middle of what is allowed (full), or only what is mandatory (bare). Nothing here
 * judges. */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "proto/codec_rules.h"

struct sample {
	size_t used;
	bool full;
	unsigned choice; /* which member of a oneof, counted from 0 */
	_Alignas(max_align_t) uint8_t memory[1 << 20];
};

static inline void *sample_alloc(struct sample *s, size_t size) {
	size = (size + 15) / 16 * 16;
	if (size > sizeof(s->memory) - s->used) abort();
	void *at = s->memory + s->used;
	memset(at, 0, size);
	s->used += size;
	return at;
}

static inline char *sample_text(struct sample *s, const char *text) {
	char *copy = sample_alloc(s, strlen(text) + 1);
	memcpy(copy, text, strlen(text));
	return copy;
}

static inline char *sample_repeat(struct sample *s, char c, size_t n) {
	char *text = sample_alloc(s, n + 1);
	memset(text, c, n);
	return text;
}

#define SAMPLE_KEY "gKLwpV21EmKfZij1xpjE5Jn1hGnIqKy6LhyV5gy64aM"

static inline ProtobufCBinaryData sample_age(struct sample *s, size_t recipients) {
	static const char stanza[] = "-> X25519 " SAMPLE_KEY "\n" SAMPLE_KEY "\n";
	static const char intro[] = "age-encryption.org/v1\n", end[] = "--- " SAMPLE_KEY "\n";
	char *text = sample_alloc(s, 70 + 98 * recipients + 1), *at = text;
	memcpy(at, intro, sizeof(intro) - 1);
	at += sizeof(intro) - 1;
	for (size_t i = 0; i < recipients; i++, at += sizeof(stanza) - 1)
		memcpy(at, stanza, sizeof(stanza) - 1);
	memcpy(at, end, sizeof(end) - 1);
	return (ProtobufCBinaryData){70 + 98 * recipients, (uint8_t *)text};
}

static inline ProtobufCBinaryData sample_id(struct sample *s) {
	static const uint8_t id[16] = {1,    0x89, 0x0a, 0x5d, 0, 0, 0x70, 0,
								   0x80, 0,    0,    0,    0, 0, 0,    0x2a};
	uint8_t *copy = sample_alloc(s, 16);
	memcpy(copy, id, 16);
	return (ProtobufCBinaryData){16, copy};
}

static inline ProtobufCBinaryData sample_bytes(struct sample *s, const struct codec_rule *rule) {
	size_t len = rule->min > 0 ? (size_t)rule->min : 4;
	switch (rule->shape) {
	case SHAPE_UUID7:
	case SHAPE_UUID: return sample_id(s);
	case SHAPE_SEALED: return sample_age(s, 2);
	case SHAPE_HEADER: return sample_age(s, 1);
	case SHAPE_ZEROS: return (ProtobufCBinaryData){len, sample_alloc(s, len)};
	default: return (ProtobufCBinaryData){len, (uint8_t *)sample_repeat(s, 'n', len)};
	}
}

static inline char *sample_string(struct sample *s, const struct codec_rule *rule) {
	switch (rule->shape) {
	case SHAPE_ID: return sample_text(s, "d7");
	case SHAPE_USERNAME: return sample_text(s, "alice");
	case SHAPE_WORD: return sample_text(s, "no_grant");
	case SHAPE_CASE: return sample_text(s, "2031/0042-A.b");
	case SHAPE_MEDIA: return sample_text(s, "video/mp4");
	case SHAPE_OBJECT: return sample_text(s, "0123456789abcdef0123456789abcdef");
	case SHAPE_CELL: return sample_text(s, "u4pru");
	case SHAPE_URL: return sample_text(s, "https://storage.example/a?b=c");
	case SHAPE_RECIPIENT:
		return sample_text(s, "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj");
	default: return sample_repeat(s, 't', rule->min > 0 ? (size_t)rule->min : 4);
	}
}

static inline int64_t sample_number(const struct codec_rule *rule, const char *message) {
	if (rule->shape == SHAPE_TIME) return INT64_C(1795000000000);
	if (rule->shape == SHAPE_NUMBER) return rule->min > 0 ? rule->min : 1;
	/* a bare job or report is of a kind that needs nothing else */
	return strcmp(rule->field, "kind") == 0 && strncmp(message, "Relay", 5) == 0 ? 2 : 1;
}

static inline ProtobufCMessage *sample_message(struct sample *s,
											   const ProtobufCMessageDescriptor *desc);

static inline void sample_field(struct sample *s, const ProtobufCFieldDescriptor *f,
								const struct codec_rule *rule, const char *message, void *member) {
	int64_t v = sample_number(rule, message);
	if (s->full && rule->shape == SHAPE_ENUM) v = 1;
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)member = 1; break;
	case PROTOBUF_C_TYPE_ENUM: *(int *)member = (int)v; break;
	case PROTOBUF_C_TYPE_UINT32: *(uint32_t *)member = (uint32_t)v; break;
	case PROTOBUF_C_TYPE_SINT32: *(int32_t *)member = (int32_t)v; break;
	case PROTOBUF_C_TYPE_UINT64: *(uint64_t *)member = (uint64_t)v; break;
	case PROTOBUF_C_TYPE_STRING: *(char **)member = sample_string(s, rule); break;
	case PROTOBUF_C_TYPE_BYTES: *(ProtobufCBinaryData *)member = sample_bytes(s, rule); break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)member = sample_message(s, f->descriptor);
		break;
	default: abort();
	}
}

static inline void sample_list(struct sample *s, const ProtobufCFieldDescriptor *f,
							   const struct codec_rule *rule, ProtobufCMessage *msg) {
	size_t count = rule->count_min, stride = sizeof(void *);
	if (count == 0 && s->full) count = 2;
	if (count == 0 && strcmp(rule->field, "decisions") == 0) count = 1; /* none is false */
	if (f->type != PROTOBUF_C_TYPE_MESSAGE) stride = sizeof(int32_t);
	uint8_t *items = sample_alloc(s, count * stride + 1);
	for (size_t i = 0; i < count; i++) sample_field(s, f, rule, "", items + i * stride);
	*(size_t *)(void *)((uint8_t *)msg + f->quantifier_offset) = count;
	*(void **)(void *)((uint8_t *)msg + f->offset) = items;
}

static inline ProtobufCMessage *sample_message(struct sample *s,
											   const ProtobufCMessageDescriptor *desc) {
	const struct codec_message *m = codec_rules_find(desc);
	ProtobufCMessage *msg = sample_alloc(s, desc->sizeof_message);
	protobuf_c_message_init(desc, msg);
	unsigned member = 0;
	for (size_t i = 0; i < m->count; i++) {
		const ProtobufCFieldDescriptor *f = &desc->fields[i];
		const struct codec_rule *rule = &m->rules[i];
		void *at = (uint8_t *)msg + f->offset;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			sample_list(s, f, rule, msg);
		} else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			if (member++ != s->choice) continue;
			*(int *)(void *)((uint8_t *)msg + f->quantifier_offset) = (int)f->id;
			sample_field(s, f, rule, desc->short_name, at);
		} else if (strcmp(f->name, "none") == 0) {
			continue; /* there are decisions */
		} else if (s->full || !(rule->flags & RULE_OPTIONAL)) {
			sample_field(s, f, rule, desc->short_name, at);
		}
	}
	return msg;
}

/* How many members the oneof of a message has; 1 when it has none. */
static inline unsigned sample_choices(const ProtobufCMessageDescriptor *desc) {
	unsigned n = 0;
	for (unsigned i = 0; i < desc->n_fields; i++)
		n += desc->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? 1 : 0;
	return n ? n : 1;
}

static inline const ProtobufCMessageDescriptor *sample_desc(enum codec_kind kind) {
	for (size_t i = 0; i < codec_rules_count(); i++) {
		const ProtobufCMessageDescriptor *desc = codec_rules_at(i)->desc;
		if (strcmp(desc->short_name, codec_name(kind)) == 0) return desc;
	}
	abort();
}

static inline ProtobufCMessage *sample_make(struct sample *s, enum codec_kind kind, bool full,
											unsigned choice) {
	s->used = 0;
	s->full = full;
	s->choice = choice;
	return sample_message(s, sample_desc(kind));
}

#endif
