/* The states of a request and who may change them. Not here: whether its content is within limits
 * (request_check.c), which homes are asked (ask.c). */
#include "plugin/consent/request.h"

#include "plugin/consent/geometry.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/limits.h"
#include "proto/geohash.h"

#define NOTICE(kind) VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_##kind

/* --- reading ---------------------------------------------------------------------------------- */

const struct row_agency *request_live_agency(const struct state *st, struct span agency) {
	const struct row_agency *a = state_agency(st, agency);
	return a && !a->suspended && !a->retired ? a : NULL;
}

bool request_is_closed(const struct row_request *r) {
	return r->state >= REQ_WITHDRAWN || r->state == REQ_NONE;
}

int64_t request_tick_ms(const struct consent_opts *opts, const struct row_request *r) {
	if (!r->emergency || opts->tick_ms < LIMIT_TICK_EMERGENCY_MS) return opts->tick_ms;
	return LIMIT_TICK_EMERGENCY_MS;
}

bool request_tick_now(const struct step *s, const struct row_request *r, int64_t *boundary) {
	int64_t period = request_tick_ms(s->opts, r), late = s->now.utc_ms % period;
	int64_t late_max = period / 2 < LIMIT_TICK_LATE_MS ? period / 2 : LIMIT_TICK_LATE_MS;
	*boundary = s->now.utc_ms - late;
	return late < late_max;
}

/* The sender's own agency's request; NULL for absent and foreign alike (I16). */
static const struct row_request *own_request(const struct step *s, ProtobufCBinaryData id) {
	char text[UUID_TEXT_SIZE];
	if (!effects_uuid_of(id, text)) return NULL;
	const struct row_request *r = state_request(s->st, span_str(text));
	return r && span_eq(span_str(r->agency), span_str(s->who->subject)) ? r : NULL;
}

/* --- moving ----------------------------------------------------------------------------------- */

static bool is_public(const struct row_request *r) {
	return r->state != REQ_SUBMITTED; /* no row is REQ_NONE */
}

/* A copy of r in its new state; the register follows when the entry is or becomes public. */
static struct row_request *move(const struct step *s, const struct row_request *r,
								enum request_state to) {
	bool was_public = is_public(r);
	struct row_request *n = effects_alter(s, r);
	n->state = to;
	if (request_is_closed(n)) n->closed_ms = s->now.utc_ms;
	if (was_public || to == REQ_APPROVED) (void)effects_tell(s, TELL_REGISTER, n->id);
	return n;
}

static void fill_notice(struct row_notice *n, const struct row_request *r, enum reason why) {
	EFFECTS_TEXT(n->request, r->id);
	n->state = r->state;
	n->reason = why;
}

static void notify(const struct step *s, int kind, const struct row_request *r, enum reason why) {
	fill_notice(effects_notice(s, kind, r->agency), r, why);
}

static void answer(const struct step *s, int kind, const struct row_request *r, enum reason why) {
	fill_notice(effects_answer(s, kind, r->agency), r, why);
}

/* --- commands of officers --------------------------------------------------------------------- */

static enum reason fill_submit(const struct step *s, const Vestibule__V1__Submit *m,
							   struct row_request *r) {
	int64_t hours = m->open_hours;
	if (!effects_uuid_of(m->request_id, r->id) || !m->circle || !m->case_number || !m->reason)
		return REASON_MALFORMED;
	if (m->from_ms > INT64_MAX || m->to_ms > INT64_MAX) return REASON_MALFORMED;
	if (!span_copy(span_str(m->case_number), r->case_number, sizeof(r->case_number)))
		return REASON_TOO_LARGE;
	if (!span_copy(span_str(m->reason), r->reason, sizeof(r->reason))) return REASON_TOO_LARGE;
	r->row.kind = ROW_REQUEST;
	EFFECTS_TEXT(r->agency, s->who->subject);
	EFFECTS_TEXT(r->author, s->who->username);
	r->emergency = m->emergency ? 1 : 0;
	if (r->emergency) EFFECTS_TEXT(r->approver, s->who->username);
	r->state = r->emergency ? REQ_APPROVED : REQ_SUBMITTED;
	r->incident = m->incident_type;
	r->purpose = m->purpose;
	r->lat_e7 = m->circle->lat_e7;
	r->lon_e7 = m->circle->lon_e7;
	r->radius_m = m->circle->radius_m;
	r->from_ms = (int64_t)m->from_ms;
	r->to_ms = (int64_t)m->to_ms;
	if (hours == 0) hours = r->emergency ? LIMIT_LIFE_EMERGENCY_H : LIMIT_LIFE_DEFAULT_H;
	r->life_ms = hours * LIMIT_HOUR_MS;
	r->submitted_ms = s->now.utc_ms;
	return REASON_OK;
}

enum reason request_submit(const struct step *s, const Vestibule__V1__Submit *m) {
	enum cred_role needed = m->emergency ? ROLE_SUPERVISOR : ROLE_INVESTIGATOR;
	struct row_request r = {0};
	const char *bad;
	if (s->who->role != needed) return REASON_ROLE;
	enum reason why = fill_submit(s, m, &r);
	if (why != REASON_OK) return why;
	const struct row_agency *agency = request_live_agency(s->st, span_str(r.agency));
	if (!agency) return REASON_SUSPENDED;
	why = request_check_submit(s, &r, agency);
	if (why == REASON_OK && state_request(s->st, span_str(r.id))) why = REASON_REUSED_ID;
	if (why != REASON_OK) return why;
	if (row_validate(&r.row, &bad) != ERR_NONE) return REASON_MALFORMED;
	effects_put(s, &r.row);
	answer(s, r.emergency ? NOTICE(APPROVED) : NOTICE(ACCEPTED), &r, REASON_OK);
	if (r.emergency) (void)effects_tell(s, TELL_REGISTER, r.id);
	return REASON_OK;
}

/* The second pair of eyes on an emergency request that went out already. */
static enum reason review(const struct step *s, const struct row_request *r) {
	if (r->reviewer[0] || r->opened_ms == 0) return REASON_STATE;
	struct row_request *n = effects_alter(s, r);
	EFFECTS_TEXT(n->reviewer, s->who->username);
	answer(s, NOTICE(RECORDED), n, REASON_OK);
	return REASON_OK;
}

enum reason request_approve(const struct step *s, ProtobufCBinaryData id) {
	const struct row_request *r = own_request(s, id);
	if (r && span_eq(span_str(r->author), span_str(s->who->username))) return REASON_SAME_PERSON;
	if (s->who->role != ROLE_SUPERVISOR) return REASON_ROLE;
	if (!r) return REASON_NOT_YOURS;
	const struct row_agency *agency = request_live_agency(s->st, span_str(r->agency));
	if (!agency) return REASON_SUSPENDED;
	if (r->emergency) return review(s, r);
	if (r->state != REQ_SUBMITTED) return REASON_STATE;
	if (s->now.utc_ms >= r->submitted_ms + LIMIT_APPROVAL_WAIT_MS) return REASON_STATE;
	enum reason why = request_check_approve(s, r, agency);
	struct row_request *n = move(s, r, why == REASON_OK ? REQ_APPROVED : REQ_REJECTED);
	EFFECTS_TEXT(n->approver, s->who->username);
	answer(s, why == REASON_OK ? NOTICE(APPROVED) : NOTICE(REFUSED), n, why);
	return REASON_OK;
}

enum reason request_withdraw(const struct step *s, ProtobufCBinaryData id) {
	if (s->who->role != ROLE_INVESTIGATOR && s->who->role != ROLE_SUPERVISOR) return REASON_ROLE;
	const struct row_request *r = own_request(s, id);
	if (!r) return REASON_NOT_YOURS;
	bool author = span_eq(span_str(r->author), span_str(s->who->username));
	if (!author && s->who->role != ROLE_SUPERVISOR) return REASON_ROLE;
	if (r->state != REQ_SUBMITTED && r->state != REQ_APPROVED) return REASON_STATE;
	answer(s, NOTICE(CLOSED), move(s, r, REQ_WITHDRAWN), REASON_OK);
	return REASON_OK;
}

enum reason request_resolve(const struct step *s, ProtobufCBinaryData id) {
	int64_t role = s->who->role;
	if (role != ROLE_INVESTIGATOR && role != ROLE_SUPERVISOR && role != ROLE_LIAISON)
		return REASON_ROLE;
	const struct row_request *r = own_request(s, id);
	if (!r) return REASON_NOT_YOURS;
	if (r->state != REQ_OPEN) return REASON_STATE;
	answer(s, NOTICE(CLOSED), move(s, r, REQ_RESOLVED), REASON_OK);
	return REASON_OK;
}

/* --- alerts: to people of a cell, never to a device (I19) ------------------------------------- */

static bool is_alert(const struct row_notice *n) {
	return n->kind == NOTICE(RECORDED) && !n->request[0] && !n->delivery[0];
}

static bool alerts_spent(const struct step *s) {
	int count = 0;
	const struct row *r = state_child(s->st, ROW_NOTICE, 0, span_str(s->who->subject), NULL);
	for (; r; r = state_child(s->st, ROW_NOTICE, 0, span_str(s->who->subject), r)) {
		const struct row_notice *n = (const struct row_notice *)r;
		if (n->at_ms <= s->now.utc_ms - LIMIT_DAY_MS) break; /* newest first */
		if (is_alert(n)) count++;
	}
	return count >= LIMIT_ALERTS_AGENCY;
}

static char *keep_text(const struct step *s, const char *text) {
	size_t n = strlen(text) + 1;
	uint8_t *copy = effects_bytes(s, n);
	if (copy) memcpy(copy, text, n);
	return (char *)copy;
}

static enum reason fill_alert(const struct step *s, const Vestibule__V1__SendAlert *m) {
	Vestibule__V1__Alert *a = &s->fx->alert;
	uint8_t *id = effects_bytes(s, UUID_BYTES), random[10];
	vestibule__v1__alert__init(a);
	a->agency = keep_text(s, s->who->subject);
	a->text = keep_text(s, m->text);
	if (!id || !a->agency || !a->text) return REASON_BUSY;
	s->rnd.fill(s->rnd.ctx, random, sizeof(random));
	uuid_v7(s->now.utc_ms, random, id);
	a->alert_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
	a->at_ms = (uint64_t)s->now.utc_ms;
	a->kind = m->kind;
	a->until_ms = m->until_ms;
	(void)span_copy(span_str(m->geohash5), s->fx->alert_cell,
					sizeof(s->fx->alert_cell)); /* a valid cell fits */
	return REASON_OK;
}

enum reason request_alert(const struct step *s, const Vestibule__V1__SendAlert *m) {
	double lat, lon;
	if (s->who->role != ROLE_LIAISON && s->who->role != ROLE_SUPERVISOR) return REASON_ROLE;
	const struct row_agency *agency = request_live_agency(s->st, span_str(s->who->subject));
	if (!agency) return REASON_SUSPENDED;
	struct span cell = span_str(m->geohash5);
	if (!m->text || cell.len != GEOHASH_AREA) return REASON_MALFORMED;
	if (geohash_centre(cell, &lat, &lon) != ERR_NONE) return REASON_MALFORMED;
	if (m->until_ms > (uint64_t)(s->now.utc_ms + LIMIT_ALERT_LIFE_MS)) return REASON_END_DATE;
	if (m->until_ms <= (uint64_t)s->now.utc_ms) return REASON_END_DATE;
	if (!geometry_contains(span_of(agency->rings.ptr, agency->rings.len), lat, lon))
		return REASON_JURISDICTION;
	if (alerts_spent(s)) return REASON_RATE;
	enum reason why = fill_alert(s, m);
	if (why != REASON_OK) return why;
	(void)effects_answer(s, NOTICE(RECORDED), s->who->subject); /* nothing to add to it */
	(void)effects_tell(s, TELL_ALERT, "");
	return REASON_OK;
}

/* --- the operator's word ---------------------------------------------------------------------- */

static void suspend(const struct step *s, const struct row_request *r) {
	notify(s, NOTICE(SUSPENDED), move(s, r, REQ_SUSPENDED), REASON_OK);
	s->fx->denial = true;
}

static void resume(const struct step *s, const struct row_request *r) {
	notify(s, NOTICE(RESUMED), move(s, r, REQ_OPEN), REASON_OK);
}

enum reason request_moderate(const struct step *s, enum operator_kind op, struct span id) {
	const struct row_request *r = state_request(s->st, id);
	if (!r) return REASON_NOT_YOURS;
	if (op == OPERATOR_REJECT_REQUEST) {
		if (r->state != REQ_SUBMITTED && r->state != REQ_APPROVED) return REASON_STATE;
		notify(s, NOTICE(REFUSED), move(s, r, REQ_REJECTED), REASON_NONE_GIVEN);
		s->fx->denial = true;
		return REASON_OK;
	}
	if (op == OPERATOR_SUSPEND_REQUEST) {
		if (r->state != REQ_OPEN) return REASON_STATE;
		suspend(s, r);
		return REASON_OK;
	}
	if (op != OPERATOR_RESUME_REQUEST || r->state != REQ_SUSPENDED || s->now.utc_ms >= r->exp_ms)
		return REASON_STATE;
	if (!request_live_agency(s->st, span_str(r->agency))) return REASON_SUSPENDED;
	resume(s, r);
	return REASON_OK;
}

/* At most LIMIT_OPEN_EMERGENCY are open, so this fits. */
void request_suspend_all(const struct step *s, const struct row_agency *agency) {
	const struct row *row = state_child(s->st, ROW_REQUEST, 0, span_str(agency->id), NULL);
	for (; row; row = state_child(s->st, ROW_REQUEST, 0, span_str(agency->id), row)) {
		const struct row_request *r = (const struct row_request *)row;
		if (r->state == REQ_OPEN) suspend(s, r);
	}
}

void request_resume_all(const struct step *s, const struct row_agency *agency) {
	const struct row *row = state_child(s->st, ROW_REQUEST, 0, span_str(agency->id), NULL);
	for (; row; row = state_child(s->st, ROW_REQUEST, 0, span_str(agency->id), row)) {
		const struct row_request *r = (const struct row_request *)row;
		if (r->state == REQ_SUSPENDED && s->now.utc_ms < r->exp_ms) resume(s, r);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static void open_request(const struct step *s, const struct row_request *r) {
	struct row_request *n = move(s, r, REQ_OPEN);
	n->opened_ms = s->now.utc_ms;
	n->exp_ms = s->now.utc_ms + n->life_ms;
	notify(s, NOTICE(OPEN), n, REASON_OK);
}

/* An emergency request nobody looked at again in time costs the agency its fast path, once: the
 * mark remembers that it did, whatever the operator restores later. */
static void check_review(const struct step *s, const struct row_request *r) {
	char name[sizeof(((struct row_meta *)0)->name)] = "missed/";
	if (!r->emergency || r->reviewer[0] || r->opened_ms == 0) return;
	if (s->now.utc_ms < r->opened_ms + LIMIT_REVIEW_MS) return;
	memcpy(name + strlen(name), r->id, strlen(r->id) + 1);
	const struct row_agency *old = state_agency(s->st, span_str(r->agency));
	if (!old || state_get(s->st, ROW_META, span_str(name))) return;
	struct row_meta *mark = effects_new(s, ROW_META);
	EFFECTS_TEXT(mark->name, name);
	mark->value = s->now.utc_ms;
	struct row_agency *agency = effects_alter(s, old);
	agency->fast_path_lost = 1;
	(void)effects_tell(s, TELL_AGENCY, agency->id);
	s->fx->denial = true;
}

static void tick_one(const struct step *s, const struct row_request *r) {
	int64_t now = s->now.utc_ms;
	bool waiting = r->state == REQ_SUBMITTED || r->state == REQ_APPROVED;
	bool running = r->state == REQ_OPEN || r->state == REQ_SUSPENDED;
	if (waiting && now >= r->submitted_ms + LIMIT_APPROVAL_WAIT_MS) {
		notify(s, NOTICE(CLOSED), move(s, r, REQ_LAPSED), REASON_OK);
	} else if (running && now >= r->exp_ms) {
		notify(s, NOTICE(CLOSED), move(s, r, REQ_EXPIRED), REASON_OK);
	} else if (r->state == REQ_APPROVED && state_durable(s->st, &r->row) &&
			   request_live_agency(s->st, span_str(r->agency))) {
		open_request(s, r);
	}
	check_review(s, r);
}

/* Time lifts no suspension: with the end of its request it becomes final for what was released
 * (decision 0009). */
static bool end_suspended(const struct step *s, const struct row_request *r) {
	if (r->state != REQ_SUSPENDED || s->now.utc_ms < r->exp_ms) return true;
	return grant_end_request(s, r);
}

bool request_tick(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_REQUEST, NULL);
	for (; row; row = state_each(s->st, ROW_REQUEST, row)) {
		if (!end_suspended(s, (const struct row_request *)row)) return false;
		if (!effects_room(s->fx, 4, 4)) return false;
		tick_one(s, (const struct row_request *)row);
	}
	return true;
}
