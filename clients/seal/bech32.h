/* Keys as text: Bech32 (BIP 173) as age uses it (age-encryption.org/v1): no limit of length, one
 * case throughout, the checksum computed over lower case, padding of fewer than 5 bits, all zero.
 * Pure, any thread. */
#ifndef SEAL_BECH32_H
#define SEAL_BECH32_H

#include "lib/err.h"
#include "lib/span.h"

enum { BECH32_BYTES_MAX = 64, BECH32_HRP_MAX = 16 };

/* hrp, '1', the bytes, 6 characters of checksum; in the case of hrp. out[cap] is zero-terminated.
 * ERR_LIMIT: more than BECH32_BYTES_MAX or BECH32_HRP_MAX, or it does not fit. */
enum err bech32_encode(const char *hrp, struct span bytes, char *out, size_t cap) MUST_CHECK;

/* Exactly len bytes under exactly this hrp, in its case. ERR_INPUT: anything else; out is wiped
 * then. The text may be a secret: neither time nor memory depends on it more than parsing must. */
enum err bech32_decode(const char *hrp, struct span text, uint8_t *out, size_t len) MUST_CHECK;

#endif
