/* The tables: every command with its options and arguments, from which both parsing and --help
 * come. What a command does is its own file's business. */
#include "clients/agency/settings.h"

#include "clients/agency/command.h"
#include "clients/agency/fetch.h"
#include "clients/agency/list.h"
#include "clients/agency/watch.h"

#define AT(member) offsetof(struct settings, member)
#define DAY_MS     INT64_C(86400000)
#define HOUR_MS    INT64_C(3600000)

static const struct opt program_opts[] = {
	{"agency", OPT_TEXT, AT(agency), "AGENCY",
	 "the officer's agency; learned from the broker unless given", 0, 0},
	OPT_END,
};

static const struct opt submit_opts[] = {
	{"type", OPT_TEXT, AT(type), "TYPE", "burglary, fire, hit-and-run, ... (see the man page)", 0,
	 0},
	{"case", OPT_TEXT, AT(case_number), "NUMBER", "case number: 1 to 32 letters, digits, . / -", 0,
	 0},
	{"reason", OPT_TEXT, AT(reason), "TEXT", "why, 20 to 500 characters; for the approver only", 0,
	 0},
	{"lat", OPT_TEXT, AT(lat), "DEGREES", "centre of the circle, north positive", 0, 0},
	{"lon", OPT_TEXT, AT(lon), "DEGREES", "centre of the circle, east positive", 0, 0},
	{"radius", OPT_INT, AT(radius_m), "METRES", "of the circle, 150 to 400; emergency: to 250", 1,
	 100000},
	{"from", OPT_TEXT, AT(from), "TIME", "start of the window, as 2026-11-25T20:00Z or -2h", 0, 0},
	{"to", OPT_TEXT, AT(to), "TIME", "end of the window", 0, 0},
	{"purpose", OPT_TEXT, AT(purpose), "PURPOSE", "investigation or emergency-aid", 0, 0},
	{"emergency", OPT_FLAG, AT(emergency), NULL,
	 "danger to life: a supervisor alone, reviewed later", 0, 0},
	{"open-hours", OPT_INT, AT(open_hours), "HOURS", "how long homes may answer (168; emergency 4)",
	 1, 336},
	OPT_END,
};

static const struct opt request_args[] = {
	{"REQUEST", OPT_TEXT, AT(subject), NULL, "id of the request", 1, 0},
	OPT_END,
};

static const struct opt since_opts[] = {
	{"since", OPT_DURATION, AT(since_ms), "DURATION", "only so far back, as 12h or 7d", 1000,
	 366 * DAY_MS},
	OPT_END,
};

static const struct opt watch_opts[] = {
	{"exec", OPT_TEXT, AT(exec), "COMMAND", "run this for each notice: JSON on its standard input",
	 0, 0},
	OPT_END,
};

static const struct opt fetch_opts[] = {
	{"dir", OPT_TEXT, AT(folder), "FOLDER", "where to put the clip", 0, 0},
	{"wait", OPT_DURATION, AT(wait_ms), "DURATION", "how long to try (60s)", 1000, 24 * HOUR_MS},
	{"link-cafile", OPT_TEXT, AT(link_cafile), "FILE", "certificate authority of the storage", 0,
	 0},
	OPT_END,
};
static const struct opt fetch_args[] = {
	{"DELIVERY", OPT_TEXT, AT(subject), NULL, "id of the delivery", 1, 0},
	OPT_END,
};

static const struct opt alert_opts[] = {
	{"kind", OPT_TEXT, AT(kind), "KIND", "fire, flood, missing-person, crime or other", 0, 0},
	{"text", OPT_TEXT, AT(text), "TEXT", "what people should know, at most 280 characters", 0, 0},
	{"until", OPT_TEXT, AT(until), "TIME", "when it ends, as 2026-11-25T20:00Z or +6h", 0, 0},
	OPT_END,
};
static const struct opt alert_args[] = {
	{"CELL", OPT_TEXT, AT(subject), NULL, "geohash cell of 5 letters", 1, 0},
	OPT_END,
};

/* Commands take their settings typed and answer with an exit code; opt.h knows neither. */
#define COMMAND(fn)                                                        \
	static int run_##fn(const struct opt_common *common, void *settings) { \
		return (int)fn(common, settings);                                  \
	}
COMMAND(command_submit)
COMMAND(command_approve)
COMMAND(command_withdraw)
COMMAND(command_resolve)
COMMAND(list_requests)
COMMAND(list_deliveries)
COMMAND(fetch_run)
COMMAND(list_notices)
COMMAND(watch_run)
COMMAND(command_alert)

static const struct opt_command commands[] = {
	{"submit", "file a request for approval; prints its id", submit_opts, NULL, run_command_submit},
	{"approve", "approve another officer's request", NULL, request_args, run_command_approve},
	{"withdraw", "withdraw a request before it opens", NULL, request_args, run_command_withdraw},
	{"resolve", "close an open request", NULL, request_args, run_command_resolve},
	{"list", "list the agency's requests", NULL, NULL, run_list_requests},
	{"deliveries", "list the clips that can be fetched", NULL, NULL, run_list_deliveries},
	{"fetch", "bring one clip into a folder", fetch_opts, fetch_args, run_fetch_run},
	{"notices", "list what the agency was told", since_opts, NULL, run_list_notices},
	{"watch", "print notices as they come", watch_opts, NULL, run_watch_run},
	{"alert", "warn the homes of a cell", alert_opts, alert_args, run_command_alert},
	{NULL, NULL, NULL, NULL, NULL},
};

const struct opt_program settings_program = {
	"vestibule-agency", "what an agency may ask, and what it was given", program_opts, NULL,
	commands,
};
