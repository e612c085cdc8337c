/* What the model takes down of a command that was accepted, and what must be true of who said it. */
#ifndef SIM_NOTE_H
#define SIM_NOTE_H

#include "tests/sim/sim.h"

static uint64_t next_seq(void) {
	return sim.w->seq + (sim.w->fx.change.count ? 1 : 0);
}

static struct fact *note(enum fact_kind kind, const char *name) {
	struct fact *f = model_add(&sim.model, kind, next_seq());
	MODEL_TEXT(f->name, name);
	return f;
}

static const struct row *put_in_change(enum row_kind kind) {
	const struct change *c = &sim.w->fx.change;
	for (size_t i = 0; i < c->count; i++) {
		if (!c->ops[i].del && c->ops[i].row->kind == kind) return c->ops[i].row;
	}
	return NULL;
}

static void id_text(ProtobufCBinaryData b, char out[ROW_UUID_SIZE]) {
	must(b.len == UUID_BYTES, "codec", "an id of another length was accepted");
	uuid_text(b.data, out);
}

static void note_word(const struct row_ask *ask, const char *clip, const char *who, bool yes) {
	const struct row_request *r = state_request(sim.w->st, span_str(ask->request));
	const struct row_clip *c = state_clip(sim.w->st, span_str(clip));
	struct fact *f = note(yes ? FACT_YES : FACT_NO, who);
	MODEL_TEXT(f->id, ask->request);
	MODEL_TEXT(f->other, clip);
	MODEL_TEXT(f->subject, ask->home);
	MODEL_TEXT(f->integrator, r ? r->agency : "");
	MODEL_TEXT(f->device, c ? c->device : "");
	f->number = sim.w->now.utc_ms;
}

static void note_answer(const char *who, const Vestibule__V1__Answer *a) {
	char id[ROW_UUID_SIZE];
	id_text(a->ask_id, id);
	const struct row_ask *ask = state_ask(sim.w->st, span_str(id));
	must(ask && model_is_adult(&sim.model, who, ask->home), "I8",
		 "an answer of somebody who is no adult of the asked home was accepted");
	for (size_t i = 0; i < a->n_decisions; i++) {
		id_text(a->decisions[i]->clip_id, id);
		note_word(ask, id, who, a->decisions[i]->yes != 0);
	}
	if (!a->none) return;
	const struct row *r = state_child(sim.w->st, ROW_ASK_CLIP, 0, span_str(ask->id), NULL);
	for (; r; r = state_child(sim.w->st, ROW_ASK_CLIP, 0, span_str(ask->id), r))
		note_word(ask, ((const struct row_ask_clip *)r)->clip, who, false);
}

static void note_retract(const char *who, const Vestibule__V1__Retract *m) {
	char id[ROW_UUID_SIZE];
	id_text(m->grant_id, id);
	const struct row_grant *g = state_grant(sim.w->st, span_str(id));
	const struct row_standing *s = state_standing(sim.w->st, span_str(id));
	must(g || s, "I7", "the retraction of a grant that is none was accepted");
	must(model_is_adult(&sim.model, who, g ? g->home : s->home), "I8",
		 "a retraction of somebody who is no adult of that home was accepted");
	struct fact *f = note(g ? FACT_RETRACT : FACT_UNGIVEN, who);
	MODEL_TEXT(f->subject, g ? g->home : s->home);
	MODEL_TEXT(f->id, g ? g->request : s->id);
	MODEL_TEXT(f->other, g ? g->clip : "");
	MODEL_TEXT(f->integrator, g ? "" : s->integrator);
	MODEL_TEXT(f->device, g ? "" : s->device);
}

static void note_standing(const struct row_credential *who, const Vestibule__V1__GrantStanding *m) {
	must(model_is_adult(&sim.model, who->username, who->subject), "I8",
		 "a grant of somebody who is no adult was accepted");
	if (!put_in_change(ROW_STANDING)) return; /* given before */
	struct fact *f = note(FACT_STANDING, who->username);
	MODEL_TEXT(f->subject, who->subject);
	MODEL_TEXT(f->integrator, m->integrator);
	MODEL_TEXT(f->device, m->device);
	f->from_ms = sim.w->now.utc_ms + 1; /* not in the millisecond in which another one may end */
	f->until_ms = (int64_t)m->exp_ms;
}

static void note_credential(const char *name, enum cred_kind kind, const char *subject,
							enum cred_role role) {
	struct fact *f = note(FACT_CREDENTIAL, name);
	f->more = (int)kind;
	f->number = role;
	MODEL_TEXT(f->subject, subject);
}

static void note_home(const struct row_credential *who, const Vestibule__V1__HomeCommand *m) {
	must(!model_is_on(&sim.model, FACT_SUSPENDED, who->username, ""), "I8",
		 "a command of somebody who is suspended was accepted");
	switch (m->what_case) {
	case HOME_CASE(ANSWER): note_answer(who->username, m->answer); return;
	case HOME_CASE(GRANT): note_standing(who, m->grant); return;
	case HOME_CASE(RETRACT): note_retract(who->username, m->retract); return;
	case HOME_CASE(RULES):
		MODEL_TEXT(note(FACT_RULES, who->username)->text, m->rules->text);
		return;
	case HOME_CASE(INVITE):
		note_credential(m->invite->username, CRED_MEMBER, who->subject,
						(enum cred_role)m->invite->role);
		return;
	case HOME_CASE(REMOVE): (void)note(FACT_GONE, m->remove->username); return;
	case HOME_CASE(LEAVE): (void)note(FACT_GONE, who->username); return;
	case HOME_CASE(CLAIM): (void)note(FACT_CLAIMED, m->claim->device); return;
	case HOME_CASE(RETIRE): (void)note(FACT_RETIRED, m->retire->device); return;
	case HOME_CASE(ROTATE):
		note(FACT_TOKEN, who->username)->number = m->rotate->token_sha256.data[0];
		return;
	default: return;
	}
}

static void note_claim(const struct row_credential *who, const Vestibule__V1__DeviceClaim *m) {
	if (m->what_case == VESTIBULE__V1__DEVICE_CLAIM__WHAT_RESET) {
		(void)note(FACT_RETIRED, who->subject);
		return;
	}
	if (!put_in_change(ROW_CREDENTIAL)) return; /* made before */
	const struct row_device *d = state_device(sim.w->st, span_str(who->subject));
	must(d != NULL, "I27", "the claim of a device that is none was accepted");
	for (size_t i = 0; i < sim.model.count; i++) {
		const struct fact *f = &sim.model.log[i];
		must(f->kind != FACT_CREDENTIAL || f->more != CRED_MEMBER ||
				 !model_same(f->subject, d->home),
			 "I27", "a second first admin was made");
	}
	note_credential(m->first_admin->username, CRED_MEMBER, d->home, ROLE_ADMIN);
	(void)note(FACT_CLAIMED, d->id);
}

static void note_agency(const struct row_credential *who, const Vestibule__V1__AgencyCommand *m) {
	char id[ROW_UUID_SIZE];
	if (m->what_case == AGENCY_CASE(SUBMIT)) {
		struct fact *f = note(FACT_REQUEST, who->username);
		id_text(m->submit->request_id, f->id);
		MODEL_TEXT(f->subject, who->subject);
		return;
	}
	if (m->what_case != AGENCY_CASE(APPROVE)) return;
	id_text(m->approve->request_id, id);
	must(who->role == ROLE_SUPERVISOR, "I24", "an approval of another role was accepted");
	for (size_t i = 0; i < sim.model.count; i++) {
		const struct fact *f = &sim.model.log[i];
		if (f->kind == FACT_REQUEST && model_same(f->id, id))
			must(!model_same(f->name, who->username) && model_same(f->subject, who->subject), "I24",
				 "a request was approved by its author, or by another agency");
	}
}

static bool has_purge_job(const struct row_delivery *d) {
	const struct row *r = state_child(sim.w->st, ROW_JOB, 1, span_str(d->id), NULL);
	for (; r; r = state_child(sim.w->st, ROW_JOB, 1, span_str(d->id), r))
		if (((const struct row_job *)r)->kind == JOB_PURGE) return true;
	return false;
}

/* Of the delivery as it was before. */
static void note_report(const struct row_credential *who, const Vestibule__V1__RelayReport *m) {
	must(who->kind == CRED_RELAY, "I7", "a report of somebody who is no relay was accepted");
	if (m->kind != VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED) return;
	for (const struct row *r = state_each(sim.w->st, ROW_DELIVERY, NULL); r;
		 r = state_each(sim.w->st, ROW_DELIVERY, r)) {
		const struct row_delivery *d = (const struct row_delivery *)r;
		const struct row_grant *g = state_grant(sim.w->st, span_str(d->grant));
		if (!g || !model_same(d->object, m->object)) continue;
		must(d->state == DLV_COPYING || has_purge_job(d) || put_in_change(ROW_JOB), "I23",
			 "a late copy is not purged");
		struct fact *f = note(FACT_COPIED, who->username);
		MODEL_TEXT(f->id, g->request);
		MODEL_TEXT(f->other, g->clip);
	}
}

/* The operator's words; what goes with what he removes is seen in the change, row by row. */
static void note_operator(const struct command *cmd) {
	static const struct {
		enum row_kind kind;
		enum fact_kind fact;
	} suspensions[] = {{ROW_CREDENTIAL, FACT_SUSPENDED}, {ROW_AGENCY, FACT_AGENCY_SUSPENDED}};
	const struct change *c = &sim.w->fx.change;
	for (size_t i = 0; i < c->count; i++) {
		const union row_any *r = (const union row_any *)c->ops[i].row;
		const struct row *old = state_get(sim.w->st, r->row.kind, row_key(&r->row));
		if (r->row.kind == ROW_CREDENTIAL && c->ops[i].del)
			(void)note(FACT_GONE, r->credential.username);
		else if (r->row.kind == ROW_CREDENTIAL && !old)
			note_credential(r->credential.username, (enum cred_kind)r->credential.kind,
							r->credential.subject, (enum cred_role)r->credential.role);
		else if (r->row.kind == ROW_DEVICE && (c->ops[i].del || r->device.retired))
			(void)note(FACT_RETIRED, r->device.id);
		else if (r->row.kind == ROW_DEVICE && !old)
			MODEL_TEXT(note(FACT_DEVICE, r->device.id)->subject, r->device.home);
		else if (r->row.kind == ROW_INTEGRATOR && (c->ops[i].del || r->integrator.retired))
			(void)note(FACT_INTEGRATOR_GONE, r->integrator.id);
		else if (r->row.kind == ROW_AGENCY && (c->ops[i].del || r->agency.retired))
			(void)note(FACT_AGENCY_GONE, r->agency.id);
		if (r->row.kind == ROW_REQUEST) {
			struct fact *f = note(FACT_REQUEST_SUSPENDED, "");
			MODEL_TEXT(f->id, r->request.id);
			f->number = r->request.state == REQ_SUSPENDED;
		}
	}
	bool on = cmd->op == OPERATOR_SUSPEND;
	for (size_t i = 0; i < 2 && (on || cmd->op == OPERATOR_RESUME); i++) {
		char name[ROW_ID_SIZE];
		if (cmd->row_kind != suspensions[i].kind || !span_copy(cmd->key, name, sizeof(name)))
			continue;
		note(suspensions[i].fact, name)->number = on;
	}
}

#endif
