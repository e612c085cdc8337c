/* May this change follow the present rows? Rules between rows that hold whoever asks for the
 * change: a row has its parents, an end is an end (I7), and what a yes was given for cannot be
 * turned into something else. What a role may change is not here (consent). Pure; nothing is
 * altered. */
#ifndef POLICY_STATE_CHECK_H
#define POLICY_STATE_CHECK_H

#include "plugin/policy/state_index.h"

/* NULL: the whole change may be applied. Else what is wrong: a field's name, or one of
 *   "parent"    the parent of a put row does not exist after the change
 *   "absorbing" a put leaves an absorbing state
 *   "owner"     a put changes whose row it is, or what it was given for
 *   "children"  a delete leaves rows behind that need the deleted one
 *   "count"     more operations than CHANGE_OPS_MAX */
const char *state_check_change(const struct state_index *ix, const struct change *c);

/* Has r the parents that it needs? NULL or "parent". For the end of a load. */
const char *state_check_loaded(const struct state_index *ix, const struct row *r);

#endif
