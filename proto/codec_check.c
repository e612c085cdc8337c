/* The walks over a decoded message. What one value must look like is in codec_shape.c. */
#include "proto/codec_check.h"

#include "proto/codec_rules.h"
#include "proto/codec_shape.h"

static const void *member_of(const ProtobufCMessage *msg, size_t offset) {
	return (const uint8_t *)msg + offset;
}

/* A fault that quotes the rule. */
static enum err blame(const struct codec_path *at, const struct codec_rule *rule, enum err e,
					  struct codec_fault *why) {
	struct buf words;
	buf_init(&words, sizeof(why->limit) - 1);
	codec_shape_text(rule, &words);
	/* Without memory the fault still names the field. */
	const char *limit = buf_error(&words) == ERR_NONE ? buf_cstr(&words) : "see proto/README.md";
	enum err out = codec_path_fault(at, NULL, limit, e, why);
	buf_fini(&words);
	return out;
}

static enum err check_one(const struct codec_rule *rule, const ProtobufCFieldDescriptor *f,
						  const void *member, enum codec_manner manner, const struct codec_path *at,
						  struct codec_fault *why) {
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessage *sub = *(ProtobufCMessage *const *)member;
		enum codec_manner inner = manner == CHECK_ROUTED ? CHECK_ROUTED : CHECK_OURS;
		if (sub) return codec_check(sub, inner, at, why);
		return rule->flags & RULE_OPTIONAL ? ERR_NONE : blame(at, rule, ERR_INPUT, why);
	}
	if (manner == CHECK_ROUTED && rule->shape == SHAPE_ENUM) return ERR_NONE; /* settled */
	enum err e = codec_shape_check(rule, f, member);
	return e == ERR_NONE ? ERR_NONE : blame(at, rule, e, why);
}

static enum err check_list(const struct codec_rule *rule, const ProtobufCFieldDescriptor *f,
						   const ProtobufCMessage *msg, enum codec_manner manner,
						   const struct codec_path *up, struct codec_fault *why) {
	size_t count = *(const size_t *)member_of(msg, f->quantifier_offset);
	if (count < rule->count_min || count > rule->count_max) {
		char limit[64];
		(void)snprintf(limit, sizeof(limit), "%u-%u entries", (unsigned)rule->count_min,
					   (unsigned)rule->count_max); /* two numbers fit */
		return codec_path_fault(up, f->name, limit, count < rule->count_min ? ERR_INPUT : ERR_LIMIT,
								why);
	}
	size_t stride = f->type == PROTOBUF_C_TYPE_MESSAGE ? sizeof(void *) : sizeof(int32_t);
	const uint8_t *items = *(const uint8_t *const *)member_of(msg, f->offset);
	for (size_t i = 0; i < count; i++) {
		struct codec_path at = {up, f->name, (long)i};
		enum err e = check_one(rule, f, items + i * stride, manner, &at, why);
		if (e != ERR_NONE) return e;
	}
	return ERR_NONE;
}

/* The members of a oneof share their place: only the chosen one may be looked at. */
static bool is_present(const ProtobufCFieldDescriptor *f, const ProtobufCMessage *msg) {
	if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) return true;
	return (uint32_t) * (const int *)member_of(msg, f->quantifier_offset) == f->id;
}

static enum err check_field(const struct codec_rule *rule, const ProtobufCFieldDescriptor *f,
							const ProtobufCMessage *msg, enum codec_manner manner,
							const struct codec_path *up, struct codec_fault *why) {
	if (f->label == PROTOBUF_C_LABEL_REPEATED) return check_list(rule, f, msg, manner, up, why);
	if (!is_present(f, msg)) return ERR_NONE;
	struct codec_path at = {up, f->name, -1};
	return check_one(rule, f, member_of(msg, f->offset), manner, &at, why);
}

enum err codec_check(const ProtobufCMessage *msg, enum codec_manner manner,
					 const struct codec_path *at, struct codec_fault *why) {
	const struct codec_message *m = codec_rules_find(msg->descriptor);
	if (!m || m->count != msg->descriptor->n_fields || msg->n_unknown_fields != 0) {
		return codec_path_fault(at, NULL, "not a known field", ERR_INPUT, why);
	}
	for (size_t i = 0; i < m->count; i++) {
		const struct codec_rule *rule = &m->rules[i];
		const ProtobufCFieldDescriptor *f = &m->desc->fields[i];
		if (manner == CHECK_PUBLISHED && rule->flags & RULE_PLUGIN &&
			codec_shape_number(f, member_of(msg, f->offset)) != 0) {
			struct codec_path here = {at, f->name, -1};
			return blame(&here, rule, ERR_INPUT, why);
		}
		enum err e = check_field(rule, f, msg, manner, at, why);
		if (e != ERR_NONE) return e;
	}
	const char *bad = m->cross ? m->cross(msg) : NULL;
	return bad ? codec_path_fault(at, bad, m->note, ERR_INPUT, why) : ERR_NONE;
}

static void settle_one(const ProtobufCFieldDescriptor *f, void *member) {
	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		ProtobufCMessage *sub = *(ProtobufCMessage **)member;
		if (sub) codec_check_settle(sub);
	} else if (f->type == PROTOBUF_C_TYPE_ENUM) {
		int *value = member;
		if (!protobuf_c_enum_descriptor_get_value(f->descriptor, *value)) *value = 0;
	}
}

void codec_check_settle(ProtobufCMessage *msg) {
	msg->n_unknown_fields = 0;
	for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
		uint8_t *member = (uint8_t *)msg + f->offset;
		if (f->type != PROTOBUF_C_TYPE_MESSAGE || f->label != PROTOBUF_C_LABEL_REPEATED) {
			if (is_present(f, msg)) settle_one(f, member);
			continue;
		}
		size_t count = *(const size_t *)member_of(msg, f->quantifier_offset);
		ProtobufCMessage **items = *(ProtobufCMessage ***)(void *)member;
		for (size_t k = 0; k < count; k++) settle_one(f, &items[k]);
	}
}
