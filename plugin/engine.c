/* See engine.h: life, the clock, and the path of a command. What is told, and to whom, is in
 * engine_tell.c. */
#include "plugin/engine.h"

#include <stdatomic.h>

#include "plugin/denial.h"
#include "plugin/engine_impl.h"
#include "plugin/limiter.h"
#include "plugin/store/settle.h"

enum {
	TICK_MISSING_MS = 15000,
	STORE_SILENT_MS = 10000,
	CONSENT_EVERY_MS = 100,
	FLOOR_EVERY_MS = 60000,
	FLOOR_ALONG_MS = 1000,
	SWEEP_EVERY_MS = 60000
};

/* An assertion may break in the store's thread, too, where nothing of ours may be called: the hook
 * only leaves word, and the broker's thread finds it at the head of the next callback. One plugin
 * per process. */
static _Atomic(const char *) broken_what;

static void leave_word(const char *file, int line, const char *what) {
	(void)file;
	(void)line;
	atomic_store(&broken_what, what);
}

/* --- life --- */

static int64_t meta_of(const struct state *st, const char *name) {
	const struct row_meta *m = (const struct row_meta *)state_get(st, ROW_META, span_str(name));
	return m ? m->value : 0;
}

/* A restored database is put right before the first client may connect (I29). */
static bool load(struct engine *e, struct store *s, uint64_t *seq, char why[STORE_WHY_SIZE]) {
	struct settle_sum sum;
	char text[STORE_WHY_SIZE], clips[24], standing[24];
	if (settle_load(s, e->st, seq, why) != ERR_NONE) return false;
	clock_judge_init(&e->judge, meta_of(e->st, "floor_ms"));
	if (!s->restored) return true;
	(void)snprintf(text, sizeof(text), "%s", s->restored); /* same size */
	struct moment now = clock_judge_look(&e->judge, clock_read());
	if (settle_restored(s, e->st, now, seq, &sum, why) != ERR_NONE) return false;
	(void)snprintf(clips, sizeof(clips), "%zu", sum.clip_grants);
	(void)snprintf(standing, sizeof(standing), "%zu", sum.standing_grants);
	log_line(e->log, LOG_WARN, "restored", "why", text, "clip_grants_ended", clips,
			 "standing_grants_ended", standing, NULL);
	return true;
}

static bool make_parts(struct engine *e) {
	uint64_t seed[2];
	entropy_fill_homes(&e->entropy, (uint8_t *)seed, sizeof(seed));
	e->st = state_new(seed[0], seed[1]);
	e->codec = codec_new();
	e->denials = denials_new(seed[0], seed[1], e->log);
	e->held = held_new();
	e->jobs = jobs_new(seed[0], seed[1]);
	e->limiter = limiter_new(seed[0], seed[1], e->log);
	e->outbound = outbound_new(NULL, NULL);
	e->resend = resend_new(seed[0], seed[1]);
	e->sessions = sessions_new(seed[0], seed[1]);
	e->fx = calloc(1, sizeof(*e->fx));
	bool all = e->st && e->codec && e->denials && e->held && e->jobs && e->limiter && e->outbound &&
			   e->resend && e->sessions && e->fx;
	for (; all && e->spare_count < ENGINE_SPARES; e->spare_count++) {
		e->spare[e->spare_count] = calloc(1, sizeof(*e->fx));
		if (!e->spare[e->spare_count]) return false;
	}
	if (all) e->compose = compose_new(e->st, e->sessions, engine_random(e));
	return all && e->compose;
}

/* The register is retained by the broker, which forgets: everything of it is published again. */
static bool list_register(struct engine *e) {
	size_t n = state_count(e->st, ROW_AGENCY) + state_count(e->st, ROW_REQUEST);
	if (n == 0) return true;
	e->republish = calloc(n, sizeof(*e->republish));
	if (!e->republish) return false;
	static const enum row_kind kinds[] = {ROW_AGENCY, ROW_REQUEST};
	for (size_t k = 0; k < 2; k++) {
		for (const struct row *r = state_each(e->st, kinds[k], NULL); r;
			 r = state_each(e->st, kinds[k], r)) {
			struct republish *p = &e->republish[e->republish_count];
			p->kind = kinds[k];
			if (e->republish_count < n && span_copy(row_key(r), p->id, sizeof(p->id)))
				e->republish_count++;
		}
	}
	return true;
}

struct engine *engine_new(const struct engine_opts *opts, struct store *s, struct log *log,
						  char why[STORE_WHY_SIZE]) {
	uint64_t seq = 0;
	(void)snprintf(why, STORE_WHY_SIZE, "out of memory");
	struct engine *e = calloc(1, sizeof(*e));
	if (!e) goto fail;
	e->opts = *opts;
	e->log = log;
	buf_init(&e->encoded, CODEC_REPLY_BYTES_MAX);
	atomic_store(&broken_what, NULL);
	err_assert_hook(leave_word);
	if (!make_parts(e) || !load(e, s, &seq, why)) goto fail;
	(void)snprintf(why, STORE_WHY_SIZE, "out of memory");
	if (!list_register(e)) goto fail;
	e->worker = worker_start(s, seq);
	if (!e->worker) goto fail;
	s = NULL; /* the worker's now */
	e->floor = (struct row_meta){.row.kind = ROW_META, .name = "floor_ms"};
	e->start_boot_ms = clock_read().boot_ms;
	why[0] = '\0';
	engine_enter(e);
	return e;

fail:
	engine_free(e, 0);
	if (s) s->ops->close(s);
	return NULL;
}

void engine_free(struct engine *e, int timeout_ms) {
	if (!e) return;
	if (e->worker) worker_stop(e->worker, timeout_ms);
	for (size_t i = 0; i < e->spare_count; i++) free(e->spare[i]);
	for (size_t i = 0; i < e->unqueued_count; i++) free(e->unqueued[i]);
	free(e->fx);
	free(e->republish);
	buf_fini(&e->encoded);
	compose_free(e->compose);
	sessions_free(e->sessions);
	held_free(e->held);
	outbound_free(e->outbound);
	resend_free(e->resend);
	limiter_free(e->limiter);
	jobs_free(e->jobs);
	denials_free(e->denials);
	codec_free(e->codec);
	state_free(e->st);
	err_assert_hook(NULL);
	free(e);
}

/* --- the moment --- */

void engine_refuse(struct engine *e, const char *why) {
	if (state_health(e->st).refusing) return;
	state_set_refusing(e->st);
	(void)snprintf(e->why, sizeof(e->why), "%s", why); /* cut: the log line below is longer */
	log_line(e->log, LOG_ERROR, "refusing", "why", why, "until", "restart", NULL);
}

static void look_at_clock(struct engine *e) {
	e->now = clock_judge_look(&e->judge, clock_read());
	if (state_health(e->st).unsound == !e->now.sound) return;
	state_set_unsound(e->st, !e->now.sound);
	log_line(e->log, e->now.sound ? LOG_WARN : LOG_ERROR,
			 e->now.sound ? "clock_sound" : "clock_suspect", NULL);
}

static void take_news(struct engine *e) {
	struct worker_report r = worker_report(e->worker);
	state_committed(e->st, r.durable_seq);
	if (r.broken) engine_refuse(e, r.why);
	if (r.failing != e->is_store_failing) {
		e->is_store_failing = r.failing;
		state_set_store_down(e->st, r.failing);
		log_line(e->log, r.failing ? LOG_ERROR : LOG_WARN,
				 r.failing ? "store_failing" : "store_well", "why", r.why, NULL);
	}
	if (!state_health(e->st).refusing)
		(void)snprintf(e->why, sizeof(e->why), "%s", r.failing ? r.why : "");
}

/* A store that neither commits nor says why not: its thread hangs in the kernel, or is gone. */
static void look_at_store(struct engine *e) {
	uint64_t durable = state_durable_seq(e->st);
	bool moves = durable != e->durable_was || durable == state_seq(e->st);
	if (moves) {
		e->durable_was = durable;
		e->durable_boot_ms = e->now.boot_ms;
	}
	bool silent = !moves && e->now.boot_ms - e->durable_boot_ms >= STORE_SILENT_MS;
	if (silent == e->is_store_silent) return;
	e->is_store_silent = silent;
	state_set_store_down(e->st, silent || e->is_store_failing);
	if (!state_health(e->st).refusing && silent)
		(void)snprintf(e->why, sizeof(e->why), "the store has not answered for %d s",
					   STORE_SILENT_MS / 1000);
	log_line(e->log, silent ? LOG_ERROR : LOG_WARN, silent ? "store_silent" : "store_answers",
			 NULL);
}

void engine_enter(struct engine *e) {
	look_at_clock(e);
	const char *broken = atomic_load(&broken_what);
	if (broken) engine_refuse(e, broken);
	if (worker_has_news(e->worker)) {
		take_news(e);
		engine_drain(e);
	}
	if (!e->ticked && !e->tick_missing_logged &&
		e->now.boot_ms - e->start_boot_ms > TICK_MISSING_MS) {
		e->tick_missing_logged = true;
		log_line(e->log, LOG_ERROR, "no_tick", "why",
				 "per_listener_settings must be false: everything is denied", NULL);
	}
}

struct moment engine_now(const struct engine *e) {
	return e->now;
}

void engine_trust_clock(struct engine *e, struct span who) {
	char name[ROW_ID_SIZE];
	if (!span_copy(who, name, sizeof(name))) name[0] = '\0';
	clock_judge_trust(&e->judge, clock_read());
	log_line(e->log, LOG_WARN, "clock_trusted", "who", name, NULL);
	look_at_clock(e);
}

/* --- the path of a command --- */

static void add_floor(struct engine *e, struct change *c) {
	if (e->now.boot_ms - e->floor_saved_boot_ms < FLOOR_ALONG_MS || c->count >= CHANGE_OPS_MAX)
		return;
	e->floor.value = e->judge.floor_ms;
	e->floor_saved_boot_ms = e->now.boot_ms;
	c->ops[c->count++] = (struct row_op){.row = &e->floor.row};
}

/* Memory took the change, the worker had no room for a copy: it waits here, and nothing may
 * overtake it, else its rows would count as durable by the seq of a later one (I3). */
static void keep_for_later(struct engine *e) {
	if (e->spare_count == 0) {
		engine_refuse(e, "no memory to keep a change until it can be stored");
		return;
	}
	e->unqueued[e->unqueued_count++] = e->fx;
	e->fx = e->spare[--e->spare_count];
}

static void queue_again(struct engine *e) {
	while (e->unqueued_count > 0) {
		struct effects *first = e->unqueued[0];
		if (worker_put(e->worker, &first->change, true) != ERR_NONE) return;
		e->unqueued_count--;
		for (size_t i = 0; i < e->unqueued_count; i++) e->unqueued[i] = e->unqueued[i + 1];
		e->spare[e->spare_count++] = first;
	}
}

/* Memory first, then the store's queue (I4). Anything but REASON_OK: nothing of it was done. */
static enum reason commit(struct engine *e, enum command_kind from) {
	struct effects *fx = e->fx;
	const char *bad = NULL;
	if (!fx->denial && (e->unqueued_count > 0 || !worker_room(e->worker))) return REASON_BUSY;
	add_floor(e, &fx->change);
	fx->change.seq = state_seq(e->st) + 1;
	fx->change.at_ms = e->now.utc_ms;
	enum err rc = state_apply(e->st, &fx->change, &bad);
	if (rc == ERR_NOMEM && !fx->denial) return REASON_BUSY;
	if (rc == ERR_INPUT && !fx->denial && from != COMMAND_TICK) {
		/* Nothing of it was applied: whoever found the way to it must not stop the bus. */
		e->changes_refused++;
		log_line(e->log, LOG_ERROR, "change_refused", "bad", bad, NULL);
		return REASON_STATE;
	}
	if (rc != ERR_NONE) {
		/* Either a denial that cannot be put in force, or a change of our own making that the state
		 * refuses. */
		log_line(e->log, LOG_ERROR, "apply_failed", "err", err_name(rc), "bad", bad, NULL);
		engine_refuse(e, "a change could not be applied");
		return REASON_NOT_READY;
	}
	bool queued =
		e->unqueued_count == 0 && worker_put(e->worker, &fx->change, fx->denial) == ERR_NONE;
	if (!queued) keep_for_later(e);
	return REASON_OK;
}

static void list_kicks(struct engine *e, const struct effects *fx) {
	for (size_t i = 0; i < fx->kick_count; i++) {
		if (fx->kick[i].grant[0])
			sessions_kick_grant(e->sessions, fx->kick[i].grant);
		else
			sessions_kick_username(e->sessions, span_str(fx->kick[i].username));
	}
}

struct engine_result engine_command(struct engine *e, const struct command *cmd) {
	struct engine_result r = {.reason = REASON_NOT_READY, .seq = state_seq(e->st)};
	if (state_health(e->st).refusing) return r;
	struct effects *fx = e->fx;
	consent_step(e->st, &e->opts.consent, cmd, e->now, engine_random(e), fx);
	if (atomic_load(&broken_what)) {
		engine_enter(e); /* a truth broke inside the step: do nothing of it */
		return r;
	}
	r.reason = fx->reason;
	r.repeated = fx->repeated;
	e->more = fx->more;
	e->looked = fx->looked;
	/* Denials count at once; what widens waits for a clock that can be trusted: a yes under a
	 * wrong clock would carry wrong dates. */
	bool widens = fx->change.count > 0 && !fx->denial && cmd->kind != COMMAND_TICK;
	if (widens && !state_may_allow(e->st)) {
		r.reason = REASON_NOT_READY;
		return r;
	}
	if (fx->change.count > 0) {
		enum reason done = commit(e, cmd->kind);
		if (done != REASON_OK) {
			r.reason = done;
			return r;
		}
		r.seq = state_seq(e->st);
	}
	list_kicks(e, fx); /* fx may be waiting in unqueued now, unchanged */
	engine_hold(e, fx, r.seq);
	engine_drain(e);
	return r;
}

struct engine_result engine_operator(struct engine *e, struct command *cmd) {
	cmd->kind = COMMAND_OPERATOR;
	return engine_command(e, cmd);
}

/* --- time passes --- */

static void consent_tick(struct engine *e) {
	int64_t before = e->last_tick;
	if (!consent_tick_due(e->st, &e->opts.consent, e->now, &e->last_tick)) return;
	for (int i = 0; i < ENGINE_STEPS_PER_TICK; i++) {
		uint64_t seq = state_seq(e->st);
		struct command cmd = {.kind = COMMAND_TICK, .looked_seq = e->looked_seq};
		e->looked = false;
		struct engine_result r = engine_command(e, &cmd);
		if (r.reason == REASON_OK && e->looked) e->looked_seq = seq;
		if (r.reason == REASON_BUSY || (i + 1 == ENGINE_STEPS_PER_TICK && e->more)) {
			e->last_tick = before; /* due again at the next TICK */
			return;
		}
		if (r.reason != REASON_OK || !e->more) return;
	}
}

static void save_floor(struct engine *e) {
	if (e->now.boot_ms - e->floor_saved_boot_ms < FLOOR_EVERY_MS || !e->now.sound) return;
	if (state_health(e->st).refusing) return;
	e->fx->change.count = 0;
	e->fx->denial = false;
	enum reason done = commit(e, COMMAND_TICK); /* the floor is added there */
	if (done != REASON_OK)
		log_line(e->log, LOG_DEBUG, "floor_not_saved", "reason", reason_word(done), NULL);
}

void engine_tick(struct engine *e) {
	e->ticked = true;
	queue_again(e);
	look_at_store(e);
	engine_drain(e);
	engine_tell_tick(e);
	if (e->now.boot_ms >= e->consent_boot_ms) {
		e->consent_boot_ms = e->now.boot_ms + CONSENT_EVERY_MS;
		consent_tick(e);
		save_floor(e);
	}
	if (e->now.boot_ms >= e->sweep_boot_ms) {
		e->sweep_boot_ms = e->now.boot_ms + SWEEP_EVERY_MS;
		limiter_sweep(e->limiter, e->now);
	}
}

/* --- looking --- */

const struct state *engine_state(const struct engine *e) {
	return e->st;
}
const struct engine_opts *engine_opts(const struct engine *e) {
	return &e->opts;
}
bool engine_may_allow(const struct engine *e) {
	return e->ticked;
}
bool engine_is_online(const struct engine *e, const char *device) {
	return compose_is_online(e->compose, device);
}
struct log *engine_log(struct engine *e) {
	return e->log;
}
struct codec *engine_codec(struct engine *e) {
	return e->codec;
}
struct denials *engine_denials(struct engine *e) {
	return e->denials;
}
struct limiter *engine_limiter(struct engine *e) {
	return e->limiter;
}
struct outbound *engine_outbound(struct engine *e) {
	return e->outbound;
}
struct resend *engine_resend(struct engine *e) {
	return e->resend;
}
struct sessions *engine_sessions(struct engine *e) {
	return e->sessions;
}

struct consent_random engine_random(struct engine *e) {
	return (struct consent_random){
		.fill = entropy_fill_homes, .ctx = &e->entropy, .fill_agency = entropy_fill_agencies};
}

struct engine_health engine_health(const struct engine *e) {
	return (struct engine_health){
		.state = state_health(e->st),
		.tick_missing = !e->ticked,
		/* a store that hangs reports nothing: so not what it told last */
		.waiting = (size_t)(state_seq(e->st) - state_durable_seq(e->st)),
		.held = held_count(e->held),
		.changes_refused = e->changes_refused,
		.restored_ms = meta_of(e->st, RESTORED_META),
		.tells_lost = held_lost(e->held) + outbound_lost(e->outbound),
		.why = e->why,
	};
}
