/* operator/health (JSON) and operator/metrics (Prometheus text): state and counters, with no home,
 * request or name in any label. Neither is retained (I13); health goes out at each change and every
 * HEALTH_EVERY_MS. Broker thread only. */
#ifndef PLUGIN_HEALTH_H
#define PLUGIN_HEALTH_H

#include "plugin/engine.h"

enum { HEALTH_EVERY_MS = 10000 };

struct health {
	int64_t next_boot_ms; /* zero is a good start */
	unsigned last;        /* the flags last told */
};

void health_tick(struct health *h, struct engine *e);

#endif
