/* Who is asked, and what may be answered. Every home that is asked stands beside the nearest that
 * is not. */
#include "tests/unit/consent/town.h"

static void open_request(struct world *w, struct world_submit *r) {
	assert_int_equal(world_submit(w, "ines", r), REASON_OK);
	assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	world_pass(w, 1000);
	world_pass(w, 1000);
}

/* Is home h1 asked, when rules, clip and request are these? */
static bool is_asked(const char *alice, const char *bob, const struct world_clip *clip, bool demo) {
	struct world *w = world_town();
	struct world_submit r;
	struct world_clip c = *clip;
	w->opts.demo = demo;
	if (alice) assert_int_equal(world_rules(w, "alice", alice), REASON_OK);
	if (bob) assert_int_equal(world_rules(w, "bob", bob), REASON_OK);
	c.start_ms += w->now.utc_ms;
	assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
	world_submit_init(w, &r);
	open_request(w, &r);
	bool asked = world_ask(w, "h1") != NULL;
	if (!asked) assert_int_equal(state_count(w->st, ROW_ASK), 0); /* no row at all */
	world_free(w);
	return asked;
}

static const struct world_clip good = {.start_ms = -LIMIT_HOUR_MS, .duration_ms = 20000};

static void home_is_asked_only_after_an_adult_opted_in_and_none_objects(void **state) {
	(void)state;
	assert_true(is_asked("ask police", NULL, &good, false));
	assert_false(is_asked(NULL, NULL, &good, false));
	assert_false(is_asked("ask fire", NULL, &good, false));
	assert_true(is_asked("ask police only burglary", NULL, &good, false));
	assert_false(is_asked("ask police only robbery", NULL, &good, false));
	assert_true(is_asked("ask police", "never agency fd", &good, false));
	assert_false(is_asked("ask police", "never agency pd", &good, false));
	assert_false(is_asked("ask police", "never all", &good, false));
	assert_false(is_asked("ask police", "never type burglary", &good, false));
	assert_true(is_asked("ask police", "never type arson", &good, false));
	bool before_noon = is_asked("ask police", "quiet 12:00-00:00", &good, false);
	assert_int_equal(is_asked("ask police", "quiet 00:00-12:00", &good, false), !before_noon);
}

static void i24_clip_must_lie_in_the_widened_window_sealed_and_synced(void **state) {
	(void)state;
	struct world_clip c = {.start_ms = -2 * LIMIT_HOUR_MS - LIMIT_CLIP_SLACK_MS,
						   .duration_ms = 1000};
	assert_true(is_asked("ask police", NULL, &c, false));
	c.start_ms--;
	assert_false(is_asked("ask police", NULL, &c, false));
	c = (struct world_clip){.start_ms = 0, .duration_ms = LIMIT_CLIP_SLACK_MS};
	assert_true(is_asked("ask police", NULL, &c, false));
	c.duration_ms++;
	assert_false(is_asked("ask police", NULL, &c, false));
	c = good;
	c.unsynced = true;
	assert_false(is_asked("ask police", NULL, &c, false));
	c = good;
	c.unsealed = true;
	assert_false(is_asked("ask police", NULL, &c, false));
	assert_false(is_asked("ask police", NULL, &c, true)); /* the home is not flagged */
}

static void device_must_lie_in_the_circle(void **state) {
	(void)state;
	for (int outside = 0; outside < 2; outside++) {
		char clip[UUID_TEXT_SIZE];
		struct world *w = world_town();
		struct world_submit r;
		assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
		world_good_clip(w, "dev-1", clip);
		world_submit_init(w, &r);
		r.circle.lat_e7 += outside ? 20000 : 15000; /* 222 m and 167 m */
		open_request(w, &r);
		assert_int_equal(world_ask(w, "h1") != NULL, !outside);
		world_free(w);
	}
}

static void quiet_hours_make_an_ask_wait_until_a_tick_after_them(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE], text[64];
	struct world *w = world_town();
	struct world_submit r;
	int minute = (int)(w->now.utc_ms / 60000 % 1440), end = (minute + 60) % 1440;
	(void)snprintf(text, sizeof(text), "ask police\nquiet %02d:%02d-%02d:%02d", minute / 60,
				   minute % 60, end / 60, end % 60);
	assert_int_equal(world_rules(w, "alice", text), REASON_OK);
	world_good_clip(w, "dev-1", clip);
	world_submit_init(w, &r);
	open_request(w, &r);
	for (int i = 0; i < 4; i++) {
		assert_null(world_ask(w, "h1"));
		world_to_tick(w);
	}
	world_to_tick(w);
	assert_non_null(world_ask(w, "h1"));
	assert_int_equal(world_ask(w, "h1")->exp_ms,
					 world_request(w, world_ask(w, "h1")->request)->exp_ms);
	world_free(w);
}

static void i24_home_is_asked_three_times_in_seven_days(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
	for (int i = 0; i < 4; i++) {
		struct world_submit r;
		w->now.utc_ms += LIMIT_DAY_MS;
		world_good_clip(w, "dev-1", clip);
		world_submit_init(w, &r);
		open_request(w, &r);
		assert_int_equal(state_count(w->st, ROW_ASK), i < 3 ? i + 1 : 3);
	}
	int64_t first = WORLD_START + LIMIT_DAY_MS + 1000;
	world_pass(w, first + LIMIT_ASKS_MS - LIMIT_ASKS_MS % WORLD_TICK - w->now.utc_ms -
					  w->opts.tick_ms);
	world_to_tick(w);
	while (w->now.utc_ms <= first + LIMIT_ASKS_MS - WORLD_TICK) world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_ASK), 3);
	while (w->now.utc_ms < first + LIMIT_ASKS_MS + WORLD_TICK) world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_ASK), 4); /* the fourth waited */
	world_free(w);
}

static void later_clip_raises_the_revision_at_a_tick_and_not_before(void **state) {
	(void)state;
	char first[UUID_TEXT_SIZE], later[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, first);
	struct world_clip c = {.start_ms = w->now.utc_ms - LIMIT_HOUR_MS, .duration_ms = 1000};
	assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
	memcpy(later, w->id, sizeof(later));
	world_pass(w, 1000);
	assert_int_equal(world_ask(w, "h1")->revision, 1);
	assert_int_equal(world_yes(w, "alice", ask, later), REASON_NOT_OFFERED);
	world_to_tick(w);
	ask = world_ask(w, "h1");
	assert_int_equal(ask->revision, 2);
	struct world_say early = {
		.clip = later, .yes = true, .header_len = 168, .key_first = 1, .revision = 1};
	assert_int_equal(world_say(w, "alice", ask, &early),
					 REASON_NOT_OFFERED); /* he has not seen it */
	assert_int_equal(world_yes(w, "alice", ask, later), REASON_OK);
	assert_int_equal(world_ask(w, "h1")->state, ASK_PENDING);
	assert_int_equal(world_no(w, "alice", world_ask(w, "h1"), first), REASON_OK);
	assert_int_equal(world_ask(w, "h1")->state, ASK_DECIDED);
	world_free(w);
}

static void opt_out_denies_at_once_and_lapses_silently(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_rules(w, "bob", "never all"), REASON_OK);
	assert_true(w->fx.denial);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_NOT_PENDING);
	(void)world_tick(w);
	assert_int_equal(w->fx.tell_count, 0);
	assert_int_equal(world_ask(w, "h1")->state, ASK_LAPSED);
	assert_int_equal(world_rules(w, "bob", ""), REASON_OK);
	assert_false(w->fx.denial); /* lifting it is none */
	world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_ASK), 1); /* one ask for a request, ever */
	world_free(w);
}

static void ask_lapses_when_its_request_closes(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_about(w, "ines", AGENCY_CASE(RESOLVE), ask->request), REASON_OK);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_NOT_PENDING);
	(void)world_tick(w);
	assert_int_equal(world_ask(w, "h1")->state, ASK_LAPSED);
	world_free(w);
}

static void i24_answer_must_fit_clip_key_header_and_end(void **state) {
	(void)state;
	struct world *w = world_town();
	char clip[UUID_TEXT_SIZE];
	const struct row_ask *ask = world_asked(w, clip);
	int64_t release = (w->now.utc_ms + 2 * WORLD_TICK - 1) / WORLD_TICK * WORLD_TICK;
	const struct world_say right = {
		.clip = clip, .yes = true, .header_len = 168, .key_first = 1, .revision = 1};
	struct world_say say = right;
	say.header_len = 167;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_HEADER);
	say.header_len = 0;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_HEADER);
	say = right;
	say.key_first = 2;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_KEY);
	say = right;
	say.revision = 0;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_NOT_OFFERED);
	say = right;
	say.exp_ms = release;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_END_DATE);
	say.exp_ms = release + LIMIT_GRANT_MAX_MS + 1;
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_END_DATE);
	say.exp_ms = release + LIMIT_GRANT_MAX_MS;
	assert_int_equal(state_count(w->st, ROW_GRANT), 0);
	assert_int_equal(world_say(w, "alice", ask, &say), REASON_OK);
	assert_int_equal(world_grant_on(w, clip)->exp_ms, say.exp_ms);
	assert_int_equal(world_grant_on(w, clip)->release_ms, release);
	world_free(w);
}

static void unsealed_clip_is_approved_only_in_a_demo_and_without_a_header(void **state) {
	(void)state;
	struct world *w = world_town();
	struct world_submit r;
	struct world_clip c = {
		.start_ms = w->now.utc_ms - LIMIT_HOUR_MS, .duration_ms = 1000, .unsealed = true};
	struct row_home h = {.row.kind = ROW_HOME, .id = "h1", .name = "home", .unsealed_ok = 1};
	w->opts.demo = true;
	assert_int_equal(world_put(w, &h), REASON_OK);
	assert_int_equal(world_rules(w, "alice", "ask police"), REASON_OK);
	assert_int_equal(world_clip(w, "dev-1", &c), REASON_OK);
	char clip[UUID_TEXT_SIZE];
	memcpy(clip, w->id, sizeof(clip));
	world_submit_init(w, &r);
	open_request(w, &r);
	const struct row_ask *ask = world_ask(w, "h1");
	assert_non_null(ask);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_HEADER);
	struct world_say bare = {.clip = clip, .yes = true, .revision = 1};
	w->opts.demo = false;
	assert_int_equal(world_say(w, "alice", ask, &bare), REASON_NOT_OFFERED);
	w->opts.demo = true;
	assert_int_equal(world_say(w, "alice", ask, &bare), REASON_OK);
	world_free(w);
}

static void i24_sixty_approvals_an_hour_and_denials_without_limit(void **state) {
	(void)state;
	struct world *w = world_town();
	struct world_submit r;
	char clips[96][UUID_TEXT_SIZE];
	assert_int_equal(world_rules(w, "alice", "ask police\nask fire"), REASON_OK);
	for (int n = 0; n < 3; n++) {
		assert_int_equal(world_put_device(w,
										  n == 0   ? "e0"
										  : n == 1 ? "e1"
												   : "e2",
										  "h1", 52.0, 13.0 + 0.02 * (n + 1)),
						 REASON_OK);
		assert_int_equal(world_claim(w, "alice", n == 0 ? "e0" : n == 1 ? "e1" : "e2"), REASON_OK);
		const char *user = n == 0 ? "cam-0" : n == 1 ? "cam-1" : "cam-2";
		assert_int_equal(world_put_credential(w, user, CRED_DEVICE,
											  n == 0   ? "e0"
											  : n == 1 ? "e1"
													   : "e2",
											  ROLE_NONE),
						 REASON_OK);
		for (int i = 0; i < 32; i++) world_good_clip(w, user, clips[32 * n + i]);
		world_submit_init(w, &r);
		r.circle.lon_e7 += 200000 * (n + 1);
		open_request(w, &r);
	}
	assert_int_equal(state_count(w->st, ROW_ASK), 3);
	assert_int_equal(state_count(w->st, ROW_ASK_CLIP), 96);
	int approved = 0;
	const struct row *row = state_each(w->st, ROW_ASK_CLIP, NULL);
	char last_ask[UUID_TEXT_SIZE] = "", last_clip[UUID_TEXT_SIZE] = "";
	for (int i = 0; i < 61; i++) {
		memcpy(last_ask, ((const struct row_ask_clip *)row)->ask, UUID_TEXT_SIZE);
		memcpy(last_clip, ((const struct row_ask_clip *)row)->clip, UUID_TEXT_SIZE);
		row = state_each(w->st, ROW_ASK_CLIP, row);
		enum reason why = world_yes(w, "alice", state_ask(w->st, span_str(last_ask)), last_clip);
		assert_int_equal(why, i < 60 ? REASON_OK : REASON_APPROVAL_RATE);
		approved += why == REASON_OK;
	}
	assert_int_equal(approved, LIMIT_APPROVALS);
	assert_int_equal(world_yes(w, "bob", state_ask(w->st, span_str(last_ask)), last_clip),
					 REASON_OK); /* his own hour */
	assert_int_equal(world_no(w, "alice", state_ask(w->st, span_str(last_ask)), last_clip),
					 REASON_OK);
	world_free(w);
}

static void every_clip_of_a_full_ask_fits_into_one_answer(void **state) {
	(void)state;
	struct world *w = world_town();
	char clip[UUID_TEXT_SIZE];
	for (int i = 0; i < 40; i++) world_good_clip(w, "dev-1", clip);
	const struct row_ask *ask = world_asked(w, clip);
	static Vestibule__V1__Decision d[32];
	static Vestibule__V1__Decision *list[32];
	static uint8_t ids[32][UUID_BYTES], ask_id[UUID_BYTES], header[168],
		key[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Answer answer = VESTIBULE__V1__ANSWER__INIT;
	const struct row *row = state_child(w->st, ROW_ASK_CLIP, 0, span_str(ask->id), NULL);
	for (; row; row = state_child(w->st, ROW_ASK_CLIP, 0, span_str(ask->id), row)) {
		size_t i = answer.n_decisions++;
		assert_true(i < 32);
		vestibule__v1__decision__init(&d[i]);
		d[i].clip_id = world_bytes(((const struct row_ask_clip *)row)->clip, ids[i]);
		d[i].yes = 1;
		d[i].header = (ProtobufCBinaryData){.len = 168, .data = header};
		list[i] = &d[i];
	}
	assert_int_equal(answer.n_decisions, 32);
	answer.decisions = list;
	answer.ask_id = world_bytes(ask->id, ask_id);
	answer.revision = 1;
	answer.key_id = (ProtobufCBinaryData){.len = 8, .data = key};
	m.what_case = HOME_CASE(ANSWER);
	m.answer = &answer;
	/* one bad decision: none of them counts */
	d[31].header.len = 7;
	assert_int_equal(world_send(w, COMMAND_HOME, "alice", &m), REASON_HEADER);
	assert_int_equal(state_count(w->st, ROW_GRANT), 0);
	d[31].header.len = 168;
	assert_int_equal(world_send(w, COMMAND_HOME, "alice", &m), REASON_OK);
	assert_int_equal(state_count(w->st, ROW_GRANT), 32);
	assert_int_equal(world_ask(w, "h1")->state, ASK_DECIDED);
	world_to_tick(w);
	world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_DELIVERY), 32);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(home_is_asked_only_after_an_adult_opted_in_and_none_objects),
		cmocka_unit_test(i24_clip_must_lie_in_the_widened_window_sealed_and_synced),
		cmocka_unit_test(device_must_lie_in_the_circle),
		cmocka_unit_test(quiet_hours_make_an_ask_wait_until_a_tick_after_them),
		cmocka_unit_test(i24_home_is_asked_three_times_in_seven_days),
		cmocka_unit_test(later_clip_raises_the_revision_at_a_tick_and_not_before),
		cmocka_unit_test(opt_out_denies_at_once_and_lapses_silently),
		cmocka_unit_test(ask_lapses_when_its_request_closes),
		cmocka_unit_test(i24_answer_must_fit_clip_key_header_and_end),
		cmocka_unit_test(unsealed_clip_is_approved_only_in_a_demo_and_without_a_header),
		cmocka_unit_test(i24_sixty_approvals_an_hour_and_denials_without_limit),
		cmocka_unit_test(every_clip_of_a_full_ask_fits_into_one_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
