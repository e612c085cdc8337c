/* A uniform sample of rows in uniform order, in constant memory: what goes out at a tick goes out
 * shuffled, so that order says nothing about who answered when (I10). Reservoir (Vitter's algorithm
 * R), then Fisher-Yates. Taking one sample after another of what remains is a uniform permutation
 * of all. Internal to plugin/consent. */
#ifndef CONSENT_SAMPLE_H
#define CONSENT_SAMPLE_H

#include "plugin/consent/effects.h"

enum { SAMPLE_MAX = 16 };

struct sample {
	const struct row *pick[SAMPLE_MAX];
	size_t count;
	uint32_t offered; /* more than count: some were left for the next sample */
};

void sample_offer(const struct step *s, struct sample *sample, const struct row *r);
void sample_shuffle(const struct step *s, struct sample *sample);

#endif
