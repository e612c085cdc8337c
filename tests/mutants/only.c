/* Loaded before a cmocka program (LD_PRELOAD): of its tests only the one that ONLY names is run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void only(void) {
	const char *name = getenv("ONLY");
	if (name) cmocka_set_test_filter(name);
}
