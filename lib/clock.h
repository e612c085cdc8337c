/* Time as an argument: a struct moment is read once at the edge and handed down, so that tests own
 * time. UTC milliseconds since 1970 for what people mean by a date; boot milliseconds
 * (CLOCK_BOOTTIME, never steps) for what passes. The judge (CONSENT 6) watches the two against each
 * other and says whether UTC can be trusted: not sound means allow nothing. Any thread; a judge has
 * one owner. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct moment {
	int64_t utc_ms;
	int64_t boot_ms;
	bool sound;
};

enum {
	CLOCK_BACK_MS = 2000,        /* up to this far behind the floor: the floor is used */
	CLOCK_AHEAD_MS = 300000,     /* further ahead of boot time between two looks: suspect */
	CLOCK_SOUND_AFTER_MS = 60000 /* sound again after agreeing for so long */
};

struct clock_judge {
	int64_t
		floor_ms; /* highest UTC accepted; load it from the store, save it at least each minute */
	int64_t last_utc_ms; /* of the last look; 0 before the first */
	int64_t last_boot_ms;
	int64_t
		suspect_since_boot_ms; /* 0: not suspect; else boot time since which UTC has agreed again */
	bool suspect;
};

struct moment clock_read(void); /* the machine's clocks, sound = true, unjudged */

void clock_judge_init(struct clock_judge *j, int64_t floor_ms);
/* Judges a reading: corrects utc_ms up to the floor (small step back), sets sound, raises the
 * floor. */
struct moment clock_judge_look(struct clock_judge *j, struct moment raw);
void clock_judge_trust(struct clock_judge *j,
					   struct moment raw); /* operator's word: sound from here on */

#endif
