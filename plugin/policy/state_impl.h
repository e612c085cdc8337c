/* What struct state is, for the files that implement state.h (state.c, state_find.c); nobody else
 * includes it. */
#ifndef POLICY_STATE_IMPL_H
#define POLICY_STATE_IMPL_H

#include "plugin/policy/state.h"
#include "plugin/policy/state_index.h"
#include "plugin/policy/state_touched.h"

struct state {
	struct state_index index;
	struct state_touched touched;
	uint64_t seq;         /* of the last change applied */
	uint64_t durable_seq; /* of the last change committed */
	struct state_health health;
};

#endif
