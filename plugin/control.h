/* $CONTROL/vestibule/v1: the operator's JSON commands, as Mosquitto's own control API does it:
 * {"commands":[{"command":..., "correlationData":...}]}, answered by {"responses":[...]}.
 *
 * The caller (hooks.c) has already asked policy whether this credential may write there: who is an
 * operator. The answer waits until every change of the commands is durable and goes to the
 * requester's client id alone, on $CONTROL/vestibule/v1/response (a broadcast would reach every
 * subscriber, and anybody could forge it: BROKER 9). */
#ifndef PLUGIN_CONTROL_H
#define PLUGIN_CONTROL_H

#include "plugin/engine.h"

enum {
	CONTROL_BYTES_MAX = 262144, /* one request */
	CONTROL_COMMANDS_MAX = 64
};

#define CONTROL_TOPIC          "$CONTROL/vestibule/v1"
#define CONTROL_RESPONSE_TOPIC "$CONTROL/vestibule/v1/response"

struct control_client {
	struct span client_id; /* borrowed for the call */
	const struct row_credential *who;
};

/* Runs the commands of payload in order and queues the answer. ERR_INPUT: not a request at all
 * (nothing was done, and no answer can be made); ERR_LIMIT: too large or too many commands;
 * ERR_NOMEM. The broker is told SUCCESS in any case (another answer would end the operator's
 * connection); the caller logs what is returned. */
enum err control_handle(struct engine *e, struct control_client who,
						struct span payload) MUST_CHECK;

#endif
