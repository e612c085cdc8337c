/* See worker.h. One pass of the loop: wait, take news, settle, send what may be sent. */
#include "clients/sdk/worker.h"

#include <signal.h>
#include <sys/random.h>

enum {
	PAUSE_MS = 1000, /* reconnection: a random pause of up to this, doubling ... */
	PAUSE_MAX_MS = 60000,
	LASTED_MS = 30000, /* ... until a connection has lasted so long */
	IDLE_MS = 60000,
	AGAIN_MS = 100,
	GOODBYE_MS = 800
};

void worker_log(void *device, enum log_level level, const char *line) {
	const struct vestibule_device *d = (const struct vestibule_device *)device;
	if (d->config.log) d->config.log(d->config.ctx, (enum vestibule_level)level, line);
}

static void tell_link(struct vestibule_device *d, enum vestibule_link link, const char *why) {
	(void)pthread_mutex_lock(&d->lock);
	d->status.link = link;
	if (link == VESTIBULE_ONLINE) d->status.connects++;
	(void)pthread_mutex_unlock(&d->lock);
	static const char *const words[] = {"offline", "connecting", "online"};
	enum log_level level = link == VESTIBULE_OFFLINE && why[0] ? LOG_WARN : LOG_INFO;
	log_line(&d->log, level, "link", "state", words[link], "why", why[0] ? why : NULL, NULL);
	if (d->config.link) d->config.link(d->config.ctx, link, why);
}

/* --- connecting ------------------------------------------------------------------------------ */

/* Full jitter, so that a street of doorbells does not come back in one second after a broker's
 * restart. */
static int64_t pause_ms(uint32_t tries) {
	uint64_t ceiling = PAUSE_MS;
	uint64_t draw = 0;
	for (uint32_t i = 0; i < tries && ceiling < PAUSE_MAX_MS; i++) ceiling *= 2;
	if (ceiling > PAUSE_MAX_MS) ceiling = PAUSE_MAX_MS;
	if (getrandom(&draw, sizeof draw, 0) != (ssize_t)sizeof draw) return (int64_t)ceiling;
	return (int64_t)(draw % (ceiling + 1));
}

static void try_later(struct vestibule_device *d, struct moment now, const char *why) {
	link_close(d->link);
	pulls_clear(&d->pulls);
	d->sending = 0;
	if (d->state == LINK_UP && now.boot_ms - d->up_since_boot_ms >= LASTED_MS) d->tries = 0;
	d->state = LINK_DOWN;
	d->next_try_boot_ms = now.boot_ms + pause_ms(d->tries);
	if (d->tries < 16) d->tries++;
	(void)pthread_mutex_lock(&d->lock);
	courier_offline(&d->courier);
	claim_offline(&d->claim);
	(void)pthread_mutex_unlock(&d->lock);
	tell_link(d, VESTIBULE_OFFLINE, why);
}

static void connect_when_due(struct vestibule_device *d, struct moment now) {
	char why[LINK_WHY_SIZE];
	if (d->state != LINK_DOWN || now.boot_ms < d->next_try_boot_ms) return;
	tell_link(d, VESTIBULE_CONNECTING, "");
	if (link_open(d->link, why) == ERR_NONE)
		d->state = LINK_OPENING;
	else
		try_later(d, now, why);
}

static void on_state(struct vestibule_device *d, const struct link_news *news, struct moment now) {
	if (d->state == LINK_DOWN) return;
	if (news->state == LINK_FAILED) {
		(void)pthread_mutex_lock(&d->lock);
		if (news->not_let_in) claim_not_let_in(&d->claim);
		(void)pthread_mutex_unlock(&d->lock);
		try_later(d, now, news->why);
	} else if (news->state == LINK_UP && d->state != LINK_UP) {
		d->state = LINK_UP;
		d->up_since_boot_ms = now.boot_ms;
		(void)pthread_mutex_lock(&d->lock);
		d->status_due = true;
		(void)pthread_mutex_unlock(&d->lock);
		if (news->refused_filters)
			log_line(&d->log, LOG_ERROR, "subscription_refused", "hint",
					 "is the device registered with this credential?", NULL);
		tell_link(d, VESTIBULE_ONLINE, "");
	}
}

/* --- what comes in --------------------------------------------------------------------------- */

static void on_results(struct vestibule_device *d, const struct link_news *news,
					   struct moment now) {
	(void)pthread_mutex_lock(&d->lock);
	d->status.dropped_pulls = news->dropped_pulls + d->over_pulls;
	if (news->done[LINK_EVENT] && d->sending != 0) {
		courier_sent(&d->courier, d->sending, news->code[LINK_EVENT], now);
		d->sending = 0;
	}
	if (news->done[LINK_CLAIM]) claim_sent(&d->claim, news->code[LINK_CLAIM], now);
	if (news->done[LINK_CHUNK] && news->code[LINK_CHUNK] >= 0) d->status.chunks++;
	if (news->done[LINK_STATUS] && news->code[LINK_STATUS] < 0) d->status_due = true;
	(void)pthread_mutex_unlock(&d->lock);
}

static struct span of_bytes(ProtobufCBinaryData b) {
	return span_of(b.data, b.len);
}

static void on_ack(struct vestibule_device *d, struct span bytes) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (codec_decode_routed(d->codec, CODEC_DEVICE_ACK, bytes, &msg, &why) != ERR_NONE) {
		log_line(&d->log, LOG_WARN, "bad_ack", "field", why.field, "limit", why.limit, NULL);
		return;
	}
	(void)pthread_mutex_lock(&d->lock);
	courier_ack(&d->courier, ((const Vestibule__V1__DeviceAck *)msg)->seq);
	(void)pthread_mutex_unlock(&d->lock);
}

static void on_reply(struct vestibule_device *d, struct span bytes) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (codec_decode_routed(d->codec, CODEC_REPLY, bytes, &msg, &why) != ERR_NONE) {
		log_line(&d->log, LOG_WARN, "bad_reply", "field", why.field, "limit", why.limit, NULL);
		return;
	}
	const Vestibule__V1__Reply *m = (const Vestibule__V1__Reply *)msg;
	(void)pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < m->n_receipts; i++) {
		if (m->receipts[i]->kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_RECORDED)
			(void)claim_recorded(&d->claim,
								 of_bytes(m->receipts[i]->in_reply_to)); /* or an old one's */
	}
	(void)pthread_mutex_unlock(&d->lock);
}

static void on_denial(struct vestibule_device *d, struct span bytes) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (codec_decode_routed(d->codec, CODEC_DENIAL, bytes, &msg, &why) != ERR_NONE) {
		log_line(&d->log, LOG_WARN, "bad_denial", "field", why.field, "limit", why.limit, NULL);
		return;
	}
	const Vestibule__V1__Denial *m = (const Vestibule__V1__Denial *)msg;
	(void)pthread_mutex_lock(&d->lock);
	bool explained = courier_denied(&d->courier, of_bytes(m->event_id), span_str(m->reason),
									span_str(m->sentence));
	(void)pthread_mutex_unlock(&d->lock);
	if (!explained) {
		(void)pthread_mutex_lock(&d->lock);
		explained = claim_denied(&d->claim, of_bytes(m->event_id), span_str(m->reason),
								 span_str(m->sentence), clock_read());
		(void)pthread_mutex_unlock(&d->lock);
	}
	if (!explained)
		log_line(&d->log, LOG_WARN, "denied", "reason", m->reason, "access", m->access, "topic",
				 m->topic, "field", m->field, "limit", m->limit, NULL);
}

static void on_pull(struct vestibule_device *d, const struct link_message *m) {
	enum err e = pulls_add(&d->pulls, m->clip, m->username, span_of(m->bytes, m->len));
	if (e == ERR_NONE) return;
	d->over_pulls++;
	if (log_gate_open(&d->pull_gate, clock_read().boot_ms, 5, 10000))
		log_line(&d->log, LOG_WARN, "pull_dropped", "clip", m->clip, "who", m->username, "cause",
				 err_name(e), NULL);
}

static void on_messages(struct vestibule_device *d) {
	struct link_message *m;
	while ((m = link_take(d->link)) != NULL) {
		if (m->kind == TOPIC_DEVICE_PULL)
			on_pull(d, m);
		else if (m->kind == TOPIC_DEVICE_ACK)
			on_ack(d, span_of(m->bytes, m->len));
		else if (m->kind == TOPIC_USER_REPLY)
			on_reply(d, span_of(m->bytes, m->len));
		else
			on_denial(d, span_of(m->bytes, m->len));
		link_message_free(m);
	}
}

/* --- settling -------------------------------------------------------------------------------- */

static void count(struct vestibule_status *s, enum vestibule_outcome how) {
	uint64_t *const counters[] = {&s->recorded, &s->arrived, &s->refused, &s->stale_rings, NULL};
	if (counters[how]) (*counters[how])++; /* the spool counts corrupt ones */
}

static void tell_settled(struct vestibule_device *d, const struct courier_settled *s) {
	static const char *const kinds[] = {"ring", "motion", "clip"};
	static const char *const outcomes[] = {"recorded", "arrived", "refused", "stale", "corrupt"};
	static const enum log_level levels[] = {LOG_INFO, LOG_INFO, LOG_ERROR, LOG_WARN, LOG_ERROR};
	char seq[24];
	(void)snprintf(seq, sizeof seq, "%llu", (unsigned long long)s->seq); /* always fits */
	log_line(&d->log, levels[s->outcome], "settled", "kind", kinds[s->kind], "seq", seq, "outcome",
			 outcomes[s->outcome], "reason", s->reason[0] ? s->reason : NULL, NULL);
	struct vestibule_settled out = {.kind = s->kind,
									.outcome = s->outcome,
									.seq = s->seq,
									.reason = s->reason,
									.sentence = s->sentence};
	memcpy(out.event_id, s->event_id, sizeof out.event_id);
	if (d->config.settled) d->config.settled(d->config.ctx, &out);
}

static void settle_all(struct vestibule_device *d, struct moment now) {
	struct courier_settled s;
	for (;;) {
		(void)pthread_mutex_lock(&d->lock);
		bool any = courier_settle(&d->courier, now, &s);
		if (any) count(&d->status, s.outcome);
		uint64_t dropped = spool_counts(d->spool)->dropped_motion;
		(void)pthread_mutex_unlock(&d->lock);
		if (dropped != d->told_dropped)
			log_line(&d->log, LOG_WARN, "spool_full", "dropped", "motion", NULL);
		d->told_dropped = dropped;
		if (!any) return;
		tell_settled(d, &s); /* without the lock: the program may spool events from its callback */
	}
}

static void settle_claim(struct vestibule_device *d, struct moment now) {
	struct vestibule_claimed out;
	char reason[sizeof d->claim.reason], sentence[sizeof d->claim.sentence];
	(void)pthread_mutex_lock(&d->lock);
	bool is_over = claim_settle(&d->claim, now, &out);
	if (is_over) {
		memcpy(reason, out.reason, sizeof reason);
		memcpy(sentence, out.sentence, sizeof sentence);
	}
	(void)pthread_mutex_unlock(&d->lock);
	if (!is_over) return;
	bool recorded = out.outcome == VESTIBULE_RECORDED;
	out.reason = reason; /* from its callback the program may claim again */
	out.sentence = sentence;
	log_line(&d->log, recorded ? LOG_INFO : LOG_ERROR, "claim", "what",
			 out.what == VESTIBULE_RESET ? "reset" : "first_admin", "outcome",
			 recorded ? "recorded" : "refused", "reason", reason[0] ? reason : NULL, NULL);
	if (d->config.claimed) d->config.claimed(d->config.ctx, &out);
}

/* --- what goes out --------------------------------------------------------------------------- */

static void send_status(struct vestibule_device *d) {
	if (!link_is_free(d->link, LINK_STATUS)) return;
	(void)pthread_mutex_lock(&d->lock);
	bool due = d->status_due;
	bool sleeping = d->sleeping;
	d->status_due = false;
	(void)pthread_mutex_unlock(&d->lock);
	if (!due) return;
	struct link_send m = {.topic = d->topic_status, .retained = true};
	m.payload = sleeping ? SPAN_LIT("sleeping") : SPAN_LIT("online");
	if (link_send(d->link, LINK_STATUS, &m) != ERR_NONE)
		log_line(&d->log, LOG_WARN, "not_sent", "what", "status",
				 NULL); /* the connection ends; it is due again then */
}

static void send_event(struct vestibule_device *d, struct moment now) {
	struct courier_item item;
	if (!link_is_free(d->link, LINK_EVENT)) return;
	(void)pthread_mutex_lock(&d->lock);
	bool any = courier_next(&d->courier, now, &item, &d->bytes);
	(void)pthread_mutex_unlock(&d->lock);
	if (!any) return;
	struct link_send m = {.topic = d->topic_event[item.kind],
						  .payload = buf_view(&d->bytes),
						  .qos = item.kind == VESTIBULE_MOTION ? 0 : 1,
						  .expiry_s = item.life_s};
	d->sending = item.seq;
	if (link_send(d->link, LINK_EVENT, &m) == ERR_NONE) return;
	d->sending = 0;
	(void)pthread_mutex_lock(&d->lock);
	courier_sent(&d->courier, item.seq, COURIER_LOST, now);
	(void)pthread_mutex_unlock(&d->lock);
}

static void send_claim(struct vestibule_device *d, struct moment now) {
	if (!link_is_free(d->link, LINK_CLAIM)) return;
	buf_reset(&d->bytes);
	(void)pthread_mutex_lock(&d->lock);
	bool due = claim_next(&d->claim, now);
	if (due) buf_span(&d->bytes, buf_view(&d->claim.bytes));
	(void)pthread_mutex_unlock(&d->lock);
	if (!due) return;
	struct link_send m = {.topic = d->topic_claim, .payload = buf_view(&d->bytes), .qos = 1};
	if (buf_error(&d->bytes) == ERR_NONE && link_send(d->link, LINK_CLAIM, &m) == ERR_NONE) return;
	(void)pthread_mutex_lock(&d->lock);
	claim_sent(&d->claim, COURIER_LOST, now);
	(void)pthread_mutex_unlock(&d->lock);
}

static void send_chunk(struct vestibule_device *d) {
	struct pull to;
	struct span payload;
	char topic[TOPIC_BYTES_MAX + 1];
	if (!link_is_free(d->link, LINK_CHUNK)) return;
	if (pulls_next(&d->pulls, &to, &payload) != ERR_NONE) return;
	int n = snprintf(topic, sizeof topic, "vestibule/v1/device/%s/chunk/%s/%s", d->config.device,
					 to.clip, to.username);
	if (n < 0 || (size_t)n >= sizeof topic) return; /* ids are limited: it fits */
	struct link_send m = {.topic = topic, .payload = payload};
	if (link_send(d->link, LINK_CHUNK, &m) != ERR_NONE)
		log_line(&d->log, LOG_WARN, "not_sent", "what", "chunk", NULL); /* who pulls asks again */
}

/* --- the loop -------------------------------------------------------------------------------- */

static int64_t wait_ms(struct vestibule_device *d, struct moment now) {
	int64_t due = INT64_MAX;
	if (d->state == LINK_DOWN) due = d->next_try_boot_ms;
	bool can_send = d->state == LINK_UP && link_is_free(d->link, LINK_EVENT);
	(void)pthread_mutex_lock(&d->lock);
	int64_t event_due = courier_due_ms(&d->courier, can_send, now);
	int64_t claim_due = claim_due_ms(&d->claim, d->state == LINK_UP);
	(void)pthread_mutex_unlock(&d->lock);
	if (event_due < due) due = event_due;
	if (claim_due < due) due = claim_due;
	if (due <= now.boot_ms) return 0;
	int64_t ms = due - now.boot_ms < IDLE_MS ? due - now.boot_ms : IDLE_MS;
	if (d->pulls.count > 0 && link_is_free(d->link, LINK_CHUNK) && ms > AGAIN_MS) ms = AGAIN_MS;
	return ms;
}

static bool should_stop(struct vestibule_device *d) {
	(void)pthread_mutex_lock(&d->lock);
	bool stop = d->stop;
	(void)pthread_mutex_unlock(&d->lock);
	return stop;
}

static void *run(void *arg) {
	struct vestibule_device *d = (struct vestibule_device *)arg;
	struct link_news news;
	while (!should_stop(d)) {
		struct moment now = clock_read();
		connect_when_due(d, now);
		link_wait(d->link, wait_ms(d, now), &news);
		now = clock_read();
		on_results(d, &news, now);
		on_messages(d);
		on_state(d, &news, now);
		settle_all(d, now);
		settle_claim(d, now);
		if (d->state != LINK_UP) continue;
		send_status(d);
		send_claim(d, now);
		send_event(d, now);
		send_chunk(d);
	}
	if (d->state == LINK_UP) link_goodbye(d->link, GOODBYE_MS);
	link_close(d->link);
	pulls_clear(&d->pulls);
	return NULL;
}

enum err worker_start(struct vestibule_device *d) {
	sigset_t all, before;
	(void)sigfillset(&all); /* cannot fail */
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return ERR_NOMEM;
	int rc = pthread_create(&d->thread, NULL, run, d);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* worked a moment ago */
	return rc == 0 ? ERR_NONE : ERR_NOMEM;
}

void worker_stop(struct vestibule_device *d) {
	(void)pthread_mutex_lock(&d->lock);
	d->stop = true;
	(void)pthread_mutex_unlock(&d->lock);
	link_wake(d->link);
	(void)pthread_join(d->thread, NULL); /* our own, running, not detached */
}
