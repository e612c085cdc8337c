/* Memory, counted and taken away: deciding allocates nothing, and a change without memory changes
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/memory.h"
#include "tests/unit/policy/rows.h"

static const char *const names[] = {
	"vestibule/v1/device/elm-door/ring",
	"vestibule/v1/device/oak-door/ring",
	"vestibule/v1/device/+/ring",
	"vestibule/v1/device/elm-door/status",
	"vestibule/v1/device/elm-door/chunk/" UUID_OF("50") "/relay-1",
	"vestibule/v1/device/elm-door/pull/" UUID_OF("50") "/ann",
	"vestibule/v1/home/elm/json/elm-door/clip-ready",
	"vestibule/v1/home/elm/json/#",
	"vestibule/v1/home/elm/command",
	"vestibule/v1/area/u33db/alert",
	"vestibule/v1/user/ann/sync",
	"vestibule/v1/agency/metro-pd/notice",
	"vestibule/v1/public/#",
	"zigbee2mqtt/lamp",
	"$CONTROL/vestibule/v1",
	"$SYS/#",
	"#",
	"",
};

static void deciding_allocates_nothing(void **unused) {
	(void)unused; /* where memory_calls cannot be counted, the answers are still asked for */
	const struct policy_opts opts = {.agencies = true};
	static const uint8_t hash[32];
	struct state *st = world_new();
	size_t allowed = 0;
	memory_calls = 0;
	const struct row *r = state_each(st, ROW_CREDENTIAL, NULL);
	for (; r; r = state_each(st, ROW_CREDENTIAL, r)) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct question q = {.who = (const struct row_credential *)r,
								 .name = span_str(names[i]),
								 .now_ms = NOW_MS,
								 .has_event = true,
								 .status = SPAN_LIT("online"),
								 .event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true}};
			for (int access = ACCESS_NONE; access <= ACCESS_SUBSCRIBE; access++) {
				q.access = (enum access)access;
				allowed += policy_decide(st, &q, &opts).kind == VERDICT_ALLOW;
			}
			allowed += policy_foreign_client_id(st, span_str(names[i]), row_key(r));
		}
		allowed += policy_login(st, row_key(r), false, hash, &opts).kind == VERDICT_ALLOW;
	}
	long counted = memory_calls;
	assert_int_equal(counted, 0);
	assert_true(allowed > 40);
	state_free(st);
}

static struct change *four_rows(struct state *st) {
	static struct change c;
	static struct row_home home = {.row = {.kind = ROW_HOME}, .id = "ash"};
	static struct row_device device = {
		.row = {.kind = ROW_DEVICE}, .id = "ash-door", .home = "ash", .claimed_ms = 1};
	static struct row_credential ash = {.row = {.kind = ROW_CREDENTIAL},
										.username = "ash-1",
										.kind = CRED_MEMBER,
										.subject = "ash",
										.role = ROLE_ADULT};
	static struct row_standing yes = {
		.row = {.kind = ROW_STANDING},
		.id = UUID_OF("30"),
		.home = "ash",
		.integrator = "alarm-co",
		.actor = "ash-1",
		.kind = GRANT_RING,
		.state = GSTATE_ACTIVE,
		.nbf_ms = 1,
		.exp_ms = NOW_MS + 1,
	};
	c = (struct change){
		.seq = state_seq(st) + 1,
		.count = 4,
		.ops = {{false, &home.row}, {false, &device.row}, {false, &ash.row}, {false, &yes.row}}};
	return &c;
}

static void a_change_without_memory_changes_nothing(void **unused) {
	(void)unused;
	if (!MEMORY_COUNTED) skip();
	struct state *st = world_new();
	uint64_t seq = state_seq(st);
	size_t homes = state_count(st, ROW_HOME), yeses = state_count(st, ROW_STANDING);
	enum err e = ERR_NOMEM;
	long failures = 0;
	for (; e == ERR_NOMEM; failures++) {
		memory_calls = 0;
		memory_fail_at = failures;
		e = state_apply(st, four_rows(st), NULL);
		memory_fail_at = -1;
		if (e != ERR_NOMEM) break;
		assert_int_equal(state_seq(st), seq);
		assert_int_equal(state_count(st, ROW_HOME), homes);
		assert_int_equal(state_count(st, ROW_STANDING), yeses);
		assert_null(state_child(st, ROW_DEVICE, 0, SPAN_LIT("ash"), NULL));
	}
	assert_int_equal(e, ERR_NONE);
	assert_true(failures >= 7); /* four rows, a list for each parent */
	state_committed(st, state_seq(st));
	assert_non_null(state_standing_for(st, SPAN_LIT("alarm-co"),
									   state_device(st, SPAN_LIT("ash-door")), GRANT_RING, NOW_MS,
									   NOW_MS));
	state_free(st);
}

static void loading_without_memory_says_so(void **unused) {
	(void)unused;
	if (!MEMORY_COUNTED) skip();
	const char *bad;
	memory_fail_at = memory_calls = 0;
	struct state *st = state_new(1, 2);
	memory_fail_at = -1;
	assert_null(st);
	st = state_new(1, 2);
	memory_fail_at = memory_calls = 0;
	assert_int_equal(state_load(st, HOME("elm"), &bad), ERR_NOMEM);
	memory_fail_at = -1;
	assert_int_equal(state_load(st, HOME("elm"), &bad), ERR_NONE);
	memory_fail_at = memory_calls = 0;
	assert_int_equal(state_complete(st, 0, &bad), ERR_NOMEM);
	memory_fail_at = -1;
	assert_false(state_may_allow(st));
	assert_int_equal(state_complete(st, 0, &bad), ERR_NONE);
	assert_true(state_may_allow(st));
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deciding_allocates_nothing),
		cmocka_unit_test(a_change_without_memory_changes_nothing),
		cmocka_unit_test(loading_without_memory_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
