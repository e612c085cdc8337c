/* Reading the little XML: what is found, and that broken text gives nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "clients/relay/s3_text.h"

#define VERSIONS                                                                              \
	"<ListVersionsResult><Name>b</Name><DeleteMarker><Key>a/1</Key><VersionId>v3</VersionId>" \
	"</DeleteMarker><Version><Key>a/1</Key><VersionId>v2</VersionId><Size>1</Size></Version>" \
	"<Version><Key>a/2</Key><VersionId>null</VersionId></Version></ListVersionsResult>"

static void elements_are_found_in_order(void **state) {
	(void)state;
	struct span rest = SPAN_LIT("<R><Key>a</Key><KeyCount>2</KeyCount><Key>b</Key></R>"), text;
	assert_true(s3_text_next(&rest, "Key", &text));
	assert_true(span_eq(text, SPAN_LIT("a")));
	assert_true(s3_text_next(&rest, "Key", &text));
	assert_true(span_eq(text, SPAN_LIT("b")));
	struct span before = rest;
	assert_false(s3_text_next(&rest, "Key", &text));
	assert_ptr_equal(rest.ptr, before.ptr);
}

static void first_text_is_copied_or_nothing(void **state) {
	(void)state;
	char out[4];
	struct span xml = SPAN_LIT("<E><Code>abc</Code><Message>abcd</Message></E>");
	assert_true(s3_text_get(xml, "Code", out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(s3_text_get(xml, "Message", out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(s3_text_is(xml, "Code", "abc"));
	assert_false(s3_text_is(xml, "Code", "ab"));
	assert_true(s3_text_has(SPAN_LIT("<R xmlns=\"x\"/>"), "R"));
	assert_false(s3_text_has(SPAN_LIT("</R>"), "R"));
}

static void versions_and_markers_come_with_their_keys(void **state) {
	(void)state;
	static const char *const want[][2] = {{"a/1", "v3"}, {"a/1", "v2"}, {"a/2", "null"}};
	struct span rest = SPAN_LIT(VERSIONS);
	struct s3_text_version v;
	for (size_t i = 0; i < 3; i++) {
		assert_true(s3_text_version(&rest, &v));
		assert_true(span_eq(v.key, span_str(want[i][0])));
		assert_true(span_eq(v.id, span_str(want[i][1])));
	}
	assert_false(s3_text_version(&rest, &v));
}

/* Every beginning of the text, in memory of exactly that size: the sanitizers see a read too far.
 */
static void text_cut_anywhere_is_read_safely(void **state) {
	(void)state;
	for (size_t len = 0; len <= sizeof(VERSIONS); len++) {
		char *copy = malloc(len ? len : 1);
		assert_non_null(copy);
		memcpy(copy, VERSIONS, len);
		struct span rest = span_of(copy, len), text;
		struct s3_text_version v;
		size_t found = 0;
		while (s3_text_version(&rest, &v)) found++;
		assert_true(found <= 3);
		rest = span_of(copy, len);
		while (s3_text_next(&rest, "Key", &text)) {
		}
		(void)s3_text_has(span_of(copy, len), "ListVersionsResult");
		free(copy);
	}
}

static void nested_and_unclosed_elements_give_nothing(void **state) {
	(void)state;
	struct span text;
	static const char *const texts[] = {"<Key>a",      "<Key>a<",      "<Key>a</",
										"<Key>a</Ke",  "<Key>a</Key",  "<Key><b/></Key>",
										"Key>a</Key>", "<Key a</Key>", "<Key>a</key>"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct span rest = span_str(texts[i]);
		if (s3_text_next(&rest, "Key", &text)) fail_msg("found in %s", texts[i]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_found_in_order),
		cmocka_unit_test(first_text_is_copied_or_nothing),
		cmocka_unit_test(versions_and_markers_come_with_their_keys),
		cmocka_unit_test(text_cut_anywhere_is_read_safely),
		cmocka_unit_test(nested_and_unclosed_elements_give_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
