/* The pull window: whatever comes, in whatever order and however often, what leaves is the clip, in
 * order, once; and no more than one window is ever outstanding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clients/relay/window.h"

enum { KIB64 = 65536, PULL = WINDOW_PULL_BYTES };

static uint8_t byte_at(uint64_t n) {
	return (uint8_t)(n * 2654435761U >> 13);
}

static bool put(struct window *w, uint64_t offset, size_t len, int64_t now_ms) {
	static uint8_t block[2 * WINDOW_BYTES];
	assert_true(len <= sizeof(block));
	for (size_t i = 0; i < len; i++) block[i] = byte_at(offset + i);
	return window_put(w, offset, span_of(block, len), now_ms);
}

/* Hands on everything that is in order, checking that it is the clip. */
static void drain(struct window *w) {
	struct span s;
	while ((s = window_ready(w)).len) {
		for (size_t i = 0; i < s.len; i++) assert_int_equal(s.ptr[i], byte_at(w->base + i));
		window_take(w, s.len);
	}
}

static void assert_sane(const struct window *w) {
	assert_true(w->base <= w->asked && w->asked <= w->end);
	assert_true(w->have_count <= WINDOW_RANGES_MAX);
	uint64_t last = w->base;
	for (size_t i = 0; i < w->have_count; i++) {
		assert_true(w->have[i].begin >= last && w->have[i].begin < w->have[i].end);
		assert_true(w->have[i].end <= w->base + WINDOW_BYTES && w->have[i].end <= w->asked);
		last = w->have[i].end + 1; /* apart: touching ranges are joined */
	}
}

static size_t ask_all(struct window *w, int64_t now_ms, uint64_t *offsets, uint32_t *lengths) {
	size_t n = 0;
	while (n < 8 && window_pull(w, now_ms, &offsets[n], &lengths[n])) n++;
	return n;
}

static void asks_for_one_window_and_no_more(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	assert_int_equal(window_init(&w, 0, 10 * WINDOW_BYTES), ERR_NONE);
	assert_int_equal(ask_all(&w, 0, offset, length), WINDOW_PULLS);
	for (size_t i = 0; i < WINDOW_PULLS; i++) {
		assert_int_equal(offset[i], i * PULL);
		assert_int_equal(length[i], PULL);
	}
	assert_true(put(&w, 0, PULL - 1, 1));
	drain(&w);
	assert_int_equal(ask_all(&w, 1, offset, length), 0);
	assert_true(put(&w, PULL - 1, 1, 1));
	drain(&w);
	assert_int_equal(ask_all(&w, 1, offset, length), 1);
	assert_int_equal(offset[0], WINDOW_BYTES);
	window_fini(&w);
}

static void last_pull_is_exactly_what_is_left(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	assert_int_equal(window_init(&w, 5, PULL + 5 + 1), ERR_NONE);
	assert_int_equal(ask_all(&w, 0, offset, length), 2);
	assert_int_equal(offset[1], 5 + PULL);
	assert_int_equal(length[1], 1);
	window_fini(&w);
	assert_int_equal(window_init(&w, 7, 7), ERR_NONE);
	assert_int_equal(ask_all(&w, 0, offset, length), 0);
	window_fini(&w);
	assert_int_equal(window_init(&w, 8, 7), ERR_INPUT);
}

static void silence_asks_for_what_is_missing_only(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	assert_int_equal(window_init(&w, 0, PULL), ERR_NONE);
	assert_int_equal(ask_all(&w, 0, offset, length), 1);
	assert_true(put(&w, 0, KIB64, 10));
	assert_true(put(&w, 3 * KIB64, KIB64, 20));
	assert_int_equal(window_due_ms(&w), 20 + WINDOW_TIMEOUT_MS);
	assert_int_equal(ask_all(&w, 20 + WINDOW_TIMEOUT_MS - 1, offset, length), 0);
	assert_int_equal(ask_all(&w, 20 + WINDOW_TIMEOUT_MS, offset, length), 1);
	assert_int_equal(offset[0], KIB64);
	assert_int_equal(length[0], 2 * KIB64);
	/* and after more silence not before twice the time */
	int64_t then = 20 + WINDOW_TIMEOUT_MS;
	assert_int_equal(ask_all(&w, then + 2 * WINDOW_TIMEOUT_MS - 1, offset, length), 0);
	assert_int_equal(ask_all(&w, then + 2 * WINDOW_TIMEOUT_MS, offset, length), 1);
	window_fini(&w);
}

static void slow_but_steady_device_is_not_asked_twice(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	int64_t now = 0;
	assert_int_equal(window_init(&w, 0, WINDOW_BYTES), ERR_NONE);
	assert_int_equal(ask_all(&w, now, offset, length), WINDOW_PULLS);
	for (uint64_t at = 0; at < WINDOW_BYTES; at += KIB64) {
		now += WINDOW_TIMEOUT_MS - 1; /* the last pull waits for a dozen of these */
		assert_int_equal(ask_all(&w, now, offset, length), 0);
		assert_true(put(&w, at, KIB64, now));
		drain(&w);
	}
	assert_int_equal(w.base, WINDOW_BYTES);
	window_fini(&w);
}

static void bytes_that_were_not_asked_for_are_dropped(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	assert_int_equal(window_init(&w, 1000, 3 * WINDOW_BYTES), ERR_NONE);
	assert_false(put(&w, 1000, 10, 0));
	assert_int_equal(ask_all(&w, 0, offset, length), WINDOW_PULLS);
	assert_false(put(&w, 0, 1000, 0));
	assert_false(put(&w, 1000 + WINDOW_BYTES, 10, 0));
	assert_false(put(&w, UINT64_MAX, 10, 0));
	assert_false(put(&w, UINT64_MAX - 5, 10, 0));
	assert_false(put(&w, 1000, 0, 0));
	assert_true(put(&w, 990, 20, 0)); /* its second half is new */
	assert_int_equal(window_ready(&w).len, 10);
	drain(&w);
	assert_true(put(&w, 1000 + WINDOW_BYTES - 5, 10, 0)); /* its first half was asked for */
	assert_sane(&w);
	assert_int_equal(w.have[0].end, 1000 + WINDOW_BYTES);
	window_fini(&w);
}

static void islands_are_bounded_and_nothing_is_lost(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	assert_int_equal(window_init(&w, 0, 400), ERR_NONE);
	assert_int_equal(ask_all(&w, 0, offset, length), 1);
	size_t taken = 0;
	for (uint64_t at = 1; at < 400; at += 2) taken += put(&w, at, 1, 0);
	assert_int_equal(taken, WINDOW_RANGES_MAX);
	assert_sane(&w);
	for (int64_t now = 1000000; w.base < 400; now += 1000000) {
		assert_int_equal(ask_all(&w, now, offset, length), 1);
		assert_true(put(&w, offset[0], length[0], now));
		drain(&w);
		assert_sane(&w);
	}
	window_fini(&w);
}

static void any_order_and_repetition_gives_the_clip(void **state) {
	(void)state;
	uint32_t random = 1;
	struct window w;
	uint64_t end = 3 * WINDOW_BYTES + 12345;
	int64_t now = 0;
	assert_int_equal(window_init(&w, 777, end), ERR_NONE);
	for (int round = 0; w.base < end; round++) {
		uint64_t offset;
		uint32_t length;
		assert_true(round < 100000);
		while (window_pull(&w, now, &offset, &length)) assert_true(offset + length <= end);
		random = random * 1664525U + 1013904223U;
		uint64_t at = w.base + random % (WINDOW_BYTES + 4096);
		if (at > 5000) at -= 5000;
		(void)put(&w, at, 1 + (random >> 16) % KIB64, now); /* new or not: both must be right */
		assert_sane(&w);
		if (random & 0x800) drain(&w);
		now += 100;
	}
	window_fini(&w);
}

static void lost_connection_makes_everything_due(void **state) {
	(void)state;
	struct window w;
	uint64_t offset[8];
	uint32_t length[8];
	assert_int_equal(window_init(&w, 0, 2 * WINDOW_BYTES), ERR_NONE);
	assert_int_equal(ask_all(&w, 1000, offset, length), WINDOW_PULLS);
	assert_int_equal(ask_all(&w, 1001, offset, length), 0);
	window_ask_again(&w);
	assert_int_equal(ask_all(&w, 1001, offset, length), WINDOW_PULLS);
	window_fini(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_one_window_and_no_more),
		cmocka_unit_test(last_pull_is_exactly_what_is_left),
		cmocka_unit_test(silence_asks_for_what_is_missing_only),
		cmocka_unit_test(slow_but_steady_device_is_not_asked_twice),
		cmocka_unit_test(bytes_that_were_not_asked_for_are_dropped),
		cmocka_unit_test(islands_are_bounded_and_nothing_is_lost),
		cmocka_unit_test(any_order_and_repetition_gives_the_clip),
		cmocka_unit_test(lost_connection_makes_everything_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
