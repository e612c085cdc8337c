/* The retry matrix as a table, expected verdict first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "clients/relay/s3_fault.h"

struct row {
	enum s3_verdict verdict;
	CURLcode curl;
	long status;
	const char *code;
	int64_t apart_s; /* server's clock minus ours; 0: it says nothing */
};

static const struct row rows[] = {
	{S3_FINE, CURLE_OK, 200, "", 0},
	{S3_FINE, CURLE_OK, 204, "", 3},
	{S3_FINE, CURLE_OK, 200, "", 5000}, /* an accepted signature needs no clock */
	{S3_MISSING, CURLE_OK, 404, "", 0},
	{S3_MISSING, CURLE_OK, 404, "NoSuchKey", 0},
	{S3_BUCKET, CURLE_OK, 404, "NoSuchBucket", 0},
	{S3_LATER, CURLE_OK, 408, "", 0},
	{S3_LATER, CURLE_OK, 409, "OperationAborted", 0},
	{S3_LATER, CURLE_OK, 429, "", 0},
	{S3_LATER, CURLE_OK, 500, "InternalError", 0},
	{S3_LATER, CURLE_OK, 503, "SlowDown", 0},
	{S3_LATER, CURLE_OK, 599, "", 0},
	{S3_LATER, CURLE_OK, 400, "RequestTimeout", 0},
	{S3_BUCKET, CURLE_OK, 501, "NotImplemented", 0},
	{S3_BUCKET, CURLE_OK, 400, "", 0},
	{S3_BUCKET, CURLE_OK, 401, "", 0},
	{S3_BUCKET, CURLE_OK, 403, "AccessDenied", 0},
	{S3_BUCKET, CURLE_OK, 403, "SignatureDoesNotMatch", 3},
	{S3_BUCKET, CURLE_OK, 403, "RequestTimeTooSkewed", S3_FAULT_SKEW_S},
	{S3_SKEWED, CURLE_OK, 403, "RequestTimeTooSkewed", S3_FAULT_SKEW_S + 1},
	{S3_SKEWED, CURLE_OK, 403, "", -S3_FAULT_SKEW_S - 1},
	{S3_BUCKET, CURLE_OK, 301, "PermanentRedirect", 0},
	{S3_BUCKET, CURLE_OK, 307, "", 0},
	{S3_BUCKET, CURLE_OK, 411, "MissingContentLength", 0},
	{S3_BUCKET, CURLE_OK, 100, "", 0},
	{S3_AWAY, CURLE_COULDNT_CONNECT, 0, "", 0},
	{S3_AWAY, CURLE_COULDNT_RESOLVE_HOST, 0, "", 0},
	{S3_AWAY, CURLE_PEER_FAILED_VERIFICATION, 0, "", 0},
	{S3_AWAY, CURLE_OPERATION_TIMEDOUT, 0, "", 0},
	{S3_LATER, CURLE_OPERATION_TIMEDOUT, 200, "", 0},
	{S3_LATER, CURLE_RECV_ERROR, 0, "", 0},
	{S3_LATER, CURLE_SEND_ERROR, 0, "", 0},
	{S3_LATER, CURLE_WRITE_ERROR, 200, "", 0}, /* an answer that was too long */
	{S3_LATER, CURLE_PARTIAL_FILE, 200, "", 0},
	{S3_LATER, CURLE_ABORTED_BY_CALLBACK, 0, "", 0},
};

static struct s3_reply reply_of(const struct row *r) {
	struct s3_reply reply = {.curl = r->curl, .status = r->status, .asked_s = 1800000000};
	assert_true(span_copy(span_str(r->code), reply.code, sizeof(reply.code)));
	if (r->apart_s) reply.date_s = reply.asked_s + r->apart_s;
	return reply;
}

static void every_answer_has_its_verdict(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct s3_reply reply = reply_of(&rows[i]);
		if (s3_fault_judge(&reply) != rows[i].verdict)
			fail_msg("row %zu: curl %d status %ld %s", i, rows[i].curl, rows[i].status,
					 rows[i].code);
	}
}

static void sentence_names_bucket_cause_and_code(void **state) {
	(void)state;
	struct s3_site site = {.bucket = "clips", .host = "s3.example.org", .is_https = true};
	char why[S3_FAULT_WHY_SIZE];
	struct s3_reply r = {.status = 403, .code = "SignatureDoesNotMatch"};
	s3_fault_why(&r, &site, why);
	assert_string_equal(
		why, "bucket clips at https://s3.example.org: wrong key or secret in the credentials "
			 "file (403 SignatureDoesNotMatch)");
	r = (struct s3_reply){.status = 301, .code = "PermanentRedirect", .region = "eu-west-1"};
	s3_fault_why(&r, &site, why);
	assert_non_null(strstr(why, "it is in region eu-west-1"));
	r = (struct s3_reply){.curl = CURLE_COULDNT_CONNECT};
	s3_fault_why(&r, &site, why);
	assert_non_null(strstr(why, "bucket clips at https://s3.example.org: "));
}

/* The longest of everything is cut, not overrun. */
static void sentence_is_bounded(void **state) {
	(void)state;
	struct s3_site site = {.is_https = true};
	struct s3_reply r = {.status = 400};
	char why[S3_FAULT_WHY_SIZE];
	memset(site.bucket, 'b', sizeof(site.bucket) - 1);
	memset(site.host, 'h', sizeof(site.host) - 1);
	memset(r.code, 'c', sizeof(r.code) - 1);
	memset(r.message, 'm', sizeof(r.message) - 1);
	memset(r.region, 'r', sizeof(r.region) - 1);
	s3_fault_why(&r, &site, why);
	assert_true(strlen(why) < sizeof(why));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_has_its_verdict),
		cmocka_unit_test(sentence_names_bucket_cause_and_code),
		cmocka_unit_test(sentence_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
