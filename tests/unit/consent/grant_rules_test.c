/* Grants condition by condition: what ends one, what lets one be released, which is found. Each answer is one
 * condition away from the other; most conditions are taken away by damage in memory. */
#include "plugin/consent/grant.h"
#include "plugin/consent/standing.h"
#include "tests/unit/consent/bare.h"

/* The world with a key for metro-pd, and grant 60 wrapped to it: approved, and due for release now. */
static struct bare *approved(void) {
	struct state *st = world_new();
	rows_put(st, ROW(ROW_AGENCY, agency, .id = "metro-pd", .kind = AGENCY_POLICE,
					 .recipient = RECIPIENT, .key_id = KEY_ID, .key_exp_ms = NOW_MS + DAY_MS));
	rows_put(st, CLIP("53", "elm", "elm-door"));
	struct row_grant g;
	memcpy(&g, GRANT("63", "40", "41", "53", GSTATE_APPROVED, NOW_MS + DAY_MS), sizeof(g));
	memcpy(g.key_id, KEY_ID, sizeof(g.key_id));
	g.release_ms = NOW_MS;
	rows_put(st, &g.row);
	return bare_over(st);
}

static struct row_grant *the_grant(struct bare *b) {
	return DAMAGED(grant, state_grant(b->st, SPAN_LIT(UUID_OF("63"))));
}

static struct row_request *the_request(struct bare *b) {
	return DAMAGED(request, state_request(b->st, SPAN_LIT(UUID_OF("40"))));
}

static struct row_agency *the_agency(struct bare *b) {
	return DAMAGED(agency, state_agency(b->st, SPAN_LIT("metro-pd")));
}

static struct row_credential *ann(struct bare *b) {
	return DAMAGED(credential, state_credential(b->st, SPAN_LIT("ann")));
}

/* --- ends ------------------------------------------------------------------------------------- */

static void a_grant_ends_with_each_thing_that_it_rests_on(void **unused) {
	(void)unused;
	struct bare *b = approved();
	struct row_grant *g = the_grant(b);
	struct row_device *d = DAMAGED(device, state_device(b->st, SPAN_LIT("elm-door")));
#define ENDS(to)               assert_int_equal(grant_due_end(b->st, g, NOW_MS), GSTATE_##to)
#define WHEN(field, value, to) WITH(field, value, ENDS(to))
	ENDS(NONE);
	WHEN(g->exp_ms, NUMBER(NOW_MS), EXPIRED);
	WHEN(g->exp_ms, NUMBER(NOW_MS + 1), NONE);
	WHEN(g->request, NOTHING, REVOKED);
	WHEN(g->agency, NOBODY, REVOKED);
	WHEN(the_agency(b)->retired, NUMBER(1), REVOKED);
	WHEN(g->device, NOBODY, REVOKED);
	WHEN(d->retired, NUMBER(1), REVOKED);
	WHEN(g->home, NOBODY, REVOKED);
	WHEN(g->key_id, "0999999999999999", REVOKED);
	WHEN(g->key_id, ((char[17]){""}), NONE); /* unsealed: wrapped to nobody */
	WHEN(the_agency(b)->key_exp_ms, NUMBER(NOW_MS), REVOKED);
	WHEN(g->actor, NOBODY, REVOKED);
	WHEN(ann(b)->kind, NUMBER(CRED_OFFICER), REVOKED);
	WHEN(ann(b)->role, NUMBER(ROLE_LIMITED), REVOKED);
	WHEN(ann(b)->subject, NOBODY, REVOKED);
	WHEN(the_request(b)->state, NUMBER(REQ_RESOLVED), EXPIRED);
	WHEN(the_request(b)->state, NUMBER(REQ_NONE), EXPIRED);
	WHEN(the_request(b)->state, NUMBER(REQ_SUSPENDED), NONE);
	g->state = GSTATE_ACTIVE; /* what was released outlives the request, and the end of the key */
	ENDS(NONE);
	WHEN(the_request(b)->state, NUMBER(REQ_RESOLVED), NONE);
	WHEN(the_agency(b)->key_exp_ms, NUMBER(NOW_MS), NONE);
	WHEN(g->key_id, "0999999999999999", REVOKED);
	g->state = GSTATE_REFUSED;
	WHEN(g->exp_ms, NUMBER(NOW_MS), NONE);
#undef WHEN
#undef ENDS
	bare_free(b);
}

static void an_ended_device_takes_its_own_grants_along(void **unused) {
	(void)unused;
	struct bare *b = approved();
	const struct row_device *yard = state_device(b->st, SPAN_LIT("elm-yard"));
	rows_put(b->st, STANDING("08", "elm", "alarm-co", "elm-yard", GRANT_CLIP, GSTATE_ACTIVE, 1,
							 NOW_MS + DAY_MS));
	the_grant(b)->device[0] = '\0';
	memcpy(the_grant(b)->device, "elm-yard", 9);
	grant_end_device(bare_step(b, ""), yard);
	assert_int_equal(bare_puts(b, ROW_GRANT), 1); /* not 60 and 62, of elm-door */
	standing_end_device(bare_step(b, ""), yard);
	assert_int_equal(bare_puts(b, ROW_STANDING), 2); /* 04, which ends this moment, and 08 */
	standing_end_of(bare_step(b, ""), "elm", "ben");
	assert_int_equal(bare_puts(b, ROW_STANDING), 0);
	bare_free(b);
}

/* What did not fit is still due: the tick finds it. */
static void what_an_end_has_no_room_for_is_left_to_the_tick(void **unused) {
	(void)unused;
	struct bare *b = approved();
	const struct row_device *door = state_device(b->st, SPAN_LIT("elm-door"));
	(void)bare_step(b, "");
	bare_crowd(b, 7);
	grant_end_device(&b->s, door);
	standing_end_device(&b->s, door);
	standing_end_of(&b->s, "elm", "ann");
	assert_int_equal(bare_puts(b, ROW_GRANT) + bare_puts(b, ROW_STANDING), 0);
	assert_false(effects_overflowed(&b->fx));
	grant_end_device(bare_step(b, ""), door);
	assert_int_equal(bare_puts(b, ROW_GRANT), 3);
	standing_end_device(&b->s, door);
	assert_int_equal(bare_puts(b, ROW_STANDING), 1);
	bare_free(b);
}

static void what_is_retracted_has_an_id_of_this_home(void **unused) {
	(void)unused;
	static const struct {
		enum reason expected;
		const char *who, *id;
	} cases[] = {
		{REASON_OK, "ann", UUID_OF("60")},        {REASON_NOT_YOURS, "zoe", UUID_OF("60")},
		{REASON_ENDED, "ann", UUID_OF("61")},     {REASON_OK, "ann", UUID_OF("01")},
		{REASON_NOT_YOURS, "zoe", UUID_OF("01")}, {REASON_NOT_YOURS, "ann", UUID_OF("99")},
		{REASON_ENDED, "ann", UUID_OF("03")},
	};
	struct bare *b = approved();
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t id[UUID_BYTES];
		Vestibule__V1__Retract m = VESTIBULE__V1__RETRACT__INIT;
		assert_int_equal(uuid_parse(span_str(cases[i].id), id), ERR_NONE);
		m.grant_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
		assert_int_equal(grant_retract(bare_step(b, cases[i].who), &m), cases[i].expected);
		m.grant_id.len--;
		assert_int_equal(grant_retract(bare_step(b, cases[i].who), &m), REASON_MALFORMED);
	}
	bare_free(b);
}

static void the_decision_is_on_this_clip_for_this_request(void **unused) {
	(void)unused;
	struct bare *b = approved();
	const struct step *s = bare_step(b, "ann");
	assert_non_null(grant_find(s, "elm", UUID_OF("40"), UUID_OF("53")));
	assert_null(grant_find(s, "elm", UUID_OF("42"), UUID_OF("53")));
	assert_null(grant_find(s, "elm", UUID_OF("40"), UUID_OF("54")));
	assert_null(grant_find(s, "oak", UUID_OF("40"), UUID_OF("53")));
	/* this change's own comes before the state's */
	const struct row_grant *n = grant_end(s, the_grant(b), GSTATE_REFUSED, false);
	assert_ptr_equal(grant_find(s, "elm", UUID_OF("40"), UUID_OF("53")), n);
	assert_null(grant_find(s, "elm", UUID_OF("42"), UUID_OF("53")));
	bare_free(b);
}

/* --- release ---------------------------------------------------------------------------------- */

static size_t released(struct bare *b, int64_t late_ms) {
	(void)bare_step(b, "");
	b->s.now.utc_ms += late_ms;
	assert_true(grant_tick_release(&b->s));
	return bare_puts(b, ROW_DELIVERY);
}

static void i2_i10_a_clip_is_released_under_every_condition_or_not_at_all(void **unused) {
	(void)unused;
	struct bare *b = approved();
	struct row_grant *g = the_grant(b);
	struct row_credential *relays[] = {
		DAMAGED(credential, state_credential(b->st, SPAN_LIT("relay-1"))),
		DAMAGED(credential, state_credential(b->st, SPAN_LIT("relay-2")))};
	uint64_t later = state_seq(b->st) + 1;
#define NOT_WHEN(field, value) WITH(field, value, assert_int_equal(released(b, 0), 0))
	assert_int_equal(released(b, 0), 1);
	assert_int_equal(released(b, LIMIT_TICK_LATE_MS - 1), 1);
	assert_int_equal(released(b, LIMIT_TICK_LATE_MS), 0);
	NOT_WHEN(g->state, NUMBER(GSTATE_REFUSED));
	NOT_WHEN(g->row.seq, &later);
	NOT_WHEN(g->request, NOTHING);
	NOT_WHEN(the_request(b)->state, NUMBER(REQ_SUSPENDED));
	NOT_WHEN(the_request(b)->row.seq, &later);
	NOT_WHEN(the_request(b)->exp_ms, NUMBER(NOW_MS));
	NOT_WHEN(g->release_ms, NUMBER(NOW_MS + 1));
	NOT_WHEN(g->agency, NOBODY);
	NOT_WHEN(the_agency(b)->suspended, NUMBER(1));
	NOT_WHEN(the_agency(b)->key_nbf_ms, NUMBER(NOW_MS + 1));
	NOT_WHEN(g->actor, NOBODY);
	the_agency(b)->key_nbf_ms = NOW_MS + 1;
	assert_int_equal(released(b, 0), 0);
	WITH(g->key_id, ((char[17]){""}), assert_int_equal(released(b, 0), 1)); /* wrapped to nobody */
	the_agency(b)->key_nbf_ms = NOW_MS;
	assert_int_equal(released(b, 0), 1);
	relays[1]->suspended = 1;
	NOT_WHEN(relays[0]->suspended, NUMBER(1)); /* nobody to copy it */
	assert_int_equal(released(b, 0), 1);
#undef NOT_WHEN
	bare_free(b);
}

static size_t not_shared(struct bare *b, int64_t late_ms) {
	(void)released(b, late_ms);
	return bare_puts(b, ROW_RECEIPT);
}

static void what_was_approved_and_not_shared_is_said_at_the_tick_of_its_release(void **unused) {
	(void)unused;
	struct bare *b = approved();
	struct row_grant *g = the_grant(b);
	g->state = GSTATE_REFUSED;
	assert_int_equal(not_shared(b, 0), 1);
	assert_int_equal(not_shared(b, LIMIT_TICK_LATE_MS), 0);
	WITH(g->release_ms, NUMBER(0), assert_int_equal(not_shared(b, 0), 0)); /* it was said */
	WITH(g->release_ms, NUMBER(NOW_MS + 1), assert_int_equal(not_shared(b, 0), 0));
	WITH(g->request, NOTHING, assert_int_equal(not_shared(b, LIMIT_TICK_LATE_MS), 1));
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_ends_with_each_thing_that_it_rests_on),
		cmocka_unit_test(an_ended_device_takes_its_own_grants_along),
		cmocka_unit_test(what_an_end_has_no_room_for_is_left_to_the_tick),
		cmocka_unit_test(what_is_retracted_has_an_id_of_this_home),
		cmocka_unit_test(the_decision_is_on_this_clip_for_this_request),
		cmocka_unit_test(i2_i10_a_clip_is_released_under_every_condition_or_not_at_all),
		cmocka_unit_test(what_was_approved_and_not_shared_is_said_at_the_tick_of_its_release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
