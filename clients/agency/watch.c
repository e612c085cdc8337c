/* From notices to events. How an event is told is clients/mq/emit.h's, how it reads render.c's. */
#include "clients/agency/watch.h"

#include <signal.h>

#include "clients/agency/render.h"
#include "clients/agency/session.h"
#include "clients/mq/emit.h"
#include "clients/mq/show.h"
#include "lib/clock.h"
#include "proto/uuid.h"

/* A dead connection is noticed after one and a half keepalives; what came since is asked for again.
 */
enum { LATE_MS = 120000 };

struct watch {
	struct session session;
	struct codec *codec;
	struct emit emit;
	char topic[MQ_TOPIC_SIZE];
	uint64_t since_ms; /* what a reconnect asks for begins here */
	bool started;
	bool is_up;
	uint8_t asked[UUID_BYTES]; /* our latest sync */
};

static volatile sig_atomic_t ended;

static void on_signal(int number) {
	(void)number;
	ended = 1;
}

static void id_text(const ProtobufCBinaryData *id, char out[UUID_TEXT_SIZE]) {
	out[0] = '\0';
	if (id->len == UUID_BYTES) uuid_text(id->data, out);
}

static void tell(struct watch *w, const Vestibule__V1__AgencyNotice *n) {
	char id[UUID_TEXT_SIZE], request[UUID_TEXT_SIZE], delivery[UUID_TEXT_SIZE];
	struct buf line, json;
	id_text(&n->notice_id, id);
	id_text(&n->request_id, request);
	id_text(&n->delivery_id, delivery);
	buf_init(&line, SHOW_LINE_MAX);
	buf_init(&json, SHOW_LINE_MAX);
	render_notice(&line, n);
	if (codec_json(&n->base, &json) == ERR_NONE && buf_error(&line) == ERR_NONE) {
		struct emit_event event = {
			.name = "notice",
			.key = id,
			.line = buf_view(&line),
			.json = buf_view(&json),
			.parts = {{"agency", w->session.agency},
					  {"kind", codec_word(&vestibule__v1__notice_kind__descriptor, (int)n->kind)},
					  {"request", request},
					  {"delivery", delivery}},
		};
		emit_event(&w->emit, &event);
	} else {
		w->emit.failed = true;
	}
	buf_fini(&json);
	buf_fini(&line);
}

static void on_message(void *ctx, struct span topic, struct span payload, bool retained) {
	struct watch *w = ctx;
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (retained || !span_eq(topic, span_str(w->topic))) return;
	if (codec_decode_routed(w->codec, CODEC_NOTICE, payload, &msg, &why) != ERR_NONE) return;
	tell(w, (const Vestibule__V1__AgencyNotice *)msg);
}

/* Every program with this username gets every reply: only those to our sync are news. */
static void on_reply(void *ctx, const Vestibule__V1__Reply *reply) {
	struct watch *w = ctx;
	if (reply->in_reply_to.len != UUID_BYTES) return;
	if (memcmp(reply->in_reply_to.data, w->asked, UUID_BYTES) != 0) return;
	for (size_t i = 0; i < reply->n_notices; i++) tell(w, reply->notices[i]);
}

/* Without waiting for the answer, which comes to on_reply: a lost one is made good by the next
 * connection. */
static void on_connected(void *ctx) {
	struct watch *w = ctx;
	char id[UUID_TEXT_SIZE];
	char name[MQ_TOPIC_SIZE];
	w->is_up = true;
	if (!w->started) return;
	if (exchange_correlation(id) != ERR_NONE || uuid_parse(span_str(id), w->asked) != ERR_NONE)
		return;
	if (mq_topic("user", mq_username(w->session.mq), "sync", name) != ERR_NONE) return;
	Vestibule__V1__Sync sync = VESTIBULE__V1__SYNC__INIT;
	sync.event_id = (ProtobufCBinaryData){UUID_BYTES, w->asked};
	sync.at_ms = (uint64_t)clock_read().utc_ms;
	sync.synced = true;
	sync.seq = sync.at_ms;
	sync.what = VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_NOTICES;
	sync.since_ms = w->since_ms;
	enum err e = mq_publish_msg(w->session.mq, name, &sync.base, 1, NULL);
	(void)e; /* not connected any more: the next on_connected asks */
}

static void on_lost(void *ctx, const char *why) {
	struct watch *w = ctx;
	uint64_t late_ms = (uint64_t)(clock_read().utc_ms - LATE_MS);
	/* a try that failed is no news: what was missed began when the connection was lost */
	if (w->is_up && late_ms > w->since_ms) w->since_ms = late_ms;
	w->is_up = false;
	(void)session_fail(EXIT_UNAVAILABLE, "%s", why); /* a remark: it goes on */
}

static const struct mq_events events = {
	.on_connected = on_connected,
	.on_lost = on_lost,
	.on_message = on_message,
	.on_reply = on_reply,
};

static bool is_over(void *ctx) {
	struct watch *w = ctx;
	hook_reap(w->emit.hook);
	return ended || w->emit.failed;
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
	if (rc == EXIT_RECORDED &&
		(mq_topic("agency", w->session.agency, "notice", w->topic) != ERR_NONE ||
		 mq_subscribe(w->session.mq, w->topic, 1) != ERR_NONE)) {
		rc = session_fail(EXIT_UNAVAILABLE, "cannot subscribe to the notices of %s",
						  w->session.agency);
	}
	w->started = rc == EXIT_RECORDED;
	w->since_ms = (uint64_t)clock_read().utc_ms;
	if (rc == EXIT_RECORDED) rc = mq_run(w->session.mq, is_over, w, -1);
	if (w->emit.failed) rc = EXIT_INTERNAL;
	session_close(&w->session);
	return rc;
}

enum exit_code watch_run(const struct opt_common *common, const struct settings *set) {
	struct watch *w = calloc(1, sizeof(*w));
	if (!w) return session_fail(EXIT_INTERNAL, "no memory");
	enum exit_code rc;
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
