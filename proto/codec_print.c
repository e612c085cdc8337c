/* The field table of proto/README.md, printed from the rules so that page and code cannot differ.
 */
#include "proto/codec_rules.h"
#include "proto/codec_shape.h"
#include "proto/codec_word.h"

static const char *type_name(const ProtobufCFieldDescriptor *f) {
	switch (f->type) {
	case PROTOBUF_C_TYPE_BOOL: return "bool";
	case PROTOBUF_C_TYPE_UINT32: return "uint32";
	case PROTOBUF_C_TYPE_UINT64: return "uint64";
	case PROTOBUF_C_TYPE_SINT32: return "sint32";
	case PROTOBUF_C_TYPE_STRING: return "string";
	case PROTOBUF_C_TYPE_BYTES: return "bytes";
	case PROTOBUF_C_TYPE_ENUM: return ((const ProtobufCEnumDescriptor *)f->descriptor)->short_name;
	case PROTOBUF_C_TYPE_MESSAGE:
		return ((const ProtobufCMessageDescriptor *)f->descriptor)->short_name;
	default: return "unknown";
	}
}

static void print_row(const ProtobufCFieldDescriptor *f, const struct codec_rule *rule,
					  struct buf *out) {
	bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
	buf_printf(out, "| `%s` | %u | %s%s | ", f->name, (unsigned)f->id, list ? "repeated " : "",
			   type_name(f));
	if (list)
		buf_printf(out, "%u-%u entries", (unsigned)rule->count_min, (unsigned)rule->count_max);
	if (list && f->type != PROTOBUF_C_TYPE_MESSAGE) buf_str(out, ", each ");
	if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		buf_str(out, "one of these is set");
	} else if (!list || f->type != PROTOBUF_C_TYPE_MESSAGE) {
		codec_shape_text(rule, out);
	}
	buf_str(out, " |\n");
}

static void print_message(const struct codec_message *m, struct buf *out) {
	buf_printf(out, "#### %s\n\n", m->desc->short_name);
	for (int kind = 0; kind < CODEC_KINDS; kind++) {
		if (strcmp(codec_name((enum codec_kind)kind), m->desc->short_name) != 0) continue;
		buf_printf(out, "At most %zu bytes.\n\n", codec_bytes_max((enum codec_kind)kind));
	}
	if (m->note) buf_printf(out, "Whole message: %s.\n\n", m->note);
	if (m->count == 0) buf_str(out, "No fields.\n\n");
	if (m->count == 0) return;
	buf_str(out, "| field | number | type | limit |\n|---|---|---|---|\n");
	for (size_t i = 0; i < m->count; i++) print_row(&m->desc->fields[i], &m->rules[i], out);
	buf_char(out, '\n');
}

static void print_enum(const ProtobufCEnumDescriptor *e, struct buf *out) {
	buf_printf(out, "| %s | ", e->short_name);
	for (unsigned i = 0; i < e->n_values; i++) {
		const char *word = codec_word(e, e->values[i].value);
		buf_printf(out, "%s%d %s", i ? " · " : "", e->values[i].value,
				   word ? word : e->values[i].name);
	}
	buf_str(out, " |\n");
}

void codec_print_fields(struct buf *out) {
	for (size_t i = 0; i < codec_rules_count(); i++) print_message(codec_rules_at(i), out);
	buf_str(
		out,
		"#### Enums\n\nThe words are those of the JSON mirror.\n\n| enum | values |\n|---|---|\n");
	for (size_t i = 0; i < codec_word_count(); i++) print_enum(codec_word_at(i), out);
}
