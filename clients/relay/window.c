/* The sliding window of one pulled clip. What the bytes mean, their hash and where they go is
 * copy.c's. */
#include "clients/relay/window.h"

enum err window_init(struct window *w, uint64_t start, uint64_t length) {
	if (start > length) return ERR_INPUT;
	uint8_t *ring = malloc(WINDOW_BYTES);
	if (!ring) return ERR_NOMEM;
	*w = (struct window){.ring = ring, .base = start, .asked = start, .end = length};
	return ERR_NONE;
}

void window_fini(struct window *w) {
	free(w->ring);
	*w = (struct window){0};
}

/* The first missing stretch of [begin, end): false when all of it is here or handed on. */
static bool missing(const struct window *w, uint64_t begin, uint64_t end,
					struct window_range *gap) {
	if (begin < w->base) begin = w->base;
	for (size_t i = 0; i < w->have_count && begin < end; i++) {
		const struct window_range *r = &w->have[i];
		if (r->end <= begin) continue;
		if (r->begin > begin) {
			*gap = (struct window_range){begin, r->begin < end ? r->begin : end};
			return true;
		}
		begin = r->end;
	}
	if (begin >= end) return false;
	*gap = (struct window_range){begin, end};
	return true;
}

static int64_t silent_at(const struct window_pull *p) {
	uint32_t doublings = p->tries < 4 ? p->tries : 4;
	return p->heard_ms + ((int64_t)WINDOW_TIMEOUT_MS << doublings);
}

static void drop_complete(struct window *w) {
	struct window_range gap;
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		struct window_pull *p = &w->pulls[i];
		if (p->used && !missing(w, p->begin, p->end, &gap)) p->used = false;
	}
}

static bool ask_silent(struct window *w, int64_t now_ms, struct window_range *out) {
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		struct window_pull *p = &w->pulls[i];
		if (!p->used || now_ms < silent_at(p) || !missing(w, p->begin, p->end, out)) continue;
		p->heard_ms = now_ms;
		p->tries++;
		return true;
	}
	return false;
}

static bool ask_new(struct window *w, int64_t now_ms, struct window_range *out) {
	uint64_t limit = w->end - w->base < WINDOW_BYTES ? w->end : w->base + WINDOW_BYTES;
	if (w->asked >= limit) return false;
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		struct window_pull *p = &w->pulls[i];
		if (p->used) continue;
		uint64_t len = limit - w->asked < WINDOW_PULL_BYTES ? limit - w->asked : WINDOW_PULL_BYTES;
		/* a short pull only at the end of the clip: a window that moves by chunks must not ask by
		 * chunks */
		if (len < WINDOW_PULL_BYTES && limit < w->end) return false;
		*p = (struct window_pull){w->asked, w->asked + len, now_ms, 0, true};
		w->asked += len;
		*out = (struct window_range){p->begin, p->end};
		return true;
	}
	return false;
}

bool window_pull(struct window *w, int64_t now_ms, uint64_t *offset, uint32_t *length) {
	struct window_range r;
	drop_complete(w);
	if (!ask_silent(w, now_ms, &r) && !ask_new(w, now_ms, &r)) return false;
	*offset = r.begin;
	*length = (uint32_t)(r.end - r.begin);
	return true;
}

void window_ask_again(struct window *w) {
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		w->pulls[i].tries = 0;
		w->pulls[i].heard_ms = INT64_MIN / 2;
	}
}

int64_t window_due_ms(const struct window *w) {
	int64_t due = INT64_MAX;
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		if (w->pulls[i].used && silent_at(&w->pulls[i]) < due) due = silent_at(&w->pulls[i]);
	}
	return due;
}

/* Joins [begin, end) to have[]. False: no room for another island. */
static bool join(struct window *w, uint64_t begin, uint64_t end) {
	size_t first = 0;
	while (first < w->have_count && w->have[first].end < begin) first++;
	size_t last = first;
	while (last < w->have_count && w->have[last].begin <= end) last++;
	if (first == last && w->have_count == WINDOW_RANGES_MAX) return false;
	if (first < last) {
		if (w->have[first].begin < begin) begin = w->have[first].begin;
		if (w->have[last - 1].end > end) end = w->have[last - 1].end;
	}
	memmove(&w->have[first + 1], &w->have[last], (w->have_count - last) * sizeof(w->have[0]));
	w->have_count = w->have_count - (last - first) + 1;
	w->have[first] = (struct window_range){begin, end};
	return true;
}

static void into_ring(struct window *w, uint64_t offset, struct span bytes) {
	size_t at = (size_t)(offset % WINDOW_BYTES);
	size_t first = bytes.len < WINDOW_BYTES - at ? bytes.len : WINDOW_BYTES - at;
	memcpy(w->ring + at, bytes.ptr, first);
	if (bytes.len > first) memcpy(w->ring, bytes.ptr + first, bytes.len - first);
}

/* A new byte of a pull tells that those asked after it are still queued behind it, not that they
 * are lost. */
static void hear(struct window *w, uint64_t offset, uint64_t end, int64_t now_ms) {
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		struct window_pull *p = &w->pulls[i];
		if (!p->used || p->end <= offset) continue;
		if (now_ms > p->heard_ms) p->heard_ms = now_ms;
		if (p->begin < end) p->tries = 0;
	}
}

bool window_put(struct window *w, uint64_t offset, struct span bytes, int64_t now_ms) {
	uint64_t limit = w->asked; /* what was not asked for is not taken */
	if (bytes.len == 0 || offset >= limit) return false;
	if (offset < w->base) {
		if (w->base - offset >= bytes.len) return false;
		bytes = span_drop(bytes, (size_t)(w->base - offset));
		offset = w->base;
	}
	if (bytes.len > limit - offset) bytes.len = (size_t)(limit - offset);
	struct window_range gap;
	if (!missing(w, offset, offset + bytes.len, &gap)) return false;
	if (!join(w, offset, offset + bytes.len)) return false;
	into_ring(w, offset, bytes);
	hear(w, offset, offset + bytes.len, now_ms);
	return true;
}

struct span window_ready(const struct window *w) {
	if (w->have_count == 0 || w->have[0].begin != w->base) return (struct span){NULL, 0};
	size_t at = (size_t)(w->base % WINDOW_BYTES);
	uint64_t len = w->have[0].end - w->base;
	if (len > WINDOW_BYTES - at) len = WINDOW_BYTES - at;
	return span_of(w->ring + at, (size_t)len);
}

void window_take(struct window *w, size_t n) {
	if (!ENSURE(n <= window_ready(w).len)) return;
	if (n == 0) return;
	w->base += n;
	w->have[0].begin = w->base;
	if (w->have[0].begin == w->have[0].end) {
		w->have_count--;
		memmove(&w->have[0], &w->have[1], w->have_count * sizeof(w->have[0]));
	}
	drop_complete(w);
}
