/* What can go wrong with the machine (never what policy thinks: that is a verdict). Pure, any
 * thread. */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include <stdbool.h>

#include "lib/banned.h"

enum err {
	ERR_NONE = 0,
	ERR_INPUT,   /* malformed: wrong shape, type, character or value */
	ERR_LIMIT,   /* well-formed but over a named maximum, or under a minimum */
	ERR_NOMEM,   /* allocation failed; nothing changed */
	ERR_ABSENT,  /* the thing named does not exist */
	ERR_STORE,   /* database, file or disk */
	ERR_NET,     /* peer or network */
	ERR_VERSION, /* made by another, unsupported version */
	ERR_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* A stable lower-case word, for logs: "none", "input", "limit", ... Never NULL; unknown values give
 * "unknown". */
const char *err_name(enum err e);

/* Assertions state truths of the programmer, never of outside bytes. Programs and tests abort; the
 * plugin installs a hook that puts it into the state `refusing` (DESIGN 6) and returns, so callers
 * must then refuse: write `if (!ENSURE(cond)) return <refusal>;`. */
typedef void err_assert_fn(const char *file, int line, const char *what);
void err_assert_hook(err_assert_fn *hook); /* NULL restores abort() */
bool err_broken(const char *file, int line,
				const char *what); /* calls the hook; always returns false */
#define ENSURE(cond) ((cond) ? true : err_broken(__FILE__, __LINE__, #cond))

#endif
