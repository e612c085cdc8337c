/* Is this a header of the age v1 subset (age-encryption.org/v1, X25519 stanzas only)? Bytes are
 * compared with the grammar; no key, no arithmetic of curves, no crypto library: those who may not
 * open a clip use this to tell an envelope from a letter. Pure, any thread.
 *
 *     header = "age-encryption.org/v1" LF  1*stanza  "--- " 43*base64 LF
 *     stanza = "-> X25519 " 43*base64 LF  43*base64 LF
 *
 * base64 is unpadded and canonical: 43 characters are 32 bytes, the last character ends in two zero
 * bits. */
#ifndef PROTO_AGE_SHAPE_H
#define PROTO_AGE_SHAPE_H

#include "lib/span.h"

enum {
	AGE_SHAPE_BASE = 70,
	AGE_SHAPE_STANZA = 98
}; /* a header with n stanzas has 70 + 98 n bytes */

/* True when header is the grammar to its exact end, with stanzas_min to stanzas_max stanzas. */
bool age_shape_header(struct span header, size_t stanzas_min, size_t stanzas_max);

/* The text form of a recipient: "age1" and 58 lower-case Bech32 letters. The checksum is not
 * computed here. */
bool age_shape_recipient(struct span text);

#endif
