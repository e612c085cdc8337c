/* Runs tests/tables/policy.table, line by line, against the world of tests/unit/policy/rows.h, and
 * checks that the table speaks of every topic, every access and every credential. What the lines
 * mean is told at their head. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

enum { LINE_MAX_BYTES = 256, NAMED_MAX = 512, COLUMNS = 5 };

static const char table_path[] = "tests/tables/policy.table";

struct line {
	int number;
	char text[LINE_MAX_BYTES];
	struct span column[COLUMNS]; /* into text */
	char topic[LINE_MAX_BYTES];  /* with prefix, ids filled in */
	struct question q;
	struct policy_opts opts;
	bool unsound, refusing;
	enum verdict_kind kind;
	enum reason reason;
	bool any_reason;
};

/* "access|topic|circumstances|username" of every line so far, for "others". */
struct seen {
	char about[NAMED_MAX][LINE_MAX_BYTES];
	char who[NAMED_MAX][ROW_ID_SIZE];
	size_t count;
};

static struct span trim(struct span s) {
	while (s.len && s.ptr[0] == ' ') s = span_drop(s, 1);
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n')) s.len--;
	return s;
}

static struct span cut(struct span *rest, uint8_t by) {
	const uint8_t *end = rest->len ? memchr(rest->ptr, by, rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
	struct span first = span_of(rest->ptr, len);
	*rest = span_drop(*rest, len + 1);
	return trim(first);
}

static _Noreturn void broken(const struct line *l, const char *what) {
	fail_msg("%s:%d: %s: %s", table_path, l->number, what, l->text);
	abort();
}

/* --- reading a line --- */

static void read_topic(struct line *l) {
	static const char *const ours[] = {"device/", "home/", "agency/", "relay/",
									   "area/",   "user/", "public/", "operator/"};
	static const struct {
		const char *name, *id;
	} ids[] = {{"{clip}", UUID_OF("50")},
			   {"{back}", UUID_OF("51")},
			   {"{late}", UUID_OF("52")},
			   {"{request}", UUID_OF("40")}};
	struct buf b;
	struct span rest = l->column[3];
	buf_init(&b, LINE_MAX_BYTES - 1);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (span_starts(rest, span_str(ours[i]))) buf_str(&b, "vestibule/v1/");
	}
	while (rest.len) {
		size_t i = 0, n = sizeof(ids) / sizeof(ids[0]);
		while (i < n && !span_starts(rest, span_str(ids[i].name))) i++;
		if (i < n)
			buf_str(&b, ids[i].id);
		else
			buf_put(&b, rest.ptr, 1);
		rest = span_drop(rest, i < n ? strlen(ids[i].name) : 1);
	}
	assert_int_equal(buf_error(&b), ERR_NONE);
	assert_true(span_copy(buf_view(&b), l->topic, sizeof(l->topic)));
	buf_fini(&b);
	l->q.name = span_str(l->topic);
}

static int64_t read_number(const struct line *l, struct span s) {
	int64_t n = 0;
	bool minus = s.len && s.ptr[0] == '-';
	if (minus) s = span_drop(s, 1);
	if (s.len == 0) broken(l, "a number is missing");
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9') broken(l, "not a number");
		n = n * 10 + (s.ptr[i] - '0');
	}
	return minus ? -n : n;
}

static void read_circumstance(struct line *l, struct span word) {
	struct span value = word;
	struct span name = cut(&value, '=');
	struct event_times *e = &l->q.event;
	if (span_eq(name, SPAN_LIT("at")))
		e->at_ms = (uint64_t)(NOW_MS + read_number(l, value) * MINUTE_MS);
	else if (span_eq(name, SPAN_LIT("qos")))
		l->q.qos = (uint8_t)read_number(l, value);
	else if (span_eq(name, SPAN_LIT("payload")))
		l->q.status = value;
	else if (span_eq(word, SPAN_LIT("unsynced")))
		e->synced = false;
	else if (span_eq(word, SPAN_LIT("raw")))
		e->arrived_ms = 0;
	else if (span_eq(word, SPAN_LIT("retain")))
		l->q.retain = true;
	else if (span_eq(word, SPAN_LIT("will")))
		l->q.is_will = true;
	else if (span_eq(word, SPAN_LIT("agencies-off")))
		l->opts.agencies = false;
	else if (span_eq(word, SPAN_LIT("unsound")))
		l->unsound = true;
	else if (span_eq(word, SPAN_LIT("refusing")))
		l->refusing = true;
	else
		broken(l, "unknown circumstance");
}

static void read_verdict(struct line *l) {
	struct span rest = l->column[0];
	struct span kind = cut(&rest, ' '), word = trim(rest);
	l->kind = span_eq(kind, SPAN_LIT("ALLOW")) ? VERDICT_ALLOW : VERDICT_DENY;
	if (l->kind == VERDICT_DENY && !span_eq(kind, SPAN_LIT("DENY")))
		broken(l, "neither ALLOW nor DENY");
	l->any_reason = span_eq(word, SPAN_LIT("*"));
	l->reason = reason_by_word(word);
	if (!l->any_reason && l->reason == REASON_NONE_GIVEN) broken(l, "unknown reason");
}

static void read_access(struct line *l) {
	struct span word = l->column[2];
	if (span_eq(word, SPAN_LIT("read")))
		l->q.access = ACCESS_READ;
	else if (span_eq(word, SPAN_LIT("write")))
		l->q.access = ACCESS_WRITE;
	else if (span_eq(word, SPAN_LIT("subscribe")))
		l->q.access = ACCESS_SUBSCRIBE;
	else
		broken(l, "unknown access");
}

static void read_line(struct line *l) {
	struct span rest = trim(span_str(l->text));
	for (int i = 0; i < COLUMNS; i++) l->column[i] = cut(&rest, '|');
	l->unsound = l->refusing = false;
	l->opts = (struct policy_opts){.agencies = true};
	l->q = (struct question){
		.now_ms = NOW_MS, .has_event = true, .event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true}};
	read_verdict(l);
	read_access(l);
	read_topic(l);
	struct span words = l->column[4];
	while (words.len) read_circumstance(l, cut(&words, ' '));
}

/* The next line that is not a comment; false at the end. */
static bool next_line(FILE *f, struct line *l) {
	while (fgets(l->text, sizeof(l->text), f)) {
		l->number++;
		if (!strchr(l->text, '\n')) broken(l, "line too long");
		if (l->text[0] == '#' || trim(span_str(l->text)).len == 0) continue;
		read_line(l);
		return true;
	}
	return false;
}

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

static const struct row_credential *named(const struct state *st, const struct line *l) {
	struct span username = l->column[1];
	if (span_eq(username, SPAN_LIT("nobody"))) return NULL;
	struct span kind = cut(&username, ':');
	const struct row_credential *who = state_credential(st, username);
	if (!who || who->kind != (int64_t)policy_cred_kind_by_name(kind))
		broken(l, "no such credential");
	return who;
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

static bool is_barred(const struct row_credential *who) {
	struct span u = span_str(who->username);
	return span_eq(u, SPAN_LIT("sus")) || span_eq(u, SPAN_LIT("mia")) ||
		   span_eq(u, SPAN_LIT("gone-1"));
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

static bool is_others(const struct line *l) {
	return span_eq(l->column[1], SPAN_LIT("others"));
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

/* A line about others exists for each topic and access: so each credential has an answer there. */
static void the_policy_table_speaks_of_every_topic_and_access(void **unused) {
	(void)unused;
	bool told[TOPIC_KINDS][ACCESS_SUBSCRIBE + 1] = {0};
	FILE *f = fopen(table_path, "r");
	assert_non_null(f);
	struct line l = {0};
	while (next_line(f, &l)) {
		struct topic t;
		if (is_others(&l) && topic_parse(l.q.name, &t) == ERR_NONE) told[t.kind][l.q.access] = true;
	}
	(void)fclose(f);
	for (int kind = TOPIC_UNKNOWN + 1; kind < TOPIC_KINDS; kind++) {
		for (int access = ACCESS_READ; access <= ACCESS_SUBSCRIBE; access++) {
			if (told[kind][access]) continue;
			fail_msg("no line about others: %s, access %d", topic_kind_name((enum topic_kind)kind),
					 access);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_of_the_policy_table_holds),
		cmocka_unit_test(the_policy_table_speaks_of_every_topic_and_access),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
