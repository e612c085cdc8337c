/* Telling of trouble, once for all parts. */
#include "clients/relay/core.h"

#include <sys/random.h>

#include "clients/relay/retry.h"

static void trouble(struct core *c, struct log_gate *gate, const char *event, const char *why,
					const char *object) {
	uint32_t dropped = gate->dropped;
	if (!log_gate_open(gate, c->now.boot_ms, 3, 10000)) return;
	char more[16];
	(void)snprintf(more, sizeof(more), "%u", (unsigned)dropped); /* fits */
	log_line(c->log, LOG_ERROR, event, "why", why, "object", object, "suppressed", more, NULL);
}

void core_outbox_trouble(struct core *c, const char *object) {
	trouble(c, &c->outbox_gate, "outbox_failed", outbox_why(c->outbox), object);
}

void core_storage_trouble(struct core *c, const char *object) {
	trouble(c, &c->storage_gate, "storage_failed", backend_why(c->backend), object);
}

enum err core_put(struct core *c, const struct outbox_object *o, const struct outbox_job *job) {
	enum err e = outbox_put(c->outbox, o, job, c->now.utc_ms);
	if (e == ERR_NONE)
		c->news = true;
	else
		core_outbox_trouble(c, o->name);
	return e;
}

int64_t core_later_ms(const struct core *c, uint32_t attempts, int64_t max_ms) {
	uint32_t random = UINT32_MAX;
	/* without random bytes the wait is the whole ceiling, which is safe */
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random)) random = UINT32_MAX;
	return c->now.utc_ms + retry_delay_ms(attempts, max_ms, random);
}
