/* See state_due.h. Children of item i are items 2i + 1 and 2i + 2, and end no earlier. */
#include "plugin/policy/state_due.h"

#include <stdint.h>
#include <stdlib.h>

void state_due_fini(struct state_due *d) {
	free(d->items);
	*d = (struct state_due){NULL, 0, 0};
}

enum err state_due_reserve(struct state_due *d, size_t n) {
	if (n <= d->cap - d->count) return ERR_NONE;
	size_t cap = d->cap ? d->cap : 64;
	while (cap - d->count < n) {
		if (cap > SIZE_MAX / 2 / sizeof(*d->items)) return ERR_NOMEM;
		cap *= 2;
	}
	struct state_due_item *items = realloc(d->items, cap * sizeof(*items));
	if (!items) return ERR_NOMEM;
	d->items = items;
	d->cap = cap;
	return ERR_NONE;
}

static void set(struct state_due *d, size_t i, struct state_due_item item) {
	d->items[i] = item;
	*item.place = i + 1;
}

static void sift_up(struct state_due *d, size_t i) {
	struct state_due_item item = d->items[i];
	for (; i > 0 && d->items[(i - 1) / 2].at_ms > item.at_ms; i = (i - 1) / 2)
		set(d, i, d->items[(i - 1) / 2]);
	set(d, i, item);
}

static void sift_down(struct state_due *d, size_t i) {
	struct state_due_item item = d->items[i];
	for (size_t child; (child = 2 * i + 1) < d->count; i = child) {
		if (child + 1 < d->count && d->items[child + 1].at_ms < d->items[child].at_ms) child++;
		if (d->items[child].at_ms >= item.at_ms) break;
		set(d, i, d->items[child]);
	}
	set(d, i, item);
}

void state_due_add(struct state_due *d, int64_t at_ms, void *owner, size_t *place) {
	if (!ENSURE(d->count < d->cap && *place == STATE_DUE_NONE)) return;
	d->items[d->count] = (struct state_due_item){at_ms, owner, place};
	sift_up(d, d->count++);
}

void state_due_del(struct state_due *d, size_t *place) {
	if (*place == STATE_DUE_NONE) return;
	size_t i = *place - 1;
	*place = STATE_DUE_NONE;
	struct state_due_item last = d->items[--d->count];
	if (i == d->count) return;
	set(d, i, last);
	sift_up(d, i);
	sift_down(d, *last.place - 1);
}

static bool is_due(const struct state_due *d, size_t i, int64_t until_ms) {
	return i < d->count && d->items[i].at_ms <= until_ms;
}

size_t state_due_next(const struct state_due *d, int64_t until_ms, size_t place) {
	if (place == 0) return is_due(d, 0, until_ms) ? 1 : 0;
	size_t i = place - 1;
	for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
		if (is_due(d, child, until_ms)) return child + 1;
	}
	for (; i > 0; i = (i - 1) / 2) { /* the sibling of the nearest left child */
		if (i % 2 == 1 && is_due(d, i + 1, until_ms)) return i + 2;
	}
	return 0;
}
