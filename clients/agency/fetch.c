/* The conversation that leads to a link. A fetch that cannot be served now is asked for again, more
 * and more rarely: each counts against the day's limit. The download itself is download.c's. */
#include "clients/agency/fetch.h"

#include <errno.h>
#include <unistd.h>

#include "clients/agency/download.h"
#include "clients/agency/session.h"
#include "clients/mq/show.h"
#include "lib/clock.h"
#include "proto/uuid.h"

enum { PAUSE_FIRST_MS = 2000, PAUSE_MAX_MS = 30000, WAIT_DEFAULT_MS = 60000 };

struct fetch {
	struct session session;
	uint8_t id[UUID_BYTES];
	char link_topic[MQ_TOPIC_SIZE];
	struct codec *codec;
	struct exchange_answer
		answer;       /* of the last command; its event_id tells which answers are ours */
	struct buf link;  /* encoding of the FetchLink; empty: none yet */
	bool unavailable; /* said after the command was recorded */
	int64_t end_ms;   /* boot time */
};

static bool is_ours(const struct fetch *f, const ProtobufCBinaryData *delivery) {
	return span_eq(span_of(delivery->data, delivery->len), span_of(f->id, sizeof(f->id)));
}

static void on_message(void *ctx, struct span topic, struct span payload, bool retained) {
	struct fetch *f = ctx;
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (retained || !span_eq(topic, span_str(f->link_topic))) return;
	if (codec_decode_routed(f->codec, CODEC_FETCH_LINK, payload, &msg, &why) != ERR_NONE) return;
	const Vestibule__V1__FetchLink *link = (const Vestibule__V1__FetchLink *)msg;
	if (!is_ours(f, &link->delivery_id)) return;
	buf_reset(&f->link);
	buf_span(&f->link, payload);
}

static void on_reply(void *ctx, const Vestibule__V1__Reply *reply) {
	struct fetch *f = ctx;
	for (size_t i = 0; i < reply->n_notices; i++) {
		const Vestibule__V1__AgencyNotice *n = reply->notices[i];
		char id[UUID_TEXT_SIZE];
		if (n->kind != VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_UNAVAILABLE) continue;
		if (n->in_reply_to.len != UUID_BYTES) continue;
		uuid_text(n->in_reply_to.data, id);
		if (strcmp(id, f->answer.event_id) == 0) f->unavailable = true;
	}
}

static const struct mq_events events = {.on_message = on_message, .on_reply = on_reply};

static bool is_answered(void *ctx) {
	const struct fetch *f = ctx;
	return f->link.len > 0 || f->unavailable;
}

static bool never(void *ctx) {
	(void)ctx;
	return false;
}

static int64_t left_ms(const struct fetch *f) {
	int64_t left = f->end_ms - clock_read().boot_ms;
	return left > 0 ? left : 0;
}

/* One command and the wait for its link. EXIT_TIMEOUT: cannot be served now. */
static enum exit_code request_link(struct fetch *f) {
	Vestibule__V1__Fetch fetch = VESTIBULE__V1__FETCH__INIT;
	fetch.delivery_id = (ProtobufCBinaryData){sizeof(f->id), f->id};
	Vestibule__V1__AgencyCommand cmd = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT_FETCH;
	cmd.fetch = &fetch;
	f->unavailable = false;
	buf_reset(&f->link);
	int64_t wait_ms =
		left_ms(f) < f->session.common->timeout_ms ? left_ms(f) : f->session.common->timeout_ms;
	enum exit_code rc =
		exchange_agency(f->session.mq, f->session.agency, &cmd, wait_ms, &f->answer);
	if (rc == EXIT_TIMEOUT) return rc;
	if (rc != EXIT_RECORDED) {
		exchange_complain(settings_program.name, rc, &f->answer);
		return rc;
	}
	rc = mq_run(f->session.mq, is_answered, f, left_ms(f));
	if (rc == EXIT_RECORDED && f->unavailable && f->link.len == 0) rc = EXIT_TIMEOUT;
	if (rc != EXIT_RECORDED && rc != EXIT_TIMEOUT)
		return session_fail(rc, "%s", mq_last_error(f->session.mq));
	return rc;
}

/* What a file is called by: what is in it. */
static const char *const suffixes[][2] = {{"sealed", "age"},      {"video/mp4", "mp4"},
										  {"video/webm", "webm"}, {"video/x-matroska", "mkv"},
										  {"image/jpeg", "jpg"},  {"anything else", "clip"}};
enum { SUFFIXES = sizeof(suffixes) / sizeof(suffixes[0]) };

static const char *suffix_of(const Vestibule__V1__FetchLink *link) {
	if (link->header.len) return suffixes[0][1];
	for (size_t i = 1; i < SUFFIXES; i++) {
		if (span_eq(span_str(link->media_type), span_str(suffixes[i][0]))) return suffixes[i][1];
	}
	return suffixes[SUFFIXES - 1][1];
}

/* FOLDER/DELIVERY.SUFFIX; the caller frees. NULL: no memory. */
static char *make_path(const struct fetch *f, const char *folder, const char *suffix) {
	char id[UUID_TEXT_SIZE];
	char *path = NULL;
	uuid_text(f->id, id);
	return asprintf(&path, "%s/%s.%s", folder, id, suffix) < 0 ? NULL : path;
}

static enum exit_code print_path(const struct fetch *f, const char *path) {
	struct buf line;
	buf_init(&line, SHOW_LINE_MAX);
	if (f->session.common->json) {
		buf_str(&line, "{\"file\":");
		buf_json(&line, span_str(path));
		buf_char(&line, '}');
	} else {
		buf_str(&line, path); /* the officer's own folder: as it was typed */
	}
	bool ok = show_line(&line);
	buf_fini(&line);
	return ok ? EXIT_RECORDED : EXIT_INTERNAL;
}

/* EXIT_TIMEOUT: the link did not serve it, another may. */
static enum exit_code save(struct fetch *f, const Vestibule__V1__FetchLink *link) {
	char why[DOWNLOAD_WHY_SIZE];
	char *path = make_path(f, f->session.settings->folder, suffix_of(link));
	if (!path) return session_fail(EXIT_INTERNAL, "no memory");
	struct download d = {
		.url = link->url,
		.cafile = f->session.settings->link_cafile,
		.header = span_of(link->header.data, link->header.len),
		.length = link->payload_length,
		.sha256 = span_of(link->payload_sha256.data, link->payload_sha256.len),
		.path = path,
		.timeout_ms = left_ms(f) + 1, /* 0 would mean for ever */
	};
	enum exit_code rc;
	switch (download_run(&d, why)) {
	case ERR_NONE: rc = print_path(f, path); break;
	case ERR_NET: rc = session_fail(EXIT_TIMEOUT, "%s", why); break;
	case ERR_INPUT: rc = session_fail(EXIT_REFUSED, "%s", why); break;
	case ERR_STORE: rc = session_fail(EXIT_USAGE, "%s", why); break;
	default: rc = session_fail(EXIT_INTERNAL, "%s", why); break;
	}
	free(path);
	return rc;
}

static enum exit_code follow(struct fetch *f) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	struct codec *own = codec_new(); /* a link that comes meanwhile uses the other one */
	if (!own) return session_fail(EXIT_INTERNAL, "no memory");
	enum exit_code rc = EXIT_INTERNAL;
	if (codec_decode_routed(own, CODEC_FETCH_LINK, buf_view(&f->link), &msg, &why) == ERR_NONE) {
		rc = save(f, (const Vestibule__V1__FetchLink *)msg);
	}
	codec_free(own);
	return rc;
}

static enum exit_code run(struct fetch *f) {
	if (mq_topic("user", mq_username(f->session.mq), "link", f->link_topic) != ERR_NONE) {
		return session_fail(EXIT_USAGE, "a name is too long");
	}
	if (mq_subscribe(f->session.mq, f->link_topic, 0) != ERR_NONE) {
		return session_fail(EXIT_UNAVAILABLE, "cannot subscribe to links");
	}
	int64_t pause_ms = PAUSE_FIRST_MS;
	for (;;) {
		enum exit_code rc = request_link(f);
		if (rc == EXIT_RECORDED) rc = follow(f);
		if (rc != EXIT_TIMEOUT) return rc;
		if (left_ms(f) <= pause_ms)
			return session_fail(rc, "the clip cannot be had now; run the same command later");
		rc = mq_run(f->session.mq, never, NULL, pause_ms);
		if (rc != EXIT_TIMEOUT) return session_fail(rc, "%s", mq_last_error(f->session.mq));
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
}

enum exit_code fetch_run(const struct opt_common *common, const struct settings *set) {
	struct fetch f = {0};
	if (!session_parse_id("delivery", set->subject, f.id)) return EXIT_USAGE;
	if (!set->folder) return session_fail(EXIT_USAGE, "fetch needs --dir FOLDER");
	/* a fetch is recorded and counted: one that could not be kept is not begun */
	if (access(set->folder, W_OK | X_OK) != 0) {
		return session_fail(EXIT_USAGE, "--dir %s: %s", set->folder, strerror(errno));
	}
	f.codec = codec_new();
	if (!f.codec) return session_fail(EXIT_INTERNAL, "no memory");
	buf_init(&f.link, CODEC_ARENA_BYTES);
	f.end_ms = clock_read().boot_ms + (set->wait_ms ? set->wait_ms : WAIT_DEFAULT_MS);
	enum exit_code rc =
		session_open(&f.session, common, set, &(struct mq_opts){.events = &events, .ctx = &f});
	if (rc == EXIT_RECORDED) rc = run(&f);
	session_close(&f.session);
	/* the link is a secret for as long as it lives */
	if (f.link.ptr) explicit_bzero(f.link.ptr, f.link.cap);
	buf_fini(&f.link);
	codec_free(f.codec);
	return rc;
}
