/* UTF-8 for everything that checks or prints outside text. No tables of letters, no case, no normal
 * forms. */
#include "lib/utf8.h"

size_t utf8_next(struct span s, uint32_t *code) {
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	if (s.len == 0) return 0;
	uint8_t first = s.ptr[0];
	size_t len = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (len == 0 || first > 0xF4 || s.len < len) return 0;
	uint32_t c = len == 1 ? first : first & (0xFFu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s.ptr[i] & 0xC0) != 0x80) return 0;
		c = c << 6 | (s.ptr[i] & 0x3Fu);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
	if (code) *code = c;
	return len;
}

bool utf8_is_valid(struct span s) {
	while (s.len) {
		size_t n = utf8_next(s, NULL);
		if (n == 0) return false;
		s = span_drop(s, n);
	}
	return true;
}

bool utf8_is_plain(uint32_t code) {
	if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) return false;
	if (code >= 0x2028 && code <= 0x202E) return false; /* separators, embeddings, overrides */
	if (code == 0x200E || code == 0x200F || code == 0x061C) return false;
	return code < 0x2066 || code > 0x2069;
}
