/* How a device comes into a home, how the home gets its first admin, and what ends with a device. */
#include "tests/unit/consent/town.h"

/* An unclaimed device more in home h1, with its credential. */
static void put_new(struct world *w, const char *device, const char *user) {
	assert_int_equal(world_put_device(w, device, "h1", 52.0, 13.0), REASON_OK);
	assert_int_equal(world_put_credential(w, user, CRED_DEVICE, device, ROLE_NONE), REASON_OK);
}

static const struct row_device *device(const struct world *w, const char *id) {
	return state_device(w->st, span_str(id));
}

/* An empty home with two devices. */
static struct world *empty_home(void) {
	struct world *w = world_new();
	assert_int_equal(world_put_home(w, "h1"), REASON_OK);
	put_new(w, "d1", "dev-1");
	put_new(w, "d2", "dev-2");
	return w;
}

/* --- the first admin -------------------------------------------------------------------------- */

static void device_of_an_empty_home_names_its_first_admin(void **state) {
	(void)state;
	struct world *w = empty_home();
	assert_int_equal(world_first_admin(w, "dev-1", "ann", 7), REASON_OK);
	const struct row_credential *c = world_who(w, "ann");
	assert_non_null(c);
	assert_int_equal(c->kind, CRED_MEMBER);
	assert_int_equal(c->role, ROLE_ADMIN);
	assert_string_equal(c->subject, "h1");
	const struct row_token *t =
		(const struct row_token *)state_get(w->st, ROW_TOKEN, SPAN_LIT("ann/0"));
	assert_memory_equal(t->sha256, "0700", 4);
	assert_int_equal(device(w, "d1")->claimed_ms, w->now.utc_ms);
	assert_int_equal(device(w, "d2")->claimed_ms, 0);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(MEMBER_ADDED)), 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(DEVICE_CLAIMED)), 1);
	assert_int_equal(world_told(w, TELL_RECORDED), 1);
	assert_int_equal(world_told(w, TELL_STATUS), 1);
	assert_false(w->fx.denial); /* it allows: durable first */
	world_free(w);
}

static void i27_home_that_was_ever_lived_in_has_no_first_admin(void **state) {
	(void)state;
	struct world *w = world_town();
	put_new(w, "d5", "dev-5");
	static const char *const devices[] = {"dev-1", "dev-5"};
	for (int i = 0; i < 2; i++) {
		size_t members = state_count(w->st, ROW_CREDENTIAL);
		assert_int_equal(world_first_admin(w, devices[i], "spy", 7), REASON_LIVED_IN);
		assert_int_equal(state_count(w->st, ROW_CREDENTIAL), members);
		assert_int_equal(w->fx.tell_count, 0); /* the PUBACK says it */
	}
	assert_int_equal(device(w, "d5")->claimed_ms, 0);
	assert_int_equal(world_remove(w, "alice", "bob"), REASON_OK);
	assert_int_equal(world_remove(w, "alice", "kid"), REASON_OK);
	assert_int_equal(world_leave(w, "alice"), REASON_OK);
	put_new(w, "d6", "dev-6");
	assert_int_equal(world_first_admin(w, "dev-6", "spy", 7), REASON_LIVED_IN);
	assert_int_equal(world_first_admin(w, "dev-1", "spy", 7), REASON_UNKNOWN_CREDENTIAL);
	world_free(w);
}

static void first_admin_needs_a_name_that_nobody_ever_had(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(world_put_home(w, "h3"), REASON_OK);
	assert_int_equal(world_put_device(w, "d3", "h3", 52.0, 13.0), REASON_OK);
	assert_int_equal(world_put_credential(w, "dev-3", CRED_DEVICE, "d3", ROLE_NONE), REASON_OK);
	assert_int_equal(world_remove(w, "alice", "bob"), REASON_OK);
	static const char *const taken[] = {"alice", "bob", "ines", "mover", "dev-3", "root-op"};
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(world_first_admin(w, "dev-3", taken[i], 1), REASON_NAME_TAKEN);
	assert_int_equal(world_first_admin(w, "dev-3", "ab", 1), REASON_MALFORMED);
	assert_int_equal(device(w, "d3")->claimed_ms, 0);
	assert_int_equal(world_first_admin(w, "dev-3", "abe", 1), REASON_OK);
	world_free(w);
}

static void repeated_first_admin_has_one_effect(void **state) {
	(void)state;
	struct world *w = empty_home();
	uint8_t sha256[32] = {7};
	static char name[] = "ann";
	Vestibule__V1__DeviceClaim m = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	Vestibule__V1__FirstAdmin first = VESTIBULE__V1__FIRST_ADMIN__INIT;
	first.username = name;
	first.token_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	m.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_FIRST_ADMIN;
	m.first_admin = &first;
	assert_int_equal(world_send(w, COMMAND_CLAIM, "dev-1", &m), REASON_OK);
	uint64_t seq = w->seq;
	assert_int_equal(world_again(w, COMMAND_CLAIM, "dev-1", &m), REASON_OK); /* the same event_id */
	assert_true(w->fx.repeated);
	assert_int_equal(world_told(w, TELL_RECORDED), 1);
	assert_int_equal(w->seq, seq);
	w->digest[0] ^= 1; /* the same event_id, other bytes */
	assert_int_equal(world_again(w, COMMAND_CLAIM, "dev-1", &m), REASON_REUSED_ID);
	/* with a new one, its answer having been lost */
	assert_int_equal(world_first_admin(w, "dev-1", "ann", 7), REASON_OK);
	assert_int_equal(world_told(w, TELL_RECORDED), 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(MEMBER_ADDED)), 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(DEVICE_CLAIMED)), 1);
	/* another token, another name, and the other device, which is unclaimed: not the same */
	assert_int_equal(world_first_admin(w, "dev-1", "ann", 8), REASON_LIVED_IN);
	assert_int_equal(world_first_admin(w, "dev-1", "ben", 7), REASON_LIVED_IN);
	assert_int_equal(world_first_admin(w, "dev-2", "ann", 7), REASON_LIVED_IN);
	assert_int_equal(device(w, "d2")->claimed_ms, 0);
	world_free(w);
}

static void only_a_device_speaks_for_a_device(void **state) {
	(void)state;
	struct world *w = world_town();
	static const char *const others[] = {"alice", "sam", "mover", "alarm-4", "root-op"};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(world_first_admin(w, others[i], "spy", 1), REASON_ROLE);
		assert_int_equal(world_reset(w, others[i]), REASON_ROLE);
	}
	Vestibule__V1__DeviceClaim m = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	assert_int_equal(world_send(w, COMMAND_CLAIM, "dev-1", &m), REASON_MALFORMED);
	world_free(w);
}

/* --- the claim -------------------------------------------------------------------------------- */

static void admin_claims_a_device_of_his_home_and_nobody_else_does(void **state) {
	(void)state;
	struct world *w = world_town();
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	put_new(w, "d5", "dev-5");
	put_new(w, "d6", "dev-6");
	assert_int_equal(world_operator(w, OPERATOR_REMOVE, NULL, ROW_DEVICE, "d6"), REASON_OK);
	static const char *const no_admins[] = {"bob", "kid"};
	static const char *const any[] = {"d5", "d6", "d2", "nowhere"};
	for (int i = 0; i < 2; i++) { /* whatever they name, one answer */
		for (int k = 0; k < 4; k++)
			assert_int_equal(world_claim(w, no_admins[i], any[k]), REASON_ROLE);
	}
	assert_int_equal(world_claim(w, "carol", "d5"), REASON_NOT_YOURS); /* foreign */
	assert_int_equal(world_claim(w, "alice", "d2"), REASON_NOT_YOURS);
	assert_int_equal(world_claim(w, "alice", "d6"), REASON_NOT_YOURS); /* retired */
	assert_int_equal(world_claim(w, "alice", "nowhere"), REASON_NOT_YOURS);
	assert_int_equal(world_claim(w, "ines", "d5"), REASON_ROLE);
	assert_int_equal(device(w, "d5")->claimed_ms, 0);
	size_t before = world_receipts(w, "h1", RECEIPT(DEVICE_CLAIMED));
	assert_int_equal(world_claim(w, "alice", "d5"), REASON_OK);
	assert_int_not_equal(device(w, "d5")->claimed_ms, 0);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(DEVICE_CLAIMED)), before + 1);
	const struct row_receipt *r =
		(const struct row_receipt *)state_child(w->st, ROW_RECEIPT, 0, SPAN_LIT("h1"), NULL);
	assert_string_equal(r->actor, "alice");
	assert_string_equal(r->device, "d5");
	assert_int_equal(world_claim(w, "alice", "d5"), REASON_OK); /* once more: nothing new */
	assert_int_equal(world_receipts(w, "h1", RECEIPT(DEVICE_CLAIMED)), before + 1);
	world_free(w);
}

static void unclaimed_device_has_no_clip_no_ask_and_no_grant(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	struct world_submit r;
	struct world_clip c = {.start_ms = w->now.utc_ms - LIMIT_HOUR_MS, .duration_ms = 20000};
	put_new(w, "d5", "dev-5");
	assert_int_equal(world_clip(w, "dev-5", &c), REASON_UNCLAIMED);
	assert_int_equal(w->fx.tell_count, 0);
	assert_int_equal(world_grant(w, "alice", "alarm", "d5", w->now.utc_ms + LIMIT_DAY_MS),
					 REASON_NOT_YOURS);
	assert_int_equal(world_grant(w, "alice", "alarm", "", w->now.utc_ms + LIMIT_DAY_MS), REASON_OK);
	assert_null(state_standing_for(w->st, SPAN_LIT("alarm"), device(w, "d5"), GRANT_RING,
								   w->now.utc_ms, w->now.utc_ms));
	assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
	world_submit_init(w, &r);
	assert_int_equal(world_submit(w, "ines", &r), REASON_OK);
	assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	world_pass(w, 1000);
	world_pass(w, 1000);
	assert_null(world_ask(w, "h1"));
	/* claimed, all of it follows */
	assert_int_equal(world_claim(w, "alice", "d5"), REASON_OK);
	world_good_clip(w, "dev-5", clip);
	world_to_tick(w);
	assert_non_null(world_ask(w, "h1"));
	assert_non_null(state_standing_for(w->st, SPAN_LIT("alarm"), device(w, "d5"), GRANT_RING,
									   w->now.utc_ms, w->now.utc_ms));
	world_free(w);
}

/* --- the end ---------------------------------------------------------------------------------- */

enum end { BY_RESET, BY_RETIRE, BY_OPERATOR, ENDS };

static enum reason end(struct world *w, enum end how) {
	switch (how) {
	case BY_RESET: return world_reset(w, "dev-1");
	case BY_RETIRE: return world_retire(w, "alice", "d1");
	default: return world_operator(w, OPERATOR_REMOVE, NULL, ROW_DEVICE, "d1");
	}
}

static size_t clips_of(const struct world *w, const char *id) {
	size_t n = 0;
	const struct row *r = state_child(w->st, ROW_CLIP, 0, span_str(id), NULL);
	for (; r; r = state_child(w->st, ROW_CLIP, 0, span_str(id), r)) n++;
	return n;
}

static void every_end_of_a_device_has_the_same_effects(void **state) {
	(void)state;
	for (int how = 0; how < ENDS; how++) {
		char clip[UUID_TEXT_SIZE], later[UUID_TEXT_SIZE], grant[UUID_TEXT_SIZE];
		struct world *w = world_town();
		memcpy(grant, world_delivered(w, clip)->grant, sizeof(grant));
		world_good_clip(w, "dev-1", later);
		assert_int_equal(world_grant(w, "bob", "alarm", "d1", w->now.utc_ms + LIMIT_DAY_MS),
						 REASON_OK);
		assert_int_equal(world_grant(w, "bob", "alarm", "", w->now.utc_ms + LIMIT_DAY_MS),
						 REASON_OK);
		size_t removed = world_receipts(w, "h1", RECEIPT(DEVICE_REMOVED));
		assert_int_equal(end(w, (enum end)how), REASON_OK);
		assert_true(w->fx.denial);
		/* in the very change: */
		assert_int_equal(device(w, "d1")->retired, 1);
		assert_string_equal(device(w, "d1")->cell, "");
		assert_null(world_who(w, "dev-1"));
		assert_int_equal(w->fx.kick_count, 2);
		assert_string_equal(w->fx.kick[0].username, "dev-1");
		assert_int_equal(world_told(w, TELL_STATUS_CLEAR), 1);
		assert_int_equal(world_receipts(w, "h1", RECEIPT(DEVICE_REMOVED)), removed + 1);
		assert_int_equal(world_receipts(w, "h1", RECEIPT(REVOKED)), 1);
		assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_RETRACTED)), 1); /* not of "all" */
		assert_int_equal(state_grant(w->st, span_str(grant))->state, GSTATE_REVOKED);
		assert_int_equal(state_grant(w->st, span_str(grant))->header.len, 0);
		assert_int_equal(world_delivery(w, grant)->state, DLV_PURGING);
		/* within a second: its clips, but for the one that the agency's history shows */
		world_pass(w, 1000);
		assert_null(state_clip(w->st, span_str(later)));
		assert_int_equal(clips_of(w, "d1"), 1);
		/* for ever: */
		assert_int_equal(world_put_device(w, "d1", "h1", 52.0, 13.0), REASON_NAME_TAKEN);
		assert_int_equal(world_put_credential(w, "dev-1", CRED_DEVICE, "d1", ROLE_NONE),
						 REASON_NAME_TAKEN);
		assert_int_equal(world_retire(w, "alice", "d1"), REASON_NOT_YOURS);
		assert_int_equal(world_claim(w, "alice", "d1"), REASON_NOT_YOURS);
		world_free(w);
	}
}

static void clips_of_an_ended_device_leave_open_asks(void **state) {
	(void)state;
	char mine[UUID_TEXT_SIZE], other[UUID_TEXT_SIZE];
	struct world *w = world_town();
	put_new(w, "d5", "dev-5");
	assert_int_equal(world_claim(w, "alice", "d5"), REASON_OK);
	world_good_clip(w, "dev-5", other);
	const struct row_ask *ask = world_asked(w, mine);
	assert_int_equal(state_count(w->st, ROW_ASK_CLIP), 2);
	assert_int_equal(world_yes(w, "alice", ask, other), REASON_OK);
	assert_int_equal(world_reset(w, "dev-5"), REASON_OK);
	world_pass(w, 1000);
	assert_int_equal(state_count(w->st, ROW_ASK_CLIP), 1);
	assert_int_equal(clips_of(w, "d5"), 0);
	assert_int_equal(world_ask(w, "h1")->state, ASK_PENDING);
	assert_int_equal(world_grant_on(w, other)->state, GSTATE_REVOKED);
	assert_int_equal(world_no(w, "alice", ask, other), REASON_NOT_OFFERED);
	assert_int_equal(world_reset(w, "dev-1"), REASON_OK);
	world_pass(w, 1000);
	assert_int_equal(world_ask(w, "h1")->state, ASK_LAPSED);
	assert_int_equal(state_count(w->st, ROW_CLIP), 0);
	world_free(w);
}

static void full_catalogue_of_an_ended_device_goes_within_a_tick(void **state) {
	(void)state;
	struct world *w = world_town();
	for (int i = 0; i < 300; i++) {
		struct world_clip c = {.start_ms = w->now.utc_ms, .duration_ms = 1};
		assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
	}
	assert_int_equal(world_retire(w, "alice", "d1"), REASON_OK);
	world_pass(w, 1000);
	assert_int_equal(state_count(w->st, ROW_CLIP), 0);
	world_free(w);
}

static void only_an_admin_of_the_home_retires_its_device(void **state) {
	(void)state;
	struct world *w = world_town();
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	static const char *const any[] = {"d1", "d2", "nowhere"};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world_retire(w, "bob", any[i]), REASON_ROLE);
		assert_int_equal(world_retire(w, "kid", any[i]), REASON_ROLE);
	}
	assert_int_equal(world_retire(w, "carol", "d1"), REASON_NOT_YOURS);
	assert_int_equal(world_retire(w, "carol", "nowhere"), REASON_NOT_YOURS);
	assert_int_equal(device(w, "d1")->retired, 0);
	assert_int_equal(world_retire(w, "alice", "d1"), REASON_OK);
	assert_int_equal(world_retire(w, "carol", "d1"), REASON_NOT_YOURS);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_of_an_empty_home_names_its_first_admin),
		cmocka_unit_test(i27_home_that_was_ever_lived_in_has_no_first_admin),
		cmocka_unit_test(first_admin_needs_a_name_that_nobody_ever_had),
		cmocka_unit_test(repeated_first_admin_has_one_effect),
		cmocka_unit_test(only_a_device_speaks_for_a_device),
		cmocka_unit_test(admin_claims_a_device_of_his_home_and_nobody_else_does),
		cmocka_unit_test(unclaimed_device_has_no_clip_no_ask_and_no_grant),
		cmocka_unit_test(every_end_of_a_device_has_the_same_effects),
		cmocka_unit_test(clips_of_an_ended_device_leave_open_asks),
		cmocka_unit_test(full_catalogue_of_an_ended_device_goes_within_a_tick),
		cmocka_unit_test(only_an_admin_of_the_home_retires_its_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
