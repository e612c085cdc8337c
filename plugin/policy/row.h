/* Rows: every durable thing of Vestibule is a row of one kind, and each kind is described once, by
 * a table of its fields with their types and limits. The description gives the SQL columns, the
 * validator that runs before each write and after each read, and the JSON of `list`. Not here: what
 * a row means (policy.h, consent.h), where it is kept (state.h in memory, store.h on disk).
 *
 * A row is a plain struct that starts with struct row. Text lives inside it (fixed arrays,
 * zero-terminated); blobs are {pointer, length}: borrowed in rows that are being built, owned in
 * rows that row_clone() made. Zero is safe: a zeroed row allows nothing. Pure; the descriptions are
 * constant, any thread. */
#ifndef POLICY_ROW_H
#define POLICY_ROW_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/span.h"

enum {
	ROW_ID_SIZE = 65, /* registry ids and usernames, with the zero */
	ROW_UUID_SIZE = 37,
	ROW_KEY_SIZE = 392, /* longest key */
	ROW_NAME_SIZE = 97, /* names for people, UTF-8 */
	ROW_FILTER_SIZE = 257,
	ROW_URL_SIZE = 257,
	ROW_RULES_SIZE = 2049,
	ROW_RINGS_BYTES_MAX = 8 * (4 + 512 * 8) /* the encoding is described in consent/geometry.h */
};

enum row_kind {
	ROW_NONE = 0,
	ROW_HOME,
	ROW_DEVICE,
	ROW_CREDENTIAL,
	ROW_TOKEN,
	ROW_APP_TOPIC,
	ROW_INTEGRATOR,
	ROW_AGENCY,
	ROW_RELAY,
	ROW_RULES,
	ROW_STANDING,
	ROW_CLIP,
	ROW_REQUEST,
	ROW_ASK,
	ROW_ASK_CLIP,
	ROW_GRANT,
	ROW_DELIVERY,
	ROW_JOB,
	ROW_FETCH,
	ROW_RECEIPT,
	ROW_NOTICE,
	ROW_SEEN,
	ROW_META,
	ROW_LEAF,
	ROW_KINDS
};

struct blob {
	const uint8_t *ptr;
	size_t len;
};

struct row {
	enum row_kind kind;
	uint64_t seq; /* of the change that last wrote it; set by state_apply and by the store's load */
};

/* --- registry --- */

struct row_home {
	struct row row;
	char id[ROW_ID_SIZE];
	char name[ROW_NAME_SIZE];
	int64_t unsealed_ok; /* bool; means something only while the plugin runs with `demo true` */
	int64_t created_ms;
};

struct row_device {
	struct row row;
	char id[ROW_ID_SIZE];
	char home[ROW_ID_SIZE]; /* parent */
	char name[ROW_NAME_SIZE];
	char cell[9];    /* geohash-8; "" unknown: in no circle */
	int64_t retired; /* bool; ids are never used again */
	int64_t created_ms;
	int64_t claimed_ms; /* 0: waits for the claim of an admin; never 0 again */
	uint64_t claim_seq; /* of the change that claimed it; memory only, set by the state */
};

enum cred_kind {
	CRED_NONE = 0,
	CRED_DEVICE,     /* subject: device */
	CRED_MEMBER,     /* subject: home */
	CRED_INTEGRATOR, /* subject: integrator */
	CRED_OFFICER,    /* subject: agency */
	CRED_RELAY,      /* subject: relay */
	CRED_APP,        /* subject: "" */
	CRED_OPERATOR,   /* subject: "" */
	CRED_KINDS
};

enum cred_role {
	ROLE_NONE = 0, /* devices, integrators, relays, apps, operators */
	ROLE_LIMITED,
	ROLE_ADULT,
	ROLE_ADMIN,
	ROLE_INVESTIGATOR,
	ROLE_SUPERVISOR,
	ROLE_EVIDENCE,
	ROLE_LIAISON,
	ROLE_AUDITOR,
	ROLE_KINDS
};

struct row_credential {
	struct row row;
	char username[ROW_ID_SIZE];
	int64_t kind;              /* enum cred_kind */
	char subject[ROW_ID_SIZE]; /* parent */
	int64_t role;              /* enum cred_role */
	int64_t suspended;
	int64_t created_ms;
};

/* At most two a username (slots 0 and 1), for rotation. */
struct row_token {
	struct row row;
	char id[ROW_ID_SIZE + 2];   /* "username/slot" */
	char username[ROW_ID_SIZE]; /* parent */
	char sha256[65];            /* lower-case hex of SHA-256(token) */
	int64_t created_ms;
};

enum app_access { APP_READ = 1, APP_WRITE = 2, APP_BOTH = 3 };

struct row_app_topic {
	struct row row;
	char id[ROW_ID_SIZE + ROW_FILTER_SIZE]; /* "username filter" */
	char username[ROW_ID_SIZE];             /* parent */
	char filter[ROW_FILTER_SIZE];           /* outside vestibule/ and $ */
	int64_t access;                         /* enum app_access */
};

struct row_integrator {
	struct row row;
	char id[ROW_ID_SIZE];
	char name[ROW_NAME_SIZE];
	int64_t created_ms;
	int64_t retired; /* bool; removed by the operator: its grants end, its id is never used again */
};

enum agency_kind {
	AGENCY_NONE = 0,
	AGENCY_POLICE,
	AGENCY_FIRE,
	AGENCY_AMBULANCE,
	AGENCY_KINDS
}; /* as home.proto */

struct row_agency {
	struct row row;
	char id[ROW_ID_SIZE];
	char name[ROW_NAME_SIZE];
	int64_t kind; /* enum agency_kind */
	char policy_url[ROW_URL_SIZE];
	char recipient[96]; /* age recipient text; "" only with demo */
	char key_id[17];    /* hex of the first 8 bytes of SHA-256(recipient), FIELD_HEX_OPT; "" when
						   recipient is */
	int64_t key_nbf_ms;
	int64_t key_exp_ms;
	struct blob rings; /* jurisdiction, geometry.h */
	int64_t suspended;
	int64_t fast_path_lost;
	int64_t created_ms;
	int64_t retired; /* bool; removed by the operator: its grants end, its id is never used again */
};

struct row_relay {
	struct row row;
	char id[ROW_ID_SIZE];
	char name[ROW_NAME_SIZE];
	int64_t created_ms;
};

/* --- what a home said --- */

/* One adult's own rules, whole text (consent/rules.h parses it). No row: never opted in, no
 * objection. */
struct row_rules {
	struct row row;
	char username[ROW_ID_SIZE];
	char home[ROW_ID_SIZE]; /* parent */
	char text[ROW_RULES_SIZE];
	int64_t changed_ms;
};

enum grant_kind {
	GRANT_NONE = 0,
	GRANT_RING,
	GRANT_MOTION,
	GRANT_CLIP,
	GRANT_KINDS
}; /* as home.proto */

enum grant_state {
	GSTATE_NONE = 0, /* denies */
	GSTATE_APPROVED, /* PROPOSED until durable, then DURABLE */
	GSTATE_ACTIVE,
	GSTATE_REFUSED, /* this and the next two are absorbing (I7) */
	GSTATE_REVOKED,
	GSTATE_EXPIRED,
	GSTATE_KINDS
};

struct row_standing {
	struct row row;
	char id[ROW_UUID_SIZE];
	char home[ROW_ID_SIZE];       /* parent 1 */
	char integrator[ROW_ID_SIZE]; /* parent 2 */
	char device[ROW_ID_SIZE];     /* "": every device of the home */
	int64_t kind;                 /* enum grant_kind */
	int64_t state;                /* ACTIVE at once (allows when durable), REVOKED, EXPIRED */
	int64_t nbf_ms;
	int64_t exp_ms;
	int64_t ended_ms;
	char actor[ROW_ID_SIZE];
};

struct row_clip {
	struct row row;
	char id[ROW_UUID_SIZE];
	char device[ROW_ID_SIZE]; /* parent 1 */
	char home[ROW_ID_SIZE];   /* parent 2 */
	char event_id[ROW_UUID_SIZE];
	int64_t seq; /* the device's */
	int64_t at_ms;
	int64_t arrived_ms;
	int64_t synced;
	int64_t start_ms;
	int64_t duration_ms;
	int64_t trigger; /* as event.proto */
	char media_type[33];
	int64_t payload_length;
	char payload_sha256[65];
	struct blob sealed;
	struct blob manifest;
	int64_t poster_length;
};

/* --- agency side --- */

enum request_state { /* as agency.proto */
					 REQ_NONE = 0,
					 REQ_SUBMITTED,
					 REQ_APPROVED,
					 REQ_OPEN,
					 REQ_SUSPENDED,
					 REQ_WITHDRAWN, /* this and the rest are absorbing */
					 REQ_REJECTED,
					 REQ_LAPSED,
					 REQ_RESOLVED,
					 REQ_EXPIRED,
					 REQ_STATES
};

struct row_request {
	struct row row;
	char id[ROW_UUID_SIZE];
	char agency[ROW_ID_SIZE]; /* parent */
	int64_t state;
	char author[ROW_ID_SIZE];
	char approver[ROW_ID_SIZE];
	char reviewer[ROW_ID_SIZE]; /* of an emergency request */
	int64_t emergency;
	int64_t incident; /* as home.proto */
	int64_t purpose;  /* as home.proto */
	char case_number[33];
	char reason[2049]; /* 20-500 characters, UTF-8 */
	int64_t lat_e7;
	int64_t lon_e7;
	int64_t radius_m;
	int64_t from_ms;
	int64_t to_ms;
	int64_t life_ms;
	int64_t submitted_ms;
	int64_t opened_ms;
	int64_t exp_ms;    /* opened + life; 0 before */
	int64_t closed_ms; /* end of any kind */
};

enum ask_state { ASK_NONE = 0, ASK_PENDING, ASK_DECIDED, ASK_LAPSED, ASK_STATES };

struct row_ask {
	struct row row;
	char id[ROW_UUID_SIZE];
	char request[ROW_UUID_SIZE]; /* parent 1 */
	char home[ROW_ID_SIZE];      /* parent 2 */
	int64_t state;
	int64_t revision;
	int64_t made_ms;
	int64_t exp_ms;
};

struct row_ask_clip {
	struct row row;
	char id[2 * ROW_UUID_SIZE]; /* "ask/clip" */
	char ask[ROW_UUID_SIZE];    /* parent 1 */
	char clip[ROW_UUID_SIZE];   /* parent 2 */
	int64_t revision;           /* that first offered it */
};

/* A yes or no to one clip for one request of one agency. */
struct row_grant {
	struct row row;
	char id[ROW_UUID_SIZE];
	char request[ROW_UUID_SIZE]; /* parent 1 */
	char home[ROW_ID_SIZE];      /* parent 2 */
	char ask[ROW_UUID_SIZE];
	char clip[ROW_UUID_SIZE];
	char agency[ROW_ID_SIZE];
	char device[ROW_ID_SIZE];
	int64_t state;      /* enum grant_state */
	struct blob header; /* 168 bytes for the agency, erased (empty) when it ends; empty for an
						   unsealed demo clip */
	char key_id[17];    /* hex */
	int64_t decided_ms;
	int64_t release_ms; /* first tick that may release it */
	int64_t nbf_ms;     /* the release */
	int64_t exp_ms;
	int64_t ended_ms;
	int64_t actor_kind;      /* 0 adult, 1 system: how it ended */
	char actor[ROW_ID_SIZE]; /* who approved; never shown for a refusal */
};

enum delivery_state {
	DLV_NONE = 0,
	DLV_COPYING,
	DLV_STAGED,
	DLV_FETCHED,
	DLV_VOID,
	DLV_PURGING,
	DLV_PURGED,
	DLV_STATES
};

struct row_delivery {
	struct row row;
	char id[ROW_UUID_SIZE];      /* pseudonym the agency sees, 128 random bits, drawn at release */
	char grant[ROW_UUID_SIZE];   /* parent 1 */
	char request[ROW_UUID_SIZE]; /* parent 2 */
	char source[ROW_UUID_SIZE];  /* pseudonym of request x device */
	char relay[ROW_ID_SIZE];
	char object[33]; /* 32 hex digits */
	int64_t state;
	int64_t announced; /* bool */
	int64_t staged_ms;
	int64_t ended_ms;    /* PURGING began */
	int64_t revoke_told; /* the REVOKED notice went out */
};

enum job_kind {
	JOB_NONE = 0,
	JOB_COPY,
	JOB_CANCEL,
	JOB_PURGE,
	JOB_LINK,
	JOB_KINDS
}; /* as relay.proto */

/* The outbox: a job is a row until it is reported done. LINK jobs are never rows (memory only, 10
 * s). */
struct row_job {
	struct row row;
	char id[ROW_UUID_SIZE];
	char relay[ROW_ID_SIZE];      /* parent 1 */
	char delivery[ROW_UUID_SIZE]; /* parent 2 */
	int64_t kind;
	int64_t created_ms;
};

struct row_fetch {
	struct row row;
	char id[ROW_UUID_SIZE];
	char delivery[ROW_UUID_SIZE]; /* parent */
	char username[ROW_ID_SIZE];
	int64_t at_ms;
};

/* --- what was told --- */

struct row_receipt {
	struct row row;
	char id[ROW_UUID_SIZE];
	char home[ROW_ID_SIZE]; /* parent */
	int64_t kind;           /* as ReceiptKind in home.proto */
	int64_t at_ms;
	char actor[ROW_ID_SIZE];
	char ask[ROW_UUID_SIZE];
	char clip[ROW_UUID_SIZE];
	char grant[ROW_UUID_SIZE];
	char device[ROW_ID_SIZE];
	char integrator[ROW_ID_SIZE];
	char agency[ROW_ID_SIZE];
	char member[ROW_ID_SIZE];
	int64_t grant_kind;
	int64_t exp_ms;
};

struct row_notice {
	struct row row;
	char id[ROW_UUID_SIZE];
	char agency[ROW_ID_SIZE]; /* parent */
	int64_t kind;             /* as NoticeKind in agency.proto */
	int64_t at_ms;
	char in_reply_to[ROW_UUID_SIZE];
	char request[ROW_UUID_SIZE];
	char delivery[ROW_UUID_SIZE];
	int64_t state;  /* enum request_state */
	int64_t reason; /* enum reason */
};

/* (principal, event_id) is remembered for 31 days: same bytes again, same answer; other bytes,
 * refused. */
struct row_seen {
	struct row row;
	char id[ROW_ID_SIZE + ROW_UUID_SIZE]; /* "username/event_id" */
	char username[ROW_ID_SIZE];           /* parent */
	char digest[65];                      /* SHA-256 of the payload, hex */
	int64_t at_ms;
	int64_t reason; /* enum reason: 0 accepted, else why it was refused */
};

/* Single values: "floor_ms" (highest UTC seen), "restored_ms", "warned/GRANT", "ack/DEVICE" (highest committed seq
 * of a device).
 */
struct row_meta {
	struct row row;
	char name[ROW_ID_SIZE + 8];
	int64_t value;
};

/* A leaf for the later signed log: bytes of the change, written in its transaction (SEALED 8). */
struct row_leaf {
	struct row row;
	char id[ROW_UUID_SIZE];
	int64_t at_ms;
	int64_t kind;
	struct blob salt;
	struct blob body;
};

union row_any {
	struct row row;
	struct row_home home;
	struct row_device device;
	struct row_credential credential;
	struct row_token token;
	struct row_app_topic app_topic;
	struct row_integrator integrator;
	struct row_agency agency;
	struct row_relay relay;
	struct row_rules rules;
	struct row_standing standing;
	struct row_clip clip;
	struct row_request request;
	struct row_ask ask;
	struct row_ask_clip ask_clip;
	struct row_grant grant;
	struct row_delivery delivery;
	struct row_job job;
	struct row_fetch fetch;
	struct row_receipt receipt;
	struct row_notice notice;
	struct row_seen seen;
	struct row_meta meta;
	struct row_leaf leaf;
};

/* --- descriptions --- */

enum field_type {
	FIELD_ID,       /* text [a-z0-9_-], 1..64 */
	FIELD_ID_OPT,   /* the same or "" */
	FIELD_USERNAME, /* text [a-z0-9_-], 3..64 */
	FIELD_UUID,     /* 36-character lower-case UUID text */
	FIELD_UUID_OPT,
	FIELD_HEX, /* lower-case hex of exactly max digits */
	FIELD_HEX_OPT,
	FIELD_TEXT,     /* UTF-8 without control characters but \n, at most max bytes */
	FIELD_FILTER,   /* valid topic filter outside vestibule/ and $ */
	FIELD_CELL_OPT, /* geohash-8 or "" */
	FIELD_INT,      /* min..max */
	FIELD_BOOL,     /* 0 or 1 */
	FIELD_BLOB      /* at most max bytes */
};

struct field {
	const char *name; /* SQL column and JSON member */
	enum field_type type;
	size_t offset; /* in the row's struct: char array, int64_t, or struct blob */
	size_t size;   /* of the array for text */
	int64_t min, max;
};

struct row_desc {
	const char *name; /* SQL table and JSON name: "credential" */
	size_t size;      /* of the struct */
	const struct field *fields;
	size_t field_count;
	int key;       /* index of the key field: text, unique */
	int parent[2]; /* indexes of the fields rows are found by, or -1 */
};

const struct row_desc *row_desc(enum row_kind kind); /* NULL for ROW_NONE and out of range */
enum row_kind row_kind_by_name(struct span name);    /* ROW_NONE when unknown */

/* Text of a field, a span into the row. Valid for text types only (empty span otherwise). */
struct span row_text(const struct row *r, int field);
struct span row_key(const struct row *r);
struct span row_parent(const struct row *r, int which); /* empty when there is none */

/* The one validator: before each write, after each read. ERR_INPUT or ERR_LIMIT, and *bad names the
 * field (constant string). Also checks what spans fields: key composed of its parts, a role that
 * fits its kind. */
enum err row_validate(const struct row *r, const char **bad) MUST_CHECK;

/* Is the field good by itself? row_validate asks what spans fields after all of them. */
bool row_field_is_valid(const struct row *r, const struct field *f);

/* A deep copy on the heap, blobs included; free with row_free. NULL: no memory. */
struct row *row_clone(const struct row *r);
void row_free(struct row *r); /* only for cloned rows; NULL is fine */

/* The same in two steps, for callers that embed the copy: the bytes it takes (0: not a row), and
 * the copy made at mem, which is aligned for any object. Nothing else is allocated. */
size_t row_clone_bytes(const struct row *r);
struct row *row_clone_into(const struct row *r, void *mem);
bool row_eq(const struct row *a,
			const struct row *b); /* same kind and every field equal; seq not compared */

/* The row as a JSON object, blobs as hex; for `list` and `explain`. Token hashes and headers are
 * left out. */
void row_json(const struct row *r, struct buf *out);

/* --- changes --- */

enum { CHANGE_OPS_MAX = 96 };

struct row_op {
	bool del;              /* only the key of the row matters then */
	const struct row *row; /* borrowed */
};

/* One change of state: all of it or nothing, in the order of seq. */
struct change {
	uint64_t seq;
	int64_t at_ms;
	size_t count;
	struct row_op ops[CHANGE_OPS_MAX];
};

#endif
