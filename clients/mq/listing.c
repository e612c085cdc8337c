/* Sorted, each item once. What an item's text says is the program's business. */
#include "clients/mq/listing.h"

#include <errno.h>

struct listing_item {
	uint64_t at_ms;
	size_t order;   /* of arrival: the later of two with one key wins */
	uint8_t *bytes; /* owned: key, then text */
	size_t key_len;
	size_t text_len;
};

void listing_init(struct listing *l) {
	*l = (struct listing){0};
}

void listing_fini(struct listing *l) {
	for (size_t i = 0; i < l->count; i++) free(l->items[i].bytes);
	free(l->items);
	*l = (struct listing){0};
}

static bool grow(struct listing *l) {
	if (l->count < l->cap) return true;
	size_t cap = l->cap ? 2 * l->cap : 64;
	struct listing_item *grown =
		realloc(l->items, cap * sizeof(*grown)); /* cap <= 2 * LISTING_ITEMS_MAX */
	if (!grown) return false;
	l->items = grown;
	l->cap = cap;
	return true;
}

void listing_add(struct listing *l, uint64_t at_ms, struct span key, struct span text) {
	if (l->error != ERR_NONE) return;
	size_t room = LISTING_BYTES_MAX - l->bytes;
	if (l->count >= LISTING_ITEMS_MAX || key.len > room || text.len > room - key.len) {
		l->error = ERR_LIMIT;
		return;
	}
	uint8_t *bytes = malloc(key.len + text.len + 1);
	if (!bytes || !grow(l)) {
		free(bytes);
		l->error = ERR_NOMEM;
		return;
	}
	if (key.len) memcpy(bytes, key.ptr, key.len);
	if (text.len) memcpy(bytes + key.len, text.ptr, text.len);
	struct listing_item *item = &l->items[l->count];
	item->at_ms = at_ms;
	item->order = l->count;
	item->bytes = bytes;
	item->key_len = key.len;
	item->text_len = text.len;
	l->count++;
	l->bytes += key.len + text.len;
}

static int compare_keys(const struct listing_item *a, const struct listing_item *b) {
	size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c = shorter ? memcmp(a->bytes, b->bytes, shorter) : 0;
	if (c != 0) return c;
	return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int by_key(const void *left, const void *right) {
	const struct listing_item *a = left;
	const struct listing_item *b = right;
	int c = compare_keys(a, b);
	return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

static int by_time(const void *left, const void *right) {
	const struct listing_item *a = left;
	const struct listing_item *b = right;
	if (a->at_ms != b->at_ms) return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
	return compare_keys(a, b);
}

static void drop_repeated(struct listing *l) {
	size_t kept = 0;
	qsort(l->items, l->count, sizeof(l->items[0]), by_key);
	for (size_t i = 0; i < l->count; i++) {
		if (i + 1 < l->count && compare_keys(&l->items[i], &l->items[i + 1]) == 0) {
			free(l->items[i].bytes);
		} else {
			l->items[kept++] = l->items[i];
		}
	}
	l->count = kept;
}

bool listing_print(struct listing *l) {
	if (l->error != ERR_NONE) {
		(void)fprintf(stderr, "the answer cannot be listed: %s\n",
					  err_name(l->error)); /* last resort */
		return false;
	}
	if (l->count == 0) return true;
	drop_repeated(l);
	qsort(l->items, l->count, sizeof(l->items[0]), by_time);
	bool ok = true;
	for (size_t i = 0; i < l->count && ok; i++) {
		const struct listing_item *item = &l->items[i];
		ok = fwrite(item->bytes + item->key_len, 1, item->text_len, stdout) == item->text_len &&
			 putchar('\n') != EOF;
	}
	if (!ok || fflush(stdout) != 0) {
		(void)fprintf(stderr, "cannot write to standard output: %s\n", strerror(errno));
		return false;
	}
	return true;
}
