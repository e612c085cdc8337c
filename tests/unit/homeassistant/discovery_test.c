/* What Home Assistant is told of a device. That the whole message has the shape it takes is shown
 * with a schema and with real messages (tests/ha, tests/broker); here are the corners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "clients/homeassistant/discovery.h"

static const struct discovery plain = {
	.prefix = "homeassistant", .home = "maple", .motion_off_s = 30};

/* The message, parsed; free with cJSON_Delete. */
static cJSON *config_of(const struct discovery *d, const char *device, const char *name) {
	struct buf b;
	buf_init(&b, DISCOVERY_BYTES_MAX);
	assert_int_equal(discovery_config(d, device, name, &b), ERR_NONE);
	cJSON *root = cJSON_Parse(buf_cstr(&b));
	assert_non_null(root);
	buf_fini(&b);
	return root;
}

static const cJSON *component_of(const cJSON *root, const char *key) {
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "cmps"), key);
}

static const char *text_of(const cJSON *json, const char *name) {
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static void entities_read_the_topics_of_the_home(void **state) {
	(void)state;
	cJSON *root = config_of(&plain, "front-door", "Front door");
	const cJSON *ring = component_of(root, "ring"), *motion = component_of(root, "motion");
	assert_string_equal(text_of(ring, "state_topic"),
						"vestibule/v1/home/maple/json/front-door/ring");
	assert_string_equal(text_of(motion, "state_topic"),
						"vestibule/v1/home/maple/json/front-door/motion");
	assert_string_equal(text_of(ring, "uniq_id"), "vestibule:maple:front-door:ring");
	assert_string_equal(text_of(cJSON_GetObjectItem(root, "dev"), "name"), "Front door");
	assert_int_equal(cJSON_GetObjectItem(motion, "off_delay")->valueint, 30);
	assert_null(component_of(root, "picture"));
	assert_null(component_of(root, "battery")); /* nobody was said to know how full one is */
	cJSON_Delete(root);
}

static void entity_ids_are_ones_that_can_be(void **state) {
	static const char *const cases[][2] = {
		{"front-door", "event.front_door_ring"},
		{"a--b_-c", "event.a_b_c_ring"},
		{"-x-", "event.x_ring"},
		{"__", "event.doorbell_ring"},
		{"7", "event.7_ring"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cJSON *root = config_of(&plain, cases[i][0], NULL);
		assert_string_equal(text_of(component_of(root, "ring"), "default_entity_id"), cases[i][1]);
		assert_string_equal(text_of(cJSON_GetObjectItem(root, "dev"), "name"), cases[i][0]);
		cJSON_Delete(root);
	}
}

static void name_that_somebody_chose_stays_a_name(void **state) {
	(void)state;
	const char *name = "x\",\"cmps\":{},\"y\":\"{{ states }}\n";
	cJSON *root = config_of(&plain, "d", name);
	assert_string_equal(text_of(cJSON_GetObjectItem(root, "dev"), "name"), name);
	assert_int_equal(cJSON_GetArraySize(root), 3);
	cJSON_Delete(root);
}

static void picture_has_one_source(void **state) {
	(void)state;
	struct discovery d = plain;
	d.picture = DISCOVERY_PICTURE_TOPIC;
	cJSON *root = config_of(&d, "front", "");
	const cJSON *picture = component_of(root, "picture");
	assert_string_equal(text_of(picture, "image_topic"), "vestibule_ha/maple/front/poster");
	assert_null(text_of(picture, "url_topic"));
	cJSON_Delete(root);

	d.picture = DISCOVERY_PICTURE_URL;
	d.poster_url = "https://hub/{device}/{clip}.jpg?again={clip}";
	root = config_of(&d, "front", "");
	picture = component_of(root, "picture");
	assert_null(text_of(picture, "image_topic"));
	assert_null(text_of(picture, "content_type"));
	assert_string_equal(
		text_of(picture, "url_template"),
		"https://hub/front/{{ value_json.clip_id }}.jpg?again={{ value_json.clip_id }}");
	cJSON_Delete(root);
}

static void battery_is_read_where_somebody_says_it(void **state) {
	(void)state;
	struct discovery d = plain;
	d.battery_topic = "zigbee2mqtt/{device}/{device}";
	cJSON *root = config_of(&d, "front-door", "");
	const cJSON *battery = component_of(root, "battery");
	assert_string_equal(text_of(battery, "state_topic"), "zigbee2mqtt/front-door/front-door");
	assert_string_equal(text_of(battery, "device_class"), "battery");
	assert_string_equal(text_of(battery, "default_entity_id"), "sensor.front_door_battery");
	cJSON_Delete(root);
}

static void battery_topic_is_of_one_device_and_none_of_ours(void **state) {
	(void)state;
	assert_true(discovery_battery_is_valid("battery/{device}"));
	assert_true(discovery_battery_is_valid("x{device}"));
	assert_false(discovery_battery_is_valid("{device}/v1")); /* a device may be called vestibule */
	assert_false(discovery_battery_is_valid("battery/front"));
	assert_false(discovery_battery_is_valid("battery/{clip}/{device}"));
	assert_false(discovery_battery_is_valid("battery/{{device}}"));
	assert_false(discovery_battery_is_valid("battery/{device"));
	assert_false(discovery_battery_is_valid("battery/+/{device}"));
	assert_false(discovery_battery_is_valid("x/{device}/#"));
	assert_false(discovery_battery_is_valid("x/{device}/"));
	assert_false(discovery_battery_is_valid("vestibule/v1/device/{device}/status"));
	assert_false(discovery_battery_is_valid("$SYS/{device}"));
	assert_false(discovery_battery_is_valid(""));
	char topic[DISCOVERY_BATTERY_MAX + 2] = "x/{device}";
	memset(topic + 10, 'x', sizeof(topic) - 11);
	topic[DISCOVERY_BATTERY_MAX + 1] = '\0';
	assert_false(discovery_battery_is_valid(topic));
	topic[DISCOVERY_BATTERY_MAX] = '\0';
	assert_true(discovery_battery_is_valid(topic));
}

static void url_holds_no_template_of_its_own(void **state) {
	(void)state;
	assert_true(discovery_url_is_valid("http://hub:8080/{device}/{clip}.jpg"));
	assert_true(discovery_url_is_valid("https://hub/last.jpg"));
	assert_false(discovery_url_is_valid("ftp://hub/{clip}"));
	assert_false(discovery_url_is_valid("http://hub/{{ states }}"));
	assert_false(discovery_url_is_valid("http://hub/{{clip}}"));
	assert_false(discovery_url_is_valid("http://hub/{% raw %}"));
	assert_false(discovery_url_is_valid("http://hub/{clips}"));
	assert_false(discovery_url_is_valid("http://hub/a b"));
	assert_false(discovery_url_is_valid("http://hub/\xc3\xa9"));
	assert_false(discovery_url_is_valid(""));
	char url[DISCOVERY_URL_MAX + 2] = "http://";
	memset(url + 7, 'x', sizeof(url) - 8);
	url[DISCOVERY_URL_MAX + 1] = '\0';
	assert_false(discovery_url_is_valid(url));
	url[DISCOVERY_URL_MAX] = '\0';
	assert_true(discovery_url_is_valid(url));
}

static void prefix_lies_outside_our_own_topics(void **state) {
	(void)state;
	assert_true(discovery_prefix_is_valid("homeassistant"));
	assert_true(discovery_prefix_is_valid("homes/oak"));
	assert_false(discovery_prefix_is_valid("vestibule"));
	assert_false(discovery_prefix_is_valid("vestibule/v1"));
	assert_false(discovery_prefix_is_valid("$SYS"));
	assert_false(discovery_prefix_is_valid("a/+"));
	assert_false(discovery_prefix_is_valid("a/#"));
	assert_false(discovery_prefix_is_valid("a/"));
	assert_false(discovery_prefix_is_valid(""));
	assert_false(discovery_prefix_is_valid(
		"0123456789012345678901234567890123456789012345678901234567890123x"));
}

static void longest_names_fit(void **state) {
	(void)state;
	char id[TOPIC_ID_MAX + 1], url[DISCOVERY_URL_MAX + 1], topic[MQ_TOPIC_SIZE];
	memset(id, 'z', TOPIC_ID_MAX);
	id[TOPIC_ID_MAX] = '\0';
	memset(url, '\0', sizeof(url));
	memcpy(url, "http://", 7);
	for (size_t at = 7; at + 6 <= DISCOVERY_URL_MAX; at += 6) memcpy(url + at, "{clip}", 6);
	struct discovery d = plain;
	d.prefix = id; /* as long as a prefix may be */
	d.home = id;
	d.picture = DISCOVERY_PICTURE_URL;
	d.poster_url = url;
	assert_true(discovery_url_is_valid(url));
	cJSON_Delete(config_of(&d, id, id));
	for (size_t at = 7; at + 8 <= DISCOVERY_URL_MAX; at += 8) memcpy(url + at, "{device}", 8);
	url[511] = '\0';
	assert_true(discovery_url_is_valid(url));
	cJSON_Delete(config_of(&d, id, id));
	assert_int_equal(discovery_topic(&d, id, topic), ERR_NONE);
	assert_int_equal(discovery_picture_topic(id, id, topic), ERR_NONE);
}

static bool is_ours(const char *home, const char *payload) {
	char device[DISCOVERY_DEVICE_SIZE];
	return discovery_is_ours(home, span_str(payload), device);
}

static void own_message_is_known_again_and_no_other(void **state) {
	(void)state;
	char device[DISCOVERY_DEVICE_SIZE] = "";
	struct buf b;
	buf_init(&b, DISCOVERY_BYTES_MAX);
	assert_int_equal(discovery_config(&plain, "front-door", "x", &b), ERR_NONE);
	assert_true(discovery_is_ours("maple", buf_view(&b), device));
	assert_string_equal(device, "front-door");
	assert_false(discovery_is_ours("oak", buf_view(&b), device));
	assert_false(discovery_is_ours("map", buf_view(&b), device));
	assert_false(discovery_is_ours("maple", SPAN_LIT(""), device));
	buf_fini(&b);
#define FROM(origin, id) "{\"dev\":{\"ids\":[\"" id "\"]},\"o\":{\"name\":\"" origin "\"}}"
	assert_true(is_ours("maple", FROM("vestibule-ha", "vestibule:maple:front")));
	assert_false(is_ours("maple", FROM("zigbee2mqtt", "vestibule:maple:front")));
	assert_false(is_ours("maple", FROM("vestibule-ha", "vestibule:maple:")));
	assert_false(is_ours("maple", FROM("vestibule-ha", "vestibule:maple:front:ring")));
	assert_false(is_ours("maple", FROM("vestibule-ha", "vestibule:maple:a/b")));
	assert_false(is_ours("maple", "{\"dev\":{\"ids\":\"vestibule:maple:front\"},\"o\":[]}"));
	assert_false(is_ours("maple", "{\"dev\":7,\"o\":{\"name\":\"vestibule-ha\"}}"));
	assert_false(is_ours("maple", "[]"));
	assert_false(is_ours("maple", "{\"dev\":"));
}

/* --- memory that runs out --------------------------------------------------------------------- */

static size_t left;

static void *counted_malloc(size_t size) {
	if (left == 0) return NULL;
	left--;
	return malloc(size);
}

static void message_is_whole_or_not_there(void **state) {
	(void)state;
	cJSON_Hooks hooks = {counted_malloc, free}, usual = {malloc, free};
	struct discovery d = plain;
	d.picture = DISCOVERY_PICTURE_TOPIC;
	d.battery_topic = "battery/{device}";
	enum err e = ERR_NOMEM;
	size_t allowed = 0;
	for (; e != ERR_NONE; allowed++) {
		struct buf b;
		buf_init(&b, DISCOVERY_BYTES_MAX);
		left = allowed;
		cJSON_InitHooks(&hooks);
		e = discovery_config(&d, "front", "x", &b);
		cJSON_InitHooks(&usual);
		if (e != ERR_NONE) {
			assert_int_equal(e, ERR_NOMEM);
			assert_int_equal(b.len, 0);
		}
		buf_fini(&b);
	}
	assert_true(allowed > 100);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entities_read_the_topics_of_the_home),
		cmocka_unit_test(entity_ids_are_ones_that_can_be),
		cmocka_unit_test(name_that_somebody_chose_stays_a_name),
		cmocka_unit_test(picture_has_one_source),
		cmocka_unit_test(battery_is_read_where_somebody_says_it),
		cmocka_unit_test(battery_topic_is_of_one_device_and_none_of_ours),
		cmocka_unit_test(url_holds_no_template_of_its_own),
		cmocka_unit_test(prefix_lies_outside_our_own_topics),
		cmocka_unit_test(longest_names_fit),
		cmocka_unit_test(own_message_is_known_again_and_no_other),
		cmocka_unit_test(message_is_whole_or_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
