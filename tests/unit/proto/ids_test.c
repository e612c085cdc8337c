/* Claims of proto/uuid.h, proto/geohash.h and proto/age_shape.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "proto/age_shape.h"
#include "proto/geohash.h"
#include "proto/uuid.h"

static void uuid_v7_carries_its_time_and_marks(void **state) {
	(void)state;
	/* the example of RFC 9562, appendix A.6 */
	static const uint8_t random[10] = {0xcc, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
	uint8_t id[UUID_BYTES];
	char text[UUID_TEXT_SIZE];
	uuid_v7(INT64_C(0x017F22E279B0), random, id);
	uuid_text(id, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	assert_true(uuid_is_v7(span_of(id, sizeof(id))));
	assert_int_equal(uuid_ms(id), INT64_C(0x017F22E279B0));
	id[6] = 0x4c;
	assert_false(uuid_is_v7(span_of(id, sizeof(id))));
	id[6] = 0x7c;
	id[8] = 0xd8;
	assert_false(uuid_is_v7(span_of(id, sizeof(id))));
	assert_false(uuid_is_v7(span_of(id, 15)));
}

static void uuid_text_is_read_only_in_canonical_form(void **state) {
	(void)state;
	static const char good[] = "01890a5d-0000-7000-8000-00000000002a";
	uint8_t id[UUID_BYTES];
	char text[UUID_TEXT_SIZE];
	assert_int_equal(uuid_parse(SPAN_LIT("01890a5d-0000-7000-8000-00000000002a"), id), ERR_NONE);
	uuid_text(id, text);
	assert_string_equal(text, good);
	for (size_t at = 0; at < UUID_TEXT; at++) {
		for (int c = 0; c < 256; c++) {
			char changed[UUID_TEXT_SIZE];
			memcpy(changed, good, sizeof(good));
			changed[at] = (char)c;
			bool hyphen = good[at] == '-';
			bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
			enum err want = (hyphen ? c == '-' : digit) ? ERR_NONE : ERR_INPUT;
			assert_int_equal(uuid_parse(span_of(changed, UUID_TEXT), id), want);
		}
	}
	assert_int_equal(uuid_parse(span_of(good, 35), id), ERR_INPUT);
	assert_int_equal(uuid_parse(SPAN_LIT("{1890a5d-0000-7000-8000-00000000002a}"), id), ERR_INPUT);
	assert_int_equal(uuid_parse(SPAN_LIT("00000000-0000-0000-0000-000000000000"), id), ERR_NONE);
}

static void geohash_gives_the_known_cells(void **state) {
	(void)state;
	char cell[GEOHASH_MAX + 1];
	assert_int_equal(geohash_encode(57.64911, 10.40744, 11, cell), ERR_NONE);
	assert_string_equal(cell, "u4pruydqqvj");
	assert_int_equal(geohash_encode(57.64911, 10.40744, 8, cell), ERR_NONE);
	assert_string_equal(cell, "u4pruydq");
	assert_int_equal(geohash_encode(42.605, -5.603, 5, cell), ERR_NONE);
	assert_string_equal(cell, "ezs42");
	assert_int_equal(geohash_encode(-25.382708, -49.265506, 8, cell), ERR_NONE);
	assert_string_equal(cell, "6gkzwgjz");
	assert_int_equal(geohash_encode(0, 0, 5, cell), ERR_NONE);
	assert_string_equal(cell, "s0000"); /* an edge belongs to the cell above it */
	assert_int_equal(geohash_encode(90, 180, 4, cell), ERR_NONE);
	assert_string_equal(cell, "zzzz");
	assert_int_equal(geohash_encode(-90, -180, 4, cell), ERR_NONE);
	assert_string_equal(cell, "0000");
}

static void centre_of_a_cell_encodes_to_the_cell(void **state) {
	(void)state;
	static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
	uint32_t seed = 1;
	for (int i = 0; i < 2000; i++) {
		char cell[GEOHASH_DEVICE + 1], again[GEOHASH_DEVICE + 1];
		for (size_t k = 0; k < GEOHASH_DEVICE; k++) {
			seed = seed * 1664525u + 1013904223u;
			cell[k] = letters[seed >> 27];
		}
		double lat, lon;
		assert_int_equal(geohash_centre(span_of(cell, GEOHASH_DEVICE), &lat, &lon), ERR_NONE);
		assert_int_equal(geohash_encode(lat, lon, GEOHASH_DEVICE, again), ERR_NONE);
		assert_memory_equal(cell, again, GEOHASH_DEVICE);
	}
}

static void geohash_refuses_places_that_do_not_exist(void **state) {
	(void)state;
	char cell[GEOHASH_MAX + 1];
	double zero = 0, lat, lon;
	assert_int_equal(geohash_encode(90.0001, 0, 5, cell), ERR_INPUT);
	assert_int_equal(geohash_encode(0, -180.0001, 5, cell), ERR_INPUT);
	assert_int_equal(geohash_encode(zero / zero, 0, 5, cell), ERR_INPUT);
	assert_int_equal(geohash_encode(0, 1 / zero, 5, cell), ERR_INPUT);
	assert_int_equal(geohash_encode(0, 0, 0, cell), ERR_INPUT);
	assert_int_equal(geohash_encode(0, 0, GEOHASH_MAX + 1, cell), ERR_INPUT);
	assert_int_equal(geohash_encode(0, 0, GEOHASH_MAX, cell), ERR_NONE);
	assert_int_equal(geohash_centre(SPAN_LIT(""), &lat, &lon), ERR_INPUT);
	assert_int_equal(geohash_centre(SPAN_LIT("u4pruydqqvjxx"), &lat, &lon), ERR_INPUT);
	assert_int_equal(geohash_centre(SPAN_LIT("U4"), &lat, &lon), ERR_INPUT);
	assert_int_equal(geohash_centre(SPAN_LIT("ai"), &lat, &lon), ERR_INPUT);
	assert_false(geohash_is_valid(SPAN_LIT("u4pru"), 8));
	assert_true(geohash_is_valid(SPAN_LIT("u4pru"), 5));
}

/* The header of the example in the sealing notes: one recipient. */
#define INTRO  "age-encryption.org/v1\n"
#define SHARE  "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ"
#define BODY   "gKLwpV21EmKfZij1xpjE5Jn1hGnIqKy6LhyV5gy64aM"
#define MAC    "C72+3ScYRqbuK46gff7kAvSk3n6cfok/8RqzsOPl6p4"
#define STANZA "-> X25519 " SHARE "\n" BODY "\n"
#define ONE    INTRO STANZA "--- " MAC "\n"

static bool header_is(const char *text, size_t min, size_t max) {
	return age_shape_header(span_str(text), min, max);
}

static void age_header_is_known_by_its_exact_grammar(void **state) {
	(void)state;
	assert_int_equal(sizeof(ONE) - 1, 168);
	assert_true(header_is(ONE, 1, 1));
	assert_true(header_is(ONE, 1, 8));
	assert_false(header_is(ONE, 2, 8));
	assert_true(header_is(INTRO STANZA STANZA "--- " MAC "\n", 1, 8));
	assert_false(header_is(INTRO STANZA STANZA "--- " MAC "\n", 1, 1));
	assert_false(header_is(INTRO "--- " MAC "\n", 1, 8));
	assert_false(header_is(INTRO STANZA "--- " MAC, 1, 8));
	assert_false(header_is(INTRO STANZA "--- " MAC "\nx", 1, 8));
	assert_false(header_is(INTRO STANZA "---  " MAC "\n", 1, 8));
	assert_false(header_is(INTRO "-> X25519 " SHARE "=\n" BODY "\n--- " MAC "\n", 1, 8));
	assert_false(header_is(INTRO "-> X25519 " SHARE " x\n" BODY "\n--- " MAC "\n", 1, 8));
	assert_false(header_is(INTRO "-> scrypt " SHARE "\n" BODY "\n--- " MAC "\n", 1, 8));
	assert_false(header_is("age-encryption.org/v2\n" STANZA "--- " MAC "\n", 1, 8));
	assert_false(header_is("", 1, 8));
}

static void age_header_counts_its_recipients_to_eight(void **state) {
	(void)state;
	for (size_t n = 0; n <= 9; n++) {
		struct buf b;
		buf_init(&b, 2000);
		buf_str(&b, INTRO);
		for (size_t i = 0; i < n; i++) buf_str(&b, STANZA);
		buf_str(&b, "--- " MAC "\n");
		assert_int_equal(b.len, AGE_SHAPE_BASE + AGE_SHAPE_STANZA * n);
		assert_int_equal(age_shape_header(buf_view(&b), 1, 8), n >= 1 && n <= 8);
		buf_fini(&b);
	}
}

static void age_header_is_refused_after_any_bit_flip_of_its_frame(void **state) {
	(void)state;
	char text[] = ONE;
	size_t len = sizeof(ONE) - 1, accepted = 0;
	for (size_t i = 0; i < len; i++) {
		assert_false(age_shape_header(span_of(text, i), 1, 8));
		for (int bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ (1 << bit));
			bool key = (i >= 32 && i < 75) || (i >= 76 && i < 119) || (i >= 124 && i < 167);
			bool good = age_shape_header(span_of(text, len), 1, 8);
			if (good) assert_true(key);
			accepted += good ? 1 : 0;
			text[i] = (char)(text[i] ^ (1 << bit));
		}
	}
	assert_true(accepted > 300); /* inside a key another letter is as good a shape */
	text[74] = 'R';              /* last letter of the share: its low bits must be zero */
	assert_false(age_shape_header(span_of(text, len), 1, 8));
}

static void age_recipient_is_lower_case_bech32_of_62(void **state) {
	(void)state;
#define RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	assert_true(age_shape_recipient(SPAN_LIT(RECIPIENT)));
	assert_false(age_shape_recipient(SPAN_LIT(RECIPIENT "q")));
	assert_false(age_shape_recipient(span_of(RECIPIENT, 61)));
	assert_false(age_shape_recipient(
		SPAN_LIT("age1bvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")));
	assert_false(age_shape_recipient(
		SPAN_LIT("AGE1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_v7_carries_its_time_and_marks),
		cmocka_unit_test(uuid_text_is_read_only_in_canonical_form),
		cmocka_unit_test(geohash_gives_the_known_cells),
		cmocka_unit_test(centre_of_a_cell_encodes_to_the_cell),
		cmocka_unit_test(geohash_refuses_places_that_do_not_exist),
		cmocka_unit_test(age_header_is_known_by_its_exact_grammar),
		cmocka_unit_test(age_header_counts_its_recipients_to_eight),
		cmocka_unit_test(age_header_is_refused_after_any_bit_flip_of_its_frame),
		cmocka_unit_test(age_recipient_is_lower_case_bech32_of_62),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
