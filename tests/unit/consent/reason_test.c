/* Every reason has a test that provokes it: the walk over the list, and the shortest story behind each
 * reason that answers a command. Limits at their boundary are the other suites' business. */
#include "tests/unit/consent/town.h"
#include "tests/unit/reasons.h"

/* A town of which alice was asked about one clip. */
struct asked {
	const struct row_ask *ask;
	char clip[UUID_TEXT_SIZE];
};

static struct asked asked_in(struct world *w) {
	struct asked a;
	a.ask = world_asked(w, a.clip);
	return a;
}

static enum reason say(struct world *w, size_t header_len, uint8_t key_first, int64_t exp_ms) {
	struct asked a = asked_in(w);
	struct world_say what = {.clip = a.clip,
							 .yes = true,
							 .header_len = header_len,
							 .key_first = key_first,
							 .exp_ms = exp_ms,
							 .revision = 9};
	return world_say(w, "alice", a.ask, &what);
}

/* --- answers ---------------------------------------------------------------------------------- */

static enum reason lapsed_ask(struct world *w) {
	struct asked a = asked_in(w);
	assert_int_equal(world_rules(w, "bob", "never all"), REASON_OK);
	return world_yes(w, "alice", a.ask, a.clip);
}

static enum reason clip_of_no_ask(struct world *w) {
	char later[UUID_TEXT_SIZE];
	struct asked a = asked_in(w);
	world_good_clip(w, "dev-1", later);
	return world_yes(w, "alice", a.ask, later);
}

static enum reason short_header(struct world *w) {
	return say(w, 167, 1, 0);
}
static enum reason old_key(struct world *w) {
	return say(w, 168, 2, 0);
}
static enum reason end_in_the_past(struct world *w) {
	return say(w, 168, 1, 1);
}

static enum reason second_retraction(struct world *w) {
	char clip[UUID_TEXT_SIZE];
	(void)world_delivered(w, clip);
	assert_int_equal(world_retract(w, "alice", w->delivered.grant), REASON_OK);
	return world_retract(w, "alice", w->delivered.grant);
}

/* As if alice had approved n clips more, each by a row like that of `like`. */
static void approve_more(struct world *w, const char *like, int n) {
	for (int i = 0; i < n; i++) {
		struct row_grant g;
		uint8_t id[UUID_BYTES];
		struct change c = {.count = 1, .ops = {{.row = &g.row}}};
		char clip[UUID_TEXT_SIZE];
		world_good_clip(w, "dev-1", clip);
		g = *world_grant_on(w, like);
		world_next_event(w);
		memcpy(id, w->event_id, sizeof(id));
		uuid_text(id, g.id);
		memcpy(g.clip, clip, sizeof(clip));
		world_apply(w, &c);
	}
}

static enum reason sixty_first_approval(struct world *w) {
	char second[UUID_TEXT_SIZE];
	world_good_clip(w, "dev-1", second);
	struct asked a = asked_in(w);
	assert_int_equal(world_yes(w, "alice", a.ask, a.clip), REASON_OK);
	approve_more(w, a.clip, LIMIT_APPROVALS - 1);
	return world_yes(w, "alice", a.ask, second);
}

/* --- homes ------------------------------------------------------------------------------------ */

static enum reason event_id_with_other_bytes(struct world *w) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Rules rules = VESTIBULE__V1__RULES__INIT;
	static char text[] = "ask fire";
	rules.text = text;
	m.what_case = HOME_CASE(RULES);
	m.rules = &rules;
	assert_int_equal(world_send(w, COMMAND_HOME, "alice", &m), REASON_OK);
	w->digest[0] = w->digest[0] == 'f' ? 'e' : 'f';
	return world_again(w, COMMAND_HOME, "alice", &m);
}

static enum reason rules_without_sense(struct world *w) {
	return world_rules(w, "alice", "ask everybody");
}
static enum reason name_given_before(struct world *w) {
	return world_invite(w, "alice", "ines", VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADULT);
}
static enum reason only_admin_leaves(struct world *w) {
	return world_leave(w, "alice");
}
static enum reason operator_removes_a_member(struct world *w) {
	return world_operator(w, OPERATOR_REMOVE, NULL, ROW_CREDENTIAL, "bob");
}
static enum reason operator_adds_a_member(struct world *w) {
	return world_put_credential(w, "spy", CRED_MEMBER, "h1", ROLE_ADMIN);
}
static enum reason second_first_admin(struct world *w) {
	return world_first_admin(w, "dev-1", "spy", 7);
}
static enum reason home_without_seals(struct world *w) {
	struct row_home h = {.row.kind = ROW_HOME, .id = "h1", .name = "home", .unsealed_ok = 1};
	return world_put(w, &h);
}

/* --- requests --------------------------------------------------------------------------------- */

enum odd { ODD_NOTHING, ODD_RADIUS, ODD_WINDOW, ODD_AGE, ODD_LIFE, ODD_PURPOSE, ODD_PLACE };

/* The n-th of a series with neither case nor place in common, odd in one way. */
static enum reason submit(struct world *w, const char *who, int n, enum odd odd) {
	struct world_submit r;
	world_submit_init(w, &r);
	r.circle.lat_e7 += n * 100000; /* about 1.1 km */
	if (odd == ODD_RADIUS) r.circle.radius_m = LIMIT_RADIUS_MAX_M + 1;
	if (odd == ODD_WINDOW) r.m.from_ms = r.m.to_ms - LIMIT_WINDOW_MIN_MS + 1;
	if (odd == ODD_AGE) {
		r.m.from_ms -= LIMIT_WINDOW_AGE_MS;
		r.m.to_ms -= LIMIT_WINDOW_AGE_MS;
	}
	if (odd == ODD_LIFE) r.m.open_hours = LIMIT_LIFE_MAX_H + 1;
	if (odd == ODD_PURPOSE) r.m.emergency = 1; /* its purpose is still an investigation */
	if (odd == ODD_PLACE) r.circle.lat_e7 += 30000000;
	return world_submit(w, who, &r);
}

static enum reason too_wide(struct world *w) {
	return submit(w, "ines", 0, ODD_RADIUS);
}
static enum reason too_short(struct world *w) {
	return submit(w, "ines", 0, ODD_WINDOW);
}
static enum reason too_old(struct world *w) {
	return submit(w, "ines", 0, ODD_AGE);
}
static enum reason too_long_open(struct world *w) {
	return submit(w, "ines", 0, ODD_LIFE);
}
static enum reason no_emergency(struct world *w) {
	return submit(w, "sam", 0, ODD_PURPOSE);
}
static enum reason out_of_town(struct world *w) {
	return submit(w, "ines", 0, ODD_PLACE);
}

static enum reason fourth_of_a_day(struct world *w) {
	for (int i = 0; i < 3; i++) assert_int_equal(submit(w, "ines", i, ODD_NOTHING), REASON_OK);
	return submit(w, "ines", 3, ODD_NOTHING);
}

static enum reason sixth_open(struct world *w) {
	for (int i = 0; i < 5; i++) {
		assert_int_equal(submit(w, i < 3 ? "ines" : "ivan", i, ODD_NOTHING), REASON_OK);
		assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	}
	return submit(w, "ivan", 5, ODD_NOTHING);
}

static enum reason in_case(struct world *w, const char *number, int32_t north) {
	struct world_submit r;
	world_submit_init(w, &r);
	(void)span_copy(span_str(number), r.case_number, sizeof(r.case_number));
	r.circle.lat_e7 += north;
	return world_submit(w, "ines", &r);
}

static enum reason third_of_a_case(struct world *w) {
	assert_int_equal(in_case(w, "A/1", 0), REASON_OK);
	assert_int_equal(in_case(w, "A/1", 100000), REASON_OK);
	return in_case(w, "A/1", 200000);
}

static enum reason third_at_a_place(struct world *w) {
	assert_int_equal(in_case(w, "A/1", 0), REASON_OK);
	assert_int_equal(in_case(w, "A/1", 100000), REASON_OK);
	return in_case(w, "B/2", 0);
}

static enum reason fast_path_lost(struct world *w) {
	struct row_agency pd = *state_agency(w->st, span_str("pd"));
	struct change c = {.count = 1, .ops = {{.row = &pd.row}}};
	struct world_submit r;
	pd.fast_path_lost = 1;
	world_apply(w, &c);
	world_submit_init(w, &r);
	r.m.emergency = 1;
	r.m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID;
	return world_submit(w, "sam", &r);
}

static enum reason approved_by_its_author(struct world *w) {
	assert_int_equal(submit(w, "ines", 0, ODD_NOTHING), REASON_OK);
	return world_approve(w, "ines", w->id);
}

static enum reason approved_after_its_end(struct world *w) {
	assert_int_equal(submit(w, "ines", 0, ODD_NOTHING), REASON_OK);
	assert_int_equal(world_about(w, "ines", AGENCY_CASE(WITHDRAW), w->id), REASON_OK);
	return world_approve(w, "sam", w->id);
}

/* The notice that a moderator's word makes. */
static enum reason rejected_by_the_operator(struct world *w) {
	assert_int_equal(submit(w, "ines", 0, ODD_NOTHING), REASON_OK);
	assert_int_equal(world_operator(w, OPERATOR_REJECT_REQUEST, NULL, ROW_REQUEST, w->id),
					 REASON_OK);
	const struct row *row = state_each(w->st, ROW_NOTICE, NULL);
	for (; row; row = state_each(w->st, ROW_NOTICE, row)) {
		const struct row_notice *n = (const struct row_notice *)row;
		if (n->kind == NOTICE(REFUSED)) return (enum reason)n->reason;
	}
	return REASON_OK;
}

/* --- deliveries and alerts -------------------------------------------------------------------- */

static enum reason eleventh_fetch(struct world *w) {
	char clip[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	memcpy(id, world_delivered(w, clip)->id, sizeof(id));
	for (int i = 0; i < LIMIT_FETCHES; i++) assert_int_equal(world_fetch(w, "eve", id), REASON_OK);
	return world_fetch(w, "eve", id);
}

static enum reason fetch_after_the_retraction(struct world *w) {
	char clip[UUID_TEXT_SIZE];
	(void)world_delivered(w, clip);
	assert_int_equal(world_retract(w, "alice", w->delivered.grant), REASON_OK);
	return consent_may_fetch(w->st, world_who(w, "eve"),
							 state_delivery(w->st, span_str(w->delivered.id)), w->now);
}

static enum reason one_alert_too_many(struct world *w) {
	char cell[6];
	static char text[] = "Keep your windows shut.";
	enum reason why = REASON_OK;
	assert_int_equal(geohash_encode(52.0, 13.0, GEOHASH_AREA, cell), ERR_NONE);
	for (int i = 0; i <= LIMIT_ALERTS_AGENCY; i++) {
		Vestibule__V1__AgencyCommand m = VESTIBULE__V1__AGENCY_COMMAND__INIT;
		Vestibule__V1__SendAlert a = VESTIBULE__V1__SEND_ALERT__INIT;
		a.geohash5 = cell;
		a.kind = VESTIBULE__V1__ALERT_KIND__ALERT_KIND_FIRE;
		a.text = text;
		a.until_ms = (uint64_t)(w->now.utc_ms + LIMIT_HOUR_MS);
		m.what_case = AGENCY_CASE(ALERT);
		m.alert = &a;
		assert_int_equal(why, REASON_OK);
		why = world_send(w, COMMAND_AGENCY, "liam", &m);
	}
	return why;
}

/* --- the walk --------------------------------------------------------------------------------- */

static enum reason (*const stories[REASON_COUNT])(struct world *w) = {
	[REASON_NONE_GIVEN] = rejected_by_the_operator,
	[REASON_REUSED_ID] = event_id_with_other_bytes,
	[REASON_RATE] = one_alert_too_many,
	[REASON_UNSEALED] = home_without_seals,
	[REASON_NOT_PENDING] = lapsed_ask,
	[REASON_NOT_OFFERED] = clip_of_no_ask,
	[REASON_HEADER] = short_header,
	[REASON_KEY] = old_key,
	[REASON_END_DATE] = end_in_the_past,
	[REASON_ENDED] = second_retraction,
	[REASON_APPROVAL_RATE] = sixty_first_approval,
	[REASON_RULES_SYNTAX] = rules_without_sense,
	[REASON_NAME_TAKEN] = name_given_before,
	[REASON_LAST_ADMIN] = only_admin_leaves,
	[REASON_POPULATED] = operator_removes_a_member,
	[REASON_ENROLMENT] = operator_adds_a_member,
	[REASON_LIVED_IN] = second_first_admin,
	[REASON_RADIUS] = too_wide,
	[REASON_WINDOW] = too_short,
	[REASON_WINDOW_AGE] = too_old,
	[REASON_LIFE] = too_long_open,
	[REASON_CASE_LIMIT] = third_of_a_case,
	[REASON_OPEN_LIMIT] = sixth_open,
	[REASON_SUBMIT_LIMIT] = fourth_of_a_day,
	[REASON_OVERLAP] = third_at_a_place,
	[REASON_JURISDICTION] = out_of_town,
	[REASON_FAST_PATH] = fast_path_lost,
	[REASON_SAME_PERSON] = approved_by_its_author,
	[REASON_STATE] = approved_after_its_end,
	[REASON_PURPOSE] = no_emergency,
	[REASON_FETCH_LIMIT] = eleventh_fetch,
	[REASON_UNAVAILABLE] = fetch_after_the_retraction,
};

static void every_reason_is_provoked_by_some_suite(void **state) {
	(void)state;
	int alone = 0;
	for (int r = 0; r < REASON_COUNT; r++) {
		if (provokers[r] != BY_NOBODY) continue;
		print_error("nobody provokes %s: give it a test, and a line in tests/unit/reasons.h\n",
					reason_word((enum reason)r));
		alone++;
	}
	assert_int_equal(alone, 0);
}

static void every_reason_of_a_command_is_provoked_here(void **state) {
	(void)state;
	int count = 0, wrong = 0;
	for (int r = 0; r < REASON_COUNT; r++) {
		if (provokers[r] != BY_COMMAND) continue;
		enum reason got = REASON_OK;
		struct world *w = world_town();
		if (stories[r]) got = stories[r](w);
		world_free(w);
		count++;
		if (got == (enum reason)r) continue;
		print_error("%s: %s\n", reason_word((enum reason)r),
					stories[r] ? reason_word(got) : "no story");
		wrong++;
	}
	print_message("reasons: %d of commands provoked, %d not\n", count - wrong, wrong);
	assert_int_equal(wrong, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_provoked_by_some_suite),
		cmocka_unit_test(every_reason_of_a_command_is_provoked_here),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
