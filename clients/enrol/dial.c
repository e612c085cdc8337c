/* See dial.h. */
#include "clients/enrol/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

enum { BACKLOG = 4 };

static enum err fail(char why[DIAL_WHY_SIZE], const struct code_place *at, const char *what) {
	(void)snprintf(why, DIAL_WHY_SIZE, "%.100s port %u: %s", at->host, (unsigned)at->port, what);
	return ERR_NET;
}

/* Given to the caller: freeaddrinfo. NULL: why. */
static struct addrinfo *look_up(const struct code_place *at, int flags, char why[DIAL_WHY_SIZE]) {
	char port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	(void)snprintf(port, sizeof port, "%u", (unsigned)at->port); /* always fits */
	int rc = getaddrinfo(at->host, port, &hints, &found);
	if (rc == 0) return found;
	(void)fail(why, at, gai_strerror(rc));
	return NULL;
}

/* 0, or errno. */
static int connect_one(int sock, const struct addrinfo *a, int64_t end_ms) {
	if (connect(sock, a->ai_addr, a->ai_addrlen) == 0) return 0;
	if (errno != EINPROGRESS) return errno;
	for (;;) {
		struct pollfd p = {.fd = sock, .events = POLLOUT};
		int64_t left = end_ms - clock_read().boot_ms;
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return ETIMEDOUT;
		int cause = 0;
		socklen_t len = sizeof cause;
		return getsockopt(sock, SOL_SOCKET, SO_ERROR, &cause, &len) == 0 ? cause : errno;
	}
}

enum err dial_connect(const struct code_place *at, int64_t timeout_ms, int *sock,
					  char why[DIAL_WHY_SIZE]) {
	int64_t end_ms = clock_read().boot_ms + timeout_ms;
	struct addrinfo *all = look_up(at, 0, why);
	if (!all) return ERR_NET;
	int cause = EADDRNOTAVAIL;
	for (const struct addrinfo *a = all; a; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		cause = fd < 0 ? errno : connect_one(fd, a, end_ms);
		if (fd >= 0 && cause == 0) {
			freeaddrinfo(all);
			*sock = fd;
			return ERR_NONE;
		}
		if (fd >= 0) (void)close(fd); /* the cause is known */
	}
	freeaddrinfo(all);
	return fail(why, at, strerror(cause));
}

/* --- listening -------------------------------------------------------------------------------- */

static bool name_of(const struct sockaddr *a, socklen_t len, struct code_place *out) {
	return getnameinfo(a, len, out->host, sizeof out->host, NULL, 0, NI_NUMERICHOST) == 0;
}

static uint16_t port_of(const struct sockaddr_storage *a) {
	if (a->ss_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
	return ntohs(((const struct sockaddr_in *)a)->sin_port);
}

static bool is_any(const struct sockaddr_storage *a) {
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == htonl(INADDR_ANY);
	return a->ss_family == AF_INET6 &&
		   IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* The first address that others can reach, IPv4 before the rest because people can read it. */
static void name_machine(struct code_place *shown) {
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) != 0) return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || (i->ifa_flags & IFF_LOOPBACK) ||
			!(i->ifa_flags & IFF_UP))
			continue;
		struct code_place named = *shown;
		if (!name_of(i->ifa_addr, sizeof(struct sockaddr_in), &named)) continue;
		*shown = named;
		break;
	}
	freeifaddrs(all);
}

enum err dial_listen(const struct code_place *at, int *sock, struct code_place *shown,
					 char why[DIAL_WHY_SIZE]) {
	struct addrinfo *all = look_up(at, AI_PASSIVE, why);
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	int one = 1;
	memset(&bound, 0, sizeof bound);
	if (!all) return ERR_NET;
	int fd = socket(all->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
			  bind(fd, all->ai_addr, all->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0 &&
			  getsockname(fd, (struct sockaddr *)&bound, &len) == 0;
	int cause = errno;
	freeaddrinfo(all);
	if (!ok) {
		if (fd >= 0) (void)close(fd); /* the cause is known */
		return fail(why, at, strerror(cause));
	}
	*shown = *at;
	shown->port = port_of(&bound);
	if (is_any(&bound)) name_machine(shown);
	*sock = fd;
	return ERR_NONE;
}
