/* The home's key in age's own format, held against the real age; the device's key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/seal/identity.h"
#include "clients/seal/signer.h"
#include "lib/hex.h"

static char folder[64];
static char path[96];
static char why[KEEP_WHY_SIZE];

static int set_up(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/identity-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof path, "%s/key", folder);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

/* What the command prints, without the last line feed. False: it failed. */
static bool shell(const char *command, char *out, size_t cap) {
	FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): the test's own text */
	size_t n = f ? fread(out, 1, cap - 1, f) : 0;
	out[n] = '\0';
	if (n > 0 && out[n - 1] == '\n') out[n - 1] = '\0';
	return f && pclose(f) == 0;
}

static void age_reads_our_identity_and_opens_with_it(void **state) {
	(void)state;
	struct identity id;
	char recipient[RECIPIENT_TEXT_SIZE], command[512], told[128];
	if (!shell("command -v age age-keygen", told, sizeof told)) skip();
	assert_int_equal(identity_draw(&id), ERR_NONE);
	assert_int_equal(identity_recipient(&id, recipient), ERR_NONE);
	assert_int_equal(identity_keep(path, &id, why), ERR_NONE);
	(void)snprintf(command, sizeof command, "age-keygen -y %s", path);
	assert_true(shell(command, told, sizeof told));
	assert_string_equal(told, recipient);
	(void)snprintf(command, sizeof command, "echo visitor | age -r %s | age -d -i %s", recipient,
				   path);
	assert_true(shell(command, told, sizeof told));
	assert_string_equal(told, "visitor");
}

static void we_read_the_identity_of_age(void **state) {
	(void)state;
	struct identity id;
	char recipient[RECIPIENT_TEXT_SIZE], command[256], told[128];
	(void)snprintf(command, sizeof command, "age-keygen -o %s 2>&1", path);
	if (!shell(command, told, sizeof told)) skip();
	assert_int_equal(identity_load(path, &id, why), ERR_NONE);
	assert_int_equal(identity_recipient(&id, recipient), ERR_NONE);
	assert_non_null(strstr(told, recipient));
}

static void identity_is_kept_private_and_never_overwritten(void **state) {
	(void)state;
	struct identity id, again;
	struct stat st;
	assert_int_equal(identity_load(path, &id, why), ERR_ABSENT);
	assert_int_equal(identity_draw(&id), ERR_NONE);
	assert_int_equal(identity_keep(path, &id, why), ERR_NONE);
	assert_int_equal(identity_keep(path, &id, why), ERR_LIMIT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(identity_load(path, &again, why), ERR_NONE);
	assert_memory_equal(&id, &again, sizeof id);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(identity_load(path, &again, why), ERR_INPUT);
}

static void refuse_file(const char *text) {
	struct identity id;
	assert_int_equal(keep_write(path, span_str(text), KEEP_REPLACE, why), ERR_NONE);
	assert_int_equal(identity_load(path, &id, why), ERR_INPUT);
	assert_null(strstr(why, "AGE-SECRET")); /* no key in a message */
}

#define KEY "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"

static void a_file_of_one_identity_and_nothing_else(void **state) {
	(void)state;
	struct identity id;
	refuse_file("");
	refuse_file("# nothing\n");
	refuse_file(KEY "\n" KEY "\n");
	refuse_file(KEY "x\n");
	refuse_file("garbage\n" KEY "\n");
	assert_int_equal(keep_write(path, SPAN_LIT("# c\r\n\n" KEY), KEEP_REPLACE, why), ERR_NONE);
	assert_int_equal(identity_load(path, &id, why), ERR_NONE);
}

static void device_key_is_the_one_of_its_seed(void **state) {
	(void)state;
	struct signer s, again;
	assert_int_equal(signer_draw(&s), ERR_NONE);
	assert_int_equal(signer_keep(path, &s, why), ERR_NONE);
	assert_int_equal(signer_keep(path, &s, why), ERR_LIMIT);
	assert_int_equal(signer_load(path, &again, why), ERR_NONE);
	assert_memory_equal(&s, &again, sizeof s);
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(signer_load(path, &again, why), ERR_INPUT);
}

/* RFC 8032 7.1, test 1 */
static void device_key_is_ed25519(void **state) {
	(void)state;
	struct signer s;
	uint8_t want[SIGNER_PUBLIC_BYTES];
	static const char file[] =
		"# \n9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60\n";
	assert_int_equal(
		hex_decode(SPAN_LIT("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
				   want, sizeof want),
		ERR_NONE);
	assert_int_equal(keep_write(path, span_str(file), KEEP_NEW, why), ERR_NONE);
	assert_int_equal(signer_load(path, &s, why), ERR_NONE);
	assert_memory_equal(s.public_key, want, sizeof want);
	for (size_t n = 0; n < sizeof file - 1; n++) {
		assert_int_equal(keep_write(path, span_of(file, n), KEEP_REPLACE, why), ERR_NONE);
		assert_int_equal(signer_load(path, &s, why), ERR_INPUT);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(age_reads_our_identity_and_opens_with_it),
		TEST(we_read_the_identity_of_age),
		TEST(identity_is_kept_private_and_never_overwritten),
		TEST(a_file_of_one_identity_and_nothing_else),
		TEST(device_key_is_the_one_of_its_seed),
		TEST(device_key_is_ed25519),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
