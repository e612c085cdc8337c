/* What only a store on a disk can show: files that are not what they should be, two processes, full
 * disks, and death at any moment. Faults are real (kill, limits, damaged files), not simulated. */
#include "tests/store/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96], wal[112], mark[112];
static char why[STORE_WHY_SIZE];

static int setup(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/vestibule-sqlite-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof(path), "%s/store.db", folder);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	(void)snprintf(mark, sizeof(mark), "%s.mark", path);
	why[0] = '\0';
	return 0;
}

static int teardown(void **state) {
	(void)state;
	(void)unlink(path);
	(void)unlink(wal);
	(void)unlink(mark);
	(void)rmdir(path);
	return rmdir(folder);
}

static struct store *create(void) {
	struct store *s = NULL;
	if (store_sqlite_create(path, &s, why) != ERR_NONE) fail_msg("%s", why);
	return s;
}

static struct store *reopen(void) {
	struct store *s = NULL;
	if (store_sqlite_open(path, &s, why) != ERR_NONE) fail_msg("%s", why);
	return s;
}

/* A closed store with a few hundred rows, so that damage has something to hit. */
static void make_filled(void) {
	struct store *s = create();
	for (unsigned i = 1; i <= 300; i++) {
		union row_any row;
		sample_row(&row, ROW_CLIP, i);
		if (sample_commit(s, i, &row.row, false, why) != ERR_NONE) fail_msg("%s", why);
	}
	s->ops->close(s);
}

static void run_sql(const char *sql) {
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	char *error = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) fail_msg("%s", error);
	sqlite3_close(db);
}

/* Opening refuses, and says why and which file. */
static void refuses(enum err e, const char *cause) {
	struct store *s = NULL;
	assert_int_equal(store_sqlite_open(path, &s, why), e);
	assert_null(s);
	if (!strstr(why, path) || !strstr(why, cause))
		fail_msg("wanted '%s' and the path in: %s", cause, why);
}

/* --- files ------------------------------------------------------------------------------------ */

static void a_new_file_is_readable_by_its_owner_alone(void **state) {
	(void)state;
	struct store *s = create();
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	s->ops->close(s);
}

static void create_refuses_what_exists_and_leaves_it_alone(void **state) {
	(void)state;
	make_filled();
	struct store *s = NULL;
	assert_int_equal(store_sqlite_create(path, &s, why), ERR_STORE);
	assert_non_null(strstr(why, "exists already"));
	s = reopen();
	s->ops->close(s);
}

static void i1_missing_empty_foreign_and_damaged_files_are_refused_by_name(void **state) {
	(void)state;
	refuses(ERR_ABSENT, "no such file");

	assert_int_equal(mkdir(path, 0700), 0);
	refuses(ERR_STORE, "is a directory");
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(mkfifo(path, 0600), 0);
	refuses(ERR_STORE, "not a regular file");
	assert_int_equal(unlink(path), 0);

	int fd = open(path, O_CREAT | O_RDWR, 0600);
	refuses(ERR_STORE, "empty (0 bytes)");
	for (int i = 0; i < 1000; i++) assert_int_equal(write(fd, "not a database at all\n", 22), 22);
	close(fd);
	refuses(ERR_STORE, "not a database");
	assert_int_equal(unlink(path), 0);

	run_sql("CREATE TABLE t(x)");
	refuses(ERR_STORE, "not one of ours");
}

static void i1_a_truncated_file_is_refused(void **state) {
	(void)state;
	make_filled();
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2 / 4096 * 4096), 0);
	refuses(ERR_STORE, "corrupt");
	assert_int_equal(truncate(path, 5000), 0);
	refuses(ERR_STORE, "corrupt");
}

static void i1_a_file_with_overwritten_pages_is_refused(void **state) {
	(void)state;
	make_filled();
	uint8_t noise[4096];
	memset(noise, 0xa5, sizeof(noise));
	int fd = open(path, O_RDWR);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 8 * 4096; at + 4096 <= st.st_size; at += 4 * 4096) {
		assert_int_equal(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
	}
	close(fd);
	refuses(ERR_STORE, "corrupt");
}

static void i1_a_row_that_does_not_validate_ends_the_load(void **state) {
	(void)state;
	make_filled();
	run_sql("UPDATE clip SET \"trigger\"=99 WHERE change_seq=7");
	struct store *s = reopen();
	struct sample_rows rows = {.count = 0};
	uint64_t seq = 77;
	assert_int_equal(s->ops->load(s, sample_keep, &rows, &seq, why), ERR_INPUT);
	assert_int_equal(seq, 77);
	assert_non_null(strstr(why, "table clip"));
	assert_non_null(strstr(why, "000000000007"));
	assert_non_null(strstr(why, "trigger does not validate"));
	sample_drop(&rows);
	s->ops->close(s);
}

static void i1_a_row_newer_than_the_last_commit_ends_the_load(void **state) {
	(void)state;
	make_filled();
	run_sql("UPDATE clip SET change_seq=301 WHERE change_seq=300");
	struct store *s = reopen();
	struct sample_rows rows = {.count = 0};
	uint64_t seq = 0;
	assert_int_equal(s->ops->load(s, sample_keep, &rows, &seq, why), ERR_INPUT);
	sample_drop(&rows);
	s->ops->close(s);
}

static void a_newer_version_is_refused_and_so_is_a_half_made_one(void **state) {
	(void)state;
	make_filled();
	run_sql("PRAGMA user_version=999");
	refuses(ERR_VERSION, "schema version 999");
	run_sql("PRAGMA user_version=0");
	refuses(ERR_STORE, "never finished");
	run_sql("PRAGMA user_version=3; DROP TABLE store_state");
	refuses(ERR_STORE, "no such table");
}

/* Root may read everything, so a child becomes nobody. */
static void unreadable_and_unwritable_files_are_refused(void **state) {
	(void)state;
	make_filled();
	assert_int_equal(chmod(folder, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(3);
		struct store *s = NULL;
		enum err e = store_sqlite_open(path, &s, why);
		_exit(e == ERR_STORE && strstr(why, "not readable") ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (geteuid() == 0) assert_int_equal(status, 0);

	assert_int_equal(chmod(path, 0644), 0);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(3);
		struct store *s = NULL;
		enum err e = store_sqlite_open(path, &s, why);
		_exit(e == ERR_STORE && strstr(why, "not writable") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (geteuid() == 0) assert_int_equal(status, 0);
}

static void a_second_process_is_refused_until_the_first_is_gone(void **state) {
	(void)state;
	struct store *s = create();
	for (int round = 0; round < 2; round++) { /* before and after a commit: the lock stays */
		pid_t child = fork();
		if (child == 0) {
			struct store *second = NULL;
			enum err e = store_sqlite_open(path, &second, why);
			_exit(e == ERR_STORE && strstr(why, "locked by another process") ? 0 : 1);
		}
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		union row_any row;
		sample_row(&row, ROW_HOME, 1);
		assert_int_equal(sample_commit(s, (uint64_t)round + 1, &row.row, false, why), ERR_NONE);
	}
	s->ops->close(s);
	s = reopen();
	s->ops->close(s);
}

/* --- death and full disks --------------------------------------------------------------------- */

/* Writes receipts for ever and reports each durable one over the pipe. */
static void write_until_killed(int report) {
	struct store *s = NULL;
	if (store_sqlite_open(path, &s, why) != ERR_NONE) _exit(1);
	for (uint32_t i = 1;; i++) {
		union row_any row;
		sample_row(&row, ROW_RECEIPT, i);
		if (sample_commit(s, i, &row.row, false, why) != ERR_NONE) _exit(2);
		if (write(report, &i, sizeof(i)) != sizeof(i)) _exit(3);
	}
}

static void i3_i6_all_that_was_reported_durable_survives_kill_9(void **state) {
	(void)state;
	uint32_t most = 0;
	for (int round = 0; round < 8; round++) {
		struct store *s = create();
		s->ops->close(s);
		int pipes[2];
		assert_int_equal(pipe(pipes), 0);
		pid_t child = fork();
		if (child == 0) write_until_killed(pipes[1]);
		close(pipes[1]);
		uint32_t reported = 0, i;
		if (round % 2) { /* on a slow machine the time alone may not be enough for one */
			assert_int_equal(read(pipes[0], &i, sizeof(i)), sizeof(i));
			reported = i;
		}
		usleep(8000 + 7919 * (unsigned)round);
		assert_int_equal(kill(child, SIGKILL), 0);
		int status = 0;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));

		while (read(pipes[0], &i, sizeof(i)) == sizeof(i)) reported = i;
		close(pipes[0]);
		s = reopen();
		struct sample_rows rows = {.count = 0};
		uint64_t seq = 0;
		if (s->ops->load(s, sample_keep, &rows, &seq, why) != ERR_NONE) fail_msg("%s", why);
		/* One may have been committed and not yet reported; none is half there. */
		assert_true(seq == reported || seq == reported + 1u);
		most = reported > most ? reported : most;
		assert_int_equal(rows.count, seq);
		sample_drop(&rows);
		s->ops->close(s);
		assert_int_equal(unlink(path), 0);
	}
	assert_true(most > 0); /* else nothing was shown */
}

/* In a child, because the limit holds for the whole process. */
static int fill_the_disk(void) {
	struct store *s = NULL;
	if (store_sqlite_open(path, &s, why) != ERR_NONE) return 1;
	(void)signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit, small = {.rlim_cur = 256 * 1024, .rlim_max = RLIM_INFINITY};
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
	small.rlim_max = limit.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &small) != 0) return 3;

	uint32_t i = 0;
	enum err e = ERR_NONE;
	union row_any row;
	while (e == ERR_NONE && i < 100000) {
		sample_row(&row, ROW_RECEIPT, ++i);
		e = sample_commit(s, i, &row.row, false, why);
	}
	if (e != ERR_STORE) return 4;
	if (sample_commit(s, i, &row.row, false, why) != ERR_STORE) return 5; /* still full */
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 6;
	if (sample_commit(s, i, &row.row, false, why) != ERR_NONE)
		return 7; /* the same one, tried again */

	struct sample_rows *rows = calloc(1, sizeof(*rows));
	uint64_t seq = 0;
	if (s->ops->load(s, sample_keep, rows, &seq, why) != ERR_NONE) return 8;
	bool all = seq == i && rows->count == i;
	sample_drop(rows);
	free(rows);
	s->ops->close(s);
	return all ? 0 : 9;
}

static void a_full_disk_fails_the_commit_and_lets_it_through_once_there_is_room(void **state) {
	(void)state;
	struct store *s = create();
	s->ops->close(s);
	pid_t child = fork();
	if (child == 0) _exit(fill_the_disk());
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	s = reopen();
	s->ops->close(s);
}

/* --- erasure ---------------------------------------------------------------------------------- */

static bool file_holds(const char *file, const void *bytes, size_t len) {
	int fd = open(file, O_RDONLY);
	if (fd < 0) return false;
	static uint8_t all[8 * 1024 * 1024];
	ssize_t n = read(fd, all, sizeof(all));
	close(fd);
	return n > 0 && memmem(all, (size_t)n, bytes, len) != NULL;
}

static void an_erased_header_is_in_no_file_once_its_commit_returns(void **state) {
	(void)state;
	struct store *s = create();
	uint8_t secret[168];
	for (size_t i = 0; i < sizeof(secret); i++) secret[i] = (uint8_t)(i * 37 + 11);
	union row_any row;
	sample_row(&row, ROW_GRANT, 1);
	row.grant.header = (struct blob){secret, sizeof(secret)};
	assert_int_equal(sample_commit(s, 1, &row.row, false, why), ERR_NONE);
	assert_true(file_holds(wal, secret, 32) || file_holds(path, secret, 32));

	row.grant.state = GSTATE_REVOKED;
	row.grant.header = (struct blob){NULL, 0};
	assert_int_equal(sample_commit(s, 2, &row.row, false, why), ERR_NONE);
	assert_false(file_holds(wal, secret, 32));
	assert_false(file_holds(path, secret, 32));
	s->ops->close(s);
}

static void a_deleted_row_is_in_no_file_once_its_commit_returns(void **state) {
	(void)state;
	struct store *s = create();
	union row_any row;
	sample_row(&row, ROW_HOME, 1);
	(void)snprintf(row.home.name, sizeof(row.home.name), "Quokka Lane 14");
	assert_int_equal(sample_commit(s, 1, &row.row, false, why), ERR_NONE);
	assert_true(file_holds(wal, "Quokka", 6) || file_holds(path, "Quokka", 6));
	assert_int_equal(sample_commit(s, 2, &row.row, true, why), ERR_NONE);
	assert_false(file_holds(wal, "Quokka", 6));
	assert_false(file_holds(path, "Quokka", 6));
	s->ops->close(s);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CLAIM(a_new_file_is_readable_by_its_owner_alone),
		CLAIM(create_refuses_what_exists_and_leaves_it_alone),
		CLAIM(i1_missing_empty_foreign_and_damaged_files_are_refused_by_name),
		CLAIM(i1_a_truncated_file_is_refused),
		CLAIM(i1_a_file_with_overwritten_pages_is_refused),
		CLAIM(i1_a_row_that_does_not_validate_ends_the_load),
		CLAIM(i1_a_row_newer_than_the_last_commit_ends_the_load),
		CLAIM(a_newer_version_is_refused_and_so_is_a_half_made_one),
		CLAIM(unreadable_and_unwritable_files_are_refused),
		CLAIM(a_second_process_is_refused_until_the_first_is_gone),
		CLAIM(i3_i6_all_that_was_reported_durable_survives_kill_9),
		CLAIM(a_full_disk_fails_the_commit_and_lets_it_through_once_there_is_room),
		CLAIM(an_erased_header_is_in_no_file_once_its_commit_returns),
		CLAIM(a_deleted_row_is_in_no_file_once_its_commit_returns),
	};
	return cmocka_run_group_tests_name("sqlite store", tests, NULL, NULL);
}
