/* What a job means, and who is told of what. Bytes, rows, files and packets are the parts'
 * business. */
#include "clients/relay/relay.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/failpoint.h"
#include "clients/relay/link.h"
#include "clients/relay/purger.h"
#include "clients/relay/reports.h"
#include "clients/relay/transfers.h"

/* Links work only in touch with the broker, so a broker that fell silent must be noticed soon:
 * within two keep-alives. */
enum { RELAY_FLOOR_EVERY_MS = 60000, RELAY_KEEPALIVE_S = 5, RELAY_SYNC_AGAIN_MS = 5000 };

struct relay {
	struct core core;
	const struct relay_options *options;
	struct loop *loop;
	struct transfers *transfers;
	struct purger *purger;
	struct reports *reports;
	struct clock_judge judge;
	int64_t floor_saved_ms;      /* boot time */
	int64_t synced_ms;           /* boot time of the last sync that was asked for */
	uint8_t sync_id[UUID_BYTES]; /* its event id */
	char job_topic[MQ_TOPIC_SIZE];
	char sync_topic[MQ_TOPIC_SIZE];
};

/* --- jobs --- */

static struct outbox_job job_row(const Vestibule__V1__RelayJob *job) {
	struct outbox_job row = {.kind = (int)job->kind};
	memcpy(row.id, job->job_id.data, UUID_BYTES); /* validated: 16 bytes */
	return row;
}

static bool new_object(const Vestibule__V1__RelayJob *job, struct outbox_object *o) {
	*o = (struct outbox_object){
		.state = OUTBOX_QUEUED, .length = job->payload_length, .exp_ms = (int64_t)job->exp_ms};
	if (job->clip_id.len != UUID_BYTES || job->payload_sha256.len != OUTBOX_SHA256 ||
		job->payload_length == 0)
		return false;
	memcpy(o->clip, job->clip_id.data, UUID_BYTES);
	memcpy(o->sha256, job->payload_sha256.data, OUTBOX_SHA256);
	return span_copy(span_str(job->object), o->name, sizeof(o->name)) &&
		   span_copy(span_str(job->device), o->device, sizeof(o->device)) && o->device[0];
}

/* Is the job about the same clip as the row? A name is drawn once per grant: no name means two
 * clips. */
static bool is_same(const struct outbox_object *a, const struct outbox_object *b) {
	return strcmp(a->device, b->device) == 0 && memcmp(a->clip, b->clip, UUID_BYTES) == 0 &&
		   a->length == b->length && memcmp(a->sha256, b->sha256, OUTBOX_SHA256) == 0;
}

static void do_copy(struct relay *r, const Vestibule__V1__RelayJob *job) {
	struct core *c = &r->core;
	struct outbox_job row = job_row(job);
	struct outbox_object wanted, o;
	if (!new_object(job, &wanted)) {
		log_line(c->log, LOG_ERROR, "job_malformed", "object", job->object, NULL);
		return;
	}
	enum err e = outbox_get(c->outbox, wanted.name, &o);
	if (e == ERR_STORE) {
		core_outbox_trouble(c, wanted.name); /* the job comes again */
		return;
	}
	if (e == ERR_ABSENT) o = wanted;
	bool is_over = o.state == OUTBOX_DELETED || o.state == OUTBOX_DELETING;
	if (!is_over && !is_same(&o, &wanted)) {
		log_line(c->log, LOG_ERROR, "job_contradicts", "object", wanted.name, NULL);
		return;
	}
	if (core_put(c, &o, &row) != ERR_NONE) return;
	(void)failpoint_hit("job-recorded");
	if (is_over)
		log_line(c->log, LOG_INFO, "late_copy", "object", o.name, "state",
				 outbox_state_name(o.state), NULL);
	transfers_kick(r->transfers);
	purger_kick(r->purger); /* it may be past its end already */
}

static void do_purge(struct relay *r, const Vestibule__V1__RelayJob *job) {
	struct outbox_job row = job_row(job);
	log_line(r->core.log, LOG_INFO, "purge", "object", job->object, NULL);
	(void)purger_object(r->purger, job->object,
						&row); /* told there; the job comes again until it is answered */
}

/* No answer is an answer: without a link the plugin says that the relay could not be reached. */
static void do_link(struct relay *r, const Vestibule__V1__RelayJob *job) {
	struct core *c = &r->core;
	struct outbox_object o;
	struct buf url;
	enum err e = outbox_get(c->outbox, job->object, &o);
	if (e == ERR_STORE) core_outbox_trouble(c, job->object);
	if (e != ERR_NONE || o.state != OUTBOX_STORED || !c->now.sound) return;
	int64_t expires_ms = c->now.utc_ms + LINK_LIFE_MS;
	if (o.exp_ms < expires_ms) expires_ms = o.exp_ms;
	if (job->exp_ms < (uint64_t)expires_ms) expires_ms = (int64_t)job->exp_ms;
	expires_ms -= expires_ms % 1000; /* links count in seconds */
	if (expires_ms <= c->now.utc_ms) return;
	buf_init(&url, CODEC_URL_MAX);
	enum backend_result b = c->backend->ops->link(c->backend, o.name, expires_ms, &url);
	if (b == BACKEND_FAILED) core_storage_trouble(c, o.name);
	if (b == BACKEND_ABSENT) log_line(c->log, LOG_ERROR, "no_link", "object", o.name, NULL);
	if (b == BACKEND_DONE && buf_error(&url) == ERR_NONE)
		reports_link(r->reports, job, buf_cstr(&url), expires_ms);
	buf_fini(&url);
}

static void do_job(struct relay *r, const Vestibule__V1__RelayJob *job) {
	switch (job->kind) {
	case VESTIBULE__V1__JOB_KIND__JOB_KIND_COPY: do_copy(r, job); break;
	case VESTIBULE__V1__JOB_KIND__JOB_KIND_CANCEL:
	case VESTIBULE__V1__JOB_KIND__JOB_KIND_PURGE: do_purge(r, job); break;
	case VESTIBULE__V1__JOB_KIND__JOB_KIND_LINK: do_link(r, job); break;
	default: /* the codec knows no other */
		log_line(r->core.log, LOG_ERROR, "job_malformed", "object", job->object, NULL);
		break;
	}
}

/* --- what the connection says --- */

/* Asks for the open jobs: what was retracted while the relay was away comes with the answer. */
static void ask_for_jobs(struct relay *r) {
	Vestibule__V1__Sync sync = VESTIBULE__V1__SYNC__INIT;
	uint64_t seq = 0;
	r->synced_ms = r->core.now.boot_ms;
	/* without a sync the jobs come by themselves, later */
	if (outbox_next_seq(r->core.outbox, &seq) != ERR_NONE) core_outbox_trouble(&r->core, NULL);
	if (reports_event_id(&r->core, r->sync_id) != ERR_NONE) return;
	sync.event_id = (ProtobufCBinaryData){.len = sizeof(r->sync_id), .data = r->sync_id};
	sync.at_ms = (uint64_t)r->core.now.utc_ms;
	sync.synced = r->core.now.sound;
	sync.seq = seq;
	sync.what = VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_JOBS;
	if (mq_publish_msg(r->core.mq, r->sync_topic, &sync.base, 1, NULL) != ERR_NONE)
		log_line(r->core.log, LOG_WARN, "sync_not_sent", NULL);
}

static void on_connected(void *ctx) {
	struct relay *r = ctx;
	log_line(r->core.log, LOG_INFO, "connected", "relay", r->options->relay, NULL);
	transfers_connected(r->transfers);
	reports_connected(r->reports);
	ask_for_jobs(r);
}

static void on_lost(void *ctx, const char *why) {
	struct relay *r = ctx;
	r->core.in_touch = false;
	log_line(r->core.log, LOG_WARN, "connection_lost", "why", why, NULL);
}

static void on_message(void *ctx, struct span topic, struct span payload, bool retained) {
	struct relay *r = ctx;
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (!span_eq(topic, span_str(r->job_topic))) {
		(void)transfers_chunk(r->transfers, topic, payload); /* false: late, of a copy that ended */
		return;
	}
	if (retained)
		return; /* nothing but status and public records is ever retained (I13): not the plugin's */
	if (codec_decode_routed(r->core.codec, CODEC_RELAY_JOB, payload, &msg, &why) != ERR_NONE) {
		log_line(r->core.log, LOG_ERROR, "job_malformed", "field", why.field, "limit", why.limit,
				 NULL);
		return;
	}
	do_job(r, (const Vestibule__V1__RelayJob *)msg);
}

static void on_reply(void *ctx, const Vestibule__V1__Reply *reply) {
	struct relay *r = ctx;
	for (size_t i = 0; i < reply->n_jobs; i++) do_job(r, reply->jobs[i]);
	struct span answered = span_of(reply->in_reply_to.data, reply->in_reply_to.len);
	if (reply->last && span_eq(answered, span_of(r->sync_id, sizeof(r->sync_id))))
		r->core.in_touch = true;
}

static void on_denial(void *ctx, const Vestibule__V1__Denial *denial) {
	struct relay *r = ctx;
	log_line(r->core.log, LOG_WARN, "denied", "reason", denial->reason, "access", denial->access,
			 "topic", denial->topic, NULL);
}

static void on_published(void *ctx, int mid, int code) {
	struct relay *r = ctx;
	reports_published(r->reports, mid, code);
}

static void on_refused(void *ctx, const char *filter, int code) {
	struct relay *r = ctx;
	log_line(r->core.log, LOG_WARN, "subscription_refused", "filter", filter, "why",
			 mq_reason(code), NULL);
	transfers_refused(r->transfers, filter);
}

static const struct mq_events events = {on_connected, on_lost,      on_message, on_reply,
										on_denial,    on_published, on_refused};

/* --- in the loop --- */

static int source_fd(void *ctx) {
	return mq_socket(((struct relay *)ctx)->core.mq);
}

static short source_events(void *ctx) {
	return (short)(POLLIN | (mq_want_write(((struct relay *)ctx)->core.mq) ? POLLOUT : 0));
}

static int source_wait(void *ctx) {
	struct relay *r = ctx;
	int wait = mq_wait_ms(r->core.mq);
	int copies = transfers_wait_ms(r->transfers);
	int deletions = purger_wait_ms(r->purger);
	if (r->core.news && mq_is_connected(r->core.mq)) return 0;
	if (copies < wait) wait = copies;
	return deletions < wait ? deletions : wait;
}

/* The time of this turn, judged; its highest value is kept, so that a clock that was set back is
 * noticed. */
static void look_at_clock(struct relay *r) {
	bool was_sound = r->core.now.sound;
	r->core.now = clock_judge_look(&r->judge, clock_read());
	if (was_sound && !r->core.now.sound) log_line(r->core.log, LOG_ERROR, "clock_suspect", NULL);
	if (!r->core.now.sound || r->core.now.boot_ms - r->floor_saved_ms < RELAY_FLOOR_EVERY_MS)
		return;
	r->floor_saved_ms = r->core.now.boot_ms;
	if (outbox_set_floor(r->core.outbox, r->judge.floor_ms) != ERR_NONE)
		core_outbox_trouble(&r->core, NULL);
}

static void source_run(void *ctx, short revents) {
	struct relay *r = ctx;
	if (revents & (POLLIN | POLLERR | POLLHUP)) mq_on_readable(r->core.mq);
	if (revents & POLLOUT) mq_on_writable(r->core.mq);
	mq_on_tick(r->core.mq);
	bool is_due = r->core.now.boot_ms - r->synced_ms >= RELAY_SYNC_AGAIN_MS;
	if (!r->core.in_touch && is_due && mq_is_connected(r->core.mq)) ask_for_jobs(r);
	transfers_turn(r->transfers);
	purger_turn(r->purger);
	reports_turn(r->reports);
}

enum err relay_turn(struct relay *r) {
	look_at_clock(r);
	return loop_turn(r->loop);
}

struct loop *relay_loop(struct relay *r) {
	return r->loop;
}

/* --- life --- */

static struct backend *open_dir(struct relay *r, char why[RELAY_WHY_SIZE]) {
	char key_file[OPTIONS_PATH_SIZE];
	const struct relay_options *o = r->options;
	if (!options_key_file(o, key_file)) return NULL; /* options are good: never */
	struct backend_dir_opts dir = {.path = options_storage_path(o),
								   .listen = o->listen,
								   .public_url = o->public_url,
								   .key_file = key_file,
								   .now = &r->core.now,
								   .in_touch = &r->core.in_touch,
								   .loop = r->loop,
								   .log = r->core.log};
	return backend_dir_new(&dir, why);
}

static struct backend *open_s3(struct relay *r, char why[RELAY_WHY_SIZE]) {
	char staging[OPTIONS_PATH_SIZE];
	struct backend_s3_opts s3 = options_s3(r->options);
	int n = snprintf(staging, sizeof(staging), "%s/staging", r->options->state);
	if (n < 0 || (size_t)n >= sizeof(staging)) {
		(void)snprintf(why, RELAY_WHY_SIZE,
					   "the path of the state directory is too long"); /* fits */
		return NULL;
	}
	s3.staging = staging;
	s3.now = &r->core.now;
	s3.loop = r->loop;
	s3.log = r->core.log;
	return backend_s3_new(&s3, why);
}

static enum exit_code open_storage(struct relay *r, char why[RELAY_WHY_SIZE]) {
	int64_t floor_ms = 0;
	const struct relay_options *o = r->options;
	if (mkdir(o->state, 0700) != 0 && errno != EEXIST) {
		(void)snprintf(why, RELAY_WHY_SIZE, "state directory %s: %s", o->state,
					   strerror(errno)); /* cut is fine */
		return EXIT_UNAVAILABLE;
	}
	enum err e = outbox_open(o->state, &r->core.outbox, why);
	if (e != ERR_NONE) return e == ERR_NOMEM ? EXIT_INTERNAL : EXIT_UNAVAILABLE;
	if (outbox_floor(r->core.outbox, &floor_ms) != ERR_NONE) {
		(void)snprintf(why, RELAY_WHY_SIZE, "%s", outbox_why(r->core.outbox)); /* same size */
		return EXIT_UNAVAILABLE;
	}
	clock_judge_init(&r->judge, floor_ms);
	r->floor_saved_ms = -RELAY_FLOOR_EVERY_MS;
	look_at_clock(r);
	r->core.backend = options_is_s3(o) ? open_s3(r, why) : open_dir(r, why);
	return r->core.backend ? EXIT_RECORDED : EXIT_UNAVAILABLE;
}

static enum exit_code open_connection(struct relay *r, const struct opt_common *common,
									  char why[RELAY_WHY_SIZE]) {
	struct mq_opts opts = {.events = &events,
						   .ctx = r,
						   .reconnect = true,
						   .sole = true,
						   .keepalive_s = RELAY_KEEPALIVE_S};
	r->core.mq = mq_new(common, &opts, why);
	if (!r->core.mq) return EXIT_USAGE;
	(void)snprintf(why, RELAY_WHY_SIZE, "no memory"); /* fits */
	if (mq_topic("relay", r->options->relay, "job", r->job_topic) != ERR_NONE ||
		mq_topic("user", mq_username(r->core.mq), "sync", r->sync_topic) != ERR_NONE ||
		mq_subscribe(r->core.mq, r->job_topic, 1) != ERR_NONE)
		return EXIT_INTERNAL;
	mq_start(r->core.mq);
	return EXIT_RECORDED;
}

static enum exit_code make_parts(struct relay *r, char why[RELAY_WHY_SIZE]) {
	struct loop_source source = {source_fd, source_events, source_wait, source_run, r};
	(void)snprintf(why, RELAY_WHY_SIZE, "no memory"); /* fits */
	r->core.codec = codec_new();
	r->transfers = transfers_new(&r->core);
	r->purger = r->transfers ? purger_new(&r->core, r->transfers) : NULL;
	r->reports = reports_new(&r->core, r->options->relay);
	if (!r->core.codec || !r->purger || !r->reports) return EXIT_INTERNAL;
	return loop_add(r->loop, &source) == ERR_NONE ? EXIT_RECORDED : EXIT_INTERNAL;
}

enum exit_code relay_new(const struct opt_common *common, const struct relay_options *options,
						 struct log *log, struct relay **out, char why[RELAY_WHY_SIZE]) {
	struct relay *r = calloc(1, sizeof(*r));
	enum exit_code rc = EXIT_INTERNAL;
	(void)snprintf(why, RELAY_WHY_SIZE, "no memory"); /* fits */
	if (!r) return rc;
	r->core.log = log;
	r->core.now.sound = true;
	r->options = options;
	r->loop = loop_new();
	if (r->loop) rc = open_storage(r, why);
	if (rc == EXIT_RECORDED) rc = open_connection(r, common, why);
	if (rc == EXIT_RECORDED) rc = make_parts(r, why);
	if (rc == EXIT_RECORDED) {
		*out = r;
		return rc;
	}
	relay_free(r);
	return rc;
}

void relay_free(struct relay *r) {
	if (!r) return;
	transfers_free(r->transfers);
	purger_free(r->purger);
	reports_free(r->reports);
	mq_free(r->core.mq);
	codec_free(r->core.codec);
	if (r->core.backend) r->core.backend->ops->free(r->core.backend);
	outbox_close(r->core.outbox);
	loop_free(r->loop);
	free(r);
}
