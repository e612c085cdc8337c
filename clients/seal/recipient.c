/* See recipient.h. */
#include "clients/seal/recipient.h"

#include <sodium.h>

#include "clients/seal/bech32.h"

enum err recipient_text(const uint8_t bytes[RECIPIENT_BYTES], char out[RECIPIENT_TEXT_SIZE]) {
	return bech32_encode("age", span_of(bytes, RECIPIENT_BYTES), out, RECIPIENT_TEXT_SIZE);
}

enum err recipient_parse(struct span text, uint8_t out[RECIPIENT_BYTES]) {
	static const uint8_t any[crypto_scalarmult_SCALARBYTES] = {8};
	uint8_t bytes[RECIPIENT_BYTES], shared[crypto_scalarmult_BYTES];
	enum err e = bech32_decode("age", text, bytes, sizeof bytes);
	if (e != ERR_NONE) return e;
	/* libsodium says -1 when the result is zero, which any scalar shows for a point of low order */
	if (crypto_scalarmult(shared, any, bytes) != 0) return ERR_INPUT;
	memcpy(out, bytes, sizeof bytes);
	return ERR_NONE;
}
