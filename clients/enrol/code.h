/* The claim code: 128 random bits that only the device shows, on its screen or in its log. Who can
 * type it stands at the device, or was told by somebody who does.
 *
 *     7ZZB-5Q0D-...-XK2M    28 symbols of Crockford's base32 in groups of 4: 26 of the code, the last
 *                           with two zero bits, and 2 of a Reed-Solomon code over GF(32)
 *
 * The two check symbols make any two wrong or swapped symbols visible, so that a typing error is
 * told apart from a code that the device does not know. Case, spaces and hyphens do not matter; O is
 * read as 0, I and L as 1. The URI of the QR code carries the address, too:
 *
 *     vestibule:claim?code=7ZZB-...&at=192.168.1.7:4433
 *
 * The code is a secret: wipe it. Any thread. */
#ifndef ENROL_CODE_H
#define ENROL_CODE_H

#include "lib/buf.h"

enum {
	CODE_BYTES = 16,
	CODE_SYMBOLS = 28,
	CODE_TEXT_SIZE = 35, /* with 6 hyphens and a zero */
	CODE_HOST_SIZE = 256,
	CODE_URI_MAX = 512,
	CODE_WHY_SIZE = 128
};

struct code {
	uint8_t secret[CODE_BYTES];
};

struct code_place {            /* where the device listens */
	char host[CODE_HOST_SIZE]; /* "": not said */
	uint16_t port;
};

enum err code_draw(struct code *c) MUST_CHECK; /* ERR_STORE: no random bytes */
void code_text(const struct code *c, char out[CODE_TEXT_SIZE]);
void code_uri(const struct code *c, const struct code_place *at, struct buf *out);

/* Reads a code or a URI. place is emptied when the text names none. ERR_INPUT: why says what is
 * wrong with the text, without repeating it. */
enum err code_parse(struct span text, struct code *c, struct code_place *place,
					char why[CODE_WHY_SIZE]) MUST_CHECK;

/* HOST:PORT, [IPv6]:PORT. port_min 0: a port that the system chooses is fine. ERR_INPUT. */
enum err code_place_parse(struct span text, unsigned port_min, struct code_place *out) MUST_CHECK;
void code_place_text(const struct code_place *p, struct buf *out);

#endif
