/* Hexadecimal text <-> bytes, lower case out, either case in. Pure. */
#ifndef LIB_HEX_H
#define LIB_HEX_H

#include "lib/err.h"
#include "lib/span.h"

void hex_encode(struct span in, char *out); /* out: 2 * in.len + 1 bytes, zero-terminated */

/* Exactly 2 * len digits. ERR_INPUT otherwise, out untouched. */
enum err hex_decode(struct span text, uint8_t *out, size_t len) MUST_CHECK;

#endif
