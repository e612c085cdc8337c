/* What a backup may have brought back ends. Internal to plugin/consent. */
#ifndef CONSENT_RESTORED_H
#define CONSENT_RESTORED_H

#include "plugin/consent/effects.h"

/* False: out of room, call again with what this change made. */
bool restored_end_all(const struct step *s);

#endif
