/* The download listener. Which links are good is link.c's; where objects come from is
 * backend_dir.c's. */
#include "clients/relay/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/relay/loop.h"

enum { SERVE_BLOCK = 65536, SERVE_CONNECTION_BYTES = 16384 };

/* One running download; in the list from its first byte until libmicrohttpd lets go of its
 * response. */
struct download {
	struct serve *owner;
	struct download *next, *prev;
	char object[BACKEND_NAME_SIZE];
	int fd;
	bool cut;
};

struct serve {
	struct MHD_Daemon *daemon;
	struct serve_opts opts;
	struct download *downloads;
	struct sockaddr_storage address;
	int epoll_fd;
};

static void tell(struct serve *s, enum log_level level, const char *event, const char *key,
				 const char *value) {
	log_line(s->opts.log, level, event, key, value, (char *)NULL);
}

/* --- answers --- */

/* The same bytes for every failure; only a wrong method is told apart, before anything was looked
 * at. */
static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status) {
	bool is_method = status == MHD_HTTP_METHOD_NOT_ALLOWED;
	const char *text = is_method ? "only GET\n" : "not found\n";
	/* libmicrohttpd has no const here; it only reads */
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
															 MHD_RESPMEM_PERSISTENT);
	if (!r) return MHD_NO;
	enum MHD_Result ok = MHD_add_response_header(r, "Content-Type", "text/plain");
	if (ok == MHD_YES) ok = MHD_add_response_header(r, "Cache-Control", "no-store");
	if (ok == MHD_YES && is_method) ok = MHD_add_response_header(r, "Allow", "GET");
	if (ok == MHD_YES) ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static ssize_t on_read(void *ctx, uint64_t pos, char *out, size_t max) {
	struct download *d = ctx;
	if (d->cut || !*d->owner->opts.in_touch) return MHD_CONTENT_READER_END_WITH_ERROR;
	ssize_t n = pread(d->fd, out, max, (off_t)pos);
	return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void download_free(void *ctx) {
	struct download *d = ctx;
	if (d->prev)
		d->prev->next = d->next;
	else
		d->owner->downloads = d->next;
	if (d->next) d->next->prev = d->prev;
	(void)close(d->fd); /* only read from */
	free(d);
}

static struct download *download_new(struct serve *s, const char *object, uint64_t *length) {
	struct stat st;
	struct download *d = calloc(1, sizeof(*d));
	if (!d) return NULL;
	d->owner = s;
	d->fd = openat(s->opts.dir, object, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0 || fstat(d->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		!span_copy(span_str(object), d->object, sizeof(d->object))) {
		if (d->fd >= 0) (void)close(d->fd); /* only read from */
		free(d);
		return NULL;
	}
	*length = (uint64_t)st.st_size;
	d->next = s->downloads;
	if (d->next) d->next->prev = d;
	s->downloads = d;
	return d;
}

/* True once for each nonce. A disk that cannot remember it refuses: cannot tell means deny. */
static bool use_up(struct serve *s, const struct link_parts *p) {
	char name[80];
	int n = snprintf(name, sizeof(name), SERVE_USED_PREFIX "%s-%s", p->exp, p->nonce);
	if (n < 0 || (size_t)n >= sizeof(name)) return false;
	int fd = openat(s->opts.dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		if (errno != EEXIST) tell(s, LOG_ERROR, "link_not_usable", "why", strerror(errno));
		return false;
	}
	(void)close(fd); /* nothing was written */
	return true;
}

bool serve_used_is_over(const char *name, int64_t now_ms) {
	size_t skip = sizeof(SERVE_USED_PREFIX) - 1;
	if (!span_starts(span_str(name), SPAN_LIT(SERVE_USED_PREFIX))) return false;
	char *end = NULL;
	errno = 0;
	long long exp = strtoll(name + skip, &end, 10);
	if (errno || end == name + skip || *end != '-' || exp < 0 || exp > INT64_MAX / 1000)
		return true;
	return exp * 1000 <= now_ms;
}

static enum MHD_Result send_object(struct serve *s, struct MHD_Connection *c,
								   const struct link_parts *p) {
	uint64_t length = 0;
	struct download *d = download_new(s, p->object, &length);
	if (!d) return refuse(c, MHD_HTTP_NOT_FOUND);
	struct MHD_Response *r =
		MHD_create_response_from_callback(length, SERVE_BLOCK, on_read, d, download_free);
	if (!r) {
		download_free(d);
		return MHD_NO;
	}
	if (!use_up(s, p)) {
		MHD_destroy_response(r); /* frees d */
		return refuse(c, MHD_HTTP_NOT_FOUND);
	}
	enum MHD_Result ok = MHD_add_response_header(r, "Content-Type", "application/octet-stream");
	if (ok == MHD_YES) ok = MHD_add_response_header(r, "Content-Disposition", "attachment");
	if (ok == MHD_YES) ok = MHD_add_response_header(r, "Cache-Control", "no-store");
	if (ok == MHD_YES) ok = MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (ok == MHD_YES) ok = MHD_queue_response(c, MHD_HTTP_OK, r);
	if (ok == MHD_YES) tell(s, LOG_INFO, "download", "object", p->object);
	MHD_destroy_response(r);
	return ok;
}

static const char *argument(struct MHD_Connection *c, const char *name) {
	return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

/* NOLINTNEXTLINE(readability-function-size): the eight parameters are libmicrohttpd's */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
								  const char *method, const char *version, const char *upload,
								  size_t *upload_size, void **seen) {
	struct serve *s = ctx;
	(void)version;
	(void)upload;
	/* the first call comes after the headers, and an answer in it would break keep-alive */
	if (!*seen) {
		*seen = s;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED);
	struct link_parts p = {
		.exp = argument(c, "exp"), .nonce = argument(c, "n"), .sig = argument(c, "sig")};
	if (span_starts(span_str(url), SPAN_LIT("/c/"))) p.object = url + 3;
	bool may_open = p.object && s->opts.now->sound && *s->opts.in_touch;
	if (!may_open || !link_is_good(s->opts.key, &p, s->opts.now->utc_ms))
		return refuse(c, MHD_HTTP_NOT_FOUND);
	return send_object(s, c, &p);
}

/* --- in the loop --- */

static int source_fd(void *ctx) {
	return ((struct serve *)ctx)->epoll_fd;
}

static int source_wait(void *ctx) {
	MHD_UNSIGNED_LONG_LONG ms = 0;
	if (MHD_get_timeout(((struct serve *)ctx)->daemon, &ms) != MHD_YES) return LOOP_SLEEP_MS;
	return ms > LOOP_SLEEP_MS ? LOOP_SLEEP_MS : (int)ms;
}

static void source_run(void *ctx, short revents) {
	(void)revents; /* time-outs need a run as well */
	(void)MHD_run(
		((struct serve *)ctx)->daemon); /* fails only when the daemon is not of this kind */
}

static void complain(void *ctx, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));
static void complain(void *ctx, const char *fmt, va_list args) {
	struct serve *s = ctx;
	char text[200];
	(void)vsnprintf(text, sizeof(text), fmt, args); /* cut is fine */
	size_t len = strlen(text);
	if (len && text[len - 1] == '\n') text[len - 1] = '\0';
	tell(s, LOG_DEBUG, "http", "what", text);
}

/* --- life --- */

static bool parse_port(const char *text, uint16_t *out) {
	char *end = NULL;
	errno = 0;
	long v = strtol(text, &end, 10);
	if (errno || end == text || *end || v < 0 || v > UINT16_MAX || text[0] < '0' || text[0] > '9')
		return false;
	*out = (uint16_t)v;
	return true;
}

static bool parse_listen(const char *text, struct sockaddr_storage *out) {
	char host[64];
	uint16_t port = 0;
	const char *colon = strrchr(text, ':');
	if (!colon || !parse_port(colon + 1, &port)) return false;
	struct span h = span_of(text, (size_t)(colon - text));
	bool v6 = h.len > 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']';
	if (v6) h = span_of(h.ptr + 1, h.len - 2);
	if (!span_copy(h, host, sizeof(host))) return false;
	memset(out, 0, sizeof(*out));
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	if (v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
	}
	in4->sin_family = AF_INET;
	in4->sin_port = htons(port);
	return inet_pton(AF_INET, host, &in4->sin_addr) == 1;
}

bool serve_listen_is_valid(const char *listen) {
	struct sockaddr_storage address;
	return parse_listen(listen, &address);
}

static bool start(struct serve *s, char why[BACKEND_WHY_SIZE]) {
	unsigned flags =
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (s->address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0U);
	errno = 0;
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER,
								 complain, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&s->address,
								 MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVE_CONNECTIONS,
								 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVE_IDLE_S,
								 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVE_CONNECTION_BYTES,
								 MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
	if (!s->daemon) {
		(void)snprintf(why, BACKEND_WHY_SIZE, "cannot listen on %s: %s", s->opts.listen,
					   errno ? strerror(errno) : "refused"); /* cut is fine */
		return false;
	}
	const union MHD_DaemonInfo *fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	const union MHD_DaemonInfo *listener =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_LISTEN_FD);
	socklen_t len = sizeof(s->address);
	struct loop_source source = {
		.fd = source_fd, .wait_ms = source_wait, .run = source_run, .ctx = s};
	if (fd && listener &&
		getsockname(listener->listen_fd, (struct sockaddr *)&s->address, &len) == 0) {
		s->epoll_fd = fd->epoll_fd;
		if (loop_add(s->opts.loop, &source) == ERR_NONE) return true;
	}
	(void)snprintf(why, BACKEND_WHY_SIZE, "cannot listen on %s: no descriptor to poll",
				   s->opts.listen); /* cut is fine */
	return false;
}

struct serve *serve_new(const struct serve_opts *opts, char why[BACKEND_WHY_SIZE]) {
	struct serve *s = calloc(1, sizeof(*s));
	if (!s) {
		(void)snprintf(why, BACKEND_WHY_SIZE, "no memory"); /* fits */
		return NULL;
	}
	s->opts = *opts;
	if (!parse_listen(opts->listen, &s->address)) {
		(void)snprintf(why, BACKEND_WHY_SIZE, "%s is not ADDR:PORT with a numeric address",
					   opts->listen); /* cut is fine */
		free(s);
		return NULL;
	}
	if (start(s, why)) return s;
	serve_free(s);
	return NULL;
}

void serve_free(struct serve *s) {
	if (!s) return;
	loop_remove(s->opts.loop, s);
	if (s->daemon)
		MHD_stop_daemon(s->daemon); /* frees the responses, and with them the downloads */
	free(s);
}

void serve_address(const struct serve *s, struct buf *out) {
	char host[INET6_ADDRSTRLEN] = "";
	bool v6 = s->address.ss_family == AF_INET6;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)&s->address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&s->address;
	const void *raw = v6 ? (const void *)&in6->sin6_addr : (const void *)&in4->sin_addr;
	if (!inet_ntop(s->address.ss_family, raw, host, sizeof(host)))
		return; /* it was parsed from such text */
	buf_printf(out, v6 ? "http://[%s]:%u" : "http://%s:%u", host,
			   (unsigned)ntohs(v6 ? in6->sin6_port : in4->sin_port));
}

void serve_cut(struct serve *s, const char *object) {
	for (struct download *d = s->downloads; d; d = d->next) {
		if (strcmp(d->object, object) == 0) d->cut = true;
	}
}
