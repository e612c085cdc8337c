/* The inside of a connection, shared by mq.c (what programs call) and mq_conn.c (what happens on
 * it). Private to this folder; programs include mq.h. */
#ifndef MQ_MQ_CONN_H
#define MQ_MQ_CONN_H

#include <mosquitto.h>

#include "clients/mq/mq.h"
#include "proto/topic.h"

enum mq_state {
	MQ_IDLE = 0, /* no connection; what libmosquitto still holds is ignored */
	MQ_GREETING, /* socket opening, CONNECT sent, or SUBACKs missing */
	MQ_UP
};

struct mq_filter {
	char text[MQ_TOPIC_SIZE];
	int qos;
	int mid; /* of the SUBSCRIBE that waits for its answer; 0: none */
	bool refused;
};

struct mq {
	struct mosquitto *m; /* owned */
	struct codec *codec; /* owned */
	const struct mq_events *events, *tap;
	void *ctx, *tap_ctx;
	char host[256], username[TOPIC_USERNAME_MAX + 1], client_id[160];
	char denied[MQ_TOPIC_SIZE], reply[MQ_TOPIC_SIZE];
	int port, keepalive_s;
	int64_t timeout_ms;
	bool reconnect, sole, verbose;

	struct mq_filter filters[MQ_FILTERS_MAX];
	size_t filter_count;

	enum mq_state state;
	bool started;
	bool acked;     /* CONNACK said success */
	bool tried_all; /* this try went through all addresses of the host */
	unsigned failures;
	int64_t since_ms; /* boot time of the last change of state */
	int64_t next_try_ms, next_misc_ms;
	enum exit_code end; /* why the last connection ended; EXIT_RECORDED: it did not */
	char error[MQ_WHY_SIZE];
	char tls_cause[80]; /* what OpenSSL said last in this try; "" when nothing */
};

int64_t mq_conn_now(void); /* boot time */

void mq_conn_listen(struct mq *mq); /* sets libmosquitto's callbacks */

/* Begins a connection. all: waits for the socket, trying every address of the host in turn. */
void mq_conn_try(struct mq *mq, bool all);

/* Before reading or writing: a socket that could not be opened says why once, before libmosquitto
 * trips over it. True: it failed, and that was dealt with. */
bool mq_conn_check_opening(struct mq *mq);

/* After each call into libmosquitto: did it end the connection without a callback? */
void mq_conn_settle(struct mq *mq, int rc);

/* The connection counts as ended; the cause is the first one blamed. */
void mq_conn_blame(struct mq *mq, enum exit_code end, const char *doing, const char *cause);
void mq_conn_lose(struct mq *mq);

enum err mq_conn_send_filter(struct mq *mq, struct mq_filter *f) MUST_CHECK;

#endif
