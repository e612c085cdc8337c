/* The rule of every field, in the order of the .proto files. These are limits of shape; limits of
 * policy (how wide a circle may be, how long a grant may last) are judged by the consent engine,
 * which can say why. */
#include "proto/codec_rules.h"

#define OPT RULE_OPTIONAL
#define HID RULE_HIDDEN
#define NUMBER(name, lo, hi) \
	{ name, SHAPE_NUMBER, 0, lo, hi, 0, 0 }
#define NUMBER_OPT(name, lo, hi) \
	{ name, SHAPE_NUMBER, OPT, lo, hi, 0, 0 }
#define PLAIN(name, shape) \
	{ name, SHAPE_##shape, 0, 0, 0, 0, 0 }
#define PLAIN_OPT(name, shape) \
	{ name, SHAPE_##shape, OPT, 0, 0, 0, 0 }
#define SIZED(name, shape, lo, hi) \
	{ name, SHAPE_##shape, 0, lo, hi, 0, 0 }
#define SIZED_OPT(name, shape, lo, hi) \
	{ name, SHAPE_##shape, OPT, lo, hi, 0, 0 }
#define LIST(name, lo, hi) \
	{ name, SHAPE_MESSAGE, 0, 0, 0, lo, hi }
#define SHA256(name) \
	{ name, SHAPE_BYTES, 0, 32, 32, 0, 0 }
#define SHA256_OPT(name) \
	{ name, SHAPE_BYTES, OPT, 32, 32, 0, 0 }
#define URL(name, flags, hi) \
	{ name, SHAPE_URL, flags, 0, hi, 0, 0 }
#define SEALED(name) \
	{ name, SHAPE_SEALED, OPT | HID, 0, CODEC_SEALED_MAX, 0, 0 }
#define MANIFEST(name) \
	{ name, SHAPE_NOTE, OPT | HID, 0, CODEC_MANIFEST_MAX, 0, 0 }
#define HEADER(name) \
	{ name, SHAPE_HEADER, OPT | HID, 0, 0, 0, 0 }
#define DEGREES(name, lo, hi, least, most) \
	{ name, SHAPE_NUMBER, 0, lo, hi, least, most }

/* How every event and command begins. */
#define HEAD                                                               \
	PLAIN("event_id", UUID7), PLAIN("at_ms", TIME), PLAIN("synced", BOOL), \
		NUMBER("seq", 1, INT64_MAX)
#define ARRIVED \
	{ "arrived_ms", SHAPE_TIME, OPT | RULE_PLUGIN, 0, 0, 0, 0 }

enum {
	LAT_MAX = 850000000, /* the consent engine's geometry ends at 85 degrees */
	POLE = 900000000,
	LON_MIN = -1799999999,
	LON_MAX = 1800000000,
	RADIUS_MAX = 100000,
	DURATION_MAX = 3600000,
	REVISION_MAX = 1000000,
	OPEN_HOURS_MAX = 100000,
	MINUTES_MAX = 525600,
	REPLY_PARTS_MAX = 100000,
	RING_POINTS_MIN = 3,
	POLICY_URL_MAX = 256,
	DETAIL_MAX = 256,
	DENIED_TOPIC_MAX = 1024,
	ENROL_RECIPIENTS_MAX = 8, /* as many as an age header holds (SHAPE_SEALED) */
	ENROL_CA_MAX = 16384,
	FAULT_FIELD_MAX = 64,
	FAULT_LIMIT_MAX = 96
};

static const struct codec_rule ring_event[] = {HEAD, ARRIVED};
static const struct codec_rule motion_event[] = {HEAD, ARRIVED, PLAIN("kind", ENUM),
												 NUMBER("confidence_permille", 0, 1000)};
static const struct codec_rule clip_ready[] = {HEAD,
											   ARRIVED,
											   PLAIN("clip_id", UUID7),
											   PLAIN("start_ms", TIME),
											   NUMBER("duration_ms", 1, DURATION_MAX),
											   PLAIN("trigger", ENUM),
											   PLAIN("media_type", MEDIA),
											   NUMBER("payload_length", 1, CODEC_CLIP_MAX),
											   SHA256("payload_sha256"),
											   SEALED("sealed"),
											   MANIFEST("manifest"),
											   NUMBER("poster_length", 0, CODEC_POSTER_MAX)};
static const struct codec_rule device_ack[] = {NUMBER("seq", 0, INT64_MAX)};
static const struct codec_rule clip_pull[] = {PLAIN_OPT("part", ENUM),
											  NUMBER("offset", 0, CODEC_CLIP_MAX),
											  NUMBER("length", 1, CODEC_PULL_MAX)};
static const struct codec_rule clip_chunk[] = {
	PLAIN_OPT("part", ENUM),
	NUMBER("offset", 0, CODEC_CLIP_MAX),
	{"data", SHAPE_BYTES, OPT | HID, 0, CODEC_CHUNK_MAX, 0, 0},
	PLAIN("last", BOOL),
	PLAIN_OPT("status", ENUM)};

static const struct codec_rule first_admin[] = {PLAIN("username", USERNAME),
												{"token_sha256", SHAPE_BYTES, HID, 32, 32, 0, 0}};
static const struct codec_rule device_claim[] = {HEAD, PLAIN("first_admin", MESSAGE),
												 PLAIN("reset", MESSAGE)};

static const struct codec_rule circle[] = {NUMBER("lat_e7", -LAT_MAX, LAT_MAX),
										   NUMBER("lon_e7", LON_MIN, LON_MAX),
										   NUMBER("radius_m", 1, RADIUS_MAX)};
static const struct codec_rule ask_clip[] = {
	PLAIN("clip_id", UUID7), PLAIN("device", ID),
	PLAIN("start_ms", TIME), NUMBER("duration_ms", 1, DURATION_MAX),
	PLAIN("trigger", ENUM),  SEALED("sealed"),
	MANIFEST("manifest")};
static const struct codec_rule ask[] = {PLAIN("ask_id", UUID),
										NUMBER("revision", 1, REVISION_MAX),
										PLAIN("agency", ID),
										SIZED("agency_name", TEXT, 1, CODEC_NAME_MAX),
										PLAIN("agency_kind", ENUM),
										PLAIN_OPT("recipient", RECIPIENT),
										SIZED_OPT("key_id", BYTES, 8, 8),
										PLAIN("incident_type", ENUM),
										PLAIN("circle", MESSAGE),
										PLAIN("from_ms", TIME),
										PLAIN("to_ms", TIME),
										PLAIN("purpose", ENUM),
										PLAIN("emergency", BOOL),
										PLAIN("expires_ms", TIME),
										LIST("clips", 1, CODEC_ASK_CLIPS_MAX)};
static const struct codec_rule decision[] = {PLAIN("clip_id", UUID7), PLAIN("yes", BOOL),
											 HEADER("header"), PLAIN_OPT("exp_ms", TIME)};
static const struct codec_rule answer[] = {PLAIN("ask_id", UUID),
										   NUMBER("revision", 1, REVISION_MAX),
										   LIST("decisions", 0, CODEC_DECISIONS_MAX),
										   PLAIN("none", BOOL), SIZED_OPT("key_id", BYTES, 8, 8)};
static const struct codec_rule grant_standing[] = {PLAIN("integrator", ID), PLAIN_OPT("device", ID),
												   PLAIN("kind", ENUM), PLAIN("exp_ms", TIME)};
static const struct codec_rule retract[] = {PLAIN("grant_id", UUID)};
static const struct codec_rule rules[] = {SIZED_OPT("text", LINES, 0, CODEC_RULES_MAX)};
static const struct codec_rule invite[] = {PLAIN("username", USERNAME),
										   PLAIN("role", ENUM),
										   {"token_sha256", SHAPE_BYTES, HID, 32, 32, 0, 0}};
static const struct codec_rule rotate[] = {{"token_sha256", SHAPE_BYTES, HID, 32, 32, 0, 0}};
static const struct codec_rule remove_member[] = {PLAIN("username", USERNAME)};
static const struct codec_rule about_device[] = {PLAIN("device", ID)};
static const struct codec_rule home_command[] = {HEAD,
												 PLAIN("answer", MESSAGE),
												 PLAIN("grant", MESSAGE),
												 PLAIN("retract", MESSAGE),
												 PLAIN("rules", MESSAGE),
												 PLAIN("invite", MESSAGE),
												 PLAIN("remove", MESSAGE),
												 PLAIN("leave", MESSAGE),
												 PLAIN("claim", MESSAGE),
												 PLAIN("retire", MESSAGE),
												 PLAIN("rotate", MESSAGE)};
static const struct codec_rule receipt[] = {
	PLAIN("receipt_id", UUID),     PLAIN("at_ms", TIME),
	PLAIN("kind", ENUM),           PLAIN_OPT("in_reply_to", UUID),
	PLAIN_OPT("actor", USERNAME),  PLAIN_OPT("reason", WORD),
	PLAIN_OPT("ask_id", UUID),     PLAIN_OPT("clip_id", UUID7),
	PLAIN_OPT("grant_id", UUID),   PLAIN_OPT("device", ID),
	PLAIN_OPT("integrator", ID),   PLAIN_OPT("agency", ID),
	PLAIN_OPT("member", USERNAME), PLAIN_OPT("grant_kind", ENUM),
	PLAIN_OPT("exp_ms", TIME),     SIZED_OPT("detail", TEXT, 0, DETAIL_MAX)};
static const struct codec_rule alert[] = {PLAIN("alert_id", UUID),
										  PLAIN("at_ms", TIME),
										  PLAIN("agency", ID),
										  PLAIN("kind", ENUM),
										  SIZED("text", CHARS, 1, CODEC_ALERT_TEXT_MAX),
										  PLAIN("until_ms", TIME)};

static const struct codec_rule submit[] = {
	PLAIN("request_id", UUID7), PLAIN("incident_type", ENUM),
	PLAIN("purpose", ENUM),     PLAIN("emergency", BOOL),
	PLAIN("case_number", CASE), SIZED("reason", CHARS, CODEC_REASON_MIN, CODEC_REASON_MAX),
	PLAIN("circle", MESSAGE),   PLAIN("from_ms", TIME),
	PLAIN("to_ms", TIME),       NUMBER("open_hours", 0, OPEN_HOURS_MAX)};
static const struct codec_rule request_id[] = {PLAIN("request_id", UUID7)};
static const struct codec_rule fetch[] = {PLAIN("delivery_id", UUID)};
static const struct codec_rule send_alert[] = {PLAIN("geohash5", CELL), PLAIN("kind", ENUM),
											   SIZED("text", CHARS, 1, CODEC_ALERT_TEXT_MAX),
											   PLAIN("until_ms", TIME)};
static const struct codec_rule agency_command[] = {HEAD,
												   PLAIN("submit", MESSAGE),
												   PLAIN("approve", MESSAGE),
												   PLAIN("withdraw", MESSAGE),
												   PLAIN("resolve", MESSAGE),
												   PLAIN("fetch", MESSAGE),
												   PLAIN("alert", MESSAGE)};
static const struct codec_rule agency_notice[] = {
	PLAIN("notice_id", UUID),
	PLAIN("at_ms", TIME),
	PLAIN("kind", ENUM),
	PLAIN_OPT("in_reply_to", UUID),
	PLAIN_OPT("request_id", UUID7),
	PLAIN_OPT("state", ENUM),
	PLAIN_OPT("reason", WORD),
	PLAIN_OPT("delivery_id", UUID),
	PLAIN_OPT("source", UUID),
	PLAIN_OPT("start_ms", TIME),
	NUMBER_OPT("duration_ms", 1, DURATION_MAX),
	PLAIN_OPT("media_type", MEDIA),
	NUMBER_OPT("payload_length", 1, CODEC_CLIP_MAX),
	SHA256_OPT("payload_sha256"),
	PLAIN_OPT("exp_ms", TIME),
	{"padding", SHAPE_ZEROS, OPT | HID, 0, CODEC_NOTICE_BYTES, 0, 0}};
static const struct codec_rule fetch_link[] = {PLAIN("delivery_id", UUID),
											   PLAIN("in_reply_to", UUID),
											   URL("url", 0, CODEC_URL_MAX),
											   PLAIN("expires_ms", TIME),
											   HEADER("header"),
											   NUMBER("payload_length", 1, CODEC_CLIP_MAX),
											   SHA256("payload_sha256"),
											   PLAIN("media_type", MEDIA)};
static const struct codec_rule public_agency[] = {PLAIN("agency", ID),
												  SIZED("name", TEXT, 1, CODEC_NAME_MAX),
												  PLAIN("kind", ENUM),
												  URL("policy_url", OPT, POLICY_URL_MAX),
												  PLAIN_OPT("recipient", RECIPIENT),
												  PLAIN_OPT("key_nbf_ms", TIME),
												  PLAIN_OPT("key_exp_ms", TIME),
												  PLAIN("suspended", BOOL),
												  PLAIN("fast_path_lost", BOOL),
												  LIST("rings", 0, CODEC_RINGS_MAX)};
static const struct codec_rule ring[] = {
	DEGREES("lat_e7", -POLE, POLE, RING_POINTS_MIN, CODEC_VERTICES_MAX),
	DEGREES("lon_e7", -LON_MAX, LON_MAX, RING_POINTS_MIN, CODEC_VERTICES_MAX)};
static const struct codec_rule public_request[] = {
	PLAIN("request_id", UUID7),        PLAIN("agency", ID),
	PLAIN("incident_type", ENUM),      PLAIN("geohash5", CELL),
	NUMBER("radius_m", 1, RADIUS_MAX), NUMBER("window_minutes", 1, MINUTES_MAX),
	PLAIN("window_hour_ms", TIME),     PLAIN_OPT("exp_ms", TIME),
	PLAIN("emergency", BOOL),          PLAIN("state", ENUM),
	PLAIN("state_hour_ms", TIME)};

static const struct codec_rule relay_job[] = {
	PLAIN("job_id", UUID),         PLAIN("kind", ENUM),
	PLAIN("object", OBJECT),       PLAIN_OPT("device", ID),
	PLAIN_OPT("clip_id", UUID7),   NUMBER_OPT("payload_length", 1, CODEC_CLIP_MAX),
	SHA256_OPT("payload_sha256"),  PLAIN_OPT("exp_ms", TIME),
	PLAIN_OPT("media_type", MEDIA)};
static const struct codec_rule relay_report[] = {HEAD,
												 PLAIN("job_id", UUID),
												 PLAIN("kind", ENUM),
												 PLAIN_OPT("object", OBJECT),
												 NUMBER_OPT("payload_length", 1, CODEC_CLIP_MAX),
												 SHA256_OPT("payload_sha256"),
												 URL("url", OPT, CODEC_URL_MAX),
												 PLAIN_OPT("expires_ms", TIME)};

static const struct codec_rule sync_rules[] = {HEAD, PLAIN_OPT("what", ENUM),
											   PLAIN_OPT("since_ms", TIME)};
static const struct codec_rule device_info[] = {PLAIN("device", ID), PLAIN_OPT("home", ID),
												SIZED_OPT("name", TEXT, 0, CODEC_NAME_MAX),
												PLAIN("online", BOOL), PLAIN("unclaimed", BOOL)};
static const struct codec_rule clip_info[] = {PLAIN("device", ID), PLAIN("clip", MESSAGE)};
static const struct codec_rule grant_info[] = {
	PLAIN("grant_id", UUID),     PLAIN("standing", BOOL),     PLAIN("state", WORD),
	PLAIN_OPT("integrator", ID), PLAIN_OPT("home", ID),       PLAIN_OPT("device", ID),
	PLAIN_OPT("kind", ENUM),     PLAIN_OPT("clip_id", UUID7), PLAIN_OPT("ask_id", UUID),
	PLAIN_OPT("agency", ID),     PLAIN_OPT("nbf_ms", TIME),   PLAIN_OPT("exp_ms", TIME)};
static const struct codec_rule request_info[] = {
	PLAIN("submit", MESSAGE),        PLAIN("state", ENUM),        PLAIN("author", USERNAME),
	PLAIN_OPT("approver", USERNAME), PLAIN("submitted_ms", TIME), PLAIN_OPT("opened_ms", TIME),
	PLAIN_OPT("exp_ms", TIME)};
static const struct codec_rule member_info[] = {PLAIN("username", USERNAME), PLAIN("role", ENUM)};
static const struct codec_rule rules_info[] = {PLAIN("username", USERNAME),
											   SIZED_OPT("text", LINES, 0, CODEC_RULES_MAX)};
static const struct codec_rule reply[] = {PLAIN("in_reply_to", UUID),
										  NUMBER("part", 0, REPLY_PARTS_MAX),
										  PLAIN("last", BOOL),
										  LIST("devices", 0, CODEC_LIST_MAX),
										  LIST("clips", 0, CODEC_LIST_MAX),
										  LIST("asks", 0, CODEC_LIST_MAX),
										  LIST("grants", 0, CODEC_LIST_MAX),
										  LIST("receipts", 0, CODEC_LIST_MAX),
										  LIST("requests", 0, CODEC_LIST_MAX),
										  LIST("deliveries", 0, CODEC_LIST_MAX),
										  LIST("notices", 0, CODEC_LIST_MAX),
										  LIST("jobs", 0, CODEC_LIST_MAX),
										  LIST("rules", 0, CODEC_LIST_MAX),
										  LIST("members", 0, CODEC_LIST_MAX),
										  PLAIN_OPT("subject", ID),
										  SIZED_OPT("sentence", TEXT, 0, DETAIL_MAX)};
static const struct codec_rule denial[] = {PLAIN("at_ms", TIME),
										   PLAIN("reason", WORD),
										   SIZED_OPT("sentence", TEXT, 0, DETAIL_MAX),
										   PLAIN("access", WORD),
										   SIZED_OPT("topic", TEXT, 0, DENIED_TOPIC_MAX),
										   PLAIN_OPT("event_id", UUID),
										   SIZED_OPT("field", TEXT, 0, FAULT_FIELD_MAX),
										   SIZED_OPT("limit", TEXT, 0, FAULT_LIMIT_MAX)};

static const struct codec_rule enrol_recipient[] = {PLAIN("recipient", RECIPIENT)};
static const struct codec_rule enrol_home[] = {
	LIST("recipients", 1, ENROL_RECIPIENTS_MAX),
	PLAIN_OPT("username", USERNAME),
	{"token_sha256", SHAPE_BYTES, OPT | HID, 32, 32, 0, 0}};
static const struct codec_rule enrol_device[] = {
	PLAIN("device", ID),         SIZED("device_key", BYTES, 32, 32),
	SIZED("host", TEXT, 1, 255), NUMBER("port", 1, 65535),
	PLAIN("tls", BOOL),          SIZED_OPT("ca_pem", LINES, 0, ENROL_CA_MAX)};
static const struct codec_rule enrol_result[] = {PLAIN("accepted", BOOL), PLAIN_OPT("reason", WORD),
												 SIZED_OPT("sentence", TEXT, 0, DETAIL_MAX)};

#define MESSAGE(name, rule_list, cross_fn, words)                       \
	{                                                                   \
		&vestibule__v1__##name##__descriptor, rule_list,                \
			sizeof(rule_list) / sizeof((rule_list)[0]), cross_fn, words \
	}
#define SIMPLE(name, rule_list) MESSAGE(name, rule_list, NULL, NULL)

static const struct codec_message messages[] = {
	SIMPLE(ring_event, ring_event),
	SIMPLE(motion_event, motion_event),
	SIMPLE(clip_ready, clip_ready),
	SIMPLE(device_ack, device_ack),
	SIMPLE(clip_pull, clip_pull),
	SIMPLE(clip_chunk, clip_chunk),
	SIMPLE(first_admin, first_admin),
	{&vestibule__v1__reset__descriptor, NULL, 0, NULL, NULL},
	MESSAGE(device_claim, device_claim, codec_cross_claim, "exactly one of the claims"),
	SIMPLE(circle, circle),
	SIMPLE(ask_clip, ask_clip),
	SIMPLE(ask, ask),
	MESSAGE(decision, decision, codec_cross_decision, "header and exp_ms only with yes"),
	MESSAGE(answer, answer, codec_cross_answer, "either decisions or none, not both"),
	SIMPLE(grant_standing, grant_standing),
	SIMPLE(retract, retract),
	SIMPLE(rules, rules),
	SIMPLE(invite, invite),
	SIMPLE(remove, remove_member),
	{&vestibule__v1__leave__descriptor, NULL, 0, NULL, NULL},
	SIMPLE(claim, about_device),
	SIMPLE(retire, about_device),
	SIMPLE(rotate, rotate),
	MESSAGE(home_command, home_command, codec_cross_home, "exactly one of the commands"),
	SIMPLE(receipt, receipt),
	SIMPLE(alert, alert),
	SIMPLE(submit, submit),
	SIMPLE(approve, request_id),
	SIMPLE(withdraw, request_id),
	SIMPLE(resolve, request_id),
	SIMPLE(fetch, fetch),
	SIMPLE(send_alert, send_alert),
	MESSAGE(agency_command, agency_command, codec_cross_agency, "exactly one of the commands"),
	SIMPLE(agency_notice, agency_notice),
	SIMPLE(fetch_link, fetch_link),
	SIMPLE(public_agency, public_agency),
	MESSAGE(ring, ring, codec_cross_ring, "as many longitudes as latitudes"),
	SIMPLE(public_request, public_request),
	MESSAGE(relay_job, relay_job, codec_cross_job,
			"copy needs device, clip_id, payload_length and payload_sha256"),
	MESSAGE(relay_report, relay_report, codec_cross_report,
			"copied needs payload_length and payload_sha256, link needs url and expires_ms"),
	SIMPLE(sync, sync_rules),
	SIMPLE(device_info, device_info),
	SIMPLE(clip_info, clip_info),
	SIMPLE(grant_info, grant_info),
	SIMPLE(request_info, request_info),
	SIMPLE(member_info, member_info),
	SIMPLE(rules_info, rules_info),
	SIMPLE(reply, reply),
	SIMPLE(denial, denial),
	SIMPLE(enrol_recipient, enrol_recipient),
	MESSAGE(enrol_home, enrol_home, codec_cross_enrol, "username and token_sha256 both or neither"),
	SIMPLE(enrol_device, enrol_device),
	SIMPLE(enrol_result, enrol_result),
};

size_t codec_rules_count(void) {
	return sizeof(messages) / sizeof(messages[0]);
}

const struct codec_message *codec_rules_at(size_t i) {
	return i < codec_rules_count() ? &messages[i] : NULL;
}

const struct codec_message *codec_rules_find(const ProtobufCMessageDescriptor *desc) {
	for (size_t i = 0; i < codec_rules_count(); i++) {
		if (messages[i].desc == desc) return &messages[i];
	}
	return NULL;
}
