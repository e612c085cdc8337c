/* How the state changes: wholly or not at all, never out of an absorbing state, and never ahead of
 * the disk for what allows. Its indexes are compared with a naive model. Grants and jobs:
 * state_find_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/state.h"
#include "tests/unit/policy/rows.h"

static void refused(struct state *st, const struct row *r, const char *why) {
	const char *bad = "";
	uint64_t seq = state_seq(st);
	assert_int_equal(rows_try(st, r, &bad), ERR_INPUT);
	assert_string_equal(bad, why);
	assert_int_equal(state_seq(st), seq);
}

static enum err apply(struct state *st, size_t count, const struct row_op *ops, const char **bad) {
	struct change c = {.seq = state_seq(st) + 1, .count = count};
	for (size_t i = 0; i < count; i++) c.ops[i] = ops[i];
	return state_apply(st, &c, bad);
}

#define PUT(r) \
	{ false, (r) }
#define DEL(r) \
	{ true, (r) }
#define APPLY(st, bad, ...)                                                     \
	apply((st), sizeof((struct row_op[]){__VA_ARGS__}) / sizeof(struct row_op), \
		  (struct row_op[]){__VA_ARGS__}, (bad))

/* --- wholly or not at all --- */

static void a_change_with_one_bad_row_changes_nothing(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = rows_state();
	rows_put(st, HOME("elm"));
	assert_int_equal(APPLY(st, &bad, PUT(HOME("oak")), DEL(HOME("elm")), PUT(HOME("ASH"))),
					 ERR_INPUT);
	assert_string_equal(bad, "id");
	assert_non_null(state_home(st, SPAN_LIT("elm")));
	assert_null(state_home(st, SPAN_LIT("oak")));
	assert_int_equal(state_seq(st), 1);
	assert_int_equal(APPLY(st, &bad, PUT(HOME("oak")), PUT(DEVICE("d1", "ash", ""))), ERR_INPUT);
	assert_string_equal(bad, "parent");
	assert_int_equal(state_count(st, ROW_HOME), 1);
	assert_int_equal(state_count(st, ROW_DEVICE), 0);
	state_free(st);
}

static void the_order_inside_a_change_does_not_matter(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = rows_state();
	assert_int_equal(APPLY(st, &bad, PUT(DEVICE("d1", "elm", "")), PUT(HOME("elm"))), ERR_NONE);
	assert_int_equal(APPLY(st, &bad, DEL(HOME("elm")), DEL(DEVICE("d1", "elm", ""))), ERR_NONE);
	assert_int_equal(state_count(st, ROW_DEVICE) + state_count(st, ROW_HOME), 0);
	assert_int_equal(APPLY(st, &bad, DEL(HOME("elm"))), ERR_NONE); /* absent: no error */
	state_free(st);
}

static void a_change_of_too_many_operations_is_refused(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = rows_state();
	static struct change c = {.seq = 1, .count = CHANGE_OPS_MAX};
	const struct row *home = HOME("elm");
	for (size_t i = 0; i < CHANGE_OPS_MAX; i++) c.ops[i] = (struct row_op)PUT(home);
	assert_int_equal(state_apply(st, &c, &bad), ERR_NONE);
	c.seq++;
	c.count = CHANGE_OPS_MAX + 1;
	assert_int_equal(state_apply(st, &c, &bad), ERR_INPUT);
	assert_string_equal(bad, "count");
	state_free(st);
}

/* --- parents --- */

static void a_row_without_its_parents_is_refused(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	const struct row *const orphans[] = {
		DEVICE("d1", "elm", ""),
		CRED("door-1", CRED_DEVICE, "d1", ROLE_NONE),
		CRED("ann", CRED_MEMBER, "elm", ROLE_ADMIN),
		CRED("alarm-4", CRED_INTEGRATOR, "alarm-co", ROLE_NONE),
		CRED("inv-1", CRED_OFFICER, "metro-pd", ROLE_INVESTIGATOR),
		CRED("relay-1", CRED_RELAY, "mover", ROLE_NONE),
		ROW(ROW_TOKEN, token, .id = "ann/0", .username = "ann", .sha256 = HASH64),
		TOPIC("ann", "a/b", APP_READ),
		ROW(ROW_RULES, rules, .username = "ann", .home = "elm"),
		STANDING("01", "elm", "alarm-co", "", GRANT_RING, GSTATE_ACTIVE, 1, 2),
		CLIP("50", "elm", "elm-door"),
		REQUEST("40", "metro-pd", REQ_OPEN),
		GRANT("60", "40", "41", "50", GSTATE_ACTIVE, NOW_MS),
		ROW(ROW_ASK, ask, .id = UUID_OF("41"), .request = UUID_OF("40"), .home = "elm",
			.state = ASK_PENDING),
		ROW(ROW_ASK_CLIP, ask_clip, .id = UUID_OF("41") "/" UUID_OF("50"), .ask = UUID_OF("41"),
			.clip = UUID_OF("50")),
		DELIVERY("70", "60", "40", DLV_COPYING),
		JOB("80", "mover", "70", JOB_COPY),
		ROW(ROW_RECEIPT, receipt, .id = UUID_OF("86"), .home = "elm", .kind = 1),
		ROW(ROW_NOTICE, notice, .id = UUID_OF("87"), .agency = "metro-pd", .kind = 1),
	};
	for (size_t i = 0; i < sizeof(orphans) / sizeof(orphans[0]); i++)
		refused(st, orphans[i], "parent");
	state_free(st);
}

static void a_subject_is_looked_for_by_the_kind_of_credential(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	rows_put(st, HOME("metro-pd"));
	refused(st, CRED("inv-1", CRED_OFFICER, "metro-pd", ROLE_INVESTIGATOR), "parent");
	rows_put(st, CRED("ann", CRED_MEMBER, "metro-pd", ROLE_ADMIN));
	state_free(st);
}

static void a_parent_with_live_children_cannot_be_deleted(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = world_new();
	assert_int_equal(APPLY(st, &bad, DEL(HOME("oak"))), ERR_INPUT);
	assert_string_equal(bad, "children");
	assert_int_equal(APPLY(st, &bad, DEL(CRED("hub", CRED_MEMBER, "elm", ROLE_LIMITED))),
					 ERR_INPUT);
	assert_int_equal(APPLY(st, &bad, DEL(CRED("hub", CRED_MEMBER, "elm", ROLE_LIMITED)),
						   DEL(TOPIC("hub", "homeassistant/#", APP_BOTH))),
					 ERR_NONE);
	/* what has ended needs its parents no more */
	assert_int_equal(APPLY(st, &bad, DEL(HOME("oak")), PUT(RETIRED("oak-door", "oak")),
						   DEL(CRED("oak-1", CRED_DEVICE, "oak-door", ROLE_NONE)),
						   DEL(CRED("zoe", CRED_MEMBER, "oak", ROLE_ADULT)),
						   PUT(STANDING("06", "oak", "cloud-co", "", GRANT_RING, GSTATE_REVOKED,
										NOW_MS, NOW_MS + 1)),
						   PUT(STANDING("07", "oak", "alarm-co", "", GRANT_RING, GSTATE_REVOKED,
										NOW_MS, NOW_MS + 1))),
					 ERR_NONE);
	state_free(st);
}

/* --- I7 --- */

/* A row of that kind in that state. */
static struct row *in_state(enum row_kind kind, int state, union row_any *room) {
	memset(room, 0, sizeof(*room));
	switch (kind) {
	case ROW_STANDING:
		memcpy(room, STANDING("33", "elm", "alarm-co", "", GRANT_RING, state, 1, 2),
			   sizeof(room->standing));
		break;
	case ROW_GRANT:
		memcpy(room, GRANT("33", "40", "41", "50", state, NOW_MS), sizeof(room->grant));
		break;
	case ROW_REQUEST: memcpy(room, REQUEST("33", "metro-pd", state), sizeof(room->request)); break;
	case ROW_ASK:
		memcpy(room,
			   ROW(ROW_ASK, ask, .id = UUID_OF("33"), .request = UUID_OF("40"), .home = "elm",
				   .state = state),
			   sizeof(room->ask));
		break;
	case ROW_DELIVERY:
		memcpy(room, DELIVERY("33", "60", "40", state), sizeof(room->delivery));
		break;
	case ROW_DEVICE:
		memcpy(room, ROW(ROW_DEVICE, device, .id = "d33", .home = "elm", .retired = state),
			   sizeof(room->device));
		break;
	case ROW_INTEGRATOR:
		memcpy(room, ROW(ROW_INTEGRATOR, integrator, .id = "d33", .retired = state),
			   sizeof(room->integrator));
		break;
	case ROW_AGENCY:
		memcpy(room, ROW(ROW_AGENCY, agency, .id = "d33", .kind = AGENCY_FIRE, .retired = state),
			   sizeof(room->agency));
		break;
	default: fail();
	}
	return &room->row;
}

static void check_ends(struct state *st, enum row_kind kind, int first, int count,
					   bool (*is_end)(int)) {
	union row_any a, b;
	for (int from = first; from < count; from++) {
		for (int to = first; to < count; to++) {
			const char *bad = "";
			rows_put(st, in_state(kind, from, &a));
			enum err e = rows_try(st, in_state(kind, to, &b), &bad);
			assert_int_equal(e, is_end(from) && from != to ? ERR_INPUT : ERR_NONE);
			if (e != ERR_NONE) assert_string_equal(bad, "absorbing");
			/* nor does deleting it in the same change wash the end away */
			e = APPLY(st, &bad, DEL(&a.row), PUT(&b.row));
			assert_int_equal(e, is_end(from) && from != to ? ERR_INPUT : ERR_NONE);
			rows_del(st, &a.row);
		}
	}
}

static bool is_grant_end(int s) {
	return s == GSTATE_REFUSED || s == GSTATE_REVOKED || s == GSTATE_EXPIRED;
}
static bool is_request_end(int s) {
	return s == REQ_WITHDRAWN || s == REQ_REJECTED || s == REQ_LAPSED || s == REQ_RESOLVED ||
		   s == REQ_EXPIRED;
}
static bool is_ask_end(int s) {
	return s == ASK_DECIDED || s == ASK_LAPSED;
}
static bool is_delivery_end(int s) {
	return s == DLV_VOID || s == DLV_PURGED;
}
static bool is_retired(int s) {
	return s == 1;
}

static void i7_absorbing_states_stay_absorbing(void **unused) {
	(void)unused;
	struct state *st = world_new();
	check_ends(st, ROW_STANDING, GSTATE_ACTIVE, GSTATE_KINDS, is_grant_end);
	check_ends(st, ROW_GRANT, GSTATE_APPROVED, GSTATE_KINDS, is_grant_end);
	check_ends(st, ROW_REQUEST, REQ_SUBMITTED, REQ_STATES, is_request_end);
	check_ends(st, ROW_ASK, ASK_PENDING, ASK_STATES, is_ask_end);
	check_ends(st, ROW_DELIVERY, DLV_COPYING, DLV_STATES, is_delivery_end);
	check_ends(st, ROW_DEVICE, 0, 2, is_retired);
	check_ends(st, ROW_INTEGRATOR, 0, 2, is_retired);
	check_ends(st, ROW_AGENCY, 0, 2, is_retired);
	state_free(st);
}

static void i7_two_puts_in_one_change_do_not_pass_an_end_by(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = world_new();
	union row_any a, b;
	assert_int_equal(APPLY(st, &bad, PUT(in_state(ROW_GRANT, GSTATE_REVOKED, &a)),
						   PUT(in_state(ROW_GRANT, GSTATE_ACTIVE, &b))),
					 ERR_INPUT);
	assert_string_equal(bad, "absorbing");
	assert_null(state_grant(st, span_str(UUID_OF("33"))));
	state_free(st);
}

static void a_yes_cannot_be_turned_into_another(void **unused) {
	(void)unused;
	struct state *st = world_new();
	int64_t nbf = NOW_MS - 60 * MINUTE_MS, exp = NOW_MS + DAY_MS;
	refused(st, STANDING("01", "oak", "alarm-co", "elm-door", GRANT_RING, GSTATE_ACTIVE, nbf, exp),
			"owner");
	refused(st, STANDING("01", "elm", "cloud-co", "elm-door", GRANT_RING, GSTATE_ACTIVE, nbf, exp),
			"owner");
	refused(st, STANDING("01", "elm", "alarm-co", "", GRANT_RING, GSTATE_ACTIVE, nbf, exp),
			"owner");
	refused(st, STANDING("01", "elm", "alarm-co", "elm-door", GRANT_CLIP, GSTATE_ACTIVE, nbf, exp),
			"owner");
	refused(st, GRANT("60", "40", "41", "51", GSTATE_ACTIVE, exp), "owner");
	refused(st, DEVICE("elm-door", "oak", "u33db2m3"), "owner");
	refused(st, CRED("ann", CRED_OPERATOR, "", ROLE_NONE), "owner");
	rows_put(st, GRANT("60", "40", "41", "50", GSTATE_ACTIVE, exp + 1));
	state_free(st);
}

/* --- durability --- */

static void i3_a_row_is_durable_only_after_its_commit(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	rows_put(st, HOME("elm"));
	rows_put_soon(st, ROW(ROW_HOME, home, .id = "elm", .name = "Elm"));
	const struct row *r = state_get(st, ROW_HOME, SPAN_LIT("elm"));
	assert_int_equal(r->seq, 2);
	assert_false(state_durable(st, r));
	state_committed(st, 1); /* an older commit says nothing of it */
	assert_false(state_durable(st, r));
	state_committed(st, 2);
	assert_true(state_durable(st, r));
	state_committed(st, 1); /* and never goes back */
	assert_true(state_durable(st, r));
	assert_false(state_durable(st, NULL));
	state_free(st);
}

static void i3_a_seq_that_is_already_committed_is_refused(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = rows_state();
	rows_put(st, HOME("elm"));
	struct change c = {.seq = 1, .count = 1, .ops = {PUT(HOME("oak"))}};
	assert_int_equal(state_apply(st, &c, &bad), ERR_INPUT);
	assert_string_equal(bad, "seq");
	c.seq = 0;
	assert_int_equal(state_apply(st, &c, &bad), ERR_INPUT);
	assert_null(state_home(st, SPAN_LIT("oak")));
	state_free(st);
}

/* --- loading --- */

static enum err load(struct state *st, uint64_t seq, const struct row *r) {
	const char *bad;
	union row_any copy;
	memcpy(&copy, r, row_desc(r->kind)->size);
	copy.row.seq = seq;
	return state_load(st, &copy.row, &bad);
}

static void i1_a_state_that_is_not_loaded_to_the_end_allows_nothing(void **unused) {
	(void)unused;
	const char *bad;
	struct state *st = state_new(3, 4);
	assert_false(state_may_allow(st));
	assert_int_equal(load(st, 5, DEVICE("d1", "elm", "")), ERR_NONE);
	assert_false(state_may_allow(st));
	assert_int_equal(load(st, 4, HOME("elm")), ERR_NONE);
	assert_int_equal(state_complete(st, 7, &bad), ERR_NONE);
	assert_true(state_may_allow(st));
	assert_int_equal(state_seq(st), 7);
	assert_int_equal(state_durable_seq(st), 7);
	assert_int_equal(load(st, 8, HOME("oak")), ERR_INPUT); /* the load is over */
	state_free(st);
}

static void i1_a_loaded_row_without_its_parent_refuses_everything_for_ever(void **unused) {
	(void)unused;
	const char *bad = "";
	struct state *st = state_new(3, 4);
	assert_int_equal(load(st, 1, DEVICE("d1", "elm", "")), ERR_NONE);
	assert_int_equal(state_complete(st, 1, &bad), ERR_INPUT);
	assert_string_equal(bad, "parent");
	assert_true(state_health(st).refusing);
	assert_int_equal(load(st, 1, HOME("elm")), ERR_NONE);
	assert_int_equal(state_complete(st, 1, &bad), ERR_NONE);
	assert_false(state_may_allow(st));
	state_free(st);
}

static void i1_a_row_that_does_not_validate_or_comes_twice_is_not_loaded(void **unused) {
	(void)unused;
	struct state *st = state_new(3, 4);
	assert_int_equal(load(st, 1, HOME("ELM")), ERR_INPUT);
	assert_int_equal(load(st, 1, HOME("elm")), ERR_NONE);
	assert_int_equal(load(st, 1, HOME("elm")), ERR_INPUT);
	state_free(st);
}

static void rows_loaded_in_any_order_are_newest_first(void **unused) {
	(void)unused;
	const char *bad;
	struct state *st = state_new(3, 4);
	assert_int_equal(load(st, 30, DEVICE("d3", "elm", "")), ERR_NONE);
	assert_int_equal(load(st, 10, DEVICE("d1", "elm", "")), ERR_NONE);
	assert_int_equal(load(st, 20, DEVICE("d2a", "elm", "")), ERR_NONE);
	assert_int_equal(load(st, 20, DEVICE("d2b", "elm", "")), ERR_NONE);
	assert_int_equal(load(st, 1, HOME("elm")), ERR_NONE);
	assert_int_equal(state_complete(st, 30, &bad), ERR_NONE);
	static const char *const want[] = {"d3", "d2b", "d2a", "d1"};
	const struct row *a = NULL, *b = NULL;
	for (size_t i = 0; i < 4; i++) {
		a = state_each(st, ROW_DEVICE, a);
		b = state_child(st, ROW_DEVICE, 0, SPAN_LIT("elm"), b);
		assert_ptr_equal(a, b);
		assert_string_equal(((const struct row_device *)a)->id, want[i]);
	}
	assert_null(state_each(st, ROW_DEVICE, a));
	state_free(st);
}

static void health_says_why_nothing_is_allowed(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	assert_true(state_may_allow(st));
	state_set_store_down(st, true); /* what was durable still stands */
	assert_true(state_may_allow(st));
	state_set_unsound(st, true);
	assert_false(state_may_allow(st));
	state_set_unsound(st, false);
	assert_true(state_may_allow(st));
	state_set_refusing(st);
	assert_false(state_may_allow(st));
	state_free(st);
}

/* --- indexes --- */

static void a_changed_row_keeps_its_place(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	rows_put(st, HOME("elm"));
	rows_put(st, DEVICE("d1", "elm", ""));
	rows_put(st, DEVICE("d2", "elm", ""));
	rows_put(st,
			 ROW(ROW_DEVICE, device, .id = "d1", .home = "elm", .name = "Door", .claimed_ms = 1));
	const struct row *r = state_child(st, ROW_DEVICE, 0, SPAN_LIT("elm"), NULL);
	assert_string_equal(((const struct row_device *)r)->id, "d2");
	r = state_child(st, ROW_DEVICE, 0, SPAN_LIT("elm"), r);
	assert_string_equal(((const struct row_device *)r)->name, "Door");
	assert_null(state_child(st, ROW_DEVICE, 0, SPAN_LIT("elm"), r));
	assert_int_equal(state_count(st, ROW_DEVICE), 2);
	state_free(st);
}

/* I3: a claim counts from its commit; another name given to the device afterwards does not put it in
 * doubt until that is committed, too. */
static void i3_claim_counts_when_durable_and_a_new_name_does_not_end_it(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	const char *bad = "";
	rows_put(st, HOME("elm"));
	rows_put(st, UNCLAIMED("d1", "elm", ""));
	assert_false(state_is_claimed(st, state_device(st, SPAN_LIT("d1"))));
	rows_put_soon(st, DEVICE("d1", "elm", ""));
	assert_false(state_is_claimed(st, state_device(st, SPAN_LIT("d1"))));
	state_committed(st, state_seq(st));
	assert_true(state_is_claimed(st, state_device(st, SPAN_LIT("d1"))));
	rows_put_soon(st, DEVICE("d1", "elm", "u33db2m3"));
	assert_false(state_durable(st, &state_device(st, SPAN_LIT("d1"))->row));
	assert_true(state_is_claimed(st, state_device(st, SPAN_LIT("d1"))));
	assert_int_equal(rows_try(st, UNCLAIMED("d1", "elm", ""), &bad), ERR_INPUT);
	assert_string_equal(bad, "absorbing");
	rows_put_soon(st, RETIRED("d2", "elm"));
	assert_false(state_is_claimed(st, state_device(st, SPAN_LIT("d2"))));
	assert_false(state_is_claimed(st, NULL));
	state_free(st);
}

static void absent_things_are_null(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	assert_null(state_get(st, ROW_HOME, SPAN_LIT("elm")));
	assert_null(state_get(st, ROW_NONE, SPAN_LIT("elm")));
	assert_null(state_get(st, ROW_KINDS, SPAN_LIT("elm")));
	assert_null(state_child(st, ROW_DEVICE, 0, SPAN_LIT("elm"), NULL));
	assert_null(state_child(st, ROW_DEVICE, 2, SPAN_LIT("elm"), NULL));
	assert_null(state_each(st, ROW_KINDS, NULL));
	assert_int_equal(state_count(st, ROW_KINDS), 0);
	state_free(st);
	state_free(NULL);
}

/* The naive model: rules rows of few users in few homes, oldest first in an array. */
enum { USERS = 40, HOMES = 5 };
struct model {
	struct row_rules row[USERS];
	size_t count;
};

static size_t model_at(const struct model *m, const char *username) {
	size_t i = 0;
	while (i < m->count && !span_eq(span_str(m->row[i].username), span_str(username))) i++;
	return i;
}

static void compare(const struct state *st, const struct model *m) {
	assert_int_equal(state_count(st, ROW_RULES), m->count);
	const struct row *r = NULL;
	for (size_t i = m->count; i > 0; i--) {
		r = state_each(st, ROW_RULES, r);
		assert_true(row_eq(r, &m->row[i - 1].row));
		assert_ptr_equal(r, state_rules(st, span_str(m->row[i - 1].username)));
	}
	assert_null(r ? state_each(st, ROW_RULES, r) : state_each(st, ROW_RULES, NULL));
}

/* A row that moved to another parent is the newest there, so the lists of parents are compared as
 * sets. */
static void compare_parents(const struct state *st, const struct model *m) {
	for (int h = 0; h < HOMES; h++) {
		char home[] = {'h', (char)('0' + h), '\0'};
		size_t have = 0, want = 0;
		for (size_t i = 0; i < m->count; i++) want += m->row[i].home[1] == home[1];
		const struct row *r = state_child(st, ROW_RULES, 0, span_str(home), NULL);
		for (; r; r = state_child(st, ROW_RULES, 0, span_str(home), r)) {
			assert_true(span_eq(row_parent(r, 0), span_str(home)));
			have++;
		}
		assert_int_equal(have, want);
	}
}

static uint32_t next_random(uint32_t *x) {
	*x = *x * 1664525u + 1013904223u;
	return *x >> 16;
}

static void indexes_agree_with_a_naive_model(void **unused) {
	(void)unused;
	struct state *st = rows_state();
	static struct model m;
	uint32_t x = 7;
	for (int h = 0; h < HOMES; h++) {
		char home[] = {'h', (char)('0' + h), '\0'};
		struct row_home row = {.row = {.kind = ROW_HOME}};
		assert_true(span_copy(span_str(home), row.id, sizeof(row.id)));
		rows_put(st, &row.row);
	}
	for (int step = 0; step < 3000; step++) {
		struct row_rules row = {.row = {.kind = ROW_RULES},
								.home = {'h', (char)('0' + next_random(&x) % HOMES)}};
		(void)snprintf(row.username, sizeof(row.username), "user-%u",
					   (unsigned)(next_random(&x) % USERS));
		row.changed_ms = step;
		size_t at = model_at(&m, row.username);
		if (next_random(&x) % 3 == 0) {
			rows_del(st, &row.row);
			if (at == m.count) continue;
			memmove(&m.row[at], &m.row[at + 1], (m.count - at - 1) * sizeof(m.row[0]));
			m.count--;
		} else {
			rows_put(st, &row.row);
			m.row[at] = row;
			m.count += at == m.count;
		}
		compare(st, &m);
		compare_parents(st, &m);
	}
	state_free(st);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_with_one_bad_row_changes_nothing),
		cmocka_unit_test(the_order_inside_a_change_does_not_matter),
		cmocka_unit_test(a_change_of_too_many_operations_is_refused),
		cmocka_unit_test(a_row_without_its_parents_is_refused),
		cmocka_unit_test(a_subject_is_looked_for_by_the_kind_of_credential),
		cmocka_unit_test(a_parent_with_live_children_cannot_be_deleted),
		cmocka_unit_test(i7_absorbing_states_stay_absorbing),
		cmocka_unit_test(i7_two_puts_in_one_change_do_not_pass_an_end_by),
		cmocka_unit_test(a_yes_cannot_be_turned_into_another),
		cmocka_unit_test(i3_a_row_is_durable_only_after_its_commit),
		cmocka_unit_test(i3_a_seq_that_is_already_committed_is_refused),
		cmocka_unit_test(i1_a_state_that_is_not_loaded_to_the_end_allows_nothing),
		cmocka_unit_test(i1_a_loaded_row_without_its_parent_refuses_everything_for_ever),
		cmocka_unit_test(i1_a_row_that_does_not_validate_or_comes_twice_is_not_loaded),
		cmocka_unit_test(rows_loaded_in_any_order_are_newest_first),
		cmocka_unit_test(health_says_why_nothing_is_allowed),
		cmocka_unit_test(a_changed_row_keeps_its_place),
		cmocka_unit_test(i3_claim_counts_when_durable_and_a_new_name_does_not_end_it),
		cmocka_unit_test(absent_things_are_null),
		cmocka_unit_test(indexes_agree_with_a_naive_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
