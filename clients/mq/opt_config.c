/* Finds and reads a configuration file, line by line. */
#include "clients/mq/opt_config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err fail(enum err e, char why[OPT_CONFIG_WHY], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static enum err fail(enum err e, char why[OPT_CONFIG_WHY], const char *fmt, ...) {
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why, OPT_CONFIG_WHY, fmt, ap);
	va_end(ap);
	return e;
}

/* False: there is no such place. */
static bool default_path(const char *program, char out[PATH_MAX]) {
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;
	if (xdg && xdg[0] == '/') {
		n = snprintf(out, PATH_MAX, "%s/vestibule/%s.conf", xdg, program);
	} else if (home && home[0] == '/') {
		n = snprintf(out, PATH_MAX, "%s/.config/vestibule/%s.conf", home, program);
	} else {
		return false;
	}
	return n > 0 && n < PATH_MAX;
}

/* The whole file with a terminating zero; *open_to_others: group or others may read it. */
static enum err slurp(const char *path, char **out, bool *open_to_others,
					  char why[OPT_CONFIG_WHY]) {
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(errno == ENOENT ? ERR_ABSENT : ERR_STORE, why, "%s: %s", path, strerror(errno));
	char *text = malloc(OPT_CONFIG_BYTES_MAX + 1);
	enum err e = text ? ERR_NONE : fail(ERR_NOMEM, why, "out of memory");
	size_t len = 0;
	if (e == ERR_NONE && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		e = fail(ERR_STORE, why, "%s: not a regular file", path);
	}
	while (e == ERR_NONE && len <= OPT_CONFIG_BYTES_MAX) {
		ssize_t n = read(fd, text + len, OPT_CONFIG_BYTES_MAX + 1 - len);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) e = fail(ERR_STORE, why, "%s: %s", path, strerror(errno));
		if (n <= 0) break;
		len += (size_t)n;
	}
	(void)close(fd); /* only read from */
	if (e == ERR_NONE && len > OPT_CONFIG_BYTES_MAX) {
		e = fail(ERR_LIMIT, why, "%s: larger than %d bytes", path, OPT_CONFIG_BYTES_MAX);
	}
	if (e == ERR_NONE && memchr(text, 0, len))
		e = fail(ERR_INPUT, why, "%s: holds a zero byte", path);
	if (e != ERR_NONE) {
		free(text);
		return e;
	}
	text[len] = '\0';
	*open_to_others = (st.st_mode & (S_IRGRP | S_IROTH)) != 0;
	*out = text;
	return ERR_NONE;
}

static char *trim(char *s) {
	while (*s == ' ' || *s == '\t') s++;
	char *end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
	*end = '\0';
	return s;
}

enum err opt_config_read(const char *program, const char *path, opt_config_fn *fn, void *ctx,
						 char **kept, char why[OPT_CONFIG_WHY]) {
	char fallback[PATH_MAX];
	bool may_be_absent = !path;
	bool open_to_others = false;
	*kept = NULL;
	if (!path && !default_path(program, fallback)) return ERR_NONE;
	if (!path) path = fallback;
	enum err e = slurp(path, kept, &open_to_others, why);
	if (e == ERR_ABSENT && may_be_absent) return ERR_NONE;
	if (e != ERR_NONE) return e;

	int number = 0;
	for (char *line = *kept, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next) *next++ = '\0';
		number++;
		line = trim(line);
		if (line[0] == '\0' || line[0] == '#') continue;
		char *equals = strchr(line, '=');
		if (!equals)
			return fail(ERR_INPUT, why, "%s:%d: not of the form name = value", path, number);
		*equals = '\0';
		const char *name = trim(line);
		if (open_to_others && strcmp(name, "token") == 0) {
			return fail(ERR_INPUT, why, "%s:%d: holds a token but others may read it (chmod 600)",
						path, number);
		}
		char want[OPT_CONFIG_WANT] = "";
		e = fn(ctx, span_str(name), trim(equals + 1), want);
		if (e != ERR_NONE) return fail(e, why, "%s:%d: %s: %s", path, number, name, want);
	}
	return ERR_NONE;
}
