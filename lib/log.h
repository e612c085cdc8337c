/* One line an event, `event=deny reason=no_grant who=alice topic=...`: key=value, values quoted and
 * escaped when they are not plain words (a client id may hold a newline). Never payloads,
 * credentials, addresses or links. The sink is replaceable: the plugin passes lines to the broker's
 * log, programs to stderr.
 *
 * A line is built in a fixed buffer of LOG_LINE_MAX bytes, no allocation; what does not fit is cut
 * and marked with a trailing "...". Not thread safe: each thread has its own struct log, or none.
 *
 *     log_line(&l, LOG_WARN, "deny", "reason", "no_grant", "who", name, NULL);
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdint.h>

#include "lib/err.h"

enum log_level { LOG_ERROR = 0, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum { LOG_LINE_MAX = 1024 };

typedef void log_sink_fn(void *ctx, enum log_level level,
						 const char *line); /* line: borrowed, no newline */

struct log {
	log_sink_fn *sink; /* NULL: stderr */
	void *ctx;
	enum log_level level; /* lines above it are dropped */
};

/* Pairs of zero-terminated strings end with NULL; a NULL value prints as "-". */
void log_line(struct log *l, enum log_level level, const char *event, ...)
	__attribute__((sentinel));

/* A rate limit for one source of lines: at most `burst` lines, then one more each `every_ms`; true
 * when the line may be written. *dropped counts what was suppressed since the last true, for the
 * next line to tell. */
struct log_gate {
	int64_t next_ms;
	uint32_t used;
	uint32_t dropped;
	bool open; /* the last answer */
};
bool log_gate_open(struct log_gate *g, int64_t boot_ms, uint32_t burst, int64_t every_ms);

#endif
