/* The table of the options, from which both parsing and --help come. */
#include "clients/conform/settings.h"

#include "proto/topic.h"

#define AT(member) offsetof(struct settings, member)

enum { LISTEN_PORT = 1884, PATIENCE_MS = 60000, PATIENCE_MIN_MS = 1000, PATIENCE_MAX_MS = 3600000 };

static const struct opt program_opts[] = {
	{"listen", OPT_TEXT, AT(listen), "ADDRESS",
	 "where the device connects to; 127.0.0.1 unless given", 0, 0},
	{"listen-port", OPT_INT, AT(listen_port), "PORT", "and the port; 1884 unless given", 1, 65535},
	{"other", OPT_TEXT, AT(other), "NAME",
	 "another credential of the broker, whose client id must be refused", 0, 0},
	{"ring-cmd", OPT_TEXT, AT(ring_cmd), "COMMAND", "makes the device ring", 0, 0},
	{"motion-cmd", OPT_TEXT, AT(motion_cmd), "COMMAND", "makes it see motion", 0, 0},
	{"clip-cmd", OPT_TEXT, AT(clip_cmd), "COMMAND", "makes it record a clip", 0, 0},
	{"stop-cmd", OPT_TEXT, AT(stop_cmd), "COMMAND", "makes it disconnect in good order", 0, 0},
	{"patience", OPT_DURATION, AT(patience_ms), "DURATION",
	 "how long to wait for what was asked of the device; 60s unless given", PATIENCE_MIN_MS,
	 PATIENCE_MAX_MS},
	{"list", OPT_FLAG, AT(list), NULL, "print the checks and where the contract says it", 0, 0},
	OPT_END,
};

const struct opt_program settings_program = {
	"vestibule-conform", "tells whether a device keeps the contract", program_opts, NULL, NULL,
};

void settings_init(struct settings *s) {
	*s = (struct settings){
		.listen = "127.0.0.1", .listen_port = LISTEN_PORT, .patience_ms = PATIENCE_MS};
}

int settings_check(const struct opt_common *common, const struct settings *s) {
	if (s->list) return -1;
	if (!common->username)
		return opt_usage(&settings_program, "--username is missing: the device's credential");
	if (!topic_username_is_valid(span_str(common->username)))
		return opt_usage(&settings_program, "--username %s: 3-64 of [a-z0-9_-]", common->username);
	if (s->other && !topic_username_is_valid(span_str(s->other)))
		return opt_usage(&settings_program, "--other %s: 3-64 of [a-z0-9_-]", s->other);
	if (s->other && strcmp(s->other, common->username) == 0)
		return opt_usage(&settings_program, "--other %s: not the device itself", s->other);
	if (common->cafile || common->cert || common->key)
		return opt_usage(&settings_program, "--cafile, --cert, --key: the broker of a test is "
											"reached without TLS");
	if (common->client_id_suffix)
		return opt_usage(&settings_program, "--client-id-suffix: the client id is the device's");
	return -1;
}
