/* Signature Version 4 against known answers: the worked examples of the S3 manual and cases of the
 * public signing test suite (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4, by their names
 * there). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clients/relay/sign.h"

static const struct sign_keys manual_keys = {
	.access = "AKIAIOSFODNN7EXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
};
static const struct sign_keys suite_keys = {
	.access = "AKIDEXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
};
#define MANUAL_DATE "20130524T000000Z"
#define SUITE_DATE  "20150830T123600Z"
#define BUCKET \
	{ "host", "examplebucket.s3.amazonaws.com" }
#define LONG_TOKEN "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"

static void assert_ends(const struct buf *b, const char *end) {
	struct span all = buf_view(b);
	size_t len = strlen(end);
	assert_true(all.len >= len);
	if (memcmp(all.ptr + all.len - len, end, len) != 0) fail_msg("%s\nlacks %s", buf_cstr(b), end);
}

static void header_gives(const struct sign_request *q, const struct sign_keys *keys,
						 const char *signature) {
	struct buf b;
	buf_init(&b, SIGN_VALUE_MAX);
	assert_int_equal(sign_header(q, keys, &b), ERR_NONE);
	assert_ends(&b, signature);
	buf_fini(&b);
}

/* --- the manual's five --- */

static void get_object_with_range_is_the_manuals_example(void **state) {
	(void)state;
	const struct sign_pair headers[] = {{"x-amz-date", MANUAL_DATE},
										BUCKET,
										{"range", "bytes=0-9"},
										{"x-amz-content-sha256", SIGN_EMPTY}};
	struct sign_request q = {.method = "GET",
							 .path = "/test.txt",
							 .headers = headers,
							 .header_count = 4,
							 .payload = SIGN_EMPTY,
							 .date = MANUAL_DATE};
	struct buf b;
	buf_init(&b, SIGN_VALUE_MAX);
	assert_int_equal(sign_header(&q, &manual_keys, &b), ERR_NONE);
	assert_string_equal(
		buf_cstr(&b),
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
		"SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
		"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	buf_fini(&b);
}

static void put_object_is_the_manuals_example(void **state) {
	(void)state;
	const char *sum = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	const struct sign_pair headers[] = {BUCKET,
										{"date", "Fri, 24 May 2013 00:00:00 GMT"},
										{"x-amz-date", MANUAL_DATE},
										{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
										{"x-amz-content-sha256", sum}};
	struct sign_request q = {.method = "PUT",
							 .path = "/test$file.text",
							 .headers = headers,
							 .header_count = 5,
							 .payload = sum,
							 .date = MANUAL_DATE};
	struct buf target;
	header_gives(&q, &manual_keys,
				 "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
	buf_init(&target, SIGN_TARGET_MAX);
	assert_int_equal(sign_target(&q, &target), ERR_NONE);
	assert_string_equal(buf_cstr(&target), "/test%24file.text");
	buf_fini(&target);
}

static void bucket_questions_are_the_manuals_examples(void **state) {
	(void)state;
	const struct sign_pair headers[] = {
		BUCKET, {"x-amz-date", MANUAL_DATE}, {"x-amz-content-sha256", SIGN_EMPTY}};
	const struct sign_pair lifecycle[] = {{"lifecycle", ""}};
	const struct sign_pair list[] = {{"prefix", "J"}, {"max-keys", "2"}};
	struct sign_request q = {.method = "GET",
							 .path = "/",
							 .params = lifecycle,
							 .param_count = 1,
							 .headers = headers,
							 .header_count = 3,
							 .payload = SIGN_EMPTY,
							 .date = MANUAL_DATE};
	header_gives(&q, &manual_keys,
				 "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	q.params = list;
	q.param_count = 2;
	header_gives(&q, &manual_keys,
				 "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void presigned_get_is_the_manuals_example(void **state) {
	(void)state;
	const struct sign_pair headers[] = {BUCKET};
	struct sign_request q = {.method = "GET",
							 .path = "/test.txt",
							 .headers = headers,
							 .header_count = 1,
							 .payload = SIGN_UNSIGNED,
							 .date = MANUAL_DATE};
	struct buf b;
	buf_init(&b, SIGN_TARGET_MAX);
	assert_int_equal(sign_query(&q, &manual_keys, 86400, &b), ERR_NONE);
	assert_string_equal(
		buf_cstr(&b),
		"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%"
		"2F20130524"
		"%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
		"&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	buf_fini(&b);
}

/* --- the public suite --- */

struct suite_case {
	const char *name, *path;
	struct sign_pair param[4];
	const char *target; /* what goes on the wire */
	const char *header_signature, *query_signature;
};

static const struct suite_case suite[] = {
	{"get-vanilla-query-order-encoded",
	 "/",
	 {{"Param-3", "Value3"}, {"Param", "Value2"}, {"\xe1\x88\xb4", "Value1"}},
	 "/?%E1%88%B4=Value1&Param=Value2&Param-3=Value3",
	 "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
	 "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787"},
	{"get-space-unnormalized",
	 "/example space/",
	 {{NULL, NULL}},
	 "/example%20space/",
	 "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
	 "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6"},
	{"get-slashes-unnormalized",
	 "//example//",
	 {{NULL, NULL}},
	 "//example//",
	 "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
	 "822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d4ba60fc2"},
	{"get-utf8",
	 "/\xe1\x88\xb4",
	 {{NULL, NULL}},
	 "/%E1%88%B4",
	 "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
	 "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44"},
	{"get-vanilla-empty-query-key",
	 "/",
	 {{"Param1", "value1"}},
	 "/?Param1=value1",
	 "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
	 "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de"},
};

static size_t params_of(const struct suite_case *c) {
	size_t n = 0;
	while (n < 4 && c->param[n].name) n++;
	return n;
}

static void suite_cases_give_their_signatures(void **state) {
	(void)state;
	const struct sign_pair headers[] = {{"host", "example.amazonaws.com"},
										{"x-amz-date", SUITE_DATE}};
	for (size_t i = 0; i < sizeof(suite) / sizeof(suite[0]); i++) {
		const struct suite_case *c = &suite[i];
		struct sign_request q = {.method = "GET",
								 .path = c->path,
								 .params = c->param,
								 .param_count = params_of(c),
								 .headers = headers,
								 .header_count = 2,
								 .payload = SIGN_EMPTY,
								 .date = SUITE_DATE};
		struct buf b;
		buf_init(&b, SIGN_TARGET_MAX);
		header_gives(&q, &suite_keys, c->header_signature);
		assert_int_equal(sign_target(&q, &b), ERR_NONE);
		assert_string_equal(buf_cstr(&b), c->target);
		buf_reset(&b);
		q.header_count = 1;
		assert_int_equal(sign_query(&q, &suite_keys, 3600, &b), ERR_NONE);
		assert_ends(&b, c->query_signature);
		buf_fini(&b);
	}
}

static void session_token_is_the_suites_example(void **state) {
	(void)state;
	const struct sign_pair headers[] = {{"host", "example.amazonaws.com"},
										{"x-amz-date", SUITE_DATE},
										{"x-amz-security-token", LONG_TOKEN}};
	struct sign_keys keys = suite_keys;
	struct sign_request q = {.method = "GET",
							 .path = "/",
							 .headers = headers,
							 .header_count = 3,
							 .payload = SIGN_EMPTY,
							 .date = SUITE_DATE};
	struct buf b;
	keys.token = LONG_TOKEN;
	header_gives(&q, &keys, "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8");
	q.header_count = 1;
	buf_init(&b, SIGN_TARGET_MAX);
	assert_int_equal(sign_query(&q, &keys, 3600, &b), ERR_NONE);
	assert_non_null(strstr(buf_cstr(&b), "&X-Amz-Security-Token=" LONG_TOKEN "&"));
	assert_ends(&b, "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c");
	buf_fini(&b);
}

static void blanks_of_a_header_are_signed_as_the_suite_says(void **state) {
	(void)state;
	const struct sign_pair headers[] = {{"my-header2", " \"a   b   c\" "},
										{"host", "example.amazonaws.com"},
										{"my-header1", " value1"},
										{"x-amz-date", SUITE_DATE}};
	struct sign_request q = {.method = "GET",
							 .path = "/",
							 .headers = headers,
							 .header_count = 4,
							 .payload = SIGN_EMPTY,
							 .date = SUITE_DATE};
	header_gives(&q, &suite_keys,
				 "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

/* --- limits and changes --- */

static void every_changed_part_changes_the_signature(void **state) {
	(void)state;
	const struct sign_pair headers[] = {BUCKET, {"x-amz-date", MANUAL_DATE}};
	const struct sign_pair param[] = {{"a", "b"}};
	const struct sign_request first = {.method = "GET",
									   .path = "/a",
									   .headers = headers,
									   .header_count = 2,
									   .payload = SIGN_EMPTY,
									   .date = MANUAL_DATE};
	struct sign_request q[6] = {first, first, first, first, first, first};
	struct sign_keys keys[6];
	struct buf b[6];
	q[1].method = "PUT";
	q[2].path = "/b";
	q[3].params = param;
	q[3].param_count = 1;
	q[4].payload = SIGN_UNSIGNED;
	for (size_t i = 0; i < 6; i++) {
		keys[i] = manual_keys;
		if (i == 5) keys[i].secret = "another";
		buf_init(&b[i], SIGN_VALUE_MAX);
		assert_int_equal(sign_header(&q[i], &keys[i], &b[i]), ERR_NONE);
		for (size_t j = 0; j < i; j++) assert_string_not_equal(buf_cstr(&b[i]), buf_cstr(&b[j]));
	}
	for (size_t i = 0; i < 6; i++) buf_fini(&b[i]);
}

static void too_much_is_refused(void **state) {
	(void)state;
	struct sign_pair params[SIGN_PARAMS_MAX + 1];
	const struct sign_pair headers[] = {BUCKET};
	struct sign_request q = {.method = "GET",
							 .path = "/",
							 .params = params,
							 .headers = headers,
							 .header_count = 1,
							 .payload = SIGN_UNSIGNED,
							 .date = MANUAL_DATE};
	struct buf b;
	for (size_t i = 0; i <= SIGN_PARAMS_MAX; i++) params[i] = (struct sign_pair){"n", "v"};
	buf_init(&b, SIGN_TARGET_MAX);
	q.param_count = SIGN_PARAMS_MAX;
	assert_int_equal(sign_target(&q, &b), ERR_NONE);
	q.param_count = SIGN_PARAMS_MAX + 1;
	assert_int_equal(sign_target(&q, &b), ERR_LIMIT);
	buf_reset(&b);
	q.param_count = SIGN_PARAMS_MAX - 5;
	assert_int_equal(sign_query(&q, &manual_keys, 60, &b), ERR_LIMIT);
	buf_fini(&b);
	q.param_count = 0;
	buf_init(&b, 20);
	assert_int_equal(sign_query(&q, &manual_keys, 60, &b), ERR_LIMIT);
	buf_fini(&b);
}

static void date_is_utc_and_never_out_of_range(void **state) {
	(void)state;
	char date[SIGN_DATE_SIZE];
	sign_date(1369353600, date);
	assert_string_equal(date, MANUAL_DATE);
	sign_date(-1, date);
	assert_string_equal(date, "19700101T000000Z");
	sign_date(INT64_MAX, date);
	assert_string_equal(date, "99991231T235959Z");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_object_with_range_is_the_manuals_example),
		cmocka_unit_test(put_object_is_the_manuals_example),
		cmocka_unit_test(bucket_questions_are_the_manuals_examples),
		cmocka_unit_test(presigned_get_is_the_manuals_example),
		cmocka_unit_test(suite_cases_give_their_signatures),
		cmocka_unit_test(session_token_is_the_suites_example),
		cmocka_unit_test(blanks_of_a_header_are_signed_as_the_suite_says),
		cmocka_unit_test(every_changed_part_changes_the_signature),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(date_is_utc_and_never_out_of_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
