/* The counter behind failpoint.h; an empty file in builds without fault injection. */
#include "lib/failpoint.h"

#ifdef VESTIBULE_FAILPOINTS
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"

bool failpoint_hit(const char *name) {
	static unsigned long passes; /* of the one place that the variable names */
	const char *want = getenv("VESTIBULE_FAIL");
	size_t len = strlen(name);
	if (!want || strncmp(want, name, len) != 0 || (want[len] != '\0' && want[len] != ':'))
		return false;

	unsigned long nth = 1;
	const char *rest = want + len;
	if (*rest == ':') {
		char *end = NULL;
		nth = strtoul(rest + 1, &end, 10);
		rest = end;
	}
	if (++passes != nth) return false;
	if (strcmp(rest, ":error") == 0) return true;
	_exit(137);
}
#else
typedef int failpoint_is_off; /* ISO C wants one declaration in a file */
#endif
