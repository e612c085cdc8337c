/* One town being played: the world that is tested, the model beside it, and how a violation ends. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <unistd.h>

#include "plugin/consent/grant.h"
#include "plugin/store/store.h"
#include "tests/sim/letter.h"

enum { LETTERS = 4, EXIT_VIOLATION = 3 };

static struct sim {
	struct world *w;
	struct model model;
	struct change *queue[MODEL_MAX]; /* applied; the store has those up to `stored` */
	size_t queued;
	struct store *store;
	struct letter sent[LETTERS], kept[LETTERS];
	size_t sent_count;
	bool keep_next, resending;
	size_t people;
	size_t step;
	int64_t ticked_ms; /* of the last tick with a sound clock */
} sim;

static void violated(const char *invariant, const char *what) {
	(void)fprintf(stderr, "  violated: %s: %s\n", invariant, what);
	(void)fflush(stderr);
	_exit(EXIT_VIOLATION);
}

static void must(bool truth, const char *invariant, const char *what) {
	if (!truth) violated(invariant, what);
}

static uint64_t durable(void) {
	return state_durable_seq(sim.w->st);
}

#endif
