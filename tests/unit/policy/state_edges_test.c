/* The edges of the state: kinds, links and places that there are not, memory that is refused at every
 * single allocation, and promises between its parts that somebody broke. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/state_index.h"
#include "plugin/policy/state_touched.h"
#include "tests/unit/policy/memory.h"
#include "tests/unit/policy/rows.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int broken; /* promises found broken */

static void count_broken(const char *file, int line, const char *what) {
	(void)file;
	(void)line;
	(void)what;
	broken++;
}

static int watch(void **unused) {
	(void)unused;
	broken = 0;
	err_assert_hook(count_broken);
	return 0;
}

static int unwatch(void **unused) {
	(void)unused;
	memory_give();
	err_assert_hook(NULL);
	return 0;
}

/* --- what there is not --- */

static void there_is_nothing_of_a_kind_or_link_that_there_is_not(void **unused) {
	(void)unused;
	struct state_index ix;
	struct state_put put;
	struct state *st = world_new();
	static const enum row_kind kinds[] = {ROW_NONE, ROW_KINDS, (enum row_kind) - 1};
	for (size_t i = 0; i < COUNT(kinds); i++) {
		assert_int_equal(state_count(st, kinds[i]), 0);
		assert_null(state_get(st, kinds[i], SPAN_LIT("elm")));
		assert_null(state_each(st, kinds[i], NULL));
		struct row none = {.kind = kinds[i]};
		assert_int_equal(state_index_prepare(&none, 1, &put), ERR_NOMEM);
		assert_null(put.node);
	}
	assert_int_equal(state_count(st, ROW_HOME), 2);
	state_index_init(&ix, 1, 2);
	assert_null(state_index_first(&ix, ROW_HOME, -1, SPAN_LIT("elm")));
	assert_null(state_index_first(&ix, ROW_HOME, STATE_LINKS, SPAN_LIT("elm")));
	state_index_fini(&ix);
	const struct row *home = state_each(st, ROW_HOME, NULL);
	assert_null(state_index_after(home, -1));
	assert_null(state_index_after(home, STATE_LINKS));
	assert_non_null(state_index_after(home, STATE_BY_ALL));
	state_free(st);
}

static void a_pair_needs_both_names_and_room(void **unused) {
	(void)unused;
	char room[STATE_EXTRA_SIZE], name[STATE_EXTRA_SIZE];
	memset(name, 'a', sizeof(name));
	struct span most = span_of(name, STATE_EXTRA_SIZE - 3), one = SPAN_LIT("b"), none = {NULL, 0};
	assert_int_equal(state_index_pair(none, one, room).len, 0);
	assert_int_equal(state_index_pair(one, none, room).len, 0);
	assert_int_equal(state_index_pair(most, one, room).len, STATE_EXTRA_SIZE - 1);
	assert_int_equal(state_index_pair(span_of(name, STATE_EXTRA_SIZE - 2), one, room).len, 0);
}

static void no_more_touched_homes_are_told_than_are_kept(void **unused) {
	(void)unused;
	struct state_touched t = {0};
	struct row_device d = {.row.kind = ROW_DEVICE, .id = "elm-door", .home = "elm"};
	for (size_t i = 0; i < 2 * STATE_TOUCHED_KEPT; i++) state_touched_note(&t, i + 1, &d.row, NULL);
	assert_non_null(state_touched_home(&t, 0, STATE_TOUCHED_KEPT - 1));
	assert_null(state_touched_home(&t, 0, STATE_TOUCHED_KEPT));
	assert_true(state_touched_any(&t, STATE_TOUCHED_KEPT - 1));
	assert_false(state_touched_any(&t, STATE_TOUCHED_KEPT));
}

/* --- changes --- */

static void a_refusal_needs_nobody_to_tell(void **unused) {
	(void)unused;
	struct state *st = world_new();
	const struct row *orphan = DEVICE("d9", "nowhere", "");
	struct change c = {.seq = state_seq(st) + 1, .count = 1, .ops = {{false, orphan}}};
	assert_int_equal(state_apply(st, &c, NULL), ERR_INPUT);
	assert_null(state_device(st, SPAN_LIT("d9")));
	state_free(st);
}

static void what_is_applied_before_the_load_ends_was_committed_by_nobody(void **unused) {
	(void)unused;
	const char *bad = "";
	struct change c = {.seq = 3, .count = 1, .ops = {{false, HOME("elm")}}};
	struct state *st = state_new(1, 2);
	state_committed(st, 5);
	assert_int_equal(state_apply(st, &c, &bad), ERR_NONE);
	assert_int_equal(state_complete(st, 5, &bad), ERR_NONE);
	c.seq = 5;
	assert_int_equal(state_apply(st, &c, &bad), ERR_INPUT);
	assert_string_equal(bad, "seq");
	state_free(st);
}

static void i7_a_clip_grant_is_to_one_agency_for_one_clip_of_one_device(void **unused) {
	(void)unused;
	struct row_grant g;
	const char *bad = "";
	struct state *st = world_new();
	const struct row_grant *old = state_grant(st, SPAN_LIT(UUID_OF("60")));
	memcpy(&g, old, sizeof(g));
	memcpy(g.agency, "fire-9", 7);
	assert_int_equal(rows_try(st, &g.row, &bad), ERR_INPUT);
	assert_string_equal(bad, "owner");
	memcpy(&g, old, sizeof(g));
	memcpy(g.device, "elm-yard", 9);
	assert_int_equal(rows_try(st, &g.row, &bad), ERR_INPUT);
	assert_string_equal(bad, "owner");
	memcpy(&g, old, sizeof(g));
	memcpy(g.clip, UUID_OF("51"), ROW_UUID_SIZE);
	assert_int_equal(rows_try(st, &g.row, &bad), ERR_INPUT);
	assert_string_equal(bad, "owner");
	memcpy(&g, old, sizeof(g));
	g.decided_ms++;
	assert_int_equal(rows_try(st, &g.row, &bad), ERR_NONE);
	state_free(st);
}

static void a_job_may_go_to_another_relay_and_outlive_its_own(void **unused) {
	(void)unused;
	struct state *st = world_new();
	rows_put(st, JOB("80", "spare", "70", JOB_COPY));
	assert_string_equal(state_job(st, SPAN_LIT(UUID_OF("80")))->relay, "spare");
	rows_del(st, CRED("relay-2", CRED_RELAY, "spare", ROLE_NONE));
	rows_del(st, ROW(ROW_RELAY, relay, .id = "spare"));
	rows_put(st, JOB("80", "spare", "70", JOB_PURGE)); /* what is there may change */
	const char *bad = "";
	assert_int_equal(rows_try(st, JOB("83", "spare", "70", JOB_COPY), &bad), ERR_INPUT);
	assert_string_equal(bad, "parent"); /* what is new needs its relay */
	state_free(st);
}

/* Ids of homes and of integrators are two sets: who is called alike is no child. */
static void a_home_goes_though_a_firm_of_its_name_has_people(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	rows_put(st, HOME("elm"));
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "elm"));
	rows_put(st, CRED("elm-1", CRED_INTEGRATOR, "elm", ROLE_NONE));
	rows_del(st, HOME("elm"));
	assert_null(state_home(st, SPAN_LIT("elm")));
	const char *bad = "";
	struct change c = {.seq = state_seq(st) + 1,
					   .count = 1,
					   .ops = {{true, ROW(ROW_INTEGRATOR, integrator, .id = "elm")}}};
	assert_int_equal(state_apply(st, &c, &bad), ERR_INPUT);
	assert_string_equal(bad, "children");
	state_free(st);
}

static void i2_another_job_is_no_copy_job(void **unused) {
	(void)unused;
	struct span mover = SPAN_LIT("mover"), door = SPAN_LIT("elm-door");
	struct state *st = world_new();
	rows_put(st, JOB("83", "mover", "70", JOB_CANCEL)); /* the newest, looked at first */
	assert_int_equal(state_copy_job(st, mover, door, SPAN_LIT(UUID_OF("50")))->kind, JOB_COPY);
	rows_del(st, JOB("80", "mover", "70", JOB_COPY));
	assert_null(state_copy_job(st, mover, door, SPAN_LIT(UUID_OF("50"))));
	state_free(st);
}

/* --- order of a load --- */

static void rows_of_one_change_are_loaded_in_the_order_of_their_keys(void **unused) {
	(void)unused;
	static const char *const keys[] = {"ab", "b", "a", "abc", "aa"};
	static const char *const sorted[] = {"b", "abc", "ab", "aa",
										 "a"}; /* the last put comes first */
	for (size_t turn = 0; turn < COUNT(keys); turn++) {
		const char *bad = "";
		struct state *st = state_new(turn, 7);
		for (size_t i = 0; i < COUNT(keys); i++) {
			struct row_home h = {.row = {.kind = ROW_HOME, .seq = 4}};
			const char *key = keys[(i + turn) % COUNT(keys)];
			assert_true(span_copy(span_str(key), h.id, sizeof(h.id)));
			assert_int_equal(state_load(st, &h.row, &bad), ERR_NONE);
		}
		assert_int_equal(state_complete(st, 4, &bad), ERR_NONE);
		const struct row *r = state_each(st, ROW_HOME, NULL);
		for (size_t i = 0; i < COUNT(sorted); i++, r = state_each(st, ROW_HOME, r))
			assert_true(span_eq(row_key(r), span_str(sorted[i])));
		state_free(st);
	}
}

/* --- memory --- */

static void each_allocation_that_fails_leaves_the_state_as_it_was(void **unused) {
	(void)unused;
	if (!MEMORY_COUNTED) skip();
	const char *bad = "";
	/* a row of most kinds into an empty state: every table, list and heap has to grow */
	const struct change c = {
		.seq = 1,
		.count = 7,
		.ops = {{false, HOME("elm")},
				{false, DEVICE("elm-door", "elm", "")},
				{false, ROW(ROW_INTEGRATOR, integrator, .id = "co")},
				{false, STANDING("01", "elm", "co", "", GRANT_RING, GSTATE_ACTIVE, 1, 2)},
				{false, CLIP("50", "elm", "elm-door")},
				{false, CRED("ann", CRED_MEMBER, "elm", ROLE_ADMIN)},
				{false, ROW(ROW_SEEN, seen, .id = "ann/" UUID_OF("88"), .username = "ann",
							.digest = HASH64)}}};
	enum err e = ERR_NOMEM;
	long failures = 0;
	for (; e == ERR_NOMEM; failures++) {
		struct state *st = rows_state();
		memory_refuse(failures);
		e = state_apply(st, &c, &bad);
		memory_give();
		if (e == ERR_INPUT) fail_msg("%s", bad);
		assert_int_equal(state_seq(st), e == ERR_NONE ? 1 : 0);
		for (int kind = ROW_NONE + 1; kind < ROW_KINDS && e != ERR_NONE; kind++)
			assert_int_equal(state_count(st, (enum row_kind)kind), 0);
		state_free(st);
	}
	assert_int_equal(e, ERR_NONE);
	assert_true(failures > 25); /* seven rows, their lists, tables and heaps */
}

static void each_allocation_that_fails_ends_a_load_of_one_row(void **unused) {
	(void)unused;
	if (!MEMORY_COUNTED) skip();
	const char *bad = "";
	enum err e = ERR_NOMEM;
	long failures = 0;
	for (; e == ERR_NOMEM; failures++) {
		struct state *st = state_new(1, 2);
		memory_refuse(failures);
		e = state_load(st, CLIP("50", "elm", "elm-door"), &bad);
		memory_give();
		assert_int_equal(state_count(st, ROW_CLIP), e == ERR_NONE ? 1 : 0);
		state_free(st);
	}
	assert_int_equal(e, ERR_NONE);
	assert_true(failures > 5);
}

static void a_row_is_not_copied_without_memory(void **unused) {
	(void)unused;
	if (!MEMORY_COUNTED) skip();
	memory_refuse(0);
	struct row *copy = row_clone(HOME("elm"));
	memory_give();
	assert_null(copy);
}

static void a_heap_that_cannot_grow_says_so_and_stays(void **unused) {
	(void)unused;
	struct state_due d = {0};
	assert_int_equal(state_due_reserve(&d, SIZE_MAX / 2), ERR_NOMEM);
	if (MEMORY_COUNTED) {
		memory_refuse(0);
		enum err e = state_due_reserve(&d, 1);
		memory_give();
		assert_int_equal(e, ERR_NOMEM);
	}
	assert_null(d.items);
	assert_int_equal(state_due_reserve(&d, 1), ERR_NONE);
	state_due_fini(&d);
}

/* --- broken promises: found, and nothing worse --- */

static void what_was_not_reserved_is_not_added(void **unused) {
	(void)unused;
	struct state_due d = {0};
	size_t place = STATE_DUE_NONE;
	state_due_add(&d, 5, &d, &place);
	assert_int_equal(broken, 1);
	assert_int_equal(place, STATE_DUE_NONE);
	assert_int_equal(state_due_reserve(&d, 2), ERR_NONE);
	state_due_add(&d, 5, &d, &place);
	assert_int_equal(broken, 1);
	state_due_add(&d, 6, &d, &place); /* it is in the heap already */
	assert_int_equal(broken, 2);
	assert_int_equal(d.count, 1);
	state_due_fini(&d);
}

static void a_row_without_room_in_its_table_is_not_put(void **unused) {
	(void)unused;
	if (!MEMORY_COUNTED) skip();
	struct state_index ix;
	struct state_put put;
	state_index_init(&ix, 1, 2);
	assert_int_equal(state_index_prepare(HOME("elm"), 1, &put), ERR_NONE);
	memory_refuse(0);
	state_index_put(&ix, &put);
	memory_give();
	assert_int_equal(broken, 1);
	assert_null(state_index_get(&ix, ROW_HOME, SPAN_LIT("elm")));
	assert_null(state_index_first(&ix, ROW_HOME, STATE_BY_ALL, SPAN_LIT("")));
	state_index_discard(&put); /* still the caller's */
	state_index_fini(&ix);
}

/* The row is found by its key then, and not by its parent: nothing is read through a list that could not
 * be made. */
static void a_row_without_its_list_is_in_no_list(void **unused) {
	(void)unused;
	for (int with_memory = MEMORY_COUNTED ? 0 : 1; with_memory < 2; with_memory++) {
		struct state_index ix;
		struct state_put put;
		broken = 0;
		state_index_init(&ix, 1, 2);
		assert_int_equal(state_index_prepare(DEVICE("d1", "elm", ""), 1, &put), ERR_NONE);
		assert_int_equal(table_reserve(&ix.rows[ROW_DEVICE], 1), ERR_NONE);
		if (with_memory) {
			free(put.spare[STATE_BY_PARENT]);
			put.spare[STATE_BY_PARENT] = NULL;
		} else {
			memory_refuse(0);
		}
		state_index_put(&ix, &put);
		memory_give();
		assert_int_equal(broken, 1);
		assert_non_null(state_index_get(&ix, ROW_DEVICE, SPAN_LIT("d1")));
		assert_null(state_index_first(&ix, ROW_DEVICE, STATE_BY_PARENT, SPAN_LIT("elm")));
		state_index_del(&ix, ROW_DEVICE, SPAN_LIT("d1"));
		assert_null(state_index_get(&ix, ROW_DEVICE, SPAN_LIT("d1")));
		state_index_fini(&ix);
	}
}

#define WATCHED(test) cmocka_unit_test_setup_teardown(test, watch, unwatch)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_nothing_of_a_kind_or_link_that_there_is_not),
		cmocka_unit_test(a_pair_needs_both_names_and_room),
		cmocka_unit_test(no_more_touched_homes_are_told_than_are_kept),
		cmocka_unit_test(a_refusal_needs_nobody_to_tell),
		cmocka_unit_test(what_is_applied_before_the_load_ends_was_committed_by_nobody),
		cmocka_unit_test(i7_a_clip_grant_is_to_one_agency_for_one_clip_of_one_device),
		cmocka_unit_test(a_job_may_go_to_another_relay_and_outlive_its_own),
		cmocka_unit_test(a_home_goes_though_a_firm_of_its_name_has_people),
		cmocka_unit_test(i2_another_job_is_no_copy_job),
		cmocka_unit_test(rows_of_one_change_are_loaded_in_the_order_of_their_keys),
		cmocka_unit_test(each_allocation_that_fails_leaves_the_state_as_it_was),
		cmocka_unit_test(each_allocation_that_fails_ends_a_load_of_one_row),
		cmocka_unit_test(a_row_is_not_copied_without_memory),
		cmocka_unit_test(a_heap_that_cannot_grow_says_so_and_stays),
		WATCHED(what_was_not_reserved_is_not_added),
		WATCHED(a_row_without_room_in_its_table_is_not_put),
		WATCHED(a_row_without_its_list_is_in_no_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
