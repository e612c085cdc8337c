/* What proves that the broker took the next token is a login with it: the receipt of this command
 * is sent to connections that the command itself ends. */
#include "clients/home/rotate.h"

#include <poll.h>

#include "clients/home/proof.h"
#include "clients/home/session.h"
#include "lib/clock.h"
#include "lib/keep.h"

enum { RETRY_MS = 200 };

struct rotation {
	const struct opt_common *common;
	struct opt_common as_next; /* the same, with the next token */
	char next[KEEP_PATH_SIZE]; /* its file */
	bool made;                 /* the file is of this run */
	bool heard;                /* the broker may have taken it: the file must stay */
};

/* Does the broker take the next token? Asked until the time is over: it is good when it is on
 * disk there. */
static enum exit_code next_is_good(const struct rotation *r, int64_t for_ms) {
	int64_t until = clock_read().boot_ms + for_ms;
	for (;;) {
		char why[MQ_WHY_SIZE];
		struct mq *mq = mq_new(&r->as_next, &(struct mq_opts){0}, why);
		enum exit_code rc = mq ? mq_connect(mq, why) : EXIT_INTERNAL;
		mq_free(mq);
		if (rc == EXIT_RECORDED || clock_read().boot_ms >= until) return rc;
		(void)poll(NULL, 0, RETRY_MS);
	}
}

static enum exit_code take_next(const struct rotation *r) {
	char why[KEEP_WHY_SIZE];
	if (keep_rename(r->next, r->common->token_file, why) != ERR_NONE)
		return session_fail(EXIT_INTERNAL, "the new token is good, but %s", why);
	return EXIT_RECORDED;
}

static enum exit_code send(struct rotation *r, struct session *s,
						   uint8_t sha256[PROOF_SHA256_BYTES]) {
	Vestibule__V1__Rotate rotate = VESTIBULE__V1__ROTATE__INIT;
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	struct exchange_answer answer = {0};
	rotate.token_sha256 = (ProtobufCBinaryData){PROOF_SHA256_BYTES, sha256};
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_ROTATE;
	cmd.rotate = &rotate;
	enum exit_code rc = exchange_home(s->mq, s->home, &cmd, r->common->timeout_ms, &answer);
	r->heard = rc != EXIT_REFUSED && rc != EXIT_NOT_AUTHORISED && rc != EXIT_USAGE;
	if (!r->heard) {
		exchange_complain(settings_program.name, rc, &answer);
		return rc;
	}
	if (next_is_good(r, r->common->timeout_ms) != EXIT_RECORDED)
		return session_fail(EXIT_TIMEOUT,
							"not known yet whether the broker took the new token; it is kept in "
							"%s: run this again",
							r->next);
	rc = take_next(r);
	return rc == EXIT_RECORDED ? session_say_recorded(s, &answer) : rc;
}

enum exit_code rotate_run(const struct opt_common *common, const struct settings *set) {
	struct rotation r = {.common = common, .as_next = *common};
	uint8_t sha256[PROOF_SHA256_BYTES];
	struct session s = {0};
	if (!common->token_file)
		return session_fail(EXIT_USAGE, "rotate replaces the token in a file: give --token-file");
	if (common->cert)
		return session_fail(EXIT_USAGE, "rotate tries the new token: leave --cert and --key out");
	int n = snprintf(r.next, sizeof(r.next), "%s.new", common->token_file);
	if (n < 0 || n >= (int)sizeof(r.next))
		return session_fail(EXIT_USAGE, "--token-file: the path is too long");
	r.as_next.token_file = r.next;
	enum exit_code rc = proof_of(r.next, sha256, &r.made);
	if (rc != EXIT_RECORDED) return rc;
	if (!r.made && next_is_good(&r, 0) == EXIT_RECORDED) {
		/* an earlier run was cut off behind the change: on from what it reached */
		rc = take_next(&r);
		if (rc == EXIT_RECORDED) rc = proof_of(r.next, sha256, &r.made);
		if (rc != EXIT_RECORDED) return rc;
	}
	rc = session_open(&s, common, set, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) rc = session_learn_home(&s);
	if (rc == EXIT_RECORDED) rc = send(&r, &s, sha256);
	session_close(&s);
	char why[KEEP_WHY_SIZE];
	if (!r.heard && r.made && keep_remove(r.next, why) != ERR_NONE)
		return session_fail(rc, "%s", why);
	return rc;
}
