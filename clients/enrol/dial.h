/* TCP for the local exchange: connect with a time limit, listen on one address. Blocking; any
 * thread. */
#ifndef ENROL_DIAL_H
#define ENROL_DIAL_H

#include "clients/enrol/code.h"

enum { DIAL_WHY_SIZE = 256 };

/* A connected socket in *sock. ERR_NET: why says that the name is unknown, nobody listens, ... */
enum err dial_connect(const struct code_place *at, int64_t timeout_ms, int *sock,
					  char why[DIAL_WHY_SIZE]) MUST_CHECK;

/* A listening socket in *sock, non-blocking; *shown is what to tell people: the port that the system
 * chose, and an address of this machine where `at` said any. ERR_NET: why. */
enum err dial_listen(const struct code_place *at, int *sock, struct code_place *shown,
					 char why[DIAL_WHY_SIZE]) MUST_CHECK;

#endif
