/* Hash table from byte strings to pointers; open addressing, linear probing, load at most 3/4. It
 * does not allocate while it is asked (table_get), only while it is changed. Keys are borrowed:
 * they live inside the values and must not change while the value is in the table. The hash is
 * seeded per table (SipHash-1-3), so that outsiders who choose names cannot make it slow. Not
 * thread safe; one owner. */
#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include "lib/err.h"
#include "lib/span.h"

struct table_slot {
	uint64_t hash; /* 0: empty */
	const uint8_t *key;
	uint32_t key_len;
	void *value;
};

struct table {
	struct table_slot *slots; /* owned */
	size_t cap;               /* power of two, or 0 */
	size_t count;
	uint64_t seed[2];
};

void table_init(struct table *t, uint64_t seed0, uint64_t seed1); /* allocates nothing */
void table_fini(struct table *t); /* frees the slots, not the values */

void *table_get(const struct table *t, struct span key); /* NULL when absent; borrowed */

/* Adds, or replaces the value and the key's place. *old gets the replaced value or NULL (old may be
 * NULL). ERR_NOMEM: nothing changed. */
enum err table_put(struct table *t, struct span key, void *value, void **old) MUST_CHECK;

void *table_del(struct table *t, struct span key); /* the removed value, or NULL when absent */

/* Room for so many more, so that the next n table_put cannot fail. */
enum err table_reserve(struct table *t, size_t n) MUST_CHECK;

/* Iteration in slot order: start with *at = 0; NULL at the end. The table must not change
 * meanwhile. */
void *table_next(const struct table *t, size_t *at);

#endif
