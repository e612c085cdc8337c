/* See link.h: everything that knows Paho. */
#include "clients/sdk/link.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>

enum { CONNECT_TIMEOUT_S = 15, URI_SIZE = 300 };

struct slot { /* what a Paho callback gets as its context */
	struct link *link;
	enum link_slot which;
	bool busy; /* the owner's thread only */
};

struct link {
	struct link_opts opts;
	char uri[URI_SIZE];
	MQTTAsync paho; /* the owner's thread only, but for the subscribe in on_connected */
	struct slot slots[LINK_SLOTS];
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t wake;
	bool woken;
	bool goodbye_done;
	struct link_news news;
	struct link_message *first, *last;
	unsigned pulls, others;
};

struct link *link_new(const struct link_opts *opts) {
	struct link *l = (struct link *)calloc(1, sizeof *l);
	if (!l) return NULL;
	l->opts = *opts;
	bool v6 = strchr(opts->host, ':') != NULL; /* an IPv6 address needs brackets in a URI */
	int n = snprintf(l->uri, sizeof l->uri, "%s://%s%s%s:%u", opts->tls ? "ssl" : "tcp",
					 v6 ? "[" : "", opts->host, v6 ? "]" : "", (unsigned)opts->port);
	pthread_condattr_t attr;
	if (n < 0 || (size_t)n >= sizeof l->uri || pthread_condattr_init(&attr) != 0) {
		free(l);
		return NULL;
	}
	bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
			  pthread_cond_init(&l->wake, &attr) == 0;
	(void)pthread_condattr_destroy(&attr); /* cannot fail for an initialised one */
	if (!ok || pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return NULL;
	}
	for (int i = 0; i < LINK_SLOTS; i++)
		l->slots[i] = (struct slot){.link = l, .which = (enum link_slot)i};
	return l;
}

static void drop_messages(struct link *l) {
	struct link_message *m;
	while ((m = link_take(l)) != NULL) link_message_free(m);
}

void link_free(struct link *l) {
	if (!l) return;
	link_close(l);
	(void)pthread_cond_destroy(&l->wake); /* nobody waits any more */
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

/* --- callbacks, on Paho's threads ------------------------------------------------------------ */

static void tell_state(struct link *l, enum link_state state, const char *what,
					   const char *detail) {
	(void)pthread_mutex_lock(&l->lock);
	if (l->news.state != LINK_FAILED) { /* the first cause is the one to tell */
		l->news.state = state;
		(void)snprintf(l->news.why, sizeof l->news.why, "%s%s%s", what, detail ? ": " : "",
					   detail ? detail : "");
	}
	l->woken = true;
	(void)pthread_cond_signal(&l->wake);
	(void)pthread_mutex_unlock(&l->lock);
}

static void on_connect_failed(void *ctx, MQTTAsync_failureData5 *data) {
	const char *detail = data && data->message ? data->message : NULL;
	int code = data ? (data->reasonCode != 0 ? (int)data->reasonCode : data->code) : 0;
	if (code >= 0x80) detail = MQTTReasonCode_toString((enum MQTTReasonCodes)code);
	if (code == MQTTREASONCODE_NOT_AUTHORIZED || code == MQTTREASONCODE_BAD_USER_NAME_OR_PASSWORD) {
		struct link *l = (struct link *)ctx;
		(void)pthread_mutex_lock(&l->lock);
		l->news.not_let_in = true;
		(void)pthread_mutex_unlock(&l->lock);
	}
	tell_state((struct link *)ctx, LINK_FAILED, "cannot connect", detail);
}

static void on_lost(void *ctx, char *cause) {
	tell_state((struct link *)ctx, LINK_FAILED, "connection lost", cause);
}

static void on_disconnected(void *ctx, MQTTProperties *properties, enum MQTTReasonCodes code) {
	(void)properties;
	tell_state((struct link *)ctx, LINK_FAILED, "the broker ended the connection",
			   MQTTReasonCode_toString(code));
}

static void on_subscribed(void *ctx, MQTTAsync_successData5 *data) {
	struct link *l = (struct link *)ctx;
	unsigned refused = 0;
	for (int i = 0; data && i < data->alt.sub.reasonCodeCount && i < LINK_FILTERS; i++)
		if (data->alt.sub.reasonCodes && (int)data->alt.sub.reasonCodes[i] >= 0x80)
			refused |= 1U << i;
	(void)pthread_mutex_lock(&l->lock);
	l->news.refused_filters = refused;
	(void)pthread_mutex_unlock(&l->lock);
	tell_state(l, LINK_UP, "", NULL);
}

static void on_subscribe_failed(void *ctx, MQTTAsync_failureData5 *data) {
	tell_state((struct link *)ctx, LINK_FAILED, "cannot subscribe", data ? data->message : NULL);
}

static void on_connected(void *ctx, MQTTAsync_successData5 *data) {
	struct link *l = (struct link *)ctx;
	(void)data;
	int qos[LINK_FILTERS] = {0};
	MQTTSubscribe_options each[LINK_FILTERS];
	char *filters[LINK_FILTERS];
	for (int i = 0; i < LINK_FILTERS; i++) {
		each[i] = (MQTTSubscribe_options)MQTTSubscribe_options_initializer;
		filters[i] = (char *)(uintptr_t)l->opts.filters[i];
	}
	MQTTAsync_responseOptions opts = MQTTAsync_responseOptions_initializer;
	opts.onSuccess5 = on_subscribed;
	opts.onFailure5 = on_subscribe_failed;
	opts.context = l;
	opts.subscribeOptionsList = each;
	opts.subscribeOptionsCount = LINK_FILTERS;
	if (MQTTAsync_subscribeMany(l->paho, LINK_FILTERS, filters, qos, &opts) != MQTTASYNC_SUCCESS)
		tell_state(l, LINK_FAILED, "cannot subscribe", NULL);
}

/* The bounds of the inbox are here, so that a flood costs no memory. False: no room. */
static bool make_room(struct link *l, enum topic_kind kind) {
	unsigned *count = kind == TOPIC_DEVICE_PULL ? &l->pulls : &l->others;
	if (*count >= (kind == TOPIC_DEVICE_PULL ? LINK_PULLS_MAX : LINK_OTHERS_MAX)) return false;
	(*count)++;
	return true;
}

static void put(struct link *l, struct link_message *m) {
	(void)pthread_mutex_lock(&l->lock);
	if (make_room(l, m->kind)) {
		if (l->last)
			l->last->next = m;
		else
			l->first = m;
		l->last = m;
		m = NULL;
		l->woken = true;
		(void)pthread_cond_signal(&l->wake);
	} else if (m->kind == TOPIC_DEVICE_PULL) {
		l->news.dropped_pulls++;
	}
	(void)pthread_mutex_unlock(&l->lock);
	free(m);
}

static void keep(struct link *l, struct span name, struct span payload) {
	struct topic t;
	if (payload.len > LINK_MESSAGE_MAX || topic_parse(name, &t) != ERR_NONE) return;
	if (t.kind != TOPIC_DEVICE_PULL && t.kind != TOPIC_DEVICE_ACK && t.kind != TOPIC_USER_DENIED &&
		t.kind != TOPIC_USER_REPLY)
		return;
	struct link_message *m = (struct link_message *)malloc(sizeof *m + payload.len);
	if (!m) return; /* whoever sent it asks or tells again */
	*m = (struct link_message){.kind = t.kind, .len = payload.len};
	if (!span_copy(t.clip, m->clip, sizeof m->clip) ||
		!span_copy(t.username, m->username, sizeof m->username)) {
		free(m);
		return;
	}
	if (payload.len) memcpy(m->bytes, payload.ptr, payload.len);
	put(l, m);
}

static int on_message(void *ctx, char *topic, int topic_len, MQTTAsync_message *message) {
	/* topic_len is 0 unless the name holds a zero byte */
	struct span name = topic_len > 0 ? span_of(topic, (size_t)topic_len) : span_str(topic);
	if (message->payloadlen >= 0 && !message->retained)
		keep((struct link *)ctx, name, span_of(message->payload, (size_t)message->payloadlen));
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

static void tell_done(const struct slot *slot, int code) {
	struct link *l = slot->link;
	(void)pthread_mutex_lock(&l->lock);
	l->news.done[slot->which] = true;
	l->news.code[slot->which] = code;
	l->woken = true;
	(void)pthread_cond_signal(&l->wake);
	(void)pthread_mutex_unlock(&l->lock);
}

static void on_sent(void *ctx, MQTTAsync_successData5 *data) {
	tell_done((const struct slot *)ctx, data ? (int)data->reasonCode : 0);
}

static void on_send_failed(void *ctx, MQTTAsync_failureData5 *data) {
	/* Paho 1.3.12 leaves reasonCode unset when writing a QoS 0 message failed, and reads
	 * packet_type from freed memory: the token, 0 for QoS 0, is what tells whether a PUBACK may
	 * have spoken. */
	int code = data && data->token != 0 ? (int)data->reasonCode : 0;
	tell_done((const struct slot *)ctx, code >= 0x80 ? code : -1);
}

static void on_goodbye(void *ctx, MQTTAsync_successData5 *data) {
	struct link *l = (struct link *)ctx;
	(void)data;
	(void)pthread_mutex_lock(&l->lock);
	l->goodbye_done = true;
	(void)pthread_cond_signal(&l->wake);
	(void)pthread_mutex_unlock(&l->lock);
}

/* --- the owner's thread ---------------------------------------------------------------------- */

static int start_connect(struct link *l) {
	MQTTAsync_connectOptions c = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
	MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
	will.topicName = l->opts.will_topic;
	will.message = "offline";
	will.retained = 1;
	will.qos = 0;
	ssl.trustStore = l->opts.ca_file;
	ssl.keyStore = l->opts.cert_file;
	ssl.privateKey = l->opts.key_file;
	ssl.enableServerCertAuth = 1;
	ssl.verify = 1; /* the name in the certificate is the host's */
	ssl.disableDefaultTrustStore = l->opts.ca_file != NULL;
	c.will = &will;
	c.ssl = l->opts.tls ? &ssl : NULL;
	c.cleanstart = 1; /* and no session expiry property: nothing is kept after the connection */
	c.keepAliveInterval = l->opts.keepalive_s;
	c.maxInflight = LINK_SLOTS;
	c.connectTimeout = CONNECT_TIMEOUT_S;
	c.username = l->opts.username;
	c.password = l->opts.token;
	c.onSuccess5 = on_connected;
	c.onFailure5 = on_connect_failed;
	c.context = l;
	return MQTTAsync_connect(l->paho, &c);
}

enum err link_open(struct link *l, char why[LINK_WHY_SIZE]) {
	MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
	create.MQTTVersion = MQTTVERSION_5;
	if (!ENSURE(!l->paho)) return ERR_NET;
	(void)pthread_mutex_lock(&l->lock);
	l->news = (struct link_news){.state = LINK_OPENING, .dropped_pulls = l->news.dropped_pulls};
	(void)pthread_mutex_unlock(&l->lock);
	int rc = MQTTAsync_createWithOptions(&l->paho, l->uri, l->opts.username,
										 MQTTCLIENT_PERSISTENCE_NONE, NULL, &create);
	if (rc == MQTTASYNC_SUCCESS) rc = MQTTAsync_setCallbacks(l->paho, l, on_lost, on_message, NULL);
	if (rc == MQTTASYNC_SUCCESS) rc = MQTTAsync_setDisconnected(l->paho, l, on_disconnected);
	if (rc == MQTTASYNC_SUCCESS) rc = start_connect(l);
	if (rc == MQTTASYNC_SUCCESS) return ERR_NONE;
	const char *text = MQTTAsync_strerror(rc);
	(void)snprintf(why, LINK_WHY_SIZE, "cannot start a connection: %s",
				   text ? text : "unknown error");
	link_close(l);
	return ERR_NET;
}

void link_close(struct link *l) {
	if (l->paho) MQTTAsync_destroy(&l->paho); /* from here on no callback runs */
	l->paho = NULL;
	(void)pthread_mutex_lock(&l->lock);
	l->news = (struct link_news){.state = LINK_DOWN, .dropped_pulls = l->news.dropped_pulls};
	(void)pthread_mutex_unlock(&l->lock);
	for (int i = 0; i < LINK_SLOTS; i++) l->slots[i].busy = false;
	drop_messages(l);
}

static struct timespec in_ms(int64_t ms) {
	struct timespec t;
	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		t = (struct timespec){0}; /* then the wait ends at once */
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

void link_goodbye(struct link *l, int wait_ms) {
	MQTTAsync_disconnectOptions bye = MQTTAsync_disconnectOptions_initializer5;
	bye.onSuccess5 = on_goodbye;
	bye.context = l;
	bye.timeout = wait_ms;
	if (!l->paho || !MQTTAsync_isConnected(l->paho)) return;
	MQTTAsync_message m = MQTTAsync_message_initializer;
	m.payload = (void *)(uintptr_t) "offline";
	m.payloadlen = 7;
	m.retained = 1;
	if (MQTTAsync_sendMessage(l->paho, l->opts.will_topic, &m, NULL) != MQTTASYNC_SUCCESS)
		return; /* the will says it */
	if (MQTTAsync_disconnect(l->paho, &bye) != MQTTASYNC_SUCCESS) return;
	struct timespec end = in_ms(wait_ms);
	(void)pthread_mutex_lock(&l->lock);
	while (!l->goodbye_done)
		if (pthread_cond_timedwait(&l->wake, &l->lock, &end) != 0) break;
	(void)pthread_mutex_unlock(&l->lock);
}

bool link_is_free(const struct link *l, enum link_slot slot) {
	return !l->slots[slot].busy;
}

enum err link_send(struct link *l, enum link_slot slot, const struct link_send *m) {
	if (!ENSURE(l->paho && !l->slots[slot].busy)) return ERR_NET;
	MQTTAsync_responseOptions opts = MQTTAsync_responseOptions_initializer;
	MQTTAsync_message msg = MQTTAsync_message_initializer;
	MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL};
	msg.payload = (void *)(uintptr_t)m->payload.ptr;
	msg.payloadlen = (int)m->payload.len;
	msg.qos = m->qos;
	msg.retained = m->retained;
	opts.onSuccess5 = on_sent;
	opts.onFailure5 = on_send_failed;
	opts.context = &l->slots[slot];
	if (m->expiry_s != 0) {
		expiry.value.integer4 = m->expiry_s;
		if (MQTTProperties_add(&msg.properties, &expiry) != 0) return ERR_NET;
	}
	l->slots[slot].busy = true;
	int rc = MQTTAsync_sendMessage(l->paho, m->topic, &msg, &opts);
	MQTTProperties_free(&msg.properties);
	if (rc == MQTTASYNC_SUCCESS) return ERR_NONE;
	l->slots[slot].busy = false;
	return ERR_NET;
}

void link_wait(struct link *l, int64_t ms, struct link_news *news) {
	struct timespec end = in_ms(ms);
	(void)pthread_mutex_lock(&l->lock);
	while (!l->woken && !l->first && ms > 0)
		if (pthread_cond_timedwait(&l->wake, &l->lock, &end) != 0) break;
	l->woken = false;
	*news = l->news;
	for (int i = 0; i < LINK_SLOTS; i++) {
		if (l->news.done[i]) l->slots[i].busy = false;
		l->news.done[i] = false;
	}
	(void)pthread_mutex_unlock(&l->lock);
}

void link_wake(struct link *l) {
	(void)pthread_mutex_lock(&l->lock);
	l->woken = true;
	(void)pthread_cond_signal(&l->wake);
	(void)pthread_mutex_unlock(&l->lock);
}

struct link_message *link_take(struct link *l) {
	(void)pthread_mutex_lock(&l->lock);
	struct link_message *m = l->first;
	if (m) {
		l->first = m->next;
		if (!l->first) l->last = NULL;
		m->next = NULL;
		if (m->kind == TOPIC_DEVICE_PULL)
			l->pulls--;
		else
			l->others--;
	}
	(void)pthread_mutex_unlock(&l->lock);
	return m;
}

void link_message_free(struct link_message *m) {
	free(m);
}
