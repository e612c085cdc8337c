/* The one entry: who may send which command, idempotence, and the order of what time brings. Not
 * here: the state machines themselves (request.c, ask.c, answer.c, grant.c, standing.c, delivery.c,
 * members.c, enrol.c, operator.c). */
#include "plugin/consent/consent.h"

#include "plugin/consent/ask.h"
#include "plugin/consent/clip.h"
#include "plugin/consent/delivery.h"
#include "plugin/consent/effects.h"
#include "plugin/consent/enrol.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/members.h"
#include "plugin/consent/operator.h"
#include "plugin/consent/request.h"
#include "plugin/consent/restored.h"
#include "plugin/consent/standing.h"
#include "plugin/consent/sweep.h"

/* --- idempotence ------------------------------------------------------------------------------ */

static struct span seen_key(const struct step *s, char out[ROW_ID_SIZE + ROW_UUID_SIZE]) {
	size_t n = strlen(s->who->username);
	memcpy(out, s->who->username, n);
	out[n] = '/';
	uuid_text(s->cmd->event_id.ptr, out + n + 1);
	return span_of(out, n + 1 + UUID_TEXT);
}

static const struct row_seen *find_seen(const struct step *s) {
	char key[ROW_ID_SIZE + ROW_UUID_SIZE];
	if (s->cmd->event_id.len != UUID_BYTES) return NULL;
	return (const struct row_seen *)state_get(s->st, ROW_SEEN, seen_key(s, key));
}

static void mark_seen(const struct step *s) {
	if (s->cmd->event_id.len != UUID_BYTES) return; /* the operator's console answers itself */
	struct row_seen *seen = effects_new(s, ROW_SEEN);
	(void)seen_key(s, seen->id);
	EFFECTS_TEXT(seen->username, s->who->username);
	EFFECTS_TEXT(seen->digest, s->cmd->digest);
	seen->at_ms = s->now.utc_ms;
}

/* The notice that answered this command the first time. */
static const struct row_notice *first_notice(const struct step *s) {
	char event[UUID_TEXT_SIZE];
	struct span agency = span_str(s->who->subject);
	uuid_text(s->cmd->event_id.ptr, event);
	const struct row *row = state_child(s->st, ROW_NOTICE, 0, agency, NULL);
	for (; row; row = state_child(s->st, ROW_NOTICE, 0, agency, row)) {
		const struct row_notice *n = (const struct row_notice *)row;
		if (span_eq(span_str(n->in_reply_to), span_str(event))) return n;
	}
	return NULL;
}

static void answer_again(const struct step *s) {
	const struct row_notice *n = s->who->kind == CRED_OFFICER ? first_notice(s) : NULL;
	s->fx->repeated = true;
	if (n)
		(void)effects_tell(s, TELL_NOTICE, n->id); /* nothing to add to it */
	else if (s->cmd->kind == COMMAND_CLIP)
		clip_ack(s);
	else if (s->who->kind != CRED_OPERATOR)
		effects_recorded(s, REASON_OK);
}

/* --- dispatch --------------------------------------------------------------------------------- */

static enum reason home_command(const struct step *s) {
	const Vestibule__V1__HomeCommand *m = (const Vestibule__V1__HomeCommand *)s->cmd->msg;
	if (s->who->kind != CRED_MEMBER) return REASON_ROLE;
	if (m->what_case == VESTIBULE__V1__HOME_COMMAND__WHAT_LEAVE) return members_leave(s);
	if (!members_is_adult(s->who)) return REASON_ROLE; /* I8 */
	switch (m->what_case) {
	case VESTIBULE__V1__HOME_COMMAND__WHAT_ANSWER: return answer_home(s, m->answer);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_GRANT: return standing_give(s, m->grant);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT: return grant_retract(s, m->retract);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_RULES: return members_rules(s, m->rules);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_INVITE: return members_invite(s, m->invite);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_REMOVE: return members_remove(s, m->remove);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_CLAIM: return enrol_claim(s, m->claim);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_RETIRE: return enrol_retire(s, m->retire);
	case VESTIBULE__V1__HOME_COMMAND__WHAT_ROTATE: return members_rotate(s, m->rotate);
	default: return REASON_MALFORMED;
	}
}

static enum reason agency_command(const struct step *s) {
	const Vestibule__V1__AgencyCommand *m = (const Vestibule__V1__AgencyCommand *)s->cmd->msg;
	if (s->who->kind != CRED_OFFICER) return REASON_ROLE;
	if (!s->opts->agencies) return REASON_AGENCIES_OFF;
	switch (m->what_case) {
	case VESTIBULE__V1__AGENCY_COMMAND__WHAT_SUBMIT: return request_submit(s, m->submit);
	case VESTIBULE__V1__AGENCY_COMMAND__WHAT_APPROVE:
		return request_approve(s, m->approve->request_id);
	case VESTIBULE__V1__AGENCY_COMMAND__WHAT_WITHDRAW:
		return request_withdraw(s, m->withdraw->request_id);
	case VESTIBULE__V1__AGENCY_COMMAND__WHAT_RESOLVE:
		return request_resolve(s, m->resolve->request_id);
	case VESTIBULE__V1__AGENCY_COMMAND__WHAT_FETCH: return delivery_fetch(s, m->fetch);
	case VESTIBULE__V1__AGENCY_COMMAND__WHAT_ALERT: return request_alert(s, m->alert);
	default: return REASON_MALFORMED;
	}
}

static enum reason dispatch(const struct step *s) {
	switch (s->cmd->kind) {
	case COMMAND_HOME: return home_command(s);
	case COMMAND_AGENCY: return agency_command(s);
	case COMMAND_CLIP:
		if (s->who->kind != CRED_DEVICE) return REASON_ROLE;
		return clip_ready(s, (const Vestibule__V1__ClipReady *)s->cmd->msg);
	case COMMAND_CLAIM:
		if (s->who->kind != CRED_DEVICE) return REASON_ROLE;
		return enrol_device(s, (const Vestibule__V1__DeviceClaim *)s->cmd->msg);
	case COMMAND_REPORT:
		if (s->who->kind != CRED_RELAY) return REASON_ROLE;
		return delivery_report(s, (const Vestibule__V1__RelayReport *)s->cmd->msg);
	case COMMAND_OPERATOR: return operator_command(s);
	default: return REASON_MALFORMED;
	}
}

static void refuse(const struct step *s, enum reason why) {
	effects_clear(s->fx);
	s->fx->reason = why;
	if (s->who && s->who->kind != CRED_OPERATOR && s->who->kind != CRED_DEVICE)
		effects_recorded(s, why);
}

/* A clip has its ack, an officer his notice, the operator's console its response. */
static bool has_private_answer(const struct step *s) {
	return s->who->kind == CRED_MEMBER || s->who->kind == CRED_RELAY ||
		   s->cmd->kind == COMMAND_CLAIM;
}

static enum reason check_sender(const struct step *s) {
	const struct command *cmd = s->cmd;
	if (!s->who) return REASON_UNKNOWN_CREDENTIAL;
	if (s->who->suspended) return REASON_SUSPENDED;
	if (cmd->kind != COMMAND_OPERATOR && (!cmd->msg || cmd->event_id.len != UUID_BYTES))
		return REASON_MALFORMED;
	if (cmd->kind != COMMAND_OPERATOR && strlen(cmd->digest) != 64) return REASON_MALFORMED;
	return REASON_OK;
}

static void step_command(const struct step *s) {
	enum reason why = check_sender(s);
	const struct row_seen *seen = why == REASON_OK ? find_seen(s) : NULL;
	if (seen && !span_eq(span_str(seen->digest), span_str(s->cmd->digest)))
		why = REASON_REUSED_ID;
	else if (seen) {
		s->fx->reason = REASON_OK;
		answer_again(s);
		return;
	}
	if (why == REASON_OK) why = dispatch(s);
	if (why != REASON_OK) {
		refuse(s, why);
		return;
	}
	mark_seen(s);
	if (has_private_answer(s)) effects_recorded(s, REASON_OK);
	s->fx->reason = REASON_OK;
	if (effects_overflowed(s->fx)) refuse(s, REASON_BUSY);
}

/* --- time ------------------------------------------------------------------------------------- */

/* Ends come first, so that what is over is neither released nor asked for in the same tick. A clock
 * that is not sound runs no tick: policy denies everything meanwhile, and a purge could not be
 * undone. */
static void step_tick(const struct step *s) {
	if (!s->now.sound || !state_may_allow(s->st)) {
		s->fx->reason = REASON_NOT_READY;
		return;
	}
	bool (*const parts[])(const struct step *) = {
		grant_tick_ends, standing_tick,      request_tick,  ask_tick_lapse,
		delivery_tick,   grant_tick_release, ask_tick_make, members_tick,
		operator_tick,   enrol_tick,         sweep_tick,
	};
	s->fx->reason = REASON_OK;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !s->fx->more; i++) {
		if (!parts[i](s)) s->fx->more = true;
	}
	if (effects_overflowed(s->fx)) refuse(s, REASON_BUSY);
	if (s->fx->change.count == 0) s->fx->more = false; /* calling again would bring nothing */
}

static void step_restored(const struct step *s) {
	s->fx->reason = REASON_OK;
	s->fx->denial = true;
	s->fx->more = !restored_end_all(s);
	if (effects_overflowed(s->fx)) refuse(s, REASON_BUSY);
}

void consent_step(const struct state *st, const struct consent_opts *opts,
				  const struct command *cmd, struct moment now, struct consent_random rnd,
				  struct effects *fx) {
	struct step s = {
		.st = st, .opts = opts, .cmd = cmd, .who = cmd->who, .now = now, .rnd = rnd, .fx = fx};
	effects_clear(fx);
	fx->change.at_ms = now.utc_ms;
	if (opts->tick_ms <= 0 || opts->hold_ticks <= 0) {
		fx->reason = REASON_NOT_READY;
	} else if (cmd->kind == COMMAND_TICK) {
		s.who = NULL;
		step_tick(&s);
	} else if (cmd->kind == COMMAND_RESTORED) {
		s.who = NULL;
		step_restored(&s);
	} else {
		step_command(&s);
	}
	fx->change.at_ms = now.utc_ms;
}

bool consent_tick_due(const struct state *st, const struct consent_opts *opts, struct moment now,
					  int64_t *last_tick) {
	if (!now.sound || !state_may_allow(st) || opts->tick_ms <= 0) return false;
	bool second = now.utc_ms / LIMIT_SECOND_MS != *last_tick / LIMIT_SECOND_MS;
	bool tick = now.utc_ms / opts->tick_ms != *last_tick / opts->tick_ms;
	if (!second && !tick) return false;
	*last_tick = now.utc_ms;
	return true;
}
