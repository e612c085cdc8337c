/* Is tests/tables/policy.table whole? Every topic of the grammar x every access x every kind and role
 * of principal has an answer in it, and each ALLOW stands beside the DENY that is nearest to it: in
 * the same paragraph, for the same access, the same topic refused to somebody, and somebody of the
 * same kind refused. */
#include "tests/tables/policy_line.h"
#include "tests/unit/reasons.h"

enum { ENTRIES_MAX = 1536, CELLS_TOLD = 40 };

struct entry {
	int number, paragraph;
	enum verdict_kind verdict;
	enum reason reason; /* REASON_NONE_GIVEN: any */
	enum access access;
	enum topic_kind kind; /* TOPIC_UNKNOWN: a filter, or none of ours */
	bool others;
	const struct row_credential *who; /* NULL: others, or nobody */
	char about[LINE_MAX_BYTES];       /* topic and circumstances */
	char topic[LINE_MAX_BYTES];
};

struct whole {
	struct state *st;
	size_t count;
	struct entry entry[ENTRIES_MAX];
};

/* --- who there is: a class is a kind, with its role where roles differ --- */

struct class {
	enum cred_kind kind;
	enum cred_role role;
};

static const struct class classes[] = {
	{CRED_DEVICE, ROLE_NONE},        {CRED_MEMBER, ROLE_LIMITED},
	{CRED_MEMBER, ROLE_ADULT},       {CRED_MEMBER, ROLE_ADMIN},
	{CRED_INTEGRATOR, ROLE_NONE},    {CRED_OFFICER, ROLE_INVESTIGATOR},
	{CRED_OFFICER, ROLE_SUPERVISOR}, {CRED_OFFICER, ROLE_EVIDENCE},
	{CRED_OFFICER, ROLE_LIAISON},    {CRED_OFFICER, ROLE_AUDITOR},
	{CRED_RELAY, ROLE_NONE},         {CRED_APP, ROLE_NONE},
	{CRED_OPERATOR, ROLE_NONE},
};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };

static int class_of(const struct row_credential *who) {
	for (int i = 0; i < CLASSES; i++) {
		if (who->kind == (int64_t)classes[i].kind && who->role == (int64_t)classes[i].role)
			return i;
	}
	fail_msg("%s: a kind or role that this test does not know", who->username);
	return 0;
}

static bool is_heard(const struct row_credential *who) {
	return who->suspended == 0 && !is_barred(who);
}

/* --- reading --- */

static struct entry *add(struct whole *w, const struct line *l) {
	struct topic t;
	struct buf b;
	assert_true(w->count < ENTRIES_MAX);
	struct entry *en = &w->entry[w->count++];
	*en = (struct entry){.number = l->number,
						 .paragraph = l->paragraph,
						 .verdict = l->kind,
						 .reason = l->any_reason ? REASON_NONE_GIVEN : l->reason,
						 .access = l->q.access,
						 .kind = topic_parse(l->q.name, &t) == ERR_NONE ? t.kind : TOPIC_UNKNOWN,
						 .others = is_others(l)};
	if (!en->others) en->who = named(w->st, l);
	assert_true(span_copy(l->column[3], en->topic, sizeof(en->topic)));
	buf_init(&b, LINE_MAX_BYTES - 1);
	buf_span(&b, l->column[3]);
	buf_char(&b, '|');
	buf_span(&b, l->column[4]);
	assert_int_equal(buf_error(&b), ERR_NONE);
	assert_true(span_copy(buf_view(&b), en->about, sizeof(en->about)));
	buf_fini(&b);
	return en;
}

static int read_all(void **state) {
	struct whole *w = calloc(1, sizeof(*w));
	FILE *f = fopen(table_path, "r");
	struct line l = {0};
	if (!w || !f) return -1;
	w->st = world_new();
	while (next_line(f, &l)) (void)add(w, &l);
	(void)fclose(f);
	*state = w;
	return 0;
}

static int forget(void **state) {
	struct whole *w = *state;
	state_free(w->st);
	free(w);
	return 0;
}

static bool is_same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

/* Is this credential meant by a line about others: did no line above name it for the same? */
static bool is_other(const struct whole *w, const struct entry *line,
					 const struct row_credential *who) {
	for (const struct entry *en = w->entry; en < line; en++) {
		if (en->who == who && en->access == line->access && is_same(en->about, line->about))
			return false;
	}
	return is_heard(who);
}

/* --- every cell --- */

static void mark(const struct whole *w, const struct entry *en,
				 bool cells[TOPIC_KINDS][ACCESS_SUBSCRIBE + 1][CLASSES]) {
	bool *row = cells[en->kind][en->access];
	if (en->who) row[class_of(en->who)] = true;
	if (!en->others) return;
	const struct row *r = state_each(w->st, ROW_CREDENTIAL, NULL);
	for (; r; r = state_each(w->st, ROW_CREDENTIAL, r)) {
		const struct row_credential *who = (const struct row_credential *)r;
		if (is_other(w, en, who)) row[class_of(who)] = true;
	}
}

static void every_topic_access_and_principal_has_an_answer(void **state) {
	static bool cells[TOPIC_KINDS][ACCESS_SUBSCRIBE + 1][CLASSES];
	static const char *const words[] = {"none", "read", "write", "subscribe"};
	const struct whole *w = *state;
	int told = 0, missing = 0;
	for (size_t i = 0; i < w->count; i++) mark(w, &w->entry[i], cells);
	for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KINDS; kind++) {
		for (int access = ACCESS_READ; access <= ACCESS_SUBSCRIBE; access++) {
			for (int class = 0; class < CLASSES; class ++) {
				told += cells[kind][access][class];
				if (cells[kind][access][class] || missing++ >= CELLS_TOLD) continue;
				print_error("no line: %s %s %s %s\n", policy_cred_kind_name(classes[class].kind),
							policy_role_name(classes[class].role), words[access],
							topic_kind_name((enum topic_kind)kind));
			}
		}
	}
	print_message("policy.table: %d cells of topic x access x principal, %d missing\n",
				  told + missing, missing);
	assert_int_equal(missing, 0);
}

/* --- each ALLOW beside its nearest DENY --- */

static bool refuses_kind(const struct whole *w, const struct entry *deny, int64_t kind) {
	if (deny->who) return deny->who->kind == kind && is_heard(deny->who);
	if (!deny->others) return false;
	const struct row *r = state_each(w->st, ROW_CREDENTIAL, NULL);
	for (; r; r = state_each(w->st, ROW_CREDENTIAL, r)) {
		const struct row_credential *who = (const struct row_credential *)r;
		if (who->kind == kind && is_other(w, deny, who)) return true;
	}
	return false;
}

static bool stands_beside_its_deny(const struct whole *w, const struct entry *allow) {
	bool same_topic = false, same_kind = allow->others;
	for (const struct entry *d = w->entry; d < w->entry + w->count; d++) {
		if (d->verdict != VERDICT_DENY || d->paragraph != allow->paragraph ||
			d->access != allow->access)
			continue;
		same_topic = same_topic || is_same(d->topic, allow->topic);
		same_kind = same_kind || refuses_kind(w, d, allow->who->kind);
	}
	if (same_topic && same_kind) return true;
	print_error("%s:%d: nobody%s is refused beside it\n", table_path, allow->number,
				same_topic ? " of that kind" : " who asks for that topic");
	return false;
}

static void every_allow_stands_beside_its_nearest_deny(void **state) {
	const struct whole *w = *state;
	int allows = 0, alone = 0;
	for (size_t i = 0; i < w->count; i++) {
		if (w->entry[i].verdict != VERDICT_ALLOW) continue;
		allows++;
		alone += !stands_beside_its_deny(w, &w->entry[i]);
	}
	print_message("policy.table: %d ALLOW beside their nearest DENY, %d alone\n", allows - alone,
				  alone);
	assert_true(allows > 100);
	assert_int_equal(alone, 0);
}

/* --- reasons, and nobody --- */

static void every_reason_of_the_policy_has_its_line(void **state) {
	const struct whole *w = *state;
	bool told[REASON_COUNT] = {false};
	int missing = 0;
	for (size_t i = 0; i < w->count; i++) {
		if (w->entry[i].verdict == VERDICT_DENY) told[w->entry[i].reason] = true;
	}
	for (int r = 0; r < REASON_COUNT; r++) {
		if (told[r] || provokers[r] != BY_TABLE) continue;
		print_error("no line refuses with %s\n", reason_word((enum reason)r));
		missing++;
	}
	assert_int_equal(missing, 0);
}

static void whoever_is_not_in_the_registry_is_refused_everything(void **state) {
	const struct whole *w = *state;
	FILE *f = fopen(table_path, "r");
	struct line l = {0};
	assert_non_null(f);
	while (next_line(f, &l)) {
		l.q.who = NULL;
		if (policy_decide(w->st, &l.q, &l.opts).kind == VERDICT_ALLOW)
			broken(&l, "is allowed to nobody");
	}
	(void)fclose(f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_topic_access_and_principal_has_an_answer),
		cmocka_unit_test(every_allow_stands_beside_its_nearest_deny),
		cmocka_unit_test(every_reason_of_the_policy_has_its_line),
		cmocka_unit_test(whoever_is_not_in_the_registry_is_refused_everything),
	};
	return cmocka_run_group_tests(tests, read_all, forget);
}
