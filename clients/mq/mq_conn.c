/* What happens on a connection: libmosquitto's callbacks drive three states (idle, greeting, up).
 * Not here: what programs call (mq.c), sentences for reason codes (mq_words.c). */
#include "clients/mq/mq_conn.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <mqtt_protocol.h>

#include "lib/clock.h"

enum {
	BACKOFF_FIRST_MS = 500,
	BACKOFF_MOST_MS = 60000,
	BACKOFF_FORGIVEN_MS = 30000, /* a connection that stood so long starts the back-off anew */
	REFUSED_FAST_MS = 1000
};

/* Calls both sets of callbacks, the tap first. */
#define TELL(mq, event, ...)                                                                  \
	do {                                                                                      \
		if ((mq)->tap && (mq)->tap->event) (mq)->tap->event((mq)->tap_ctx, __VA_ARGS__);      \
		if ((mq)->events && (mq)->events->event) (mq)->events->event((mq)->ctx, __VA_ARGS__); \
	} while (0)

int64_t mq_conn_now(void) {
	return clock_read().boot_ms;
}

static void say(const struct mq *mq, const char *what) {
	if (mq->verbose)
		(void)fprintf(stderr, "mqtt %s:%d as %s: %s\n", mq->host, mq->port, mq->client_id, what);
}

/* Full jitter: anything up to a limit that doubles with each failure in a row. */
static int64_t backoff_ms(unsigned failures) {
	int64_t most = BACKOFF_FIRST_MS;
	for (unsigned i = 1; i < failures && most < BACKOFF_MOST_MS; i++) most *= 2;
	if (most > BACKOFF_MOST_MS) most = BACKOFF_MOST_MS;
	uint32_t random = UINT32_MAX; /* without randomness: the full time */
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) random = UINT32_MAX;
	return 1 + most * (int64_t)(random >> 8) / (UINT32_MAX >> 8);
}

/* --- the connection ends ---------------------------------------------------------------------- */

/* The first cause counts: what follows (a closed socket) is its consequence. */
void mq_conn_blame(struct mq *mq, enum exit_code end, const char *doing, const char *cause) {
	if (mq->end != EXIT_RECORDED) return;
	mq->end = end;
	(void)snprintf(mq->error, sizeof(mq->error), "%.80s%s%.150s", doing, doing[0] ? ": " : "",
				   cause);
}

void mq_conn_lose(struct mq *mq) {
	if (mq->state == MQ_IDLE) return;
	int64_t now = mq_conn_now();
	if (mq->state == MQ_UP && now - mq->since_ms >= BACKOFF_FORGIVEN_MS) mq->failures = 0;
	mq->state = MQ_IDLE;
	mq->since_ms = now;
	mq->failures++;
	mq->next_try_ms = now + backoff_ms(mq->failures);
	mq_conn_blame(mq, EXIT_UNAVAILABLE, "", "the connection was lost");
	say(mq, mq->error);
	TELL(mq, on_lost, mq->error);
}

static const char *lib_words(const struct mq *mq, int rc) {
	if (rc == MOSQ_ERR_TLS && mq->tls_cause[0]) return mq->tls_cause;
	return rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
}

/* "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed" has no other way out
 * of libmosquitto; the words after the last colon are for people. */
static void on_log(struct mosquitto *m, void *obj, int level, const char *text) {
	struct mq *mq = obj;
	(void)m;
	const char *last = strrchr(text, ':');
	if (level == MOSQ_LOG_ERR && last)
		(void)snprintf(mq->tls_cause, sizeof(mq->tls_cause), "TLS: %.70s", last + 1);
}

void mq_conn_settle(struct mq *mq, int rc) {
	if (mq->state == MQ_IDLE || mosquitto_socket(mq->m) >= 0) return;
	const char *doing = mq->acked ? "" : "cannot connect";
	if (rc != MOSQ_ERR_SUCCESS) mq_conn_blame(mq, EXIT_UNAVAILABLE, doing, lib_words(mq, rc));
	mq_conn_lose(mq);
}

static void on_disconnect(struct mosquitto *m, void *obj, int rc, const mosquitto_property *props) {
	struct mq *mq = obj;
	(void)m;
	(void)props;
	/* The number is a reason code when the broker said goodbye, else one of libmosquitto's errors.
	 */
	if (rc >= 0x80) {
		mq_conn_blame(mq, rc == MQTT_RC_NOT_AUTHORIZED ? EXIT_NOT_AUTHORISED : EXIT_UNAVAILABLE,
					  "ended by the broker", mq_reason(rc));
	} else if (rc != MOSQ_ERR_SUCCESS && rc != MOSQ_ERR_CONN_LOST) {
		mq_conn_blame(mq, EXIT_UNAVAILABLE, "", mosquitto_strerror(rc));
	}
	mq_conn_lose(mq);
}

/* --- the connection begins -------------------------------------------------------------------- */

enum err mq_conn_send_filter(struct mq *mq, struct mq_filter *f) {
	int rc = mosquitto_subscribe_v5(mq->m, &f->mid, f->text, f->qos, 0, NULL);
	if (rc == MOSQ_ERR_SUCCESS) return ERR_NONE;
	f->mid = 0;
	return ERR_NET;
}

static void on_connect(struct mosquitto *m, void *obj, int rc, int flags,
					   const mosquitto_property *props) {
	struct mq *mq = obj;
	(void)m;
	(void)flags;
	(void)props;
	if (rc != 0) {
		bool who = rc == MQTT_RC_BAD_USERNAME_OR_PASSWORD || rc == MQTT_RC_NOT_AUTHORIZED ||
				   rc == MQTT_RC_CLIENTID_NOT_VALID || rc == MQTT_RC_BANNED;
		mq_conn_blame(mq, who ? EXIT_NOT_AUTHORISED : EXIT_UNAVAILABLE,
					  "the broker refused the connection", mq_reason(rc));
		return; /* it closes the socket; on_disconnect follows */
	}
	mq->acked = true;
	for (size_t i = 0; i < mq->filter_count; i++) {
		mq->filters[i].refused = false;
		if (mq_conn_send_filter(mq, &mq->filters[i]) != ERR_NONE) {
			mq_conn_blame(mq, EXIT_UNAVAILABLE, "subscribing", "not taken");
			mq_conn_lose(mq);
			return;
		}
	}
}

static bool is_waiting(const struct mq *mq) {
	for (size_t i = 0; i < mq->filter_count; i++) {
		if (mq->filters[i].mid != 0) return true;
	}
	return false;
}

static void on_subscribe(struct mosquitto *m, void *obj, int mid, int count, const int *codes,
						 const mosquitto_property *props) {
	struct mq *mq = obj;
	(void)m;
	(void)props;
	for (size_t i = 0; i < mq->filter_count; i++) {
		struct mq_filter *f = &mq->filters[i];
		if (f->mid != mid) continue;
		f->mid = 0;
		f->refused = count < 1 || codes[0] >= 0x80;
		if (f->refused) {
			int code = count < 1 ? MQTT_RC_UNSPECIFIED : codes[0];
			(void)snprintf(mq->error, sizeof(mq->error), "subscription to %.150s: %s", f->text,
						   mq_reason(code));
			say(mq, mq->error);
			TELL(mq, on_refused, f->text, code);
		}
		break;
	}
	if (mq->state != MQ_GREETING || is_waiting(mq)) return;
	mq->state = MQ_UP;
	mq->since_ms = mq_conn_now();
	say(mq, "connected");
	if (mq->tap && mq->tap->on_connected) mq->tap->on_connected(mq->tap_ctx);
	if (mq->events && mq->events->on_connected) mq->events->on_connected(mq->ctx);
}

static void on_publish(struct mosquitto *m, void *obj, int mid, int code,
					   const mosquitto_property *props) {
	struct mq *mq = obj;
	(void)m;
	(void)props;
	TELL(mq, on_published, mid, code);
}

static void on_message(struct mosquitto *m, void *obj, const struct mosquitto_message *msg,
					   const mosquitto_property *props) {
	struct mq *mq = obj;
	(void)m;
	(void)props;
	struct span payload = span_of(msg->payload, msg->payloadlen > 0 ? (size_t)msg->payloadlen : 0);
	bool is_reply = strcmp(msg->topic, mq->reply) == 0;
	if (!is_reply && strcmp(msg->topic, mq->denied) != 0) {
		TELL(mq, on_message, span_str(msg->topic), payload, msg->retain);
		return;
	}
	ProtobufCMessage *decoded = NULL;
	struct codec_fault why;
	enum codec_kind kind = is_reply ? CODEC_REPLY : CODEC_DENIAL;
	if (codec_decode_routed(mq->codec, kind, payload, &decoded, &why) != ERR_NONE) {
		say(mq, is_reply ? "a Reply does not decode" : "a Denial does not decode");
	} else if (is_reply) {
		TELL(mq, on_reply, (const Vestibule__V1__Reply *)decoded);
	} else {
		TELL(mq, on_denial, (const Vestibule__V1__Denial *)decoded);
	}
}

void mq_conn_try(struct mq *mq, bool all) {
	mq->state = MQ_GREETING;
	mq->since_ms = mq_conn_now();
	mq->acked = false;
	mq->tried_all = all;
	mq->end = EXIT_RECORDED;
	mq->error[0] = mq->tls_cause[0] = '\0';
	for (size_t i = 0; i < mq->filter_count; i++) mq->filters[i].mid = 0;
	int rc = all ? mosquitto_connect(mq->m, mq->host, mq->port, mq->keepalive_s)
				 : mosquitto_connect_async(mq->m, mq->host, mq->port, mq->keepalive_s);
	if (rc == MOSQ_ERR_SUCCESS) return;
	if (!all &&
		rc != MOSQ_ERR_EAI) { /* the first address refused at once; the host may have others */
		mq_conn_try(mq, true);
		return;
	}
	const char *cause = rc == MOSQ_ERR_EAI ? "unknown host" : lib_words(mq, rc);
	mq_conn_blame(mq, EXIT_UNAVAILABLE, "cannot connect", cause);
	mq_conn_lose(mq);
}

/* Why there is no connection, after the socket has reported something; 0: there is one. With TLS
 * libmosquitto begins to shake hands before it is connected and takes the cause off the socket. */
static int opening_failure(int fd) {
	struct sockaddr_storage peer;
	int cause = 0;
	socklen_t len = sizeof(cause), peer_len = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &len) != 0 || cause != 0) return cause;
	bool is_open = getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 || errno != ENOTCONN;
	return is_open ? 0 : ENOTCONN;
}

bool mq_conn_check_opening(struct mq *mq) {
	if (mq->state != MQ_GREETING || mq->acked) return false;
	int cause = opening_failure(mosquitto_socket(mq->m));
	if (cause == 0) return false;
	/* Only the first address was tried. The answer came fast, so asking the others will not take
	 * long. */
	if (!mq->tried_all && mq_conn_now() - mq->since_ms < REFUSED_FAST_MS) {
		mq_conn_try(mq, true);
	} else {
		mq_conn_blame(mq, EXIT_UNAVAILABLE, "cannot connect", strerror(cause));
		mq_conn_lose(mq);
	}
	return true;
}

void mq_conn_listen(struct mq *mq) {
	mosquitto_log_callback_set(mq->m, on_log);
	mosquitto_connect_v5_callback_set(mq->m, on_connect);
	mosquitto_disconnect_v5_callback_set(mq->m, on_disconnect);
	mosquitto_subscribe_v5_callback_set(mq->m, on_subscribe);
	mosquitto_publish_v5_callback_set(mq->m, on_publish);
	mosquitto_message_v5_callback_set(mq->m, on_message);
}
