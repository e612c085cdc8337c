/* plugin_opt_* lines of mosquitto.conf. Strict: an unknown, repeated, missing or out-of-range
 * option stops the broker's start with a sentence that names it, because a misread option would run
 * with less than was asked for. Options are read only at start. Pure but for the header of the
 * broker. */
#ifndef PLUGIN_OPTIONS_H
#define PLUGIN_OPTIONS_H

#include <mosquitto_broker.h> /* first: the plugin header uses its types */
#include <mosquitto_plugin.h>

#include "lib/err.h"
#include "lib/log.h"
#include "plugin/engine.h"

enum { OPTIONS_PATH_SIZE = 1024, OPTIONS_WHY_SIZE = 256 };

struct options {
	char store[OPTIONS_PATH_SIZE]; /* store PATH, mandatory: the database that vestibule-ctl init
									  made */
	bool agencies;                 /* agencies on|off, default off */
	bool demo;                     /* demo true|false, default false */
	int64_t tick_ms; /* release_tick SECONDS: 300-86400, 1-86400 with demo; default 900, demo 2 */
	int64_t hold_ticks;   /* hold_ticks N: 1-100, default 1 */
	enum log_level level; /* log_level error|warn|info|debug, default info */
};

/* ERR_INPUT, ERR_LIMIT: why says which option and what it must be. */
enum err options_parse(const struct mosquitto_opt *opts, int count, struct options *out,
					   char why[OPTIONS_WHY_SIZE]) MUST_CHECK;

struct engine_opts options_engine(const struct options *o);

#endif
