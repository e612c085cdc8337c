/* Storage name, endpoint and style: what requests are sent to, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clients/relay/s3_site.h"

static bool parse(struct s3_site *s, const char *storage, const char *endpoint, const char *style) {
	struct s3_site_opts o = {.storage = storage, .endpoint = endpoint, .style = style};
	char why[S3_SITE_WHY_SIZE] = "";
	bool good = s3_site_parse(s, &o, why);
	assert_true(good || why[0]);
	return good;
}

static void is_at(const struct s3_site *s, const char *name, const char *url) {
	struct buf b;
	buf_init(&b, 1024);
	s3_site_base(s, &b);
	s3_site_path(s, name, &b);
	assert_string_equal(buf_cstr(&b), url);
	buf_fini(&b);
}

static void path_style_has_the_bucket_in_the_path(void **state) {
	(void)state;
	struct s3_site s;
	assert_true(parse(&s, "clips", "http://127.0.0.1:9000", NULL));
	is_at(&s, "ab", "http://127.0.0.1:9000/clips/ab");
	is_at(&s, NULL, "http://127.0.0.1:9000/clips");
	assert_string_equal(s.region, "us-east-1");
	assert_true(parse(&s, "clips/a/b_C.1/", "https://s3.example.org/", "path"));
	is_at(&s, "ab", "https://s3.example.org/clips/a/b_C.1/ab");
	assert_string_equal(s.prefix, "a/b_C.1/");
}

static void virtual_style_has_the_bucket_in_the_host(void **state) {
	(void)state;
	struct s3_site s;
	assert_true(parse(&s, "clips/one", "https://s3.eu-west-1.amazonaws.com", "virtual"));
	is_at(&s, "ab", "https://clips.s3.eu-west-1.amazonaws.com/one/ab");
	is_at(&s, NULL, "https://clips.s3.eu-west-1.amazonaws.com/");
	assert_string_equal(s.host, "clips.s3.eu-west-1.amazonaws.com");
}

static void wrong_names_are_refused(void **state) {
	(void)state;
	static const char *const storages[] = {"",      "ab",      "UPPER",  "a_b",     "-abc",
										   "abc-",  "a..b",    "abc/",   "abc//x",  "abc/../x",
										   "abc/.", "abc/a b", "abc/a%", "abc/a/.", "abc/\xc3\xa9"};
	static const char *const endpoints[] = {"",
											"host",
											"ftp://host",
											"http://",
											"http://host/path",
											"http://u@host",
											"http://host?x",
											"https://ho st"};
	struct s3_site s;
	for (size_t i = 0; i < sizeof(storages) / sizeof(storages[0]); i++)
		assert_false(parse(&s, storages[i], "http://host", NULL));
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		assert_false(parse(&s, "clips", endpoints[i], NULL));
	assert_false(parse(&s, "clips", "http://host", "host"));
	assert_true(parse(&s, "abc", "http://host", NULL));
}

static void lengths_hold_at_their_limits(void **state) {
	(void)state;
	char text[400];
	struct s3_site s;
	memset(text, 'a', sizeof(text));
	text[63] = '\0';
	assert_true(parse(&s, text, "http://h", "virtual"));
	text[63] = 'a';
	text[64] = '\0';
	assert_false(parse(&s, text, "http://h", NULL));
	memset(text, 'a', sizeof(text));
	text[3] = '/';
	text[4 + 256] = '\0';
	assert_true(parse(&s, text, "http://h", NULL));
	assert_int_equal(strlen(s.prefix), 257);
	text[4 + 256] = 'a';
	text[4 + 257] = '\0';
	assert_false(parse(&s, text, "http://h", NULL));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_style_has_the_bucket_in_the_path),
		cmocka_unit_test(virtual_style_has_the_bucket_in_the_host),
		cmocka_unit_test(wrong_names_are_refused),
		cmocka_unit_test(lengths_hold_at_their_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
