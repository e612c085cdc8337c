/* Runs tests/tables/policy.table, line by line, against the world of tests/unit/policy/rows.h. What
 * the lines mean is told at their head; that none is missing is policy_coverage_test.c's to say. */
#include "tests/tables/policy_line.h"

enum { NAMED_MAX = 1024 };

/* "access|topic|circumstances|username" of every line so far, for "others". */
struct seen {
	char about[NAMED_MAX][LINE_MAX_BYTES];
	char who[NAMED_MAX][ROW_ID_SIZE];
	size_t count;
};

/* --- asking --- */

static struct verdict ask(struct state *st, const struct line *l,
						  const struct row_credential *who) {
	struct question q = l->q;
	q.who = who;
	state_set_unsound(st, l->unsound);
	struct verdict v = policy_decide(st, &q, &l->opts);
	state_set_unsound(st, false);
	return v;
}

/* False, and told, when the answer is another. */
static bool expect(struct state *st, const struct line *l, const struct row_credential *who,
				   bool barred) {
	struct verdict v = ask(st, l, who);
	enum verdict_kind kind = barred ? VERDICT_DENY : l->kind;
	bool right = v.kind == kind && (barred || l->any_reason || v.reason == l->reason);
	assert_true((v.kind == VERDICT_ALLOW) == (v.reason == REASON_OK));
	if (right) return true;
	print_error("%s:%d: %s is answered %s %s: %s", table_path, l->number,
				who ? who->username : "nobody", v.kind == VERDICT_ALLOW ? "ALLOW" : "DENY",
				reason_word(v.reason), l->text);
	return false;
}

/* What a line is about, as one text; its who is told apart elsewhere. */
static void about(const struct line *l, char out[LINE_MAX_BYTES]) {
	struct buf b;
	buf_init(&b, LINE_MAX_BYTES - 1);
	for (int i = 2; i < COLUMNS; i++) {
		buf_span(&b, l->column[i]);
		buf_char(&b, '|');
	}
	assert_int_equal(buf_error(&b), ERR_NONE);
	assert_true(span_copy(buf_view(&b), out, LINE_MAX_BYTES));
	buf_fini(&b);
}

static void remember(struct seen *s, const struct line *l, const char *username) {
	assert_true(s->count < NAMED_MAX);
	about(l, s->about[s->count]);
	assert_true(span_copy(span_str(username), s->who[s->count++], ROW_ID_SIZE));
}

static bool is_named(const struct seen *s, const struct line *l, const char *username) {
	char key[LINE_MAX_BYTES];
	about(l, key);
	for (size_t i = 0; i < s->count; i++) {
		if (span_eq(span_str(key), span_str(s->about[i])) &&
			span_eq(span_str(username), span_str(s->who[i]))) {
			return true;
		}
	}
	return false;
}

static bool expect_others(struct state *st, const struct line *l, const struct seen *s) {
	bool right = true;
	const struct row *r = state_each(st, ROW_CREDENTIAL, NULL);
	for (; r; r = state_each(st, ROW_CREDENTIAL, r)) {
		const struct row_credential *who = (const struct row_credential *)r;
		if (!is_named(s, l, who->username)) right &= expect(st, l, who, is_barred(who));
	}
	return right;
}

static void every_line_of_the_policy_table_holds(void **unused) {
	(void)unused;
	struct seen *seen = calloc(1, sizeof(*seen));
	FILE *f = fopen(table_path, "r");
	assert_non_null(seen);
	assert_non_null(f);
	struct state *st = world_new(), *refusing = world_new();
	state_set_refusing(refusing);
	struct line l = {0};
	int wrong = 0;
	while (next_line(f, &l)) {
		struct state *asked = l.refusing ? refusing : st;
		if (is_others(&l)) {
			wrong += expect_others(asked, &l, seen) ? 0 : 1;
			continue;
		}
		const struct row_credential *who = named(asked, &l);
		wrong += expect(asked, &l, who, false) ? 0 : 1;
		if (who) remember(seen, &l, who->username);
	}
	assert_true(seen->count > 300);
	assert_int_equal(wrong, 0);
	state_free(st);
	state_free(refusing);
	(void)fclose(f);
	free(seen);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_of_the_policy_table_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
