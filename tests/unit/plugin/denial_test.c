/* Refusals: counted all, kept the last, told and logged at a bounded rate; and the queues they and
 * others go out by. */
#include "plugin/denial.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "plugin/held.h"
#include "plugin/outbound.h"
#include "tests/unit/plugin/broker_stub.h"

static size_t lines;
static char last_line[LOG_LINE_MAX];

static void count(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	lines++;
	(void)snprintf(last_line, sizeof(last_line), "%s", line);
}

static struct log counting = {.sink = count, .level = LOG_WARN};
static struct denials *d;

static int fresh(void **state) {
	(void)state;
	lines = 0;
	d = denials_new(1, 2, &counting);
	return d ? 0 : -1;
}

static int done(void **state) {
	(void)state;
	denials_free(d);
	return 0;
}

static bool note(const char *who, enum denial_access access, const char *topic, int64_t boot_ms) {
	struct denial what = {.at_ms = boot_ms, .access = access, .reason = REASON_ROLE};
	struct moment now = {.utc_ms = boot_ms, .boot_ms = boot_ms, .sound = true};
	denial_set_topic(&what, span_str(topic));
	return denials_note(d, span_str(who), SPAN_LIT("id\n1"), &what, now);
}

static void last_refusals_are_kept_newest_first(void **state) {
	(void)state;
	for (int i = 0; i < DENIAL_RING + 3; i++) (void)note("alice", DENIAL_WRITE, "t", 100 + i);
	assert_int_equal(denials_last(d, SPAN_LIT("alice"), 0)->at_ms, 100 + DENIAL_RING + 2);
	assert_int_equal(denials_last(d, SPAN_LIT("alice"), DENIAL_RING - 1)->at_ms, 103);
	assert_null(denials_last(d, SPAN_LIT("alice"), DENIAL_RING));
	assert_null(denials_last(d, SPAN_LIT("bob"), 0));
	assert_int_equal(denials_count(d, DENIAL_WRITE, REASON_ROLE), DENIAL_RING + 3);
	assert_int_equal(denials_count(d, DENIAL_READ, REASON_ROLE), 0);
}

static void refused_copies_are_counted_and_nothing_else(void **state) {
	(void)state;
	assert_false(note("alice", DENIAL_READ, "t", 1));
	assert_int_equal(denials_count(d, DENIAL_READ, REASON_ROLE), 1);
	assert_int_equal(lines, 0);
	assert_null(denials_last(d, SPAN_LIT("alice"), 0));
}

static void lines_and_messages_have_a_rate(void **state) {
	(void)state;
	size_t told = 0;
	for (int i = 0; i < 1000; i++) told += note("alice", DENIAL_SUBSCRIBE, "t", 5);
	assert_in_range(told, DENIAL_TOLD_BURST, DENIAL_TOLD_BURST + 1);
	assert_in_range(lines, DENIAL_LOG_BURST, DENIAL_LOG_BURST + 1);
	assert_true(note("bob", DENIAL_SUBSCRIBE, "t", 5)); /* each has their own */
	assert_false(note("alice", DENIAL_CONNECT, "", 900000));
}

static void names_of_strangers_stay_one_line_and_cost_no_memory(void **state) {
	(void)state;
	assert_false(note("evil\nevent=grant", DENIAL_CONNECT, "", 5));
	assert_int_equal(lines, 1);
	assert_null(strchr(last_line, '\n'));
	assert_null(denials_last(d, SPAN_LIT("evil\nevent=grant"), 0));
}

static void only_so_many_users_are_remembered(void **state) {
	(void)state;
	char name[32];
	for (int i = 0; i <= DENIAL_USERS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "user-%d", i);
		(void)note(name, DENIAL_WRITE, "t", i);
	}
	assert_null(denials_last(d, SPAN_LIT("user-0"), 0));
	assert_non_null(denials_last(d, SPAN_LIT("user-1"), 0));
}

static void topics_are_cut_at_a_character_and_made_plain(void **state) {
	(void)state;
	struct denial what;
	char longest[600];
	denial_set_topic(&what, SPAN_LIT("a\nb\xff\xc3\xa9"));
	assert_string_equal(what.topic, "a?b?\xc3\xa9");
	for (size_t i = 0; i < sizeof(longest) - 1; i += 2) memcpy(longest + i, "\xc3\xa9", 2);
	longest[598] = '\0';
	denial_set_topic(&what, span_str(longest));
	assert_int_equal(strlen(what.topic), TOPIC_BYTES_MAX);
}

static void full_queue_drops_and_counts(void **state) {
	(void)state;
	struct outbound *o = outbound_new(NULL, NULL);
	struct span none = {NULL, 0};
	assert_non_null(o);
	for (size_t i = 0; i < OUTBOUND_MAX; i++)
		assert_int_equal(
			outbound_put(o, outbound_message_new(none, SPAN_LIT("t"), SPAN_LIT("x"), 0, false)),
			ERR_NONE);
	assert_int_equal(
		outbound_put(o, outbound_message_new(none, SPAN_LIT("t"), SPAN_LIT("x"), 0, false)),
		ERR_LIMIT);
	assert_int_equal(outbound_lost(o), 1);
	stub_published.count = 0;
	outbound_flush(o);
	assert_int_equal(stub_published.count, OUTBOUND_PER_TICK);
	assert_null(outbound_message_new(none, none, none, 0, false));
	assert_null(outbound_message_new(none, span_of("a\0b", 3), none, 0, false));
	outbound_free(o);
}

static void i3_held_items_leave_in_order_and_not_before_their_change(void **state) {
	(void)state;
	struct held *h = held_new();
	struct held_item item;
	assert_non_null(h);
	for (uint64_t seq = 1; seq <= 200; seq++)
		assert_int_equal(
			held_put(h, (struct held_item){.seq = seq, .tell = {.value = (int64_t)seq}}), ERR_NONE);
	assert_false(held_take(h, 0, &item));
	for (uint64_t seq = 1; seq <= 100; seq++) {
		assert_true(held_take(h, 100, &item));
		assert_int_equal(item.tell.value, seq);
	}
	assert_false(held_take(h, 100, &item));
	assert_int_equal(held_count(h), 100);
	held_free(h);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(last_refusals_are_kept_newest_first),
		TEST(refused_copies_are_counted_and_nothing_else),
		TEST(lines_and_messages_have_a_rate),
		TEST(names_of_strangers_stay_one_line_and_cost_no_memory),
		TEST(only_so_many_users_are_remembered),
		TEST(topics_are_cut_at_a_character_and_made_plain),
		cmocka_unit_test(full_queue_drops_and_counts),
		cmocka_unit_test(i3_held_items_leave_in_order_and_not_before_their_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
