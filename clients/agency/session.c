/* Connection and agency of one run. What a command says is its own file's business. */
#include "clients/agency/session.h"

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
	if (settings->agency && (!topic_id_is_valid(span_str(settings->agency)) ||
							 !span_copy(span_str(settings->agency), s->agency, sizeof(s->agency))))
		return session_fail(EXIT_USAGE, "--agency %s: not an agency id", settings->agency);
	s->mq = mq_new(common, opts, why);
	if (!s->mq) return session_fail(EXIT_USAGE, "%s", why);
	enum exit_code rc = mq_connect(s->mq, why);
	if (rc != EXIT_RECORDED) return session_fail(rc, "%s", why);
	if (s->agency[0]) return rc;
	struct exchange_answer a;
	rc = exchange_subject(s->mq, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DELIVERIES, common->timeout_ms,
						  s->agency, &a);
	if (rc != EXIT_RECORDED) exchange_complain(settings_program.name, rc, &a);
	return rc;
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

enum exit_code session_command(struct session *s, Vestibule__V1__AgencyCommand *cmd,
							   struct exchange_answer *answer) {
	enum exit_code rc = exchange_agency(s->mq, s->agency, cmd, s->common->timeout_ms, answer);
	if (rc != EXIT_RECORDED) exchange_complain(settings_program.name, rc, answer);
	return rc;
}

bool session_parse_id(const char *what, const char *text, uint8_t id[16]) {
	if (uuid_parse(span_str(text), id) == ERR_NONE) return true;
	(void)session_fail(EXIT_USAGE, "%s is not the id of a %s (36 lower-case characters)", text,
					   what);
	return false;
}
