/* Points in time as an officer types them: always UTC, because a window that means another hour on
 * another machine would ask for another person's recording. Two forms only:
 *
 *     2026-11-25T20:00Z     a date and time, seconds optional, the Z mandatory, years 2000 to 2099
 *     -2h  +90m  -3d  -0s   from now, in seconds, minutes, hours or days; the sign is mandatory
 *
 * Pure, any thread; now is an argument. */
#ifndef AGENCY_WHEN_H
#define AGENCY_WHEN_H

#include "lib/err.h"
#include "lib/span.h"

enum { WHEN_RELATIVE_MAX = 100000 }; /* seconds to days of the second form */

/* Milliseconds since 1970. ERR_INPUT: neither form, or a day that the month does not have.
 * ERR_LIMIT: a year outside 2000-2099, by either form. *ms is untouched then. */
enum err when_parse(struct span text, int64_t now_ms, int64_t *ms) MUST_CHECK;

#endif
