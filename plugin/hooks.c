/* See hooks.h. BASIC_AUTH is in login.c, ACL_CHECK in acl.c. */
#include "plugin/hooks.h"

#include <mosquitto.h>

#include "plugin/acl.h"
#include "plugin/act.h"
#include "plugin/control.h"
#include "plugin/denied.h"
#include "plugin/login.h"
#include "plugin/mirror.h"
#include "plugin/outbound.h"
#include "plugin/resend.h"
#include "plugin/session.h"

static const struct row_credential *sender(const struct hooks *h, const struct mosquitto *client) {
	return state_credential(engine_state(h->engine), span_str(mosquitto_client_username(client)));
}

static int on_acl_check(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	(void)event;
	engine_enter(h->engine); /* what became durable meanwhile counts from here */
	return acl_check(h->engine, data);
}

static int on_basic_auth(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	(void)event;
	engine_enter(h->engine);
	enum login_reload reload = h->is_2_1 ? LOGIN_RELOADING_SAFE : LOGIN_RELOADING;
	return login_check(h->engine, data, h->reloading ? reload : LOGIN_NOT_RELOADING);
}

/* The new payload becomes the broker's; it frees the old one. Zero-terminated as the broker's own
 * are. */
static bool replace_payload(struct mosquitto_evt_message *ev, struct span bytes) {
	if (bytes.len > UINT32_MAX - 1) return false;
	uint8_t *copy = mosquitto_malloc(bytes.len + 1);
	if (!copy) return false;
	memcpy(copy, bytes.ptr, bytes.len);
	copy[bytes.len] = 0;
	ev->payload = copy;
	ev->payloadlen = (uint32_t)bytes.len;
	return true;
}

static int deny_message(struct hooks *h, const struct mosquitto_evt_message *ev,
						enum reason reason) {
	struct denied d = {.username = span_str(mosquitto_client_username(ev->client)),
					   .client_id = span_str(mosquitto_client_id(ev->client)),
					   .topic = span_str(ev->topic),
					   .payload = span_of(ev->payload, ev->payloadlen),
					   .access = DENIAL_WRITE,
					   .reason = reason};
	if (reason != REASON_RATE) denied_report(h->engine, &d);
	return MOSQ_ERR_ACL_DENIED;
}

static int on_message(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	struct mosquitto_evt_message *ev = data;
	(void)event;
	engine_enter(h->engine);
	sessions_purge_end(engine_sessions(h->engine));
	struct act_message m = {.who = sender(h, ev->client),
							.payload = span_of(ev->payload, ev->payloadlen),
							.has_properties = ev->properties != NULL};
	if (!m.who || topic_parse(span_str(ev->topic), &m.topic) != ERR_NONE)
		return deny_message(h, ev, REASON_NONE_GIVEN); /* WRITE refused it before: never here */
	struct buf out;
	enum reason reason = REASON_NONE_GIVEN;
	buf_init(&out, codec_bytes_max(CODEC_CLIP_READY));
	enum act act = act_on(h->engine, &m, &out, &reason);
	if (act == ACT_REPLACE && !replace_payload(ev, buf_view(&out)))
		act = ACT_PASS; /* no arrival: read by nobody */
	buf_fini(&out);
	return act == ACT_DENY ? deny_message(h, ev, reason) : MOSQ_ERR_SUCCESS;
}

/* WRITE was asked before. Another answer than SUCCESS would end the operator's connection. */
static int on_control(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	struct mosquitto_evt_control *ev = data;
	(void)event;
	engine_enter(h->engine);
	sessions_purge_end(engine_sessions(h->engine));
	struct control_client who = {.client_id = span_str(mosquitto_client_id(ev->client)),
								 .who = sender(h, ev->client)};
	if (!who.who || who.who->kind != CRED_OPERATOR) return MOSQ_ERR_SUCCESS;
	enum err rc = control_handle(h->engine, who, span_of(ev->payload, ev->payloadlen));
	if (rc != ERR_NONE)
		log_line(engine_log(h->engine), LOG_WARN, "control_failed", "who", who.who->username, "err",
				 err_name(rc), NULL);
	return MOSQ_ERR_SUCCESS;
}

/* By id only with the will: without it an id that just went offline corrupts the broker's memory.
 * WRITE refuses the will itself. */
static void run_kick(struct hooks *h, const struct session_kick *kick) {
	if (!kick->whole_username)
		resend_away(engine_resend(h->engine), span_str(kick->name), engine_now(h->engine));
	int rc = kick->whole_username ? mosquitto_kick_client_by_username(kick->name, false)
								  : mosquitto_kick_client_by_clientid(kick->name, true);
	log_line(engine_log(h->engine), LOG_INFO, "kick", kick->whole_username ? "who" : "client",
			 kick->name, "result", rc == MOSQ_ERR_SUCCESS ? "ok" : "absent", NULL);
}

static void run_kicks(struct hooks *h) {
	struct sessions *sessions = engine_sessions(h->engine);
	struct session_kick kick;
	while (sessions_next_kick(sessions, &kick)) run_kick(h, &kick);
	for (int i = 0; i < SESSION_PURGE_KICKS_PER_TICK && sessions_next_purge_kick(sessions, &kick);
		 i++)
		run_kick(h, &kick);
}

static bool is_leaving(void *ctx, const char *client_id) {
	bool leaving;
	const struct hooks *h = ctx;
	(void)sessions_with_id(engine_sessions(h->engine), span_str(client_id), &leaving);
	return leaving;
}

static bool may_follow(void *ctx, const struct outbound_packet *p) {
	const struct hooks *h = ctx;
	return acl_may_follow(h->engine, p);
}

/* Behind the kicks: who is listed still is not back for good. */
static void run_resend(struct hooks *h) {
	struct resend_world w = {
		.is_leaving = is_leaving, .may_go = may_follow, .send = outbound_send_now, .ctx = h};
	resend_tick(engine_resend(h->engine), engine_now(h->engine), &w);
}

/* Only behind an empty queue, so that it goes out in this very TICK: a device that comes back cannot
 * say "online" in between and be contradicted. */
static void tell_lost(struct hooks *h) {
	enum { AT_ONCE = OUTBOUND_PER_TICK / 2 }; /* each is a status and its mirror */
	struct outbound *out = engine_outbound(h->engine);
	char username[ROW_ID_SIZE];
	if (!outbound_is_empty(out)) return;
	for (int i = 0; i < AT_ONCE && sessions_next_lost(engine_sessions(h->engine), username); i++)
		mirror_lost(h->engine, span_str(username));
	outbound_flush(out);
}

/* 2.0 sends TICK at every turn of its loop, at least ten times a second, and does not read
 * this. 2.1 waits as long as the callback asks for (next_ms, where 2.0 has next_ns), or for
 * seconds; and a packet that comes in between makes it forget the wish, since it asks nobody while
 * TICK is not due. It also reckons when TICK is due by UTC: a clock set back would stop it, and with
 * it every kick, for as long. So the wish is written as a point in the past and as much more: in
 * sum 100 ms, due at once, and repeated at every turn (src/plugin_tick.c:44 (2.1.2)). */
static void ask_for_next_tick(struct mosquitto_evt_tick *ev) {
	enum { IDLE_MS = 100 };
	const long past_s = sizeof(long) > 4 ? 3000000000L : 2; /* 95 years; 1e6 * 1000 of it fits */
	ev->next_s = (time_t)-past_s;
	ev->next_ns = past_s * 1000 + IDLE_MS;
}

static int on_tick(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	(void)event;
	h->reloading = false;
	engine_enter(h->engine);
	sessions_purge_end(engine_sessions(h->engine));
	run_kicks(h);
	run_resend(h);
	engine_tick(h->engine);
	health_tick(&h->health, h->engine);
	if (!outbound_is_empty(engine_outbound(h->engine))) outbound_flush(engine_outbound(h->engine));
	tell_lost(h);
	ask_for_next_tick(data);
	return MOSQ_ERR_SUCCESS;
}

static int on_disconnect(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	const struct mosquitto_evt_disconnect *ev = data;
	(void)event;
	engine_enter(h->engine);
	(void)sessions_del(engine_sessions(h->engine), ev->client, engine_now(h->engine),
					   NULL); /* or a failed login */
	return MOSQ_ERR_SUCCESS;
}

/* Options are read at the start only. Any other answer than SUCCESS would end a 2.1 broker. */
static int on_reload(int event, void *data, void *userdata) {
	struct hooks *h = userdata;
	(void)event;
	(void)data;
	h->reloading = true;
	return MOSQ_ERR_SUCCESS;
}

/* 2.1 only: what DISCONNECT is there for clients whose session stays; the same data. */
enum { EVT_CLIENT_OFFLINE = 28 };

static const struct hook {
	int event;
	MOSQ_FUNC_generic_callback fn;
	const char *topic; /* CONTROL only */
	const char *name;
	bool optional; /* an older broker does not know it, and does not need it */
} table[] = {
	{MOSQ_EVT_ACL_CHECK, on_acl_check, NULL, "ACL_CHECK", false}, /* first */
	{MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL, "BASIC_AUTH", false},
	{MOSQ_EVT_MESSAGE, on_message, NULL, "MESSAGE", false},
	{MOSQ_EVT_CONTROL, on_control, CONTROL_TOPIC, "CONTROL", false},
	{MOSQ_EVT_TICK, on_tick, NULL, "TICK", false},
	{MOSQ_EVT_DISCONNECT, on_disconnect, NULL, "DISCONNECT", false},
	{MOSQ_EVT_RELOAD, on_reload, NULL, "RELOAD", false},
	{EVT_CLIENT_OFFLINE, on_disconnect, NULL, "CLIENT_OFFLINE", true},
};
enum { HOOKS = sizeof(table) / sizeof(table[0]) };

static void unregister(mosquitto_plugin_id_t *id, size_t count) {
	for (size_t i = 0; i < count; i++) {
		/* Not found is fine: the broker may have dropped its lists before. */
		(void)mosquitto_callback_unregister(id, table[i].event, table[i].fn, table[i].topic);
	}
}

enum err hooks_register(mosquitto_plugin_id_t *id, struct hooks *h, const char **which) {
	for (size_t i = 0; i < HOOKS; i++) {
		int rc = mosquitto_callback_register(id, table[i].event, table[i].fn, table[i].topic, h);
		if (rc == MOSQ_ERR_SUCCESS && table[i].event == EVT_CLIENT_OFFLINE) h->is_2_1 = true;
		if (rc == MOSQ_ERR_SUCCESS || (rc == MOSQ_ERR_NOT_SUPPORTED && table[i].optional)) continue;
		*which = table[i].name;
		unregister(id, i);
		return ERR_INPUT;
	}
	return ERR_NONE;
}

void hooks_unregister(mosquitto_plugin_id_t *id) {
	unregister(id, HOOKS);
}
