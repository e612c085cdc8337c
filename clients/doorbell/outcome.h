/* The broker's answer to what the device asked, first_admin or reset: told on the SDK's thread,
 * waited for on others. One question at a time, as in the SDK. Any thread. */
#ifndef DOORBELL_OUTCOME_H
#define DOORBELL_OUTCOME_H

#include <pthread.h>

#include "clients/sdk/vestibule_device.h"
#include "lib/err.h"

enum { OUTCOME_REASON_SIZE = 65, OUTCOME_SENTENCE_SIZE = 257 };

struct outcome_word {
	bool recorded;
	char reason[OUTCOME_REASON_SIZE]; /* both "" when recorded */
	char sentence[OUTCOME_SENTENCE_SIZE];
};

struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool told;
	bool over;
	struct outcome_word word;
};

bool outcome_init(struct outcome *o) MUST_CHECK;
void outcome_fini(struct outcome *o);
void outcome_ask(struct outcome *o); /* forgets the last answer */
void outcome_tell(struct outcome *o, const struct vestibule_claimed *claim);
void outcome_end(struct outcome *o); /* nobody waits any longer, from here on */
/* False: not told within the time, or ended. */
bool outcome_wait(struct outcome *o, int64_t timeout_ms, struct outcome_word *out) MUST_CHECK;

#endif
