/* The life of a clip, from the request to the purge: each step with its nearest refusal beside it.
 */
#include "tests/unit/consent/town.h"

#define REPORT(kind) VESTIBULE__V1__REPORT_KIND__REPORT_KIND_##kind

static void i2_approved_clip_reaches_the_agency_and_no_other(void **state) {
	(void)state;
	char yes[UUID_TEXT_SIZE], no[UUID_TEXT_SIZE];
	struct world *w = world_town();
	world_good_clip(w, "dev-1", no);
	const struct row_ask *ask = world_asked(w, yes);
	assert_int_equal(world_yes(w, "alice", ask, yes), REASON_OK);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(APPROVED)), 1);
	assert_int_equal(world_no(w, "bob", ask, no), REASON_OK);
	assert_int_equal(state_count(w->st, ROW_DELIVERY), 0);
	world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_DELIVERY), 0); /* the hold */
	world_to_tick(w);
	const struct row_grant *g = world_grant_on(w, yes);
	assert_int_equal(g->state, GSTATE_ACTIVE);
	assert_int_equal(world_grant_on(w, no)->state, GSTATE_REFUSED);
	assert_int_equal(state_count(w->st, ROW_DELIVERY), 1);
	assert_int_equal(state_count(w->st, ROW_JOB), 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(SHARED)), 1);
	assert_int_equal(world_notices(w, "pd", NOTICE(DELIVERY)), 0);

	assert_int_equal(world_report(w, "mover", REPORT(COPIED), world_delivery(w, g->id), 999),
					 REASON_MALFORMED);
	assert_int_equal(world_report(w, "mover", REPORT(COPIED), world_delivery(w, g->id), 1000),
					 REASON_OK);
	assert_int_equal(state_count(w->st, ROW_JOB), 0);
	assert_int_equal(world_fetch(w, "eve", world_delivery(w, g->id)->id),
					 REASON_NOT_YOURS); /* not announced */
	world_pass(w, 60000);
	assert_int_equal(world_notices(w, "pd", NOTICE(DELIVERY)), 0);
	world_to_tick(w);
	assert_int_equal(world_notices(w, "pd", NOTICE(DELIVERY)), 1);

	assert_int_equal(world_fetch(w, "sam", world_delivery(w, g->id)->id), REASON_ROLE);
	assert_int_equal(world_fetch(w, "eve", world_delivery(w, g->id)->id), REASON_OK);
	assert_int_equal(world_told(w, TELL_LINK), 1);
	assert_int_equal(world_delivery(w, g->id)->state, DLV_FETCHED);
	assert_int_equal(state_count(w->st, ROW_FETCH), 1);
	world_free(w);
}

static void i2_retracted_clip_is_denied_at_once_purged_and_told_at_the_tick(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	char grant[UUID_TEXT_SIZE];
	memcpy(grant, d->grant, sizeof(grant));
	assert_int_equal(consent_may_fetch(w->st, world_who(w, "eve"), d, w->now), REASON_OK);
	assert_int_equal(world_retract(w, "kid", grant), REASON_ROLE);
	assert_int_equal(world_retract(w, "bob", grant), REASON_OK);
	assert_true(w->fx.denial);
	d = world_delivery(w, grant);
	assert_int_equal(state_grant(w->st, span_str(grant))->header.len, 0);
	assert_int_equal(d->state, DLV_PURGING);
	assert_int_equal(consent_may_fetch(w->st, world_who(w, "eve"), d, w->now), REASON_UNAVAILABLE);
	assert_int_equal(world_notices(w, "pd", NOTICE(REVOKED)), 0);

	/* until the tick, the fetch looks like an unreachable relay: taken, recorded, not served */
	assert_int_equal(world_fetch(w, "eve", d->id), REASON_OK);
	assert_int_equal(world_told(w, TELL_UNAVAILABLE), 1);
	assert_int_equal(world_told(w, TELL_LINK), 0);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(FETCHED)), 0);

	assert_int_equal(world_report(w, "mover", REPORT(PURGED), world_delivery(w, grant), 0),
					 REASON_OK);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(PURGED)), 1);
	assert_int_equal(state_count(w->st, ROW_JOB), 0);
	world_to_tick(w);
	assert_int_equal(world_notices(w, "pd", NOTICE(REVOKED)), 1);
	assert_int_equal(world_fetch(w, "eve", world_delivery(w, grant)->id), REASON_NO_GRANT);
	world_to_tick(w);
	assert_int_equal(world_notices(w, "pd", NOTICE(REVOKED)), 1);
	assert_int_equal(world_retract(w, "alice", grant), REASON_ENDED);
	world_free(w);
}

static void retraction_while_copying_cancels_and_a_late_copy_is_purged_again(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	memcpy(grant, world_grant_on(w, clip)->id, sizeof(grant));
	assert_int_equal(world_retract(w, "alice", grant), REASON_OK);
	assert_int_equal(state_count(w->st, ROW_JOB), 2); /* CANCEL and PURGE */
	assert_int_equal(world_told(w, TELL_JOB), 2);
	assert_int_equal(world_report(w, "mover", REPORT(PURGED), world_delivery(w, grant), 0),
					 REASON_OK);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGED);
	assert_int_equal(world_report(w, "mover", REPORT(COPIED), world_delivery(w, grant), 1000),
					 REASON_OK);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGED);
	assert_int_equal(state_count(w->st, ROW_JOB), 1);
	assert_int_equal(world_report(w, "mover", REPORT(PURGED), world_delivery(w, grant), 0),
					 REASON_OK);
	assert_int_equal(state_count(w->st, ROW_JOB), 0);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(PURGED)), 1);
	world_to_tick(w);
	assert_int_equal(world_notices(w, "pd", NOTICE(REVOKED)), 0); /* it was never announced */
	world_free(w);
}

static void clip_gone_from_the_device_is_void_and_the_agency_sees_nothing(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	size_t notices = state_count(w->st, ROW_NOTICE);
	const char *grant = world_grant_on(w, clip)->id;
	assert_int_equal(world_report(w, "mover", REPORT(GONE), world_delivery(w, grant), 0),
					 REASON_OK);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(VOID)), 1);
	world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_NOTICE), notices);
	world_free(w);
}

static void i3_approval_that_is_not_durable_is_never_released(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	w->lazy_store = true;
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	for (int i = 0; i < 5; i++) world_to_tick(w);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_APPROVED);
	world_commit(w);
	world_to_tick(w);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_ACTIVE);
	world_free(w);
}

static void grant_ends_at_its_end_date_and_is_purged(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	memcpy(grant, d->grant, sizeof(grant));
	int64_t exp = state_grant(w->st, span_str(grant))->exp_ms;
	w->now.utc_ms = exp - 1;
	(void)world_tick(w);
	assert_int_equal(
		consent_may_fetch(w->st, world_who(w, "eve"), world_delivery(w, grant), w->now), REASON_OK);
	w->now.utc_ms = exp;
	assert_int_equal(
		consent_may_fetch(w->st, world_who(w, "eve"), world_delivery(w, grant), w->now),
		REASON_NO_GRANT);
	(void)world_tick(w);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_EXPIRED);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGING);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(EXPIRED)), 1);
	world_free(w);
}

static void i24_fetch_cap_counts_served_and_unserved_alike(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	memcpy(id, d->id, sizeof(id));
	for (int i = 0; i < LIMIT_FETCHES - 1; i++)
		assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	assert_int_equal(world_retract(w, "alice", state_delivery(w->st, span_str(id))->grant),
					 REASON_OK);
	assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	assert_int_equal(world_fetch(w, "eve", id), REASON_FETCH_LIMIT);
	world_free(w);
}

static void i22_two_officers_with_one_event_id_leave_two_records(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct world *w = world_town();
	assert_int_equal(world_put_credential(w, "evi", CRED_OFFICER, "pd", ROLE_EVIDENCE), REASON_OK);
	memcpy(id, world_delivered(w, clip)->id, sizeof(id));
	assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	w->events--; /* the next event id is that of the fetch before */
	assert_int_equal(world_fetch(w, "evi", id), REASON_OK);
	assert_int_equal(state_count(w->st, ROW_FETCH), 2);
	world_free(w);
}

static void i22_no_link_without_a_record(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	memcpy(id, d->id, sizeof(id));
	memcpy(grant, d->grant, sizeof(grant));
	assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	assert_int_equal(world_told(w, TELL_LINK), 1);
	assert_int_equal(state_count(w->st, ROW_FETCH), 1);
	const struct row_fetch *f = (const struct row_fetch *)state_each(w->st, ROW_FETCH, NULL);
	assert_string_equal(f->delivery, id);
	assert_string_equal(f->username, "eve");
	assert_int_equal(f->at_ms, w->now.utc_ms);
	/* what cannot be served any more leaves its record, too */
	assert_int_equal(world_retract(w, "alice", grant), REASON_OK);
	assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	assert_int_equal(world_told(w, TELL_LINK), 0);
	assert_int_equal(state_count(w->st, ROW_FETCH), 2);
	world_free(w);
}

static void i16_unknown_foreign_and_unannounced_deliveries_answer_alike(void **state) {
	(void)state;
	static const char unknown[] = "01890a5d-0000-7000-8000-00000000002a";
	char clip[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct world *w = world_town();
	assert_int_equal(world_put_credential(w, "fev", CRED_OFFICER, "fd", ROLE_EVIDENCE), REASON_OK);
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	const struct row_delivery *d = world_delivery(w, world_grant_on(w, clip)->id);
	memcpy(id, d->id, sizeof(id));
	assert_int_equal(world_report(w, "mover", REPORT(COPIED), d, 1000), REASON_OK);
	for (int announced = 0; announced < 2; announced++) {
		assert_int_equal(world_fetch(w, "eve", unknown), REASON_NOT_YOURS);
		assert_int_equal(world_fetch(w, "fev", unknown), REASON_NOT_YOURS);
		assert_int_equal(world_fetch(w, "fev", id), REASON_NOT_YOURS);
		assert_int_equal(world_fetch(w, "eve", id), announced ? REASON_OK : REASON_NOT_YOURS);
		world_to_tick(w);
	}
	world_free(w);
}

static size_t purges(const struct world *w) {
	size_t n = 0;
	const struct row *r = state_each(w->st, ROW_JOB, NULL);
	for (; r; r = state_each(w->st, ROW_JOB, r))
		n += ((const struct row_job *)r)->kind == JOB_PURGE;
	return n;
}

/* A delivery that came as far as that. */
static void reach(struct world *w, enum delivery_state as_far, char grant[UUID_TEXT_SIZE]) {
	char clip[UUID_TEXT_SIZE];
	if (as_far == DLV_COPYING) {
		const struct row_ask *ask = world_asked(w, clip);
		assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
		world_to_tick(w);
		world_to_tick(w);
	} else {
		const struct row_delivery *d = world_delivered(w, clip);
		if (as_far == DLV_FETCHED) assert_int_equal(world_fetch(w, "eve", d->id), REASON_OK);
	}
	memcpy(grant, world_grant_on(w, clip)->id, UUID_TEXT_SIZE);
	assert_int_equal(world_delivery(w, grant)->state, as_far);
	assert_true(world_grant_on(w, clip)->header.len > 0);
}

static void check_purge(enum delivery_state as_far, bool by_clock) {
	char grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	reach(w, as_far, grant);
	if (by_clock)
		world_pass(w, state_grant(w->st, span_str(grant))->exp_ms - w->now.utc_ms);
	else
		assert_int_equal(world_retract(w, "bob", grant), REASON_OK);
	assert_int_equal(state_grant(w->st, span_str(grant))->header.len, 0);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGING);
	assert_int_equal(purges(w), 1);
	world_to_tick(w);
	assert_int_equal(purges(w), 1); /* until it is reported */
	const struct row_delivery *d = world_delivery(w, grant);
	assert_int_equal(world_report(w, "mover", REPORT(PURGED), d, 0), REASON_OK);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGED);
	assert_int_equal(purges(w), 0);
	d = world_delivery(w, grant);
	assert_int_equal(world_report(w, "mover", REPORT(COPIED), d, 1000), REASON_OK);
	assert_int_equal(purges(w), 1); /* a copy that was under way */
	world_free(w);
}

static void i23_every_end_orders_a_purge_until_it_is_reported(void **state) {
	(void)state;
	for (enum delivery_state s = DLV_COPYING; s <= DLV_FETCHED; s = (enum delivery_state)(s + 1)) {
		check_purge(s, false);
		check_purge(s, true);
	}
}

static void unsound_clock_runs_no_tick_and_serves_nothing(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	w->now.sound = false;
	w->now.utc_ms += 100 * LIMIT_DAY_MS;
	assert_int_equal(world_tick(w), REASON_NOT_READY);
	assert_int_equal(w->fx.change.count, 0);
	assert_int_equal(consent_may_fetch(w->st, world_who(w, "eve"), d, w->now), REASON_NOT_READY);
	world_free(w);
}

static void same_event_again_has_the_same_answer_and_no_second_effect(void **state) {
	(void)state;
	struct world *w = world_town();
	struct world_submit r;
	Vestibule__V1__AgencyCommand m = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	world_submit_init(w, &r);
	m.what_case = AGENCY_CASE(SUBMIT);
	m.submit = &r.m;
	assert_int_equal(world_send(w, COMMAND_AGENCY, "ines", &m), REASON_OK);
	char notice[UUID_TEXT_SIZE];
	memcpy(notice, w->fx.tell[0].id, sizeof(notice));
	assert_int_equal(w->fx.tell[0].kind, TELL_NOTICE);
	assert_int_equal(world_again(w, COMMAND_AGENCY, "ines", &m), REASON_OK);
	assert_true(w->fx.repeated);
	assert_int_equal(w->fx.change.count, 0);
	assert_int_equal(world_told(w, TELL_NOTICE), 1);
	assert_string_equal(w->fx.tell[0].id, notice);
	w->digest[0] ^= 1;
	assert_int_equal(world_again(w, COMMAND_AGENCY, "ines", &m), REASON_REUSED_ID);
	/* another sender's event ids are another matter */
	assert_int_equal(world_again(w, COMMAND_AGENCY, "ivan", &m),
					 REASON_REUSED_ID); /* the request's id, here */
	world_free(w);
}

static void member_hears_recorded_or_why_not(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
	const struct tell *t = &w->fx.tell[w->fx.tell_count - 1];
	assert_int_equal(t->kind, TELL_RECORDED);
	assert_int_equal(t->reason, REASON_OK);
	assert_string_equal(t->username, "alice");
	assert_int_equal(world_rules(w, "alice", "ask everybody"), REASON_RULES_SYNTAX);
	assert_int_equal(w->fx.tell_count, 1);
	assert_int_equal(w->fx.tell[0].kind, TELL_RECORDED);
	assert_int_equal(w->fx.tell[0].reason, REASON_RULES_SYNTAX);
	assert_int_equal(world_rules(w, "kid", "ask police"), REASON_ROLE);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i2_approved_clip_reaches_the_agency_and_no_other),
		cmocka_unit_test(i2_retracted_clip_is_denied_at_once_purged_and_told_at_the_tick),
		cmocka_unit_test(retraction_while_copying_cancels_and_a_late_copy_is_purged_again),
		cmocka_unit_test(clip_gone_from_the_device_is_void_and_the_agency_sees_nothing),
		cmocka_unit_test(i3_approval_that_is_not_durable_is_never_released),
		cmocka_unit_test(grant_ends_at_its_end_date_and_is_purged),
		cmocka_unit_test(i24_fetch_cap_counts_served_and_unserved_alike),
		cmocka_unit_test(i22_two_officers_with_one_event_id_leave_two_records),
		cmocka_unit_test(i22_no_link_without_a_record),
		cmocka_unit_test(i16_unknown_foreign_and_unannounced_deliveries_answer_alike),
		cmocka_unit_test(i23_every_end_orders_a_purge_until_it_is_reported),
		cmocka_unit_test(unsound_clock_runs_no_tick_and_serves_nothing),
		cmocka_unit_test(same_event_again_has_the_same_answer_and_no_second_effect),
		cmocka_unit_test(member_hears_recorded_or_why_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
