/* Where a bucket is: storage name, endpoint and style become the host and the paths of requests.
 * Pure; any thread. Not here: who may use it (s3_keys.h) and what is asked (s3_http.h). */
#ifndef RELAY_S3_SITE_H
#define RELAY_S3_SITE_H

#include "lib/buf.h"

enum {
	S3_SITE_BUCKET_SIZE = 64, /* 3 to 63 characters */
	S3_SITE_PREFIX_SIZE = 258,
	S3_SITE_HOST_SIZE = 324,
	S3_SITE_REGION_SIZE = 33,
	S3_SITE_WHY_SIZE = 256
};

struct s3_site_opts {     /* borrowed for the call */
	const char *storage;  /* BUCKET[/PREFIX] */
	const char *endpoint; /* http[s]://HOST[:PORT] */
	const char *region;   /* NULL: us-east-1 */
	const char *style;    /* "path" (NULL too): HOST/BUCKET/key; "virtual": BUCKET.HOST/key */
};

struct s3_site {
	char bucket[S3_SITE_BUCKET_SIZE];
	char prefix[S3_SITE_PREFIX_SIZE]; /* empty, or ends with '/' */
	char host[S3_SITE_HOST_SIZE];     /* as in the Host header, with the bucket in virtual style */
	char region[S3_SITE_REGION_SIZE];
	bool is_virtual;
	bool is_https;
};

/* False: why is half a sentence that begins with the option's name. */
bool s3_site_parse(struct s3_site *s, const struct s3_site_opts *o, char why[S3_SITE_WHY_SIZE]);

/* Appends the path of an object, or of the bucket when name is NULL; not encoded. */
void s3_site_path(const struct s3_site *s, const char *name, struct buf *out);
/* Appends "https://HOST", what a request's URL begins with. */
void s3_site_base(const struct s3_site *s, struct buf *out);

#endif
