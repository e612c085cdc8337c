/* UTF-8 as RFC 3629 has it: shortest form, no surrogates, at most U+10FFFF. Pure, any thread. */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include "lib/span.h"

/* Bytes of the well-formed character at the start of s, its number in *code (may be NULL). 0: s is
 * empty or does not start with one. */
size_t utf8_next(struct span s, uint32_t *code);

bool utf8_is_valid(struct span s); /* the empty span too */

/* May people be shown this character inside one line of text? False for control characters (C0,
 * DEL, C1), line and paragraph separators and the marks that reorder text. */
bool utf8_is_plain(uint32_t code);

#endif
