/* Asks: what one home gets to see of a request; invisible outside the home. Internal to
 * plugin/consent.
 *
 *     -        request OPEN, and the whole list below       PENDING
 *     PENDING  every offered clip decided, or none (answer.c)   DECIDED
 *     PENDING  request closed, opt-out, no clip left, exp   LAPSED
 *
 * Made only when: the request is OPEN and durable, its agency may act and has a valid key; a device
 * of the home lies in the circle, not retired; a clip of it lies in the window, its clock synced,
 * sealed (or the home is flagged in a demo); an adult opted in and none objects; it is not quiet;
 * fewer than 3 asks in 7 days; and no ask for this request yet. Else no row at all. Later clips
 * raise the revision at a release tick. One ask, no reminders. */
#ifndef CONSENT_ASK_H
#define CONSENT_ASK_H

#include "plugin/consent/effects.h"

void ask_clip_key(const char *ask, const char *clip, char key[2 * UUID_TEXT_SIZE]); /* "ask/clip" */

/* Can this clip be asked for by this request now? Device, circle, window, clock, envelope. */
bool ask_clip_fits(const struct step *s, const struct row_request *r, const struct row_clip *clip);

/* What time brings; false: out of room. */
bool ask_tick_lapse(const struct step *s);
bool ask_tick_make(const struct step *s);

#endif
