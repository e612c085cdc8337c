/* The lines of tests/tables/policy.table, read for the tests that ask about them. What a line means is
 * told at the table's head. Included, not linked. */
#ifndef TESTS_TABLES_POLICY_LINE_H
#define TESTS_TABLES_POLICY_LINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

enum { LINE_MAX_BYTES = 256, COLUMNS = 5 };

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
	int paragraph; /* counted by the blank lines before it */
};

static inline struct span trim(struct span s) {
	while (s.len && s.ptr[0] == ' ') s = span_drop(s, 1);
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\n')) s.len--;
	return s;
}

static inline struct span cut(struct span *rest, uint8_t by) {
	const uint8_t *end = rest->len ? memchr(rest->ptr, by, rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
	struct span first = span_of(rest->ptr, len);
	*rest = span_drop(*rest, len + 1);
	return trim(first);
}

static inline _Noreturn void broken(const struct line *l, const char *what) {
	fail_msg("%s:%d: %s: %s", table_path, l->number, what, l->text);
	abort();
}

/* --- reading a line --- */

static inline void read_topic(struct line *l) {
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

static inline int64_t read_number(const struct line *l, struct span s) {
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

static inline void read_circumstance(struct line *l, struct span word) {
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

static inline void read_verdict(struct line *l) {
	struct span rest = l->column[0];
	struct span kind = cut(&rest, ' '), word = trim(rest);
	l->kind = span_eq(kind, SPAN_LIT("ALLOW")) ? VERDICT_ALLOW : VERDICT_DENY;
	if (l->kind == VERDICT_DENY && !span_eq(kind, SPAN_LIT("DENY")))
		broken(l, "neither ALLOW nor DENY");
	l->any_reason = span_eq(word, SPAN_LIT("*"));
	l->reason = reason_by_word(word);
	if (!l->any_reason && l->reason == REASON_NONE_GIVEN) broken(l, "unknown reason");
}

static inline void read_access(struct line *l) {
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

static inline void read_line(struct line *l) {
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
static inline bool next_line(FILE *f, struct line *l) {
	while (fgets(l->text, sizeof(l->text), f)) {
		l->number++;
		if (!strchr(l->text, '\n')) broken(l, "line too long");
		bool is_blank = trim(span_str(l->text)).len == 0;
		l->paragraph += is_blank;
		if (l->text[0] == '#' || is_blank) continue;
		read_line(l);
		return true;
	}
	return false;
}

/* --- who --- */

static inline const struct row_credential *named(const struct state *st, const struct line *l) {
	struct span username = l->column[1];
	if (span_eq(username, SPAN_LIT("nobody"))) return NULL;
	struct span kind = cut(&username, ':');
	const struct row_credential *who = state_credential(st, username);
	if (!who || who->kind != (int64_t)policy_cred_kind_by_name(kind))
		broken(l, "no such credential");
	return who;
}

/* The three that can do nothing at all. */
static inline bool is_barred(const struct row_credential *who) {
	struct span u = span_str(who->username);
	return span_eq(u, SPAN_LIT("sus")) || span_eq(u, SPAN_LIT("mia")) ||
		   span_eq(u, SPAN_LIT("gone-1"));
}

static inline bool is_others(const struct line *l) {
	return span_eq(l->column[1], SPAN_LIT("others"));
}

#endif
