/* Requests to one bucket, signed and run by the relay's curl_multi; the caller starts one and looks
 * on later turns whether it has ended. Nothing waits, nothing calls back. Not here: what an answer
 * means (s3_fault.h) and what to do about it (s3_gate.h, backend_s3.c).
 *
 * Strict: http or https and nothing else, no redirects, no proxy, no credentials in URLs, HTTP/1.1,
 * answers of at most S3_HTTP_BODY_MAX bytes. A kept-alive connection that turns out to be unusable
 * is met with one more try on a fresh one; every request of ours may be repeated. One thread.
 *
 *     struct s3_call *c = s3_http_start(h, &(struct s3_ask){.method = "HEAD", .name = name});
 *     each turn: s3_http_turn(h); if (s3_http_reply(c, &r)) { ...; s3_http_end(c); }
 */
#ifndef RELAY_S3_HTTP_H
#define RELAY_S3_HTTP_H

#include <curl/curl.h>

#include "clients/relay/s3_keys.h"
#include "clients/relay/s3_site.h"
#include "clients/relay/sign.h"
#include "lib/clock.h"

enum {
	S3_HTTP_BODY_MAX = 262144,
	S3_HTTP_CONNECT_MS = 10000,
	S3_HTTP_ANSWER_MS = 60000,  /* a request without a body, all in all */
	S3_HTTP_SLOW_BYTES = 32768, /* a body may take a second for each of so many bytes */
	S3_HTTP_SILENCE_S = 120,    /* a body that does not move for so long is given up */
	S3_HTTP_EXPECT_MS = 1000,   /* wait so long for 100-continue before sending a body */
	S3_HTTP_WHY_SIZE = 256
};

struct s3_http_opts { /* all kept but cafile and sse, which are copied by curl or kept: program text
					   */
	CURLM *multi;
	const struct s3_site *site;
	struct s3_keys *keys;
	const char *cafile; /* NULL: the system's */
	const char *sse;    /* value of x-amz-server-side-encryption; NULL: none */
	const struct moment *now;
};

struct s3_ask {                     /* borrowed for the call */
	const char *method;             /* "GET", "HEAD", "PUT", "DELETE" */
	const char *name;               /* of the object, without prefix; NULL: the bucket */
	const struct sign_pair *params; /* of the query */
	size_t param_count;
	int fd;             /* PUT: an open file, kept until end; not closed */
	uint64_t length;    /* PUT */
	const char *sha256; /* PUT: of the file, in hex */
};

struct s3_reply {
	CURLcode curl;   /* CURLE_OK: an answer came and status is its */
	long status;     /* 0: none came */
	int64_t date_s;  /* the server's clock; 0: it did not say */
	int64_t asked_s; /* the time we signed with */
	uint64_t length; /* Content-Length; 0: none */
	char code[64];   /* of an error: "NoSuchBucket"; empty: none came */
	char message[160];
	char region[S3_SITE_REGION_SIZE]; /* where the bucket really is, if the server says so */
	char sha256[SIGN_SHA256_SIZE];    /* x-amz-meta-sha256 */
	bool is_version;                  /* it has a version id, or is a delete marker */
	bool is_encrypted;                /* the server says that it did what sse asked for */
	struct span body;                 /* borrowed until end */
};

struct s3_http;
struct s3_call;

struct s3_http *s3_http_new(const struct s3_http_opts *o); /* NULL: no memory */
void s3_http_free(struct s3_http *h);                      /* every call has ended; NULL is fine */

/* NULL: no memory, or longer than a request may be. */
struct s3_call *s3_http_start(struct s3_http *h, const struct s3_ask *ask);
void s3_http_turn(struct s3_http *h); /* each turn, before anybody looks at replies */
bool s3_http_reply(const struct s3_call *c, struct s3_reply *out); /* false: still running */
void s3_http_end(struct s3_call *c); /* breaks off what runs; NULL is fine */

/* Signs from now on with a clock that is so many seconds ahead of ours. */
void s3_http_set_offset(struct s3_http *h, int64_t offset_s);
int64_t s3_http_offset(const struct s3_http *h);

/* Appends the URL of one object for GET, as an attachment, good until expires_s (UTC seconds of our
 * clock). ERR_INPUT: that is not ahead, or more than a minute; ERR_LIMIT, ERR_NOMEM. */
enum err s3_http_link(struct s3_http *h, const char *name, int64_t expires_s,
					  struct buf *url) MUST_CHECK;

#endif
