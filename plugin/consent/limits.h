/* Every limit of the consent engine, once, with its unit. Configuration (struct consent_opts) may
 * set the release tick and the hold; nothing else here can be loosened. Limits on the shape of a
 * message are the codec's. */
#ifndef CONSENT_LIMITS_H
#define CONSENT_LIMITS_H

#include <stdint.h>

#define LIMIT_SECOND_MS INT64_C(1000)
#define LIMIT_MINUTE_MS INT64_C(60000)
#define LIMIT_HOUR_MS   INT64_C(3600000)
#define LIMIT_DAY_MS    INT64_C(86400000)

/* --- requests --------------------------------------------------------------------------------- */
#define LIMIT_RADIUS_MIN_M        150
#define LIMIT_RADIUS_MAX_M        400
#define LIMIT_RADIUS_EMERGENCY_M  250 /* most; the least is the same */
#define LIMIT_WINDOW_MIN_MS       (15 * LIMIT_MINUTE_MS)
#define LIMIT_WINDOW_MAX_MS       (12 * LIMIT_HOUR_MS)
#define LIMIT_WINDOW_EMERGENCY_MS (2 * LIMIT_HOUR_MS)
#define LIMIT_WINDOW_AGE_MS \
	(30 * LIMIT_DAY_MS) /* how far back a window may begin, counted from the submit */
#define LIMIT_PER_CASE         2
#define LIMIT_OPEN_PER_AGENCY  5
#define LIMIT_OPEN_EMERGENCY   6  /* one more */
#define LIMIT_SUBMITS_OFFICER  3  /* in 24 h */
#define LIMIT_SUBMITS_AGENCY   10 /* in 24 h */
#define LIMIT_APPROVAL_WAIT_MS (72 * LIMIT_HOUR_MS)
#define LIMIT_LIFE_DEFAULT_H   168
#define LIMIT_LIFE_MAX_H       336
#define LIMIT_LIFE_EMERGENCY_H 4
#define LIMIT_REVIEW_MS \
	(24 * LIMIT_HOUR_MS) /* an emergency request's second pair of eyes, from its opening */
#define LIMIT_OVERLAP_AGE_MS \
	(30 * LIMIT_DAY_MS)               /* ended requests count as the same case for so long */
#define LIMIT_LATITUDE_E7   850000000 /* no request beyond +-85 degrees */
#define LIMIT_ALERTS_AGENCY 10        /* in 24 h */
#define LIMIT_ALERT_LIFE_MS LIMIT_DAY_MS

/* --- asks and grants -------------------------------------------------------------------------- */
#define LIMIT_ASKS_PER_HOME    3 /* in LIMIT_ASKS_MS, rolling */
#define LIMIT_ASKS_MS          (7 * LIMIT_DAY_MS)
#define LIMIT_ASK_CLIPS        32                     /* as codec.h */
#define LIMIT_CLIP_SLACK_MS    (30 * LIMIT_SECOND_MS) /* the window is widened by it at each end */
#define LIMIT_APPROVALS        60                     /* a member, in LIMIT_APPROVALS_MS */
#define LIMIT_APPROVALS_MS     LIMIT_HOUR_MS
#define LIMIT_GRANT_DEFAULT_MS (14 * LIMIT_DAY_MS) /* from the release */
#define LIMIT_GRANT_MAX_MS     (30 * LIMIT_DAY_MS)
#define LIMIT_STANDING_MAX_MS  (365 * LIMIT_DAY_MS)
#define LIMIT_STANDING_ALIKE \
	24 /* active, same integrator, device and kind: they end in one change */
#define LIMIT_STANDING_WARN_MS (30 * LIMIT_DAY_MS)
#define LIMIT_TICK_EMERGENCY_MS \
	LIMIT_MINUTE_MS /* tick and hold of an emergency request, unless shorter anyway */
#define LIMIT_TICK_LATE_MS \
	(5 * LIMIT_SECOND_MS) /* a tick noticed later than this is missed: its work waits */
#define LIMIT_FETCHES 10  /* a delivery, in 24 h */

/* --- the catalogue ---------------------------------------------------------------------------- */
#define LIMIT_CLIPS_PER_DEVICE 1000
#define LIMIT_CLIP_KEPT_MS     (30 * LIMIT_DAY_MS)
#define LIMIT_CLOCK_AHEAD_MS \
	(30 * LIMIT_SECOND_MS) /* an event from further ahead has no synced clock */

/* --- homes and the registry ------------------------------------------------------------------- */
#define LIMIT_MEMBERS_PER_HOME 20
#define LIMIT_DEVICES_PER_HOME 16
#define LIMIT_CREDENTIALS      500 /* an agency, an integrator or a relay; a device has 1 */
#define LIMIT_APP_TOPICS       16  /* a credential */

/* --- what is remembered ----------------------------------------------------------------------- */
#define LIMIT_SEEN_MS (31 * LIMIT_DAY_MS)
#define LIMIT_REFUSAL_MS \
	(30 * LIMIT_DAY_MS)                /* refusals are erased so long after the request closed */
#define LIMIT_SWEEP_MS LIMIT_MINUTE_MS /* old rows are looked for once in this time */

#endif
