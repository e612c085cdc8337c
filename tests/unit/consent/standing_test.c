/* Standing grants of very many homes, and the millisecond at which one begins. */
#include "tests/unit/consent/town.h"

static const struct row_standing *newest(const struct world *w) {
	return (const struct row_standing *)state_each(w->st, ROW_STANDING, NULL);
}

static bool lets_read(const struct world *w, int64_t now_ms, int64_t event_ms) {
	return state_standing_for(w->st, SPAN_LIT("alarm"), state_device(w->st, SPAN_LIT("d1")),
							  GRANT_RING, now_ms, event_ms) != NULL;
}

/* A copy may be queued, its grant taken back and a new one given in one millisecond. */
static void i5_grant_opens_nothing_of_its_own_millisecond(void **state) {
	(void)state;
	struct world *w = world_town();
	char id[UUID_TEXT_SIZE];
	int64_t now = w->now.utc_ms;
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", now + LIMIT_DAY_MS), REASON_OK);
	memcpy(id, newest(w)->id, sizeof(id));
	assert_int_equal(world_retract(w, "bob", id), REASON_OK);
	assert_int_equal(world_grant(w, "bob", "alarm", "d1", now + LIMIT_DAY_MS), REASON_OK);
	assert_false(lets_read(w, now + 1, now));
	assert_true(lets_read(w, now + 1, now + 1));
	world_free(w);
}

/* Straight into the state: giving is limited to so many alike. */
static void put_standing(struct world *w, int n, const char *home, const char *actor,
						 int64_t exp_ms) {
	struct row_standing g = {.row = {.kind = ROW_STANDING},
							 .integrator = "alarm",
							 .kind = GRANT_RING,
							 .state = GSTATE_ACTIVE,
							 .nbf_ms = w->now.utc_ms,
							 .exp_ms = exp_ms};
	struct change c = {.count = 1, .ops = {{false, &g.row}}};
	assert_true(span_copy(span_str(home), g.home, sizeof(g.home)));
	assert_true(span_copy(span_str(actor), g.actor, sizeof(g.actor)));
	(void)snprintf(g.id, sizeof(g.id), "00000000-0000-7000-8000-%012d", n);
	world_apply(w, &c);
}

static size_t active(const struct world *w, const char *home) {
	size_t n = 0;
	struct span key = span_str(home);
	const struct row *r = state_child(w->st, ROW_STANDING, 0, key, NULL);
	for (; r; r = state_child(w->st, ROW_STANDING, 0, key, r))
		n += ((const struct row_standing *)r)->state == GSTATE_ACTIVE;
	return n;
}

static void only_the_home_that_changed_loses_its_grants(void **state) {
	(void)state;
	struct world *w = world_town();
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	for (int n = 0; n < 300; n++)
		put_standing(w, n, n % 2 ? "h2" : "h1", n % 2 ? "carol" : "bob",
					 w->now.utc_ms + LIMIT_DAY_MS);
	(void)world_tick(w); /* all were looked at */
	uint64_t looked = w->looked_seq;
	assert_int_equal(active(w, "h1"), 150);
	assert_int_equal(world_remove(w, "alice", "bob"), REASON_OK);
	assert_true(active(w, "h1") > 0); /* more than fits into one change: the rest follows */
	assert_false(state_touched_all(w->st, looked));
	(void)world_tick(w);
	assert_int_equal(active(w, "h1"), 0);
	assert_int_equal(active(w, "h2"), 150);
	world_free(w);
}

static void grants_that_end_together_all_end_in_that_second(void **state) {
	(void)state;
	struct world *w = world_town();
	int64_t exp = w->now.utc_ms + LIMIT_DAY_MS;
	for (int n = 0; n < 300; n++) put_standing(w, n, "h1", "bob", exp + n % 3);
	(void)world_tick(w);
	world_pass(w, LIMIT_DAY_MS + 1);
	assert_int_equal(active(w, "h1"), 100);
	world_pass(w, 1);
	assert_int_equal(active(w, "h1"), 0);
	world_free(w);
}

static void every_one_of_very_many_grants_warns_once(void **state) {
	enum { MANY = 3000 };
	(void)state;
	struct world *w = world_town();
	for (int n = 0; n < MANY; n++)
		put_standing(w, n, "h1", "bob", w->now.utc_ms + 60 * LIMIT_DAY_MS);
	(void)world_tick(w);
	world_pass(w, 30 * LIMIT_DAY_MS);
	for (int second = 0; second < 3; second++) world_pass(w, 1000);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_ENDING)), MANY);
	world_pass(w, 1000);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(GRANT_ENDING)), MANY);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i5_grant_opens_nothing_of_its_own_millisecond),
		cmocka_unit_test(only_the_home_that_changed_loses_its_grants),
		cmocka_unit_test(grants_that_end_together_all_end_in_that_second),
		cmocka_unit_test(every_one_of_very_many_grants_warns_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
