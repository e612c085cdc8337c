/* The two clocks and the judge between them. Deadlines, ticks and what a suspect clock forbids are
 * decided by those who use a moment. */
#include "lib/clock.h"

#include <time.h>

static bool read_one(clockid_t id, int64_t *ms) {
	struct timespec ts;
	if (clock_gettime(id, &ts) != 0) return false;
	*ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return true;
}

struct moment clock_read(void) {
	struct moment m = {0, 0, false};
	bool utc = read_one(CLOCK_REALTIME, &m.utc_ms);
	m.sound = read_one(CLOCK_BOOTTIME, &m.boot_ms) && utc;
	return m;
}

void clock_judge_init(struct clock_judge *j, int64_t floor_ms) {
	*j = (struct clock_judge){.floor_ms = floor_ms};
}

/* Does this reading fit the floor, and the last reading? A step back is measured against the floor
 * only while the clock is trusted: the floor is then the highest reading, and small steps are
 * common. */
static bool agrees(const struct clock_judge *j, struct moment raw) {
	if (!raw.sound || raw.utc_ms < j->floor_ms - CLOCK_BACK_MS) return false;
	if (j->last_utc_ms == 0) return true;
	int64_t passed = raw.boot_ms - j->last_boot_ms;
	int64_t drift = raw.utc_ms - j->last_utc_ms - passed;
	if (passed < 0 || drift > CLOCK_AHEAD_MS) return false;
	return !j->suspect || drift >= -CLOCK_BACK_MS;
}

struct moment clock_judge_look(struct clock_judge *j, struct moment raw) {
	if (!agrees(j, raw)) {
		j->suspect = true;
		j->suspect_since_boot_ms = 0;
	} else if (j->suspect && j->suspect_since_boot_ms == 0) {
		j->suspect_since_boot_ms = raw.boot_ms > 0 ? raw.boot_ms : 1;
	} else if (j->suspect && raw.boot_ms - j->suspect_since_boot_ms >= CLOCK_SOUND_AFTER_MS) {
		j->suspect = false;
		j->suspect_since_boot_ms = 0;
	}
	j->last_utc_ms = raw.utc_ms;
	j->last_boot_ms = raw.boot_ms;
	struct moment out = {raw.utc_ms, raw.boot_ms, !j->suspect};
	if (out.utc_ms < j->floor_ms) out.utc_ms = j->floor_ms; /* a step back prolongs nothing */
	if (out.sound) j->floor_ms = out.utc_ms;
	return out;
}

void clock_judge_trust(struct clock_judge *j, struct moment raw) {
	clock_judge_init(j,
					 raw.utc_ms); /* may lower the floor: a clock once far ahead must be mendable */
	j->last_utc_ms = raw.utc_ms;
	j->last_boot_ms = raw.boot_ms;
}
