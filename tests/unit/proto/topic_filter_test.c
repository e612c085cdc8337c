/* Claims of proto/topic.h about filters, against a naive oracle that enumerates: all filters of up
 * to three levels and all names of up to four over a small alphabet. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/topic.h"

enum { MAX = 4000, TEXT = 16 };

static char filters[MAX][TEXT], names[MAX][TEXT];
static size_t filter_count, name_count;
static bool matched[MAX / 8][MAX]; /* by the oracle */

static void grow(char list[][TEXT], size_t *count, const char *const *words, size_t levels) {
	size_t from = 0, to = 0;
	for (size_t i = 0; words[i]; i++) (void)snprintf(list[(*count)++], TEXT, "%s", words[i]);
	for (size_t level = 1; level < levels; level++, from = to) {
		to = *count;
		for (size_t base = from; base < to; base++) {
			for (size_t i = 0; words[i]; i++) {
				assert_true(*count < MAX);
				(void)snprintf(list[(*count)++], TEXT, "%.10s/%.2s", list[base], words[i]);
			}
		}
	}
}

/* MQTT 5.0 section 4.7, written recursively and without the shortcuts of the real code. */
static bool oracle(const char *f, const char *n) {
	if (strcmp(f, "#") == 0) return true;
	size_t fl = strcspn(f, "/"), nl = strcspn(n, "/");
	bool level = (fl == 1 && f[0] == '+') || (fl == nl && memcmp(f, n, fl) == 0);
	if (!level) return false;
	if (!f[fl]) return !n[nl];
	if (n[nl]) return oracle(f + fl + 1, n + nl + 1);
	return strcmp(f + fl, "/#") == 0; /* a/# matches a */
}

static bool oracle_matches(const char *f, const char *n) {
	if (n[0] == '$' && (f[0] == '+' || f[0] == '#')) return false;
	return oracle(f, n);
}

static int setup(void **state) {
	(void)state;
	static const char *const filter_words[] = {"", "a", "b", "$s", "+", "#", NULL};
	static const char *const name_words[] = {"", "a", "b", "c", "$s", NULL};
	grow(filters, &filter_count, filter_words, 3);
	grow(names, &name_count, name_words, 4);
	size_t kept = 0;
	for (size_t i = 0; i < filter_count; i++) { /* only well-formed ones: # last, not empty */
		const char *hash = strchr(filters[i], '#');
		if (!filters[i][0] || (hash && hash[1])) continue;
		memmove(filters[kept++], filters[i], TEXT);
	}
	filter_count = kept;
	for (kept = 0; !names[kept][0]; kept++) continue;
	memmove(names, names + kept, sizeof(names[0]) * (name_count -= kept));
	for (size_t f = 0; f < filter_count; f++) {
		for (size_t n = 0; n < name_count; n++)
			matched[f][n] = oracle_matches(filters[f], names[n]);
	}
	return 0;
}

static void matching_agrees_with_the_oracle(void **state) {
	(void)state;
	assert_true(filter_count > 100 && name_count > 700);
	for (size_t f = 0; f < filter_count; f++) {
		assert_true(topic_filter_is_valid(span_str(filters[f])));
		for (size_t n = 0; n < name_count; n++) {
			bool got = topic_matches(span_str(filters[f]), span_str(names[n]));
			if (got != matched[f][n]) fail_msg("%s against %s: %d", filters[f], names[n], got);
		}
	}
}

static void covering_means_that_no_name_escapes(void **state) {
	(void)state;
	for (size_t o = 0; o < filter_count; o++) {
		for (size_t i = 0; i < filter_count; i++) {
			bool want = true;
			for (size_t n = 0; n < name_count && want; n++) want = !matched[i][n] || matched[o][n];
			bool got = topic_covers(span_str(filters[o]), span_str(filters[i]));
			if (got != want) fail_msg("%s covers %s: %d", filters[o], filters[i], got);
		}
	}
}

static void overlapping_means_that_one_name_matches_both(void **state) {
	(void)state;
	for (size_t a = 0; a < filter_count; a++) {
		for (size_t b = 0; b < filter_count; b++) {
			bool want = false;
			for (size_t n = 0; n < name_count && !want; n++) want = matched[a][n] && matched[b][n];
			bool got = topic_overlaps(span_str(filters[a]), span_str(filters[b]));
			if (got != want) fail_msg("%s overlaps %s: %d", filters[a], filters[b], got);
		}
	}
}

static void malformed_and_shared_filters_are_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
		"",   "a#", "#a",         "a/#/b",      "#/",     "a+",      "+a/b",   "a/b+",
		"##", "++", "$share/g/a", "$share/g/#", "$share", "$share/", "a/\xff", "+#"};
	static const char *const good[] = {"#",     "+",      "/",         "a",    "+/+",
									   "a/+/#", "$SYS/#", "$shared/x", "a//b", "a b"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(topic_filter_is_valid(span_str(bad[i])));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(topic_filter_is_valid(span_str(good[i])));
	assert_false(topic_filter_is_valid(span_of("a\0b", 3)));
	static char big[UINT16_MAX + 1];
	memset(big, 'a', sizeof(big));
	assert_true(topic_filter_is_valid(span_of(big, UINT16_MAX)));
	assert_false(topic_filter_is_valid(span_of(big, sizeof(big))));
}

static void filters_of_the_roles_cover_what_they_should(void **state) {
	(void)state;
	struct span ring = SPAN_LIT("vestibule/v1/device/+/ring");
	assert_true(topic_covers(ring, SPAN_LIT("vestibule/v1/device/d7/ring")));
	assert_false(topic_covers(ring, SPAN_LIT("vestibule/v1/device/+/motion")));
	assert_false(topic_covers(ring, SPAN_LIT("vestibule/v1/device/#")));
	assert_false(topic_covers(ring, SPAN_LIT("vestibule/v1/device/d7/#")));
	assert_true(topic_covers(SPAN_LIT("vestibule/v1/home/h1/json/#"),
							 SPAN_LIT("vestibule/v1/home/h1/json/+/ring")));
	assert_false(topic_covers(SPAN_LIT("vestibule/v1/home/h1/json/#"),
							  SPAN_LIT("vestibule/v1/home/+/json/#")));
	assert_true(topic_overlaps(SPAN_LIT("#"), SPAN_LIT("vestibule/v1/home/h1/command")));
	assert_true(
		topic_overlaps(SPAN_LIT("+/v1/+/+/command"), SPAN_LIT("vestibule/v1/home/h1/command")));
	assert_false(topic_overlaps(SPAN_LIT("#"), SPAN_LIT("$CONTROL/vestibule/v1")));
}

static void a_name_with_wildcards_matches_nothing(void **state) {
	(void)state;
	assert_false(topic_matches(SPAN_LIT("#"), SPAN_LIT("a/+")));
	assert_false(topic_matches(SPAN_LIT("#"), SPAN_LIT("#")));
	assert_false(topic_matches(SPAN_LIT("#"), SPAN_LIT("")));
	assert_false(topic_matches(SPAN_LIT(""), SPAN_LIT("")));
	assert_false(topic_covers(SPAN_LIT(""), SPAN_LIT("")));
	assert_false(topic_overlaps(SPAN_LIT(""), SPAN_LIT("#")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching_agrees_with_the_oracle),
		cmocka_unit_test(covering_means_that_no_name_escapes),
		cmocka_unit_test(overlapping_means_that_one_name_matches_both),
		cmocka_unit_test(malformed_and_shared_filters_are_refused),
		cmocka_unit_test(filters_of_the_roles_cover_what_they_should),
		cmocka_unit_test(a_name_with_wildcards_matches_nothing),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
