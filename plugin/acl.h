/* ACL_CHECK: may this be written, read, subscribed to? Policy decides; this file finds out what to
 * ask: who the client is, whether a WRITE is a will, what time an event carries. Broker thread
 * only. */
#ifndef PLUGIN_ACL_H
#define PLUGIN_ACL_H

#include <mosquitto_broker.h>

#include "plugin/engine.h"

/* MOSQ_ERR_SUCCESS or MOSQ_ERR_ACL_DENIED: any other answer to READ would disconnect the publisher
 * (BROKER 1). */
int acl_check(struct engine *e, const struct mosquitto_evt_acl_check *ev);

#endif
