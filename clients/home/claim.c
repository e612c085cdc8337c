/* See claim.h. */
#include "clients/home/claim.h"

#include <unistd.h>

#include "clients/home/command.h"
#include "clients/enrol/dial.h"
#include "clients/home/meet.h"
#include "clients/home/proof.h"
#include "clients/home/session.h"
#include "clients/mq/show.h"
#include "lib/hex.h"

struct claim {
	const struct opt_common *common;
	const struct settings *set;
	struct setup setup;
	struct code code;
	struct code_place at;
	struct meet meet;
	bool pinned; /* by this run */
};

/* --- what is typed ----------------------------------------------------------------------------- */

static enum exit_code read_code(struct claim *c) {
	char why[CODE_WHY_SIZE];
	if (code_parse(span_str(c->set->subject), &c->code, &c->at, why) != ERR_NONE)
		return session_fail(EXIT_USAGE, "the code: %s", why);
	if (c->set->at && code_place_parse(span_str(c->set->at), 1, &c->at) != ERR_NONE)
		return session_fail(EXIT_USAGE, "--at %s: not HOST:PORT", c->set->at);
	if (c->at.port) return EXIT_RECORDED;
	return session_fail(EXIT_USAGE,
						"where is the device? Give --at HOST:PORT as it shows it, or its "
						"whole vestibule:claim?... text");
}

/* Only a credential that is named counts: the first claim makes the configuration that names one. */
static bool has_credential(const struct opt_common *common) {
	return common->token || common->token_file || common->cert;
}

/* --- pinning ------------------------------------------------------------------------------------ */

static enum exit_code check_pin(struct claim *c) {
	char why[KEEP_WHY_SIZE];
	switch (pin_check(c->setup.keys, c->meet.device, c->meet.key, why)) {
	case PIN_NONE:
	case PIN_SAME: return EXIT_RECORDED;
	case PIN_OTHER:
		(void)session_fail(EXIT_REFUSED,
						   "WARNING: %s IS NOT THE DEVICE THAT WAS CLAIMED UNDER THIS NAME",
						   c->meet.device);
		return session_fail(
			EXIT_REFUSED,
			"its key: %s. Nothing was claimed. Ask who put it there; a device that was "
			"reset comes under a new name",
			why);
	default: return session_fail(EXIT_USAGE, "%s", why);
	}
}

static enum exit_code keep_pin(struct claim *c) {
	char why[KEEP_WHY_SIZE];
	if (pin_check(c->setup.keys, c->meet.device, c->meet.key, why) == PIN_SAME)
		return EXIT_RECORDED;
	c->pinned = pin_keep(c->setup.keys, c->meet.device, c->meet.key, why) == ERR_NONE;
	return c->pinned ? EXIT_RECORDED : session_fail(EXIT_USAGE, "%s", why);
}

/* --- what is said at the end ---------------------------------------------------------------------- */

/* device "": claimed by an earlier run that heard no answer. */
static enum exit_code say_claimed(const struct claim *c, const char *home, const char *username) {
	struct buf line;
	char key[PIN_KEY_TEXT_SIZE];
	const char *device = c->meet.device;
	hex_encode(span_of(c->meet.key, sizeof c->meet.key), key);
	buf_init(&line, SHOW_LINE_MAX);
	if (c->common->json) {
		buf_str(&line, "{\"recorded\":true,\"home\":");
		buf_json(&line, span_str(home));
		buf_str(&line, ",\"username\":");
		buf_json(&line, span_str(username));
		if (device[0]) {
			buf_str(&line, ",\"device\":");
			buf_json(&line, span_str(device));
			buf_printf(&line, ",\"device_key\":\"%s\"", key);
		}
		buf_char(&line, '}');
	} else {
		buf_str(&line, "claimed");
		if (device[0]) buf_printf(&line, " %s", device);
		buf_printf(&line, " for home %s as %s", home, username);
		if (device[0]) buf_printf(&line, "; its key %s is pinned", key);
	}
	bool ok = show_line(&line);
	buf_fini(&line);
	return ok ? EXIT_RECORDED : EXIT_INTERNAL;
}

/* --- an admin of a home with people ----------------------------------------------------------------- */

static enum exit_code command_claim(struct session *s, const char *device,
									struct exchange_answer *answer) {
	Vestibule__V1__Claim claim = VESTIBULE__V1__CLAIM__INIT;
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	claim.device = (char *)(uintptr_t)device; /* only read: the generated structs know no const */
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_CLAIM;
	cmd.claim = &claim;
	enum exit_code rc = exchange_home(s->mq, s->home, &cmd, s->common->timeout_ms, answer);
	if (rc != EXIT_RECORDED) exchange_complain(settings_program.name, rc, answer);
	return rc;
}

static enum exit_code claim_as_admin(struct claim *c, struct session *s) {
	struct meet_opts o = {
		.code = &c->code, .at = &c->at, .setup = &c->setup, .timeout_ms = c->common->timeout_ms};
	struct exchange_answer answer;
	enum exit_code rc = session_learn_home(s);
	if (rc == EXIT_RECORDED) rc = meet_open(&c->meet, &o);
	if (rc == EXIT_RECORDED) rc = check_pin(c);
	if (rc != EXIT_RECORDED) return rc;
	rc = command_claim(s, c->meet.device, &answer);
	if (rc == EXIT_RECORDED) rc = keep_pin(c);
	enum exit_code told = meet_settle(&c->meet, rc == EXIT_RECORDED);
	if (rc == EXIT_RECORDED && told != EXIT_RECORDED)
		return session_fail(told,
							"%s is claimed, but has not pinned this home's keys: run it again",
							c->meet.device);
	return rc == EXIT_RECORDED ? say_claimed(c, s->home, mq_username(s->mq)) : rc;
}

/* --- the first person of a home ---------------------------------------------------------------------- */

/* Connects as the new admin would. EXIT_RECORDED: that is an admin now; home is filled in. */
static enum exit_code try_broker(const struct claim *c, const struct setup_broker *b,
								 char home[TOPIC_ID_MAX + 1]) {
	char why[MQ_WHY_SIZE];
	struct exchange_answer answer;
	struct opt_common as = *c->common;
	as.host = b->host;
	as.port = b->port;
	as.username = b->username;
	as.token_file = c->setup.token;
	as.cafile = b->cafile[0] ? b->cafile : NULL;
	struct mq *mq = mq_new(&as, &(struct mq_opts){0}, why);
	enum exit_code rc = mq ? mq_connect(mq, why) : EXIT_INTERNAL;
	if (rc == EXIT_RECORDED)
		rc = exchange_subject(mq, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES, as.timeout_ms, home,
							  &answer);
	mq_free(mq);
	return rc;
}

static enum exit_code finish(const struct claim *c, const struct setup_broker *b,
							 const char *home) {
	enum exit_code rc = setup_finish(&c->setup);
	if (rc == EXIT_RECORDED) rc = say_claimed(c, home, b->username);
	if (rc == EXIT_RECORDED && !c->common->json)
		(void)fprintf(stderr, "configuration: %s\n", c->setup.conf);
	return rc;
}

static bool is_loopback(const char *host) {
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
		   strncmp(host, "127.", 4) == 0;
}

/* What was typed otherwise than the default is meant. */
static void take_typed(const struct claim *c, struct setup_broker *b) {
	if (strcmp(c->common->host, "127.0.0.1") != 0)
		(void)span_copy(span_str(c->common->host), b->host, sizeof b->host); /* else it stays */
	if (c->common->port != 1883) b->port = c->common->port;
}

static bool answers(const struct claim *c, const char *host, uint16_t port) {
	char why[DIAL_WHY_SIZE];
	struct code_place at = {.port = port};
	int sock = -1;
	if (!span_copy(span_str(host), at.host, sizeof at.host) ||
		dial_connect(&at, c->common->timeout_ms, &sock, why) != ERR_NONE)
		return false;
	(void)close(sock);
	return true;
}

/* How the resident reaches the broker, from how the device does. A broker on the device's own
 * machine is where the device is, unless it listens there for the machine alone. */
static enum exit_code name_broker(const struct claim *c, struct setup_broker *b) {
	static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";
	const char *host = c->meet.host, *ca = "";
	if (is_loopback(host) && answers(c, c->at.host, c->meet.port)) host = c->at.host;
	if (c->meet.tls)
		ca = c->common->cafile ? c->common->cafile : c->meet.ca_pem[0] ? c->setup.ca : system_ca;
	b->port = c->meet.port;
	if (!span_copy(span_str(host), b->host, sizeof b->host) ||
		!span_copy(span_str(ca), b->cafile, sizeof b->cafile) ||
		!span_copy(span_str(c->common->username), b->username, sizeof b->username))
		return session_fail(EXIT_USAGE, "a name or path is too long");
	take_typed(c, b);
	return EXIT_RECORDED;
}

/* Everything on disk first: once the broker says yes, nothing here may be missing. */
static enum exit_code prepare(struct claim *c, struct setup_broker *b) {
	enum exit_code rc = check_pin(c);
	if (rc == EXIT_RECORDED) rc = name_broker(c, b);
	if (rc == EXIT_RECORDED) rc = setup_write(&c->setup, c->set, b, span_str(c->meet.ca_pem));
	return rc == EXIT_RECORDED ? keep_pin(c) : rc;
}

static void undo(const struct claim *c) {
	char why[KEEP_WHY_SIZE];
	if (c->pinned && pin_forget(c->setup.keys, c->meet.device, why) != ERR_NONE)
		(void)session_fail(EXIT_USAGE, "%s", why); /* the refusal is the exit code */
	setup_undo(&c->setup);
}

/* The answer that an earlier run did not hear. */
static bool take_up(const struct claim *c, struct setup_broker *b, char home[TOPIC_ID_MAX + 1]) {
	if (!setup_read(&c->setup, b)) return false;
	take_typed(c, b);
	return try_broker(c, b, home) == EXIT_RECORDED &&
		   setup_write(&c->setup, c->set, b, (struct span){NULL, 0}) == EXIT_RECORDED;
}

static enum exit_code claim_first(struct claim *c) {
	uint8_t sha256[PROOF_SHA256_BYTES];
	bool made;
	char home[TOPIC_ID_MAX + 1] = "";
	struct setup_broker b;
	struct meet_opts o = {.code = &c->code,
						  .at = &c->at,
						  .setup = &c->setup,
						  .username = c->common->username,
						  .token_sha256 = sha256,
						  .timeout_ms = c->common->timeout_ms};
	enum exit_code rc = proof_of(c->setup.token, sha256, &made);
	if (rc != EXIT_RECORDED) return rc;
	if (take_up(c, &b, home)) return finish(c, &b, home);
	b = (struct setup_broker){.port = 0};
	rc = meet_open(&c->meet, &o);
	if (rc == EXIT_RECORDED) rc = prepare(c, &b);
	if (rc != EXIT_RECORDED) return rc;
	rc = meet_settle(&c->meet, true);
	if (rc == EXIT_REFUSED) {
		undo(c);
		return rc;
	}
	/* the broker itself is asked, whatever the device said or did not say */
	enum exit_code known = try_broker(c, &b, home);
	if (known == EXIT_RECORDED) return finish(c, &b, home);
	if (rc != EXIT_RECORDED)
		return session_fail(rc, "whether the broker took it is not known: run it again");
	return session_fail(
		known,
		"the broker took it, but %s port %lld does not let %s in from here: run it again "
		"with --host and --port as this machine reaches the broker",
		b.host, (long long)b.port, b.username);
}

static enum exit_code check_first(const struct claim *c) {
	if (!c->common->username)
		return session_fail(
			EXIT_USAGE,
			"the first claim of a home needs --username NAME, as you want to be called");
	if (!topic_username_is_valid(span_str(c->common->username)))
		return session_fail(EXIT_USAGE, "--username %s: 3 to 64 of a-z 0-9 _ -",
							c->common->username);
	if (access(c->setup.conf, F_OK) == 0 || c->common->config)
		return session_fail(
			EXIT_USAGE, "there is a configuration, but it names no token-file: add it, or move the "
						"configuration away to become somebody new");
	return EXIT_RECORDED;
}

/* --- commands --------------------------------------------------------------------------------------- */

static enum exit_code claim_by_name(const struct opt_common *common, const struct settings *set) {
	struct session s;
	struct exchange_answer answer;
	if (!topic_id_is_valid(span_str(set->device)))
		return session_fail(EXIT_USAGE, "--device %s: not a device id", set->device);
	enum exit_code rc = session_open(&s, common, set, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) rc = session_learn_home(&s);
	if (rc == EXIT_RECORDED) rc = command_claim(&s, set->device, &answer);
	if (rc == EXIT_RECORDED) {
		(void)session_fail(
			rc,
			"%s is claimed by its name alone: no key was exchanged or pinned, so its "
			"clips cannot be sealed to this home. Claim it with its code for that",
			set->device);
		rc = session_say_recorded(&s, &answer);
	}
	session_close(&s);
	return rc;
}

enum exit_code claim_run(const struct opt_common *common, const struct settings *set) {
	struct session s = {0};
	if (!set->subject == !set->device)
		return session_fail(EXIT_USAGE, "give the CODE that the device shows, or --device NAME");
	if (!set->subject) return claim_by_name(common, set);
	struct claim *c = calloc(1, sizeof *c);
	if (!c) return session_fail(EXIT_INTERNAL, "no memory");
	c->common = common;
	c->set = set;
	bool first = !has_credential(common);
	enum exit_code rc = read_code(c);
	if (rc == EXIT_RECORDED) rc = setup_open(&c->setup, set);
	if (rc == EXIT_RECORDED && first) rc = check_first(c);
	if (rc == EXIT_RECORDED) rc = setup_recipients(&c->setup, set);
	if (rc == EXIT_RECORDED && !first) rc = session_open(&s, common, set, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) rc = first ? claim_first(c) : claim_as_admin(c, &s);
	session_close(&s);
	meet_close(&c->meet);
	explicit_bzero(c, sizeof *c);
	free(c);
	return rc;
}

enum exit_code claim_retire(const struct opt_common *common, const struct settings *set) {
	char why[KEEP_WHY_SIZE];
	struct setup setup;
	if (!set->confirmed)
		return session_fail(
			EXIT_USAGE, "retire ends every grant and clip of %s for good; say --yes", set->subject);
	if (!topic_id_is_valid(span_str(set->subject)))
		return session_fail(EXIT_USAGE, "%s: not a device id", set->subject);
	Vestibule__V1__Retire retire = VESTIBULE__V1__RETIRE__INIT;
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	retire.device = (char *)(uintptr_t)set->subject; /* only read */
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RETIRE;
	cmd.retire = &retire;
	enum exit_code rc = command_send(common, set, &cmd);
	if (rc == EXIT_RECORDED) rc = setup_open(&setup, set);
	if (rc == EXIT_RECORDED && pin_forget(setup.keys, set->subject, why) != ERR_NONE)
		rc = session_fail(EXIT_INTERNAL, "%s", why);
	return rc;
}
