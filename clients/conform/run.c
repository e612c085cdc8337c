/* See run.h. Callbacks of the wire feed the rules; everything else happens in the loop. */
#include "clients/conform/run.h"

#include <signal.h>
#include <stdarg.h>

#include "clients/conform/steps.h"
#include "clients/conform/wire.h"
#include "clients/mq/show.h"
#include "clients/mq/token.h"

enum { TURN_MS = 100, ANSWER_MAX = 8192, NOT_AUTHORISED_4 = 5, NOT_AUTHORISED_5 = 0x87 };

struct run {
	const struct opt_common *common;
	const struct settings *settings;
	char token[TOKEN_TEXT_MAX + 1];
	struct dial to;
	struct checks checks;
	struct codec *codec;
	struct pulls pulls;
	struct rules rules;
	struct steps steps;
	struct wire wire;
	struct rules_conn conns[WIRE_LINKS_MAX];
	size_t newest; /* the link that steps.conn is of */
};

static volatile sig_atomic_t ended;

static void on_signal(int number) {
	(void)number;
	ended = 1;
}

/* "vestibule-conform: SENTENCE" on stderr. */
static enum exit_code complain(enum exit_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum exit_code complain(enum exit_code code, const char *fmt, ...) {
	va_list args;
	va_start(args, fmt);
	show_complain(settings_program.name, fmt, args);
	va_end(args);
	return code;
}

/* --- the wire's events ------------------------------------------------------------------------ */

static void on_open(void *ctx, size_t at) {
	struct run *r = (struct run *)ctx;
	rules_open(&r->rules, &r->conns[at]);
	r->newest = at;
	r->steps.conn = &r->conns[at];
	r->steps.admitted_ms = 0;
	if (r->common->verbose) (void)fprintf(stderr, "conform: connection %u\n", r->conns[at].number);
}

static bool on_packet(void *ctx, size_t at, bool from_device, const struct packet *p) {
	struct run *r = (struct run *)ctx;
	struct rules_conn *c = &r->conns[at];
	int64_t now_ms = clock_read().boot_ms;
	if (!from_device) {
		bool before = c->admitted;
		enum rules_fate fate = rules_from_broker(&r->rules, c, p, now_ms);
		if (!before && c->admitted && at == r->newest) r->steps.admitted_ms = now_ms;
		return fate == RULES_PASS;
	}
	struct buf answer;
	buf_init(&answer, ANSWER_MAX);
	enum rules_fate fate = rules_from_device(&r->rules, c, p, now_ms, &answer);
	if (buf_error(&answer) == ERR_NONE) wire_say(&r->wire, at, buf_view(&answer));
	buf_fini(&answer);
	return fate == RULES_PASS;
}

static void on_unreadable(void *ctx, size_t at, bool from_device) {
	(void)at;
	if (from_device) rules_unreadable(&((struct run *)ctx)->rules, "a packet");
}

static void on_close(void *ctx, size_t at) {
	struct run *r = (struct run *)ctx;
	if (at == r->newest) r->steps.conn = NULL;
}

static const struct wire_events events = {on_open, on_packet, on_unreadable, on_close};

/* --- the logins that are our own -------------------------------------------------------------- */

static enum exit_code try_login(struct run *r, const char *client_id, const char *token,
								uint8_t *code) {
	char why[DIAL_WHY_SIZE];
	enum err e = dial_login(&r->to, span_str(client_id), span_str(r->common->username),
							span_str(token), code, why);
	if (e == ERR_NONE) return EXIT_RECORDED;
	return complain(e == ERR_NOMEM ? EXIT_INTERNAL : EXIT_UNAVAILABLE, "%s", why);
}

static void must_refuse(struct run *r, enum check which, uint8_t code) {
	if (code != 0)
		checks_ok(&r->checks, which);
	else
		checks_fail(&r->checks, which, "CONNACK 0x87", "the broker let it in");
}

static enum exit_code check_logins(struct run *r) {
	char id[TOPIC_USERNAME_MAX + sizeof(".conform")], wrong[TOKEN_TEXT_MAX + 1];
	uint8_t code = 0;
	enum exit_code rc;
	(void)snprintf(id, sizeof(id), "%s.conform", r->common->username); /* fits */
	rc = try_login(r, id, r->token, &code);
	if (rc != EXIT_RECORDED) return rc;
	if (code == NOT_AUTHORISED_4 || code == NOT_AUTHORISED_5)
		return complain(EXIT_NOT_AUTHORISED, "%s: the broker refused username and token",
						r->common->username);
	if (code != 0)
		return complain(EXIT_UNAVAILABLE, "the broker answered CONNECT with 0x%02x", code);
	checks_ok(&r->checks, CHECK_LOGIN);
	memcpy(wrong, r->token, sizeof(wrong));
	wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
	rc = try_login(r, id, wrong, &code);
	if (rc != EXIT_RECORDED) return rc;
	must_refuse(r, CHECK_WRONG_TOKEN, code);
	if (!r->settings->other) return EXIT_RECORDED;
	rc = try_login(r, r->settings->other, r->token, &code);
	if (rc == EXIT_RECORDED) must_refuse(r, CHECK_FOREIGN_ID, code);
	return rc;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void pull(struct run *r, struct moment now) {
	struct buf topic, payload, packet;
	buf_init(&topic, TOPIC_BYTES_MAX);
	buf_init(&payload, codec_bytes_max(CODEC_PULL));
	buf_init(&packet, ANSWER_MAX);
	pulls_tick(&r->pulls, now.boot_ms);
	if (r->steps.conn && r->steps.conn->admitted && pulls_ask(&r->pulls, now, &topic, &payload)) {
		packet_put_publish(&packet, r->steps.conn->v5, buf_view(&topic), buf_view(&payload));
		wire_say(&r->wire, r->newest, buf_view(&packet));
	}
	buf_fini(&packet);
	buf_fini(&payload);
	buf_fini(&topic);
}

static enum exit_code loop(struct run *r) {
	while (!ended) {
		if (wire_turn(&r->wire, TURN_MS) != ERR_NONE)
			return complain(EXIT_UNAVAILABLE, "%s", r->wire.why);
		struct moment now = clock_read();
		if (!steps_tick(&r->steps, now)) break;
		pull(r, now);
		if (r->steps.cut) wire_cut(&r->wire, r->newest);
		r->steps.cut = false;
	}
	return EXIT_RECORDED;
}

static enum exit_code report(struct run *r) {
	struct checks_sum sum;
	if (!checks_print(&r->checks, r->common->json, &sum)) return EXIT_INTERNAL;
	if (sum.failed > 0) return EXIT_REFUSED;
	return sum.not_seen > 0 ? EXIT_TIMEOUT : EXIT_RECORDED;
}

static enum exit_code test_device(struct run *r) {
	char why[WIRE_WHY_SIZE];
	enum exit_code rc = check_logins(r);
	if (rc != EXIT_RECORDED) return rc;
	if (wire_listen(&r->wire, r->settings->listen, (uint16_t)r->settings->listen_port, why) !=
		ERR_NONE)
		return complain(EXIT_UNAVAILABLE, "%s", why);
	(void)fprintf(stderr, "conform: connect the device to %s port %u\n", r->settings->listen,
				  (unsigned)r->settings->listen_port);
	rc = loop(r);
	return rc == EXIT_RECORDED ? report(r) : rc;
}

static bool catch_signals(void) {
	struct sigaction action = {.sa_handler = on_signal};
	return sigaction(SIGINT, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0;
}

static enum exit_code prepare(struct run *r) {
	char why[TOKEN_WHY_SIZE];
	if (r->common->token)
		(void)snprintf(r->token, sizeof(r->token), "%s", r->common->token); /* as opt.h read it */
	else if (!r->common->token_file)
		return complain(EXIT_USAGE, "--token-file is missing: the device's token");
	else if (token_read(r->common->token_file, r->token, why) != ERR_NONE)
		return complain(EXIT_USAGE, "%s", why);
	r->to = (struct dial){r->common->host, (uint16_t)r->common->port, r->common->timeout_ms};
	r->codec = codec_new();
	pulls_init(&r->pulls, &r->checks, r->codec, r->common->username);
	rules_init(&r->rules, &r->checks, r->codec, &r->pulls, r->common->username);
	if (!r->codec || !catch_signals() || steps_init(&r->steps, r->settings, &r->rules) != ERR_NONE)
		return complain(EXIT_INTERNAL, "no memory");
	return EXIT_RECORDED;
}

enum exit_code run_conform(const struct opt_common *common, const struct settings *settings) {
	if (settings->list) return checks_list(common->json) ? EXIT_RECORDED : EXIT_INTERNAL;
	struct run *r = (struct run *)calloc(1, sizeof(*r));
	if (!r) return complain(EXIT_INTERNAL, "no memory");
	r->common = common;
	r->settings = settings;
	wire_init(&r->wire, &r->to, &events, r);
	enum exit_code rc = prepare(r);
	r->wire.to = r->to;
	if (rc == EXIT_RECORDED) rc = test_device(r);
	wire_fini(&r->wire);
	steps_fini(&r->steps);
	pulls_fini(&r->pulls);
	codec_free(r->codec);
	memset(r->token, 0, sizeof(r->token));
	free(r);
	return rc;
}
