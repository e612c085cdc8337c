/* Clips in a bucket of any S3-compatible server (AWS, Ceph RGW, MinIO, Swift). The contract is
 * backend.h's; DESIGN.md of this folder says how it is kept. Bytes are staged in a local directory
 * until length and SHA-256 are right and only then sent, so nothing wrong is ever in the bucket and
 * a copy resumes like with backend_dir.c, whose partial files it uses. */
#ifndef RELAY_BACKEND_S3_H
#define RELAY_BACKEND_S3_H

#include "clients/relay/backend.h"

struct backend_s3_opts {
	const char *storage;     /* BUCKET[/PREFIX] */
	const char *endpoint;    /* http[s]://HOST[:PORT] */
	const char *region;      /* NULL: us-east-1 */
	const char *style;       /* "path", "virtual"; NULL: path */
	const char *credentials; /* kept; form: s3_keys.h */
	const char *cafile;      /* kept; NULL: the system's */
	const char *sse; /* kept; wanted server-side encryption, "AES256" or "aws:kms"; NULL: none */
	bool allow_versioned;
	int64_t settle_ms;        /* a second removal is due so long after the first: backend.h */
	const char *staging;      /* directory for partial files; made, mode 0700, when missing */
	const struct moment *now; /* kept */
	struct loop *loop;        /* kept */
	struct log *log;          /* kept */
};

enum { BACKEND_S3_SETTLE_MS = 150000, BACKEND_S3_SETTLE_MIN_MS = 1000 };

/* Waits up to 5 s for the first probe of the bucket. NULL: why is a sentence: an option, the
 * credentials file, the staging directory, or a bucket that must not be used (versioned without
 * allow_versioned, locked). A bucket that is merely out of reach, or refuses the keys, is no
 * reason: it is told in the log, and everything waits until it is mended. opts: borrowed for the
 * call but for what is marked kept. */
struct backend *backend_s3_new(const struct backend_s3_opts *opts, char why[BACKEND_WHY_SIZE]);

/* Would the options and the credentials file do? False: why begins with the option's name. Opens no
 * network. */
bool backend_s3_check(const struct backend_s3_opts *opts, char why[BACKEND_WHY_SIZE]);

#endif
