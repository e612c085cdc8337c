/* From a store that was opened to a state that may be used: rows into memory, and, where the store was
 * restored, the end of everything that may have been retracted since the backup (I29), durably,
 * before anybody may connect. The broker's plugin and `vestibule-ctl restored` both come this way.
 * Not here: how one knows of a restore (store.h, mark.h), what ends (consent/restored.c). */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "lib/clock.h"
#include "plugin/policy/state.h"
#include "plugin/store/store.h"

/* Every row of s into the empty state st, which is complete then. why is a sentence. */
enum err settle_load(struct store *s, struct state *st, uint64_t *seq,
					 char why[STORE_WHY_SIZE]) MUST_CHECK;

struct settle_sum {
	size_t clip_grants, standing_grants; /* that ended */
};

/* Nothing, when s is not restored. Else ends them, in changes above *seq, which it raises, and tells
 * s that it is settled. Ends in the middle: the next opening finds it restored still. ERR_STORE,
 * ERR_NOMEM, ERR_INPUT: it is not, and s must not be used. */
enum err settle_restored(struct store *s, struct state *st, struct moment now, uint64_t *seq,
						 struct settle_sum *sum, char why[STORE_WHY_SIZE]) MUST_CHECK;

#endif
