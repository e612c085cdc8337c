/* Clip grants: a yes or no to one clip for one request of one agency. Internal to plugin/consent.
 *
 *     -         decline, adult                     REFUSED
 *     -         approve, adult                     APPROVED  (PROPOSED until durable)
 *     APPROVED  decline, any adult (veto)          REFUSED
 *     APPROVED  release tick, durable, hold over   ACTIVE
 *     live      retract, any adult                 REVOKED
 *     live      retired device, approver gone,
 *               agency or its key gone             REVOKED   (by the system)
 *     APPROVED  the request closed                 EXPIRED
 *     live      clock, exp                         EXPIRED
 *
 * live = APPROVED or ACTIVE. REFUSED, REVOKED and EXPIRED are absorbing (I7); with them the header
 * goes.
 *
 * Silent veto: what was approved and ends before its release without a retraction keeps release_ms;
 * at that tick the home reads "not shared", the same whatever the cause. release_ms = 0 says that
 * this was told or is not due. */
#ifndef CONSENT_GRANT_H
#define CONSENT_GRANT_H

#include "plugin/consent/effects.h"

bool grant_is_live(const struct row_grant *g);

/* The decision on this clip for this request as this change leaves it so far; NULL: none. */
const struct row_grant *grant_find(const struct step *s, const char *home, const char *request,
								   const char *clip);

/* The state in which a live grant should be by now, whether or not a tick has written it;
 * GSTATE_NONE: it stands. */
enum grant_state grant_due_end(const struct state *st, const struct row_grant *g, int64_t now_ms);

/* Ends a live grant: state, header, stored copy. Receipts are the caller's. */
struct row_grant *grant_end(const struct step *s, const struct row_grant *g, enum grant_state to,
							bool by_system);

/* Ends at once those on clips of an ended device, as far as there is room; the tick takes the rest.
 */
void grant_end_device(const struct step *s, const struct row_device *d);
/* What was released for this request is revoked. False: out of room, call again. */
bool grant_end_request(const struct step *s, const struct row_request *r);

/* A restored database: every live one, by the system. False: out of room. */
bool grant_end_all(const struct step *s);

/* A receipt to the grant's home that names clip, ask, device, agency and end. */
struct row_receipt *grant_receipt(const struct step *s, int kind, const struct row_grant *g);

enum reason grant_retract(const struct step *s,
						  const Vestibule__V1__Retract *m); /* clip or standing */

/* What time brings; false: out of room. */
bool grant_tick_ends(const struct step *s);    /* at any time: what is over ends */
bool grant_tick_release(const struct step *s); /* at release ticks only */

/* --- answer.c --------------------------------------------------------------------------------- */

enum reason answer_home(const struct step *s, const Vestibule__V1__Answer *m);

#endif
