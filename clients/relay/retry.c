/* Full-jitter exponential back-off. What is retried, and when it is given up, is decided by the
 * callers. */
#include "clients/relay/retry.h"

int64_t retry_delay_ms(uint32_t attempts, int64_t max_ms, uint32_t random) {
	int64_t ceiling = RETRY_FIRST_MS;
	for (uint32_t i = 0; i < attempts && ceiling < max_ms; i++) ceiling *= 2;
	if (ceiling > max_ms) ceiling = max_ms;
	int64_t wait = (int64_t)((double)ceiling * ((double)random / (double)UINT32_MAX));
	return wait < RETRY_FLOOR_MS ? RETRY_FLOOR_MS : wait;
}
