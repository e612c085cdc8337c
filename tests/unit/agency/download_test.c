/* What a storage server may do to us: nothing but deliver the announced bytes. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <microhttpd.h>

#include "clients/agency/download.h"
#include "lib/hex.h"

static struct MHD_Daemon *server;
static unsigned port;
static unsigned asked; /* requests for /abc */
static char folder[64];
static char path[96];
static uint8_t sha256_abc[DOWNLOAD_SHA256_LEN];

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *body,
							  const char *where) {
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body,
															 MHD_RESPMEM_PERSISTENT);
	if (!r) return MHD_NO;
	if (where && MHD_add_response_header(r, "Location", where) != MHD_YES) return MHD_NO;
	enum MHD_Result rc = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result serve(void *ctx, struct MHD_Connection *c, const char *url,
							 const char *method, const char *version, const char *data, size_t *len,
							 void **state) {
	(void)ctx, (void)method, (void)version, (void)data, (void)len, (void)state;
	if (strcmp(url, "/abc") == 0) {
		asked++;
		return answer(c, MHD_HTTP_OK, "abc", NULL);
	}
	if (strcmp(url, "/abd") == 0) return answer(c, MHD_HTTP_OK, "abd", NULL);
	if (strcmp(url, "/long") == 0) return answer(c, MHD_HTTP_OK, "abcabcabc", NULL);
	if (strcmp(url, "/short") == 0) return answer(c, MHD_HTTP_OK, "ab", NULL);
	if (strcmp(url, "/moved") == 0) return answer(c, MHD_HTTP_FOUND, "abc", "/abc");
	if (strcmp(url, "/partial") == 0) return answer(c, MHD_HTTP_PARTIAL_CONTENT, "abc", NULL);
	return answer(c, MHD_HTTP_NOT_FOUND, "abc", NULL);
}

static int begin(void **state) {
	(void)state;
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve, NULL,
							  MHD_OPTION_SOCK_ADDR, &local, MHD_OPTION_END);
	if (!server) return -1;
	port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
	return hex_decode(SPAN_LIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
					  sha256_abc, sizeof(sha256_abc)) == ERR_NONE
			   ? 0
			   : -1;
}

static int end(void **state) {
	(void)state;
	MHD_stop_daemon(server);
	return 0;
}

static int set_up(void **state) {
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/download-XXXXXX");
	if (!mkdtemp(folder)) return -1;
	(void)snprintf(path, sizeof(path), "%s/clip.age", folder);
	asked = 0;
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	(void)unlink(path);
	return rmdir(folder); /* fails when anything else was left there */
}

static enum err get(const char *name, struct span header) {
	char url[128];
	char why[DOWNLOAD_WHY_SIZE] = "";
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, name);
	struct download d = {.url = url,
						 .header = header,
						 .length = 3,
						 .sha256 = span_of(sha256_abc, sizeof(sha256_abc)),
						 .path = path,
						 .timeout_ms = 10000};
	enum err e = download_run(&d, why);
	assert_int_equal(e == ERR_NONE, why[0] == '\0');
	assert_null(strstr(why, "127.0.0.1")); /* links are secrets */
	return e;
}

static void refused(const char *name, enum err want) {
	assert_int_equal(get(name, SPAN_LIT("")), want);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void header_and_payload_make_one_file(void **state) {
	(void)state;
	char text[32] = "";
	assert_int_equal(get("/abc", SPAN_LIT("header\n")), ERR_NONE);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 10);
	assert_int_equal(fclose(f), 0);
	assert_memory_equal(text, "header\nabc", 10);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void other_bytes_leave_no_file(void **state) {
	(void)state;
	refused("/abd", ERR_INPUT);
	refused("/long", ERR_INPUT);
	refused("/short", ERR_NET);
}

static void only_status_200_counts(void **state) {
	(void)state;
	refused("/absent", ERR_NET);
	refused("/partial", ERR_NET);
}

static void a_redirect_is_not_followed(void **state) {
	(void)state;
	refused("/moved", ERR_NET);
	assert_int_equal(asked, 0);
}

static void only_http_is_spoken(void **state) {
	(void)state;
	char why[DOWNLOAD_WHY_SIZE];
	struct download d = {.url = "file:///etc/hostname",
						 .length = 3,
						 .sha256 = span_of(sha256_abc, sizeof(sha256_abc)),
						 .path = path,
						 .timeout_ms = 1000};
	assert_int_equal(download_run(&d, why), ERR_NET);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void an_older_copy_is_replaced_by_the_right_bytes_only(void **state) {
	(void)state;
	struct stat st;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(get("/abd", SPAN_LIT("")), ERR_INPUT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(get("/abc", SPAN_LIT("")), ERR_NONE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 3);
}

static void no_proxy_of_the_environment_sees_the_link(void **state) {
	(void)state;
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:9", 1), 0);
	assert_int_equal(get("/abc", SPAN_LIT("")), ERR_NONE);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(asked, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(header_and_payload_make_one_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_bytes_leave_no_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_status_200_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_redirect_is_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_http_is_spoken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_older_copy_is_replaced_by_the_right_bytes_only, set_up,
										tear_down),
		cmocka_unit_test_setup_teardown(no_proxy_of_the_environment_sees_the_link, set_up,
										tear_down),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
