/* The rules of a home: text that a person can read and write, one line a rule. Each adult has rules
 * of their own; the home's are all of them together. They only ever narrow: nobody is asked
 * anything until an adult opted in, and any adult can object for the whole home.
 *
 *     # whom we help
 *     ask fire
 *     ask police only burglary, missing-person
 *     never central-pd              or: never agency central-pd
 *     never type vandalism
 *     never all
 *     quiet 22:00-07:00 +01:00      no ask then (offset to UTC); it waits, and ends no later
 *     mute alerts
 *
 * Words are lower case; spaces and tabs between them; empty lines and lines that start with # say
 * nothing. Types are those of IncidentType with hyphens or underscores. Pure, no allocation. */
#ifndef CONSENT_RULES_H
#define CONSENT_RULES_H

#include "lib/err.h"
#include "plugin/policy/state.h"

enum { RULES_NEVER_MAX = 32, RULES_QUIET_MAX = 4, RULES_TYPES = 13 /* of IncidentType, with 0 */ };

struct rules_quiet {
	int from_min, to_min; /* minutes of the day, half open; from > to: over midnight */
	int offset_min;       /* local time minus UTC */
};

struct rules {
	uint32_t asked[AGENCY_KINDS]; /* per kind of agency: bit n set = opted in for incident type n */
	uint32_t never_types;         /* bit n set = never for incident type n */
	bool never_all;
	bool mute_alerts; /* the policy asks for it by itself, in READ of an alert */
	size_t never_count, quiet_count;
	struct span never[RULES_NEVER_MAX]; /* agency ids, spans into the text */
	struct rules_quiet quiet[RULES_QUIET_MAX];
};

/* ERR_INPUT: a line is not a rule; *line (may be NULL) gets its number from 1. ERR_LIMIT: more
 * `never` or `quiet` lines than fit. *out is written in any case: on an error it opts in to
 * nothing. */
enum err rules_parse(struct span text, struct rules *out, size_t *line) MUST_CHECK;

/* Does this set of rules object? (`never` of any sort.) */
bool rules_object(const struct rules *r, struct span agency, int64_t incident);
bool rules_opt_in(const struct rules *r, int64_t agency_kind, int64_t incident);
bool rules_is_quiet(const struct rules *r, int64_t now_ms);

/* Does `after` let anybody ask, or ask earlier, who could not under `before`? */
bool rules_widen(const struct rules *before, const struct rules *after);

enum rules_word { RULES_NO = 0, RULES_LATER, RULES_ASK };

/* The home's word: ASK when some adult opted in and none objects, LATER when it is quiet for one of
 * them. Rules that do not parse object. A suspended adult's objections hold, the opt-in does not.
 */
enum rules_word rules_home(const struct state *st, struct span home,
						   const struct row_agency *agency, int64_t incident, int64_t now_ms);

#endif
