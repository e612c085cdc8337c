/* The person's command sees the event, and the event is never part of what a shell reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/mq/hook.h"

static char path[64];

static int set_up(void **state) {
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/hook-XXXXXX");
	int fd = mkstemp(path);
	return fd < 0 || close(fd) != 0 || setenv("VESTIBULE_CLIP", "inherited", 1) != 0 ||
		   setenv("OUT", path, 1) != 0;
}

static int tear_down(void **state) {
	(void)state;
	return unlink(path);
}

/* Waits until the child wrote its last line, "end", and returns what the file holds. */
static const char *result(struct hook *h) {
	static char text[1024];
	for (int tries = 0; tries < 500; tries++) {
		FILE *f = fopen(path, "re");
		assert_non_null(f);
		size_t n = fread(text, 1, sizeof(text) - 1, f);
		text[n] = '\0';
		assert_int_equal(fclose(f), 0);
		hook_reap(h);
		if (n >= 4 && strcmp(text + n - 4, "end\n") == 0) return text;
		(void)usleep(10000);
	}
	return "nothing";
}

static void the_event_is_on_standard_input_and_in_variables(void **state) {
	(void)state;
	struct hook *h = hook_new(
		"{ cat; echo \" $VESTIBULE_EVENT ${VESTIBULE_CLIP-unset}\"; echo end; } >\"$OUT\"");
	assert_non_null(h);
	const struct hook_var vars[] = {{"VESTIBULE_EVENT", "ring"}, {"VESTIBULE_CLIP", NULL}};
	assert_int_equal(hook_run(h, vars, 2, SPAN_LIT("{\"a\":1}")), ERR_NONE);
	assert_string_equal(result(h), "{\"a\":1} ring unset\nend\n");
	hook_free(h);
}

static void no_byte_of_an_event_is_run_by_the_shell(void **state) {
	(void)state;
	struct hook *h = hook_new("{ cat; echo \" $VESTIBULE_DEVICE\"; echo end; } >\"$OUT\"");
	assert_non_null(h);
	const struct hook_var vars[] = {{"VESTIBULE_DEVICE", "$(echo bad); `echo bad`"}};
	assert_int_equal(hook_run(h, vars, 1, SPAN_LIT("\"; echo bad; \"")), ERR_NONE);
	assert_string_equal(result(h), "\"; echo bad; \" $(echo bad); `echo bad`\nend\n");
	hook_free(h);
}

static void a_long_event_does_not_make_us_wait_for_the_child(void **state) {
	(void)state;
	static char big[200000];
	memset(big, 'x', sizeof(big));
	struct hook *h = hook_new("sleep 0.2; wc -c >\"$OUT\"; echo end >>\"$OUT\"");
	assert_non_null(h);
	assert_int_equal(hook_run(h, NULL, 0, span_of(big, sizeof(big))), ERR_NONE);
	assert_string_equal(result(h), "200000\nend\n");
	hook_free(h);
}

static void children_are_bounded(void **state) {
	(void)state;
	struct hook *h = hook_new("sleep 0.3");
	assert_non_null(h);
	for (int i = 0; i < HOOK_CHILDREN_MAX; i++)
		assert_int_equal(hook_run(h, NULL, 0, SPAN_LIT("{}")), ERR_NONE);
	assert_int_equal(hook_run(h, NULL, 0, SPAN_LIT("{}")), ERR_LIMIT);
	(void)usleep(600000);
	assert_int_equal(hook_run(h, NULL, 0, SPAN_LIT("{}")), ERR_NONE);
	(void)usleep(400000);
	hook_reap(h);
	hook_free(h);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_event_is_on_standard_input_and_in_variables, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(no_byte_of_an_event_is_run_by_the_shell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_event_does_not_make_us_wait_for_the_child, set_up,
										tear_down),
		cmocka_unit_test(children_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
