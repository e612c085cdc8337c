/* The checks behind the rules, one shape each. Which field has which rule is in codec_rules.c. */
#include "proto/codec_shape.h"

#include "lib/utf8.h"
#include "proto/age_shape.h"
#include "proto/geohash.h"
#include "proto/topic.h"
#include "proto/uuid.h"

static const char *const media_types[] = {"video/mp4", "video/webm", "video/h264", "image/jpeg"};

int64_t codec_shape_number(const ProtobufCFieldDescriptor *f, const void *member) {
	uint64_t wide;
	switch (f->type) {
	case PROTOBUF_C_TYPE_UINT64:
		wide = *(const uint64_t *)member;
		return wide > INT64_MAX ? -1 : (int64_t)wide; /* no rule allows either */
	case PROTOBUF_C_TYPE_UINT32: return (int64_t) * (const uint32_t *)member;
	case PROTOBUF_C_TYPE_SINT32: return *(const int32_t *)member;
	case PROTOBUF_C_TYPE_ENUM: return *(const int *)member;
	case PROTOBUF_C_TYPE_BOOL: return *(const protobuf_c_boolean *)member;
	default: return -1;
	}
}

struct span codec_shape_bytes(const ProtobufCFieldDescriptor *f, const void *member) {
	if (f->type == PROTOBUF_C_TYPE_STRING) return span_str(*(char *const *)member);
	if (f->type != PROTOBUF_C_TYPE_BYTES) return (struct span){NULL, 0};
	const ProtobufCBinaryData *data = member;
	return span_of(data->data, data->len);
}

static bool is_number(enum codec_shape shape) {
	return shape == SHAPE_BOOL || shape == SHAPE_NUMBER || shape == SHAPE_TIME ||
		   shape == SHAPE_ENUM;
}

static enum err check_number(const struct codec_rule *rule, const ProtobufCFieldDescriptor *f,
							 int64_t v) {
	switch (rule->shape) {
	case SHAPE_BOOL: return v == 0 || v == 1 ? ERR_NONE : ERR_INPUT;
	case SHAPE_ENUM:
		return protobuf_c_enum_descriptor_get_value(f->descriptor, (int)v) ? ERR_NONE : ERR_INPUT;
	case SHAPE_TIME: return v >= 1 && v <= CODEC_TIME_MAX ? ERR_NONE : ERR_LIMIT;
	default: return v >= rule->min && v <= rule->max ? ERR_NONE : ERR_LIMIT;
	}
}

/* Text that may be shown to people as it is. *chars gets the number of characters. */
static bool is_text(struct span s, bool lines, size_t *chars) {
	uint32_t code = 0;
	for (*chars = 0; s.len; (*chars)++) {
		size_t n = utf8_next(s, &code);
		if (n == 0 || (!utf8_is_plain(code) && !(lines && code == '\n'))) return false;
		s = span_drop(s, n);
	}
	return true;
}

static enum err check_text(const struct codec_rule *rule, struct span s) {
	size_t chars = 0;
	bool lines = rule->shape == SHAPE_LINES || rule->shape == SHAPE_NOTE;
	if (!is_text(s, lines, &chars)) return ERR_INPUT;
	int64_t size = (int64_t)(rule->shape == SHAPE_CHARS ? chars : s.len);
	return size >= rule->min && size <= rule->max ? ERR_NONE : ERR_LIMIT;
}

/* 1 to max letters, each a letter or digit of the given cases or one of `more`. */
static bool is_made_of(struct span s, size_t max, bool upper, const char *more) {
	if (s.len == 0 || s.len > max) return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool plain =
			(c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z');
		if (!plain && (c == 0 || !strchr(more, c))) return false;
	}
	return true;
}

static bool is_object(struct span s) {
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
	}
	return s.len == 32;
}

static bool is_url(struct span s, int64_t max) {
	if (s.len > (size_t)max) return false;
	if (!span_starts(s, SPAN_LIT("https://")) && !span_starts(s, SPAN_LIT("http://"))) return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c <= ' ' || c >= 0x7F || strchr("\"<>\\^`{|}", c)) return false;
	}
	return true;
}

static bool is_media(struct span s) {
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		if (span_eq(s, span_str(media_types[i]))) return true;
	}
	return false;
}

static bool is_zeros(struct span s) {
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != 0) return false;
	}
	return true;
}

static bool fits(const struct codec_rule *rule, struct span s) {
	switch (rule->shape) {
	case SHAPE_UUID7: return uuid_is_v7(s);
	case SHAPE_UUID: return s.len == UUID_BYTES;
	case SHAPE_ZEROS: return is_zeros(s);
	case SHAPE_SEALED: return age_shape_header(s, 1, 8);
	case SHAPE_HEADER: return age_shape_header(s, 1, 1);
	case SHAPE_ID: return topic_id_is_valid(s);
	case SHAPE_USERNAME: return topic_username_is_valid(s);
	case SHAPE_WORD: return is_made_of(s, 64, false, "_");
	case SHAPE_CASE: return is_made_of(s, CODEC_CASE_MAX, true, "./-");
	case SHAPE_MEDIA: return is_media(s);
	case SHAPE_OBJECT: return is_object(s);
	case SHAPE_CELL: return geohash_is_valid(s, GEOHASH_AREA);
	case SHAPE_URL: return is_url(s, rule->max);
	case SHAPE_RECIPIENT: return age_shape_recipient(s);
	default: return false;
	}
}

enum err codec_shape_check(const struct codec_rule *rule, const ProtobufCFieldDescriptor *f,
						   const void *member) {
	bool optional = rule->flags & RULE_OPTIONAL;
	if (is_number(rule->shape)) {
		int64_t v = codec_shape_number(f, member);
		if (v != 0 || rule->shape == SHAPE_BOOL) return check_number(rule, f, v);
		if (optional || (rule->shape == SHAPE_NUMBER && rule->min <= 0)) return ERR_NONE;
		return ERR_INPUT; /* missing */
	}
	struct span s = codec_shape_bytes(f, member);
	if (s.len == 0) return optional ? ERR_NONE : ERR_INPUT;
	switch (rule->shape) {
	case SHAPE_TEXT:
	case SHAPE_CHARS:
	case SHAPE_LINES:
	case SHAPE_NOTE: return check_text(rule, s);
	case SHAPE_BYTES:
		return s.len >= (size_t)rule->min && s.len <= (size_t)rule->max ? ERR_NONE : ERR_LIMIT;
	case SHAPE_ZEROS:
	case SHAPE_URL:
	case SHAPE_SEALED:
		if (s.len > (size_t)rule->max) return ERR_LIMIT;
		break;
	default: break;
	}
	return fits(rule, s) ? ERR_NONE : ERR_INPUT;
}

static void media_text(struct buf *out) {
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		buf_printf(out, "%s%s", i ? ", " : "one of ", media_types[i]);
	}
}

static void range_text(const struct codec_rule *rule, const char *unit, struct buf *out) {
	if (rule->min == rule->max) {
		buf_printf(out, "%lld%s", (long long)rule->max, unit);
	} else if (rule->min == 0 && *unit) {
		buf_printf(out, "at most %lld%s", (long long)rule->max, unit);
	} else {
		const char *to = rule->min < 0 ? " to " : "-";
		buf_printf(out, "%lld%s%lld%s", (long long)rule->min, to, (long long)rule->max, unit);
	}
}

/* Shapes whose words need no numbers of the rule. */
static const char *fixed_text(enum codec_shape shape) {
	switch (shape) {
	case SHAPE_BOOL: return "true or false";
	case SHAPE_UUID7: return "16 bytes, UUIDv7";
	case SHAPE_UUID: return "16 bytes";
	case SHAPE_SEALED: return "age header with 1-8 X25519 recipients, 168-854 bytes";
	case SHAPE_HEADER: return "age header with one X25519 recipient, 168 bytes";
	case SHAPE_ID: return "1-64 of [a-z0-9_-]";
	case SHAPE_USERNAME: return "3-64 of [a-z0-9_-]";
	case SHAPE_WORD: return "1-64 of [a-z0-9_]";
	case SHAPE_CASE: return "1-32 of [A-Za-z0-9./-]";
	case SHAPE_OBJECT: return "32 lower-case hex digits";
	case SHAPE_CELL: return "geohash of 5 letters";
	case SHAPE_RECIPIENT: return "age recipient, 62 characters";
	case SHAPE_MESSAGE: return "set";
	default: return NULL;
	}
}

void codec_shape_text(const struct codec_rule *rule, struct buf *out) {
	const char *fixed = fixed_text(rule->shape);
	if (rule->flags & RULE_PLUGIN) {
		buf_str(out, "set by the plugin alone");
		return;
	}
	if (fixed) buf_str(out, fixed);
	switch (rule->shape) {
	case SHAPE_ENUM:
		buf_str(out, rule->flags & RULE_OPTIONAL ? "a known value" : "a known value, not 0");
		break;
	case SHAPE_TIME: buf_printf(out, "1-%lld", (long long)CODEC_TIME_MAX); break;
	case SHAPE_NUMBER: range_text(rule, "", out); break;
	case SHAPE_BYTES: range_text(rule, " bytes", out); break;
	case SHAPE_ZEROS: range_text(rule, " zero bytes", out); break;
	case SHAPE_TEXT: range_text(rule, " bytes of text, one line", out); break;
	case SHAPE_CHARS: range_text(rule, " characters, one line", out); break;
	case SHAPE_LINES:
	case SHAPE_NOTE: range_text(rule, " bytes of text", out); break;
	case SHAPE_URL: range_text(rule, " bytes, http or https", out); break;
	case SHAPE_MEDIA: media_text(out); break;
	default: break;
	}
	if (!(rule->flags & RULE_OPTIONAL) || rule->shape == SHAPE_ENUM) return;
	buf_str(out, is_number(rule->shape) ? ", or 0" : ", or empty");
}
