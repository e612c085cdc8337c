/* One poll for everything. curl_multi_poll sleeps on our descriptors together with its own; which
 * of ours stirred is asked again with poll(2), because curl reports only some of the events (a bare
 * POLLHUP would spin). */
#include "clients/relay/loop.h"

#include <errno.h>

struct loop {
	CURLM *multi;
	struct loop_source sources[LOOP_SOURCES_MAX];
	size_t count;
};

struct loop *loop_new(void) {
	struct loop *l = calloc(1, sizeof(*l));
	if (!l) return NULL;
	l->multi = curl_multi_init();
	if (!l->multi) {
		free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l) {
	if (!l) return;
	(void)curl_multi_cleanup(l->multi); /* easy handles belong to those who added them */
	free(l);
}

enum err loop_add(struct loop *l, const struct loop_source *source) {
	if (l->count == LOOP_SOURCES_MAX) return ERR_LIMIT;
	l->sources[l->count++] = *source;
	return ERR_NONE;
}

void loop_remove(struct loop *l, const void *ctx) {
	size_t kept = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (l->sources[i].ctx != ctx) l->sources[kept++] = l->sources[i];
	}
	l->count = kept;
}

CURLM *loop_multi(struct loop *l) {
	return l->multi;
}

static short curl_events(short events) {
	unsigned wait = 0;
	if (events & POLLIN) wait |= CURL_WAIT_POLLIN;
	if (events & POLLOUT) wait |= CURL_WAIT_POLLOUT;
	return (short)wait;
}

/* What everybody waits for; returns how long to sleep. pfds[i] belongs to source i. */
static int wishes(const struct loop *l, struct pollfd *pfds) {
	int sleep_ms = LOOP_SLEEP_MS;
	for (size_t i = 0; i < l->count; i++) {
		const struct loop_source *s = &l->sources[i];
		pfds[i] = (struct pollfd){.fd = s->fd ? s->fd(s->ctx) : -1, .events = POLLIN};
		if (s->events) pfds[i].events = s->events(s->ctx);
		int wait_ms = s->wait_ms ? s->wait_ms(s->ctx) : LOOP_SLEEP_MS;
		if (wait_ms < sleep_ms) sleep_ms = wait_ms < 0 ? 0 : wait_ms;
	}
	return sleep_ms;
}

enum err loop_turn(struct loop *l) {
	struct pollfd pfds[LOOP_SOURCES_MAX];
	struct curl_waitfd extra[LOOP_SOURCES_MAX];
	unsigned extras = 0;
	int sleep_ms = wishes(l, pfds);
	for (size_t i = 0; i < l->count; i++) {
		if (pfds[i].fd < 0) continue;
		extra[extras++] =
			(struct curl_waitfd){.fd = pfds[i].fd, .events = curl_events(pfds[i].events)};
	}
	if (curl_multi_poll(l->multi, extra, extras, sleep_ms, NULL) != CURLM_OK) return ERR_NET;
	if (poll(pfds, (nfds_t)l->count, 0) < 0 && errno != EINTR) return ERR_NET;
	int running = 0;
	if (curl_multi_perform(l->multi, &running) != CURLM_OK) return ERR_NET;
	for (size_t i = 0; i < l->count; i++) {
		l->sources[i].run(l->sources[i].ctx, pfds[i].revents); /* 0 without a descriptor: poll(2) */
	}
	return ERR_NONE;
}
