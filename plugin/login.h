/* BASIC_AUTH: who is this, and may this client id be his? Proof is a client certificate whose CN is
 * the username, or a token as password. Runs before the broker lets the newcomer take over a
 * session, which is what makes client ids somebody's (I15). One code for every refusal: the reason
 * goes to the log alone. Broker thread only. */
#ifndef PLUGIN_LOGIN_H
#define PLUGIN_LOGIN_H

#include <mosquitto_broker.h>

#include "plugin/engine.h"

/* Between RELOAD and the next TICK the broker asks again for sessions that are offline (BROKER 6):
 * they are left to their next CONNECT. */
enum login_reload {
	LOGIN_NOT_RELOADING,
	LOGIN_RELOADING,      /* 2.0: an error for an offline session corrupts the broker's memory */
	LOGIN_RELOADING_SAFE, /* 2.1: an error ends that session, and a CONNECT may come in between */
};

/* MOSQ_ERR_SUCCESS or MOSQ_ERR_AUTH. */
int login_check(struct engine *e, struct mosquitto_evt_basic_auth *ev, enum login_reload reload);

#endif
