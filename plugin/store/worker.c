/* The thread behind worker.h. Shared between the two threads: the list of waiting changes, the
 * report, and three flags, all under one mutex that is never held across a call of the store; and
 * one atomic flag, so that the broker's callbacks can look for news without taking the mutex. */
#include "plugin/store/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "lib/failpoint.h"

enum { PAUSE_FIRST_MS = 50, PAUSE_MOST_MS = 5000 };

struct node {
	struct node *next;
	struct change *change; /* owned */
	bool denial;
};

struct worker {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;  /* to the thread: work, or stop */
	pthread_cond_t ended; /* to worker_stop: the thread is done */
	atomic_bool news;

	/* under the mutex */
	struct node *first, *last; /* waiting, oldest first */
	struct worker_report report;
	bool stop; /* commit what waits, then end */
	bool is_ended;
	bool abandoned; /* nobody waits any longer: the thread frees everything */

	/* the thread's own */
	struct store *store;
	struct node *batch[WORKER_BATCH_MAX]; /* taken from the list and not yet durable */
	size_t batch_count;
	size_t
		committed; /* of these so many are in the store, and a denial of them is not marked yet */
	size_t batch_max; /* 1 once a change was found that can never succeed: those before it still go
						 through */
};

static struct timespec after_ms(int64_t ms) {
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

static void lock(struct worker *w) {
	int rc = pthread_mutex_lock(&w->mutex);
	(void)ENSURE(rc == 0);
}

static void unlock(struct worker *w) {
	int rc = pthread_mutex_unlock(&w->mutex);
	(void)ENSURE(rc == 0);
}

static void free_node(struct node *n) {
	store_change_free(n->change);
	free(n);
}

/* Everything but the store. */
static void free_worker(struct worker *w) {
	while (w->first) {
		struct node *n = w->first;
		w->first = n->next;
		free_node(n);
	}
	for (size_t i = 0; i < w->batch_count; i++) free_node(w->batch[i]);
	(void)pthread_cond_destroy(&w->wake); /* nobody waits on them or holds it */
	(void)pthread_cond_destroy(&w->ended);
	(void)pthread_mutex_destroy(&w->mutex);
	free(w);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void tell(struct worker *w) {
	atomic_store_explicit(&w->news, true, memory_order_release);
}

/* Under the mutex: fills up the batch from the list. */
static void take(struct worker *w) {
	while (w->first && w->batch_count < w->batch_max) {
		w->batch[w->batch_count++] = w->first;
		w->first = w->first->next;
	}
	if (!w->first) w->last = NULL;
}

static uint64_t last_denial(const struct worker *w, size_t count) {
	for (size_t i = count; i > 0; i--) {
		if (w->batch[i - 1]->denial) return w->batch[i - 1]->change->seq;
	}
	return 0;
}

/* Commits what was not committed by an earlier try, and marks the denial among it. *count: how many
 * changes it is about. */
static enum err save(struct worker *w, size_t *count, char why[STORE_WHY_SIZE]) {
	const struct change *changes[WORKER_BATCH_MAX] = {0};
	const struct store_ops *ops = w->store->ops;
	if (w->committed == 0) {
		for (size_t i = 0; i < *count; i++) changes[i] = w->batch[i]->change;
		enum err e = ops->commit(w->store, changes, *count, why);
		if (e != ERR_NONE) return e;
		w->committed = *count;
	}
	*count = w->committed;
	uint64_t seq = last_denial(w, *count);
	enum err e = seq && ops->mark ? ops->mark(w->store, seq, why) : ERR_NONE;
	if (e == ERR_NONE) w->committed = 0;
	return e;
}

/* Without the mutex: one try. Returns what to wait before the next one, 0: none. */
static int64_t commit(struct worker *w, int64_t pause_ms) {
	size_t count = w->batch_count < w->batch_max ? w->batch_count : w->batch_max;
	char why[STORE_WHY_SIZE] = "";
	enum err e = save(w, &count, why);
	if (e == ERR_INPUT && count > 1) {
		w->batch_max = 1; /* one by one up to the bad one */
		return 0;
	}
	(void)failpoint_hit("worker-report");

	lock(w);
	struct worker_report *r = &w->report;
	r->failing = e != ERR_NONE;
	r->broken = e == ERR_INPUT;
	memcpy(r->why, why, sizeof(why));
	if (e == ERR_NONE) {
		r->durable_seq = w->batch[count - 1]->change->seq;
		r->waiting -= count;
	}
	tell(w);
	unlock(w);

	if (e != ERR_NONE) return pause_ms == 0 ? PAUSE_FIRST_MS : pause_ms;
	for (size_t i = 0; i < count; i++) free_node(w->batch[i]);
	w->batch_count -= count;
	memmove(w->batch, w->batch + count, w->batch_count * sizeof(struct node *));
	return 0;
}

/* Under the mutex: waits for work, or through the pause after a failure. False: time to end. */
static bool wait_for_work(struct worker *w, int64_t pause_ms) {
	if (pause_ms > 0) {
		struct timespec until = after_ms(pause_ms);
		bool stop_was = w->stop;
		while (!w->abandoned && !w->report.broken && w->stop == stop_was) {
			if (pthread_cond_timedwait(&w->wake, &w->mutex, &until) == ETIMEDOUT) break;
		}
	}
	for (;;) {
		if (w->abandoned) return false;
		if (w->report.broken) {
			if (w->stop) return false;
		} else {
			take(w);
			if (w->batch_count > 0) return true;
			if (w->stop) return false;
		}
		(void)pthread_cond_wait(&w->wake, &w->mutex); /* fails only for a mutex that is not held */
	}
}

static void *run(void *arg) {
	struct worker *w = arg;
	int64_t pause_ms = 0;
	lock(w);
	while (wait_for_work(w, pause_ms)) {
		unlock(w);
		if (failpoint_hit("worker-dead")) return NULL; /* and nobody is told */
		int64_t next_ms = commit(w, pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause_ms * 2);
		pause_ms = next_ms;
		lock(w);
	}
	bool abandoned = w->abandoned;
	w->is_ended = true;
	(void)pthread_cond_signal(&w->ended); /* cannot fail */
	unlock(w);
	if (abandoned) {
		w->store->ops->close(w->store);
		free_worker(w);
	}
	return NULL;
}

/* --- the broker's thread ---------------------------------------------------------------------- */

static bool init_sync(struct worker *w) {
	pthread_condattr_t attr;
	if (pthread_condattr_init(&attr) != 0) return false;
	bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0;
	bool wake = ok && pthread_cond_init(&w->wake, &attr) == 0;
	bool ended = wake && pthread_cond_init(&w->ended, &attr) == 0;
	bool mutex = ended && pthread_mutex_init(&w->mutex, NULL) == 0;
	(void)pthread_condattr_destroy(&attr); /* cannot fail */
	if (mutex) return true;
	if (ended) (void)pthread_cond_destroy(&w->ended); /* nobody waits */
	if (wake) (void)pthread_cond_destroy(&w->wake);
	return false;
}

/* The thread inherits the mask: every signal stays with the broker's thread. */
static bool start_thread(struct worker *w) {
	sigset_t all, before;
	(void)sigfillset(&all); /* cannot fail */
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return false;
	bool ok = pthread_create(&w->thread, NULL, run, w) == 0;
	int rc = pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)ENSURE(rc == 0);
	return ok;
}

struct worker *worker_start(struct store *s, uint64_t durable_seq) {
	struct worker *w = calloc(1, sizeof(*w));
	if (!w) return NULL;
	if (!init_sync(w)) {
		free(w);
		return NULL;
	}
	w->store = s;
	w->batch_max = WORKER_BATCH_MAX;
	w->report.durable_seq = durable_seq;
	atomic_init(&w->news, false);
	if (start_thread(w)) return w;
	free_worker(w);
	return NULL;
}

enum err worker_put(struct worker *w, const struct change *c, bool denial) {
	struct node *n = malloc(sizeof(*n));
	struct change *copy = n ? store_change_clone(c) : NULL;
	if (!copy) {
		free(n);
		return ERR_NOMEM;
	}
	*n = (struct node){.next = NULL, .change = copy, .denial = denial};

	lock(w);
	bool taken = denial || w->report.waiting < WORKER_QUEUE_MAX;
	if (taken) {
		if (w->last) {
			w->last->next = n;
		} else {
			w->first = n;
		}
		w->last = n;
		w->report.waiting++;
		(void)pthread_cond_signal(&w->wake); /* cannot fail */
	}
	unlock(w);
	// cppcheck-suppress memleak ; the queue has it
	if (taken) return ERR_NONE;
	free_node(n);
	return ERR_LIMIT;
}

bool worker_has_news(const struct worker *w) {
	return atomic_load_explicit(&w->news, memory_order_acquire);
}

struct worker_report worker_report(struct worker *w) {
	lock(w);
	atomic_store_explicit(&w->news, false, memory_order_relaxed); /* the mutex orders it */
	struct worker_report r = w->report;
	unlock(w);
	return r;
}

bool worker_room(const struct worker *w) {
	struct worker *mutable = (struct worker *)w; /* only the mutex changes */
	lock(mutable);
	bool room = w->report.waiting < WORKER_QUEUE_MAX;
	unlock(mutable);
	return room;
}

void worker_stop(struct worker *w, int timeout_ms) {
	struct timespec until = after_ms(timeout_ms);
	lock(w);
	w->stop = true;
	(void)pthread_cond_signal(&w->wake); /* cannot fail */
	while (!w->is_ended) {
		if (pthread_cond_timedwait(&w->ended, &w->mutex, &until) == ETIMEDOUT) break;
	}
	bool ended = w->is_ended;
	pthread_t thread = w->thread;
	if (!ended) {
		/* From here on w belongs to the thread. */
		w->abandoned = true;
		(void)pthread_cond_signal(&w->wake); /* it may be pausing, not hanging */
		(void)pthread_detach(thread);
	}
	unlock(w);
	if (!ended) return;

	(void)pthread_join(thread, NULL); /* it has nothing left to do */
	w->store->ops->close(w->store);
	free_worker(w);
}
