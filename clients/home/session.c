/* Connection and home of one run. What a command says is its own file's business. */
#include "clients/home/session.h"

#include <stdarg.h>

#include "clients/mq/show.h"
#include "proto/uuid.h"

enum exit_code session_fail(enum exit_code code, const char *fmt, ...) {
	va_list args;
	va_start(args, fmt);
	show_complain(settings_program.name, fmt, args);
	va_end(args);
	return code;
}

enum exit_code session_open(struct session *s, const struct opt_common *common,
							const struct settings *settings, const struct mq_opts *opts) {
	char why[MQ_WHY_SIZE] = "";
	*s = (struct session){.common = common, .settings = settings};
	s->mq = mq_new(common, opts, why);
	if (!s->mq) return session_fail(EXIT_USAGE, "%s", why);
	enum exit_code rc = mq_connect(s->mq, why);
	return rc == EXIT_RECORDED ? rc : session_fail(rc, "%s", why);
}

void session_close(struct session *s) {
	mq_free(s->mq);
	s->mq = NULL;
}

enum exit_code session_sync(struct session *s, Vestibule__V1__SyncWhat what, uint64_t since_ms,
							const struct exchange_sink *sink) {
	struct exchange_answer a;
	enum exit_code rc = exchange_sync(s->mq, what, since_ms, s->common->timeout_ms, sink, &a);
	if (rc != EXIT_RECORDED) exchange_complain(settings_program.name, rc, &a);
	return rc;
}

enum exit_code session_learn_home(struct session *s) {
	if (s->home[0]) return EXIT_RECORDED;
	if (s->settings->home) {
		struct span given = span_str(s->settings->home);
		if (topic_id_is_valid(given) && span_copy(given, s->home, sizeof(s->home)))
			return EXIT_RECORDED;
		return session_fail(EXIT_USAGE, "--home %s: not a home id", s->settings->home);
	}
	struct exchange_answer a;
	enum exit_code rc = exchange_subject(s->mq, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES,
										 s->common->timeout_ms, s->home, &a);
	if (rc != EXIT_RECORDED) {
		exchange_complain(settings_program.name, rc, &a);
		return rc;
	}
	return EXIT_RECORDED;
}

enum exit_code session_say_recorded(const struct session *s, const struct exchange_answer *a) {
	struct buf line;
	buf_init(&line, SHOW_LINE_MAX);
	if (s->common->json) {
		buf_str(&line, "{\"recorded\":true,\"event_id\":");
		buf_json(&line, span_str(a->event_id));
		buf_char(&line, '}');
	} else {
		buf_str(&line, "recorded");
	}
	bool ok = show_line(&line);
	buf_fini(&line);
	return ok ? EXIT_RECORDED : EXIT_INTERNAL;
}

enum exit_code session_command(struct session *s, Vestibule__V1__HomeCommand *cmd) {
	enum exit_code rc = session_learn_home(s);
	if (rc != EXIT_RECORDED) return rc;
	struct exchange_answer a;
	rc = exchange_home(s->mq, s->home, cmd, s->common->timeout_ms, &a);
	if (rc != EXIT_RECORDED) {
		exchange_complain(settings_program.name, rc, &a);
		return rc;
	}
	return session_say_recorded(s, &a);
}

bool session_parse_id(const char *what, const char *text, uint8_t id[16]) {
	if (uuid_parse(span_str(text), id) == ERR_NONE) return true;
	(void)session_fail(EXIT_USAGE, "%s is not the id of a %s (36 lower-case characters)", text,
					   what);
	return false;
}
