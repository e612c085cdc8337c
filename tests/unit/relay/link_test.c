/* Download links: what is signed opens until its second, and every change of it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clients/relay/link.h"

#define OBJECT "0123456789abcdef0123456789abcdef"
enum { NOW_S = 1795000000 };
#define NOW_MS ((int64_t)NOW_S * 1000)

static const uint8_t key[LINK_KEY_BYTES] = {1, 2, 3};
static const uint8_t nonce[LINK_NONCE_BYTES] = {9, 8, 7};

/* The parts of a fresh link, in memory that lives as long as the test. */
struct fresh {
	char exp[32], nonce[64], sig[80];
	struct link_parts p;
};

static void make(struct fresh *f, int64_t expires_ms) {
	struct buf b;
	char object[40];
	buf_init(&b, 300);
	assert_int_equal(link_make(key, OBJECT, expires_ms, nonce, &b), ERR_NONE);
	int n = sscanf(buf_cstr(&b), "/c/%39[0-9a-f]?exp=%31[0-9]&n=%63[0-9a-f]&sig=%79s", object,
				   f->exp, f->nonce, f->sig);
	assert_int_equal(n, 4);
	assert_string_equal(object, OBJECT);
	f->p = (struct link_parts){OBJECT, f->exp, f->nonce, f->sig};
	buf_fini(&b);
}

static void signature_is_the_known_answer(void **state) {
	(void)state;
	struct fresh f;
	make(&f, NOW_MS + 999);
	assert_string_equal(f.exp, "1795000000");
	assert_string_equal(f.nonce, "09080700000000000000000000000000");
	assert_string_equal(f.sig, "c5aecb402f3d85722ae154d3be25aec89b098b0874bfdb6d266ac5789cc46a2d");
}

static void link_is_good_until_its_end_and_no_longer_than_a_minute(void **state) {
	(void)state;
	struct fresh f;
	make(&f, NOW_MS + LINK_LIFE_MS);
	assert_true(link_is_good(key, &f.p, NOW_MS));
	assert_true(link_is_good(key, &f.p, NOW_MS + LINK_LIFE_MS - 1));
	assert_false(link_is_good(key, &f.p, NOW_MS + LINK_LIFE_MS));
	assert_false(link_is_good(key, &f.p, NOW_MS - 1));
}

static void every_changed_character_is_refused(void **state) {
	(void)state;
	struct fresh f;
	char object[] = OBJECT;
	make(&f, NOW_MS + 30000);
	f.p.object = object;
	char *parts[] = {object, f.exp, f.nonce, f.sig};
	assert_true(link_is_good(key, &f.p, NOW_MS));
	for (size_t i = 0; i < 4; i++) {
		for (size_t at = 0; parts[i][at]; at++) {
			char was = parts[i][at];
			for (const char *c = "09afAF/%\n"; *c; c++) {
				parts[i][at] = *c;
				if (*c != was) assert_false(link_is_good(key, &f.p, NOW_MS));
			}
			parts[i][at] = was;
		}
	}
	assert_true(link_is_good(key, &f.p, NOW_MS));
}

static void missing_and_misshapen_parts_are_refused(void **state) {
	(void)state;
	struct fresh f;
	make(&f, NOW_MS + 30000);
	const char **parts[] = {&f.p.object, &f.p.exp, &f.p.nonce, &f.p.sig};
	for (size_t i = 0; i < 4; i++) {
		static const char *const wrong[] = {
			NULL, "",   "0",  "99999999999999999999999",          "-1",
			"+1", " 1", "1 ", "0123456789abcdef0123456789abcdef0"};
		const char *was = *parts[i];
		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
			*parts[i] = wrong[k];
			assert_false(link_is_good(key, &f.p, NOW_MS));
		}
		*parts[i] = was;
	}
}

static void another_key_opens_nothing(void **state) {
	(void)state;
	static const uint8_t other[LINK_KEY_BYTES] = {1, 2, 4};
	struct fresh f;
	make(&f, NOW_MS + 30000);
	assert_true(link_is_good(key, &f.p, NOW_MS));
	assert_false(link_is_good(other, &f.p, NOW_MS));
}

static void object_names_are_32_lower_case_hex_digits(void **state) {
	(void)state;
	assert_true(link_object_is_valid(SPAN_LIT(OBJECT)));
	assert_false(link_object_is_valid(SPAN_LIT("0123456789abcdef0123456789abcdeF")));
	assert_false(link_object_is_valid(SPAN_LIT("0123456789abcdef0123456789abcde")));
	assert_false(link_object_is_valid(SPAN_LIT("../3456789abcdef0123456789abcdef")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_is_the_known_answer),
		cmocka_unit_test(link_is_good_until_its_end_and_no_longer_than_a_minute),
		cmocka_unit_test(every_changed_character_is_refused),
		cmocka_unit_test(missing_and_misshapen_parts_are_refused),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(object_names_are_32_lower_case_hex_digits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
