/* The credentials file: what is taken, what is refused, and that a new one is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/relay/s3_keys.h"

static char path[64], why[S3_KEYS_WHY_SIZE];

static int make_folder(void **state) {
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/vestibule-keys-%d", (int)getpid());
	return 0;
}

static int remove_file(void **state) {
	(void)state;
	(void)unlink(path);
	return 0;
}

static void write_file(const char *text, mode_t mode) {
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static bool is_taken(const char *text, mode_t mode) {
	write_file(text, mode);
	why[0] = '\0';
	struct s3_keys *k = s3_keys_new(path, why);
	bool taken = k != NULL;
	assert_true(taken || strstr(why, path));
	s3_keys_free(k);
	return taken;
}

static void file_gives_its_keys(void **state) {
	(void)state;
	write_file("# bucket\n\naccess_key = test:tester\r\n secret_key=a/b+c= \nsession_token = x==",
			   0600);
	struct s3_keys *k = s3_keys_new(path, why);
	assert_non_null(k);
	assert_string_equal(s3_keys_access(k), "test:tester");
	assert_string_equal(s3_keys_secret(k), "a/b+c=");
	assert_string_equal(s3_keys_token(k), "x==");
	s3_keys_free(k);
	write_file("access_key = a\nsecret_key = b\n", 0600);
	k = s3_keys_new(path, why);
	assert_non_null(k);
	assert_null(s3_keys_token(k));
	s3_keys_free(k);
}

static void file_that_others_may_read_is_refused(void **state) {
	(void)state;
	const char *text = "access_key = a\nsecret_key = b\n";
	assert_true(is_taken(text, 0600));
	assert_true(is_taken(text, 0400));
	assert_false(is_taken(text, 0640));
	assert_false(is_taken(text, 0604));
	assert_non_null(strstr(why, "others may read it"));
}

static void malformed_file_is_refused(void **state) {
	(void)state;
	static const char *const texts[] = {
		"",
		"access_key = a\n",
		"secret_key = b\n",
		"access_key = a\nsecret_key =\n",
		"access_key = a\naccess_key = c\nsecret_key = b\n",
		"access_key = a/c\nsecret_key = b\n",
		"access_key = a\nsecret_key = b c\n",
		"access_key = a\nsecret_key = b\nregion = x\n",
		"access_key = a\nsecret_key = b\nnonsense\n",
		"access_key = a\nsecret_key = \x01\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (is_taken(texts[i], 0600)) fail_msg("taken: %s", texts[i]);
	}
	(void)unlink(path);
	assert_null(s3_keys_new(path, why));
}

static void value_holds_at_its_limit(void **state) {
	(void)state;
	char text[S3_KEYS_SECRET_MAX + 64];
	int n = snprintf(text, sizeof(text), "access_key = a\nsecret_key = ");
	memset(text + n, 's', S3_KEYS_SECRET_MAX + 1);
	text[n + S3_KEYS_SECRET_MAX] = '\0';
	assert_true(is_taken(text, 0600));
	text[n + S3_KEYS_SECRET_MAX] = 's';
	text[n + S3_KEYS_SECRET_MAX + 1] = '\0';
	assert_false(is_taken(text, 0600));
}

static void new_file_is_noticed_and_a_bad_one_changes_nothing(void **state) {
	(void)state;
	write_file("access_key = a\nsecret_key = b\n", 0600);
	struct s3_keys *k = s3_keys_new(path, why);
	assert_non_null(k);
	assert_false(s3_keys_refresh(k, false, why));
	assert_false(s3_keys_refresh(k, true, why));
	write_file("access_key = a\nsecret_key = cc\n", 0600);
	assert_true(s3_keys_refresh(k, false, why));
	assert_string_equal(s3_keys_secret(k), "cc");
	write_file("access_key = a\nsecret_key = ddd\n", 0644);
	assert_false(s3_keys_refresh(k, false, why));
	assert_non_null(strstr(why, "others may read it"));
	assert_string_equal(s3_keys_secret(k), "cc");
	(void)unlink(path);
	assert_false(s3_keys_refresh(k, false, why));
	assert_true(why[0]);
	assert_string_equal(s3_keys_secret(k), "cc");
	s3_keys_free(k);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_gives_its_keys),
		cmocka_unit_test(file_that_others_may_read_is_refused),
		cmocka_unit_test(malformed_file_is_refused),
		cmocka_unit_test(value_holds_at_its_limit),
		cmocka_unit_test(new_file_is_noticed_and_a_bad_one_changes_nothing),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_file);
}
