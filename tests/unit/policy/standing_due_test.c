/* Which standing grants need a look: those that end, and those of homes where something changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plugin/policy/state_due.h"
#include "tests/unit/policy/rows.h"

enum { MANY = 500 };

static uint32_t random_state = 12345;

static uint32_t draw(uint32_t below) {
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 8) % below;
}

struct grant {
	int64_t at_ms;
	size_t place;
	bool in;
};

/* The heap says what a walk through all would say, whatever came and went before. */
static void agrees(const struct state_due *d, const struct grant *all, int64_t until_ms) {
	size_t expected = 0, found = 0;
	for (size_t i = 0; i < MANY; i++) {
		if (!all[i].in) continue;
		assert_ptr_equal(d->items[all[i].place - 1].owner, &all[i]);
		if (all[i].at_ms <= until_ms) expected++;
	}
	for (size_t p = state_due_next(d, until_ms, 0); p; p = state_due_next(d, until_ms, p)) {
		assert_true(d->items[p - 1].at_ms <= until_ms);
		found++;
		assert_true(found <= expected); /* none twice, it would never end */
	}
	assert_int_equal(found, expected);
}

static void heap_agrees_with_a_walk_through_all(void **state) {
	static struct grant all[MANY];
	struct state_due d = {NULL, 0, 0};
	(void)state;
	assert_int_equal(state_due_reserve(&d, MANY), ERR_NONE);
	for (int round = 0; round < 20000; round++) {
		struct grant *g = &all[draw(MANY)];
		if (g->in) {
			state_due_del(&d, &g->place);
			assert_int_equal(g->place, STATE_DUE_NONE);
		} else {
			g->at_ms = draw(100);
			state_due_add(&d, g->at_ms, g, &g->place);
		}
		g->in = !g->in;
		if (round % 50 == 0) agrees(&d, all, draw(110));
	}
	state_due_fini(&d);
}

static struct row_standing *standing(int n, int64_t exp_ms, enum grant_state to) {
	static struct row_standing g;
	g = (struct row_standing){.row = {.kind = ROW_STANDING},
							  .home = "maple",
							  .integrator = "alarm",
							  .kind = GRANT_RING,
							  .state = to,
							  .exp_ms = exp_ms};
	(void)snprintf(g.id, sizeof(g.id), "00000000-0000-7000-8000-%012d", n);
	return &g;
}

static size_t ending(const struct state *st, int64_t until_ms) {
	size_t n = 0;
	const struct row_standing *g = NULL;
	while ((g = state_standing_ending(st, until_ms, g))) n++;
	return n;
}

static struct state *street(void) {
	struct state *st = rows_state();
	rows_put(st, HOME("maple"));
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm"));
	return st;
}

static void only_active_grants_end(void **state) {
	struct state *st = street();
	(void)state;
	for (int n = 0; n < 10; n++) rows_put(st, &standing(n, NOW_MS + n, GSTATE_ACTIVE)->row);
	assert_int_equal(state_standing_count(st), 10);
	assert_int_equal(ending(st, NOW_MS - 1), 0);
	assert_int_equal(ending(st, NOW_MS + 4), 5);
	rows_put(st, &standing(2, NOW_MS + 2, GSTATE_REVOKED)->row);
	assert_int_equal(ending(st, NOW_MS + 4), 4);
	rows_del(st, &standing(3, NOW_MS + 3, GSTATE_ACTIVE)->row);
	assert_int_equal(ending(st, NOW_MS + 4), 3);
	assert_int_equal(state_standing_count(st), 8);
	assert_null(state_standing_nth(st, 8));
	state_free(st);
}

static size_t older(const struct state *st, enum row_kind kind, int64_t until_ms) {
	size_t n = 0;
	const struct row *r = NULL;
	while ((r = state_older(st, kind, until_ms, r))) n++;
	return n;
}

static void old_marks_are_found_and_younger_ones_are_not(void **state) {
	struct state *st = street();
	struct row_seen mark = {.row = {.kind = ROW_SEEN}, .username = "alice", .digest = HASH64};
	(void)state;
	for (int n = 0; n < 100; n++) {
		(void)snprintf(mark.id, sizeof(mark.id), "alice/00000000-0000-7000-8000-%012d", n);
		mark.at_ms = NOW_MS + n * 37 % 100;
		rows_put(st, &mark.row);
	}
	assert_int_equal(older(st, ROW_SEEN, NOW_MS - 1), 0);
	assert_int_equal(older(st, ROW_SEEN, NOW_MS + 9), 10);
	rows_del(st, &mark.row); /* the last: NOW_MS + 63 */
	assert_int_equal(older(st, ROW_SEEN, NOW_MS + 99), 99);
	assert_int_equal(older(st, ROW_CLIP, NOW_MS + 99), 0);
	state_free(st);
}

static bool is_touched(const struct state *st, uint64_t since, const char *home) {
	const char *name;
	for (size_t n = 0; (name = state_touched_since(st, since, n)); n++) {
		if (span_eq(span_str(name), span_str(home))) return true;
	}
	return false;
}

static void touched_homes_are_named(void **state) {
	struct state *st = street();
	(void)state;
	rows_put(st, HOME("oak"));
	uint64_t before = state_seq(st);
	assert_true(state_touched_all(st, 0)); /* nothing was looked at yet */
	assert_false(state_touched_all(st, before));
	rows_put(st, DEVICE("front", "maple", "u4pruydq"));
	assert_true(is_touched(st, before, "maple"));
	assert_false(is_touched(st, before, "oak"));
	assert_false(is_touched(st, state_seq(st), "maple"));
	before = state_seq(st);
	rows_put(st, CRED("bob", CRED_MEMBER, "oak", ROLE_ADULT));
	assert_true(is_touched(st, before, "oak"));
	before = state_seq(st);
	rows_del(st, CRED("bob", CRED_MEMBER, "oak", ROLE_ADULT));
	assert_true(is_touched(st, before, "oak"));
	before = state_seq(st);
	rows_put(st, CRED("front", CRED_DEVICE, "front", 0)); /* of no member: nothing rests on it */
	assert_null(state_touched_since(st, before, 0));
	assert_false(state_touched_all(st, before));
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm", .retired = 1));
	assert_true(state_touched_all(st, before));
	state_free(st);
}

static void too_many_touched_homes_mean_all(void **state) {
	struct state *st = street();
	char name[ROW_ID_SIZE];
	(void)state;
	uint64_t before = state_seq(st);
	for (int n = 0; n < 64; n++) {
		struct row_device d = {.row = {.kind = ROW_DEVICE}, .home = "maple"};
		(void)snprintf(name, sizeof(name), "door-%d", n);
		memcpy(d.id, name, sizeof(d.id));
		rows_put(st, &d.row);
	}
	assert_false(state_touched_all(st, before));
	assert_non_null(state_touched_since(st, before, 63));
	rows_put(st, DEVICE("one-more", "maple", ""));
	assert_true(state_touched_all(st, before));
	assert_false(state_touched_all(st, before + 1));
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_agrees_with_a_walk_through_all),
		cmocka_unit_test(only_active_grants_end),
		cmocka_unit_test(old_marks_are_found_and_younger_ones_are_not),
		cmocka_unit_test(touched_homes_are_named),
		cmocka_unit_test(too_many_touched_homes_mean_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
