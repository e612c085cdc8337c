/* One table for command line, configuration file and --help. Sentences go to stderr, which the
 * tests read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "clients/mq/opt.h"

struct settings {
	const char *home, *clip;
	bool all;
	int64_t count, life_ms;
	struct opt_list names, rest;
};

#define AT(m) offsetof(struct settings, m)
static const struct opt program_opts[] = {
	{"home", OPT_TEXT, AT(home), "HOME", "the home", 0, 0},
	{"name", OPT_LIST, AT(names), "NAME", "a name; may be repeated", 0, 0},
	OPT_END,
};
static const struct opt grant_opts[] = {
	{"all", OPT_FLAG, AT(all), NULL, "everything", 0, 0},
	{"count", OPT_INT, AT(count), "N", "how many", 1, 9},
	{"for", OPT_DURATION, AT(life_ms), "TIME", "how long", 60000, 86400000},
	OPT_END,
};
static const struct opt grant_args[] = {
	{"CLIP", OPT_TEXT, AT(clip), NULL, "the clip", 1, 0},
	{"MORE...", OPT_LIST, AT(rest), NULL, "more of them", 0, 0},
	OPT_END,
};
static int run_grant(const struct opt_common *common, void *settings) {
	(void)common;
	(void)settings;
	return 0;
}
static const struct opt_command commands[] = {
	{"grant", "gives a clip away", grant_opts, grant_args, run_grant},
	{"list", "shows what there is", NULL, NULL, run_grant},
	{NULL, NULL, NULL, NULL, NULL},
};
static const struct opt_program program = {"vestibule-test", "tests options", program_opts, NULL,
										   commands};

struct fixture {
	struct opt_common common;
	struct settings s;
	struct opt_choice choice;
	char folder[64], config[128], captured[256];
	char said[8192]; /* stdout and stderr of the last parse */
};

static int setup(void **state) {
	struct fixture *f = calloc(1, sizeof(*f));
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/vestibule-opt-XXXXXX");
	if (!mkdtemp(f->folder)) return -1;
	(void)snprintf(f->config, sizeof(f->config), "%s/vestibule", f->folder);
	if (mkdir(f->config, 0700) != 0) return -1;
	(void)snprintf(f->config, sizeof(f->config), "%s/vestibule/vestibule-test.conf", f->folder);
	(void)snprintf(f->captured, sizeof(f->captured), "%s/said", f->folder);
	*state = f;
	return setenv("XDG_CONFIG_HOME", f->folder, 1);
}

static int teardown(void **state) {
	struct fixture *f = *state;
	char sub[128];
	opt_fini(&f->choice);
	(void)snprintf(sub, sizeof(sub), "%s/vestibule", f->folder);
	(void)unlink(f->config);
	(void)unlink(f->captured);
	(void)rmdir(sub);
	(void)rmdir(f->folder);
	free(f);
	return 0;
}

static void write_config(const struct fixture *f, const char *text, mode_t mode) {
	FILE *file = fopen(f->config, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(f->config, mode), 0);
}

/* words: the command line after the program's name, split at blanks. */
static int parse(struct fixture *f, const char *words) {
	static char copy[512];
	char *argv[32] = {(char *)"vestibule-test"}, *save = NULL;
	int argc = 1;
	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) argv[argc++] = w;

	(void)fflush(stdout);
	(void)fflush(stderr);
	int out = dup(1), err = dup(2);
	FILE *file = fopen(f->captured, "w+");
	assert_true(out >= 0 && err >= 0 && file && dup2(fileno(file), 1) == 1 &&
				dup2(fileno(file), 2) == 2);
	opt_fini(&f->choice);
	memset(&f->s, 0, sizeof(f->s));
	int rc = opt_parse(&program, argc, argv, &f->common, &f->s, &f->choice);
	(void)fflush(stdout);
	(void)fflush(stderr);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(file);
	f->said[fread(f->said, 1, sizeof(f->said) - 1, file)] = '\0';
	(void)fclose(file);
	return rc;
}

static void refused(struct fixture *f, const char *words, const char *sentence) {
	assert_int_equal(parse(f, words), EXIT_USAGE);
	if (!strstr(f->said, sentence)) fail_msg("wanted '%s' in: %s", sentence, f->said);
}

static void defaults_hold_without_any_option(void **state) {
	struct fixture *f = *state;
	assert_int_equal(parse(f, "list"), -1);
	assert_string_equal(f->choice.command->name, "list");
	assert_string_equal(f->common.host, "127.0.0.1");
	assert_int_equal(f->common.port, 1883);
	assert_int_equal(f->common.timeout_ms, 10000);
	assert_null(f->common.username);
	assert_false(f->common.json || f->common.verbose);
}

static void values_follow_after_a_blank_or_an_equals_sign(void **state) {
	struct fixture *f = *state;
	assert_int_equal(parse(f, "--home h1 grant --all --count=3 --for 2h --port=8883 c1 --json c2 "
							  "c3 --name a --name=b"),
					 -1);
	assert_string_equal(f->s.home, "h1");
	assert_true(f->s.all && f->common.json);
	assert_int_equal(f->s.count, 3);
	assert_int_equal(f->s.life_ms, 7200000);
	assert_int_equal(f->common.port, 8883);
	assert_string_equal(f->s.clip, "c1");
	assert_int_equal(f->s.rest.count, 2);
	assert_string_equal(f->s.rest.items[1], "c3");
	assert_int_equal(f->s.names.count, 2);
	assert_string_equal(f->s.names.items[0], "a");
	assert_int_equal(parse(f, "grant -- --not-an-option"), -1);
	assert_string_equal(f->s.clip, "--not-an-option");
}

static void mistakes_are_named_and_exit_64(void **state) {
	struct fixture *f = *state;
	refused(f, "", "a command is missing");
	refused(f, "destroy", "unknown command 'destroy'");
	refused(f, "list --nosuch", "unknown option --nosuch");
	refused(f, "list --nosuch=1", "unknown option --nosuch");
	refused(f, "list -x", "unknown option -x");
	refused(f, "list --all", "unknown option --all"); /* of another command */
	refused(f, "list --port", "option --port wants PORT");
	refused(f, "list --json=true", "option --json takes no value");
	refused(f, "list --port 0", "port 0: must be a whole number from 1 to 65535");
	refused(f, "list --port 65536", "from 1 to 65535");
	refused(f, "list --port 80x", "port 80x");
	refused(f, "list --port 99999999999999999999", "port 9999");
	refused(f, "list more", "unexpected argument 'more'");
	refused(f, "grant", "argument CLIP is missing");
	refused(f, "grant --count 10 c", "from 1 to 9");
	assert_int_equal(parse(f, "list --port 1"), -1);
	assert_int_equal(parse(f, "list --port 65535"), -1);
}

static void durations_have_units_and_limits(void **state) {
	struct fixture *f = *state;
	assert_int_equal(parse(f, "grant --for 60 c"), -1); /* seconds */
	assert_int_equal(f->s.life_ms, 60000);
	assert_int_equal(parse(f, "grant --for 1d c"), -1);
	assert_int_equal(f->s.life_ms, 86400000);
	refused(f, "grant --for 59s c", "must be a time such as 90s");
	refused(f, "grant --for 25h c", "must be a time");
	refused(f, "grant --for 1w c", "must be a time");
	refused(f, "grant --for 1hh c", "must be a time");
	refused(f, "grant --for -1h c", "must be a time");
	refused(f, "grant --for 9223372036854775807d c", "must be a time");
}

static void a_token_is_never_taken_from_the_command_line_or_the_environment(void **state) {
	struct fixture *f = *state;
	assert_int_equal(setenv("VESTIBULE_TOKEN", "secret", 1), 0);
	assert_int_equal(parse(f, "list"), -1);
	assert_null(f->common.token);
	refused(f, "list --token secret", "unknown option --token");
	assert_int_equal(unsetenv("VESTIBULE_TOKEN"), 0);
}

static void the_file_gives_values_and_the_command_line_wins(void **state) {
	struct fixture *f = *state;
	write_config(
		f, "# mine\n\nhost = broker.example\r\n port=8883\nhome = h1\njson = true\ntoken = abc\n",
		0600);
	assert_int_equal(parse(f, "list --port 1884"), -1);
	assert_string_equal(f->common.host, "broker.example");
	assert_int_equal(f->common.port, 1884);
	assert_string_equal(f->s.home, "h1");
	assert_string_equal(f->common.token, "abc");
	assert_true(f->common.json);
}

static void mistakes_in_the_file_are_named_with_file_and_line(void **state) {
	struct fixture *f = *state;
	write_config(f, "host = a\nnosuch = 1\n", 0600);
	refused(f, "list", "vestibule-test.conf:2: nosuch: not an option of vestibule-test");
	write_config(f, "port = x\n", 0600);
	refused(f, "list", "conf:1: port: must be a whole number");
	write_config(f, "host\n", 0600);
	refused(f, "list", "conf:1: not of the form name = value");
	write_config(f, "config = /etc/other\n", 0600);
	refused(f, "list", "conf:1: config: not an option");
	write_config(f, "help = true\n", 0600);
	refused(f, "list", "conf:1: help: not an option");
	write_config(f, "token = abc\n", 0644);
	refused(f, "list", "conf:1: holds a token but others may read it");
	write_config(f, "host = a\n", 0644); /* without a token anybody may read it */
	assert_int_equal(parse(f, "list"), -1);
}

static void a_named_file_must_exist_the_default_one_need_not(void **state) {
	struct fixture *f = *state;
	assert_int_equal(parse(f, "list"), -1);
	refused(f, "list --config /nonexistent/x.conf", "/nonexistent/x.conf: No such file");
}

static void help_prints_every_option_of_the_tables(void **state) {
	struct fixture *f = *state;
	assert_int_equal(parse(f, "--help"), EXIT_RECORDED);
	assert_non_null(strstr(f->said, "Usage: vestibule-test [OPTION]... COMMAND"));
	assert_non_null(strstr(f->said, "grant "));
	assert_non_null(strstr(f->said, "shows what there is"));
	assert_non_null(strstr(f->said, "--home HOME"));
	assert_non_null(strstr(f->said, "--token-file FILE"));
	assert_null(strstr(f->said, "--token "));
	assert_int_equal(parse(f, "grant --help"),
					 EXIT_RECORDED); /* a missing argument does not matter then */
	assert_non_null(strstr(f->said, "Usage: vestibule-test [OPTION]... grant CLIP [MORE...]"));
	assert_non_null(strstr(f->said, "--for TIME"));
	assert_int_equal(parse(f, "--version"), EXIT_RECORDED);
	assert_string_equal(f->said, "vestibule-test " VESTIBULE_VERSION "\n");
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CLAIM(defaults_hold_without_any_option),
		CLAIM(values_follow_after_a_blank_or_an_equals_sign),
		CLAIM(mistakes_are_named_and_exit_64),
		CLAIM(durations_have_units_and_limits),
		CLAIM(a_token_is_never_taken_from_the_command_line_or_the_environment),
		CLAIM(the_file_gives_values_and_the_command_line_wins),
		CLAIM(mistakes_in_the_file_are_named_with_file_and_line),
		CLAIM(a_named_file_must_exist_the_default_one_need_not),
		CLAIM(help_prints_every_option_of_the_tables),
	};
	return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
