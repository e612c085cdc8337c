/* I7: state x command x role, generated: whatever is sent by whomever in whatever state, what is
 * absorbed stays absorbed, and only the transitions of the table happen. I8: only an adult of the
 * home approves. */
#include "tests/unit/consent/town.h"

/* --- grants ----------------------------------------------------------------------------------- */

enum { ACT_YES, ACT_NO, ACT_NONE, ACT_RETRACT, ACT_TICK, ACT_EXPIRE, ACT_CLOSE, ACTS };

static const char *const senders[] = {"alice", "bob", "kid",  "carol", "dev-1",   "ines",   "sam",
									  "sue",   "eve", "liam", "mover", "alarm-4", "root-op"};
enum { SENDERS = sizeof(senders) / sizeof(senders[0]) };

static bool is_adult_here(const char *who) {
	return strcmp(who, "alice") == 0 || strcmp(who, "bob") == 0;
}

/* A town with a second home, so that there is an adult of another one. */
static struct world *town(void) {
	struct world *w = world_town();
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	return w;
}

/* Brings the grant on clip into the state, by the ways of the table. */
static void reach(struct world *w, enum grant_state state, const char *clip) {
	const struct row_ask *ask = world_ask(w, "h1");
	if (state == GSTATE_NONE) return;
	if (state == GSTATE_REFUSED) {
		assert_int_equal(world_no(w, "bob", ask, clip), REASON_OK);
		return;
	}
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	if (state == GSTATE_APPROVED) return;
	world_to_tick(w);
	world_to_tick(w);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_ACTIVE);
	if (state == GSTATE_REVOKED)
		assert_int_equal(world_retract(w, "bob", world_grant_on(w, clip)->id), REASON_OK);
	if (state == GSTATE_EXPIRED) world_pass(w, LIMIT_GRANT_DEFAULT_MS);
	assert_int_equal(world_grant_on(w, clip)->state, state);
}

static void act(struct world *w, int what, const char *who, const char *clip) {
	const struct row_ask *ask = world_ask(w, "h1");
	const struct row_grant *g = world_grant_on(w, clip);
	struct world_say none = {.revision = 9};
	switch (what) {
	case ACT_YES: (void)world_yes(w, who, ask, clip); return;
	case ACT_NO: (void)world_no(w, who, ask, clip); return;
	case ACT_NONE: (void)world_say(w, who, ask, &none); return;
	case ACT_RETRACT: (void)world_retract(w, who, g ? g->id : ask->id); return;
	case ACT_TICK:
		world_to_tick(w);
		world_to_tick(w);
		return;
	case ACT_EXPIRE: world_pass(w, LIMIT_GRANT_DEFAULT_MS + 2 * WORLD_TICK); return;
	case ACT_CLOSE: (void)world_about(w, who, AGENCY_CASE(RESOLVE), ask->request); return;
	default: return;
	}
}

/* What the table allows; the state the grant must be in afterwards. */
static enum grant_state expected(enum grant_state from, int what, const char *who) {
	bool adult = is_adult_here(who);
	bool live = from == GSTATE_APPROVED || from == GSTATE_ACTIVE;
	if (what == ACT_YES && adult && from == GSTATE_NONE) return GSTATE_APPROVED;
	if ((what == ACT_NO || what == ACT_NONE) && adult &&
		(from == GSTATE_NONE || from == GSTATE_APPROVED))
		return GSTATE_REFUSED;
	if (what == ACT_RETRACT && adult && live) return GSTATE_REVOKED;
	if (what == ACT_TICK && from == GSTATE_APPROVED) return GSTATE_ACTIVE;
	if (what == ACT_EXPIRE && live) return GSTATE_EXPIRED;
	return from; /* closing shows at the next tick */
}

static void i7_grant_moves_only_as_the_table_says(void **state) {
	(void)state;
	for (int from = GSTATE_NONE; from < GSTATE_KINDS; from++) {
		for (int what = 0; what < ACTS; what++) {
			for (int i = 0; i < SENDERS; i++) {
				char clip[UUID_TEXT_SIZE];
				struct world *w = town();
				(void)world_asked(w, clip);
				reach(w, (enum grant_state)from, clip);
				act(w, what, senders[i], clip);
				const struct row_grant *g = world_grant_on(w, clip);
				int now = g ? (int)g->state : GSTATE_NONE,
					want = (int)expected((enum grant_state)from, what, senders[i]);
				if (now != want)
					print_error("from %d act %d by %s: %d, not %d\n", from, what, senders[i], now,
								want);
				assert_int_equal(now, want);
				world_free(w);
			}
		}
	}
}

static void i8_only_an_adult_of_the_home_approves(void **state) {
	(void)state;
	for (int i = 0; i < SENDERS; i++) {
		char clip[UUID_TEXT_SIZE];
		struct world *w = town();
		const struct row_ask *ask = world_asked(w, clip);
		enum reason why = world_yes(w, senders[i], ask, clip);
		if (is_adult_here(senders[i]))
			assert_int_equal(why, REASON_OK);
		else if (strcmp(senders[i], "carol") == 0)
			assert_int_equal(why, REASON_NOT_YOURS);
		else
			assert_int_equal(why, REASON_ROLE);
		why = world_grant(w, senders[i], "alarm", "d1", w->now.utc_ms + LIMIT_DAY_MS);
		assert_int_equal(why == REASON_OK, is_adult_here(senders[i]));
		world_free(w);
	}
}

static void i8_suspended_adult_does_not_approve(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_operator(w, OPERATOR_SUSPEND, NULL, ROW_CREDENTIAL, "bob"), REASON_OK);
	assert_int_equal(world_yes(w, "bob", ask, clip), REASON_SUSPENDED);
	world_free(w);
}

/* --- requests --------------------------------------------------------------------------------- */

enum {
	DO_APPROVE,
	DO_WITHDRAW,
	DO_RESOLVE,
	DO_REJECT,
	DO_SUSPEND,
	DO_RESUME,
	DO_SECOND,
	DO_WAIT,
	DO_LONG,
	DOS
};

static void reach_request(struct world *w, enum request_state to, char id[UUID_TEXT_SIZE]) {
	struct world_submit r;
	world_submit_init(w, &r);
	assert_int_equal(world_submit(w, "ines", &r), REASON_OK);
	memcpy(id, w->id, UUID_TEXT_SIZE);
	if (to == REQ_SUBMITTED) return;
	if (to == REQ_WITHDRAWN)
		assert_int_equal(world_about(w, "ines", AGENCY_CASE(WITHDRAW), id), REASON_OK);
	if (to == REQ_REJECTED)
		assert_int_equal(world_operator(w, OPERATOR_REJECT_REQUEST, NULL, ROW_NONE, id), REASON_OK);
	if (to == REQ_LAPSED) world_pass(w, LIMIT_APPROVAL_WAIT_MS);
	if (to == REQ_WITHDRAWN || to == REQ_REJECTED || to == REQ_LAPSED) return;
	assert_int_equal(world_approve(w, "sam", id), REASON_OK);
	if (to == REQ_APPROVED) return;
	world_pass(w, 1000);
	if (to == REQ_SUSPENDED)
		assert_int_equal(world_operator(w, OPERATOR_SUSPEND_REQUEST, NULL, ROW_NONE, id),
						 REASON_OK);
	if (to == REQ_RESOLVED)
		assert_int_equal(world_about(w, "liam", AGENCY_CASE(RESOLVE), id), REASON_OK);
	if (to == REQ_EXPIRED) world_pass(w, LIMIT_LIFE_DEFAULT_H * LIMIT_HOUR_MS);
}

static void do_request(struct world *w, int what, const char *who, const char *id) {
	switch (what) {
	case DO_APPROVE: (void)world_approve(w, who, id); return;
	case DO_WITHDRAW: (void)world_about(w, who, AGENCY_CASE(WITHDRAW), id); return;
	case DO_RESOLVE: (void)world_about(w, who, AGENCY_CASE(RESOLVE), id); return;
	case DO_REJECT: (void)world_operator(w, OPERATOR_REJECT_REQUEST, NULL, ROW_NONE, id); return;
	case DO_SUSPEND: (void)world_operator(w, OPERATOR_SUSPEND_REQUEST, NULL, ROW_NONE, id); return;
	case DO_RESUME: (void)world_operator(w, OPERATOR_RESUME_REQUEST, NULL, ROW_NONE, id); return;
	case DO_SECOND: world_pass(w, 1000); return;
	case DO_WAIT: world_pass(w, LIMIT_APPROVAL_WAIT_MS); return;
	case DO_LONG: world_pass(w, LIMIT_LIFE_DEFAULT_H * LIMIT_HOUR_MS); return;
	default: return;
	}
}

static bool is(const char *who, const char *one_of) {
	return strstr(one_of, who) != NULL;
}

static int expected_request(int from, int what, const char *who) {
	bool waiting = from == REQ_SUBMITTED || from == REQ_APPROVED,
		 running = from == REQ_OPEN || from == REQ_SUSPENDED;
	if (what == DO_APPROVE && from == REQ_SUBMITTED && is(who, "sam sue")) return REQ_APPROVED;
	if (what == DO_WITHDRAW && waiting && is(who, "ines sam sue"))
		return REQ_WITHDRAWN; /* ines wrote it */
	if (what == DO_RESOLVE && from == REQ_OPEN && is(who, "ines sam sue liam")) return REQ_RESOLVED;
	if (what == DO_REJECT && waiting) return REQ_REJECTED;
	if (what == DO_SUSPEND && from == REQ_OPEN) return REQ_SUSPENDED;
	if (what == DO_RESUME && from == REQ_SUSPENDED) return REQ_OPEN;
	if (what == DO_SECOND && from == REQ_APPROVED) return REQ_OPEN;
	if ((what == DO_WAIT || what == DO_LONG) && waiting) return REQ_LAPSED;
	if (what == DO_LONG && running) return REQ_EXPIRED;
	return from;
}

static void i7_request_moves_only_as_the_table_says(void **state) {
	(void)state;
	for (int from = REQ_SUBMITTED; from < REQ_STATES; from++) {
		for (int what = 0; what < DOS; what++) {
			for (int i = 0; i < SENDERS; i++) {
				char id[UUID_TEXT_SIZE];
				struct world *w = town();
				reach_request(w, (enum request_state)from, id);
				assert_int_equal(world_request(w, id)->state, from);
				do_request(w, what, senders[i], id);
				int now = (int)world_request(w, id)->state,
					want = expected_request(from, what, senders[i]);
				if (now != want)
					print_error("from %d do %d by %s: %d, not %d\n", from, what, senders[i], now,
								want);
				assert_int_equal(now, want);
				world_free(w);
			}
		}
	}
}

/* --- deliveries ------------------------------------------------------------------------------- */

static void reach_delivery(struct world *w, enum delivery_state to, char id[UUID_TEXT_SIZE]) {
	char clip[UUID_TEXT_SIZE];
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	const struct row_grant *g = world_grant_on(w, clip);
	memcpy(id, world_delivery(w, g->id)->id, UUID_TEXT_SIZE);
	if (to == DLV_COPYING) return;
	int kind = to == DLV_VOID ? VESTIBULE__V1__REPORT_KIND__REPORT_KIND_GONE
							  : VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED;
	assert_int_equal(world_report(w, "mover", kind, world_delivery(w, g->id), 1000), REASON_OK);
	if (to == DLV_VOID || to == DLV_STAGED) return;
	world_to_tick(w);
	if (to == DLV_FETCHED) assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	if (to == DLV_FETCHED) return;
	assert_int_equal(world_retract(w, "alice", g->id), REASON_OK);
	if (to == DLV_PURGING) return;
	assert_int_equal(world_report(w, "mover", VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED,
								  world_delivery(w, world_grant_on(w, clip)->id), 0),
					 REASON_OK);
}

static int expected_delivery(int from, int kind, bool mine) {
	if (!mine) return from;
	if (kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED && from == DLV_COPYING)
		return DLV_STAGED;
	if (kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_GONE && from == DLV_COPYING)
		return DLV_VOID;
	if (kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED && from == DLV_PURGING)
		return DLV_PURGED;
	return from;
}

static void i7_delivery_moves_only_as_the_table_says(void **state) {
	(void)state;
	static const char *const movers[] = {"mover", "other-relay", "alice", "eve"};
	for (int from = DLV_COPYING; from < DLV_STATES; from++) {
		for (int kind = 0; kind <= VESTIBULE__V1__REPORT_KIND__REPORT_KIND_LINK; kind++) {
			for (int i = 0; i < 4; i++) {
				char id[UUID_TEXT_SIZE];
				struct world *w = town();
				world_put_relay(w, "r2", "other-relay");
				reach_delivery(w, (enum delivery_state)from, id);
				assert_int_equal(state_delivery(w->st, span_str(id))->state, from);
				(void)world_report(w, movers[i], kind, state_delivery(w->st, span_str(id)), 1000);
				assert_int_equal(state_delivery(w->st, span_str(id))->state,
								 expected_delivery(from, kind, i == 0));
				world_free(w);
			}
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i7_grant_moves_only_as_the_table_says),
		cmocka_unit_test(i8_only_an_adult_of_the_home_approves),
		cmocka_unit_test(i8_suspended_adult_does_not_approve),
		cmocka_unit_test(i7_request_moves_only_as_the_table_says),
		cmocka_unit_test(i7_delivery_moves_only_as_the_table_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
