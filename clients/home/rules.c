/* `rules show` prints what `rules set` reads. */
#include "clients/home/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/home/command.h"
#include "clients/home/session.h"
#include "clients/mq/show.h"

struct shown {
	const char *username;
	struct buf text;
	bool json;
};

static void put_lines(struct buf *b, const char *text) {
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		char line[CODEC_RULES_MAX + 1];
		if (span_copy(span_of(at, len), line, sizeof(line))) show_text(b, line);
		at += len;
		if (*at) at++;
		if (*at) buf_char(b, '\n');
	}
}

static void shown_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct shown *s = ctx;
	for (size_t i = 0; i < part->n_rules; i++) {
		const Vestibule__V1__RulesInfo *r = part->rules[i];
		if (!span_eq(span_str(r->username), span_str(s->username))) continue;
		buf_reset(&s->text);
		if (!s->json)
			put_lines(&s->text, r->text);
		else if (codec_json(&r->base, &s->text) != ERR_NONE)
			return; /* sticks in the buffer */
	}
}

static enum exit_code show(const struct opt_common *common, const struct settings *set) {
	if (set->subject) return session_fail(EXIT_USAGE, "rules show takes no file");
	struct session s;
	enum exit_code rc = session_open(&s, common, set, &(struct mq_opts){0});
	struct shown shown = {.json = common->json};
	buf_init(&shown.text, SHOW_LINE_MAX);
	if (rc == EXIT_RECORDED) {
		struct exchange_sink sink = {shown_part, &shown};
		shown.username = mq_username(s.mq);
		rc = session_sync(&s, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_RULES, 0, &sink);
	}
	bool any = shown.text.len > 0 || buf_error(&shown.text) != ERR_NONE;
	if (rc == EXIT_RECORDED && any && !show_line(&shown.text)) rc = EXIT_INTERNAL;
	buf_fini(&shown.text);
	session_close(&s);
	return rc;
}

/* Does not wait for a pipe's writer: opens without blocking, and takes regular files only. NULL:
 * told. */
static FILE *open_file(const char *path) {
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	FILE *f = is_file ? fdopen(fd, "r") : NULL;
	if (f) return f;
	if (fd < 0 || is_file)
		(void)session_fail(EXIT_USAGE, "cannot open %s: %s", path, strerror(errno));
	else
		(void)session_fail(EXIT_USAGE, "%s is not a regular file; - reads standard input", path);
	if (fd >= 0) (void)close(fd); /* only read from */
	return NULL;
}

/* The whole file, "-" is standard input; at most CODEC_RULES_MAX bytes, one more is read to notice.
 */
static enum exit_code read_text(const char *path, char text[CODEC_RULES_MAX + 2]) {
	bool is_stdin = span_eq(span_str(path), SPAN_LIT("-"));
	FILE *f = is_stdin ? stdin : open_file(path);
	if (!f) return EXIT_USAGE;
	size_t len = fread(text, 1, CODEC_RULES_MAX + 1, f);
	bool bad = ferror(f) != 0;
	if (!is_stdin) (void)fclose(f); /* only read from */
	if (bad) return session_fail(EXIT_USAGE, "cannot read %s", path);
	if (len > CODEC_RULES_MAX)
		return session_fail(EXIT_USAGE, "%s: more than %d bytes", path, (int)CODEC_RULES_MAX);
	if (memchr(text, 0, len)) return session_fail(EXIT_USAGE, "%s: not text", path);
	text[len] = '\0';
	return EXIT_RECORDED;
}

static enum exit_code set_text(const struct opt_common *common, const struct settings *set) {
	if (!set->subject)
		return session_fail(EXIT_USAGE, "rules set needs a file, or - for standard input");
	char text[CODEC_RULES_MAX + 2];
	enum exit_code rc = read_text(set->subject, text);
	if (rc != EXIT_RECORDED) return rc;
	Vestibule__V1__Rules rules = VESTIBULE__V1__RULES__INIT;
	rules.text = text;
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RULES;
	cmd.rules = &rules;
	return command_send(common, set, &cmd);
}

enum exit_code rules_run(const struct opt_common *common, const struct settings *set) {
	struct span action = span_str(set->action);
	if (span_eq(action, SPAN_LIT("show"))) return show(common, set);
	if (span_eq(action, SPAN_LIT("set"))) return set_text(common, set);
	return session_fail(EXIT_USAGE, "rules %s: show or set", set->action);
}
