/* Words for enum values, in the order of their numbers: the names of the .proto files without their
 * prefix, in lower case. protobuf-c has no such text; a test compares this table with the
 * descriptors. */
#include "proto/codec_word.h"

static const char *const motion_kind[] = {"unspecified", "person",  "vehicle",
										  "animal",      "package", "other"};
static const char *const trigger[] = {"unspecified", "ring", "motion", "owner"};
static const char *const part[] = {"payload", "poster"};
static const char *const chunk_status[] = {"ok", "gone", "range"};
static const char *const agency_kind[] = {"unspecified", "police", "fire", "ambulance"};
static const char *const incident_type[] = {
	"unspecified", "burglary",       "robbery",       "assault",       "homicide",
	"kidnapping",  "missing_person", "hit_and_run",   "vehicle_theft", "vandalism",
	"arson",       "fire",           "medical_rescue"};
static const char *const purpose[] = {"unspecified", "investigation", "emergency_aid"};
static const char *const grant_kind[] = {"unspecified", "ring", "motion", "clip"};
static const char *const member_role[] = {"unspecified", "limited", "adult", "admin"};
static const char *const receipt_kind[] = {
	"unspecified",   "recorded",       "refused",         "approved",      "shared",
	"not_shared",    "revoked",        "expired",         "purged",        "void",
	"fetched",       "grant_given",    "grant_retracted", "grant_expired", "grant_ending",
	"rules_changed", "member_added",   "member_removed",  "device_added",  "device_removed",
	"unsealed_ok",   "device_claimed", "token_rotated"};
static const char *const alert_kind[] = {"unspecified",    "fire",  "flood",
										 "missing_person", "crime", "other"};
static const char *const notice_kind[] = {"unspecified", "accepted", "refused",   "approved",
										  "open",        "closed",   "suspended", "resumed",
										  "delivery",    "revoked",  "recorded",  "unavailable"};
static const char *const request_state[] = {"unspecified", "submitted", "approved", "open",
											"suspended",   "withdrawn", "rejected", "lapsed",
											"resolved",    "expired"};
static const char *const job_kind[] = {"unspecified", "copy", "cancel", "purge", "link"};
static const char *const report_kind[] = {"unspecified", "copied", "gone", "purged", "link"};
static const char *const sync_what[] = {"unspecified", "devices",  "clips",    "asks",
										"grants",      "receipts", "requests", "deliveries",
										"notices",     "jobs",     "rules",    "members"};

struct vocabulary {
	const ProtobufCEnumDescriptor *desc;
	const char *const *words;
	size_t count;
};

#define WORDS(name) \
	{ &vestibule__v1__##name##__descriptor, name, sizeof(name) / sizeof((name)[0]) }

static const struct vocabulary vocabularies[] = {
	WORDS(motion_kind),   WORDS(trigger),       WORDS(part),        WORDS(chunk_status),
	WORDS(agency_kind),   WORDS(incident_type), WORDS(purpose),     WORDS(grant_kind),
	WORDS(member_role),   WORDS(receipt_kind),  WORDS(alert_kind),  WORDS(notice_kind),
	WORDS(request_state), WORDS(job_kind),      WORDS(report_kind), WORDS(sync_what),
};

size_t codec_word_count(void) {
	return sizeof(vocabularies) / sizeof(vocabularies[0]);
}

const ProtobufCEnumDescriptor *codec_word_at(size_t i) {
	return i < codec_word_count() ? vocabularies[i].desc : NULL;
}

static const struct vocabulary *find(const ProtobufCEnumDescriptor *e) {
	for (size_t i = 0; i < codec_word_count(); i++) {
		if (vocabularies[i].desc == e) return &vocabularies[i];
	}
	return NULL;
}

const char *codec_word(const ProtobufCEnumDescriptor *e, int value) {
	const struct vocabulary *v = find(e);
	return v && value >= 0 && (size_t)value < v->count ? v->words[value] : NULL;
}

int codec_enum(const ProtobufCEnumDescriptor *e, struct span word) {
	const struct vocabulary *v = find(e);
	for (size_t i = 0; v && i < v->count; i++) {
		if (span_eq(word, span_str(v->words[i]))) return (int)i;
	}
	return -1;
}
