/* Between the files of the policy; nobody else includes it. A case is a question with what the
 * first checks found out about it, so that no rule looks anything up twice. */
#ifndef POLICY_POLICY_IMPL_H
#define POLICY_POLICY_IMPL_H

#include "plugin/policy/policy.h"

struct policy_case {
	const struct state *st;
	const struct question *q;
	const struct row_credential *who;
	struct span subject;   /* home, device, agency, integrator or relay of who */
	struct span username;  /* of who */
	struct topic t;        /* READ and WRITE: the name, parsed */
	bool agency_suspended; /* who is an officer of a suspended agency */
};

/* READ, WRITE and SUBSCRIBE once the general checks are passed. REASON_OK allows. policy_read also
 * fills in *grant, the standing grant that an integrator's yes rests on. */
enum reason policy_read(const struct policy_case *c, const struct row_standing **grant);
enum reason policy_write(const struct policy_case *c);
enum reason policy_subscribe(const struct policy_case *c);

/* Is the credential in use, with what it stands for? REASON_OK, or why not. who may be NULL. */
enum reason policy_check_who(const struct state *st, const struct row_credential *who,
							 const struct policy_opts *opts);

bool policy_is_adult(const struct row_credential *who); /* a member who may decide for the home */

/* A live device by id, or NULL. It need not be durable: it is of one home for ever (state_check.h),
 * and whoever asks has a durable credential in that home or a durable grant of it. */
const struct row_device *policy_live_device(const struct state *st, struct span id);
/* The same for what it tells: NULL until its claim is durable. */
const struct row_device *policy_claimed_device(const struct state *st, struct span id);

/* Has the relay a live job to copy that clip of that device now? */
bool policy_relay_may_copy(const struct policy_case *c);

/* May who use a name or filter outside vestibule/ and $ this way, by the topics the operator listed
 * for it? */
bool policy_listed(const struct policy_case *c, struct span filter, enum app_access access);

#endif
