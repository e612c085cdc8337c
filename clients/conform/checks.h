/* What is checked of a device, where proto/README.md says it, and what came of it. Each check ends
 * as ok (it was seen, and right each time), failed (the first time is told) or not seen. Printing
 * too; when something is right or wrong is the business of others. One thread. */
#ifndef CONFORM_CHECKS_H
#define CONFORM_CHECKS_H

#include "lib/err.h"
#include "lib/span.h"

enum check {
	CHECK_LOGIN = 0,
	CHECK_WRONG_TOKEN,
	CHECK_FOREIGN_ID,
	CHECK_PACKETS,
	CHECK_USERNAME,
	CHECK_CLIENT_ID,
	CHECK_ADMITTED,
	CHECK_CLEAN_START,
	CHECK_KEEP_ALIVE,
	CHECK_WILL,
	CHECK_SUBSCRIPTIONS,
	CHECK_STATUS,
	CHECK_STATUS_WORD,
	CHECK_TOPICS,
	CHECK_QOS,
	CHECK_RETAIN,
	CHECK_PROPERTIES,
	CHECK_SIZE,
	CHECK_PAYLOAD,
	CHECK_EVENT_ID,
	CHECK_SEQ,
	CHECK_ORDER,
	CHECK_ACCEPTED,
	CHECK_RING_EXPIRY,
	CHECK_RING_AGAIN,
	CHECK_RING_DONE,
	CHECK_CLIP_AGAIN,
	CHECK_CLIP_KEPT,
	CHECK_CLIP_DONE,
	CHECK_REFUSED,
	CHECK_PULL,
	CHECK_PULL_HASH,
	CHECK_PULL_RANGE,
	CHECK_PULL_GONE,
	CHECK_POSTER,
	CHECK_CHUNK_ASKED,
	CHECK_RECONNECT,
	CHECK_GOODBYE,
	CHECKS_COUNT
};

enum { CHECKS_TEXT_SIZE = 256 };

struct checks {
	struct {
		bool seen, failed;
		char saw[CHECKS_TEXT_SIZE]; /* of the first failure */
		char limit[CHECKS_TEXT_SIZE];
	} all[CHECKS_COUNT];
};

struct checks_sum {
	unsigned ok, failed, not_seen;
};

void checks_ok(struct checks *c, enum check which); /* it was right this time */

/* It was wrong: what was seen (a format), and the limit. Only the first failure is kept. */
void checks_fail(struct checks *c, enum check which, const char *limit, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
bool checks_has_failed(const struct checks *c, enum check which);

/* A line a check and the closing line, to stdout. False: stdout failed, or no memory. */
bool checks_print(const struct checks *c, bool json, struct checks_sum *sum) MUST_CHECK;
bool checks_list(bool json) MUST_CHECK; /* what would be checked, and where it is said */

#endif
