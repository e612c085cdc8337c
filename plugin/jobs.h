/* The relay's work list. Rows of kind job are the outbox: each is told again until the relay's
 * report deletes it, on sync and after 30 s doubling to 15 min. PURGE and CANCEL first; COPY only
 * while its device is connected, and at most JOBS_COPY_OPEN at a time per relay. LINK jobs live
 * here alone, for JOBS_LINK_MS, because a link is a secret that must not survive on disk. Decides
 * what is due; engine.c sends it. Broker thread only. */
#ifndef PLUGIN_JOBS_H
#define PLUGIN_JOBS_H

#include "plugin/compose.h"

enum {
	JOBS_COPY_OPEN = 16,
	JOBS_AGAIN_MS = 30000,
	JOBS_AGAIN_MAX_MS = 900000,
	JOBS_PASS_MS = 1000,
	JOBS_LINKS_MAX = 256,
	JOBS_LINK_MS = 10000,     /* how long a report may take */
	JOBS_LINK_LIFE_MS = 60000 /* how long the link itself may work */
};

struct jobs;

struct jobs *jobs_new(uint64_t seed0, uint64_t seed1); /* NULL: no memory */
void jobs_free(struct jobs *j);                        /* NULL is fine */

/* Is this job to be told now? True schedules its next time. */
bool jobs_issue(struct jobs *j, const struct state *st, const struct compose *c,
				const struct row_job *job, struct moment now);

/* A relay asked for its jobs: all of them are due again. */
void jobs_restart(struct jobs *j, struct span relay);

struct jobs_world {
	const struct state *st;
	const struct compose *compose;
	const struct sessions *sessions;
	struct moment now;
	void (*tell)(void *ctx, const struct row_job *job);
	void *ctx;
};

/* Calls tell for each job that is due, of relays that are connected; at most once in JOBS_PASS_MS
 * but when hurry. */
void jobs_pass(struct jobs *j, const struct jobs_world *w, bool hurry);

/* A fetch that waits for a link, or (relay "") only for its time to run out: a fetch that cannot be
 * served looks exactly like a relay that does not answer (CONSENT 5). */
struct jobs_link {
	uint8_t job_id[16];
	struct tell tell; /* id: the delivery; username and event_id of the officer's command */
	char relay[ROW_ID_SIZE];
	int64_t deadline_boot_ms;
};

/* Remembers; when there are too many, the oldest is given up in its favour and copied to *lost
 * (true). */
bool jobs_link_add(struct jobs *j, const struct jobs_link *link, struct jobs_link *lost);
/* Takes the one that this relay reports on. */
bool jobs_link_take(struct jobs *j, struct span relay, const uint8_t job_id[16],
					struct jobs_link *out);
/* Takes one whose time ran out. */
bool jobs_link_expired(struct jobs *j, struct moment now, struct jobs_link *out);
void jobs_link_back(struct jobs *j,
					const struct jobs_link *link); /* after take: let its time run out */

#endif
