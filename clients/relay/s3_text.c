/* Looking for element texts. */
#include "clients/relay/s3_text.h"

static const uint8_t *find(struct span in, const char *what, size_t len) {
	return in.len >= len ? memmem(in.ptr, in.len, what, len) : NULL;
}

/* Behind the first "<name>"; empty when there is none. */
static struct span behind_tag(struct span in, const char *name) {
	size_t len = strlen(name);
	const uint8_t *at;
	while ((at = find(in, name, len))) {
		size_t before = (size_t)(at - in.ptr);
		bool opens = before && at[-1] == '<' && before + len < in.len && at[len] == '>';
		in = span_drop(in, before + len + (opens ? 1 : 0));
		if (opens) return in;
	}
	return (struct span){NULL, 0};
}

bool s3_text_next(struct span *rest, const char *name, struct span *text) {
	struct span in = behind_tag(*rest, name);
	const uint8_t *end = in.len ? memchr(in.ptr, '<', in.len) : NULL;
	if (!end) return false;
	size_t len = (size_t)(end - in.ptr);
	struct span tail = span_drop(in, len);
	size_t name_len = strlen(name);
	bool closes = tail.len >= name_len + 3 && tail.ptr[1] == '/' &&
				  memcmp(tail.ptr + 2, name, name_len) == 0 && tail.ptr[name_len + 2] == '>';
	if (!closes) return false;
	*text = (struct span){in.ptr, len};
	*rest = span_drop(tail, name_len + 3);
	return true;
}

bool s3_text_get(struct span xml, const char *name, char *out, size_t cap) {
	struct span text;
	out[0] = '\0';
	return s3_text_next(&xml, name, &text) && span_copy(text, out, cap);
}

bool s3_text_is(struct span xml, const char *name, const char *text) {
	struct span found;
	return s3_text_next(&xml, name, &found) && span_eq(found, span_str(text));
}

bool s3_text_has(struct span xml, const char *name) {
	size_t len = strlen(name);
	const uint8_t *at;
	while ((at = find(xml, name, len))) {
		size_t before = (size_t)(at - xml.ptr);
		if (before && at[-1] == '<') return true;
		xml = span_drop(xml, before + len);
	}
	return false;
}

bool s3_text_version(struct span *rest, struct s3_text_version *out) {
	struct span in = *rest;
	if (!s3_text_next(&in, "Key", &out->key) || !s3_text_next(&in, "VersionId", &out->id))
		return false;
	*rest = in;
	return true;
}
