/* What is kept only for a time goes: marks of commands, old clips, refusals. Internal to
 * plugin/consent. */
#ifndef CONSENT_SWEEP_H
#define CONSENT_SWEEP_H

#include "plugin/consent/effects.h"

bool sweep_tick(const struct step *s); /* false: out of room. Does nothing but once a minute */

#endif
