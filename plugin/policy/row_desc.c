/* The description of every row kind: its fields in the order of the struct, with type and limits.
 * This is the one place that says what a column is called and what it may hold; SQL, validator and
 * JSON follow it. Not here: checks that span fields (row.c), rules about what may follow what
 * (state_check.c, consent). */
#include <stddef.h>

#include "plugin/policy/reason.h"
#include "plugin/policy/row.h"

/* Within each table below, F(name, TYPE, min, max) names a member of the struct S that is defined
 * around it. */
#define MEMBER_SIZE(s, m) sizeof(((const struct s *)NULL)->m)
#define FIELD(s, m, type, min, max) \
	{ #m, FIELD_##type, offsetof(struct s, m), MEMBER_SIZE(s, m), (min), (max) }
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ID(m)              F(m, ID, 1, ROW_ID_SIZE - 1)
#define ID_OPT(m)          F(m, ID_OPT, 0, ROW_ID_SIZE - 1)
#define USERNAME(m)        F(m, USERNAME, 3, ROW_ID_SIZE - 1)
#define UUID(m)            F(m, UUID, ROW_UUID_SIZE - 1, ROW_UUID_SIZE - 1)
#define UUID_OPT(m)        F(m, UUID_OPT, 0, ROW_UUID_SIZE - 1)
#define TEXT(m, min, max)  F(m, TEXT, min, max)
#define NAME(m)            F(m, TEXT, 0, ROW_NAME_SIZE - 1)
#define HEX(m, digits)     F(m, HEX, digits, digits)
#define HEX_OPT(m, digits) F(m, HEX_OPT, 0, digits)
#define BOOL(m)            F(m, BOOL, 0, 1)
#define INT(m, min, max)   F(m, INT, min, max)
#define TIME(m)            F(m, INT, 0, TIME_MAX_MS) /* UTC ms; 0 where "not yet" is meant */
#define BLOB(m, max)       F(m, BLOB, 0, max)

#define TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */
#define DAY_MS      INT64_C(86400000)

enum {
	TRIGGER_MAX = 3, /* the highest numbers of the enums in the .proto files */
	INCIDENT_MAX = 12,
	PURPOSE_MAX = 2,
	RECEIPT_KIND_MAX = 22,
	NOTICE_KIND_MAX = 11,
	SEALED_BYTES_MAX = 854, /* age header with eight recipients */
	MANIFEST_BYTES_MAX = 1024,
	HEADER_BYTES = 168, /* age header with one recipient */
	LEAF_BYTES_MAX = 65536
};

#define S                    row_home
#define F(m, type, min, max) FIELD(S, m, type, min, max)
static const struct field home[] = {ID(id), NAME(name), BOOL(unsealed_ok), TIME(created_ms)};
#undef S

#define S row_device
static const struct field device[] = {
	ID(id),        ID(home),         NAME(name),       F(cell, CELL_OPT, 0, 8),
	BOOL(retired), TIME(created_ms), TIME(claimed_ms),
};
#undef S

#define S row_credential
static const struct field credential[] = {
	USERNAME(username), INT(kind, 1, CRED_KINDS - 1),
	ID_OPT(subject),    INT(role, 0, ROLE_KINDS - 1),
	BOOL(suspended),    TIME(created_ms),
};
#undef S

#define S row_token
static const struct field token[] = {
	TEXT(id, 5, ROW_ID_SIZE + 1),
	USERNAME(username),
	HEX(sha256, 64),
	TIME(created_ms),
};
#undef S

#define S row_app_topic
static const struct field app_topic[] = {
	TEXT(id, 5, ROW_ID_SIZE + ROW_FILTER_SIZE - 1),
	USERNAME(username),
	F(filter, FILTER, 1, ROW_FILTER_SIZE - 1),
	INT(access, APP_READ, APP_BOTH),
};
#undef S

#define S row_integrator
static const struct field integrator[] = {ID(id), NAME(name), TIME(created_ms), BOOL(retired)};
#undef S

#define S row_agency
static const struct field agency[] = {
	ID(id),
	NAME(name),
	INT(kind, 1, AGENCY_KINDS - 1),
	TEXT(policy_url, 0, ROW_URL_SIZE - 1),
	TEXT(recipient, 0, 95),
	HEX_OPT(key_id, 16),
	TIME(key_nbf_ms),
	TIME(key_exp_ms),
	BLOB(rings, ROW_RINGS_BYTES_MAX),
	BOOL(suspended),
	BOOL(fast_path_lost),
	TIME(created_ms),
	BOOL(retired),
};
#undef S

#define S row_relay
static const struct field relay[] = {ID(id), NAME(name), TIME(created_ms)};
#undef S

#define S row_rules
static const struct field rules[] = {
	USERNAME(username),
	ID(home),
	TEXT(text, 0, ROW_RULES_SIZE - 1),
	TIME(changed_ms),
};
#undef S

#define S row_standing
static const struct field standing[] = {
	UUID(id),
	ID(home),
	ID(integrator),
	ID_OPT(device),
	INT(kind, 1, GRANT_KINDS - 1),
	INT(state, GSTATE_ACTIVE, GSTATE_KINDS - 1),
	TIME(nbf_ms),
	TIME(exp_ms),
	TIME(ended_ms),
	ID_OPT(actor),
};
#undef S

#define S row_clip
static const struct field clip[] = {
	UUID(id),
	ID(device),
	ID(home),
	UUID(event_id),
	INT(seq, 0, INT64_MAX),
	TIME(at_ms),
	TIME(arrived_ms),
	BOOL(synced),
	TIME(start_ms),
	INT(duration_ms, 0, DAY_MS),
	INT(trigger, 1, TRIGGER_MAX),
	TEXT(media_type, 1, 32),
	INT(payload_length, 0, INT32_MAX),
	HEX(payload_sha256, 64),
	BLOB(sealed, SEALED_BYTES_MAX),
	BLOB(manifest, MANIFEST_BYTES_MAX),
	INT(poster_length, 0, 1048576),
};
#undef S

#define S row_request
static const struct field request[] = {
	UUID(id),
	ID(agency),
	INT(state, 1, REQ_STATES - 1),
	USERNAME(author),
	ID_OPT(approver),
	ID_OPT(reviewer),
	BOOL(emergency),
	INT(incident, 1, INCIDENT_MAX),
	INT(purpose, 1, PURPOSE_MAX),
	TEXT(case_number, 1, 32),
	TEXT(reason, 20, 2048),
	INT(lat_e7, -850000000, 850000000),
	INT(lon_e7, -1800000000, 1800000000),
	INT(radius_m, 1, 400),
	TIME(from_ms),
	TIME(to_ms),
	INT(life_ms, 1, 14 * DAY_MS),
	TIME(submitted_ms),
	TIME(opened_ms),
	TIME(exp_ms),
	TIME(closed_ms),
};
#undef S

#define S row_ask
static const struct field ask[] = {
	UUID(id),
	UUID(request),
	ID(home),
	INT(state, 1, ASK_STATES - 1),
	INT(revision, 0, INT32_MAX),
	TIME(made_ms),
	TIME(exp_ms),
};
#undef S

#define S row_ask_clip
static const struct field ask_clip[] = {
	TEXT(id, 73, 73),
	UUID(ask),
	UUID(clip),
	INT(revision, 0, INT32_MAX),
};
#undef S

#define S row_grant
static const struct field grant[] = {
	UUID(id),
	UUID(request),
	ID(home),
	UUID(ask),
	UUID(clip),
	ID(agency),
	ID(device),
	INT(state, 1, GSTATE_KINDS - 1),
	BLOB(header, HEADER_BYTES),
	HEX_OPT(key_id, 16),
	TIME(decided_ms),
	TIME(release_ms),
	TIME(nbf_ms),
	TIME(exp_ms),
	TIME(ended_ms),
	INT(actor_kind, 0, 1),
	ID_OPT(actor),
};
#undef S

#define S row_delivery
static const struct field delivery[] = {
	UUID(id),
	UUID(grant),
	UUID(request),
	UUID(source),
	ID(relay),
	HEX(object, 32),
	INT(state, 1, DLV_STATES - 1),
	BOOL(announced),
	TIME(staged_ms),
	TIME(ended_ms),
	BOOL(revoke_told),
};
#undef S

#define S row_job
static const struct field job[] = {
	UUID(id), ID(relay), UUID(delivery), INT(kind, JOB_COPY, JOB_PURGE), TIME(created_ms),
};
#undef S

#define S row_fetch
static const struct field fetch[] = {UUID(id), UUID(delivery), USERNAME(username), TIME(at_ms)};
#undef S

#define S row_receipt
static const struct field receipt[] = {
	UUID(id),
	ID(home),
	INT(kind, 1, RECEIPT_KIND_MAX),
	TIME(at_ms),
	ID_OPT(actor),
	UUID_OPT(ask),
	UUID_OPT(clip),
	UUID_OPT(grant),
	ID_OPT(device),
	ID_OPT(integrator),
	ID_OPT(agency),
	ID_OPT(member),
	INT(grant_kind, 0, GRANT_KINDS - 1),
	TIME(exp_ms),
};
#undef S

#define S row_notice
static const struct field notice[] = {
	UUID(id),
	ID(agency),
	INT(kind, 1, NOTICE_KIND_MAX),
	TIME(at_ms),
	UUID_OPT(in_reply_to),
	UUID_OPT(request),
	UUID_OPT(delivery),
	INT(state, 0, REQ_STATES - 1),
	INT(reason, 0, REASON_COUNT - 1),
};
#undef S

#define S row_seen
static const struct field seen[] = {
	TEXT(id, 40, ROW_ID_SIZE + ROW_UUID_SIZE - 1),
	USERNAME(username),
	HEX(digest, 64),
	TIME(at_ms),
	INT(reason, 0, REASON_COUNT - 1),
};
#undef S

#define S row_meta
static const struct field meta[] = {TEXT(name, 1, ROW_ID_SIZE + 7),
									INT(value, INT64_MIN, INT64_MAX)};
#undef S

#define S row_leaf
static const struct field leaf[] = {
	UUID(id), TIME(at_ms), INT(kind, 0, INT32_MAX), BLOB(salt, 32), BLOB(body, LEAF_BYTES_MAX),
};
#undef S

#define DESC(k, p0, p1)                               \
	{                                                 \
#k, sizeof(struct row_##k), k, COUNT(k), 0, { \
			p0, p1                                    \
		}                                             \
	}

/* The key is always field 0; parents are field numbers of the table above. */
static const struct row_desc descs[ROW_KINDS] = {
	[ROW_HOME] = DESC(home, -1, -1),
	[ROW_DEVICE] = DESC(device, 1, -1),
	[ROW_CREDENTIAL] = DESC(credential, 2, -1),
	[ROW_TOKEN] = DESC(token, 1, -1),
	[ROW_APP_TOPIC] = DESC(app_topic, 1, -1),
	[ROW_INTEGRATOR] = DESC(integrator, -1, -1),
	[ROW_AGENCY] = DESC(agency, -1, -1),
	[ROW_RELAY] = DESC(relay, -1, -1),
	[ROW_RULES] = DESC(rules, 1, -1),
	[ROW_STANDING] = DESC(standing, 1, 2),
	[ROW_CLIP] = DESC(clip, 1, 2),
	[ROW_REQUEST] = DESC(request, 1, -1),
	[ROW_ASK] = DESC(ask, 1, 2),
	[ROW_ASK_CLIP] = DESC(ask_clip, 1, 2),
	[ROW_GRANT] = DESC(grant, 1, 2),
	[ROW_DELIVERY] = DESC(delivery, 1, 2),
	[ROW_JOB] = DESC(job, 1, 2),
	[ROW_FETCH] = DESC(fetch, 1, -1),
	[ROW_RECEIPT] = DESC(receipt, 1, -1),
	[ROW_NOTICE] = DESC(notice, 1, -1),
	[ROW_SEEN] = DESC(seen, 1, -1),
	[ROW_META] = DESC(meta, -1, -1),
	[ROW_LEAF] = DESC(leaf, -1, -1),
};

const struct row_desc *row_desc(enum row_kind kind) {
	return kind > ROW_NONE && kind < ROW_KINDS ? &descs[kind] : NULL;
}

enum row_kind row_kind_by_name(struct span name) {
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		if (span_eq(span_str(descs[kind].name), name)) return (enum row_kind)kind;
	}
	return ROW_NONE;
}
