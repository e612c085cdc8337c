/* Commands of the operator to $CONTROL/vestibule/v1: a list is built, sent in one message, and each
 * answer is checked. docs/control.md describes the commands. Here: JSON and the exchange; not what
 * to ask.
 *
 *     struct ask a; ask_begin(&a);
 *     cJSON *cmd = ask_put(&a, "home"); ask_text(cmd, "id", "h1");
 *     int rc = ask_send(&a, mq, timeout_ms, NULL);     prints refusals to stderr
 *     ask_end(&a);
 */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <cjson/cJSON.h>

#include "clients/mq/mq.h"

#define CTL_PROGRAM "vestibule-ctl"

struct ask {
	cJSON *root;     /* owned */
	cJSON *commands; /* inside root */
	char correlation[37];
	bool failed; /* out of memory somewhere */
};

void ask_begin(struct ask *a);
void ask_end(struct ask *a);

/* A new command object, borrowed; NULL after a failure, which ask_send reports: the setters take
 * NULL. */
cJSON *ask_command(struct ask *a, const char *command);
/* `put` of a row of that kind: returns the row object to fill. is_new: refused when it exists. */
cJSON *ask_put(struct ask *a, const char *row_kind, bool is_new);
void ask_text(cJSON *object, const char *name, const char *value); /* NULL value: left out */
void ask_int(cJSON *object, const char *name, int64_t value);

/* Sends and waits for every answer. answers (may be NULL) gets the array of responses, the caller's
 * to cJSON_Delete. Returns EXIT_RECORDED when none has an error; else the error is on stderr. */
int ask_send(struct ask *a, struct mq *mq, int64_t timeout_ms, cJSON **answers);

/* Connects as the operator of the common options: EXIT_RECORDED and *out, or the complaint was
 * printed. */
int ask_connect(const struct opt_common *common, struct mq **out);

#endif
