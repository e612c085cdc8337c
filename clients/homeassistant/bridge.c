/* See bridge.h. Callbacks only note what is to be done; the loop in serve() does it. */
#include "clients/homeassistant/bridge.h"

#include <signal.h>
#include <stdarg.h>

#include "clients/homeassistant/pictures.h"
#include "clients/mq/exchange.h"
#include "clients/mq/show.h"
#include "lib/clock.h"

enum {
	RESYNC_MS = 600000, /* a changed name has no receipt */
	RETRY_MS = 5000,
	REMOVE_WAIT_MS = 2000 /* with --remove: for retained messages of earlier runs */
};

struct bridge {
	const struct opt_common *common;
	const struct settings *settings;
	struct mq *mq;
	char home[EXCHANGE_SUBJECT_SIZE];
	char birth[MQ_TOPIC_SIZE];
	char leftovers[MQ_TOPIC_SIZE]; /* PREFIX/device/+/config */
	struct discovery discovery;
	struct devices devices;
	struct pictures pictures;
	int64_t sync_ms; /* boot time of the next sync */
	int64_t end_ms;  /* with --remove: not before; 0: not connected yet */
	bool started;    /* the home is known */
	enum exit_code failed;
};

static volatile sig_atomic_t ended;

static void on_signal(int number) {
	(void)number;
	ended = 1;
}

static int64_t now_ms(void) {
	return clock_read().boot_ms;
}

/* "vestibule-ha: SENTENCE" on stderr. */
static enum exit_code complain(enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum exit_code complain(enum exit_code code, const char *fmt, ...) {
	va_list args;
	va_start(args, fmt);
	show_complain(settings_program.name, fmt, args);
	va_end(args);
	return code;
}

static void fail(struct bridge *b, enum exit_code code) {
	if (b->failed == EXIT_RECORDED) b->failed = code;
}

/* The broker will not let us: what the operator has to type. */
static void fail_listed(struct bridge *b, const char *what, const char *filter) {
	if (b->failed != EXIT_RECORDED) return; /* said */
	fail(b, complain(EXIT_NOT_AUTHORISED,
					 "may not %s; the operator can allow it: vestibule-ctl app allow %s '%s' "
					 "--access both",
					 what, mq_username(b->mq), filter));
}

static void fail_prefix(struct bridge *b, const char *what) {
	char filter[MQ_TOPIC_SIZE];
	(void)snprintf(filter, sizeof(filter), "%s/#", b->settings->prefix); /* fits */
	fail_listed(b, what, filter);
}

/* --- telling ---------------------------------------------------------------------------------- */

static void publish(struct bridge *b, struct device *one, struct span payload) {
	char topic[MQ_TOPIC_SIZE];
	if (discovery_topic(&b->discovery, one->id, topic) != ERR_NONE) {
		fail(b, complain(EXIT_USAGE, "--prefix is too long"));
		return;
	}
	if (mq_publish_retained(b->mq, topic, payload, 1, &one->mid) != ERR_NONE) return; /* again */
	one->out = one->current = payload.len > 0;
}

static void tell(struct bridge *b, struct device *one) {
	char filter[MQ_TOPIC_SIZE];
	struct buf config;
	if (b->settings->posters && (pictures_filter(&b->pictures, one->id, filter) != ERR_NONE ||
								 mq_subscribe(b->mq, filter, 0) != ERR_NONE))
		return; /* told again with the next connection */
	buf_init(&config, DISCOVERY_BYTES_MAX);
	if (discovery_config(&b->discovery, one->id, one->name, &config) == ERR_NONE)
		publish(b, one, buf_view(&config));
	else
		fail(b, complain(EXIT_INTERNAL, "no memory"));
	buf_fini(&config);
}

static void take_away(struct bridge *b, struct device *one) {
	char filter[MQ_TOPIC_SIZE];
	publish(b, one, SPAN_LIT(""));
	if (pictures_filter(&b->pictures, one->id, filter) != ERR_NONE) return;
	enum err e = mq_unsubscribe(b->mq, filter);
	(void)e; /* without a connection there is nothing to take back */
}

static void tell_all(struct bridge *b) {
	if (!mq_is_connected(b->mq)) return;
	for (size_t i = 0; i < b->devices.count; i++) {
		struct device *one = &b->devices.all[i];
		if (one->mid) continue; /* one at a time: Home Assistant may drop the second */
		if (devices_must_remove(&b->devices, one))
			take_away(b, one);
		else if (devices_must_tell(one))
			tell(b, one);
	}
	devices_sweep(&b->devices);
}

/* --- learning --------------------------------------------------------------------------------- */

static void take_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct bridge *b = ctx;
	if (part->part == 0) devices_begin(&b->devices); /* asked for anew after a loss */
	for (size_t i = 0; i < part->n_devices; i++) {
		const Vestibule__V1__DeviceInfo *d = part->devices[i];
		if (d->unclaimed)
			continue; /* an admin's credential is told of it, and it tells nothing yet */
		if (devices_list(&b->devices, d->device, d->name) != ERR_NONE)
			(void)complain(EXIT_INTERNAL, "%s: one device too many", d->device); /* a remark */
	}
}

static void learn(struct bridge *b) {
	struct exchange_sink sink = {take_part, b};
	struct exchange_answer a;
	b->sync_ms = now_ms() + RESYNC_MS;
	enum exit_code rc = exchange_sync(b->mq, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES, 0,
									  b->common->timeout_ms, &sink, &a);
	if (rc == EXIT_RECORDED) {
		devices_end(&b->devices);
		if (b->settings->remove) devices_drop_all(&b->devices);
	} else if (rc == EXIT_REFUSED || rc == EXIT_NOT_AUTHORISED) {
		exchange_complain(settings_program.name, rc, &a);
		fail(b, rc);
	} else {
		b->sync_ms = now_ms() + RETRY_MS;
	}
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_connected(void *ctx) {
	struct bridge *b = ctx;
	devices_retell(&b->devices); /* a broker that restarted has kept nothing */
	b->sync_ms = 0;
}

static void on_lost(void *ctx, const char *why) {
	struct bridge *b = ctx;
	devices_disconnected(&b->devices);
	(void)complain(EXIT_UNAVAILABLE, "%s", why); /* a remark: it goes on */
}

static void on_receipt(struct bridge *b, struct span payload) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (codec_decode_routed(b->pictures.codec, CODEC_RECEIPT, payload, &msg, &why) != ERR_NONE)
		return;
	Vestibule__V1__ReceiptKind kind = ((const Vestibule__V1__Receipt *)msg)->kind;
	if (kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_DEVICE_ADDED ||
		kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_DEVICE_CLAIMED ||
		kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_DEVICE_REMOVED)
		b->sync_ms = 0;
}

static void on_leftover(struct bridge *b, struct span payload) {
	char device[DISCOVERY_DEVICE_SIZE];
	if (!discovery_is_ours(b->home, payload, device)) return;
	/* no room: it is seen again with the next connection */
	if (devices_seen(&b->devices, span_str(device)) != ERR_NONE) return;
	struct device *one = devices_find(&b->devices, span_str(device));
	if (b->settings->remove)
		one->judged = true; /* all is to go */
	else if (!one->judged)
		b->sync_ms = 0;
}

static void on_message(void *ctx, struct span name, struct span payload, bool retained) {
	struct bridge *b = ctx;
	struct topic t;
	(void)retained;
	if (!b->started || topic_parse(name, &t) != ERR_NONE) return;
	if (t.kind == TOPIC_HOME_RECEIPT) {
		on_receipt(b, payload);
	} else if (t.kind == TOPIC_HOME_JSON_CLIP_READY) {
		pictures_announced(&b->pictures, t.device, payload);
	} else if (t.kind == TOPIC_DEVICE_CHUNK) {
		pictures_chunk(&b->pictures, &t, payload);
	} else if (span_eq(name, span_str(b->birth))) {
		if (!span_eq(payload, SPAN_LIT("online"))) return;
		devices_retell(&b->devices);
		b->sync_ms = 0;
	} else if (topic_matches(span_str(b->leftovers), name)) {
		on_leftover(b, payload);
	}
}

/* One line on stdout for each message that arrived. */
static void say(struct bridge *b, const char *what, const char *device) {
	struct buf line;
	buf_init(&line, SHOW_LINE_MAX);
	if (b->common->json) {
		buf_printf(&line, "{\"event\":\"%s\",\"device\":\"%s\"}", what, device);
	} else {
		show_text(&line, device);
		show_field(&line, what);
	}
	if (!show_line(&line)) fail(b, EXIT_INTERNAL);
	buf_fini(&line);
}

static void on_published(void *ctx, int mid, int code) {
	struct bridge *b = ctx;
	for (size_t i = 0; i < b->devices.count; i++) {
		if (b->devices.all[i].mid != mid) continue;
		struct device *one = &b->devices.all[i];
		one->mid = 0;
		if (code >= 0x80)
			fail_prefix(b, "publish what Home Assistant discovers");
		else
			say(b, one->out ? "told" : "removed", one->id);
	}
}

static void on_refused(void *ctx, const char *filter, int code) {
	struct bridge *b = ctx;
	if (strcmp(filter, b->birth) == 0 || strcmp(filter, b->leftovers) == 0)
		fail_prefix(b, "read what Home Assistant says");
	else
		fail(b, complain(EXIT_NOT_AUTHORISED,
						 "subscription to %s: %s; it takes the credential of a member of the home",
						 filter, mq_reason(code)));
}

static void on_denial(void *ctx, const Vestibule__V1__Denial *denial) {
	struct bridge *b = ctx;
	char filter[MQ_TOPIC_SIZE];
	if (b->common->verbose) (void)complain(EXIT_REFUSED, "%s: %s", denial->topic, denial->sentence);
	if (!b->started || !span_starts(span_str(denial->topic), SPAN_LIT("vestibule_ha/"))) return;
	(void)snprintf(filter, sizeof(filter), "vestibule_ha/%s/#", b->home); /* fits */
	fail_listed(b, "publish pictures", filter);
}

static const struct mq_events events = {
	.on_connected = on_connected,
	.on_lost = on_lost,
	.on_message = on_message,
	.on_denial = on_denial,
	.on_published = on_published,
	.on_refused = on_refused,
};

/* --- the run ---------------------------------------------------------------------------------- */

static bool is_removal_done(const struct bridge *b) {
	return b->settings->remove && now_ms() >= b->end_ms && devices_is_settled(&b->devices);
}

/* Asked after each event and once a second. */
static bool is_due(void *ctx) {
	struct bridge *b = ctx;
	if (ended || b->failed != EXIT_RECORDED) return true;
	if (b->settings->posters) pictures_pull(&b->pictures);
	tell_all(b);
	if (b->failed != EXIT_RECORDED || is_removal_done(b)) return true;
	return mq_is_connected(b->mq) && now_ms() >= b->sync_ms;
}

static enum exit_code serve(struct bridge *b) {
	for (;;) {
		enum exit_code rc = mq_run(b->mq, is_due, b, -1);
		if (b->failed != EXIT_RECORDED) return b->failed;
		if (rc != EXIT_RECORDED || ended || is_removal_done(b)) return rc;
		learn(b);
	}
}

static bool subscribe(struct bridge *b) {
	char receipt[MQ_TOPIC_SIZE], clips[MQ_TOPIC_SIZE];
	const char *prefix = b->settings->prefix, *birth = b->settings->birth;
	(void)snprintf(b->leftovers, sizeof(b->leftovers), "%s/device/+/config", prefix); /* fits */
	(void)snprintf(b->birth, sizeof(b->birth), "%s%s", birth ? birth : prefix,
				   birth ? "" : "/status"); /* fits */
	return mq_topic("home", b->home, "receipt", receipt) == ERR_NONE &&
		   mq_topic("home", b->home, "json/+/clip-ready", clips) == ERR_NONE &&
		   mq_subscribe(b->mq, receipt, 1) == ERR_NONE &&
		   mq_subscribe(b->mq, b->birth, 1) == ERR_NONE &&
		   mq_subscribe(b->mq, b->leftovers, 1) == ERR_NONE &&
		   (!b->settings->posters || mq_subscribe(b->mq, clips, 1) == ERR_NONE);
}

static enum exit_code start(struct bridge *b) {
	char why[MQ_WHY_SIZE] = "";
	struct exchange_answer a;
	enum exit_code rc = mq_connect(b->mq, why);
	if (rc != EXIT_RECORDED) return complain(rc, "%s", why);
	rc = exchange_subject(b->mq, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES, b->common->timeout_ms,
						  b->home, &a);
	if (rc != EXIT_RECORDED) {
		exchange_complain(settings_program.name, rc, &a);
		return rc;
	}
	if (!topic_id_is_valid(span_str(b->home)))
		return complain(EXIT_NOT_AUTHORISED, "this credential speaks for no home");
	const struct settings *s = b->settings;
	b->discovery = (struct discovery){
		.prefix = s->prefix,
		.home = b->home,
		.motion_off_s = s->motion_off_ms / 1000,
		.picture = s->posters      ? DISCOVERY_PICTURE_TOPIC
				   : s->poster_url ? DISCOVERY_PICTURE_URL
								   : DISCOVERY_NO_PICTURE,
		.poster_url = s->poster_url,
		.battery_topic = s->battery_topic,
	};
	b->started = true;
	b->end_ms = now_ms() + REMOVE_WAIT_MS;
	return subscribe(b) ? EXIT_RECORDED : complain(EXIT_UNAVAILABLE, "cannot subscribe");
}

static void catch_signals(void) {
	struct sigaction action = {.sa_handler = on_signal};
	(void)sigemptyset(&action.sa_mask); /* cannot fail */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

enum exit_code bridge_run(const struct opt_common *common, const struct settings *settings) {
	char why[MQ_WHY_SIZE] = "";
	/* Home Assistant itself may connect with the same credential, as USERNAME or any random id. */
	struct opt_common ours = *common;
	if (!ours.client_id_suffix) ours.client_id_suffix = "ha";
	struct bridge *b = calloc(1, sizeof(*b));
	if (!b) return complain(EXIT_INTERNAL, "no memory");
	b->common = &ours;
	b->settings = settings;
	struct codec *codec = codec_new();
	b->mq = mq_new(&ours, &(struct mq_opts){.events = &events, .ctx = b, .reconnect = true}, why);
	b->pictures = (struct pictures){b->mq, codec, &b->devices, b->home};
	catch_signals();
	enum exit_code rc = EXIT_RECORDED;
	if (!codec)
		rc = complain(EXIT_INTERNAL, "no memory");
	else if (!b->mq)
		rc = complain(EXIT_USAGE, "%s", why);
	if (rc == EXIT_RECORDED) rc = start(b);
	if (rc == EXIT_RECORDED) rc = serve(b);
	mq_free(b->mq);
	codec_free(codec);
	devices_fini(&b->devices);
	free(b);
	return rc;
}
