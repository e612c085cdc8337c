/* One command each, to the agency's own topic. `fetch` has more to do and lives in fetch.c. */
#include "clients/agency/command.h"

#include "clients/agency/compose.h"
#include "clients/agency/session.h"
#include "clients/mq/show.h"
#include "lib/clock.h"
#include "proto/uuid.h"

static bool print(const struct opt_common *common, const char *request,
				  const struct exchange_answer *a) {
	struct buf line;
	buf_init(&line, SHOW_LINE_MAX);
	if (common->json) {
		buf_str(&line, "{\"recorded\":true,\"event_id\":");
		buf_json(&line, span_str(a->event_id));
		if (request) {
			buf_str(&line, ",\"request_id\":");
			buf_json(&line, span_str(request));
		}
		buf_char(&line, '}');
	} else {
		buf_str(&line, request ? request : "recorded");
	}
	bool ok = show_line(&line);
	buf_fini(&line);
	return ok;
}

/* request: its id as text when the command makes one; else NULL. */
static enum exit_code send(const struct opt_common *common, const struct settings *set,
						   const char *request, Vestibule__V1__AgencyCommand *cmd) {
	struct session s;
	struct exchange_answer a;
	enum exit_code rc = session_open(&s, common, set, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) {
		rc = session_command(&s, cmd, &a);
		if (rc == EXIT_RECORDED && !print(common, request, &a)) rc = EXIT_INTERNAL;
		if (request && (rc == EXIT_TIMEOUT || rc == EXIT_UNAVAILABLE)) {
			(void)session_fail(
				rc, "request %s may have been recorded: see `list` before another submit", request);
		}
	}
	session_close(&s);
	return rc;
}

enum exit_code command_submit(const struct opt_common *common, const struct settings *set) {
	char text[UUID_TEXT_SIZE];
	char why[COMPOSE_WHY_SIZE];
	uint8_t id[UUID_BYTES];
	Vestibule__V1__Circle circle;
	Vestibule__V1__Submit submit;
	if (exchange_correlation(text) != ERR_NONE || uuid_parse(span_str(text), id) != ERR_NONE) {
		return session_fail(EXIT_INTERNAL, "no random bytes for an id");
	}
	if (!compose_submit(set, clock_read().utc_ms, id, &circle, &submit, why))
		return session_fail(EXIT_USAGE, "%s", why);
	Vestibule__V1__AgencyCommand cmd = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT_SUBMIT;
	cmd.submit = &submit;
	return send(common, set, text, &cmd);
}

enum exit_code command_approve(const struct opt_common *common, const struct settings *set) {
	uint8_t id[UUID_BYTES];
	if (!session_parse_id("request", set->subject, id)) return EXIT_USAGE;
	Vestibule__V1__Approve approve = VESTIBULE__V1__APPROVE__INIT;
	approve.request_id = (ProtobufCBinaryData){sizeof(id), id};
	Vestibule__V1__AgencyCommand cmd = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT_APPROVE;
	cmd.approve = &approve;
	return send(common, set, NULL, &cmd);
}

enum exit_code command_withdraw(const struct opt_common *common, const struct settings *set) {
	uint8_t id[UUID_BYTES];
	if (!session_parse_id("request", set->subject, id)) return EXIT_USAGE;
	Vestibule__V1__Withdraw withdraw = VESTIBULE__V1__WITHDRAW__INIT;
	withdraw.request_id = (ProtobufCBinaryData){sizeof(id), id};
	Vestibule__V1__AgencyCommand cmd = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT_WITHDRAW;
	cmd.withdraw = &withdraw;
	return send(common, set, NULL, &cmd);
}

enum exit_code command_resolve(const struct opt_common *common, const struct settings *set) {
	uint8_t id[UUID_BYTES];
	if (!session_parse_id("request", set->subject, id)) return EXIT_USAGE;
	Vestibule__V1__Resolve resolve = VESTIBULE__V1__RESOLVE__INIT;
	resolve.request_id = (ProtobufCBinaryData){sizeof(id), id};
	Vestibule__V1__AgencyCommand cmd = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT_RESOLVE;
	cmd.resolve = &resolve;
	return send(common, set, NULL, &cmd);
}

enum exit_code command_alert(const struct opt_common *common, const struct settings *set) {
	char why[COMPOSE_WHY_SIZE];
	Vestibule__V1__SendAlert alert;
	if (!compose_alert(set, clock_read().utc_ms, &alert, why))
		return session_fail(EXIT_USAGE, "%s", why);
	Vestibule__V1__AgencyCommand cmd = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT_ALERT;
	cmd.alert = &alert;
	return send(common, set, NULL, &cmd);
}
