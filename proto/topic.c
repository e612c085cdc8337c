/* Names of topics: one table of forms gives parsing, building and the names for logs. Filters are
 * in topic_filter.c; who may use which topic is policy. */
#include "proto/topic.h"

#include "lib/utf8.h"
#include "proto/geohash.h"
#include "proto/uuid.h"

/* Levels in capitals stand for fields: O owner, D device, C clip or request, U username, G cell. */
struct form {
	const char *levels; /* after PREFIX; NULL: not built from levels */
	const char *name;
	bool consumed;
};

static const char prefix[] = "vestibule/v1/";
static const char control[] = "$CONTROL/vestibule/v1";
static const char control_response[] = "$CONTROL/vestibule/v1/response";

static const struct form forms[TOPIC_KINDS] = {
	[TOPIC_UNKNOWN] = {NULL, "unknown", false},
	[TOPIC_DEVICE_RING] = {"device/D/ring", "device/ring", false},
	[TOPIC_DEVICE_MOTION] = {"device/D/motion", "device/motion", false},
	[TOPIC_DEVICE_CLIP_READY] = {"device/D/clip-ready", "device/clip-ready", false},
	[TOPIC_DEVICE_STATUS] = {"device/D/status", "device/status", false},
	[TOPIC_DEVICE_ACK] = {"device/D/ack", "device/ack", false},
	[TOPIC_DEVICE_PULL] = {"device/D/pull/C/U", "device/pull", false},
	[TOPIC_DEVICE_CHUNK] = {"device/D/chunk/C/U", "device/chunk", false},
	[TOPIC_DEVICE_CLAIM] = {"device/D/claim", "device/claim", true},
	[TOPIC_HOME_JSON_RING] = {"home/O/json/D/ring", "home/json/ring", false},
	[TOPIC_HOME_JSON_MOTION] = {"home/O/json/D/motion", "home/json/motion", false},
	[TOPIC_HOME_JSON_CLIP_READY] = {"home/O/json/D/clip-ready", "home/json/clip-ready", false},
	[TOPIC_HOME_JSON_STATUS] = {"home/O/json/D/status", "home/json/status", false},
	[TOPIC_HOME_ASK] = {"home/O/ask", "home/ask", false},
	[TOPIC_HOME_COMMAND] = {"home/O/command", "home/command", true},
	[TOPIC_HOME_RECEIPT] = {"home/O/receipt", "home/receipt", false},
	[TOPIC_AGENCY_COMMAND] = {"agency/O/command", "agency/command", true},
	[TOPIC_AGENCY_NOTICE] = {"agency/O/notice", "agency/notice", false},
	[TOPIC_RELAY_JOB] = {"relay/O/job", "relay/job", false},
	[TOPIC_RELAY_REPORT] = {"relay/O/report", "relay/report", true},
	[TOPIC_AREA_ALERT] = {"area/G/alert", "area/alert", false},
	[TOPIC_USER_SYNC] = {"user/U/sync", "user/sync", true},
	[TOPIC_USER_REPLY] = {"user/U/reply", "user/reply", false},
	[TOPIC_USER_DENIED] = {"user/U/denied", "user/denied", false},
	[TOPIC_USER_LINK] = {"user/U/link", "user/link", false},
	[TOPIC_PUBLIC_AGENCY] = {"public/agency/O", "public/agency", false},
	[TOPIC_PUBLIC_REQUEST] = {"public/request/C", "public/request", false},
	[TOPIC_OPERATOR_HEALTH] = {"operator/health", "operator/health", false},
	[TOPIC_OPERATOR_METRICS] = {"operator/metrics", "operator/metrics", false},
	[TOPIC_CONTROL] = {NULL, "control", true},
	[TOPIC_CONTROL_RESPONSE] = {NULL, "control/response", false},
	[TOPIC_OTHER] = {NULL, "other", false},
	[TOPIC_DOLLAR] = {NULL, "dollar", false},
};

static bool is_word(struct span s, size_t min, size_t max) {
	if (s.len < min || s.len > max) return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return false;
	}
	return true;
}

bool topic_id_is_valid(struct span id) {
	return is_word(id, TOPIC_ID_MIN, TOPIC_ID_MAX);
}

bool topic_username_is_valid(struct span username) {
	return is_word(username, TOPIC_USERNAME_MIN, TOPIC_USERNAME_MAX);
}

/* Cuts the first level off *rest; false when no level is left. A name ends without a level after
 * its last slash, so "a/" has the levels "a" and "". */
static bool cut_level(struct span *rest, struct span *level) {
	if (!rest->ptr) return false;
	const uint8_t *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
	if (!slash) {
		*level = *rest;
		*rest = (struct span){NULL, 0};
		return true;
	}
	*level = span_of(rest->ptr, (size_t)(slash - rest->ptr));
	*rest = (struct span){slash + 1, rest->len - level->len - 1};
	return true;
}

bool topic_level(struct span name, size_t n, struct span *level) {
	struct span rest = name, found;
	do {
		if (!cut_level(&rest, &found)) return false;
	} while (n-- > 0);
	*level = found;
	return true;
}

/* Reads one level into the field that the form's letter names; a literal must be equal. */
static bool take_level(struct span want, struct span level, struct topic *out) {
	uint8_t id[UUID_BYTES];
	uint8_t letter = want.len == 1 ? want.ptr[0] : 0;
	switch (letter) {
	case 'O': out->owner = level; return topic_id_is_valid(level);
	case 'D': out->device = level; return topic_id_is_valid(level);
	case 'U': out->username = level; return topic_username_is_valid(level);
	case 'C': out->clip = level; return uuid_parse(level, id) == ERR_NONE;
	case 'G': out->cell = level; return geohash_is_valid(level, GEOHASH_AREA);
	default: return span_eq(want, level);
	}
}

static bool fits_form(struct span name, const char *levels, struct topic *out) {
	struct span want_rest = span_str(levels), want, level;
	while (cut_level(&want_rest, &want)) {
		if (!cut_level(&name, &level) || !take_level(want, level, out)) return false;
	}
	return !cut_level(&name, &level);
}

static bool is_plain_name(struct span name) {
	if (name.len == 0 || name.len > UINT16_MAX) return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '+' || name.ptr[i] == '#' || name.ptr[i] == 0) return false;
	}
	return utf8_is_valid(name);
}

static enum err parse_ours(struct span rest, struct topic *out) {
	for (int kind = 0; kind < TOPIC_KINDS; kind++) {
		struct topic found = {.kind = (enum topic_kind)kind};
		if (!forms[kind].levels || !fits_form(rest, forms[kind].levels, &found)) continue;
		*out = found;
		return ERR_NONE;
	}
	return ERR_INPUT;
}

/* Is name exactly root, or something below it? */
static bool is_under(struct span name, struct span root) {
	return span_starts(name, root) && (name.len == root.len || name.ptr[root.len] == '/');
}

enum err topic_parse(struct span name, struct topic *out) {
	*out = (struct topic){.kind = TOPIC_UNKNOWN};
	if (!is_plain_name(name)) return ERR_INPUT;
	bool ours = is_under(name, SPAN_LIT("vestibule"));
	if (ours || is_under(name, SPAN_LIT("$CONTROL/vestibule"))) {
		if (name.len > TOPIC_BYTES_MAX) return ERR_LIMIT;
	}
	if (ours) {
		if (!span_starts(name, span_str(prefix))) return ERR_INPUT;
		return parse_ours(span_drop(name, sizeof(prefix) - 1), out);
	}
	out->kind = name.ptr[0] == '$' ? TOPIC_DOLLAR : TOPIC_OTHER;
	if (span_eq(name, span_str(control))) out->kind = TOPIC_CONTROL;
	if (span_eq(name, span_str(control_response))) out->kind = TOPIC_CONTROL_RESPONSE;
	return ERR_NONE;
}

static struct span field_of(const struct topic *t, struct span level) {
	switch (level.len == 1 ? level.ptr[0] : 0) {
	case 'O': return t->owner;
	case 'D': return t->device;
	case 'U': return t->username;
	case 'C': return t->clip;
	case 'G': return t->cell;
	default: return level;
	}
}

void topic_build(const struct topic *t, struct buf *out) {
	if (t->kind == TOPIC_CONTROL) buf_str(out, control);
	if (t->kind == TOPIC_CONTROL_RESPONSE) buf_str(out, control_response);
	if ((unsigned)t->kind >= TOPIC_KINDS || !forms[t->kind].levels) return;
	buf_str(out, prefix);
	struct span rest = span_str(forms[t->kind].levels), level;
	for (bool first = true; cut_level(&rest, &level); first = false) {
		if (!first) buf_char(out, '/');
		buf_span(out, field_of(t, level));
	}
}

const char *topic_kind_name(enum topic_kind kind) {
	return (unsigned)kind < TOPIC_KINDS ? forms[kind].name : forms[TOPIC_UNKNOWN].name;
}

bool topic_is_consumed(enum topic_kind kind) {
	return (unsigned)kind < TOPIC_KINDS && forms[kind].consumed;
}
