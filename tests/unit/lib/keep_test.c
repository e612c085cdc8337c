/* A private file is whole or not there, and nobody else may read it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/keep.h"

static char folder[64];
static char path[96];
static char why[KEEP_WHY_SIZE];

static int set_up(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/keep-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof path, "%s/key", folder);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void a_file_is_replaced_as_a_whole_and_is_private(void **state) {
	(void)state;
	char got[16];
	size_t len = 0;
	struct stat st;
	mode_t before = umask(0);
	assert_int_equal(keep_write(path, SPAN_LIT("one"), KEEP_REPLACE, why), ERR_NONE);
	assert_int_equal(keep_write(path, SPAN_LIT("three"), KEEP_REPLACE, why), ERR_NONE);
	(void)umask(before);
	assert_int_equal(keep_read(path, got, sizeof got, &len, why), ERR_NONE);
	assert_int_equal(len, 5);
	assert_memory_equal(got, "three", 5);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_new_file_never_overwrites(void **state) {
	(void)state;
	char got[16];
	size_t len = 0;
	assert_int_equal(keep_write(path, SPAN_LIT("one"), KEEP_NEW, why), ERR_NONE);
	assert_int_equal(keep_write(path, SPAN_LIT("two"), KEEP_NEW, why), ERR_LIMIT);
	assert_non_null(strstr(why, "exists already"));
	assert_int_equal(keep_read(path, got, sizeof got, &len, why), ERR_NONE);
	assert_memory_equal(got, "one", 3);
}

static void what_a_killed_writer_left_does_not_matter(void **state) {
	(void)state;
	char beside[112], got[16];
	size_t len = 0;
	(void)snprintf(beside, sizeof beside, "%s.new", path);
	assert_int_equal(symlink("/dev/null", beside), 0);
	assert_int_equal(keep_write(path, SPAN_LIT("one"), KEEP_NEW, why), ERR_NONE);
	assert_int_not_equal(access(beside, F_OK), 0);
	assert_int_equal(keep_read(path, got, sizeof got, &len, why), ERR_NONE);
	assert_int_equal(len, 3);
}

static void what_others_may_read_or_is_too_large_is_refused(void **state) {
	(void)state;
	char got[4];
	size_t len = 7;
	assert_int_equal(keep_read(path, got, sizeof got, &len, why), ERR_ABSENT);
	assert_int_equal(keep_write(path, SPAN_LIT("four"), KEEP_NEW, why), ERR_NONE);
	assert_int_equal(keep_read(path, got, sizeof got, &len, why), ERR_NONE);
	assert_int_equal(len, 4);
	assert_int_equal(keep_read(path, got, 3, &len, why), ERR_LIMIT);
	assert_memory_equal(got, "\0\0\0", 3);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(keep_read(path, got, sizeof got, &len, why), ERR_INPUT);
	assert_int_equal(keep_read(folder, got, sizeof got, &len, why), ERR_INPUT);
}

static void names_change_and_go(void **state) {
	(void)state;
	char other[112], deep[112];
	(void)snprintf(other, sizeof other, "%s/other", folder);
	(void)snprintf(deep, sizeof deep, "%s/a/b", folder);
	assert_int_equal(keep_rename(path, other, why), ERR_ABSENT);
	assert_int_equal(keep_write(path, SPAN_LIT("one"), KEEP_NEW, why), ERR_NONE);
	assert_int_equal(keep_rename(path, other, why), ERR_NONE);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(keep_remove(other, why), ERR_NONE);
	assert_int_equal(keep_remove(other, why), ERR_NONE);
	assert_int_equal(keep_folder(deep, why), ERR_NONE);
	assert_int_equal(keep_folder(deep, why), ERR_NONE);
	assert_int_equal(rmdir(deep), 0);
	*strrchr(deep, '/') = '\0';
	assert_int_equal(rmdir(deep), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_replaced_as_a_whole_and_is_private),
		TEST(a_new_file_never_overwrites),
		TEST(what_a_killed_writer_left_does_not_matter),
		TEST(what_others_may_read_or_is_too_large_is_refused),
		TEST(names_change_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
