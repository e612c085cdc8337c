/* Tokens prove a credential (DESIGN 2): 256 random bits drawn here, by the client program, and kept
 * in a file that only its owner may read. Only the SHA-256 ever reaches the registry. A token is
 * never taken from the command line or the environment, and never logged. Any thread. */
#ifndef MQ_TOKEN_H
#define MQ_TOKEN_H

#include "lib/err.h"
#include "lib/span.h"

enum {
	TOKEN_BYTES = 32,
	TOKEN_TEXT = 43, /* base64url of them, without padding */
	TOKEN_TEXT_SIZE = TOKEN_TEXT + 1,
	TOKEN_TEXT_MIN = 22,  /* 128 bits of base64url: what a new token has at least */
	TOKEN_TEXT_MAX = 128, /* longest token we read from a file, whoever drew it */
	TOKEN_HASH_SIZE = 65, /* 64 hex digits and a zero */
	TOKEN_WHY_SIZE = 256
};

/* Draws a token from the kernel's random source. ERR_STORE: the source failed; out is then empty.
 */
enum err token_draw(char out[TOKEN_TEXT_SIZE]) MUST_CHECK;

/* Lower-case hex of SHA-256(token): what the registry keeps. */
enum err token_hash(struct span token,
					char out[TOKEN_HASH_SIZE]) MUST_CHECK; /* ERR_NOMEM: libcrypto failed */

/* Makes a new file of mode 0600 with the token and a newline. ERR_STORE: it exists already (never
 * overwritten) or cannot be written; why is a sentence that names the path. */
enum err token_write(const char *path, const char *token, char why[TOKEN_WHY_SIZE]) MUST_CHECK;

/* Reads the one line of a token file. ERR_ABSENT: no such file; ERR_STORE: cannot be read;
 * ERR_INPUT: readable by group or others, empty, longer than TOKEN_TEXT_MAX, or not one line of
 * visible ASCII; why names path and cause. */
enum err token_read(const char *path, char out[TOKEN_TEXT_MAX + 1],
					char why[TOKEN_WHY_SIZE]) MUST_CHECK;

#endif
