/* A command until its answer, a sync until its last part. One struct holds what is waited for; the
 * callbacks of the tap fill in the answer, mq_run drives them. */
#include "clients/mq/exchange.h"

#include <sys/random.h>
#include <sys/timex.h>

#include "lib/clock.h"
#include "proto/uuid.h"

enum {
	DENIAL_WAIT_MS = 1500
}; /* how long a PUBACK that refuses waits for the Denial that says why */

struct wait {
	struct mq *mq;
	struct exchange_answer *out;
	const struct exchange_sink *sink; /* of a sync; else NULL */
	const char *notice_topic;         /* of an agency command; else NULL */
	const char *correlation;          /* of a $CONTROL command; else NULL */
	struct buf *response;             /* its answer; borrowed */
	struct codec *codec;              /* for notices; owned, else NULL */
	char topic[MQ_TOPIC_SIZE];
	uint8_t event_id[UUID_BYTES];
	struct buf payload; /* sent each time, byte for byte */
	int mid;
	int64_t repeat_ms; /* boot time of the next repetition; INT64_MAX: none */
	int64_t denied_ms; /* boot time until which a Denial is waited for; 0: not refused */
	uint32_t parts;    /* of a sync: the next part expected */
	bool lost_part;    /* of a sync: ask anew */
	bool is_over;
	enum exit_code code;
};

static int64_t now_ms(void) {
	return clock_read().boot_ms;
}

static void end(struct wait *w, enum exit_code code) {
	if (w->is_over) return;
	w->is_over = true;
	w->code = code;
}

static bool is_ours(const struct wait *w, ProtobufCBinaryData id) {
	return id.len == UUID_BYTES && memcmp(id.data, w->event_id, UUID_BYTES) == 0;
}

static void copy_text(char *dst, size_t size, const char *src) {
	(void)snprintf(dst, size, "%s", src ? src : "");
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool is_one_of(const char *reason, const char *const *words) {
	for (; *words; words++) {
		if (strcmp(reason, *words) == 0) return true;
	}
	return false;
}

/* A command that arrived and was refused. Only the role and the state of who asks are about rights:
 * "not_yours" is what a command hears that names something absent. */
static enum exit_code refusal_code(const char *reason) {
	static const char *const rights[] = {"role", "suspended", "unknown_credential", "agencies_off",
										 NULL};
	return is_one_of(reason, rights) ? EXIT_NOT_AUTHORISED : EXIT_REFUSED;
}

static void judge_receipt(struct wait *w, const Vestibule__V1__Receipt *r) {
	if (r->kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_RECORDED) {
		end(w, EXIT_RECORDED);
	} else if (r->kind == VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_REFUSED) {
		copy_text(w->out->reason, sizeof(w->out->reason), r->reason);
		copy_text(w->out->sentence, sizeof(w->out->sentence), r->detail);
		end(w, refusal_code(w->out->reason));
	}
}

static void judge_notice(struct wait *w, const Vestibule__V1__AgencyNotice *n) {
	if (!is_ours(w, n->in_reply_to)) return;
	w->out->notice_kind = (int)n->kind;
	if (n->kind == VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_REFUSED) {
		copy_text(w->out->reason, sizeof(w->out->reason), n->reason);
		end(w, refusal_code(w->out->reason));
	} else if (n->kind == VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_UNAVAILABLE) {
		copy_text(w->out->reason, sizeof(w->out->reason), n->reason);
		end(w, EXIT_TIMEOUT);
	} else {
		end(w, EXIT_RECORDED);
	}
}

static void take_part(struct wait *w, const Vestibule__V1__Reply *reply) {
	if (reply->part < w->parts) return; /* sent twice */
	if (reply->part > w->parts) {
		w->lost_part = true;
		return;
	}
	w->parts++;
	w->repeat_ms = now_ms() + EXCHANGE_REPEAT_MS;
	w->sink->part(w->sink->ctx, reply);
	if (reply->last) end(w, EXIT_RECORDED);
}

static void on_reply(void *ctx, const Vestibule__V1__Reply *reply) {
	struct wait *w = ctx;
	if (w->is_over || !is_ours(w, reply->in_reply_to)) return;
	/* A refused sync is answered by a private receipt, like a command. */
	for (size_t i = 0; i < reply->n_receipts; i++) {
		if (is_ours(w, reply->receipts[i]->in_reply_to)) judge_receipt(w, reply->receipts[i]);
	}
	if (reply->sentence && reply->sentence[0])
		copy_text(w->out->sentence, sizeof(w->out->sentence), reply->sentence);
	for (size_t i = 0; i < reply->n_notices; i++) judge_notice(w, reply->notices[i]);
	if (w->sink && !w->is_over) take_part(w, reply);
}

static void on_message(void *ctx, struct span topic, struct span payload, bool retained) {
	struct wait *w = ctx;
	(void)retained;
	if (w->is_over) return;
	if (w->correlation && span_eq(topic, SPAN_LIT("$CONTROL/vestibule/v1/response"))) {
		if (!memmem(payload.ptr, payload.len, w->correlation, strlen(w->correlation))) return;
		buf_span(w->response, payload);
		end(w, buf_error(w->response) == ERR_NONE ? EXIT_RECORDED : EXIT_INTERNAL);
	}
	if (!w->notice_topic || !span_eq(topic, span_str(w->notice_topic))) return;
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (codec_decode_routed(w->codec, CODEC_NOTICE, payload, &msg, &why) != ERR_NONE) return;
	judge_notice(w, (const Vestibule__V1__AgencyNotice *)msg);
}

/* What passes by itself: the command is repeated until the time is over. */
static bool is_passing(const char *reason) {
	static const char *const words[] = {"not_ready", "not_durable", "busy", "rate", NULL};
	return is_one_of(reason, words);
}

/* A message that was refused at the door: about who asks and where, not about what is asked. */
static bool is_about_rights(const char *reason) {
	static const char *const words[] = {"unknown_credential", "suspended",    "agencies_off",
										"not_yours",          "role",         "no_such_topic",
										"consumed_topic",     "dollar_topic", NULL};
	return is_one_of(reason, words);
}

static void on_denial(void *ctx, const Vestibule__V1__Denial *d) {
	struct wait *w = ctx;
	bool unnamed =
		d->event_id.len == 0 && strcmp(d->access, "write") == 0 && strcmp(d->topic, w->topic) == 0;
	if (w->is_over || !(unnamed || is_ours(w, d->event_id))) return;
	copy_text(w->out->reason, sizeof(w->out->reason), d->reason);
	copy_text(w->out->sentence, sizeof(w->out->sentence), d->sentence);
	copy_text(w->out->field, sizeof(w->out->field), d->field);
	copy_text(w->out->limit, sizeof(w->out->limit), d->limit);
	w->denied_ms = 0;
	if (is_passing(d->reason)) return;
	end(w, is_about_rights(d->reason) ? EXIT_NOT_AUTHORISED : EXIT_REFUSED);
}

static void on_published(void *ctx, int mid, int code) {
	struct wait *w = ctx;
	if (mid != w->mid || code < 0x80 || is_passing(w->out->reason)) return;
	copy_text(w->out->sentence, sizeof(w->out->sentence), mq_reason(code));
	w->denied_ms = now_ms() + DENIAL_WAIT_MS;
}

static void on_refused(void *ctx, const char *filter, int code) {
	struct wait *w = ctx;
	if (!w->notice_topic || strcmp(filter, w->notice_topic) != 0) return;
	(void)snprintf(w->out->sentence, sizeof(w->out->sentence), "subscription to %s: %s", filter,
				   mq_reason(code));
	end(w, EXIT_NOT_AUTHORISED); /* the answer could not arrive */
}

static void on_connected(void *ctx) {
	struct wait *w = ctx;
	if (w->repeat_ms != INT64_MAX) w->repeat_ms = 0;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* False: not sent, for want of a connection; on_connected brings the next try forward. */
static bool send_once(struct wait *w) {
	enum err e = mq_publish(w->mq, w->topic, buf_view(&w->payload), 1, &w->mid);
	if (e == ERR_LIMIT) {
		copy_text(w->out->sentence, sizeof(w->out->sentence), "larger than a message may be");
		end(w, EXIT_USAGE);
	}
	return e != ERR_NET;
}

static bool is_done(void *ctx) {
	struct wait *w = ctx;
	int64_t now = now_ms();
	if (w->is_over) return true;
	if (w->denied_ms != 0 && now >= w->denied_ms) {
		end(w, EXIT_NOT_AUTHORISED);
		return true;
	}
	/* Half an answer whose rest does not come is worth nothing under the old id. */
	bool stalled = w->sink && w->parts > 0 && now >= w->repeat_ms;
	if (w->lost_part || stalled) {
		end(w, EXIT_TIMEOUT);
		return true;
	}
	if (now >= w->repeat_ms) {
		w->repeat_ms = now + EXCHANGE_REPEAT_MS;
		(void)send_once(w); /* not sent: the next repetition does it */
	}
	return w->is_over;
}

static enum exit_code run(struct wait *w, int64_t timeout_ms) {
	static const struct mq_events events = {
		.on_connected = on_connected,
		.on_message = on_message,
		.on_reply = on_reply,
		.on_denial = on_denial,
		.on_published = on_published,
		.on_refused = on_refused,
	};
	mq_tap(w->mq, &events, w);
	enum exit_code code = mq_run(w->mq, is_done, w, timeout_ms);
	mq_tap(w->mq, NULL, NULL);
	if (code == EXIT_RECORDED) return w->code;
	if (code != EXIT_TIMEOUT)
		copy_text(w->out->sentence, sizeof(w->out->sentence), mq_last_error(w->mq));
	return code;
}

/* The four fields that every command begins with. */
struct head {
	ProtobufCBinaryData *event_id;
	uint64_t *at_ms, *seq;
	protobuf_c_boolean *synced;
};

static enum err fill_head(struct wait *w, const struct head *h) {
	uint8_t random[10];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) return ERR_STORE;
	int64_t utc_ms = clock_read().utc_ms;
	uuid_v7(utc_ms, random, w->event_id);
	uuid_text(w->event_id, w->out->event_id);

	struct timex look = {0};
	*h->event_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = w->event_id};
	*h->at_ms = (uint64_t)utc_ms;
	*h->seq = (uint64_t)utc_ms; /* people's programs keep no counter: rising is what counts */
	*h->synced = adjtimex(&look) != TIME_ERROR;
	return ERR_NONE;
}

/* Fills, checks and encodes. EXIT_RECORDED: ready to run. */
static enum exit_code prepare(struct wait *w, enum codec_kind kind, const ProtobufCMessage *msg,
							  const struct head *h) {
	struct codec_fault why;
	if (fill_head(w, h) != ERR_NONE) return EXIT_INTERNAL;
	if (codec_validate(kind, msg, &why) != ERR_NONE) {
		copy_text(w->out->field, sizeof(w->out->field), why.field);
		copy_text(w->out->limit, sizeof(w->out->limit), why.limit);
		copy_text(w->out->sentence, sizeof(w->out->sentence), "a field is outside its limits");
		return EXIT_USAGE;
	}
	buf_init(&w->payload, codec_bytes_max(kind));
	return codec_encode(msg, &w->payload) == ERR_NONE ? EXIT_RECORDED : EXIT_INTERNAL;
}

enum exit_code exchange_home(struct mq *mq, const char *home, Vestibule__V1__HomeCommand *cmd,
							 int64_t timeout_ms, struct exchange_answer *out) {
	struct wait w = {.mq = mq, .out = out};
	*out = (struct exchange_answer){0};
	if (mq_topic("home", home, "command", w.topic) != ERR_NONE) {
		copy_text(out->sentence, sizeof(out->sentence), "the home's id may hold a-z 0-9 _ - only");
		return EXIT_USAGE;
	}
	struct head h = {&cmd->event_id, &cmd->at_ms, &cmd->seq, &cmd->synced};
	enum exit_code code = prepare(&w, CODEC_HOME_COMMAND, &cmd->base, &h);
	if (code == EXIT_RECORDED) code = run(&w, timeout_ms);
	buf_fini(&w.payload);
	cmd->event_id = (ProtobufCBinaryData){0}; /* it pointed into w */
	return code;
}

enum exit_code exchange_claim(struct mq *mq, const char *device, Vestibule__V1__DeviceClaim *claim,
							  int64_t timeout_ms, struct exchange_answer *out) {
	struct wait w = {.mq = mq, .out = out};
	*out = (struct exchange_answer){0};
	if (mq_topic("device", device, "claim", w.topic) != ERR_NONE) {
		copy_text(out->sentence, sizeof(out->sentence),
				  "the device's id may hold a-z 0-9 _ - only");
		return EXIT_USAGE;
	}
	struct head h = {&claim->event_id, &claim->at_ms, &claim->seq, &claim->synced};
	enum exit_code code = prepare(&w, CODEC_DEVICE_CLAIM, &claim->base, &h);
	if (code == EXIT_RECORDED) code = run(&w, timeout_ms);
	buf_fini(&w.payload);
	claim->event_id = (ProtobufCBinaryData){0}; /* it pointed into w */
	return code;
}

enum exit_code exchange_agency(struct mq *mq, const char *agency, Vestibule__V1__AgencyCommand *cmd,
							   int64_t timeout_ms, struct exchange_answer *out) {
	char notice[MQ_TOPIC_SIZE];
	struct wait w = {.mq = mq, .out = out, .notice_topic = notice};
	*out = (struct exchange_answer){0};
	if (mq_topic("agency", agency, "command", w.topic) != ERR_NONE ||
		mq_topic("agency", agency, "notice", notice) != ERR_NONE) {
		copy_text(out->sentence, sizeof(out->sentence),
				  "the agency's id may hold a-z 0-9 _ - only");
		return EXIT_USAGE;
	}
	w.codec = codec_new();
	if (!w.codec) return EXIT_INTERNAL;
	struct head h = {&cmd->event_id, &cmd->at_ms, &cmd->seq, &cmd->synced};
	enum exit_code code = prepare(&w, CODEC_AGENCY_COMMAND, &cmd->base, &h);
	if (code == EXIT_RECORDED && mq_subscribe(mq, notice, 1) != ERR_NONE) code = EXIT_UNAVAILABLE;
	if (code == EXIT_RECORDED) code = run(&w, timeout_ms);
	buf_fini(&w.payload);
	codec_free(w.codec);
	cmd->event_id = (ProtobufCBinaryData){0}; /* it pointed into w */
	return code;
}

enum exit_code exchange_sync(struct mq *mq, Vestibule__V1__SyncWhat what, uint64_t since_ms,
							 int64_t timeout_ms, const struct exchange_sink *sink,
							 struct exchange_answer *out) {
	int64_t until = now_ms() + timeout_ms;
	for (;;) {
		struct wait w = {.mq = mq, .out = out, .sink = sink};
		*out = (struct exchange_answer){0};
		Vestibule__V1__Sync sync = VESTIBULE__V1__SYNC__INIT;
		sync.what = what;
		sync.since_ms = since_ms;
		struct head h = {&sync.event_id, &sync.at_ms, &sync.seq, &sync.synced};
		if (mq_topic("user", mq_username(mq), "sync", w.topic) != ERR_NONE) return EXIT_INTERNAL;
		enum exit_code code = prepare(&w, CODEC_SYNC, &sync.base, &h);
		int64_t left = until - now_ms();
		if (code == EXIT_RECORDED) code = run(&w, left > 0 ? left : 0);
		buf_fini(&w.payload);
		/* The answer broke off: a new question, while there is time. */
		if (code != EXIT_TIMEOUT || !w.is_over || now_ms() >= until) return code;
	}
}

static void take_subject(void *ctx, const Vestibule__V1__Reply *part) {
	if (part->subject) (void)span_copy(span_str(part->subject), ctx, EXCHANGE_SUBJECT_SIZE);
}

enum exit_code exchange_subject(struct mq *mq, Vestibule__V1__SyncWhat what, int64_t timeout_ms,
								char subject[EXCHANGE_SUBJECT_SIZE], struct exchange_answer *out) {
	struct exchange_sink sink = {take_subject, subject};
	subject[0] = '\0';
	enum exit_code code = exchange_sync(mq, what, 0, timeout_ms, &sink, out);
	return code == EXIT_RECORDED && !subject[0] ? EXIT_INTERNAL : code;
}

enum err exchange_correlation(char out[37]) {
	uint8_t random[10], id[UUID_BYTES];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) return ERR_STORE;
	uuid_v7(clock_read().utc_ms, random, id);
	uuid_text(id, out);
	return ERR_NONE;
}

enum exit_code exchange_control(struct mq *mq, const char *correlation, struct span json,
								int64_t timeout_ms, struct buf *out) {
	struct exchange_answer answer = {0};
	struct wait w = {.mq = mq,
					 .out = &answer,
					 .correlation = correlation,
					 .response = out,
					 .repeat_ms = INT64_MAX};
	copy_text(w.topic, sizeof(w.topic), "$CONTROL/vestibule/v1");
	buf_init(&w.payload, json.len + 1);
	buf_span(&w.payload, json);
	enum exit_code code = buf_error(&w.payload) == ERR_NONE ? EXIT_RECORDED : EXIT_INTERNAL;
	if (code == EXIT_RECORDED && !send_once(&w)) code = EXIT_UNAVAILABLE;
	if (code == EXIT_RECORDED) code = run(&w, timeout_ms);
	buf_fini(&w.payload);
	return code;
}

void exchange_complain(const char *program, enum exit_code code, const struct exchange_answer *a) {
	const char *what = "failed";
	switch (code) {
	case EXIT_RECORDED: return;
	case EXIT_REFUSED: what = "refused"; break;
	case EXIT_USAGE: what = "cannot be sent"; break;
	case EXIT_UNAVAILABLE: what = "no connection"; break;
	case EXIT_INTERNAL: what = "internal error"; break;
	case EXIT_TIMEOUT: what = "no answer in time; run it again"; break;
	case EXIT_NOT_AUTHORISED: what = "not authorised"; break;
	}
	(void)fprintf(stderr, "%s: %s%s%s", program, what, a->sentence[0] ? ": " : "", a->sentence);
	if (a->reason[0]) (void)fprintf(stderr, " (%s)", a->reason);
	if (a->field[0]) (void)fprintf(stderr, " [%s: %s]", a->field, a->limit);
	(void)fprintf(stderr, "\n");
}
