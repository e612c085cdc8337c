/* Random bytes for ids and pseudonyms, from the kernel in portions, so that a draw is not a system
 * call each time. Bytes are wiped as they are given out. Broker thread only. */
#ifndef PLUGIN_ENTROPY_H
#define PLUGIN_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

enum { ENTROPY_POOL = 1024 };

struct entropy {
	size_t left; /* unused bytes at the end of pool; zero is a good start */
	uint8_t pool[ENTROPY_POOL];
};

/* Fits struct consent_random: ctx is a struct entropy. A kernel that gives none breaks an invariant
 * (err.h: the plugin refuses everything); out is then zero and must not be used. */
void entropy_fill(void *ctx, uint8_t *out, size_t len);

/* Two pools, so that no draw for a home shifts what an agency sees (consent.h, struct
 * consent_random). ctx of both is a struct entropy_pools. */
struct entropy_pools {
	struct entropy homes, agencies;
};
void entropy_fill_homes(void *ctx, uint8_t *out, size_t len);
void entropy_fill_agencies(void *ctx, uint8_t *out, size_t len);

#endif
