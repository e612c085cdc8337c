/* What engine.c and engine_tell.c share. Internal to them. */
#ifndef PLUGIN_ENGINE_IMPL_H
#define PLUGIN_ENGINE_IMPL_H

#include "plugin/compose.h"
#include "plugin/engine.h"
#include "plugin/entropy.h"
#include "plugin/held.h"
#include "plugin/jobs.h"
#include "plugin/outbound.h"
#include "plugin/resend.h"
#include "plugin/session.h"
#include "plugin/store/worker.h"

enum {
	ENGINE_SPARES = 4,         /* changes that wait for memory to be queued */
	ENGINE_STEPS_PER_TICK = 8, /* consent steps of one TICK: the broker must not wait (I26) */
	ENGINE_TELLS_AT_ONCE = 256,
	ENGINE_REPUBLISH_AT_ONCE = 100
};

/* Something of the public register to publish again after the start. */
struct republish {
	enum row_kind kind;
	char id[ROW_ID_SIZE];
};

struct engine {
	struct engine_opts opts;
	struct log *log;
	struct entropy_pools entropy;
	struct clock_judge judge;
	struct moment now;
	int64_t start_boot_ms;
	bool ticked; /* a TICK came: per_listener_settings is off */
	bool tick_missing_logged;

	struct state *st;
	struct worker *worker;
	struct effects *fx; /* of the step under way */
	bool more, looked;  /* what the last step said of itself */
	uint64_t looked_seq;
	struct effects *spare[ENGINE_SPARES];
	size_t spare_count;
	struct effects *
		unqueued[ENGINE_SPARES]; /* in force, but the worker had no memory for them; oldest first */
	size_t unqueued_count;
	struct row_meta floor; /* the op that carries the clock's floor */
	int64_t floor_saved_boot_ms;
	int64_t consent_boot_ms, sweep_boot_ms; /* next time */
	int64_t last_tick;                      /* consent_tick_due's memory */
	bool is_store_failing, is_store_silent;
	uint64_t durable_was; /* by when is durable_boot_ms */
	int64_t durable_boot_ms;
	uint64_t changes_refused;
	char why[STORE_WHY_SIZE];

	struct codec *codec;
	struct compose *compose;
	struct denials *denials;
	struct held *held;
	struct jobs *jobs;
	bool hurry; /* a new job is durable */
	struct limiter *limiter;
	struct outbound *outbound;
	struct resend *resend;
	struct sessions *sessions;
	struct buf encoded; /* scratch of engine_tell.c */
	struct republish *republish;
	size_t republish_count, republish_at;
};

/* Sends what waited for a change that is durable now. */
void engine_drain(struct engine *e);
/* Queues the tells of fx behind seq. */
void engine_hold(struct engine *e, const struct effects *fx, uint64_t seq);
/* Links that ran out, jobs that are due, the rest of the register. */
void engine_tell_tick(struct engine *e);

#endif
