/* MESSAGE: what an accepted publish does. Runs after WRITE allowed it and payload.h found it
 * well-formed; idempotent by event_id, because a QoS 2 repetition comes again. Events of devices
 * get their arrival and go on in canonical form; commands and reports go to the engine; a sync is
 * answered. Broker thread only. */
#ifndef PLUGIN_ACT_H
#define PLUGIN_ACT_H

#include "plugin/engine.h"

enum act {
	ACT_DENY = 0, /* *reason says why; nothing happened */
	ACT_PASS, /* as it is: consumed topics reach nobody; an event without arrival is read by nobody
			   */
	ACT_REPLACE /* the payload to route is in *out */
};

struct act_message {
	const struct row_credential *who;
	struct topic topic;
	struct span payload;
	bool has_properties;
};

/* REASON_RATE is a denial that is only counted. out is initialised by the caller. */
enum act act_on(struct engine *e, const struct act_message *m, struct buf *out,
				enum reason *reason);

/* An event of a device in a moment when nothing may be decided: accepted, but neither routed nor
 * acknowledged, so that the device keeps it and repeats. */
bool act_may_wait(const struct row_credential *who, const struct topic *t, uint8_t qos,
				  bool retain);

#endif
