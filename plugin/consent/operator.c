/* Registry changes. What a home said is not in reach of this file, but where an end takes it along.
 */
#include "plugin/consent/operator.h"

#include "plugin/consent/enrol.h"
#include "plugin/consent/geometry.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/members.h"
#include "plugin/consent/request.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

static size_t count_children(const struct state *st, enum row_kind kind, struct span parent) {
	size_t n = 0;
	const struct row *row = state_child(st, kind, 0, parent, NULL);
	for (; row; row = state_child(st, kind, 0, parent, row)) n++;
	return n;
}

/* Subjects of different kinds may share a name. */
static size_t count_credentials(const struct state *st, enum cred_kind kind, struct span subject) {
	size_t n = 0;
	const struct row *row = state_child(st, ROW_CREDENTIAL, 0, subject, NULL);
	for (; row; row = state_child(st, ROW_CREDENTIAL, 0, subject, row)) {
		if (((const struct row_credential *)row)->kind == (int64_t)kind) n++;
	}
	return n;
}

/* --- put -------------------------------------------------------------------------------------- */

static enum reason put_home(const struct step *s, const struct row_home *r) {
	const struct row_home *old = state_home(s->st, span_str(r->id));
	if (r->unsealed_ok && !s->opts->demo) return REASON_UNSEALED;
	struct row_home *n = old ? effects_alter(s, old) : effects_new(s, ROW_HOME);
	bool flagged = r->unsealed_ok && !n->unsealed_ok;
	EFFECTS_TEXT(n->id, r->id);
	EFFECTS_TEXT(n->name, r->name);
	n->unsealed_ok = r->unsealed_ok;
	if (!old) n->created_ms = s->now.utc_ms;
	if (flagged) (void)effects_receipt(s, RECEIPT(UNSEALED_OK), n->id); /* names nobody */
	return REASON_OK;
}

static size_t live_devices(const struct state *st, struct span home) {
	size_t n = 0;
	const struct row *row = state_child(st, ROW_DEVICE, 0, home, NULL);
	for (; row; row = state_child(st, ROW_DEVICE, 0, home, row))
		n += !((const struct row_device *)row)->retired;
	return n;
}

static enum reason put_device(const struct step *s, const struct row_device *r) {
	const struct row_device *old = state_device(s->st, span_str(r->id));
	if (old && (old->retired || !same(old->home, r->home))) return REASON_NAME_TAKEN;
	if (r->retired || !state_home(s->st, span_str(r->home))) return REASON_NOT_YOURS;
	if (r->claimed_ms && (!old || r->claimed_ms != old->claimed_ms)) return REASON_ENROLMENT;
	if (!old && live_devices(s->st, span_str(r->home)) >= LIMIT_DEVICES_PER_HOME)
		return REASON_TOO_LARGE;
	struct row_device *n = old ? effects_alter(s, old) : effects_new(s, ROW_DEVICE);
	EFFECTS_TEXT(n->id, r->id);
	EFFECTS_TEXT(n->home, r->home);
	EFFECTS_TEXT(n->name, r->name);
	EFFECTS_TEXT(n->cell, r->cell);
	if (old) return REASON_OK;
	n->created_ms = s->now.utc_ms;
	EFFECTS_TEXT(effects_receipt(s, RECEIPT(DEVICE_ADDED), n->home)->device, n->id);
	return REASON_OK;
}

static bool subject_lives(const struct state *st, const struct row_credential *c) {
	struct span id = span_str(c->subject);
	const struct row_device *d = state_device(st, id);
	const struct row_integrator *i = state_integrator(st, id);
	const struct row_agency *a = state_agency(st, id);
	switch (c->kind) {
	case CRED_DEVICE: return d && !d->retired;
	case CRED_INTEGRATOR: return i && !i->retired;
	case CRED_OFFICER: return a && !a->retired;
	case CRED_RELAY: return state_relay(st, id) != NULL;
	default: return true; /* an app or an operator: the validator knows no other kind */
	}
}

static enum reason check_credential(const struct step *s, const struct row_credential *r,
									const struct row_credential *old) {
	struct span subject = span_str(r->subject);
	if (r->kind == CRED_MEMBER) return REASON_ENROLMENT; /* I27: whatever the home's state */
	if (old && (old->kind != r->kind || !same(old->subject, r->subject))) return REASON_NAME_TAKEN;
	if (!old && members_is_gone(s->st, r->username)) return REASON_NAME_TAKEN;
	if (!subject_lives(s->st, r)) return REASON_NOT_YOURS;
	if (old || !r->subject[0]) return REASON_OK;
	size_t max = r->kind == CRED_DEVICE ? 1 : LIMIT_CREDENTIALS;
	return count_credentials(s->st, (enum cred_kind)r->kind, subject) < max ? REASON_OK
																			: REASON_TOO_LARGE;
}

static enum reason put_credential(const struct step *s, const struct row_credential *r) {
	const struct row_credential *old = state_credential(s->st, span_str(r->username));
	enum reason why = check_credential(s, r, old);
	if (why != REASON_OK) return why;
	struct row_credential *n = old ? effects_alter(s, old) : effects_new(s, ROW_CREDENTIAL);
	EFFECTS_TEXT(n->username, r->username);
	EFFECTS_TEXT(n->subject, r->subject);
	n->kind = r->kind;
	n->role = r->role;
	if (!old) n->created_ms = s->now.utc_ms;
	return REASON_OK;
}

static enum reason put_token(const struct step *s, const struct row_token *r) {
	const struct row_credential *c = state_credential(s->st, span_str(r->username));
	if (!c) return REASON_NOT_YOURS;
	if (c->kind == CRED_MEMBER) return REASON_POPULATED; /* I27 */
	const struct row_token *old =
		(const struct row_token *)state_get(s->st, ROW_TOKEN, span_str(r->id));
	if (old && !same(old->sha256, r->sha256))
		effects_kick_user(s, old->username); /* logged in by it? */
	struct row_token *n = effects_new(s, ROW_TOKEN);
	EFFECTS_TEXT(n->id, r->id);
	EFFECTS_TEXT(n->username, r->username);
	EFFECTS_TEXT(n->sha256, r->sha256);
	n->created_ms = s->now.utc_ms;
	return REASON_OK;
}

static enum reason put_app_topic(const struct step *s, const struct row_app_topic *r) {
	struct span name = span_str(r->username);
	if (!state_credential(s->st, name)) return REASON_NOT_YOURS;
	bool known = state_get(s->st, ROW_APP_TOPIC, span_str(r->id)) != NULL;
	if (!known && count_children(s->st, ROW_APP_TOPIC, name) >= LIMIT_APP_TOPICS)
		return REASON_TOO_LARGE;
	effects_put(s, &r->row);
	return REASON_OK;
}

static enum reason put_integrator(const struct step *s, const struct row_integrator *r) {
	const struct row_integrator *old = state_integrator(s->st, span_str(r->id));
	if (r->retired || (old && old->retired)) return REASON_NAME_TAKEN;
	struct row_integrator *n = old ? effects_alter(s, old) : effects_new(s, ROW_INTEGRATOR);
	EFFECTS_TEXT(n->id, r->id);
	EFFECTS_TEXT(n->name, r->name);
	if (!old) n->created_ms = s->now.utc_ms;
	return REASON_OK;
}

/* A changed key ends the live grants that were wrapped to the old one (grant_due_end). */
static enum reason put_agency(const struct step *s, const struct row_agency *r) {
	const struct row_agency *old = state_agency(s->st, span_str(r->id));
	if (r->retired || (old && old->retired)) return REASON_NAME_TAKEN;
	if (geometry_rings_check(span_of(r->rings.ptr, r->rings.len)) != ERR_NONE)
		return REASON_JURISDICTION;
	if (old && old->kind != r->kind) return REASON_NAME_TAKEN; /* homes opted in to a kind */
	if (!r->recipient[0] && !s->opts->demo) return REASON_KEY;
	if (!r->recipient[0] != !r->key_id[0]) return REASON_KEY;
	effects_put(s, &r->row);
	struct row_agency *n = effects_alter(s, r); /* the copy just put */
	n->suspended = old ? old->suspended : 0;
	n->fast_path_lost = old ? old->fast_path_lost : 0; /* `resume` gives it back, and is public */
	n->created_ms = old ? old->created_ms : s->now.utc_ms;
	(void)effects_tell(s, TELL_AGENCY, n->id);
	return REASON_OK;
}

static enum reason put_relay(const struct step *s, const struct row_relay *r) {
	const struct row_relay *old = state_relay(s->st, span_str(r->id));
	struct row_relay *n = old ? effects_alter(s, old) : effects_new(s, ROW_RELAY);
	EFFECTS_TEXT(n->id, r->id);
	EFFECTS_TEXT(n->name, r->name);
	if (!old) n->created_ms = s->now.utc_ms;
	return REASON_OK;
}

static enum reason put(const struct step *s) {
	const union row_any *r = (const union row_any *)s->cmd->row;
	const char *bad;
	if (!r || row_validate(&r->row, &bad) != ERR_NONE) return REASON_MALFORMED;
	switch (r->row.kind) {
	case ROW_HOME: return put_home(s, &r->home);
	case ROW_DEVICE: return put_device(s, &r->device);
	case ROW_CREDENTIAL: return put_credential(s, &r->credential);
	case ROW_TOKEN: return put_token(s, &r->token);
	case ROW_APP_TOPIC: return put_app_topic(s, &r->app_topic);
	case ROW_INTEGRATOR: return put_integrator(s, &r->integrator);
	case ROW_AGENCY: return put_agency(s, &r->agency);
	case ROW_RELAY: return put_relay(s, &r->relay);
	default: return REASON_ROLE; /* everything else is other people's word */
	}
}

/* --- remove ----------------------------------------------------------------------------------- */

/* False: out of room. */
static bool end_credentials(const struct step *s, enum cred_kind kind, struct span subject) {
	const struct row *row = state_child(s->st, ROW_CREDENTIAL, 0, subject, NULL);
	for (; row; row = state_child(s->st, ROW_CREDENTIAL, 0, subject, row)) {
		const struct row_credential *c = (const struct row_credential *)row;
		if (c->kind != (int64_t)kind) continue;
		if (!effects_room(s->fx, LIMIT_APP_TOPICS + 6, 2)) return false;
		members_end_credential(s, c);
	}
	return true;
}

/* What did not fit into the change that retired them. */
bool operator_tick(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_AGENCY, NULL);
	for (; row; row = state_each(s->st, ROW_AGENCY, row)) {
		const struct row_agency *a = (const struct row_agency *)row;
		if (a->retired && !end_credentials(s, CRED_OFFICER, row_key(row))) return false;
	}
	for (row = state_each(s->st, ROW_INTEGRATOR, NULL); row;
		 row = state_each(s->st, ROW_INTEGRATOR, row)) {
		const struct row_integrator *i = (const struct row_integrator *)row;
		if (i->retired && !end_credentials(s, CRED_INTEGRATOR, row_key(row))) return false;
	}
	return true;
}

/* A home goes only when it is empty; one that was lived in stays as a name that nobody gets again.
 */
static enum reason remove_home(const struct step *s, const struct row_home *home) {
	struct span id = span_str(home->id);
	if (members_count(s->st, id) > 0) return REASON_POPULATED;
	if (members_ever(s->st, id)) return REASON_STATE;
	if (count_children(s->st, ROW_DEVICE, id) > 0) return REASON_STATE; /* live or retired */
	effects_del(s, home);
	return REASON_OK;
}

static enum reason remove_device(const struct step *s, const struct row_device *d) {
	if (d->retired) return REASON_STATE;
	enrol_end_device(s, d);
	return REASON_OK;
}

static enum reason remove_credential(const struct step *s, const struct row_credential *c) {
	if (c->kind == CRED_MEMBER) return REASON_POPULATED; /* emptying a home would open it (I27) */
	if (same(c->username, s->who->username))
		return REASON_STATE; /* nobody saws off this branch by mistake */
	members_end_credential(s, c);
	return REASON_OK;
}

static enum reason remove_token(const struct step *s, const struct row_token *t) {
	const struct row_credential *c = state_credential(s->st, span_str(t->username));
	if (c && c->kind == CRED_MEMBER) return REASON_POPULATED;
	effects_del(s, t);
	effects_kick_user(s, t->username);
	s->fx->denial = true;
	return REASON_OK;
}

static enum reason remove_integrator(const struct step *s, const struct row_integrator *i) {
	if (i->retired) return REASON_STATE;
	struct row_integrator *n = effects_alter(s, i);
	n->retired = 1;
	(void)end_credentials(s, CRED_INTEGRATOR, span_str(i->id)); /* the tick takes the rest */
	s->fx->denial = true;
	return REASON_OK;
}

static enum reason remove_agency(const struct step *s, const struct row_agency *a) {
	if (a->retired) return REASON_STATE;
	request_suspend_all(s, a);
	struct row_agency *n = effects_alter(s, a);
	n->retired = 1;
	n->suspended = 1;
	(void)end_credentials(s, CRED_OFFICER, span_str(a->id)); /* the tick takes the rest */
	(void)effects_tell(s, TELL_AGENCY, n->id);
	s->fx->denial = true;
	return REASON_OK;
}

/* Does it hold an object, or the order to make or delete one? */
static bool relay_is_needed(const struct step *s, const struct row_relay *relay) {
	if (count_children(s->st, ROW_JOB, span_str(relay->id)) > 0) return true;
	const struct row *row = state_each(s->st, ROW_DELIVERY, NULL);
	for (; row; row = state_each(s->st, ROW_DELIVERY, row)) {
		const struct row_delivery *d = (const struct row_delivery *)row;
		if (d->state != DLV_VOID && d->state != DLV_PURGED && same(d->relay, relay->id))
			return true;
	}
	return false;
}

static enum reason remove_relay(const struct step *s, const struct row_relay *relay) {
	if (relay_is_needed(s, relay)) return REASON_STATE; /* who else would delete them? */
	if (!end_credentials(s, CRED_RELAY, span_str(relay->id))) return REASON_STATE; /* fewer first */
	effects_del(s, relay);
	return REASON_OK;
}

static enum reason remove_row(const struct step *s) {
	const union row_any *r = (const union row_any *)state_get(s->st, s->cmd->row_kind, s->cmd->key);
	if (!r) return REASON_NOT_YOURS;
	switch (r->row.kind) {
	case ROW_HOME: return remove_home(s, &r->home);
	case ROW_DEVICE: return remove_device(s, &r->device);
	case ROW_CREDENTIAL: return remove_credential(s, &r->credential);
	case ROW_TOKEN: return remove_token(s, &r->token);
	case ROW_APP_TOPIC:
		effects_del(s, r);
		s->fx->denial = true;
		return REASON_OK;
	case ROW_INTEGRATOR: return remove_integrator(s, &r->integrator);
	case ROW_AGENCY: return remove_agency(s, &r->agency);
	case ROW_RELAY: return remove_relay(s, &r->relay);
	default: return REASON_ROLE;
	}
}

/* --- suspend ---------------------------------------------------------------------------------- */

static enum reason suspend_credential(const struct step *s, const struct row_credential *c,
									  bool suspend) {
	if (same(c->username, s->who->username)) return REASON_STATE;
	struct row_credential *n = effects_alter(s, c);
	n->suspended = suspend;
	if (suspend) effects_kick_user(s, n->username);
	s->fx->denial = suspend;
	return REASON_OK;
}

/* No kick: officers are answered with nothing new, not cut off. */
static enum reason suspend_agency(const struct step *s, const struct row_agency *a, bool suspend) {
	if (a->retired) return REASON_STATE;
	struct row_agency *n = effects_alter(s, a);
	n->suspended = suspend;
	if (!suspend) n->fast_path_lost = 0; /* in public, like the suspension itself */
	if (suspend)
		request_suspend_all(s, a);
	else
		request_resume_all(s, a);
	(void)effects_tell(s, TELL_AGENCY, n->id);
	s->fx->denial = suspend;
	return REASON_OK;
}

static enum reason suspend_row(const struct step *s, bool suspend) {
	const union row_any *r = (const union row_any *)state_get(s->st, s->cmd->row_kind, s->cmd->key);
	if (!r) return REASON_NOT_YOURS;
	if (r->row.kind == ROW_CREDENTIAL) return suspend_credential(s, &r->credential, suspend);
	return r->row.kind == ROW_AGENCY ? suspend_agency(s, &r->agency, suspend) : REASON_ROLE;
}

enum reason operator_command(const struct step *s) {
	if (s->who->kind != CRED_OPERATOR) return REASON_ROLE;
	switch (s->cmd->op) {
	case OPERATOR_PUT: return put(s);
	case OPERATOR_REMOVE: return remove_row(s);
	case OPERATOR_SUSPEND: return suspend_row(s, true);
	case OPERATOR_RESUME: return suspend_row(s, false);
	case OPERATOR_REJECT_REQUEST:
	case OPERATOR_SUSPEND_REQUEST:
	case OPERATOR_RESUME_REQUEST: return request_moderate(s, s->cmd->op, s->cmd->key);
	case OPERATOR_NONE: break;
	}
	return REASON_MALFORMED;
}
