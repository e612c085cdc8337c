/* What must be true of every step and of every state, as the model has it. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "tests/sim/note.h"

/* --- what must be true of a step -------------------------------------------------------------- */

static bool agency_may_have(const struct row_grant *g) {
	return model_may_have(&sim.model, g->agency, g->request, g->clip, &sim.w->opts, sim.w->now,
						  durable());
}

/* A grant becomes ACTIVE in a tick, at a boundary, after everything the model asks for. */
static void check_release(const struct command *cmd, const struct row_grant *g) {
	const struct row_grant *old = state_grant(sim.w->st, span_str(g->id));
	if (g->state != GSTATE_ACTIVE || (old && old->state == GSTATE_ACTIVE)) return;
	must(cmd->kind == COMMAND_TICK, "I10", "a release outside a tick");
	int64_t tick = sim.w->opts.tick_ms < LIMIT_TICK_EMERGENCY_MS ? sim.w->opts.tick_ms
																 : LIMIT_TICK_EMERGENCY_MS;
	must(g->nbf_ms % tick == 0 && g->nbf_ms <= sim.w->now.utc_ms, "I10",
		 "a release that is not at a boundary");
	must(!old || g->nbf_ms >= old->release_ms, "I10", "a release before the hold was over");
	must(agency_may_have(g), "I2", "a release that the model does not know of");
	struct fact *f = note(FACT_RELEASED, "");
	MODEL_TEXT(f->id, g->request);
	MODEL_TEXT(f->other, g->clip);
}

static void check_job(const struct row_job *j) {
	if (j->kind != VESTIBULE__V1__JOB_KIND__JOB_KIND_COPY) return;
	const struct change *c = &sim.w->fx.change;
	const struct row_delivery *d = state_delivery(sim.w->st, span_str(j->delivery));
	for (size_t i = 0; i < c->count; i++) {
		const struct row *r = c->ops[i].row;
		if (r->kind == ROW_DELIVERY && span_eq(row_key(r), span_str(j->delivery)))
			d = (const struct row_delivery *)r;
	}
	must(d != NULL, "I2", "a copy for no delivery");
	const struct row_grant *g = state_grant(sim.w->st, span_str(d->grant));
	must(g && agency_may_have(g), "I2", "a copy that the model does not know of");
}

/* A copy is whole, and becomes one once. */
static void check_staged(const struct command *cmd, const struct row_delivery *d) {
	const struct row_delivery *old = state_delivery(sim.w->st, span_str(d->id));
	if (d->state != DLV_STAGED || (old && old->state == DLV_STAGED)) return;
	must(cmd->kind == COMMAND_REPORT && old && old->state == DLV_COPYING, "I7",
		 "a copy is there that nobody made");
	const struct row_grant *g = state_grant(sim.w->st, span_str(d->grant));
	must(g && !model_is_copied(&sim.model, g->request, g->clip), "I7", "a copy was staged twice");
	must(((const Vestibule__V1__RelayReport *)cmd->msg)->payload_length == WORLD_CLIP_BYTES, "I2",
		 "a copy of another length was staged");
}

static void check_change(const struct command *cmd) {
	const struct effects *fx = &sim.w->fx;
	for (size_t i = 0; i < fx->change.count; i++) {
		const struct row *r = fx->change.ops[i].row;
		if (fx->change.ops[i].del) continue;
		if (r->kind == ROW_GRANT) check_release(cmd, (const struct row_grant *)r);
		if (r->kind == ROW_DELIVERY) check_staged(cmd, (const struct row_delivery *)r);
		if (r->kind == ROW_JOB && !state_get(sim.w->st, ROW_JOB, row_key(r)))
			check_job((const struct row_job *)r);
	}
	for (size_t i = 0; i < fx->tell_count; i++) {
		if (fx->tell[i].kind == TELL_LINK || fx->tell[i].kind == TELL_UNAVAILABLE)
			must(put_in_change(ROW_FETCH) != NULL, "I22",
				 "an answer without a record of the fetch");
	}
}

/* A command that is remembered has no second effect; with other bytes it is refused. */
static void check_repeated(const struct command *cmd) {
	char key[ROW_ID_SIZE + ROW_UUID_SIZE], id[ROW_UUID_SIZE];
	if (!cmd->who || cmd->event_id.len != UUID_BYTES) return;
	uuid_text(cmd->event_id.ptr, id);
	(void)snprintf(key, sizeof(key), "%s/%s", cmd->who->username, id); /* made to fit */
	const struct row_seen *seen =
		(const struct row_seen *)state_get(sim.w->st, ROW_SEEN, span_str(key));
	if (!seen) return;
	must(sim.w->fx.change.count == 0, "dedup", "a repeated command had a second effect");
	bool same = model_same(seen->digest, cmd->digest);
	must(same || sim.w->fx.reason != REASON_OK, "dedup", "an id was used for other bytes");
}

/* --- what must be true of a state ------------------------------------------------------------- */

static void check_fetches(void) {
	static const char *const officers[] = {"eve", "ines", "sam", "fsup"};
	const struct state *st = sim.w->st;
	for (const struct row *r = state_each(st, ROW_DELIVERY, NULL); r;
		 r = state_each(st, ROW_DELIVERY, r)) {
		const struct row_delivery *d = (const struct row_delivery *)r;
		const struct row_grant *g = state_grant(st, span_str(d->grant));
		for (size_t i = 0; i < sizeof(officers) / sizeof(officers[0]); i++) {
			const struct row_credential *who = world_who(sim.w, officers[i]);
			if (consent_may_fetch(st, who, d, sim.w->now) != REASON_OK) continue;
			must(g && who->role == ROLE_EVIDENCE && model_same(who->subject, g->agency), "I2",
				 "a fetch by the wrong officer");
			must(agency_may_have(g), "I2", "a fetch that the model does not know of");
			must(model_is_released(&sim.model, g->request, g->clip, durable()), "I3",
				 "a fetch before the commit of its release");
		}
	}
}

static bool may_pull(const struct row_grant *g) {
	static const struct policy_opts opts = {.agencies = true};
	char name[200];
	(void)snprintf(name, sizeof(name), "vestibule/v1/device/%s/pull/%s/mover", g->device, g->clip);
	struct question q = {.access = ACCESS_WRITE,
						 .who = world_who(sim.w, "mover"),
						 .name = span_str(name),
						 .now_ms = sim.w->now.utc_ms};
	return policy_decide(sim.w->st, &q, &opts).kind == VERDICT_ALLOW;
}

/* The relay copies for a released grant whose copy it has not reported yet. */
static void check_pulls(void) {
	const struct state *st = sim.w->st;
	for (const struct row *r = state_each(st, ROW_GRANT, NULL); r;
		 r = state_each(st, ROW_GRANT, r)) {
		const struct row_grant *g = (const struct row_grant *)r, *other = NULL;
		bool known = false;
		if (!may_pull(g)) continue;
		for (r = state_each(st, ROW_GRANT, NULL); r && !known; r = state_each(st, ROW_GRANT, r)) {
			other = (const struct row_grant *)r;
			known = model_same(other->clip, g->clip) && agency_may_have(other) &&
					model_is_released(&sim.model, other->request, other->clip, durable()) &&
					!model_is_copied(&sim.model, other->request, other->clip);
		}
		must(known, "I2", "a relay may copy what the model does not know of");
		r = &g->row;
	}
}

static void check_reads(void) {
	static const char *const devices[] = {"d1", "d2"};
	static const struct policy_opts opts = {.agencies = true};
	for (size_t i = 0; i < 2; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "vestibule/v1/device/%s/ring", devices[i]); /* fits */
		uint64_t now = (uint64_t)sim.w->now.utc_ms;
		struct question q = {.access = ACCESS_READ,
							 .who = world_who(sim.w, "alarm-4"),
							 .name = span_str(name),
							 .has_event = true,
							 .event = {now, now, true},
							 .now_ms = sim.w->now.utc_ms};
		bool may = policy_decide(sim.w->st, &q, &opts).kind == VERDICT_ALLOW;
		bool model = model_may_read(&sim.model, "alarm-4", devices[i], sim.w->now, durable());
		must(!may || model, "I4", "an integrator reads what the model does not know of");
		/* a row that is being written again allows nothing until then (decision 0001) */
		must(may || !model || sim.w->seq > durable(), "I4",
			 "an integrator does not read what was granted");
	}
}

static void check_headers(void) {
	const struct state *st = sim.w->st;
	for (const struct row *r = state_each(st, ROW_GRANT, NULL); r;
		 r = state_each(st, ROW_GRANT, r)) {
		const struct row_grant *g = (const struct row_grant *)r;
		must(g->state < GSTATE_REFUSED || g->header.len == 0, "I2", "a header outlived its grant");
	}
}

/* A stored copy goes with its grant, and is ordered away until the relay says that it is gone. */
static void check_deliveries(void) {
	const struct state *st = sim.w->st;
	for (const struct row *r = state_each(st, ROW_DELIVERY, NULL); r;
		 r = state_each(st, ROW_DELIVERY, r)) {
		const struct row_delivery *d = (const struct row_delivery *)r;
		const struct row_grant *g = state_grant(st, span_str(d->grant));
		must((g && grant_is_live(g)) || d->state >= DLV_VOID, "I23", "a copy outlives its grant");
		must(d->state != DLV_PURGING || has_purge_job(d), "I23", "nobody is told to purge a copy");
	}
	for (const struct row *r = state_each(st, ROW_GRANT, NULL); r;
		 r = state_each(st, ROW_GRANT, r)) {
		const struct row_grant *g = (const struct row_grant *)r;
		must(!grant_is_live(g) || g->exp_ms > sim.ticked_ms, "I23", "a grant outlives its end");
	}
}

/* Of whoever changed the token: that one lets in, once it is durable, and none before it does. */
static void check_tokens(void) {
	static const struct policy_opts opts = {.agencies = true};
	for (size_t i = 0; i < sim.model.count; i++) {
		const struct fact *f = &sim.model.log[i];
		if (f->kind != FACT_TOKEN) continue;
		uint8_t rotated[32] = {(uint8_t)f->number}, invited[32] = {0};
		struct span who = span_str(f->name);
		bool may = policy_login(sim.w->st, who, false, rotated, &opts).kind == VERDICT_ALLOW;
		bool model = model_lets_in(&sim.model, f->name, f->number, durable());
		must(!may || model, "I15", "a token lets in that the model does not know of");
		must(may || !model || sim.w->seq > durable(), "I15", "a new token does not let in");
		must(policy_login(sim.w->st, who, false, invited, &opts).kind != VERDICT_ALLOW, "I15",
			 "a token that was rotated out lets in");
	}
}

static size_t people_now(void) {
	size_t n = 0;
	for (const struct row *r = state_each(sim.w->st, ROW_CREDENTIAL, NULL); r;
		 r = state_each(sim.w->st, ROW_CREDENTIAL, r))
		n += ((const struct row_credential *)r)->kind == CRED_MEMBER;
	return n;
}

static void check_state(void) {
	check_fetches();
	check_pulls();
	check_reads();
	check_headers();
	check_deliveries();
	check_tokens();
	must(people_now() == model_people(&sim.model), "I27", "the people of the homes are others");
}

#endif
