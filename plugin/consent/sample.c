/* A uniform sample in uniform order. Not here: what is due. */
#include "plugin/consent/sample.h"

void sample_offer(const struct step *s, struct sample *sample, const struct row *r) {
	sample->offered++;
	if (sample->count < SAMPLE_MAX) {
		sample->pick[sample->count++] = r;
		return;
	}
	uint32_t at = effects_below(s, sample->offered);
	if (at < SAMPLE_MAX) sample->pick[at] = r;
}

void sample_shuffle(const struct step *s, struct sample *sample) {
	for (size_t i = sample->count; i > 1; i--) {
		size_t j = effects_below(s, (uint32_t)i);
		const struct row *r = sample->pick[i - 1];
		sample->pick[i - 1] = sample->pick[j];
		sample->pick[j] = r;
	}
}
