/* Options of vestibule-relay and what makes them wrong. */
#include "clients/relay/options.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/relay/serve.h"
#include "proto/topic.h"

#define STORAGE_DIR "dir:"
#define STORAGE_S3  "s3:"

static const struct opt relay_opts[] = {
	{"relay", OPT_TEXT, offsetof(struct relay_options, relay), "ID", "the relay whose jobs to do",
	 0, 0},
	{"state", OPT_TEXT, offsetof(struct relay_options, state), "DIR",
	 "where the job table is kept; made when missing", 0, 0},
	{"storage", OPT_TEXT, offsetof(struct relay_options, storage), "dir:PATH|s3:BUCKET[/PREFIX]",
	 "where clips are stored", 0, 0},
	{"listen", OPT_TEXT, offsetof(struct relay_options, listen), "ADDR:PORT",
	 "serve downloads here; without it no links are made", 0, 0},
	{"public-url", OPT_TEXT, offsetof(struct relay_options, public_url), "URL",
	 "what links begin with; default: http:// and the listener", 0, 0},
	{"link-key-file", OPT_TEXT, offsetof(struct relay_options, link_key_file), "FILE",
	 "key that signs links, made when missing; default: link.key in the state directory", 0, 0},
	{"s3-endpoint", OPT_TEXT, offsetof(struct relay_options, s3_endpoint), "URL",
	 "the S3 server, http[s]://HOST[:PORT]", 0, 0},
	{"s3-region", OPT_TEXT, offsetof(struct relay_options, s3_region), "REGION",
	 "region of the bucket; default: us-east-1", 0, 0},
	{"s3-style", OPT_TEXT, offsetof(struct relay_options, s3_style), "path|virtual",
	 "bucket in the path or in the host name; default: path", 0, 0},
	{"s3-credentials", OPT_TEXT, offsetof(struct relay_options, s3_credentials), "FILE",
	 "access_key, secret_key and perhaps session_token of the bucket", 0, 0},
	{"s3-cafile", OPT_TEXT, offsetof(struct relay_options, s3_cafile), "FILE",
	 "certificates to trust for the server; default: the system's", 0, 0},
	{"s3-sse", OPT_TEXT, offsetof(struct relay_options, s3_sse), "AES256|aws:kms",
	 "have the server encrypt, and insist on it; default: whatever the bucket does", 0, 0},
	{"s3-allow-versioned", OPT_FLAG, offsetof(struct relay_options, s3_allow_versioned), NULL,
	 "take a versioned bucket and delete every version", 0, 0},
	{"s3-second-delete", OPT_DURATION, offsetof(struct relay_options, s3_second_delete_ms),
	 "DURATION", "delete once more after so long; default: 150s", BACKEND_S3_SETTLE_MIN_MS,
	 86400000},
	{"check", OPT_FLAG, offsetof(struct relay_options, check), NULL,
	 "look at the configuration and exit", 0, 0},
	OPT_END};

const struct opt_program options_program = {
	"vestibule-relay", "moves approved clips from devices to storage", relay_opts, NULL, NULL};

static bool wrong(char why[OPTIONS_WHY_SIZE], const char *option, const char *text) {
	(void)snprintf(why, OPTIONS_WHY_SIZE, "--%s: %s", option, text); /* cut is fine */
	return false;
}

static bool is_writable_directory(const char *path, const char *option,
								  char why[OPTIONS_WHY_SIZE]) {
	struct stat st;
	if (stat(path, &st) != 0) return wrong(why, option, strerror(errno));
	if (!S_ISDIR(st.st_mode)) return wrong(why, option, "not a directory");
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0)
		return wrong(why, option, strerror(errno));
	return true;
}

static bool is_url(const char *url) {
	struct span s = span_str(url);
	bool scheme = span_starts(s, SPAN_LIT("https://")) || span_starts(s, SPAN_LIT("http://"));
	if (!scheme || s.len > 512 || s.len < 10) return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || strchr("?#\"<>\\", s.ptr[i])) return false;
	}
	return true;
}

static bool has_s3_option(const struct relay_options *o) {
	return o->s3_endpoint || o->s3_region || o->s3_style || o->s3_credentials || o->s3_cafile ||
		   o->s3_sse || o->s3_allow_versioned || o->s3_second_delete_ms;
}

static bool is_s3_storage(const struct relay_options *o, char why[OPTIONS_WHY_SIZE]) {
	struct backend_s3_opts s3 = options_s3(o);
	char cause[BACKEND_WHY_SIZE];
	if (o->listen || o->link_key_file)
		return wrong(why, "listen", "the S3 server itself serves downloads");
	if (!o->s3_endpoint) return wrong(why, "s3-endpoint", "needed");
	if (o->s3_cafile && access(o->s3_cafile, R_OK) != 0)
		return wrong(why, "s3-cafile", strerror(errno));
	if (backend_s3_check(&s3, cause)) return true;
	(void)snprintf(why, OPTIONS_WHY_SIZE, "--%.200s", cause); /* fits */
	return false;
}

static bool is_storage(const struct relay_options *o, char why[OPTIONS_WHY_SIZE]) {
	if (o->storage && options_is_s3(o)) return is_s3_storage(o, why);
	if (!o->storage || !span_starts(span_str(o->storage), SPAN_LIT(STORAGE_DIR)))
		return wrong(why, "storage", "dir:PATH or s3:BUCKET[/PREFIX] needed");
	if (has_s3_option(o)) return wrong(why, "storage", "dir: and --s3-... exclude each other");
	return is_writable_directory(options_storage_path(o), "storage", why);
}

/* A state directory that can be made is as good as one: relay.c makes it. */
static bool is_state(const struct relay_options *o, char why[OPTIONS_WHY_SIZE]) {
	struct stat st;
	if (stat(o->state, &st) == 0 || errno != ENOENT)
		return is_writable_directory(o->state, "state", why);
	char *path = strdup(o->state);
	if (!path) return wrong(why, "state", "no memory");
	bool ok = is_writable_directory(dirname(path), "state", why);
	free(path);
	return ok;
}

bool options_are_good(const struct relay_options *o, char why[OPTIONS_WHY_SIZE]) {
	char key[OPTIONS_PATH_SIZE];
	if (!o->relay || !topic_id_is_valid(span_str(o->relay)))
		return wrong(why, "relay", "1 to 64 of a-z 0-9 _ - needed");
	if (!o->state) return wrong(why, "state", "needed");
	if (!is_state(o, why)) return false;
	if (!is_storage(o, why)) return false;
	if (o->listen && !serve_listen_is_valid(o->listen))
		return wrong(why, "listen", "ADDR:PORT with a numeric address needed");
	if (o->public_url && !o->listen)
		return wrong(why, "public-url", "means nothing without --listen");
	if (o->public_url && !is_url(o->public_url))
		return wrong(why, "public-url", "http:// or https://, without ? and #");
	if (!options_key_file(o, key)) return wrong(why, "link-key-file", "path too long");
	return true;
}

bool options_is_s3(const struct relay_options *o) {
	return span_starts(span_str(o->storage), SPAN_LIT(STORAGE_S3));
}

struct backend_s3_opts options_s3(const struct relay_options *o) {
	return (struct backend_s3_opts){.storage = o->storage + sizeof(STORAGE_S3) - 1,
									.endpoint = o->s3_endpoint,
									.region = o->s3_region,
									.style = o->s3_style,
									.credentials = o->s3_credentials,
									.cafile = o->s3_cafile,
									.sse = o->s3_sse,
									.allow_versioned = o->s3_allow_versioned,
									.settle_ms = o->s3_second_delete_ms ? o->s3_second_delete_ms
																		: BACKEND_S3_SETTLE_MS};
}

const char *options_storage_path(const struct relay_options *o) {
	return o->storage + sizeof(STORAGE_DIR) - 1;
}

bool options_key_file(const struct relay_options *o, char out[OPTIONS_PATH_SIZE]) {
	int n = o->link_key_file ? snprintf(out, OPTIONS_PATH_SIZE, "%s", o->link_key_file)
							 : snprintf(out, OPTIONS_PATH_SIZE, "%s/link.key", o->state);
	return n >= 0 && n < OPTIONS_PATH_SIZE;
}
