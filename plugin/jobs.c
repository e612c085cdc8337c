/* See jobs.h. */
#include "plugin/jobs.h"

#include "lib/table.h"

/* When a job was told. Kept until its row is gone. */
struct told {
	char id[ROW_UUID_SIZE];
	char relay[ROW_ID_SIZE];
	int64_t next_boot_ms;
	int64_t pause_ms;
};

struct jobs {
	struct table copies, others; /* what was told; copies are few: JOBS_COPY_OPEN a relay */
	int64_t next_pass_boot_ms;
	size_t link_count;
	struct jobs_link links[JOBS_LINKS_MAX]; /* by deadline */
};

struct jobs *jobs_new(uint64_t seed0, uint64_t seed1) {
	struct jobs *j = calloc(1, sizeof(*j));
	if (!j) return NULL;
	table_init(&j->copies, seed0, seed1);
	table_init(&j->others, seed1, seed0);
	return j;
}

void jobs_free(struct jobs *j) {
	if (!j) return;
	struct table *both[] = {&j->copies, &j->others};
	for (size_t i = 0; i < 2; i++) {
		size_t at = 0;
		for (void *t; (t = table_next(both[i], &at));) free(t);
		table_fini(both[i]);
	}
	free(j);
}

/* --- which jobs are due --- */

static size_t open_copies(const struct jobs *j, const struct state *st, struct span relay) {
	size_t n = 0, at = 0;
	for (const struct told *t; (t = table_next(&j->copies, &at));) {
		if (span_eq(span_str(t->relay), relay) && state_job(st, span_str(t->id))) n++;
	}
	return n;
}

static bool may_start(const struct jobs *j, const struct state *st, const struct compose *c,
					  const struct row_job *job) {
	if (job->kind != JOB_COPY) return true;
	const struct row_delivery *d = state_delivery(st, span_str(job->delivery));
	const struct row_grant *g = d ? state_grant(st, span_str(d->grant)) : NULL;
	if (!g || !compose_is_online(c, g->device)) return false;
	return table_get(&j->copies, span_str(job->id)) ||
		   open_copies(j, st, span_str(job->relay)) < JOBS_COPY_OPEN;
}

static struct told *need_told(struct jobs *j, const struct row_job *job) {
	struct table *table = job->kind == JOB_COPY ? &j->copies : &j->others;
	struct told *t = table_get(table, span_str(job->id));
	if (t) return t;
	t = calloc(1, sizeof(*t));
	if (!t) return NULL;
	memcpy(t->id, job->id, sizeof(t->id));
	memcpy(t->relay, job->relay, sizeof(t->relay));
	if (table_put(table, span_str(t->id), t, NULL) != ERR_NONE) {
		free(t);
		return NULL;
	}
	return t;
}

bool jobs_issue(struct jobs *j, const struct state *st, const struct compose *c,
				const struct row_job *job, struct moment now) {
	if (!may_start(j, st, c, job)) return false;
	struct told *t = need_told(j, job);
	if (!t || now.boot_ms < t->next_boot_ms) return false;
	t->pause_ms = t->pause_ms ? t->pause_ms * 2 : JOBS_AGAIN_MS;
	if (t->pause_ms > JOBS_AGAIN_MAX_MS) t->pause_ms = JOBS_AGAIN_MAX_MS;
	t->next_boot_ms = now.boot_ms + t->pause_ms;
	return true;
}

static void restart(const struct table *table, struct span relay) {
	size_t at = 0;
	for (struct told *t; (t = table_next(table, &at));) {
		if (!span_eq(span_str(t->relay), relay)) continue;
		t->next_boot_ms = 0;
		t->pause_ms = 0;
	}
}

void jobs_restart(struct jobs *j, struct span relay) {
	restart(&j->copies, relay);
	restart(&j->others, relay);
}

static void forget_done(struct table *table, const struct state *st) {
	enum { AT_ONCE = 256 };
	struct told *done[AT_ONCE]; /* a table must not change while it is walked */
	size_t n = 0, at = 0;
	for (struct told *t; n < AT_ONCE && (t = table_next(table, &at));) {
		if (!state_job(st, span_str(t->id))) done[n++] = t;
	}
	for (size_t i = 0; i < n; i++) free(table_del(table, span_str(done[i]->id)));
}

static bool is_connected(const struct state *st, const struct sessions *sessions,
						 const char *relay) {
	const struct row *r = state_child(st, ROW_CREDENTIAL, 0, span_str(relay), NULL);
	for (; r; r = state_child(st, ROW_CREDENTIAL, 0, span_str(relay), r)) {
		const struct row_credential *cred = (const struct row_credential *)r;
		if (cred->kind == CRED_RELAY && sessions_online(sessions, span_str(cred->username)))
			return true;
	}
	return false;
}

static void pass_relay(struct jobs *j, const struct jobs_world *w, struct span relay, bool copies) {
	const struct row *r = state_child(w->st, ROW_JOB, 0, relay, NULL);
	for (; r; r = state_child(w->st, ROW_JOB, 0, relay, r)) {
		const struct row_job *job = (const struct row_job *)r;
		if ((job->kind == JOB_COPY) != copies || !state_durable(w->st, r)) continue;
		if (jobs_issue(j, w->st, w->compose, job, w->now)) w->tell(w->ctx, job);
	}
}

void jobs_pass(struct jobs *j, const struct jobs_world *w, bool hurry) {
	if (!hurry && w->now.boot_ms < j->next_pass_boot_ms) return;
	j->next_pass_boot_ms = w->now.boot_ms + JOBS_PASS_MS;
	forget_done(&j->copies, w->st);
	forget_done(&j->others, w->st);
	for (const struct row *r = state_each(w->st, ROW_RELAY, NULL); r;
		 r = state_each(w->st, ROW_RELAY, r)) {
		const char *id = ((const struct row_relay *)r)->id;
		if (!is_connected(w->st, w->sessions, id)) continue;
		pass_relay(j, w, span_str(id), false); /* purges first */
		pass_relay(j, w, span_str(id), true);
	}
}

/* --- links --- */

static void remove_at(struct jobs *j, size_t i) {
	explicit_bzero(&j->links[i], sizeof(j->links[i]));
	memmove(&j->links[i], &j->links[i + 1], (j->link_count - i - 1) * sizeof(j->links[0]));
	j->link_count--;
}

bool jobs_link_add(struct jobs *j, const struct jobs_link *link, struct jobs_link *lost) {
	bool full = j->link_count == JOBS_LINKS_MAX;
	if (full) {
		*lost = j->links[0];
		remove_at(j, 0);
	}
	j->links[j->link_count++] =
		*link; /* every link waits equally long: the order is that of arrival */
	return full;
}

bool jobs_link_take(struct jobs *j, struct span relay, const uint8_t job_id[16],
					struct jobs_link *out) {
	for (size_t i = 0; i < j->link_count; i++) {
		const struct jobs_link *l = &j->links[i];
		if (!l->relay[0] || !span_eq(span_str(l->relay), relay) ||
			memcmp(l->job_id, job_id, 16) != 0)
			continue;
		*out = *l;
		remove_at(j, i);
		return true;
	}
	return false;
}

bool jobs_link_expired(struct jobs *j, struct moment now, struct jobs_link *out) {
	if (j->link_count == 0 || now.boot_ms < j->links[0].deadline_boot_ms) return false;
	*out = j->links[0];
	remove_at(j, 0);
	return true;
}

void jobs_link_back(struct jobs *j, const struct jobs_link *link) {
	if (!ENSURE(j->link_count < JOBS_LINKS_MAX)) return; /* its place was just freed */
	size_t i = j->link_count;
	while (i > 0 && j->links[i - 1].deadline_boot_ms > link->deadline_boot_ms) i--;
	memmove(&j->links[i + 1], &j->links[i], (j->link_count - i) * sizeof(j->links[0]));
	j->links[i] = *link;
	j->links[i].relay[0] = '\0'; /* no second report counts */
	j->link_count++;
}
