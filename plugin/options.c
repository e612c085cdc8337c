/* See options.h. One table row per option; nothing here touches the disk. */
#include "plugin/options.h"

enum {
	TICK_S_MIN = 300,
	TICK_S_MAX = 86400,
	TICK_S_DEFAULT = 900,
	TICK_S_DEMO = 2,
	HOLD_MAX = 100
};

static enum err refuse(char why[OPTIONS_WHY_SIZE], enum err e, const char *key, const char *must) {
	(void)snprintf(why, OPTIONS_WHY_SIZE, "plugin_opt_%.64s %s", key,
				   must); /* a cut sentence still tells */
	return e;
}

static enum err set_store(struct options *o, struct span v, char why[OPTIONS_WHY_SIZE]) {
	if (v.len == 0 || !span_copy(v, o->store, sizeof(o->store)))
		return refuse(why, ERR_LIMIT, "store",
					  "must be the path of a database, at most 1023 bytes");
	return ERR_NONE;
}

static enum err set_switch(bool *out, struct span v, const char *yes, const char *no) {
	if (span_eq(v, span_str(yes))) {
		*out = true;
	} else if (span_eq(v, span_str(no))) {
		*out = false;
	} else {
		return ERR_INPUT;
	}
	return ERR_NONE;
}

static enum err set_agencies(struct options *o, struct span v, char why[OPTIONS_WHY_SIZE]) {
	if (set_switch(&o->agencies, v, "on", "off") != ERR_NONE)
		return refuse(why, ERR_INPUT, "agencies", "must be on or off");
	return ERR_NONE;
}

static enum err set_demo(struct options *o, struct span v, char why[OPTIONS_WHY_SIZE]) {
	if (set_switch(&o->demo, v, "true", "false") != ERR_NONE)
		return refuse(why, ERR_INPUT, "demo", "must be true or false");
	return ERR_NONE;
}

/* Plain decimal digits: strtol would take blanks, signs and a tail. */
static enum err number(struct span v, int64_t min, int64_t max, int64_t *out) {
	int64_t n = 0;
	if (v.len == 0 || v.len > 9) return ERR_INPUT;
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9') return ERR_INPUT;
		n = n * 10 + (v.ptr[i] - '0');
	}
	if (n < min || n > max) return ERR_LIMIT;
	*out = n;
	return ERR_NONE;
}

static enum err set_tick(struct options *o, struct span v, char why[OPTIONS_WHY_SIZE]) {
	int64_t s = 0;
	enum err e = number(v, 1, TICK_S_MAX, &s);
	if (e != ERR_NONE) return refuse(why, e, "release_tick", "must be 1 to 86400 seconds");
	o->tick_ms = s * 1000;
	return ERR_NONE;
}

static enum err set_hold(struct options *o, struct span v, char why[OPTIONS_WHY_SIZE]) {
	enum err e = number(v, 1, HOLD_MAX, &o->hold_ticks);
	return e == ERR_NONE ? e : refuse(why, e, "hold_ticks", "must be 1 to 100 ticks");
}

static enum err set_level(struct options *o, struct span v, char why[OPTIONS_WHY_SIZE]) {
	static const char *const words[] = {"error", "warn", "info", "debug"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_eq(v, span_str(words[i]))) {
			o->level = (enum log_level)i;
			return ERR_NONE;
		}
	}
	return refuse(why, ERR_INPUT, "log_level", "must be error, warn, info or debug");
}

static const struct option {
	const char *key;
	enum err (*set)(struct options *o, struct span value, char why[OPTIONS_WHY_SIZE]);
} table[] = {
	{"store", set_store},       {"agencies", set_agencies}, {"demo", set_demo},
	{"release_tick", set_tick}, {"hold_ticks", set_hold},   {"log_level", set_level},
};
enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

static enum err take(struct options *o, const struct mosquitto_opt *opt, bool seen[OPTIONS],
					 char why[OPTIONS_WHY_SIZE]) {
	const char *key = opt->key ? opt->key : "";
	for (size_t i = 0; i < OPTIONS; i++) {
		if (!span_eq(span_str(key), span_str(table[i].key))) continue;
		if (seen[i]) return refuse(why, ERR_INPUT, key, "is given twice");
		seen[i] = true;
		return table[i].set(o, span_str(opt->value), why);
	}
	return refuse(why, ERR_INPUT, key, "is not an option of this plugin");
}

enum err options_parse(const struct mosquitto_opt *opts, int count, struct options *out,
					   char why[OPTIONS_WHY_SIZE]) {
	struct options o = {.hold_ticks = 1, .level = LOG_INFO};
	bool seen[OPTIONS] = {false};
	for (int i = 0; i < count; i++) {
		enum err e = take(&o, &opts[i], seen, why);
		if (e != ERR_NONE) return e;
	}
	if (!o.store[0]) return refuse(why, ERR_INPUT, "store", "is missing: the path of the database");
	if (o.tick_ms == 0) o.tick_ms = (o.demo ? TICK_S_DEMO : TICK_S_DEFAULT) * INT64_C(1000);
	if (!o.demo && o.tick_ms < TICK_S_MIN * INT64_C(1000))
		return refuse(why, ERR_LIMIT, "release_tick",
					  "must be at least 300 seconds without plugin_opt_demo true");
	*out = o;
	return ERR_NONE;
}

struct engine_opts options_engine(const struct options *o) {
	return (struct engine_opts){
		.consent = {.agencies = o->agencies,
					.demo = o->demo,
					.tick_ms = o->tick_ms,
					.hold_ticks = o->hold_ticks},
		.policy = {.agencies = o->agencies, .demo = o->demo},
	};
}
