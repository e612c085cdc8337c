/* The keys of a bucket, from a file that only its owner may read:
 *
 *     access_key = AKIA...
 *     secret_key = ...
 *     session_token = ...        (optional; for keys that end by themselves)
 *
 * Blank lines and lines that begin with # are skipped. The file may be replaced while the relay
 * runs: it is looked at before each request and read again when it changed. Keys are never logged
 * and are wiped when they are let go. One thread. */
#ifndef RELAY_S3_KEYS_H
#define RELAY_S3_KEYS_H

#include "lib/err.h"
#include "lib/span.h"

enum {
	S3_KEYS_FILE_MAX = 8192,
	S3_KEYS_ACCESS_MAX = 128,
	S3_KEYS_SECRET_MAX = 256,
	S3_KEYS_TOKEN_MAX = 3072,
	S3_KEYS_WHY_SIZE = 256
};

struct s3_keys;

/* path: kept. NULL: why is a sentence that names the path (absent, readable by others, malformed).
 */
struct s3_keys *s3_keys_new(const char *path, char why[S3_KEYS_WHY_SIZE]);
void s3_keys_free(struct s3_keys *k); /* NULL is fine */

/* Reads the file again if it changed; is_doubted: even if it looks the same. True when the keys are
 * others now. A file that cannot be read leaves the keys as they were: why is then a sentence, else
 * empty. */
bool s3_keys_refresh(struct s3_keys *k, bool is_doubted, char why[S3_KEYS_WHY_SIZE]);

const char *s3_keys_access(const struct s3_keys *k); /* borrowed until the next refresh */
const char *s3_keys_secret(const struct s3_keys *k);
const char *s3_keys_token(const struct s3_keys *k); /* NULL: none */

#endif
