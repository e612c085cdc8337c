/* The files of a resident: keys once drawn stay, a claim that heard no answer can be taken up again,
 * and another key under a device's name is seen. */
#include "../sdk/scratch.h"

#include "clients/home/pin.h"
#include "clients/home/proof.h"
#include "clients/home/setup.h"
#include "clients/seal/identity.h"

#define OTHER "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

struct bench {
	char dir[64];
	struct setup setup;
	struct settings set;
};

static int set_up(void **state) {
	struct bench *b = calloc(1, sizeof *b);
	assert_non_null(b);
	scratch_dir(b->dir);
	assert_int_equal(setenv("XDG_CONFIG_HOME", b->dir, 1), 0);
	assert_int_equal(setup_open(&b->setup, &b->set), EXIT_RECORDED);
	*state = b;
	return 0;
}

static int tear_down(void **state) {
	struct bench *b = *state;
	scratch_remove(b->dir);
	free(b);
	return 0;
}

static void the_own_recipient_stays(void **state) {
	struct bench *b = *state;
	struct setup again;
	assert_int_equal(setup_recipients(&b->setup, &b->set), EXIT_RECORDED);
	assert_int_equal(b->setup.count, 1);
	assert_int_equal(setup_open(&again, &b->set), EXIT_RECORDED);
	assert_int_equal(setup_recipients(&again, &b->set), EXIT_RECORDED);
	assert_string_equal(again.recipients[0], b->setup.recipients[0]);
}

static void further_recipients_are_checked(void **state) {
	struct bench *b = *state;
	b->set.recipients = (struct opt_list){.items = {OTHER}, .count = 1};
	assert_int_equal(setup_recipients(&b->setup, &b->set), EXIT_RECORDED);
	assert_int_equal(b->setup.count, 2);
	b->setup.count = 0;
	b->set.recipients = (struct opt_list){.items = {OTHER, OTHER}, .count = 2};
	assert_int_equal(setup_recipients(&b->setup, &b->set), EXIT_USAGE);
	b->setup.count = 0;
	b->set.recipients = (struct opt_list){.items = {"age1nonsense"}, .count = 1};
	assert_int_equal(setup_recipients(&b->setup, &b->set), EXIT_USAGE);
	b->setup.count = 0;
	char many[SETUP_RECIPIENTS_MAX][RECIPIENT_TEXT_SIZE];
	b->set.recipients.count = SETUP_RECIPIENTS_MAX;
	for (size_t i = 0; i < SETUP_RECIPIENTS_MAX; i++) {
		struct identity id;
		assert_int_equal(identity_draw(&id), ERR_NONE);
		assert_int_equal(identity_recipient(&id, many[i]), ERR_NONE);
		b->set.recipients.items[i] = many[i];
	}
	assert_int_equal(setup_recipients(&b->setup, &b->set), EXIT_USAGE);
	b->setup.count = 0;
	b->set.recipients.count--; /* beside the own one */
	assert_int_equal(setup_recipients(&b->setup, &b->set), EXIT_RECORDED);
	assert_int_equal(b->setup.count, SETUP_RECIPIENTS_MAX);
}

static void a_token_is_drawn_once(void **state) {
	struct bench *b = *state;
	uint8_t one[PROOF_SHA256_BYTES], two[PROOF_SHA256_BYTES];
	bool made;
	assert_int_equal(proof_of(b->setup.token, one, &made), EXIT_RECORDED);
	assert_true(made);
	assert_int_equal(proof_of(b->setup.token, two, &made), EXIT_RECORDED);
	assert_false(made);
	assert_memory_equal(one, two, sizeof one);
	setup_undo(&b->setup);
	assert_int_equal(proof_of(b->setup.token, two, &made), EXIT_RECORDED);
	assert_memory_not_equal(one, two, sizeof one);
}

static void a_short_token_is_none_to_begin_with(void **state) {
	struct bench *b = *state;
	uint8_t hash[PROOF_SHA256_BYTES];
	char why[KEEP_WHY_SIZE];
	bool made;
	assert_int_equal(keep_write(b->setup.token, SPAN_LIT("aaaaaaaaaaaaaaaaaaaaa\n"), KEEP_NEW, why),
					 ERR_NONE);
	assert_int_equal(proof_of(b->setup.token, hash, &made), EXIT_USAGE);
	assert_int_equal(
		keep_write(b->setup.token, SPAN_LIT("aaaaaaaaaaaaaaaaaaaaaa\n"), KEEP_REPLACE, why),
		ERR_NONE);
	assert_int_equal(proof_of(b->setup.token, hash, &made), EXIT_RECORDED);
	assert_false(made);
}

static void a_claim_without_an_answer_is_taken_up_again(void **state) {
	struct bench *b = *state;
	struct setup_broker broker = {.host = "broker.example", .username = "alice", .port = 8883}, got;
	(void)snprintf(broker.cafile, sizeof broker.cafile, "%s", b->setup.ca);
	assert_false(setup_read(&b->setup, &got));
	assert_int_equal(setup_write(&b->setup, &b->set, &broker, SPAN_LIT("pem\n")), EXIT_RECORDED);
	assert_int_not_equal(access(b->setup.conf, F_OK), 0);
	assert_true(setup_read(&b->setup, &got));
	assert_string_equal(got.host, broker.host);
	assert_string_equal(got.username, broker.username);
	assert_string_equal(got.cafile, broker.cafile);
	assert_int_equal(got.port, broker.port);
	assert_int_equal(setup_finish(&b->setup), EXIT_RECORDED);
	assert_int_equal(access(b->setup.conf, F_OK), 0);
	assert_false(setup_read(&b->setup, &got));
	assert_int_equal(setup_finish(&b->setup), EXIT_USAGE);
}

static void another_key_of_a_device_is_seen(void **state) {
	struct bench *b = *state;
	char why[KEEP_WHY_SIZE], path[KEEP_PATH_SIZE + 32];
	uint8_t key[PIN_KEY_BYTES] = {1}, other[PIN_KEY_BYTES] = {1};
	other[31] = 1;
	assert_int_equal(pin_check(b->setup.keys, "front", key, why), PIN_NONE);
	assert_int_equal(pin_keep(b->setup.keys, "front", key, why), ERR_NONE);
	assert_int_equal(pin_check(b->setup.keys, "front", key, why), PIN_SAME);
	assert_int_equal(pin_check(b->setup.keys, "front", other, why), PIN_OTHER);
	assert_int_equal(pin_check(b->setup.keys, "back", other, why), PIN_NONE);
	assert_int_equal(pin_keep(b->setup.keys, "front", other, why), ERR_LIMIT);
	(void)snprintf(path, sizeof path, "%s/devices/front.key", b->setup.keys);
	for (const char *bad = "0123"; *bad; bad++) { /* a file that is no key is not "no key" */
		assert_int_equal(keep_write(path, span_str(bad), KEEP_REPLACE, why), ERR_NONE);
		assert_int_equal(pin_check(b->setup.keys, "front", key, why), PIN_UNKNOWN);
	}
	assert_int_equal(pin_forget(b->setup.keys, "front", why), ERR_NONE);
	assert_int_equal(pin_check(b->setup.keys, "front", other, why), PIN_NONE);
	assert_int_equal(pin_forget(b->setup.keys, "front", why), ERR_NONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(the_own_recipient_stays),
		TEST(further_recipients_are_checked),
		TEST(a_token_is_drawn_once),
		TEST(a_claim_without_an_answer_is_taken_up_again),
		TEST(a_short_token_is_none_to_begin_with),
		TEST(a_claim_without_an_answer_is_taken_up_again),
		TEST(another_key_of_a_device_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
