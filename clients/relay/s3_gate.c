/* One probe after the other, and what it found. A request that fails although the probe succeeds
 * (a right that is lacking for PUT alone) leaves the bucket `proving`: requests are let through
 * again after the back-off, and it counts as mended when one of that method works. */
#include "clients/relay/s3_gate.h"

#include <sys/random.h>

#include "clients/relay/retry.h"
#include "clients/relay/s3_text.h"

enum phase { PHASE_LIST = 0, PHASE_VERSIONING, PHASE_LOCK };

struct s3_gate {
	struct s3_gate_opts o;
	struct s3_call *call; /* the probe that runs */
	enum phase phase;
	int64_t due_ms; /* boot time of the next probe */
	uint32_t attempts;
	bool open, known, refused, versioned, proving, was_ready;
	char fault_method[8];
	char hunch[S3_FAULT_WHY_SIZE]; /* what a request met, until the probe has looked itself */
	char told[S3_FAULT_WHY_SIZE];  /* the last alarm; empty: none stands */
};

struct s3_gate *s3_gate_new(const struct s3_gate_opts *o) {
	struct s3_gate *g = calloc(1, sizeof(*g));
	if (g) g->o = *o;
	return g;
}

void s3_gate_free(struct s3_gate *g) {
	if (!g) return;
	s3_http_end(g->call);
	free(g);
}

bool s3_gate_is_open(const struct s3_gate *g) {
	return g->open;
}

bool s3_gate_is_known(const struct s3_gate *g) {
	return g->known;
}

bool s3_gate_is_refused(const struct s3_gate *g) {
	return g->refused;
}

bool s3_gate_is_versioned(const struct s3_gate *g) {
	return g->versioned;
}

const struct s3_site *s3_gate_site(const struct s3_gate *g) {
	return g->o.site;
}

const char *s3_gate_why(const struct s3_gate *g) {
	return g->told;
}

/* --- telling --- */

static void tell(struct s3_gate *g, const char *why) {
	if (strcmp(g->told, why) == 0) return;
	log_line(g->o.log, LOG_ERROR, "storage_paused", "why", why, (char *)NULL);
	(void)snprintf(g->told, sizeof(g->told), "%s", why); /* same size */
}

static void tell_ready(struct s3_gate *g) {
	bool news = g->told[0] || !g->was_ready;
	g->attempts = 0;
	g->told[0] = '\0';
	g->was_ready = true;
	if (news)
		log_line(g->o.log, LOG_INFO, "storage_ready", "bucket", g->o.site->bucket, "versioned",
				 g->versioned ? "yes" : "no", (char *)NULL);
}

static void take_clock(struct s3_gate *g, const struct s3_reply *r) {
	char seconds[24];
	int64_t offset_s = r->date_s - r->asked_s + s3_http_offset(g->o.http);
	s3_http_set_offset(g->o.http, offset_s);
	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)offset_s); /* fits */
	log_line(g->o.log, LOG_ERROR, "storage_clock", "why",
			 "the clocks of storage and relay differ: signing with the storage's time", "ahead_s",
			 seconds, (char *)NULL);
}

static void back_off(struct s3_gate *g) {
	uint32_t random = UINT32_MAX;
	/* without random bytes the wait is the whole ceiling, which is safe */
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) random = UINT32_MAX;
	g->due_ms = g->o.now->boot_ms + retry_delay_ms(g->attempts, RETRY_DELETE_MS, random);
	if (g->attempts < UINT32_MAX) g->attempts++;
}

/* --- what requests met --- */

void s3_gate_shut(struct s3_gate *g, const char *method, const char *why) {
	(void)snprintf(g->hunch, sizeof(g->hunch), "%s", why);                  /* cut is fine */
	(void)snprintf(g->fault_method, sizeof(g->fault_method), "%s", method); /* fits */
	if (!g->open) return;
	g->open = false;
	g->due_ms = g->o.now->boot_ms;
	if (g->proving) back_off(g);
}

void s3_gate_fault(struct s3_gate *g, const char *method, const struct s3_reply *r) {
	char why[S3_FAULT_WHY_SIZE];
	if (s3_fault_judge(r) == S3_SKEWED) {
		take_clock(g, r);
		return;
	}
	if (r->status == 403) (void)s3_keys_refresh(g->o.keys, true, why); /* told if it goes on */
	s3_fault_why(r, g->o.site, why);
	s3_gate_shut(g, method, why);
}

void s3_gate_fine(struct s3_gate *g, const char *method) {
	if (!g->proving || strcmp(method, g->fault_method) != 0) return;
	g->proving = false;
	tell_ready(g);
}

void s3_gate_saw_version(struct s3_gate *g) {
	if (g->versioned) return;
	g->versioned = true;
	log_line(g->o.log, LOG_ERROR, "storage_versioned", "why",
			 "the bucket has become versioned: every version of a clip will be deleted, and the "
			 "relay will not start again without --s3-allow-versioned",
			 (char *)NULL);
}

/* --- the probe --- */

static void start_probe(struct s3_gate *g, enum phase phase) {
	const struct sign_pair list[] = {
		{"list-type", "2"}, {"max-keys", "1"}, {"prefix", g->o.site->prefix}};
	const struct sign_pair versioning[] = {{"versioning", ""}};
	const struct sign_pair lock[] = {{"object-lock", ""}};
	struct s3_ask ask = {.method = "GET", .fd = -1};
	ask.params = phase == PHASE_LIST ? list : phase == PHASE_VERSIONING ? versioning : lock;
	ask.param_count = phase == PHASE_LIST ? 3 : 1;
	g->phase = phase;
	g->call = s3_http_start(g->o.http, &ask);
	if (!g->call) back_off(g);
}

static void probe_failed(struct s3_gate *g, const char *why) {
	g->hunch[0] = '\0'; /* this is the better reason */
	g->known = true;
	tell(g, why);
	back_off(g);
}

static void refuse(struct s3_gate *g, const char *text) {
	char why[S3_FAULT_WHY_SIZE];
	(void)snprintf(why, sizeof(why), "bucket %s %s", g->o.site->bucket, text); /* fits */
	g->refused = true;
	probe_failed(g, why);
}

static void probe_done(struct s3_gate *g) {
	g->known = true;
	g->refused = false;
	if (g->hunch[0]) {
		tell(g, g->hunch);
		g->hunch[0] = '\0';
		g->proving = true;
		back_off(g);
		return;
	}
	g->open = true;
	if (!g->proving) tell_ready(g);
}

/* A server that does not know the question has nothing of the kind. */
static bool is_unknown_question(const struct s3_reply *r) {
	return r->curl == CURLE_OK && (r->status == 404 || r->status == 405 || r->status == 501) &&
		   strcmp(r->code, "NoSuchBucket") != 0;
}

static void saw_list(struct s3_gate *g, const struct s3_reply *r) {
	char why[S3_FAULT_WHY_SIZE];
	if (s3_text_has(r->body, "ListBucketResult")) {
		start_probe(g, PHASE_VERSIONING);
		return;
	}
	(void)snprintf(why, sizeof(why), "bucket %s: the server does not answer as S3 does",
				   g->o.site->bucket); /* fits */
	probe_failed(g, why);
}

static void saw_versioning(struct s3_gate *g, const struct s3_reply *r) {
	bool ever =
		s3_text_is(r->body, "Status", "Enabled") || s3_text_is(r->body, "Status", "Suspended");
	g->versioned = !is_unknown_question(r) && ever;
	if (!g->versioned)
		probe_done(g);
	else if (!g->o.allow_versioned)
		refuse(g, "is versioned, so deleted clips would stay readable by version: use another "
				  "bucket, or --s3-allow-versioned to have every version deleted");
	else
		start_probe(g, PHASE_LOCK);
}

static void saw_lock(struct s3_gate *g, const struct s3_reply *r) {
	bool compliance = s3_text_is(r->body, "Mode", "COMPLIANCE");
	if (is_unknown_question(r) || !s3_text_has(r->body, "Mode"))
		probe_done(g);
	else
		refuse(g, compliance ? "locks objects (COMPLIANCE), so nothing could be deleted in time"
							 : "locks objects by default, so nothing could be deleted in time");
}

static void probe_ended(struct s3_gate *g, const struct s3_reply *r) {
	char why[S3_FAULT_WHY_SIZE];
	enum s3_verdict v = s3_fault_judge(r);
	if (v == S3_SKEWED) {
		take_clock(g, r);
		g->hunch[0] = '\0'; /* most likely the clock was it */
		g->due_ms = g->o.now->boot_ms;
		return;
	}
	bool answers = v == S3_FINE || (g->phase != PHASE_LIST && is_unknown_question(r));
	if (!answers) {
		if (r->status == 403) (void)s3_keys_refresh(g->o.keys, true, why); /* told if it goes on */
		s3_fault_why(r, g->o.site, why);
		probe_failed(g, why);
		return;
	}
	if (g->phase == PHASE_LIST)
		saw_list(g, r);
	else if (g->phase == PHASE_VERSIONING)
		saw_versioning(g, r);
	else
		saw_lock(g, r);
}

void s3_gate_turn(struct s3_gate *g) {
	struct s3_reply r;
	if (g->call && s3_http_reply(g->call, &r)) {
		struct s3_call *ended = g->call;
		g->call = NULL;
		probe_ended(g, &r); /* may start the next one */
		s3_http_end(ended);
	}
	if (!g->open && !g->call && g->o.now->boot_ms >= g->due_ms) start_probe(g, PHASE_LIST);
}

int s3_gate_wait_ms(const struct s3_gate *g) {
	int64_t wait = g->due_ms - g->o.now->boot_ms;
	if (g->open || g->call) return 1000;
	return wait <= 0 ? 0 : wait > 1000 ? 1000 : (int)wait;
}
