/* See peer.h. */
#include "plugin/peer.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

enum { IDENT_CLIENT = 2 }; /* id_client, src/mosquitto_broker_internal.h:192 (2.0.11) */

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint8_t bytes[PEER_NAME_BYTES];
};
_Static_assert(sizeof(union name) == PEER_NAME_BYTES, "an address fits");

static bool name_of(int fd, union name *out) {
	socklen_t len = sizeof(*out);
	memset(out, 0, sizeof(*out));
	return getpeername(fd, &out->any, &len) == 0 && len <= sizeof(*out);
}

static bool has_address(const union name *n, const char *address) {
	char text[INET6_ADDRSTRLEN];
	const char *got = NULL;
	if (n->any.sa_family == AF_INET)
		got = inet_ntop(AF_INET, &n->v4.sin_addr, text, sizeof(text));
	else if (n->any.sa_family == AF_INET6)
		got = inet_ntop(AF_INET6, &n->v6.sin6_addr, text, sizeof(text));
	return got && span_eq(span_str(got), span_str(address));
}

struct peer peer_of(const struct mosquitto *client) {
	struct peer p = {.known = false};
	const char *address = client ? mosquitto_client_address(client) : NULL;
	int head[2]; /* ident, sock */
	union name name;
	if (!address) return p;
	memcpy(head, client, sizeof(head));
	if (head[0] != IDENT_CLIENT || !name_of(head[1], &name)) return p;
	p.known = has_address(&name, address);
	p.fd = head[1];
	memcpy(p.name, name.bytes, sizeof(p.name));
	return p;
}

void peer_drop_unsent(const struct peer *p) {
	union name now;
	int unsent = 0;
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	if (!p->known || !name_of(p->fd, &now) || memcmp(now.bytes, p->name, sizeof(p->name)) != 0)
		return;
	if (ioctl(p->fd, SIOCOUTQNSD, &unsent) != 0 || unsent == 0) return;
	/* Refused: as if the descriptor were not known. */
	(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}
