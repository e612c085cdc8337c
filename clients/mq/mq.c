/* What programs call: the poll loop and its blocking form, publishing, subscribing, birth and
 * death. What happens on the connection is in mq_conn.c. */
#include "clients/mq/mq.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>

#include <mqtt_protocol.h>

#include "clients/mq/mq_conn.h"
#include "clients/mq/token.h"
#include "lib/hex.h"

enum {
	KEEPALIVE_S = 30,
	GREETING_MS = 20000, /* from the first packet to the last SUBACK */
	MISC_EVERY_MS = 1000,
	PUBLISH_BYTES_MAX = 4 * 1024 * 1024
};

/* --- own poll loop ---------------------------------------------------------------------------- */

void mq_start(struct mq *mq) {
	mq->started = true;
	mq->next_try_ms = mq_conn_now();
	mq->end = EXIT_RECORDED;
}

int mq_socket(const struct mq *mq) {
	return mq->state == MQ_IDLE ? -1 : mosquitto_socket(mq->m);
}

bool mq_want_write(const struct mq *mq) {
	return mq->state != MQ_IDLE && mosquitto_want_write(mq->m);
}

/* Is another try coming by itself? */
static bool may_try(const struct mq *mq) {
	return mq->started && mq->state == MQ_IDLE && (mq->reconnect || mq->end == EXIT_RECORDED);
}

int mq_wait_ms(const struct mq *mq) {
	int64_t wait = MISC_EVERY_MS;
	if (may_try(mq)) wait = mq->next_try_ms - mq_conn_now();
	if (wait < 0) wait = 0;
	return (int)(wait < MISC_EVERY_MS ? wait : MISC_EVERY_MS);
}

void mq_on_readable(struct mq *mq) {
	if (mq->state == MQ_IDLE || mq_conn_check_opening(mq)) return;
	mq_conn_settle(mq, mosquitto_loop_read(mq->m, 1));
}

void mq_on_writable(struct mq *mq) {
	if (mq->state == MQ_IDLE || mq_conn_check_opening(mq)) return;
	mq_conn_settle(mq, mosquitto_loop_write(mq->m, 1));
}

void mq_on_tick(struct mq *mq) {
	int64_t now = mq_conn_now();
	if (may_try(mq) && now >= mq->next_try_ms) mq_conn_try(mq, false);
	if (mq->state == MQ_GREETING && now - mq->since_ms >= GREETING_MS) {
		mq_conn_blame(mq, EXIT_UNAVAILABLE, "cannot connect", "no answer from the broker");
		mq_conn_lose(mq); /* the next try closes the socket */
	}
	if (mq->state == MQ_IDLE || now < mq->next_misc_ms) return;
	mq->next_misc_ms = now + MISC_EVERY_MS;
	mq_conn_settle(mq, mosquitto_loop_misc(mq->m));
}

const char *mq_last_error(const struct mq *mq) {
	return mq->error;
}

/* --- blocking --------------------------------------------------------------------------------- */

enum exit_code mq_run(struct mq *mq, bool (*done)(void *ctx), void *ctx, int64_t timeout_ms) {
	int64_t until = timeout_ms < 0 ? INT64_MAX : mq_conn_now() + timeout_ms;
	for (;;) {
		mq_on_tick(mq);
		if (done(ctx)) return EXIT_RECORDED;
		if (mq->state == MQ_IDLE && !may_try(mq))
			return mq->end == EXIT_RECORDED ? EXIT_UNAVAILABLE : mq->end;
		int64_t left = until - mq_conn_now();
		if (left <= 0) return EXIT_TIMEOUT;
		int wait = mq_wait_ms(mq);
		struct pollfd p = {.fd = mq_socket(mq), .events = POLLIN};
		if (mq_want_write(mq)) p.events |= POLLOUT;
		int n = poll(&p, 1, left < wait ? (int)left : wait);
		if (n <= 0) continue;
		if (p.revents & (POLLIN | POLLERR | POLLHUP)) mq_on_readable(mq);
		if (p.revents & POLLOUT) mq_on_writable(mq);
	}
}

static bool is_settled(void *ctx) {
	const struct mq *mq = ctx;
	return mq->state == MQ_UP || mq->end == EXIT_NOT_AUTHORISED;
}

enum exit_code mq_connect(struct mq *mq, char why[MQ_WHY_SIZE]) {
	mq_start(mq);
	enum exit_code code = mq_run(mq, is_settled, mq, mq->timeout_ms);
	if (code == EXIT_RECORDED && mq->state != MQ_UP) code = mq->end;
	for (size_t i = 0; i < mq->filter_count && code == EXIT_RECORDED; i++) {
		if (mq->filters[i].refused) code = EXIT_NOT_AUTHORISED;
	}
	if (code == EXIT_TIMEOUT && mq->error[0])
		code = EXIT_UNAVAILABLE; /* it failed again and again */
	if (code != EXIT_RECORDED) {
		(void)snprintf(why, MQ_WHY_SIZE, "%.60s:%d: %.180s", mq->host, mq->port,
					   mq->error[0] ? mq->error : "no answer in time");
	}
	return code;
}

/* --- say and hear ----------------------------------------------------------------------------- */

enum err mq_subscribe(struct mq *mq, const char *filter, int qos) {
	for (size_t i = 0; i < mq->filter_count; i++) {
		if (strcmp(mq->filters[i].text, filter) == 0) return ERR_NONE;
	}
	if (mq->filter_count == MQ_FILTERS_MAX) return ERR_LIMIT;
	struct mq_filter *f = &mq->filters[mq->filter_count];
	*f = (struct mq_filter){.qos = qos};
	if (!span_copy(span_str(filter), f->text, sizeof(f->text))) return ERR_LIMIT;
	if (mq->state != MQ_IDLE && mq->acked && mq_conn_send_filter(mq, f) != ERR_NONE) return ERR_NET;
	mq->filter_count++;
	return ERR_NONE;
}

enum err mq_unsubscribe(struct mq *mq, const char *filter) {
	size_t at = 0;
	while (at < mq->filter_count && strcmp(mq->filters[at].text, filter) != 0) at++;
	if (at == mq->filter_count) return ERR_NONE;
	bool is_sent = mq->state != MQ_IDLE && mq->acked;
	bool taken = !is_sent || mosquitto_unsubscribe_v5(mq->m, NULL, mq->filters[at].text, NULL) ==
								 MOSQ_ERR_SUCCESS;
	mq->filter_count--;
	memmove(&mq->filters[at], &mq->filters[at + 1],
			(mq->filter_count - at) * sizeof(mq->filters[0]));
	return taken ? ERR_NONE : ERR_NET;
}

static enum err publish(struct mq *mq, const char *topic, struct span payload, int qos, bool retain,
						int *mid) {
	if (mq->state != MQ_UP) return ERR_NET;
	if (payload.len > PUBLISH_BYTES_MAX) return ERR_LIMIT;
	int rc =
		mosquitto_publish_v5(mq->m, mid, topic, (int)payload.len, payload.ptr, qos, retain, NULL);
	if (rc == MOSQ_ERR_OVERSIZE_PACKET || rc == MOSQ_ERR_PAYLOAD_SIZE) return ERR_LIMIT;
	return rc == MOSQ_ERR_SUCCESS ? ERR_NONE : ERR_NET;
}

enum err mq_publish(struct mq *mq, const char *topic, struct span payload, int qos, int *mid) {
	return publish(mq, topic, payload, qos, false, mid);
}

enum err mq_publish_retained(struct mq *mq, const char *topic, struct span payload, int qos,
							 int *mid) {
	return publish(mq, topic, payload, qos, true, mid);
}

enum err mq_publish_msg(struct mq *mq, const char *topic, const ProtobufCMessage *msg, int qos,
						int *mid) {
	struct buf b;
	buf_init(&b, PUBLISH_BYTES_MAX);
	enum err e = codec_encode(msg, &b);
	if (e == ERR_NONE) e = mq_publish(mq, topic, buf_view(&b), qos, mid);
	buf_fini(&b);
	return e;
}

void mq_tap(struct mq *mq, const struct mq_events *events, void *ctx) {
	mq->tap = events;
	mq->tap_ctx = ctx;
}

const char *mq_username(const struct mq *mq) {
	return mq->username;
}

const char *mq_client_id(const struct mq *mq) {
	return mq->client_id;
}

bool mq_is_connected(const struct mq *mq) {
	return mq->state == MQ_UP;
}

/* --- birth and death -------------------------------------------------------------------------- */

/* Names: username, client id, private topics. */
static bool set_names(struct mq *mq, const struct opt_common *c, char why[MQ_WHY_SIZE]) {
	if (!c->username || !topic_username_is_valid(span_str(c->username))) {
		(void)snprintf(why, MQ_WHY_SIZE,
					   c->username ? "--username: 3 to 64 of a-z 0-9 _ -"
								   : "--username is missing");
		return false;
	}
	char suffix[65] = "";
	if (c->client_id_suffix) {
		if (!span_copy(span_str(c->client_id_suffix), suffix, sizeof(suffix)) ||
			suffix[0] == '\0') {
			(void)snprintf(why, MQ_WHY_SIZE, "--client-id-suffix: 1 to 64 characters");
			return false;
		}
	} else if (!mq->sole) {
		uint8_t random[4];
		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
			(void)snprintf(why, MQ_WHY_SIZE, "no random bytes: %s", strerror(errno));
			return false;
		}
		hex_encode(span_of(random, sizeof(random)), suffix);
	}
	(void)snprintf(mq->username, sizeof(mq->username), "%s", c->username); /* checked: fits */
	(void)snprintf(mq->client_id, sizeof(mq->client_id), "%s%s%s", c->username,
				   suffix[0] ? "." : "", suffix);
	if (mq_topic("user", mq->username, "denied", mq->denied) != ERR_NONE ||
		mq_topic("user", mq->username, "reply", mq->reply) != ERR_NONE) {
		(void)snprintf(why, MQ_WHY_SIZE, "--username is too long");
		return false;
	}
	if (!span_copy(span_str(c->host), mq->host, sizeof(mq->host)) || mq->host[0] == '\0') {
		(void)snprintf(why, MQ_WHY_SIZE, "--host: 1 to 255 characters");
		return false;
	}
	return true;
}

/* Proof of the credential: a token, or a client certificate, or both. */
static bool set_proof(struct mq *mq, const struct opt_common *c, char why[MQ_WHY_SIZE]) {
	char token[TOKEN_TEXT_MAX + 1] = "";
	if (c->token_file) {
		if (token_read(c->token_file, token, why) != ERR_NONE) return false;
	} else if (c->token && !span_copy(span_str(c->token), token, sizeof(token))) {
		(void)snprintf(why, MQ_WHY_SIZE, "token: longer than %d characters", TOKEN_TEXT_MAX);
		return false;
	}
	if (!token[0] && !c->cert) {
		(void)snprintf(why, MQ_WHY_SIZE, "no proof: give --token-file, or --cert and --key");
		return false;
	}
	int rc = mosquitto_username_pw_set(mq->m, mq->username, token[0] ? token : NULL);
	explicit_bzero(token, sizeof(token));
	if (rc != MOSQ_ERR_SUCCESS) {
		(void)snprintf(why, MQ_WHY_SIZE, "username or token: %s", mosquitto_strerror(rc));
		return false;
	}
	if (!c->cafile && !c->cert && !c->key) return true;
	if (!c->cafile || !c->cert != !c->key) {
		(void)snprintf(why, MQ_WHY_SIZE,
					   c->cafile ? "--cert and --key go together" : "TLS needs --cafile");
		return false;
	}
	rc = mosquitto_tls_set(mq->m, c->cafile, NULL, c->cert, c->key, NULL);
	if (rc == MOSQ_ERR_SUCCESS) return true;
	(void)snprintf(why, MQ_WHY_SIZE, "--cafile, --cert, --key: %s",
				   rc == MOSQ_ERR_INVAL ? "a file cannot be read" : mosquitto_strerror(rc));
	return false;
}

static bool set_up(struct mq *mq, const struct opt_common *c, char why[MQ_WHY_SIZE]) {
	mq->codec = codec_new();
	mq->m = mosquitto_new(mq->client_id, true, mq);
	if (!mq->codec || !mq->m ||
		mosquitto_int_option(mq->m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5) !=
			MOSQ_ERR_SUCCESS) {
		(void)snprintf(why, MQ_WHY_SIZE, "out of memory");
		return false;
	}
	mq_conn_listen(mq);
	return set_proof(mq, c, why);
}

struct mq *mq_new(const struct opt_common *common, const struct mq_opts *opts,
				  char why[MQ_WHY_SIZE]) {
	struct mq *mq = calloc(1, sizeof(*mq));
	if (!mq || mosquitto_lib_init() != MOSQ_ERR_SUCCESS) {
		(void)snprintf(why, MQ_WHY_SIZE, "out of memory");
		free(mq);
		return NULL;
	}
	mq->events = opts->events;
	mq->ctx = opts->ctx;
	mq->reconnect = opts->reconnect;
	mq->sole = opts->sole;
	mq->verbose = common->verbose;
	mq->port = (int)common->port;
	mq->timeout_ms = common->timeout_ms;
	mq->keepalive_s = opts->keepalive_s ? opts->keepalive_s : KEEPALIVE_S;
	if (set_names(mq, common, why) && set_up(mq, common, why)) {
		enum err denied = mq_subscribe(mq, mq->denied, 0), reply = mq_subscribe(mq, mq->reply, 1);
		if (denied == ERR_NONE && reply == ERR_NONE) return mq; /* always: the list was empty */
	}
	mq_free(mq);
	return NULL;
}

void mq_free(struct mq *mq) {
	if (!mq) return;
	mq->events = NULL; /* nobody hears the goodbye */
	mq->verbose = false;
	mq->tap = NULL;
	if (mq->m && mq->state != MQ_IDLE)
		(void)mosquitto_disconnect_v5(mq->m, 0, NULL); /* a courtesy */
	if (mq->m) mosquitto_destroy(mq->m);
	codec_free(mq->codec);
	free(mq);
	(void)mosquitto_lib_cleanup(); /* always succeeds */
}
