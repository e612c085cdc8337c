/* The outbox: what was promised is still there after a crash, DELETED stays DELETED, and every job
 * is answered by the state of its object and by nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "clients/relay/outbox.h"
#include "clients/relay/retry.h"
#include "vestibule/v1/relay.pb-c.h"

#define NAME "00000000000000000000000000000001"
enum {
	COPY = VESTIBULE__V1__JOB_KIND__JOB_KIND_COPY,
	CANCEL = VESTIBULE__V1__JOB_KIND__JOB_KIND_CANCEL,
	PURGE = VESTIBULE__V1__JOB_KIND__JOB_KIND_PURGE,
	COPIED = VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED,
	GONE = VESTIBULE__V1__REPORT_KIND__REPORT_KIND_GONE,
	PURGED = VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED
};
#define NOW INT64_C(1795000000000)

struct room {
	char dir[64];
	struct outbox *ob;
};

static int enter(void **state) {
	struct room *r = calloc(1, sizeof(*r));
	char why[OUTBOX_WHY_SIZE];
	assert_non_null(r);
	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/vestibule-outbox-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(outbox_open(r->dir, &r->ob, why), ERR_NONE);
	*state = r;
	return 0;
}

static int leave(void **state) {
	static const char *const files[] = {"outbox.db", "outbox.db-wal", "outbox.db-shm"};
	struct room *r = *state;
	char path[128];
	outbox_close(r->ob);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", r->dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

static void reopen(struct room *r) {
	char why[OUTBOX_WHY_SIZE];
	outbox_close(r->ob);
	r->ob = NULL;
	assert_int_equal(outbox_open(r->dir, &r->ob, why), ERR_NONE);
}

static struct outbox_object object(enum outbox_state s) {
	struct outbox_object o = {
		.name = NAME, .device = "d1", .length = 5000, .exp_ms = NOW + 86400000, .state = s};
	memset(o.clip, 7, sizeof(o.clip));
	memset(o.sha256, 9, sizeof(o.sha256));
	return o;
}

static struct outbox_job job(uint8_t id, int kind) {
	struct outbox_job j = {.kind = kind};
	memset(j.id, id, sizeof(j.id));
	return j;
}

static void put(struct room *r, enum outbox_state s, const struct outbox_job *j) {
	struct outbox_object o = object(s);
	assert_int_equal(outbox_put(r->ob, &o, j, NOW), ERR_NONE);
}

static enum outbox_state state_of(struct room *r) {
	struct outbox_object o;
	assert_int_equal(outbox_get(r->ob, NAME, &o), ERR_NONE);
	return o.state;
}

/* The report that waits after `after`; kind 0: none. */
static struct outbox_report unsent(struct room *r, uint64_t after) {
	struct outbox_report rep = {.kind = 0};
	enum err e = outbox_unsent(r->ob, after, &rep);
	assert_true(e == ERR_NONE || e == ERR_ABSENT);
	return rep;
}

static void row_survives_reopening_as_it_was(void **state) {
	struct room *r = *state;
	struct outbox_object in = object(OUTBOX_STORED), out;
	in.received = 4000;
	in.attempts = 3;
	in.next_ms = 12345;
	assert_int_equal(outbox_put(r->ob, &in, NULL, NOW), ERR_NONE);
	reopen(r);
	assert_int_equal(outbox_get(r->ob, NAME, &out), ERR_NONE);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(outbox_get(r->ob, "00000000000000000000000000000002", &out), ERR_ABSENT);
}

static void what_was_on_its_way_is_queued_at_start(void **state) {
	struct room *r = *state;
	static const struct {
		enum outbox_state before, after;
	} cases[] = {{OUTBOX_QUEUED, OUTBOX_QUEUED},   {OUTBOX_SENDING, OUTBOX_QUEUED},
				 {OUTBOX_VERIFIED, OUTBOX_QUEUED}, {OUTBOX_STORED, OUTBOX_STORED},
				 {OUTBOX_GONE, OUTBOX_GONE},       {OUTBOX_DELETING, OUTBOX_DELETING}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(r, cases[i].before, NULL);
		reopen(r);
		assert_int_equal(state_of(r), cases[i].after);
	}
}

static void deleted_is_absorbing_and_deleting_leads_nowhere_else(void **state) {
	struct room *r = *state;
	put(r, OUTBOX_DELETING, NULL);
	for (int s = OUTBOX_QUEUED; s <= OUTBOX_GONE; s++) {
		if (s == OUTBOX_DELETING || s == OUTBOX_DELETED) continue;
		put(r, (enum outbox_state)s, NULL);
		assert_int_equal(state_of(r), OUTBOX_DELETING);
	}
	put(r, OUTBOX_DELETED, NULL);
	for (int s = OUTBOX_QUEUED; s <= OUTBOX_GONE; s++) {
		put(r, (enum outbox_state)s, NULL);
		assert_int_equal(state_of(r), OUTBOX_DELETED);
	}
}

static void tombstone_keeps_no_more_than_the_name(void **state) {
	struct room *r = *state;
	struct outbox_object o, bare = {.name = NAME, .state = OUTBOX_DELETED};
	put(r, OUTBOX_STORED, NULL);
	put(r, OUTBOX_DELETED, NULL);
	assert_int_equal(outbox_get(r->ob, NAME, &o), ERR_NONE);
	assert_memory_equal(&o, &bare, sizeof(o));
}

/* The names that are to be removed once more at that time. */
static size_t settling(struct room *r, int64_t now_ms) {
	struct outbox_object rows[4];
	size_t count = 0;
	assert_int_equal(outbox_settling(r->ob, now_ms, rows, 4, &count), ERR_NONE);
	for (size_t i = 0; i < count; i++) assert_string_equal(rows[i].name, NAME);
	return count;
}

static void second_removal_is_owed_at_its_time_until_it_is_done(void **state) {
	struct room *r = *state;
	struct outbox_object o = object(OUTBOX_DELETED);
	put(r, OUTBOX_STORED, NULL);
	assert_int_equal(outbox_settle(r->ob, NAME, 1), ERR_NONE); /* no tombstone: nothing happens */
	assert_int_equal(settling(r, NOW), 0);
	o.next_ms = NOW + 1000;
	assert_int_equal(outbox_put(r->ob, &o, NULL, NOW), ERR_NONE);
	assert_int_equal(settling(r, NOW + 999), 0);
	reopen(r);
	assert_int_equal(settling(r, NOW + 1000), 1);
	assert_int_equal(settling(r, NOW + 1000 - OUTBOX_SETTLE_MAX_MS - 1), 1); /* clock set back */
	put(r, OUTBOX_DELETED, NULL); /* a later purge takes nothing back */
	assert_int_equal(settling(r, NOW + 1000), 1);
	assert_int_equal(outbox_settle(r->ob, NAME, 0), ERR_NONE);
	assert_int_equal(settling(r, NOW + 1000), 0);
	assert_int_equal(state_of(r), OUTBOX_DELETED);
}

static void job_is_answered_by_the_state_of_its_object(void **state) {
	struct room *r = *state;
	/* an object for each state and kind: which report answers, 0 for none yet */
	static const struct {
		enum outbox_state s;
		int kind, report;
	} cases[] = {{OUTBOX_QUEUED, COPY, 0},         {OUTBOX_SENDING, COPY, 0},
				 {OUTBOX_VERIFIED, COPY, 0},       {OUTBOX_STORED, COPY, COPIED},
				 {OUTBOX_GONE, COPY, GONE},        {OUTBOX_DELETING, COPY, 0},
				 {OUTBOX_DELETING, PURGE, 0},      {OUTBOX_DELETING, CANCEL, 0},
				 {OUTBOX_DELETED, COPY, PURGED},   {OUTBOX_DELETED, PURGE, PURGED},
				 {OUTBOX_DELETED, CANCEL, PURGED}, {OUTBOX_STORED, PURGE, 0}};
	uint64_t after = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outbox_object o = object(cases[i].s);
		struct outbox_job j = job((uint8_t)(i + 1), cases[i].kind);
		(void)snprintf(o.name, sizeof(o.name), "%032zx", i + 1);
		assert_int_equal(outbox_put(r->ob, &o, &j, NOW), ERR_NONE);
		struct outbox_report rep = unsent(r, after);
		assert_int_equal(rep.kind, cases[i].report);
		if (!rep.kind) continue;
		assert_memory_equal(rep.job_id, j.id, sizeof(j.id));
		assert_string_equal(rep.object, o.name);
		assert_true(rep.seq > after);
		after = rep.seq;
	}
}

static void copied_carries_length_and_hash(void **state) {
	struct room *r = *state;
	struct outbox_job j = job(1, COPY);
	put(r, OUTBOX_QUEUED, &j);
	put(r, OUTBOX_STORED, NULL);
	struct outbox_report rep = unsent(r, 0);
	struct outbox_object o = object(OUTBOX_STORED);
	assert_int_equal(rep.length, 5000);
	assert_memory_equal(rep.sha256, o.sha256, sizeof(o.sha256));
}

static void unacknowledged_report_stays_the_same_event(void **state) {
	struct room *r = *state;
	struct outbox_job j = job(1, COPY);
	put(r, OUTBOX_STORED, &j);
	struct outbox_report first = unsent(r, 0);
	put(r, OUTBOX_STORED, &j); /* the job comes again before PUBACK */
	reopen(r);
	struct outbox_report again = unsent(r, 0);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_int_equal(unsent(r, first.seq).kind, 0);
}

static void acknowledged_job_is_answered_anew_when_it_comes_again(void **state) {
	struct room *r = *state;
	struct outbox_job j = job(1, COPY);
	put(r, OUTBOX_STORED, &j);
	struct outbox_report first = unsent(r, 0);
	assert_int_equal(outbox_acked(r->ob, first.seq), ERR_NONE);
	assert_int_equal(unsent(r, 0).kind, 0);
	put(r, OUTBOX_STORED, NULL); /* the object alone asks nothing */
	assert_int_equal(unsent(r, 0).kind, 0);
	put(r, OUTBOX_STORED, &j);
	struct outbox_report again = unsent(r, 0);
	assert_int_equal(again.kind, COPIED);
	assert_true(again.seq > first.seq);
	assert_memory_not_equal(again.event_id, first.event_id, sizeof(first.event_id));
}

static void copied_that_nobody_heard_is_taken_back_by_a_purge(void **state) {
	struct room *r = *state;
	struct outbox_job copy = job(1, COPY), purge = job(2, PURGE);
	put(r, OUTBOX_STORED, &copy);
	assert_int_equal(unsent(r, 0).kind, COPIED);
	put(r, OUTBOX_DELETING, &purge);
	assert_int_equal(unsent(r, 0).kind, 0);
	put(r, OUTBOX_DELETED, NULL);
	struct outbox_report a = unsent(r, 0);
	struct outbox_report b = unsent(r, a.seq);
	assert_int_equal(a.kind, PURGED);
	assert_int_equal(b.kind, PURGED);
	assert_int_equal(unsent(r, b.seq).kind, 0);
}

static void due_rows_come_at_their_time_longest_due_first(void **state) {
	struct room *r = *state;
	struct outbox_object rows[4];
	size_t count = 9;
	for (int i = 0; i < 3; i++) {
		struct outbox_object o = object(OUTBOX_QUEUED);
		(void)snprintf(o.name, sizeof(o.name), "%032x", i + 1);
		o.next_ms = NOW - i;
		assert_int_equal(outbox_put(r->ob, &o, NULL, NOW), ERR_NONE);
	}
	assert_int_equal(outbox_due(r->ob, OUTBOX_QUEUED, NOW - 1, rows, 4, &count), ERR_NONE);
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].next_ms, NOW - 2);
	assert_int_equal(outbox_due(r->ob, OUTBOX_QUEUED, NOW, rows, 2, &count), ERR_NONE);
	assert_int_equal(count, 2);
	assert_int_equal(outbox_due(r->ob, OUTBOX_DELETING, NOW, rows, 2, &count), ERR_NONE);
	assert_int_equal(count, 0);
	/* a clock that was set back by more than any back-off does not make them wait for it */
	assert_int_equal(outbox_due(r->ob, OUTBOX_QUEUED, NOW - RETRY_MAX_MS - 1000, rows, 4, &count),
					 ERR_NONE);
	assert_int_equal(count, 3);
}

static void expiry_finds_everything_that_is_not_being_deleted(void **state) {
	struct room *r = *state;
	struct outbox_object row;
	size_t count = 9;
	for (int s = OUTBOX_QUEUED; s <= OUTBOX_GONE; s++) {
		bool wanted = s != OUTBOX_DELETING && s != OUTBOX_DELETED;
		struct outbox_object o = object((enum outbox_state)s);
		(void)snprintf(o.name, sizeof(o.name), "%032x", s);
		o.exp_ms = NOW + s;
		assert_int_equal(outbox_put(r->ob, &o, NULL, NOW), ERR_NONE);
		assert_int_equal(outbox_expired(r->ob, NOW + s - 1, &row, 1, &count), ERR_NONE);
		assert_int_equal(count, 0);
		assert_int_equal(outbox_expired(r->ob, NOW + s, &row, 1, &count), ERR_NONE);
		assert_int_equal(count, wanted ? 1 : 0);
		o.exp_ms = NOW + 1000000;
		assert_int_equal(outbox_put(r->ob, &o, NULL, NOW), ERR_NONE);
	}
}

static void tombstone_outlives_the_longest_grant(void **state) {
	struct room *r = *state;
	struct outbox_object o;
	put(r, OUTBOX_DELETED, NULL);
	assert_int_equal(outbox_forget(r->ob, NOW + OUTBOX_TOMBSTONE_MS), ERR_NONE);
	assert_int_equal(outbox_get(r->ob, NAME, &o), ERR_NONE);
	assert_int_equal(outbox_forget(r->ob, NOW + OUTBOX_TOMBSTONE_MS + 1), ERR_NONE);
	assert_int_equal(outbox_get(r->ob, NAME, &o), ERR_ABSENT);
}

static void unacknowledged_answer_is_never_forgotten(void **state) {
	struct room *r = *state;
	struct outbox_job j = job(1, PURGE);
	put(r, OUTBOX_DELETED, &j);
	int64_t later = NOW + 10 * OUTBOX_TOMBSTONE_MS;
	assert_int_equal(outbox_forget(r->ob, later), ERR_NONE);
	struct outbox_report rep = unsent(r, 0);
	assert_int_equal(rep.kind, PURGED);
	assert_int_equal(outbox_acked(r->ob, rep.seq), ERR_NONE);
	assert_int_equal(outbox_forget(r->ob, later), ERR_NONE);
	struct outbox_object o;
	assert_int_equal(outbox_get(r->ob, NAME, &o), ERR_ABSENT);
}

static void full_disk_changes_nothing_and_passes(void **state) {
	struct room *r = *state;
	struct rlimit was, none;
	struct outbox_job j = job(1, COPY);
	struct outbox_object o = object(OUTBOX_STORED);
	put(r, OUTBOX_QUEUED, &j);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum err e = outbox_put(r->ob, &o, NULL, NOW);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(e, ERR_STORE);
	assert_true(strlen(outbox_why(r->ob)) > 0);
	assert_int_equal(state_of(r), OUTBOX_QUEUED);
	assert_int_equal(unsent(r, 0).kind, 0);
	assert_int_equal(outbox_put(r->ob, &o, NULL, NOW), ERR_NONE);
	assert_int_equal(unsent(r, 0).kind, COPIED);
}

static void second_opener_and_newer_file_are_refused(void **state) {
	struct room *r = *state;
	struct outbox *second = NULL;
	char why[OUTBOX_WHY_SIZE];
	assert_int_equal(outbox_open("/nonexistent", &second, why), ERR_STORE);
	assert_non_null(strstr(why, "outbox"));
	/* SQLite's locks do not hold against the own process: another one tries */
	assert_int_equal(outbox_open(r->dir, &second, why), ERR_STORE);
	assert_non_null(strstr(why, "another process"));
}

static void floor_only_rises(void **state) {
	struct room *r = *state;
	int64_t floor_ms = -1;
	assert_int_equal(outbox_floor(r->ob, &floor_ms), ERR_NONE);
	assert_int_equal(floor_ms, 0);
	assert_int_equal(outbox_set_floor(r->ob, NOW), ERR_NONE);
	assert_int_equal(outbox_set_floor(r->ob, NOW - 1), ERR_NONE);
	reopen(r);
	assert_int_equal(outbox_floor(r->ob, &floor_ms), ERR_NONE);
	assert_int_equal(floor_ms, NOW);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void) {
	const struct CMUnitTest tests[] = {
		ROOM(row_survives_reopening_as_it_was),
		ROOM(what_was_on_its_way_is_queued_at_start),
		ROOM(deleted_is_absorbing_and_deleting_leads_nowhere_else),
		ROOM(tombstone_keeps_no_more_than_the_name),
		ROOM(second_removal_is_owed_at_its_time_until_it_is_done),
		ROOM(job_is_answered_by_the_state_of_its_object),
		ROOM(copied_carries_length_and_hash),
		ROOM(unacknowledged_report_stays_the_same_event),
		ROOM(acknowledged_job_is_answered_anew_when_it_comes_again),
		ROOM(copied_that_nobody_heard_is_taken_back_by_a_purge),
		ROOM(due_rows_come_at_their_time_longest_due_first),
		ROOM(expiry_finds_everything_that_is_not_being_deleted),
		ROOM(tombstone_outlives_the_longest_grant),
		ROOM(unacknowledged_answer_is_never_forgotten),
		ROOM(full_disk_changes_nothing_and_passes),
		ROOM(second_opener_and_newer_file_are_refused),
		ROOM(floor_only_rises),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
