/* Telling the plugin how jobs ended. Reports are rows of the outbox until PUBACK; every one that is
 * not acknowledged is sent again, the same event, on each connection. PUBACK promises nothing about
 * durability: if the plugin lost it, it issues the job again, and the job gets a new report. Links
 * are secrets of seconds: they are never rows. One thread. */
#ifndef RELAY_REPORTS_H
#define RELAY_REPORTS_H

#include "clients/relay/core.h"

enum { REPORTS_IN_FLIGHT = 16 };

struct reports;

/* core: kept; relay: the id in the topic, kept. NULL: no memory or not an id. */
struct reports *reports_new(struct core *core, const char *relay);
void reports_free(struct reports *r);

void reports_turn(struct reports *r);
void reports_connected(struct reports *r);
void reports_published(struct reports *r, int mid, int code);
/* Sends one link; nothing when there is no connection or no number for it (the plugin then says
 * unavailable). */
void reports_link(struct reports *r, const Vestibule__V1__RelayJob *job, const char *url,
				  int64_t expires_ms);

/* A new UUIDv7 of this turn's time. ERR_STORE: the kernel gives no random bytes. */
enum err reports_event_id(const struct core *core, uint8_t id[UUID_BYTES]) MUST_CHECK;

#endif
