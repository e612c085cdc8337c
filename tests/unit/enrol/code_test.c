/* The claim code as people type it: what is nearly right is told apart from what is another code. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/enrol/code.h"

static char why[CODE_WHY_SIZE];

static enum err parse(const char *text, struct code *c) {
	struct code_place place;
	return code_parse(span_str(text), c, &place, why);
}

static void a_drawn_code_comes_back(void **state) {
	(void)state;
	struct code c, d;
	char text[CODE_TEXT_SIZE], typed[128] = "";
	for (int round = 0; round < 200; round++) {
		assert_int_equal(code_draw(&c), ERR_NONE);
		code_text(&c, text);
		assert_int_equal(strlen(text), CODE_TEXT_SIZE - 1);
		assert_int_equal(parse(text, &d), ERR_NONE);
		assert_memory_equal(&c, &d, sizeof c);
		size_t n = 0;
		for (const char *t = text; *t; t++) { /* as people type */
			if (*t == '-') continue;
			typed[n++] = *t == '0' ? 'o' : *t == '1' ? 'l' : (char)tolower(*t);
			if (n % 5 == 0) typed[n++] = ' ';
		}
		typed[n] = '\0';
		assert_int_equal(parse(typed, &d), ERR_NONE);
		assert_memory_equal(&c, &d, sizeof c);
	}
}

static void zeros_and_ones_have_known_texts(void **state) {
	(void)state;
	struct code c;
	char text[CODE_TEXT_SIZE];
	memset(&c, 0, sizeof c);
	code_text(&c, text);
	assert_string_equal(text, "0000-0000-0000-0000-0000-0000-0000");
	memset(&c, 0xff, sizeof c);
	code_text(&c, text);
	assert_memory_equal(text, "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZW", 31);
}

/* Every single wrong symbol, every pair of wrong symbols at a few distances, every swap. */
static void typing_errors_are_seen(void **state) {
	(void)state;
	static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	struct code c, d;
	char text[CODE_TEXT_SIZE], bad[CODE_TEXT_SIZE];
	assert_int_equal(code_draw(&c), ERR_NONE);
	code_text(&c, text);
	for (size_t i = 0; i < CODE_TEXT_SIZE - 1; i++) {
		if (text[i] == '-') continue;
		for (size_t k = 0; k < 32; k++) {
			memcpy(bad, text, sizeof bad);
			bad[i] = symbols[k];
			if (bad[i] == text[i]) continue;
			assert_int_equal(parse(bad, &d), ERR_INPUT);
			size_t j = (i + 1 + k) % (CODE_TEXT_SIZE - 1);
			if (j == i || text[j] == '-') continue;
			bad[j] = text[j] == '7' ? '8' : '7';
			assert_int_equal(parse(bad, &d), ERR_INPUT);
		}
		for (size_t j = i + 1; j < CODE_TEXT_SIZE - 1; j++) {
			if (text[j] == '-' || text[i] == text[j]) continue;
			memcpy(bad, text, sizeof bad);
			bad[i] = text[j];
			bad[j] = text[i];
			assert_int_equal(parse(bad, &d), ERR_INPUT);
			assert_non_null(strstr(why, "typing error"));
		}
	}
}

static void other_texts_are_refused(void **state) {
	(void)state;
	struct code c;
	char text[CODE_TEXT_SIZE + 1];
	assert_int_equal(code_draw(&c), ERR_NONE);
	code_text(&c, text);
	for (size_t n = 0; n < CODE_TEXT_SIZE - 1; n++) {
		char cut[CODE_TEXT_SIZE] = "";
		memcpy(cut, text, n);
		assert_int_equal(parse(cut, &c), ERR_INPUT);
	}
	text[CODE_TEXT_SIZE - 1] = '0';
	text[CODE_TEXT_SIZE] = '\0';
	assert_int_equal(parse(text, &c), ERR_INPUT);
	text[CODE_TEXT_SIZE - 1] = '\0';
	text[0] = 'U';
	assert_int_equal(parse(text, &c), ERR_INPUT);
	text[0] = '\x80';
	assert_int_equal(parse(text, &c), ERR_INPUT);
}

static void uri_carries_the_address(void **state) {
	(void)state;
	struct code c, d;
	struct code_place at = {"192.168.1.7", 4433}, got;
	struct buf uri;
	buf_init(&uri, CODE_URI_MAX);
	assert_int_equal(code_draw(&c), ERR_NONE);
	code_uri(&c, &at, &uri);
	assert_int_equal(code_parse(buf_view(&uri), &d, &got, why), ERR_NONE);
	assert_memory_equal(&c, &d, sizeof c);
	assert_string_equal(got.host, at.host);
	assert_int_equal(got.port, 4433);
	buf_reset(&uri);
	at = (struct code_place){"fe80::1%eth0", 1};
	code_uri(&c, &at, &uri);
	assert_int_equal(code_parse(buf_view(&uri), &d, &got, why), ERR_NONE);
	assert_string_equal(got.host, "fe80::1%eth0");
	buf_fini(&uri);
}

static void refuse_uri(const struct code *c, const char *before, const char *after) {
	char text[CODE_TEXT_SIZE], uri[256];
	struct code d;
	code_text(c, text);
	(void)snprintf(uri, sizeof uri, "vestibule:claim?%s%s%s", before, text, after);
	assert_int_equal(parse(uri, &d), ERR_INPUT);
}

static void other_uris_are_refused(void **state) {
	(void)state;
	struct code c, d;
	assert_int_equal(code_draw(&c), ERR_NONE);
	refuse_uri(&c, "code=", "&at=host");
	refuse_uri(&c, "code=", "&at=host:0");
	refuse_uri(&c, "code=", "&at=host:65536");
	refuse_uri(&c, "code=", "&at=fe80::1:80");
	refuse_uri(&c, "code=", "&at=a b:80");
	refuse_uri(&c, "code=", "&at=h:80&at=h:80");
	refuse_uri(&c, "code=", "&more=1");
	refuse_uri(&c, "kode=", "");
	assert_int_equal(parse("vestibule:claim?at=host:80", &d), ERR_INPUT);
	assert_int_equal(parse("vestibule:claim?", &d), ERR_INPUT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drawn_code_comes_back),
		cmocka_unit_test(zeros_and_ones_have_known_texts),
		cmocka_unit_test(typing_errors_are_seen),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(uri_carries_the_address),
		cmocka_unit_test(other_uris_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
