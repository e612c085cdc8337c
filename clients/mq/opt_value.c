/* Numbers, durations and flags out of option text: exact, or refused. */
#include "clients/mq/opt_value.h"

#include <errno.h>
#include <inttypes.h>

static enum err parse_int(const char *text, const char **end, int64_t *out) {
	char *stop = NULL;
	errno = 0;
	long long v = strtoll(text, &stop, 10);
	bool starts =
		(text[0] >= '0' && text[0] <= '9') || (text[0] == '-' && text[1] >= '0' && text[1] <= '9');
	if (!starts || errno != 0) return ERR_INPUT;
	*end = stop;
	*out = v;
	return ERR_NONE;
}

static enum err parse_duration(const char *text, int64_t *out) {
	const char *end = text;
	int64_t n = 0;
	if (parse_int(text, &end, &n) != ERR_NONE || n < 0) return ERR_INPUT;
	int64_t unit_ms;
	switch (*end) {
	case '\0':
	case 's': unit_ms = 1000; break;
	case 'm': unit_ms = 60 * 1000; break;
	case 'h': unit_ms = 3600 * 1000; break;
	case 'd': unit_ms = 24 * 3600 * 1000; break;
	default: return ERR_INPUT;
	}
	if (*end != '\0' && end[1] != '\0') return ERR_INPUT;
	if (n > INT64_MAX / unit_ms) return ERR_LIMIT;
	*out = n * unit_ms;
	return ERR_NONE;
}

static enum err set_number(const struct opt *o, const char *text, void *at, char want[96]) {
	int64_t v = 0;
	enum err e;
	if (o->type == OPT_INT) {
		const char *end = text;
		e = parse_int(text, &end, &v);
		if (e == ERR_NONE && *end != '\0') e = ERR_INPUT;
	} else {
		e = parse_duration(text, &v);
	}
	bool bounded = o->min != 0 || o->max != 0;
	if (e == ERR_NONE && bounded && (v < o->min || v > o->max)) e = ERR_LIMIT;
	if (e == ERR_NONE) {
		memcpy(at, &v, sizeof(v));
		return ERR_NONE;
	}
	if (o->type == OPT_DURATION) {
		(void)snprintf(want, 96,
					   "a time such as 90s, 15m, 12h or 14d, from %" PRId64 " to %" PRId64 " s",
					   o->min / 1000, bounded ? o->max / 1000 : INT64_MAX / 1000);
	} else {
		(void)snprintf(want, 96, "a whole number from %" PRId64 " to %" PRId64,
					   bounded ? o->min : INT64_MIN, bounded ? o->max : INT64_MAX);
	}
	return e;
}

static enum err set_flag(const char *text, void *at, char want[96]) {
	bool v = strcmp(text, "true") == 0;
	if (!v && strcmp(text, "false") != 0) {
		(void)snprintf(want, 96, "true or false");
		return ERR_INPUT;
	}
	memcpy(at, &v, sizeof(v));
	return ERR_NONE;
}

static enum err add_item(const char *text, void *at, char want[96]) {
	struct opt_list *list = at;
	if (list->count >= OPT_LIST_MAX) {
		(void)snprintf(want, 96, "at most %d of them", OPT_LIST_MAX);
		return ERR_LIMIT;
	}
	list->items[list->count++] = text;
	return ERR_NONE;
}

enum err opt_value_set(const struct opt *o, const char *text, void *settings, char want[96]) {
	void *at = (char *)settings + o->offset;
	switch (o->type) {
	case OPT_FLAG: return set_flag(text, at, want);
	case OPT_TEXT: memcpy(at, &text, sizeof(text)); return ERR_NONE;
	case OPT_INT:
	case OPT_DURATION: return set_number(o, text, at, want);
	case OPT_LIST: return add_item(text, at, want);
	case OPT_NONE: break;
	}
	(void)snprintf(want, 96, "of a known type");
	return ERR_INPUT;
}
