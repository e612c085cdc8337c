/* See cred.h. */
#include "clients/ctl/cred.h"

#include <stdio.h>
#include <unistd.h>

#include "clients/mq/token.h"

int cred_token(const char *token_out, char hash[65]) {
	char token[TOKEN_TEXT_SIZE], why[TOKEN_WHY_SIZE] = "";
	if (!token_out) {
		fputs(CTL_PROGRAM ": --token-out FILE is missing: where the new token is kept\n", stderr);
		return EXIT_USAGE;
	}
	if (token_draw(token) != ERR_NONE || token_hash(span_str(token), hash) != ERR_NONE) {
		fputs(CTL_PROGRAM ": no random bytes from the kernel\n", stderr);
		return EXIT_INTERNAL;
	}
	if (token_write(token_out, token, why) != ERR_NONE) {
		fprintf(stderr, CTL_PROGRAM ": %s\n", why);
		return EXIT_REFUSED;
	}
	return EXIT_RECORDED;
}

int cred_put(struct ask *a, const struct cred *c) {
	char hash[TOKEN_HASH_SIZE];
	int rc = cred_token(c->token_out, hash);
	if (rc != EXIT_RECORDED) return rc;
	cJSON *row = ask_put(a, "credential", true);
	ask_text(row, "username", c->username);
	ask_text(row, "kind", c->kind);
	ask_text(row, "subject", c->subject ? c->subject : "");
	ask_text(row, "role", c->role);
	row = ask_put(a, "token", true);
	ask_text(row, "username", c->username);
	ask_int(row, "slot", 0);
	ask_text(row, "sha256", hash);
	return EXIT_RECORDED;
}

void cred_undo(const struct cred *c) {
	if (c->token_out) (void)unlink(c->token_out);
}

void cred_settle(const struct cred *c, int rc) {
	if (rc == EXIT_RECORDED || !c->token_out) return;
	if (rc != EXIT_TIMEOUT && rc != EXIT_UNAVAILABLE && rc != EXIT_INTERNAL) {
		cred_undo(c);
		return;
	}
	fprintf(stderr,
			CTL_PROGRAM
			": whether it was recorded is not known: %s is kept; see `vestibule-ctl list`\n",
			c->token_out);
}
