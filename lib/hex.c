/* Hexadecimal text. Other text forms of bytes (UUIDs, base64) belong to those who define them. */
#include "lib/hex.h"

void hex_encode(struct span in, char *out) {
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < in.len; i++) {
		*out++ = digits[in.ptr[i] >> 4];
		*out++ = digits[in.ptr[i] & 15];
	}
	*out = '\0';
}

enum { NO_DIGIT = 16 };

static unsigned digit_value(uint8_t c) {
	if (c >= '0' && c <= '9') return c - (unsigned)'0';
	if (c >= 'a' && c <= 'f') return c - (unsigned)'a' + 10;
	if (c >= 'A' && c <= 'F') return c - (unsigned)'A' + 10;
	return NO_DIGIT;
}

enum err hex_decode(struct span text, uint8_t *out, size_t len) {
	if (text.len % 2 != 0 || text.len / 2 != len) return ERR_INPUT;
	for (size_t i = 0; i < text.len; i++) {
		if (digit_value(text.ptr[i]) == NO_DIGIT) return ERR_INPUT;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned high = digit_value(text.ptr[2 * i]);
		unsigned low = digit_value(text.ptr[2 * i + 1]);
		out[i] = (uint8_t)(high << 4 | low);
	}
	return ERR_NONE;
}
