/* A TCP connection to the broker. Blocking, with a limit; plain TCP: what vestibule-conform sits
 * between is a test broker. */
#ifndef CONFORM_DIAL_H
#define CONFORM_DIAL_H

#include "lib/err.h"
#include "lib/span.h"

enum { DIAL_WHY_SIZE = 256 };

struct dial {
	const char *host;
	uint16_t port;
	int64_t timeout_ms; /* of the connection, and of each read and write on it */
};

/* The socket, blocking; -1: why is half a sentence. */
int dial_tcp(const struct dial *to, char why[DIAL_WHY_SIZE]) MUST_CHECK;

/* One login and goodbye with MQTT 5. *code: CONNACK's. ERR_NET: no connection, no answer, or closed;
 * ERR_NOMEM. why is a sentence. */
enum err dial_login(const struct dial *to, struct span client_id, struct span username,
					struct span token, uint8_t *code, char why[DIAL_WHY_SIZE]) MUST_CHECK;

#endif
