/* Tokens: drawn, hashed, and kept where only their owner reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "clients/mq/token.h"

static char folder[64], path[96], why[TOKEN_WHY_SIZE];

static int setup(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/vestibule-token-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof(path), "%s/token", folder);
	return 0;
}

static int teardown(void **state) {
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void write_raw(const void *bytes, size_t len, mode_t mode) {
	(void)unlink(path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void a_drawn_token_is_43_letters_of_base64url_and_never_the_same(void **state) {
	(void)state;
	char a[TOKEN_TEXT_SIZE], b[TOKEN_TEXT_SIZE];
	bool seen[128] = {false};
	for (int i = 0; i < 200; i++) {
		assert_int_equal(token_draw(a), ERR_NONE);
		assert_int_equal(token_draw(b), ERR_NONE);
		assert_int_equal(strlen(a), 43);
		assert_int_equal(
			strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
		assert_string_not_equal(a, b);
		/* 256 bits in 258: the last letter ends in two zero bits. */
		assert_non_null(strchr("AEIMQUYcgkosw048", a[42]));
		for (int k = 0; k < 42; k++) seen[(int)a[k]] = true;
	}
	int letters = 0;
	for (int i = 0; i < 128; i++) letters += seen[i];
	assert_int_equal(letters, 64);
}

static void the_hash_is_sha_256_in_lower_case_hex(void **state) {
	(void)state;
	char out[TOKEN_HASH_SIZE];
	assert_int_equal(token_hash(SPAN_LIT("abc"), out), ERR_NONE); /* FIPS 180-4 example */
	assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(token_hash((struct span){NULL, 0}, out), ERR_NONE);
	assert_string_equal(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_written_token_is_the_owners_alone_and_reads_back(void **state) {
	(void)state;
	char token[TOKEN_TEXT_SIZE], back[TOKEN_TEXT_MAX + 1];
	struct stat st;
	assert_int_equal(token_draw(token), ERR_NONE);
	assert_int_equal(token_write(path, token, why), ERR_NONE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 44);
	assert_int_equal(token_read(path, back, why), ERR_NONE);
	assert_string_equal(back, token);
}

static void an_existing_file_is_never_overwritten(void **state) {
	(void)state;
	char back[TOKEN_TEXT_MAX + 1];
	assert_int_equal(token_write(path, "first", why), ERR_NONE);
	assert_int_equal(token_write(path, "second", why), ERR_STORE);
	assert_non_null(strstr(why, path));
	assert_non_null(strstr(why, "exists already"));
	assert_int_equal(token_read(path, back, why), ERR_NONE);
	assert_string_equal(back, "first");
}

static void reads(enum err e, const char *cause) {
	char out[TOKEN_TEXT_MAX + 1] = "untouched";
	assert_int_equal(token_read(path, out, why), e);
	if (e == ERR_NONE) return;
	assert_string_equal(out, "untouched");
	if (!strstr(why, path) || !strstr(why, cause))
		fail_msg("wanted '%s' and the path in: %s", cause, why);
}

static void a_file_that_others_may_read_is_refused(void **state) {
	(void)state;
	write_raw("token", 5, 0640);
	reads(ERR_INPUT, "others may read it");
	write_raw("token", 5, 0604);
	reads(ERR_INPUT, "others may read it");
	write_raw("token", 5, 0400);
	reads(ERR_NONE, "");
}

static void files_without_exactly_one_token_are_refused(void **state) {
	(void)state;
	reads(ERR_ABSENT, "No such file");
	write_raw("", 0, 0600);
	reads(ERR_INPUT, "is empty");
	write_raw("\n", 1, 0600);
	reads(ERR_INPUT, "is empty");
	write_raw("two words", 9, 0600);
	reads(ERR_INPUT, "one line");
	write_raw("two\nlines\n", 10, 0600);
	reads(ERR_INPUT, "one line");
	write_raw("zero\0byte", 9, 0600);
	reads(ERR_INPUT, "one line");
	write_raw("\xc3\xa9", 2, 0600);
	reads(ERR_INPUT, "one line");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	reads(ERR_STORE, "not a regular file");
	assert_int_equal(rmdir(path), 0);
}

static void the_longest_token_passes_and_one_more_does_not(void **state) {
	(void)state;
	char text[TOKEN_TEXT_MAX + 8];
	memset(text, 'x', sizeof(text));
	write_raw(text, TOKEN_TEXT_MAX, 0600);
	reads(ERR_NONE, "");
	write_raw(text, TOKEN_TEXT_MAX + 1, 0600);
	reads(ERR_INPUT, "too long");
	write_raw(text, sizeof(text), 0600);
	reads(ERR_INPUT, "too long");
	text[TOKEN_TEXT_MAX] = '\r';
	text[TOKEN_TEXT_MAX + 1] = '\n';
	write_raw(text, TOKEN_TEXT_MAX + 2, 0600);
	reads(ERR_NONE, "");
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CLAIM(a_drawn_token_is_43_letters_of_base64url_and_never_the_same),
		CLAIM(the_hash_is_sha_256_in_lower_case_hex),
		CLAIM(a_written_token_is_the_owners_alone_and_reads_back),
		CLAIM(an_existing_file_is_never_overwritten),
		CLAIM(a_file_that_others_may_read_is_refused),
		CLAIM(files_without_exactly_one_token_are_refused),
		CLAIM(the_longest_token_passes_and_one_more_does_not),
	};
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
