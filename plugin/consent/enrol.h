/* How a device comes into a home and how it leaves: the first admin through a device, an admin's
 * claim, and the end by reset, loss or the operator (CONSENT 7; docs/decisions/0006). Internal to
 * plugin/consent. */
#ifndef CONSENT_ENROL_H
#define CONSENT_ENROL_H

#include "plugin/consent/effects.h"

/* The device's own word: its first admin, or its reset. */
enum reason enrol_device(const struct step *s, const Vestibule__V1__DeviceClaim *m);

enum reason enrol_claim(const struct step *s, const Vestibule__V1__Claim *m);   /* admin */
enum reason enrol_retire(const struct step *s, const Vestibule__V1__Retire *m); /* admin */

/* The one end of a device: its credential, its grants, its status, and a receipt. Policy denies all
 * of it from this change on; what does not fit follows at the next ticks. Takes at most
 * ENROL_END_OPS and ENROL_END_TELLS where no grant rests on it. */
enum { ENROL_END_OPS = 24, ENROL_END_TELLS = 8 };
void enrol_end_device(const struct step *s, const struct row_device *d);

/* The catalogue of ended devices goes. False: out of room. */
bool enrol_tick(const struct step *s);

#endif
