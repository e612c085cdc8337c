/* Deliveries condition by condition: who may fetch, what a relay may report, which relay copies, when an
 * agency is told. Each refusal is one condition away from a yes; most are taken away by damage in memory. */
#include "plugin/consent/delivery.h"
#include "plugin/consent/grant.h"
#include "tests/unit/consent/bare.h"

#define OBJECT "00112233445566778899aabbccddeeff"

static struct row_delivery *delivery_of(struct bare *b, const char *id) {
	return DAMAGED(delivery, state_delivery(b->st, span_str(id)));
}

static struct row_grant *grant_of(struct bare *b, const char *id) {
	return DAMAGED(grant, state_grant(b->st, span_str(id)));
}

static struct row_request *request_of(struct bare *b) {
	return DAMAGED(request, state_request(b->st, SPAN_LIT(UUID_OF("40"))));
}

static struct row_agency *agency_of(struct bare *b) {
	return DAMAGED(agency, state_agency(b->st, SPAN_LIT("metro-pd")));
}

/* --- fetching --------------------------------------------------------------------------------- */

static void i2_a_clip_is_fetched_under_every_condition_or_not_at_all(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	rows_put(b->st, DELIVERY("70", "60", "40", DLV_STAGED));
	struct row_delivery *d = delivery_of(b, UUID_OF("70"));
	struct row_grant *g = grant_of(b, UUID_OF("60"));
	struct row_request *r = request_of(b);
	struct row_agency *a = agency_of(b);
	struct row_credential *eve = DAMAGED(credential, state_credential(b->st, SPAN_LIT("evi-1")));
	struct moment now = b->s.now;
	d->announced = 1;
#define MAY(officer, delivery)     consent_may_fetch(b->st, officer, delivery, now)
#define WHEN(field, value, reason) WITH(field, value, assert_int_equal(MAY(eve, d), reason))
	assert_int_equal(MAY(eve, d), REASON_OK);
	assert_int_equal(MAY(NULL, d), REASON_ROLE);
	assert_int_equal(MAY(eve, NULL), REASON_NOT_YOURS);
	WHEN(eve->kind, NUMBER(CRED_MEMBER), REASON_ROLE);
	WHEN(eve->role, NUMBER(ROLE_SUPERVISOR), REASON_ROLE);
	WHEN(eve->suspended, NUMBER(1), REASON_SUSPENDED);
	WHEN(eve->subject, NOBODY, REASON_NOT_YOURS);
	WHEN(d->announced, NUMBER(0), REASON_NOT_YOURS);
	WHEN(d->request, NOTHING, REASON_NOT_YOURS);
	WHEN(a->suspended, NUMBER(1), REASON_SUSPENDED);
	WHEN(a->retired, NUMBER(1), REASON_SUSPENDED);
	WHEN(r->state, NUMBER(REQ_SUSPENDED), REASON_SUSPENDED);
	WHEN(r->state, NUMBER(REQ_RESOLVED), REASON_OK);
	WHEN(r->state, NUMBER(REQ_EXPIRED), REASON_OK);
	WHEN(r->state, NUMBER(REQ_WITHDRAWN), REASON_NO_GRANT);
	WHEN(d->grant, NOTHING, REASON_NO_GRANT);
	WHEN(d->revoke_told, NUMBER(1), REASON_NO_GRANT);
	WHEN(g->exp_ms, NUMBER(NOW_MS), REASON_NO_GRANT);
	WHEN(g->nbf_ms, NUMBER(NOW_MS + 1), REASON_NO_GRANT);
	WHEN(g->nbf_ms, NUMBER(NOW_MS), REASON_OK);
	WHEN(g->state, NUMBER(GSTATE_REVOKED), REASON_UNAVAILABLE);
	WHEN(g->actor, NOBODY, REASON_UNAVAILABLE); /* its end is due, though no tick wrote it */
	WHEN(d->state, NUMBER(DLV_FETCHED), REASON_OK);
	WHEN(d->state, NUMBER(DLV_COPYING), REASON_UNAVAILABLE);
	WHEN(g->row.seq, (&(uint64_t){state_seq(b->st) + 1}), REASON_UNAVAILABLE);
	WHEN(now.sound, &(bool){false}, REASON_NOT_READY);
	state_set_refusing(b->st);
	assert_int_equal(MAY(eve, d), REASON_NOT_READY);
#undef MAY
#undef WHEN
	bare_free(b);
}

static enum reason fetch(struct bare *b, const char *who, size_t id_len) {
	uint8_t id[UUID_BYTES];
	Vestibule__V1__Fetch m = VESTIBULE__V1__FETCH__INIT;
	assert_int_equal(uuid_parse(SPAN_LIT(UUID_OF("70")), id), ERR_NONE);
	m.delivery_id = (ProtobufCBinaryData){.len = id_len, .data = id};
	return delivery_fetch(bare_step(b, who), &m);
}

static void i24_ten_fetches_of_a_clip_a_day(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	rows_put(b->st, DELIVERY("70", "60", "40", DLV_STAGED));
	delivery_of(b, UUID_OF("70"))->announced = 1;
	assert_int_equal(fetch(b, "evi-1", UUID_BYTES - 1), REASON_MALFORMED);
	assert_int_equal(fetch(b, "sup-1", UUID_BYTES), REASON_ROLE);
	for (int i = 0; i < LIMIT_FETCHES; i++) {
		assert_int_equal(fetch(b, "evi-1", UUID_BYTES), REASON_OK);
		bare_apply(b);
	}
	assert_int_equal(fetch(b, "evi-1", UUID_BYTES), REASON_FETCH_LIMIT);
	DAMAGED(fetch, state_each(b->st, ROW_FETCH, NULL))->at_ms = NOW_MS - LIMIT_DAY_MS + 1;
	assert_int_equal(fetch(b, "evi-1", UUID_BYTES), REASON_FETCH_LIMIT);
	DAMAGED(fetch, state_each(b->st, ROW_FETCH, NULL))->at_ms = NOW_MS - LIMIT_DAY_MS;
	assert_int_equal(fetch(b, "evi-1", UUID_BYTES), REASON_OK);
	bare_free(b);
}

/* --- reports ---------------------------------------------------------------------------------- */

struct report {
	Vestibule__V1__RelayReport m;
	uint8_t job[UUID_BYTES], sha256[32];
	char object[33];
};

/* What a relay says when all went well: by its job, with the length and hash of the clip. */
static void report_init(struct report *r, int kind, const char *job) {
	static const uint8_t eight[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	vestibule__v1__relay_report__init(&r->m);
	assert_int_equal(uuid_parse(span_str(job), r->job), ERR_NONE);
	for (size_t i = 0; i < 32; i++) r->sha256[i] = eight[i % 8]; /* HASH64 */
	memcpy(r->object, OBJECT, sizeof(r->object));
	r->m.kind = (Vestibule__V1__ReportKind)kind;
	r->m.job_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = r->job};
	r->m.payload_length = 1000;
	r->m.payload_sha256 = (ProtobufCBinaryData){.len = 32, .data = r->sha256};
	r->m.object = r->object;
}

static enum reason report(struct bare *b, const char *who, const struct report *r) {
	return delivery_report(bare_step(b, who), &r->m);
}

static struct bare *copying(void) {
	struct bare *b = bare_new();
	memcpy(delivery_of(b, UUID_OF("70"))->object, OBJECT, sizeof(OBJECT));
	return b;
}

static void i2_a_copy_is_staged_when_it_is_the_clip_of_a_live_grant(void **unused) {
	(void)unused;
	struct bare *b = copying();
	struct row_delivery *d = delivery_of(b, UUID_OF("70"));
	struct row_grant *g = grant_of(b, UUID_OF("60"));
	struct report r;
	report_init(&r, REPORT(COPIED), UUID_OF("80"));
#define WHEN(field, value, reason) \
	WITH(field, value, assert_int_equal(report(b, "relay-1", &r), reason))
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
	assert_int_equal(bare_puts(b, ROW_DELIVERY), 1);
	WHEN(r.m.payload_length, &(uint64_t){999}, REASON_MALFORMED);
	WHEN(r.m.payload_sha256.len, &(size_t){31}, REASON_MALFORMED);
	WHEN(r.m.payload_sha256.data, &(uint8_t *){NULL}, REASON_MALFORMED);
	WHEN(r.sha256[31], "x", REASON_MALFORMED);
	WHEN(g->clip, NOTHING, REASON_MALFORMED);
	WHEN(g->state, NUMBER(GSTATE_REVOKED), REASON_STATE);
	WHEN(d->grant, NOTHING, REASON_STATE);
	WHEN(d->state, NUMBER(DLV_STAGED), REASON_STATE);
	WHEN(r.m.kind, &(Vestibule__V1__ReportKind){0}, REASON_STATE);
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
#undef WHEN
	bare_free(b);
}

static void a_report_is_known_by_its_job_or_by_its_object(void **unused) {
	(void)unused;
	struct bare *b = copying();
	struct report r;
	report_init(&r, REPORT(COPIED), UUID_OF("80"));
#define WHEN(field, value, reason) \
	WITH(field, value, assert_int_equal(report(b, "relay-1", &r), reason))
	assert_int_equal(report(b, "relay-2", &r), REASON_NOT_YOURS);
	WHEN(r.object[0], "f", REASON_NOT_YOURS); /* the job is of another object */
	WHEN(r.object[0], "", REASON_OK);
	WHEN(r.m.object, &(char *){NULL}, REASON_OK);
	r.job[15] ^= 0x77; /* no job any more */
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
	WHEN(r.m.job_id.len, &(size_t){0}, REASON_OK);
	WHEN(r.object[0], "f", REASON_NOT_YOURS);
	WHEN(r.object[0], "", REASON_NOT_YOURS);
	WHEN(r.m.object, &(char *){NULL}, REASON_NOT_YOURS);
#undef WHEN
	bare_free(b);
}

static void what_is_gone_or_purged_ends_and_the_home_is_told_if_there_is_one(void **unused) {
	(void)unused;
	struct bare *b = copying();
	struct report r;
	report_init(&r, REPORT(GONE), UUID_OF("80"));
	struct row_delivery *d = delivery_of(b, UUID_OF("70")), *end = delivery_of(b, UUID_OF("71"));
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
	assert_int_equal(bare_puts(b, ROW_RECEIPT), 1);
	WITH(d->grant, NOTHING, assert_int_equal(report(b, "relay-1", &r), REASON_STATE));
	WITH(d->state, NUMBER(DLV_STAGED), assert_int_equal(report(b, "relay-1", &r), REASON_STATE));
	r.m.kind = REPORT(PURGED);
	assert_int_equal(report(b, "relay-1", &r), REASON_STATE); /* nobody ordered it */
	report_init(&r, REPORT(PURGED), UUID_OF("81"));
	r.m.object = NULL;
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
	assert_int_equal(bare_puts(b, ROW_RECEIPT), 1);
	WITH(end->grant, NOTHING, {
		assert_int_equal(report(b, "relay-1", &r), REASON_OK);
		assert_int_equal(bare_puts(b, ROW_RECEIPT), 0);
		assert_int_equal(bare_puts(b, ROW_DELIVERY), 1);
	});
	bare_free(b);
}

static void i23_a_late_copy_is_purged_again(void **unused) {
	(void)unused;
	struct bare *b = copying();
	struct report r;
	struct row_delivery *end = delivery_of(b, UUID_OF("71"));
	report_init(&r, REPORT(COPIED), UUID_OF("81"));
	r.m.object = NULL;
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
	assert_int_equal(bare_puts(b, ROW_JOB), 0); /* its order stands still */
	DAMAGED(job, state_job(b->st, SPAN_LIT(UUID_OF("81"))))->kind = JOB_CANCEL;
	end->state = DLV_PURGED;
	assert_int_equal(report(b, "relay-1", &r), REASON_OK);
	assert_int_equal(bare_puts(b, ROW_JOB), 1);
	bare_free(b);
}

/* --- copies ----------------------------------------------------------------------------------- */

static void copies_go_to_the_first_relay_that_can_log_in(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_credential *first =
		DAMAGED(credential, state_credential(b->st, SPAN_LIT("relay-1")));
	struct row_credential *other =
		DAMAGED(credential, state_credential(b->st, SPAN_LIT("relay-2")));
	rows_put(b->st, ROW(ROW_RELAY, relay, .id = "alone")); /* the lowest id, and nobody behind it */
	rows_put(b->st, ROW(ROW_INTEGRATOR, integrator, .id = "mover"));
	rows_put(b->st, CRED("mover-9", CRED_INTEGRATOR, "mover", ROLE_NONE)); /* is no relay */
	assert_string_equal(delivery_relay(b->st), "mover");
	first->suspended = 1;
	assert_string_equal(delivery_relay(b->st), "spare");
	other->suspended = 1;
	assert_null(delivery_relay(b->st));
	first->suspended = 0;
	rows_put(b->st, ROW(ROW_RELAY, relay, .id = "early"));
	rows_put(b->st, CRED("relay-3", CRED_RELAY, "early", ROLE_NONE));
	assert_string_equal(delivery_relay(b->st), "early");
	bare_free(b);
}

/* The deliveries of this change, in its order. */
static const struct row_delivery *made(const struct bare *b, size_t n) {
	for (size_t i = 0; i < b->fx.change.count; i++) {
		const struct row *r = b->fx.change.ops[i].row;
		if (r->kind == ROW_DELIVERY && n-- == 0) return (const struct row_delivery *)r;
	}
	fail_msg("no such delivery");
	return NULL;
}

static void i9_clips_of_one_device_have_one_source_in_a_request_and_no_other(void **unused) {
	(void)unused;
	static const struct {
		const char *request, *device;
	} grants[] = {
		{UUID_OF("40"), "elm-door"}, /* as delivery 70 in the state */
		{UUID_OF("40"), "elm-yard"}, {UUID_OF("40"), "elm-yard"},
		{UUID_OF("42"), "elm-yard"}, {UUID_OF("42"), "elm-yard"},
	};
	struct bare *b = bare_new();
	struct row_grant g[COUNT(grants)];
	rows_put(b->st, REQUEST("42", "metro-pd", REQ_OPEN));
	(void)bare_step(b, "");
	for (size_t i = 0; i < COUNT(grants); i++) {
		memcpy(&g[i], GRANT("63", "40", "41", "53", GSTATE_ACTIVE, NOW_MS + 5), sizeof(g[i]));
		g[i].id[ROW_UUID_SIZE - 2] = (char)('3' + i);
		memcpy(g[i].request, grants[i].request, sizeof(g[i].request));
		memcpy(g[i].device, grants[i].device, strlen(grants[i].device) + 1);
		rows_put(b->st, &g[i].row);
		delivery_start(&b->s, &g[i], "mover");
	}
	assert_string_equal(made(b, 0)->source, UUID_OF("90"));
	assert_string_not_equal(made(b, 1)->source, UUID_OF("90"));
	assert_string_equal(made(b, 1)->source, made(b, 2)->source);
	assert_string_not_equal(made(b, 2)->source, made(b, 3)->source);
	assert_string_equal(made(b, 3)->source, made(b, 4)->source);
	/* a delivery whose grant is not there says nothing of its device */
	static const char *const all[] = {UUID_OF("70"), UUID_OF("71"), UUID_OF("72")};
	for (size_t i = 0; i < COUNT(all); i++)
		memcpy(delivery_of(b, all[i])->grant, NOTHING, ROW_UUID_SIZE);
	delivery_start(bare_step(b, ""), &g[0], "mover");
	assert_string_not_equal(made(b, 0)->source, UUID_OF("90"));
	bare_free(b);
}

static void what_has_ended_is_not_purged_twice(void **unused) {
	(void)unused;
	static const struct {
		enum delivery_state state;
		size_t jobs; /* orders given */
	} cases[] = {
		{DLV_COPYING, 2}, {DLV_STAGED, 1},  {DLV_FETCHED, 1},
		{DLV_VOID, 0},    {DLV_PURGING, 0}, {DLV_PURGED, 0},
	};
	struct bare *b = bare_new();
	struct row_delivery *d = delivery_of(b, UUID_OF("70"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		d->state = cases[i].state;
		delivery_end(bare_step(b, ""), grant_of(b, UUID_OF("60")));
		size_t orders = 0;
		for (size_t n = 0; n < b->fx.change.count; n++) {
			const struct row_op *op = &b->fx.change.ops[n];
			orders += op->row->kind == ROW_JOB && !op->del;
		}
		assert_int_equal(orders, cases[i].jobs);
	}
	bare_free(b);
}

/* --- telling the agency ----------------------------------------------------------------------- */

static size_t told(struct bare *b, int64_t late_ms) {
	(void)bare_step(b, "");
	b->s.now.utc_ms += late_ms;
	assert_true(delivery_tick(&b->s));
	return bare_puts(b, ROW_NOTICE);
}

static void a_copy_is_announced_at_the_next_tick_and_only_while_it_may_be_fetched(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	rows_put(b->st, DELIVERY("70", "60", "40", DLV_STAGED));
	struct row_delivery *d = delivery_of(b, UUID_OF("70"));
	struct row_grant *g = grant_of(b, UUID_OF("60"));
#define NOT_WHEN(field, value) WITH(field, value, assert_int_equal(told(b, 0), 0))
	assert_int_equal(told(b, 0), 1);
	assert_int_equal(told(b, LIMIT_TICK_LATE_MS), 0);
	NOT_WHEN(d->announced, NUMBER(1));
	NOT_WHEN(d->state, NUMBER(DLV_COPYING));
	NOT_WHEN(d->staged_ms, NUMBER(NOW_MS));
	WITH(d->staged_ms, NUMBER(NOW_MS - 1), assert_int_equal(told(b, 0), 1));
	NOT_WHEN(d->row.seq, (&(uint64_t){state_seq(b->st) + 1}));
	NOT_WHEN(d->request, NOTHING);
	NOT_WHEN(d->grant, NOTHING);
	NOT_WHEN(g->state, NUMBER(GSTATE_REVOKED));
	NOT_WHEN(g->actor, NOBODY);
	NOT_WHEN(request_of(b)->state, NUMBER(REQ_SUSPENDED));
	NOT_WHEN(agency_of(b)->suspended, NUMBER(1));
	NOT_WHEN(agency_of(b)->retired, NUMBER(1));
	assert_int_equal(told(b, 0), 1);
	bare_free(b);
}

static void i9_an_end_is_told_once_and_only_of_what_was_announced_and_taken_back(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_delivery *d = delivery_of(b, UUID_OF("71"));
	struct row_grant *g = grant_of(b, UUID_OF("61"));
	d->announced = 1;
	d->ended_ms = NOW_MS - 1;
	assert_int_equal(told(b, 0), 1);
	NOT_WHEN(d->announced, NUMBER(0));
	NOT_WHEN(d->revoke_told, NUMBER(1));
	NOT_WHEN(d->ended_ms, NUMBER(0));
	NOT_WHEN(d->ended_ms, NUMBER(NOW_MS));
	NOT_WHEN(d->grant, NOTHING);
	NOT_WHEN(g->state, NUMBER(GSTATE_EXPIRED)); /* it was known from the start */
	assert_int_equal(told(b, 0), 1);
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i2_a_clip_is_fetched_under_every_condition_or_not_at_all),
		cmocka_unit_test(i24_ten_fetches_of_a_clip_a_day),
		cmocka_unit_test(i2_a_copy_is_staged_when_it_is_the_clip_of_a_live_grant),
		cmocka_unit_test(a_report_is_known_by_its_job_or_by_its_object),
		cmocka_unit_test(what_is_gone_or_purged_ends_and_the_home_is_told_if_there_is_one),
		cmocka_unit_test(i23_a_late_copy_is_purged_again),
		cmocka_unit_test(copies_go_to_the_first_relay_that_can_log_in),
		cmocka_unit_test(i9_clips_of_one_device_have_one_source_in_a_request_and_no_other),
		cmocka_unit_test(what_has_ended_is_not_purged_twice),
		cmocka_unit_test(a_copy_is_announced_at_the_next_tick_and_only_while_it_may_be_fetched),
		cmocka_unit_test(i9_an_end_is_told_once_and_only_of_what_was_announced_and_taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
