/* Claims of proto/codec.h about rules: every field has one, and each holds at -1, 0, +1. The table
 * is walked, so a new field is tested with its first build; the numbers that the design fixes are
 * written out again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"
#include "proto/codec_shape.h"

static struct sample sample;

static bool shape_fits_type(enum codec_shape shape, ProtobufCType type) {
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL: return shape == SHAPE_BOOL;
	case PROTOBUF_C_TYPE_ENUM: return shape == SHAPE_ENUM;
	case PROTOBUF_C_TYPE_MESSAGE: return shape == SHAPE_MESSAGE;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_SINT32: return shape == SHAPE_NUMBER;
	case PROTOBUF_C_TYPE_UINT64: return shape == SHAPE_NUMBER || shape == SHAPE_TIME;
	case PROTOBUF_C_TYPE_STRING: return shape >= SHAPE_ID && shape <= SHAPE_LINES;
	case PROTOBUF_C_TYPE_BYTES: return shape >= SHAPE_UUID7 && shape <= SHAPE_NOTE;
	default: return false;
	}
}

static void check_described(const ProtobufCMessageDescriptor *desc) {
	const struct codec_message *m = codec_rules_find(desc);
	if (!m) fail_msg("%s has no rules", desc->name);
	assert_int_equal(m->count, desc->n_fields);
	assert_int_equal(m->cross != NULL, m->note != NULL);
	for (size_t i = 0; i < m->count; i++) {
		const ProtobufCFieldDescriptor *f = &desc->fields[i];
		const struct codec_rule *rule = &m->rules[i];
		assert_string_equal(rule->field, f->name);
		if (!shape_fits_type(rule->shape, f->type))
			fail_msg("%s.%s: wrong shape", desc->name, f->name);
		assert_true(rule->min <= rule->max);
		bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
		if (list != (rule->count_max > 0)) fail_msg("%s.%s: no count", desc->name, f->name);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE) check_described(f->descriptor);
	}
}

static void every_field_of_every_message_has_a_rule(void **state) {
	(void)state;
	for (int kind = 0; kind < CODEC_KINDS; kind++)
		check_described(sample_desc((enum codec_kind)kind));
}

static void every_event_says_its_id_time_and_number(void **state) {
	(void)state;
	static const char *const names[] = {"event_id", "at_ms", "synced", "seq"};
	static const enum codec_kind kinds[] = {
		CODEC_RING,           CODEC_MOTION,       CODEC_CLIP_READY, CODEC_HOME_COMMAND,
		CODEC_AGENCY_COMMAND, CODEC_RELAY_REPORT, CODEC_SYNC};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const ProtobufCMessageDescriptor *desc = sample_desc(kinds[i]);
		for (unsigned k = 0; k < 4; k++) {
			assert_string_equal(desc->fields[k].name, names[k]);
			assert_int_equal(desc->fields[k].id, k + 1);
			assert_int_equal(codec_rules_find(desc)->rules[k].flags, 0);
		}
	}
}

/* Which message and field a test of values is about; values are tried on a message built bare. */
struct place {
	enum codec_kind kind;
	unsigned choice;
	const char *path; /* "answer.decisions[0].exp_ms" without the message's name */
};

/* Finds the member; *f and *rule are written. Lists: the first entry. */
static void *find(ProtobufCMessage *msg, const char *path, const ProtobufCFieldDescriptor **f,
				  const struct codec_rule **rule) {
	for (;;) {
		char name[64];
		size_t len = strcspn(path, ".[");
		assert_true(span_copy(span_of(path, len), name, sizeof(name)));
		*f = protobuf_c_message_descriptor_get_field_by_name(msg->descriptor, name);
		assert_non_null(*f);
		*rule = &codec_rules_find(msg->descriptor)->rules[*f - msg->descriptor->fields];
		uint8_t *at = (uint8_t *)msg + (*f)->offset;
		if ((*f)->label == PROTOBUF_C_LABEL_REPEATED) at = *(void **)(void *)at;
		path += len;
		if (*path == '[') path += 3;
		if (!*path) return at;
		path++;
		msg = *(ProtobufCMessage **)(void *)at;
	}
}

static enum err validate_with(struct place p, int64_t number, struct span bytes,
							  struct codec_fault *why) {
	const ProtobufCFieldDescriptor *f;
	const struct codec_rule *rule;
	ProtobufCMessage *msg = sample_make(&sample, p.kind, true, p.choice);
	void *at = find(msg, p.path, &f, &rule);
	switch (f->type) {
	case PROTOBUF_C_TYPE_UINT64: *(uint64_t *)at = (uint64_t)number; break;
	case PROTOBUF_C_TYPE_UINT32: *(uint32_t *)at = (uint32_t)number; break;
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_SINT32: *(int32_t *)at = (int32_t)number; break;
	case PROTOBUF_C_TYPE_STRING: {
		char *text = sample_alloc(&sample, bytes.len + 1);
		if (bytes.len) memcpy(text, bytes.ptr, bytes.len);
		*(char **)at = text;
		break;
	}
	default:
		*(ProtobufCBinaryData *)at =
			(ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
	}
	return codec_validate(p.kind, msg, why);
}

struct range {
	struct place p;
	int64_t min, max;
};

static const struct range ranges[] = {
	{{CODEC_RING, 0, "at_ms"}, 1, INT64_C(253402300799999)},
	{{CODEC_RING, 0, "seq"}, 1, INT64_MAX},
	{{CODEC_DEVICE_ACK, 0, "seq"}, 0, INT64_MAX},
	{{CODEC_MOTION, 0, "confidence_permille"}, 0, 1000},
	{{CODEC_MOTION, 0, "kind"}, 1, 5},
	{{CODEC_CLIP_READY, 0, "duration_ms"}, 1, 3600000},
	{{CODEC_CLIP_READY, 0, "start_ms"}, 1, INT64_C(253402300799999)},
	{{CODEC_CLIP_READY, 0, "payload_length"}, 1, INT32_MAX},
	{{CODEC_CLIP_READY, 0, "poster_length"}, 0, 1048576},
	{{CODEC_CLIP_READY, 0, "trigger"}, 1, 3},
	{{CODEC_PULL, 0, "length"}, 1, 1048576},
	{{CODEC_PULL, 0, "part"}, 0, 1},
	{{CODEC_CHUNK, 0, "status"}, 0, 2},
	{{CODEC_HOME_COMMAND, 0, "answer.decisions[0].exp_ms"}, 0, INT64_C(253402300799999)},
	{{CODEC_HOME_COMMAND, 1, "grant.exp_ms"}, 1, INT64_C(253402300799999)},
	{{CODEC_HOME_COMMAND, 1, "grant.kind"}, 1, 3},
	{{CODEC_HOME_COMMAND, 4, "invite.role"}, 1, 3},
	{{CODEC_AGENCY_COMMAND, 0, "submit.circle.lat_e7"}, -850000000, 850000000},
	{{CODEC_AGENCY_COMMAND, 0, "submit.circle.lon_e7"}, -1799999999, 1800000000},
	{{CODEC_AGENCY_COMMAND, 0, "submit.circle.radius_m"}, 1, 100000},
	{{CODEC_AGENCY_COMMAND, 0, "submit.incident_type"}, 1, 12},
	{{CODEC_AGENCY_COMMAND, 0, "submit.purpose"}, 1, 2},
	{{CODEC_SYNC, 0, "what"}, 0, 11},
	{{CODEC_SYNC, 0, "since_ms"}, 0, INT64_C(253402300799999)},
};

static void numbers_hold_at_the_boundary_and_one_beside_it(void **state) {
	(void)state;
	struct span none = {NULL, 0};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];
		struct codec_fault why;
		assert_int_equal(validate_with(r->p, r->min, none, &why), ERR_NONE);
		assert_int_equal(validate_with(r->p, r->max, none, &why), ERR_NONE);
		char field[128];
		(void)snprintf(field, sizeof(field), "%s.%s", codec_name(r->p.kind), r->p.path);
		if (r->min != 0) {
			assert_int_not_equal(validate_with(r->p, r->min - 1, none, &why), ERR_NONE);
			assert_string_equal(why.field, field);
		}
		uint64_t above = (uint64_t)r->max + 1; /* INT64_MAX too: the field is unsigned */
		assert_int_not_equal(validate_with(r->p, (int64_t)above, none, &why), ERR_NONE);
		assert_string_equal(why.field, field);
	}
}

struct length {
	struct place p;
	size_t min, max;
	char fill;
};

static const struct length lengths[] = {
	{{CODEC_CLIP_READY, 0, "payload_sha256"}, 32, 32, 'x'},
	{{CODEC_CLIP_READY, 0, "manifest"}, 0, 1024, 'x'},
	{{CODEC_CHUNK, 0, "data"}, 0, 65536, 'x'},
	{{CODEC_HOME_COMMAND, 0, "answer.ask_id"}, 16, 16, 'x'},
	{{CODEC_HOME_COMMAND, 0, "answer.key_id"}, 8, 8, 'x'},
	{{CODEC_HOME_COMMAND, 1, "grant.integrator"}, 1, 64, 'x'},
	{{CODEC_HOME_COMMAND, 1, "grant.device"}, 0, 64, 'x'},
	{{CODEC_HOME_COMMAND, 2, "retract.grant_id"}, 16, 16, 'x'},
	{{CODEC_HOME_COMMAND, 3, "rules.text"}, 0, 2048, 'x'},
	{{CODEC_HOME_COMMAND, 4, "invite.username"}, 3, 64, 'x'},
	{{CODEC_HOME_COMMAND, 4, "invite.token_sha256"}, 32, 32, 'x'},
	{{CODEC_AGENCY_COMMAND, 0, "submit.case_number"}, 1, 32, 'x'},
	{{CODEC_AGENCY_COMMAND, 0, "submit.reason"}, 20, 500, 'x'},
	{{CODEC_AGENCY_COMMAND, 5, "alert.text"}, 1, 280, 'x'},
	{{CODEC_RELAY_JOB, 0, "object"}, 32, 32, 'a'},
	{{CODEC_NOTICE, 0, "padding"}, 0, 512, 0},
};

static void lengths_hold_at_the_boundary_and_one_beside_it(void **state) {
	(void)state;
	static char text[70000];
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const struct length *l = &lengths[i];
		struct codec_fault why;
		memset(text, l->fill, sizeof(text));
		assert_int_equal(validate_with(l->p, 0, span_of(text, l->min), &why), ERR_NONE);
		assert_int_equal(validate_with(l->p, 0, span_of(text, l->max), &why), ERR_NONE);
		if (l->min > 0) {
			assert_int_not_equal(validate_with(l->p, 0, span_of(text, l->min - 1), &why), ERR_NONE);
		}
		assert_int_not_equal(validate_with(l->p, 0, span_of(text, l->max + 1), &why), ERR_NONE);
		assert_true(strstr(why.field,
						   strrchr(l->p.path, '.') ? strrchr(l->p.path, '.') : l->p.path) != NULL);
		assert_string_not_equal(why.limit, "");
	}
}

struct word {
	struct place p;
	const char *text;
	bool good;
};

static const struct word words[] = {
	{{CODEC_CLIP_READY, 0, "event_id"}, "xxxxxxxxxxxxxxxx", false}, /* not version 7, variant 10 */
	{{CODEC_CLIP_READY, 0, "media_type"}, "video/mp4", true},
	{{CODEC_CLIP_READY, 0, "media_type"}, "image/jpeg", true},
	{{CODEC_CLIP_READY, 0, "media_type"}, "text/html", false},
	{{CODEC_CLIP_READY, 0, "media_type"}, "video/mp4 ", false},
	{{CODEC_CLIP_READY, 0, "manifest"}, "line\nline \xe2\x80\x94 x\n", true},
	{{CODEC_CLIP_READY, 0, "manifest"}, "\x1b[2J", false},
	{{CODEC_CLIP_READY, 0, "manifest"}, "\xff", false},
	{{CODEC_CLIP_READY, 0, "sealed"}, "", true},
	{{CODEC_CLIP_READY, 0, "sealed"}, "age-encryption.org/v1\n", false},
	{{CODEC_HOME_COMMAND, 1, "grant.integrator"}, "alarm-4", true},
	{{CODEC_HOME_COMMAND, 1, "grant.integrator"}, "Alarm", false},
	{{CODEC_HOME_COMMAND, 1, "grant.integrator"}, "a/b", false},
	{{CODEC_HOME_COMMAND, 1, "grant.device"}, "+", false},
	{{CODEC_HOME_COMMAND, 3, "rules.text"}, "never police\nquiet 22:00-07:00\n", true},
	{{CODEC_HOME_COMMAND, 3, "rules.text"}, "a\tb", false},
	{{CODEC_HOME_COMMAND, 3, "rules.text"}, "a\xe2\x80\xae", false},
	{{CODEC_HOME_COMMAND, 4, "invite.username"}, "bo", false},
	{{CODEC_AGENCY_COMMAND, 0, "submit.case_number"}, "A-1/2.3", true},
	{{CODEC_AGENCY_COMMAND, 0, "submit.case_number"}, "A 1", false},
	{{CODEC_AGENCY_COMMAND, 0, "submit.reason"}, "a reason of enough\nlength", false},
	{{CODEC_AGENCY_COMMAND, 0, "submit.reason"}, "abcdefghijklmnopqr\xc3\xa9\xc3\xa9", true},
	{{CODEC_AGENCY_COMMAND, 0, "submit.reason"}, "abcdefghijklmnopq\xc3\xa9\xc3\xa9", false},
	{{CODEC_AGENCY_COMMAND, 5, "alert.geohash5"}, "u4pru", true},
	{{CODEC_AGENCY_COMMAND, 5, "alert.geohash5"}, "u4pr", false},
	{{CODEC_AGENCY_COMMAND, 5, "alert.geohash5"}, "u4pra", false},
	{{CODEC_RELAY_JOB, 0, "object"}, "0123456789ABCDEF0123456789abcdef", false},
	{{CODEC_FETCH_LINK, 0, "url"}, "http://127.0.0.1:9/x?y=%20", true},
	{{CODEC_FETCH_LINK, 0, "url"}, "file:///etc/passwd", false},
	{{CODEC_FETCH_LINK, 0, "url"}, "https://a/ b", false},
	{{CODEC_FETCH_LINK, 0, "url"}, "https://a/\"b", false},
	{{CODEC_PUBLIC_AGENCY, 0, "recipient"}, "age1", false},
	{{CODEC_PUBLIC_AGENCY, 0, "recipient"}, "", true},
	{{CODEC_PUBLIC_AGENCY, 0, "name"},
	 "Pol\xc3\xad"
	 "cia",
	 true},
	{{CODEC_PUBLIC_AGENCY, 0, "name"}, "a\nb", false},
	{{CODEC_RECEIPT, 0, "reason"}, "no_grant", true},
	{{CODEC_RECEIPT, 0, "reason"}, "No grant", false},
	{{CODEC_NOTICE, 0, "padding"}, "x", false},
};

static void text_fields_take_their_letters_only(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct codec_fault why;
		enum err e = validate_with(words[i].p, 0, span_str(words[i].text), &why);
		if ((e == ERR_NONE) != words[i].good) fail_msg("%s: %s", words[i].p.path, words[i].text);
	}
}

static void sealed_has_one_to_eight_recipients_and_an_agency_header_one(void **state) {
	(void)state;
	struct codec_fault why;
	static const struct place sealed = {CODEC_CLIP_READY, 0, "sealed"};
	static const struct place header = {CODEC_HOME_COMMAND, 0, "answer.decisions[0].header"};
	for (size_t n = 0; n <= 9; n++) {
		static struct sample s;
		s.used = 0;
		ProtobufCBinaryData age = sample_age(&s, n);
		struct span bytes = span_of(age.data, age.len);
		assert_int_equal(validate_with(sealed, 0, bytes, &why) == ERR_NONE, n >= 1 && n <= 8);
		assert_int_equal(validate_with(header, 0, bytes, &why) == ERR_NONE, n == 1);
	}
	assert_string_equal(why.limit, "age header with one X25519 recipient, 168 bytes, or empty");
}

static void zero_field(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *f) {
	uint8_t *at = (uint8_t *)msg + f->offset;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		*(size_t *)(void *)((uint8_t *)msg + f->quantifier_offset) = 0;
	} else if (f->type == PROTOBUF_C_TYPE_BYTES) {
		*(ProtobufCBinaryData *)(void *)at = (ProtobufCBinaryData){0, NULL};
	} else if (f->type == PROTOBUF_C_TYPE_UINT64) {
		*(uint64_t *)(void *)at = 0;
	} else if (f->type == PROTOBUF_C_TYPE_STRING || f->type == PROTOBUF_C_TYPE_MESSAGE) {
		*(void **)(void *)at = NULL;
	} else {
		*(uint32_t *)(void *)at = 0;
	}
}

/* Empties each field of a full message in turn. */
static void check_absence(enum codec_kind kind, unsigned choice) {
	const ProtobufCMessageDescriptor *desc = sample_desc(kind);
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct codec_rule *rule = &codec_rules_find(desc)->rules[i];
		const ProtobufCFieldDescriptor *f = &desc->fields[i];
		ProtobufCMessage *msg = sample_make(&sample, kind, true, choice);
		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) continue;
		zero_field(msg, f);
		bool may = rule->flags & RULE_OPTIONAL || rule->shape == SHAPE_BOOL ||
				   (rule->shape == SHAPE_NUMBER && rule->min <= 0);
		if (f->label == PROTOBUF_C_LABEL_REPEATED) may = rule->count_min == 0;
		if (kind == CODEC_RELAY_JOB || kind == CODEC_RELAY_REPORT || kind == CODEC_ENROL_HOME) {
			if (may && rule->flags & RULE_OPTIONAL) continue; /* depends on the others */
		}
		struct codec_fault why = {"", ""};
		enum err e = codec_validate(kind, msg, &why);
		if ((e == ERR_NONE) != may) fail_msg("%s.%s absent", desc->short_name, f->name);
		if (!may) assert_string_equal(strchr(why.field, '.') + 1, f->name);
	}
}

static void mandatory_fields_cannot_be_absent_and_others_can(void **state) {
	(void)state;
	for (int kind = 0; kind < CODEC_KINDS; kind++) check_absence((enum codec_kind)kind, 0);
}

static void rules_that_span_fields_name_the_field_to_blame(void **state) {
	(void)state;
	struct codec_fault why;
	Vestibule__V1__HomeCommand *home = (void *)sample_make(&sample, CODEC_HOME_COMMAND, true, 0);
	home->answer->none = 1;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.answer.decisions");
	home->answer->n_decisions = 0;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_NONE);
	home->answer->none = 0;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_INPUT);
	home->answer->n_decisions = 2;
	home->answer->decisions[1]->yes = 0;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.answer.decisions[1].header");
	home->what_case = VESTIBULE__V1__HOME_COMMAND__WHAT__NOT_SET;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.what");
	Vestibule__V1__AgencyCommand *agency =
		(void *)sample_make(&sample, CODEC_AGENCY_COMMAND, true, 0);
	agency->what_case = VESTIBULE__V1__AGENCY_COMMAND__WHAT__NOT_SET;
	assert_int_equal(codec_validate(CODEC_AGENCY_COMMAND, &agency->base, &why), ERR_INPUT);
	Vestibule__V1__RelayJob *job = (void *)sample_make(&sample, CODEC_RELAY_JOB, true, 0);
	job->payload_sha256.len = 0;
	assert_int_equal(codec_validate(CODEC_RELAY_JOB, &job->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "RelayJob.payload_sha256");
	Vestibule__V1__RelayReport *report = (void *)sample_make(&sample, CODEC_RELAY_REPORT, true, 0);
	report->kind = VESTIBULE__V1__REPORT_KIND__REPORT_KIND_LINK;
	report->url = NULL;
	assert_int_equal(codec_validate(CODEC_RELAY_REPORT, &report->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "RelayReport.url");
	Vestibule__V1__EnrolHome *enrol = (void *)sample_make(&sample, CODEC_ENROL_HOME, true, 0);
	enrol->token_sha256.len = 0;
	assert_int_equal(codec_validate(CODEC_ENROL_HOME, &enrol->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "EnrolHome.token_sha256");
	enrol->username = NULL;
	assert_int_equal(codec_validate(CODEC_ENROL_HOME, &enrol->base, &why), ERR_NONE);
	Vestibule__V1__PublicAgency *pub = (void *)sample_make(&sample, CODEC_PUBLIC_AGENCY, true, 0);
	pub->rings[1]->n_lat_e7--;
	pub->rings[1]->n_lon_e7--;
	assert_int_equal(codec_validate(CODEC_PUBLIC_AGENCY, &pub->base, &why), ERR_INPUT);
	assert_string_equal(why.field, "PublicAgency.rings[1].lat_e7");
	assert_string_equal(why.limit, "3-512 entries");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_every_message_has_a_rule),
		cmocka_unit_test(every_event_says_its_id_time_and_number),
		cmocka_unit_test(numbers_hold_at_the_boundary_and_one_beside_it),
		cmocka_unit_test(lengths_hold_at_the_boundary_and_one_beside_it),
		cmocka_unit_test(text_fields_take_their_letters_only),
		cmocka_unit_test(sealed_has_one_to_eight_recipients_and_an_agency_header_one),
		cmocka_unit_test(mandatory_fields_cannot_be_absent_and_others_can),
		cmocka_unit_test(rules_that_span_fields_name_the_field_to_blame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
