/* The three entry points of the plugin API, version 5, and the broker's log as the sink of ours.
 * Everything that must hold before the first client connects is checked here: any doubt is an
 * error, and the broker does not start, because a broker without this plugin's hooks would allow
 * everything. */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "plugin/hooks.h"
#include "plugin/options.h"

#define EXPORT __attribute__((visibility("default")))
enum { API_VERSION = 5, STOP_TIMEOUT_MS = 3000 };

struct plugin {
	mosquitto_plugin_id_t *id;
	struct log log;
	struct hooks hooks;
};

EXPORT int mosquitto_plugin_version(int supported_version_count, const int *supported_versions);
EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
								 struct mosquitto_opt *options, int option_count);
EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options,
									int option_count);

static void to_broker_log(void *ctx, enum log_level level, const char *line) {
	static const int levels[] = {MOSQ_LOG_ERR, MOSQ_LOG_WARNING, MOSQ_LOG_NOTICE, MOSQ_LOG_DEBUG};
	(void)ctx;
	mosquitto_log_printf(levels[level], "vestibule: %s", line);
}

int mosquitto_plugin_version(int supported_version_count, const int *supported_versions) {
	for (int i = 0; i < supported_version_count; i++) {
		if (supported_versions[i] == API_VERSION) return API_VERSION;
	}
	return -1;
}

static bool fail(struct plugin *p, const char *why) {
	log_line(&p->log, LOG_ERROR, "start_refused", "why", why, NULL);
	return false;
}

static struct store *open_store(struct plugin *p, const char *path) {
	char why[STORE_WHY_SIZE], text[STORE_WHY_SIZE + 64];
	struct store *s = NULL;
	enum err e = store_sqlite_open(path, &s, why);
	if (e == ERR_NONE) return s;
	(void)snprintf(text, sizeof(text), e == ERR_ABSENT ? "%s: run vestibule-ctl init" : "%s", why);
	(void)fail(p, text);
	return NULL;
}

static bool start(struct plugin *p, const struct mosquitto_opt *options, int count) {
	struct options o;
	char why[STORE_WHY_SIZE];
	const char *event = NULL;
	if (options_parse(options, count, &o, why) != ERR_NONE) return fail(p, why);
	p->log.level = o.level;
	struct store *s = open_store(p, o.store);
	if (!s) return false;
	struct engine_opts opts = options_engine(&o);
	p->hooks.engine = engine_new(&opts, s, &p->log, why);
	if (!p->hooks.engine) return fail(p, why);
	if (hooks_register(p->id, &p->hooks, &event) != ERR_NONE) {
		(void)snprintf(why, sizeof(why), "the broker refused the event %s", event);
		engine_free(p->hooks.engine, STOP_TIMEOUT_MS);
		return fail(p, why);
	}
	log_line(&p->log, LOG_INFO, "started", "version", VESTIBULE_VERSION, "agencies",
			 o.agencies ? "on" : "off", "demo", o.demo ? "true" : "false", NULL);
	return true;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
						  struct mosquitto_opt *options, int option_count) {
	struct plugin *p = calloc(1, sizeof(*p));
	if (!p) return MOSQ_ERR_NOMEM;
	p->id = identifier;
	p->log = (struct log){.sink = to_broker_log, .level = LOG_INFO};
	if (!start(p, options, option_count)) {
		free(p);
		return MOSQ_ERR_UNKNOWN;
	}
	*userdata = p;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count) {
	struct plugin *p = userdata;
	(void)options;
	(void)option_count;
	if (!p) return MOSQ_ERR_SUCCESS;
	hooks_unregister(p->id);
	engine_free(p->hooks.engine, STOP_TIMEOUT_MS);
	free(p);
	return MOSQ_ERR_SUCCESS;
}
