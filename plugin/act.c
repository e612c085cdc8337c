/* See act.h. */
#include "plugin/act.h"

#include <openssl/sha.h>

#include "lib/hex.h"
#include "plugin/limiter.h"
#include "plugin/mirror.h"
#include "plugin/payload.h"
#include "proto/uuid.h"

/* Every event begins alike, so a RingEvent serves to read and set what they share. */
#define HEAD_ALIKE(type)                                                                       \
	_Static_assert(offsetof(type, event_id) == offsetof(Vestibule__V1__RingEvent, event_id) && \
					   offsetof(type, arrived_ms) ==                                           \
						   offsetof(Vestibule__V1__RingEvent, arrived_ms) &&                   \
					   offsetof(type, seq) == offsetof(Vestibule__V1__RingEvent, seq) &&       \
					   offsetof(type, synced) == offsetof(Vestibule__V1__RingEvent, synced) && \
					   offsetof(type, at_ms) == offsetof(Vestibule__V1__RingEvent, at_ms),     \
				   "events begin alike")
HEAD_ALIKE(Vestibule__V1__MotionEvent);
HEAD_ALIKE(Vestibule__V1__ClipReady);

static void set_digest(struct command *cmd, struct span payload) {
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256(payload.ptr, payload.len, digest);
	hex_encode(span_of(digest, sizeof(digest)), cmd->digest);
}

static struct span bytes_of(ProtobufCBinaryData b) {
	return span_of(b.data, b.len);
}

/* --- events of a device --- */

static enum limiter_kind kind_of(enum topic_kind kind) {
	return kind == TOPIC_DEVICE_RING     ? LIMITER_RING
		   : kind == TOPIC_DEVICE_MOTION ? LIMITER_MOTION
										 : LIMITER_CLIP;
}

static bool is_seen(const struct engine *e, const struct row_credential *who,
					const uint8_t event_id[16]) {
	char key[ROW_ID_SIZE + ROW_UUID_SIZE];
	size_t n = strlen(who->username);
	memcpy(key, who->username, n);
	key[n] = '/';
	uuid_text(event_id, key + n + 1);
	return state_get(engine_state(e), ROW_SEEN, span_str(key)) != NULL;
}

static enum limiter_answer may_take(struct engine *e, const struct act_message *m,
									const Vestibule__V1__RingEvent *ev) {
	struct moment now = engine_now(e);
	struct limiter *l = engine_limiter(e);
	struct limiter_event in = {.kind = kind_of(m->topic.kind),
							   .event_id = ev->event_id.data,
							   .seq = ev->seq,
							   .effective_ms = now.utc_ms};
	if (in.kind == LIMITER_CLIP && is_seen(e, m->who, ev->event_id.data)) {
		limiter_repeated(l, m->topic.device, ev->seq);
		return LIMITER_TAKE; /* consent gives the first answer again */
	}
	if (ev->synced && ev->at_ms <= INT64_MAX) in.effective_ms = (int64_t)ev->at_ms;
	return limiter_take(l, m->topic.device, &in, now);
}

/* The catalogue first: what it refuses is not routed. */
static enum act record_clip(struct engine *e, const struct act_message *m, ProtobufCMessage *msg,
							enum reason *reason) {
	const Vestibule__V1__RingEvent *ev = (const Vestibule__V1__RingEvent *)msg;
	struct command cmd = {
		.kind = COMMAND_CLIP, .who = m->who, .event_id = bytes_of(ev->event_id), .msg = msg};
	set_digest(&cmd, m->payload);
	struct engine_result r = engine_command(e, &cmd);
	if (r.reason == REASON_BUSY || r.reason == REASON_NOT_READY) {
		limiter_put_back(engine_limiter(e), m->topic.device, ev->seq);
		return ACT_PASS;
	}
	*reason = r.reason;
	if (r.reason != REASON_OK) return ACT_DENY;
	return r.repeated ? ACT_PASS : ACT_REPLACE;
}

static enum act on_event(struct engine *e, const struct act_message *m, ProtobufCMessage *msg,
						 struct buf *out, enum reason *reason) {
	Vestibule__V1__RingEvent *ev = (Vestibule__V1__RingEvent *)msg;
	struct moment now = engine_now(e);
	const struct row_device *device = state_device(engine_state(e), m->topic.device);
	if (device && !device->claimed_ms) { /* WRITE may have let it wait for better times */
		*reason = REASON_UNCLAIMED;
		return ACT_DENY;
	}
	if (!device || !state_may_allow(engine_state(e))) {
		if (m->topic.kind == TOPIC_DEVICE_CLIP_READY)
			limiter_put_back(engine_limiter(e), m->topic.device, ev->seq);
		return ACT_PASS;
	}
	ev->arrived_ms = (uint64_t)now.utc_ms;
	if (ev->at_ms > ev->arrived_ms + LIMIT_AHEAD_MS)
		ev->synced = false; /* its clock cannot be good */

	enum limiter_answer answer = may_take(e, m, ev);
	if (answer == LIMITER_LATER) return ACT_PASS;
	if (m->topic.kind == TOPIC_DEVICE_CLIP_READY) {
		enum act act = record_clip(e, m, msg, reason);
		if (act != ACT_REPLACE) return act;
	} else {
		if (answer == LIMITER_REPEATED) return ACT_PASS;
		mirror_event(e, span_str(device->home), m->topic.device,
					 m->topic.kind == TOPIC_DEVICE_RING ? TOPIC_HOME_JSON_RING
														: TOPIC_HOME_JSON_MOTION,
					 msg);
	}
	/* Without memory it goes on without arrival: nobody reads it, and the mirror has it. */
	return codec_encode(msg, out) == ERR_NONE ? ACT_REPLACE : ACT_PASS;
}

/* --- commands, reports, syncs --- */

/* Taking back and saying no have no limit (CONSENT 8). */
static bool is_narrowing(const Vestibule__V1__HomeCommand *m) {
	if (m->what_case == VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT ||
		m->what_case == VESTIBULE__V1__HOME_COMMAND__WHAT_RETIRE)
		return true;
	if (m->what_case != VESTIBULE__V1__HOME_COMMAND__WHAT_ANSWER) return false;
	for (size_t i = 0; i < m->answer->n_decisions; i++) {
		if (m->answer->decisions[i]->yes) return false;
	}
	return true;
}

static bool within_limit(struct engine *e, const struct act_message *m,
						 enum limiter_bucket bucket) {
	return limiter_principal(engine_limiter(e), span_str(m->who->username), bucket, engine_now(e));
}

static enum reason run(struct engine *e, const struct act_message *m, enum command_kind kind,
					   const ProtobufCMessage *msg, ProtobufCBinaryData event_id) {
	struct command cmd = {.kind = kind, .who = m->who, .event_id = bytes_of(event_id), .msg = msg};
	char who[ROW_ID_SIZE]; /* leaving or a reset ends the row that m->who is */
	(void)span_copy(span_str(m->who->username), who, sizeof(who));
	set_digest(&cmd, m->payload);
	struct engine_result r = engine_command(e, &cmd);
	bool quiet = r.reason == REASON_OK || r.reason == REASON_BUSY;
	if (quiet || limiter_may_log(engine_limiter(e), span_str(who), engine_now(e)))
		log_line(engine_log(e), quiet ? LOG_DEBUG : LOG_INFO, "command", "who", who, "topic",
				 topic_kind_name(m->topic.kind), "reason", reason_word(r.reason), NULL);
	return r.reason;
}

/* Only the device itself sees this PUBACK. A yes is told when it is durable; a no at once, like that
 * of an event. */
static enum act on_claim(struct engine *e, const struct act_message *m, const ProtobufCMessage *msg,
						 enum reason *reason) {
	const Vestibule__V1__DeviceClaim *claim = (const Vestibule__V1__DeviceClaim *)msg;
	bool ends = claim->what_case == VESTIBULE__V1__DEVICE_CLAIM__WHAT_RESET;
	if (!ends && !within_limit(e, m, LIMITER_COMMAND)) return ACT_PASS;
	*reason = run(e, m, COMMAND_CLAIM, msg, claim->event_id);
	bool later = *reason == REASON_BUSY || *reason == REASON_NOT_READY;
	return *reason == REASON_OK || later ? ACT_PASS : ACT_DENY;
}

/* The answer travels on user/{username}/reply, never in the PUBACK: all commands look alike from
 * outside. So what run() says is not looked at. */
static void on_command(struct engine *e, const struct act_message *m, const ProtobufCMessage *msg) {
	if (m->topic.kind == TOPIC_HOME_COMMAND) {
		const Vestibule__V1__HomeCommand *cmd = (const Vestibule__V1__HomeCommand *)msg;
		if (is_narrowing(cmd) || within_limit(e, m, LIMITER_COMMAND))
			(void)run(e, m, COMMAND_HOME, msg, cmd->event_id);
	} else if (m->topic.kind == TOPIC_AGENCY_COMMAND) {
		const Vestibule__V1__AgencyCommand *cmd = (const Vestibule__V1__AgencyCommand *)msg;
		if (within_limit(e, m, LIMITER_COMMAND))
			(void)run(e, m, COMMAND_AGENCY, msg, cmd->event_id);
	} else if (m->topic.kind == TOPIC_RELAY_REPORT) {
		const Vestibule__V1__RelayReport *cmd = (const Vestibule__V1__RelayReport *)msg;
		if (!within_limit(e, m, LIMITER_PULL)) return;
		if (cmd->kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_LINK)
			engine_link(e, m->who, cmd);
		else
			(void)run(e, m, COMMAND_REPORT, msg, cmd->event_id);
	} else if (within_limit(e, m, LIMITER_COMMAND)) {
		engine_sync(e, m->who, (const Vestibule__V1__Sync *)msg);
	}
}

/* --- by topic --- */

enum act act_on(struct engine *e, const struct act_message *m, struct buf *out,
				enum reason *reason) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (m->topic.kind == TOPIC_OTHER) return ACT_PASS;
	if (m->has_properties) { /* nothing rides along (I28) */
		*reason = REASON_PROPERTIES;
		return ACT_DENY;
	}
	/* Without memory the sender repeats. WRITE decoded the same bytes, but not while it let an event
	 * wait for better times, so they may still be no message at all. */
	enum reason decoded = payload_decode(engine_codec(e), m->topic.kind, m->payload, &msg, &why);
	if (decoded == REASON_BUSY) return ACT_PASS;
	if (decoded != REASON_OK) {
		*reason = REASON_MALFORMED;
		return ACT_DENY;
	}
	switch (m->topic.kind) {
	case TOPIC_DEVICE_RING:
	case TOPIC_DEVICE_MOTION:
	case TOPIC_DEVICE_CLIP_READY: return on_event(e, m, msg, out, reason);
	case TOPIC_DEVICE_PULL:
		*reason = REASON_RATE;
		return within_limit(e, m, LIMITER_PULL) ? ACT_PASS : ACT_DENY;
	case TOPIC_DEVICE_CHUNK: /* QoS 0: the device sees nothing of it */
		*reason = REASON_RATE;
		return within_limit(e, m, LIMITER_CHUNK) ? ACT_PASS : ACT_DENY;
	case TOPIC_DEVICE_CLAIM: return on_claim(e, m, msg, reason);
	case TOPIC_HOME_COMMAND:
	case TOPIC_AGENCY_COMMAND:
	case TOPIC_RELAY_REPORT:
	case TOPIC_USER_SYNC: on_command(e, m, msg); return ACT_PASS;
	default: return ACT_PASS;
	}
}

bool act_may_wait(const struct row_credential *who, const struct topic *t, uint8_t qos,
				  bool retain) {
	bool event = t->kind == TOPIC_DEVICE_RING || t->kind == TOPIC_DEVICE_MOTION ||
				 t->kind == TOPIC_DEVICE_CLIP_READY;
	return event && who && who->kind == CRED_DEVICE && !who->suspended &&
		   span_eq(span_str(who->subject), t->device) && qos <= 1 && !retain;
}
