/* One option table gives parsing, the configuration file, --help and --version, so that they cannot
 * drift. A program describes its commands, options and positional arguments in constant tables;
 * values are written into its own settings struct by offset. Every program of ours also understands
 * the common connection options, --help and --version. Not here: what values mean.
 *
 *     struct settings { const char *home; bool all; int64_t life_ms; struct opt_list clips; };
 *     static const struct opt answer_opts[] = {
 *             {"home", OPT_TEXT, offsetof(struct settings, home), "HOME", "the home that answers",
 * 0, 0},
 *             {"all", OPT_FLAG, offsetof(struct settings, all), NULL, "every clip offered", 0, 0},
 *             OPT_END};
 *     static const struct opt answer_args[] = {
 *             {"CLIP...", OPT_LIST, offsetof(struct settings, clips), NULL, "clips to approve", 1,
 * 0}, OPT_END}; static const struct opt_command commands[] = {
 *             {"answer", "answer an ask", answer_opts, answer_args, cmd_answer}, {0}};
 *     static const struct opt_program program = {"vestibule-home", "what a home says", NULL, NULL,
 * commands};
 *
 *     struct opt_common common; struct settings s = {0}; struct opt_choice choice;
 *     int rc = opt_parse(&program, argc, argv, &common, &s, &choice);
 *     if (rc < 0) rc = choice.command->run(&common, &s);
 *     opt_fini(&choice);
 *
 * Order of precedence: command line, then configuration file, then what the settings held before
 * (the defaults). One thread. */
#ifndef MQ_OPT_H
#define MQ_OPT_H

#include <stddef.h>

#include "clients/mq/exit.h"
#include "lib/err.h"
#include "lib/span.h"

enum { OPT_LIST_MAX = 64 };

enum opt_type {
	OPT_NONE = 0, /* ends a table */
	OPT_FLAG,     /* bool; takes no value (in the configuration file: true or false) */
	OPT_TEXT,     /* const char *, borrowed from argv or kept until opt_fini */
	OPT_INT,      /* int64_t, min..max (no check when both are 0) */
	OPT_DURATION, /* int64_t milliseconds from "90s", "15m", "12h", "14d"; a bare number is seconds;
					 min..max in ms */
	OPT_LIST /* struct opt_list; the option may be repeated; as an argument it must be the last */
};

struct opt_list {
	const char *items[OPT_LIST_MAX]; /* as OPT_TEXT */
	size_t count;
};

/* An option, or a positional argument (then `name` is its name in the usage line, as "CLIP", and
 * min 1 means that it must be given, 0 that it may be missing). */
struct opt {
	const char *name; /* without the dashes */
	enum opt_type type;
	size_t offset;   /* into the settings */
	const char *arg; /* how --help calls the value; NULL for flags and arguments */
	const char
		*help; /* half a sentence; NULL: only in the configuration file, not on the command line */
	int64_t min, max;
};
#define OPT_END \
	{ NULL, OPT_NONE, 0, NULL, NULL, 0, 0 }

/* The common options, first in every program; offsets into this struct. */
struct opt_common {
	const char *host;       /* 127.0.0.1 */
	int64_t port;           /* 1883 */
	const char *username;   /* NULL when not given */
	const char *token_file; /* NULL when not given */
	const char *token;  /* only from a configuration file that nobody else may read; else NULL */
	const char *cafile; /* any of these three: TLS; NULL when not given */
	const char *cert;
	const char *key;
	const char *client_id_suffix; /* NULL when not given */
	const char *config;           /* NULL: the default path, and it may be absent */
	int64_t timeout_ms;           /* --timeout SECONDS; 10000 */
	bool json;
	bool verbose;
};

typedef int opt_run_fn(const struct opt_common *common, void *settings); /* returns an exit code */

struct opt_command {
	const char *name;       /* "answer"; NULL ends the table */
	const char *help;       /* half a sentence */
	const struct opt *opts; /* NULL: none */
	const struct opt *args; /* NULL: none */
	opt_run_fn *run;        /* opt.c only hands it back */
};

struct opt_program {
	const char *name;
	const char *help;
	const struct opt *opts; /* of every command, and of the configuration file; NULL: none */
	const struct opt *args; /* without commands only; NULL: none */
	const struct opt_command *commands; /* NULL: a program without commands */
};

struct opt_choice {
	const struct opt_command *command; /* NULL for a program without commands */
	char *kept;                        /* text of the configuration file, or NULL */
};

/* Parses argv: options of the program and the common ones anywhere, those of the command after its
 * name;
 * `--name value` and `--name=value`; `-n value` for the
 * command's only option that begins with that letter; `--` ends the options. Reads the
 * configuration file: --config FILE (must exist), else $XDG_CONFIG_HOME or ~/.config +
 * /vestibule/PROGRAM.conf (may be absent): lines `name = value`, names as the common and the
 * program's options, # starts a comment line; a list on the command line adds to the file's.
 * *common is set to its defaults first. Returns -1: go on. EXIT_RECORDED: --help or --version was
 * printed to stdout. EXIT_USAGE: a sentence that names the option, argument or file and line is on
 * stderr. EXIT_INTERNAL: no memory. Call opt_fini in every case. */
int opt_parse(const struct opt_program *p, int argc, char **argv, struct opt_common *common,
			  void *settings, struct opt_choice *out) MUST_CHECK;
void opt_fini(struct opt_choice *c);

/* Prints "PROGRAM: sentence" to stderr and returns EXIT_USAGE: for arguments a program finds wrong
 * by itself. */
int opt_usage(const struct opt_program *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
