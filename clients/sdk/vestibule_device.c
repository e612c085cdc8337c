/* The public functions: they check, spool and wake the worker. Everything about the network is the
 * worker's. */
#include "clients/sdk/vestibule_device.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/timex.h>

#include "clients/sdk/worker.h"

enum { HOST_MAX = 255, TOKEN_MIN = 16, TOKEN_MAX = 128, KEEPALIVE_S = 30 };

static enum vestibule_error say(struct vestibule_fault *why, enum vestibule_error e,
								const char *field, const char *limit) {
	if (!why) return e;
	(void)snprintf(why->field, sizeof why->field, "%s", field); /* cut to fit */
	(void)snprintf(why->limit, sizeof why->limit, "%s", limit);
	return e;
}

const char *vestibule_error_text(enum vestibule_error e) {
	static const char *const texts[] = {"fine",
										"an argument breaks a limit",
										"the spool is full of events that may not be dropped",
										"the spool cannot be written",
										"out of memory",
										"already in use"};
	return (size_t)e < sizeof texts / sizeof *texts ? texts[e] : "unknown error";
}

/* --- the configuration ----------------------------------------------------------------------- */

static bool is_host(const char *host) {
	size_t len = host ? strlen(host) : 0;
	if (len == 0 || len > HOST_MAX) return false;
	for (const char *c = host; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
			  strchr(".:_-", *c)))
			return false;
	return true;
}

static bool is_token(const char *token) {
	size_t len = strlen(token);
	if (len < TOKEN_MIN || len > TOKEN_MAX) return false;
	for (const char *c = token; *c; c++)
		if (*c < '!' || *c > '~') return false;
	return true;
}

static enum vestibule_error check(const struct vestibule_config *c, struct vestibule_fault *why) {
	if (!is_host(c->host))
		return say(why, VESTIBULE_INVALID, "host", "1-255 characters of A-Z a-z 0-9 . : _ -");
	if (!topic_username_is_valid(span_str(c->username)))
		return say(why, VESTIBULE_INVALID, "username", "3-64 characters of a-z 0-9 _ -");
	if (c->device && !topic_id_is_valid(span_str(c->device)))
		return say(why, VESTIBULE_INVALID, "device", "1-64 characters of a-z 0-9 _ -");
	if (!c->cert_file != !c->key_file)
		return say(why, VESTIBULE_INVALID, c->cert_file ? "key_file" : "cert_file",
				   "certificate and key go together");
	if (!c->token && !c->cert_file)
		return say(why, VESTIBULE_INVALID, "token",
				   "a token, or a client certificate with its key");
	if (c->token && !is_token(c->token))
		return say(why, VESTIBULE_INVALID, "token", "16-128 visible ASCII characters");
	if (!c->spool_dir || !c->spool_dir[0])
		return say(why, VESTIBULE_INVALID, "spool_dir", "the path of a folder");
	if (c->spool_files_max > VESTIBULE_SPOOL_FILES_MAX)
		return say(why, VESTIBULE_INVALID, "spool_files_max", "at most 4096");
	if (c->spool_bytes_max != 0 && c->spool_bytes_max < VESTIBULE_SPOOL_BYTES_MIN)
		return say(why, VESTIBULE_INVALID, "spool_bytes_max", "at least 16384");
	if ((unsigned)c->clock > VESTIBULE_CLOCK_UNSYNCED)
		return say(why, VESTIBULE_INVALID, "clock", "one of enum vestibule_clock");
	return VESTIBULE_OK;
}

/* Replaces *field by a copy that the device owns. */
static bool own(struct vestibule_device *d, const char **field) {
	if (!*field) return true;
	for (size_t i = 0; i < DEVICE_STRINGS; i++) {
		if (d->strings[i]) continue;
		d->strings[i] = strdup(*field);
		*field = d->strings[i];
		return d->strings[i] != NULL;
	}
	return ENSURE(false); /* more strings than DEVICE_STRINGS */
}

static bool copy_config(struct vestibule_device *d, const struct vestibule_config *from) {
	struct vestibule_config *c = &d->config;
	*c = *from;
	if (!c->device) c->device = c->username;
	c->tls = c->tls || c->ca_file || c->cert_file;
	if (c->port == 0) c->port = c->tls ? 8883 : 1883;
	if (c->keepalive_s == 0) c->keepalive_s = KEEPALIVE_S;
	if (c->spool_files_max == 0) c->spool_files_max = VESTIBULE_SPOOL_FILES;
	if (c->spool_bytes_max == 0) c->spool_bytes_max = VESTIBULE_SPOOL_BYTES;
	return own(d, &c->host) && own(d, &c->ca_file) && own(d, &c->cert_file) &&
		   own(d, &c->key_file) && own(d, &c->username) && own(d, &c->token) &&
		   own(d, &c->device) && own(d, &c->spool_dir);
}

/* Ids are limited to 64 characters, so that every one fits. */
static void build_topics(struct vestibule_device *d) {
	static const char *const names[] = {"ring", "motion", "clip-ready"};
	const char *id = d->config.device;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)snprintf(d->topic_event[i], DEVICE_TOPIC_SIZE, "vestibule/v1/device/%s/%s", id,
					   names[i]);
	(void)snprintf(d->topic_status, DEVICE_TOPIC_SIZE, "vestibule/v1/device/%s/status", id);
	(void)snprintf(d->topic_claim, DEVICE_TOPIC_SIZE, "vestibule/v1/device/%s/claim", id);
	(void)snprintf(d->filter_pull, DEVICE_TOPIC_SIZE, "vestibule/v1/device/%s/pull/+/+", id);
	(void)snprintf(d->filter_ack, DEVICE_TOPIC_SIZE, "vestibule/v1/device/%s/ack", id);
	(void)snprintf(d->filter_denied, DEVICE_TOPIC_SIZE, "vestibule/v1/user/%s/denied",
				   d->config.username);
	(void)snprintf(d->filter_reply, DEVICE_TOPIC_SIZE, "vestibule/v1/user/%s/reply",
				   d->config.username);
}

/* --- life ------------------------------------------------------------------------------------ */

static enum vestibule_error open_spool(struct vestibule_device *d, struct vestibule_fault *why) {
	/* a folder without history starts at the time: a device that was reset does not use old numbers
	 * again */
	int64_t utc_s = clock_read().utc_ms / 1000;
	struct spool_opts opts = {.dir = d->config.spool_dir,
							  .files_max = d->config.spool_files_max,
							  .bytes_max = d->config.spool_bytes_max,
							  .first_seq = utc_s > 1 ? (uint64_t)utc_s : 1};
	bool busy = false;
	enum err e = spool_open(&opts, &d->spool, &busy);
	if (e == ERR_NONE) {
		courier_init(&d->courier, d->spool);
		return VESTIBULE_OK;
	}
	if (busy) return say(why, VESTIBULE_BUSY, "spool_dir", "another process uses this spool");
	if (e == ERR_LIMIT)
		return say(why, VESTIBULE_INVALID, "spool_files_max",
				   "the spool holds more events than this");
	if (e == ERR_NOMEM) return say(why, VESTIBULE_NOMEM, "", vestibule_error_text(VESTIBULE_NOMEM));
	if (e == ERR_INPUT) {
		char limit[sizeof why->limit];
		(void)snprintf(limit, sizeof limit, "mode 0700 needed, others may write: %s",
					   d->config.spool_dir); /* a cut path still tells */
		return say(why, VESTIBULE_INVALID, "spool_dir", limit);
	}
	char text[128];
	return say(why, VESTIBULE_DISK, "spool_dir", strerror_r(errno, text, sizeof text));
}

static enum vestibule_error make_parts(struct vestibule_device *d, struct vestibule_fault *why) {
	const struct vestibule_config *c = &d->config;
	struct link_opts opts = {
		.host = c->host,
		.port = c->port,
		.tls = c->tls,
		.ca_file = c->ca_file,
		.cert_file = c->cert_file,
		.key_file = c->key_file,
		.username = c->username,
		.token = c->token,
		.keepalive_s = c->keepalive_s,
		.will_topic = d->topic_status,
		.filters = {d->filter_pull, d->filter_ack, d->filter_denied, d->filter_reply}};
	d->codec = codec_new();
	d->link = link_new(&opts);
	if (!d->codec || !d->link)
		return say(why, VESTIBULE_NOMEM, "", vestibule_error_text(VESTIBULE_NOMEM));
	pulls_init(&d->pulls, d->codec, c->clip_read, c->ctx);
	return VESTIBULE_OK;
}

struct vestibule_device *vestibule_device_new(const struct vestibule_config *config,
											  struct vestibule_fault *why) {
	if (why) *why = (struct vestibule_fault){.field = ""};
	if (check(config, why) != VESTIBULE_OK) return NULL;
	struct vestibule_device *d = (struct vestibule_device *)calloc(1, sizeof *d);
	if (!d || pthread_mutex_init(&d->lock, NULL) != 0) {
		free(d);
		(void)say(why, VESTIBULE_NOMEM, "",
				  vestibule_error_text(VESTIBULE_NOMEM)); /* NULL tells it */
		return NULL;
	}
	buf_init(&d->bytes, message_bytes_max());
	claim_init(&d->claim);
	d->log = (struct log){.sink = worker_log, .ctx = d, .level = (enum log_level)config->log_level};
	enum vestibule_error e = VESTIBULE_NOMEM;
	if (copy_config(d, config)) {
		build_topics(d);
		if ((e = make_parts(d, why)) == VESTIBULE_OK) e = open_spool(d, why);
	} else {
		(void)say(why, e, "", vestibule_error_text(e)); /* NULL tells it */
	}
	if (e == VESTIBULE_OK) return d;
	vestibule_device_free(d);
	return NULL;
}

enum vestibule_error vestibule_device_connect(struct vestibule_device *d,
											  struct vestibule_fault *why) {
	(void)pthread_mutex_lock(&d->lock);
	bool before = d->started;
	d->started = true;
	(void)pthread_mutex_unlock(&d->lock);
	if (before) return say(why, VESTIBULE_BUSY, "vestibule_device_connect", "was called before");
	if (worker_start(d) == ERR_NONE) return VESTIBULE_OK;
	(void)pthread_mutex_lock(&d->lock);
	d->started = false;
	(void)pthread_mutex_unlock(&d->lock);
	return say(why, VESTIBULE_NOMEM, "", "no thread could be started");
}

void vestibule_device_free(struct vestibule_device *d) {
	if (!d) return;
	if (d->started) worker_stop(d);
	link_free(d->link);
	pulls_clear(&d->pulls);
	spool_close(d->spool);
	codec_free(d->codec);
	buf_fini(&d->bytes);
	claim_fini(&d->claim);
	for (size_t i = 0; i < DEVICE_STRINGS; i++) {
		if (d->strings[i] && d->strings[i] == d->config.token)
			explicit_bzero(d->strings[i], strlen(d->strings[i]));
		free(d->strings[i]);
	}
	(void)pthread_mutex_destroy(&d->lock); /* nobody holds it any more */
	free(d);
}

void vestibule_device_sleeping(struct vestibule_device *d, bool sleeping) {
	(void)pthread_mutex_lock(&d->lock);
	d->status_due = d->status_due || d->sleeping != sleeping;
	d->sleeping = sleeping;
	(void)pthread_mutex_unlock(&d->lock);
	link_wake(d->link);
}

/* --- events ---------------------------------------------------------------------------------- */

/* What differs between the three events. */
struct draft {
	enum vestibule_kind kind;
	enum vestibule_motion motion;
	uint32_t confidence;
	const struct vestibule_clip *clip;
};

static bool is_synced(enum vestibule_clock clock) {
	if (clock != VESTIBULE_CLOCK_KERNEL) return clock == VESTIBULE_CLOCK_SYNCED;
	struct timex t = {.modes = 0};
	return adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC); /* cannot tell is no */
}

static enum err encode(const struct draft *x, const struct message_head *head, struct buf *out,
					   struct codec_fault *why) {
	if (x->kind == VESTIBULE_RING) return message_ring(head, out, why);
	if (x->kind == VESTIBULE_MOTION)
		return message_motion(head, x->motion, x->confidence, out, why);
	return message_clip(head, x->clip, out, why);
}

static enum vestibule_error keep(struct vestibule_device *d, const struct draft *x,
								 struct message_head *head, struct moment now,
								 struct vestibule_fault *why) {
	struct codec_fault fault = {.field = ""};
	struct buf bytes;
	char text[128];
	buf_init(&bytes, message_bytes_max());
	head->seq = spool_next_seq(d->spool);
	enum err e = encode(x, head, &bytes, &fault);
	enum vestibule_error result = VESTIBULE_OK;
	if (e == ERR_NOMEM) {
		result = say(why, VESTIBULE_NOMEM, "", vestibule_error_text(VESTIBULE_NOMEM));
	} else if (e != ERR_NONE) {
		result = say(why, VESTIBULE_INVALID, fault.field, fault.limit);
	} else if ((e = spool_add(d->spool, x->kind, head, buf_view(&bytes), now)) == ERR_LIMIT) {
		d->status.full++;
		result = say(why, VESTIBULE_FULL, "spool", vestibule_error_text(VESTIBULE_FULL));
	} else if (e != ERR_NONE) {
		result = say(why, VESTIBULE_DISK, "spool_dir", strerror_r(errno, text, sizeof text));
	}
	buf_fini(&bytes);
	return result;
}

static enum vestibule_error spool_event(struct vestibule_device *d, const struct draft *x,
										struct vestibule_event *out, struct vestibule_fault *why) {
	struct moment now = clock_read();
	struct message_head head = {.at_ms = (uint64_t)now.utc_ms,
								.synced = is_synced(d->config.clock)};
	if (!vestibule_new_id(head.event_id))
		return say(why, VESTIBULE_DISK, "", "the system gave no random bytes");
	(void)pthread_mutex_lock(&d->lock);
	enum vestibule_error e = keep(d, x, &head, now, why);
	(void)pthread_mutex_unlock(&d->lock);
	if (e != VESTIBULE_OK) return e;
	link_wake(d->link);
	if (out) {
		memcpy(out->event_id, head.event_id, sizeof out->event_id);
		out->seq = head.seq;
	}
	return VESTIBULE_OK;
}

enum vestibule_error vestibule_device_ring(struct vestibule_device *d, struct vestibule_event *out,
										   struct vestibule_fault *why) {
	return spool_event(d, &(struct draft){.kind = VESTIBULE_RING}, out, why);
}

enum vestibule_error vestibule_device_motion(struct vestibule_device *d, enum vestibule_motion kind,
											 uint32_t confidence, struct vestibule_event *out,
											 struct vestibule_fault *why) {
	struct draft x = {.kind = VESTIBULE_MOTION, .motion = kind, .confidence = confidence};
	return spool_event(d, &x, out, why);
}

enum vestibule_error vestibule_device_clip_ready(struct vestibule_device *d,
												 const struct vestibule_clip *clip,
												 struct vestibule_event *out,
												 struct vestibule_fault *why) {
	return spool_event(d, &(struct draft){.kind = VESTIBULE_CLIP, .clip = clip}, out, why);
}

/* --- the home -------------------------------------------------------------------------------- */

/* The bytes of a claim into out. seq is the next event's and stays so: nothing is acknowledged by
 * it. */
static enum vestibule_error draft_claim(struct vestibule_device *d, const char *username,
										const uint8_t *token_sha256, struct message_head *head,
										struct buf *out, struct vestibule_fault *why) {
	struct codec_fault fault = {.field = ""};
	*head = (struct message_head){.at_ms = (uint64_t)clock_read().utc_ms,
								  .synced = is_synced(d->config.clock),
								  .seq = spool_next_seq(d->spool)};
	if (!vestibule_new_id(head->event_id))
		return say(why, VESTIBULE_DISK, "", "the system gave no random bytes");
	enum err e = message_claim(head, username, token_sha256, out, &fault);
	if (e == ERR_NOMEM) return say(why, VESTIBULE_NOMEM, "", vestibule_error_text(VESTIBULE_NOMEM));
	return e == ERR_NONE ? VESTIBULE_OK : say(why, VESTIBULE_INVALID, fault.field, fault.limit);
}

static enum vestibule_error claim(struct vestibule_device *d, enum vestibule_claim what,
								  const char *username, const uint8_t *token_sha256,
								  struct vestibule_fault *why) {
	struct message_head head;
	struct buf bytes;
	buf_init(&bytes, message_bytes_max());
	(void)pthread_mutex_lock(&d->lock);
	enum vestibule_claim waits = d->claim.is_over ? VESTIBULE_NO_CLAIM : d->claim.what;
	bool busy =
		waits == VESTIBULE_RESET || (waits != VESTIBULE_NO_CLAIM && what != VESTIBULE_RESET);
	enum vestibule_error e =
		busy ? say(why, VESTIBULE_BUSY, "claim", "another one waits for its answer")
			 : draft_claim(d, username, token_sha256, &head, &bytes, why);
	if (e == VESTIBULE_OK) claim_set(&d->claim, what, head.event_id, &bytes);
	(void)pthread_mutex_unlock(&d->lock);
	buf_fini(&bytes);
	if (e == VESTIBULE_OK) link_wake(d->link);
	return e;
}

enum vestibule_error vestibule_device_first_admin(struct vestibule_device *d, const char *username,
												  const uint8_t token_sha256[32],
												  struct vestibule_fault *why) {
	return claim(d, VESTIBULE_FIRST_ADMIN, username ? username : "", token_sha256, why);
}

enum vestibule_error vestibule_device_reset(struct vestibule_device *d,
											struct vestibule_fault *why) {
	return claim(d, VESTIBULE_RESET, NULL, NULL, why);
}

/* --- looking --------------------------------------------------------------------------------- */

void vestibule_device_status(struct vestibule_device *d, struct vestibule_status *out) {
	(void)pthread_mutex_lock(&d->lock);
	const struct spool_counts *c = spool_counts(d->spool);
	*out = d->status;
	out->waiting = (uint32_t)spool_count(d->spool);
	out->waiting_bytes = spool_bytes(d->spool);
	out->seq = spool_next_seq(d->spool) - 1;
	out->acked_seq = d->courier.acked_seq;
	out->sent = d->courier.sent;
	out->stale_rings += c->stale_rings;
	out->dropped_motion = c->dropped_motion;
	out->corrupt = c->corrupt;
	out->disk_errors = c->disk_errors;
	(void)pthread_mutex_unlock(&d->lock);
}

bool vestibule_new_id(uint8_t out[VESTIBULE_ID_BYTES]) {
	uint8_t random[10];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return false;
	uuid_v7(clock_read().utc_ms, random, out);
	return true;
}

void vestibule_id_text(const uint8_t id[VESTIBULE_ID_BYTES], char out[VESTIBULE_ID_TEXT_SIZE]) {
	uuid_text(id, out);
}
