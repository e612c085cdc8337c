/* The order of an engine over a store that a test can make fail: memory first for what denies, the
 * commit first for what allows or tells (DESIGN 5). */
#include "plugin/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>

#include <cmocka.h>

#include "plugin/denial.h"
#include "plugin/outbound.h"
#include "plugin/session.h"
#include "plugin/store/worker.h"
#include "tests/unit/plugin/broker_stub.h"
#include "tests/unit/reasons.h"

#define GRANT "01890a5d-0000-7000-8000-000000000001"

/* A store in memory whose commits fail on demand. */
struct fake {
	struct store base;
	struct store *inner;
	atomic_int answer; /* enum err of the next commits */
	atomic_bool dead;  /* commits do not return while it is true */
};

static enum err fake_load(struct store *s, store_row_fn *fn, void *ctx, uint64_t *seq,
						  char why[STORE_WHY_SIZE]) {
	struct fake *f = (struct fake *)s;
	return f->inner->ops->load(f->inner, fn, ctx, seq, why);
}

static enum err fake_commit(struct store *s, const struct change *const *changes, size_t count,
							char why[STORE_WHY_SIZE]) {
	struct fake *f = (struct fake *)s;
	const struct timespec ms = {.tv_nsec = 1000000};
	while (atomic_load(&f->dead)) (void)nanosleep(&ms, NULL); /* interrupted is fine */
	enum err e = (enum err)atomic_load(&f->answer);
	(void)snprintf(why, STORE_WHY_SIZE, "disk full");
	return e == ERR_NONE ? f->inner->ops->commit(f->inner, changes, count, why) : e;
}

static void fake_close(struct store *s) {
	struct fake *f = (struct fake *)s;
	f->inner->ops->close(f->inner);
	free(f);
}

static enum err fake_settled(struct store *s, char why[STORE_WHY_SIZE]) {
	enum err e = (enum err)atomic_load(&((struct fake *)s)->answer);
	(void)snprintf(why, STORE_WHY_SIZE, "no mark");
	if (e == ERR_NONE) s->restored = NULL;
	return e;
}

static const struct store_ops fake_ops = {
	.load = fake_load, .commit = fake_commit, .settled = fake_settled, .close = fake_close};

static struct fake *fake;
static struct engine *e;
static char digest_char = 'a';

static void to_nobody(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	(void)line;
}

static struct log quiet = {.sink = to_nobody};

static int64_t now_ms(void) {
	return clock_read().utc_ms;
}

static struct fake *fake_open(void) {
	static const struct row_home home = {.row.kind = ROW_HOME, .id = "maple", .name = "Maple"};
	static const struct row_device front = {
		.row.kind = ROW_DEVICE, .id = "front", .home = "maple", .name = "Front", .claimed_ms = 1};
	static const struct row_integrator alarm = {
		.row.kind = ROW_INTEGRATOR, .id = "alarm", .name = "Alarm"};
	static const struct row_credential alice = {.row.kind = ROW_CREDENTIAL,
												.username = "alice",
												.kind = CRED_MEMBER,
												.subject = "maple",
												.role = ROLE_ADMIN};
	struct row_standing grant = {.row.kind = ROW_STANDING,
								 .id = GRANT,
								 .home = "maple",
								 .integrator = "alarm",
								 .kind = GRANT_RING,
								 .state = GSTATE_ACTIVE,
								 .nbf_ms = 1,
								 .exp_ms = now_ms() + 86400000,
								 .actor = "alice"};
	const struct row *rows[] = {&home.row, &front.row, &alarm.row, &alice.row, &grant.row};
	struct change c = {.seq = 1, .at_ms = 1, .count = 5};
	for (size_t i = 0; i < 5; i++) c.ops[i].row = rows[i];
	const struct change *list[] = {&c};
	char why[STORE_WHY_SIZE];
	struct fake *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->base.ops = &fake_ops;
	f->inner = store_mem_open();
	assert_non_null(f->inner);
	assert_int_equal(f->inner->ops->commit(f->inner, list, 1, why), ERR_NONE);
	return f;
}

static int fresh(void **state) {
	static const struct engine_opts opts = {.consent = {.tick_ms = 900000, .hold_ticks = 1}};
	char why[STORE_WHY_SIZE];
	(void)state;
	memset(&stub_published, 0, sizeof(stub_published));
	fake = fake_open();
	e = engine_new(&opts, &fake->base, &quiet, why);
	return e ? 0 : -1;
}

static int done(void **state) {
	(void)state;
	if (e) {
		atomic_store(&fake->answer, ERR_NONE);
		atomic_store(&fake->dead, false);
		engine_free(e, 2000);
	}
	return 0;
}

static void wait_a_little(void) {
	struct timespec ms = {.tv_nsec = 2000000};
	(void)nanosleep(&ms, NULL); /* interrupted is fine: callers loop */
	engine_enter(e);
	engine_tick(e);
	outbound_flush(engine_outbound(e));
}

/* Turns of the broker's loop until what was told reaches n, or a second has passed. */
static void until_told(size_t n) {
	for (int i = 0; i < 500 && stub_published.count < n; i++) wait_a_little();
}

static void until_durable(uint64_t seq) {
	for (int i = 0; i < 2000 && state_durable_seq(engine_state(e)) < seq; i++) wait_a_little();
	assert_true(state_durable_seq(engine_state(e)) >= seq);
}

static struct engine_result say(uint32_t n, Vestibule__V1__HomeCommand *m) {
	uint8_t id[16] = {0x01, 0x89, 0x0a, 0x5d, 0, 0, 0x70, 0, 0x80};
	memcpy(id + 12, &n, sizeof(n));
	m->event_id = (ProtobufCBinaryData){sizeof(id), id};
	m->at_ms = (uint64_t)now_ms();
	struct command cmd = {.kind = COMMAND_HOME,
						  .who = state_credential(engine_state(e), SPAN_LIT("alice")),
						  .event_id = span_of(id, sizeof(id)),
						  .msg = &m->base};
	memset(cmd.digest, digest_char, 64);
	return engine_command(e, &cmd);
}

static struct engine_result give(uint32_t n, Vestibule__V1__GrantKind kind) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__GrantStanding g = VESTIBULE__V1__GRANT_STANDING__INIT;
	g.integrator = (char *)(uintptr_t) "alarm";
	g.kind = kind;
	g.exp_ms = (uint64_t)now_ms() + 86400000;
	m.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_GRANT;
	m.grant = &g;
	return say(n, &m);
}

/* Something that widens and is never the same twice: asks of another kind of agency. */
static struct engine_result opine(uint32_t n) {
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Rules r = VESTIBULE__V1__RULES__INIT;
	r.text = (char *)(uintptr_t)(n % 2 ? "ask fire" : "ask police");
	m.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RULES;
	m.rules = &r;
	return say(n, &m);
}

static struct engine_result take_back(uint32_t n) {
	static const uint8_t grant[16] = {0x01, 0x89, 0x0a, 0x5d, 0, 0, 0x70, 0,
									  0x80, 0,    0,    0,    0, 0, 0,    1};
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Retract r = VESTIBULE__V1__RETRACT__INIT;
	r.grant_id = (ProtobufCBinaryData){sizeof(grant), (uint8_t *)(uintptr_t)grant};
	m.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT;
	m.retract = &r;
	return say(n, &m);
}

static bool may_read(enum grant_kind kind) {
	const struct state *st = engine_state(e);
	return state_standing_for(st, SPAN_LIT("alarm"), state_device(st, SPAN_LIT("front")), kind,
							  now_ms(), now_ms());
}

static void i3_grant_counts_and_is_told_only_after_its_commit(void **state) {
	(void)state;
	atomic_store(&fake->answer, ERR_STORE);
	struct engine_result r = give(1, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION);
	assert_int_equal(r.reason, REASON_OK);
	for (int i = 0; i < 30; i++) wait_a_little();
	assert_false(may_read(GRANT_MOTION));
	size_t told = stub_published.count;
	atomic_store(&fake->answer, ERR_NONE);
	until_durable(r.seq);
	assert_true(may_read(GRANT_MOTION));
	until_told(told + 2);
	assert_true(stub_published.count >= told + 2); /* receipt to the home, private one to alice */
}

static void i4_retraction_bites_at_once_while_the_disk_fails(void **state) {
	(void)state;
	assert_true(may_read(GRANT_RING));
	atomic_store(&fake->answer, ERR_STORE);
	struct engine_result r = take_back(1);
	assert_int_equal(r.reason, REASON_OK);
	assert_false(may_read(GRANT_RING));
	size_t told = stub_published.count;
	for (int i = 0; i < 30; i++) wait_a_little();
	assert_int_equal(stub_published.count, told); /* i6: nobody is told what a crash would undo */
	assert_true(engine_health(e).state.store_down);
	atomic_store(&fake->answer, ERR_NONE);
	until_durable(r.seq);
	assert_false(may_read(GRANT_RING));
	until_told(told + 2);
	assert_true(stub_published.count >= told + 2);
}

static void i4_full_queue_takes_the_retraction_and_nothing_that_allows(void **state) {
	(void)state;
	atomic_store(&fake->answer, ERR_STORE);
	struct engine_result r = {.reason = REASON_OK};
	uint32_t n = 1;
	for (; r.reason != REASON_BUSY && n < WORKER_QUEUE_MAX + 200; n++) r = opine(n);
	assert_int_equal(r.reason, REASON_BUSY);
	for (int i = 0; i < REASON_COUNT; i++)
		assert_true(provokers[i] != BY_ENGINE || i == REASON_BUSY);
	assert_true(may_read(GRANT_RING));
	assert_int_equal(take_back(n).reason, REASON_OK);
	assert_false(may_read(GRANT_RING));
	assert_int_equal(give(n + 1, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION).reason, REASON_BUSY);
}

static void change_that_can_never_be_stored_refuses_everything(void **state) {
	(void)state;
	atomic_store(&fake->answer, ERR_INPUT);
	assert_int_equal(give(1, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION).reason, REASON_OK);
	for (int i = 0; i < 500 && !engine_health(e).state.refusing; i++) wait_a_little();
	assert_true(engine_health(e).state.refusing);
	assert_false(state_may_allow(engine_state(e)));
	assert_int_equal(give(2, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION).reason,
					 REASON_NOT_READY);
}

/* A digest of the right length that no hash has stands for a fault of ours: the state refuses the row of it. */
static void change_that_the_state_refuses_stops_nobody(void **state) {
	(void)state;
	engine_enter(e);
	digest_char = '\n';
	assert_int_equal(give(1, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION).reason, REASON_STATE);
	digest_char = 'a';
	assert_false(engine_health(e).state.refusing);
	assert_int_equal(engine_health(e).changes_refused, 1);
	assert_int_equal(give(2, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION).reason, REASON_OK);
}

static void denial_that_the_state_refuses_stops_everything(void **state) {
	(void)state;
	digest_char = '\n';
	assert_int_equal(take_back(1).reason, REASON_NOT_READY);
	digest_char = 'a';
	assert_true(engine_health(e).state.refusing);
}

static void broken_truth_refuses_everything_and_ends_nothing(void **state) {
	(void)state;
	engine_enter(e);
	assert_true(state_may_allow(engine_state(e)));
	assert_false(ENSURE(stub_published.count > 1000000));
	engine_enter(e);
	assert_true(engine_health(e).state.refusing);
	assert_false(state_may_allow(engine_state(e)));
}

static void answers_to_one_client_wait_for_the_commit(void **state) {
	(void)state;
	atomic_store(&fake->answer, ERR_STORE);
	struct engine_result r = take_back(1);
	assert_int_equal(
		engine_answer(e, r.seq, SPAN_LIT("op.1"), SPAN_LIT("$CONTROL/x"), SPAN_LIT("{}")),
		ERR_NONE);
	for (int i = 0; i < 10; i++) wait_a_little();
	assert_string_not_equal(stub_published.client_id, "op.1");
	atomic_store(&fake->answer, ERR_NONE);
	until_durable(r.seq);
	wait_a_little();
	assert_string_equal(stub_published.client_id, "op.1");
	assert_int_equal(engine_answer(e, 0, SPAN_LIT(""), SPAN_LIT("x"), SPAN_LIT("{}")), ERR_INPUT);
}

static void events_are_published_while_the_store_fails(void **state) {
	(void)state;
	atomic_store(&fake->answer, ERR_STORE);
	assert_int_equal(take_back(1).reason, REASON_OK);
	size_t told = stub_published.count;
	assert_int_equal(engine_publish(e, 0, SPAN_LIT("t"), SPAN_LIT("x"), 0, false), ERR_NONE);
	wait_a_little();
	assert_true(stub_published.count > told);
}

static enum err no_load(struct store *s, store_row_fn *fn, void *ctx, uint64_t *seq,
						char why[STORE_WHY_SIZE]) {
	(void)s;
	(void)fn;
	(void)ctx;
	(void)seq;
	(void)snprintf(why, STORE_WHY_SIZE, "unreadable");
	return ERR_STORE;
}

static void i1_store_that_cannot_be_loaded_makes_no_engine(void **state) {
	static const struct engine_opts opts = {.consent = {.tick_ms = 900000, .hold_ticks = 1}};
	static const struct store_ops ops = {
		.load = no_load, .commit = fake_commit, .close = fake_close};
	char why[STORE_WHY_SIZE];
	(void)state;
	struct fake *f = fake_open();
	f->base.ops = &ops;
	assert_null(engine_new(&opts, &f->base, &quiet, why));
	assert_string_equal(why, "unreadable");
}

/* A store thread that is gone, or hangs in the kernel: nobody says so, and it shows all the same. */
static void i4_retraction_bites_and_the_operator_learns_it_when_the_store_is_silent(void **state) {
	(void)state;
	assert_true(may_read(GRANT_RING));
	size_t told = stub_published.count;
	atomic_store(&fake->dead, true);
	struct engine_result r = take_back(1);
	assert_int_equal(r.reason, REASON_OK);
	assert_false(may_read(GRANT_RING));
	assert_int_equal(give(2, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_MOTION).reason, REASON_OK);
	for (int i = 0; i < 30000 && !engine_health(e).state.store_down; i++) wait_a_little();
	assert_true(engine_health(e).state.store_down);
	assert_non_null(strstr(engine_health(e).why, "not answered"));
	assert_false(may_read(GRANT_MOTION));
	assert_int_equal(stub_published.count, told); /* i6: not recorded, and nobody is told so */
	atomic_store(&fake->dead, false);
	until_durable(r.seq + 1);
	wait_a_little();
	assert_false(engine_health(e).state.store_down);
	assert_true(may_read(GRANT_MOTION));
	until_told(told + 4);
	assert_true(stub_published.count >= told + 4);
}

static void i29_restored_store_allows_nothing_that_it_allowed(void **state) {
	static const struct engine_opts opts = {.consent = {.tick_ms = 900000, .hold_ticks = 1}};
	char why[STORE_WHY_SIZE];
	(void)state;
	fake = fake_open();
	fake->base.restored = "it was put back";
	e = engine_new(&opts, &fake->base, &quiet, why);
	assert_non_null(e);
	assert_null(fake->base.restored);
	assert_false(may_read(GRANT_RING));
	assert_true(engine_health(e).restored_ms > 0);
	assert_int_equal(take_back(1).reason, REASON_ENDED);
	struct engine_result r = give(2, VESTIBULE__V1__GRANT_KIND__GRANT_KIND_RING);
	until_durable(r.seq);
	assert_true(may_read(GRANT_RING)); /* and life goes on */
}

static void i29_restored_store_that_cannot_be_settled_makes_no_engine(void **state) {
	static const struct engine_opts opts = {.consent = {.tick_ms = 900000, .hold_ticks = 1}};
	char why[STORE_WHY_SIZE];
	(void)state;
	struct fake *f = fake_open();
	f->base.restored = "it was put back";
	atomic_store(&f->answer, ERR_STORE);
	assert_null(engine_new(&opts, &f->base, &quiet, why));
	assert_string_equal(why, "disk full");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(i3_grant_counts_and_is_told_only_after_its_commit),
		TEST(i4_retraction_bites_at_once_while_the_disk_fails),
		TEST(i4_full_queue_takes_the_retraction_and_nothing_that_allows),
		TEST(change_that_can_never_be_stored_refuses_everything),
		TEST(change_that_the_state_refuses_stops_nobody),
		TEST(denial_that_the_state_refuses_stops_everything),
		TEST(broken_truth_refuses_everything_and_ends_nothing),
		TEST(answers_to_one_client_wait_for_the_commit),
		TEST(events_are_published_while_the_store_fails),
		TEST(i4_retraction_bites_and_the_operator_learns_it_when_the_store_is_silent),
		cmocka_unit_test(i1_store_that_cannot_be_loaded_makes_no_engine),
		cmocka_unit_test_teardown(i29_restored_store_allows_nothing_that_it_allowed, done),
		cmocka_unit_test(i29_restored_store_that_cannot_be_settled_makes_no_engine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
