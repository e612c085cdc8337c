/* The connection under a client, for one purpose: bytes that our kernel still holds for a reader
 * that is slow must not reach it after a retraction (I5). The broker closes a kicked client's socket,
 * and the kernel goes on sending what is in its send buffer, hundreds of kilobytes.
 *
 * No call of the broker gives the socket, so it is read where 2.0.11, 2.0.22 and 2.1.2 keep it, as
 * the second int of their client (`lib/mosquitto_internal.h`: "This *must* be the first element"),
 * and believed only if it is a socket whose peer has the client's address. If it is not, nothing is
 * known and nothing is done: what the kernel holds goes out. Websockets and Unix sockets: never
 * known. */
#ifndef PLUGIN_PEER_H
#define PLUGIN_PEER_H

#include <mosquitto_broker.h>

#include "lib/span.h"

enum { PEER_NAME_BYTES = 28 }; /* a sockaddr_in6 */

struct peer {
	bool known;
	int fd;                        /* the broker's */
	uint8_t name[PEER_NAME_BYTES]; /* who was at the other end then: a sockaddr_in or _in6 */
};

/* In a callback of that client: its memory is read. */
struct peer peer_of(const struct mosquitto *client);

/* Closing the connection will drop what is not sent yet. Nothing when all is sent (the close is
 * then as ever, and v5 sees why), or the descriptor is another connection's by now. */
void peer_drop_unsent(const struct peer *p);

#endif
