/* The table of running questions and the steps of each. */
#include "clients/relay/s3_tasks.h"

#include "lib/failpoint.h"
#include "clients/relay/s3_text.h"

enum {
	VERSION_SIZE = 1025,
	VERSIONS_PAGE = 100,
	FETCHED_WITHIN_MS = 1500 /* those who ask look more often */
};

enum kind { KIND_FREE = 0, KIND_LOOK, KIND_REMOVE };

enum step { STEP_DELETE = 0, STEP_VERSIONS, STEP_DELETE_VERSION, STEP_LOOK };

struct task {
	enum kind kind;
	enum step step; /* to be started, or running when call is set */
	char name[BACKEND_NAME_SIZE];
	struct s3_call *call;
	bool done;
	enum backend_result result; /* when done */
	int64_t touched_ms;         /* boot time: put or answered last */
	struct s3_look look;
	char version[VERSION_SIZE];
	char why[BACKEND_WHY_SIZE];
};

struct s3_tasks {
	struct s3_http *http;
	struct s3_gate *gate;
	const struct moment *now;
	struct task tasks[S3_TASKS_MAX];
};

struct s3_tasks *s3_tasks_new(struct s3_http *http, struct s3_gate *gate,
							  const struct moment *now) {
	struct s3_tasks *t = calloc(1, sizeof(*t));
	if (t) *t = (struct s3_tasks){.http = http, .gate = gate, .now = now};
	return t;
}

static void forget(struct task *k) {
	s3_http_end(k->call);
	*k = (struct task){.kind = KIND_FREE};
}

void s3_tasks_free(struct s3_tasks *t) {
	if (!t) return;
	for (size_t i = 0; i < S3_TASKS_MAX; i++) forget(&t->tasks[i]);
	free(t);
}

void s3_tasks_read_look(const struct s3_reply *r, struct s3_look *out) {
	*out = (struct s3_look){.is_there = s3_fault_judge(r) == S3_FINE, .length = r->length};
	if (out->is_there) memcpy(out->sha256, r->sha256, sizeof(out->sha256));
}

/* --- steps --- */

static const char *method_of(const struct task *k) {
	if (k->step == STEP_LOOK) return "HEAD";
	return k->step == STEP_VERSIONS ? "GET" : "DELETE";
}

static void start_versions(struct s3_tasks *t, struct task *k) {
	const char *prefix = s3_gate_site(t->gate)->prefix;
	char key[S3_SITE_PREFIX_SIZE + BACKEND_NAME_SIZE], page[16];
	(void)snprintf(key, sizeof(key), "%s%s", prefix, k->name);    /* fits */
	(void)snprintf(page, sizeof(page), "%d", (int)VERSIONS_PAGE); /* fits */
	const struct sign_pair params[] = {{"versions", ""}, {"prefix", key}, {"max-keys", page}};
	struct s3_ask ask = {.method = "GET", .params = params, .param_count = 3, .fd = -1};
	k->call = s3_http_start(t->http, &ask);
}

/* NULL call afterwards: no memory; the next turn tries again. */
static void start(struct s3_tasks *t, struct task *k) {
	const struct sign_pair version[] = {{"versionId", k->version}};
	struct s3_ask ask = {.method = method_of(k), .name = k->name, .fd = -1};
	if (k->step == STEP_VERSIONS) {
		start_versions(t, k);
		return;
	}
	if (k->step == STEP_DELETE_VERSION) {
		ask.params = version;
		ask.param_count = 1;
	}
	if (k->kind == KIND_REMOVE) (void)failpoint_hit("s3-delete-sent");
	k->call = s3_http_start(t->http, &ask);
}

static void finish(struct s3_tasks *t, struct task *k, enum backend_result r, const char *why) {
	k->done = true;
	k->result = r;
	k->touched_ms = t->now->boot_ms;
	(void)snprintf(k->why, sizeof(k->why), "%s", why); /* same size */
}

static void saw_look(struct s3_tasks *t, struct task *k, const struct s3_reply *r) {
	s3_tasks_read_look(r, &k->look);
	if (k->kind == KIND_REMOVE && k->look.is_there)
		finish(t, k, BACKEND_FAILED, "the object is still there after it was deleted");
	else
		finish(t, k, BACKEND_DONE, "");
}

/* The oldest version of exactly this object: the last that is listed. */
static void saw_versions(struct s3_tasks *t, struct task *k, const struct s3_reply *r) {
	struct span rest = r->body;
	struct s3_text_version v;
	struct span name = span_str(k->name);
	bool fits = true;
	k->version[0] = '\0';
	while (s3_text_version(&rest, &v)) {
		struct span end =
			span_drop(v.key, v.key.len - (v.key.len < name.len ? v.key.len : name.len));
		if (span_eq(end, name)) fits = span_copy(v.id, k->version, sizeof(k->version));
	}
	if (!fits)
		finish(t, k, BACKEND_FAILED, "a version id that is too long");
	else
		k->step = k->version[0] ? STEP_DELETE_VERSION : STEP_LOOK;
}

static void saw_answer(struct s3_tasks *t, struct task *k, const struct s3_reply *r) {
	switch (k->step) {
	case STEP_LOOK: saw_look(t, k, r); break;
	case STEP_VERSIONS: saw_versions(t, k, r); break;
	case STEP_DELETE_VERSION: k->step = STEP_VERSIONS; break;
	case STEP_DELETE:
		(void)failpoint_hit("s3-delete-answered");
		if (r->is_version) s3_gate_saw_version(t->gate);
		k->step = r->is_version ? STEP_VERSIONS : STEP_LOOK;
		break;
	}
}

static void answered(struct s3_tasks *t, struct task *k, const struct s3_reply *r) {
	enum s3_verdict v = s3_fault_judge(r);
	char why[S3_FAULT_WHY_SIZE];
	if (v == S3_FINE || v == S3_MISSING) {
		s3_gate_fine(t->gate, method_of(k));
		saw_answer(t, k, r);
	} else if (v == S3_LATER) {
		s3_fault_why(r, s3_gate_site(t->gate), why);
		finish(t, k, BACKEND_FAILED, why);
	} else { /* the step is begun again when the gate is open */
		s3_gate_fault(t->gate, method_of(k), r);
	}
}

static void step(struct s3_tasks *t, struct task *k) {
	struct s3_reply r;
	if (!k->call && s3_gate_is_open(t->gate)) start(t, k);
	if (!k->call || !s3_http_reply(k->call, &r)) return;
	struct s3_call *ended = k->call;
	k->call = NULL;
	answered(t, k, &r);
	s3_http_end(ended);
	if (!k->done && !k->call && s3_gate_is_open(t->gate)) start(t, k);
}

void s3_tasks_turn(struct s3_tasks *t) {
	for (size_t i = 0; i < S3_TASKS_MAX; i++) {
		struct task *k = &t->tasks[i];
		if (k->kind && !k->done) step(t, k);
		bool idle = k->done || !k->call;
		if (k->kind && idle && t->now->boot_ms - k->touched_ms > S3_TASKS_KEPT_MS) forget(k);
	}
}

/* --- putting a question --- */

static struct task *find(struct s3_tasks *t, enum kind kind, const char *name) {
	for (size_t i = 0; i < S3_TASKS_MAX; i++) {
		struct task *k = &t->tasks[i];
		if (k->kind == kind && strcmp(k->name, name) == 0) return k;
	}
	return NULL;
}

/* A place: a free one, or that of an answer which whoever asked would have fetched by now. */
static struct task *free_place(struct s3_tasks *t) {
	for (size_t i = 0; i < S3_TASKS_MAX; i++) {
		struct task *k = &t->tasks[i];
		if (k->done && t->now->boot_ms - k->touched_ms > FETCHED_WITHIN_MS) forget(k);
		if (k->kind == KIND_FREE) return k;
	}
	return NULL;
}

static struct task *begin(struct s3_tasks *t, enum kind kind, const char *name) {
	struct task *k = free_place(t);
	if (!k || !span_copy(span_str(name), k->name, sizeof(k->name))) return NULL;
	k->kind = kind;
	k->step = STEP_DELETE;
	if (kind == KIND_LOOK)
		k->step = STEP_LOOK;
	else if (s3_gate_is_versioned(t->gate))
		k->step = STEP_VERSIONS;
	return k;
}

static struct task *find_or_begin(struct s3_tasks *t, enum kind kind, const char *name) {
	struct task *k = find(t, kind, name);
	if (k && k->done && t->now->boot_ms - k->touched_ms > S3_TASKS_FRESH_MS) {
		forget(k);
		k = NULL;
	}
	if (!k) k = begin(t, kind, name);
	if (!k || k->done) return k;
	k->touched_ms = t->now->boot_ms;
	if (!k->call) step(t, k);
	return k;
}

enum backend_result s3_tasks_look(struct s3_tasks *t, const char *name, struct s3_look *out,
								  char why[BACKEND_WHY_SIZE]) {
	struct task *k = find_or_begin(t, KIND_LOOK, name);
	if (!k || !k->done) return BACKEND_AGAIN;
	enum backend_result r = k->result;
	*out = k->look;
	if (r == BACKEND_FAILED) memcpy(why, k->why, sizeof(k->why));
	forget(k);
	return r;
}

enum backend_result s3_tasks_remove(struct s3_tasks *t, const char *name,
									char why[BACKEND_WHY_SIZE]) {
	struct task *before = find(t, KIND_LOOK, name);
	struct task *k = find_or_begin(t, KIND_REMOVE, name);
	if (before) forget(before); /* it would tell of a time before the removal */
	if (!k || !k->done) return BACKEND_AGAIN;
	enum backend_result r = k->result;
	if (r == BACKEND_DONE) {
		k->kind = KIND_LOOK; /* what it saw last answers the look that follows */
		return r;
	}
	memcpy(why, k->why, sizeof(k->why));
	forget(k);
	return r;
}
