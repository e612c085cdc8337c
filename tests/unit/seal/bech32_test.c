/* Keys as text, strictly: the vector of the contract page, and everything that is nearly right. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/seal/bech32.h"
#include "clients/seal/identity.h"
#include "proto/age_shape.h"

/* docs/sealing.md: 32 bytes of hex 42 */
static const char identity_text[] =
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
static const char recipient[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

static void vector_of_the_contract_page(void **state) {
	(void)state;
	struct identity id, again;
	char text[IDENTITY_TEXT_SIZE], out[RECIPIENT_TEXT_SIZE];
	memset(id.secret, 0x42, sizeof id.secret);
	assert_int_equal(bech32_encode("AGE-SECRET-KEY-", span_of(id.secret, 32), text, sizeof text),
					 ERR_NONE);
	assert_string_equal(text, identity_text);
	assert_int_equal(identity_recipient(&id, out), ERR_NONE);
	assert_string_equal(out, recipient);
	assert_int_equal(identity_parse(span_str(identity_text), &again), ERR_NONE);
	assert_memory_equal(&again, &id, sizeof id);
}

static void recipient_is_read_back_and_has_its_shape(void **state) {
	(void)state;
	uint8_t bytes[RECIPIENT_BYTES];
	char out[RECIPIENT_TEXT_SIZE];
	assert_int_equal(recipient_parse(span_str(recipient), bytes), ERR_NONE);
	assert_int_equal(recipient_text(bytes, out), ERR_NONE);
	assert_string_equal(out, recipient);
	assert_true(age_shape_recipient(span_str(out)));
}

static void one_wrong_letter_is_refused(void **state) {
	(void)state;
	static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio";
	uint8_t bytes[RECIPIENT_BYTES];
	char text[sizeof recipient];
	for (size_t i = 0; i < sizeof recipient - 1; i++) {
		for (size_t k = 0; k < sizeof letters - 1; k++) {
			memcpy(text, recipient, sizeof text);
			if (text[i] == letters[k]) continue;
			text[i] = letters[k];
			assert_int_equal(recipient_parse(span_str(text), bytes), ERR_INPUT);
		}
	}
}

static void wrong_length_or_case_is_refused(void **state) {
	(void)state;
	uint8_t bytes[RECIPIENT_BYTES];
	char text[sizeof recipient + 1];
	struct identity id;
	for (size_t n = 0; n < sizeof recipient - 1; n++)
		assert_int_equal(recipient_parse(span_of(recipient, n), bytes), ERR_INPUT);
	(void)snprintf(text, sizeof text, "%sq", recipient);
	assert_int_equal(recipient_parse(span_str(text), bytes), ERR_INPUT);
	for (size_t i = 0; i < sizeof recipient; i++) text[i] = (char)toupper(recipient[i]);
	assert_int_equal(recipient_parse(span_str(text), bytes), ERR_INPUT);
	memcpy(text, recipient, sizeof recipient);
	text[10] = (char)toupper(text[10]);
	assert_int_equal(recipient_parse(span_str(text), bytes), ERR_INPUT);
	char lower[sizeof identity_text];
	for (size_t i = 0; i < sizeof identity_text; i++) lower[i] = (char)tolower(identity_text[i]);
	assert_int_equal(identity_parse(span_str(lower), &id), ERR_INPUT);
	assert_int_equal(identity_parse(span_str(recipient), &id), ERR_INPUT);
}

/* The byte ff three times, each with a right checksum; only the first has zero bits behind it. */
static void padding_must_be_zero(void **state) {
	(void)state;
	uint8_t byte[1];
	assert_int_equal(bech32_decode("age", SPAN_LIT("age1luyvfgxs"), byte, 1), ERR_NONE);
	assert_int_equal(byte[0], 0xff);
	assert_int_equal(bech32_decode("age", SPAN_LIT("age1lae6aamz"), byte, 1), ERR_INPUT);
	assert_int_equal(bech32_decode("age", SPAN_LIT("age1l7hfgt4a"), byte, 1), ERR_INPUT);
	assert_int_equal(byte[0], 0);
}

static void points_that_everybody_can_open_are_refused(void **state) {
	(void)state;
	uint8_t point[RECIPIENT_BYTES] = {0}, out[RECIPIENT_BYTES];
	char text[RECIPIENT_TEXT_SIZE];
	for (uint8_t first = 0; first < 2; first++) { /* orders 4 and 1 */
		point[0] = first;
		assert_int_equal(recipient_text(point, text), ERR_NONE);
		assert_int_equal(recipient_parse(span_str(text), out), ERR_INPUT);
	}
	point[0] = 9;
	assert_int_equal(recipient_text(point, text), ERR_NONE);
	assert_int_equal(recipient_parse(span_str(text), out), ERR_NONE);
}

static void what_does_not_fit_is_refused(void **state) {
	(void)state;
	uint8_t many[BECH32_BYTES_MAX + 1] = {0};
	char out[RECIPIENT_TEXT_SIZE - 1];
	assert_int_equal(bech32_encode("age", span_of(many, sizeof many), out, sizeof out), ERR_LIMIT);
	assert_int_equal(bech32_encode("age", span_of(many, 32), out, sizeof out), ERR_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_of_the_contract_page),
		cmocka_unit_test(recipient_is_read_back_and_has_its_shape),
		cmocka_unit_test(one_wrong_letter_is_refused),
		cmocka_unit_test(wrong_length_or_case_is_refused),
		cmocka_unit_test(padding_must_be_zero),
		cmocka_unit_test(points_that_everybody_can_open_are_refused),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
