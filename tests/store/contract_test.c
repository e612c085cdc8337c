/* The promises of store.h, asked of every store. A store that survives is closed and opened again
 * between writing and reading; the one in memory is asked directly. */
#include "tests/store/sample.h"

#include <unistd.h>

struct kind_of_store {
	const char *path; /* NULL: in memory */
};

struct fixture {
	const struct kind_of_store *kind;
	struct store *store;
	struct sample_rows rows;
	char why[STORE_WHY_SIZE];
};

static char path[64], mark[64 + 8];

static void open_new(struct fixture *f) {
	if (!f->kind->path) {
		f->store = store_mem_open();
	} else {
		enum err e = store_sqlite_create(f->kind->path, &f->store, f->why);
		if (e != ERR_NONE) fail_msg("%s", f->why);
	}
	assert_non_null(f->store);
}

static void reopen(struct fixture *f) {
	if (!f->kind->path) return;
	f->store->ops->close(f->store);
	f->store = NULL;
	enum err e = store_sqlite_open(f->kind->path, &f->store, f->why);
	if (e != ERR_NONE) fail_msg("%s", f->why);
}

static int setup(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	f->kind = *state;
	(void)unlink(path);
	open_new(f);
	*state = f;
	return 0;
}

static int teardown(void **state) {
	struct fixture *f = *state;
	f->store->ops->close(f->store);
	sample_drop(&f->rows);
	free(f);
	(void)unlink(path);
	(void)unlink(mark);
	return 0;
}

static uint64_t load(struct fixture *f) {
	uint64_t seq = UINT64_MAX;
	sample_drop(&f->rows);
	if (f->store->ops->load(f->store, sample_keep, &f->rows, &seq, f->why) != ERR_NONE)
		fail_msg("%s", f->why);
	return seq;
}

static void new_store_is_empty(void **state) {
	struct fixture *f = *state;
	assert_int_equal(load(f), 0);
	assert_int_equal(f->rows.count, 0);
}

static void every_kind_of_row_comes_back_equal(void **state) {
	struct fixture *f = *state;
	uint64_t seq = 0;
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		union row_any row;
		sample_row(&row, (enum row_kind)kind, 7);
		if (sample_commit(f->store, ++seq, &row.row, false, f->why) != ERR_NONE)
			fail_msg("%s", f->why);
	}
	reopen(f);
	assert_int_equal(load(f), seq);
	assert_int_equal(f->rows.count, ROW_KINDS - 1);
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		union row_any row;
		sample_row(&row, (enum row_kind)kind, 7);
		const struct row *got = sample_find(&f->rows, &row.row);
		assert_non_null(got);
		assert_true(row_eq(got, &row.row));
		assert_int_equal(got->seq, kind); /* of the change that wrote it */
	}
}

static void second_put_replaces_and_raises_the_rows_seq(void **state) {
	struct fixture *f = *state;
	union row_any row;
	sample_row(&row, ROW_GRANT, 1);
	assert_int_equal(sample_commit(f->store, 1, &row.row, false, f->why), ERR_NONE);
	row.grant.state = GSTATE_REVOKED;
	row.grant.header = (struct blob){NULL, 0};
	assert_int_equal(sample_commit(f->store, 9, &row.row, false, f->why), ERR_NONE);
	reopen(f);
	assert_int_equal(load(f), 9);
	assert_int_equal(f->rows.count, 1);
	assert_true(row_eq(f->rows.rows[0], &row.row));
	assert_int_equal(f->rows.rows[0]->seq, 9);
}

static void deleted_row_is_gone_and_deleting_the_absent_is_no_error(void **state) {
	struct fixture *f = *state;
	union row_any row, key_only = {.row = {.kind = ROW_HOME}};
	sample_row(&row, ROW_HOME, 1);
	(void)snprintf(key_only.home.id, sizeof(key_only.home.id), "%s", row.home.id);
	assert_int_equal(sample_commit(f->store, 1, &row.row, false, f->why), ERR_NONE);
	assert_int_equal(sample_commit(f->store, 2, &key_only.row, true, f->why), ERR_NONE);
	assert_int_equal(sample_commit(f->store, 3, &key_only.row, true, f->why), ERR_NONE);
	reopen(f);
	assert_int_equal(load(f), 3);
	assert_int_equal(f->rows.count, 0);
}

static void operations_of_a_change_apply_in_order(void **state) {
	struct fixture *f = *state;
	union row_any a, b;
	sample_row(&a, ROW_META, 1);
	b = a;
	b.meta.value = 5;
	struct change c = {
		.seq = 1, .count = 3, .ops = {{false, &a.row}, {true, &a.row}, {false, &b.row}}};
	const struct change *one = &c;
	assert_int_equal(f->store->ops->commit(f->store, &one, 1, f->why), ERR_NONE);
	reopen(f);
	assert_int_equal(load(f), 1);
	assert_int_equal(f->rows.count, 1);
	assert_true(row_eq(f->rows.rows[0], &b.row));
}

static void several_changes_go_in_together(void **state) {
	struct fixture *f = *state;
	enum { MANY = 64 };
	union row_any rows[MANY];
	struct change *changes = calloc(MANY, sizeof(struct change));
	const struct change *list[MANY];
	for (unsigned i = 0; i < MANY; i++) {
		sample_row(&rows[i], ROW_RECEIPT, i);
		changes[i] = (struct change){.seq = i + 1, .count = 1, .ops = {{false, &rows[i].row}}};
		list[i] = &changes[i];
	}
	assert_int_equal(f->store->ops->commit(f->store, list, MANY, f->why), ERR_NONE);
	free(changes);
	reopen(f);
	assert_int_equal(load(f), MANY);
	assert_int_equal(f->rows.count, MANY);
}

static void an_invalid_row_refuses_the_whole_commit(void **state) {
	struct fixture *f = *state;
	union row_any good, bad;
	sample_row(&good, ROW_HOME, 1);
	sample_row(&bad, ROW_HOME, 2);
	bad.home.id[0] = 'X'; /* upper case is no id */
	struct change first = {.seq = 1, .count = 1, .ops = {{false, &good.row}}};
	struct change second = {.seq = 2, .count = 2, .ops = {{false, &good.row}, {false, &bad.row}}};
	const struct change *both[] = {&first, &second};
	assert_int_equal(f->store->ops->commit(f->store, both, 2, f->why), ERR_INPUT);
	assert_non_null(strstr(f->why, "home: id"));
	reopen(f);
	assert_int_equal(load(f), 0);
	assert_int_equal(f->rows.count, 0);
	assert_int_equal(f->store->ops->commit(f->store, both, 1, f->why),
					 ERR_NONE); /* the good one alone */
}

static void a_row_of_no_kind_is_refused(void **state) {
	struct fixture *f = *state;
	union row_any row = {.row = {.kind = ROW_NONE}};
	assert_int_equal(sample_commit(f->store, 1, &row.row, false, f->why), ERR_INPUT);
	assert_int_equal(sample_commit(f->store, 1, &row.row, true, f->why), ERR_INPUT);
	row.row.kind = ROW_KINDS;
	assert_int_equal(sample_commit(f->store, 1, &row.row, false, f->why), ERR_INPUT);
}

static void seqs_must_rise(void **state) {
	struct fixture *f = *state;
	union row_any row;
	sample_row(&row, ROW_HOME, 1);
	assert_int_equal(sample_commit(f->store, 5, &row.row, false, f->why), ERR_NONE);
	assert_int_equal(sample_commit(f->store, 5, &row.row, false, f->why), ERR_INPUT);
	assert_int_equal(sample_commit(f->store, 4, &row.row, false, f->why), ERR_INPUT);
	struct change a = {.seq = 7}, b = {.seq = 6};
	const struct change *falling[] = {&a, &b};
	assert_int_equal(f->store->ops->commit(f->store, falling, 2, f->why), ERR_INPUT);
	reopen(f);
	assert_int_equal(sample_commit(f->store, 5, &row.row, false, f->why),
					 ERR_INPUT); /* remembered */
	assert_int_equal(load(f), 5);
	assert_int_equal(sample_commit(f->store, 6, &row.row, false, f->why), ERR_NONE);
}

static void an_empty_change_moves_the_seq(void **state) {
	struct fixture *f = *state;
	struct change c = {.seq = 3};
	const struct change *one = &c;
	assert_int_equal(f->store->ops->commit(f->store, &one, 1, f->why), ERR_NONE);
	assert_int_equal(f->store->ops->commit(f->store, &one, 0, f->why),
					 ERR_NONE); /* nothing to do */
	reopen(f);
	assert_int_equal(load(f), 3);
}

static enum err stop_at_once(void *ctx, const struct row *r) {
	(void)r;
	++*(int *)ctx;
	return ERR_NOMEM;
}

static void a_reader_that_fails_ends_the_load_with_its_error(void **state) {
	struct fixture *f = *state;
	union row_any row;
	for (unsigned i = 0; i < 2; i++) {
		sample_row(&row, ROW_HOME, i);
		assert_int_equal(sample_commit(f->store, i + 1, &row.row, false, f->why), ERR_NONE);
	}
	int calls = 0;
	uint64_t seq = 77;
	assert_int_equal(f->store->ops->load(f->store, stop_at_once, &calls, &seq, f->why), ERR_NOMEM);
	assert_int_equal(calls, 1);
	assert_int_equal(seq, 77);
}

static void a_clone_of_a_change_shares_no_memory(void **state) {
	(void)state;
	union row_any row;
	sample_row(&row, ROW_GRANT, 1);
	struct change c = {.seq = 4, .at_ms = 5, .count = 1, .ops = {{true, &row.row}}};
	struct change *copy = store_change_clone(&c);
	assert_non_null(copy);
	assert_true(copy->seq == 4 && copy->at_ms == 5 && copy->count == 1 && copy->ops[0].del);
	const struct row_grant *g = (const struct row_grant *)copy->ops[0].row;
	assert_true(row_eq(&g->row, &row.row));
	assert_ptr_not_equal(g->header.ptr, row.grant.header.ptr);
	store_change_free(copy);
	store_change_free(NULL);
}

/* Each test twice; cmocka hands the kind of store to setup. */
#define WITH(test, name, kind) \
	{ #test " (" name ")", test, setup, teardown, (void *)(kind) }
#define ON_BOTH(test) WITH(test, "memory", &memory), WITH(test, "sqlite", &sqlite)

int main(void) {
	static struct kind_of_store memory = {NULL}, sqlite = {path};
	(void)snprintf(path, sizeof(path), "/tmp/vestibule-contract-%d.db", (int)getpid());
	(void)snprintf(mark, sizeof(mark), "%s.mark", path);
	const struct CMUnitTest tests[] = {
		ON_BOTH(new_store_is_empty),
		ON_BOTH(every_kind_of_row_comes_back_equal),
		ON_BOTH(second_put_replaces_and_raises_the_rows_seq),
		ON_BOTH(deleted_row_is_gone_and_deleting_the_absent_is_no_error),
		ON_BOTH(operations_of_a_change_apply_in_order),
		ON_BOTH(several_changes_go_in_together),
		ON_BOTH(an_invalid_row_refuses_the_whole_commit),
		ON_BOTH(a_row_of_no_kind_is_refused),
		ON_BOTH(seqs_must_rise),
		ON_BOTH(an_empty_change_moves_the_seq),
		ON_BOTH(a_reader_that_fails_ends_the_load_with_its_error),
		cmocka_unit_test(a_clone_of_a_change_shares_no_memory),
	};
	return cmocka_run_group_tests_name("store contract", tests, NULL, NULL);
}
