/* The edges of proto/topic.h: what is empty, longest, or no topic at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/topic.h"

static void a_name_is_as_long_as_mqtt_can_carry_and_no_longer(void **unused) {
	(void)unused;
	static char name[UINT16_MAX + 1];
	struct topic t;
	memset(name, 'a', sizeof(name));
	assert_int_equal(topic_parse(span_of(name, UINT16_MAX), &t), ERR_NONE);
	assert_int_equal(t.kind, TOPIC_OTHER);
	assert_int_equal(topic_parse(span_of(name, UINT16_MAX + 1), &t), ERR_INPUT);
	assert_int_equal(t.kind, TOPIC_UNKNOWN);
}

static void what_has_no_levels_of_ours_builds_nothing(void **unused) {
	(void)unused;
	static const enum topic_kind kinds[] = {TOPIC_UNKNOWN, TOPIC_OTHER, TOPIC_DOLLAR, TOPIC_KINDS,
											(enum topic_kind) - 1};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct buf b;
		buf_init(&b, TOPIC_BYTES_MAX);
		struct topic t = {.kind = kinds[i], .owner = SPAN_LIT("elm")};
		topic_build(&t, &b);
		assert_int_equal(buf_view(&b).len, 0);
		assert_int_equal(buf_error(&b), ERR_NONE);
		buf_fini(&b);
	}
}

static void nothing_covers_matches_or_overlaps_what_is_empty(void **unused) {
	(void)unused;
	static const char *const filters[] = {"#", "+", "+/#", "/#", "a", ""};
	const struct span empty = {NULL, 0};
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct span filter = span_str(filters[i]);
		assert_false(topic_covers(filter, empty));
		assert_false(topic_covers(empty, filter));
		assert_false(topic_matches(filter, empty));
		assert_false(topic_overlaps(filter, empty));
		assert_false(topic_overlaps(empty, filter));
	}
	assert_true(topic_covers(SPAN_LIT("#"), SPAN_LIT("/"))); /* two empty levels are a name */
	assert_true(topic_overlaps(SPAN_LIT("+/+"), SPAN_LIT("/")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_as_long_as_mqtt_can_carry_and_no_longer),
		cmocka_unit_test(what_has_no_levels_of_ours_builds_nothing),
		cmocka_unit_test(nothing_covers_matches_or_overlaps_what_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
