/* Who is let in while the broker reloads (SIGHUP): a session that is only kept is left alone, a login
 * proves itself. The same by a real broker: tests/broker/11, 28. */
#include "plugin/login.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "lib/hex.h"
#include "plugin/denial.h"
#include "plugin/session.h"
#include "tests/unit/plugin/broker_stub.h"

#define TOKEN "a-token-of-alice-and-nobody-else"

static struct engine *e;
static int one, other; /* their addresses are clients */

static void to_nobody(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	(void)line;
}

static struct log quiet = {.sink = to_nobody};

static int fresh(void **state) {
	static const struct engine_opts opts = {.consent = {.tick_ms = 900000, .hold_ticks = 1}};
	static const struct row_home home = {.row.kind = ROW_HOME, .id = "maple", .name = "Maple"};
	static const struct row_credential alice = {.row.kind = ROW_CREDENTIAL,
												.username = "alice",
												.kind = CRED_MEMBER,
												.subject = "maple",
												.role = ROLE_ADMIN};
	static struct row_token token = {.row.kind = ROW_TOKEN, .id = "alice/0", .username = "alice"};
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char why[STORE_WHY_SIZE];
	struct change c = {.seq = 1, .at_ms = 1, .count = 3};
	const struct change *list[] = {&c};
	struct store *s = store_mem_open();
	(void)state;
	(void)SHA256((const unsigned char *)TOKEN, sizeof(TOKEN) - 1, digest);
	hex_encode(span_of(digest, sizeof(digest)), token.sha256);
	c.ops[0].row = &home.row;
	c.ops[1].row = &alice.row;
	c.ops[2].row = &token.row;
	if (!s || s->ops->commit(s, list, 1, why) != ERR_NONE) return -1;
	e = engine_new(&opts, s, &quiet, why);
	if (e) engine_tick(e); /* until the first one nobody is let in */
	return e ? 0 : -1;
}

static int done(void **state) {
	(void)state;
	engine_free(e, 2000);
	return 0;
}

static int login(const int *client, const char *password, int subs, enum login_reload reload) {
	struct mosquitto_evt_basic_auth ev = {.client = (struct mosquitto *)(uintptr_t)client,
										  .username = (char *)(uintptr_t) "alice",
										  .password = (char *)(uintptr_t)password};
	stub_client.id = "alice.phone";
	stub_client.subs = subs;
	engine_enter(e);
	return login_check(e, &ev, reload);
}

static bool is_online(void) {
	return sessions_online(engine_sessions(e), SPAN_LIT("alice"));
}

static void login_needs_its_proof(void **state) {
	(void)state;
	assert_int_equal(login(&one, "wrong", 0, LOGIN_NOT_RELOADING), MOSQ_ERR_AUTH);
	assert_int_equal(login(&one, NULL, 7, LOGIN_NOT_RELOADING), MOSQ_ERR_AUTH);
	assert_false(is_online());
	assert_int_equal(login(&one, TOKEN, 0, LOGIN_NOT_RELOADING), MOSQ_ERR_SUCCESS);
	assert_true(is_online());
}

static void reload_leaves_a_kept_session_kept(void **state) {
	(void)state;
	assert_int_equal(login(&one, NULL, 3, LOGIN_RELOADING), MOSQ_ERR_SUCCESS);
	assert_int_equal(login(&one, NULL, 0, LOGIN_RELOADING), MOSQ_ERR_SUCCESS); /* 2.0: heap */
	assert_int_equal(login(&one, NULL, 3, LOGIN_RELOADING_SAFE), MOSQ_ERR_SUCCESS);
	assert_false(is_online());
}

/* What has no subscription may be a CONNECT: even with its proof it comes again after the reload. */
static void reload_lets_no_login_in(void **state) {
	(void)state;
	assert_int_equal(login(&one, "wrong", 0, LOGIN_RELOADING_SAFE), MOSQ_ERR_AUTH);
	assert_int_equal(login(&one, TOKEN, 0, LOGIN_RELOADING_SAFE), MOSQ_ERR_AUTH);
	assert_false(is_online());
	assert_int_equal(denials_count(engine_denials(e), DENIAL_CONNECT, REASON_NOT_READY), 2);
}

static void reload_asks_who_is_online_again(void **state) {
	(void)state;
	assert_int_equal(login(&one, TOKEN, 0, LOGIN_NOT_RELOADING), MOSQ_ERR_SUCCESS);
	for (int r = LOGIN_RELOADING; r <= LOGIN_RELOADING_SAFE; r++) {
		assert_int_equal(login(&one, TOKEN, 3, (enum login_reload)r), MOSQ_ERR_SUCCESS);
		assert_int_equal(login(&one, "old", 3, (enum login_reload)r), MOSQ_ERR_AUTH);
		assert_int_equal(login(&other, "old", 3, (enum login_reload)r), MOSQ_ERR_SUCCESS);
	}
	assert_int_equal(sessions_count(engine_sessions(e)), 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(login_needs_its_proof, fresh, done),
		cmocka_unit_test_setup_teardown(reload_leaves_a_kept_session_kept, fresh, done),
		cmocka_unit_test_setup_teardown(reload_lets_no_login_in, fresh, done),
		cmocka_unit_test_setup_teardown(reload_asks_who_is_online_again, fresh, done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
