/* Rate limits: the last one that passes beside the first that does not; what may be acknowledged.
 */
#include "plugin/limiter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/plugin/broker_stub.h"

static struct limiter *l;
static char said[512];
static size_t lines;

static void hear(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	lines++;
	(void)snprintf(said, sizeof(said), "%s", line);
}

static struct log quiet = {.sink = hear, .level = LOG_WARN};
static const struct span front = {(const uint8_t *)"front", 5};

static int fresh(void **state) {
	(void)state;
	lines = 0;
	l = limiter_new(1, 2, &quiet);
	return l ? 0 : -1;
}

static int done(void **state) {
	(void)state;
	limiter_free(l);
	return 0;
}

static struct moment at(int64_t boot_ms) {
	return (struct moment){.utc_ms = 1000000 + boot_ms, .boot_ms = boot_ms, .sound = true};
}

static enum limiter_answer take(enum limiter_kind kind, uint64_t seq, int64_t effective_ms,
								int64_t boot_ms) {
	uint8_t id[16] = {0};
	memcpy(id, &seq, sizeof(seq));
	struct limiter_event ev = {
		.kind = kind, .event_id = id, .seq = seq, .effective_ms = effective_ms};
	return limiter_take(l, front, &ev, at(boot_ms));
}

static void i24_seventh_ring_of_a_minute_waits(void **state) {
	(void)state;
	for (uint64_t seq = 1; seq <= 6; seq++)
		assert_int_equal(take(LIMITER_RING, seq, 1000, 0), LIMITER_TAKE);
	assert_int_equal(take(LIMITER_RING, 7, 1000, 0), LIMITER_LATER);
	assert_int_equal(take(LIMITER_RING, 8, 1000 + LIMIT_WINDOW_MS - 1, 0), LIMITER_LATER);
	assert_int_equal(take(LIMITER_RING, 9, 1000 + LIMIT_WINDOW_MS, 0), LIMITER_TAKE);
	assert_int_equal(take(LIMITER_MOTION, 10, 1000, 0), LIMITER_TAKE);
}

static void i24_fifth_clip_of_a_minute_waits(void **state) {
	(void)state;
	for (uint64_t seq = 1; seq <= 4; seq++)
		assert_int_equal(take(LIMITER_CLIP, seq, 1000, 0), LIMITER_TAKE);
	assert_int_equal(take(LIMITER_CLIP, 5, 1000, 0), LIMITER_LATER);
}

static void flushed_spool_of_an_hour_is_taken_at_once(void **state) {
	(void)state;
	for (uint64_t n = 0; n < 180; n++)
		assert_int_equal(take(LIMITER_RING, n + 1, (int64_t)n * 20000, 5), LIMITER_TAKE);
}

static void lying_about_the_time_ends_at_the_ingress_bucket(void **state) {
	(void)state;
	uint64_t seq = 1;
	while (take(LIMITER_RING, seq, (int64_t)seq * 100000, 0) == LIMITER_TAKE) seq++;
	assert_int_equal(seq, LIMIT_INGRESS_BURST + 1);
	assert_int_equal(take(LIMITER_RING, seq + 1, -100000, LIMIT_INGRESS_MS), LIMITER_TAKE);
}

static void repeated_ring_is_known(void **state) {
	(void)state;
	assert_int_equal(take(LIMITER_RING, 1, 1000, 0), LIMITER_TAKE);
	assert_int_equal(take(LIMITER_RING, 1, 1000, 0), LIMITER_REPEATED);
}

static void no_ack_reaches_a_clip_that_was_passed_over(void **state) {
	(void)state;
	for (uint64_t seq = 1; seq <= 4; seq++)
		assert_int_equal(take(LIMITER_CLIP, seq, 0, 0), LIMITER_TAKE);
	assert_int_equal(limiter_ack(l, front, 4), 4);
	assert_int_equal(take(LIMITER_CLIP, 5, 0, 0), LIMITER_LATER);
	assert_int_equal(take(LIMITER_CLIP, 6, 900000, 0), LIMITER_TAKE);
	assert_int_equal(limiter_ack(l, front, 6), 4);
	assert_int_equal(limiter_ack(l, front, 3), 3);
	assert_int_equal(take(LIMITER_CLIP, 5, 700000, 0), LIMITER_TAKE);
	assert_int_equal(limiter_ack(l, front, 6), 6);
}

static void clip_that_the_device_gave_up_holds_no_ack_back(void **state) {
	(void)state;
	for (uint64_t seq = 1; seq <= 4; seq++)
		assert_int_equal(take(LIMITER_CLIP, seq, 0, 0), LIMITER_TAKE);
	assert_int_equal(take(LIMITER_CLIP, 5, 0, 0), LIMITER_LATER);
	assert_int_equal(take(LIMITER_CLIP, 6, 900000, 0), LIMITER_TAKE);
	assert_int_equal(limiter_ack(l, front, 6), 4);
	limiter_repeated(l, front, 6); /* started over, and 5 was not there */
	assert_int_equal(limiter_ack(l, front, 6), 6);
}

/* A ring is done when it arrived: nobody repeats it, and a clip's ack must not wait for it. */
static void ring_over_its_limit_holds_no_ack_back(void **state) {
	(void)state;
	for (uint64_t seq = 1; seq <= 6; seq++)
		assert_int_equal(take(LIMITER_RING, seq, 0, 0), LIMITER_TAKE);
	assert_int_equal(take(LIMITER_RING, 7, 0, 0), LIMITER_LATER);
	assert_int_equal(take(LIMITER_CLIP, 8, 0, 0), LIMITER_TAKE);
	assert_int_equal(limiter_ack(l, front, 8), 8);
}

static void event_put_back_is_a_hole(void **state) {
	(void)state;
	assert_int_equal(take(LIMITER_CLIP, 3, 0, 0), LIMITER_TAKE);
	limiter_put_back(l, front, 3);
	assert_int_equal(limiter_ack(l, front, 9), 2);
}

static void i24_command_bucket_empties_and_fills(void **state) {
	(void)state;
	struct span alice = SPAN_LIT("alice"), bob = SPAN_LIT("bob");
	for (int i = 0; i < LIMIT_COMMAND_BURST; i++)
		assert_true(limiter_principal(l, alice, LIMITER_COMMAND, at(0)));
	assert_false(limiter_principal(l, alice, LIMITER_COMMAND, at(LIMIT_COMMAND_MS - 1)));
	assert_true(limiter_principal(l, alice, LIMITER_COMMAND, at(LIMIT_COMMAND_MS)));
	assert_false(limiter_principal(l, alice, LIMITER_COMMAND, at(LIMIT_COMMAND_MS)));
	assert_true(limiter_principal(l, bob, LIMITER_COMMAND, at(0)));
	assert_true(limiter_principal(l, alice, LIMITER_PULL, at(0)));
}

static void i24_chunk_bucket_is_a_device_alone_and_fills(void **state) {
	(void)state;
	for (int i = 0; i < LIMIT_CHUNK_BURST; i++)
		assert_true(limiter_principal(l, front, LIMITER_CHUNK, at(0)));
	assert_false(limiter_principal(l, front, LIMITER_CHUNK, at(0)));
	assert_true(limiter_principal(l, front, LIMITER_CHUNK, at(LIMIT_CHUNK_MS)));
	assert_true(limiter_principal(l, SPAN_LIT("back"), LIMITER_CHUNK, at(0)));
}

/* A limit that takes most of a day to come back is not forgotten in an hour. */
static void i24_session_bucket_outlives_the_sweep(void **state) {
	(void)state;
	const int64_t whole = (int64_t)LIMIT_SESSION_BURST * LIMIT_SESSION_MS;
	for (int i = 0; i < LIMIT_SESSION_BURST; i++)
		assert_true(limiter_principal(l, front, LIMITER_SESSION, at(0)));
	assert_false(limiter_principal(l, front, LIMITER_SESSION, at(0)));
	assert_true(limiter_principal(l, SPAN_LIT("back"), LIMITER_SESSION, at(0)));
	limiter_sweep(l, at(2 * (int64_t)LIMIT_IDLE_MS));
	const int64_t back = 2 * (int64_t)LIMIT_IDLE_MS / LIMIT_SESSION_MS;
	for (int64_t i = 0; i < back; i++)
		assert_true(limiter_principal(l, front, LIMITER_SESSION, at(2 * (int64_t)LIMIT_IDLE_MS)));
	assert_false(limiter_principal(l, front, LIMITER_SESSION, at(2 * (int64_t)LIMIT_IDLE_MS)));
	limiter_sweep(l, at(2 * whole));
	for (int i = 0; i < LIMIT_SESSION_BURST; i++)
		assert_true(limiter_principal(l, front, LIMITER_SESSION, at(2 * whole)));
}

static void who_is_over_a_limit_is_named_now_and_then(void **state) {
	(void)state;
	for (uint64_t seq = 1; seq <= 6; seq++) (void)take(LIMITER_MOTION, seq, 0, 0);
	assert_int_equal(lines, 0);
	for (uint64_t seq = 7; seq <= 106; seq++)
		assert_int_equal(take(LIMITER_MOTION, seq, 0, 0), LIMITER_LATER);
	assert_int_equal(lines, 1);
	assert_string_equal(said, "event=limited device=front what=motion suppressed=0");
	(void)take(LIMITER_MOTION, 107, 0, LIMIT_LOG_EVERY_MS);
	assert_int_equal(lines, 2);
	assert_string_equal(said, "event=limited device=front what=motion suppressed=99");
	for (int i = 0; i <= LIMIT_COMMAND_BURST; i++)
		(void)limiter_principal(l, SPAN_LIT("alice"), LIMITER_COMMAND, at(0));
	assert_string_equal(said, "event=limited who=alice what=command suppressed=0");
	assert_int_equal(limiter_limited(l), 102);
}

static void lines_about_refused_commands_are_few_and_each_names_own(void **state) {
	(void)state;
	for (int i = 0; i < LIMIT_LOG_BURST; i++)
		assert_true(limiter_may_log(l, SPAN_LIT("alice"), at(0)));
	assert_false(limiter_may_log(l, SPAN_LIT("alice"), at(LIMIT_LOG_EVERY_MS - 1)));
	assert_true(limiter_may_log(l, SPAN_LIT("bob"), at(0)));
	assert_true(limiter_may_log(l, SPAN_LIT("alice"), at(LIMIT_LOG_EVERY_MS)));
	assert_int_equal(limiter_limited(l), 0);
}

static void sweep_forgets_the_idle_but_no_hole(void **state) {
	(void)state;
	assert_int_equal(take(LIMITER_RING, 1, 0, 0), LIMITER_TAKE);
	limiter_sweep(l, at(LIMIT_IDLE_MS - 1));
	assert_int_equal(take(LIMITER_RING, 1, 0, LIMIT_IDLE_MS - 1), LIMITER_REPEATED);
	limiter_sweep(l, at(3 * (int64_t)LIMIT_IDLE_MS));
	assert_int_equal(take(LIMITER_RING, 1, 0, 3 * (int64_t)LIMIT_IDLE_MS), LIMITER_TAKE);
	limiter_put_back(l, front, 1);
	limiter_sweep(l, at(9 * (int64_t)LIMIT_IDLE_MS));
	assert_int_equal(limiter_ack(l, front, 1), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(i24_seventh_ring_of_a_minute_waits),
		TEST(i24_fifth_clip_of_a_minute_waits),
		TEST(flushed_spool_of_an_hour_is_taken_at_once),
		TEST(lying_about_the_time_ends_at_the_ingress_bucket),
		TEST(repeated_ring_is_known),
		TEST(no_ack_reaches_a_clip_that_was_passed_over),
		TEST(clip_that_the_device_gave_up_holds_no_ack_back),
		TEST(ring_over_its_limit_holds_no_ack_back),
		TEST(event_put_back_is_a_hole),
		TEST(i24_command_bucket_empties_and_fills),
		TEST(i24_chunk_bucket_is_a_device_alone_and_fills),
		TEST(i24_session_bucket_outlives_the_sweep),
		TEST(who_is_over_a_limit_is_named_now_and_then),
		TEST(lines_about_refused_commands_are_few_and_each_names_own),
		TEST(sweep_forgets_the_idle_but_no_hole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
