/* The retry matrix, and its words. */
#include "clients/relay/s3_fault.h"

struct word {
	const char *code;
	const char *text;
};

/* Codes of which we know what to tell. */
static const struct word words[] = {
	{"SignatureDoesNotMatch", "wrong key or secret in the credentials file"},
	{"InvalidAccessKeyId", "unknown access key in the credentials file"},
	{"ExpiredToken", "the session token has ended: renew the credentials file"},
	{"InvalidToken", "the session token is not accepted: renew the credentials file"},
	{"NoSuchBucket", "no such bucket"},
	{"AccessDenied", "access denied: the keys lack a right that docs/storage.md lists"},
	{"AuthorizationHeaderMalformed", "wrong region"},
	{"PermanentRedirect", "wrong region or endpoint"},
	{"TemporaryRedirect", "wrong region or endpoint"},
	{"IllegalLocationConstraintException", "wrong region"},
	{"RequestTimeTooSkewed", "the clocks of server and relay differ"},
	{NULL, NULL}};

static bool is(const struct s3_reply *r, const char *code) {
	return strcmp(r->code, code) == 0;
}

/* HEAD has no body to say so, but a refusal with a date that is far off says it too. */
static bool is_skewed(const struct s3_reply *r) {
	int64_t apart = r->date_s - r->asked_s;
	bool far = r->date_s && (apart > S3_FAULT_SKEW_S || apart < -S3_FAULT_SKEW_S);
	return far && (r->status == 403 || r->status == 400);
}

enum s3_verdict s3_fault_judge(const struct s3_reply *r) {
	switch (r->curl) {
	case CURLE_OK: break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE: return S3_AWAY;
	case CURLE_OPERATION_TIMEDOUT: return r->status ? S3_LATER : S3_AWAY;
	default: return S3_LATER;
	}
	if (r->status >= 200 && r->status < 300) return S3_FINE;
	if (is_skewed(r)) return S3_SKEWED;
	if (is(r, "SlowDown") || is(r, "RequestTimeout") || is(r, "OperationAborted")) return S3_LATER;
	if (r->status == 404 && !is(r, "NoSuchBucket")) return S3_MISSING;
	if (r->status == 408 || r->status == 409 || r->status == 429) return S3_LATER;
	if (r->status >= 500 && r->status != 501) return S3_LATER;
	return S3_BUCKET;
}

static const char *word_of(const struct s3_reply *r) {
	for (const struct word *w = words; w->code; w++) {
		if (is(r, w->code)) return w->text;
	}
	if (r->status == 403 || r->status == 401) return "refused";
	return r->message[0] ? r->message : "the answer is not the expected one";
}

void s3_fault_why(const struct s3_reply *r, const struct s3_site *site,
				  char out[S3_FAULT_WHY_SIZE]) {
	const char *scheme = site->is_https ? "https" : "http";
	if (r->curl != CURLE_OK) {
		(void)snprintf(out, S3_FAULT_WHY_SIZE, "bucket %s at %s://%.60s: %s", site->bucket, scheme,
					   site->host, curl_easy_strerror(r->curl)); /* cut is fine */
		return;
	}
	int n = snprintf(out, S3_FAULT_WHY_SIZE, "bucket %s at %s://%.60s: %.70s (%ld%s%.30s%s%s)",
					 site->bucket, scheme, site->host, word_of(r), r->status, r->code[0] ? " " : "",
					 r->code, r->region[0] ? ", it is in region " : "", r->region);
	if (n < 0) out[0] = '\0'; /* cut is fine */
}
