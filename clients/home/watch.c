/* From topics and replies to events. How an event is told is clients/mq/emit.h's, how it reads
 * render.c's. */
#include "clients/home/watch.h"

#include <signal.h>

#include "clients/home/render.h"
#include "clients/home/session.h"
#include "clients/mq/emit.h"
#include "clients/mq/show.h"
#include "lib/clock.h"
#include "lib/utf8.h"
#include "proto/uuid.h"

/* A dead connection is noticed after one and a half keepalives; what came since is asked for again.
 */
enum { LATE_MS = 120000, ASKED_MAX = 8 };

struct watch {
	struct session session;
	struct codec *codec;
	struct emit emit;
	uint64_t since_ms; /* what a reconnect asks for begins here */
	bool started;      /* the home is known and subscribed to */
	bool is_up;
	size_t asked_next;
	uint8_t asked[ASKED_MAX][UUID_BYTES]; /* our latest syncs */
};

static volatile sig_atomic_t ended;

static void on_signal(int number) {
	(void)number;
	ended = 1;
}

/* --- events --- */

static const char *text_of(const cJSON *json, const char *name) {
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

/* A word or id that is safe as a word anywhere; else NULL. */
static const char *plain(const char *text) {
	return text && topic_id_is_valid(span_str(text)) ? text : NULL;
}

/* One JSON value to the exact end, UTF-8, on one line; NULL otherwise. Free with cJSON_Delete. */
static cJSON *parse_json(struct span s) {
	if (s.len == 0 || !utf8_is_valid(s)) return NULL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < 0x20) return NULL;
	}
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithLengthOpts((const char *)s.ptr, s.len, &end, false);
	if (json && end != (const char *)s.ptr + s.len) {
		cJSON_Delete(json);
		json = NULL;
	}
	return json;
}

static void tell_json(struct watch *w, const char *device, const char *name, struct span payload,
					  bool retained) {
	cJSON *json = parse_json(payload);
	if (!json) return;
	struct buf line;
	buf_init(&line, SHOW_LINE_MAX);
	render_event(&line, device, name, json);
	const char *status =
		cJSON_IsString(json) ? cJSON_GetStringValue(json) : text_of(json, "status");
	struct emit_event event = {
		.name = name,
		.key = plain(text_of(json, "event_id")),
		.quiet = retained,
		.line = buf_view(&line),
		.json = payload,
		.parts = {{"home", w->session.home},
				  {"device", device},
				  {"kind", plain(status ? status : text_of(json, "kind"))},
				  {"clip", plain(text_of(json, "clip_id"))}},
	};
	emit_event(&w->emit, &event);
	buf_fini(&line);
	cJSON_Delete(json);
}

/* The rest: messages whose line is drawn already. event: name, ids and kind are set. */
static void tell_msg(struct watch *w, struct emit_event *event, struct buf *line,
					 const ProtobufCMessage *msg) {
	struct buf json;
	buf_init(&json, SHOW_LINE_MAX);
	if (codec_json(msg, &json) == ERR_NONE && buf_error(line) == ERR_NONE) {
		event->line = buf_view(line);
		event->json = buf_view(&json);
		emit_event(&w->emit, event);
	} else {
		w->emit.failed = true;
	}
	buf_fini(&json);
}

static void id_text(const ProtobufCBinaryData *id, char out[UUID_TEXT_SIZE]) {
	out[0] = '\0';
	if (id->len == UUID_BYTES) uuid_text(id->data, out);
}

static void tell_ask(struct watch *w, const Vestibule__V1__Ask *ask) {
	char id[UUID_TEXT_SIZE];
	char key[EMIT_KEY_SIZE];
	struct buf line;
	id_text(&ask->ask_id, id);
	(void)snprintf(key, sizeof(key), "%s/%u", id, (unsigned)ask->revision); /* fits: 36 + 1 + 10 */
	buf_init(&line, SHOW_LINE_MAX);
	render_ask(&line, ask);
	const char *kind = codec_word(&vestibule__v1__agency_kind__descriptor, (int)ask->agency_kind);
	struct emit_event event = {.name = "ask",
							   .key = key,
							   .parts = {{"home", w->session.home}, {"kind", kind}, {"ask", id}}};
	tell_msg(w, &event, &line, &ask->base);
	buf_fini(&line);
}

static void tell_receipt(struct watch *w, const Vestibule__V1__Receipt *r) {
	char id[UUID_TEXT_SIZE], clip[UUID_TEXT_SIZE], ask[UUID_TEXT_SIZE];
	struct buf line;
	id_text(&r->receipt_id, id);
	id_text(&r->clip_id, clip);
	id_text(&r->ask_id, ask);
	buf_init(&line, SHOW_LINE_MAX);
	render_receipt(&line, r);
	const char *kind = codec_word(&vestibule__v1__receipt_kind__descriptor, (int)r->kind);
	struct emit_event event = {
		.name = "receipt",
		.key = id,
		.parts = {{"home", w->session.home},
				  {"device", plain(r->device)},
				  {"kind", kind},
				  {"clip", clip},
				  {"ask", ask}},
	};
	tell_msg(w, &event, &line, &r->base);
	buf_fini(&line);
}

static void tell_alert(struct watch *w, const Vestibule__V1__Alert *a) {
	char id[UUID_TEXT_SIZE];
	struct buf line;
	id_text(&a->alert_id, id);
	buf_init(&line, SHOW_LINE_MAX);
	render_alert(&line, a);
	const char *kind = codec_word(&vestibule__v1__alert_kind__descriptor, (int)a->kind);
	struct emit_event event = {
		.name = "alert", .key = id, .parts = {{"home", w->session.home}, {"kind", kind}}};
	tell_msg(w, &event, &line, &a->base);
	buf_fini(&line);
}

static void tell_clip(struct watch *w, const Vestibule__V1__ClipInfo *info) {
	struct buf json;
	buf_init(&json, SHOW_LINE_MAX);
	if (info->clip && topic_id_is_valid(span_str(info->device)) &&
		codec_json(&info->clip->base, &json) == ERR_NONE) {
		tell_json(w, info->device, "clip-ready", buf_view(&json), false);
	}
	buf_fini(&json);
}

/* --- where they come from --- */

static void on_message(void *ctx, struct span name, struct span payload, bool retained) {
	struct watch *w = ctx;
	struct topic t;
	struct codec_fault why;
	ProtobufCMessage *msg = NULL;
	char device[TOPIC_ID_MAX + 1];
	if (topic_parse(name, &t) != ERR_NONE) return;
	switch (t.kind) {
	case TOPIC_HOME_JSON_RING:
	case TOPIC_HOME_JSON_MOTION:
	case TOPIC_HOME_JSON_CLIP_READY:
	case TOPIC_HOME_JSON_STATUS: {
		static const char *const names[] = {"ring", "motion", "clip-ready", "status"};
		if (!span_copy(t.device, device, sizeof(device))) return;
		tell_json(w, device, names[t.kind - TOPIC_HOME_JSON_RING], payload, retained);
		return;
	}
	case TOPIC_HOME_ASK:
		if (codec_decode_routed(w->codec, CODEC_ASK, payload, &msg, &why) == ERR_NONE) {
			tell_ask(w, (const Vestibule__V1__Ask *)msg);
		}
		return;
	case TOPIC_HOME_RECEIPT:
		if (codec_decode_routed(w->codec, CODEC_RECEIPT, payload, &msg, &why) == ERR_NONE) {
			tell_receipt(w, (const Vestibule__V1__Receipt *)msg);
		}
		return;
	case TOPIC_AREA_ALERT:
		if (codec_decode_routed(w->codec, CODEC_ALERT, payload, &msg, &why) == ERR_NONE) {
			tell_alert(w, (const Vestibule__V1__Alert *)msg);
		}
		return;
	default: return;
	}
}

/* Every program with this username gets every reply. */
static bool is_ours(const struct watch *w, const ProtobufCBinaryData *in_reply_to) {
	if (in_reply_to->len != UUID_BYTES) return false;
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (memcmp(in_reply_to->data, w->asked[i], UUID_BYTES) == 0) return true;
	}
	return false;
}

static void on_reply(void *ctx, const Vestibule__V1__Reply *reply) {
	struct watch *w = ctx;
	if (!is_ours(w, &reply->in_reply_to)) return;
	for (size_t i = 0; i < reply->n_clips; i++) tell_clip(w, reply->clips[i]);
	for (size_t i = 0; i < reply->n_asks; i++) tell_ask(w, reply->asks[i]);
	for (size_t i = 0; i < reply->n_receipts; i++) tell_receipt(w, reply->receipts[i]);
}

/* Without waiting for the answer, which comes to on_reply: a lost one is made good by the next
 * connection. */
static void request_sync(struct watch *w, Vestibule__V1__SyncWhat what, uint64_t since_ms) {
	char id[UUID_TEXT_SIZE];
	char name[MQ_TOPIC_SIZE];
	uint8_t *event_id = w->asked[w->asked_next];
	if (exchange_correlation(id) != ERR_NONE || uuid_parse(span_str(id), event_id) != ERR_NONE)
		return;
	if (mq_topic("user", mq_username(w->session.mq), "sync", name) != ERR_NONE) return;
	w->asked_next = (w->asked_next + 1) % ASKED_MAX;
	Vestibule__V1__Sync sync = VESTIBULE__V1__SYNC__INIT;
	sync.event_id = (ProtobufCBinaryData){UUID_BYTES, event_id};
	sync.at_ms = (uint64_t)clock_read().utc_ms;
	sync.synced = true;
	sync.seq = sync.at_ms;
	sync.what = what;
	sync.since_ms = since_ms;
	enum err e = mq_publish_msg(w->session.mq, name, &sync.base, 1, NULL);
	(void)e; /* not connected any more: on_connected follows */
}

static void on_connected(void *ctx) {
	struct watch *w = ctx;
	w->is_up = true;
	if (!w->started) return;
	request_sync(w, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_CLIPS, w->since_ms);
	request_sync(w, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_RECEIPTS, w->since_ms);
	request_sync(w, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_ASKS, 0);
}

static void on_lost(void *ctx, const char *why) {
	struct watch *w = ctx;
	uint64_t late_ms = (uint64_t)(clock_read().utc_ms - LATE_MS);
	/* a try that failed is no news: what was missed began when the connection was lost */
	if (w->is_up && late_ms > w->since_ms) w->since_ms = late_ms;
	w->is_up = false;
	(void)session_fail(EXIT_UNAVAILABLE, "%s", why); /* a remark: it goes on */
}

static void on_denial(void *ctx, const Vestibule__V1__Denial *denial) {
	struct watch *w = ctx;
	if (!w->session.common->verbose) return;
	(void)session_fail(EXIT_NOT_AUTHORISED, "%s: %s", denial->topic,
					   denial->sentence); /* a remark */
}

static const struct mq_events events = {
	.on_connected = on_connected,
	.on_lost = on_lost,
	.on_message = on_message,
	.on_reply = on_reply,
	.on_denial = on_denial,
};

static bool is_over(void *ctx) {
	struct watch *w = ctx;
	hook_reap(w->emit.hook);
	return ended || w->emit.failed;
}

/* --- the command --- */

static enum exit_code subscribe(struct watch *w, const char *kind, const char *id, const char *leaf,
								int qos) {
	char name[MQ_TOPIC_SIZE];
	if (mq_topic(kind, id, leaf, name) != ERR_NONE ||
		mq_subscribe(w->session.mq, name, qos) != ERR_NONE) {
		return session_fail(EXIT_UNAVAILABLE, "cannot subscribe to %s of %s", leaf, id);
	}
	return EXIT_RECORDED;
}

static enum exit_code start(struct watch *w) {
	enum exit_code rc = session_learn_home(&w->session);
	const char *home = w->session.home;
	if (rc == EXIT_RECORDED) rc = subscribe(w, "home", home, "json/#", 1);
	if (rc == EXIT_RECORDED) rc = subscribe(w, "home", home, "receipt", 1);
	if (rc == EXIT_RECORDED) rc = subscribe(w, "home", home, "ask", 1);
	if (rc == EXIT_RECORDED && w->session.settings->area) {
		rc = subscribe(w, "area", w->session.settings->area, "alert", 0);
	}
	if (rc != EXIT_RECORDED) return rc;
	w->started = true;
	w->since_ms = (uint64_t)clock_read().utc_ms;
	request_sync(w, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_ASKS, 0);
	return rc;
}

static void catch_signals(void) {
	struct sigaction action = {.sa_handler = on_signal};
	(void)sigemptyset(&action.sa_mask); /* cannot fail */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static enum exit_code run(struct watch *w, const struct opt_common *common,
						  const struct settings *set) {
	struct mq_opts opts = {.events = &events, .ctx = w, .reconnect = true};
	enum exit_code rc = session_open(&w->session, common, set, &opts);
	if (rc == EXIT_RECORDED) rc = start(w);
	if (rc == EXIT_RECORDED) rc = mq_run(w->session.mq, is_over, w, -1);
	if (w->emit.failed) rc = EXIT_INTERNAL;
	session_close(&w->session);
	return rc;
}

enum exit_code watch_run(const struct opt_common *common, const struct settings *set) {
	struct watch *w = calloc(1, sizeof(*w));
	if (!w) return session_fail(EXIT_INTERNAL, "no memory");
	enum exit_code rc = EXIT_RECORDED;
	w->emit.json = common->json;
	w->codec = codec_new();
	if (set->exec) w->emit.hook = hook_new(set->exec);
	catch_signals();
	if (!w->codec || (set->exec && !w->emit.hook))
		rc = session_fail(EXIT_INTERNAL, "no memory");
	else
		rc = run(w, common, set);
	hook_free(w->emit.hook);
	codec_free(w->codec);
	free(w);
	return rc;
}
