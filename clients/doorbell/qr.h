/* A QR code for a terminal: two modules in one character, U+2580, U+2584, U+2588 and space, with the
 * quiet zone of four modules around it that scanners need (ISO/IEC 18004). Light modules are drawn,
 * for terminals are dark; `inverse` for those that are not. */
#ifndef DOORBELL_QR_H
#define DOORBELL_QR_H

#include "lib/buf.h"

enum { QR_TEXT_MAX = 512, QR_BYTES_MAX = 65536 };

/* Appends the lines. ERR_LIMIT: text is too long; ERR_NOMEM. text: zero-terminated, borrowed. */
enum err qr_draw(const char *text, bool inverse, struct buf *out) MUST_CHECK;

#endif
