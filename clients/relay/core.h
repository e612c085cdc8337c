/* What every part of the relay needs at hand: the outbox, the storage, the connection, the log and
 * the time of this turn. No behaviour but telling of trouble; who does what is in relay.c. One
 * thread. */
#ifndef RELAY_CORE_H
#define RELAY_CORE_H

#include "clients/mq/mq.h"
#include "clients/relay/backend.h"
#include "clients/relay/outbox.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { CORE_SCAN_MS = 1000 /* the outbox is looked through so often without a cause */ };

/* All borrowed: they outlive the parts that see them. */
struct core {
	struct outbox *outbox;
	struct backend *backend;
	struct mq *mq;
	struct log *log;
	struct codec *codec;
	struct moment now; /* judged; the same during one turn */
	bool in_touch;     /* connected, and the sync of this connection was answered */
	bool news;         /* a row was written: there may be reports to send */
	struct log_gate outbox_gate;
	struct log_gate storage_gate;
};

/* One line about a failing outbox or storage, rate-limited: a full disk fails on every turn. object
 * may be NULL. */
void core_outbox_trouble(struct core *c, const char *object);
void core_storage_trouble(struct core *c, const char *object);

/* outbox_put at the time of this turn; trouble is told and news noted here. Errors as outbox_put.
 */
enum err core_put(struct core *c, const struct outbox_object *o, const struct outbox_job *job);

/* When a job that failed `attempts` times may be tried again (UTC ms). */
int64_t core_later_ms(const struct core *c, uint32_t attempts, int64_t max_ms);

#endif
