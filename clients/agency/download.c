/* curl into a temporary file. Where the link comes from is fetch.c's affair. */
#include "clients/agency/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 10000, SLOW_SECONDS = 30, HTTP_OK = 200 };

struct transfer {
	const struct download *d;
	CURL *curl;
	EVP_MD_CTX *digest;
	char *temporary; /* owned path */
	bool is_made;    /* the file of that path is ours to rename or remove */
	int fd;
	uint64_t got;
	enum err error; /* why the writer stopped curl */
	int error_number;
};

static enum err say(char *why, enum err e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static enum err say(char *why, enum err e, const char *fmt, ...) {
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(why, DOWNLOAD_WHY_SIZE, fmt, args); /* a cut sentence still tells */
	va_end(args);
	return e;
}

static bool write_all(int fd, struct span s) {
	while (s.len) {
		ssize_t n = write(fd, s.ptr, s.len);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		s = span_drop(s, (size_t)n);
	}
	return true;
}

/* curl's write function: a return value other than len ends the transfer. */
static size_t on_bytes(char *bytes, size_t one, size_t len, void *ctx) {
	struct transfer *t = ctx;
	long status = 0;
	(void)one; /* always 1 */
	if (curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
		status != HTTP_OK) {
		t->error = ERR_NET;
		return 0;
	}
	if (len > t->d->length - t->got) {
		t->error = ERR_INPUT;
		return 0;
	}
	if (!write_all(t->fd, span_of(bytes, len))) {
		t->error = ERR_STORE;
		t->error_number = errno;
		return 0;
	}
	if (EVP_DigestUpdate(t->digest, bytes, len) != 1) {
		t->error = ERR_NOMEM;
		return 0;
	}
	t->got += len;
	return len;
}

static bool set_options(struct transfer *t) {
	CURL *c = t->curl;
	const struct download *d = t->d;
	bool ok =
		curl_easy_setopt(c, CURLOPT_URL, d->url) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)d->timeout_ms) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)d->length) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
		curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK;
	return ok && (!d->cafile || curl_easy_setopt(c, CURLOPT_CAINFO, d->cafile) == CURLE_OK);
}

static enum err judge(const struct transfer *t, CURLcode code, char *why) {
	long status = 0;
	if (t->error == ERR_STORE) {
		return say(why, ERR_STORE, "cannot write beside %s: %s", t->d->path,
				   strerror(t->error_number));
	}
	if (t->error == ERR_INPUT || code == CURLE_FILESIZE_EXCEEDED) {
		return say(why, ERR_INPUT, "the storage sends more than was announced");
	}
	if (t->error == ERR_NOMEM) return say(why, ERR_NOMEM, "SHA-256 failed");
	if (curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status != 0 &&
		status != HTTP_OK) {
		return say(why, ERR_NET, "the storage answers with status %ld", status);
	}
	if (code != CURLE_OK)
		return say(why, ERR_NET, "the storage cannot be reached: %s", curl_easy_strerror(code));
	if (status != HTTP_OK) return say(why, ERR_NET, "the storage does not answer");
	return ERR_NONE;
}

static enum err check_digest(const struct transfer *t, char *why) {
	uint8_t got[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (t->got != t->d->length) return say(why, ERR_NET, "the transfer ended early");
	if (EVP_DigestFinal_ex(t->digest, got, &len) != 1) return say(why, ERR_NOMEM, "SHA-256 failed");
	if (span_eq(span_of(got, len), t->d->sha256)) return ERR_NONE;
	return say(why, ERR_INPUT, "the bytes are not those that were announced (SHA-256 differs)");
}

/* The rename lasts only when the folder that holds the name was synced, too. */
static int sync_folder(const char *path) {
	const char *slash = strrchr(path, '/');
	char *folder = slash == path ? strdup("/")
				   : slash       ? strndup(path, (size_t)(slash - path))
								 : strdup(".");
	if (!folder) return -1;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0) return -1;
	int rc = fsync(fd);
	(void)close(fd); /* read only */
	return rc;
}

static enum err keep(struct transfer *t, char *why) {
	if (fsync(t->fd) != 0 || rename(t->temporary, t->d->path) != 0) {
		return say(why, ERR_STORE, "cannot keep %s: %s", t->d->path, strerror(errno));
	}
	t->is_made = false;
	if (sync_folder(t->d->path) == 0) return ERR_NONE;
	return say(why, ERR_STORE, "cannot sync the folder of %s: %s", t->d->path, strerror(errno));
}

static enum err begin(struct transfer *t, char *why) {
	char *name = NULL;
	if (asprintf(&name, "%s.XXXXXX", t->d->path) < 0) return say(why, ERR_NOMEM, "no memory");
	t->temporary = name;
	t->fd = mkostemp(t->temporary, O_CLOEXEC);
	t->is_made = t->fd >= 0;
	if (!t->is_made) {
		return say(why, ERR_STORE, "cannot make a file beside %s: %s", t->d->path, strerror(errno));
	}
	t->digest = EVP_MD_CTX_new();
	t->curl = curl_easy_init();
	if (!t->digest || !t->curl || EVP_DigestInit_ex(t->digest, EVP_sha256(), NULL) != 1 ||
		!set_options(t)) {
		return say(why, ERR_NOMEM, "the transfer cannot be prepared");
	}
	if (write_all(t->fd, t->d->header)) return ERR_NONE;
	return say(why, ERR_STORE, "cannot write beside %s: %s", t->d->path, strerror(errno));
}

enum err download_run(const struct download *d, char why[DOWNLOAD_WHY_SIZE]) {
	struct transfer t = {.d = d, .fd = -1};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return say(why, ERR_NOMEM, "curl cannot start");
	enum err e = begin(&t, why);
	if (e == ERR_NONE) e = judge(&t, curl_easy_perform(t.curl), why);
	if (e == ERR_NONE) e = check_digest(&t, why);
	if (e == ERR_NONE) e = keep(&t, why);
	if (t.fd >= 0) (void)close(t.fd);         /* synced in keep, or thrown away */
	if (t.is_made) (void)unlink(t.temporary); /* nothing more can be done about it */
	free(t.temporary);
	EVP_MD_CTX_free(t.digest);
	curl_easy_cleanup(t.curl);
	curl_global_cleanup();
	return e;
}
