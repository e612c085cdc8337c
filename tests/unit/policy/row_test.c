/* Every row kind against its description: each field is broken in turn, and the validator names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/policy/row.h"
#include "tests/unit/policy/rows.h"

static const uint8_t bytes168[168] = {1, 2, 3};

/* One valid row of each kind. */
static const struct row *sample(enum row_kind kind) {
	static union row_any rows[ROW_KINDS];
	const struct row *const all[] = {
		HOME("elm"),
		DEVICE("elm-door", "elm", "u33db2m3"),
		CRED("ann", CRED_MEMBER, "elm", ROLE_ADMIN),
		ROW(ROW_TOKEN, token, .id = "ann/1", .username = "ann", .sha256 = HASH64),
		TOPIC("hub", "homeassistant/#", APP_BOTH),
		ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co", .name = "Alarm & S\xc3\xb6hne"),
		ROW(ROW_AGENCY, agency, .id = "metro-pd", .kind = AGENCY_POLICE, .rings = {bytes168, 20}),
		ROW(ROW_RELAY, relay, .id = "mover"),
		ROW(ROW_RULES, rules, .username = "ben", .home = "elm", .text = "never police\n"),
		STANDING("01", "elm", "alarm-co", "", GRANT_RING, GSTATE_ACTIVE, 1, 2),
		CLIP("50", "elm", "elm-door"),
		REQUEST("40", "metro-pd", REQ_OPEN),
		ROW(ROW_ASK, ask, .id = UUID_OF("41"), .request = UUID_OF("40"), .home = "elm",
			.state = ASK_PENDING),
		ROW(ROW_ASK_CLIP, ask_clip, .id = UUID_OF("41") "/" UUID_OF("50"), .ask = UUID_OF("41"),
			.clip = UUID_OF("50")),
		ROW(ROW_GRANT, grant, .id = UUID_OF("60"), .request = UUID_OF("40"), .home = "elm",
			.ask = UUID_OF("41"), .clip = UUID_OF("50"), .agency = "metro-pd", .device = "elm-door",
			.state = GSTATE_ACTIVE, .header = {bytes168, 168}, .exp_ms = 1, .actor = "ann"),
		DELIVERY("70", "60", "40", DLV_COPYING),
		JOB("80", "mover", "70", JOB_COPY),
		ROW(ROW_FETCH, fetch, .id = UUID_OF("85"), .delivery = UUID_OF("70"), .username = "evi-1"),
		ROW(ROW_RECEIPT, receipt, .id = UUID_OF("86"), .home = "elm", .kind = 1),
		ROW(ROW_NOTICE, notice, .id = UUID_OF("87"), .agency = "metro-pd", .kind = 1),
		ROW(ROW_SEEN, seen, .id = "ann/" UUID_OF("88"), .username = "ann", .digest = HASH64),
		ROW(ROW_META, meta, .name = "floor_ms", .value = INT64_MIN),
		ROW(ROW_LEAF, leaf, .id = UUID_OF("89"), .salt = {bytes168, 16}, .body = {bytes168, 168}),
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->kind != kind) continue;
		memcpy(&rows[kind], all[i], row_desc(kind)->size);
		return &rows[kind].row;
	}
	fail_msg("no sample of kind %d", (int)kind);
	return NULL;
}

/* A copy to break. */
static struct row *changed(enum row_kind kind, union row_any *room) {
	memset(room, 0, sizeof(*room));
	memcpy(room, sample(kind), row_desc(kind)->size);
	return &room->row;
}

static void *member(struct row *r, const struct field *f) {
	return (uint8_t *)r + f->offset;
}

static void refused(const struct row *r, const char *field) {
	const char *bad = NULL;
	enum err e = row_validate(r, &bad);
	if (e == ERR_INPUT || e == ERR_LIMIT) {
		assert_string_equal(bad, field);
		return;
	}
	fail_msg("%s.%s was accepted", row_desc(r->kind)->name, field);
}

static bool is_text(const struct field *f) {
	return f->type != FIELD_INT && f->type != FIELD_BOOL && f->type != FIELD_BLOB;
}

#define EACH_KIND(kind) \
	for (enum row_kind kind = ROW_HOME; kind < ROW_KINDS; kind = (enum row_kind)(kind + 1))
#define EACH_FIELD(f, d) \
	for (const struct field *f = (d)->fields; f < (d)->fields + (d)->field_count; f++)

static void every_kind_is_described_once(void **unused) {
	(void)unused;
	EACH_KIND(kind) {
		const struct row_desc *d = row_desc(kind);
		assert_non_null(d);
		assert_int_equal(row_kind_by_name(span_str(d->name)), kind);
		assert_true(is_text(&d->fields[d->key]));
		for (int i = 0; i < 2; i++)
			assert_true(d->parent[i] < 0 || is_text(&d->fields[d->parent[i]]));
		EACH_FIELD(f, d)
		assert_true(f->offset >= sizeof(struct row) && f->offset + f->size <= d->size);
	}
	assert_null(row_desc(ROW_NONE));
	assert_null(row_desc(ROW_KINDS));
	assert_int_equal(row_kind_by_name(SPAN_LIT("homes")), ROW_NONE);
}

static void samples_validate_and_zeroed_rows_do_not(void **unused) {
	(void)unused;
	EACH_KIND(kind) {
		const char *bad = "";
		if (row_validate(sample(kind), &bad) != ERR_NONE)
			fail_msg("%s.%s", row_desc(kind)->name, bad);
		union row_any zero = {.row = {.kind = kind}};
		assert_int_not_equal(row_validate(&zero.row, &bad), ERR_NONE);
	}
	union row_any none = {0};
	refused(&none.row, "kind");
}

static void numbers_hold_at_the_limit_and_not_beyond(void **unused) {
	(void)unused;
	EACH_KIND(kind) EACH_FIELD(f, row_desc(kind)) {
		union row_any room;
		struct row *r = changed(kind, &room);
		if (f->type != FIELD_INT && f->type != FIELD_BOOL) continue;
		int64_t *v = member(r, f);
		if (f->max < INT64_MAX) {
			*v = f->max + 1;
			refused(r, f->name);
		}
		if (f->min > INT64_MIN) {
			*v = f->min - 1;
			refused(r, f->name);
		}
	}
}

/* What no text of that type may be. */
static const char *const *wrong_texts(enum field_type type) {
	static const char *const ids[] = {"Elm", "a b", "a/b", "a+", "#", "\xc3\xb6", NULL};
	static const char *const users[] = {"ab", "Ann", "a.b", "a/b", "+++", NULL};
	static const char *const uuids[] = {"00000000-0000-7000-8000-00000000000A", "x",
										UUID_OF("01") "0", NULL};
	static const char *const hexes[] = {"0", "g", "A", NULL};
	static const char *const texts[] = {"bell\a", "\xff", "\xc0\x80", "rtl \xe2\x80\xae", NULL};
	static const char *const filters[] = {"#",  "+/x",   "vestibule/v1/x", "vestibule", "$SYS/#",
										  "a#", "a/#/b", "$share/g/a",     NULL};
	static const char *const cells[] = {"u33db2m", "u33db2ma", "U33DB2M3", NULL};
	switch (type) {
	case FIELD_ID:
	case FIELD_ID_OPT: return ids;
	case FIELD_USERNAME: return users;
	case FIELD_UUID:
	case FIELD_UUID_OPT: return uuids;
	case FIELD_HEX:
	case FIELD_HEX_OPT: return hexes;
	case FIELD_FILTER: return filters;
	case FIELD_CELL_OPT: return cells;
	default: return texts;
	}
}

static void texts_of_the_wrong_letters_or_length_are_refused(void **unused) {
	(void)unused;
	EACH_KIND(kind) EACH_FIELD(f, row_desc(kind)) {
		union row_any room;
		if (!is_text(f)) continue;
		for (const char *const *w = wrong_texts(f->type); *w; w++) {
			struct row *r = changed(kind, &room);
			if (!span_copy(span_str(*w), member(r, f), f->size))
				continue; /* does not fit the array */
			refused(r, f->name);
		}
		struct row *r = changed(kind, &room);
		if (f->type == FIELD_HEX || f->type == FIELD_HEX_OPT) {
			memset(member(r, f), 'g', (size_t)f->max);
			refused(r, f->name);
		}
		r = changed(kind, &room);
		memset(member(r, f), 'a', f->size); /* no zero at the end */
		refused(r, f->name);
		if (f->min > 0) {
			r = changed(kind, &room);
			memset(member(r, f), 0, f->size);
			refused(r, f->name);
		}
	}
}

static void blobs_over_their_limit_or_without_bytes_are_refused(void **unused) {
	(void)unused;
	static uint8_t many[ROW_RINGS_BYTES_MAX + 70000];
	EACH_KIND(kind) EACH_FIELD(f, row_desc(kind)) {
		union row_any room;
		if (f->type != FIELD_BLOB) continue;
		struct row *r = changed(kind, &room);
		*(struct blob *)member(r, f) = (struct blob){many, (size_t)f->max + 1};
		refused(r, f->name);
		*(struct blob *)member(r, f) = (struct blob){NULL, 1};
		refused(r, f->name);
	}
}

static void fields_must_fit_each_other(void **unused) {
	(void)unused;
	refused(CRED("ann", CRED_MEMBER, "elm", ROLE_NONE), "role");
	refused(CRED("ann", CRED_MEMBER, "elm", ROLE_EVIDENCE), "role");
	refused(CRED("ann", CRED_OFFICER, "metro-pd", ROLE_ADMIN), "role");
	refused(CRED("ann", CRED_OFFICER, "metro-pd", ROLE_NONE), "role");
	refused(CRED("ops-1", CRED_OPERATOR, "", ROLE_ADMIN), "role");
	refused(CRED("ops-1", CRED_OPERATOR, "elm", ROLE_NONE), "subject");
	refused(CRED("door-1", CRED_DEVICE, "", ROLE_NONE), "subject");
	refused(ROW(ROW_TOKEN, token, .id = "ann/2", .username = "ann", .sha256 = HASH64), "id");
	refused(ROW(ROW_TOKEN, token, .id = "ben/0", .username = "ann", .sha256 = HASH64), "id");
	refused(
		ROW(ROW_APP_TOPIC, app_topic, .id = "hub a", .username = "hub", .filter = "b", .access = 1),
		"id");
	refused(ROW(ROW_ASK_CLIP, ask_clip, .id = UUID_OF("41") "/" UUID_OF("51"), .ask = UUID_OF("41"),
				.clip = UUID_OF("50")),
			"id");
	refused(ROW(ROW_SEEN, seen, .id = "ben/" UUID_OF("88"), .username = "ann", .digest = HASH64),
			"id");
	refused(STANDING("01", "elm", "alarm-co", "", GRANT_RING, GSTATE_ACTIVE, 2, 2), "exp_ms");
	refused(STANDING("01", "elm", "alarm-co", "", GRANT_RING, GSTATE_APPROVED, 1, 2), "state");
}

static void a_grant_keeps_its_header_only_while_it_may_be_used(void **unused) {
	(void)unused;
	union row_any room;
	const char *bad;
	struct row *r = changed(ROW_GRANT, &room);
	room.grant.state = GSTATE_REVOKED;
	refused(r, "header");
	room.grant.header.len = 0;
	assert_int_equal(row_validate(r, &bad), ERR_NONE);
	room.grant.header.len = 167;
	refused(r, "header");
}

static void i24_author_and_approver_differ(void **unused) {
	(void)unused;
	union row_any room;
	const char *bad;
	struct row *r = changed(ROW_REQUEST, &room);
	assert_true(span_copy(SPAN_LIT("inv-1"), room.request.approver, sizeof(room.request.approver)));
	refused(r, "approver");
	room.request.emergency = 1;
	assert_int_equal(row_validate(r, &bad), ERR_NONE);
	assert_true(span_copy(SPAN_LIT("inv-1"), room.request.reviewer, sizeof(room.request.reviewer)));
	refused(r, "reviewer");
	r = changed(ROW_REQUEST, &room);
	room.request.to_ms = room.request.from_ms;
	refused(r, "to_ms");
}

static void a_clone_owns_its_bytes_and_equals_its_original(void **unused) {
	(void)unused;
	EACH_KIND(kind) {
		const struct row *r = sample(kind);
		struct row *copy = row_clone(r);
		assert_non_null(copy);
		assert_true(row_eq(r, copy));
		EACH_FIELD(f, row_desc(kind)) {
			const struct blob *a = member((struct row *)(uintptr_t)r, f), *b = member(copy, f);
			if (f->type == FIELD_BLOB && a->len) assert_ptr_not_equal(a->ptr, b->ptr);
		}
		copy->seq = 99;
		assert_true(row_eq(r, copy)); /* the change that wrote it is no field */
		row_free(copy);
	}
	row_free(NULL);
}

static void rows_that_differ_in_one_field_are_not_equal(void **unused) {
	(void)unused;
	EACH_KIND(kind) EACH_FIELD(f, row_desc(kind)) {
		union row_any room;
		struct row *r = changed(kind, &room);
		if (is_text(f))
			*(char *)member(r, f) = '~';
		else if (f->type == FIELD_BLOB)
			*(struct blob *)member(r, f) = (struct blob){bytes168, 7};
		else
			*(int64_t *)member(r, f) += 1;
		assert_false(row_eq(r, sample(kind)));
	}
	assert_false(row_eq(sample(ROW_HOME), sample(ROW_RELAY)));
}

static void json_names_every_field_and_leaves_secrets_out(void **unused) {
	(void)unused;
	EACH_KIND(kind) {
		struct buf b;
		buf_init(&b, 65536);
		row_json(sample(kind), &b);
		assert_int_equal(buf_error(&b), ERR_NONE);
		EACH_FIELD(f, row_desc(kind)) {
			char name[48];
			(void)snprintf(name, sizeof(name), "\"%s\":", f->name);
			bool secret = (kind == ROW_TOKEN && span_eq(span_str(f->name), SPAN_LIT("sha256"))) ||
						  (kind == ROW_GRANT && span_eq(span_str(f->name), SPAN_LIT("header"))) ||
						  (kind == ROW_CLIP && span_eq(span_str(f->name), SPAN_LIT("sealed")));
			assert_true((strstr(buf_cstr(&b), name) == NULL) == secret);
		}
		buf_fini(&b);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_described_once),
		cmocka_unit_test(samples_validate_and_zeroed_rows_do_not),
		cmocka_unit_test(numbers_hold_at_the_limit_and_not_beyond),
		cmocka_unit_test(texts_of_the_wrong_letters_or_length_are_refused),
		cmocka_unit_test(blobs_over_their_limit_or_without_bytes_are_refused),
		cmocka_unit_test(fields_must_fit_each_other),
		cmocka_unit_test(a_grant_keeps_its_header_only_while_it_may_be_used),
		cmocka_unit_test(i24_author_and_approver_differ),
		cmocka_unit_test(a_clone_owns_its_bytes_and_equals_its_original),
		cmocka_unit_test(rows_that_differ_in_one_field_are_not_equal),
		cmocka_unit_test(json_names_every_field_and_leaves_secrets_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
