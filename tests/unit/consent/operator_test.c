/* I27: the operator runs the registry and cannot become, add or speak for a member of a populated
 * home. */
#include "tests/unit/consent/town.h"

static enum reason put_token(struct world *w, const char *username, char slot) {
	struct row_token t = {.row.kind = ROW_TOKEN};
	size_t n = strlen(username);
	memcpy(t.id, username, n);
	t.id[n] = '/';
	t.id[n + 1] = slot;
	memcpy(t.username, username, n);
	memset(t.sha256, 'a', 64);
	return world_put(w, &t);
}

static void i27_operator_adds_no_member_even_to_an_empty_home(void **state) {
	(void)state;
	static const enum cred_role roles[] = {ROLE_ADMIN, ROLE_ADULT, ROLE_LIMITED};
	struct world *w = world_new();
	assert_int_equal(world_put_home(w, "h1"), REASON_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(world_put_credential(w, "spy", CRED_MEMBER, "h1", roles[i]),
						 REASON_ENROLMENT);
	world_add_home(w, "h2", "ada", "d2", "dev-2");
	for (int i = 0; i < 3; i++)
		assert_int_equal(world_put_credential(w, "spy", CRED_MEMBER, "h2", roles[i]),
						 REASON_ENROLMENT);
	assert_int_equal(world_put_credential(w, "ada", CRED_MEMBER, "h2", ROLE_ADMIN),
					 REASON_ENROLMENT);
	assert_null(world_who(w, "spy"));
	assert_int_equal(world_receipts(w, "h2", RECEIPT(MEMBER_ADDED)), 1);
	world_free(w);
}

static void i27_operator_draws_and_removes_no_token_of_a_member(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(put_token(w, "alice", '0'), REASON_POPULATED);
	assert_int_equal(put_token(w, "alice", '1'), REASON_POPULATED);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_TOKEN, "alice/0"),
					 REASON_POPULATED);
	assert_int_equal(put_token(w, "dev-1", '0'), REASON_OK);
	world_free(w);
}

static void i27_operator_claims_no_device(void **state) {
	(void)state;
	struct world *w = world_town();
	struct row_device d = {.row.kind = ROW_DEVICE, .id = "d5", .home = "h1", .claimed_ms = 1};
	assert_int_equal(world_put(w, &d), REASON_ENROLMENT);
	d.claimed_ms = 0;
	assert_int_equal(world_put(w, &d), REASON_OK);
	d.claimed_ms = w->now.utc_ms;
	assert_int_equal(world_put(w, &d), REASON_ENROLMENT);
	assert_int_equal(state_device(w->st, SPAN_LIT("d5"))->claimed_ms, 0);
	int64_t claimed = state_device(w->st, SPAN_LIT("d1"))->claimed_ms;
	assert_int_not_equal(claimed, 0);
	assert_int_equal(world_put_device(w, "d1", "h1", 52.0, 13.1), REASON_OK); /* moved a bit */
	assert_int_equal(state_device(w->st, SPAN_LIT("d1"))->claimed_ms, claimed);
	world_free(w);
}

static void i27_operator_cannot_empty_a_home_to_enter_it(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_CREDENTIAL, "bob"),
					 REASON_POPULATED);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_HOME, "h1"), REASON_POPULATED);
	assert_int_equal(world_operator(w, OPERATOR_SUSPEND, NULL, ROW_CREDENTIAL, "alice"), REASON_OK);
	assert_int_equal(world_first_admin(w, "dev-1", "spy", 9), REASON_LIVED_IN);
	assert_int_equal(world_operator(w, OPERATOR_RESUME, NULL, ROW_CREDENTIAL, "alice"), REASON_OK);
	assert_int_equal(world_remove(w, "alice", "bob"), REASON_OK);
	assert_int_equal(world_remove(w, "alice", "kid"), REASON_OK);
	assert_int_equal(world_leave(w, "alice"), REASON_OK);
	assert_int_equal(state_device(w->st, span_str("d1"))->retired, 1);
	assert_int_equal(world_put_device(w, "d7", "h1", 52.0, 13.0), REASON_OK);
	assert_int_equal(world_put_credential(w, "dev-7", CRED_DEVICE, "d7", ROLE_NONE), REASON_OK);
	assert_int_equal(world_first_admin(w, "dev-7", "spy", 9), REASON_LIVED_IN);
	assert_int_equal(world_first_admin(w, "dev-7", "alice", 1), REASON_LIVED_IN);
	world_free(w);
}

static void i27_operator_puts_no_row_that_a_home_or_an_agency_must_say(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	(void)world_delivered(w, clip);
	for (int kind = ROW_RULES; kind < ROW_KINDS; kind++) {
		const struct row *r = state_each(w->st, (enum row_kind)kind, NULL);
		if (!r) continue;
		assert_int_equal(world_put(w, r), REASON_ROLE);
		char key[ROW_KEY_SIZE];
		assert_true(span_copy(row_key(r), key, sizeof(key)));
		assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, (enum row_kind)kind, key),
						 REASON_ROLE);
	}
	world_free(w);
}

static void only_the_operator_speaks_for_the_operator(void **state) {
	(void)state;
	struct world *w = world_town();
	struct row_home h = {.row.kind = ROW_HOME, .id = "h9"};
	static const char *const others[] = {"alice", "sam", "mover", "alarm-4", "dev-1"};
	for (size_t i = 0; i < 5; i++) {
		struct command cmd = {.kind = COMMAND_OPERATOR,
							  .op = OPERATOR_PUT,
							  .row = &h.row,
							  .who = world_who(w, others[i])};
		assert_int_equal(world_step(w, &cmd), REASON_ROLE);
	}
	world_free(w);
}

static void unsealed_home_needs_a_demo_and_is_told(void **state) {
	(void)state;
	struct world *w = world_town();
	struct row_home h = {.row.kind = ROW_HOME, .id = "h1", .name = "home", .unsealed_ok = 1};
	assert_int_equal(world_put(w, &h), REASON_UNSEALED);
	w->opts.demo = true;
	assert_int_equal(world_put(w, &h), REASON_OK);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(UNSEALED_OK)), 1);
	world_free(w);
}

static void retired_device_ends_its_grants_and_its_name_is_gone(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	memcpy(grant, d->grant, sizeof(grant));
	assert_int_equal(world_grant(w, "alice", "alarm", "d1", w->now.utc_ms + LIMIT_DAY_MS),
					 REASON_OK);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_DEVICE, "d1"), REASON_OK);
	assert_int_equal(w->fx.kick_count, 2); /* itself, and whom the standing grant served */
	assert_int_equal(world_told(w, TELL_STATUS_CLEAR), 1);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_REVOKED);
	assert_null(world_who(w, "dev-1"));
	/* at once, before any tick */
	assert_int_equal(
		consent_may_fetch(w->st, world_who(w, "eve"), world_delivery(w, grant), w->now),
		REASON_UNAVAILABLE);
	(void)world_tick(w);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_REVOKED);
	assert_int_equal(state_grant(w->st, span_str(grant))->actor_kind, 1);
	const struct row_standing *s =
		(const struct row_standing *)state_each(w->st, ROW_STANDING, NULL);
	assert_int_equal(s->state, GSTATE_REVOKED);
	assert_int_equal(world_put_device(w, "d1", "h1", 52.0, 13.0), REASON_NAME_TAKEN);
	world_free(w);
}

/* The delivery of a request that was suspended, after the request's end; resumed: in time. */
static enum reason fetch_after_the_end(bool resumed) {
	struct world *w = world_town();
	char clip[UUID_TEXT_SIZE];
	struct row_delivery d = *world_delivered(w, clip);
	assert_int_equal(consent_may_fetch(w->st, world_who(w, "eve"), &d, w->now), REASON_OK);
	assert_int_equal(world_operator(w, OPERATOR_SUSPEND_REQUEST, NULL, ROW_NONE, d.request),
					 REASON_OK);
	if (resumed)
		assert_int_equal(world_operator(w, OPERATOR_RESUME_REQUEST, NULL, ROW_NONE, d.request),
						 REASON_OK);
	world_pass(w, 8 * LIMIT_DAY_MS); /* the request's week is over, the grant's two are not */
	assert_int_equal(world_request(w, d.request)->state, REQ_EXPIRED);
	d = *world_delivery(w, d.grant);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(REVOKED)), resumed ? 0 : 1);
	enum reason why = consent_may_fetch(w->st, world_who(w, "eve"), &d, w->now);
	world_free(w);
	return why;
}

/* The simulator's: weeks after a suspension the clip could be fetched (decision 0009). */
static void time_lifts_no_suspension(void **state) {
	(void)state;
	assert_int_equal(fetch_after_the_end(true), REASON_OK);
	assert_int_not_equal(fetch_after_the_end(false), REASON_OK);
}

static void suspended_agency_waits_and_resumes_without_gaining_time(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], request[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	memcpy(request, ask->request, sizeof(request));
	int64_t exp = world_request(w, request)->exp_ms;
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	assert_int_equal(world_operator(w, OPERATOR_SUSPEND, NULL, ROW_AGENCY, "pd"), REASON_OK);
	assert_int_equal(w->fx.kick_count, 0); /* never for officers */
	assert_int_equal(world_request(w, request)->state, REQ_SUSPENDED);
	for (int i = 0; i < 3; i++) world_to_tick(w);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_APPROVED);
	assert_int_equal(world_about(w, "ines", AGENCY_CASE(RESOLVE), request), REASON_STATE);
	assert_int_equal(world_operator(w, OPERATOR_RESUME, NULL, ROW_AGENCY, "pd"), REASON_OK);
	world_pass(w, 60000);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_APPROVED); /* not before a tick */
	world_to_tick(w);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_ACTIVE);
	assert_int_equal(world_request(w, request)->exp_ms, exp);
	world_free(w);
}

static void removed_agency_loses_officers_requests_and_grants(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_delivery *d = world_delivered(w, clip);
	memcpy(grant, d->grant, sizeof(grant));
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_AGENCY, "pd"), REASON_OK);
	assert_null(world_who(w, "ines"));
	assert_null(world_who(w, "eve"));
	(void)world_tick(w);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_REVOKED);
	assert_int_equal(world_delivery(w, grant)->state, DLV_PURGING);
	assert_int_equal(world_put_agency(w, "pd", AGENCY_POLICE), REASON_NAME_TAKEN);
	world_free(w);
}

static void large_agency_ends_wholly_within_a_tick(void **state) {
	(void)state;
	struct world *w = world_town();
	for (int i = 0; i < 100; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "officer-%d", i);
		assert_int_equal(world_put_credential(w, name, CRED_OFFICER, "pd", ROLE_EVIDENCE),
						 REASON_OK);
	}
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_AGENCY, "pd"), REASON_OK);
	(void)world_tick(w);
	const struct row *r = state_child(w->st, ROW_CREDENTIAL, 0, SPAN_LIT("pd"), NULL);
	assert_null(r);
	world_free(w);
}

static void changed_agency_key_ends_what_was_wrapped_to_the_old_one(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	struct row_agency a;
	uint8_t rings[64];
	const struct row_delivery *d = world_delivered(w, clip);
	memcpy(grant, d->grant, sizeof(grant));
	world_agency_row(&a, "pd", AGENCY_POLICE, rings, sizeof(rings));
	assert_int_equal(world_put(w, &a), REASON_OK); /* the same key: nothing ends */
	(void)world_tick(w);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_ACTIVE);
	memset(a.key_id, 'e', 16);
	assert_int_equal(world_put(w, &a), REASON_OK);
	(void)world_tick(w);
	assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_REVOKED);
	world_free(w);
}

static void relay_stays_while_it_holds_an_object(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
	struct world *w = world_town();
	memcpy(grant, world_delivered(w, clip)->grant, sizeof(grant));
	assert_int_equal(state_count(w->st, ROW_JOB), 0);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_RELAY, "r1"), REASON_STATE);
	assert_int_equal(world_retract(w, "alice", grant), REASON_OK);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_RELAY, "r1"), REASON_STATE);
	assert_int_equal(world_report(w, "mover", VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED,
								  world_delivery(w, grant), 0),
					 REASON_OK);
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_RELAY, "r1"), REASON_OK);
	assert_null(world_who(w, "mover"));
	world_free(w);
}

static void agency_needs_rings_and_outside_a_demo_a_key(void **state) {
	(void)state;
	struct world *w = world_town();
	struct row_agency a;
	uint8_t rings[64];
	world_agency_row(&a, "zz", AGENCY_FIRE, rings, sizeof(rings));
	a.rings.len--;
	assert_int_equal(world_put(w, &a), REASON_JURISDICTION);
	a.rings.len++;
	a.recipient[0] = '\0';
	assert_int_equal(world_put(w, &a), REASON_KEY);
	a.key_id[0] = '\0';
	assert_int_equal(world_put(w, &a), REASON_KEY);
	w->opts.demo = true;
	assert_int_equal(world_put(w, &a), REASON_OK);
	assert_int_equal(world_told(w, TELL_AGENCY), 1);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i27_operator_adds_no_member_even_to_an_empty_home),
		cmocka_unit_test(i27_operator_draws_and_removes_no_token_of_a_member),
		cmocka_unit_test(i27_operator_claims_no_device),
		cmocka_unit_test(i27_operator_cannot_empty_a_home_to_enter_it),
		cmocka_unit_test(i27_operator_puts_no_row_that_a_home_or_an_agency_must_say),
		cmocka_unit_test(only_the_operator_speaks_for_the_operator),
		cmocka_unit_test(unsealed_home_needs_a_demo_and_is_told),
		cmocka_unit_test(retired_device_ends_its_grants_and_its_name_is_gone),
		cmocka_unit_test(time_lifts_no_suspension),
		cmocka_unit_test(suspended_agency_waits_and_resumes_without_gaining_time),
		cmocka_unit_test(removed_agency_loses_officers_requests_and_grants),
		cmocka_unit_test(large_agency_ends_wholly_within_a_tick),
		cmocka_unit_test(changed_agency_key_ends_what_was_wrapped_to_the_old_one),
		cmocka_unit_test(relay_stays_while_it_holds_an_object),
		cmocka_unit_test(agency_needs_rings_and_outside_a_demo_a_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
