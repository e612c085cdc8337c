/* The state in memory: all rows, their indexes, and which of them are durable. state_apply() is the
 * one way in: at start-up the store's rows come through it, later each change does. A change is
 * applied in the callback that makes it, so a denial bites at once; whatever allows asks
 * state_durable() first (I3): "deny at once, allow only when durable".
 *
 * Broker thread only. Looking up allocates nothing, reads no clock and does no I/O; applying
 * allocates. Rows handed out are borrowed until the next state_apply. */
#ifndef POLICY_STATE_H
#define POLICY_STATE_H

#include "plugin/policy/row.h"

struct state;

/* Empty, and not complete: everything is refused. NULL: no memory. */
struct state *state_new(uint64_t seed0, uint64_t seed1);
void state_free(struct state *st);

/* Applies all operations of c, stamped with c->seq; their order inside the change does not matter
 * but for the same key. ERR_NOMEM: nothing was applied. ERR_INPUT: nothing was applied, and *bad
 * (may be NULL) says which field of a row does not validate, or
 *   "seq"       c->seq is lower than one applied before, or committed already (I3)
 *   "parent"    the parent of a put row does not exist after the change
 *   "absorbing" a put leaves an absorbing state (I7), be it by way of a delete in the same change,
 *               or takes back the claim of a device
 *   "owner"     a put changes whose row it is, or what a grant was given for
 *   "children"  a delete leaves live rows behind that need the deleted one
 *   "count"     more than CHANGE_OPS_MAX operations
 * Deleting does not cascade: the caller lists what goes with a home, a credential ... What has
 * ended (a revoked grant, a closed request, a retired device) and what is history (receipts,
 * notices, fetches, seen) needs no parent any more. Deleting what is absent is not an error. */
enum err state_apply(struct state *st, const struct change *c, const char **bad) MUST_CHECK;

/* Start-up: rows in any order, parents may follow their children, and seq is the row's own.
 * ERR_INPUT: the row does not validate, its key came before, or the load is over. state_complete()
 * ends it and puts lists into the order of seq: ERR_INPUT when a parent is missing (nothing is then
 * allowed, ever). ERR_NOMEM. */
enum err state_load(struct state *st, const struct row *r, const char **bad) MUST_CHECK;
enum err state_complete(struct state *st, uint64_t durable_seq, const char **bad) MUST_CHECK;

/* Why nothing may be allowed at the moment; all false: normal. */
struct state_health {
	bool incomplete; /* not loaded to the end */
	bool refusing;   /* an invariant was found broken: stays until restart */
	bool unsound;    /* the clock cannot be trusted */
	bool store_down; /* the store thread reports failure; approvals wait, what was durable still
						stands */
};
struct state_health state_health(const struct state *st);
void state_set_refusing(struct state *st);
void state_set_unsound(struct state *st, bool unsound);
void state_set_store_down(struct state *st, bool down);
bool state_may_allow(const struct state *st); /* complete, not refusing, sound */

uint64_t state_seq(const struct state *st);         /* of the last change applied */
uint64_t state_durable_seq(const struct state *st); /* of the last change committed */
void state_committed(struct state *st,
					 uint64_t seq); /* raises durable_seq; lower values do nothing */
bool state_durable(const struct state *st,
				   const struct row *r); /* r != NULL and r->seq <= durable_seq */

/* Is the device in use and claimed, and is the claim durable? What it is called may be changed
 * meanwhile: that does not put the claim in doubt. NULL: no. */
bool state_is_claimed(const struct state *st, const struct row_device *d);

/* Find by key; NULL when absent. The typed forms are the same call with a cast. */
const struct row *state_get(const struct state *st, enum row_kind kind, struct span key);
const struct row_home *state_home(const struct state *st, struct span id);
const struct row_device *state_device(const struct state *st, struct span id);
const struct row_credential *state_credential(const struct state *st, struct span username);
const struct row_integrator *state_integrator(const struct state *st, struct span id);
const struct row_agency *state_agency(const struct state *st, struct span id);
const struct row_relay *state_relay(const struct state *st, struct span id);
const struct row_rules *state_rules(const struct state *st, struct span username);
const struct row_standing *state_standing(const struct state *st, struct span id);
const struct row_clip *state_clip(const struct state *st, struct span id);
const struct row_request *state_request(const struct state *st, struct span id);
const struct row_ask *state_ask(const struct state *st, struct span id);
const struct row_grant *state_grant(const struct state *st, struct span id);
const struct row_delivery *state_delivery(const struct state *st, struct span id);
const struct row_job *state_job(const struct state *st, struct span id);

/* The rows of a kind with that parent (which = 0 or 1, see row.h), newest first: a row that changes
 * keeps its place. Credentials of several kinds share a list when their subjects share a name.
 * after: NULL for the first, else a row that the state handed out (not a copy); NULL ends:
 *
 *     for (r = state_child(st, ROW_DEVICE, 0, home, NULL); r;
 *          r = state_child(st, ROW_DEVICE, 0, home, r)) ... */
const struct row *state_child(const struct state *st, enum row_kind kind, int which,
							  struct span parent, const struct row *after);

/* All rows of a kind, newest first. */
const struct row *state_each(const struct state *st, enum row_kind kind, const struct row *after);
size_t state_count(const struct state *st, enum row_kind kind);

/* Clips that arrived at or before until_ms, and marks of commands (ROW_SEEN) that old, in no order
 * and without looking at younger ones. after: NULL for the first, else one that the state handed
 * out. */
const struct row *state_older(const struct state *st, enum row_kind kind, int64_t until_ms,
							  const struct row *after);

/* ACTIVE standing grants that need a look, for the tick of consent, so that it need not walk through
 * all of them: those that end at or before until_ms, in no order (after: NULL for the first, else
 * one that the state handed out); the n-th of all, in no order, NULL beyond the last; and the homes
 * where a device or a member's credential was put or deleted by a change after seq, n = 0, 1 ..., NULL
 * ends, some maybe twice. */
const struct row_standing *state_standing_ending(const struct state *st, int64_t until_ms,
												 const struct row_standing *after);
const struct row_standing *state_standing_nth(const struct state *st, size_t n);
size_t state_standing_count(const struct state *st);
const char *state_touched_since(const struct state *st, uint64_t seq, size_t n);
/* There were more such homes than are remembered, an integrator changed, or seq is 0: any grant may
 * be concerned. */
bool state_touched_all(const struct state *st, uint64_t seq);

/* Is that username an adult or admin of that home, suspended or not? What somebody gave goes with
 * them: from the moment in which they are none, whatever the state of the grant says until a tick of
 * consent has ended it. */
bool state_is_adult_of(const struct state *st, const char *username, const char *home);

/* The grant that lets this integrator read that kind of that device at now, or NULL: ACTIVE,
 * durable, nbf <= now < exp, home and device fitting, the device claimed, its giver an adult of the home; effective_ms (event.h) must be >= nbf, pass
 * now for things that are not events. kind GRANT_NONE: a grant of any kind will do (status).
 * Constant time in the number of homes: an index by (integrator, home) is kept. */
const struct row_standing *state_standing_for(const struct state *st, struct span integrator,
											  const struct row_device *device, enum grant_kind kind,
											  int64_t now_ms, int64_t effective_ms);

/* The job (COPY, durable) that lets this relay pull that clip of that device, or NULL: its delivery
 * is COPYING and the grant behind it ACTIVE and durable. Whether the grant has run out is the
 * caller's to compare. */
const struct row_job *state_copy_job(const struct state *st, struct span relay, struct span device,
									 struct span clip);

#endif
