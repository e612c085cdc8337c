/* Copies for clients that a kick has sent away: kept in order, asked about again, never too many. */
#include "plugin/resend.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/plugin/broker_stub.h"

static struct resend *r;
static bool leaving, allowed;
static size_t sent;
static char last_topic[64];

static int fresh(void **state) {
	(void)state;
	r = resend_new(1, 2);
	leaving = false;
	allowed = true;
	sent = 0;
	return r ? 0 : -1;
}

static int done(void **state) {
	(void)state;
	resend_free(r);
	return 0;
}

static struct moment at(int64_t boot_ms) {
	return (struct moment){.utc_ms = 1000000 + boot_ms, .boot_ms = boot_ms, .sound = true};
}

static bool is_leaving(void *ctx, const char *client_id) {
	(void)ctx;
	(void)client_id;
	return leaving;
}

static bool may_go(void *ctx, const struct outbound_packet *p) {
	(void)ctx;
	assert_string_equal(p->client_id, "alarm.a");
	return allowed;
}

static bool take(void *ctx, const struct outbound_packet *p) {
	(void)ctx;
	sent++;
	assert_true(span_copy(span_str(p->topic), last_topic, sizeof(last_topic)));
	free(p->payload);
	return true;
}

static void tick(int64_t boot_ms) {
	const struct resend_world w = {.is_leaving = is_leaving, .may_go = may_go, .send = take};
	resend_tick(r, at(boot_ms), &w);
}

static enum err put(const char *topic) {
	return resend_put(r, SPAN_LIT("alarm.a"), span_str(topic), SPAN_LIT("payload"), 1);
}

static void copies_follow_in_order_once_the_client_is_back(void **state) {
	(void)state;
	assert_int_equal(put("early"), ERR_ABSENT);
	assert_true(resend_is_idle(r));
	resend_away(r, SPAN_LIT("alarm.a"), at(1));
	assert_int_equal(put("first"), ERR_NONE);
	assert_int_equal(put("second"), ERR_NONE);
	tick(20);
	assert_int_equal(sent, 0);
	resend_back(r, SPAN_LIT("alarm.a"), false);
	assert_int_equal(put("third"), ERR_NONE); /* not before those that wait */
	tick(40);
	assert_int_equal(sent, 3);
	assert_string_equal(last_topic, "third");
	assert_true(resend_is_idle(r));
	assert_int_equal(put("late"), ERR_ABSENT);
}

static void nothing_follows_before_the_second_kick(void **state) {
	(void)state;
	resend_away(r, SPAN_LIT("alarm.a"), at(1));
	resend_back(r, SPAN_LIT("alarm.a"), false);
	leaving = true;
	tick(20);
	assert_int_equal(put("between"), ERR_NONE);
	resend_away(r, SPAN_LIT("alarm.a"), at(30));
	leaving = false;
	tick(40);
	assert_int_equal(sent, 0);
	resend_back(r, SPAN_LIT("alarm.a"), false);
	tick(60);
	assert_int_equal(sent, 1);
}

static void i5_what_may_not_go_any_more_is_dropped(void **state) {
	(void)state;
	resend_away(r, SPAN_LIT("alarm.a"), at(1));
	assert_int_equal(put("retracted"), ERR_NONE);
	resend_back(r, SPAN_LIT("alarm.a"), false);
	allowed = false;
	tick(20);
	assert_int_equal(sent, 0);
	assert_true(resend_is_idle(r));
}

static void clean_start_ends_it(void **state) {
	(void)state;
	resend_away(r, SPAN_LIT("alarm.a"), at(1));
	assert_int_equal(put("old"), ERR_NONE);
	resend_back(r, SPAN_LIT("alarm.a"), true);
	assert_true(resend_is_idle(r));
	tick(20);
	assert_int_equal(sent, 0);
}

static void who_stays_away_gets_them_from_the_broker(void **state) {
	(void)state;
	resend_away(r, SPAN_LIT("alarm.a"), at(1));
	assert_int_equal(put("waits"), ERR_NONE);
	tick(RESEND_AWAY_MS);
	assert_int_equal(sent, 0);
	tick(RESEND_AWAY_MS + 11);
	assert_int_equal(sent, 1);
	assert_true(resend_is_idle(r));
}

static void limits_hold_and_copies_go_out_in_parts(void **state) {
	(void)state;
	resend_away(r, SPAN_LIT("alarm.a"), at(1));
	for (int i = 0; i < RESEND_PER_CLIENT; i++) assert_int_equal(put("copy"), ERR_NONE);
	assert_int_equal(put("one more"), ERR_LIMIT);
	resend_back(r, SPAN_LIT("alarm.a"), false);
	tick(20);
	assert_int_equal(sent, RESEND_AT_ONCE);
	tick(20 + RESEND_EVERY_MS - 1);
	assert_int_equal(sent, RESEND_AT_ONCE);
	tick(20 + RESEND_EVERY_MS + 10);
	assert_int_equal(sent, 2 * RESEND_AT_ONCE);
	assert_int_equal(put("room again"), ERR_NONE);
}

static void bytes_have_a_limit_over_all_clients(void **state) {
	static uint8_t payload[1 << 20];
	char id[16];
	int taken = 0;
	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(id, sizeof(id), "alarm.%d", i);
		resend_away(r, span_str(id), at(1));
		if (resend_put(r, span_str(id), SPAN_LIT("t"), span_of(payload, sizeof(payload)), 0) ==
			ERR_NONE)
			taken++;
	}
	assert_int_equal(taken, RESEND_BYTES_MAX / (1 << 20) - 1); /* names count, too */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(copies_follow_in_order_once_the_client_is_back),
		TEST(nothing_follows_before_the_second_kick),
		TEST(i5_what_may_not_go_any_more_is_dropped),
		TEST(clean_start_ends_it),
		TEST(who_stays_away_gets_them_from_the_broker),
		TEST(limits_hold_and_copies_go_out_in_parts),
		TEST(bytes_have_a_limit_over_all_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
