/* A file has its name only when it is whole and right; what came before a break is not lost. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/home/partfile.h"
#include "lib/hex.h"

static char folder[64];
static char path[96];
static char part[112];
static uint8_t sha256_abc[PARTFILE_SHA256_LEN];

static int set_up(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/partfile-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof(path), "%s/clip.mp4", folder);
	(void)snprintf(part, sizeof(part), "%s.part", path);
	return hex_decode(SPAN_LIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
					  sha256_abc, sizeof(sha256_abc)) == ERR_NONE
			   ? 0
			   : -1;
}

static int tear_down(void **state) {
	(void)state;
	(void)unlink(path);
	(void)unlink(part);
	return rmdir(folder);
}

static bool is_there(const char *name) {
	return access(name, F_OK) == 0;
}

static struct partfile opened(uint64_t length) {
	struct partfile f;
	char why[PARTFILE_WHY_SIZE];
	assert_int_equal(partfile_open(&f, path, length, why), ERR_NONE);
	return f;
}

static void the_name_appears_only_when_whole_and_right(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct stat st;
	struct partfile f = opened(3);
	assert_int_equal(partfile_append(&f, SPAN_LIT("abc"), why), ERR_NONE);
	assert_false(is_there(path));
	assert_int_equal(partfile_finish(&f, span_of(sha256_abc, sizeof(sha256_abc)), why), ERR_NONE);
	partfile_close(&f);
	assert_true(is_there(path));
	assert_false(is_there(part));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void another_digest_leaves_nothing(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f = opened(3);
	assert_int_equal(partfile_append(&f, SPAN_LIT("abd"), why), ERR_NONE);
	assert_int_equal(partfile_finish(&f, span_of(sha256_abc, sizeof(sha256_abc)), why), ERR_INPUT);
	partfile_close(&f);
	assert_false(is_there(path));
	assert_false(is_there(part));
}

static void a_second_run_goes_on_where_the_first_ended(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f = opened(3);
	assert_int_equal(partfile_append(&f, SPAN_LIT("ab"), why), ERR_NONE);
	partfile_close(&f);
	assert_true(is_there(part));
	f = opened(3);
	assert_int_equal(f.size, 2);
	assert_int_equal(partfile_append(&f, SPAN_LIT("c"), why), ERR_NONE);
	assert_int_equal(partfile_finish(&f, span_of(sha256_abc, sizeof(sha256_abc)), why), ERR_NONE);
	partfile_close(&f);
}

static void a_part_longer_than_the_clip_is_begun_anew(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f = opened(10);
	assert_int_equal(partfile_append(&f, SPAN_LIT("abcdefgh"), why), ERR_NONE);
	partfile_close(&f);
	f = opened(3);
	assert_int_equal(f.size, 0);
	partfile_close(&f);
}

static void an_existing_file_and_a_busy_part_are_left_alone(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f = opened(3), second;
	assert_int_equal(partfile_open(&second, path, 3, why), ERR_STORE);
	partfile_close(&f);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(partfile_open(&second, path, 3, why), ERR_STORE);
}

static void a_symbolic_link_is_not_followed(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f;
	char other[112];
	(void)snprintf(other, sizeof(other), "%s.other", path);
	int fd = open(other, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(symlink(other, part), 0);
	assert_int_equal(partfile_open(&f, path, 3, why), ERR_STORE);
	assert_int_equal(unlink(other), 0);
}

static void a_part_that_others_could_read_becomes_private(void **state) {
	(void)state;
	struct stat st;
	int fd = open(part, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(close(fd), 0);
	struct partfile f = opened(3);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	partfile_close(&f);
}

static void a_part_of_another_user_is_refused(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f;
	if (geteuid() != 0) skip(); /* only root can give a file away */
	int fd = open(part, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, 65534, 65534), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(partfile_open(&f, path, 3, why), ERR_STORE);
	assert_non_null(strstr(why, "another user"));
}

static void a_pipe_is_no_part_and_nobody_waits_for_it(void **state) {
	(void)state;
	char why[PARTFILE_WHY_SIZE];
	struct partfile f;
	assert_int_equal(mkfifo(part, 0600), 0);
	assert_int_equal(partfile_open(&f, path, 3, why), ERR_STORE);
	assert_non_null(strstr(why, "regular"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_name_appears_only_when_whole_and_right, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(another_digest_leaves_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_second_run_goes_on_where_the_first_ended, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_part_longer_than_the_clip_is_begun_anew, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(an_existing_file_and_a_busy_part_are_left_alone, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_part_that_others_could_read_becomes_private, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_part_of_another_user_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pipe_is_no_part_and_nobody_waits_for_it, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(a_symbolic_link_is_not_followed, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
