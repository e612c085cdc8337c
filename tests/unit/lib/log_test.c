/* Claims of lib/log.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/log.h"
#include "lib/span.h"

static char last[LOG_LINE_MAX + 1];
static int lines;

static void keep(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	assert_true(span_copy(span_str(line), last, sizeof(last)));
	lines++;
}

static struct log fresh(enum log_level level) {
	lines = 0;
	last[0] = '\0';
	return (struct log){keep, NULL, level};
}

static void plain_values_stay_bare_and_others_are_quoted(void **state) {
	(void)state;
	struct log l = fresh(LOG_INFO);
	log_line(&l, LOG_INFO, "deny", "who", "alice", "topic", "a/b", "why", "not yours", "x", NULL,
			 "y", "", NULL);
	assert_string_equal(last, "event=deny who=alice topic=a/b why=\"not yours\" x=- y=\"\"");
}

static void a_client_id_cannot_start_a_second_line(void **state) {
	(void)state;
	struct log l = fresh(LOG_INFO);
	log_line(&l, LOG_WARN, "deny", "who", "x\nevent=allow \"\\\x1b[2J\xff\xe2\x80\xae", NULL);
	assert_string_equal(last,
						"event=deny who=\"x\\nevent=allow \\\"\\\\\\x1b[2J\\xff\\xe2\\x80\\xae\"");
	assert_null(strchr(last, '\n'));
}

static void levels_above_the_limit_are_dropped(void **state) {
	(void)state;
	struct log l = fresh(LOG_WARN);
	log_line(&l, LOG_INFO, "x", NULL);
	assert_int_equal(lines, 0);
	log_line(&l, LOG_WARN, "x", NULL);
	log_line(&l, LOG_ERROR, "x", NULL);
	assert_int_equal(lines, 2);
}

static void long_lines_are_cut_and_marked(void **state) {
	(void)state;
	struct log l = fresh(LOG_INFO);
	char plain[3000], odd[3000];
	memset(plain, 'a', sizeof(plain) - 1);
	plain[sizeof(plain) - 1] = 0;
	memset(odd, 1, sizeof(odd) - 1);
	odd[sizeof(odd) - 1] = 0;
	for (size_t skip = 1900; skip < 2999; skip++) {
		log_line(&l, LOG_INFO, "e", "plain", plain + skip, "odd", odd, NULL);
		size_t len = strlen(last);
		assert_true(len < LOG_LINE_MAX);
		assert_string_equal(last + len - 3, "...");
	}
}

static void gate_lets_a_burst_and_then_a_trickle(void **state) {
	(void)state;
	struct log_gate g = {0};
	int64_t t = 1000000;
	for (int i = 0; i < 3; i++) assert_true(log_gate_open(&g, t, 3, 1000));
	for (int i = 0; i < 5; i++) assert_false(log_gate_open(&g, t + 999, 3, 1000));
	assert_true(log_gate_open(&g, t + 1000, 3, 1000));
	assert_int_equal(g.dropped, 5); /* told by this line */
	assert_false(log_gate_open(&g, t + 1001, 3, 1000));
	assert_int_equal(g.dropped, 1);
	assert_true(log_gate_open(&g, t + 2000, 3, 1000));
	for (int i = 0; i < 3; i++) assert_true(log_gate_open(&g, t + 60000, 3, 1000));
	assert_false(log_gate_open(&g, t + 60000, 3, 1000));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_values_stay_bare_and_others_are_quoted),
		cmocka_unit_test(a_client_id_cannot_start_a_second_line),
		cmocka_unit_test(levels_above_the_limit_are_dropped),
		cmocka_unit_test(long_lines_are_cut_and_marked),
		cmocka_unit_test(gate_lets_a_burst_and_then_a_trickle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
