/* A file that grows under the name FILE.part and gets its own name only when it is whole and its
 * digest is the announced one; a later run continues the .part. Blocking file I/O; one thread.
 *
 *     if (partfile_open(&f, "ring.mp4", length, why) != ERR_NONE) ...     f.size bytes are there
 * already partfile_append(&f, bytes, why) ... partfile_finish(&f, sha256, why); partfile_close(&f);
 */
#ifndef HOME_PARTFILE_H
#define HOME_PARTFILE_H

#include <openssl/evp.h>

#include "lib/err.h"
#include "lib/span.h"

enum { PARTFILE_SHA256_LEN = 32, PARTFILE_WHY_SIZE = 512 };

struct partfile {
	int fd;
	uint64_t size;      /* bytes written so far, those of an earlier run included */
	char *path;         /* owned: the final name */
	char *part_path;    /* owned */
	EVP_MD_CTX *digest; /* of all bytes so far */
};

/* Opens or makes path.part (mode 0600, regular file, not through a symbolic link) and digests what
 * it holds. One that is longer than length is begun anew. ERR_STORE: the final file exists already,
 * another program holds the .part, or the system refused; ERR_NOMEM. f is zeroed then, why is a
 * sentence. */
enum err partfile_open(struct partfile *f, const char *path, uint64_t length,
					   char why[PARTFILE_WHY_SIZE]) MUST_CHECK;

enum err partfile_append(struct partfile *f, struct span bytes,
						 char why[PARTFILE_WHY_SIZE]) MUST_CHECK; /* ERR_STORE */

/* Compares the digest, syncs, renames. ERR_INPUT: another digest: the .part is removed, for nothing
 * in it can be trusted; ERR_STORE: the system refused, the .part stays. sha256: PARTFILE_SHA256_LEN
 * bytes. */
enum err partfile_finish(struct partfile *f, struct span sha256,
						 char why[PARTFILE_WHY_SIZE]) MUST_CHECK;

void partfile_close(
	struct partfile *f); /* right from any state; what was written stays for the next run */

#endif
