#include "clients/home/proof.h"

#include "clients/mq/token.h"
#include "lib/hex.h"

enum exit_code proof_of(const char *path, uint8_t sha256[PROOF_SHA256_BYTES], bool *made) {
	char why[TOKEN_WHY_SIZE];
	char token[TOKEN_TEXT_MAX + 1];
	char digits[TOKEN_HASH_SIZE];
	enum exit_code rc = EXIT_RECORDED;
	*made = false;
	enum err e = token_read(path, token, why);
	if (e == ERR_ABSENT) {
		if (token_draw(token) != ERR_NONE)
			return session_fail(EXIT_INTERNAL, "no random bytes for a token");
		e = token_write(path, token, why);
		*made = e == ERR_NONE;
	}
	if (e == ERR_NONE && strlen(token) < TOKEN_TEXT_MIN)
		rc = session_fail(EXIT_USAGE, "token file %s: a token has at least %d characters", path,
						  TOKEN_TEXT_MIN);
	else if (e != ERR_NONE)
		rc = session_fail(EXIT_USAGE, "%s", why);
	else if (token_hash(span_str(token), digits) != ERR_NONE ||
			 hex_decode(span_str(digits), sha256, PROOF_SHA256_BYTES) != ERR_NONE)
		rc = session_fail(EXIT_INTERNAL, "SHA-256 of the token failed");
	explicit_bzero(token, sizeof(token));
	return rc;
}
