/* vestibule-ctl: the operator's program. Its tables of commands and options; what they do is in
 * init.c, restored.c, quickstart.c, registry.c and inspect.c. */
#include "clients/ctl/ctl.h"

#define SET(member) offsetof(struct ctl_settings, member)
#define TOKEN_OUT                                                                                 \
	{                                                                                             \
		"token-out", OPT_TEXT, SET(token_out), "FILE", "where the new token is kept (mode 0600)", \
			0, 0                                                                                  \
	}
#define NAME_OPT \
	{ "name", OPT_TEXT, SET(name), "TEXT", "name for people", 0, 0 }
#define ACTION \
	{ "ACTION", OPT_TEXT, SET(action), NULL, "add", 1, 0 }

static const struct opt init_opts[] = {
	{"store", OPT_TEXT, SET(store), "FILE", "the database to make", 0, 0},
	{"operator", OPT_TEXT, SET(operator_name), "NAME",
	 "username of the first operator (default: operator)", 0, 0},
	TOKEN_OUT,
	{"owner", OPT_TEXT, SET(owner), "USER", "give the database to the broker's user", 0, 0},
	OPT_END};

static const struct opt restored_opts[] = {
	{"store", OPT_TEXT, SET(store), "FILE", "the database that was restored", 0, 0}, OPT_END};

static const struct opt quickstart_opts[] = {
	{"home", OPT_TEXT, SET(home), "ID", "id of the home (default: home)", 0, 0},
	{"device", OPT_TEXT, SET(device), "ID", "id and username of the doorbell (default: front-door)",
	 0, 0},
	{"member", OPT_TEXT, SET(member), "NAME", "username of the first admin (default: admin)", 0, 0},
	{"cell", OPT_TEXT, SET(cell), "GEOHASH8",
	 "where the doorbell is; without: in no agency's circle", 0, 0},
	{"out", OPT_TEXT, SET(out_dir), "DIR", "where the token files go (default: here)", 0, 0},
	{"unsealed-ok", OPT_FLAG, SET(unsealed_ok), NULL, "clips may be shared unsealed (demo only)", 0,
	 0},
	NAME_OPT,
	OPT_END};

static const struct opt home_opts[] = {NAME_OPT,
									   {"unsealed-ok", OPT_FLAG, SET(unsealed_ok), NULL,
										"clips may be shared unsealed (demo only)", 0, 0},
									   OPT_END};
static const struct opt device_opts[] = {
	{"home", OPT_TEXT, SET(home), "ID", "its home", 0, 0},
	{"cell", OPT_TEXT, SET(cell), "GEOHASH8", "where it is", 0, 0},
	NAME_OPT,
	TOKEN_OUT,
	OPT_END};
static const struct opt agency_opts[] = {
	{"kind", OPT_TEXT, SET(kind), "KIND", "police, fire or ambulance", 0, 0},
	{"jurisdiction", OPT_TEXT, SET(jurisdiction), "FILE", "JSON rings of [latitude, longitude]", 0,
	 0},
	{"recipient", OPT_TEXT, SET(recipient), "AGE", "age recipient clips are sealed to", 0, 0},
	{"key-days", OPT_INT, SET(key_days), "N", "life of that key in days (default: 365)", 1, 366},
	{"policy-url", OPT_TEXT, SET(policy_url), "URL", "its published policy", 0, 0},
	NAME_OPT,
	OPT_END};
static const struct opt officer_opts[] = {
	{"agency", OPT_TEXT, SET(agency), "ID", "its agency", 0, 0},
	{"role", OPT_TEXT, SET(role), "ROLE", "investigator, supervisor, evidence, liaison or auditor",
	 0, 0},
	TOKEN_OUT,
	OPT_END};
static const struct opt integrator_opts[] = {
	{"id", OPT_TEXT, SET(public_id), "ID", "id homes grant to (default: the username)", 0, 0},
	NAME_OPT,
	TOKEN_OUT,
	OPT_END};
static const struct opt relay_opts[] = {
	{"id", OPT_TEXT, SET(public_id), "ID", "id of the relay (default: the username)", 0, 0},
	NAME_OPT,
	TOKEN_OUT,
	OPT_END};
static const struct opt app_opts[] = {
	{"access", OPT_TEXT, SET(access), "ACCESS", "read, write or both (default: read)", 0, 0},
	TOKEN_OUT,
	OPT_END};
static const struct opt token_opts[] = {
	{"slot", OPT_INT, SET(slot), "N", "0 or 1: two tokens are valid at once (default: 1)", 0, 1},
	TOKEN_OUT,
	OPT_END};

static const struct opt add_args[] = {
	ACTION, {"ID", OPT_TEXT, SET(id), NULL, "id or username", 1, 0}, OPT_END};
static const struct opt app_args[] = {
	{"ACTION", OPT_TEXT, SET(action), NULL, "add, allow or disallow", 1, 0},
	{"USERNAME", OPT_TEXT, SET(id), NULL, "the program's credential", 1, 0},
	{"FILTER", OPT_TEXT, SET(third), NULL, "topics outside vestibule/ and $ (allow, disallow)", 0,
	 0},
	OPT_END};
static const struct opt token_args[] = {{"ACTION", OPT_TEXT, SET(action), NULL, "rotate", 1, 0},
										{"USERNAME", OPT_TEXT, SET(id), NULL, "whose token", 1, 0},
										OPT_END};
static const struct opt kind_id_args[] = {{"KIND", OPT_TEXT, SET(kind), NULL,
										   "credential, device, home, agency, integrator, relay", 1,
										   0},
										  {"ID", OPT_TEXT, SET(id), NULL, "id or username", 1, 0},
										  OPT_END};
static const struct opt kind_args[] = {
	{"KIND", OPT_TEXT, SET(kind), NULL,
	 "home, device, credential, agency, integrator, relay, app_topic", 1, 0},
	OPT_END};
static const struct opt request_args[] = {
	{"ACTION", OPT_TEXT, SET(action), NULL, "reject, suspend or resume", 1, 0},
	{"ID", OPT_TEXT, SET(id), NULL, "the request", 1, 0},
	OPT_END};
static const struct opt explain_args[] = {
	{"USERNAME", OPT_TEXT, SET(id), NULL, "the credential", 1, 0},
	{"ACCESS", OPT_TEXT, SET(access), NULL, "read, write or subscribe", 1, 0},
	{"TOPIC", OPT_TEXT, SET(third), NULL, "topic name or filter", 1, 0},
	OPT_END};
static const struct opt username_args[] = {
	{"USERNAME", OPT_TEXT, SET(id), NULL, "the credential", 1, 0}, OPT_END};

static int suspend_run(const struct opt_common *common, void *settings) {
	((struct ctl_settings *)settings)->action = "suspend";
	return inspect_change(common, settings);
}
static int resume_run(const struct opt_common *common, void *settings) {
	((struct ctl_settings *)settings)->action = "resume";
	return inspect_change(common, settings);
}
static int remove_run(const struct opt_common *common, void *settings) {
	((struct ctl_settings *)settings)->action = "remove";
	return inspect_change(common, settings);
}

static const struct opt_command commands[] = {
	{"init", "make the store and the first operator, offline", init_opts, NULL, init_run},
	{"restored", "end every grant of a database that was restored, offline", restored_opts, NULL,
	 restored_run},
	{"quickstart", "add a home, a doorbell, its admin and its automation", quickstart_opts, NULL,
	 quickstart_run},
	{"home", "home add ID", home_opts, add_args, registry_home},
	{"device", "device add ID", device_opts, add_args, registry_device},
	{"agency", "agency add ID", agency_opts, add_args, registry_agency},
	{"officer", "officer add USERNAME", officer_opts, add_args, registry_officer},
	{"integrator", "integrator add USERNAME", integrator_opts, add_args, registry_integrator},
	{"relay", "relay add USERNAME", relay_opts, add_args, registry_relay},
	{"app", "app add USERNAME; app allow USERNAME FILTER", app_opts, app_args, registry_app},
	{"token", "token rotate USERNAME", token_opts, token_args, registry_token},
	{"suspend", "end a credential or agency for the time being", NULL, kind_id_args, suspend_run},
	{"resume", "end the suspension", NULL, kind_id_args, resume_run},
	{"remove", "remove, with everything that goes with it", NULL, kind_id_args, remove_run},
	{"request", "a moderator's word on a request", NULL, request_args, inspect_request},
	{"list", "rows of the registry", NULL, kind_args, inspect_list},
	{"explain", "may USERNAME do that, and why", NULL, explain_args, inspect_explain},
	{"denials", "the last refusals of a credential", NULL, username_args, inspect_denials},
	{"status", "health and counters", NULL, NULL, inspect_status},
	{"trust-clock", "the broker's clock is right again", NULL, NULL, inspect_trust_clock},
	{0}};

static const struct opt_program program = {"vestibule-ctl", "the registry of a Vestibule bus", NULL,
										   NULL, commands};

int main(int argc, char **argv) {
	struct ctl_settings s = {
		.operator_name = "operator",
		.device = "front-door",
		.member = "admin",
		.key_days = 365,
		.slot = 1,
	};
	struct opt_common common;
	struct opt_choice choice;
	int rc = opt_parse(&program, argc, argv, &common, &s, &choice);
	if (rc < 0) rc = choice.command->run(&common, &s);
	opt_fini(&choice);
	return rc;
}
