/* The engine owns what the callbacks share: the state, the store's worker, the clock's judge, and
 * the queue of things to tell once they are durable. A command goes in (engine_command,
 * engine_operator), consent_step() says what follows, and the engine makes it so in the order of
 * DESIGN 5: memory first (a denial bites in the callback that brought it, I4), then the store's
 * queue, and what allows or tells only after the commit (I3).
 *
 * Not here: what a command means (consent/), who may send it (policy/), broker events (hooks.c),
 * the bytes of messages (compose.c, sync.c). Broker thread only; no function here waits for disk or
 * network (I26). */
#ifndef PLUGIN_ENGINE_H
#define PLUGIN_ENGINE_H

#include "lib/clock.h"
#include "lib/log.h"
#include "plugin/consent/consent.h"
#include "plugin/policy/policy.h"
#include "plugin/store/store.h"

struct denials;
struct limiter;
struct outbound;
struct resend;
struct sessions;

struct engine_opts {
	struct consent_opts consent;
	struct policy_opts policy;
};

struct engine_health {
	struct state_health state;
	bool tick_missing;        /* the broker sends no TICK: per_listener_settings true */
	size_t waiting;           /* changes not yet durable */
	size_t held;              /* messages waiting for their change */
	uint64_t changes_refused; /* made by a command and refused by the state: a fault of ours */
	int64_t restored_ms;      /* UTC when a restored database was last noticed (I29); 0: never */
	uint64_t tells_lost;      /* the queue of messages was full: the clients repeat */
	const char
		*why; /* last words of the store, "" when it is well; borrowed until the next callback */
};

/* --- life --- */

/* Loads s into memory, starts the worker and takes s over (also on failure: s is closed). NULL: why
 * is a sentence for the broker's log, and the plugin must not start. log is borrowed for the
 * engine's life. */
struct engine *engine_new(const struct engine_opts *opts, struct store *s, struct log *log,
						  char why[STORE_WHY_SIZE]);
/* Gives the store timeout_ms to finish what waits. NULL is fine. */
void engine_free(struct engine *e, int timeout_ms);

/* --- the moment --- */

/* Head of every callback: reads and judges the clock, takes the worker's news (one atomic load when
 * there is none), raises durable_seq and lets out what waited for it. */
void engine_enter(struct engine *e);
struct moment engine_now(const struct engine *e); /* of the last engine_enter */

/* Once per TICK event: due transitions of consent in small steps, unqueued denials again, links
 * that ran out, jobs to issue again, the clock's floor. Has its own time gates: cheap when nothing
 * is due. */
void engine_tick(struct engine *e);

/* The operator's word that the clock is right (CONSENT 6); logged. */
void engine_trust_clock(struct engine *e, struct span who);

/* --- commands --- */

struct engine_result {
	enum reason
		reason;    /* REASON_OK: accepted; REASON_BUSY: not taken, repeat later; else refused */
	bool repeated; /* seen before with the same bytes: no second effect */
	uint64_t seq;  /* what must be durable before anybody may be told */
};

/* Runs one command of a principal. Private answers, receipts, notices, jobs and kicks follow by
 * themselves. */
struct engine_result engine_command(struct engine *e, const struct command *cmd);

/* The same for the operator's registry commands (cmd->kind is set here). No private answer is sent:
 * the caller builds its response and gives it to engine_answer with the highest seq of its
 * commands. */
struct engine_result engine_operator(struct engine *e, struct command *cmd);

/* Sends payload to that client id alone, once seq is durable; dropped silently if the client is
 * gone by then. Everything is copied. ERR_NOMEM, ERR_LIMIT (queue full): nothing will be sent. */
enum err engine_answer(struct engine *e, uint64_t seq, struct span client_id, struct span topic,
					   struct span payload) MUST_CHECK;

/* A message of our own to whoever may read topic (its READ check decides), once seq is durable; 0:
 * at once. */
enum err engine_publish(struct engine *e, uint64_t seq, struct span topic, struct span payload,
						uint8_t qos, bool retain) MUST_CHECK;

/* A relay's LINK report: the FetchLink it answers goes out once, if the fetch may still be served.
 */
void engine_link(struct engine *e, const struct row_credential *relay,
				 const Vestibule__V1__RelayReport *report);

/* Answers a Sync from memory, in parts, to user/{username}/reply. */
void engine_sync(struct engine *e, const struct row_credential *who,
				 const Vestibule__V1__Sync *sync);

/* --- looking --- */

/* Is a device connected now, by any of its credentials? */
bool engine_is_online(const struct engine *e, const char *device);

const struct state *engine_state(const struct engine *e);
const struct engine_opts *engine_opts(const struct engine *e);
struct engine_health engine_health(const struct engine *e);
bool engine_may_allow(
	const struct engine *e); /* the broker sends TICK; policy asks the rest itself */
void engine_refuse(struct engine *e,
				   const char *why); /* into `refusing`: everything is denied until restart */

struct log *engine_log(struct engine *e);
struct codec *engine_codec(struct engine *e);
struct consent_random engine_random(struct engine *e);
struct denials *engine_denials(struct engine *e); /* counters and last denials, for explain */
struct limiter *engine_limiter(struct engine *e);
struct outbound *engine_outbound(struct engine *e);
struct resend *engine_resend(struct engine *e);     /* copies for whom a kick sent away */
struct sessions *engine_sessions(struct engine *e); /* who is connected */

#endif
