/* What is done to the device, in which order, and when each step is over. The steps ask somebody for
 * a ring or a clip, set faults in the rules, cut the connection, and judge what did not happen; what
 * did happen is judged by the rules. One thread. */
#ifndef CONFORM_STEPS_H
#define CONFORM_STEPS_H

#include "clients/conform/rules.h"
#include "clients/conform/settings.h"
#include "clients/mq/hook.h"

enum steps_want { STEPS_RING = 0, STEPS_MOTION, STEPS_CLIP, STEPS_STOP, STEPS_WANTS };

struct steps {
	const struct settings *settings; /* kept */
	struct rules *rules;             /* kept */
	struct pulls *pulls;             /* kept */
	struct checks *checks;           /* kept */
	struct hook *hooks[STEPS_WANTS]; /* owned; NULL: none */
	char *commands[STEPS_WANTS];     /* owned */
	const struct rules_conn *conn;   /* the device's newest; NULL: it is away. The owner sets it */
	int64_t admitted_ms;             /* of conn; 0: not yet. The owner sets it */
	bool cut;                        /* the owner cuts conn and clears this */
	size_t at;                       /* in the table of steps */
	size_t from;                     /* ledger count when the step began */
	int64_t since_ms;                /* when the step began */
	int64_t quiet_ms;                /* when the step's condition was met; 0: not yet */
	unsigned conns;                  /* connections that there were when the step began */
	bool begun, asked;
	bool was_cut;                               /* by the step before */
	int64_t ring_ms;                            /* when the ring under test was sent first */
	uint8_t clip[UUID_BYTES], ring[UUID_BYTES]; /* event_ids of the clip and the ring under test */
	bool has_clip, has_ring;
};

enum err steps_init(struct steps *s, const struct settings *settings,
					struct rules *rules) MUST_CHECK; /* ERR_NOMEM */
void steps_fini(struct steps *s);

/* False: the last step is over. */
bool steps_tick(struct steps *s, struct moment now);

#endif
