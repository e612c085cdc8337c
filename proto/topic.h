/* The topic grammar of vestibule/v1: parse, build, match, and "filter covers filter". Pure: no
 * allocation, no I/O. Sources: the topic table of proto/README.md (DESIGN 3); MQTT 5.0 section 4.7
 * for names, filters and wildcards. Any topic or filter bytes may be passed; nothing here reaches
 * an assert.
 *
 *     struct topic t;
 *     if (topic_parse(span_str("vestibule/v1/device/d7/ring"), &t) == ERR_NONE && t.kind ==
 * TOPIC_DEVICE_RING)
 *             ... t.device is "d7"
 */
#ifndef PROTO_TOPIC_H
#define PROTO_TOPIC_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/span.h"

enum {
	TOPIC_BYTES_MAX = 256, /* ours are shorter; longer names under vestibule/ are refused */
	TOPIC_LEVELS_MAX = 12,
	TOPIC_ID_MIN = 1, /* ids of homes, devices, agencies, integrators, relays: [a-z0-9_-] */
	TOPIC_ID_MAX = 64,
	TOPIC_USERNAME_MIN = 3, /* usernames: the same letters */
	TOPIC_USERNAME_MAX = 64,
	TOPIC_CLIP_LEN = 36 /* clip and request ids are lower-case UUID text */
};

enum topic_kind {
	TOPIC_UNKNOWN = 0, /* not one of ours */
	TOPIC_DEVICE_RING,
	TOPIC_DEVICE_MOTION,
	TOPIC_DEVICE_CLIP_READY,
	TOPIC_DEVICE_STATUS,
	TOPIC_DEVICE_ACK,
	TOPIC_DEVICE_PULL,  /* device, clip, username */
	TOPIC_DEVICE_CHUNK, /* device, clip, username */
	TOPIC_DEVICE_CLAIM,
	TOPIC_HOME_JSON_RING, /* home, device; and the three that follow */
	TOPIC_HOME_JSON_MOTION,
	TOPIC_HOME_JSON_CLIP_READY,
	TOPIC_HOME_JSON_STATUS,
	TOPIC_HOME_ASK,
	TOPIC_HOME_COMMAND,
	TOPIC_HOME_RECEIPT,
	TOPIC_AGENCY_COMMAND,
	TOPIC_AGENCY_NOTICE,
	TOPIC_RELAY_JOB,
	TOPIC_RELAY_REPORT,
	TOPIC_AREA_ALERT, /* cell: geohash-5 */
	TOPIC_USER_SYNC,
	TOPIC_USER_REPLY,
	TOPIC_USER_DENIED,
	TOPIC_USER_LINK,
	TOPIC_PUBLIC_AGENCY,
	TOPIC_PUBLIC_REQUEST, /* clip: the request id */
	TOPIC_OPERATOR_HEALTH,
	TOPIC_OPERATOR_METRICS,
	TOPIC_CONTROL,          /* $CONTROL/vestibule/v1 */
	TOPIC_CONTROL_RESPONSE, /* $CONTROL/vestibule/v1/response */
	TOPIC_OTHER,            /* outside vestibule/ and not starting with $ */
	TOPIC_DOLLAR,           /* any other name that starts with $ */
	TOPIC_KINDS
};

/* Spans point into the parsed bytes; those that the kind does not have are empty. */
struct topic {
	enum topic_kind kind;
	struct span owner; /* home, agency, relay or public agency id */
	struct span device;
	struct span clip; /* clip id, or request id of TOPIC_PUBLIC_REQUEST */
	struct span username;
	struct span cell;
};

/* Parses a topic name (no wildcards). ERR_LIMIT: longer than TOPIC_BYTES_MAX under vestibule/ or
 * $CONTROL/vestibule. ERR_INPUT: empty, holds + # or a zero byte, not UTF-8, or lies under
 * vestibule/ (or is exactly "vestibule") without being one of the table (unknown word, wrong number
 * of levels, bad id). *out is then {TOPIC_UNKNOWN}. */
enum err topic_parse(struct span name, struct topic *out) MUST_CHECK;

/* Appends the name of t; sets no error but the buffer's. Fields must satisfy the grammar (ids
 * checked by the caller): a builder for our own messages. */
void topic_build(const struct topic *t, struct buf *out);

const char *topic_kind_name(
	enum topic_kind kind); /* "device/ring", "home/json/motion", ... never NULL */

bool topic_is_consumed(enum topic_kind kind); /* read by nobody: commands, reports, sync, control */

/* Is it a well-formed filter (MQTT 5.0 section 4.7.1)? Length up to 65535; $share filters are not
 * accepted here. */
bool topic_filter_is_valid(struct span filter);

/* Does the filter match the name? MQTT 5.0 4.7.2: a leading wildcard does not match names that
 * start with $. */
bool topic_matches(struct span filter, struct span name);

/* Does every name that `inner` matches match `outer` too? Both valid filters (a name is a filter).
 */
bool topic_covers(struct span outer, struct span inner);

/* Could one name match both filters? */
bool topic_overlaps(struct span a, struct span b);

/* Level n (0-based) of a name or filter; false when there are fewer. */
bool topic_level(struct span name, size_t n, struct span *level);

bool topic_id_is_valid(struct span id);
bool topic_username_is_valid(struct span username);

#endif
