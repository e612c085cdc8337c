/* When a claim is sent, again and no more, and what it is told to have become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/sdk/claim.h"

static const uint8_t id[UUID_BYTES] = {1, 2, 3};

static struct moment at(int64_t ms) {
	return (struct moment){.utc_ms = ms, .boot_ms = ms, .sound = true};
}

static void begin(struct claim *c, enum vestibule_claim what) {
	struct buf bytes;
	buf_init(&bytes, 16);
	buf_str(&bytes, "words");
	claim_init(c);
	claim_set(c, what, id, &bytes);
	buf_fini(&bytes);
}

static struct span own_id(void) {
	return span_of(id, sizeof id);
}

static void nothing_is_due_without_a_claim(void **state) {
	(void)state;
	struct claim c;
	struct vestibule_claimed out;
	claim_init(&c);
	assert_false(claim_next(&c, at(5)));
	assert_false(claim_settle(&c, at(5), &out));
	assert_false(claim_recorded(&c, own_id()));
	claim_not_let_in(&c);
	assert_false(claim_settle(&c, at(5), &out));
	assert_true(claim_due_ms(&c, true) == INT64_MAX);
	claim_fini(&c);
}

static void claim_is_sent_again_until_it_is_answered(void **state) {
	(void)state;
	struct claim c;
	struct vestibule_claimed out;
	begin(&c, VESTIBULE_FIRST_ADMIN);
	assert_true(claim_due_ms(&c, false) == INT64_MAX);
	assert_true(claim_next(&c, at(1000)));
	assert_string_equal(buf_cstr(&c.bytes), "words");
	assert_false(claim_next(&c, at(1000))); /* it is out */
	claim_sent(&c, 0x10, at(1100));
	assert_false(claim_next(&c, at(1100 + CLAIM_AGAIN_MS - 1)));
	assert_int_equal(claim_due_ms(&c, true), 1100 + CLAIM_AGAIN_MS);
	assert_true(claim_next(&c, at(1100 + CLAIM_AGAIN_MS)));
	claim_offline(&c);
	assert_true(claim_next(&c, at(1200))); /* at once with the next connection */
	claim_sent(&c, -1, at(1300));
	assert_false(claim_settle(&c, at(99000), &out));
	assert_false(claim_recorded(&c, SPAN_LIT("another event id")));
	assert_true(claim_recorded(&c, own_id()));
	assert_false(claim_next(&c, at(99000)));
	assert_true(claim_settle(&c, at(99000), &out));
	assert_int_equal(out.what, VESTIBULE_FIRST_ADMIN);
	assert_int_equal(out.outcome, VESTIBULE_RECORDED);
	assert_string_equal(out.reason, "");
	assert_false(claim_settle(&c, at(99000), &out)); /* once */
	claim_fini(&c);
}

static void refusal_waits_shortly_for_its_reason(void **state) {
	(void)state;
	struct claim c;
	struct vestibule_claimed out;
	begin(&c, VESTIBULE_FIRST_ADMIN);
	assert_true(claim_next(&c, at(1000)));
	claim_sent(&c, 0x87, at(1000));
	assert_false(claim_settle(&c, at(1000), &out));
	assert_false(claim_next(&c, at(1000)));
	assert_true(
		claim_denied(&c, own_id(), SPAN_LIT("lived_in"), SPAN_LIT("Somebody does."), at(1001)));
	assert_true(claim_settle(&c, at(1001), &out));
	assert_int_equal(out.outcome, VESTIBULE_REFUSED);
	assert_string_equal(out.reason, "lived_in");
	assert_string_equal(out.sentence, "Somebody does.");
	claim_fini(&c);
	begin(&c, VESTIBULE_FIRST_ADMIN);
	assert_true(claim_next(&c, at(1000)));
	claim_sent(&c, 0x87, at(1000));
	assert_false(claim_settle(&c, at(1000 + CLAIM_DENIAL_MS - 1), &out));
	assert_true(claim_settle(&c, at(1000 + CLAIM_DENIAL_MS), &out));
	assert_string_equal(out.reason, "not_given");
	claim_fini(&c);
}

static void reason_that_passes_is_no_end(void **state) {
	(void)state;
	static const char *const words[] = {"not_ready", "not_durable", "busy", "rate"};
	struct vestibule_claimed out;
	for (size_t i = 0; i < 4; i++) {
		struct claim c;
		begin(&c, VESTIBULE_RESET);
		assert_true(claim_next(&c, at(1000)));
		claim_sent(&c, 0x87, at(1000));
		assert_true(claim_denied(&c, own_id(), span_str(words[i]), SPAN_LIT("."), at(1001)));
		assert_false(claim_settle(&c, at(1000 + CLAIM_DENIAL_MS), &out));
		assert_true(claim_next(&c, at(1001 + CLAIM_AGAIN_MS)));
		claim_fini(&c);
	}
}

static void only_a_reset_that_was_sent_ends_with_the_login(void **state) {
	(void)state;
	struct claim c;
	struct vestibule_claimed out;
	begin(&c, VESTIBULE_RESET);
	assert_true(claim_next(&c, at(1000)));
	claim_offline(&c); /* the PUBACK never came */
	claim_not_let_in(&c);
	assert_true(claim_settle(&c, at(1000), &out));
	assert_int_equal(out.outcome, VESTIBULE_RECORDED);
	claim_fini(&c);
	begin(&c, VESTIBULE_RESET);
	claim_not_let_in(&c);
	assert_true(claim_settle(&c, at(1000), &out));
	assert_int_equal(out.outcome, VESTIBULE_REFUSED);
	assert_string_equal(out.reason, "not_let_in");
	claim_fini(&c);
	begin(&c, VESTIBULE_FIRST_ADMIN);
	assert_true(claim_next(&c, at(1000)));
	claim_not_let_in(&c);
	assert_true(claim_settle(&c, at(1000), &out));
	assert_int_equal(out.outcome, VESTIBULE_REFUSED);
	claim_fini(&c);
}

static void end_of_a_claim_that_was_replaced_says_nothing_about_the_new_one(void **state) {
	(void)state;
	struct claim c;
	struct buf bytes;
	struct vestibule_claimed out;
	begin(&c, VESTIBULE_FIRST_ADMIN);
	assert_true(claim_next(&c, at(1000)));
	buf_init(&bytes, 16);
	buf_str(&bytes, "reset");
	claim_set(&c, VESTIBULE_RESET, (const uint8_t[UUID_BYTES]){9}, &bytes);
	assert_false(claim_next(&c, at(1000))); /* the old one is still leaving */
	claim_sent(&c, 0x87, at(1001));
	assert_false(claim_denied(&c, own_id(), SPAN_LIT("lived_in"), SPAN_LIT("."), at(1001)));
	assert_false(claim_settle(&c, at(1001 + CLAIM_DENIAL_MS), &out));
	assert_true(claim_next(&c, at(1001)));
	claim_fini(&c);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_without_a_claim),
		cmocka_unit_test(claim_is_sent_again_until_it_is_answered),
		cmocka_unit_test(refusal_waits_shortly_for_its_reason),
		cmocka_unit_test(reason_that_passes_is_no_end),
		cmocka_unit_test(only_a_reset_that_was_sent_ends_with_the_login),
		cmocka_unit_test(end_of_a_claim_that_was_replaced_says_nothing_about_the_new_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
