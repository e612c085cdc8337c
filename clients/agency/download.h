/* Brings the bytes behind one link into a file, and trusts none of it before length and digest are
 * the announced ones: http and https only, no redirect, no proxy, status 200, never a byte more
 * than announced. The link is a secret: it is in no message of ours. Blocking; one thread. */
#ifndef AGENCY_DOWNLOAD_H
#define AGENCY_DOWNLOAD_H

#include "lib/err.h"
#include "lib/span.h"

enum { DOWNLOAD_SHA256_LEN = 32, DOWNLOAD_WHY_SIZE = 512, DOWNLOAD_HEADER_MAX = 4096 };

struct download {
	const char *url;
	const char *cafile; /* authority of https links; NULL: the system's */
	struct span header; /* written before the payload; may be empty */
	uint64_t length;    /* of the payload */
	struct span sha256; /* of the payload, DOWNLOAD_SHA256_LEN bytes */
	const char *path;   /* of the file; an older one is replaced */
	int64_t timeout_ms; /* of the whole transfer */
};

/* Writes a temporary file beside path (mode 0600), checks, syncs, renames; a failed one leaves
 * nothing behind. d: borrowed. why is a sentence unless ERR_NONE. ERR_NET: the link did not serve
 * it (another fetch may); ERR_INPUT: another length or digest; ERR_STORE: the system refused;
 * ERR_NOMEM. */
enum err download_run(const struct download *d, char why[DOWNLOAD_WHY_SIZE]) MUST_CHECK;

#endif
