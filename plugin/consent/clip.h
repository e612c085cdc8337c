/* The catalogue: which clips the devices say they have. The bytes stay there. Internal to
 * plugin/consent. */
#ifndef CONSENT_CLIP_H
#define CONSENT_CLIP_H

#include "plugin/consent/effects.h"

/* A ClipReady of a device. The same clip again is answered with the present ack and changes
 * nothing. */
enum reason clip_ready(const struct step *s, const Vestibule__V1__ClipReady *m);
void clip_ack(const struct step *s); /* tells the sender its highest committed seq */

/* Drops a clip and the offers of it. False: out of room. */
bool clip_drop(const struct step *s, const struct row_clip *clip);

/* Does a live grant or a copy that is not purged yet rest on it? */
bool clip_is_needed(const struct state *st, const struct row_clip *clip);

#endif
