/* One event of `watch` to whoever listens: a line for people, or a JSON object a line, and the
 * person's own command (hook.h). An event that was told already (it came live and again by sync) is
 * told once. Not here: where events come from, and what a line says. One thread.
 *
 * The parts of an event appear twice, by one rule: {"device", "front"} is the member
 * "device":"front" of the JSON object {"event":"ring","device":"front","message":{...}}, and
 * VESTIBULE_DEVICE=front for the command. */
#ifndef MQ_EMIT_H
#define MQ_EMIT_H

#include "clients/mq/hook.h"

enum {
	EMIT_SEEN_MAX = 512,
	EMIT_KEY_SIZE = 64,
	EMIT_PARTS_MAX = HOOK_VARS_MAX - 1,
	EMIT_NAME_MAX = 16
};

struct emit {
	bool json;
	struct hook *hook; /* kept; NULL: none */
	bool failed;       /* stdout is gone, or no memory */
	size_t next;
	char seen[EMIT_SEEN_MAX][EMIT_KEY_SIZE];
};

struct emit_part {
	const char *name;  /* lower-case word, at most EMIT_NAME_MAX */
	const char *value; /* NULL or "": left out */
};

struct emit_event {
	const char *name; /* "ring", "ask", "notice" */
	const char *key;  /* what makes it the same event: an id; NULL or "": never the same */
	bool quiet;       /* a state rather than news: printed, but the command is not run */
	struct span line; /* for people, without line feed */
	struct span json; /* the message as one valid JSON value */
	struct emit_part parts[EMIT_PARTS_MAX];
};

void emit_event(struct emit *e, const struct emit_event *event); /* borrowed for the call */

#endif
