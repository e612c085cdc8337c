/* The storage contract on an S3 bucket: staged uploads here, questions about objects in s3_tasks.c,
 * listings in s3_list.c, the state of the bucket in s3_gate.c. */
#include "clients/relay/backend_s3.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/failpoint.h"
#include "clients/relay/loop.h"
#include "clients/relay/s3_list.h"
#include "clients/relay/s3_tasks.h"
#include "lib/hex.h"

enum { START_WAIT_MS = 5000, START_LOOK_MS = 50 };

enum put_step {
	PUT_SEND = 0, /* nothing was sent that could have arrived */
	PUT_LOOK,     /* an earlier PUT may have arrived: look before sending again */
	PUT_UNDO      /* it arrived in a form that was not wanted */
};

struct backend_upload {
	struct s3_backend *owner;
	struct backend_upload *staged; /* of the staging directory; not one of ours */
	char name[BACKEND_NAME_SIZE];
	uint64_t length;
	char sha256[SIGN_SHA256_SIZE];
	enum put_step step;
	struct s3_call *call;
	bool stored;
};

struct s3_backend {
	struct backend base; /* first: a struct backend * is one of these */
	struct s3_site site;
	const struct moment *now;
	struct loop *loop;
	struct log *log;
	const char *sse;
	struct s3_keys *keys;
	struct s3_http *http;
	struct s3_gate *gate;
	struct s3_tasks *tasks;
	struct s3_list *list;
	struct backend *staging;
};

static struct s3_backend *self(struct backend *b) {
	return (struct s3_backend *)b;
}

static enum backend_result failed(struct s3_backend *s, const char *why) {
	(void)snprintf(s->base.why, sizeof(s->base.why), "%s", why); /* same size */
	return BACKEND_FAILED;
}

/* A result of the staging directory, with its sentence. */
static enum backend_result staged(struct s3_backend *s, enum backend_result r) {
	if (r == BACKEND_FAILED || r == BACKEND_FULL) (void)failed(s, backend_why(s->staging));
	return r;
}

static bool is_the_clip(const struct s3_look *l, uint64_t length, const char *sha256) {
	return l->is_there && l->length == length && strcmp(l->sha256, sha256) == 0;
}

/* --- uploads --- */

static enum backend_result begin(struct backend *b, const struct backend_object *o, uint64_t *held,
								 struct backend_upload **out) {
	struct s3_backend *s = self(b);
	struct s3_look look;
	char sha256[SIGN_SHA256_SIZE];
	enum backend_result r = s3_tasks_look(s->tasks, o->name, &look, s->base.why);
	if (r != BACKEND_DONE) return r;
	hex_encode(span_of(o->sha256, 32), sha256);
	if (is_the_clip(&look, o->length, sha256)) {
		/* staged bytes of an upload that arrived although its answer did not; else the sweep's */
		(void)s->staging->ops->remove(s->staging, o->name);
		return BACKEND_PRESENT;
	}
	if (look.is_there)
		log_line(s->log, LOG_WARN, "object_differs", "object", o->name, (char *)NULL);
	struct backend_upload *up = calloc(1, sizeof(*up));
	if (!up) return failed(s, "no memory");
	*up = (struct backend_upload){.owner = s, .length = o->length};
	memcpy(up->sha256, sha256, sizeof(sha256));
	r = span_copy(span_str(o->name), up->name, sizeof(up->name))
			? staged(s, s->staging->ops->begin(s->staging, o, held, &up->staged))
			: failed(s, "a name that is too long");
	if (r == BACKEND_DONE)
		*out = up;
	else
		free(up);
	return r;
}

static enum backend_result reread(struct backend_upload *up, uint64_t offset, uint8_t *out,
								  size_t len) {
	struct s3_backend *s = up->owner;
	return staged(s, s->staging->ops->reread(up->staged, offset, out, len));
}

static enum backend_result write_bytes(struct backend_upload *up, struct span bytes,
									   size_t *taken) {
	struct s3_backend *s = up->owner;
	return staged(s, s->staging->ops->write(up->staged, bytes, taken));
}

static enum backend_result sync_staged(struct backend_upload *up) {
	struct s3_backend *s = up->owner;
	return staged(s, s->staging->ops->sync(up->staged));
}

static const char *put_method(const struct backend_upload *up) {
	return up->step == PUT_SEND ? "PUT" : up->step == PUT_LOOK ? "HEAD" : "DELETE";
}

static void put_start(struct backend_upload *up) {
	struct s3_ask ask = {.method = put_method(up), .name = up->name, .fd = -1};
	if (up->step == PUT_SEND) {
		ask.fd = backend_dir_fd(up->staged);
		ask.length = up->length;
		ask.sha256 = up->sha256;
	}
	up->call = s3_http_start(up->owner->http, &ask);
	if (up->step == PUT_SEND) (void)failpoint_hit("s3-put-sent");
}

static enum backend_result put_fine(struct backend_upload *up, const struct s3_reply *r) {
	struct s3_backend *s = up->owner;
	struct s3_look look;
	switch (up->step) {
	case PUT_LOOK:
		s3_tasks_read_look(r, &look);
		up->stored = is_the_clip(&look, up->length, up->sha256);
		up->step = PUT_SEND;
		break;
	case PUT_UNDO: return failed(s, "the storage did not encrypt the object, it was deleted again");
	case PUT_SEND:
		(void)failpoint_hit("s3-put-answered");
		if (r->is_version) s3_gate_saw_version(s->gate);
		up->stored = !s->sse || r->is_encrypted;
		if (!up->stored) up->step = PUT_UNDO;
		break;
	}
	return up->stored ? BACKEND_DONE : BACKEND_AGAIN;
}

static enum backend_result put_answered(struct backend_upload *up, const struct s3_reply *r) {
	struct s3_backend *s = up->owner;
	enum s3_verdict v = s3_fault_judge(r);
	char why[S3_FAULT_WHY_SIZE];
	bool is_missing = v == S3_MISSING && up->step != PUT_SEND;
	if (v == S3_FINE || is_missing) {
		s3_gate_fine(s->gate, put_method(up));
		return put_fine(up, r);
	}
	if (v == S3_LATER || v == S3_MISSING) {
		s3_fault_why(r, &s->site, why);
		return failed(s, why); /* the job begins anew, with a look */
	}
	s3_gate_fault(s->gate, put_method(up), r);
	if (up->step == PUT_SEND) up->step = PUT_LOOK;
	return BACKEND_AGAIN;
}

/* Everything is staged and right: now it may be seen. */
static enum backend_result commit(struct backend_upload *up) {
	struct s3_backend *s = up->owner;
	struct s3_reply r;
	if (up->stored) return BACKEND_DONE;
	if (!up->call && s3_gate_is_open(s->gate)) put_start(up);
	if (!up->call || !s3_http_reply(up->call, &r)) return BACKEND_AGAIN;
	struct s3_call *ended = up->call;
	up->call = NULL;
	enum backend_result result = put_answered(up, &r);
	s3_http_end(ended);
	return result;
}

static void end(struct backend_upload *up, bool keep) {
	if (!up) return;
	s3_http_end(up->call);
	up->owner->staging->ops->end(up->staged, keep && !up->stored);
	free(up);
}

/* --- objects --- */

static enum backend_result remove_object(struct backend *b, const char *name) {
	struct s3_backend *s = self(b);
	enum backend_result r = staged(s, s->staging->ops->remove(s->staging, name));
	enum backend_result gone = s3_tasks_remove(s->tasks, name, s->base.why);
	return r == BACKEND_DONE ? gone : r;
}

static enum backend_result stat_object(struct backend *b, const char *name, uint64_t *length) {
	struct s3_backend *s = self(b);
	struct s3_look look;
	enum backend_result r = s3_tasks_look(s->tasks, name, &look, s->base.why);
	if (r != BACKEND_DONE) return r;
	if (!look.is_there) return BACKEND_ABSENT;
	*length = look.length;
	return BACKEND_DONE;
}

static enum backend_result make_link(struct backend *b, const char *name, int64_t expires_ms,
									 struct buf *url) {
	struct s3_backend *s = self(b);
	if (!s3_gate_is_open(s->gate)) return failed(s, s3_gate_why(s->gate));
	enum err e = s3_http_link(s->http, name, expires_ms / 1000, url);
	if (e == ERR_NONE) return BACKEND_DONE;
	return failed(s, e == ERR_LIMIT ? "the link is too long: a session token of this size does not "
									  "fit into links"
									: "the link could not be made");
}

static enum backend_result list(struct backend *b, struct moment now, backend_name_fn *fn,
								void *ctx) {
	struct s3_backend *s = self(b);
	if (!s3_list_is_running(s->list)) {
		enum backend_result r = staged(s, s->staging->ops->list(s->staging, now, fn, ctx));
		if (r != BACKEND_DONE) return r;
	}
	return s3_list_step(s->list, fn, ctx, s->base.why);
}

/* --- life --- */

static void run(void *ctx, short revents) {
	struct s3_backend *s = ctx;
	(void)revents; /* there is no descriptor of ours: curl's are in its own multi */
	s3_http_turn(s->http);
	s3_gate_turn(s->gate);
	s3_tasks_turn(s->tasks);
}

static int wait_ms(void *ctx) {
	return s3_gate_wait_ms(((struct s3_backend *)ctx)->gate);
}

static void s3_free(struct backend *b) {
	struct s3_backend *s = self(b);
	loop_remove(s->loop, s);
	s3_list_free(s->list);
	s3_tasks_free(s->tasks);
	s3_gate_free(s->gate);
	s3_http_free(s->http);
	s3_keys_free(s->keys);
	if (s->staging) s->staging->ops->free(s->staging);
	free(s);
}

static const struct backend_ops s3_ops = {
	.begin = begin,
	.reread = reread,
	.write = write_bytes,
	.sync = sync_staged,
	.commit = commit,
	.end = end,
	.remove = remove_object,
	.stat = stat_object,
	.link = make_link,
	.list = list,
	.free = s3_free,
};

static bool wrong(char why[BACKEND_WHY_SIZE], const char *text) {
	(void)snprintf(why, BACKEND_WHY_SIZE, "%s", text); /* cut is fine */
	return false;
}

static bool parse_site(const struct backend_s3_opts *o, struct s3_site *site,
					   char why[BACKEND_WHY_SIZE]) {
	struct s3_site_opts s = {o->storage, o->endpoint, o->region, o->style};
	return s3_site_parse(site, &s, why);
}

bool backend_s3_check(const struct backend_s3_opts *o, char why[BACKEND_WHY_SIZE]) {
	struct s3_site site;
	if (!parse_site(o, &site, why)) return false;
	if (!o->credentials) return wrong(why, "s3-credentials: needed");
	if (o->sse && strcmp(o->sse, "AES256") != 0 && strcmp(o->sse, "aws:kms") != 0)
		return wrong(why, "s3-sse: AES256 or aws:kms needed");
	char cause[S3_KEYS_WHY_SIZE];
	struct s3_keys *keys = s3_keys_new(o->credentials, cause);
	if (!keys) (void)snprintf(why, BACKEND_WHY_SIZE, "s3-credentials: %.200s", cause); /* fits */
	s3_keys_free(keys);
	return keys != NULL;
}

static bool open_staging(struct s3_backend *s, const char *path, char why[BACKEND_WHY_SIZE]) {
	struct backend_dir_opts dir = {.path = path, .now = s->now, .loop = s->loop, .log = s->log};
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		(void)snprintf(why, BACKEND_WHY_SIZE, "staging directory %s: %s", path,
					   strerror(errno)); /* cut is fine */
		return false;
	}
	s->staging = backend_dir_new(&dir, why);
	return s->staging != NULL;
}

static bool make_parts(struct s3_backend *s, const struct backend_s3_opts *o,
					   char why[BACKEND_WHY_SIZE]) {
	struct loop_source source = {.wait_ms = wait_ms, .run = run, .ctx = s};
	if (!parse_site(o, &s->site, why)) return false;
	s->keys = s3_keys_new(o->credentials, why);
	if (!s->keys || !open_staging(s, o->staging, why)) return false;
	(void)wrong(why, "no memory");
	struct s3_http_opts http = {.multi = loop_multi(o->loop),
								.site = &s->site,
								.keys = s->keys,
								.cafile = o->cafile,
								.sse = o->sse,
								.now = o->now};
	s->http = s3_http_new(&http);
	struct s3_gate_opts gate = {.http = s->http,
								.site = &s->site,
								.keys = s->keys,
								.log = o->log,
								.now = o->now,
								.allow_versioned = o->allow_versioned};
	s->gate = s->http ? s3_gate_new(&gate) : NULL;
	s->tasks = s->gate ? s3_tasks_new(s->http, s->gate, o->now) : NULL;
	s->list = s->gate ? s3_list_new(s->http, s->gate) : NULL;
	return s->tasks && s->list && loop_add(o->loop, &source) == ERR_NONE;
}

/* Until the first probe has ended, or a server that does not answer has had its time. */
static bool first_probe(struct s3_backend *s, char why[BACKEND_WHY_SIZE]) {
	CURLM *multi = loop_multi(s->loop);
	int64_t end_ms = clock_read().boot_ms + START_WAIT_MS;
	int running = 0;
	while (!s3_gate_is_known(s->gate) && clock_read().boot_ms < end_ms) {
		run(s, 0);
		if (curl_multi_poll(multi, NULL, 0, START_LOOK_MS, NULL) != CURLM_OK ||
			curl_multi_perform(multi, &running) != CURLM_OK)
			return wrong(why, "curl does not work");
	}
	if (!s->site.is_https)
		log_line(s->log, LOG_WARN, "storage_plain", "why",
				 "http: links and clips can be read on the way; for this machine only",
				 (char *)NULL);
	return !s3_gate_is_refused(s->gate) || wrong(why, s3_gate_why(s->gate));
}

struct backend *backend_s3_new(const struct backend_s3_opts *o, char why[BACKEND_WHY_SIZE]) {
	struct s3_backend *s = calloc(1, sizeof(*s));
	if (!s) {
		(void)wrong(why, "no memory");
		return NULL;
	}
	s->base.ops = &s3_ops;
	s->base.settle_ms = o->settle_ms;
	s->now = o->now;
	s->loop = o->loop;
	s->log = o->log;
	s->sse = o->sse;
	if (make_parts(s, o, why) && first_probe(s, why)) return &s->base;
	s3_free(&s->base);
	return NULL;
}
