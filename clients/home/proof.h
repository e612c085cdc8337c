/* The token file of a member to be, or of the own next token. Errors are told on stderr. */
#ifndef HOME_PROOF_H
#define HOME_PROOF_H

#include "clients/home/session.h"

enum { PROOF_SHA256_BYTES = 32 };

/* The hash of the token in the file. An absent file gets a new token first, so that the token is on
 * disk before anybody hears of it; an existing one is used again, so that what timed out can be
 * repeated. *made: the file is the caller's to remove when it is refused. EXIT_USAGE: the file
 * cannot be read, written or believed, or holds a shorter token than TOKEN_TEXT_MIN;
 * EXIT_INTERNAL. */
enum exit_code proof_of(const char *path, uint8_t sha256[PROOF_SHA256_BYTES],
						bool *made) MUST_CHECK;

#endif
