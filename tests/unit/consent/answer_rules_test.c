/* Answers, asks and clips condition by condition: each refusal is one condition away from a yes; most are
 * taken away by damage in memory. */
#include "plugin/consent/ask.h"
#include "plugin/consent/clip.h"
#include "plugin/consent/grant.h"
#include "proto/geohash.h"
#include "tests/unit/consent/bare.h"

enum { DECISIONS = 3 };

/* Ask 46 of open request 45 offers the sealed clips 53 and 54 to elm, where ann opted in. */
static struct bare *asked(void) {
	static const uint8_t sealed[168];
	struct state *st = world_new();
	struct row_request r;
	struct row_clip c;
	struct row_device d = {.row.kind = ROW_DEVICE, .id = "elm-cam", .home = "elm", .claimed_ms = 1};
	assert_int_equal(geohash_encode(52.0, 13.0, GEOHASH_DEVICE, d.cell), ERR_NONE);
	memcpy(&r, REQUEST("45", "metro-pd", REQ_OPEN), sizeof(r));
	r.lat_e7 = 520000000;
	r.lon_e7 = 130000000;
	r.from_ms = NOW_MS - DAY_MS - 10 * MINUTE_MS;
	memcpy(&c, CLIP("53", "elm", "elm-cam"), sizeof(c));
	c.start_ms = NOW_MS - DAY_MS;
	c.synced = 1;
	c.sealed = (struct blob){sealed, sizeof(sealed)};
	rows_put(st, ROW(ROW_AGENCY, agency, .id = "metro-pd", .kind = AGENCY_POLICE,
					 .recipient = RECIPIENT, .key_id = KEY_ID, .key_exp_ms = NOW_MS + DAY_MS));
	rows_put(st, &d.row);
	rows_put(st, &r.row);
	rows_put(st, &c.row);
	memcpy(c.id, UUID_OF("54"), sizeof(c.id));
	rows_put(st, &c.row);
	rows_put(st, RULES("ann", "elm", "ask police"));
	rows_put(st, RULES("ben", "elm", "mute alerts"));
	rows_put(st, ASK("46", "45", "elm", ASK_PENDING));
	rows_put(st, OFFER("46", "53"));
	rows_put(st, OFFER("46", "54"));
	return bare_over(st);
}

#define ROW_OF(b, name, id) DAMAGED(name, state_##name((b)->st, SPAN_LIT(id)))

struct says {
	Vestibule__V1__Answer m;
	Vestibule__V1__Decision d[DECISIONS], *list[DECISIONS];
	uint8_t ask[UUID_BYTES], clip[DECISIONS][UUID_BYTES], key[8], header[CODEC_HEADER_LEN];
};

/* A yes to clip 53, as an honest client sends it; a second decision is there for the taking. */
static void says_init(struct says *a) {
	static const char *const clips[DECISIONS] = {UUID_OF("53"), UUID_OF("54"), UUID_OF("55")};
	memset(a, 0, sizeof(*a));
	vestibule__v1__answer__init(&a->m);
	assert_int_equal(uuid_parse(SPAN_LIT(UUID_OF("46")), a->ask), ERR_NONE);
	a->m.ask_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = a->ask};
	for (size_t i = 0; i < DECISIONS; i++) {
		vestibule__v1__decision__init(&a->d[i]);
		assert_int_equal(uuid_parse(span_str(clips[i]), a->clip[i]), ERR_NONE);
		a->d[i].clip_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = a->clip[i]};
		a->d[i].yes = true;
		a->d[i].header = (ProtobufCBinaryData){.len = CODEC_HEADER_LEN, .data = a->header};
		a->list[i] = &a->d[i];
	}
	for (uint8_t i = 0; i < 8; i++) a->key[i] = (uint8_t)(i + 1);
	a->m.key_id = (ProtobufCBinaryData){.len = 8, .data = a->key};
	a->m.revision = 1;
	a->m.n_decisions = 1;
	a->m.decisions = a->list;
}

static enum reason answer(struct bare *b, const char *who, const struct says *a) {
	return answer_home(bare_step(b, who), &a->m);
}

#define SAYS(reason)               assert_int_equal(answer(b, "ann", &a), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, SAYS(reason))

/* --- answers ---------------------------------------------------------------------------------- */

static void an_answer_is_well_formed_and_of_an_ask_of_this_home(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct says a;
	says_init(&a);
	SAYS(OK);
	WHEN(a.m.ask_id.len, &(size_t){15}, MALFORMED);
	WHEN(a.m.none, &(protobuf_c_boolean){1}, MALFORMED);
	WHEN(a.m.n_decisions, &(size_t){0}, MALFORMED);
	WHEN(a.m.n_decisions, &(size_t){LIMIT_ASK_CLIPS + 1}, TOO_LARGE);
	WHEN(a.ask[15], "x", NOT_YOURS);
	assert_int_equal(answer(b, "zoe", &a), REASON_NOT_YOURS);
	WHEN(a.d[0].clip_id.len, &(size_t){15}, MALFORMED);
	a.m.n_decisions = 2;
	SAYS(OK);
	assert_int_equal(bare_puts(b, ROW_GRANT), 2);
	WHEN(a.clip[1], a.clip[0], MALFORMED); /* twice the same */
	a.m.n_decisions = 3;
	SAYS(NOT_OFFERED);
	bare_free(b);
}

static void an_ask_is_answered_while_it_is_open(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_ask *ask = ROW_OF(b, ask, UUID_OF("46"));
	struct row_request *r = ROW_OF(b, request, UUID_OF("45"));
	struct row_agency *pd = ROW_OF(b, agency, "metro-pd");
	struct says a;
	says_init(&a);
	WHEN(ask->state, NUMBER(ASK_DECIDED), OK);
	WHEN(ask->state, NUMBER(ASK_LAPSED), NOT_PENDING);
	WHEN(ask->request, NOTHING, NOT_PENDING);
	WHEN(r->agency, NOBODY, NOT_PENDING);
	WHEN(ask->exp_ms, NUMBER(NOW_MS), NOT_PENDING);
	WHEN(r->state, NUMBER(REQ_RESOLVED), NOT_PENDING);
	WHEN(r->state, NUMBER(REQ_SUSPENDED), NOT_PENDING);
	WHEN(r->exp_ms, NUMBER(NOW_MS), NOT_PENDING);
	WHEN(pd->suspended, NUMBER(1), NOT_PENDING);
	WHEN(pd->retired, NUMBER(1), NOT_PENDING);
	a.d[0].yes = false; /* a no is taken though nobody may share at present */
	WHEN(r->state, NUMBER(REQ_SUSPENDED), OK);
	WHEN(r->exp_ms, NUMBER(NOW_MS), OK);
	WHEN(pd->suspended, NUMBER(1), OK);
	bare_free(b);
}

static void a_yes_carries_a_header_for_the_present_key(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_agency *pd = ROW_OF(b, agency, "metro-pd");
	struct says a;
	says_init(&a);
	WHEN(a.d[0].header.len, &(size_t){0}, HEADER);
	WHEN(a.d[0].header.data, &(uint8_t *){NULL}, HEADER);
	WHEN(a.m.key_id.len, &(size_t){7}, KEY);
	WHEN(a.m.key_id.data, &(uint8_t *){NULL}, KEY);
	WHEN(a.key[7], "x", KEY);
	WHEN(pd->key_nbf_ms, NUMBER(NOW_MS), OK);
	WHEN(pd->key_nbf_ms, NUMBER(NOW_MS + 1), KEY);
	WHEN(pd->key_exp_ms, NUMBER(NOW_MS + 1), OK);
	WHEN(pd->key_exp_ms, NUMBER(NOW_MS), KEY);
	bare_free(b);
}

static void an_unsealed_clip_is_shared_in_a_demo_whose_home_agreed(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_clip *clip = ROW_OF(b, clip, UUID_OF("53"));
	struct row_home *elm = ROW_OF(b, home, "elm");
	struct says a;
	says_init(&a);
	clip->sealed.len = 0;
	SAYS(NOT_OFFERED); /* the home did not agree */
	elm->unsealed_ok = 1;
	SAYS(HEADER); /* for nobody */
	a.d[0].header.len = 0;
	SAYS(OK);
	WHEN(b->opts.demo, &(bool){false}, NOT_OFFERED);
	WHEN(clip->home, NOBODY, NOT_OFFERED);
	WHEN(elm->unsealed_ok, NUMBER(0), NOT_OFFERED);
	bare_free(b);
}

static void a_clip_fits_its_request_in_every_respect(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_clip *c = ROW_OF(b, clip, UUID_OF("53"));
	struct row_device *d = ROW_OF(b, device, "elm-cam");
	struct row_request *r = ROW_OF(b, request, UUID_OF("45"));
#define FITS(is)           assert_int_equal(ask_clip_fits(&b->s, r, c), is)
#define NOT(field, value)  WITH(field, value, FITS(false))
#define EVEN(field, value) WITH(field, value, FITS(true))
	FITS(true);
	NOT(c->device, NOBODY);
	NOT(d->retired, NUMBER(1));
	NOT(d->claimed_ms, NUMBER(0));
	NOT(d->cell, "s0000000");
	NOT(c->synced, NUMBER(0));
	NOT(c->arrived_ms, NUMBER(NOW_MS - LIMIT_CLIP_KEPT_MS));
	EVEN(c->arrived_ms, NUMBER(NOW_MS - LIMIT_CLIP_KEPT_MS + 1));
	EVEN(c->start_ms, NUMBER(r->from_ms - LIMIT_CLIP_SLACK_MS));
	NOT(c->start_ms, NUMBER(r->from_ms - LIMIT_CLIP_SLACK_MS - 1));
	EVEN(c->start_ms, NUMBER(r->to_ms + LIMIT_CLIP_SLACK_MS));
	NOT(c->start_ms, NUMBER(r->to_ms + LIMIT_CLIP_SLACK_MS + 1));
	NOT(c->sealed.len, &(size_t){0});
	bare_free(b);
}

static void a_yes_after_an_end_is_news_only_where_nobody_was_told(void **unused) {
	(void)unused;
	static const struct {
		enum grant_state state;
		int64_t release_ms;
		enum reason yes, no;
		size_t written;
	} cases[] = {
		{GSTATE_REFUSED, 0, REASON_OK, REASON_OK,
		 1}, /* of another adult: says "not shared" later */
		{GSTATE_REFUSED, NOW_MS + 1, REASON_OK, REASON_OK, 0},
		{GSTATE_APPROVED, NOW_MS + 1, REASON_OK, REASON_OK, 0},
		{GSTATE_ACTIVE, 0, REASON_OK, REASON_STATE, 0},
		{GSTATE_REVOKED, 0, REASON_ENDED, REASON_OK, 0},
		{GSTATE_EXPIRED, 0, REASON_ENDED, REASON_OK, 0},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bare *b = asked();
		struct says a;
		struct row_grant g;
		memcpy(&g, GRANT("65", "45", "46", "53", cases[i].state, NOW_MS + DAY_MS), sizeof(g));
		g.release_ms = cases[i].release_ms;
		rows_put(b->st, &g.row);
		says_init(&a);
		assert_int_equal(answer(b, "ann", &a), cases[i].yes);
		assert_int_equal(bare_puts(b, ROW_GRANT), cases[i].written);
		if (cases[i].written)
			assert_int_equal(grant_find(&b->s, "elm", UUID_OF("45"), UUID_OF("53"))->state,
							 GSTATE_REFUSED);
		a.d[0].yes = false;
		assert_int_equal(answer(b, "ann", &a), cases[i].no);
		bare_free(b);
	}
}

static void i24_sixty_approvals_of_a_member_an_hour(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct says a;
	rows_put(b->st, REQUEST("48", "metro-pd", REQ_EXPIRED));
	for (int i = 0; i < LIMIT_APPROVALS; i++) {
		struct row_grant g;
		memcpy(&g, GRANT("65", "48", "46", "50", GSTATE_EXPIRED, NOW_MS), sizeof(g));
		bare_uuid(g.id, 3000 + (unsigned)i);
		g.decided_ms = NOW_MS - LIMIT_APPROVALS_MS + 1;
		rows_put(b->st, &g.row);
	}
	says_init(&a);
	SAYS(APPROVAL_RATE);
	a.d[0].yes = false;
	SAYS(OK); /* declining has no limit */
	a.d[0].yes = true;
	assert_int_equal(answer(b, "ben", &a), REASON_OK); /* each has an own */
	struct row_grant *first =
		DAMAGED(grant, state_grant(b->st, SPAN_LIT("00000000-0000-7000-8000-000000003000")));
	WHEN(first->decided_ms, NUMBER(NOW_MS - LIMIT_APPROVALS_MS), OK);
	a.m.n_decisions = 2;
	WHEN(first->decided_ms, NUMBER(NOW_MS - LIMIT_APPROVALS_MS), APPROVAL_RATE);
	bare_free(b);
}

/* A clip that was dropped since it was offered needs no decision. */
static void what_is_offered_no_more_is_decided_by_itself(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct says a;
	says_init(&a);
	SAYS(OK);
	assert_int_equal(bare_puts(b, ROW_ASK), 0); /* clip 54 waits */
	rows_del(b->st, state_get(b->st, ROW_CLIP, SPAN_LIT(UUID_OF("54"))));
	SAYS(OK);
	assert_int_equal(bare_puts(b, ROW_ASK), 1);
	a.m.n_decisions = 0;
	a.m.none = 1;
	SAYS(OK);
	assert_int_equal(bare_puts(b, ROW_GRANT), 1); /* a no to clip 53 */
	bare_free(b);
}

/* --- asks ------------------------------------------------------------------------------------- */

static void a_key_of_an_offer_has_two_whole_ids(void **unused) {
	(void)unused;
	char key[2 * UUID_TEXT_SIZE] = "x";
	ask_clip_key("short", UUID_OF("53"), key);
	assert_string_equal(key, "");
	ask_clip_key(UUID_OF("46"), "short", key);
	assert_string_equal(key, "");
	ask_clip_key(UUID_OF("46"), UUID_OF("53"), key);
	assert_string_equal(key, UUID_OF("46") "/" UUID_OF("53"));
}

static size_t made(struct bare *b, int64_t late_ms) {
	(void)bare_step(b, "");
	b->s.now.utc_ms += late_ms;
	assert_true(ask_tick_make(&b->s));
	return bare_puts(b, ROW_ASK);
}

static void homes_are_asked_only_for_a_request_that_could_be_answered(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_request *r = ROW_OF(b, request, UUID_OF("45"));
	struct row_agency *pd = ROW_OF(b, agency, "metro-pd");
	struct row_rules *rules = ROW_OF(b, rules, "ann");
	rows_put(b->st, ASK("46", "45", "elm", ASK_LAPSED)); /* it is asked once for a request */
	assert_int_equal(made(b, 0), 0);
	rows_del(b->st, state_get(b->st, ROW_ASK_CLIP, SPAN_LIT(UUID_OF("46") "/" UUID_OF("53"))));
	rows_del(b->st, state_get(b->st, ROW_ASK_CLIP, SPAN_LIT(UUID_OF("46") "/" UUID_OF("54"))));
	rows_del(b->st, state_get(b->st, ROW_ASK, SPAN_LIT(UUID_OF("46"))));
#undef NOT
#define NOT(field, value) WITH(field, value, assert_int_equal(made(b, 0), 0))
	assert_int_equal(made(b, 0), 1);
	NOT(r->state, NUMBER(REQ_SUSPENDED));
	NOT(r->row.seq, (&(uint64_t){state_seq(b->st) + 1}));
	NOT(r->exp_ms, NUMBER(NOW_MS));
	NOT(r->agency, NOBODY);
	NOT(pd->suspended, NUMBER(1));
	NOT(pd->key_id, ((char[17]){""}));
	NOT(pd->key_nbf_ms, NUMBER(NOW_MS + 1));
	NOT(pd->key_exp_ms, NUMBER(NOW_MS));
	NOT(rules->text[0], "x"); /* cannot be read */
	WITH(pd->recipient[0], "", {
		assert_int_equal(made(b, 0), 1); /* without a key in a demo only */
		b->opts.demo = false;
		assert_int_equal(made(b, 0), 0);
		b->opts.demo = true;
	});
	assert_int_equal(made(b, LIMIT_TICK_LATE_MS), 1); /* fresh: at any moment of its first minute */
	r->opened_ms = NOW_MS - LIMIT_MINUTE_MS;
	assert_int_equal(made(b, LIMIT_TICK_LATE_MS), 0); /* then at its ticks */
	assert_int_equal(made(b, 0), 1);
	bare_free(b);
}

static void an_ask_grows_with_the_clips_and_no_further_than_may_be_offered(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_rules *rules = ROW_OF(b, rules, "ann");
	struct row_clip c;
	assert_int_equal(made(b, 0), 0);
	memcpy(&c, state_clip(b->st, SPAN_LIT(UUID_OF("53"))), sizeof(c));
	for (int i = 0; i < LIMIT_ASK_CLIPS; i++) { /* with those offered, two too many */
		bare_uuid(c.id, 4000 + (unsigned)i);
		rows_put(b->st, &c.row);
	}
	WITH(rules->text, ((char[ROW_RULES_SIZE]){"ask police\nquiet 00:00-23:59"}),
		 assert_int_equal(made(b, 0), 0)); /* it waits for the end of the quiet hours */
	struct row_ask *ask = ROW_OF(b, ask, UUID_OF("46"));
	NOT(ask->state, NUMBER(ASK_LAPSED));
	assert_int_equal(made(b, 0), 1);
	assert_int_equal(bare_puts(b, ROW_ASK_CLIP), LIMIT_ASK_CLIPS - 2);
	bare_apply(b);
	assert_int_equal(made(b, 0), 0); /* it is full */
	/* what lapsed in this very change grows no more */
	rows_del(b->st, state_get(b->st, ROW_ASK_CLIP, SPAN_LIT(UUID_OF("46") "/" UUID_OF("53"))));
	assert_int_equal(made(b, 0), 1);
	(void)bare_step(b, "");
	((struct row_ask *)effects_alter(&b->s, state_ask(b->st, SPAN_LIT(UUID_OF("46")))))->state =
		ASK_LAPSED;
	assert_true(ask_tick_make(&b->s));
	assert_int_equal(bare_puts(b, ROW_ASK_CLIP), 0);
	(void)bare_step(b, "");
	effects_del(&b->s, state_ask(b->st, SPAN_LIT(UUID_OF("46"))));
	assert_true(ask_tick_make(&b->s));
	assert_int_equal(bare_puts(b, ROW_ASK_CLIP), 0);
	bare_free(b);
}

static size_t lapsed(struct bare *b) {
	assert_true(ask_tick_lapse(bare_step(b, "")));
	size_t n = 0;
	for (size_t i = 0; i < b->fx.change.count; i++)
		n += span_eq(row_key(b->fx.change.ops[i].row), SPAN_LIT(UUID_OF("46")));
	return n;
}

static void an_ask_lapses_with_each_thing_that_it_rests_on(void **unused) {
	(void)unused;
	struct bare *b = asked();
	struct row_ask *ask = ROW_OF(b, ask, UUID_OF("46"));
	struct row_request *r = ROW_OF(b, request, UUID_OF("45"));
	struct row_clip *one = ROW_OF(b, clip, UUID_OF("53")), *two = ROW_OF(b, clip, UUID_OF("54"));
#define LAPSES(field, value) WITH(field, value, assert_int_equal(lapsed(b), 1))
	assert_int_equal(lapsed(b), 0);
	LAPSES(ask->request, NOTHING);
	LAPSES(r->agency, NOBODY);
	LAPSES(r->state, NUMBER(REQ_RESOLVED));
	LAPSES(ask->exp_ms, NUMBER(NOW_MS));
	LAPSES(ROW_OF(b, rules, "ann")->text[0], "x");
	LAPSES(ROW_OF(b, device, "elm-cam")->retired, NUMBER(1));
	WITH(one->device, NOBODY, assert_int_equal(lapsed(b), 0)); /* the other is left */
	memcpy(one->device, NOBODY, sizeof(one->device));
	LAPSES(two->device, NOBODY);
	rows_del(b->st, &two->row);
	assert_int_equal(lapsed(b), 1);
	bare_free(b);
}

/* --- clips ------------------------------------------------------------------------------------ */

struct ready {
	Vestibule__V1__ClipReady m;
	uint8_t clip[UUID_BYTES], event[UUID_BYTES], sha256[32];
	char media[10];
};

static void ready_init(struct ready *r) {
	memset(r, 0, sizeof(*r));
	vestibule__v1__clip_ready__init(&r->m);
	r->clip[15] = 1;
	r->clip[6] = r->event[6] = 0x70;
	r->clip[8] = r->event[8] = 0x80;
	memcpy(r->media, "video/mp4", 10);
	r->m.clip_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = r->clip};
	r->m.event_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = r->event};
	r->m.payload_sha256 = (ProtobufCBinaryData){.len = 32, .data = r->sha256};
	r->m.media_type = r->media;
	r->m.at_ms = r->m.start_ms = r->m.arrived_ms = (uint64_t)NOW_MS;
	r->m.synced = 1;
	r->m.seq = 5;
	r->m.trigger = VESTIBULE__V1__TRIGGER__TRIGGER_RING;
	r->m.payload_length = 1000;
}

static enum reason ready(struct bare *b, const struct ready *r) {
	return clip_ready(bare_step(b, "door-1"), &r->m);
}

static const struct row_clip *the_clip(const struct bare *b) {
	for (size_t i = 0; i < b->fx.change.count; i++) {
		if (b->fx.change.ops[i].row->kind == ROW_CLIP)
			return (const struct row_clip *)b->fx.change.ops[i].row;
	}
	fail_msg("no clip");
	return NULL;
}

static void a_clip_is_taken_with_every_field_plausible(void **unused) {
	(void)unused;
	const uint64_t most = INT64_MAX / 2;
	struct bare *b = bare_new();
	struct row_device *door = ROW_OF(b, device, "elm-door");
	struct row_credential *who = ROW_OF(b, credential, "door-1");
	struct ready r;
	ready_init(&r);
#undef WHEN
#define WHEN(field, value, reason) WITH(field, value, assert_int_equal(ready(b, &r), reason))
	assert_int_equal(ready(b, &r), REASON_OK);
	WHEN(door->retired, NUMBER(1), REASON_NOT_YOURS);
	WHEN(door->claimed_ms, NUMBER(0), REASON_UNCLAIMED);
	WHEN(who->subject, NOBODY, REASON_NOT_YOURS);
	WHEN(r.m.clip_id.len, &(size_t){15}, REASON_MALFORMED);
	WHEN(r.m.event_id.len, &(size_t){15}, REASON_MALFORMED);
	WHEN(r.m.media_type, &(char *){NULL}, REASON_MALFORMED);
	WHEN(r.m.at_ms, &most, REASON_MALFORMED);
	WHEN(r.m.start_ms, &most, REASON_MALFORMED);
	WHEN(r.m.arrived_ms, &most, REASON_MALFORMED);
	WHEN(r.m.seq, &most, REASON_MALFORMED);
	WHEN(r.m.payload_length, &most, REASON_MALFORMED);
	WHEN(r.m.payload_sha256.len, &(size_t){31}, REASON_MALFORMED);
	WHEN(r.m.payload_sha256.data, &(uint8_t *){NULL}, REASON_MALFORMED);
	assert_int_equal(ready(b, &r), REASON_OK);
	bare_apply(b);
	assert_int_equal(ready(b, &r), REASON_REUSED_ID);
	bare_free(b);
}

static void a_clip_from_the_future_has_no_clock_to_trust(void **unused) {
	(void)unused;
	const uint64_t ahead = (uint64_t)(NOW_MS + LIMIT_CLOCK_AHEAD_MS), beyond = ahead + 1;
	struct bare *b = bare_new();
	struct ready r;
	ready_init(&r);
#define SYNCED(field, value, is)                   \
	WITH(field, value, {                           \
		assert_int_equal(ready(b, &r), REASON_OK); \
		assert_int_equal(the_clip(b)->synced, is); \
	})
	SYNCED(r.m.synced, &(protobuf_c_boolean){1}, 1);
	SYNCED(r.m.synced, &(protobuf_c_boolean){0}, 0);
	SYNCED(r.m.at_ms, &ahead, 1);
	SYNCED(r.m.at_ms, &beyond, 0);
	SYNCED(r.m.start_ms, &ahead, 1);
	SYNCED(r.m.start_ms, &beyond, 0);
	bare_free(b);
}

static int64_t acked(const struct bare *b) {
	for (size_t i = 0; i < b->fx.tell_count; i++) {
		if (b->fx.tell[i].kind == TELL_ACK) return b->fx.tell[i].value;
	}
	return -1;
}

static void an_ack_names_the_highest_number_and_never_falls(void **unused) {
	(void)unused;
	static const struct {
		uint64_t seq;
		int64_t acked;
	} cases[] = {{5, 5}, {4, 5}, {5, 5}, {6, 6}};
	struct bare *b = bare_new();
	struct ready r;
	ready_init(&r);
	clip_ack(bare_step(b, "door-1"));
	assert_int_equal(acked(b), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		r.m.seq = cases[i].seq;
		r.clip[15]++;
		assert_int_equal(ready(b, &r), REASON_OK);
		assert_int_equal(acked(b), cases[i].acked);
		bare_apply(b);
	}
	bare_free(b);
}

static void i24_a_full_catalogue_drops_its_oldest(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_clip c;
	struct ready r;
	ready_init(&r);
	memcpy(&c, CLIP("53", "elm", "elm-door"), sizeof(c));
	for (int i = 3; i < LIMIT_CLIPS_PER_DEVICE; i++) { /* three are there */
		bare_uuid(c.id, 5000 + (unsigned)i);
		c.arrived_ms = NOW_MS - 1000 + i;
		rows_put(b->st, &c.row);
	}
	assert_int_equal(ready(b, &r), REASON_OK);
	assert_int_equal(bare_puts(b, ROW_CLIP), 2); /* one comes, one goes */
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_well_formed_and_of_an_ask_of_this_home),
		cmocka_unit_test(an_ask_is_answered_while_it_is_open),
		cmocka_unit_test(a_yes_carries_a_header_for_the_present_key),
		cmocka_unit_test(an_unsealed_clip_is_shared_in_a_demo_whose_home_agreed),
		cmocka_unit_test(a_clip_fits_its_request_in_every_respect),
		cmocka_unit_test(a_yes_after_an_end_is_news_only_where_nobody_was_told),
		cmocka_unit_test(i24_sixty_approvals_of_a_member_an_hour),
		cmocka_unit_test(what_is_offered_no_more_is_decided_by_itself),
		cmocka_unit_test(a_key_of_an_offer_has_two_whole_ids),
		cmocka_unit_test(homes_are_asked_only_for_a_request_that_could_be_answered),
		cmocka_unit_test(an_ask_grows_with_the_clips_and_no_further_than_may_be_offered),
		cmocka_unit_test(an_ask_lapses_with_each_thing_that_it_rests_on),
		cmocka_unit_test(a_clip_is_taken_with_every_field_plausible),
		cmocka_unit_test(a_clip_from_the_future_has_no_clock_to_trust),
		cmocka_unit_test(an_ack_names_the_highest_number_and_never_falls),
		cmocka_unit_test(i24_a_full_catalogue_drops_its_oldest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
