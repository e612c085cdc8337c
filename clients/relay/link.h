/* The form of our own download links: /c/OBJECT?exp=SECONDS&n=NONCE&sig=HMAC. exp is a time in UTC
 * seconds, rounded down, the nonce is 128 random bits in hex, sig is HMAC-SHA-256 in hex over all
 * of it. Whether a good link was used already, and what it opens, is known elsewhere (serve.c).
 * Pure but for libcrypto; any thread. */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include "lib/buf.h"

enum {
	LINK_KEY_BYTES = 32,
	LINK_NONCE_BYTES = 16,
	LINK_NONCE_TEXT = 32,
	LINK_SIG_TEXT = 64,
	LINK_LIFE_MS = 60000 /* the longest life of any link */
};

/* Zero-terminated strings from outside, NULL when missing; no shape is assumed. */
struct link_parts {
	const char *object;
	const char *exp;
	const char *nonce;
	const char *sig;
};

/* Appends "/c/OBJECT?exp=..". ERR_NOMEM: libcrypto or the buffer; ERR_LIMIT: the buffer. */
enum err link_make(const uint8_t key[LINK_KEY_BYTES], const char *object, int64_t expires_ms,
				   const uint8_t nonce[LINK_NONCE_BYTES], struct buf *out) MUST_CHECK;

/* True when every part has its shape, the signature is right, now_ms is before exp, and exp is no
 * further away than LINK_LIFE_MS. The signature is compared first and in constant time. */
bool link_is_good(const uint8_t key[LINK_KEY_BYTES], const struct link_parts *p, int64_t now_ms);

bool link_object_is_valid(struct span name); /* 32 lower-case hex digits */

#endif
