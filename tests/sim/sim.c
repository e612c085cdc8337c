/* The simulator: sim STEPS SEED. The pure core (policy, consent, a store in memory) under random
 * scripts of a small town, with clocks that fail, crashes that lose what was not durable, commands
 * that come late, twice, or twice with other bytes; after every step the answers of the core are
 * held against the model (model.h). An episode is one town from its founding; each runs in a child
 * process, so that a violation, an assert and a sanitizer's word all end the same way: the script
 * is cut down to a minimal one that still fails, and printed.
 *
 * Closing line: `sim: S steps, V violations`. Exit status 0 only without one. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/model.h"

struct world;
struct command;
static bool before(struct world *w, const struct command *cmd);
static void after(struct world *w, const struct command *cmd);
#define WORLD_BEFORE(w, cmd) before(w, cmd)
#define WORLD_AFTER(w, cmd)  after(w, cmd)

#include "plugin/store/store.h"
#include "tests/unit/consent/script.h"

#include "tests/sim/draw.h"
#include "tests/sim/letter.h"

enum { EPISODE_STEPS = 400, LETTERS = 4, EXIT_VIOLATION = 3 };

static struct sim {
	struct world *w;
	struct model model;
	struct change *queue[MODEL_MAX]; /* applied; the store has those up to `stored` */
	size_t queued;
	struct store *store;
	struct letter sent[LETTERS], kept[LETTERS];
	size_t sent_count;
	bool keep_next, resending;
	size_t people;
	size_t step;
} sim;

static void violated(const char *invariant, const char *what) {
	(void)fprintf(stderr, "  violated: %s: %s\n", invariant, what);
	(void)fflush(stderr);
	_exit(EXIT_VIOLATION);
}

static void must(bool truth, const char *invariant, const char *what) {
	if (!truth) violated(invariant, what);
}

static uint64_t durable(void) {
	return state_durable_seq(sim.w->st);
}

/* --- what is noted ---------------------------------------------------------------------------- */

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

static void check_change(const struct command *cmd) {
	const struct effects *fx = &sim.w->fx;
	for (size_t i = 0; i < fx->change.count; i++) {
		const struct row *r = fx->change.ops[i].row;
		if (fx->change.ops[i].del) continue;
		if (r->kind == ROW_GRANT) check_release(cmd, (const struct row_grant *)r);
		if (r->kind == ROW_JOB && !state_get(sim.w->st, ROW_JOB, row_key(r)))
			check_job((const struct row_job *)r);
	}
	for (size_t i = 0; i < fx->tell_count; i++) {
		if (fx->tell[i].kind == TELL_LINK)
			must(put_in_change(ROW_FETCH) != NULL, "I22", "a link without a record of the fetch");
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

static bool before(struct world *w, const struct command *cmd) {
	sim.w = w; /* from the town's founding on */
	if (sim.resending || !cmd->who || !cmd->msg) return true;
	if (sim.keep_next) {
		sim.keep_next = false;
		letter_write(&sim.kept[sim.step % LETTERS], cmd);
		return false;
	}
	letter_write(&sim.sent[sim.sent_count++ % LETTERS], cmd);
	return true;
}

static void after(struct world *w, const struct command *cmd) {
	check_repeated(cmd);
	if (w->fx.reason == REASON_OK && !w->fx.repeated) {
		check_change(cmd);
		if (cmd->kind == COMMAND_HOME) note_home(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_CLAIM) note_claim(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_AGENCY) note_agency(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_OPERATOR) note_operator(cmd);
	}
	if (w->fx.change.count == 0) return;
	w->fx.change.seq = w->seq + 1; /* as world_apply will */
	struct change *copy = store_change_clone(&w->fx.change);
	if (!copy || sim.queued == MODEL_MAX) abort();
	sim.queue[sim.queued++] = copy;
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

static size_t people_now(void) {
	size_t n = 0;
	for (const struct row *r = state_each(sim.w->st, ROW_CREDENTIAL, NULL); r;
		 r = state_each(sim.w->st, ROW_CREDENTIAL, r))
		n += ((const struct row_credential *)r)->kind == CRED_MEMBER;
	return n;
}

static void check_state(void) {
	check_fetches();
	check_reads();
	check_headers();
	must(people_now() == model_people(&sim.model), "I27", "the people of the homes are others");
}

/* --- the simulator's own verbs ---------------------------------------------------------------- */

static enum err take_row(void *ctx, const struct row *r) {
	const char *bad = NULL;
	return state_load(ctx, r, &bad);
}

/* kill -9: the store keeps what was committed, memory is gone, and the next start loads. */
static void crash(void) {
	char why[STORE_WHY_SIZE] = "";
	uint64_t kept = durable(), seq = 0;
	for (size_t i = 0; i < sim.queued; i++) {
		const struct change *c = sim.queue[i];
		if (c->seq <= kept && sim.store->ops->commit(sim.store, &c, 1, why) != ERR_NONE)
			violated("store", why);
		store_change_free(sim.queue[i]);
	}
	sim.queued = 0;
	struct state *st = state_new(sim.step, 7);
	if (!st || sim.store->ops->load(sim.store, take_row, st, &seq, why) != ERR_NONE)
		violated("load", why);
	const char *bad = "";
	must(seq == kept && state_complete(st, seq, &bad) == ERR_NONE, "load", bad);
	state_set_unsound(st, !sim.w->now.sound);
	state_free(sim.w->st);
	sim.w->st = st;
	sim.w->seq = seq;
	model_crash(&sim.model, seq);
}

static void clock_fails(bool fails, uint8_t arg) {
	static int64_t highest;
	if (sim.w->now.utc_ms > highest || sim.step == 0) highest = sim.w->now.utc_ms;
	sim.w->now.sound = !fails;
	if (fails && arg & 1) sim.w->now.utc_ms -= INT64_C(1000) * arg;
	if (!fails && sim.w->now.utc_ms < highest) sim.w->now.utc_ms = highest; /* the floor */
	state_set_unsound(sim.w->st, fails);
}

static void send_again(const struct letter *l, bool other_bytes) {
	sim.resending = true;
	letter_send(sim.w, l, other_bytes);
	sim.resending = false;
}

static void own_verb(const uint8_t *b) {
	static const char *const homes[] = {"alice", "bob", "carol", "dan"};
	const struct letter *sent = &sim.sent[b[2] % LETTERS], *kept = &sim.kept[b[2] % LETTERS];
	const char *who = homes[b[2] % 4];
	switch ((b[0] - VERB_FIRST) % VERBS) {
	case 0: crash(); return;
	case 1: send_again(sent, false); return;
	case 2: send_again(sent, true); return;
	case 3: sim.keep_next = true; return;
	case 4: send_again(kept, false); return;
	case 5: clock_fails(b[1] & 1, b[2]); return;
	case 6: (void)world_claim(sim.w, who, b[1] & 1 ? "d1" : "d2"); return;
	case 7:
		if (b[1] % 8 == 0) (void)world_retire(sim.w, who, b[2] & 4 ? "d1" : "d2");
		return;
	case 8:
		if (b[1] % 8 == 0) (void)world_reset(sim.w, b[2] & 1 ? "dev-1" : "dev-2");
		return;
	default: (void)world_first_admin(sim.w, b[2] & 1 ? "dev-1" : "dev-2", "mallory", 9); return;
	}
}

/* --- episodes --------------------------------------------------------------------------------- */

static void found_town(uint8_t options) {
	static const struct row_credential op = {
		.row.kind = ROW_CREDENTIAL, .username = "root-op", .kind = CRED_OPERATOR};
	const struct change first = {.seq = 1, .count = 1, .ops = {{.row = &op.row}}}; /* world_new's */
	const struct change *list[] = {&first};
	char why[STORE_WHY_SIZE];
	sim.store = store_mem_open();
	if (!sim.store || sim.store->ops->commit(sim.store, list, 1, why) != ERR_NONE) abort();
	sim.w = world_town();
	world_add_home(sim.w, "h2", "carol", "d2", "dev-2");
	sim.w->opts.demo = options & 1;
	if (options & 2) sim.w->opts.hold_ticks = 2;
	sim.w->lazy_store = (options & 4) != 0;
}

/* Plays in this process; does not return from a violation. */
static void play(uint8_t options, const uint8_t (*script)[3], size_t count) {
	found_town(options);
	check_state();
	for (sim.step = 0; sim.step < count; sim.step++) {
		const uint8_t *b = script[sim.step];
		if (b[0] >= VERB_FIRST)
			own_verb(b);
		else
			script_act(sim.w, b);
		check_state();
	}
}

/* Where an episode was violated: the number of steps that were played, or -1. */
static bool fails(uint8_t options, const uint8_t (*script)[3], size_t count, bool quiet) {
	int status = 0;
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (quiet && !freopen("/dev/null", "w", stderr)) _exit(0);
		play(options, script, count);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) abort();
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* Takes away whatever the failure does not need: halves first, single steps last. */
static size_t shrink(uint8_t options, uint8_t (*script)[3], size_t count) {
	static uint8_t shorter[EPISODE_STEPS][3];
	for (size_t part = count / 2; part > 0; part /= 2) {
		for (size_t at = 0; at + part <= count;) {
			memcpy(shorter, script, at * 3);
			memcpy(shorter + at, script + at + part, (count - at - part) * 3);
			if (fails(options, (const uint8_t(*)[3])shorter, count - part, true)) {
				count -= part;
				memcpy(script, shorter, count * 3);
			} else {
				at += part;
			}
		}
	}
	return count;
}

static void print_trace(uint64_t seed, uint8_t options, uint8_t (*script)[3], size_t count) {
	printf("episode %llu, options %u, %zu steps:\n", (unsigned long long)seed, options, count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *b = script[i];
		if (b[0] >= VERB_FIRST)
			printf("  %-16s %3u %3u\n", draw_verbs[(b[0] - VERB_FIRST) % VERBS], b[1], b[2]);
		else
			printf("  %-16s %-8s %3u %3u\n", draw_acts[b[0] % 14],
				   script_people[b[1] % SCRIPT_PEOPLE], b[1], b[2]);
	}
	(void)fails(options, (const uint8_t(*)[3])script, count, false); /* it says what, once more */
}

static bool episode(uint64_t seed, size_t count) {
	static uint8_t script[EPISODE_STEPS][3];
	uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	for (int i = 0; i < 8; i++) (void)world_random(&random);
	uint8_t options = (uint8_t)(world_random(&random) >> 40);
	draw_script(&random, script, count);
	if (!fails(options, (const uint8_t(*)[3])script, count, true)) return true;
	count = shrink(options, script, count);
	print_trace(seed, options, script, count);
	return false;
}

int main(int argc, char **argv) {
	char *end = NULL;
	unsigned long long steps = argc == 3 ? strtoull(argv[1], &end, 10) : 0;
	unsigned long long seed = steps && !*end ? strtoull(argv[2], &end, 10) : 0;
	unsigned long long done = 0, violations = 0;
	if (!steps || *end) {
		(void)fprintf(stderr, "usage: sim STEPS SEED\n");
		return 64;
	}
	for (uint64_t n = 0; done < steps && violations < 3; n++) {
		size_t count = steps - done < EPISODE_STEPS ? (size_t)(steps - done) : EPISODE_STEPS;
		if (!episode(seed * 1000003 + n, count)) violations++;
		done += count;
	}
	printf("sim: %llu steps, %llu violations\n", done, violations);
	return violations ? 1 : 0;
}
