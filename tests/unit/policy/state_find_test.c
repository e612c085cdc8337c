/* The two questions on which integrators and relays rest: each condition is taken away in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/state.h"
#include "tests/unit/policy/rows.h"

enum { NBF = 1000, EXP = 2000 };

static struct state *granted(void) {
	struct state *st = rows_state();
	rows_put(st, HOME("elm"));
	rows_put(st, HOME("oak"));
	rows_put(st, DEVICE("d1", "elm", ""));
	rows_put(st, DEVICE("d2", "elm", ""));
	rows_put(st, DEVICE("d3", "oak", ""));
	rows_put(st, CRED("ann", CRED_MEMBER, "elm", ROLE_ADULT)); /* who gave it */
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "co"));
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "other"));
	rows_put(st, STANDING("01", "elm", "co", "d1", GRANT_RING, GSTATE_ACTIVE, NBF, EXP));
	return st;
}

static bool may(const struct state *st, const char *integrator, const char *device,
				enum grant_kind kind, int64_t now, int64_t at) {
	return state_standing_for(st, span_str(integrator), state_device(st, span_str(device)), kind,
							  now, at) != NULL;
}

static void a_standing_grant_reaches_its_home_device_and_kind_only(void **unused) {
	(void)unused;
	struct state *st = granted();
	assert_true(may(st, "co", "d1", GRANT_RING, NBF, NBF));
	assert_true(may(st, "co", "d1", GRANT_NONE, NBF, NBF)); /* any kind will do */
	assert_false(may(st, "co", "d1", GRANT_MOTION, NBF, NBF));
	assert_false(may(st, "co", "d1", GRANT_CLIP, NBF, NBF));
	assert_false(may(st, "co", "d2", GRANT_RING, NBF, NBF));
	assert_false(may(st, "co", "d3", GRANT_RING, NBF, NBF));
	assert_false(may(st, "co", "absent", GRANT_RING, NBF, NBF));
	assert_false(may(st, "other", "d1", GRANT_RING, NBF, NBF));
	assert_false(may(st, "", "d1", GRANT_RING, NBF, NBF));
	rows_put(st, STANDING("02", "elm", "co", "", GRANT_MOTION, GSTATE_ACTIVE, NBF,
						  EXP)); /* every device */
	assert_true(may(st, "co", "d2", GRANT_MOTION, NBF, NBF));
	assert_false(may(st, "co", "d3", GRANT_MOTION, NBF, NBF));
	state_free(st);
}

static void i24_a_standing_grant_holds_from_nbf_until_before_exp(void **unused) {
	(void)unused;
	struct state *st = granted();
	assert_false(may(st, "co", "d1", GRANT_RING, NBF - 1, NBF));
	assert_true(may(st, "co", "d1", GRANT_RING, NBF, NBF));
	assert_true(may(st, "co", "d1", GRANT_RING, EXP - 1, NBF));
	assert_false(may(st, "co", "d1", GRANT_RING, EXP, NBF));
	assert_false(may(st, "co", "d1", GRANT_RING, NBF, NBF - 1)); /* opens no older event */
	state_free(st);
}

static void i3_i4_a_standing_grant_counts_after_its_commit_and_ends_before_it(void **unused) {
	(void)unused;
	struct state *st = granted();
	rows_put_soon(st, STANDING("02", "elm", "co", "d2", GRANT_RING, GSTATE_ACTIVE, NBF, EXP));
	assert_false(may(st, "co", "d2", GRANT_RING, NBF, NBF));
	state_committed(st, state_seq(st));
	assert_true(may(st, "co", "d2", GRANT_RING, NBF, NBF));
	rows_put_soon(st, STANDING("02", "elm", "co", "d2", GRANT_RING, GSTATE_REVOKED, NBF, EXP));
	assert_false(may(st, "co", "d2", GRANT_RING, NBF, NBF));
	state_free(st);
}

/* The row of an end is as durable as any other: it is its state that denies. */
static void i4_an_ended_grant_stays_ended_when_its_end_is_durable(void **unused) {
	(void)unused;
	static const enum grant_state ends[] = {GSTATE_REFUSED, GSTATE_REVOKED, GSTATE_EXPIRED};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct state *st = granted();
		rows_put(st, STANDING("02", "elm", "co", "d2", GRANT_RING, GSTATE_ACTIVE, NBF, EXP));
		assert_true(may(st, "co", "d2", GRANT_RING, NBF, NBF));
		rows_put(st, STANDING("02", "elm", "co", "d2", GRANT_RING, ends[i], NBF, EXP));
		assert_false(may(st, "co", "d2", GRANT_RING, NBF, NBF));
		state_free(st);
	}
}

static void a_retired_device_is_read_by_no_grant(void **unused) {
	(void)unused;
	struct state *st = granted();
	rows_put(st, RETIRED("d1", "elm"));
	assert_false(may(st, "co", "d1", GRANT_RING, NBF, NBF));
	state_free(st);
}

static void a_renewed_grant_counts_beside_the_ended_one(void **unused) {
	(void)unused;
	struct state *st = granted();
	rows_put(st, STANDING("01", "elm", "co", "d1", GRANT_RING, GSTATE_EXPIRED, NBF, EXP));
	assert_false(may(st, "co", "d1", GRANT_RING, NBF, NBF));
	rows_put(st, STANDING("03", "elm", "co", "d1", GRANT_RING, GSTATE_ACTIVE, EXP, EXP + 9));
	assert_true(may(st, "co", "d1", GRANT_RING, EXP, EXP));
	state_free(st);
}

static void things_are_found_by_their_key_and_kind(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_string_equal(state_home(st, SPAN_LIT("elm"))->id, "elm");
	assert_string_equal(state_relay(st, SPAN_LIT("mover"))->id, "mover");
	assert_string_equal(state_rules(st, SPAN_LIT("ben"))->home, "elm");
	assert_string_equal(state_standing(st, SPAN_LIT(UUID_OF("01")))->home, "elm");
	assert_string_equal(state_clip(st, SPAN_LIT(UUID_OF("50")))->device, "elm-door");
	assert_string_equal(state_request(st, SPAN_LIT(UUID_OF("40")))->agency, "metro-pd");
	assert_string_equal(state_ask(st, SPAN_LIT(UUID_OF("41")))->request, UUID_OF("40"));
	assert_string_equal(state_job(st, SPAN_LIT(UUID_OF("80")))->delivery, UUID_OF("70"));
	assert_null(state_job(st, SPAN_LIT(UUID_OF("70")))); /* that is a delivery */
	state_free(st);
}

/* --- copy jobs --- */

static bool may_copy(const struct state *st, const char *relay, const char *device,
					 const char *clip) {
	return state_copy_job(st, span_str(relay), span_str(device), span_str(clip)) != NULL;
}

#define LETS_COPY(st) may_copy(st, "mover", "elm-door", UUID_OF("50"))

static void a_copy_job_is_for_one_relay_device_and_clip(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_true(LETS_COPY(st));
	assert_false(may_copy(st, "spare", "elm-door", UUID_OF("50")));
	assert_false(may_copy(st, "mover", "elm-yard", UUID_OF("50")));
	assert_false(may_copy(st, "mover", "elm-door", UUID_OF("51"))); /* only a PURGE job */
	assert_false(may_copy(st, "mover", "elm-door", UUID_OF("99")));
	state_free(st);
}

static void i2_no_copy_without_job_copying_delivery_and_active_grant(void **unused) {
	(void)unused;
	const struct row *const ends[] = {
		GRANT("60", "40", "41", "50", GSTATE_REVOKED, NOW_MS + DAY_MS),
		GRANT("60", "40", "41", "50", GSTATE_EXPIRED, NOW_MS + DAY_MS),
		DELIVERY("70", "60", "40", DLV_STAGED),
		DELIVERY("70", "60", "40", DLV_PURGING),
		DELIVERY("70", "60", "40", DLV_VOID),
	};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct state *st = world_new();
		rows_put_soon(st, ends[i]); /* a denial waits for no commit */
		assert_false(LETS_COPY(st));
		state_free(st);
	}
	struct state *st = world_new();
	rows_del(st, JOB("80", "mover", "70", JOB_COPY));
	assert_false(LETS_COPY(st));
	rows_put_soon(st, JOB("83", "mover", "70", JOB_COPY));
	assert_false(LETS_COPY(st)); /* I3 */
	state_committed(st, state_seq(st));
	assert_true(LETS_COPY(st));
	rows_put_soon(st, GRANT("60", "40", "41", "50", GSTATE_ACTIVE, NOW_MS + DAY_MS + 1));
	assert_false(LETS_COPY(st));
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_standing_grant_reaches_its_home_device_and_kind_only),
		cmocka_unit_test(i24_a_standing_grant_holds_from_nbf_until_before_exp),
		cmocka_unit_test(i3_i4_a_standing_grant_counts_after_its_commit_and_ends_before_it),
		cmocka_unit_test(i4_an_ended_grant_stays_ended_when_its_end_is_durable),
		cmocka_unit_test(a_retired_device_is_read_by_no_grant),
		cmocka_unit_test(a_renewed_grant_counts_beside_the_ended_one),
		cmocka_unit_test(things_are_found_by_their_key_and_kind),
		cmocka_unit_test(a_copy_job_is_for_one_relay_device_and_clip),
		cmocka_unit_test(i2_no_copy_without_job_copying_delivery_and_active_grant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
