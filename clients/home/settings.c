/* The tables: every command with its options and arguments, from which both parsing and --help
 * come. What a command does is its own file's business. */
#include "clients/home/settings.h"

#include "clients/home/claim.h"
#include "clients/home/clip.h"
#include "clients/home/command.h"
#include "clients/home/invite.h"
#include "clients/home/list.h"
#include "clients/home/rotate.h"
#include "clients/home/rules.h"
#include "clients/home/watch.h"

#define AT(member) offsetof(struct settings, member)
#define DAY_MS     INT64_C(86400000)

static const struct opt program_opts[] = {
	{"home", OPT_TEXT, AT(home), "HOME", "the home; learned from the broker unless given", 0, 0},
	{"keys", OPT_TEXT, AT(keys), "DIR",
	 "folder of the home's key and of pinned device keys (that of the configuration)", 0, 0},
	OPT_END,
};

static const struct opt watch_opts[] = {
	{"exec", OPT_TEXT, AT(exec), "COMMAND", "run this for each event: JSON on its standard input",
	 0, 0},
	{"area", OPT_TEXT, AT(area), "CELL", "also alerts for this geohash cell of 5 letters", 0, 0},
	OPT_END,
};

static const struct opt since_opts[] = {
	{"since", OPT_DURATION, AT(since_ms), "DURATION", "only so far back, as 12h or 7d", 1000,
	 366 * DAY_MS},
	OPT_END,
};

static const struct opt clip_opts[] = {
	{"out", OPT_TEXT, AT(out), "FILE", "where to put the clip; FILE.part until it is whole", 0, 0},
	OPT_END,
};
static const struct opt clip_args[] = {
	{"get", OPT_TEXT, AT(action), NULL, "what to do with the clip", 1, 0},
	{"CLIP", OPT_TEXT, AT(subject), NULL, "id of the clip", 1, 0},
	OPT_END,
};

static const struct opt answer_opts[] = {
	{"yes", OPT_LIST, AT(yes), "CLIP", "share this clip (may be repeated)", 0, 0},
	{"no", OPT_LIST, AT(no), "CLIP", "do not share this clip (may be repeated)", 0, 0},
	{"none", OPT_FLAG, AT(none), NULL, "share none of them", 0, 0},
	{"exp", OPT_INT, AT(exp_days), "DAYS",
	 "end of the approval, counted from now; 14 days after release unless given", 1, 30},
	OPT_END,
};
static const struct opt answer_args[] = {
	{"ASK", OPT_TEXT, AT(subject), NULL, "id of the ask", 1, 0},
	OPT_END,
};

static const struct opt retract_args[] = {
	{"GRANT", OPT_TEXT, AT(subject), NULL, "id of the grant, of either sort", 1, 0},
	OPT_END,
};

static const struct opt grants_args[] = {
	{"list", OPT_TEXT, AT(action), NULL, "the word list, or nothing", 0, 0},
	OPT_END,
};

static const struct opt grant_opts[] = {
	{"kind", OPT_TEXT, AT(kind), "KIND", "ring, motion or clip", 0, 0},
	{"device", OPT_TEXT, AT(device), "DEVICE", "this device only; every device unless given", 0, 0},
	{"days", OPT_INT, AT(days), "DAYS", "how long it lasts, 1 to 365", 1, 365},
	OPT_END,
};
static const struct opt grant_args[] = {
	{"INTEGRATOR", OPT_TEXT, AT(subject), NULL, "who may read", 1, 0},
	OPT_END,
};

static const struct opt rules_args[] = {
	{"show|set", OPT_TEXT, AT(action), NULL, "print the own rules, or replace them", 1, 0},
	{"FILE", OPT_TEXT, AT(subject), NULL, "the new text for set; - reads standard input", 0, 0},
	OPT_END,
};

static const struct opt invite_opts[] = {
	{"role", OPT_TEXT, AT(role), "ROLE", "adult, limited or admin", 0, 0},
	{"token-out", OPT_TEXT, AT(token_out), "FILE", "where to put the new member's token", 0, 0},
	OPT_END,
};
static const struct opt claim_opts[] = {
	{"at", OPT_TEXT, AT(at), "HOST:PORT", "where the device waits, as it shows it", 0, 0},
	{"device", OPT_TEXT, AT(device), "NAME", "claim by name, without a code: no key is pinned", 0,
	 0},
	{"recipient", OPT_LIST, AT(recipients), "AGE1",
	 "a further age recipient of the home (repeated)", 0, 0},
	OPT_END,
};
static const struct opt claim_args[] = {
	{"CODE", OPT_TEXT, AT(subject), NULL,
	 "the code that the device shows, or its vestibule:claim?...", 0, 0},
	OPT_END,
};

static const struct opt retire_opts[] = {
	{"yes", OPT_FLAG, AT(confirmed), NULL, "it is meant", 0, 0},
	OPT_END,
};
static const struct opt retire_args[] = {
	{"DEVICE", OPT_TEXT, AT(subject), NULL, "the device that is lost or given away", 1, 0},
	OPT_END,
};

static const struct opt username_args[] = {
	{"USERNAME", OPT_TEXT, AT(subject), NULL, "the member", 1, 0},
	OPT_END,
};

/* Commands take their settings typed and answer with an exit code; opt.h knows neither. */
#define COMMAND(fn)                                                        \
	static int run_##fn(const struct opt_common *common, void *settings) { \
		return (int)fn(common, settings);                                  \
	}
COMMAND(watch_run)
COMMAND(claim_run)
COMMAND(claim_retire)
COMMAND(list_devices)
COMMAND(list_members)
COMMAND(list_clips)
COMMAND(clip_run)
COMMAND(list_asks)
COMMAND(command_answer)
COMMAND(list_grants)
COMMAND(command_grant)
COMMAND(command_retract)
COMMAND(rules_run)
COMMAND(list_receipts)
COMMAND(invite_run)
COMMAND(command_remove)
COMMAND(command_leave)
COMMAND(rotate_run)

static const struct opt_command commands[] = {
	{"watch", "print rings, motion, clips, asks and receipts as they come", watch_opts, NULL,
	 run_watch_run},
	{"claim", "make a device yours: the first one of a home, or a further one", claim_opts,
	 claim_args, run_claim_run},
	{"retire", "end a device that is lost or given away", retire_opts, retire_args,
	 run_claim_retire},
	{"devices", "list the home's devices", NULL, NULL, run_list_devices},
	{"members", "list the people of the home", NULL, NULL, run_list_members},
	{"clips", "list the clips the devices hold", since_opts, NULL, run_list_clips},
	{"clip", "bring a clip from its device to a file", clip_opts, clip_args, run_clip_run},
	{"asks", "list the asks that wait for an answer", NULL, NULL, run_list_asks},
	{"answer", "answer an ask, clip by clip", answer_opts, answer_args, run_command_answer},
	{"grants", "list what was granted, to agencies and integrators", NULL, grants_args,
	 run_list_grants},
	{"grant", "let an integrator read events of one kind", grant_opts, grant_args,
	 run_command_grant},
	{"retract", "take a grant back", NULL, retract_args, run_command_retract},
	{"rules", "show or set who may ever ask, for what, when", NULL, rules_args, run_rules_run},
	{"receipts", "list what happened to grants, clips and members", since_opts, NULL,
	 run_list_receipts},
	{"invite", "invite a member", invite_opts, username_args, run_invite_run},
	{"remove", "remove a member", NULL, username_args, run_command_remove},
	{"leave", "leave the home", NULL, NULL, run_command_leave},
	{"rotate", "replace the own token: who came in by the old one is out", NULL, NULL,
	 run_rotate_run},
	{NULL, NULL, NULL, NULL, NULL},
};

const struct opt_program settings_program = {
	"vestibule-home", "what the people of a home see and say", program_opts, NULL, commands,
};
