/* A home's own key: an X25519 identity of age (age-encryption.org/v1), and the recipient that
 * everybody may know. It is drawn on the resident's machine and never leaves it; its file is what
 * age-keygen writes, so that the stock age opens what was sealed to it. Any thread; sodium_init must
 * have been called (identity_draw does it).
 *
 *     struct identity id;
 *     if (identity_load(path, &id, why) == ERR_ABSENT) ... identity_draw(&id), identity_keep(...)
 *     identity_recipient(&id, text);
 *     identity_wipe(&id);
 */
#ifndef SEAL_IDENTITY_H
#define SEAL_IDENTITY_H

#include "clients/seal/recipient.h"
#include "lib/keep.h"

enum {
	IDENTITY_BYTES = 32,
	IDENTITY_TEXT_SIZE = 75, /* AGE-SECRET-KEY-1... and a zero */
	IDENTITY_FILE_MAX = 1024 /* with comments */
};

struct identity {
	uint8_t secret[IDENTITY_BYTES];
};

enum err identity_draw(struct identity *id) MUST_CHECK; /* ERR_STORE: libsodium has no randomness */
void identity_wipe(struct identity *id);

/* The recipient's text. ERR_INPUT: no point that can be sealed to comes of it. */
enum err identity_recipient(const struct identity *id, char out[RECIPIENT_TEXT_SIZE]) MUST_CHECK;

/* AGE-SECRET-KEY-1..., upper case, strictly. ERR_INPUT. */
enum err identity_parse(struct span text, struct identity *out) MUST_CHECK;

/* Writes a new file: two comment lines and the identity. ERR_LIMIT: it exists already. */
enum err identity_keep(const char *path, const struct identity *id,
					   char why[KEEP_WHY_SIZE]) MUST_CHECK;

/* Reads a file of comment lines (#), empty lines and exactly one identity. ERR_ABSENT; ERR_INPUT:
 * others may read it, or it is no such file; ERR_LIMIT, ERR_STORE. */
enum err identity_load(const char *path, struct identity *out, char why[KEEP_WHY_SIZE]) MUST_CHECK;

#endif
