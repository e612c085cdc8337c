/* One command each, to the home's own topic. Rules and invites have more to do and live in rules.c
 * and invite.c. */
#include "clients/home/command.h"

#include "clients/home/answer.h"
#include "clients/home/session.h"
#include "lib/clock.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000, GRANT_DAYS_MAX = 365 };

/* A copy of one ask that outlives the reply it came in. */
struct wanted {
	uint8_t id[16];
	struct buf bytes; /* its encoding; empty: not found */
	enum err error;
};

static void wanted_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct wanted *w = ctx;
	for (size_t i = 0; i < part->n_asks; i++) {
		const Vestibule__V1__Ask *a = part->asks[i];
		if (!span_eq(span_of(a->ask_id.data, a->ask_id.len), span_of(w->id, sizeof(w->id))))
			continue;
		buf_reset(&w->bytes);
		w->error = codec_encode(&a->base, &w->bytes);
	}
}

static enum exit_code answer_with(struct session *s, const struct answer_words *words,
								  const Vestibule__V1__Ask *ask) {
	struct answer a;
	char why[ANSWER_WHY_SIZE];
	enum answer_fault f = answer_build(ask, words, &a, why);
	if (f != ANSWER_OK)
		return session_fail(f == ANSWER_USAGE ? EXIT_USAGE : EXIT_REFUSED, "%s", why);
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_ANSWER;
	cmd.answer = &a.msg;
	return session_command(s, &cmd);
}

static enum exit_code answer(struct session *s, const struct answer_words *words, struct wanted *w,
							 struct codec *c) {
	struct exchange_sink sink = {wanted_part, w};
	enum exit_code rc = session_sync(s, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_ASKS, 0, &sink);
	if (rc != EXIT_RECORDED) return rc;
	if (w->error != ERR_NONE)
		return session_fail(EXIT_INTERNAL, "the ask cannot be kept: %s", err_name(w->error));
	if (w->bytes.len == 0) return session_fail(EXIT_REFUSED, "no such open ask");
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (codec_decode(c, CODEC_ASK, buf_view(&w->bytes), &msg, &why) != ERR_NONE) {
		return session_fail(EXIT_INTERNAL, "the ask cannot be read: %s %s", why.field, why.limit);
	}
	return answer_with(s, words, (const Vestibule__V1__Ask *)msg);
}

enum exit_code command_answer(const struct opt_common *common, const struct settings *set) {
	struct wanted w = {.error = ERR_NONE};
	if (!session_parse_id("ask", set->subject, w.id)) return EXIT_USAGE;
	struct answer_words words = {&set->yes, &set->no, set->none, 0};
	if (set->exp_days) words.exp_ms = (uint64_t)(clock_read().utc_ms + set->exp_days * DAY_MS);
	buf_init(&w.bytes, CODEC_ARENA_BYTES);
	struct codec *c = codec_new();
	struct session s = {0};
	enum exit_code rc = c ? session_open(&s, common, set, &(struct mq_opts){0})
						  : session_fail(EXIT_INTERNAL, "no memory");
	if (rc == EXIT_RECORDED) rc = answer(&s, &words, &w, c);
	session_close(&s);
	codec_free(c);
	buf_fini(&w.bytes);
	return rc;
}

enum exit_code command_send(const struct opt_common *common, const struct settings *set,
							Vestibule__V1__HomeCommand *cmd) {
	struct session s;
	enum exit_code rc = session_open(&s, common, set, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) rc = session_command(&s, cmd);
	session_close(&s);
	return rc;
}

enum exit_code command_retract(const struct opt_common *common, const struct settings *set) {
	uint8_t id[16];
	if (!session_parse_id("grant", set->subject, id)) return EXIT_USAGE;
	Vestibule__V1__Retract retract = VESTIBULE__V1__RETRACT__INIT;
	retract.grant_id = (ProtobufCBinaryData){sizeof(id), id};
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT;
	cmd.retract = &retract;
	return command_send(common, set, &cmd);
}

/* The longest end date is asked for a minute early: the broker measures it by its own clock. */
static uint64_t end_of(int64_t days) {
	int64_t life_ms = days * DAY_MS - (days == GRANT_DAYS_MAX ? MINUTE_MS : 0);
	return (uint64_t)(clock_read().utc_ms + life_ms);
}

enum exit_code command_grant(const struct opt_common *common, const struct settings *set) {
	if (!set->kind || set->days == 0)
		return session_fail(EXIT_USAGE, "grant needs --kind and --days");
	int kind = codec_enum(&vestibule__v1__grant_kind__descriptor, span_str(set->kind));
	if (kind <= 0)
		return session_fail(EXIT_USAGE, "--kind %s: give ring, motion or clip", set->kind);
	if (set->device && !topic_id_is_valid(span_str(set->device))) {
		return session_fail(EXIT_USAGE, "--device %s: not a device id", set->device);
	}
	Vestibule__V1__GrantStanding grant = VESTIBULE__V1__GRANT_STANDING__INIT;
	grant.integrator = (char *)set->subject; /* only read: the generated structs know no const */
	if (set->device) grant.device = (char *)set->device;
	grant.kind = (Vestibule__V1__GrantKind)kind;
	grant.exp_ms = end_of(set->days);
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_GRANT;
	cmd.grant = &grant;
	return command_send(common, set, &cmd);
}

enum exit_code command_remove(const struct opt_common *common, const struct settings *set) {
	Vestibule__V1__Remove gone = VESTIBULE__V1__REMOVE__INIT;
	gone.username = (char *)set->subject; /* only read */
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_REMOVE;
	cmd.remove = &gone;
	return command_send(common, set, &cmd);
}

/* Who has left is disconnected, often before the receipt arrives; that the credential is not
 * accepted any more says the same. */
static enum exit_code confirm_left(const struct opt_common *common,
								   struct exchange_answer *answer) {
	char why[MQ_WHY_SIZE];
	struct mq *mq = mq_new(common, &(struct mq_opts){0}, why);
	enum exit_code rc = mq ? mq_connect(mq, why) : EXIT_INTERNAL;
	mq_free(mq);
	if (rc == EXIT_NOT_AUTHORISED) return EXIT_RECORDED;
	exchange_complain(settings_program.name, EXIT_UNAVAILABLE, answer);
	return EXIT_UNAVAILABLE;
}

enum exit_code command_leave(const struct opt_common *common, const struct settings *set) {
	Vestibule__V1__Leave leave = VESTIBULE__V1__LEAVE__INIT;
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_LEAVE;
	cmd.leave = &leave;
	struct session s;
	struct exchange_answer answer = {0};
	enum exit_code rc = session_open(&s, common, set, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) rc = session_learn_home(&s);
	if (rc == EXIT_RECORDED) {
		rc = exchange_home(s.mq, s.home, &cmd, common->timeout_ms, &answer);
		if (rc == EXIT_UNAVAILABLE)
			rc = confirm_left(common, &answer);
		else if (rc != EXIT_RECORDED)
			exchange_complain(settings_program.name, rc, &answer);
		if (rc == EXIT_RECORDED) rc = session_say_recorded(&s, &answer);
	}
	session_close(&s);
	return rc;
}
