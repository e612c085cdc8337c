/* Places of the write path where a fault test may let the process die or a step fail. Compiled in
 * only with -DVESTIBULE_FAILPOINTS; otherwise nothing is left of it. The variable VESTIBULE_FAIL
 * holds `name`, `name:n` or `name:n:error`: at the n-th pass (default 1) of that place the process
 * ends like after a kill -9 (exit code 137, no clean-up), or with `error` failpoint_hit() returns
 * true and the caller treats its step as failed. The places, in their order: store-begin,
 * store-op (after each row), store-commit, store-committed (durable), store-erased (the log is
 * empty), store-mark and store-marked (a denial among it; mark.h), worker-report; and at the opening
 * run-announced, run-begun. worker-dead: here `error` ends the store's thread. Not here: faults of
 * the operating system; tests bring those about for real. */
#ifndef STORE_FAILPOINT_H
#define STORE_FAILPOINT_H

#ifdef VESTIBULE_FAILPOINTS
#include <stdbool.h>
bool failpoint_hit(const char *name); /* the thread that has the store */
#else
#define failpoint_hit(name) false
#endif

#endif
