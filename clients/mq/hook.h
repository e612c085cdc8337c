/* Runs a person's own command for each event (`watch --exec`). The command line is the person's
 * text alone, given to /bin/sh; nothing of an event is ever put into it. The event comes as JSON on
 * standard input, and its parts in environment variables. Other descriptors are closed in the
 * child. At most HOOK_CHILDREN_MAX run at once: an event that comes while so many run is skipped,
 * and a sentence on stderr says so. One thread.
 */
#ifndef MQ_HOOK_H
#define MQ_HOOK_H

#include "lib/err.h"
#include "lib/span.h"

enum { HOOK_CHILDREN_MAX = 8, HOOK_VARS_MAX = 8, HOOK_INPUT_MAX = 1048576 };

struct hook_var {
	const char *name;  /* "VESTIBULE_DEVICE" */
	const char *value; /* NULL or "": the variable is not set, whatever our own environment says */
};

struct hook;

struct hook *hook_new(
	const char *command);       /* command: kept until hook_free, not copied. NULL: no memory */
void hook_free(struct hook *h); /* children that still run go on; NULL is fine */

/* vars: up to HOOK_VARS_MAX, borrowed for the call, as is input. ERR_LIMIT: too many children, or
 * input too long; ERR_NOMEM; ERR_STORE: no child could be started. A sentence is on stderr in each
 * case. */
enum err hook_run(struct hook *h, const struct hook_var *vars, size_t count,
				  struct span input) MUST_CHECK;

void hook_reap(
	struct hook *h); /* collects children that ended; hook_run does it too. NULL is fine */

#endif
