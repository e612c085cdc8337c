/* How long to wait before trying again: exponential back-off with full jitter (a uniform draw
 * between nothing and the ceiling), so that a storage server or a device that comes back is not met
 * by everybody at once. Only policy drops a job; nothing here gives up. Randomness is an argument.
 * Pure, any thread. */
#ifndef RELAY_RETRY_H
#define RELAY_RETRY_H

#include <stdint.h>

enum {
	RETRY_FIRST_MS = 1000, /* ceiling of the first wait */
	RETRY_MAX_MS = 300000, /* ceiling for copies: 5 minutes */
	RETRY_DELETE_MS =
		30000,          /* ceiling for deletions: I23 promises 60 s after the storage is back */
	RETRY_FLOOR_MS = 50 /* never less, so that a loop of failures cannot spin */
};

/* attempts: failures so far, 0 for the first wait. random: any 32 bits. */
int64_t retry_delay_ms(uint32_t attempts, int64_t max_ms, uint32_t random);

#endif
