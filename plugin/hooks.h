/* The broker's events and the answers to them. Each callback asks one question of the layers below
 * and answers SUCCESS, ACL_DENIED or AUTH: never DEFER, with which another plugin's word or the
 * broker's default would count. Broker thread only; no pointer to a client outlives its callback
 * but as a key (session.h). */
#ifndef PLUGIN_HOOKS_H
#define PLUGIN_HOOKS_H

#include <mosquitto_broker.h>

#include "plugin/engine.h"
#include "plugin/health.h"

struct hooks {
	struct engine *engine;
	struct health health;
	/* Between RELOAD and the next TICK the broker asks BASIC_AUTH again for every session (SIGHUP).
	 */
	bool reloading;
	bool is_2_1; /* the broker knows CLIENT_OFFLINE */
};

/* Registers all events, ACL_CHECK first: without that hook the broker allows everything. ERR_INPUT:
 * the broker refused one; *which names it, and none stays registered. h must outlive them. */
enum err hooks_register(mosquitto_plugin_id_t *id, struct hooks *h, const char **which) MUST_CHECK;
void hooks_unregister(mosquitto_plugin_id_t *id);

#endif
