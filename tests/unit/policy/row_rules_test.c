/* What the validator of rows says of single characters and of fields that must fit each other, and what
 * a row of no kind is: each refusal beside the nearest row that is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/row.h"
#include "tests/unit/policy/rows.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SIXTY    "000000000000000000000000000000000000000000000000000000000000"

static void check(const struct row *r, const char *expected) {
	const char *bad = "";
	enum err e = row_validate(r, &bad);
	if (!expected && e == ERR_NONE) return;
	if (!expected || e == ERR_NONE || strcmp(bad, expected) != 0)
		fail_msg("expected %s, got %s %s", expected ? expected : "none", err_name(e), bad);
}

static void hex_is_lower_case_digits_and_nothing_beside_them(void **unused) {
	(void)unused;
	static const char good[] = "09af", bad[] = "/:@AFG`gx "; /* each stands beside a range */
	struct row_token t = {.row.kind = ROW_TOKEN, .id = "ann/0", .username = "ann", .sha256 = SIXTY};
	memcpy(t.sha256 + 60, "0000", 5);
	for (size_t i = 0; good[i]; i++) {
		t.sha256[63] = good[i];
		check(&t.row, NULL);
	}
	for (size_t i = 0; bad[i]; i++) {
		t.sha256[63] = bad[i];
		check(&t.row, "sha256");
	}
}

static void a_case_number_is_letters_digits_points_slashes_and_dashes(void **unused) {
	(void)unused;
	static const char good[] = "AZaz09./-", bad[] = "@[`{,:_ ";
	struct row_request r;
	memcpy(&r, REQUEST("40", "metro-pd", REQ_OPEN), sizeof(r));
	memset(r.case_number, 0, sizeof(r.case_number));
	for (size_t i = 0; good[i]; i++) {
		r.case_number[0] = good[i];
		check(&r.row, NULL);
	}
	for (size_t i = 0; bad[i]; i++) {
		r.case_number[0] = bad[i];
		check(&r.row, "case_number");
	}
}

static void a_key_is_composed_of_its_parts(void **unused) {
	(void)unused;
	static const struct {
		const char *id, *expected;
	} tokens[] = {
		{"ann/0", NULL}, {"ann/1", NULL},  {"ann/2", "id"},  {"bob/0", "id"},
		{"ann:0", "id"}, {"ann/00", "id"}, {"anna/0", "id"},
	};
	static const struct {
		const char *id, *expected;
	} seen[] = {
		{"ann/" UUID_OF("88"), NULL}, {"bob/" UUID_OF("88"), "id"},
		{"ann " UUID_OF("88"), "id"}, {"ann/00000000-0000-7000-8000-00000000008", "id"},
		{"ann/" UUID_OF("8x"), "id"}, {"annabel/" UUID_OF("88"), "id"},
	};
	for (size_t i = 0; i < COUNT(tokens); i++) {
		struct row_token t = {.row.kind = ROW_TOKEN, .username = "ann", .sha256 = HASH64};
		assert_true(span_copy(span_str(tokens[i].id), t.id, sizeof(t.id)));
		check(&t.row, tokens[i].expected);
	}
	for (size_t i = 0; i < COUNT(seen); i++) {
		struct row_seen s = {.row.kind = ROW_SEEN, .username = "ann", .digest = HASH64};
		assert_true(span_copy(span_str(seen[i].id), s.id, sizeof(s.id)));
		check(&s.row, seen[i].expected);
	}
}

static void a_role_fits_its_kind(void **unused) {
	(void)unused;
	for (int kind = CRED_DEVICE; kind < CRED_KINDS; kind++) {
		for (int role = ROLE_NONE; role <= ROLE_KINDS; role++) {
			bool home = role >= ROLE_LIMITED && role <= ROLE_ADMIN;
			bool agency = role >= ROLE_INVESTIGATOR && role <= ROLE_AUDITOR;
			bool fits = kind == CRED_MEMBER    ? home
						: kind == CRED_OFFICER ? agency
											   : role == ROLE_NONE;
			bool alone = kind == CRED_APP || kind == CRED_OPERATOR;
			struct row_credential c = {
				.row.kind = ROW_CREDENTIAL, .username = "ann", .kind = kind, .role = role};
			if (!alone) memcpy(c.subject, "elm", 4);
			check(&c.row, fits ? NULL : "role");
			if (!fits) continue;
			memcpy(c.subject, alone ? "elm" : "\0\0\0", 4);
			check(&c.row, "subject");
		}
	}
}

static void an_end_is_after_its_beginning(void **unused) {
	(void)unused;
	struct row_agency a = {.row.kind = ROW_AGENCY,
						   .id = "metro-pd",
						   .kind = AGENCY_POLICE,
						   .key_nbf_ms = 5,
						   .key_exp_ms = 5};
	check(&a.row, NULL);
	a.key_exp_ms = 4;
	check(&a.row, "key_exp_ms");
	struct row_request r;
	memcpy(&r, REQUEST("40", "metro-pd", REQ_OPEN), sizeof(r));
	r.exp_ms = r.opened_ms + 1;
	check(&r.row, NULL);
	r.exp_ms = r.opened_ms;
	check(&r.row, "exp_ms");
	r.state = REQ_SUBMITTED;
	check(&r.row, NULL);
	struct row_grant g;
	memcpy(&g, GRANT("60", "40", "41", "50", GSTATE_ACTIVE, NOW_MS), sizeof(g));
	check(&g.row, NULL);
	g.exp_ms = g.nbf_ms;
	check(&g.row, "exp_ms");
	g.state = GSTATE_APPROVED;
	check(&g.row, NULL);
}

/* A text ends in its array, so that a longer one than its limit cannot be: the validator need not ask. */
static void every_text_is_limited_by_its_array(void **unused) {
	(void)unused;
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		const struct row_desc *d = row_desc((enum row_kind)kind);
		for (size_t i = 0; i < d->field_count; i++) {
			const struct field *f = &d->fields[i];
			if (f->type == FIELD_INT || f->type == FIELD_BOOL || f->type == FIELD_BLOB) continue;
			if ((size_t)f->max != f->size - 1) fail_msg("%s.%s", d->name, f->name);
		}
	}
}

static void a_row_of_no_kind_is_nothing(void **unused) {
	(void)unused;
	static const enum row_kind kinds[] = {ROW_NONE, ROW_KINDS, (enum row_kind) - 1};
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct row r = {.kind = kinds[i]};
		struct buf b;
		check(&r, "kind");
		assert_int_equal(row_key(&r).len, 0);
		assert_int_equal(row_text(&r, 0).len, 0);
		assert_int_equal(row_parent(&r, 0).len, 0);
		assert_int_equal(row_clone_bytes(&r), 0);
		assert_null(row_clone(&r));
		assert_false(row_eq(&r, &r));
		buf_init(&b, 64);
		row_json(&r, &b);
		assert_true(span_eq(buf_view(&b), SPAN_LIT("{}")));
		buf_fini(&b);
	}
}

static void a_field_that_is_no_text_reads_empty(void **unused) {
	(void)unused;
	const struct row *device = DEVICE("elm-door", "elm", "u33db2m3");
	assert_true(span_eq(row_text(device, 0), SPAN_LIT("elm-door")));
	assert_int_equal(row_text(device, -1).len, 0);
	assert_int_equal(row_text(device, 4).len, 0); /* retired */
	assert_int_equal(row_text(device, (int)row_desc(ROW_DEVICE)->field_count).len, 0);
	assert_true(span_eq(row_parent(device, 0), SPAN_LIT("elm")));
	assert_int_equal(row_parent(device, 1).len, 0);
	assert_int_equal(row_parent(device, 2).len, 0);
	assert_int_equal(row_parent(device, -1).len, 0);
}

static void a_blob_longer_than_memory_is_not_copied(void **unused) {
	(void)unused;
	static const uint8_t byte[1];
	struct row_leaf leaf = {.row.kind = ROW_LEAF, .id = UUID_OF("89"), .body = {byte, 1}};
	struct row *copy = row_clone(&leaf.row);
	assert_true(copy && row_eq(copy, &leaf.row));
	row_free(copy);
	leaf.body.len = SIZE_MAX / 2;
	assert_int_equal(row_clone_bytes(&leaf.row), 0);
	assert_null(row_clone(&leaf.row));
	check(&leaf.row, "body");
}

static void rows_of_two_kinds_differ(void **unused) {
	(void)unused;
	const struct row *home = HOME("elm"), *relay = ROW(ROW_RELAY, relay, .id = "elm");
	assert_true(row_eq(home, home));
	assert_false(row_eq(home, relay));
}

static void a_bool_is_a_word_in_json(void **unused) {
	(void)unused;
	struct row_home home = {.row.kind = ROW_HOME, .id = "elm", .unsealed_ok = 1};
	for (int ok = 0; ok < 2; ok++) {
		struct buf b;
		home.unsealed_ok = ok;
		buf_init(&b, 256);
		row_json(&home.row, &b);
		buf_char(&b, '\0');
		assert_non_null(strstr((const char *)buf_view(&b).ptr,
							   ok ? "\"unsealed_ok\":true" : "\"unsealed_ok\":false"));
		buf_fini(&b);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_is_lower_case_digits_and_nothing_beside_them),
		cmocka_unit_test(a_case_number_is_letters_digits_points_slashes_and_dashes),
		cmocka_unit_test(a_key_is_composed_of_its_parts),
		cmocka_unit_test(a_role_fits_its_kind),
		cmocka_unit_test(an_end_is_after_its_beginning),
		cmocka_unit_test(every_text_is_limited_by_its_array),
		cmocka_unit_test(a_row_of_no_kind_is_nothing),
		cmocka_unit_test(a_field_that_is_no_text_reads_empty),
		cmocka_unit_test(a_blob_longer_than_memory_is_not_copied),
		cmocka_unit_test(rows_of_two_kinds_differ),
		cmocka_unit_test(a_bool_is_a_word_in_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
