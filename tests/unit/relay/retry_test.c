/* The wait before another try: never nothing, never beyond its ceiling, doubling from one second to
 * five minutes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clients/relay/retry.h"

static void ceiling_doubles_from_one_second_to_the_maximum(void **state) {
	(void)state;
	static const int64_t ceilings[] = {1000,  2000,   4000,   8000,   16000, 32000,
									   64000, 128000, 256000, 300000, 300000};
	for (uint32_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++)
		assert_int_equal(retry_delay_ms(i, RETRY_MAX_MS, UINT32_MAX), ceilings[i]);
	assert_int_equal(retry_delay_ms(UINT32_MAX, RETRY_MAX_MS, UINT32_MAX), RETRY_MAX_MS);
}

static void jitter_is_full_but_never_spins(void **state) {
	(void)state;
	assert_int_equal(retry_delay_ms(9, RETRY_MAX_MS, 0), RETRY_FLOOR_MS);
	assert_in_range(retry_delay_ms(9, RETRY_MAX_MS, UINT32_MAX / 2), 149000, 150000);
}

static void deletion_is_tried_at_least_twice_a_minute(void **state) {
	(void)state;
	assert_int_equal(retry_delay_ms(1000, RETRY_DELETE_MS, UINT32_MAX), 30000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceiling_doubles_from_one_second_to_the_maximum),
		cmocka_unit_test(jitter_is_full_but_never_spins),
		cmocka_unit_test(deletion_is_tried_at_least_twice_a_minute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
