/* See held.h. A ring buffer that doubles. */
#include "plugin/held.h"

struct held {
	struct held_item *items;
	size_t cap, first, count; /* cap: 0 or a power of two */
	uint64_t lost;
};

struct held *held_new(void) {
	return calloc(1, sizeof(struct held));
}

void held_free(struct held *h) {
	if (!h) return;
	for (size_t i = 0; i < h->count; i++)
		outbound_message_free(h->items[(h->first + i) & (h->cap - 1)].message);
	free(h->items);
	free(h);
}

static enum err grow(struct held *h) {
	if (h->cap >= HELD_MAX) return ERR_LIMIT;
	size_t cap = h->cap ? h->cap * 2 : 64;
	struct held_item *items = calloc(cap, sizeof(*items));
	if (!items) return ERR_NOMEM;
	for (size_t i = 0; i < h->count; i++) items[i] = h->items[(h->first + i) & (h->cap - 1)];
	free(h->items);
	h->items = items;
	h->cap = cap;
	h->first = 0;
	return ERR_NONE;
}

enum err held_put(struct held *h, struct held_item item) {
	enum err e = h->count < h->cap ? ERR_NONE : grow(h);
	if (e != ERR_NONE) {
		h->lost++;
		outbound_message_free(item.message);
		return e;
	}
	h->items[(h->first + h->count) & (h->cap - 1)] = item;
	h->count++;
	return ERR_NONE;
}

bool held_take(struct held *h, uint64_t durable_seq, struct held_item *out) {
	if (h->count == 0 || h->items[h->first].seq > durable_seq) return false;
	*out = h->items[h->first];
	h->first = (h->first + 1) & (h->cap - 1);
	h->count--;
	return true;
}

size_t held_count(const struct held *h) {
	return h->count;
}

uint64_t held_lost(const struct held *h) {
	return h->lost;
}
