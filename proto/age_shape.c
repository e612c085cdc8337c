/* The shape of age headers. Opening, sealing and Bech32 checksums are for programs that hold keys.
 */
#include "proto/age_shape.h"

static bool take(struct span *rest, struct span literal) {
	if (!span_starts(*rest, literal)) return false;
	*rest = span_drop(*rest, literal.len);
	return true;
}

/* 43 characters of canonical base64 and a line feed. */
static bool take_key_line(struct span *rest) {
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	enum { CHARS = 43 };
	if (rest->len < CHARS + 1 || rest->ptr[CHARS] != '\n') return false;
	for (size_t i = 0; i < CHARS; i++) {
		const char *at = rest->ptr[i] ? memchr(letters, rest->ptr[i], sizeof(letters) - 1) : NULL;
		if (!at) return false;
		if (i == CHARS - 1 && ((at - letters) & 3) != 0) return false;
	}
	*rest = span_drop(*rest, CHARS + 1);
	return true;
}

bool age_shape_header(struct span header, size_t stanzas_min, size_t stanzas_max) {
	if (!take(&header, SPAN_LIT("age-encryption.org/v1\n"))) return false;
	size_t stanzas = 0;
	while (take(&header, SPAN_LIT("-> X25519 "))) {
		if (++stanzas > stanzas_max || !take_key_line(&header) || !take_key_line(&header))
			return false;
	}
	if (stanzas < stanzas_min || !take(&header, SPAN_LIT("--- "))) return false;
	return take_key_line(&header) && header.len == 0;
}

bool age_shape_recipient(struct span text) {
	static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	if (text.len != 62 || !take(&text, SPAN_LIT("age1"))) return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!text.ptr[i] || !memchr(letters, text.ptr[i], sizeof(letters) - 1)) return false;
	}
	return true;
}
