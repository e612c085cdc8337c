/* Whom a device belongs to, on its disk: every step, and every place at which a crash can leave it. */
#include "../sdk/scratch.h"

#include "clients/doorbell/enrolment.h"
#include "clients/seal/identity.h"

struct bench {
	char dir[64];
	char keys[80];
	struct enrolment *e;
	char why[KEEP_WHY_SIZE];
};

static int setup(void **state) {
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	scratch_dir(b->dir);
	(void)snprintf(b->keys, sizeof b->keys, "%s/keys", b->dir);
	b->e = enrolment_open(b->keys, b->why);
	assert_non_null(b->e);
	*state = b;
	return 0;
}

static int teardown(void **state) {
	struct bench *b = *state;
	enrolment_close(b->e);
	scratch_remove(b->dir);
	free(b);
	return 0;
}

static void reopen(struct bench *b) {
	enrolment_close(b->e);
	b->e = enrolment_open(b->keys, b->why);
	assert_non_null(b->e);
}

static bool has(const struct bench *b, const char *name) {
	char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", b->keys, name);
	return access(path, F_OK) == 0;
}

static void put(const struct bench *b, const char *name, const char *text) {
	char path[128], why[KEEP_WHY_SIZE];
	(void)snprintf(path, sizeof path, "%s/%s", b->keys, name);
	assert_int_equal(keep_write(path, span_str(text), KEEP_REPLACE, why), ERR_NONE);
}

static void drop(const struct bench *b, const char *name) {
	char path[128], why[KEEP_WHY_SIZE];
	(void)snprintf(path, sizeof path, "%s/%s", b->keys, name);
	assert_int_equal(keep_remove(path, why), ERR_NONE);
}

static struct offer offer_of(const char *username, uint8_t hash) {
	struct offer o = {.count = 1};
	struct identity id;
	assert_int_equal(identity_draw(&id), ERR_NONE);
	assert_int_equal(identity_recipient(&id, o.recipients[0]), ERR_NONE);
	(void)snprintf(o.username, sizeof o.username, "%s", username);
	memset(o.token_sha256, hash, sizeof o.token_sha256);
	return o;
}

static void a_new_device_has_a_key_and_a_code_that_stay(void **state) {
	struct bench *b = *state;
	struct code one, two;
	uint8_t key[SIGNER_PUBLIC_BYTES];
	memcpy(key, enrolment_key(b->e), sizeof key);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_UNCLAIMED);
	assert_true(enrolment_code(b->e, &one));
	reopen(b);
	assert_true(enrolment_code(b->e, &two));
	assert_memory_equal(&one, &two, sizeof one);
	assert_memory_equal(key, enrolment_key(b->e), sizeof key);
	assert_int_equal(enrolment_recipients(b->e), 0);
}

static void a_waiting_offer_survives_and_admits_no_other(void **state) {
	struct bench *b = *state;
	struct offer alice = offer_of("alice", 1), got, other = alice;
	assert_int_equal(enrolment_hold(b->e, &alice, b->why), ERR_NONE);
	reopen(b);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_PENDING);
	assert_true(enrolment_pending(b->e, &got));
	assert_memory_equal(&got, &alice, sizeof got);
	assert_int_equal(enrolment_hold(b->e, &alice, b->why), ERR_NONE);
	(void)snprintf(other.username, sizeof other.username, "bob");
	assert_int_equal(enrolment_hold(b->e, &other, b->why), ERR_INPUT);
	other = alice;
	other.token_sha256[31] ^= 1;
	assert_int_equal(enrolment_hold(b->e, &other, b->why), ERR_INPUT);
	assert_int_equal(enrolment_recipients(b->e), 0); /* nothing is pinned before the broker's yes */
}

static void a_refused_offer_leaves_the_code_alive(void **state) {
	struct bench *b = *state;
	struct offer alice = offer_of("alice", 1);
	struct code one, two;
	assert_true(enrolment_code(b->e, &one));
	assert_int_equal(enrolment_drop(b->e, b->why), ERR_INPUT);
	assert_int_equal(enrolment_hold(b->e, &alice, b->why), ERR_NONE);
	assert_int_equal(enrolment_drop(b->e, b->why), ERR_NONE);
	reopen(b);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_UNCLAIMED);
	assert_true(enrolment_code(b->e, &two));
	assert_memory_equal(&one, &two, sizeof one);
}

static void the_code_dies_with_the_claim_and_recipients_never_change(void **state) {
	struct bench *b = *state;
	struct offer alice = offer_of("alice", 1), other = offer_of("", 0);
	struct code code;
	assert_int_equal(enrolment_hold(b->e, &alice, b->why), ERR_NONE);
	assert_int_equal(enrolment_claim(b->e, NULL, b->why), ERR_NONE);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(enrolment_state(b->e), ENROLMENT_CLAIMED);
		assert_int_equal(enrolment_recipients(b->e), 1);
		assert_false(enrolment_code(b->e, &code));
		assert_false(has(b, "claim.code") || has(b, "claim.pending"));
		assert_int_equal(enrolment_hold(b->e, &other, b->why), ERR_INPUT);
		assert_int_equal(enrolment_claim(b->e, &other, b->why), ERR_INPUT);
		assert_int_equal(enrolment_claim(b->e, NULL, b->why), ERR_INPUT);
		assert_int_equal(enrolment_renew(b->e, b->why), ERR_INPUT);
		reopen(b);
	}
}

static void a_reset_forgets_all_and_draws_anew(void **state) {
	struct bench *b = *state;
	struct offer home = offer_of("", 0);
	struct code old, new;
	uint8_t key[SIGNER_PUBLIC_BYTES];
	memcpy(key, enrolment_key(b->e), sizeof key);
	assert_true(enrolment_code(b->e, &old));
	assert_int_equal(enrolment_claim(b->e, &home, b->why), ERR_NONE);
	assert_int_equal(enrolment_reset(b->e, b->why), ERR_NONE);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(enrolment_state(b->e), ENROLMENT_RESETTING);
		assert_false(has(b, "recipients") || has(b, "claim.code"));
		assert_int_equal(enrolment_hold(b->e, &home, b->why), ERR_INPUT);
		assert_int_equal(enrolment_claim(b->e, &home, b->why), ERR_INPUT);
		assert_false(enrolment_code(b->e, &new));
		reopen(b);
	}
	assert_int_equal(enrolment_renew(b->e, b->why), ERR_NONE);
	reopen(b);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_UNCLAIMED);
	assert_true(enrolment_code(b->e, &new));
	assert_memory_not_equal(&old, &new, sizeof old);
	assert_memory_not_equal(key, enrolment_key(b->e), sizeof key);
}

/* Between two files of one step. */
static void a_crash_between_two_files_is_put_in_order(void **state) {
	struct bench *b = *state;
	struct offer alice = offer_of("alice", 1);
	char text[OFFER_TEXT_MAX], list[OFFER_TEXT_MAX], code[CODE_TEXT_SIZE + 1];
	struct code c;
	assert_true(enrolment_code(b->e, &c));
	code_text(&c, code);
	struct span pending = offer_text(&alice, true, text),
				recipients = offer_text(&alice, false, list);
	text[pending.len] = list[recipients.len] = '\0';
	/* the claim: recipients are there, the rest has not gone */
	assert_int_equal(enrolment_hold(b->e, &alice, b->why), ERR_NONE);
	put(b, "recipients", list);
	reopen(b);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_CLAIMED);
	assert_false(has(b, "claim.code") || has(b, "claim.pending"));
	/* the reset: all the rest is still there */
	code[CODE_TEXT_SIZE - 1] = '\n';
	code[CODE_TEXT_SIZE] = '\0';
	put(b, "claim.code", code);
	put(b, "claim.pending", text);
	put(b, "reset", "reset\n");
	reopen(b);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_RESETTING);
	assert_false(has(b, "recipients") || has(b, "claim.code") || has(b, "claim.pending"));
	/* the renewal: key and code are new, or gone, and the mark is still there */
	drop(b, "device.key");
	reopen(b);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_RESETTING);
	assert_int_equal(enrolment_renew(b->e, b->why), ERR_NONE);
	assert_int_equal(enrolment_state(b->e), ENROLMENT_UNCLAIMED);
}

static void refuse(struct bench *b, const char *name, const char *text) {
	enrolment_close(b->e);
	put(b, name, text);
	b->e = enrolment_open(b->keys, b->why);
	assert_null(b->e);
	assert_non_null(strstr(b->why, name));
}

static void a_damaged_file_stops_the_start(void **state) {
	struct bench *b = *state;
	struct offer alice = offer_of("alice", 1);
	char text[OFFER_TEXT_MAX], cut[OFFER_TEXT_MAX];
	refuse(b, "claim.code", "0000\n");
	drop(b, "claim.code");
	struct span whole = offer_text(&alice, true, text);
	for (size_t n = 0; n < whole.len; n++) {
		memcpy(cut, text, n);
		cut[n] = '\0';
		refuse(b, "claim.pending", cut);
	}
	drop(b, "claim.pending");
	refuse(b, "recipients", "");
	refuse(b, "recipients", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj");
	refuse(b, "recipients", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwq\n");
	drop(b, "recipients");
	refuse(b, "device.key", "# \n00\n");
}

static void a_claimed_device_without_its_key_does_not_start_as_another(void **state) {
	struct bench *b = *state;
	struct offer home = offer_of("", 0);
	assert_int_equal(enrolment_claim(b->e, &home, b->why), ERR_NONE);
	enrolment_close(b->e);
	drop(b, "device.key");
	b->e = enrolment_open(b->keys, b->why);
	assert_null(b->e);
	assert_non_null(strstr(b->why, "reset"));
}

static void a_folder_that_others_may_write_to_is_refused(void **state) {
	struct bench *b = *state;
	enrolment_close(b->e);
	assert_int_equal(chmod(b->keys, 0770), 0);
	b->e = enrolment_open(b->keys, b->why);
	assert_null(b->e);
}

#define RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

static void an_offer_with_a_recipient_that_is_none_is_refused(void **state) {
	(void)state;
	Vestibule__V1__EnrolRecipient r[2] = {VESTIBULE__V1__ENROL_RECIPIENT__INIT,
										  VESTIBULE__V1__ENROL_RECIPIENT__INIT};
	Vestibule__V1__EnrolRecipient *list[] = {&r[0], &r[1]};
	Vestibule__V1__EnrolHome m = VESTIBULE__V1__ENROL_HOME__INIT;
	struct offer o;
	char other[] = RECIPIENT;
	r[0].recipient = r[1].recipient = (char *)(uintptr_t)RECIPIENT;
	m.recipients = list;
	assert_int_equal(offer_take(&m, &o), ERR_INPUT); /* none */
	m.n_recipients = 1;
	assert_int_equal(offer_take(&m, &o), ERR_NONE);
	assert_int_equal(o.count, 1);
	assert_string_equal(o.username, "");
	m.n_recipients = 2;
	assert_int_equal(offer_take(&m, &o), ERR_INPUT); /* twice the same */
	other[20] = other[20] == 'q' ? 'p' : 'q';        /* its checksum is wrong */
	r[1].recipient = other;
	assert_int_equal(offer_take(&m, &o), ERR_INPUT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_new_device_has_a_key_and_a_code_that_stay),
		TEST(a_waiting_offer_survives_and_admits_no_other),
		TEST(a_refused_offer_leaves_the_code_alive),
		TEST(the_code_dies_with_the_claim_and_recipients_never_change),
		TEST(a_reset_forgets_all_and_draws_anew),
		TEST(a_crash_between_two_files_is_put_in_order),
		TEST(a_damaged_file_stops_the_start),
		TEST(a_claimed_device_without_its_key_does_not_start_as_another),
		TEST(a_folder_that_others_may_write_to_is_refused),
		cmocka_unit_test(an_offer_with_a_recipient_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
