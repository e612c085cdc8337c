/* See bech32.h. What the bytes are is identity.c's and recipient.c's business. */
#include "clients/seal/bech32.h"

#include <sodium.h>

static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

enum { CHECK = 6 };

static uint32_t step(uint32_t sum, uint8_t value) {
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
										 0x2a1462b3};
	uint32_t top = sum >> 25;
	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (size_t i = 0; i < 5; i++)
		if (top >> i & 1) sum ^= generator[i];
	return sum;
}

static char lower(char c) {
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_upper(const char *hrp) {
	return hrp[0] >= 'A' && hrp[0] <= 'Z';
}

static uint32_t begin(const char *hrp) {
	uint32_t sum = 1;
	for (const char *c = hrp; *c; c++) sum = step(sum, (uint8_t)(lower(*c) >> 5));
	sum = step(sum, 0);
	for (const char *c = hrp; *c; c++) sum = step(sum, (uint8_t)(lower(*c) & 31));
	return sum;
}

static char letter(unsigned value, bool upper) {
	char c = letters[value & 31];
	return (char)(upper && c >= 'a' ? c - 'a' + 'A' : c);
}

enum err bech32_encode(const char *hrp, struct span bytes, char *out, size_t cap) {
	size_t head = strlen(hrp), groups = (bytes.len * 8 + 4) / 5, at = head + 1;
	if (bytes.len > BECH32_BYTES_MAX || head > BECH32_HRP_MAX || head + 1 + groups + CHECK >= cap)
		return ERR_LIMIT;
	bool upper = is_upper(hrp);
	uint32_t sum = begin(hrp);
	memcpy(out, hrp, head);
	out[head] = '1';
	for (size_t i = 0; i < groups; i++) {
		size_t bit = i * 5, byte = bit / 8;
		unsigned two =
			(unsigned)bytes.ptr[byte] << 8 | (byte + 1 < bytes.len ? bytes.ptr[byte + 1] : 0u);
		uint8_t value = (uint8_t)(two >> (11 - bit % 8) & 31);
		sum = step(sum, value);
		out[at++] = letter(value, upper);
	}
	for (int i = 0; i < CHECK; i++) sum = step(sum, 0);
	sum ^= 1;
	for (int i = 0; i < CHECK; i++) out[at++] = letter(sum >> (5 * (CHECK - 1 - i)), upper);
	out[at] = '\0';
	return ERR_NONE;
}

/* 0-31; -1: no letter of this case. */
static int value_of(uint8_t c, bool upper) {
	if (upper && c >= 'a' && c <= 'z') return -1;
	if (!upper && c >= 'A' && c <= 'Z') return -1;
	const char *at = c ? strchr(letters, lower((char)c)) : NULL;
	return at ? (int)(at - letters) : -1;
}

static enum err decode(const char *hrp, struct span text, uint8_t *out, size_t len) {
	struct span head = span_str(hrp);
	size_t groups = (len * 8 + 4) / 5;
	if (text.len != head.len + 1 + groups + CHECK || !span_starts(text, head) ||
		text.ptr[head.len] != '1')
		return ERR_INPUT;
	const uint8_t *at = text.ptr + head.len + 1;
	uint32_t sum = begin(hrp), bits = 0;
	size_t have = 0, done = 0;
	for (size_t i = 0; i < groups + CHECK; i++) {
		int v = value_of(at[i], is_upper(hrp));
		if (v < 0) return ERR_INPUT;
		sum = step(sum, (uint8_t)v);
		if (i >= groups) continue;
		bits = bits << 5 | (uint32_t)v;
		have += 5;
		if (have < 8) continue;
		have -= 8;
		out[done++] = (uint8_t)(bits >> have);
		bits &= (1u << have) - 1;
	}
	return sum == 1 && bits == 0 ? ERR_NONE : ERR_INPUT; /* what is left of bits is the padding */
}

enum err bech32_decode(const char *hrp, struct span text, uint8_t *out, size_t len) {
	if (len > BECH32_BYTES_MAX) return ERR_INPUT;
	enum err e = decode(hrp, text, out, len);
	if (e != ERR_NONE) sodium_memzero(out, len);
	return e;
}
