/* What an answer of an S3 server means for the request and for the bucket, and the sentence that
 * says so. Pure; any thread. */
#ifndef RELAY_S3_FAULT_H
#define RELAY_S3_FAULT_H

#include "clients/relay/s3_http.h"

enum { S3_FAULT_WHY_SIZE = 256, S3_FAULT_SKEW_S = 600 };

enum s3_verdict {
	S3_BUCKET = 0, /* nothing will work until somebody mends it: keys, name, rights, region */
	S3_FINE,       /* done */
	S3_MISSING,    /* the object does not exist */
	S3_LATER,      /* this request failed, the next one may not: overload, time-outs, cut off */
	S3_SKEWED,     /* the clocks differ: take the server's and ask again */
	S3_AWAY        /* no connection to the server */
};

enum s3_verdict s3_fault_judge(const struct s3_reply *r);

/* One sentence for any verdict but FINE, MISSING; names bucket and server, no key, no object. */
void s3_fault_why(const struct s3_reply *r, const struct s3_site *site,
				  char out[S3_FAULT_WHY_SIZE]);

#endif
