/* BASIC_AUTH: who is this, and may this client id be his? Proof is a client certificate whose CN is
 * the username, or a token as password. Runs before the broker lets the newcomer take over a
 * session, which is what makes client ids somebody's (I15). One code for every refusal: the reason
 * goes to the log alone. Broker thread only. */
#ifndef PLUGIN_LOGIN_H
#define PLUGIN_LOGIN_H

#include <mosquitto_broker.h>

#include "plugin/engine.h"

/* MOSQ_ERR_SUCCESS or MOSQ_ERR_AUTH. reloading: between RELOAD and the next TICK, where the broker
 * asks again for sessions that are offline, and an error for one of those corrupts its memory: they
 * are left to their next CONNECT (BROKER 6). */
int login_check(struct engine *e, struct mosquitto_evt_basic_auth *ev, bool reloading);

#endif
