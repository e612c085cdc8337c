/* What a town may do next: random scripts of three bytes a step (tests/unit/consent/script.h), of which
 * a part tells a story in which clips are shared and the rest is noise; and the steps' names. */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include "tests/unit/consent/script.h"

enum {
	VERB_FIRST = 224, /* first bytes from here on are the simulator's own verbs */
	VERBS = 11
};

static const char *const draw_verbs[VERBS] = {
	"crash",  "send again", "send other bytes", "keep the next", "send kept", "clock", "claim",
	"retire", "reset",      "first admin",      "rotate"};
static const char *const draw_acts[14] = {
	"submit", "about request", "about request", "yes",   "yes",  "no",    "retract",
	"clip",   "members",       "relay",         "fetch", "time", "grant", "operator"};

/* Requests, clips and answers must meet, and what is noise must not end the town at once. */
static void draw_noise(uint64_t *random, uint8_t b[3]) {
	static const uint8_t able[14][4] = {
		{4, 5, 4, 5}, {6, 7, 6, 7}, {6, 7, 4, 9},     {0, 1, 0, 3},  {0, 1, 3, 3},
		{0, 1, 3, 1}, {0, 1, 3, 0}, {13, 14, 13, 14}, {0, 3, 0, 1},  {12, 12, 12, 12},
		{8, 8, 8, 8}, {0, 0, 0, 0}, {0, 3, 0, 1},     {15, 15, 2, 1}};
	uint64_t r = world_random(random) >> 16;
	b[0] = (uint8_t)(r % 8 == 0 ? VERB_FIRST + r / 8 % VERBS : r / 8 % 14);
	if (b[0] == 13 && r / 128 % 4) b[0] = 11; /* the operator seldom */
	if (b[0] < 14 && r / 512 % 2) b[1] = able[b[0]][r / 1024 % 4];
	if (b[0] == 11 && r / 4096 % 4) b[2] = (uint8_t)(5 * (r / 16384 % 2)); /* days pass seldom */
}

/* A clip that is asked for, approved, copied, announced and fetched; and a grant to the alarm firm.
 * Noise comes between. */
static const uint8_t story[][3] = {{8, 0, 7},  {8, 3, 7},  {7, 13, 48}, {7, 14, 48}, {12, 0, 3},
								   {0, 4, 0},  {1, 6, 0},  {11, 0, 0},  {11, 0, 0},  {3, 0, 0},
								   {3, 3, 2},  {3, 1, 0},  {13, 0, 1},  {11, 0, 5},  {11, 0, 5},
								   {9, 12, 1}, {9, 12, 9}, {11, 0, 5},  {10, 8, 0},  {10, 8, 1},
								   {12, 3, 2}, {13, 0, 1}, {6, 0, 0},   {10, 8, 0},  {6, 3, 1}};
enum { STORY = sizeof(story) / sizeof(story[0]) };

static void draw_script(uint64_t *random, uint8_t (*script)[3], size_t count) {
	size_t told = 0;
	unsigned noise = 1 + (unsigned)(world_random(random) >> 30) % 6; /* of eight */
	for (size_t i = 0; i < count; i++) {
		world_fill_from(random, script[i], 3);
		if ((world_random(random) >> 20) % 8 < noise) {
			draw_noise(random, script[i]);
		} else {
			memcpy(script[i], story[told++ % STORY], 3);
			if ((world_random(random) >> 20) % 16 == 0) told++;
		}
	}
}

#endif
