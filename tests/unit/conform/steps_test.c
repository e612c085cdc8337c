/* Claims of clients/conform/steps.h and rules.h that need hours, or a broker that errs: time and
 * packets are the test's own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clients/conform/rules_impl.h"
#include "clients/conform/steps.h"

#define B(s) span_of((s), sizeof(s) - 1)

struct bench {
	struct checks checks;
	struct pulls pulls;
	struct rules rules;
	struct rules_conn conn;
	struct settings settings;
	struct steps steps;
	struct moment now;
};

static int set_up(void **state) {
	static char always[] = "true";
	struct bench *b = calloc(1, sizeof(*b));
	assert_non_null(b);
	settings_init(&b->settings);
	b->settings.stop_cmd = always; /* nobody is asked: ring, motion and clip are left out */
	struct codec *codec = codec_new();
	pulls_init(&b->pulls, &b->checks, codec, "front");
	rules_init(&b->rules, &b->checks, codec, &b->pulls, "front");
	assert_int_equal(steps_init(&b->steps, &b->settings, &b->rules), ERR_NONE);
	b->now = (struct moment){1795000000000, 1000, true};
	*state = b;
	return 0;
}

static int tear_down(void **state) {
	struct bench *b = *state;
	steps_fini(&b->steps);
	pulls_fini(&b->pulls);
	codec_free(b->rules.codec);
	free(b);
	return 0;
}

static bool pass(struct bench *b, int64_t ms) {
	b->now.boot_ms += ms;
	return steps_tick(&b->steps, b->now);
}

static void come(struct bench *b) {
	rules_open(&b->rules, &b->conn);
	b->conn.admitted = b->conn.status_said = true;
	b->conn.filters = RULES_FILTERS;
	b->steps.conn = &b->conn;
	b->steps.admitted_ms = b->now.boot_ms;
}

static void device_that_stays_away_fails_reconnect(void **state) {
	struct bench *b = *state;
	come(b);
	assert_true(pass(b, 0));
	for (int i = 0; i < 100 && !b->steps.cut; i++) assert_true(pass(b, 600));
	assert_true(b->steps.cut);
	b->steps.cut = false;
	b->steps.conn = NULL;
	assert_true(pass(b, 100));
	assert_true(pass(b, 89000)); /* it may wait for 60 s */
	assert_false(checks_has_failed(&b->checks, CHECK_RECONNECT));
	assert_false(pass(b, 2000));
	assert_true(checks_has_failed(&b->checks, CHECK_RECONNECT));
}

static void device_that_returns_late_passes_reconnect(void **state) {
	struct bench *b = *state;
	come(b);
	assert_true(pass(b, 0));
	for (int i = 0; i < 100 && !b->steps.cut; i++) assert_true(pass(b, 600));
	b->steps.cut = false;
	b->steps.conn = NULL;
	assert_true(pass(b, 100));
	assert_true(pass(b, 70000));
	come(b);
	assert_true(pass(b, 100));
	assert_true(b->checks.all[CHECK_RECONNECT].seen);
	assert_false(checks_has_failed(&b->checks, CHECK_RECONNECT));
}

static void device_that_never_comes_ends_the_run(void **state) {
	struct bench *b = *state;
	assert_true(pass(b, 0));
	assert_true(pass(b, b->settings.patience_ms));
	assert_false(pass(b, 1));
}

static void hear(struct bench *b, struct span connect) {
	struct buf answer;
	struct packet p = {.type = PACKET_CONNECT, .body = connect};
	buf_init(&answer, 64);
	rules_open(&b->rules, &b->conn);
	assert_int_equal(rules_from_device(&b->rules, &b->conn, &p, 1, &answer), RULES_PASS);
	buf_fini(&answer);
}

static void username_and_password_must_be_there(void **state) {
	struct bench *b = *state;
	hear(b, B("\0\4MQTT\5\xc2\0\x1e\0\0\5front\0\5front\0\1k"));
	assert_false(checks_has_failed(&b->checks, CHECK_USERNAME));
	assert_true(b->checks.all[CHECK_USERNAME].seen && b->checks.all[CHECK_CLIENT_ID].seen);
	hear(b, B("\0\4MQTT\5\x82\0\x1e\0\0\5front\0\5front"));
	assert_true(checks_has_failed(&b->checks, CHECK_USERNAME));
	b->checks = (struct checks){0};
	hear(b, B("\0\4MQTT\5\xc2\0\x1e\0\0\5front\0\5fronz\0\1k"));
	assert_true(checks_has_failed(&b->checks, CHECK_USERNAME));
}

static void client_id_that_the_broker_takes_is_nobody_elses(void **state) {
	struct bench *b = *state;
	struct packet yes = {.type = PACKET_CONNACK, .body = B("\0\0\0")};
	struct packet no = {.type = PACKET_CONNACK, .body = B("\0\x87\0")};
	hear(b, B("\0\4MQTT\5\xc2\0\x1e\0\0\5drawn\0\5front\0\1k"));
	assert_false(b->checks.all[CHECK_CLIENT_ID].seen);
	assert_int_equal(rules_from_broker(&b->rules, &b->conn, &yes, 2), RULES_PASS);
	assert_true(b->checks.all[CHECK_CLIENT_ID].seen);
	hear(b, B("\0\4MQTT\5\xc2\0\x1e\0\0\5frank\0\5front\0\1k"));
	assert_int_equal(rules_from_broker(&b->rules, &b->conn, &no, 2), RULES_PASS);
	assert_true(checks_has_failed(&b->checks, CHECK_CLIENT_ID));
	assert_false(checks_has_failed(&b->checks, CHECK_ADMITTED));
}

static void protocol_that_is_too_old_fails_packets(void **state) {
	struct bench *b = *state;
	hear(b, B("\0\6MQIsdp\3\2\0\x1e\0\1a"));
	assert_true(checks_has_failed(&b->checks, CHECK_PACKETS));
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(device_that_stays_away_fails_reconnect),
		T(device_that_returns_late_passes_reconnect),
		T(device_that_never_comes_ends_the_run),
		T(username_and_password_must_be_there),
		T(client_id_that_the_broker_takes_is_nobody_elses),
		T(protocol_that_is_too_old_fails_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
