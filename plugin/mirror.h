/* What the plugin says in a device's place: its status word, and the home's JSON mirror, which its
 * own automation reads without knowing protobuf. home/{home}/json/{device}/... is published by the
 * plugin alone, after the event itself was accepted. Every mirror begins with the same three members
 * (proto/event.h), from which READ takes the times. Broker thread only. */
#ifndef PLUGIN_MIRROR_H
#define PLUGIN_MIRROR_H

#include "plugin/engine.h"

/* kind: TOPIC_HOME_JSON_RING, _MOTION or _CLIP_READY; m: the canonical event, arrived_ms set. */
void mirror_event(struct engine *e, struct span home, struct span device, enum topic_kind kind,
				  const ProtobufCMessage *m);

/* The status word of a device as the plugin says it in the device's place (retained if it asked for
 * that, never with properties), and its mirror, always retained. */
void mirror_status(struct engine *e, const struct row_device *d, struct span word, bool retain);
/* A device's connection was lost: unless it is back by any of its credentials, its status becomes
 * "offline", retained, and the mirror follows. Nothing for other usernames. */
void mirror_lost(struct engine *e, struct span username);

#endif
