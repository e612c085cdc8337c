/* Whom something can be sealed to: an age X25519 recipient, as text and as 32 bytes. Public. Any
 * thread. */
#ifndef SEAL_RECIPIENT_H
#define SEAL_RECIPIENT_H

#include "lib/err.h"
#include "lib/span.h"

enum { RECIPIENT_BYTES = 32, RECIPIENT_TEXT_SIZE = 63 /* age1... and a zero */ };

enum err recipient_text(const uint8_t bytes[RECIPIENT_BYTES],
						char out[RECIPIENT_TEXT_SIZE]) MUST_CHECK;

/* age1..., lower case, strictly. ERR_INPUT: not one, or of low order: what is sealed to such a point
 * can be opened by everybody (SEALED 1). */
enum err recipient_parse(struct span text, uint8_t out[RECIPIENT_BYTES]) MUST_CHECK;

#endif
