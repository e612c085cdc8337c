/* What Home Assistant is told of a device: one retained message of its MQTT discovery, in the
 * device-based form (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload).
 * Pure: text in, text out; when it is published is bridge.c's. Any thread.
 *
 * The entities read the home's own JSON topics (vestibule/v1/home/HOME/json/...). Nothing is copied
 * to topics of ours, so every message to Home Assistant passes the same READ check as to anybody
 * else, and it goes on when this program is not running. */
#ifndef HOMEASSISTANT_DISCOVERY_H
#define HOMEASSISTANT_DISCOVERY_H

#include "clients/mq/mq.h"
#include "proto/topic.h"

enum {
	DISCOVERY_BYTES_MAX = 16384,
	DISCOVERY_PREFIX_MAX = 64,
	DISCOVERY_URL_MAX = 512,
	DISCOVERY_BATTERY_MAX = 128,
	DISCOVERY_DEVICE_SIZE = TOPIC_ID_MAX + 1
};

enum discovery_picture {
	DISCOVERY_NO_PICTURE = 0,
	DISCOVERY_PICTURE_TOPIC, /* we bring posters and publish them (discovery_picture_topic) */
	DISCOVERY_PICTURE_URL    /* something else serves them at poster_url */
};

/* What is the same for every device of the home. Borrowed for each call. */
struct discovery {
	const char *prefix; /* Home Assistant's discovery prefix, "homeassistant" */
	const char *home;
	int64_t motion_off_s; /* after so long without motion the motion sensor is off */
	enum discovery_picture picture;
	const char *poster_url;    /* with {device} and {clip} in it */
	const char *battery_topic; /* with {device} in it; NULL: nobody says how full a battery is */
};

/* May it be a discovery prefix: a topic outside vestibule/ and $, without wildcards, of at most
 * DISCOVERY_PREFIX_MAX bytes, that does not end with a slash? */
bool discovery_prefix_is_valid(const char *prefix);
/* http:// or https://, printable ASCII without blanks, and no braces but {device} and {clip}. */
bool discovery_url_is_valid(const char *url);
/* Like a prefix, but of at most DISCOVERY_BATTERY_MAX bytes, and with {device} in it, so that no two
 * devices share a battery; no other braces. */
bool discovery_battery_is_valid(const char *topic);

/* PREFIX/device/vestibule_DEVICE/config; ids of devices are unique on the broker. ERR_LIMIT: too
 * long. */
enum err discovery_topic(const struct discovery *d, const char *device,
						 char out[MQ_TOPIC_SIZE]) MUST_CHECK;

/* vestibule_ha/HOME/DEVICE/poster: outside vestibule/, so the operator lists it for the
 * credential. ERR_LIMIT: too long. */
enum err discovery_picture_topic(const char *home, const char *device,
								 char out[MQ_TOPIC_SIZE]) MUST_CHECK;

/* Appends the message. name: for people; NULL or "": the id. ERR_NOMEM; ERR_LIMIT: out is full, or a
 * topic too long. */
enum err discovery_config(const struct discovery *d, const char *device, const char *name,
						  struct buf *out) MUST_CHECK;

/* Did this program, for that home, publish the payload? Then device gets whose it is. For what an
 * earlier run left at the broker; false for anything else, however it looks. */
bool discovery_is_ours(const char *home, struct span payload, char device[DISCOVERY_DEVICE_SIZE]);

#endif
