/* Who may connect, under which client id, and the words for roles, kinds and reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

static const struct policy_opts with_agencies = {.agencies = true};
static const uint8_t hash_a[32] = {0xaa, 1, 2, 3}, hash_b[32] = {0xaa, 1, 2, 4},
					 hash_other[32] = {0xaa, 1, 2, 5};

#define HEX_A  \
	"aa010203" \
	"00000000000000000000000000000000000000000000000000000000"
#define HEX_B  \
	"aa010204" \
	"00000000000000000000000000000000000000000000000000000000"
#define TOKEN(SLOT, HEX) ROW(ROW_TOKEN, token, .id = "ann/" SLOT, .username = "ann", .sha256 = HEX)

static enum reason login(const struct state *st, const char *username, bool cert,
						 const uint8_t *hash) {
	struct verdict v = policy_login(st, span_str(username), cert, hash, &with_agencies);
	assert_true((v.kind == VERDICT_ALLOW) == (v.reason == REASON_OK));
	return v.reason;
}

static void either_of_two_tokens_proves_a_name_and_no_other(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_int_equal(login(st, "ann", false, hash_a), REASON_BAD_PROOF);
	rows_put(st, TOKEN("0", HEX_A));
	rows_put(st, TOKEN("1", HEX_B));
	assert_int_equal(login(st, "ann", false, hash_a), REASON_OK);
	assert_int_equal(login(st, "ann", false, hash_b), REASON_OK);
	assert_int_equal(login(st, "ann", false, hash_other), REASON_BAD_PROOF);
	assert_int_equal(login(st, "ann", false, NULL), REASON_BAD_PROOF);
	assert_int_equal(login(st, "ben", false, hash_a), REASON_BAD_PROOF);
	rows_del(st, TOKEN("0", HEX_A));
	assert_int_equal(login(st, "ann", false, hash_a), REASON_BAD_PROOF);
	assert_int_equal(login(st, "ann", false, hash_b), REASON_OK);
	state_free(st);
}

static void i3_a_token_counts_after_its_commit(void **unused) {
	(void)unused;
	struct state *st = world_new();
	rows_put_soon(st, TOKEN("0", HEX_A));
	assert_int_equal(login(st, "ann", false, hash_a), REASON_BAD_PROOF);
	state_committed(st, state_seq(st));
	assert_int_equal(login(st, "ann", false, hash_a), REASON_OK);
	state_free(st);
}

static void a_certificate_proves_the_name_of_a_credential_in_use(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_int_equal(login(st, "ann", true, NULL), REASON_OK);
	assert_int_equal(login(st, "evi-1", true, NULL), REASON_OK);
	assert_int_equal(login(st, "nobody", true, NULL), REASON_UNKNOWN_CREDENTIAL);
	assert_int_equal(login(st, "sus", true, NULL), REASON_SUSPENDED);
	assert_int_equal(login(st, "mia", true, NULL), REASON_NOT_DURABLE);
	assert_int_equal(login(st, "gone-1", true, NULL), REASON_NOT_YOURS); /* its device is retired */
	assert_int_equal(login(st, "evil+#/x", true, NULL), REASON_BAD_NAME);
	assert_int_equal(login(st, "", true, NULL), REASON_BAD_NAME);
	struct verdict v = policy_login(st, SPAN_LIT("evi-1"), true, NULL, &(struct policy_opts){0});
	assert_int_equal(v.reason, REASON_AGENCIES_OFF);
	state_free(st);
}

static void i1_nobody_connects_to_a_state_that_cannot_decide(void **unused) {
	(void)unused;
	struct state *loading = state_new(1, 2), *st = world_new();
	assert_int_equal(login(loading, "ann", true, NULL), REASON_NOT_READY);
	assert_int_equal(login(NULL, "ann", true, NULL), REASON_NOT_READY);
	state_set_unsound(st, true); /* a retraction must get through */
	assert_int_equal(login(st, "ann", true, NULL), REASON_OK);
	state_set_refusing(st);
	assert_int_equal(login(st, "ann", true, NULL), REASON_NOT_READY);
	state_free(loading);
	state_free(st);
}

static void i15_a_client_id_in_anothers_namespace_is_foreign(void **unused) {
	(void)unused;
	struct state *st = world_new();
	struct span ann = SPAN_LIT("ann");
	static const struct {
		const char *id;
		bool own, foreign;
	} cases[] = {
		{"ann", true, false},        {"ann.phone", true, false},  {"ann.", true, false},
		{"ann.ben", true, false},    {"ben", false, true},        {"ben.phone", false, true},
		{"ben.ann", false, true},    {"mia", false, true},        {"annx", false, false},
		{"ann-phone", false, false}, {"auto-1234", false, false}, {"benx.ben", false, false},
		{"", false, false},          {".ann", false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span id = span_str(cases[i].id);
		assert_true(policy_own_client_id(id, ann) == cases[i].own);
		assert_true(policy_foreign_client_id(st, id, ann) == cases[i].foreign);
	}
	assert_false(policy_own_client_id(SPAN_LIT(""), SPAN_LIT("")));
	state_free(st);
}

static void words_and_values_are_one_to_one(void **unused) {
	(void)unused;
	for (int role = ROLE_NONE + 1; role < ROLE_KINDS; role++) {
		assert_int_equal(policy_role_by_name(span_str(policy_role_name((enum cred_role)role))),
						 role);
	}
	for (int kind = CRED_NONE + 1; kind < CRED_KINDS; kind++) {
		assert_int_equal(
			policy_cred_kind_by_name(span_str(policy_cred_kind_name((enum cred_kind)kind))), kind);
	}
	assert_int_equal(policy_role_by_name(SPAN_LIT("owner")), ROLE_NONE);
	assert_int_equal(policy_cred_kind_by_name(SPAN_LIT("")), CRED_NONE);
	assert_string_equal(policy_role_name(ROLE_KINDS), "none");
	assert_string_equal(policy_cred_kind_name(CRED_KINDS), "none");
}

static void every_reason_has_its_own_word_and_a_sentence(void **unused) {
	(void)unused;
	for (int r = 0; r < REASON_COUNT; r++) {
		const char *sentence = reason_sentence((enum reason)r);
		if (r == REASON_NO_GRANT + 1) continue; /* given no more */
		assert_non_null(reason_word((enum reason)r));
		assert_int_equal(reason_by_word(span_str(reason_word((enum reason)r))), r);
		assert_true(strlen(sentence) > 5 && sentence[strlen(sentence) - 1] == '.');
	}
	assert_int_equal(reason_by_word(SPAN_LIT("because")), REASON_NONE_GIVEN);
	assert_int_equal(reason_by_word(SPAN_LIT("")), REASON_NONE_GIVEN);
	assert_string_equal(reason_word((enum reason)(REASON_NO_GRANT + 1)), "none_given");
	assert_string_equal(reason_word(REASON_COUNT), "none_given");
	assert_string_equal(reason_sentence(REASON_COUNT), reason_sentence(REASON_NONE_GIVEN));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_of_two_tokens_proves_a_name_and_no_other),
		cmocka_unit_test(i3_a_token_counts_after_its_commit),
		cmocka_unit_test(a_certificate_proves_the_name_of_a_credential_in_use),
		cmocka_unit_test(i1_nobody_connects_to_a_state_that_cannot_decide),
		cmocka_unit_test(i15_a_client_id_in_anothers_namespace_is_foreign),
		cmocka_unit_test(words_and_values_are_one_to_one),
		cmocka_unit_test(every_reason_has_its_own_word_and_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
