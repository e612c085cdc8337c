/* The load of a snapshot with arbitrary rows. Properties: a row is taken only if it validates and
 * its key is new; what is taken can be found, by its key and in its parent's list; the order of rows
 * says nothing; a load that does not come to its end, or lacks a parent, allows nobody anything.
 *
 * Input: rows, one after another: a byte for the kind, then each field of its description: text is
 * one byte that picks a word, or 255, a length and the bytes; a number is one byte that picks a
 * size, and so many bytes; a blob is a length and the bytes. What is missing reads as 0. */
#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MAX = 24 };

static const char *const words[] = {"",
									"elm",
									"oak",
									"elm-door",
									"alarm-co",
									"pd",
									"ann",
									"inv-1",
									"sup-1",
									"eve-1",
									"alarm-4",
									"door-1",
									"mover",
									"mover-1",
									"app-1",
									"ann/0",
									"ann/1",
									"app-1 tele/#",
									"tele/#",
									"u33db2m3",
									"video/mp4",
									"2026/17",
									"Burglary, two witnesses saw a van.",
									"ask police",
									"floor_ms",
									HASH64,
									UUID_OF("01"),
									UUID_OF("02"),
									UUID_OF("03"),
									UUID_OF("01") "/" UUID_OF("02"),
									UUID_OF("01") " " UUID_OF("02"),
									"0123456789abcdef"};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static void must(bool truth) {
	if (!truth) abort();
}

static uint8_t next(struct span *in) {
	uint8_t b = in->len ? in->ptr[0] : 0;
	*in = span_drop(*in, 1);
	return b;
}

static struct span next_bytes(struct span *in, size_t len) {
	if (len > in->len) len = in->len;
	struct span s = span_of(in->ptr, len);
	*in = span_drop(*in, len);
	return s;
}

static void read_text(struct span *in, char *out, size_t size) {
	uint8_t pick = next(in);
	struct span s = pick == 255 ? next_bytes(in, next(in)) : span_str(words[pick % WORDS]);
	if (s.len >= size) s.len = size - 1;
	if (s.len) memcpy(out, s.ptr, s.len);
}

static int64_t read_number(struct span *in) {
	uint64_t n = 0;
	uint8_t size = next(in);
	if (size == 255) return NOW_MS;
	if (size < 128) return size;
	for (int i = 0; i < size % 9; i++) n = n << 8 | next(in);
	return (int64_t)n;
}

/* Blobs stay in the input. */
static bool read_row(struct span *in, union row_any *out) {
	memset(out, 0, sizeof(*out));
	enum row_kind kind = (enum row_kind)(next(in) % ROW_KINDS);
	const struct row_desc *d = row_desc(kind);
	if (!d) return false;
	out->row.kind = kind;
	out->row.seq = 1 + next(in) % 4;
	for (size_t i = 0; i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		uint8_t *at = (uint8_t *)out + f->offset;
		if (f->type == FIELD_BLOB) {
			struct span s = next_bytes(in, next(in));
			struct blob b = {s.len ? s.ptr : NULL, s.len};
			memcpy(at, &b, sizeof(b));
		} else if (f->type == FIELD_INT || f->type == FIELD_BOOL) {
			int64_t n = read_number(in);
			memcpy(at, &n, sizeof(n));
		} else {
			read_text(in, (char *)at, f->size);
		}
	}
	return true;
}

/* --- properties --- */

static bool is_listed(const struct state *st, const struct row *r, int which) {
	struct span parent = row_parent(r, which);
	if (parent.len == 0) return true;
	const struct row *c = state_child(st, r->kind, which, parent, NULL);
	while (c && !span_eq(row_key(c), row_key(r))) c = state_child(st, r->kind, which, parent, c);
	return c != NULL;
}

static void check_found(const struct state *st, const struct row *r) {
	const struct row *found = state_get(st, r->kind, row_key(r));
	must(found && row_eq(found, r));
	must(is_listed(st, found, 0) && is_listed(st, found, 1));
}

static void check_nothing_allowed(const struct state *st) {
	static const char *const names[] = {"vestibule/v1/device/elm-door/ring",
										"vestibule/v1/device/elm-door/status",
										"vestibule/v1/home/elm/command",
										"vestibule/v1/agency/pd/command",
										"vestibule/v1/public/agency/pd",
										"vestibule/v1/user/ann/reply",
										"tele/x"};
	const struct policy_opts opts = {.agencies = true, .demo = true};
	must(!state_may_allow(st));
	for (const struct row *r = state_each(st, ROW_CREDENTIAL, NULL); r;
		 r = state_each(st, ROW_CREDENTIAL, r)) {
		for (size_t i = 0; i < 3 * sizeof(names) / sizeof(names[0]); i++) {
			struct question q = {.access = (enum access)(1 + i % 3),
								 .who = (const struct row_credential *)r,
								 .name = span_str(names[i / 3]),
								 .has_event = true,
								 .event = {NOW_MS, NOW_MS, true},
								 .status = SPAN_LIT("online"),
								 .now_ms = NOW_MS};
			must(policy_decide(st, &q, &opts).kind == VERDICT_DENY);
		}
	}
}

static void check_end(struct state *st, const union row_any *rows, const bool *taken, size_t count,
					  bool reversed, enum err *end) {
	const char *bad = NULL;
	for (size_t n = 0; n < count; n++) {
		size_t i = reversed ? count - 1 - n : n;
		if (taken[i]) must(state_load(st, &rows[i].row, &bad) == ERR_NONE);
	}
	check_nothing_allowed(st);
	*end = state_complete(st, 2, &bad);
	must(*end != ERR_NOMEM && state_may_allow(st) == (*end == ERR_NONE));
	if (*end != ERR_NONE) {
		must(bad != NULL);
		check_nothing_allowed(st);
	}
	for (size_t i = 0; i < count; i++) {
		if (taken[i]) check_found(st, &rows[i].row);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static union row_any rows[ROWS_MAX];
	bool taken[ROWS_MAX] = {false};
	struct span in = span_of(data, size);
	struct state *first = state_new(1, 2), *one = state_new(3, 4), *other = state_new(5, 6);
	size_t count = 0;
	must(first && one && other);
	while (in.len && count < ROWS_MAX) {
		const char *bad = NULL;
		if (!read_row(&in, &rows[count])) continue;
		const struct row *r = &rows[count].row;
		bool valid = row_validate(r, &bad) == ERR_NONE;
		bool fresh = valid && !state_get(first, r->kind, row_key(r));
		enum err e = state_load(first, r, &bad);
		must((e == ERR_NONE) == (valid && fresh));
		must(e == ERR_NONE || bad);
		taken[count++] = e == ERR_NONE;
	}
	state_free(first);
	enum err end, again;
	check_end(one, rows, taken, count, false, &end);
	check_end(other, rows, taken, count, true, &again);
	must(end == again);
	state_free(one);
	state_free(other);
	return 0;
}
