/* The home's JSON mirror: what its own automation reads without knowing protobuf.
 * home/{home}/json/{device}/... is published by the plugin alone, after the event itself was
 * accepted. Every mirror begins with the same three members (proto/event.h), from which READ takes
 * the times. Broker thread only. */
#ifndef PLUGIN_MIRROR_H
#define PLUGIN_MIRROR_H

#include "plugin/engine.h"

/* kind: TOPIC_HOME_JSON_RING, _MOTION or _CLIP_READY; m: the canonical event, arrived_ms set. */
void mirror_event(struct engine *e, struct span home, struct span device, enum topic_kind kind,
				  const ProtobufCMessage *m);

/* The status word of a device, retained. */
void mirror_status(struct engine *e, struct span home, struct span device, struct span word);

#endif
