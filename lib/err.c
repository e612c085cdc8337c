/* Names of errors, and what happens when a truth of the programmer turns out false. No policy. */
#include "lib/err.h"

#include <stdatomic.h>

const char *err_name(enum err e) {
	static const char *const names[ERR_COUNT] = {
		[ERR_NONE] = "none",   [ERR_INPUT] = "input",     [ERR_LIMIT] = "limit",
		[ERR_NOMEM] = "nomem", [ERR_ABSENT] = "absent",   [ERR_STORE] = "store",
		[ERR_NET] = "net",     [ERR_VERSION] = "version",
	};
	return (unsigned)e < ERR_COUNT ? names[e] : "unknown";
}

/* Atomic because the store's thread may find something broken while the broker's thread starts. */
static _Atomic(err_assert_fn *) hook_fn;

void err_assert_hook(err_assert_fn *hook) {
	atomic_store(&hook_fn, hook);
}

bool err_broken(const char *file, int line, const char *what) {
	err_assert_fn *hook = atomic_load(&hook_fn);
	if (hook) {
		hook(file, line, what);
		return false;
	}
	(void)fprintf(stderr, "%s:%d: broken: %s\n", file, line,
				  what); /* nothing left to tell if stderr fails */
	abort();
}
