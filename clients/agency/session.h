/* One run of vestibule-agency: the connection and the agency it speaks for. Errors are told on
 * stderr here, once, so that commands only hand the exit code up. One thread.
 *
 *     struct session s;
 *     enum exit_code rc = session_open(&s, common, settings, &(struct mq_opts){0});
 *     if (rc == EXIT_RECORDED) rc = session_command(&s, &cmd, &answer);
 *     session_close(&s);
 */
#ifndef AGENCY_SESSION_H
#define AGENCY_SESSION_H

#include "clients/agency/settings.h"
#include "clients/mq/exchange.h"
#include "proto/topic.h"

struct session {
	const struct opt_common *common;    /* kept */
	const struct settings *settings;    /* kept */
	char agency[EXCHANGE_SUBJECT_SIZE]; /* given, or learned when session_open succeeded */
	struct mq *mq;                      /* owned */
};

/* Connects. s is ready for session_close whatever happens. EXIT_USAGE also: --agency is
 * no id. Without it the broker is asked. */
enum exit_code session_open(struct session *s, const struct opt_common *common,
							const struct settings *settings, const struct mq_opts *opts) MUST_CHECK;
void session_close(struct session *s);

/* Asks for one kind of state; what and since as in Sync. */
enum exit_code session_sync(struct session *s, Vestibule__V1__SyncWhat what, uint64_t since_ms,
							const struct exchange_sink *sink) MUST_CHECK;

/* Sends cmd (its event fields are filled in) and waits until it is recorded. */
enum exit_code session_command(struct session *s, Vestibule__V1__AgencyCommand *cmd,
							   struct exchange_answer *answer) MUST_CHECK;

/* "vestibule-agency: SENTENCE" on stderr; returns code. */
enum exit_code session_fail(enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* UUID text from the command line into id[16]. False, told on stderr: not one. what: "request",
 * "delivery". */
bool session_parse_id(const char *what, const char *text, uint8_t id[16]) MUST_CHECK;

#endif
