/* `vestibule-ctl init`: makes the store and the first operator, offline, before the broker has ever
 * run. It and `restored` open the database; everything else goes through $CONTROL. */
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "clients/ctl/ctl.h"
#include "clients/mq/token.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "plugin/store/store.h"

#define PROGRAM "vestibule-ctl init"

/* The operator's credential and its token, as the first change of the store. */
static enum err write_operator(struct store *s, const char *username, const char *hash, char *why) {
	int64_t now_ms = clock_read().utc_ms;
	struct row_credential cred = {
		.row.kind = ROW_CREDENTIAL, .kind = CRED_OPERATOR, .created_ms = now_ms};
	struct row_token token = {.row.kind = ROW_TOKEN, .created_ms = now_ms};
	if (!span_copy(span_str(username), cred.username, sizeof cred.username) ||
		!span_copy(span_str(username), token.username, sizeof token.username) ||
		!span_copy(span_str(hash), token.sha256, sizeof token.sha256)) {
		(void)snprintf(why, STORE_WHY_SIZE, "--operator: 3-64 of [a-z0-9_-]");
		return ERR_INPUT;
	}
	(void)snprintf(token.id, sizeof token.id, "%s/0", username);
	struct change change = {.seq = 1, .at_ms = now_ms, .count = 2};
	change.ops[0].row = &cred.row;
	change.ops[1].row = &token.row;
	const struct change *changes[] = {&change};
	return s->ops->commit(s, changes, 1, why);
}

/* The broker's user must own what it opens, and the mark that it replaces. */
static int give_to(const char *owner, const char *path) {
	char mark[4096];
	const struct passwd *user = getpwnam(owner);
	(void)snprintf(mark, sizeof mark, "%s.mark", path); /* was made: it fits */
	if (!user) {
		fprintf(stderr, PROGRAM ": --owner %s: no such user\n", owner);
		return EXIT_USAGE;
	}
	if (chown(path, user->pw_uid, user->pw_gid) != 0 ||
		chown(mark, user->pw_uid, user->pw_gid) != 0) {
		fprintf(stderr, PROGRAM ": cannot give %s to %s\n", path, owner);
		return EXIT_REFUSED;
	}
	return EXIT_RECORDED;
}

static int make_store(const struct ctl_settings *s, const char *hash) {
	char why[STORE_WHY_SIZE] = "";
	struct store *store = NULL;
	if (s->owner && !getpwnam(s->owner)) {
		fprintf(stderr, PROGRAM ": --owner %s: no such user\n", s->owner);
		return EXIT_USAGE;
	}
	if (store_sqlite_create(s->store, &store, why) != ERR_NONE) {
		fprintf(stderr, PROGRAM ": %s\n", why);
		return EXIT_REFUSED;
	}
	enum err e = write_operator(store, s->operator_name, hash, why);
	store->ops->close(store);
	if (e != ERR_NONE) {
		(void)unlink(s->store); /* made a moment ago, by us: nothing is lost */
		fprintf(stderr, PROGRAM ": %s\n", why);
		return EXIT_REFUSED;
	}
	int rc = s->owner ? give_to(s->owner, s->store) : EXIT_RECORDED;
	if (rc != EXIT_RECORDED) (void)unlink(s->store); /* as above */
	return rc;
}

int init_run(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	char token[TOKEN_TEXT_SIZE], hash[TOKEN_HASH_SIZE], why[TOKEN_WHY_SIZE] = "";
	if (!s->store || !s->token_out) {
		fprintf(stderr, PROGRAM ": %s is missing\n",
				s->store ? "--token-out FILE" : "--store FILE");
		return EXIT_USAGE;
	}
	if (token_draw(token) != ERR_NONE || token_hash(span_str(token), hash) != ERR_NONE) {
		fputs(PROGRAM ": no random bytes from the kernel\n", stderr);
		return EXIT_INTERNAL;
	}
	if (token_write(s->token_out, token, why) != ERR_NONE) {
		fprintf(stderr, PROGRAM ": %s\n", why);
		return EXIT_REFUSED;
	}
	int rc = make_store(s, hash);
	if (rc != EXIT_RECORDED) {
		(void)unlink(s->token_out);
		return rc;
	}
	if (common->json) {
		struct buf line;
		buf_init(&line, 8192);
		buf_str(&line, "{\"store\":");
		buf_json(&line, span_str(s->store));
		buf_str(&line, ",\"operator\":");
		buf_json(&line, span_str(s->operator_name));
		printf("%s}\n", buf_cstr(&line));
		buf_fini(&line);
	} else {
		printf("made %s with the operator %s (token in %s)\n", s->store, s->operator_name,
			   s->token_out);
	}
	return EXIT_RECORDED;
}
