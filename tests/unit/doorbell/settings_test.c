/* Where the daemon and who asks it meet, from the environment of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/doorbell/settings.h"

static char home[] = "/tmp/vestibule-settings-XXXXXX";

static int clear(void **state) {
	(void)state;
	static const char *const names[] = {"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "STATE_DIRECTORY"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (unsetenv(names[i]) != 0) return -1;
	return setenv("HOME", home, 1);
}

static const char *socket_of(const char *option) {
	static char path[SETTINGS_PATH_SIZE];
	struct settings s = {.socket = option};
	return settings_socket(&s, path) == ERR_NONE ? path : NULL;
}

static void the_option_is_before_the_session_and_that_before_the_state(void **state) {
	(void)state;
	char folder[100], expected[200];
	struct stat st;
	(void)snprintf(folder, sizeof folder, "%s/.local/state/vestibule-doorbell", home);
	(void)snprintf(expected, sizeof expected, "%s/vestibule-doorbell.sock", folder);
	assert_string_equal(socket_of(NULL), expected);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
	assert_string_equal(socket_of(NULL), "/run/user/7/vestibule-doorbell.sock");
	assert_string_equal(socket_of("here.sock"), "here.sock");
}

/* Who rings is not in the service and would look elsewhere. */
static void a_service_must_say_where(void **state) {
	(void)state;
	assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/bell", 1), 0);
	assert_null(socket_of(NULL));
	assert_string_equal(socket_of("/run/bell.sock"), "/run/bell.sock");
}

static void a_socket_has_107_bytes(void **state) {
	(void)state;
	char name[110];
	memset(name, 'a', sizeof name);
	name[108] = '\0';
	assert_null(socket_of(name));
	name[107] = '\0';
	assert_string_equal(socket_of(name), name);
	name[100] = '\0'; /* with the name behind it, too long */
	name[0] = '/';
	assert_int_equal(setenv("XDG_RUNTIME_DIR", name, 1), 0);
	assert_null(socket_of(NULL));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_option_is_before_the_session_and_that_before_the_state, clear),
		cmocka_unit_test_setup(a_service_must_say_where, clear),
		cmocka_unit_test_setup(a_socket_has_107_bytes, clear),
	};
	char command[SETTINGS_PATH_SIZE];
	if (!mkdtemp(home)) return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)snprintf(command, sizeof command, "rm -r %s", home);
	return failed + (system(command) != 0);
}
