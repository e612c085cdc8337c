/* See listen.h. */
#include "clients/doorbell/listen.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, BACKLOG = 16 };

static bool address(const char *path, struct sockaddr_un *a) {
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(a->sun_path, sizeof a->sun_path, "%s", path);
	return n > 0 && (size_t)n < sizeof a->sun_path;
}

static bool be_patient(int fd, int64_t ms) {
	struct timeval t = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0 &&
		   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0;
}

enum err listen_connect(const char *path, int64_t timeout_ms, int *fd) {
	struct sockaddr_un a;
	if (!address(path, &a)) {
		errno = ENAMETOOLONG;
		return ERR_STORE;
	}
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0) return ERR_STORE;
	if (be_patient(sock, timeout_ms) && connect(sock, (const struct sockaddr *)&a, sizeof a) == 0) {
		*fd = sock;
		return ERR_NONE;
	}
	int cause = errno;
	(void)close(sock);
	errno = cause;
	return cause == ENOENT || cause == ECONNREFUSED ? ERR_ABSENT : ERR_STORE;
}

static enum err fail(enum err e, const char *path, const char *what, char why[LISTEN_WHY_SIZE]) {
	(void)snprintf(why, LISTEN_WHY_SIZE, "%.120s: %s", path, what);
	return e;
}

/* A socket file that nobody answers is left from a daemon that was killed. */
static enum err clear_old(const char *path, char why[LISTEN_WHY_SIZE]) {
	int fd = -1;
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? ERR_NONE : fail(ERR_STORE, path, strerror(errno), why);
	if (!S_ISSOCK(st.st_mode)) return fail(ERR_STORE, path, "exists and is not a socket", why);
	if (listen_connect(path, PATIENCE_MS, &fd) == ERR_NONE) {
		(void)close(fd);
		return fail(ERR_LIMIT, path, "another vestibule-doorbell answers there", why);
	}
	return unlink(path) == 0 ? ERR_NONE : fail(ERR_STORE, path, strerror(errno), why);
}

enum err listen_open(const char *path, int *fd, char why[LISTEN_WHY_SIZE]) {
	struct sockaddr_un a;
	if (!address(path, &a)) return fail(ERR_STORE, path, strerror(ENAMETOOLONG), why);
	enum err e = clear_old(path, why);
	if (e != ERR_NONE) return e;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0) return fail(ERR_STORE, path, strerror(errno), why);
	mode_t before = umask(0177); /* born 0600: no moment for anybody else */
	int bound = bind(sock, (const struct sockaddr *)&a, sizeof a);
	int cause = errno;
	(void)umask(before);
	if (bound == 0 && listen(sock, BACKLOG) == 0) {
		*fd = sock;
		return ERR_NONE;
	}
	if (bound == 0) cause = errno;
	(void)close(sock);
	return fail(ERR_STORE, path, strerror(cause), why);
}

void listen_close(int fd, const char *path) {
	if (fd < 0) return;
	(void)close(fd);
	(void)unlink(path); /* a left one is cleared by the next start */
}

int listen_accept(int fd) {
	struct ucred peer;
	socklen_t len = sizeof peer;
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (sock < 0) return -1;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		(peer.uid == geteuid() || peer.uid == 0) && be_patient(sock, PATIENCE_MS))
		return sock;
	(void)close(sock);
	return -1;
}
