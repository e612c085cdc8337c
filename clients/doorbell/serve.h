/* The daemon: one device, one clip store, one Unix socket. Each connection has its own thread, so
 * that a clip that is being copied never keeps a ring waiting; at most SERVE_CONNECTIONS at once,
 * more are told to come again (75). */
#ifndef DOORBELL_SERVE_H
#define DOORBELL_SERVE_H

#include "clients/doorbell/settings.h"

enum { SERVE_CONNECTIONS = 8 };

/* Runs until SIGTERM or SIGINT; returns an exit code; not 0: after a sentence on stderr. */
int serve_run(const struct opt_common *common, const struct settings *s);

#endif
