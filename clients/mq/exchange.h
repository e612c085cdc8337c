/* Say something and wait until it is answered. PUBACK means nothing but "arrived": a command is
 * repeated, with the same event_id, until its Receipt or Notice says recorded or refused, or the
 * time is over. Blocking; the connection must be up (mq_connect). One thread.
 *
 *     Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
 *     cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT; cmd.retract = &retract;
 *     struct exchange_answer a;
 *     enum exit_code rc = exchange_home(mq, "h1", &cmd, common->timeout_ms, &a);
 *     if (rc != EXIT_RECORDED) exchange_complain("vestibule-home", rc, &a);
 */
#ifndef MQ_EXCHANGE_H
#define MQ_EXCHANGE_H

#include "clients/mq/mq.h"

enum { EXCHANGE_REPEAT_MS = 3000, EXCHANGE_TEXT_SIZE = 512, EXCHANGE_SUBJECT_SIZE = 65 };

struct exchange_answer {
	char event_id[37];                 /* text of the id that was sent */
	char reason[64];                   /* word of the closed list when refused; else "" */
	char sentence[EXCHANGE_TEXT_SIZE]; /* for people; else "" */
	char field[64]; /* the field to blame and what it must satisfy, when told; else "" */
	char limit[96];
	int notice_kind; /* Vestibule__V1__NoticeKind that answered an agency command; else 0 */
};

/* Fills event_id (UUIDv7), at_ms, synced and seq of cmd, publishes, repeats, waits. cmd: borrowed;
 * its four fields are written. out is always written. EXIT_RECORDED; EXIT_REFUSED or
 * EXIT_NOT_AUTHORISED: reason and sentence say why; EXIT_TIMEOUT; EXIT_UNAVAILABLE: connection lost
 * (with `reconnect` it goes on after the reconnect); EXIT_USAGE: cmd does not validate (field,
 * limit), or the id is not one; EXIT_INTERNAL. */
enum exit_code exchange_home(struct mq *mq, const char *home, Vestibule__V1__HomeCommand *cmd,
							 int64_t timeout_ms, struct exchange_answer *out) MUST_CHECK;

/* The same for a device that names its first admin. A refusal comes with the PUBACK. */
enum exit_code exchange_claim(struct mq *mq, const char *device, Vestibule__V1__DeviceClaim *claim,
							  int64_t timeout_ms, struct exchange_answer *out) MUST_CHECK;

/* The same for an officer; subscribes to agency/{agency}/notice by itself. A fetch is answered
 * RECORDED here; its FetchLink arrives at on_message on user/{username}/link (subscribe to it
 * before). NOTICE_KIND_UNAVAILABLE gives EXIT_TIMEOUT. */
enum exit_code exchange_agency(struct mq *mq, const char *agency, Vestibule__V1__AgencyCommand *cmd,
							   int64_t timeout_ms, struct exchange_answer *out) MUST_CHECK;

/* Each part of the answer as it comes, in order, each once; parts are borrowed for the call. */
struct exchange_sink {
	void (*part)(void *ctx, const Vestibule__V1__Reply *part);
	void *ctx;
};

/* Asks for the state and waits for the part marked last. since_ms 0: all that is kept. Parts that
 * were lost make it ask again from the start with a new event_id, so fn must tolerate seeing an
 * item twice (key by id). */
enum exit_code exchange_sync(struct mq *mq, Vestibule__V1__SyncWhat what, uint64_t since_ms,
							 int64_t timeout_ms, const struct exchange_sink *sink,
							 struct exchange_answer *out) MUST_CHECK;

/* Whom the credential speaks for, as the plugin says: its home, its agency. what: a list the role
 * may ask for, the shorter the better. Errors as exchange_sync; EXIT_INTERNAL: the answer names
 * none. */
enum exit_code exchange_subject(struct mq *mq, Vestibule__V1__SyncWhat what, int64_t timeout_ms,
								char subject[EXCHANGE_SUBJECT_SIZE],
								struct exchange_answer *out) MUST_CHECK;

/* An operator's $CONTROL command: publishes json, which must hold correlation (a text drawn with
 * exchange_correlation) as the correlationData of each command, and appends the response that holds
 * it to out. Sent once: registry commands tell by their own answer what happened. The plugin sends
 * the response to this client id alone, so nothing is subscribed to. EXIT_RECORDED means answered,
 * not granted: read out. */
enum exit_code exchange_control(struct mq *mq, const char *correlation, struct span json,
								int64_t timeout_ms, struct buf *out) MUST_CHECK;
enum err exchange_correlation(char out[37])
	MUST_CHECK; /* a UUIDv7 as text; ERR_STORE: no random bytes */

/* "PROGRAM: refused: SENTENCE (reason, field ...)" and its like, one line on stderr. */
void exchange_complain(const char *program, enum exit_code code, const struct exchange_answer *a);

#endif
