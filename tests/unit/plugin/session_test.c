/* Presence, wills, whose client id it is, and who is kicked. */
#include "plugin/session.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/plugin/broker_stub.h"

#define G1 "01890a5d-0000-7000-8000-000000000001"
#define G2 "01890a5d-0000-7000-8000-000000000002"

static struct sessions *s;
static char clients[400]; /* addresses only */

static int fresh(void **state) {
	(void)state;
	s = sessions_new(1, 2);
	return s ? 0 : -1;
}

static int done(void **state) {
	(void)state;
	sessions_free(s);
	return 0;
}

static struct moment at(int64_t boot_ms) {
	return (struct moment){.utc_ms = 1000000 + boot_ms, .boot_ms = boot_ms, .sound = true};
}

static void login(int client, const char *id, const char *username, enum cred_kind kind) {
	assert_int_equal(
		sessions_add(s, &clients[client], span_str(id), span_str(username), kind, at(1)), ERR_NONE);
}

static void logout(int client, int64_t boot_ms) {
	assert_true(sessions_del(s, &clients[client], at(boot_ms), NULL));
}

static void kicks(bool whole, const char *name) {
	struct session_kick k;
	assert_true(sessions_next_kick(s, &k));
	assert_int_equal(k.whole_username, whole);
	assert_string_equal(k.name, name);
}

static void kicks_after_the_purge(const char *name) {
	struct session_kick k;
	assert_true(sessions_next_purge_kick(s, &k));
	assert_false(k.whole_username);
	assert_string_equal(k.name, name);
}

static void kicks_nobody(void) {
	struct session_kick k;
	assert_false(sessions_next_kick(s, &k));
	assert_false(sessions_next_purge_kick(s, &k));
}

static void presence_follows_the_pointer(void **state) {
	(void)state;
	assert_true(sessions_is_will(s, &clients[0]));
	login(0, "alice.a", "alice", CRED_MEMBER);
	assert_false(sessions_is_will(s, &clients[0]));
	assert_true(sessions_online(s, SPAN_LIT("alice")));
	assert_false(sessions_del(s, &clients[1], at(2), NULL)); /* a failed login of somebody */
	assert_true(sessions_online(s, SPAN_LIT("alice")));
	logout(0, 2);
	assert_false(sessions_online(s, SPAN_LIT("alice")));
	assert_true(sessions_is_will(s, &clients[0]));
	assert_int_equal(sessions_count(s), 0);
}

static void i18_write_of_a_taken_over_pointer_is_its_will(void **state) {
	(void)state;
	login(0, "front", "front", CRED_DEVICE);
	login(1, "front", "front", CRED_DEVICE);
	assert_true(sessions_is_will(s, &clients[0]));
	assert_false(sessions_is_will(s, &clients[1]));
	logout(0, 2);
	assert_false(sessions_is_will(s, &clients[1]));
	assert_true(sessions_online(s, SPAN_LIT("front")));
}

static void same_login_again_changes_nothing(void **state) {
	(void)state;
	login(0, "front", "front", CRED_DEVICE);
	login(0, "front", "front", CRED_DEVICE);
	assert_int_equal(sessions_count(s), 1);
	login(0, "other", "alice", CRED_MEMBER); /* memory of a client that the broker reused */
	assert_int_equal(sessions_count(s), 1);
	assert_false(sessions_online(s, SPAN_LIT("front")));
}

static void i15_stock_id_is_its_last_users_for_fourteen_days(void **state) {
	(void)state;
	struct span id = SPAN_LIT("mosqsub-1"), alice = SPAN_LIT("alice"), bob = SPAN_LIT("bob");
	assert_true(sessions_may_use_id(s, id, alice, at(1)));
	login(0, "mosqsub-1", "bob", CRED_MEMBER);
	assert_false(sessions_may_use_id(s, id, alice, at(1 + SESSION_ID_KEPT_MS)));
	assert_true(sessions_may_use_id(s, id, bob, at(1)));
	logout(0, 100);
	assert_false(sessions_may_use_id(s, id, alice, at(99 + SESSION_ID_KEPT_MS)));
	assert_true(sessions_may_use_id(s, id, alice, at(100 + SESSION_ID_KEPT_MS)));
}

static void ids_in_use_are_never_forgotten(void **state) {
	(void)state;
	login(0, "kept", "bob", CRED_MEMBER);
	for (int i = 1; i < 200; i++) {
		char id[32];
		(void)snprintf(id, sizeof(id), "run-%d", i);
		login(i, id, "bob", CRED_MEMBER);
		logout(i, i);
	}
	assert_false(sessions_may_use_id(s, SPAN_LIT("kept"), SPAN_LIT("alice"), at(500)));
	assert_false(sessions_may_use_id(s, SPAN_LIT("run-199"), SPAN_LIT("alice"), at(500)));
	assert_true(sessions_may_use_id(s, SPAN_LIT("run-1"), SPAN_LIT("alice"), at(500)));
}

static void i5_only_readers_of_the_grant_are_kicked(void **state) {
	(void)state;
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	login(1, "alarm.b", "alarm", CRED_INTEGRATOR);
	sessions_routed(s, &clients[0], G1);
	sessions_routed(s, &clients[1], G2);
	sessions_routed(s, &clients[9], G1); /* offline: its purge asks READ */
	sessions_kick_grant(s, G1);
	kicks(false, "alarm.a");
	kicks_nobody();
}

static void many_grants_are_remembered(void **state) {
	(void)state;
	char grant[ROW_UUID_SIZE];
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	for (int i = 0; i < 1000; i += 2) {
		(void)snprintf(grant, sizeof(grant), "01890a5d-0000-7000-8000-%012x", (unsigned)i + 1);
		sessions_routed(s, &clients[0], grant);
	}
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(grant, sizeof(grant), "01890a5d-0000-7000-8000-%012x", (unsigned)i + 1);
		sessions_kick_grant(s, grant);
		if (i % 2 == 0)
			kicks(false, "alarm.a");
		else
			kicks_nobody();
	}
}

static void ended_credential_loses_every_connection(void **state) {
	(void)state;
	login(0, "alice.a", "alice", CRED_MEMBER);
	login(1, "bob.a", "bob", CRED_MEMBER);
	sessions_kick_username(s, SPAN_LIT("alice"));
	sessions_kick_username(s, SPAN_LIT("nobody"));
	kicks(true, "alice");
	kicks_nobody();
}

static void kick_by_id_never_meets_the_successor(void **state) {
	(void)state;
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	sessions_routed(s, &clients[0], G1);
	sessions_kick_grant(s, G1);
	login(1, "alarm.a", "alarm", CRED_INTEGRATOR);
	kicks_nobody();
	logout(0, 2);
	logout(1, 2);
}

static void listed_client_that_left_is_not_kicked(void **state) {
	(void)state;
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	sessions_routed(s, &clients[0], G1);
	sessions_kick_grant(s, G1);
	logout(0, 2);
	kicks_nobody();
}

static void i5_denied_purge_is_kicked_once_more(void **state) {
	(void)state;
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	sessions_read_denied(s, &clients[0]);
	sessions_read_denied(s, &clients[0]);
	kicks_after_the_purge("alarm.a");
	kicks_nobody();
	logout(0, 3);
	login(1, "alarm.a", "alarm", CRED_INTEGRATOR);
	kicks_nobody();                       /* what was refused is gone: nothing to refuse, no kick */
	sessions_read_denied(s, &clients[1]); /* of another home, that took its grant back meanwhile */
	kicks_after_the_purge("alarm.a");
	kicks_nobody();
}

static void who_is_connected_with_an_id_and_about_to_go(void **state) {
	bool leaving;
	(void)state;
	assert_null(sessions_with_id(s, SPAN_LIT("alarm.a"), &leaving));
	assert_false(leaving);
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	assert_ptr_equal(sessions_with_id(s, SPAN_LIT("alarm.a"), &leaving)->client, &clients[0]);
	assert_false(leaving);
	assert_true(sessions_is_purging(s, &clients[0]));
	sessions_read_denied(s, &clients[0]);
	(void)sessions_with_id(s, SPAN_LIT("alarm.a"), &leaving);
	assert_true(leaving);
	kicks_after_the_purge("alarm.a");
	(void)sessions_with_id(s, SPAN_LIT("alarm.a"), &leaving);
	assert_false(leaving);
	sessions_purge_end(s);
	assert_false(sessions_is_purging(s, &clients[0]));
	logout(0, 3);
	assert_null(sessions_with_id(s, SPAN_LIT("alarm.a"), &leaving));
}

static void i5_kick_of_a_grant_is_not_put_off_by_one_of_the_purge(void **state) {
	(void)state;
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	sessions_read_denied(s, &clients[0]);
	sessions_routed(s, &clients[0], G1);
	sessions_kick_grant(s, G1);
	kicks(false, "alarm.a");
	kicks_nobody();
}

static void i18_lost_device_is_named_once(void **state) {
	char name[ROW_ID_SIZE];
	(void)state;
	sessions_lost(s, SPAN_LIT("stranger"));
	assert_false(sessions_next_lost(s, name));
	login(0, "front.a", "front", CRED_DEVICE);
	logout(0, 2);
	sessions_lost(s, SPAN_LIT("front"));
	sessions_lost(s, SPAN_LIT("front"));
	assert_true(sessions_next_lost(s, name));
	assert_string_equal(name, "front");
	assert_false(sessions_next_lost(s, name));
}

static void i9_officer_is_never_kicked_for_a_purge(void **state) {
	(void)state;
	login(0, "eva.a", "eva", CRED_OFFICER);
	sessions_read_denied(s, &clients[0]);
	kicks_nobody();
}

static void denied_read_after_the_purge_kicks_nobody(void **state) {
	(void)state;
	login(0, "alarm.a", "alarm", CRED_INTEGRATOR);
	sessions_purge_end(s);
	sessions_read_denied(s, &clients[0]);
	kicks_nobody();
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(presence_follows_the_pointer),
		TEST(i18_write_of_a_taken_over_pointer_is_its_will),
		TEST(same_login_again_changes_nothing),
		TEST(i15_stock_id_is_its_last_users_for_fourteen_days),
		TEST(ids_in_use_are_never_forgotten),
		TEST(i5_only_readers_of_the_grant_are_kicked),
		TEST(many_grants_are_remembered),
		TEST(ended_credential_loses_every_connection),
		TEST(kick_by_id_never_meets_the_successor),
		TEST(listed_client_that_left_is_not_kicked),
		TEST(i5_denied_purge_is_kicked_once_more),
		TEST(who_is_connected_with_an_id_and_about_to_go),
		TEST(i5_kick_of_a_grant_is_not_put_off_by_one_of_the_purge),
		TEST(i18_lost_device_is_named_once),
		TEST(i9_officer_is_never_kicked_for_a_purge),
		TEST(denied_read_after_the_purge_kicks_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
