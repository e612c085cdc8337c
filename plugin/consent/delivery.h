/* Deliveries: the stored copy of a released clip, as the agency and the relay see it. Internal to
 * plugin/consent.
 *
 *     -                          grant ACTIVE              COPYING   job COPY
 *     COPYING                    report copied             STAGED
 *     COPYING                    report gone               VOID      the home learns it, the agency nothing
 *     STAGED                     release tick              announced notice DELIVERY, shuffled
 *     STAGED, FETCHED            fetch, evidence officer   FETCHED   recorded, then a link
 *     COPYING, STAGED, FETCHED   grant REVOKED or EXPIRED  PURGING   job PURGE (and CANCEL while copying)
 *     PURGING                    report purged             PURGED
 *     announced, grant REVOKED   release tick              notice REVOKED, once
 *
 * VOID and PURGED are absorbing. A CANCEL has no report of its own: it ends with the purge. */
#ifndef CONSENT_DELIVERY_H
#define CONSENT_DELIVERY_H

#include "plugin/consent/effects.h"

/* The relay that new copies go to: the lowest id with a credential that is not suspended. NULL:
 * none. */
const char *delivery_relay(const struct state *st);

void delivery_start(const struct step *s, const struct row_grant *g, const char *relay);
void delivery_end(const struct step *s, const struct row_grant *g); /* the grant ended: purge */

enum reason delivery_report(const struct step *s, const Vestibule__V1__RelayReport *m);
enum reason delivery_fetch(const struct step *s, const Vestibule__V1__Fetch *m);

/* Announcements and revocations at release ticks; false: out of room. */
bool delivery_tick(const struct step *s);

#endif
