/* The operator's commands condition by condition: what may be put, removed, suspended. Each refusal is one
 * condition away from a yes. */
#include "plugin/consent/geometry.h"
#include "plugin/consent/operator.h"
#include "tests/unit/consent/bare.h"

static enum reason operate(struct bare *b, enum operator_kind op, const struct row *row,
						   enum row_kind kind, const char *key) {
	(void)bare_step(b, "ops-1");
	b->cmd.kind = COMMAND_OPERATOR;
	b->cmd.op = op;
	b->cmd.row = row;
	b->cmd.row_kind = kind;
	b->cmd.key = span_str(key);
	return operator_command(&b->s);
}

#define PUT(row)            operate(b, OPERATOR_PUT, row, ROW_NONE, "")
#define REMOVE(kind, key)   operate(b, OPERATOR_REMOVE, NULL, kind, key)
#define IS(got, reason)     assert_int_equal(got, REASON_##reason)
#define ROW_OF(b, name, id) DAMAGED(name, state_##name((b)->st, SPAN_LIT(id)))
#define PUTS(kind, n)       assert_int_equal(bare_puts(b, kind), n)

static void what_is_no_command_or_row_is_malformed(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	IS(operate(b, OPERATOR_NONE, HOME("ash"), ROW_HOME, "elm"), MALFORMED);
	IS(operate(b, (enum operator_kind)99, HOME("ash"), ROW_HOME, "elm"), MALFORMED);
	IS(PUT(NULL), MALFORMED);
	IS(PUT(HOME("Ash")), MALFORMED);
	IS(PUT(HOME("ash")), OK);
	IS(PUT(CLIP("59", "elm", "elm-door")), ROLE);
	bare_free(b);
}

static void a_home_is_flagged_unsealed_once_and_tells_it(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	IS(PUT(ROW(ROW_HOME, home, .id = "ash", .unsealed_ok = 1)), OK);
	PUTS(ROW_RECEIPT, 1);
	bare_apply(b);
	IS(PUT(ROW(ROW_HOME, home, .id = "ash", .unsealed_ok = 1)), OK);
	PUTS(ROW_RECEIPT, 0);
	b->opts.demo = false;
	IS(PUT(ROW(ROW_HOME, home, .id = "ash", .unsealed_ok = 1)), UNSEALED);
	IS(PUT(ROW(ROW_HOME, home, .id = "ash")), OK);
	bare_free(b);
}

static void a_device_is_put_into_one_home_for_ever(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	IS(PUT(UNCLAIMED("ash-cam", "elm", "")), OK);
	IS(PUT(UNCLAIMED("ash-cam", "nowhere", "")), NOT_YOURS);
	IS(PUT(ROW(ROW_DEVICE, device, .id = "ash-cam", .home = "elm", .retired = 1)), NOT_YOURS);
	IS(PUT(DEVICE("ash-cam", "elm", "")), ENROLMENT);
	IS(PUT(DEVICE("elm-door", "elm", "")), OK); /* as it was claimed */
	IS(PUT(ROW(ROW_DEVICE, device, .id = "elm-door", .home = "elm", .claimed_ms = 2)), ENROLMENT);
	IS(PUT(UNCLAIMED("elm-door", "oak", "")), NAME_TAKEN);
	IS(PUT(UNCLAIMED("elm-gone", "elm", "")), NAME_TAKEN);
	for (int i = 3; i < LIMIT_DEVICES_PER_HOME; i++) { /* three are there */
		struct row_device d = {.row.kind = ROW_DEVICE, .home = "elm"};
		(void)snprintf(d.id, sizeof(d.id), "more-%d", i);
		IS(PUT(UNCLAIMED("ash-cam", "elm", "")), OK);
		rows_put(b->st, &d.row);
	}
	IS(PUT(UNCLAIMED("ash-cam", "elm", "")), TOO_LARGE);
	IS(PUT(UNCLAIMED("ash-cam", "oak", "")), OK);
	bare_free(b);
}

static void a_credential_stands_for_something_that_lives(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	IS(PUT(CRED("new-app", CRED_APP, "", ROLE_NONE)), OK);
	IS(PUT(CRED("ops-2", CRED_OPERATOR, "", ROLE_NONE)), OK);
	IS(PUT(CRED("dan", CRED_MEMBER, "elm", ROLE_ADULT)), ENROLMENT);
	IS(PUT(CRED("firm-1", CRED_INTEGRATOR, "alarm-co", ROLE_NONE)), OK);
	IS(PUT(CRED("firm-1", CRED_INTEGRATOR, "absent", ROLE_NONE)), NOT_YOURS);
	IS(PUT(CRED("off-1", CRED_OFFICER, "fire-9", ROLE_LIAISON)), OK);
	IS(PUT(CRED("off-1", CRED_OFFICER, "absent", ROLE_LIAISON)), NOT_YOURS);
	IS(PUT(CRED("mov-1", CRED_RELAY, "mover", ROLE_NONE)), OK);
	IS(PUT(CRED("mov-1", CRED_RELAY, "absent", ROLE_NONE)), NOT_YOURS);
	IS(PUT(CRED("cam-1", CRED_DEVICE, "absent", ROLE_NONE)), NOT_YOURS);
	IS(PUT(CRED("cam-1", CRED_DEVICE, "elm-gone", ROLE_NONE)), NOT_YOURS);
	IS(PUT(CRED("cam-1", CRED_DEVICE, "elm-door", ROLE_NONE)), TOO_LARGE); /* it has one */
	IS(PUT(CRED("door-1", CRED_DEVICE, "elm-door", ROLE_NONE)), OK);
	IS(PUT(CRED("door-1", CRED_DEVICE, "elm-yard", ROLE_NONE)), NAME_TAKEN);
	IS(PUT(CRED("door-1", CRED_APP, "", ROLE_NONE)), NAME_TAKEN);
	ROW_OF(b, integrator, "alarm-co")->retired = 1;
	ROW_OF(b, agency, "fire-9")->retired = 1;
	IS(PUT(CRED("firm-1", CRED_INTEGRATOR, "alarm-co", ROLE_NONE)), NOT_YOURS);
	IS(PUT(CRED("off-1", CRED_OFFICER, "fire-9", ROLE_LIAISON)), NOT_YOURS);
	rows_put(b->st,
			 UNCLAIMED("mover", "elm", "")); /* of the name of a relay that has a credential */
	IS(PUT(CRED("cam-1", CRED_DEVICE, "mover", ROLE_NONE)), OK);
	bare_free(b);
}

static void a_token_ends_the_sessions_of_the_one_before_it(void **unused) {
	(void)unused;
	struct row_token t = {
		.row.kind = ROW_TOKEN, .id = "z2m/0", .username = "z2m", .sha256 = HASH64};
	struct bare *b = bare_new();
	IS(PUT(ROW(ROW_TOKEN, token, .id = "nobody/0", .username = "nobody", .sha256 = HASH64)),
	   NOT_YOURS);
	IS(PUT(ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64)), POPULATED);
	IS(PUT(&t.row), OK);
	assert_int_equal(b->fx.kick_count, 0);
	bare_apply(b);
	IS(PUT(&t.row), OK);
	assert_int_equal(b->fx.kick_count, 0);
	t.sha256[0] = 'f';
	IS(PUT(&t.row), OK);
	assert_int_equal(b->fx.kick_count, 1);
	IS(REMOVE(ROW_TOKEN, "z2m/0"), OK);
	assert_int_equal(b->fx.kick_count, 1);
	rows_put(b->st, ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64));
	IS(REMOVE(ROW_TOKEN, "ann/0"), POPULATED);
	struct row_token *orphan = DAMAGED(token, state_get(b->st, ROW_TOKEN, SPAN_LIT("z2m/0")));
	memcpy(orphan->username, "ghost", 6);
	IS(REMOVE(ROW_TOKEN, "z2m/0"), OK); /* of nobody: it goes */
	bare_free(b);
}

static void topics_are_listed_for_somebody_and_not_without_end(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	IS(PUT(TOPIC("ghost", "garden/#", APP_READ)), NOT_YOURS);
	for (int i = 2; i < LIMIT_APP_TOPICS; i++) { /* two are there */
		struct row_app_topic t = {.row.kind = ROW_APP_TOPIC, .username = "z2m", .access = APP_READ};
		(void)snprintf(t.filter, sizeof(t.filter), "room-%d", i);
		(void)snprintf(t.id, sizeof(t.id), "z2m room-%d", i);
		IS(PUT(&t.row), OK);
		bare_apply(b);
	}
	IS(PUT(TOPIC("z2m", "garden/#", APP_READ)), TOO_LARGE);
	IS(PUT(TOPIC("z2m", "room-2", APP_BOTH)), OK); /* what is listed may change */
	IS(REMOVE(ROW_APP_TOPIC, "z2m room-2"), OK);
	assert_true(b->fx.denial);
	bare_free(b);
}

static void what_was_removed_is_never_put_again(void **unused) {
	(void)unused;
	struct row_integrator firm = {.row.kind = ROW_INTEGRATOR, .id = "alarm-co", .name = "new name"};
	struct row_agency pd = {.row.kind = ROW_AGENCY, .id = "metro-pd", .kind = AGENCY_POLICE};
	static const int32_t lat[] = {0, 0, 10000000}, lon[] = {0, 10000000, 10000000};
	uint8_t rings[64];
	struct bare *b = bare_new();
	pd.rings = (struct blob){rings, geometry_ring_write(lat, lon, 3, rings, sizeof(rings))};
	IS(PUT(&firm.row), OK);
	WITH(firm.retired, NUMBER(1), IS(PUT(&firm.row), NAME_TAKEN));
	WITH(firm.id, ((char[ROW_ID_SIZE]){"new-co"}), IS(PUT(&firm.row), OK));
	IS(PUT(&pd.row), OK);
	WITH(pd.retired, NUMBER(1), IS(PUT(&pd.row), NAME_TAKEN));
	WITH(pd.kind, NUMBER(AGENCY_FIRE), IS(PUT(&pd.row), NAME_TAKEN));
	WITH(pd.rings.len, &(size_t){3}, IS(PUT(&pd.row), JURISDICTION));
	WITH(pd.key_id, KEY_ID, IS(PUT(&pd.row), KEY)); /* a key of nobody */
	memcpy(pd.recipient, RECIPIENT, sizeof(RECIPIENT));
	IS(PUT(&pd.row), KEY); /* and nobody's id */
	memcpy(pd.key_id, KEY_ID, sizeof(KEY_ID));
	IS(PUT(&pd.row), OK);
	b->opts.demo = false;
	IS(PUT(&pd.row), OK);
	WITH(pd.recipient[0], "", IS(PUT(&pd.row), KEY));
	IS(REMOVE(ROW_INTEGRATOR, "alarm-co"), OK);
	bare_apply(b);
	IS(REMOVE(ROW_INTEGRATOR, "alarm-co"), STATE);
	IS(PUT(&firm.row), NAME_TAKEN);
	IS(REMOVE(ROW_AGENCY, "metro-pd"), OK);
	bare_apply(b);
	IS(REMOVE(ROW_AGENCY, "metro-pd"), STATE);
	IS(PUT(&pd.row), NAME_TAKEN);
	IS(operate(b, OPERATOR_RESUME, NULL, ROW_AGENCY, "metro-pd"), STATE);
	bare_free(b);
}

static void i27_a_home_goes_that_held_nobody_and_nothing(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	rows_put(b->st, HOME("ash"));
	IS(REMOVE(ROW_HOME, "ash"), OK);
	IS(REMOVE(ROW_HOME, "elm"), POPULATED);
	rows_put(b->st, RETIRED("ash-cam", "ash"));
	IS(REMOVE(ROW_HOME, "ash"), STATE);
	rows_del(b->st, RETIRED("ash-cam", "ash"));
	rows_put(b->st, ROW(ROW_RECEIPT, receipt, .id = UUID_OF("86"), .home = "ash",
						.kind = RECEIPT(MEMBER_ADDED)));
	IS(REMOVE(ROW_HOME, "ash"), STATE);
	bare_free(b);
}

static void nothing_goes_that_is_gone_or_that_others_rest_on(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	IS(REMOVE(ROW_DEVICE, "elm-door"), OK);
	IS(REMOVE(ROW_DEVICE, "elm-gone"), STATE);
	IS(REMOVE(ROW_DEVICE, "absent"), NOT_YOURS);
	IS(REMOVE(ROW_CREDENTIAL, "z2m"), OK);
	IS(REMOVE(ROW_CREDENTIAL, "ops-1"), STATE); /* the branch that the operator sits on */
	IS(REMOVE(ROW_CREDENTIAL, "ann"), POPULATED);
	IS(REMOVE(ROW_GRANT, UUID_OF("60")), ROLE);
	IS(operate(b, OPERATOR_SUSPEND, NULL, ROW_CREDENTIAL, "ops-1"), STATE);
	IS(operate(b, OPERATOR_SUSPEND, NULL, ROW_CREDENTIAL, "absent"), NOT_YOURS);
	IS(operate(b, OPERATOR_SUSPEND, NULL, ROW_CREDENTIAL, "ann"), OK);
	IS(operate(b, OPERATOR_SUSPEND, NULL, ROW_HOME, "elm"), ROLE);
	bare_free(b);
}

static void a_relay_goes_when_nothing_is_left_to_it(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_delivery *d = ROW_OF(b, delivery, UUID_OF("70"));
	rows_put(b->st, ROW(ROW_INTEGRATOR, integrator, .id = "spare"));
	rows_put(b->st, CRED("spare-9", CRED_INTEGRATOR, "spare", ROLE_NONE)); /* stays */
	IS(REMOVE(ROW_RELAY, "mover"), STATE);
	IS(REMOVE(ROW_RELAY, "spare"), OK);
	PUTS(ROW_CREDENTIAL, 1);
	WITH(d->relay, ((char[ROW_ID_SIZE]){"spare"}), {
		IS(REMOVE(ROW_RELAY, "spare"), STATE);
		d->state = DLV_VOID;
		IS(REMOVE(ROW_RELAY, "spare"), OK);
		d->state = DLV_PURGED;
		IS(REMOVE(ROW_RELAY, "spare"), OK);
	});
	rows_put(b->st, JOB("89", "spare", "70", JOB_PURGE));
	IS(REMOVE(ROW_RELAY, "spare"), STATE);
	rows_del(b->st, JOB("89", "spare", "70", JOB_PURGE));
	for (int i = 0; i < 60; i++) { /* more than one change can end */
		struct row_credential c = {
			.row.kind = ROW_CREDENTIAL, .kind = CRED_RELAY, .subject = "spare"};
		(void)snprintf(c.username, sizeof(c.username), "spare-relay-%d", i);
		rows_put(b->st, &c.row);
	}
	IS(REMOVE(ROW_RELAY, "spare"), STATE);
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_command_or_row_is_malformed),
		cmocka_unit_test(a_home_is_flagged_unsealed_once_and_tells_it),
		cmocka_unit_test(a_device_is_put_into_one_home_for_ever),
		cmocka_unit_test(a_credential_stands_for_something_that_lives),
		cmocka_unit_test(a_token_ends_the_sessions_of_the_one_before_it),
		cmocka_unit_test(topics_are_listed_for_somebody_and_not_without_end),
		cmocka_unit_test(what_was_removed_is_never_put_again),
		cmocka_unit_test(i27_a_home_goes_that_held_nobody_and_nothing),
		cmocka_unit_test(nothing_goes_that_is_gone_or_that_others_rest_on),
		cmocka_unit_test(a_relay_goes_when_nothing_is_left_to_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
