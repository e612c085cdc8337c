/* A small world for stories about consent: a state, a clock and seeded randomness that the test
 * owns, and commands in the shortest form that still goes through consent_step, state_apply and
 * state_committed. Static inline, so that each test program takes what it needs. Not here: what is
 * expected. */
#ifndef TESTS_CONSENT_WORLD_H
#define TESTS_CONSENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifndef WORLD_ASSERTS /* a fuzzer brings asserts of its own */
#include <cmocka.h>
#endif

#include "plugin/consent/consent.h"
#include "plugin/consent/geometry.h"
#include "plugin/consent/limits.h"
#include "proto/geohash.h"
#include "proto/uuid.h"

#define HOME_CASE(name)   VESTIBULE__V1__HOME_COMMAND__WHAT_##name
#define AGENCY_CASE(name) VESTIBULE__V1__AGENCY_COMMAND__WHAT_##name
#define RECEIPT(kind)     VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind
#define NOTICE(kind)      VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_##kind

enum { WORLD_LAT_E7 = 520000000, WORLD_LON_E7 = 130000000, WORLD_CLIP_BYTES = 1000 };
#define WORLD_TICK      INT64_C(900000)
#define WORLD_START     (INT64_C(1994444) * WORLD_TICK + 400000) /* in the middle of a tick */
#define WORLD_RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define WORLD_KEY_ID    "0102030405060708"

struct world {
	struct state *st;
	struct consent_opts opts;
	struct moment now;
	uint64_t seq, looked_seq;
	bool lazy_store; /* true: nothing becomes durable until world_commit */
	uint64_t random, random_agency;
	uint64_t events;
	uint8_t event_id[UUID_BYTES]; /* of the last command */
	char digest[65];
	char id[UUID_TEXT_SIZE]; /* of what the last helper made: clip or request */
	struct row_ask asked; /* copies of what world_asked and world_delivered made: a row of the state
							 dies with */
	struct row_delivery delivered; /* the next change to it */
	struct effects fx;
};

static inline uint64_t world_random(uint64_t *x) {
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static inline void world_fill_from(uint64_t *x, uint8_t *out, size_t len) {
	for (size_t i = 0; i < len; i++) out[i] = (uint8_t)(world_random(x) >> 24);
}

static inline void world_fill(void *ctx, uint8_t *out, size_t len) {
	world_fill_from(&((struct world *)ctx)->random, out, len);
}

static inline void world_fill_agency(void *ctx, uint8_t *out, size_t len) {
	world_fill_from(&((struct world *)ctx)->random_agency, out, len);
}

static inline void world_commit(struct world *w) {
	state_committed(w->st, w->seq);
}

static inline void world_apply(struct world *w, struct change *c) {
	const char *bad = "";
	if (c->count == 0) return;
	c->seq = ++w->seq;
	enum err e = state_apply(w->st, c, &bad);
	if (e != ERR_NONE) print_error("state_apply: %s: %s\n", err_name(e), bad);
	assert_int_equal(e, ERR_NONE);
	if (!w->lazy_store) world_commit(w);
}

/* One step with its effects applied. */
static inline enum reason world_step(struct world *w, const struct command *cmd) {
	struct consent_random rnd = {.fill = world_fill, .ctx = w, .fill_agency = world_fill_agency};
#ifdef WORLD_BEFORE /* the simulator's: false keeps the command back */
	if (!WORLD_BEFORE(w, cmd)) return REASON_BUSY;
#endif
	consent_step(w->st, &w->opts, cmd, w->now, rnd, &w->fx);
	if (w->fx.reason != REASON_OK) assert_int_equal(w->fx.change.count, 0);
#ifdef WORLD_AFTER
	WORLD_AFTER(w, cmd);
#endif
	world_apply(w, &w->fx.change);
	return w->fx.reason;
}

static inline void world_next_event(struct world *w) {
	uint8_t random[10] = {0};
	w->events++;
	for (int i = 0; i < 7; i++)
		random[i + 3] = (uint8_t)(w->events >> (8 * i)); /* clear of the variant's bits */
	uuid_v7(w->now.utc_ms, random, w->event_id);
	for (int i = 0; i < 64; i++) w->digest[i] = "0123456789abcdef"[(w->events >> (i % 16)) & 15];
}

static inline const struct row_credential *world_who(const struct world *w, const char *username) {
	return state_credential(w->st, span_str(username));
}

/* The last event id and digest once more: a repetition. */
static inline enum reason world_again(struct world *w, enum command_kind kind, const char *who,
									  const void *msg) {
	struct command cmd = {.kind = kind, .who = world_who(w, who), .msg = msg};
	cmd.event_id = span_of(w->event_id, sizeof(w->event_id));
	memcpy(cmd.digest, w->digest, sizeof(cmd.digest));
	return world_step(w, &cmd);
}

static inline enum reason world_send(struct world *w, enum command_kind kind, const char *who,
									 const void *msg) {
	world_next_event(w);
	return world_again(w, kind, who, msg);
}

/* --- time ------------------------------------------------------------------------------------- */

static inline enum reason world_tick(struct world *w) {
	struct command cmd = {.kind = COMMAND_TICK};
	enum reason why = REASON_OK;
	for (int i = 0; i < 10000; i++) {
		uint64_t seq = w->seq;
		cmd.looked_seq = w->looked_seq;
		why = world_step(w, &cmd);
		if (why == REASON_OK && w->fx.looked) w->looked_seq = seq; /* as the engine does */
		if (!w->fx.more) return why;
	}
	fail_msg("a tick never ends");
	return why;
}

static inline void world_pass(struct world *w, int64_t ms) {
	w->now.utc_ms += ms;
	w->now.boot_ms += ms;
	(void)world_tick(w);
}

/* To the next boundary of the release tick, exactly. */
static inline void world_to_tick(struct world *w) {
	world_pass(w, w->opts.tick_ms - w->now.utc_ms % w->opts.tick_ms);
}

/* --- the operator ----------------------------------------------------------------------------- */

static inline enum reason world_operator(struct world *w, enum operator_kind op,
										 const struct row *row, enum row_kind kind,
										 const char *key) {
	struct command cmd = {.kind = COMMAND_OPERATOR, .op = op, .who = world_who(w, "root-op")};
	cmd.row = row;
	cmd.row_kind = kind;
	cmd.key = span_str(key);
	return world_step(w, &cmd);
}

static inline enum reason world_put(struct world *w, const void *row) {
	return world_operator(w, OPERATOR_PUT, row, ROW_NONE, "");
}

static inline enum reason world_put_credential(struct world *w, const char *username,
											   enum cred_kind kind, const char *subject,
											   enum cred_role role) {
	struct row_credential c = {.row.kind = ROW_CREDENTIAL, .kind = kind, .role = role};
	(void)span_copy(span_str(username), c.username, sizeof(c.username));
	(void)span_copy(span_str(subject), c.subject, sizeof(c.subject));
	return world_put(w, &c);
}

static inline enum reason world_put_home(struct world *w, const char *id) {
	struct row_home h = {.row.kind = ROW_HOME, .name = "home"};
	(void)span_copy(span_str(id), h.id, sizeof(h.id));
	return world_put(w, &h);
}

static inline enum reason world_put_device(struct world *w, const char *id, const char *home,
										   double lat, double lon) {
	struct row_device d = {.row.kind = ROW_DEVICE, .name = "door"};
	(void)span_copy(span_str(id), d.id, sizeof(d.id));
	(void)span_copy(span_str(home), d.home, sizeof(d.home));
	assert_int_equal(geohash_encode(lat, lon, GEOHASH_DEVICE, d.cell), ERR_NONE);
	return world_put(w, &d);
}

static inline void world_agency_row(struct row_agency *a, const char *id, enum agency_kind kind,
									uint8_t *rings, size_t cap) {
	const int32_t lat[] = {515000000, 515000000, 525000000, 525000000};
	const int32_t lon[] = {125000000, 135000000, 135000000, 125000000};
	*a = (struct row_agency){
		.row.kind = ROW_AGENCY, .name = "Agency", .recipient = WORLD_RECIPIENT, .kind = kind};
	(void)span_copy(span_str(id), a->id, sizeof(a->id));
	(void)span_copy(span_str(WORLD_KEY_ID), a->key_id, sizeof(a->key_id));
	a->key_exp_ms = WORLD_START + 300 * LIMIT_DAY_MS;
	a->rings = (struct blob){rings, geometry_ring_write(lat, lon, 4, rings, cap)};
}

static inline enum reason world_put_agency(struct world *w, const char *id, enum agency_kind kind) {
	struct row_agency a;
	uint8_t rings[64];
	world_agency_row(&a, id, kind, rings, sizeof(rings));
	return world_put(w, &a);
}

static inline void world_put_relay(struct world *w, const char *id, const char *username) {
	struct row_relay r = {.row.kind = ROW_RELAY};
	(void)span_copy(span_str(id), r.id, sizeof(r.id));
	assert_int_equal(world_put(w, &r), REASON_OK);
	assert_int_equal(world_put_credential(w, username, CRED_RELAY, id, ROLE_NONE), REASON_OK);
}

static inline void world_put_integrator(struct world *w, const char *id, const char *username) {
	struct row_integrator i = {.row.kind = ROW_INTEGRATOR};
	(void)span_copy(span_str(id), i.id, sizeof(i.id));
	assert_int_equal(world_put(w, &i), REASON_OK);
	assert_int_equal(world_put_credential(w, username, CRED_INTEGRATOR, id, ROLE_NONE), REASON_OK);
}

/* --- homes ------------------------------------------------------------------------------------ */

static inline enum reason world_invite(struct world *w, const char *admin, const char *name,
									   int role) {
	static uint8_t sha256[32];
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Invite invite = VESTIBULE__V1__INVITE__INIT;
	invite.username = (char *)(uintptr_t)name;
	invite.role = (Vestibule__V1__MemberRole)role;
	invite.token_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	m.what_case = HOME_CASE(INVITE);
	m.invite = &invite;
	return world_send(w, COMMAND_HOME, admin, &m);
}

static inline enum reason world_rotate(struct world *w, const char *who, uint8_t first) {
	uint8_t sha256[32] = {first};
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Rotate rotate = VESTIBULE__V1__ROTATE__INIT;
	rotate.token_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	m.what_case = HOME_CASE(ROTATE);
	m.rotate = &rotate;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline enum reason world_rules(struct world *w, const char *who, const char *text) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Rules rules = VESTIBULE__V1__RULES__INIT;
	rules.text = (char *)(uintptr_t)text;
	m.what_case = HOME_CASE(RULES);
	m.rules = &rules;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline enum reason world_remove(struct world *w, const char *who, const char *name) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Remove remove = VESTIBULE__V1__REMOVE__INIT;
	remove.username = (char *)(uintptr_t)name;
	m.what_case = HOME_CASE(REMOVE);
	m.remove = &remove;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline enum reason world_leave(struct world *w, const char *who) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Leave leave = VESTIBULE__V1__LEAVE__INIT;
	m.what_case = HOME_CASE(LEAVE);
	m.leave = &leave;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline ProtobufCBinaryData world_bytes(const char *uuid, uint8_t out[UUID_BYTES]) {
	assert_int_equal(uuid_parse(span_str(uuid), out), ERR_NONE);
	return (ProtobufCBinaryData){.len = UUID_BYTES, .data = out};
}

static inline enum reason world_retract(struct world *w, const char *who, const char *grant) {
	uint8_t id[UUID_BYTES];
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Retract retract = VESTIBULE__V1__RETRACT__INIT;
	retract.grant_id = world_bytes(grant, id);
	m.what_case = HOME_CASE(RETRACT);
	m.retract = &retract;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline enum reason world_grant(struct world *w, const char *who, const char *integrator,
									  const char *device, int64_t exp_ms) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__GrantStanding grant = VESTIBULE__V1__GRANT_STANDING__INIT;
	grant.integrator = (char *)(uintptr_t)integrator;
	grant.device = (char *)(uintptr_t)device;
	grant.kind = VESTIBULE__V1__GRANT_KIND__GRANT_KIND_RING;
	grant.exp_ms = (uint64_t)exp_ms;
	m.what_case = HOME_CASE(GRANT);
	m.grant = &grant;
	return world_send(w, COMMAND_HOME, who, &m);
}

/* What an answer says about one clip; the defaults are what an honest client sends. */
struct world_say {
	const char *clip;
	bool yes;
	size_t header_len; /* 0 for a no */
	int64_t exp_ms;
	uint8_t key_first; /* first byte of the key id: 1 is right */
	uint32_t revision;
};

static inline enum reason world_say(struct world *w, const char *who, const struct row_ask *ask,
									const struct world_say *say) {
	static uint8_t header[200];
	uint8_t ask_id[UUID_BYTES], clip_id[UUID_BYTES], key[8] = {say->key_first, 2, 3, 4, 5, 6, 7, 8};
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Answer answer = VESTIBULE__V1__ANSWER__INIT;
	Vestibule__V1__Decision d = VESTIBULE__V1__DECISION__INIT, *list[1] = {&d};
	answer.ask_id = world_bytes(ask->id, ask_id);
	answer.revision = say->revision;
	answer.key_id = (ProtobufCBinaryData){.len = 8, .data = key};
	answer.none = say->clip == NULL;
	if (say->clip) {
		d.clip_id = world_bytes(say->clip, clip_id);
		d.yes = say->yes;
		d.header = (ProtobufCBinaryData){.len = say->header_len, .data = header};
		d.exp_ms = (uint64_t)say->exp_ms;
		answer.n_decisions = 1;
		answer.decisions = list;
	}
	m.what_case = HOME_CASE(ANSWER);
	m.answer = &answer;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline enum reason world_yes(struct world *w, const char *who, const struct row_ask *ask,
									const char *clip) {
	struct world_say say = {
		.clip = clip, .yes = true, .header_len = 168, .key_first = 1, .revision = 9};
	return world_say(w, who, ask, &say);
}

static inline enum reason world_no(struct world *w, const char *who, const struct row_ask *ask,
								   const char *clip) {
	struct world_say say = {.clip = clip, .key_first = 1, .revision = 9};
	return world_say(w, who, ask, &say);
}

static inline enum reason world_claim(struct world *w, const char *who, const char *device) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Claim claim = VESTIBULE__V1__CLAIM__INIT;
	claim.device = (char *)(uintptr_t)device;
	m.what_case = HOME_CASE(CLAIM);
	m.claim = &claim;
	return world_send(w, COMMAND_HOME, who, &m);
}

static inline enum reason world_retire(struct world *w, const char *who, const char *device) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Retire retire = VESTIBULE__V1__RETIRE__INIT;
	retire.device = (char *)(uintptr_t)device;
	m.what_case = HOME_CASE(RETIRE);
	m.retire = &retire;
	return world_send(w, COMMAND_HOME, who, &m);
}

/* token: the first byte of its digest. */
static inline enum reason world_first_admin(struct world *w, const char *device_user,
											const char *name, uint8_t token) {
	uint8_t sha256[32] = {token};
	Vestibule__V1__DeviceClaim m = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	Vestibule__V1__FirstAdmin first = VESTIBULE__V1__FIRST_ADMIN__INIT;
	first.username = (char *)(uintptr_t)name;
	first.token_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	m.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_FIRST_ADMIN;
	m.first_admin = &first;
	return world_send(w, COMMAND_CLAIM, device_user, &m);
}

static inline enum reason world_reset(struct world *w, const char *device_user) {
	Vestibule__V1__DeviceClaim m = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	Vestibule__V1__Reset reset = VESTIBULE__V1__RESET__INIT;
	m.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_RESET;
	m.reset = &reset;
	return world_send(w, COMMAND_CLAIM, device_user, &m);
}

/* --- devices ---------------------------------------------------------------------------------- */

struct world_clip {
	int64_t start_ms;
	int64_t duration_ms;
	bool unsealed, unsynced;
};

static inline enum reason world_clip(struct world *w, const char *who, const struct world_clip *c) {
	static uint8_t sealed[168], sha256[32] = {7}, id[UUID_BYTES];
	static char media[] = "video/mp4";
	Vestibule__V1__ClipReady m = VESTIBULE__V1__CLIP_READY__INIT;
	world_next_event(w);
	memcpy(id, w->event_id, sizeof(id));
	id[9] ^= 1;
	uuid_text(id, w->id);
	m.event_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = w->event_id};
	m.clip_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
	m.at_ms = (uint64_t)w->now.utc_ms;
	m.arrived_ms = (uint64_t)w->now.utc_ms;
	m.synced = !c->unsynced;
	m.seq = w->events;
	m.start_ms = (uint64_t)c->start_ms;
	m.duration_ms = (uint32_t)c->duration_ms;
	m.trigger = VESTIBULE__V1__TRIGGER__TRIGGER_RING;
	m.media_type = media;
	m.payload_length = WORLD_CLIP_BYTES;
	m.payload_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	if (!c->unsealed) m.sealed = (ProtobufCBinaryData){.len = sizeof(sealed), .data = sealed};
	return world_again(w, COMMAND_CLIP, who, &m);
}

/* A sealed clip an hour ago, right in the middle of world_request's window; its id is copied out.
 */
static inline void world_good_clip(struct world *w, const char *who, char out[UUID_TEXT_SIZE]) {
	struct world_clip c = {.start_ms = w->now.utc_ms - LIMIT_HOUR_MS, .duration_ms = 20000};
	assert_int_equal(world_clip(w, who, &c), REASON_OK);
	memcpy(out, w->id, UUID_TEXT_SIZE);
}

/* --- agencies --------------------------------------------------------------------------------- */

struct world_submit {
	Vestibule__V1__Submit m;
	Vestibule__V1__Circle circle;
	uint8_t id[UUID_BYTES];
	char case_number[33];
};

/* A request within all limits: 200 m around the world's centre, the last two hours. */
static inline void world_submit_init(struct world *w, struct world_submit *r) {
	static char reason[] = "a reason of at least twenty characters";
	static uint64_t count;
	uint8_t random[10] = {0};
	count++;
	for (int i = 0; i < 7; i++) random[i + 3] = (uint8_t)(count >> (8 * i));
	vestibule__v1__submit__init(&r->m);
	vestibule__v1__circle__init(&r->circle);
	uuid_v7(w->now.utc_ms, random, r->id);
	memcpy(r->case_number, "case-", 5);
	for (int i = 0; i < 8; i++) r->case_number[5 + i] = (char)('a' + ((count >> (4 * i)) & 15));
	r->case_number[13] = '\0';
	r->m.request_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = r->id};
	r->m.incident_type = VESTIBULE__V1__INCIDENT_TYPE__INCIDENT_TYPE_BURGLARY;
	r->m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_INVESTIGATION;
	r->m.case_number = r->case_number;
	r->m.reason = reason;
	r->m.circle = &r->circle;
	r->circle.lat_e7 = WORLD_LAT_E7;
	r->circle.lon_e7 = WORLD_LON_E7;
	r->circle.radius_m = 200;
	r->m.to_ms = (uint64_t)w->now.utc_ms;
	r->m.from_ms = r->m.to_ms - 2 * LIMIT_HOUR_MS;
}

static inline enum reason world_submit(struct world *w, const char *who, struct world_submit *r) {
	Vestibule__V1__AgencyCommand m = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	m.what_case = AGENCY_CASE(SUBMIT);
	m.submit = &r->m;
	uuid_text(r->id, w->id);
	return world_send(w, COMMAND_AGENCY, who, &m);
}

/* approve, withdraw or resolve: three messages of one shape. */
static inline enum reason world_about(struct world *w, const char *who, int what,
									  const char *request) {
	uint8_t id[UUID_BYTES];
	Vestibule__V1__AgencyCommand m = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	Vestibule__V1__Approve approve = VESTIBULE__V1__APPROVE__INIT;
	Vestibule__V1__Withdraw withdraw = VESTIBULE__V1__WITHDRAW__INIT;
	Vestibule__V1__Resolve resolve = VESTIBULE__V1__RESOLVE__INIT;
	approve.request_id = withdraw.request_id = resolve.request_id = world_bytes(request, id);
	m.what_case = (Vestibule__V1__AgencyCommand__WhatCase)what;
	if (what == AGENCY_CASE(APPROVE)) m.approve = &approve;
	if (what == AGENCY_CASE(WITHDRAW)) m.withdraw = &withdraw;
	if (what == AGENCY_CASE(RESOLVE)) m.resolve = &resolve;
	return world_send(w, COMMAND_AGENCY, who, &m);
}

static inline enum reason world_approve(struct world *w, const char *who, const char *request) {
	return world_about(w, who, AGENCY_CASE(APPROVE), request);
}

static inline enum reason world_fetch(struct world *w, const char *who, const char *delivery) {
	uint8_t id[UUID_BYTES];
	Vestibule__V1__AgencyCommand m = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	Vestibule__V1__Fetch fetch = VESTIBULE__V1__FETCH__INIT;
	fetch.delivery_id = world_bytes(delivery, id);
	m.what_case = AGENCY_CASE(FETCH);
	m.fetch = &fetch;
	return world_send(w, COMMAND_AGENCY, who, &m);
}

static inline enum reason world_report(struct world *w, const char *who, int kind,
									   const struct row_delivery *d, uint64_t length) {
	static uint8_t sha256[32] = {7};
	static char object[33];
	Vestibule__V1__RelayReport m = VESTIBULE__V1__RELAY_REPORT__INIT;
	memcpy(object, d->object, sizeof(object));
	m.kind = (Vestibule__V1__ReportKind)kind;
	m.object = object;
	m.payload_length = length;
	m.payload_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	return world_send(w, COMMAND_REPORT, who, &m);
}

/* --- looking ---------------------------------------------------------------------------------- */

static inline const struct row_request *world_request(const struct world *w, const char *id) {
	return state_request(w->st, span_str(id));
}

/* The newest ask of a home; NULL: none. */
static inline const struct row_ask *world_ask(const struct world *w, const char *home) {
	return (const struct row_ask *)state_child(w->st, ROW_ASK, 1, span_str(home), NULL);
}

/* The newest grant on that clip; NULL: none. */
static inline const struct row_grant *world_grant_on(const struct world *w, const char *clip) {
	const struct row *r = state_each(w->st, ROW_GRANT, NULL);
	for (; r; r = state_each(w->st, ROW_GRANT, r)) {
		if (span_eq(span_str(((const struct row_grant *)r)->clip), span_str(clip)))
			return (const struct row_grant *)r;
	}
	return NULL;
}

static inline const struct row_delivery *world_delivery(const struct world *w, const char *grant) {
	return (const struct row_delivery *)state_child(w->st, ROW_DELIVERY, 0, span_str(grant), NULL);
}

static inline size_t world_told(const struct world *w, enum tell_kind kind) {
	size_t n = 0;
	for (size_t i = 0; i < w->fx.tell_count; i++) n += w->fx.tell[i].kind == kind;
	return n;
}

static inline size_t world_receipts(const struct world *w, const char *home, int kind) {
	size_t n = 0;
	const struct row *r = state_child(w->st, ROW_RECEIPT, 0, span_str(home), NULL);
	for (; r; r = state_child(w->st, ROW_RECEIPT, 0, span_str(home), r))
		n += ((const struct row_receipt *)r)->kind == kind;
	return n;
}

static inline size_t world_notices(const struct world *w, const char *agency, int kind) {
	size_t n = 0;
	const struct row *r = state_child(w->st, ROW_NOTICE, 0, span_str(agency), NULL);
	for (; r; r = state_child(w->st, ROW_NOTICE, 0, span_str(agency), r))
		n += ((const struct row_notice *)r)->kind == kind;
	return n;
}

/* --- beginning and end ------------------------------------------------------------------------ */

static inline void world_free(struct world *w) {
	state_free(w->st);
	free(w);
}

/* Nothing but an operator. */
static inline struct world *world_new(void) {
	struct row_credential op = {
		.row.kind = ROW_CREDENTIAL, .username = "root-op", .kind = CRED_OPERATOR};
	struct change c = {.count = 1, .ops = {{.row = &op.row}}};
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->st = state_new(1, 2);
	assert_non_null(w->st);
	assert_int_equal(state_complete(w->st, 0, NULL), ERR_NONE);
	w->opts = (struct consent_opts){.agencies = true, .tick_ms = WORLD_TICK, .hold_ticks = 1};
	w->now = (struct moment){.utc_ms = WORLD_START, .boot_ms = 1000000, .sound = true};
	w->random = 88172645463325252ULL;
	w->random_agency = 42;
	world_apply(w, &c);
	return w;
}

#endif
