/* Claims of lib/table.h, against a plain array. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/table.h"

enum { KEYS = 300 };

struct thing {
	char key[8];
	bool in;
};

static struct thing things[KEYS];

static uint32_t next_random(uint32_t *seed) {
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void setup_things(void) {
	for (int i = 0; i < KEYS; i++) {
		(void)snprintf(things[i].key, sizeof(things[i].key), "k%d", i);
		things[i].in = false;
	}
}

static void check_all(const struct table *t) {
	size_t count = 0, walked = 0, at = 0;
	for (int i = 0; i < KEYS; i++) {
		void *found = table_get(t, span_str(things[i].key));
		assert_ptr_equal(found, things[i].in ? &things[i] : NULL);
		if (things[i].in) count++;
	}
	assert_int_equal(t->count, count);
	for (struct thing *x = table_next(t, &at); x; x = table_next(t, &at)) {
		assert_true(x->in);
		walked++;
	}
	assert_int_equal(walked, count);
	assert_true(t->count <= t->cap / 4 * 3);
}

static void random_changes_agree_with_an_array(void **state) {
	(void)state;
	for (uint32_t seed = 1; seed <= 8; seed++) {
		struct table t;
		uint32_t r = seed;
		setup_things();
		table_init(&t, seed, ~(uint64_t)seed);
		for (int step = 0; step < 4000; step++) {
			struct thing *x = &things[next_random(&r) % (step < 2000 ? KEYS : 20)];
			if (next_random(&r) % 3) {
				void *old = &r;
				assert_int_equal(table_put(&t, span_str(x->key), x, &old), ERR_NONE);
				assert_ptr_equal(old, x->in ? x : NULL);
				x->in = true;
			} else {
				assert_ptr_equal(table_del(&t, span_str(x->key)), x->in ? x : NULL);
				x->in = false;
			}
			if (step % 50 == 0) check_all(&t);
		}
		check_all(&t);
		table_fini(&t);
		assert_null(table_get(&t, SPAN_LIT("k1")));
	}
}

static void keys_are_bytes_not_strings(void **state) {
	(void)state;
	struct table t;
	int a, b, c;
	table_init(&t, 1, 2);
	assert_int_equal(table_put(&t, span_of("x\0y", 3), &a, NULL), ERR_NONE);
	assert_int_equal(table_put(&t, span_of("x\0z", 3), &b, NULL), ERR_NONE);
	assert_int_equal(table_put(&t, SPAN_LIT(""), &c, NULL), ERR_NONE);
	assert_ptr_equal(table_get(&t, span_of("x\0y", 3)), &a);
	assert_ptr_equal(table_get(&t, span_of("x\0z", 3)), &b);
	assert_ptr_equal(table_get(&t, SPAN_LIT("")), &c);
	assert_null(table_get(&t, SPAN_LIT("x")));
	table_fini(&t);
}

static void replacing_moves_the_borrowed_key(void **state) {
	(void)state;
	struct table t;
	char first[] = "key", second[] = "key";
	table_init(&t, 1, 2);
	void *old = NULL;
	assert_int_equal(table_put(&t, span_str(first), first, NULL), ERR_NONE);
	assert_int_equal(table_put(&t, span_str(second), second, &old), ERR_NONE);
	assert_ptr_equal(old, first);
	memset(first, 'x', sizeof(first) - 1); /* the first value is gone; its key must not be read */
	assert_ptr_equal(table_get(&t, SPAN_LIT("key")), second);
	table_fini(&t);
}

static void reserved_room_needs_no_allocation(void **state) {
	(void)state;
	struct table t;
	setup_things();
	table_init(&t, 3, 4);
	assert_int_equal(table_reserve(&t, KEYS), ERR_NONE);
	const struct table_slot *slots = t.slots;
	for (int i = 0; i < KEYS; i++) {
		assert_int_equal(table_put(&t, span_str(things[i].key), &things[i], NULL), ERR_NONE);
		assert_ptr_equal(t.slots, slots);
	}
	assert_int_equal(table_reserve(&t, SIZE_MAX), ERR_NOMEM);
	assert_int_equal(table_reserve(&t, SIZE_MAX / 8 - KEYS), ERR_NOMEM);
	assert_int_equal(t.count, KEYS);
	table_fini(&t);
}

/* Reference values of SipHash-1-3 with key 00..0f and input 00..n-1, from the reference
 * implementation. */
static void hash_is_siphash_1_3(void **state) {
	(void)state;
	static const uint64_t want[] = {UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93),
									UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
									UINT64_C(0xd320d86d2a519956)};
	static const size_t len[] = {0, 1, 7, 8, 15};
	uint8_t in[16];
	for (size_t i = 0; i < sizeof(in); i++) in[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		struct table t;
		size_t at = 0;
		table_init(&t, UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908));
		assert_int_equal(table_put(&t, span_of(in, len[i]), in, NULL), ERR_NONE);
		while (t.slots[at].hash == 0) at++;
		assert_true(t.slots[at].hash == want[i]);
		table_fini(&t);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_agree_with_an_array),
		cmocka_unit_test(keys_are_bytes_not_strings),
		cmocka_unit_test(replacing_moves_the_borrowed_key),
		cmocka_unit_test(reserved_room_needs_no_allocation),
		cmocka_unit_test(hash_is_siphash_1_3),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
