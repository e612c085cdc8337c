/* UUIDv7: making, reading, text. Whether an id is known to anybody is not asked here. */
#include "proto/uuid.h"

#include "lib/hex.h"

void uuid_v7(int64_t unix_ms, const uint8_t random[10], uint8_t out[UUID_BYTES]) {
	uint64_t ms = (uint64_t)unix_ms;
	for (int i = 0; i < 6; i++) out[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(out + 6, random, 10);
	out[6] = (uint8_t)(0x70 | (out[6] & 0x0F));
	out[8] = (uint8_t)(0x80 | (out[8] & 0x3F));
}

static bool hyphen_at(size_t i) {
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_text(const uint8_t id[UUID_BYTES], char out[UUID_TEXT_SIZE]) {
	char digits[2 * UUID_BYTES + 1];
	hex_encode(span_of(id, UUID_BYTES), digits);
	for (size_t to = 0, from = 0; to < UUID_TEXT; to++) {
		out[to] = '-';
		if (!hyphen_at(to)) out[to] = digits[from++];
	}
	out[UUID_TEXT] = '\0';
}

enum err uuid_parse(struct span text, uint8_t out[UUID_BYTES]) {
	if (text.len != UUID_TEXT) return ERR_INPUT;
	uint8_t digits[2 * UUID_BYTES];
	for (size_t i = 0, to = 0; i < UUID_TEXT; i++) {
		uint8_t c = text.ptr[i];
		if (hyphen_at(i) != (c == '-') || (c >= 'A' && c <= 'F')) return ERR_INPUT;
		if (c != '-') digits[to++] = c;
	}
	return hex_decode(span_of(digits, sizeof(digits)), out, UUID_BYTES);
}

bool uuid_is_v7(struct span bytes) {
	return bytes.len == UUID_BYTES && bytes.ptr[6] >> 4 == 7 && bytes.ptr[8] >> 6 == 2;
}

int64_t uuid_ms(const uint8_t id[UUID_BYTES]) {
	uint64_t ms = 0;
	for (int i = 0; i < 6; i++) ms = ms << 8 | id[i];
	return (int64_t)ms;
}
