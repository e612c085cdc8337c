/* What the terminal shows is the code: the characters are read back, module by module. Whether a QR
 * code says its text is libqrencode's promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <qrencode.h>

#include "clients/doorbell/qr.h"

#define URI "vestibule:claim?code=7ZZB-5Q0D-0000-0000-0000-0000-XK2M&at=192.168.1.7:4433"
enum { QUIET = 4 };

/* Is the module lit? Consumes the characters of a line; lines are `across` characters. */
static bool is_lit(const char *picture, int across, int x, int y) {
	for (int line = 0; line < y / 2; line++) picture = strchr(picture, '\n') + 1;
	for (int i = 0; i < x; i++)
		picture += *picture == ' ' ? 1 : 3; /* UTF-8 of the block elements */
	assert_true(x < across);
	if (*picture == ' ') return false;
	assert_memory_equal(picture, "\xe2\x96", 2);
	uint8_t last = (uint8_t)picture[2];
	assert_true(last == 0x80 || last == 0x84 || last == 0x88);
	return last == 0x88 || (last == 0x80) == (y % 2 == 0);
}

static void check(bool inverse) {
	struct buf out;
	QRcode *q = QRcode_encodeString8bit(URI, 0, QR_ECLEVEL_M);
	buf_init(&out, QR_BYTES_MAX);
	assert_non_null(q);
	assert_int_equal(qr_draw(URI, inverse, &out), ERR_NONE);
	int across = q->width + 2 * QUIET;
	assert_true(across <= 80);
	for (int y = 0; y < across; y++) {
		for (int x = 0; x < across; x++) {
			int qx = x - QUIET, qy = y - QUIET;
			bool inside = qx >= 0 && qy >= 0 && qx < q->width && qy < q->width;
			bool dark = inside && (q->data[qy * q->width + qx] & 1);
			assert_int_equal(is_lit(buf_cstr(&out), across, x, y), dark == inverse);
		}
	}
	QRcode_free(q);
	buf_fini(&out);
}

static void every_module_is_drawn_with_a_quiet_zone(void **state) {
	(void)state;
	check(false);
	check(true);
}

static void too_long_a_text_is_refused(void **state) {
	(void)state;
	char text[QR_TEXT_MAX + 2];
	struct buf out;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	buf_init(&out, QR_BYTES_MAX);
	assert_int_equal(qr_draw(text, false, &out), ERR_LIMIT);
	text[QR_TEXT_MAX] = '\0';
	assert_int_equal(qr_draw(text, false, &out), ERR_NONE);
	buf_fini(&out);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_module_is_drawn_with_a_quiet_zone),
		cmocka_unit_test(too_long_a_text_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
