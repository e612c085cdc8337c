/* ACL_CHECK: may this be written, read, subscribed to? Policy decides; this file finds out what to
 * ask: who the client is, whether a WRITE is a will, what time an event carries. Broker thread
 * only. */
#ifndef PLUGIN_ACL_H
#define PLUGIN_ACL_H

#include <mosquitto_broker.h>

#include "plugin/engine.h"
#include "plugin/outbound.h"

/* MOSQ_ERR_SUCCESS or MOSQ_ERR_ACL_DENIED: any other answer to READ would disconnect the publisher
 * (BROKER 1). */
int acl_check(struct engine *e, const struct mosquitto_evt_acl_check *ev);

/* May this copy, kept back by resend.h, go to its client now? If nobody is connected with the id:
 * yes, the broker asks READ when somebody is. Counts as routed (I5). */
bool acl_may_follow(struct engine *e, const struct outbound_packet *p);

#endif
