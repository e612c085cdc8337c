/* Commands of homes and devices condition by condition, and what the one entry refuses before it looks at
 * any of them. Each refusal is one condition away from a yes. */
#include "plugin/consent/enrol.h"
#include "plugin/consent/members.h"
#include "plugin/consent/standing.h"
#include "plugin/consent/sweep.h"
#include "tests/unit/consent/bare.h"

#define HOME_CASE(name)     VESTIBULE__V1__HOME_COMMAND__WHAT_##name
#define ROW_OF(b, name, id) DAMAGED(name, state_##name((b)->st, SPAN_LIT(id)))

/* --- the one entry ---------------------------------------------------------------------------- */

/* A command of each kind, by somebody who may send it, with nothing in it that there is. */
static void what_no_command_is_is_malformed(void **unused) {
	(void)unused;
	Vestibule__V1__HomeCommand home = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__AgencyCommand agency = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	Vestibule__V1__DeviceClaim claim = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	struct bare *b = bare_new();
	assert_int_equal(bare_command(b, COMMAND_HOME, "ann", &home), REASON_MALFORMED);
	assert_int_equal(bare_command(b, COMMAND_AGENCY, "inv-1", &agency), REASON_MALFORMED);
	assert_int_equal(bare_command(b, COMMAND_CLAIM, "door-1", &claim), REASON_MALFORMED);
	assert_int_equal(bare_command(b, COMMAND_NONE, "ann", &home), REASON_MALFORMED);
	assert_int_equal(bare_command(b, COMMAND_KINDS, "ann", &home), REASON_MALFORMED);
	assert_int_equal(bare_command(b, COMMAND_HOME, "nobody", &home), REASON_UNKNOWN_CREDENTIAL);
	assert_int_equal(bare_command(b, COMMAND_HOME, "sus", &home), REASON_SUSPENDED);
	bare_free(b);
}

static enum reason leave(struct bare *b, const struct command *cmd) {
	consent_step(b->st, &b->opts, cmd, b->s.now, b->s.rnd, &b->fx);
	return b->fx.reason;
}

static void a_command_has_a_message_an_id_and_a_digest(void **unused) {
	(void)unused;
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Leave what = VESTIBULE__V1__LEAVE__INIT;
	struct bare *b = bare_new();
	m.what_case = HOME_CASE(LEAVE);
	m.leave = &what;
	(void)bare_step(b, "ben");
	struct command cmd = b->cmd, broken;
	cmd.kind = COMMAND_HOME;
	cmd.who = b->s.who;
	cmd.msg = (const ProtobufCMessage *)&m;
	assert_int_equal(leave(b, &cmd), REASON_OK);
	broken = cmd;
	broken.msg = NULL;
	assert_int_equal(leave(b, &broken), REASON_MALFORMED);
	broken = cmd;
	broken.event_id.len = 15;
	assert_int_equal(leave(b, &broken), REASON_MALFORMED);
	broken = cmd;
	broken.digest[63] = '\0';
	assert_int_equal(leave(b, &broken), REASON_MALFORMED);
	WITH(b->opts.tick_ms, NUMBER(0), assert_int_equal(leave(b, &cmd), REASON_NOT_READY));
	WITH(b->opts.hold_ticks, NUMBER(0), assert_int_equal(leave(b, &cmd), REASON_NOT_READY));
	assert_int_equal(leave(b, &cmd), REASON_OK);
	bare_free(b);
}

/* As if each had sent the same before: the mark is there, with the same digest. */
static void remember(struct bare *b, const char *username) {
	struct row_seen seen = {.row.kind = ROW_SEEN, .reason = REASON_NONE_GIVEN};
	(void)snprintf(seen.id, sizeof(seen.id), "%s/01000000-0000-7000-8000-000000000000", username);
	(void)span_copy(span_str(username), seen.username, sizeof(seen.username));
	memset(seen.digest, 'd', 64);
	rows_put(b->st, &seen.row);
}

static void a_repeated_command_gets_the_answer_of_its_kind(void **unused) {
	(void)unused;
	Vestibule__V1__AgencyCommand any = VESTIBULE__V1__AGENCY_COMMAND__INIT;
	static const struct {
		enum command_kind kind;
		const char *who;
		enum tell_kind told; /* TELL_NONE: nothing */
	} cases[] = {
		{COMMAND_HOME, "ann", TELL_RECORDED},       {COMMAND_CLIP, "door-1", TELL_ACK},
		{COMMAND_REPORT, "relay-1", TELL_RECORDED}, {COMMAND_AGENCY, "inv-1", TELL_RECORDED},
		{COMMAND_OPERATOR, "ops-1", TELL_NONE},
	};
	struct bare *b = bare_new();
	for (size_t i = 0; i < COUNT(cases); i++) {
		remember(b, cases[i].who);
		assert_int_equal(bare_command(b, cases[i].kind, cases[i].who, &any), REASON_OK);
		assert_true(b->fx.repeated);
		assert_int_equal(b->fx.change.count, 0);
		assert_int_equal(b->fx.tell_count, cases[i].told ? 1 : 0);
		if (cases[i].told) assert_int_equal(b->fx.tell[0].kind, cases[i].told);
	}
	/* an officer's is the notice of the first time, among others */
	rows_put(b->st, ROW(ROW_NOTICE, notice, .id = UUID_OF("87"), .agency = "metro-pd", .kind = 1,
						.in_reply_to = "01000000-0000-7000-8000-000000000000"));
	rows_put(b->st, ROW(ROW_NOTICE, notice, .id = UUID_OF("88"), .agency = "metro-pd", .kind = 1));
	assert_int_equal(bare_command(b, COMMAND_AGENCY, "inv-1", &any), REASON_OK);
	assert_int_equal(b->fx.tell[0].kind, TELL_NOTICE);
	assert_string_equal(b->fx.tell[0].id, UUID_OF("87"));
	bare_free(b);
}

static void time_stands_still_for_a_state_that_cannot_allow(void **unused) {
	(void)unused;
	int64_t last = 0;
	struct bare *b = bare_new();
	struct moment now = b->s.now, unsound = {.utc_ms = NOW_MS, .sound = false};
	assert_false(consent_tick_due(b->st, &b->opts, unsound, &last));
	WITH(b->opts.tick_ms, NUMBER(0), assert_false(consent_tick_due(b->st, &b->opts, now, &last)));
	assert_int_equal(last, 0);
	assert_true(consent_tick_due(b->st, &b->opts, now, &last));
	assert_int_equal(last, NOW_MS);
	now.utc_ms += 999;
	assert_false(consent_tick_due(b->st, &b->opts, now, &last)); /* the same second */
	WITH(b->opts.tick_ms, NUMBER(500), {                         /* a tick within it */
										 assert_true(consent_tick_due(b->st, &b->opts, now, &last));
										 assert_int_equal(last, NOW_MS + 999);
	});
	now.utc_ms += 1;
	assert_true(consent_tick_due(b->st, &b->opts, now, &last));
	assert_int_equal(bare_command(b, COMMAND_TICK, "", NULL), REASON_OK);
	state_set_refusing(b->st);
	assert_false(
		consent_tick_due(b->st, &b->opts, (struct moment){.utc_ms = 1, .sound = true}, &last));
	assert_int_equal(bare_command(b, COMMAND_TICK, "", NULL), REASON_NOT_READY);
	bare_free(b);
}

/* --- members ---------------------------------------------------------------------------------- */

static void who_decides_for_a_home_is_its_adult(void **unused) {
	(void)unused;
	struct row_credential c = {.kind = CRED_MEMBER, .role = ROLE_ADMIN};
	assert_false(members_is_adult(NULL));
	assert_true(members_is_adult(&c));
	WITH(c.role, NUMBER(ROLE_ADULT), assert_true(members_is_adult(&c)));
	WITH(c.role, NUMBER(ROLE_LIMITED), assert_false(members_is_adult(&c)));
	WITH(c.kind, NUMBER(CRED_OFFICER), assert_false(members_is_adult(&c)));
	WITH(c.suspended, NUMBER(1), assert_false(members_is_adult(&c)));
}

/* Ids of homes and of firms are two sets. */
static void who_is_of_a_firm_of_the_same_name_is_no_member(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	size_t members = members_count(b->st, SPAN_LIT("oak"));
	rows_put(b->st, ROW(ROW_INTEGRATOR, integrator, .id = "oak"));
	rows_put(b->st, CRED("oak-firm", CRED_INTEGRATOR, "oak", ROLE_NONE));
	assert_int_equal(members_count(b->st, SPAN_LIT("oak")), members);
	bare_free(b);
}

static void an_invitation_names_a_role_a_name_and_a_token(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	uint8_t sha256[32] = {1};
	char name[] = "dan";
	Vestibule__V1__Invite m = VESTIBULE__V1__INVITE__INIT;
	m.username = name;
	m.role = VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADULT;
	m.token_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
#define INVITES(reason)            assert_int_equal(members_invite(bare_step(b, "ann"), &m), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, INVITES(reason))
	INVITES(OK);
	WHEN(m.role, &(Vestibule__V1__MemberRole){0}, MALFORMED);
	WHEN(m.username, &(char *){NULL}, MALFORMED);
	WHEN(name[0], "D", MALFORMED);
	WHEN(m.token_sha256.len, &(size_t){31}, MALFORMED);
	WHEN(m.token_sha256.data, &(uint8_t *){NULL}, MALFORMED);
	WHEN(name, "ben", NAME_TAKEN);
	assert_int_equal(members_invite(bare_step(b, "ben"), &m), REASON_ROLE);
	for (size_t i = members_count(b->st, SPAN_LIT("elm")); i < LIMIT_MEMBERS_PER_HOME; i++) {
		struct row_credential c = {.row.kind = ROW_CREDENTIAL,
								   .kind = CRED_MEMBER,
								   .subject = "elm",
								   .role = ROLE_LIMITED};
		INVITES(OK);
		(void)snprintf(c.username, sizeof(c.username), "guest-%zu", i);
		rows_put(b->st, &c.row);
	}
	INVITES(TOO_LARGE);
#undef WHEN
#undef INVITES
	bare_free(b);
}

static void a_removal_names_a_member_of_this_home(void **unused) {
	(void)unused;
	static const struct {
		enum reason expected;
		const char *name;
	} cases[] = {{REASON_OK, "ben"},          {REASON_NOT_YOURS, "zoe"},
				 {REASON_NOT_YOURS, "inv-1"}, {REASON_NOT_YOURS, "nobody"},
				 {REASON_LAST_ADMIN, "ann"},  {REASON_NOT_YOURS, NULL}};
	struct bare *b = bare_new();
	for (size_t i = 0; i < COUNT(cases); i++) {
		Vestibule__V1__Remove m = VESTIBULE__V1__REMOVE__INIT;
		m.username = (char *)(uintptr_t)cases[i].name;
		assert_int_equal(members_remove(bare_step(b, "ann"), &m), cases[i].expected);
		assert_int_equal(bare_puts(b, ROW_RULES), i == 0 ? 1 : 0); /* ben's go along */
	}
	bare_free(b);
}

static void a_home_where_nobody_ever_lived_does_not_end(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	rows_put(b->st, HOME("ash"));
	rows_put(b->st, DEVICE("ash-cam", "ash", ""));
	assert_true(members_tick(bare_step(b, "")));
	assert_int_equal(b->fx.change.count, 0);
	rows_put(b->st, ROW(ROW_RECEIPT, receipt, .id = UUID_OF("85"), .home = "ash",
						.kind = RECEIPT(DEVICE_ADDED)));
	rows_put(b->st, ROW(ROW_RECEIPT, receipt, .id = UUID_OF("86"), .home = "ash",
						.kind = RECEIPT(MEMBER_ADDED)));
	rows_put(b->st, ROW(ROW_RECEIPT, receipt, .id = UUID_OF("87"), .home = "ash",
						.kind = RECEIPT(DEVICE_ADDED)));
	assert_true(members_tick(bare_step(b, "")));
	assert_int_equal(bare_puts(b, ROW_DEVICE), 1);
	bare_free(b);
}

static void new_rules_take_the_place_of_the_old(void **unused) {
	(void)unused;
	static char longest[ROW_RULES_SIZE];
	static const struct {
		enum reason expected;
		bool denial;
		size_t written;
		const char *who, *text;
	} cases[] = {
		{REASON_OK, false, 1, "ann", "ask police"},
		{REASON_OK, true, 1, "ann", "never all"},
		{REASON_OK, true, 0, "ann", ""},  /* there were none */
		{REASON_OK, false, 1, "ben", ""}, /* he takes his objection back */
		{REASON_OK, true, 1, "ben", "never police\nmute alerts\nnever all"},
		{REASON_RULES_SYNTAX, false, 0, "ann", "ask everybody"},
		{REASON_TOO_LARGE, false, 0, "ann", longest},
	};
	struct bare *b = bare_new();
	Vestibule__V1__Rules m = VESTIBULE__V1__RULES__INIT;
	memset(longest, '\n', ROW_RULES_SIZE - 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[ROW_RULES_SIZE + 1];
		m.text = text;
		(void)snprintf(text, sizeof(text), "%s%s", cases[i].text,
					   cases[i].text == longest ? "\n" : ""); /* one too many */
		assert_int_equal(members_rules(bare_step(b, cases[i].who), &m), cases[i].expected);
		if (cases[i].expected != REASON_OK) continue;
		if (b->fx.denial != cases[i].denial) fail_msg("case %zu", i);
		assert_int_equal(bare_puts(b, ROW_RULES), cases[i].written);
	}
	m.text = longest; /* the longest that there may be */
	assert_int_equal(members_rules(bare_step(b, "ann"), &m), REASON_OK);
	/* what cannot be read objected to everything, so that whatever follows may widen */
	ROW_OF(b, rules, "ben")->text[0] = '%';
	m.text = (char[]){"never fd"};
	assert_int_equal(members_rules(bare_step(b, "ben"), &m), REASON_OK);
	assert_false(b->fx.denial);
	bare_free(b);
}

/* However a second one came to be there. */
static void i15_a_rotation_ends_every_older_token(void **unused) {
	(void)unused;
	static uint8_t sha256[32] = {7};
	static const struct {
		enum reason expected;
		ProtobufCBinaryData hash;
	} cases[] = {{REASON_OK, {32, sha256}},
				 {REASON_MALFORMED, {31, sha256}},
				 {REASON_MALFORMED, {33, sha256}},
				 {REASON_MALFORMED, {32, NULL}},
				 {REASON_MALFORMED, {0, NULL}}};
	struct bare *b = bare_new();
	rows_put(b->st, ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64));
	rows_put(b->st, ROW(ROW_TOKEN, token, .id = "ann/1", .username = "ann", .sha256 = HASH64));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Vestibule__V1__Rotate rotate = VESTIBULE__V1__ROTATE__INIT;
		rotate.token_sha256 = cases[i].hash;
		assert_int_equal(members_rotate(bare_step(b, "ann"), &rotate), cases[i].expected);
		bool done = cases[i].expected == REASON_OK;
		assert_int_equal(bare_puts(b, ROW_TOKEN), done ? 3 : 0); /* two end, one comes */
		assert_int_equal(b->fx.kick_count, done);
		if (!done) assert_int_equal(b->fx.change.count, 0);
	}
	bare_free(b);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void an_admin_claims_and_retires_devices_of_this_home(void **unused) {
	(void)unused;
	static const struct {
		enum reason expected;
		size_t written;
		const char *id;
	} cases[] = {{REASON_OK, 1, "elm-new"},         {REASON_OK, 0, "elm-door"},
				 {REASON_NOT_YOURS, 0, "oak-door"}, {REASON_NOT_YOURS, 0, "elm-gone"},
				 {REASON_NOT_YOURS, 0, "absent"},   {REASON_NOT_YOURS, 0, NULL}};
	struct bare *b = bare_new();
	for (size_t i = 0; i < COUNT(cases); i++) {
		Vestibule__V1__Claim claim = VESTIBULE__V1__CLAIM__INIT;
		Vestibule__V1__Retire retire = VESTIBULE__V1__RETIRE__INIT;
		claim.device = retire.device = (char *)(uintptr_t)cases[i].id;
		assert_int_equal(enrol_claim(bare_step(b, "ann"), &claim), cases[i].expected);
		assert_int_equal(bare_puts(b, ROW_DEVICE), cases[i].written);
		assert_int_equal(enrol_claim(bare_step(b, "ben"), &claim), REASON_ROLE);
		assert_int_equal(enrol_retire(bare_step(b, "ann"), &retire), cases[i].expected);
		assert_int_equal(enrol_retire(bare_step(b, "ben"), &retire), REASON_ROLE);
	}
	bare_free(b);
}

/* A device in a home where nobody ever lived. */
static struct bare *empty_home(void) {
	struct bare *b = bare_new();
	rows_put(b->st, HOME("ash"));
	rows_put(b->st, UNCLAIMED("ash-cam", "ash", ""));
	rows_put(b->st, CRED("ash-1", CRED_DEVICE, "ash-cam", ROLE_NONE));
	return b;
}

static void i27_a_first_admin_has_a_name_a_token_and_an_empty_home(void **unused) {
	(void)unused;
	struct bare *b = empty_home();
	struct row_device *d = ROW_OF(b, device, "ash-cam");
	struct row_credential *who = ROW_OF(b, credential, "ash-1");
	uint8_t sha256[32] = {1};
	char name[] = "dan";
	Vestibule__V1__DeviceClaim m = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	Vestibule__V1__FirstAdmin first = VESTIBULE__V1__FIRST_ADMIN__INIT;
	first.username = name;
	first.token_sha256 = (ProtobufCBinaryData){.len = 32, .data = sha256};
	m.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_FIRST_ADMIN;
	m.first_admin = &first;
#define CLAIMS(reason)             assert_int_equal(enrol_device(bare_step(b, "ash-1"), &m), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, CLAIMS(reason))
	CLAIMS(OK);
	assert_int_equal(bare_puts(b, ROW_DEVICE), 1);
	WHEN(first.username, &(char *){NULL}, MALFORMED);
	WHEN(name[0], "D", MALFORMED);
	WHEN(first.token_sha256.len, &(size_t){31}, MALFORMED);
	WHEN(first.token_sha256.data, &(uint8_t *){NULL}, MALFORMED);
	WHEN(name, "ben", NAME_TAKEN);
	WHEN(d->retired, NUMBER(1), NOT_YOURS);
	WHEN(who->subject, NOBODY, NOT_YOURS);
	WHEN(d->claimed_ms, NUMBER(5), OK);
	d->claimed_ms = 5; /* a claim of which only the device was left */
	CLAIMS(OK);
	assert_int_equal(bare_puts(b, ROW_DEVICE), 0);
	assert_int_equal(bare_puts(b, ROW_CREDENTIAL), 1);
	bare_apply(b);
	CLAIMS(OK); /* the same again: it is made */
	assert_int_equal(b->fx.change.count, 0);
	struct row_credential *dan = ROW_OF(b, credential, "dan");
	WHEN(dan->role, NUMBER(ROLE_ADULT), LIVED_IN);
	WHEN(dan->kind, NUMBER(CRED_OFFICER), LIVED_IN);
	WHEN(dan->subject, NOBODY, LIVED_IN);
	WHEN(sha256[0], "x", LIVED_IN);
	WHEN(d->claimed_ms, NUMBER(0), LIVED_IN);
#undef WHEN
#undef CLAIMS
	bare_free(b);
}

static void an_ended_device_takes_its_own_credential_along(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	rows_put(b->st, ROW(ROW_INTEGRATOR, integrator, .id = "elm-door"));
	rows_put(b->st, CRED("firm-1", CRED_INTEGRATOR, "elm-door", ROLE_NONE));
	enrol_end_device(bare_step(b, "ann"), state_device(b->st, SPAN_LIT("elm-door")));
	assert_int_equal(bare_puts(b, ROW_CREDENTIAL), 1);
	bare_apply(b);
	assert_null(state_credential(b->st, SPAN_LIT("door-1")));
	assert_non_null(state_credential(b->st, SPAN_LIT("firm-1")));
	bare_free(b);
}

/* Of a retired device's clips those stay for their time that a live grant rests on, or of which an agency
 * was told. */
static void i9_a_clip_that_an_agency_knows_of_stays_for_its_time(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_grant *g = ROW_OF(b, grant, UUID_OF("60"));
	struct row_delivery *d = ROW_OF(b, delivery, UUID_OF("70"));
	ROW_OF(b, device, "elm-door")->retired = 1;
#define DROPS(n)                                     \
	do {                                             \
		assert_true(enrol_tick(bare_step(b, "")));   \
		assert_int_equal(bare_puts(b, ROW_CLIP), n); \
	} while (0)
	DROPS(1); /* 51 alone: live grants rest on 50 and 52 */
	g->state = GSTATE_REVOKED;
	DROPS(2);
	d->announced = 1;
	DROPS(1);
	bare_free(b);
}

/* --- standing grants -------------------------------------------------------------------------- */

static void a_standing_grant_names_a_firm_a_kind_and_a_device_of_this_home(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_integrator *firm = ROW_OF(b, integrator, "alarm-co");
	struct row_device *d = ROW_OF(b, device, "elm-yard");
	Vestibule__V1__GrantStanding m = VESTIBULE__V1__GRANT_STANDING__INIT;
	char integrator[] = "alarm-co", device[ROW_ID_SIZE] = "elm-yard";
	m.integrator = integrator;
	m.device = device;
	m.kind = VESTIBULE__V1__GRANT_KIND__GRANT_KIND_CLIP;
	m.exp_ms = (uint64_t)(NOW_MS + LIMIT_STANDING_MAX_MS);
#define GIVES(reason)              assert_int_equal(standing_give(bare_step(b, "ann"), &m), REASON_##reason)
#define WHEN(field, value, reason) WITH(field, value, GIVES(reason))
	GIVES(OK);
	assert_int_equal(bare_puts(b, ROW_STANDING), 1);
	WHEN(m.integrator, &(char *){NULL}, MALFORMED);
	WHEN(m.device, &(char *){NULL}, MALFORMED);
	WHEN(m.kind, &(Vestibule__V1__GrantKind){0}, MALFORMED);
	WHEN(m.kind, &(int){GRANT_KINDS}, MALFORMED);
	WHEN(integrator[0], "x", NOT_YOURS);
	WHEN(firm->retired, NUMBER(1), NOT_YOURS);
	WHEN(d->retired, NUMBER(1), NOT_YOURS);
	WHEN(d->claimed_ms, NUMBER(0), NOT_YOURS);
	WHEN(device[0], "x", NOT_YOURS);
	WHEN(device, ((char[ROW_ID_SIZE]){"oak-door"}), NOT_YOURS);
	WHEN(device[0], "", OK); /* every device of the home */
	WHEN(m.exp_ms, &(uint64_t){NOW_MS}, END_DATE);
	WHEN(m.exp_ms, &(uint64_t){NOW_MS + LIMIT_STANDING_MAX_MS + 1}, END_DATE);
#undef WHEN
#undef GIVES
	bare_free(b);
}

static size_t ended(struct bare *b) {
	assert_true(standing_tick(bare_step(b, "")));
	size_t n = 0;
	for (size_t i = 0; i < b->fx.change.count; i++)
		n += span_eq(row_key(b->fx.change.ops[i].row), SPAN_LIT(UUID_OF("01")));
	return n;
}

static void a_standing_grant_ends_with_each_thing_that_it_rests_on(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_standing *g = ROW_OF(b, standing, UUID_OF("01"));
	struct row_credential *ann = ROW_OF(b, credential, "ann");
#define ENDS(field, value) WITH(field, value, assert_int_equal(ended(b), 1))
	assert_int_equal(ended(b), 0);
	ENDS(g->integrator, NOBODY);
	ENDS(ROW_OF(b, integrator, "alarm-co")->retired, NUMBER(1));
	ENDS(ROW_OF(b, device, "elm-door")->retired, NUMBER(1));
	ENDS(g->device, NOBODY);
	ENDS(g->actor, NOBODY);
	ENDS(ann->kind, NUMBER(CRED_OFFICER));
	ENDS(ann->role, NUMBER(ROLE_LIMITED));
	ENDS(ann->subject, NOBODY);
	assert_int_equal(ended(b), 0);
	bare_free(b);
}

/* --- forgetting ------------------------------------------------------------------------------- */

static void what_has_no_request_to_be_closed_is_not_forgotten(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	struct row_grant *g = ROW_OF(b, grant, UUID_OF("61"));
	struct row_request *r = ROW_OF(b, request, UUID_OF("40"));
	g->nbf_ms = 0;
	r->state = REQ_EXPIRED;
	r->closed_ms = NOW_MS - LIMIT_REFUSAL_MS;
#define FORGETS(n)                                    \
	do {                                              \
		assert_true(sweep_tick(bare_step(b, "")));    \
		assert_int_equal(bare_puts(b, ROW_GRANT), n); \
	} while (0)
	FORGETS(1);
	WITH(g->request, NOTHING, FORGETS(0));
	WITH(r->state, NUMBER(REQ_OPEN), FORGETS(0));
	WITH(r->closed_ms, NUMBER(NOW_MS - LIMIT_REFUSAL_MS + 1), FORGETS(0));
	WITH(g->nbf_ms, NUMBER(1), FORGETS(0));
	FORGETS(1);
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_command_is_is_malformed),
		cmocka_unit_test(a_command_has_a_message_an_id_and_a_digest),
		cmocka_unit_test(i15_a_rotation_ends_every_older_token),
		cmocka_unit_test(a_repeated_command_gets_the_answer_of_its_kind),
		cmocka_unit_test(time_stands_still_for_a_state_that_cannot_allow),
		cmocka_unit_test(who_decides_for_a_home_is_its_adult),
		cmocka_unit_test(who_is_of_a_firm_of_the_same_name_is_no_member),
		cmocka_unit_test(an_invitation_names_a_role_a_name_and_a_token),
		cmocka_unit_test(a_removal_names_a_member_of_this_home),
		cmocka_unit_test(a_home_where_nobody_ever_lived_does_not_end),
		cmocka_unit_test(new_rules_take_the_place_of_the_old),
		cmocka_unit_test(an_admin_claims_and_retires_devices_of_this_home),
		cmocka_unit_test(i27_a_first_admin_has_a_name_a_token_and_an_empty_home),
		cmocka_unit_test(an_ended_device_takes_its_own_credential_along),
		cmocka_unit_test(i9_a_clip_that_an_agency_knows_of_stays_for_its_time),
		cmocka_unit_test(a_standing_grant_names_a_firm_a_kind_and_a_device_of_this_home),
		cmocka_unit_test(a_standing_grant_ends_with_each_thing_that_it_rests_on),
		cmocka_unit_test(what_has_no_request_to_be_closed_is_not_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
