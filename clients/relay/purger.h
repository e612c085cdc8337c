/* Deleting, and proving it: what was purged or cancelled, what has expired, and what lies in the
 * storage without a row that wants it (looked for at start and daily). An object is DELETED only
 * after the storage has said that it is absent; until then it is tried again, at least every 30 s,
 * without end. One thread. */
#ifndef RELAY_PURGER_H
#define RELAY_PURGER_H

#include "clients/relay/core.h"
#include "clients/relay/transfers.h"

enum { PURGER_SWEEP_MS = 86400000 };

struct purger;

struct purger *purger_new(struct core *core,
						  struct transfers *transfers); /* both kept. NULL: no memory */
void purger_free(struct purger *p);

/* A PURGE or CANCEL: stops the copy and asks the storage at once, even when the outbox cannot be
 * written, then records the object as DELETING and the job (may be NULL) as owed an answer.
 * ERR_STORE: not recorded; the job will come again. */
enum err purger_object(struct purger *p, const char *object, const struct outbox_job *job);

void purger_turn(struct purger *p); /* each turn of the loop */
void purger_kick(struct purger *p);
int purger_wait_ms(const struct purger *p);

#endif
