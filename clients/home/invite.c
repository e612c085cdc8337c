/* Token first, then the command: a token that was recorded and then lost would be a member nobody
 * can be. */
#include "clients/home/invite.h"

#include <errno.h>
#include <unistd.h>

#include "clients/home/command.h"
#include "clients/home/proof.h"
#include "clients/home/session.h"

enum exit_code invite_run(const struct opt_common *common, const struct settings *set) {
	if (!set->role || !set->token_out)
		return session_fail(EXIT_USAGE, "invite needs --role and --token-out");
	int role = codec_enum(&vestibule__v1__member_role__descriptor, span_str(set->role));
	if (role <= 0)
		return session_fail(EXIT_USAGE, "--role %s: give adult, limited or admin", set->role);
	if (!topic_username_is_valid(span_str(set->subject))) {
		return session_fail(EXIT_USAGE, "%s: a username has 3 to 64 of a-z 0-9 _ -", set->subject);
	}
	uint8_t hash[PROOF_SHA256_BYTES];
	bool made;
	enum exit_code rc = proof_of(set->token_out, hash, &made);
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
