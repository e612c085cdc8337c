/* See compose.h: what homes, relays and the register get. What agencies get is in compose_agency.c.
 */
#include "plugin/compose.h"

#include "lib/hex.h"
#include "plugin/compose_impl.h"
#include "plugin/consent/geometry.h"
#include "proto/geohash.h"

struct compose *compose_new(const struct state *st, const struct sessions *sessions,
							struct consent_random rnd) {
	struct compose *c = malloc(sizeof(*c));
	if (!c) return NULL;
	c->st = st;
	c->sessions = sessions;
	c->rnd = rnd;
	compose_reset(c);
	return c;
}

void compose_free(struct compose *c) {
	free(c);
}

void compose_reset(struct compose *c) {
	c->used = 0;
	c->full = false;
}

bool compose_is_full(const struct compose *c) {
	return c->full;
}

void *compose_alloc(struct compose *c, size_t size) {
	enum { ALIGN = 16 };
	if (size > COMPOSE_ARENA - ALIGN || c->used > COMPOSE_ARENA - ALIGN - size) {
		c->full = true;
		return NULL;
	}
	void *at = c->arena + c->used;
	c->used += (size + ALIGN - 1) / ALIGN * ALIGN;
	memset(at, 0, size);
	return at;
}

/* --- pieces --- */

void *compose_message(struct compose *c, const ProtobufCMessageDescriptor *desc) {
	ProtobufCMessage *m = compose_alloc(c, desc->sizeof_message);
	if (m) protobuf_c_message_init(desc, m);
	return m;
}

/* protobuf-c wants char *; it only reads what it packs. */
char *compose_text(const char *s) {
	return (char *)(uintptr_t)s;
}

static ProtobufCBinaryData bytes(const void *ptr, size_t len) {
	return (ProtobufCBinaryData){.len = len, .data = len ? (uint8_t *)(uintptr_t)ptr : NULL};
}

ProtobufCBinaryData compose_blob(struct blob b) {
	return bytes(b.ptr, b.len);
}

ProtobufCBinaryData compose_uuid(struct compose *c, const char *text) {
	struct span s = span_str(text);
	uint8_t *id = s.len ? compose_alloc(c, UUID_BYTES) : NULL;
	if (!id || uuid_parse(s, id) != ERR_NONE) return bytes(NULL, 0);
	return bytes(id, UUID_BYTES);
}

ProtobufCBinaryData compose_hex(struct compose *c, const char *text, size_t len) {
	struct span s = span_str(text);
	uint8_t *out = s.len ? compose_alloc(c, len) : NULL;
	if (!out || hex_decode(s, out, len) != ERR_NONE) return bytes(NULL, 0);
	return bytes(out, len);
}

uint64_t compose_ms(int64_t ms) {
	return ms > 0 ? (uint64_t)ms : 0;
}

/* --- homes --- */

ProtobufCMessage *compose_receipt(struct compose *c, const struct row *r) {
	const struct row_receipt *row = (const struct row_receipt *)r;
	Vestibule__V1__Receipt *m = compose_message(c, &vestibule__v1__receipt__descriptor);
	if (!m) return NULL;
	m->receipt_id = compose_uuid(c, row->id);
	m->at_ms = compose_ms(row->at_ms);
	m->kind = (Vestibule__V1__ReceiptKind)row->kind;
	m->actor = compose_text(row->actor);
	m->ask_id = compose_uuid(c, row->ask);
	m->clip_id = compose_uuid(c, row->clip);
	m->grant_id = compose_uuid(c, row->grant);
	m->device = compose_text(row->device);
	m->integrator = compose_text(row->integrator);
	m->agency = compose_text(row->agency);
	m->member = compose_text(row->member);
	m->grant_kind = (Vestibule__V1__GrantKind)row->grant_kind;
	m->exp_ms = compose_ms(row->exp_ms);
	return &m->base;
}

static Vestibule__V1__AskClip *ask_clip(struct compose *c, const struct row_clip *row) {
	Vestibule__V1__AskClip *m = compose_message(c, &vestibule__v1__ask_clip__descriptor);
	if (!m) return NULL;
	m->clip_id = compose_uuid(c, row->id);
	m->device = compose_text(row->device);
	m->start_ms = compose_ms(row->start_ms);
	m->duration_ms = (uint32_t)row->duration_ms;
	m->trigger = (Vestibule__V1__Trigger)row->trigger;
	m->sealed = compose_blob(row->sealed);
	m->manifest = compose_blob(row->manifest);
	return m;
}

static bool ask_clips(struct compose *c, const struct row_ask *row, Vestibule__V1__Ask *m) {
	m->clips = compose_alloc(c, CODEC_ASK_CLIPS_MAX * sizeof(void *));
	if (!m->clips) return false;
	const struct row *r = state_child(c->st, ROW_ASK_CLIP, 0, span_str(row->id), NULL);
	for (; r && m->n_clips < CODEC_ASK_CLIPS_MAX;
		 r = state_child(c->st, ROW_ASK_CLIP, 0, span_str(row->id), r)) {
		const struct row_clip *clip =
			state_clip(c->st, span_str(((const struct row_ask_clip *)r)->clip));
		if (!clip) continue;
		m->clips[m->n_clips] = ask_clip(c, clip);
		if (!m->clips[m->n_clips]) return false;
		m->n_clips++;
	}
	return m->n_clips > 0;
}

/* The circle, the kind and the window, but not the officer's free text (DESIGN 4). */
ProtobufCMessage *compose_ask(struct compose *c, const struct row *r) {
	const struct row_ask *row = (const struct row_ask *)r;
	const struct row_request *req = state_request(c->st, span_str(row->request));
	const struct row_agency *agency = req ? state_agency(c->st, span_str(req->agency)) : NULL;
	Vestibule__V1__Ask *m = agency ? compose_message(c, &vestibule__v1__ask__descriptor) : NULL;
	Vestibule__V1__Circle *circle =
		m ? compose_message(c, &vestibule__v1__circle__descriptor) : NULL;
	if (!circle || !ask_clips(c, row, m)) return NULL;
	m->ask_id = compose_uuid(c, row->id);
	m->revision = (uint32_t)row->revision;
	m->agency = compose_text(agency->id);
	m->agency_name = compose_text(agency->name);
	m->agency_kind = (Vestibule__V1__AgencyKind)agency->kind;
	m->recipient = compose_text(agency->recipient);
	m->key_id = compose_hex(c, agency->key_id, 8);
	m->incident_type = (Vestibule__V1__IncidentType)req->incident;
	circle->lat_e7 = (int32_t)req->lat_e7;
	circle->lon_e7 = (int32_t)req->lon_e7;
	circle->radius_m = (uint32_t)req->radius_m;
	m->circle = circle;
	m->from_ms = compose_ms(req->from_ms);
	m->to_ms = compose_ms(req->to_ms);
	m->purpose = (Vestibule__V1__Purpose)req->purpose;
	m->emergency = req->emergency != 0;
	m->expires_ms = compose_ms(row->exp_ms);
	return &m->base;
}

ProtobufCMessage *compose_clip_ready(struct compose *c, const struct row *r) {
	const struct row_clip *row = (const struct row_clip *)r;
	Vestibule__V1__ClipReady *m = compose_message(c, &vestibule__v1__clip_ready__descriptor);
	if (!m) return NULL;
	m->event_id = compose_uuid(c, row->event_id);
	m->at_ms = compose_ms(row->at_ms);
	m->synced = row->synced != 0;
	m->seq = (uint64_t)row->seq;
	m->arrived_ms = compose_ms(row->arrived_ms);
	m->clip_id = compose_uuid(c, row->id);
	m->start_ms = compose_ms(row->start_ms);
	m->duration_ms = (uint32_t)row->duration_ms;
	m->trigger = (Vestibule__V1__Trigger)row->trigger;
	m->media_type = compose_text(row->media_type);
	m->payload_length = (uint64_t)row->payload_length;
	m->payload_sha256 = compose_hex(c, row->payload_sha256, 32);
	m->sealed = compose_blob(row->sealed);
	m->manifest = compose_blob(row->manifest);
	m->poster_length = (uint32_t)row->poster_length;
	return &m->base;
}

ProtobufCMessage *compose_clip_info(struct compose *c, const struct row *r) {
	Vestibule__V1__ClipInfo *m = compose_message(c, &vestibule__v1__clip_info__descriptor);
	ProtobufCMessage *clip = m ? compose_clip_ready(c, r) : NULL;
	if (!clip) return NULL;
	m->device = compose_text(((const struct row_clip *)r)->device);
	m->clip = (Vestibule__V1__ClipReady *)clip;
	return &m->base;
}

ProtobufCMessage *compose_standing_info(struct compose *c, const struct row *r) {
	static const char *const words[GSTATE_KINDS] = {"none",    "durable", "active",
													"refused", "revoked", "expired"};
	const struct row_standing *row = (const struct row_standing *)r;
	Vestibule__V1__GrantInfo *m = compose_message(c, &vestibule__v1__grant_info__descriptor);
	if (!m) return NULL;
	m->grant_id = compose_uuid(c, row->id);
	m->standing = true;
	m->state = compose_text(words[(uint64_t)row->state < GSTATE_KINDS ? row->state : GSTATE_NONE]);
	m->integrator = compose_text(row->integrator);
	m->home = compose_text(row->home);
	m->device = compose_text(row->device);
	m->kind = (Vestibule__V1__GrantKind)row->kind;
	m->nbf_ms = compose_ms(row->nbf_ms);
	m->exp_ms = compose_ms(row->exp_ms);
	return &m->base;
}

/* Only live grants are listed (sync.c), and a veto must not show before its time: what was approved
 * and not yet released is "durable" to the home, whatever became of it (CONSENT 7). */
ProtobufCMessage *compose_grant_info(struct compose *c, const struct row *r) {
	const struct row_grant *row = (const struct row_grant *)r;
	Vestibule__V1__GrantInfo *m = compose_message(c, &vestibule__v1__grant_info__descriptor);
	if (!m) return NULL;
	m->grant_id = compose_uuid(c, row->id);
	m->state = compose_text(row->state == GSTATE_ACTIVE ? "active" : "durable");
	m->device = compose_text(row->device);
	m->clip_id = compose_uuid(c, row->clip);
	m->ask_id = compose_uuid(c, row->ask);
	m->agency = compose_text(row->agency);
	m->nbf_ms = compose_ms(row->nbf_ms);
	m->exp_ms = compose_ms(row->exp_ms);
	return &m->base;
}

bool compose_is_online(const struct compose *c, const char *device) {
	const struct row *r = state_child(c->st, ROW_CREDENTIAL, 0, span_str(device), NULL);
	for (; r; r = state_child(c->st, ROW_CREDENTIAL, 0, span_str(device), r)) {
		const struct row_credential *cred = (const struct row_credential *)r;
		if (cred->kind == CRED_DEVICE && sessions_online(c->sessions, span_str(cred->username)))
			return true;
	}
	return false;
}

ProtobufCMessage *compose_device_info(struct compose *c, const struct row *r) {
	const struct row_device *row = (const struct row_device *)r;
	Vestibule__V1__DeviceInfo *m = compose_message(c, &vestibule__v1__device_info__descriptor);
	if (!m) return NULL;
	m->device = compose_text(row->id);
	m->home = compose_text(row->home);
	m->name = compose_text(row->name);
	m->unclaimed = row->claimed_ms == 0;
	m->online = !m->unclaimed && compose_is_online(c, row->id);
	return &m->base;
}

ProtobufCMessage *compose_member_info(struct compose *c, const struct row *r) {
	const struct row_credential *row = (const struct row_credential *)r;
	Vestibule__V1__MemberInfo *m = compose_message(c, &vestibule__v1__member_info__descriptor);
	if (!m) return NULL;
	m->username = compose_text(row->username);
	m->role = (Vestibule__V1__MemberRole)
				  row->role; /* limited, adult, admin have the same numbers in both */
	return &m->base;
}

ProtobufCMessage *compose_rules_info(struct compose *c, const struct row *r) {
	const struct row_rules *row = (const struct row_rules *)r;
	Vestibule__V1__RulesInfo *m = compose_message(c, &vestibule__v1__rules_info__descriptor);
	if (!m) return NULL;
	m->username = compose_text(row->username);
	m->text = compose_text(row->text);
	return &m->base;
}

/* --- relays --- */

ProtobufCMessage *compose_job(struct compose *c, const struct row *r) {
	const struct row_job *row = (const struct row_job *)r;
	const struct row_delivery *d = state_delivery(c->st, span_str(row->delivery));
	Vestibule__V1__RelayJob *m =
		d ? compose_message(c, &vestibule__v1__relay_job__descriptor) : NULL;
	if (!m) return NULL;
	m->job_id = compose_uuid(c, row->id);
	m->kind = (Vestibule__V1__JobKind)row->kind;
	m->object = compose_text(d->object);
	if (row->kind != JOB_COPY) return &m->base;
	const struct row_grant *g = state_grant(c->st, span_str(d->grant));
	const struct row_clip *clip = g ? state_clip(c->st, span_str(g->clip)) : NULL;
	if (!clip) return NULL;
	m->device = compose_text(g->device);
	m->clip_id = compose_uuid(c, clip->id);
	m->payload_length = (uint64_t)clip->payload_length;
	m->payload_sha256 = compose_hex(c, clip->payload_sha256, 32);
	m->exp_ms = compose_ms(g->exp_ms);
	m->media_type = compose_text(clip->media_type);
	return &m->base;
}

ProtobufCMessage *compose_link_job(struct compose *c, const struct row_delivery *d,
								   const uint8_t job_id[16], int64_t exp_ms) {
	Vestibule__V1__RelayJob *m = compose_message(c, &vestibule__v1__relay_job__descriptor);
	uint8_t *id = m ? compose_alloc(c, UUID_BYTES) : NULL;
	if (!id) return NULL;
	memcpy(id, job_id, UUID_BYTES);
	m->job_id = bytes(id, UUID_BYTES);
	m->kind = VESTIBULE__V1__JOB_KIND__JOB_KIND_LINK;
	m->object = compose_text(d->object);
	m->exp_ms = compose_ms(exp_ms);
	return &m->base;
}

/* --- the register --- */

static bool rings(struct compose *c, const struct row_agency *row, Vestibule__V1__PublicAgency *m) {
	struct span rest = span_of(row->rings.ptr, row->rings.len), vertices;
	m->rings = compose_alloc(c, CODEC_RINGS_MAX * sizeof(void *));
	if (!m->rings) return false;
	while (m->n_rings < CODEC_RINGS_MAX && geometry_ring_next(&rest, &vertices)) {
		size_t n = vertices.len / 8;
		Vestibule__V1__Ring *ring = compose_message(c, &vestibule__v1__ring__descriptor);
		int32_t *lat = ring ? compose_alloc(c, n * sizeof(*lat)) : NULL;
		int32_t *lon = lat ? compose_alloc(c, n * sizeof(*lon)) : NULL;
		if (!lon) return false;
		for (size_t i = 0; i < n; i++) geometry_vertex(vertices, i, &lat[i], &lon[i]);
		ring->n_lat_e7 = ring->n_lon_e7 = n;
		ring->lat_e7 = lat;
		ring->lon_e7 = lon;
		m->rings[m->n_rings++] = ring;
	}
	return true;
}

ProtobufCMessage *compose_public_agency(struct compose *c, const struct row *r) {
	const struct row_agency *row = (const struct row_agency *)r;
	Vestibule__V1__PublicAgency *m = compose_message(c, &vestibule__v1__public_agency__descriptor);
	if (!m || !rings(c, row, m)) return NULL;
	m->agency = compose_text(row->id);
	m->name = compose_text(row->name);
	m->kind = (Vestibule__V1__AgencyKind)row->kind;
	m->policy_url = compose_text(row->policy_url);
	m->recipient = compose_text(row->recipient);
	m->key_nbf_ms = compose_ms(row->key_nbf_ms);
	m->key_exp_ms = compose_ms(row->key_exp_ms);
	m->suspended = row->suspended != 0;
	m->fast_path_lost = row->fast_path_lost != 0;
	return &m->base;
}

static uint64_t hour_of(int64_t ms) {
	const int64_t hour_ms = 3600000;
	return ms > 0 ? (uint64_t)(ms / hour_ms * hour_ms) : 0;
}

/* Coarse in place and time on purpose: the register shows what was asked, not where somebody lives.
 */
ProtobufCMessage *compose_public_request(struct compose *c, const struct row *r) {
	const struct row_request *row = (const struct row_request *)r;
	Vestibule__V1__PublicRequest *m =
		compose_message(c, &vestibule__v1__public_request__descriptor);
	char *cell = m ? compose_alloc(c, GEOHASH_AREA + 1) : NULL;
	if (!cell) return NULL;
	if (geohash_encode((double)row->lat_e7 / 1e7, (double)row->lon_e7 / 1e7, GEOHASH_AREA, cell) !=
		ERR_NONE)
		return NULL;
	m->request_id = compose_uuid(c, row->id);
	m->agency = compose_text(row->agency);
	m->incident_type = (Vestibule__V1__IncidentType)row->incident;
	m->geohash5 = cell;
	m->radius_m = (uint32_t)row->radius_m;
	m->window_minutes = (uint32_t)((row->to_ms - row->from_ms) / 60000);
	m->window_hour_ms = hour_of(row->from_ms);
	m->exp_ms = compose_ms(row->exp_ms);
	m->emergency = row->emergency != 0;
	m->state = (Vestibule__V1__RequestState)row->state;
	int64_t since = row->closed_ms   ? row->closed_ms
					: row->opened_ms ? row->opened_ms
									 : row->submitted_ms;
	m->state_hour_ms = hour_of(since);
	return &m->base;
}
