/* UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random bits. Randomness is an
 * argument. Pure, any thread. */
#ifndef PROTO_UUID_H
#define PROTO_UUID_H

#include "lib/err.h"
#include "lib/span.h"

enum { UUID_BYTES = 16, UUID_TEXT = 36, UUID_TEXT_SIZE = UUID_TEXT + 1 };

void uuid_v7(int64_t unix_ms, const uint8_t random[10], uint8_t out[UUID_BYTES]);
void uuid_text(const uint8_t id[UUID_BYTES],
			   char out[UUID_TEXT_SIZE]); /* lower case, with hyphens */
/* Canonical lower-case text only, any version (the nil UUID too). ERR_INPUT otherwise. */
enum err uuid_parse(struct span text, uint8_t out[UUID_BYTES]) MUST_CHECK;
bool uuid_is_v7(struct span bytes);            /* 16 bytes, version 7, variant 10 */
int64_t uuid_ms(const uint8_t id[UUID_BYTES]); /* the milliseconds inside a UUIDv7 */

#endif
