/* The people of a home, what they grant to integrators, the catalogue of their clips, alerts, and
 * what is forgotten. */
#include "tests/unit/consent/town.h"

enum {
	LIMITED = VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_LIMITED,
	ADULT = VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADULT,
	ADMIN = VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADMIN
};

/* --- members ---------------------------------------------------------------------------------- */

static void admin_invites_and_every_member_is_told(void **state) {
	(void)state;
	struct world *w = world_town();
	size_t before = world_receipts(w, "h1", RECEIPT(MEMBER_ADDED));
	assert_int_equal(world_invite(w, "bob", "dan", ADULT), REASON_ROLE);
	assert_int_equal(world_invite(w, "kid", "dan", ADULT), REASON_ROLE);
	assert_int_equal(world_invite(w, "alice", "dan", ADULT), REASON_OK);
	assert_int_equal(world_told(w, TELL_RECEIPT), 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(MEMBER_ADDED)), before + 1);
	assert_non_null(state_get(w->st, ROW_TOKEN, SPAN_LIT("dan/0")));
	assert_int_equal(world_invite(w, "alice", "dx", ADULT), REASON_MALFORMED);
	assert_int_equal(world_invite(w, "alice", "eli", 0), REASON_MALFORMED);
	world_free(w);
}

static void i16_taken_name_answers_alike_whoever_has_it(void **state) {
	(void)state;
	static const char *const taken[] = {"alice",   "bob",   "ines",   "mover",
										"alarm-4", "dev-1", "root-op"};
	struct world *w = world_town();
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(world_invite(w, "alice", taken[i], LIMITED), REASON_NAME_TAKEN);
	world_free(w);
}

static void last_admin_cannot_leave_others_behind(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(world_leave(w, "alice"), REASON_LAST_ADMIN);
	assert_int_equal(world_remove(w, "alice", "alice"), REASON_LAST_ADMIN);
	assert_int_equal(world_invite(w, "alice", "dan", ADMIN), REASON_OK);
	assert_int_equal(world_leave(w, "alice"), REASON_OK);
	assert_null(world_who(w, "alice"));
	assert_int_equal(w->fx.kick_count, 1);
	assert_string_equal(w->fx.kick[0].username, "alice");
	assert_int_equal(world_remove(w, "dan", "carol"), REASON_NOT_YOURS);
	assert_int_equal(world_remove(w, "bob", "kid"), REASON_ROLE);
	assert_int_equal(world_leave(w, "kid"), REASON_OK);
	world_free(w);
}

static void i15_a_rotation_leaves_one_token_and_ends_what_the_old_one_let_in(void **state) {
	(void)state;
	struct world *w = world_town();
	state_set_store_down(w->st, true);
	assert_int_equal(world_rotate(w, "bob", 0xab), REASON_BUSY);
	assert_int_equal(w->fx.kick_count, 0);
	state_set_store_down(w->st, false);
	assert_int_equal(world_rotate(w, "bob", 0xab), REASON_OK);
	const struct row *only = state_child(w->st, ROW_TOKEN, 0, SPAN_LIT("bob"), NULL);
	assert_non_null(only);
	assert_null(state_child(w->st, ROW_TOKEN, 0, SPAN_LIT("bob"), only));
	assert_memory_equal(((const struct row_token *)only)->sha256, "ab00", 4);
	assert_true(w->fx.denial);
	assert_int_equal(w->fx.kick_count, 1);
	assert_string_equal(w->fx.kick[0].username, "bob");
	assert_int_equal(world_receipts(w, "h1", RECEIPT(TOKEN_ROTATED)), 1);
	only = state_child(w->st, ROW_TOKEN, 0, SPAN_LIT("alice"), NULL);
	assert_memory_not_equal(((const struct row_token *)only)->sha256, "ab00", 4);
	assert_int_equal(world_rotate(w, "kid", 1), REASON_ROLE);
	assert_int_equal(world_rotate(w, "ines", 1), REASON_ROLE);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(TOKEN_ROTATED)), 1);
	world_free(w);
}

static void removed_approver_takes_his_grants_along(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "bob", ask, clip), REASON_OK);
	assert_int_equal(world_grant(w, "bob", "alarm", "", w->now.utc_ms + LIMIT_DAY_MS), REASON_OK);
	assert_int_equal(world_grant(w, "alice", "alarm", "", w->now.utc_ms + LIMIT_DAY_MS), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	memcpy(grant, world_grant_on(w, clip)->id, sizeof(grant));
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_ACTIVE);
	assert_int_equal(world_remove(w, "alice", "bob"), REASON_OK);
	assert_int_equal(w->fx.kick_count, 2); /* himself, and the integrator under his grant */
	(void)world_tick(w);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_REVOKED);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGING);
	int active = 0;
	const struct row *r = state_each(w->st, ROW_STANDING, NULL);
	for (; r; r = state_each(w->st, ROW_STANDING, r))
		active += ((const struct row_standing *)r)->state == GSTATE_ACTIVE;
	assert_int_equal(active, 1);
	world_free(w);
}

/* --- standing grants -------------------------------------------------------------------------- */

static void i24_standing_grant_needs_an_end_within_a_year(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", 0), REASON_END_DATE);
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", w->now.utc_ms), REASON_END_DATE);
	assert_int_equal(
		world_grant(w, "bob", "alarm", "d1", w->now.utc_ms + LIMIT_STANDING_MAX_MS + 1),
		REASON_END_DATE);
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", w->now.utc_ms + LIMIT_STANDING_MAX_MS),
					 REASON_OK);
	assert_int_equal(world_grant(w, "bob", "nobody", "d1", w->now.utc_ms + LIMIT_DAY_MS),
					 REASON_NOT_YOURS);
	assert_int_equal(world_grant(w, "bob", "alarm", "d7", w->now.utc_ms + LIMIT_DAY_MS),
					 REASON_NOT_YOURS);
	assert_int_equal(world_grant(w, "kid", "alarm", "d1", w->now.utc_ms + LIMIT_DAY_MS),
					 REASON_ROLE);
	assert_int_equal(world_grant(w, "alarm-4", "alarm", "d1", w->now.utc_ms + LIMIT_DAY_MS),
					 REASON_ROLE);
	world_free(w);
}

static void standing_grant_is_retracted_by_any_adult_and_kicked(void **state) {
	(void)state;
	struct world *w = world_town();
	char id[UUID_TEXT_SIZE];
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", w->now.utc_ms + LIMIT_DAY_MS), REASON_OK);
	const struct row_standing *g =
		(const struct row_standing *)state_each(w->st, ROW_STANDING, NULL);
	memcpy(id, g->id, sizeof(id));
	assert_int_equal(g->state, GSTATE_ACTIVE);
	assert_int_equal(g->nbf_ms, w->now.utc_ms + 1);
	assert_int_equal(world_retract(w, "carol", id), REASON_NOT_YOURS);
	assert_int_equal(world_retract(w, "kid", id), REASON_ROLE);
	assert_int_equal(world_retract(w, "alice", id), REASON_OK);
	assert_true(w->fx.denial);
	assert_int_equal(w->fx.kick_count, 1);
	assert_string_equal(w->fx.kick[0].grant, id);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_RETRACTED)), 1);
	assert_int_equal(world_retract(w, "alice", id), REASON_ENDED);
	world_free(w);
}

static void same_grant_given_twice_is_one_and_a_retraction_takes_every_like_one(void **state) {
	(void)state;
	struct world *w = world_town();
	int64_t exp = w->now.utc_ms + LIMIT_DAY_MS;
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", exp), REASON_OK);
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", exp), REASON_OK);
	assert_int_equal(state_count(w->st, ROW_STANDING), 1);
	assert_int_equal(world_grant(w, "alice", "alarm", "d1", exp),
					 REASON_OK); /* hers outlives his leaving */
	assert_int_equal(world_grant(w, "bob", "alarm", "", exp),
					 REASON_OK); /* every device: not alike */
	assert_int_equal(state_count(w->st, ROW_STANDING), 3);
	const struct row_standing *hers = (const struct row_standing *)state_each(
		w->st, ROW_STANDING, state_each(w->st, ROW_STANDING, NULL));
	char id[UUID_TEXT_SIZE];
	memcpy(id, hers->id, sizeof(id));
	assert_int_equal(world_retract(w, "bob", id), REASON_OK);
	int active = 0;
	const struct row *r = state_each(w->st, ROW_STANDING, NULL);
	for (; r; r = state_each(w->st, ROW_STANDING, r))
		active += ((const struct row_standing *)r)->state == GSTATE_ACTIVE;
	assert_int_equal(active, 1);
	world_free(w);
}

static void removed_members_name_is_never_given_again(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(world_remove(w, "alice", "bob"), REASON_OK);
	assert_int_equal(world_invite(w, "alice", "bob", ROLE_ADULT), REASON_NAME_TAKEN);
	assert_int_equal(world_put_credential(w, "bob", CRED_OPERATOR, "", ROLE_NONE),
					 REASON_NAME_TAKEN);
	assert_int_equal(world_invite(w, "alice", "bob-2", ROLE_ADULT), REASON_OK);
	world_free(w);
}

static void standing_grant_warns_once_and_expires(void **state) {
	(void)state;
	struct world *w = world_town();
	int64_t exp = w->now.utc_ms + 60 * LIMIT_DAY_MS;
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", exp), REASON_OK);
	uint64_t seq = state_each(w->st, ROW_STANDING, NULL)->seq;
	world_pass(w, 30 * LIMIT_DAY_MS - 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_ENDING)), 0);
	world_pass(w, 1);
	world_pass(w, 1000);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_ENDING)), 1);
	/* untouched: an update would deny what it allows until its commit */
	assert_int_equal(state_each(w->st, ROW_STANDING, NULL)->seq, seq);
	world_pass(w, exp - w->now.utc_ms - 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_EXPIRED)), 0);
	world_pass(w, 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_EXPIRED)), 1);
	assert_int_equal(w->fx.kick_count, 1);
	world_free(w);
}

static void removed_integrator_loses_every_grant(void **state) {
	(void)state;
	struct world *w = world_town();
	int64_t exp = w->now.utc_ms + LIMIT_DAY_MS;
	for (int i = 0; i < LIMIT_STANDING_ALIKE; i++)
		assert_int_equal(world_grant(w, "bob", "alarm", "d1", exp + i), REASON_OK);
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", exp + 1000), REASON_STATE);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_INTEGRATOR, "alarm"), REASON_OK);
	assert_null(world_who(w, "alarm-4"));
	(void)world_tick(w);
	const struct row *r = state_each(w->st, ROW_STANDING, NULL);
	for (; r; r = state_each(w->st, ROW_STANDING, r))
		assert_int_equal(((const struct row_standing *)r)->state, GSTATE_REVOKED);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_RETRACTED)), LIMIT_STANDING_ALIKE);
	world_free(w);
}

/* --- clips ------------------------------------------------------------------------------------ */

static void clip_is_acknowledged_with_the_highest_seq(void **state) {
	(void)state;
	struct world *w = world_town();
	char clip[UUID_TEXT_SIZE];
	world_good_clip(w, "dev-1", clip);
	uint64_t first = w->events;
	assert_int_equal(world_told(w, TELL_ACK), 1);
	assert_int_equal(world_told(w, TELL_CLIP), 1);
	for (size_t i = 0; i < w->fx.tell_count; i++) {
		if (w->fx.tell[i].kind == TELL_ACK) assert_int_equal(w->fx.tell[i].value, first);
	}
	struct world_clip c = {.start_ms = w->now.utc_ms, .duration_ms = 1};
	assert_int_equal(world_clip(w, "alice", &c), REASON_ROLE);
	world_free(w);
}

static void clip_from_the_future_has_no_synced_clock(void **state) {
	(void)state;
	struct world *w = world_town();
	struct world_clip c = {.start_ms = w->now.utc_ms + LIMIT_CLOCK_AHEAD_MS, .duration_ms = 1};
	assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
	assert_true(state_clip(w->st, span_str(w->id))->synced);
	c.start_ms++;
	assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
	assert_false(state_clip(w->st, span_str(w->id))->synced);
	world_free(w);
}

static void catalogue_of_a_device_is_bounded_and_keeps_what_is_needed(void **state) {
	(void)state;
	char needed[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, needed);
	assert_int_equal(world_yes(w, "alice", ask, needed), REASON_OK);
	for (int i = 1; i < LIMIT_CLIPS_PER_DEVICE + 5; i++) {
		struct world_clip c = {.start_ms = w->now.utc_ms, .duration_ms = 1};
		w->now.utc_ms++;
		assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
		if (i == LIMIT_CLIPS_PER_DEVICE - 1)
			assert_int_equal(state_count(w->st, ROW_CLIP), LIMIT_CLIPS_PER_DEVICE);
	}
	assert_int_equal(state_count(w->st, ROW_CLIP), LIMIT_CLIPS_PER_DEVICE);
	assert_non_null(state_clip(w->st, span_str(needed)));
	world_free(w);
}

/* --- alerts ----------------------------------------------------------------------------------- */

static enum reason alert(struct world *w, const char *who, const char *cell, int64_t until_ms) {
	Vestibule__V1__AgencyCommand m = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	Vestibule__V1__SendAlert a = VESTIBULE__V1__SEND_ALERT__INIT;
	static char text[] = "Keep your windows shut.";
	a.geohash5 = (char *)(uintptr_t)cell;
	a.kind = VESTIBULE__V1__ALERT_KIND__ALERT_KIND_FIRE;
	a.text = text;
	a.until_ms = (uint64_t)until_ms;
	m.what_case = AGENCY_CASE(ALERT);
	m.alert = &a;
	return world_send(w, COMMAND_AGENCY, who, &m);
}

static void i24_alert_stays_in_the_jurisdiction_and_under_its_limit(void **state) {
	(void)state;
	struct world *w = world_town();
	char here[6], away[6];
	assert_int_equal(geohash_encode(52.0, 13.0, GEOHASH_AREA, here), ERR_NONE);
	assert_int_equal(geohash_encode(55.0, 13.0, GEOHASH_AREA, away), ERR_NONE);
	int64_t until = w->now.utc_ms + LIMIT_HOUR_MS;
	assert_int_equal(alert(w, "ines", here, until), REASON_ROLE);
	assert_int_equal(alert(w, "liam", away, until), REASON_JURISDICTION);
	assert_int_equal(alert(w, "liam", here, w->now.utc_ms), REASON_END_DATE);
	assert_int_equal(alert(w, "liam", here, w->now.utc_ms + LIMIT_ALERT_LIFE_MS + 1),
					 REASON_END_DATE);
	for (int i = 0; i < LIMIT_ALERTS_AGENCY; i++) {
		assert_int_equal(alert(w, "liam", here, until), REASON_OK);
		assert_int_equal(world_told(w, TELL_ALERT), 1);
		assert_string_equal(w->fx.alert_cell, here);
		assert_string_equal(w->fx.alert.agency, "pd");
	}
	assert_int_equal(alert(w, "liam", here, until), REASON_RATE);
	w->opts.agencies = false;
	assert_int_equal(alert(w, "liam", here, until), REASON_AGENCIES_OFF);
	world_free(w);
}

/* --- forgetting ------------------------------------------------------------------------------- */

static void to_minute(struct world *w) {
	world_pass(w, LIMIT_SWEEP_MS - w->now.utc_ms % LIMIT_SWEEP_MS);
}

static void refusals_are_erased_thirty_days_after_the_request_closed(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_no(w, "alice", ask, clip), REASON_OK);
	assert_int_equal(world_about(w, "ines", AGENCY_CASE(RESOLVE), world_ask(w, "h1")->request),
					 REASON_OK);
	int64_t closed = w->now.utc_ms;
	world_pass(w, LIMIT_REFUSAL_MS - LIMIT_SWEEP_MS);
	to_minute(w);
	assert_true(w->now.utc_ms < closed + LIMIT_REFUSAL_MS);
	assert_int_equal(state_count(w->st, ROW_GRANT), 1);
	to_minute(w);
	assert_int_equal(state_count(w->st, ROW_GRANT), 0);
	assert_int_equal(state_count(w->st, ROW_ASK), 0);
	assert_int_equal(state_count(w->st, ROW_ASK_CLIP), 0);
	world_free(w);
}

static void clips_and_marks_are_forgotten_in_their_time_and_needed_clips_are_not(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], idle[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	struct world_say say = {
		.clip = clip, .yes = true, .header_len = 168, .key_first = 1, .revision = 1};
	world_good_clip(w, "dev-1", idle);
	say.exp_ms = w->now.utc_ms + 30 * LIMIT_DAY_MS;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	world_pass(w, LIMIT_CLIP_KEPT_MS - 3 * LIMIT_HOUR_MS);
	to_minute(w);
	assert_non_null(state_clip(w->st, span_str(idle)));
	world_pass(w, 3 * LIMIT_HOUR_MS - 3 * WORLD_TICK);
	while (state_grant(w->st, span_str(world_grant_on(w, clip)->id))->exp_ms >
		   w->now.utc_ms + LIMIT_SWEEP_MS)
		to_minute(w);
	assert_non_null(state_clip(w->st, span_str(clip)));
	world_pass(w, LIMIT_DAY_MS);
	to_minute(w);
	to_minute(w);
	assert_null(state_clip(w->st, span_str(clip)));
	assert_null(state_clip(w->st, span_str(idle)));
	world_pass(w, 2 * LIMIT_DAY_MS);
	to_minute(w);
	assert_int_equal(state_count(w->st, ROW_SEEN), 0);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admin_invites_and_every_member_is_told),
		cmocka_unit_test(i16_taken_name_answers_alike_whoever_has_it),
		cmocka_unit_test(last_admin_cannot_leave_others_behind),
		cmocka_unit_test(i15_a_rotation_leaves_one_token_and_ends_what_the_old_one_let_in),
		cmocka_unit_test(removed_approver_takes_his_grants_along),
		cmocka_unit_test(i24_standing_grant_needs_an_end_within_a_year),
		cmocka_unit_test(standing_grant_is_retracted_by_any_adult_and_kicked),
		cmocka_unit_test(same_grant_given_twice_is_one_and_a_retraction_takes_every_like_one),
		cmocka_unit_test(removed_members_name_is_never_given_again),
		cmocka_unit_test(standing_grant_warns_once_and_expires),
		cmocka_unit_test(removed_integrator_loses_every_grant),
		cmocka_unit_test(clip_is_acknowledged_with_the_highest_seq),
		cmocka_unit_test(clip_from_the_future_has_no_synced_clock),
		cmocka_unit_test(catalogue_of_a_device_is_bounded_and_keeps_what_is_needed),
		cmocka_unit_test(i24_alert_stays_in_the_jurisdiction_and_under_its_limit),
		cmocka_unit_test(refusals_are_erased_thirty_days_after_the_request_closed),
		cmocka_unit_test(clips_and_marks_are_forgotten_in_their_time_and_needed_clips_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
