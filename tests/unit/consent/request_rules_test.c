/* Requests and alerts condition by condition: what may be filed, approved, moved and sent. Each refusal is
 * one condition away from a yes. */
#include "plugin/consent/geometry.h"
#include "plugin/consent/request.h"
#include "tests/unit/consent/bare.h"

#define ROW_OF(b, name, id) DAMAGED(name, state_##name((b)->st, SPAN_LIT(id)))
#define OPERATE(b, op, id)  request_moderate(bare_step(b, "ops-1"), op, SPAN_LIT(id))

/* Metro-pd has a jurisdiction about 52, 13 and no request but 40, which is of long ago. */
static struct bare *town(void) {
	static uint8_t rings[64];
	static const int32_t lat[] = {515000000, 515000000, 525000000, 525000000};
	static const int32_t lon[] = {125000000, 135000000, 135000000, 125000000};
	struct state *st = world_new();
	struct row_agency pd = {.row.kind = ROW_AGENCY, .id = "metro-pd", .kind = AGENCY_POLICE};
	pd.rings = (struct blob){rings, geometry_ring_write(lat, lon, 4, rings, sizeof(rings))};
	rows_put(st, &pd.row);
	struct bare *b = bare_over(st);
	ROW_OF(b, request, UUID_OF("40"))->submitted_ms = 0;
	ROW_OF(b, request, UUID_OF("40"))->state = REQ_LAPSED;
	ROW_OF(b, request, UUID_OF("40"))->opened_ms = 0;
	return b;
}

struct filed {
	Vestibule__V1__Submit m;
	Vestibule__V1__Circle circle;
	uint8_t id[UUID_BYTES];
	char case_number[40], reason[ROW_RULES_SIZE + 10];
};

/* Within all limits. */
static void filed_init(struct filed *f) {
	memset(f, 0, sizeof(*f));
	vestibule__v1__submit__init(&f->m);
	vestibule__v1__circle__init(&f->circle);
	assert_int_equal(uuid_parse(SPAN_LIT(UUID_OF("44")), f->id), ERR_NONE);
	memcpy(f->case_number, "2026/99", 8);
	memcpy(f->reason, "A reason of twenty letters at least.", 37);
	f->circle.lat_e7 = 520000000;
	f->circle.lon_e7 = 130000000;
	f->circle.radius_m = 200;
	f->m.request_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = f->id};
	f->m.circle = &f->circle;
	f->m.case_number = f->case_number;
	f->m.reason = f->reason;
	f->m.incident_type = VESTIBULE__V1__INCIDENT_TYPE__INCIDENT_TYPE_BURGLARY;
	f->m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_INVESTIGATION;
	f->m.to_ms = (uint64_t)NOW_MS;
	f->m.from_ms = (uint64_t)(NOW_MS - 2 * LIMIT_HOUR_MS);
}

static void a_request_is_filed_with_every_field_in_its_limits(void **unused) {
	(void)unused;
	const uint64_t beyond = (uint64_t)INT64_MAX + 1;
	struct bare *b = town();
	struct filed f;
	filed_init(&f);
#define FILES(reason)              assert_int_equal(request_submit(bare_step(b, "inv-1"), &f.m), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, FILES(reason))
	FILES(OK);
	assert_int_equal(bare_puts(b, ROW_REQUEST), 1);
	assert_int_equal(request_submit(bare_step(b, "sup-1"), &f.m), REASON_ROLE);
	WHEN(f.m.emergency, &(protobuf_c_boolean){1}, ROLE);
	WHEN(f.m.request_id.len, &(size_t){15}, MALFORMED);
	WHEN(f.m.circle, &(Vestibule__V1__Circle *){NULL}, MALFORMED);
	WHEN(f.m.case_number, &(char *){NULL}, MALFORMED);
	WHEN(f.m.reason, &(char *){NULL}, MALFORMED);
	WHEN(f.m.from_ms, &beyond, MALFORMED);
	WHEN(f.m.to_ms, &beyond, MALFORMED);
	WHEN(f.case_number, "2026/99-2026/99-2026/99-2026/9999-345678", TOO_LARGE);
	WHEN(f.case_number[4], " ", MALFORMED);
	WHEN(f.reason[19], "", MALFORMED);
	WHEN(f.m.from_ms, &f.m.to_ms, WINDOW);
	WHEN(f.m.incident_type, &(int){99}, MALFORMED);
	WHEN(ROW_OF(b, agency, "metro-pd")->suspended, NUMBER(1), SUSPENDED);
	memset(f.reason, 'a', ROW_RULES_SIZE);
	FILES(TOO_LARGE);
	f.reason[ROW_RULES_SIZE - 1] = '\0';
	FILES(OK);
	bare_apply(b);
	FILES(REUSED_ID);
#undef WHEN
#undef FILES
	bare_free(b);
}

/* A request row as it would be checked, and one of the agency's history. */
static void check_init(struct row_request *r) {
	memcpy(r, REQUEST("44", "metro-pd", REQ_SUBMITTED), sizeof(*r));
	r->lat_e7 = 520000000;
	r->lon_e7 = 130000000;
	r->to_ms = NOW_MS - 1;
	r->from_ms = r->to_ms - 2 * LIMIT_HOUR_MS;
	r->submitted_ms = NOW_MS;
	r->opened_ms = r->exp_ms = 0;
}

static enum reason checked(struct bare *b, const struct row_request *r) {
	const struct row_agency *pd = state_agency(b->st, SPAN_LIT("metro-pd"));
	enum reason submit = request_check_submit(&b->s, r, pd);
	assert_int_equal(request_check_approve(&b->s, r, pd), submit);
	return submit;
}

static void i24_content_is_within_its_limits_at_both_moments(void **unused) {
	(void)unused;
	struct bare *b = town();
	struct row_request r;
	check_init(&r);
#define CHECKS(reason)             assert_int_equal(checked(b, &r), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, CHECKS(reason))
	CHECKS(OK);
	WHEN(r.from_ms, NUMBER(r.to_ms), WINDOW);
	WHEN(r.from_ms, NUMBER(r.to_ms + 1), WINDOW);
	WHEN(r.from_ms, NUMBER(r.to_ms - LIMIT_WINDOW_MIN_MS + 1), WINDOW);
	WHEN(r.from_ms, NUMBER(r.to_ms - LIMIT_WINDOW_MIN_MS), OK);
	WHEN(r.life_ms, NUMBER(LIMIT_HOUR_MS - 1), LIFE);
	WHEN(r.life_ms, NUMBER(LIMIT_HOUR_MS), OK);
	WHEN(r.life_ms, NUMBER(LIMIT_LIFE_MAX_H * LIMIT_HOUR_MS + 1), LIFE);
	WHEN(r.lat_e7, NUMBER(LIMIT_LATITUDE_E7 + 1), JURISDICTION);
	WHEN(r.lat_e7, NUMBER(-LIMIT_LATITUDE_E7 - 1), JURISDICTION);
	WHEN(r.lon_e7, NUMBER(0), JURISDICTION);
	bare_free(b);
}

/* Two of one case are there; which of them count? */
static void i24_a_case_is_what_overlaps_or_was_lately_open(void **unused) {
	(void)unused;
	struct bare *b = town();
	struct row_request r, old;
	check_init(&r);
	check_init(&old);
	memcpy(old.id, UUID_OF("45"), sizeof(old.id));
	old.submitted_ms = 0;
	old.state = REQ_OPEN;
	old.opened_ms = 1;
	old.exp_ms = NOW_MS + 1;
	rows_put(b->st, &old.row);
	CHECKS(OK);
	memcpy(old.id, UUID_OF("46"), sizeof(old.id));
	rows_put(b->st, &old.row);
	CHECKS(CASE_LIMIT);
	struct row_request *second = ROW_OF(b, request, UUID_OF("46"));
	WHEN(second->id, UUID_OF("44"), OK); /* itself */
	second->state = REQ_EXPIRED;
	second->closed_ms = NOW_MS - LIMIT_OVERLAP_AGE_MS + 1;
	CHECKS(CASE_LIMIT);
	WHEN(second->closed_ms, NUMBER(NOW_MS - LIMIT_OVERLAP_AGE_MS), OK);
	WHEN(second->opened_ms, NUMBER(0), OK); /* it was never open */
	memcpy(second->case_number, "other", 6);
	CHECKS(OVERLAP);                              /* the same place and time under another number */
	WHEN(second->radius_m, NUMBER(150), OVERLAP); /* by the smaller of both */
	WHEN(r.radius_m, NUMBER(150), OVERLAP);
	WHEN(second->lat_e7, NUMBER(520000000 + 30000), OK); /* more than half is elsewhere */
	WHEN(second->from_ms, NUMBER(second->to_ms - LIMIT_WINDOW_MIN_MS), OVERLAP);
	second->lat_e7 += 50000;
	CHECKS(OK);
	/* a third that overlaps r carries the second's number, so that the second counts as well */
	memcpy(old.id, UUID_OF("47"), sizeof(old.id));
	memcpy(old.case_number, "other", 6);
	rows_put(b->st, &old.row);
	struct row_request *first = ROW_OF(b, request, UUID_OF("45"));
	memcpy(first->case_number, "third", 6);
	first->lat_e7 += 50000;
	CHECKS(OVERLAP);
	struct row_request *third = ROW_OF(b, request, UUID_OF("47"));
	third->state = REQ_EXPIRED;
	WHEN(third->closed_ms, NUMBER(NOW_MS - LIMIT_OVERLAP_AGE_MS + 1), OVERLAP);
	WHEN(third->closed_ms, NUMBER(NOW_MS - LIMIT_OVERLAP_AGE_MS), OK);
	WHEN(third->id, UUID_OF("44"), OK);
	bare_free(b);
}

static void i24_five_requests_of_an_agency_are_open(void **unused) {
	(void)unused;
	static const enum request_state open[] = {REQ_APPROVED, REQ_OPEN, REQ_SUSPENDED};
	struct bare *b = town();
	struct row_request r, other;
	check_init(&r);
	for (int i = 0; i < LIMIT_OPEN_PER_AGENCY; i++) {
		CHECKS(OK);
		check_init(&other);
		bare_uuid(other.id, 60 + (unsigned)i);
		(void)snprintf(other.case_number, sizeof(other.case_number), "case-%d", i);
		other.lat_e7 += 100000 * (i + 1);
		other.submitted_ms = 0;
		other.state = open[i % 3];
		other.exp_ms = other.state == REQ_APPROVED ? 0 : NOW_MS;
		rows_put(b->st, &other.row);
	}
	CHECKS(OPEN_LIMIT);
	memcpy(r.id, other.id, sizeof(r.id));
	CHECKS(OK); /* itself does not count */
#undef WHEN
#undef CHECKS
	bare_free(b);
}

/* --- moving ----------------------------------------------------------------------------------- */

static enum reason about(struct bare *b, const char *who,
						 enum reason (*what)(const struct step *s, ProtobufCBinaryData id),
						 size_t len) {
	uint8_t id[UUID_BYTES];
	assert_int_equal(uuid_parse(SPAN_LIT(UUID_OF("45")), id), ERR_NONE);
	return what(bare_step(b, who), (ProtobufCBinaryData){.len = len, .data = id});
}

#define ABOUT(who, what, reason) \
	assert_int_equal(about(b, who, request_##what, UUID_BYTES), REASON_##reason)

static struct bare *with_request(struct row_request **r) {
	struct bare *b = town();
	struct row_request made;
	check_init(&made);
	memcpy(made.id, UUID_OF("45"), sizeof(made.id));
	made.approver[0] = '\0';
	rows_put(b->st, &made.row);
	*r = ROW_OF(b, request, UUID_OF("45"));
	return b;
}

static void a_request_is_approved_withdrawn_and_resolved_by_its_own(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	struct row_agency *pd = ROW_OF(b, agency, "metro-pd");
	rows_put(b->st, CRED("inv-2", CRED_OFFICER, "metro-pd", ROLE_INVESTIGATOR));
	ABOUT("sup-1", approve, OK);
	ABOUT("inv-1", approve, SAME_PERSON);
	ABOUT("inv-2", approve, ROLE);
	WITH(pd->suspended, NUMBER(1), ABOUT("sup-1", approve, SUSPENDED));
	WITH(pd->retired, NUMBER(1), ABOUT("sup-1", approve, SUSPENDED));
	WITH(r->state, NUMBER(REQ_OPEN), ABOUT("sup-1", approve, STATE));
	WITH(r->submitted_ms, NUMBER(NOW_MS - LIMIT_APPROVAL_WAIT_MS), ABOUT("sup-1", approve, STATE));
	WITH(r->submitted_ms, NUMBER(NOW_MS - LIMIT_APPROVAL_WAIT_MS + 1), ABOUT("sup-1", approve, OK));
	WITH(r->life_ms, NUMBER(1),
		 { /* it does not fit any more: refused, and that is final */
		   ABOUT("sup-1", approve, OK);
		   assert_int_equal(((const struct row_request *)b->fx.change.ops[0].row)->state,
							REQ_REJECTED);
		 });
	assert_int_equal(about(b, "sup-1", request_approve, 15), REASON_NOT_YOURS);
	ABOUT("inv-1", withdraw, OK);
	ABOUT("inv-2", withdraw, ROLE); /* another's */
	ABOUT("sup-1", withdraw, OK);
	ABOUT("lia-1", withdraw, ROLE);
	assert_int_equal(about(b, "sup-1", request_withdraw, 15), REASON_NOT_YOURS);
	WITH(r->state, NUMBER(REQ_OPEN), ABOUT("sup-1", withdraw, STATE));
	WITH(r->state, NUMBER(REQ_OPEN), ABOUT("lia-1", resolve, OK));
	bare_free(b);
}

static void an_emergency_is_reviewed_once_and_after_it_opened(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	r->emergency = 1;
	r->state = REQ_OPEN;
	r->opened_ms = NOW_MS - 1;
	r->exp_ms = NOW_MS + 1;
	ABOUT("sup-1", approve, OK);
	WITH(r->opened_ms, NUMBER(0), ABOUT("sup-1", approve, STATE));
	WITH(r->reviewer, ((char[ROW_ID_SIZE]){"sup-2"}), ABOUT("sup-1", approve, STATE));
	bare_free(b);
}

static void a_missed_review_costs_the_fast_path_once(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	r->emergency = 1;
	r->state = REQ_OPEN;
	r->exp_ms = NOW_MS + 1;
	r->opened_ms = NOW_MS - LIMIT_REVIEW_MS;
#define COSTS(n)                                       \
	do {                                               \
		assert_true(request_tick(bare_step(b, "")));   \
		assert_int_equal(bare_puts(b, ROW_AGENCY), n); \
	} while (0)
	COSTS(1);
	WITH(r->opened_ms, NUMBER(NOW_MS - LIMIT_REVIEW_MS + 1), COSTS(0));
	WITH(r->opened_ms, NUMBER(0), COSTS(0));
	WITH(r->emergency, NUMBER(0), COSTS(0));
	WITH(r->reviewer, ((char[ROW_ID_SIZE]){"sup-2"}), COSTS(0));
	WITH(r->agency, NOBODY, COSTS(0));
	COSTS(1);
	bare_apply(b);
	COSTS(0);
	bare_free(b);
}

static void a_request_opens_once_it_is_durable_and_its_agency_may_act(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	struct row_agency *pd = ROW_OF(b, agency, "metro-pd");
	r->state = REQ_APPROVED;
#define OPENS(n)                                        \
	do {                                                \
		assert_true(request_tick(bare_step(b, "")));    \
		assert_int_equal(bare_puts(b, ROW_REQUEST), n); \
	} while (0)
	OPENS(1);
	WITH(r->row.seq, (&(uint64_t){state_seq(b->st) + 1}), OPENS(0));
	WITH(pd->suspended, NUMBER(1), OPENS(0));
	WITH(pd->retired, NUMBER(1), OPENS(0));
	WITH(r->agency, NOBODY, OPENS(0));
	WITH(r->state, NUMBER(REQ_SUBMITTED), OPENS(0));
	OPENS(1);
	bare_free(b);
}

/* A request of no state was never public: its end is told to its agency alone. */
static void what_was_not_public_does_not_become_it_by_its_end(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	static const struct {
		enum request_state state;
		size_t register_entries;
	} cases[] = {{REQ_SUBMITTED, 0}, {REQ_APPROVED, 1}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t told = 0;
		r->state = cases[i].state;
		ABOUT("inv-1", withdraw, OK);
		for (size_t n = 0; n < b->fx.tell_count; n++) told += b->fx.tell[n].kind == TELL_REGISTER;
		assert_int_equal(told, cases[i].register_entries);
	}
	bare_free(b);
}

static void a_moderator_moves_what_there_is_to_where_it_may_go(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	struct row_agency *pd = ROW_OF(b, agency, "metro-pd");
#define MODERATES(op, reason) \
	assert_int_equal(OPERATE(b, OPERATOR_##op##_REQUEST, UUID_OF("45")), REASON_##reason)
	assert_int_equal(OPERATE(b, OPERATOR_REJECT_REQUEST, UUID_OF("99")), REASON_NOT_YOURS);
	MODERATES(REJECT, OK);
	MODERATES(SUSPEND, STATE);
	MODERATES(RESUME, STATE);
	r->state = REQ_OPEN;
	r->exp_ms = NOW_MS + 1;
	MODERATES(REJECT, STATE);
	MODERATES(SUSPEND, OK);
	r->state = REQ_SUSPENDED;
	MODERATES(RESUME, OK);
	WITH(r->exp_ms, NUMBER(NOW_MS), MODERATES(RESUME, STATE));
	WITH(pd->suspended, NUMBER(1), MODERATES(RESUME, SUSPENDED));
	assert_int_equal(OPERATE(b, OPERATOR_PUT, UUID_OF("45")), REASON_STATE); /* no word of his */
	/* with the whole agency: only what is open is suspended, only what has time left is resumed */
	request_resume_all(bare_step(b, "ops-1"), pd);
	assert_int_equal(bare_puts(b, ROW_REQUEST), 1);
	r->exp_ms = NOW_MS;
	request_resume_all(bare_step(b, "ops-1"), pd);
	assert_int_equal(bare_puts(b, ROW_REQUEST), 0);
	request_suspend_all(bare_step(b, "ops-1"), pd);
	assert_int_equal(bare_puts(b, ROW_REQUEST), 0);
	r->state = REQ_OPEN;
	request_suspend_all(bare_step(b, "ops-1"), pd);
	assert_int_equal(bare_puts(b, ROW_REQUEST), 1);
	bare_free(b);
}

static void an_emergency_has_the_shorter_tick(void **unused) {
	(void)unused;
	struct row_request *r;
	struct bare *b = with_request(&r);
	int64_t boundary;
	assert_int_equal(request_tick_ms(&b->opts, r), 900000);
	r->emergency = 1;
	assert_int_equal(request_tick_ms(&b->opts, r), LIMIT_TICK_EMERGENCY_MS);
	b->opts.tick_ms = 4000; /* a demo's, shorter still: late is half of it */
	assert_int_equal(request_tick_ms(&b->opts, r), 4000);
	b->s.now.utc_ms = NOW_MS / 4000 * 4000 + 1999;
	assert_true(request_tick_now(&b->s, r, &boundary));
	b->s.now.utc_ms++;
	assert_false(request_tick_now(&b->s, r, &boundary));
	bare_free(b);
}

/* --- alerts ----------------------------------------------------------------------------------- */

struct alert {
	Vestibule__V1__SendAlert m;
	char cell[8], text[64];
};

static void alert_init(struct alert *a) {
	vestibule__v1__send_alert__init(&a->m);
	(void)snprintf(a->cell, sizeof(a->cell), "u33d1");
	(void)snprintf(a->text, sizeof(a->text), "A bridge is closed.");
	a->m.geohash5 = a->cell;
	a->m.text = a->text;
	a->m.until_ms = (uint64_t)(NOW_MS + LIMIT_ALERT_LIFE_MS);
}

static void an_alert_names_a_cell_a_text_and_an_end(void **unused) {
	(void)unused;
	struct bare *b = town();
	struct alert a;
	alert_init(&a);
#define SENDS(reason)              assert_int_equal(request_alert(bare_step(b, "lia-1"), &a.m), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, SENDS(reason))
	SENDS(OK);
	assert_int_equal(request_alert(bare_step(b, "sup-1"), &a.m), REASON_OK);
	assert_int_equal(request_alert(bare_step(b, "inv-1"), &a.m), REASON_ROLE);
	WHEN(a.m.geohash5, &(char *){NULL}, MALFORMED);
	WHEN(a.m.text, &(char *){NULL}, MALFORMED);
	WHEN(a.cell[4], "", MALFORMED);
	WHEN(a.cell[4], "a", MALFORMED); /* no letter of cells */
	WHEN(a.cell[0], "x", JURISDICTION);
	WHEN(a.m.until_ms, &(uint64_t){NOW_MS}, END_DATE);
	WHEN(a.m.until_ms, &(uint64_t){NOW_MS + LIMIT_ALERT_LIFE_MS + 1}, END_DATE);
	WHEN(ROW_OF(b, agency, "metro-pd")->suspended, NUMBER(1), SUSPENDED);
	bare_free(b);
}

static void put_notice(struct bare *b, int n, int kind, int64_t at_ms, const char *request,
					   const char *delivery) {
	struct row_notice row = {.row.kind = ROW_NOTICE, .agency = "metro-pd", .kind = kind};
	row.at_ms = at_ms;
	bare_uuid(row.id, 700 + (unsigned)n);
	memcpy(row.request, request, strlen(request) + 1);
	memcpy(row.delivery, delivery, strlen(delivery) + 1);
	rows_put(b->st, &row.row);
}

static void i24_ten_alerts_of_an_agency_a_day(void **unused) {
	(void)unused;
	struct bare *b = town();
	struct alert a;
	alert_init(&a);
	for (int i = 0; i < LIMIT_ALERTS_AGENCY; i++)
		put_notice(b, i, NOTICE(RECORDED), NOW_MS - LIMIT_DAY_MS, "", ""); /* of yesterday */
	for (int i = 10; i < 20; i++) { /* of today, and none of them an alert */
		put_notice(b, i, NOTICE(CLOSED), NOW_MS, "", "");
		put_notice(b, i + 10, NOTICE(RECORDED), NOW_MS, UUID_OF("40"), "");
		put_notice(b, i + 20, NOTICE(RECORDED), NOW_MS, "", UUID_OF("70"));
	}
	for (int i = 0; i < LIMIT_ALERTS_AGENCY; i++) {
		SENDS(OK);
		put_notice(b, 50 + i, NOTICE(RECORDED), NOW_MS - LIMIT_DAY_MS + 1, "", "");
	}
	SENDS(RATE);
	bare_free(b);
}

/* Room for nothing, for the id alone, for the id and the agency's name, and for all. */
static void an_alert_without_room_is_put_off(void **unused) {
	(void)unused;
	struct bare *b = town();
	struct alert a;
	alert_init(&a);
	enum reason why = REASON_BUSY;
	size_t left = 0, busy = 0;
	for (; why == REASON_BUSY; left += 16, busy++) {
		(void)bare_step(b, "lia-1");
		size_t free_bytes = 0;
		while (effects_bytes(&b->s, 16)) free_bytes += 16;
		(void)bare_step(b, "lia-1");
		assert_non_null(effects_bytes(&b->s, free_bytes - left));
		why = request_alert(&b->s, &a.m);
		if (why == REASON_BUSY) assert_true(effects_overflowed(&b->fx));
	}
	assert_int_equal(why, REASON_OK);
	assert_true(busy > 3);
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_filed_with_every_field_in_its_limits),
		cmocka_unit_test(i24_content_is_within_its_limits_at_both_moments),
		cmocka_unit_test(i24_a_case_is_what_overlaps_or_was_lately_open),
		cmocka_unit_test(i24_five_requests_of_an_agency_are_open),
		cmocka_unit_test(a_request_is_approved_withdrawn_and_resolved_by_its_own),
		cmocka_unit_test(an_emergency_is_reviewed_once_and_after_it_opened),
		cmocka_unit_test(a_missed_review_costs_the_fast_path_once),
		cmocka_unit_test(a_request_opens_once_it_is_durable_and_its_agency_may_act),
		cmocka_unit_test(what_was_not_public_does_not_become_it_by_its_end),
		cmocka_unit_test(a_moderator_moves_what_there_is_to_where_it_may_go),
		cmocka_unit_test(an_emergency_has_the_shorter_tick),
		cmocka_unit_test(an_alert_names_a_cell_a_text_and_an_end),
		cmocka_unit_test(i24_ten_alerts_of_an_agency_a_day),
		cmocka_unit_test(an_alert_without_room_is_put_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
