/* I24: every limit of a request at -1, 0 and +1, and who may do what to it. I12: the answer depends
 * on the request and its agency's history alone. */
#include "tests/unit/consent/town.h"
#include "plugin/consent/limits.h"

/* What an investigator (or, for an emergency, a supervisor) is told about this request in a fresh
 * town. */
static enum reason judge(void (*shape)(struct world *w, struct world_submit *r, int64_t delta),
						 int64_t delta) {
	struct world *w = world_town();
	struct world_submit r;
	world_submit_init(w, &r);
	shape(w, &r, delta);
	enum reason why = world_submit(w, r.m.emergency ? "sam" : "ines", &r);
	if (why != REASON_OK)
		assert_int_equal(state_count(w->st, ROW_REQUEST), 0); /* a refused submit makes no row */
	world_free(w);
	return why;
}

static void least_radius(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	r->circle.radius_m = (uint32_t)(LIMIT_RADIUS_MIN_M + delta);
}

static void most_radius(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	r->circle.radius_m = (uint32_t)(LIMIT_RADIUS_MAX_M + delta);
}

static void shortest_window(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	r->m.from_ms = r->m.to_ms - (uint64_t)(LIMIT_WINDOW_MIN_MS + delta);
}

static void longest_window(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	r->m.from_ms = r->m.to_ms - (uint64_t)(LIMIT_WINDOW_MAX_MS + delta);
}

static void oldest_window(struct world *w, struct world_submit *r, int64_t delta) {
	r->m.from_ms = (uint64_t)(w->now.utc_ms - LIMIT_WINDOW_AGE_MS - delta);
	r->m.to_ms = r->m.from_ms + LIMIT_HOUR_MS;
}

static void newest_window(struct world *w, struct world_submit *r, int64_t delta) {
	r->m.to_ms = (uint64_t)(w->now.utc_ms + delta);
}

static void longest_life(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	r->m.open_hours = (uint32_t)(LIMIT_LIFE_MAX_H + delta);
}

static void emergency(struct world_submit *r) {
	r->m.emergency = 1;
	r->m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID;
}

static void emergency_radius(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	emergency(r);
	r->circle.radius_m = (uint32_t)(LIMIT_RADIUS_EMERGENCY_M + delta);
}

static void emergency_window(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	emergency(r);
	r->m.from_ms = r->m.to_ms - (uint64_t)(LIMIT_WINDOW_EMERGENCY_MS + delta);
}

static void emergency_life(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	emergency(r);
	r->m.open_hours = (uint32_t)(LIMIT_LIFE_EMERGENCY_H + delta);
}

static void i24_content_limits_hold_at_the_boundary(void **state) {
	(void)state;
	static const struct {
		void (*shape)(struct world *w, struct world_submit *r, int64_t delta);
		int64_t below, above; /* deltas around the limit: the last allowed is 0 */
		enum reason why_below, why_above;
	} cases[] = {
		{least_radius, -1, 1, REASON_RADIUS, REASON_OK},
		{most_radius, -1, 1, REASON_OK, REASON_RADIUS},
		{shortest_window, -1, 1, REASON_WINDOW, REASON_OK},
		{longest_window, -1, 1, REASON_OK, REASON_WINDOW},
		{oldest_window, -1, 1, REASON_OK, REASON_WINDOW_AGE},
		{newest_window, -1, 1, REASON_OK, REASON_WINDOW_AGE},
		{longest_life, -1, 1, REASON_OK, REASON_LIFE},
		{emergency_radius, -1, 1, REASON_OK, REASON_RADIUS},
		{emergency_window, -1, 1, REASON_OK, REASON_WINDOW},
		{emergency_life, -1, 1, REASON_OK, REASON_LIFE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(judge(cases[i].shape, cases[i].below), cases[i].why_below);
		assert_int_equal(judge(cases[i].shape, 0), REASON_OK);
		assert_int_equal(judge(cases[i].shape, cases[i].above), cases[i].why_above);
	}
}

static void wrong_purpose(struct world *w, struct world_submit *r, int64_t delta) {
	(void)w;
	(void)delta;
	emergency(r);
	r->m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_INVESTIGATION;
}

static void moved_north(struct world *w, struct world_submit *r, int64_t metres) {
	(void)w;
	r->circle.lat_e7 =
		525000000 - (int32_t)((double)metres / 6371008.8 * 180.0 / 3.14159265358979 * 1e7);
}

static void circle_must_lie_wholly_in_the_jurisdiction(void **state) {
	(void)state;
	assert_int_equal(judge(moved_north, 201), REASON_OK);
	assert_int_equal(judge(moved_north, 199), REASON_JURISDICTION);
	assert_int_equal(judge(moved_north, -201), REASON_JURISDICTION);
	assert_int_equal(judge(wrong_purpose, 0), REASON_PURPOSE);
}

/* --- history ---------------------------------------------------------------------------------- */

/* The n-th request of a series that shares neither case nor place with the others. */
static enum reason another(struct world *w, const char *who, int n) {
	struct world_submit r;
	world_submit_init(w, &r);
	r.circle.lat_e7 += n * 100000; /* about 1.1 km */
	return world_submit(w, who, &r);
}

static void i24_three_submits_an_officer_and_ten_an_agency_in_a_day(void **state) {
	(void)state;
	static const char *const names[] = {"inv-1", "inv-2", "inv-3", "inv-4"};
	struct world *w = world_town();
	for (int i = 0; i < 4; i++) {
		assert_int_equal(world_put_credential(w, names[i], CRED_OFFICER, "pd", ROLE_INVESTIGATOR),
						 REASON_OK);
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(another(w, names[i / 3], i), REASON_OK);
		if (i == 2) assert_int_equal(another(w, names[0], 45), REASON_SUBMIT_LIMIT);
	}
	assert_int_equal(another(w, "ines", 40), REASON_SUBMIT_LIMIT);
	w->now.utc_ms += LIMIT_DAY_MS - 1;
	assert_int_equal(another(w, "ines", 40), REASON_SUBMIT_LIMIT);
	w->now.utc_ms += 1;
	assert_int_equal(another(w, "ines", 40), REASON_OK);
	world_free(w);
}

static void i24_five_open_an_agency_and_one_more_for_an_emergency(void **state) {
	(void)state;
	struct world *w = world_town();
	char last[UUID_TEXT_SIZE];
	assert_int_equal(another(w, "ines", 0), REASON_OK);
	memcpy(last, w->id, sizeof(last));
	for (int i = 1; i < 6; i++) {
		assert_int_equal(another(w, i < 3 ? "ines" : "ivan", i), REASON_OK);
		assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	}
	assert_int_equal(world_put_credential(w, "inv-3", CRED_OFFICER, "pd", ROLE_INVESTIGATOR),
					 REASON_OK);
	assert_int_equal(another(w, "inv-3", 6), REASON_OPEN_LIMIT);
	for (int n = 0; n < 2; n++) {
		struct world_submit r;
		world_submit_init(w, &r);
		emergency(&r);
		r.circle.lat_e7 += 3000000 + n * 100000;
		assert_int_equal(world_submit(w, "sam", &r), n == 0 ? REASON_OK : REASON_OPEN_LIMIT);
	}
	/* the sixth is taken, and fails when it is approved */
	assert_int_equal(world_approve(w, "sam", last), REASON_OK);
	assert_int_equal(world_request(w, last)->state, REQ_REJECTED);
	assert_int_equal(world_notices(w, "pd", NOTICE(REFUSED)), 1);
	world_free(w);
}

static enum reason in_case(struct world *w, const char *number, int32_t north, int64_t back_ms) {
	struct world_submit r;
	world_submit_init(w, &r);
	(void)span_copy(span_str(number), r.case_number, sizeof(r.case_number));
	r.circle.lat_e7 += north;
	r.m.from_ms -= (uint64_t)back_ms;
	r.m.to_ms -= (uint64_t)back_ms;
	return world_submit(w, state_count(w->st, ROW_REQUEST) < 3 ? "ines" : "ivan", &r);
}

static void i24_two_requests_a_case_whatever_number_it_carries(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(in_case(w, "A/1", 0, 0), REASON_OK);
	assert_int_equal(in_case(w, "A/1", 100000, 0), REASON_OK);
	assert_int_equal(in_case(w, "A/1", 200000, 0), REASON_CASE_LIMIT);
	assert_int_equal(in_case(w, "B/2", 0, 0),
					 REASON_OVERLAP); /* the place of A's first, linked by number to its second */
	assert_int_equal(in_case(w, "B/2", 0, 2 * LIMIT_HOUR_MS), REASON_OK); /* another time */
	world_free(w);
}

static void overlap_begins_above_half_of_the_smaller_volume(void **state) {
	(void)state;
	static const int64_t back[] = {LIMIT_HOUR_MS,
								   LIMIT_HOUR_MS - 1}; /* half in common, and a little more */
	static const enum reason third[] = {REASON_OK, REASON_OVERLAP};
	for (int i = 0; i < 2; i++) {
		struct world *w = world_town();
		assert_int_equal(in_case(w, "A/1", 0, 0), REASON_OK);
		assert_int_equal(in_case(w, "B/1", 0, back[i]), REASON_OK);
		assert_int_equal(in_case(w, "C/1", 0, 0),
						 third[i]); /* A's own place and time: the second of it, or the third */
		world_free(w);
	}
}

/* --- transitions ------------------------------------------------------------------------------ */

static void i24_author_and_approver_differ(void **state) {
	(void)state;
	struct world *w = world_town();
	struct world_submit r;
	assert_int_equal(another(w, "ines", 0), REASON_OK);
	char id[UUID_TEXT_SIZE];
	memcpy(id, w->id, sizeof(id));
	assert_int_equal(world_approve(w, "ines", id), REASON_SAME_PERSON);
	assert_int_equal(world_approve(w, "eve", id), REASON_ROLE);
	assert_int_equal(world_approve(w, "fsup", id), REASON_NOT_YOURS);
	assert_int_equal(world_approve(w, "sam", id), REASON_OK);
	assert_int_equal(world_approve(w, "sue", id), REASON_STATE);
	world_submit_init(w, &r);
	emergency(&r);
	r.circle.lat_e7 += 1000000;
	assert_int_equal(world_submit(w, "sam", &r), REASON_OK);
	memcpy(id, w->id, sizeof(id));
	assert_int_equal(world_request(w, id)->state, REQ_APPROVED);
	assert_int_equal(world_approve(w, "sue", id),
					 REASON_STATE); /* nothing to review before it opened */
	world_pass(w, 1000);
	assert_int_equal(world_approve(w, "sam", id), REASON_SAME_PERSON);
	assert_int_equal(world_approve(w, "sue", id), REASON_OK);
	assert_int_equal(world_request(w, id)->state, REQ_OPEN);
	world_free(w);
}

static void i24_approval_waits_72_hours_at_most(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(another(w, "ines", 0), REASON_OK);
	char id[UUID_TEXT_SIZE];
	memcpy(id, w->id, sizeof(id));
	world_pass(w, LIMIT_APPROVAL_WAIT_MS - 1);
	assert_int_equal(world_request(w, id)->state, REQ_SUBMITTED);
	world_pass(w, 1);
	assert_int_equal(world_request(w, id)->state, REQ_LAPSED);
	assert_int_equal(world_approve(w, "sam", id), REASON_STATE);
	world_free(w);
}

static void request_opens_only_when_its_entry_is_durable(void **state) {
	(void)state;
	struct world *w = world_town();
	assert_int_equal(another(w, "ines", 0), REASON_OK);
	char id[UUID_TEXT_SIZE];
	memcpy(id, w->id, sizeof(id));
	w->lazy_store = true;
	assert_int_equal(world_approve(w, "sam", id), REASON_OK);
	assert_int_equal(world_told(w, TELL_REGISTER), 1);
	world_pass(w, 60000);
	assert_int_equal(world_request(w, id)->state, REQ_APPROVED);
	world_commit(w);
	world_pass(w, 1000);
	assert_int_equal(world_request(w, id)->state, REQ_OPEN);
	world_commit(w);
	int64_t exp = world_request(w, id)->exp_ms;
	assert_int_equal(exp, w->now.utc_ms + LIMIT_LIFE_DEFAULT_H * LIMIT_HOUR_MS);
	world_pass(w, exp - w->now.utc_ms - 1);
	assert_int_equal(world_request(w, id)->state, REQ_OPEN);
	world_pass(w, 1);
	assert_int_equal(world_request(w, id)->state, REQ_EXPIRED);
	world_free(w);
}

static void unreviewed_emergency_costs_the_fast_path_once(void **state) {
	(void)state;
	struct world *w = world_town();
	struct world_submit r;
	world_submit_init(w, &r);
	emergency(&r);
	assert_int_equal(world_submit(w, "sam", &r), REASON_OK);
	world_pass(w, 1000);
	world_pass(w, LIMIT_REVIEW_MS - 1);
	assert_false(state_agency(w->st, span_str("pd"))->fast_path_lost);
	world_pass(w, 1);
	assert_true(state_agency(w->st, span_str("pd"))->fast_path_lost);
	world_submit_init(w, &r);
	emergency(&r);
	r.circle.lat_e7 += 1000000;
	assert_int_equal(world_submit(w, "sam", &r), REASON_FAST_PATH);
	assert_int_equal(world_put_agency(w, "pd", AGENCY_POLICE), REASON_OK); /* a new name, say */
	world_pass(w, 1000);
	assert_true(state_agency(w->st, span_str("pd"))->fast_path_lost);
	assert_int_equal(world_operator(w, OPERATOR_RESUME, NULL, ROW_AGENCY, "pd"), REASON_OK);
	world_pass(w, 1000);
	assert_false(state_agency(w->st, span_str("pd"))->fast_path_lost);
	world_free(w);
}

static void i16_unknown_and_foreign_requests_answer_alike(void **state) {
	(void)state;
	static const int verbs[] = {AGENCY_CASE(APPROVE), AGENCY_CASE(RESOLVE), AGENCY_CASE(WITHDRAW)};
	struct world *w = world_town();
	assert_int_equal(another(w, "ines", 0), REASON_OK);
	char id[UUID_TEXT_SIZE];
	memcpy(id, w->id, sizeof(id));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(world_about(w, "fsup", verbs[i], id), REASON_NOT_YOURS);
		assert_int_equal(world_about(w, "fsup", verbs[i], "01890a5d-0000-7000-8000-00000000002a"),
						 REASON_NOT_YOURS);
	}
	world_free(w);
}

/* --- I12 -------------------------------------------------------------------------------------- */

/* Everything a step says to and about the agency, as bytes. */
static size_t transcript(const struct world *w, char *out, size_t cap) {
	size_t n = 0;
	for (size_t i = 0; i < w->fx.tell_count && n + 128 < cap; i++) {
		const struct tell *t = &w->fx.tell[i];
		n += (size_t)snprintf(out + n, cap - n, "%d %s %s %d\n", (int)t->kind, t->id, t->username,
							  (int)t->reason);
	}
	return n +
		   (size_t)snprintf(out + n, cap - n, "%d %zu\n", (int)w->fx.reason, w->fx.change.count);
}

static void i12_answer_to_a_request_is_the_same_on_an_empty_and_a_full_map(void **state) {
	(void)state;
	for (int emptied = 0; emptied < 2; emptied++) {
		static char text[2][4096];
		for (int full = 0; full < 2; full++) {
			struct world *w = world_town();
			struct world_submit r;
			if (full) {
				char clip[UUID_TEXT_SIZE];
				assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
				for (int i = 0; i < 5; i++) world_good_clip(w, "dev-1", clip);
			}
			w->events = 1000;
			w->random_agency = 77;
			world_submit_init(w, &r);
			memset(r.id, 7, sizeof(r.id));
			r.id[6] = 0x77;
			r.id[8] = 0x87;
			if (emptied) r.circle.radius_m = 500;
			(void)world_submit(w, "ines", &r);
			(void)transcript(w, text[full], sizeof(text[full]));
			world_free(w);
		}
		assert_string_equal(text[0], text[1]);
	}
}

/* The sentences are policy's, the numbers are consent's: they must not drift apart. */
static void sentences_of_refusals_name_the_limits(void **state) {
	(void)state;
	static const struct {
		enum reason reason;
		long long number[3];
	} told[] = {
		{REASON_RADIUS, {LIMIT_RADIUS_MIN_M, LIMIT_RADIUS_MAX_M, LIMIT_RADIUS_EMERGENCY_M}},
		{REASON_WINDOW,
		 {LIMIT_WINDOW_MIN_MS / LIMIT_MINUTE_MS, LIMIT_WINDOW_MAX_MS / LIMIT_HOUR_MS,
		  LIMIT_WINDOW_EMERGENCY_MS / LIMIT_HOUR_MS}},
		{REASON_WINDOW_AGE, {LIMIT_WINDOW_AGE_MS / LIMIT_DAY_MS}},
		{REASON_LIFE, {LIMIT_LIFE_MAX_H / 24, LIMIT_LIFE_EMERGENCY_H}},
		{REASON_CASE_LIMIT, {LIMIT_PER_CASE}},
		{REASON_OPEN_LIMIT, {LIMIT_OPEN_PER_AGENCY}},
		{REASON_SUBMIT_LIMIT, {LIMIT_SUBMITS_OFFICER, LIMIT_SUBMITS_AGENCY}},
		{REASON_FETCH_LIMIT, {LIMIT_FETCHES}},
	};
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		for (size_t k = 0; k < 3 && told[i].number[k]; k++) {
			char number[24];
			(void)snprintf(number, sizeof(number), "%lld", told[i].number[k]);
			assert_non_null(strstr(reason_sentence(told[i].reason), number));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i24_content_limits_hold_at_the_boundary),
		cmocka_unit_test(circle_must_lie_wholly_in_the_jurisdiction),
		cmocka_unit_test(i24_three_submits_an_officer_and_ten_an_agency_in_a_day),
		cmocka_unit_test(i24_five_open_an_agency_and_one_more_for_an_emergency),
		cmocka_unit_test(i24_two_requests_a_case_whatever_number_it_carries),
		cmocka_unit_test(overlap_begins_above_half_of_the_smaller_volume),
		cmocka_unit_test(i24_author_and_approver_differ),
		cmocka_unit_test(i24_approval_waits_72_hours_at_most),
		cmocka_unit_test(request_opens_only_when_its_entry_is_durable),
		cmocka_unit_test(unreviewed_emergency_costs_the_fast_path_once),
		cmocka_unit_test(i16_unknown_and_foreign_requests_answer_alike),
		cmocka_unit_test(sentences_of_refusals_name_the_limits),
		cmocka_unit_test(i12_answer_to_a_request_is_the_same_on_an_empty_and_a_full_map),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
