/* Standing grants: a home's lasting permission to an integrator, for one device or all and one kind
 * of event. No ask, no hold; ACTIVE at once, allowing when durable. Internal to plugin/consent.
 *
 *     -        grant, adult                                    ACTIVE
 *     ACTIVE   retract, any adult                              REVOKED
 *     ACTIVE   device or integrator retired, granter gone      REVOKED   (by the system)
 *     ACTIVE   clock, exp                                      EXPIRED
 *
 * REVOKED and EXPIRED are absorbing; with them the connections go to which copies were routed (I5).
 */
#ifndef CONSENT_STANDING_H
#define CONSENT_STANDING_H

#include "plugin/consent/effects.h"

enum reason standing_give(const struct step *s, const Vestibule__V1__GrantStanding *m);
enum reason standing_retract(const struct step *s, const struct row_standing *g);

/* Ends at once those that a removed member gave, as far as there is room; the tick takes the rest.
 */
void standing_end_of(const struct step *s, const char *home, const char *username);

/* The same for those that name an ended device. */
void standing_end_device(const struct step *s, const struct row_device *d);

/* A restored database: all of them, by the system. False: out of room. */
bool standing_end_all(const struct step *s);

bool standing_tick(const struct step *s); /* false: out of room */

#endif
