/* Claims of lib/clock.h: the judge allows what CONSENT 6 allows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/clock.h"

enum { START = 1000000, DAY = 86400000 };

static int64_t utc0(void) {
	return INT64_C(1795000000000);
}

static struct moment at(int64_t utc_ms, int64_t boot_ms) {
	return (struct moment){utc_ms, boot_ms, true};
}

static void steady_clock_is_sound_and_raises_the_floor(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, utc0() - DAY);
	for (int i = 0; i < 100; i++) {
		struct moment m = clock_judge_look(&j, at(utc0() + i * 100, START + i * 100));
		assert_true(m.sound);
		assert_int_equal(m.utc_ms, utc0() + i * 100);
		assert_int_equal(j.floor_ms, m.utc_ms);
	}
}

static void i25_small_step_back_is_read_as_the_floor(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, utc0());
	struct moment m = clock_judge_look(&j, at(utc0() - CLOCK_BACK_MS, START));
	assert_true(m.sound);
	assert_int_equal(m.utc_ms, utc0());
	assert_int_equal(j.floor_ms, utc0());
}

static void i1_larger_step_back_is_suspect(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, utc0());
	struct moment m = clock_judge_look(&j, at(utc0() - CLOCK_BACK_MS - 1, START));
	assert_false(m.sound);
	assert_int_equal(m.utc_ms, utc0()); /* prolongs nothing */
	assert_int_equal(j.floor_ms, utc0());
}

static void i1_jump_ahead_is_suspect_only_over_the_limit(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, 0);
	assert_true(clock_judge_look(&j, at(utc0(), START)).sound);
	assert_true(clock_judge_look(&j, at(utc0() + 1000 + CLOCK_AHEAD_MS, START + 1000)).sound);
	clock_judge_init(&j, 0);
	assert_true(clock_judge_look(&j, at(utc0(), START)).sound);
	assert_false(clock_judge_look(&j, at(utc0() + 1001 + CLOCK_AHEAD_MS, START + 1000)).sound);
	assert_int_equal(j.floor_ms, utc0()); /* what is not accepted raises no floor */
}

static void long_sleep_with_both_clocks_is_sound(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, 0);
	assert_true(clock_judge_look(&j, at(utc0(), START)).sound);
	assert_true(clock_judge_look(&j, at(utc0() + DAY, START + DAY)).sound);
}

static void i1_suspect_clock_is_sound_after_agreeing_for_a_minute(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, 0);
	assert_true(clock_judge_look(&j, at(utc0(), START)).sound);
	assert_false(clock_judge_look(&j, at(utc0() - 10000, START + 100)).sound);
	/* mended; the minute starts with the first reading that agrees */
	assert_false(clock_judge_look(&j, at(utc0() + 200, START + 200)).sound); /* jumped to agree */
	int64_t t = 300;
	assert_false(clock_judge_look(&j, at(utc0() + t, START + t)).sound);
	assert_false(clock_judge_look(&j, at(utc0() + 200 + CLOCK_SOUND_AFTER_MS - 1,
										 START + 200 + CLOCK_SOUND_AFTER_MS - 1))
					 .sound);
	assert_true(clock_judge_look(
					&j, at(utc0() + 200 + CLOCK_SOUND_AFTER_MS, START + 200 + CLOCK_SOUND_AFTER_MS))
					.sound);
}

static void disagreement_restarts_the_minute(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, utc0());
	assert_false(clock_judge_look(&j, at(utc0() - DAY, START)).sound);
	assert_false(clock_judge_look(&j, at(utc0() + 1000, START + 1000)).sound);
	int64_t from = START + 1000;
	(void)clock_judge_look(&j, at(utc0() + 30000, from + 30000));
	(void)clock_judge_look(&j, at(utc0() - DAY, from + 31000)); /* again wrong */
	assert_false(clock_judge_look(&j, at(utc0() + 61000, from + 61000)).sound);
	assert_false(clock_judge_look(&j, at(utc0() + 90000, from + 90000)).sound);
}

static void backward_boot_clock_or_failed_reading_is_suspect(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, 0);
	assert_true(clock_judge_look(&j, at(utc0(), START)).sound);
	assert_false(clock_judge_look(&j, at(utc0(), START - 1)).sound);
	clock_judge_init(&j, 0);
	assert_false(clock_judge_look(&j, (struct moment){utc0(), START, false}).sound);
}

static void operator_can_trust_a_clock_below_the_floor(void **state) {
	(void)state;
	struct clock_judge j;
	clock_judge_init(&j, utc0() + 100 * (int64_t)DAY);
	assert_false(clock_judge_look(&j, at(utc0(), START)).sound);
	clock_judge_trust(&j, at(utc0(), START));
	struct moment m = clock_judge_look(&j, at(utc0() + 100, START + 100));
	assert_true(m.sound);
	assert_int_equal(m.utc_ms, utc0() + 100);
}

static void machine_clocks_read_plausibly(void **state) {
	(void)state;
	struct moment m = clock_read();
	assert_true(m.sound);
	assert_true(m.utc_ms > INT64_C(1600000000000));
	assert_true(m.boot_ms > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady_clock_is_sound_and_raises_the_floor),
		cmocka_unit_test(i25_small_step_back_is_read_as_the_floor),
		cmocka_unit_test(i1_larger_step_back_is_suspect),
		cmocka_unit_test(i1_jump_ahead_is_suspect_only_over_the_limit),
		cmocka_unit_test(long_sleep_with_both_clocks_is_sound),
		cmocka_unit_test(i1_suspect_clock_is_sound_after_agreeing_for_a_minute),
		cmocka_unit_test(disagreement_restarts_the_minute),
		cmocka_unit_test(backward_boot_clock_or_failed_reading_is_suspect),
		cmocka_unit_test(operator_can_trust_a_clock_below_the_floor),
		cmocka_unit_test(machine_clocks_read_plausibly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
