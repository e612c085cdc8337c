/* The store thread: order, retries, limits, and an exit that no disk can hold up. The store behind
 * it is a stub that fails or hangs on command; one test runs on the real ones. */
#include "tests/store/sample.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "plugin/store/worker.h"

struct stub {
	struct store store;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum err answer;       /* of the next commits */
	uint64_t never;        /* a change that answers ERR_INPUT; 0: none */
	bool hang;             /* commits wait until it is false */
	size_t tries, commits; /* calls; calls that succeeded */
	size_t most;           /* changes in one call */
	uint64_t seqs[8192];   /* committed, in order */
	size_t seq_count;
	bool signals_blocked;
	atomic_bool closed;
	enum err mark_answer; /* of the next marks */
	size_t mark_tries;
	uint64_t marked;     /* the last mark that succeeded */
	size_t marked_after; /* changes committed by then */
};

static enum err stub_commit(struct store *s, const struct change *const *changes, size_t count,
							char why[STORE_WHY_SIZE]) {
	struct stub *st = (struct stub *)s;
	sigset_t mask;
	pthread_mutex_lock(&st->mutex);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	st->signals_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGHUP);
	st->tries++;
	pthread_cond_broadcast(&st->changed);
	while (st->hang) pthread_cond_wait(&st->changed, &st->mutex);
	enum err e = st->answer;
	for (size_t i = 0; i < count; i++) {
		if (changes[i]->seq == st->never) e = ERR_INPUT;
	}
	if (e == ERR_NONE) {
		for (size_t i = 0; i < count; i++) st->seqs[st->seq_count++] = changes[i]->seq;
		st->commits++;
		st->most = count > st->most ? count : st->most;
	} else {
		(void)snprintf(why, STORE_WHY_SIZE, "stub says %s", err_name(e));
	}
	pthread_mutex_unlock(&st->mutex);
	return e;
}

static enum err stub_mark(struct store *s, uint64_t seq, char why[STORE_WHY_SIZE]) {
	struct stub *st = (struct stub *)s;
	pthread_mutex_lock(&st->mutex);
	st->mark_tries++;
	enum err e = st->mark_answer;
	if (e == ERR_NONE) {
		st->marked = seq;
		st->marked_after = st->seq_count;
	} else {
		(void)snprintf(why, STORE_WHY_SIZE, "no mark");
	}
	pthread_cond_broadcast(&st->changed);
	pthread_mutex_unlock(&st->mutex);
	return e;
}

static void stub_close(struct store *s) {
	atomic_store(&((struct stub *)s)->closed, true);
}

static const struct store_ops stub_ops = {
	.load = NULL, .commit = stub_commit, .mark = stub_mark, .close = stub_close};

static int setup(void **state) {
	struct stub *st = calloc(1, sizeof(*st));
	st->store.ops = &stub_ops;
	pthread_mutex_init(&st->mutex, NULL);
	pthread_cond_init(&st->changed, NULL);
	*state = st;
	return 0;
}

static int teardown(void **state) {
	struct stub *st = *state;
	pthread_cond_destroy(&st->changed);
	pthread_mutex_destroy(&st->mutex);
	free(st);
	return 0;
}

static void set(struct stub *st, enum err answer, bool hang) {
	pthread_mutex_lock(&st->mutex);
	st->answer = answer;
	st->hang = hang;
	pthread_cond_broadcast(&st->changed);
	pthread_mutex_unlock(&st->mutex);
}

static void wait_tries(struct stub *st, size_t n) {
	pthread_mutex_lock(&st->mutex);
	while (st->tries < n) pthread_cond_wait(&st->changed, &st->mutex);
	pthread_mutex_unlock(&st->mutex);
}

static enum err put(struct worker *w, uint64_t seq, bool denial) {
	static union row_any row;
	sample_row(&row, ROW_META, 1);
	struct change c = {.seq = seq, .count = 1, .ops = {{.row = &row.row}}};
	return worker_put(w, &c, denial);
}

/* Polls as the broker's thread does, and checks on the way that durable_seq never falls. */
static struct worker_report wait_durable(struct worker *w, uint64_t seq) {
	struct worker_report r = {0};
	for (int i = 0; i < 5000; i++) {
		if (worker_has_news(w)) {
			struct worker_report next = worker_report(w);
			assert_true(next.durable_seq >= r.durable_seq);
			r = next;
		}
		if (r.durable_seq >= seq) return r;
		usleep(1000);
	}
	fail_msg("change %llu did not become durable", (unsigned long long)seq);
	return r;
}

static void changes_become_durable_in_order(void **state) {
	struct stub *st = *state;
	struct worker *w = worker_start(&st->store, 10);
	assert_non_null(w);
	assert_false(worker_has_news(w));
	assert_int_equal(worker_report(w).durable_seq, 10);
	for (uint64_t seq = 11; seq <= 1000; seq++) assert_int_equal(put(w, seq, false), ERR_NONE);
	struct worker_report r = wait_durable(w, 1000);
	assert_false(r.failing);
	assert_false(r.broken);
	assert_int_equal(r.waiting, 0);
	assert_false(worker_has_news(w)); /* taken */
	worker_stop(w, 1000);
	assert_int_equal(st->seq_count, 990);
	for (size_t i = 0; i < 990; i++) assert_int_equal(st->seqs[i], 11 + i);
	assert_true(st->signals_blocked);
	assert_true(atomic_load(&st->closed));
}

static void what_waits_goes_in_together_up_to_the_batch_limit(void **state) {
	struct stub *st = *state;
	set(st, ERR_NONE, true);
	struct worker *w = worker_start(&st->store, 0);
	assert_int_equal(put(w, 1, false), ERR_NONE);
	wait_tries(st, 1); /* it hangs with the first alone */
	for (uint64_t seq = 2; seq <= 200; seq++) assert_int_equal(put(w, seq, false), ERR_NONE);
	assert_int_equal(worker_report(w).waiting,
					 200); /* the one under way counts: it is not durable */
	set(st, ERR_NONE, false);
	(void)wait_durable(w, 200);
	worker_stop(w, 1000);
	assert_int_equal(st->most, WORKER_BATCH_MAX);
	assert_int_equal(st->commits, 1 + 4); /* 1, then 64, 64, 64, 7 */
}

static void a_failing_store_is_tried_again_until_it_is_mended(void **state) {
	struct stub *st = *state;
	set(st, ERR_STORE, false);
	struct worker *w = worker_start(&st->store, 0);
	for (uint64_t seq = 1; seq <= 3; seq++) assert_int_equal(put(w, seq, false), ERR_NONE);
	wait_tries(st, 3);
	while (!worker_has_news(w)) usleep(1000);
	struct worker_report r = worker_report(w);
	assert_true(r.failing);
	assert_false(r.broken);
	assert_int_equal(r.durable_seq, 0);
	assert_string_equal(r.why, "stub says store");
	assert_int_equal(put(w, 4, false), ERR_NONE); /* still taken */
	set(st, ERR_NONE, false);
	r = wait_durable(w, 4);
	assert_false(r.failing);
	assert_string_equal(r.why, "");
	worker_stop(w, 1000);
	assert_int_equal(st->seq_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(st->seqs[i], 1 + i); /* nothing dropped, order kept */
}

static void the_pause_between_tries_doubles(void **state) {
	struct stub *st = *state;
	set(st, ERR_STORE, false);
	struct worker *w = worker_start(&st->store, 0);
	assert_int_equal(put(w, 1, false), ERR_NONE);
	usleep(600 * 1000); /* tries at 0, 50, 150, 350 ms, the next at 750 */
	pthread_mutex_lock(&st->mutex);
	size_t tries = st->tries;
	pthread_mutex_unlock(&st->mutex);
	assert_in_range(tries, 2, 4);
	set(st, ERR_NONE, false);
	worker_stop(w, 2000);
	assert_int_equal(st->seq_count, 1); /* stopping tries at once */
}

static void a_full_queue_takes_denials_only(void **state) {
	struct stub *st = *state;
	set(st, ERR_NONE, true);
	struct worker *w = worker_start(&st->store, 0);
	uint64_t seq = 0;
	while (worker_room(w)) assert_int_equal(put(w, ++seq, false), ERR_NONE);
	assert_int_equal(seq, WORKER_QUEUE_MAX);
	assert_int_equal(put(w, seq + 1, false), ERR_LIMIT);
	assert_int_equal(put(w, seq + 1, true), ERR_NONE);
	assert_int_equal(put(w, seq + 2, false), ERR_LIMIT);
	set(st, ERR_NONE, false);
	(void)wait_durable(w, seq + 1);
	assert_true(worker_room(w));
	assert_int_equal(put(w, seq + 2, false), ERR_NONE); /* room again */
	worker_stop(w, 1000);
	assert_int_equal(st->seqs[st->seq_count - 1], seq + 2);
}

static void a_change_that_can_never_succeed_breaks_it_and_those_before_still_go_in(void **state) {
	struct stub *st = *state;
	st->never = 4;
	set(st, ERR_NONE, true);
	struct worker *w = worker_start(&st->store, 0);
	for (uint64_t seq = 1; seq <= 6; seq++) assert_int_equal(put(w, seq, false), ERR_NONE);
	set(st, ERR_NONE, false);
	struct worker_report r = wait_durable(w, 3);
	while (!r.broken) {
		while (!worker_has_news(w)) usleep(1000);
		r = worker_report(w);
	}
	assert_int_equal(r.durable_seq, 3);
	usleep(200 * 1000);
	pthread_mutex_lock(&st->mutex);
	size_t tries = st->tries;
	pthread_mutex_unlock(&st->mutex);
	usleep(200 * 1000);
	worker_stop(w, 1000);
	assert_int_equal(st->tries, tries); /* nothing more is tried, not even at the end */
	assert_int_equal(st->seq_count, 3);
	assert_true(atomic_load(&st->closed));
}

static void i29_a_denial_is_marked_before_it_counts_as_durable(void **state) {
	struct stub *st = *state;
	struct worker *w = worker_start(&st->store, 0);
	assert_int_equal(put(w, 1, false), ERR_NONE);
	(void)wait_durable(w, 1);
	assert_int_equal(st->mark_tries, 0); /* what allows needs none */
	assert_int_equal(put(w, 2, true), ERR_NONE);
	(void)wait_durable(w, 2);
	assert_int_equal(st->marked, 2);
	assert_int_equal(st->marked_after,
					 2); /* after the commit: else a crash would look like a restore */
	worker_stop(w, 1000);
}

static void i29_without_its_mark_a_denial_is_not_durable_and_not_committed_twice(void **state) {
	struct stub *st = *state;
	struct worker *w = worker_start(&st->store, 0);
	pthread_mutex_lock(&st->mutex);
	st->mark_answer = ERR_STORE;
	pthread_mutex_unlock(&st->mutex);
	assert_int_equal(put(w, 1, true), ERR_NONE);
	pthread_mutex_lock(&st->mutex);
	while (st->mark_tries < 2) pthread_cond_wait(&st->changed, &st->mutex);
	pthread_mutex_unlock(&st->mutex);
	assert_int_equal(put(w, 2, false), ERR_NONE); /* joins while the first is stuck */
	struct worker_report r = worker_report(w);
	assert_int_equal(r.durable_seq, 0);
	assert_true(r.failing);
	assert_string_equal(r.why, "no mark");
	pthread_mutex_lock(&st->mutex);
	st->mark_answer = ERR_NONE;
	pthread_mutex_unlock(&st->mutex);
	r = wait_durable(w, 2);
	assert_false(r.failing);
	assert_int_equal(st->marked, 1);
	assert_int_equal(st->seq_count, 2);
	worker_stop(w, 1000);
}

static void stop_commits_what_waits(void **state) {
	struct stub *st = *state;
	struct worker *w = worker_start(&st->store, 0);
	for (uint64_t seq = 1; seq <= 500; seq++) assert_int_equal(put(w, seq, false), ERR_NONE);
	worker_stop(w, 5000);
	assert_int_equal(st->seq_count, 500);
	assert_true(atomic_load(&st->closed));
}

static int64_t ms_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void i26_stop_gives_up_on_a_hung_store_and_the_thread_cleans_up_later(void **state) {
	struct stub *st = *state;
	set(st, ERR_NONE, true);
	struct worker *w = worker_start(&st->store, 0);
	assert_int_equal(put(w, 1, false), ERR_NONE);
	wait_tries(st, 1);
	assert_int_equal(put(w, 2, false), ERR_NONE);
	int64_t before = ms_now();
	worker_stop(w, 100);
	assert_in_range(ms_now() - before, 90, 2000);
	assert_false(atomic_load(&st->closed)); /* abandoned, not pulled away from under the thread */

	set(st, ERR_NONE, false);
	for (int i = 0; i < 5000 && !atomic_load(&st->closed); i++) usleep(1000);
	assert_true(atomic_load(&st->closed));
	usleep(20 * 1000);
	assert_int_equal(st->seq_count, 1); /* the second was never tried */
}

static void i26_stop_gives_up_on_a_store_that_keeps_failing(void **state) {
	struct stub *st = *state;
	set(st, ERR_STORE, false);
	struct worker *w = worker_start(&st->store, 0);
	assert_int_equal(put(w, 1, false), ERR_NONE);
	wait_tries(st, 1);
	int64_t before = ms_now();
	worker_stop(w, 100);
	assert_in_range(ms_now() - before, 90, 2000);
	for (int i = 0; i < 5000 && !atomic_load(&st->closed); i++) usleep(1000);
	assert_true(atomic_load(&st->closed));
	usleep(20 * 1000);
}

static void i26_putting_does_not_wait_for_a_hung_store(void **state) {
	struct stub *st = *state;
	set(st, ERR_NONE, true);
	struct worker *w = worker_start(&st->store, 0);
	assert_int_equal(put(w, 1, false), ERR_NONE);
	wait_tries(st, 1);
	int64_t before = ms_now();
	for (uint64_t seq = 2; seq <= 100; seq++) {
		assert_int_equal(put(w, seq, false), ERR_NONE);
		(void)worker_report(w);
		(void)worker_room(w);
	}
	assert_in_range(ms_now() - before, 0, 500);
	set(st, ERR_NONE, false);
	worker_stop(w, 1000);
	assert_int_equal(st->seq_count, 100);
}

static void on_sqlite_what_was_reported_is_there_after_reopening(void **state) {
	(void)state;
	char path[64], why[STORE_WHY_SIZE] = "";
	(void)snprintf(path, sizeof(path), "/tmp/vestibule-worker-%d.db", (int)getpid());
	struct store *s = NULL;
	if (store_sqlite_create(path, &s, why) != ERR_NONE) fail_msg("%s", why);
	struct worker *w = worker_start(s, 0);
	assert_non_null(w);
	for (unsigned i = 1; i <= 300; i++) {
		union row_any row;
		sample_row(&row, ROW_RECEIPT, i);
		struct change c = {.seq = i, .count = 1, .ops = {{.row = &row.row}}};
		assert_int_equal(worker_put(w, &c, false), ERR_NONE);
		memset(&row, 0, sizeof(row)); /* the worker has its own copy */
	}
	(void)wait_durable(w, 300);
	worker_stop(w, 5000);
	if (store_sqlite_open(path, &s, why) != ERR_NONE) fail_msg("%s", why);
	struct sample_rows rows = {.count = 0};
	uint64_t seq = 0;
	if (s->ops->load(s, sample_keep, &rows, &seq, why) != ERR_NONE) fail_msg("%s", why);
	assert_int_equal(seq, 300);
	assert_int_equal(rows.count, 300);
	sample_drop(&rows);
	s->ops->close(s);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "/tmp/vestibule-worker-%d.db.mark", (int)getpid());
	(void)unlink(path);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CLAIM(changes_become_durable_in_order),
		CLAIM(what_waits_goes_in_together_up_to_the_batch_limit),
		CLAIM(a_failing_store_is_tried_again_until_it_is_mended),
		CLAIM(the_pause_between_tries_doubles),
		CLAIM(a_full_queue_takes_denials_only),
		CLAIM(a_change_that_can_never_succeed_breaks_it_and_those_before_still_go_in),
		CLAIM(i29_a_denial_is_marked_before_it_counts_as_durable),
		CLAIM(i29_without_its_mark_a_denial_is_not_durable_and_not_committed_twice),
		CLAIM(stop_commits_what_waits),
		CLAIM(i26_stop_gives_up_on_a_hung_store_and_the_thread_cleans_up_later),
		CLAIM(i26_stop_gives_up_on_a_store_that_keeps_failing),
		CLAIM(i26_putting_does_not_wait_for_a_hung_store),
		CLAIM(on_sqlite_what_was_reported_is_there_after_reopening),
	};
	return cmocka_run_group_tests_name("store worker", tests, NULL, NULL);
}
