/* See discovery.h. Only dev, ids, o, p, uniq_id and cmps are abbreviated; every other word is
 * written out, as the reference pages of Home Assistant have it. */
#include "clients/homeassistant/discovery.h"

#include <cjson/cJSON.h>

#define ORIGIN "vestibule-ha"
/* A device that sleeps can be reached. An empty status is the device's retirement, and no JSON. */
#define REACHABLE "value_json is defined and value_json.status in ['online', 'sleeping']"

enum {
	ID_SIZE = 2 * TOPIC_ID_MAX + 32,
	FILLED_SIZE = 8 * DISCOVERY_URL_MAX /* {device}, 8 bytes, becomes at most 64 */
};

/* One message under construction. Failures stick, so that it is asked once, at the end. */
struct draft {
	const struct discovery *d;
	const char *device;
	char slug[DISCOVERY_DEVICE_SIZE];
	cJSON *components;
	bool failed;
};

/* --- ids and topics --------------------------------------------------------------------------- */

static bool is_topic_of_others(struct span s, size_t max) {
	struct topic t;
	if (s.len == 0 || s.len > max || s.ptr[s.len - 1] == '/') return false;
	return topic_parse(s, &t) == ERR_NONE && t.kind == TOPIC_OTHER;
}

bool discovery_prefix_is_valid(const char *prefix) {
	return is_topic_of_others(span_str(prefix), DISCOVERY_PREFIX_MAX);
}

/* The length of a {word} at the start of s; 0: none. */
static size_t placeholder(struct span s) {
	if (span_starts(s, SPAN_LIT("{device}"))) return SPAN_LIT("{device}").len;
	return span_starts(s, SPAN_LIT("{clip}")) ? SPAN_LIT("{clip}").len : 0;
}

bool discovery_url_is_valid(const char *url) {
	struct span s = span_str(url);
	if (s.len > DISCOVERY_URL_MAX) return false;
	if (!span_starts(s, SPAN_LIT("http://")) && !span_starts(s, SPAN_LIT("https://"))) return false;
	while (s.len) {
		size_t word = placeholder(s);
		bool plain = s.ptr[0] > ' ' && s.ptr[0] < 0x7f && s.ptr[0] != '{' && s.ptr[0] != '}';
		if (!word && !plain) return false;
		s = span_drop(s, word ? word : 1);
	}
	return true;
}

bool discovery_battery_is_valid(const char *topic) {
	struct span s = span_str(topic);
	bool names_device = false;
	/* a device may be called vestibule */
	if (!is_topic_of_others(s, DISCOVERY_BATTERY_MAX) || s.ptr[0] == '{') return false;
	while (s.len) {
		bool word = span_starts(s, SPAN_LIT("{device}"));
		if (!word && (s.ptr[0] == '{' || s.ptr[0] == '}')) return false;
		names_device = names_device || word;
		s = span_drop(s, word ? SPAN_LIT("{device}").len : 1);
	}
	return names_device;
}

enum err discovery_topic(const struct discovery *d, const char *device, char out[MQ_TOPIC_SIZE]) {
	int n = snprintf(out, MQ_TOPIC_SIZE, "%s/device/vestibule_%s/config", d->prefix, device);
	return n > 0 && n < MQ_TOPIC_SIZE ? ERR_NONE : ERR_LIMIT;
}

enum err discovery_picture_topic(const char *home, const char *device, char out[MQ_TOPIC_SIZE]) {
	int n = snprintf(out, MQ_TOPIC_SIZE, "vestibule_ha/%s/%s/poster", home, device);
	return n > 0 && n < MQ_TOPIC_SIZE ? ERR_NONE : ERR_LIMIT;
}

/* Entity ids of Home Assistant: [a-z0-9_], no underscore at an end, no two in a row. */
static void make_slug(const char *device, char out[DISCOVERY_DEVICE_SIZE]) {
	size_t n = 0;
	for (; *device && n < DISCOVERY_DEVICE_SIZE - 1; device++) {
		bool letter = (*device >= 'a' && *device <= 'z') || (*device >= '0' && *device <= '9');
		if (!letter && (n == 0 || out[n - 1] == '_')) continue;
		out[n++] = (char)(letter ? *device : '_');
	}
	if (n && out[n - 1] == '_') n--;
	out[n] = '\0';
	if (n == 0) (void)span_copy(SPAN_LIT("doorbell"), out, DISCOVERY_DEVICE_SIZE); /* fits */
}

/* --- components ------------------------------------------------------------------------------- */

static void put_text(struct draft *w, cJSON *to, const char *name, const char *value) {
	if (!cJSON_AddStringToObject(to, name, value)) w->failed = true;
}

static void put_number(struct draft *w, cJSON *to, const char *name, int64_t value) {
	if (!cJSON_AddNumberToObject(to, name, (double)value)) w->failed = true;
}

/* A list of one. */
static void put_list(struct draft *w, cJSON *to, const char *name, const char *value) {
	cJSON *list = cJSON_AddArrayToObject(to, name), *text = cJSON_CreateString(value);
	if (list && text && cJSON_AddItemToArray(list, text)) return;
	cJSON_Delete(text);
	w->failed = true;
}

static void put_topic(struct draft *w, cJSON *to, const char *name, enum topic_kind kind) {
	struct topic t = {.kind = kind, .owner = span_str(w->d->home), .device = span_str(w->device)};
	struct buf b;
	buf_init(&b, TOPIC_BYTES_MAX);
	topic_build(&t, &b);
	if (buf_error(&b) == ERR_NONE)
		put_text(w, to, name, buf_cstr(&b));
	else
		w->failed = true;
	buf_fini(&b);
}

/* Literal topics: "~" is not taken at the root of this form, and reaches no availability list. */
static void put_availability(struct draft *w, cJSON *to) {
	cJSON *list = cJSON_AddArrayToObject(to, "availability"), *one = cJSON_CreateObject();
	if (!list || !one || !cJSON_AddItemToArray(list, one)) {
		cJSON_Delete(one);
		w->failed = true;
		return;
	}
	put_topic(w, one, "topic", TOPIC_HOME_JSON_STATUS);
	put_text(w, one, "value_template", "{{ 'online' if " REACHABLE " else 'offline' }}");
}

/* key: part of the entity's ids, never changed once released. */
static cJSON *component(struct draft *w, const char *key, const char *platform, const char *name) {
	char id[ID_SIZE];
	cJSON *c = cJSON_AddObjectToObject(w->components, key);
	if (!c) w->failed = true;
	put_text(w, c, "p", platform);
	(void)snprintf(id, sizeof(id), "vestibule:%s:%s:%s", w->d->home, w->device, key); /* fits */
	put_text(w, c, "uniq_id", id);
	(void)snprintf(id, sizeof(id), "%s.%s_%s", platform, w->slug, key); /* fits */
	put_text(w, c, "default_entity_id", id);
	put_text(w, c, "name", name);
	return c;
}

static void put_ring(struct draft *w) {
	cJSON *c = component(w, "ring", "event", "Ring");
	put_text(w, c, "device_class", "doorbell");
	put_list(w, c, "event_types", "ring");
	put_topic(w, c, "state_topic", TOPIC_HOME_JSON_RING);
	put_text(w, c, "value_template",
			 "{\"event_type\":\"ring\",\"at_ms\":{{ value_json.at_ms }},"
			 "\"event_id\":\"{{ value_json.event_id }}\"}");
	put_number(w, c, "qos", 1);
	put_availability(w, c);
}

static void put_motion(struct draft *w) {
	cJSON *c = component(w, "motion", "binary_sensor", "Motion");
	put_text(w, c, "device_class", "motion");
	put_topic(w, c, "state_topic", TOPIC_HOME_JSON_MOTION);
	put_text(w, c, "value_template", "ON"); /* whatever the event says, something moved */
	put_number(w, c, "off_delay", w->d->motion_off_s);
	put_topic(w, c, "json_attributes_topic", TOPIC_HOME_JSON_MOTION);
	put_text(w, c, "json_attributes_template",
			 "{\"kind\":\"{{ value_json.kind }}\","
			 "\"confidence_permille\":{{ value_json.confidence_permille }},"
			 "\"at_ms\":{{ value_json.at_ms }}}");
	put_availability(w, c);
}

static void put_clip(struct draft *w) {
	cJSON *c = component(w, "clip", "event", "Clip");
	put_list(w, c, "event_types", "clip");
	put_topic(w, c, "state_topic", TOPIC_HOME_JSON_CLIP_READY);
	put_text(w, c, "value_template",
			 "{\"event_type\":\"clip\",\"at_ms\":{{ value_json.at_ms }},"
			 "\"duration_ms\":{{ value_json.duration_ms }},"
			 "\"trigger\":\"{{ value_json.trigger }}\","
			 "\"clip_id\":\"{{ value_json.clip_id }}\"}");
	put_number(w, c, "qos", 1);
	put_availability(w, c);
}

/* No availability of its own: it is what says that the device is away. */
static void put_connected(struct draft *w) {
	cJSON *c = component(w, "connected", "binary_sensor", "Connected");
	put_text(w, c, "device_class", "connectivity");
	put_text(w, c, "entity_category", "diagnostic");
	put_topic(w, c, "state_topic", TOPIC_HOME_JSON_STATUS);
	put_text(w, c, "value_template", "{{ 'ON' if " REACHABLE " else 'OFF' }}");
}

/* The member name: template with its {words} filled in. */
static void put_filled(struct draft *w, cJSON *to, const char *name, const char *template) {
	struct span rest = span_str(template);
	struct buf b;
	buf_init(&b, FILLED_SIZE);
	while (rest.len) {
		size_t word = placeholder(rest);
		if (word == 0)
			buf_char(&b, (char)rest.ptr[0]);
		else if (span_starts(rest, SPAN_LIT("{device}")))
			buf_str(&b, w->device);
		else
			buf_str(&b, "{{ value_json.clip_id }}");
		rest = span_drop(rest, word ? word : 1);
	}
	if (buf_error(&b) == ERR_NONE)
		put_text(w, to, name, buf_cstr(&b));
	else
		w->failed = true;
	buf_fini(&b);
}

static void put_picture(struct draft *w) {
	char topic[MQ_TOPIC_SIZE];
	if (w->d->picture == DISCOVERY_NO_PICTURE) return;
	cJSON *c = component(w, "picture", "image", "Last clip");
	if (w->d->picture == DISCOVERY_PICTURE_URL) {
		put_topic(w, c, "url_topic", TOPIC_HOME_JSON_CLIP_READY);
		put_filled(w, c, "url_template", w->d->poster_url);
	} else if (discovery_picture_topic(w->d->home, w->device, topic) == ERR_NONE) {
		put_text(w, c, "image_topic", topic);
		put_text(w, c, "content_type", "image/jpeg");
	} else {
		w->failed = true;
	}
	put_availability(w, c);
}

/* Whoever says it says a number, or JSON with a member `battery`, as zigbee2mqtt does. Without one
 * the sensor stays as it is: Home Assistant passes over an empty number. */
static void put_battery(struct draft *w) {
	if (!w->d->battery_topic) return;
	cJSON *c = component(w, "battery", "sensor", "Battery");
	put_text(w, c, "device_class", "battery");
	put_text(w, c, "unit_of_measurement", "%");
	put_text(w, c, "state_class", "measurement");
	put_text(w, c, "entity_category", "diagnostic");
	put_filled(w, c, "state_topic", w->d->battery_topic);
	put_text(w, c, "value_template",
			 "{{ value_json.battery | default('') if value_json is mapping else value }}");
	put_availability(w, c);
}

/* --- the message ------------------------------------------------------------------------------ */

static void fill(struct draft *w, cJSON *root, const char *name) {
	char id[ID_SIZE];
	cJSON *dev = cJSON_AddObjectToObject(root, "dev");
	(void)snprintf(id, sizeof(id), "vestibule:%s:%s", w->d->home, w->device); /* fits */
	put_list(w, dev, "ids", id);
	put_text(w, dev, "name", name && name[0] ? name : w->device);
	put_text(w, dev, "mf", "Vestibule");
	cJSON *origin = cJSON_AddObjectToObject(root, "o");
	put_text(w, origin, "name", ORIGIN);
	put_text(w, origin, "sw", VESTIBULE_VERSION);
	w->components = cJSON_AddObjectToObject(root, "cmps");
	put_ring(w);
	put_motion(w);
	put_clip(w);
	put_connected(w);
	put_picture(w);
	put_battery(w);
}

enum err discovery_config(const struct discovery *d, const char *device, const char *name,
						  struct buf *out) {
	struct draft w = {.d = d, .device = device};
	make_slug(device, w.slug);
	cJSON *root = cJSON_CreateObject();
	fill(&w, root, name);
	char *text = w.failed ? NULL : cJSON_PrintUnformatted(root);
	if (text) buf_str(out, text);
	cJSON_free(text);
	cJSON_Delete(root);
	return text ? buf_error(out) : ERR_NOMEM;
}

static const char *text_of(const cJSON *json, const char *name) {
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
	return text ? text : "";
}

bool discovery_is_ours(const char *home, struct span payload, char device[DISCOVERY_DEVICE_SIZE]) {
	char owner[ID_SIZE];
	if (payload.len == 0 || payload.len > DISCOVERY_BYTES_MAX) return false;
	cJSON *root = cJSON_ParseWithLength((const char *)payload.ptr, payload.len);
	const cJSON *dev = cJSON_GetObjectItemCaseSensitive(root, "dev");
	const cJSON *ids = cJSON_GetObjectItemCaseSensitive(dev, "ids");
	struct span id = span_str(cJSON_GetStringValue(cJSON_GetArrayItem(ids, 0)));
	struct span origin = span_str(text_of(cJSON_GetObjectItemCaseSensitive(root, "o"), "name"));
	int n = snprintf(owner, sizeof(owner), "vestibule:%s:", home);
	bool ours = n > 0 && (size_t)n < sizeof(owner) && span_eq(origin, SPAN_LIT(ORIGIN)) &&
				span_starts(id, span_str(owner));
	struct span rest = ours ? span_drop(id, (size_t)n) : SPAN_LIT("");
	ours = ours && topic_id_is_valid(rest) && span_copy(rest, device, DISCOVERY_DEVICE_SIZE);
	cJSON_Delete(root);
	return ours;
}
