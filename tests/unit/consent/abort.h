/* Asserts that abort, for programs that play stories about consent and are no cmocka tests. To be
 * included before world.h. */
#ifndef TESTS_CONSENT_ABORT_H
#define TESTS_CONSENT_ABORT_H

#include <stdio.h>
#include <stdlib.h>

#define WORLD_ASSERTS
#define assert_int_equal(a, b)                         \
	do {                                               \
		if ((long long)(a) != (long long)(b)) abort(); \
	} while (0)
#define assert_non_null(p) \
	do {                   \
		if (!(p)) abort(); \
	} while (0)
#define assert_true(p)   assert_non_null(p)
#define fail_msg(...)    abort()
#define print_error(...) (void)fprintf(stderr, __VA_ARGS__)

#endif
