/* See acl.h. */
#include "plugin/acl.h"

#include <mosquitto.h>
#include <mosquitto_plugin.h>

#include "plugin/act.h"
#include "plugin/denied.h"
#include "plugin/limiter.h"
#include "plugin/mirror.h"
#include "plugin/payload.h"
#include "plugin/resend.h"
#include "plugin/session.h"

struct check {
	struct engine *e;
	const struct mosquitto_evt_acl_check *ev;
	struct span username, name, payload;
	struct topic topic; /* TOPIC_UNKNOWN for a filter */
	struct question q;
};

static struct verdict decide(const struct check *c) {
	if (!engine_may_allow(c->e)) return (struct verdict){VERDICT_DENY, REASON_NOT_READY, NULL};
	return policy_decide(engine_state(c->e), &c->q, &engine_opts(c->e)->policy);
}

static int deny(const struct check *c, enum denial_access access, enum reason reason,
				const struct codec_fault *fault) {
	struct denied d = {.username = c->username,
					   .client_id = span_str(mosquitto_client_id(c->ev->client)),
					   .topic = c->name,
					   .access = access,
					   .reason = reason,
					   .fault = fault};
	if (access == DENIAL_WRITE) d.payload = c->payload;
	denied_report(c->e, &d);
	return MOSQ_ERR_ACL_DENIED;
}

/* --- READ --- */

static void read_times(struct check *c) {
	enum err rc = ERR_INPUT;
	switch (c->topic.kind) {
	case TOPIC_DEVICE_RING:
	case TOPIC_DEVICE_MOTION:
	case TOPIC_DEVICE_CLIP_READY: rc = event_times(c->payload, &c->q.event); break;
	case TOPIC_HOME_JSON_RING:
	case TOPIC_HOME_JSON_MOTION:
	case TOPIC_HOME_JSON_CLIP_READY: rc = event_times_json(c->payload, &c->q.event); break;
	default: break;
	}
	c->q.has_event = rc == ERR_NONE;
}

/* An event for a client that a kick sent away: it follows later, the broker gets no copy. */
static bool is_kept_back(const struct check *c, const struct verdict *v) {
	struct resend *r = engine_resend(c->e);
	if (resend_is_idle(r) || !v->grant || !c->q.has_event) return false;
	if (sessions_is_purging(engine_sessions(c->e), c->ev->client))
		return false; /* the broker has it, and keeps it */
	return resend_put(r, span_str(mosquitto_client_id(c->ev->client)), c->name, c->payload,
					  (uint8_t)c->q.qos) == ERR_NONE;
}

static int on_read(struct check *c) {
	read_times(c);
	struct verdict v = decide(c);
	struct sessions *sessions = engine_sessions(c->e);
	if (v.kind == VERDICT_ALLOW) {
		if (is_kept_back(c, &v)) return MOSQ_ERR_ACL_DENIED;
		if (v.grant) sessions_routed(sessions, c->ev->client, v.grant->id);
		return MOSQ_ERR_SUCCESS;
	}
	sessions_read_denied(sessions, c->ev->client);
	return deny(c, DENIAL_READ, v.reason, NULL);
}

bool acl_may_follow(struct engine *e, const struct outbound_packet *p) {
	bool leaving;
	struct sessions *sessions = engine_sessions(e);
	const struct session *to = sessions_with_id(sessions, span_str(p->client_id), &leaving);
	if (!to) return true; /* the broker keeps it in the session, and asks READ at the login */
	struct check c = {.e = e,
					  .username = span_str(to->username),
					  .name = span_str(p->topic),
					  .payload = span_of(p->payload, p->len)};
	c.q = (struct question){.access = ACCESS_READ,
							.who = state_credential(engine_state(e), c.username),
							.name = c.name,
							.qos = p->qos,
							.now_ms = engine_now(e).utc_ms};
	if (topic_parse(c.name, &c.topic) != ERR_NONE) return false;
	read_times(&c);
	struct verdict v = decide(&c);
	if (v.kind == VERDICT_ALLOW && v.grant) sessions_routed(sessions, to->client, v.grant->id);
	return v.kind == VERDICT_ALLOW;
}

/* --- WRITE --- */

/* check_retain_source asks about the writer of a retained message with a stand-in client: nobody
 * sends, nothing is counted, and only what may be retained can be meant. */
static bool is_stand_in(const struct mosquitto *client) {
	return !mosquitto_client_address(client) && mosquitto_client_protocol_version(client) == 0;
}

static int on_stand_in(const struct check *c) {
	bool may_be_retained = c->topic.kind == TOPIC_DEVICE_STATUS || c->topic.kind == TOPIC_OTHER;
	return may_be_retained && decide(c).kind == VERDICT_ALLOW ? MOSQ_ERR_SUCCESS
															  : MOSQ_ERR_ACL_DENIED;
}

/* A will goes past MESSAGE with whatever properties CONNECT gave it, and one at the broker's end
 * cannot be told from a PUBLISH. So no status goes out as it came (I18, I28): at QoS 0 a refusal is
 * seen by nobody, and the plugin says the word itself. */
static int on_status(const struct check *c) {
	const struct row_device *d = state_device(engine_state(c->e), c->topic.device);
	if (c->q.is_will) {
		if (!span_eq(c->payload, SPAN_LIT("offline")))
			return deny(c, DENIAL_WRITE, REASON_WILL, NULL);
		sessions_lost(engine_sessions(c->e), c->username);
	} else if (d && limiter_principal(engine_limiter(c->e), c->username, LIMITER_COMMAND,
									  engine_now(c->e))) { /* else dropped and counted */
		mirror_status(c->e, d, c->payload, c->q.retain);
	}
	return MOSQ_ERR_ACL_DENIED;
}

static int on_write(struct check *c) {
	struct codec_fault fault = {{0}, {0}};
	ProtobufCMessage *msg = NULL;
	if (is_stand_in(c->ev->client)) return on_stand_in(c);
	c->q.is_will = sessions_is_will(engine_sessions(c->e), c->ev->client);
	struct verdict v = decide(c);
	if (v.kind != VERDICT_ALLOW) {
		bool waits = v.reason == REASON_NOT_READY && !c->q.is_will &&
					 act_may_wait(c->q.who, &c->topic, c->ev->qos, c->ev->retain);
		return waits ? MOSQ_ERR_SUCCESS : deny(c, DENIAL_WRITE, v.reason, NULL);
	}
	if (c->topic.kind == TOPIC_DEVICE_STATUS) return on_status(c);
	enum reason reason =
		payload_decode(engine_codec(c->e), c->topic.kind, c->payload, &msg, &fault);
	if (reason != REASON_OK && reason != REASON_BUSY) return deny(c, DENIAL_WRITE, reason, &fault);
	return MOSQ_ERR_SUCCESS;
}

/* --- SUBSCRIBE --- */

/* Who subscribes has logged in: a session that is only kept asks for nothing. */
static int on_subscribe(struct check *c) {
	if (!sessions_get(engine_sessions(c->e), c->ev->client))
		return deny(c, DENIAL_SUBSCRIBE, REASON_BAD_PROOF, NULL);
	struct verdict v = decide(c);
	return v.kind == VERDICT_ALLOW ? MOSQ_ERR_SUCCESS : deny(c, DENIAL_SUBSCRIBE, v.reason, NULL);
}

int acl_check(struct engine *e, const struct mosquitto_evt_acl_check *ev) {
	struct check c = {.e = e,
					  .ev = ev,
					  .username = span_str(mosquitto_client_username(ev->client)),
					  .name = span_str(ev->topic),
					  .payload = span_of(ev->payload, ev->payloadlen)};
	c.q = (struct question){.who = state_credential(engine_state(e), c.username),
							.name = c.name,
							.qos = ev->qos,
							.retain = ev->retain,
							.status = c.payload,
							.now_ms = engine_now(e).utc_ms};
	if (ev->access == MOSQ_ACL_UNSUBSCRIBE) return MOSQ_ERR_SUCCESS; /* less is always allowed */
	if (ev->access != MOSQ_ACL_SUBSCRIBE && topic_parse(c.name, &c.topic) != ERR_NONE)
		c.topic = (struct topic){.kind = TOPIC_UNKNOWN}; /* policy refuses it by its name */
	switch (ev->access) {
	case MOSQ_ACL_READ: c.q.access = ACCESS_READ; return on_read(&c);
	case MOSQ_ACL_WRITE:
		c.q.access = ACCESS_WRITE;
		if (!sessions_is_will(engine_sessions(e), ev->client))
			sessions_purge_end(engine_sessions(e));
		return on_write(&c);
	case MOSQ_ACL_SUBSCRIBE:
		c.q.access = ACCESS_SUBSCRIBE;
		sessions_purge_end(engine_sessions(e));
		return on_subscribe(&c);
	default: return MOSQ_ERR_ACL_DENIED;
	}
}
