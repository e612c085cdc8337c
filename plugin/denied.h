/* One refusal, reported: remembered and logged by denial.h, told to the sender on
 * user/{username}/denied. The answer to the broker (ACL_DENIED) is the caller's. Broker thread
 * only. */
#ifndef PLUGIN_DENIED_H
#define PLUGIN_DENIED_H

#include "plugin/denial.h"
#include "plugin/engine.h"

struct denied {
	struct span username;  /* may be anything */
	struct span client_id; /* may be anything */
	struct span topic;     /* as the sender named it; empty for CONNECT */
	struct span payload;   /* of a WRITE: its event_id is told, when it has a readable one */
	enum denial_access access;
	enum reason reason;
	const struct codec_fault *fault; /* NULL: no field is to blame */
};

void denied_report(struct engine *e, const struct denied *d);

#endif
