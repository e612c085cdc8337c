/* A new credential in one go: its token is drawn here and kept in a file, its row and its hash are
 * put. */
#ifndef CTL_CRED_H
#define CTL_CRED_H

#include "clients/ctl/ask.h"

struct cred {
	const char *username;
	const char *kind;    /* "device", "member", ... */
	const char *subject; /* NULL: none */
	const char *role;    /* NULL: none */
	const char *token_out;
};

/* Adds `put credential` and `put token` to a, and writes the token file. EXIT_RECORDED, or the
 * complaint was printed and no file is left. When the command is then refused, cred_undo removes
 * the file again. */
int cred_put(struct ask *a, const struct cred *c);
void cred_undo(const struct cred *c);
/* After sending: refused, so the file goes; no answer, so it stays, and stderr says why. */
void cred_settle(const struct cred *c, int rc);

/* A token into a new file and its hash out: EXIT_RECORDED or the complaint was printed. */
int cred_token(const char *token_out, char hash[65]);

#endif
