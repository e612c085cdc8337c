/* THE HEART. Who may read, write or subscribe to which topic now: one pure function from the state
 * and a question to a verdict. No I/O, no clock, no globals, no allocation: what the answer rests
 * on is in the arguments. Default deny (I1): what no rule allows is refused, and "cannot tell" is a
 * refusal of its own.
 *
 *     struct question q = {.access = ACCESS_READ, .who = cred, .name = topic, ...};
 *     struct verdict v = policy_decide(st, &q, &opts);
 *     if (v.kind == VERDICT_ALLOW) ...
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "plugin/policy/reason.h"
#include "plugin/policy/state.h"
#include "proto/event.h"
#include "proto/topic.h"

enum verdict_kind { VERDICT_DENY = 0, VERDICT_ALLOW };

struct verdict {
	enum verdict_kind kind;
	enum reason reason;
	const struct row_standing
		*grant; /* the standing grant an ALLOW to an integrator rests on, else NULL */
};

enum access { ACCESS_NONE = 0, ACCESS_READ, ACCESS_WRITE, ACCESS_SUBSCRIBE };

struct policy_opts {
	bool agencies; /* off: no agency credential may do anything */
	bool demo;
};

struct question {
	enum access access;
	const struct row_credential *who; /* NULL: nobody, denied. Borrowed */
	struct span name;                 /* topic name, or the literal filter of a SUBSCRIBE */
	uint8_t qos;
	bool retain;
	bool is_will;   /* WRITE of a will: only the device's own status passes (I18) */
	bool has_event; /* READ: event was read from the payload */
	struct event_times event;
	struct span status; /* WRITE of device/status: the payload (online, sleeping, offline) */
	int64_t now_ms;
};

/* Decides. Every rule in this order: state may allow; credential durable and not suspended, its
 * subject live; agencies on; topic known; then the rules of that topic and role. WRITE says who may
 * send that kind of message there, with QoS and retain; whether its payload is well-formed is the
 * codec's.
 *
 * While the clock is not sound (state_health) only the way out stays open: WRITE of home/command and
 * device/claim, of which the consent engine then lets pass what narrows, and of $CONTROL; READ of user/reply,
 * user/denied, operator/health and $CONTROL's response. SUBSCRIBE is judged as ever, for it routes
 * nothing. While the state is incomplete or refusing, nothing is allowed at all. */
struct verdict policy_decide(const struct state *st, const struct question *q,
							 const struct policy_opts *opts);

/* May this credential connect, given the SHA-256 of its token (or has_cert when the certificate's
 * CN equals the username)? Constant time in the token. Reason: unknown_credential and bad_proof are
 * told apart here for the operator's log only; the client sees one code. */
struct verdict policy_login(const struct state *st, struct span username, bool has_cert,
							const uint8_t token_sha256[32], const struct policy_opts *opts);

/* Is the client id in this username's own namespace (username or username.anything)? / in that of
 * any other credential of the state? (DESIGN 2, client ids; I15) */
bool policy_own_client_id(struct span client_id, struct span username);
bool policy_foreign_client_id(const struct state *st, struct span client_id, struct span username);

const char *policy_role_name(enum cred_role role);      /* "adult", ... never NULL */
const char *policy_cred_kind_name(enum cred_kind kind); /* "device", ... never NULL */
enum cred_role policy_role_by_name(struct span word);
enum cred_kind policy_cred_kind_by_name(struct span word);

#endif
