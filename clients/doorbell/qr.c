/* See qr.h. */
#include "clients/doorbell/qr.h"

#include <errno.h>

#include <qrencode.h>

enum { QUIET = 4 };

/* Outside the code all is light. */
static bool is_dark(const QRcode *q, int x, int y) {
	return x >= 0 && y >= 0 && x < q->width && y < q->width && (q->data[y * q->width + x] & 1);
}

enum err qr_draw(const char *text, bool inverse, struct buf *out) {
	static const char *const halves[] = {" ", "\u2584", "\u2580",
										 "\u2588"}; /* none, low, up, both */
	if (strlen(text) > QR_TEXT_MAX) return ERR_LIMIT;
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (!q) return errno == ENOMEM ? ERR_NOMEM : ERR_LIMIT;
	for (int y = -QUIET; y < q->width + QUIET; y += 2) {
		for (int x = -QUIET; x < q->width + QUIET; x++) {
			bool up = is_dark(q, x, y) == inverse, low = is_dark(q, x, y + 1) == inverse;
			buf_str(out, halves[(up ? 2 : 0) + (low ? 1 : 0)]);
		}
		buf_char(out, '\n');
	}
	QRcode_free(q);
	return buf_error(out);
}
