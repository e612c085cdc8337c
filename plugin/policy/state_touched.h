/* Which homes had a device or a member's credential changed, and since which seq: what a standing
 * grant rests on beside its own row. The last few are remembered by name; of older ones only that
 * there were some. */
#ifndef POLICY_STATE_TOUCHED_H
#define POLICY_STATE_TOUCHED_H

#include "plugin/policy/row.h"

enum { STATE_TOUCHED_KEPT = 64 };

struct state_touched {
	struct {
		uint64_t seq;
		char home[ROW_ID_SIZE];
	} kept[STATE_TOUCHED_KEPT];
	size_t count;       /* ever */
	uint64_t forgotten; /* some home was touched by this seq and its name is not kept: maybe any */
};

/* A change with that seq puts or deletes the row; old: as it was before, or NULL. */
void state_touched_note(struct state_touched *t, uint64_t seq, const struct row *r,
						const struct row *old);

/* The n-th of the homes touched after seq, latest first, some maybe twice; NULL: no more. */
const char *state_touched_home(const struct state_touched *t, uint64_t seq, size_t n);
bool state_touched_any(const struct state_touched *t, uint64_t seq); /* names are not enough */

#endif
