/* I29: which databases count as restored, and what is left of one when it has been settled. Real
 * files: copied, killed under, put back. The town's rows come from the pure core. */
#include "tests/store/sample.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/store/mark.h"
#include "plugin/store/settle.h"
#include "tests/unit/consent/town.h"

static char folder[64], path[96], wal[112], mark[112], saved[112], saved_wal[112], saved_mark[112];
static char why[STORE_WHY_SIZE];

static int setup(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/vestibule-restored-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof(path), "%s/store.db", folder);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	(void)snprintf(mark, sizeof(mark), "%s.mark", path);
	(void)snprintf(saved, sizeof(saved), "%s/saved", folder);
	(void)snprintf(saved_wal, sizeof(saved_wal), "%s/saved-wal", folder);
	(void)snprintf(saved_mark, sizeof(saved_mark), "%s/saved-mark", folder);
	why[0] = '\0';
	return 0;
}

static int teardown(void **state) {
	const char *all[] = {path, wal, mark, saved, saved_wal, saved_mark};
	(void)state;
	for (size_t i = 0; i < 6; i++) (void)unlink(all[i]);
	return rmdir(folder);
}

static void copy(const char *from, const char *to) {
	char buf[65536];
	ssize_t n;
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0) assert_int_equal(write(out, buf, (size_t)n), n);
	assert_int_equal(n, 0);
	(void)close(in);
	(void)close(out);
}

static struct store *create(void) {
	struct store *s = NULL;
	if (store_sqlite_create(path, &s, why) != ERR_NONE) fail_msg("%s", why);
	assert_null(s->restored);
	return s;
}

static struct store *open_store(void) {
	struct store *s = NULL;
	if (store_sqlite_open(path, &s, why) != ERR_NONE) fail_msg("%s", why);
	return s;
}

static uint64_t seq_of(struct store *s) {
	struct sample_rows rows = {.count = 0};
	uint64_t seq = 0;
	if (s->ops->load(s, sample_keep, &rows, &seq, why) != ERR_NONE) fail_msg("%s", why);
	sample_drop(&rows);
	return seq;
}

static void add(struct store *s, bool denial) {
	union row_any row;
	uint64_t seq = seq_of(s) + 1;
	sample_row(&row, ROW_RECEIPT, (unsigned)seq);
	if (sample_commit(s, seq, &row.row, false, why) != ERR_NONE) fail_msg("%s", why);
	if (denial && s->ops->mark(s, seq, why) != ERR_NONE) fail_msg("%s", why);
}

/* One run of the broker: so many changes, the last a denial. */
static void run(int changes, bool denial) {
	struct store *s = open_store();
	assert_null(s->restored);
	for (int i = 1; i <= changes; i++) add(s, denial && i == changes);
	s->ops->close(s);
}

/* A run that ends by kill -9, so that the log stays. */
static void run_killed(int changes, bool denial) {
	pid_t child = fork();
	if (child == 0) {
		struct store *s = open_store();
		for (int i = 1; i <= changes; i++) add(s, denial && i == changes);
		(void)kill(getpid(), SIGKILL);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(access(wal, F_OK), 0);
}

/* Opening says so, or says nothing; a restored one stays so until it is settled. */
static void is_restored(const char *text) {
	for (int i = 0; i < 2; i++) {
		struct store *s = open_store();
		if (!text) {
			if (s->restored) fail_msg("restored: %s", s->restored);
		} else if (!s->restored) {
			fail_msg("not restored; wanted: %s", text);
		} else if (i == 0 && !strstr(s->restored, text)) {
			fail_msg("wanted '%s' in: %s", text, s->restored);
		}
		s->ops->close(s);
	}
}

/* --- what counts as restored ------------------------------------------------------------------- */

static void i29_a_restart_is_no_restore(void **state) {
	(void)state;
	struct store *s = create();
	add(s, true);
	s->ops->close(s);
	is_restored(NULL);
	run(3, false);
	run(3, true);
	run_killed(5, false);
	is_restored(NULL);
	run_killed(5, true);
	is_restored(NULL);
}

static void i29_a_copy_put_back_is_known_whether_or_not_anything_was_denied_since(void **state) {
	(void)state;
	for (int denial = 0; denial < 2; denial++) {
		struct store *s = create();
		add(s, true);
		s->ops->close(s);
		copy(path, saved);
		run(2, denial == 1);
		copy(saved, path);
		is_restored("not of the run in its mark");
		assert_int_equal(unlink(path), 0);
	}
}

static void i29_a_copy_of_the_same_run_is_known_by_the_denial_it_lacks(void **state) {
	(void)state;
	struct store *s = create();
	add(s, false);
	copy(path, saved);
	copy(wal, saved_wal);
	add(s, true);
	s->ops->close(s);
	copy(saved, path);
	copy(saved_wal, wal);
	is_restored("ends at change 1, and a denial was recorded at 2");
}

/* However far it comes while it is being settled. */
static void i29_it_stays_restored_until_it_is_settled(void **state) {
	(void)state;
	struct store *s = create();
	add(s, false);
	copy(path, saved);
	copy(wal, saved_wal);
	add(s, true);
	s->ops->close(s);
	copy(saved, path);
	copy(saved_wal, wal);
	s = open_store();
	for (int i = 0; i < 5; i++) add(s, false); /* beyond the denial of the mark */
	s->ops->close(s);
	is_restored("not of the run");
	s = open_store();
	if (s->ops->settled(s, why) != ERR_NONE) fail_msg("%s", why);
	assert_null(s->restored);
	s->ops->close(s);
	is_restored(NULL);
}

static void i29_an_older_timeline_is_known_after_a_restore(void **state) {
	(void)state;
	struct store *s = create();
	add(s, false);
	s->ops->close(s);
	copy(path, saved);
	run(9, false);
	copy(path, saved_mark); /* only a name: the longer timeline, without a denial */
	copy(saved, path);
	s = open_store();
	assert_non_null(s->restored);
	assert_int_equal(s->ops->settled(s, why), ERR_NONE);
	add(s, true);
	s->ops->close(s);
	copy(saved_mark, path); /* further than the mark, and of another past */
	is_restored("not of the run in its mark");
}

static void i29_without_its_own_mark_one_cannot_tell(void **state) {
	(void)state;
	struct store *s = create();
	add(s, true);
	s->ops->close(s);
	copy(mark, saved_mark);
	assert_int_equal(unlink(mark), 0);
	is_restored("mark is missing");
}

static void i29_a_mark_that_was_copied_with_its_database_is_no_mark(void **state) {
	(void)state;
	struct store *s = create();
	add(s, true);
	s->ops->close(s);
	copy(path, saved);
	copy(mark, saved_mark);
	run(2, true);
	assert_int_equal(unlink(mark), 0);
	copy(saved, path);
	copy(saved_mark, mark);
	is_restored("mark is a copy");
}

/* As `cp -a BACKUP/. FOLDER/` does: a copy of all files under a running broker, put over them. */
static void i29_a_whole_folder_copied_over_itself_is_known(void **state) {
	(void)state;
	struct store *s = create();
	add(s, true);
	copy(path, saved);
	copy(wal, saved_wal);
	copy(mark, saved_mark);
	add(s, true);
	s->ops->close(s);
	copy(saved, path);
	copy(saved_wal, wal);
	copy(saved_mark, mark);
	is_restored("mark is a copy");
}

static void i29_damaged_marks_are_none(void **state) {
	static const char *const texts[] = {
		"", "vestibule-mark 1 self=", "vestibule-mark 2\n",
		"vestibule-mark 1 self=1/1.000000001 run=zz next= denied=1\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct store *s = create();
		s->ops->close(s);
		int fd = open(mark, O_WRONLY | O_TRUNC);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
		(void)close(fd);
		is_restored("mark is damaged");
		assert_int_equal(unlink(path), 0);
	}
}

static void i29_a_file_put_back_under_the_log_of_another_time_is_refused(void **state) {
	(void)state;
	struct store *s = create();
	add(s, false);
	s->ops->close(s);
	copy(path, saved);
	run_killed(3, true);
	copy(saved, path); /* and the log of the killed run still beside it */
	assert_int_equal(store_sqlite_open(path, &s, why), ERR_STORE);
	if (!strstr(why, "different times")) fail_msg("%s", why);
	assert_int_equal(unlink(wal), 0);
	is_restored("not of the run in its mark");
}

static void i29_death_between_the_steps_of_an_opening_is_no_restore(void **state) {
	(void)state;
	struct mark now, both;
	struct store *s = create();
	add(s, true);
	s->ops->close(s);
	assert_int_equal(mark_read(path, &now, why), ERR_NONE);
	both = now;
	assert_int_equal(mark_draw(both.next), ERR_NONE);
	assert_int_equal(mark_write(path, &both, why), ERR_NONE); /* announced, and not begun */
	is_restored(NULL);

	assert_int_equal(mark_read(path, &now, why), ERR_NONE);
	memset(&both, 0, sizeof(both));
	assert_int_equal(mark_draw(both.run), ERR_NONE);
	memcpy(both.next, now.run, sizeof(both.next));
	assert_int_equal(mark_write(path, &both, why), ERR_NONE); /* begun, and not in force */
	is_restored(NULL);

	assert_int_equal(mark_draw(both.next), ERR_NONE);
	assert_int_equal(mark_write(path, &both, why), ERR_NONE); /* of neither */
	is_restored("not of the run in its mark");
}

static void the_mark_is_its_owners_alone_and_survives_a_denial(void **state) {
	(void)state;
	struct stat st;
	struct mark m;
	struct store *s = create();
	for (int i = 0; i < 3; i++) add(s, true);
	assert_int_equal(stat(mark, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(mark_read(path, &m, why), ERR_NONE);
	assert_int_equal(m.denied_seq, 3);
	s->ops->close(s);
}

/* --- what is left of one ----------------------------------------------------------------------- */

/* Everything the world knows, as one store. */
static void write_world(const struct world *w, struct store *s) {
	uint64_t seq = 0;
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		const struct row *r = state_each(w->st, (enum row_kind)kind, NULL);
		for (; r; r = state_each(w->st, (enum row_kind)kind, r))
			if (sample_commit(s, ++seq, r, false, why) != ERR_NONE) fail_msg("%s", why);
	}
}

static struct state *load(struct store *s, uint64_t *seq) {
	struct state *st = state_new(1, 2);
	if (settle_load(s, st, seq, why) != ERR_NONE) fail_msg("%s", why);
	return st;
}

static size_t live(const struct state *st) {
	size_t n = state_standing_count(st);
	const struct row *r = state_each(st, ROW_GRANT, NULL);
	for (; r; r = state_each(st, ROW_GRANT, r)) {
		int64_t state = ((const struct row_grant *)r)->state;
		n += state == GSTATE_APPROVED || state == GSTATE_ACTIVE;
	}
	return n;
}

/* A clip delivered, and a hundred standing grants: more than one step ends. */
static struct world *busy_town(void) {
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	(void)world_delivered(w, clip);
	for (int n = 0; n < 100; n++) {
		struct row_standing g = {.row = {.kind = ROW_STANDING},
								 .home = "h1",
								 .integrator = "alarm",
								 .actor = "bob",
								 .kind = GRANT_RING,
								 .state = GSTATE_ACTIVE,
								 .nbf_ms = w->now.utc_ms,
								 .exp_ms = w->now.utc_ms + LIMIT_DAY_MS};
		struct change c = {.count = 1, .ops = {{false, &g.row}}};
		(void)snprintf(g.id, sizeof(g.id), "00000000-0000-7000-8000-%012d", n);
		world_apply(w, &c);
	}
	return w;
}

static void check_settled(const struct state *st, const struct world *w) {
	const struct row_grant *g = (const struct row_grant *)state_each(st, ROW_GRANT, NULL);
	assert_int_equal(live(st), 0);
	assert_int_equal(g->state, GSTATE_REVOKED);
	assert_int_equal(g->actor_kind, 1);
	assert_int_equal(g->header.len, 0);
	assert_int_equal(((const struct row_delivery *)state_each(st, ROW_DELIVERY, NULL))->state,
					 DLV_PURGING);
	assert_int_equal(((const struct row_job *)state_each(st, ROW_JOB, NULL))->kind, JOB_PURGE);
	size_t told = 0;
	const struct row *r = state_child(st, ROW_RECEIPT, 0, SPAN_LIT("h1"), NULL);
	for (; r; r = state_child(st, ROW_RECEIPT, 0, SPAN_LIT("h1"), r)) {
		const struct row_receipt *receipt = (const struct row_receipt *)r;
		bool ends = receipt->kind == RECEIPT(GRANT_RETRACTED) || receipt->kind == RECEIPT(REVOKED);
		if (ends) assert_string_equal(receipt->actor, "");
		told += ends;
	}
	assert_int_equal(told, 101);
	const struct row_meta *m =
		(const struct row_meta *)state_get(st, ROW_META, SPAN_LIT(RESTORED_META));
	assert_int_equal(m->value, w->now.utc_ms);
}

static void i29_settling_ends_every_grant_durably_and_once(void **state) {
	(void)state;
	struct settle_sum sum;
	uint64_t seq = 0;
	struct world *w = busy_town();
	struct store *s = create();
	write_world(w, s);
	s->ops->close(s);
	copy(path, saved);
	run(0, false);
	copy(saved, path);

	s = open_store();
	assert_non_null(s->restored);
	struct state *st = load(s, &seq);
	assert_int_equal(live(st), 101);
	if (settle_restored(s, st, w->now, &seq, &sum, why) != ERR_NONE) fail_msg("%s", why);
	assert_int_equal(sum.clip_grants, 1);
	assert_int_equal(sum.standing_grants, 100);
	assert_int_equal(state_durable_seq(st), seq);
	check_settled(st, w);
	state_free(st);
	s->ops->close(s);

	s = open_store(); /* and so it is on the disk; a second time there is nothing to do */
	assert_null(s->restored);
	st = load(s, &seq);
	check_settled(st, w);
	assert_int_equal(settle_restored(s, st, w->now, &seq, &sum, why), ERR_NONE);
	assert_int_equal(sum.standing_grants, 0);
	state_free(st);
	s->ops->close(s);
	world_free(w);
}

static void i29_settling_leaves_a_store_that_was_not_restored_alone(void **state) {
	(void)state;
	struct settle_sum sum;
	uint64_t seq = 0;
	struct world *w = busy_town();
	struct store *s = create();
	write_world(w, s);
	s->ops->close(s);
	s = open_store();
	struct state *st = load(s, &seq);
	assert_int_equal(settle_restored(s, st, w->now, &seq, &sum, why), ERR_NONE);
	assert_int_equal(live(st), 101);
	state_free(st);
	s->ops->close(s);
	world_free(w);
}

static void i29_the_operators_word_is_enough(void **state) {
	(void)state;
	struct store *s = create();
	add(s, false);
	s->ops->close(s);
	assert_int_equal(store_sqlite_open_restored(path, &s, why), ERR_NONE);
	assert_non_null(s->restored);
	s->ops->close(s);
	is_restored("not of the run in its mark"); /* the word was not forgotten */
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CLAIM(i29_a_restart_is_no_restore),
		CLAIM(i29_a_copy_put_back_is_known_whether_or_not_anything_was_denied_since),
		CLAIM(i29_a_copy_of_the_same_run_is_known_by_the_denial_it_lacks),
		CLAIM(i29_it_stays_restored_until_it_is_settled),
		CLAIM(i29_an_older_timeline_is_known_after_a_restore),
		CLAIM(i29_without_its_own_mark_one_cannot_tell),
		CLAIM(i29_a_mark_that_was_copied_with_its_database_is_no_mark),
		CLAIM(i29_a_whole_folder_copied_over_itself_is_known),
		CLAIM(i29_damaged_marks_are_none),
		CLAIM(i29_a_file_put_back_under_the_log_of_another_time_is_refused),
		CLAIM(i29_death_between_the_steps_of_an_opening_is_no_restore),
		CLAIM(the_mark_is_its_owners_alone_and_survives_a_denial),
		CLAIM(i29_settling_ends_every_grant_durably_and_once),
		CLAIM(i29_settling_leaves_a_store_that_was_not_restored_alone),
		CLAIM(i29_the_operators_word_is_enough),
	};
	return cmocka_run_group_tests_name("restored stores", tests, NULL, NULL);
}
