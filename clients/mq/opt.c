/* Command line, configuration file and --help, all from the same tables. */
#include "clients/mq/opt.h"

#include <stdarg.h>

#include "clients/mq/opt_config.h"
#include "clients/mq/opt_value.h"

enum { HELP_COLUMN = 26, TIMEOUT_MOST_MS = 24 * 3600 * 1000 };

#define COMMON(m) offsetof(struct opt_common, m)
static const struct opt common_opts[] = {
	{"host", OPT_TEXT, COMMON(host), "HOST", "the broker's host (127.0.0.1)", 0, 0},
	{"port", OPT_INT, COMMON(port), "PORT", "its port (1883)", 1, 65535},
	{"username", OPT_TEXT, COMMON(username), "NAME", "the credential to connect with", 0, 0},
	{"token-file", OPT_TEXT, COMMON(token_file), "FILE",
	 "file with its token; nobody else may read it", 0, 0},
	{"token", OPT_TEXT, COMMON(token), NULL, NULL, 0, 0},
	{"cafile", OPT_TEXT, COMMON(cafile), "FILE",
	 "certificate authority of the broker; turns TLS on", 0, 0},
	{"cert", OPT_TEXT, COMMON(cert), "FILE", "client certificate", 0, 0},
	{"key", OPT_TEXT, COMMON(key), "FILE", "its private key", 0, 0},
	{"client-id-suffix", OPT_TEXT, COMMON(client_id_suffix), "TEXT", "connect as NAME.TEXT", 0, 0},
	{"config", OPT_TEXT, COMMON(config), "FILE", "configuration file", 0, 0},
	{"timeout", OPT_DURATION, COMMON(timeout_ms), "SECONDS", "how long to wait for an answer (10)",
	 1000, TIMEOUT_MOST_MS},
	{"json", OPT_FLAG, COMMON(json), NULL, "print JSON, one object a line", 0, 0},
	{"verbose", OPT_FLAG, COMMON(verbose), NULL, "say on stderr what happens", 0, 0},
	{"help", OPT_FLAG, 0, NULL, "print this and exit", 0, 0},
	{"version", OPT_FLAG, 0, NULL, "print the version and exit", 0, 0},
	OPT_END,
};

struct parser {
	const struct opt_program *p;
	struct opt_common *common;
	void *settings;
	const struct opt_command *command;
	bool dry; /* first pass: looks for --config, --help and mistakes; writes nothing else */
	bool help, version;
	size_t args; /* positional arguments seen */
};

int opt_usage(const struct opt_program *p, const char *fmt, ...) {
	va_list ap;
	va_start(ap, fmt);
	(void)fprintf(stderr, "%s: ", p->name);
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "\nTry '%s --help'.\n", p->name);
	va_end(ap);
	return EXIT_USAGE;
}

/* --- tables ----------------------------------------------------------------------------------- */

static const struct opt *find_in(const struct opt *table, struct span name) {
	for (; table && table->name; table++) {
		if (span_eq(span_str(table->name), name)) return table;
	}
	return NULL;
}

/* The option and the struct it writes into; NULL: unknown. */
static const struct opt *find(const struct parser *ps, struct span name, void **base) {
	*base = ps->settings;
	const struct opt *o = ps->command ? find_in(ps->command->opts, name) : NULL;
	if (!o) o = find_in(ps->p->opts, name);
	if (o) return o;
	*base = ps->common;
	return find_in(common_opts, name);
}

/* The command's one option that begins with this letter: -o for --out. NULL: none, or not the only
 * one. */
static const struct opt *find_short(const struct opt *table, char letter) {
	const struct opt *found = NULL;
	for (; table && table->name; table++) {
		if (table->name[0] != letter || !table->help) continue;
		if (found) return NULL;
		found = table;
	}
	return found;
}

static const struct opt *args_of(const struct parser *ps) {
	return ps->command ? ps->command->args : ps->p->args;
}

/* --- command line ----------------------------------------------------------------------------- */

static int set(const struct parser *ps, const struct opt *o, const char *text, void *base) {
	if (ps->dry && !(base == ps->common && o->offset == COMMON(config))) return -1;
	char want[96] = "";
	if (opt_value_set(o, text, base, want) == ERR_NONE) return -1;
	return opt_usage(ps->p, "%s %s: must be %s", o->name, text, want);
}

/* argv[*i] is a letter with a dash; moves *i on to its value. */
static int take_short(struct parser *ps, int argc, char **argv, int *i) {
	const char *word = argv[*i];
	const struct opt *o =
		word[2] ? NULL : find_short(ps->command ? ps->command->opts : NULL, word[1]);
	if (!o) return opt_usage(ps->p, "unknown option %s", word);
	if (o->type == OPT_FLAG) return set(ps, o, "true", ps->settings);
	if (*i + 1 >= argc) return opt_usage(ps->p, "option %s wants %s", word, o->arg);
	return set(ps, o, argv[++*i], ps->settings);
}

/* argv[*i] is an option; moves *i on to its value when that is the next argument. */
static int take_option(struct parser *ps, int argc, char **argv, int *i) {
	const char *word = argv[*i] + 2;
	const char *equals = strchr(word, '=');
	struct span name = equals ? span_of(word, (size_t)(equals - word)) : span_str(word);
	void *base = NULL;
	const struct opt *o = find(ps, name, &base);
	if (!o || !o->help)
		return opt_usage(ps->p, "unknown option --%.*s", (int)name.len, (const char *)name.ptr);
	if (o->type != OPT_FLAG) {
		if (!equals && *i + 1 >= argc)
			return opt_usage(ps->p, "option --%s wants %s", o->name, o->arg);
		return set(ps, o, equals ? equals + 1 : argv[++*i], base);
	}
	if (equals) return opt_usage(ps->p, "option --%s takes no value", o->name);
	if (base == ps->common && strcmp(o->name, "help") == 0) {
		ps->help = true;
	} else if (base == ps->common && strcmp(o->name, "version") == 0) {
		ps->version = true;
	} else {
		return set(ps, o, "true", base);
	}
	return -1;
}

static int take_word(struct parser *ps, const char *word) {
	if (ps->p->commands && !ps->command) {
		for (const struct opt_command *c = ps->p->commands; c->name; c++) {
			if (strcmp(c->name, word) == 0) {
				ps->command = c;
				return -1;
			}
		}
		return opt_usage(ps->p, "unknown command '%s'", word);
	}
	const struct opt *args = args_of(ps);
	size_t known = 0;
	while (args && args[known].name) known++;
	size_t at = ps->args;
	if (known && at >= known && args[known - 1].type == OPT_LIST)
		at = known - 1; /* the rest is one list */
	if (at >= known) return opt_usage(ps->p, "unexpected argument '%s'", word);
	ps->args++;
	return set(ps, &args[at], word, ps->settings);
}

static int pass(struct parser *ps, int argc, char **argv) {
	bool options = true;
	ps->command = NULL;
	ps->args = 0;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		int rc;
		if (options && strcmp(word, "--") == 0) {
			options = false;
			continue;
		}
		if (options && word[0] == '-' && word[1] == '-') {
			rc = take_option(ps, argc, argv, &i);
		} else if (options && word[0] == '-' && word[1] != '\0') {
			rc = take_short(ps, argc, argv, &i);
		} else {
			rc = take_word(ps, word);
		}
		if (rc >= 0) return rc;
	}
	return -1;
}

static int check_complete(const struct parser *ps) {
	if (ps->p->commands && !ps->command) return opt_usage(ps->p, "a command is missing");
	const struct opt *args = args_of(ps);
	for (size_t i = 0; args && args[i].name; i++) {
		if (i >= ps->args && args[i].min > 0)
			return opt_usage(ps->p, "argument %s is missing", args[i].name);
	}
	return -1;
}

/* --- help ------------------------------------------------------------------------------------- */

static void print_opts(const char *title, const struct opt *table, bool shortened) {
	const struct opt *first = table;
	if (!table || !table->name) return;
	printf("\n%s:\n", title);
	for (; table->name; table++) {
		if (!table->help) continue;
		char left[64];
		bool brief = shortened && find_short(first, table->name[0]) == table;
		(void)snprintf(left, sizeof(left), "%.*s--%s%s%s", brief ? 4 : 0,
					   (char[]){'-', table->name[0], ',', ' ', 0}, table->name,
					   table->arg ? " " : "", table->arg ? table->arg : "");
		printf("  %-*s %s\n", HELP_COLUMN, left, table->help);
	}
}

static void print_args(const struct opt *args) {
	for (const struct opt *a = args; a && a->name; a++)
		printf(a->min > 0 ? " %s" : " [%s]", a->name);
	printf("\n");
}

static void print_help(const struct parser *ps) {
	const struct opt_program *p = ps->p;
	const struct opt_command *c = ps->command;
	printf("Usage: %s [OPTION]...%s%s", p->name, p->commands ? " " : "",
		   c             ? c->name
		   : p->commands ? "COMMAND"
						 : "");
	if (p->commands && !c) {
		printf(" [ARGUMENT]...\n%s\n\nCommands (COMMAND --help says more):\n", p->help);
		for (const struct opt_command *each = p->commands; each->name; each++) {
			printf("  %-*s %s\n", HELP_COLUMN, each->name, each->help);
		}
	} else {
		print_args(args_of(ps));
		printf("%s\n", c ? c->help : p->help);
		const struct opt *args = args_of(ps);
		if (args && args->name) printf("\nArguments:\n");
		for (; args && args->name; args++)
			printf("  %-*s %s\n", HELP_COLUMN, args->name, args->help);
		print_opts("Options", c ? c->opts : NULL, true);
	}
	print_opts(p->commands ? "Options of every command" : "Options", p->opts, false);
	print_opts("Common options (also in the configuration file)", common_opts, false);
}

/* --- all together ----------------------------------------------------------------------------- */

/* opt_config.c found a line. */
static enum err set_from_file(void *ctx, struct span name, const char *value,
							  char want[OPT_CONFIG_WANT]) {
	struct parser *ps = ctx;
	void *base = NULL;
	const struct opt *o = find(ps, name, &base);
	bool meaningless = o && base == ps->common &&
					   (o->offset == COMMON(config) || strcmp(o->name, "help") == 0 ||
						strcmp(o->name, "version") == 0);
	if (!o || meaningless) {
		(void)snprintf(want, OPT_CONFIG_WANT, "not an option of %s", ps->p->name);
		return ERR_ABSENT;
	}
	char must[96] = "";
	enum err e = opt_value_set(o, value, base, must);
	if (e != ERR_NONE) (void)snprintf(want, OPT_CONFIG_WANT, "must be %s", must);
	return e;
}

int opt_parse(const struct opt_program *p, int argc, char **argv, struct opt_common *common,
			  void *settings, struct opt_choice *out) {
	*common = (struct opt_common){.host = "127.0.0.1", .port = 1883, .timeout_ms = 10000};
	*out = (struct opt_choice){0};
	struct parser ps = {.p = p, .common = common, .settings = settings, .dry = true};

	int rc = pass(&ps, argc, argv);
	if (rc >= 0) return rc;
	if (ps.help) print_help(&ps);
	if (ps.help) return EXIT_RECORDED;
	if (ps.version) printf("%s %s\n", p->name, VESTIBULE_VERSION);
	if (ps.version) return EXIT_RECORDED;
	rc = check_complete(&ps);
	if (rc >= 0) return rc;

	/* The file knows the program's options, not those of one command. */
	const struct opt_command *command = ps.command;
	ps.command = NULL;
	char why[OPT_CONFIG_WHY];
	enum err e = opt_config_read(p->name, common->config, set_from_file, &ps, &out->kept, why);
	if (e == ERR_NOMEM) return EXIT_INTERNAL;
	if (e != ERR_NONE) return opt_usage(p, "%s", why);
	ps.command = command;

	ps.dry = false;
	rc = pass(&ps, argc, argv);
	out->command = ps.command;
	return rc;
}

void opt_fini(struct opt_choice *c) {
	if (c->kept) {
		/* It may hold a token. */
		explicit_bzero(c->kept, strlen(c->kept));
		free(c->kept);
	}
	*c = (struct opt_choice){0};
}
