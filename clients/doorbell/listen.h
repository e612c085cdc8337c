/* The daemon's Unix socket: 0600, one daemon a path. */
#ifndef DOORBELL_LISTEN_H
#define DOORBELL_LISTEN_H

#include <stdint.h>

#include "lib/err.h"

enum { LISTEN_WHY_SIZE = 256 };

/* Binds and listens, after removing a socket that nobody answers any more. ERR_LIMIT: another
 * daemon answers there; ERR_STORE: errno. In both cases why is a sentence. */
enum err listen_open(const char *path, int *fd, char why[LISTEN_WHY_SIZE]) MUST_CHECK;
void listen_close(int fd, const char *path); /* removes the socket, too; fd -1 does nothing */

/* The next connection of ourselves or of root, with a time-out of 5 s on reading and writing; -1:
 * none. */
int listen_accept(int fd);

/* Connects to a daemon. ERR_ABSENT: nobody answers there; ERR_STORE: errno (no permission, ...). */
enum err listen_connect(const char *path, int64_t timeout_ms, int *fd) MUST_CHECK;

#endif
