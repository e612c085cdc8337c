/* A device's own key: Ed25519 (RFC 8032), drawn on the device and never leaving it. What it signs
 * comes with sealing; today the home pins its public half at the claim. Any thread. */
#ifndef SEAL_SIGNER_H
#define SEAL_SIGNER_H

#include "lib/keep.h"

enum { SIGNER_SEED_BYTES = 32, SIGNER_PUBLIC_BYTES = 32, SIGNER_PUBLIC_TEXT_SIZE = 65 };

struct signer {
	uint8_t seed[SIGNER_SEED_BYTES];
	uint8_t public_key[SIGNER_PUBLIC_BYTES];
};

enum err signer_draw(struct signer *s) MUST_CHECK; /* ERR_STORE: libsodium has no randomness */
void signer_wipe(struct signer *s);

/* The file holds a comment line with the public key and the seed in hexadecimal. ERR_LIMIT: it
 * exists already. */
enum err signer_keep(const char *path, const struct signer *s, char why[KEEP_WHY_SIZE]) MUST_CHECK;
/* ERR_ABSENT; ERR_INPUT: others may read it, or it is no such file; ERR_LIMIT, ERR_STORE. */
enum err signer_load(const char *path, struct signer *out, char why[KEEP_WHY_SIZE]) MUST_CHECK;

#endif
