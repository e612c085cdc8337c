/* Places where a fault test may let the process die or a step fail. Compiled in only with
 * -DVESTIBULE_FAILPOINTS; otherwise nothing is left of it. The variable VESTIBULE_FAIL holds `name`,
 * `name:n` or `name:n:error`: at the n-th pass (default 1) of that place the process ends like after
 * a kill -9 (exit code 137, no clean-up), or with `error` failpoint_hit() returns true and the caller
 * treats its step as failed. The places, in their order:
 *
 * The store: store-begin, store-op (after each row), store-commit, store-committed (durable),
 * store-erased (the log is empty), store-mark and store-marked (a denial among it; mark.h),
 * worker-report; at the opening run-announced, run-begun; worker-dead: here `error` ends the store's
 * thread.
 *
 * The relay: job-recorded, copy-begun, copy-marked (each 4 MiB), copy-verified, s3-put-sent,
 * s3-put-answered, copy-committed, copy-stored, report-sent, report-acked; purge-arrived,
 * purge-recorded, s3-delete-sent, s3-delete-answered, purge-removed, purge-done, s3-settled. Those
 * that begin with s3- are passed only with a bucket.
 *
 * Not here: faults of the operating system and of servers; tests bring those about for real. One
 * thread of a process passes the place that the variable names. */
#ifndef LIB_FAILPOINT_H
#define LIB_FAILPOINT_H

#ifdef VESTIBULE_FAILPOINTS
#include <stdbool.h>
bool failpoint_hit(const char *name);
#else
#define failpoint_hit(name) false
#endif

#endif
