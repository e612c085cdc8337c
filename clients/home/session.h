/* One run of vestibule-home: the connection and the home it speaks for. Errors are told on stderr
 * here, once, so that commands only hand the exit code up. One thread.
 *
 *     struct session s;
 *     enum exit_code rc = session_open(&s, common, settings, &(struct mq_opts){0});
 *     if (rc == EXIT_RECORDED) rc = session_learn_home(&s);
 *     ...
 *     session_close(&s);
 */
#ifndef HOME_SESSION_H
#define HOME_SESSION_H

#include "clients/home/settings.h"
#include "clients/mq/exchange.h"
#include "proto/topic.h"

struct session {
	const struct opt_common *common; /* kept */
	const struct settings *settings; /* kept */
	struct mq *mq;                   /* owned */
	char home[TOPIC_ID_MAX + 1];     /* "" until session_learn_home */
};

/* Connects. s is ready for session_close whatever happens. */
enum exit_code session_open(struct session *s, const struct opt_common *common,
							const struct settings *settings, const struct mq_opts *opts) MUST_CHECK;
void session_close(struct session *s);

/* --home, else the broker is asked whom the credential speaks for. EXIT_USAGE: --home is no id. */
enum exit_code session_learn_home(struct session *s) MUST_CHECK;

/* Asks for one kind of state; what and since as in Sync. */
enum exit_code session_sync(struct session *s, Vestibule__V1__SyncWhat what, uint64_t since_ms,
							const struct exchange_sink *sink) MUST_CHECK;

/* Learns the home, sends cmd (its event fields are filled in) and waits until it is recorded. Then
 * prints "recorded", or the same as JSON. */
enum exit_code session_command(struct session *s, Vestibule__V1__HomeCommand *cmd) MUST_CHECK;

enum exit_code session_say_recorded(const struct session *s,
									const struct exchange_answer *a) MUST_CHECK;

/* "vestibule-home: SENTENCE" on stderr; returns code. */
enum exit_code session_fail(enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* UUID text from the command line into id[16]. False, told on stderr: not one. what: "clip", "ask",
 * ... */
bool session_parse_id(const char *what, const char *text, uint8_t id[16]) MUST_CHECK;

#endif
