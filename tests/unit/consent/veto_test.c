/* Several adults, one home: a no wins, silently. */
#include "tests/unit/consent/town.h"

/* Everything the home is told from here on, as text without ids and times: kinds, actors, ends, and
 * to whom. */
struct log {
	char text[8192];
	size_t len;
};

static void note(struct world *w, struct log *log) {
	for (size_t i = 0; i < w->fx.tell_count; i++) {
		const struct tell *t = &w->fx.tell[i];
		if (t->kind == TELL_RECORDED) {
			/* private to its receiver: only the approver's own are in his transcript */
			if (!span_eq(span_str(t->username), span_str("alice"))) continue;
			log->len += (size_t)snprintf(log->text + log->len, sizeof(log->text) - log->len,
										 "recorded %d\n", (int)t->reason);
		} else if (t->kind == TELL_RECEIPT) {
			const struct row_receipt *r =
				(const struct row_receipt *)state_get(w->st, ROW_RECEIPT, span_str(t->id));
			log->len +=
				(size_t)snprintf(log->text + log->len, sizeof(log->text) - log->len,
								 "receipt %d actor=%s clip=%s ask=%d grant=%d exp=%lld at=%lld\n",
								 (int)r->kind, r->actor, r->clip, r->ask[0] != 0, r->grant[0] != 0,
								 (long long)r->exp_ms, (long long)r->at_ms);
		} else {
			log->len += (size_t)snprintf(log->text + log->len, sizeof(log->text) - log->len,
										 "told %d\n", (int)t->kind);
		}
	}
}

/* Agency-side tells are no part of a home's transcript; worlds differ there by design. */
static void drop_agency(struct world *w) {
	size_t kept = 0;
	for (size_t i = 0; i < w->fx.tell_count; i++) {
		enum tell_kind k = w->fx.tell[i].kind;
		if (k == TELL_RECORDED || k == TELL_RECEIPT || k == TELL_ASK)
			w->fx.tell[kept++] = w->fx.tell[i];
	}
	w->fx.tell_count = kept;
}

static void run_tick(struct world *w, struct log *log) {
	struct command cmd = {.kind = COMMAND_TICK};
	do {
		assert_int_equal(world_step(w, &cmd), REASON_OK);
		drop_agency(w);
		note(w, log);
	} while (w->fx.more);
}

static void advance(struct world *w, struct log *log, int64_t ms) {
	w->now.utc_ms += ms;
	run_tick(w, log);
}

enum ending { VETO, EARLY_CLOSE, KEY_ENDED, DECLINED_BEFORE };

/* alice approves; then something else happens, and she sees ... */
static void approve_and_lose(enum ending ending, struct log *log) {
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	char request[UUID_TEXT_SIZE];
	memcpy(request, ask->request, sizeof(request));
	log->len = 0;
	if (ending == DECLINED_BEFORE) assert_int_equal(world_no(w, "bob", ask, clip), REASON_OK);
	assert_int_equal(world_yes(w, "alice", world_ask(w, "h1"), clip), REASON_OK);
	note(w, log);
	w->now.utc_ms += 1000;
	if (ending == VETO) {
		assert_int_equal(world_no(w, "bob", world_ask(w, "h1"), clip), REASON_OK);
		drop_agency(w);
		note(w, log);
	} else if (ending == EARLY_CLOSE) {
		assert_int_equal(world_about(w, "ines", AGENCY_CASE(RESOLVE), request), REASON_OK);
	} else if (ending == KEY_ENDED) {
		struct row_agency a;
		uint8_t rings[64];
		world_agency_row(&a, "pd", AGENCY_POLICE, rings, sizeof(rings));
		memset(a.key_id, 'f', 16);
		assert_int_equal(world_put(w, &a), REASON_OK);
	}
	run_tick(w, log);
	for (int i = 0; i < 4; i++) advance(w, log, w->opts.tick_ms - w->now.utc_ms % w->opts.tick_ms);
	assert_int_equal(state_count(w->st, ROW_DELIVERY), 0);
	world_free(w);
}

static void silent_veto_looks_like_every_other_end_to_the_approver(void **state) {
	(void)state;
	static struct log logs[4];
	for (int i = 0; i < 4; i++) approve_and_lose((enum ending)i, &logs[i]);
	assert_non_null(strstr(logs[VETO].text, "receipt 5")); /* NOT_SHARED is among it */
	assert_string_equal(logs[VETO].text, logs[EARLY_CLOSE].text);
	assert_string_equal(logs[VETO].text, logs[KEY_ENDED].text);
	assert_string_equal(logs[VETO].text, logs[DECLINED_BEFORE].text);
}

static void not_shared_comes_at_the_tick_that_would_have_released(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	int64_t release = world_grant_on(w, clip)->release_ms;
	assert_int_equal(world_no(w, "bob", ask, clip), REASON_OK);
	assert_int_equal(world_grant_on(w, clip)->state, GSTATE_REFUSED);
	assert_int_equal(world_grant_on(w, clip)->header.len, 0);
	world_pass(w, release - w->now.utc_ms - 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(NOT_SHARED)), 0);
	world_pass(w, 1);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(NOT_SHARED)), 1);
	world_to_tick(w);
	assert_int_equal(world_receipts(w, "h1", RECEIPT(NOT_SHARED)), 1);
	world_free(w);
}

static void receipt_of_a_decline_goes_to_the_decliner_alone(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	size_t before = state_count(w->st, ROW_RECEIPT);
	assert_int_equal(world_no(w, "bob", ask, clip), REASON_OK);
	assert_int_equal(state_count(w->st, ROW_RECEIPT), before);
	assert_int_equal(w->fx.tell_count, 1);
	assert_int_equal(w->fx.tell[0].kind, TELL_RECORDED);
	assert_string_equal(w->fx.tell[0].username, "bob");
	assert_int_equal(world_ask(w, "h1")->state, ASK_DECIDED);
	world_free(w);
}

static void retraction_of_a_vetoed_grant_is_answered_like_any_other(void **state) {
	(void)state;
	for (int vetoed = 0; vetoed < 2; vetoed++) {
		char clip[UUID_TEXT_SIZE];
		struct world *w = world_town();
		const struct row_ask *ask = world_asked(w, clip);
		assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
		if (vetoed) assert_int_equal(world_no(w, "bob", ask, clip), REASON_OK);
		assert_int_equal(world_retract(w, "alice", world_grant_on(w, clip)->id), REASON_OK);
		assert_int_equal(world_receipts(w, "h1", RECEIPT(REVOKED)), 1);
		assert_int_equal(world_grant_on(w, clip)->state, vetoed ? GSTATE_REFUSED : GSTATE_REVOKED);
		assert_int_equal(world_retract(w, "alice", world_grant_on(w, clip)->id), REASON_ENDED);
		world_to_tick(w);
		world_to_tick(w);
		assert_int_equal(world_receipts(w, "h1", RECEIPT(NOT_SHARED)), 0);
		world_free(w);
	}
}

static void released_clip_needs_a_retraction_not_a_no(void **state) {
	(void)state;
	char clip[UUID_TEXT_SIZE];
	struct world *w = world_town();
	const struct row_ask *ask = world_asked(w, clip);
	assert_int_equal(world_yes(w, "alice", ask, clip), REASON_OK);
	world_to_tick(w);
	world_to_tick(w);
	assert_int_equal(world_no(w, "bob", world_ask(w, "h1"), clip), REASON_STATE);
	assert_int_equal(world_yes(w, "bob", world_ask(w, "h1"), clip),
					 REASON_OK); /* says nothing new */
	assert_int_equal(world_receipts(w, "h1", RECEIPT(APPROVED)), 1);
	world_free(w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_veto_looks_like_every_other_end_to_the_approver),
		cmocka_unit_test(not_shared_comes_at_the_tick_that_would_have_released),
		cmocka_unit_test(receipt_of_a_decline_goes_to_the_decliner_alone),
		cmocka_unit_test(retraction_of_a_vetoed_grant_is_answered_like_any_other),
		cmocka_unit_test(released_clip_needs_a_retraction_not_a_no),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
