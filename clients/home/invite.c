/* Token first, then the command: a token that was recorded and then lost would be a member nobody
 * can be. */
#include "clients/home/invite.h"

#include <errno.h>
#include <unistd.h>

#include "clients/home/command.h"
#include "clients/home/session.h"
#include "clients/mq/token.h"
#include "lib/hex.h"

enum { SHA256_LEN = 32 };

/* The hash of the token in the file: an existing one is used again, so that an invitation that
 * timed out can be repeated. *made: the file is ours to remove when the invitation is refused. */
static enum exit_code token_of(const char *path, uint8_t hash[SHA256_LEN], bool *made) {
	char why[TOKEN_WHY_SIZE];
	char token[TOKEN_TEXT_MAX + 1];
	char digits[TOKEN_HASH_SIZE];
	enum exit_code rc = EXIT_RECORDED;
	enum err e = token_read(path, token, why);
	if (e == ERR_ABSENT) {
		if (token_draw(token) != ERR_NONE)
			return session_fail(EXIT_INTERNAL, "no random bytes for a token");
		e = token_write(path, token, why);
		*made = e == ERR_NONE;
	}
	if (e != ERR_NONE) {
		rc = session_fail(EXIT_USAGE, "%s", why);
	} else if (token_hash(span_str(token), digits) != ERR_NONE ||
			   hex_decode(span_str(digits), hash, SHA256_LEN) != ERR_NONE) {
		rc = session_fail(EXIT_INTERNAL, "SHA-256 of the token failed");
	}
	explicit_bzero(token, sizeof(token));
	return rc;
}

enum exit_code invite_run(const struct opt_common *common, const struct settings *set) {
	if (!set->role || !set->token_out)
		return session_fail(EXIT_USAGE, "invite needs --role and --token-out");
	int role = codec_enum(&vestibule__v1__member_role__descriptor, span_str(set->role));
	if (role <= 0)
		return session_fail(EXIT_USAGE, "--role %s: give adult, limited or admin", set->role);
	if (!topic_username_is_valid(span_str(set->subject))) {
		return session_fail(EXIT_USAGE, "%s: a username has 3 to 64 of a-z 0-9 _ -", set->subject);
	}
	uint8_t hash[SHA256_LEN];
	bool made = false;
	enum exit_code rc = token_of(set->token_out, hash, &made);
	if (rc != EXIT_RECORDED) return rc;
	Vestibule__V1__Invite invite = VESTIBULE__V1__INVITE__INIT;
	invite.username = (char *)set->subject; /* only read: the generated structs know no const */
	invite.role = (Vestibule__V1__MemberRole)role;
	invite.token_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
	Vestibule__V1__HomeCommand cmd = VESTIBULE__V1__HOME_COMMAND__INIT;
	cmd.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_INVITE;
	cmd.invite = &invite;
	rc = command_send(common, set, &cmd);
	/* after a time-out nobody knows, so the file stays for the next try */
	bool refused = rc != EXIT_RECORDED && rc != EXIT_TIMEOUT && rc != EXIT_UNAVAILABLE;
	if (refused && made && unlink(set->token_out) != 0) {
		(void)session_fail(rc, "cannot remove %s: %s", set->token_out,
						   strerror(errno)); /* rc stays what it is */
	}
	return rc;
}
