/* What is told once it is durable, and to whom: tells of consent into messages, links, jobs, the
 * register after a start. See engine.h. */
#include "plugin/engine_impl.h"
#include "plugin/limiter.h"
#include "plugin/mirror.h"
#include "plugin/sync.h"
#include "proto/uuid.h"

/* --- sending --- */

static enum err send_or_hold(struct engine *e, uint64_t seq, struct outbound_message *m) {
	if (!m) return ERR_NOMEM;
	if (seq <= state_durable_seq(e->st)) return outbound_put(e->outbound, m);
	return held_put(e->held, (struct held_item){.seq = seq, .message = m});
}

enum err engine_answer(struct engine *e, uint64_t seq, struct span client_id, struct span topic,
					   struct span payload) {
	if (client_id.len == 0) return ERR_INPUT;
	return send_or_hold(e, seq, outbound_message_new(client_id, topic, payload, 1, false));
}

enum err engine_publish(struct engine *e, uint64_t seq, struct span topic, struct span payload,
						uint8_t qos, bool retain) {
	return send_or_hold(e, seq,
						outbound_message_new((struct span){NULL, 0}, topic, payload, qos, retain));
}

static void build_topic(const struct topic *t, struct buf *out) {
	buf_init(out, TOPIC_BYTES_MAX);
	topic_build(t, out);
}

/* Encodes and hands over at once: what comes here is durable. A loss is counted by outbound;
 * clients sync. */
static void send_bytes(struct engine *e, const struct topic *t, struct span payload, uint8_t qos,
					   bool retain) {
	struct buf name;
	build_topic(t, &name);
	struct outbound_message *m =
		buf_error(&name) == ERR_NONE
			? outbound_message_new((struct span){NULL, 0}, buf_view(&name), payload, qos, retain)
			: NULL;
	if (!m || outbound_put(e->outbound, m) != ERR_NONE)
		log_line(e->log, LOG_ERROR, "tell_lost", "topic", topic_kind_name(t->kind), NULL);
	buf_fini(&name);
}

static void send(struct engine *e, const struct topic *t, const ProtobufCMessage *m, uint8_t qos,
				 bool retain) {
	if (!m) return; /* a row it needs is gone: nothing to tell any more */
	bool notice = m->descriptor == &vestibule__v1__agency_notice__descriptor;
	buf_reset(&e->encoded);
	enum err rc = notice ? codec_encode_notice((const Vestibule__V1__AgencyNotice *)m, &e->encoded)
						 : codec_encode(m, &e->encoded);
	if (rc == ERR_NONE) {
		send_bytes(e, t, buf_view(&e->encoded), qos, retain);
	} else {
		log_line(e->log, LOG_ERROR, "encode_failed", "topic", topic_kind_name(t->kind), "err",
				 err_name(rc), NULL);
	}
}

static struct topic to_user(enum topic_kind kind, const char *username) {
	return (struct topic){.kind = kind, .username = span_str(username)};
}

/* --- tells --- */

static void tell_receipt(struct engine *e, const struct tell *t) {
	const struct row *r = state_get(e->st, ROW_RECEIPT, span_str(t->id));
	if (!r) return;
	struct topic to = {.kind = TOPIC_HOME_RECEIPT,
					   .owner = span_str(((const struct row_receipt *)r)->home)};
	send(e, &to, compose_receipt(e->compose, r), 1, false);
}

static void tell_private(struct engine *e, const struct tell *t, bool unavailable) {
	const struct row_credential *who = state_credential(e->st, span_str(t->username));
	if (!who) return;
	struct topic to = to_user(TOPIC_USER_REPLY, t->username);
	send(e, &to,
		 compose_private(e->compose, t, who->kind == CRED_OFFICER, unavailable, e->now.utc_ms), 1,
		 false);
}

static void tell_ask(struct engine *e, const struct tell *t) {
	const struct row_ask *ask = state_ask(e->st, span_str(t->id));
	if (!ask || ask->state != ASK_PENDING) return;
	struct topic to = {.kind = TOPIC_HOME_ASK, .owner = span_str(ask->home)};
	send(e, &to, compose_ask(e->compose, &ask->row), 1, false);
}

static void tell_notice(struct engine *e, const struct tell *t) {
	const struct row *r = state_get(e->st, ROW_NOTICE, span_str(t->id));
	if (!r) return;
	struct topic to = {.kind = TOPIC_AGENCY_NOTICE,
					   .owner = span_str(((const struct row_notice *)r)->agency)};
	send(e, &to, compose_notice(e->compose, r), 1, false);
}

static void tell_request(struct engine *e, const char *id) {
	const struct row_request *r = state_request(e->st, span_str(id));
	if (!r) return;
	struct topic to = {.kind = TOPIC_PUBLIC_REQUEST, .clip = span_str(id)};
	send(e, &to, compose_public_request(e->compose, &r->row), 0, true);
}

static void tell_agency(struct engine *e, const char *id) {
	const struct row_agency *r = state_agency(e->st, span_str(id));
	struct topic to = {.kind = TOPIC_PUBLIC_AGENCY, .owner = span_str(id)};
	if (r)
		send(e, &to, compose_public_agency(e->compose, &r->row), 0, true);
	else
		send_bytes(e, &to, (struct span){NULL, 0}, 0,
				   true); /* removed: the retained entry goes, too */
}

static void tell_ack(struct engine *e, const struct tell *t) {
	Vestibule__V1__DeviceAck m = VESTIBULE__V1__DEVICE_ACK__INIT;
	m.seq = limiter_ack(e->limiter, span_str(t->id), t->value > 0 ? (uint64_t)t->value : 0);
	if (m.seq == 0) return;
	struct topic to = {.kind = TOPIC_DEVICE_ACK, .device = span_str(t->id)};
	send(e, &to, &m.base, 0, false);
}

static void tell_clip(struct engine *e, const struct tell *t) {
	const struct row_clip *r = state_clip(e->st, span_str(t->id));
	ProtobufCMessage *m = r ? compose_clip_ready(e->compose, &r->row) : NULL;
	if (m) mirror_event(e, span_str(r->home), span_str(r->device), TOPIC_HOME_JSON_CLIP_READY, m);
}

static void tell_status_clear(struct engine *e, const struct tell *t) {
	const struct row_device *d = state_device(e->st, span_str(t->id));
	struct topic to = {.kind = TOPIC_DEVICE_STATUS, .device = span_str(t->id)};
	send_bytes(e, &to, (struct span){NULL, 0}, 0, true);
	if (!d) return;
	to.kind = TOPIC_HOME_JSON_STATUS;
	to.owner = span_str(d->home);
	send_bytes(e, &to, (struct span){NULL, 0}, 0, true);
}

/* Claimed a moment ago: what it said of itself before went to nobody. */
static void tell_status(struct engine *e, const struct tell *t) {
	const struct row_device *d = state_device(e->st, span_str(t->id));
	bool online = d && engine_is_online(e, d->id);
	if (d) mirror_status(e, d, online ? SPAN_LIT("online") : SPAN_LIT("offline"), true);
}

static void link_lost(struct engine *e, const struct jobs_link *l) {
	compose_reset(e->compose);
	tell_private(e, &l->tell, true);
}

/* The fetch is recorded (I22). Is it still to be served? Then the relay is asked; else only the
 * time runs. */
static void tell_link(struct engine *e, const struct tell *t) {
	struct jobs_link lost, link = {.tell = *t, .deadline_boot_ms = e->now.boot_ms + JOBS_LINK_MS};
	const struct row_credential *officer = state_credential(e->st, span_str(t->username));
	const struct row_delivery *d = state_delivery(e->st, span_str(t->id));
	if (t->kind == TELL_LINK && officer && d &&
		consent_may_fetch(e->st, officer, d, e->now) == REASON_OK) {
		uint8_t random[10];
		entropy_fill_homes(&e->entropy, random, sizeof(random));
		uuid_v7(e->now.utc_ms, random, link.job_id);
		(void)span_copy(span_str(d->relay), link.relay, sizeof(link.relay)); /* both are ids */
		struct topic to = {.kind = TOPIC_RELAY_JOB, .owner = span_str(d->relay)};
		send(e, &to,
			 compose_link_job(e->compose, d, link.job_id, e->now.utc_ms + JOBS_LINK_LIFE_MS), 1,
			 false);
	}
	if (jobs_link_add(e->jobs, &link, &lost)) link_lost(e, &lost);
}

static void tell(struct engine *e, const struct tell *t) {
	compose_reset(e->compose);
	switch (t->kind) {
	case TELL_RECEIPT: tell_receipt(e, t); break;
	case TELL_RECORDED: tell_private(e, t, false); break;
	case TELL_ASK: tell_ask(e, t); break;
	case TELL_NOTICE: tell_notice(e, t); break;
	case TELL_JOB: e->hurry = true; break;
	case TELL_REGISTER: tell_request(e, t->id); break;
	case TELL_AGENCY: tell_agency(e, t->id); break;
	case TELL_ACK: tell_ack(e, t); break;
	case TELL_CLIP: tell_clip(e, t); break;
	case TELL_LINK:
	case TELL_UNAVAILABLE: tell_link(e, t); break;
	case TELL_STATUS_CLEAR: tell_status_clear(e, t); break;
	case TELL_STATUS: tell_status(e, t); break;
	case TELL_ALERT: /* encoded when it was held: its strings were the command's */
	case TELL_NONE: break;
	}
}

void engine_drain(struct engine *e) {
	struct held_item item;
	for (int i = 0; i < ENGINE_TELLS_AT_ONCE && held_take(e->held, state_durable_seq(e->st), &item);
		 i++) {
		if (item.message) {
			if (outbound_put(e->outbound, item.message) != ERR_NONE)
				log_line(e->log, LOG_ERROR, "tell_lost", "topic", "message", NULL);
		} else {
			tell(e, &item.tell);
		}
	}
}

/* --- holding --- */

static void hold_alert(struct engine *e, const struct effects *fx, uint64_t seq) {
	struct buf name;
	struct topic to = {.kind = TOPIC_AREA_ALERT, .cell = span_str(fx->alert_cell)};
	build_topic(&to, &name);
	buf_reset(&e->encoded);
	enum err rc = codec_encode(&fx->alert.base, &e->encoded);
	if (rc == ERR_NONE) rc = buf_error(&name);
	if (rc == ERR_NONE)
		rc = engine_publish(e, seq, buf_view(&name), buf_view(&e->encoded), 0, false);
	if (rc != ERR_NONE)
		log_line(e->log, LOG_ERROR, "tell_lost", "topic", "area/alert", "err", err_name(rc), NULL);
	buf_fini(&name);
}

static void hold_one(struct engine *e, const struct tell *t, uint64_t seq) {
	enum err rc = held_put(e->held, (struct held_item){.seq = seq, .tell = *t});
	if (rc != ERR_NONE) log_line(e->log, LOG_ERROR, "tell_lost", "err", err_name(rc), NULL);
}

void engine_hold(struct engine *e, const struct effects *fx, uint64_t seq) {
	for (size_t i = 0; i < fx->tell_count; i++) {
		if (fx->tell[i].kind == TELL_ALERT)
			hold_alert(e, fx, seq);
		else
			hold_one(e, &fx->tell[i], seq);
	}
}

/* --- links --- */

void engine_link(struct engine *e, const struct row_credential *relay,
				 const Vestibule__V1__RelayReport *report) {
	struct jobs_link l;
	if (report->job_id.len != 16 ||
		!jobs_link_take(e->jobs, span_str(relay->subject), report->job_id.data, &l))
		return; /* too late, or nobody asked: a link that goes nowhere */
	const struct row_credential *officer = state_credential(e->st, span_str(l.tell.username));
	const struct row_delivery *d = state_delivery(e->st, span_str(l.tell.id));
	/* Asked again: the grant may have gone while the relay worked (I2). */
	bool may = officer && d && consent_may_fetch(e->st, officer, d, e->now) == REASON_OK;
	compose_reset(e->compose);
	ProtobufCMessage *m = may ? compose_fetch_link(e->compose, d, l.tell.event_id, report) : NULL;
	if (!m) {
		jobs_link_back(e->jobs, &l);
		return;
	}
	struct topic to = to_user(TOPIC_USER_LINK, l.tell.username);
	send(e, &to, m, 0, false);
}

/* --- sync --- */

struct syncing {
	struct engine *e;
	const struct row_credential *who;
};

static bool issue(void *ctx, const struct row_job *job) {
	const struct syncing *s = ctx;
	return jobs_issue(s->e->jobs, s->e->st, s->e->compose, job, s->e->now);
}

static bool send_part(void *ctx, struct span part) {
	const struct syncing *s = ctx;
	struct topic to = to_user(TOPIC_USER_REPLY, s->who->username);
	send_bytes(s->e, &to, part, 1, false);
	return true;
}

void engine_sync(struct engine *e, const struct row_credential *who,
				 const Vestibule__V1__Sync *sync) {
	struct syncing s = {.e = e, .who = who};
	struct sync_opts o = {.st = e->st,
						  .compose = e->compose,
						  .who = who,
						  .now = e->now,
						  .issue = issue,
						  .send = send_part,
						  .ctx = &s};
	if (who->kind == CRED_RELAY) jobs_restart(e->jobs, span_str(who->subject));
	enum err rc = sync_answer(&o, sync);
	if (rc != ERR_NONE)
		log_line(e->log, LOG_WARN, "sync_cut", "who", who->username, "err", err_name(rc), NULL);
}

/* --- time passes --- */

static void tell_job(void *ctx, const struct row_job *job) {
	struct engine *e = ctx;
	struct topic to = {.kind = TOPIC_RELAY_JOB, .owner = span_str(job->relay)};
	compose_reset(e->compose);
	send(e, &to, compose_job(e->compose, &job->row), 1, false);
}

/* Never public: what was refused, withdrawn or forgotten before it was approved. */
static bool is_public(const struct row_request *r) {
	bool approved = r->approver[0] && r->state != REQ_REJECTED;
	return approved || r->emergency || r->opened_ms > 0;
}

static void republish(struct engine *e) {
	for (int i = 0; i < ENGINE_REPUBLISH_AT_ONCE && e->republish_at < e->republish_count; i++) {
		const struct republish *p = &e->republish[e->republish_at++];
		compose_reset(e->compose);
		const struct row_request *r = state_request(e->st, span_str(p->id));
		if (p->kind == ROW_AGENCY)
			tell_agency(e, p->id);
		else if (r && is_public(r))
			tell_request(e, p->id);
	}
	if (e->republish && e->republish_at == e->republish_count) {
		free(e->republish);
		e->republish = NULL;
	}
}

void engine_tell_tick(struct engine *e) {
	struct jobs_link l;
	while (jobs_link_expired(e->jobs, e->now, &l)) link_lost(e, &l);
	bool hurry = e->hurry;
	e->hurry = false;
	struct jobs_world w = {.st = e->st,
						   .compose = e->compose,
						   .sessions = e->sessions,
						   .now = e->now,
						   .tell = tell_job,
						   .ctx = e};
	if (state_may_allow(e->st)) jobs_pass(e->jobs, &w, hurry);
	republish(e);
}
