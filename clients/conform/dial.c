/* See dial.h. */
#include "clients/conform/dial.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clients/conform/packet.h"
#include "lib/clock.h"

static void say(char why[DIAL_WHY_SIZE], const struct dial *to, const char *what,
				const char *cause) {
	(void)snprintf(why, DIAL_WHY_SIZE, "%s:%u: %s: %s", to->host, to->port, what, cause);
}

static int try_address(const struct dial *to, const struct addrinfo *a) {
	struct timeval limit = {.tv_sec = (time_t)(to->timeout_ms / 1000),
							.tv_usec = (suseconds_t)(to->timeout_ms % 1000 * 1000)};
	int sock = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
	if (sock < 0) return -1;
	/* SO_SNDTIMEO bounds connect(2), too: socket(7) */
	if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
		connect(sock, a->ai_addr, a->ai_addrlen) == 0)
		return sock;
	int cause = errno;
	(void)close(sock);
	errno = cause;
	return -1;
}

int dial_tcp(const struct dial *to, char why[DIAL_WHY_SIZE]) {
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
	char port[8];
	int sock = -1;
	(void)snprintf(port, sizeof(port), "%u", to->port); /* fits */
	int rc = getaddrinfo(to->host, port, &hints, &found);
	if (rc != 0) {
		say(why, to, "cannot connect", gai_strerror(rc));
		return -1;
	}
	for (const struct addrinfo *a = found; a && sock < 0; a = a->ai_next) sock = try_address(to, a);
	if (sock < 0) say(why, to, "cannot connect", strerror(errno));
	freeaddrinfo(found);
	return sock;
}

static bool send_all(int sock, struct span bytes) {
	while (bytes.len) {
		ssize_t n = send(sock, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		bytes = span_drop(bytes, (size_t)n);
	}
	return true;
}

static enum err read_connack(int sock, uint8_t *code) {
	uint8_t bytes[512];
	size_t len = 0;
	struct packet p;
	struct packet_ack ack;
	while (len < sizeof(bytes)) {
		ssize_t n = recv(sock, bytes + len, sizeof(bytes) - len, 0);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return ERR_NET;
		len += (size_t)n;
		enum err e = packet_cut(span_of(bytes, len), &p);
		if (e == ERR_ABSENT) continue;
		if (e != ERR_NONE || p.type != PACKET_CONNACK) return ERR_NET;
		e = packet_ack(&p, true, &ack);
		*code = ack.code;
		return e;
	}
	return ERR_NET;
}

enum err dial_login(const struct dial *to, struct span client_id, struct span username,
					struct span token, uint8_t *code, char why[DIAL_WHY_SIZE]) {
	struct buf hello, bye;
	enum err e = ERR_NET;
	int sock = dial_tcp(to, why);
	if (sock < 0) return ERR_NET;
	buf_init(&hello, 1024);
	buf_init(&bye, 16);
	packet_put_connect(&hello, client_id, username, token);
	packet_put_disconnect(&bye);
	if (buf_error(&hello) != ERR_NONE || buf_error(&bye) != ERR_NONE)
		e = ERR_NOMEM;
	else if (send_all(sock, buf_view(&hello)))
		e = read_connack(sock, code);
	if (e == ERR_NONE && *code == 0) (void)!send_all(sock, buf_view(&bye)); /* it hears it or not */
	if (e != ERR_NONE)
		say(why, to, "no answer to a CONNECT",
			e == ERR_NOMEM ? "no memory" : "closed, or no MQTT 5");
	buf_fini(&bye);
	buf_fini(&hello);
	(void)close(sock);
	return e;
}
