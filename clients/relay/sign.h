/* AWS Signature Version 4, the one signer for everything the relay asks of an S3 server: a header
 * that authorises one request, or a URL that opens one object for a while. The text that is signed
 * is built by the same code that builds the request target, so what goes on the wire is what was
 * signed. Not here: which headers a request has (s3_http.c), where keys come from (s3_keys.c).
 * Pure but for libcrypto; any thread. Nothing is kept.
 *
 *     struct sign_request q = {.method = "GET", .path = "/clips/ab/cd", .headers = h, .header_count
 * = 3}; sign_target(&q, &target);      what to send as the request line's target sign_header(&q,
 * &keys, &auth); what to send as Authorization
 */
#ifndef RELAY_SIGN_H
#define RELAY_SIGN_H

#include "lib/buf.h"

enum {
	SIGN_PARAMS_MAX = 12,
	SIGN_HEADERS_MAX = 12,
	SIGN_TARGET_MAX = 4096, /* longest path and query, encoded: a session token has its place */
	SIGN_VALUE_MAX = 4096,  /* longest header value */
	SIGN_DATE_SIZE = 17,    /* "20130524T000000Z" */
	SIGN_SHA256_SIZE = 65
};

#define SIGN_UNSIGNED "UNSIGNED-PAYLOAD"
#define SIGN_EMPTY    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Name and value as they are meant, not encoded. All pointers here: borrowed for the call. */
struct sign_pair {
	const char *name; /* of a header: lower case */
	const char *value;
};

struct sign_request {
	const char *method;
	const char *path; /* not encoded, begins with '/', taken as it is: no segment is dropped */
	const struct sign_pair *params;
	size_t param_count;
	const struct sign_pair *headers; /* all that are signed, host among them; any order */
	size_t header_count;
	const char *payload; /* SHA-256 in lower-case hex, or SIGN_UNSIGNED */
	const char *date;    /* of SIGN_DATE_SIZE, from sign_date */
};

struct sign_keys {
	const char *access;
	const char *secret;
	const char *token; /* of a session; NULL: none */
	const char *region;
	const char *service; /* "s3" */
};

void sign_date(int64_t utc_s, char out[SIGN_DATE_SIZE]); /* years 1970 to 9999; else the nearest */

/* Appends path and query, encoded once (RFC 3986 unreserved kept, upper-case hex, '/' kept in the
 * path), parameters sorted. ERR_LIMIT: more than SIGN_PARAMS_MAX, or longer than the buffer's
 * maximum; ERR_NOMEM. */
enum err sign_target(const struct sign_request *q, struct buf *out) MUST_CHECK;

/* Appends "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...". The caller has put
 * x-amz-date, x-amz-content-sha256 and, with a session, x-amz-security-token among the headers.
 * ERR_LIMIT: too many or too long; ERR_NOMEM: also libcrypto. */
enum err sign_header(const struct sign_request *q, const struct sign_keys *keys,
					 struct buf *out) MUST_CHECK;

/* Appends path and query of a URL that is good for expires_s seconds from q->date; q->headers is
 * host alone. Errors as sign_header. */
enum err sign_query(const struct sign_request *q, const struct sign_keys *keys, int64_t expires_s,
					struct buf *out) MUST_CHECK;

#endif
