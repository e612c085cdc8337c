/* One MQTT 5 connection of a client program, on libmosquitto: credential, subscriptions, reason
 * codes turned into sentences, reconnection. Always subscribed to the own private topics
 * (user/{username}/denied and reply), whose messages arrive decoded. What a program says on it is
 * exchange.h or its own business.
 *
 * One thread: every function and every callback runs in the caller's. Two ways to drive it, on the
 * same struct:
 *
 *     struct mq *mq = mq_new(&common, &(struct mq_opts){.events = &events, .ctx = me}, why);
 *     if (mq_connect(mq, why) != EXIT_RECORDED) ...             blocking programs
 *     mq_run(mq, is_done, me, 5000);
 *     mq_free(mq);
 *
 *     mq_start(mq);                                              a program with its own poll loop
 *     for (;;) { poll({mq_socket(mq), POLLIN | (mq_want_write(mq) ? POLLOUT : 0)}, mq_wait_ms(mq));
 *                if (revents & (POLLIN | POLLERR | POLLHUP)) mq_on_readable(mq);
 *                if (revents & POLLOUT) mq_on_writable(mq);
 *                mq_on_tick(mq); }
 *
 * Callbacks may publish and subscribe; they must not call mq_free, mq_run or mq_connect. */
#ifndef MQ_MQ_H
#define MQ_MQ_H

#include "clients/mq/exit.h"
#include "clients/mq/opt.h"
#include "proto/codec.h"

enum { MQ_WHY_SIZE = 256, MQ_FILTERS_MAX = 64, MQ_TOPIC_SIZE = 257 };

struct mq;

/* Any of them may be NULL. Arguments are borrowed for the call. */
struct mq_events {
	/* CONNACK said success and every subscription was answered: the moment to sync. After each
	 * reconnect again. */
	void (*on_connected)(void *ctx);
	/* The connection is gone (why: a sentence). With `reconnect` the next try follows by itself. */
	void (*on_lost)(void *ctx, const char *why);
	/* A message of any topic but the two private ones. */
	void (*on_message)(void *ctx, struct span topic, struct span payload, bool retained);
	void (*on_reply)(void *ctx, const Vestibule__V1__Reply *reply);
	void (*on_denial)(void *ctx, const Vestibule__V1__Denial *denial);
	/* PUBACK of a QoS 1 message: code 0 or 16 arrived (nothing more!), >= 128 refused; see
	 * mq_reason. */
	void (*on_published)(void *ctx, int mid, int code);
	/* The broker refused a subscription; it is not asked for again. */
	void (*on_refused)(void *ctx, const char *filter, int code);
};

struct mq_opts {
	const struct mq_events *events; /* kept, not copied; NULL: none */
	void *ctx;
	bool reconnect; /* long-lived program: try again for ever, full-jitter back-off 0.5 s to 60 s */
	bool sole;      /* the client id is the username itself: a second one takes over. Without, and
	                     without --client-id-suffix, a random suffix: two of one person live side by side */
	int keepalive_s; /* 0: 30 */
};

/* Reads the token and prepares; no network yet. common: borrowed for the call. NULL: why says what
 * is missing or wrong (no --username, unreadable token file, no memory, TLS files); that is
 * EXIT_USAGE to a program. */
struct mq *mq_new(const struct opt_common *common, const struct mq_opts *opts,
				  char why[MQ_WHY_SIZE]);
void mq_free(struct mq *mq); /* says goodbye when connected; NULL is fine */

/* A second set of callbacks, called before the program's own, for exchange.c. NULL removes it. */
void mq_tap(struct mq *mq, const struct mq_events *events, void *ctx);

const char *mq_username(const struct mq *mq);
const char *mq_client_id(const struct mq *mq);
bool mq_is_connected(const struct mq *mq); /* between on_connected and on_lost */

/* Adds a filter; sent with the connection, or at once when there is one. Adding it twice does
 * nothing. ERR_LIMIT: MQ_FILTERS_MAX or too long; ERR_NET: connected, and libmosquitto would not
 * take it. */
enum err mq_subscribe(struct mq *mq, const char *filter, int qos) MUST_CHECK;
/* Takes a filter back: it is not sent with the next connection, and the broker is told if there is
 * one now. Nothing happens when it was never added. ERR_NET: connected, and libmosquitto would not
 * take it. */
enum err mq_unsubscribe(struct mq *mq, const char *filter);

/* Sends a message (QoS 0 or 1, no properties, not retained). mid may be NULL; it is what
 * on_published gets. ERR_NET: not connected or not taken (nothing is queued for later); ERR_LIMIT:
 * larger than the broker's maximum. The second form encodes msg. */
enum err mq_publish(struct mq *mq, const char *topic, struct span payload, int qos,
					int *mid) MUST_CHECK;
enum err mq_publish_msg(struct mq *mq, const char *topic, const ProtobufCMessage *msg, int qos,
						int *mid) MUST_CHECK;
/* As mq_publish, and the broker keeps it for whoever subscribes later; an empty payload takes what
 * is kept away. Only for topics outside vestibule/ that the operator listed for the credential. */
enum err mq_publish_retained(struct mq *mq, const char *topic, struct span payload, int qos,
							 int *mid) MUST_CHECK;

/* --- blocking --------------------------------------------------------------------------------- */

/* Connects and waits until every subscription is answered, at most common.timeout_ms.
 * EXIT_UNAVAILABLE: cannot connect; EXIT_NOT_AUTHORISED: CONNACK or a subscription says so;
 * EXIT_TIMEOUT: no answer. why is a sentence. With `reconnect` it waits through failures that may
 * pass until the time is over. */
enum exit_code mq_connect(struct mq *mq, char why[MQ_WHY_SIZE]) MUST_CHECK;

/* Drives the connection until done(ctx) is true (asked after each event), timeout_ms passed (< 0:
 * never), or the connection is lost and not to be made again. EXIT_RECORDED: done; EXIT_TIMEOUT;
 * EXIT_UNAVAILABLE or EXIT_NOT_AUTHORISED: lost. */
enum exit_code mq_run(struct mq *mq, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms);

/* --- own poll loop ---------------------------------------------------------------------------- */

void mq_start(struct mq *mq);       /* from here on mq_on_tick connects */
int mq_socket(const struct mq *mq); /* -1: none at the moment */
bool mq_want_write(const struct mq *mq);
int mq_wait_ms(const struct mq *mq); /* how long poll may sleep before mq_on_tick is due: 0-1000 */
void mq_on_readable(struct mq *mq);
void mq_on_writable(struct mq *mq);
void mq_on_tick(struct mq *mq);                 /* keepalive, connecting, back-off */
const char *mq_last_error(const struct mq *mq); /* sentence of the last failure, "" when none */

/* --- sentences -------------------------------------------------------------------------------- */

/* An MQTT 5 reason code (CONNACK, PUBACK, SUBACK, DISCONNECT) as half a sentence: "not authorised".
 * Never NULL. */
const char *mq_reason(int code);

/* "vestibule/v1/KIND/ID/LEAF" into out, e.g. ("home", "h1", "command"); leaf NULL: without.
 * ERR_LIMIT: too long; ERR_INPUT: id has characters outside [a-z0-9_-]. */
enum err mq_topic(const char *kind, const char *id, const char *leaf,
				  char out[MQ_TOPIC_SIZE]) MUST_CHECK;

#endif
