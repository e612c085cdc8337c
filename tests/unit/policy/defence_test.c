/* What must be refused though everything before it went wrong: a credential of nothing that exists, a
 * row that was damaged in memory, a rule that is asked for what the checks before it keep away. Each
 * refusal stands beside the answer to the same question on sound memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy_impl.h"
#include "tests/unit/policy/rows.h"

#define V1       "vestibule/v1/"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PULL     V1 "device/elm-door/pull/" UUID_OF("50") "/relay-1"

/* A row of the state, to be damaged: only a test may. */
#define DAMAGED(name, row) ((struct row_##name *)(uintptr_t)(row))

static const struct policy_opts with_agencies = {.agencies = true};

static const struct row_credential *who(const struct state *st, const char *username) {
	return state_credential(st, span_str(username));
}

static enum reason ask_of(const struct state *st, const struct row_credential *c,
						  enum access access, const char *name) {
	struct question q = {.access = access,
						 .who = c,
						 .name = span_str(name),
						 .has_event = true,
						 .event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true},
						 .status = SPAN_LIT("online"),
						 .now_ms = NOW_MS};
	return policy_decide(st, &q, &with_agencies).reason;
}

static enum reason ask(const struct state *st, const char *username, enum access access,
					   const char *name) {
	return ask_of(st, who(st, username), access, name);
}

/* --- who --- */

static void i1_a_credential_of_nothing_that_exists_is_refused(void **unused) {
	(void)unused;
	static const struct {
		enum reason expected;
		int64_t kind;
		const char *subject;
	} cases[] = {
		{REASON_OK, CRED_DEVICE, "elm-door"},          {REASON_NOT_YOURS, CRED_DEVICE, "absent"},
		{REASON_NOT_YOURS, CRED_DEVICE, "elm-gone"},   {REASON_OK, CRED_INTEGRATOR, "alarm-co"},
		{REASON_NOT_YOURS, CRED_INTEGRATOR, "absent"}, {REASON_OK, CRED_OFFICER, "metro-pd"},
		{REASON_NOT_YOURS, CRED_OFFICER, "absent"},    {REASON_OK, CRED_APP, ""},
		{REASON_NOT_YOURS, CRED_NONE, "elm"},          {REASON_NOT_YOURS, -1, "elm"},
		{REASON_NOT_YOURS, CRED_KINDS, "elm"},
	};
	struct state *st = world_new();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct row_credential c = {
			.row.kind = ROW_CREDENTIAL, .username = "some-1", .kind = cases[i].kind};
		assert_true(span_copy(span_str(cases[i].subject), c.subject, sizeof(c.subject)));
		assert_int_equal(ask_of(st, &c, ACCESS_READ, V1 "user/some-1/denied"), cases[i].expected);
	}
	state_free(st);
}

static void i1_an_access_that_there_is_not_is_refused(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_int_equal(ask(st, "ops-1", ACCESS_READ, V1 "operator/health"), REASON_OK);
	assert_int_equal(ask(st, "ops-1", (enum access)9, V1 "operator/health"), REASON_NONE_GIVEN);
	state_free(st);
}

static void i1_without_a_sound_clock_answers_get_home_and_filters_stand(void **unused) {
	(void)unused;
	static const struct {
		enum reason expected;
		const char *who;
		enum access access;
		const char *name;
	} cases[] = {
		{REASON_OK, "ann", ACCESS_SUBSCRIBE, V1 "device/elm-door/ring"},
		{REASON_CONSUMED_TOPIC, "ann", ACCESS_SUBSCRIBE, "#"},
		{REASON_OK, "ann", ACCESS_READ, V1 "user/ann/reply"},
		{REASON_OK, "ann", ACCESS_READ, V1 "user/ann/denied"},
		{REASON_NOT_YOURS, "ann", ACCESS_READ, V1 "user/ben/denied"},
		{REASON_OK, "ops-1", ACCESS_READ, V1 "operator/health"},
		{REASON_NOT_READY, "ops-1", ACCESS_READ, V1 "operator/metrics"},
		{REASON_OK, "ops-1", ACCESS_READ, "$CONTROL/vestibule/v1/response"},
		{REASON_NOT_READY, "ops-1", ACCESS_READ, "$SYS/broker/uptime"},
		{REASON_NOT_READY, "ann", ACCESS_READ, V1 "home/elm/receipt"},
		{REASON_OK, "ann", ACCESS_WRITE, V1 "home/elm/command"},
		{REASON_OK, "door-1", ACCESS_WRITE, V1 "device/elm-door/claim"},
		{REASON_OK, "ops-1", ACCESS_WRITE, "$CONTROL/vestibule/v1"},
		{REASON_NOT_READY, "door-1", ACCESS_WRITE, V1 "device/elm-door/ring"},
	};
	struct state *st = world_new();
	state_set_unsound(st, true);
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum reason r = ask(st, cases[i].who, cases[i].access, cases[i].name);
		if (r != cases[i].expected)
			fail_msg("%s %s: %s", cases[i].who, cases[i].name, reason_word(r));
	}
	state_free(st);
}

/* --- reading --- */

static void no_event_is_read_that_was_not_read_from_the_payload(void **unused) {
	(void)unused;
	struct state *st = world_new();
	struct question q = {.access = ACCESS_READ,
						 .who = who(st, "ann"),
						 .name = span_str(V1 "device/elm-door/ring"),
						 .event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true},
						 .now_ms = NOW_MS};
	assert_int_equal(policy_decide(st, &q, &with_agencies).reason, REASON_NOT_CANONICAL);
	q.has_event = true;
	assert_int_equal(policy_decide(st, &q, &with_agencies).reason, REASON_OK);
	state_free(st);
}

static void alerts_are_muted_by_their_line_however_it_is_spaced(void **unused) {
	(void)unused;
	static const struct {
		enum reason expected;
		const char *text;
	} cases[] = {
		{REASON_OK, ""},
		{REASON_NOT_YOURS, "mute alerts"},
		{REASON_NOT_YOURS, "ask police\n\tmute\t alerts\t\r\nnever all\n"},
		{REASON_NOT_YOURS, "\n\rmute\ralerts"},
		{REASON_OK, "mute"},
		{REASON_OK, "mute alerts now"},
		{REASON_OK, "mute\nalerts"},
		{REASON_OK, "unmute alerts\n"},
	};
	struct state *st = world_new();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct row_rules rules = {.row.kind = ROW_RULES, .username = "ann", .home = "elm"};
		assert_true(span_copy(span_str(cases[i].text), rules.text, sizeof(rules.text)));
		if (strchr(rules.text, '\t') || strchr(rules.text, '\r')) { /* on no disk: no plain text */
			*DAMAGED(rules, state_rules(st, SPAN_LIT("ann"))) = rules;
		} else {
			rows_put(st, &rules.row);
		}
		enum reason r = ask(st, "ann", ACCESS_READ, V1 "area/u33db/alert");
		if (r != cases[i].expected) fail_msg("%s: %s", cases[i].text, reason_word(r));
	}
	state_free(st);
}

static void an_alert_waits_until_the_place_of_the_home_is_durable(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_int_equal(ask(st, "ann", ACCESS_READ, V1 "area/u33db/alert"), REASON_OK);
	assert_int_equal(ask(st, "ann", ACCESS_READ, V1 "area/u33dr/alert"), REASON_NOT_YOURS);
	rows_put_soon(st, DEVICE("elm-door", "elm", "u33dr0m3"));
	assert_int_equal(ask(st, "ann", ACCESS_READ, V1 "area/u33db/alert"), REASON_NOT_YOURS);
	assert_int_equal(ask(st, "ann", ACCESS_READ, V1 "area/u33dr/alert"), REASON_NOT_YOURS);
	state_committed(st, state_seq(st));
	assert_int_equal(ask(st, "ann", ACCESS_READ, V1 "area/u33dr/alert"), REASON_OK);
	state_free(st);
}

static void of_what_starts_with_a_dollar_the_operator_reads_the_brokers_own(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_int_equal(ask(st, "ops-1", ACCESS_READ, "$SYS/broker/uptime"), REASON_OK);
	assert_int_equal(ask(st, "ops-1", ACCESS_READ, "$other/thing"), REASON_DOLLAR_TOPIC);
	assert_int_equal(ask(st, "ann", ACCESS_READ, "$SYS/broker/uptime"), REASON_DOLLAR_TOPIC);
	state_free(st);
}

static void a_listed_topic_is_used_once_its_line_is_durable(void **unused) {
	(void)unused;
	struct state *st = world_new();
	rows_put_soon(st, TOPIC("z2m", "garden/#", APP_READ));
	assert_int_equal(ask(st, "z2m", ACCESS_READ, "garden/lamp"), REASON_NOT_YOURS);
	state_committed(st, state_seq(st));
	assert_int_equal(ask(st, "z2m", ACCESS_READ, "garden/lamp"), REASON_OK);
	assert_int_equal(ask(st, "z2m", ACCESS_WRITE, "garden/lamp"), REASON_NOT_YOURS);
	state_free(st);
}

/* --- a relay's copy --- */

static void i2_a_relay_pulls_nothing_for_a_request_or_agency_that_is_held(void **unused) {
	(void)unused;
	struct row_agency agency = {.row.kind = ROW_AGENCY, .id = "metro-pd", .kind = AGENCY_POLICE};
	struct state *st = world_new();
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_OK);
	rows_put(st, REQUEST("40", "metro-pd", REQ_SUSPENDED));
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_NO_GRANT);
	rows_put(st, REQUEST("40", "metro-pd", REQ_OPEN));
	agency.suspended = 1;
	rows_put(st, &agency.row);
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_NO_GRANT);
	agency.suspended = 0;
	rows_put(st, &agency.row);
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_OK);
	agency.retired = 1;
	rows_put(st, &agency.row);
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_NO_GRANT);
	state_free(st);
}

static void i24_a_relay_pulls_from_nbf_until_before_exp(void **unused) {
	(void)unused;
	struct state *st = world_new();
	struct row_grant *g = DAMAGED(grant, state_grant(st, SPAN_LIT(UUID_OF("60"))));
	g->nbf_ms = NOW_MS;
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_OK);
	g->nbf_ms = NOW_MS + 1;
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_NO_GRANT);
	g->nbf_ms = NOW_MS - 10;
	g->exp_ms = NOW_MS;
	assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_NO_GRANT);
	state_free(st);
}

/* What somebody gave goes with them: from the moment in which they are no adult of that home, whatever
 * the state of the grant says until a tick has ended it. */
static void goes_with_its_giver(const char *who, enum access access, const char *topic) {
	struct state *st = world_new();
	struct row_credential *ann = DAMAGED(credential, state_credential(st, SPAN_LIT("ann")));
	struct row_credential sound = *ann;
	assert_int_equal(ask(st, who, access, topic), REASON_OK);
	ann->role = ROLE_LIMITED;
	assert_int_equal(ask(st, who, access, topic), REASON_NO_GRANT);
	*ann = sound;
	ann->kind = CRED_APP;
	assert_int_equal(ask(st, who, access, topic), REASON_NO_GRANT);
	*ann = sound;
	(void)span_copy(SPAN_LIT("oak"), ann->subject, sizeof(ann->subject)); /* short */
	assert_int_equal(ask(st, who, access, topic), REASON_NO_GRANT);
	*ann = sound;
	ann->suspended = 1; /* by the operator, who ends nothing of a home's */
	assert_int_equal(ask(st, who, access, topic), REASON_OK);
	*ann = sound;
	rows_del(st, &sound.row);
	assert_int_equal(ask(st, who, access, topic), REASON_NO_GRANT);
	state_free(st);
}

static void i2_a_relay_pulls_nothing_that_was_given_by_who_left(void **unused) {
	(void)unused;
	goes_with_its_giver("relay-1", ACCESS_WRITE, PULL);
}

static void i4_an_integrator_reads_nothing_that_was_given_by_who_left(void **unused) {
	(void)unused;
	goes_with_its_giver("alarm-4", ACCESS_READ, V1 "device/elm-door/ring");
}

/* The world must stand as it was after each damage: one field at a time. */
#define REFUSED_WITH(st, field, value)                                             \
	do {                                                                           \
		char sound_[sizeof(field)];                                                \
		memcpy(sound_, &(field), sizeof(field));                                   \
		memcpy(&(field), (value), sizeof(field));                                  \
		assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_NO_GRANT); \
		memcpy(&(field), sound_, sizeof(field));                                   \
		assert_int_equal(ask(st, "relay-1", ACCESS_WRITE, PULL), REASON_OK);       \
	} while (0)

static void i2_a_relay_pulls_nothing_when_a_row_names_what_is_not_there(void **unused) {
	(void)unused;
	static const char nobody[ROW_ID_SIZE] = "nobody";
	static const char nothing[ROW_UUID_SIZE] = UUID_OF("99");
	static const int64_t revoked = GSTATE_REVOKED, cancel = JOB_CANCEL, staged = DLV_STAGED;
	struct state *st = world_new();
	struct row_grant *g = DAMAGED(grant, state_grant(st, SPAN_LIT(UUID_OF("60"))));
	struct row_delivery *d = DAMAGED(delivery, state_delivery(st, SPAN_LIT(UUID_OF("70"))));
	struct row_job *j = DAMAGED(job, state_job(st, SPAN_LIT(UUID_OF("80"))));
	REFUSED_WITH(st, g->request, nothing);
	REFUSED_WITH(st, g->agency, nobody);
	REFUSED_WITH(st, g->device, nobody);
	REFUSED_WITH(st, g->state, &revoked);
	REFUSED_WITH(st, d->grant, nothing);
	REFUSED_WITH(st, d->state, &staged);
	REFUSED_WITH(st, j->delivery, nothing);
	REFUSED_WITH(st, j->relay, nobody);
	REFUSED_WITH(st, j->kind, &cancel);
	state_free(st);
}

static void i4_a_grant_that_is_not_active_opens_nothing_wherever_it_is_listed(void **unused) {
	(void)unused;
	struct state *st = world_new();
	assert_int_equal(ask(st, "alarm-4", ACCESS_READ, V1 "device/elm-door/ring"), REASON_OK);
	DAMAGED(standing, state_standing(st, SPAN_LIT(UUID_OF("01"))))->state = GSTATE_REVOKED;
	assert_int_equal(ask(st, "alarm-4", ACCESS_READ, V1 "device/elm-door/ring"), REASON_NO_GRANT);
	state_free(st);
}

/* --- logins --- */

static void a_token_that_is_no_hash_proves_nothing(void **unused) {
	(void)unused;
	uint8_t hash[32];
	for (size_t i = 0; i < 32; i++) /* the bytes of HASH64 */
		hash[i] = (uint8_t)(((2 * i) & 15) << 4 | ((2 * i + 1) & 15));
	struct state *st = world_new();
	rows_put(st, ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64));
	struct span ann = SPAN_LIT("ann");
	assert_int_equal(policy_login(st, ann, false, hash, NULL).kind, VERDICT_ALLOW);
	struct row_token *t = DAMAGED(token, state_child(st, ROW_TOKEN, 0, ann, NULL));
	t->sha256[63] = 'x';
	assert_int_equal(policy_login(st, ann, false, hash, NULL).reason, REASON_BAD_PROOF);
	state_free(st);
}

/* So that the time of a login has a bound. A third comes about only by damage: the key of a row changes
 * in memory, and the row is put again. */
static void no_more_than_two_tokens_are_compared(void **unused) {
	(void)unused;
	static const char other[] = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
	uint8_t hash[32];
	for (size_t i = 0; i < 32; i++)
		hash[i] = (uint8_t)((15 - ((2 * i) & 15)) << 4 | (15 - ((2 * i + 1) & 15)));
	struct span ann = SPAN_LIT("ann");
	struct state *st = world_new();
	rows_put(st, ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64));
	struct row_token *oldest = DAMAGED(token, state_child(st, ROW_TOKEN, 0, ann, NULL));
	memcpy(oldest->sha256, other, sizeof(other));
	rows_put(st, ROW(ROW_TOKEN, token, .id = "ann/1", .username = "ann", .sha256 = HASH64));
	assert_int_equal(policy_login(st, ann, false, hash, NULL).kind, VERDICT_ALLOW);
	oldest->id[4] = '9';
	rows_put(st, ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64));
	assert_int_equal(policy_login(st, ann, false, hash, NULL).reason, REASON_BAD_PROOF);
	state_free(st);
}

/* --- rules that are asked for what the checks before them keep away --- */

static struct policy_case case_of(const struct state *st, const struct question *q) {
	return (struct policy_case){.st = st,
								.q = q,
								.who = q->who,
								.subject = span_str(q->who->subject),
								.username = span_str(q->who->username)};
}

static void i1_each_rule_refuses_by_itself_what_it_does_not_know(void **unused) {
	(void)unused;
	const struct row_standing *grant = NULL;
	struct state *st = world_new();
	struct row_credential c = {
		.row.kind = ROW_CREDENTIAL, .username = "some-1", .kind = CRED_DEVICE, .subject = "absent"};
	struct question q = {.who = &c, .name = SPAN_LIT("nowhere/to/go/at"), .now_ms = NOW_MS};
	struct policy_case unknown = case_of(st, &q);
	assert_int_equal(policy_read(&unknown, &grant), REASON_NO_SUCH_TOPIC);
	assert_int_equal(policy_write(&unknown), REASON_ROLE);
	struct policy_case absent = case_of(st, &q);
	absent.t = (struct topic){.kind = TOPIC_DEVICE_RING, .device = SPAN_LIT("absent")};
	assert_int_equal(policy_write(&absent), REASON_UNCLAIMED);
	static const int64_t kinds[] = {-1, CRED_NONE, CRED_KINDS};
	for (size_t i = 0; i < COUNT(kinds); i++) {
		c.kind = kinds[i];
		q.name = SPAN_LIT(V1 "home/elm/json/#");
		struct policy_case nobody = case_of(st, &q);
		assert_int_equal(policy_subscribe(&nobody), REASON_NOT_YOURS);
		q.name = SPAN_LIT(V1 "public/#");
		assert_int_equal(policy_subscribe(&nobody), REASON_WIDE_FILTER);
	}
	assert_null(grant);
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i1_a_credential_of_nothing_that_exists_is_refused),
		cmocka_unit_test(i1_an_access_that_there_is_not_is_refused),
		cmocka_unit_test(i1_without_a_sound_clock_answers_get_home_and_filters_stand),
		cmocka_unit_test(no_event_is_read_that_was_not_read_from_the_payload),
		cmocka_unit_test(alerts_are_muted_by_their_line_however_it_is_spaced),
		cmocka_unit_test(an_alert_waits_until_the_place_of_the_home_is_durable),
		cmocka_unit_test(of_what_starts_with_a_dollar_the_operator_reads_the_brokers_own),
		cmocka_unit_test(a_listed_topic_is_used_once_its_line_is_durable),
		cmocka_unit_test(i2_a_relay_pulls_nothing_for_a_request_or_agency_that_is_held),
		cmocka_unit_test(i2_a_relay_pulls_nothing_that_was_given_by_who_left),
		cmocka_unit_test(i4_an_integrator_reads_nothing_that_was_given_by_who_left),
		cmocka_unit_test(i24_a_relay_pulls_from_nbf_until_before_exp),
		cmocka_unit_test(i2_a_relay_pulls_nothing_when_a_row_names_what_is_not_there),
		cmocka_unit_test(i4_a_grant_that_is_not_active_opens_nothing_wherever_it_is_listed),
		cmocka_unit_test(a_token_that_is_no_hash_proves_nothing),
		cmocka_unit_test(no_more_than_two_tokens_are_compared),
		cmocka_unit_test(i1_each_rule_refuses_by_itself_what_it_does_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
