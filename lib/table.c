/* Hash table with borrowed keys. It knows nothing of what it holds and frees none of it. */
#include "lib/table.h"

enum { FIRST_SLOTS = 16 };

static uint64_t rotl(uint64_t x, unsigned by) {
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4]) {
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static uint64_t load_le(const uint8_t *p, size_t n) {
	uint64_t x = 0;
	for (size_t i = 0; i < n; i++) x |= (uint64_t)p[i] << (8 * i);
	return x;
}

/* SipHash-1-3 (Aumasson, Bernstein): one round a word, three at the end. Never 0, which marks empty
 * slots. */
static uint64_t hash_key(const struct table *t, struct span key) {
	uint64_t v[4] = {t->seed[0] ^ 0x736f6d6570736575u, t->seed[1] ^ 0x646f72616e646f6du,
					 t->seed[0] ^ 0x6c7967656e657261u, t->seed[1] ^ 0x7465646279746573u};
	size_t at = 0;
	for (; key.len - at >= 8; at += 8) {
		uint64_t word = load_le(key.ptr + at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t last = (uint64_t)key.len << 56;
	if (key.len > at) last |= load_le(key.ptr + at, key.len - at);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++) sip_round(v);
	uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
	return hash ? hash : 1;
}

void table_init(struct table *t, uint64_t seed0, uint64_t seed1) {
	*t = (struct table){.seed = {seed0, seed1}};
}

void table_fini(struct table *t) {
	free(t->slots);
	table_init(t, t->seed[0], t->seed[1]);
}

/* The key's slot, or the empty slot where it belongs. Load stays below 1, so an empty slot always
 * ends it. */
static struct table_slot *find(const struct table *t, struct span key, uint64_t hash) {
	size_t mask = t->cap - 1;
	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		struct table_slot *slot = &t->slots[i];
		if (slot->hash == 0) return slot;
		if (slot->hash == hash && span_eq(span_of(slot->key, slot->key_len), key)) return slot;
	}
}

void *table_get(const struct table *t, struct span key) {
	if (t->count == 0) return NULL;
	return find(t, key, hash_key(t, key))->value; /* NULL in an empty slot */
}

static enum err resize(struct table *t, size_t cap) {
	struct table_slot *slots = calloc(cap, sizeof(*slots));
	if (!slots) return ERR_NOMEM;
	for (size_t i = 0; i < t->cap; i++) {
		const struct table_slot *from = &t->slots[i];
		if (from->hash == 0) continue;
		size_t to = (size_t)from->hash & (cap - 1);
		while (slots[to].hash != 0) to = (to + 1) & (cap - 1);
		slots[to] = *from;
	}
	free(t->slots);
	t->slots = slots;
	t->cap = cap;
	return ERR_NONE;
}

enum err table_reserve(struct table *t, size_t n) {
	if (n > SIZE_MAX / 8 - t->count) return ERR_NOMEM;
	size_t want = t->count + n;
	size_t cap = t->cap ? t->cap : FIRST_SLOTS;
	while (want > cap / 4 * 3) {
		if (cap > SIZE_MAX / 2 / sizeof(struct table_slot)) return ERR_NOMEM;
		cap *= 2;
	}
	return cap == t->cap ? ERR_NONE : resize(t, cap);
}

enum err table_put(struct table *t, struct span key, void *value, void **old) {
	if (key.len > UINT32_MAX) return ERR_LIMIT;
	uint64_t hash = hash_key(t, key);
	struct table_slot *slot = t->cap ? find(t, key, hash) : NULL;
	if (!slot || slot->hash == 0) {
		enum err e = table_reserve(t, 1);
		if (e != ERR_NONE) return e;
		slot = find(t, key, hash);
		t->count++;
	}
	if (old) *old = slot->value;
	*slot = (struct table_slot){hash, key.ptr, (uint32_t)key.len, value};
	return ERR_NONE;
}

void *table_del(struct table *t, struct span key) {
	if (t->count == 0) return NULL;
	struct table_slot *slot = find(t, key, hash_key(t, key));
	if (slot->hash == 0) return NULL;
	void *value = slot->value;
	size_t mask = t->cap - 1;
	size_t hole = (size_t)(slot - t->slots);
	/* Closes the gap: an entry moves back when the hole lies between its own place and where it
	 * stands. */
	for (size_t i = (hole + 1) & mask; t->slots[i].hash != 0; i = (i + 1) & mask) {
		size_t home = (size_t)t->slots[i].hash & mask;
		if (((i - home) & mask) < ((i - hole) & mask)) continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = (struct table_slot){0};
	t->count--;
	return value;
}

void *table_next(const struct table *t, size_t *at) {
	while (*at < t->cap) {
		const struct table_slot *slot = &t->slots[(*at)++];
		if (slot->hash != 0) return slot->value;
	}
	return NULL;
}
