/* Claims of proto/codec.h about text: JSON, words of enums, the field table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>

#include "sample.h"
#include "proto/codec_word.h"

static struct sample sample;

static void ring_event_looks_like_this(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	Vestibule__V1__RingEvent *ring = (void *)sample_make(&sample, CODEC_RING, true, 0);
	ring->arrived_ms++;
	assert_int_equal(codec_json(&ring->base, &b), ERR_NONE);
	assert_string_equal(buf_cstr(&b),
						"{\"at_ms\":1795000000000,\"arrived_ms\":1795000000001,\"synced\":true,"
						"\"event_id\":\"01890a5d-0000-7000-8000-00000000002a\",\"seq\":1}");
	buf_fini(&b);
}

static void clip_ready_shows_no_header_and_no_manifest(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	assert_int_equal(codec_json(sample_make(&sample, CODEC_CLIP_READY, true, 0), &b), ERR_NONE);
	assert_string_equal(
		buf_cstr(&b),
		"{\"at_ms\":1795000000000,\"arrived_ms\":1795000000000,\"synced\":true,"
		"\"event_id\":\"01890a5d-0000-7000-8000-00000000002a\",\"seq\":1,"
		"\"clip_id\":\"01890a5d-0000-7000-8000-00000000002a\",\"start_ms\":1795000000000,"
		"\"duration_ms\":1,\"trigger\":\"ring\",\"media_type\":\"video/mp4\",\"payload_length\":1,"
		"\"payload_sha256\":\"6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e\","
		"\"poster_length\":1}");
	buf_fini(&b);
}

static void headers_and_digests_of_tokens_never_become_json(void **state) {
	(void)state;
	static const char *const secret[] = {"\"header\"",       "\"sealed\"",  "\"manifest\"",
										 "\"token_sha256\"", "\"padding\"", "\"data\""};
	for (int k = 0; k < CODEC_KINDS; k++) {
		enum codec_kind kind = (enum codec_kind)k;
		for (unsigned choice = 0; choice < sample_choices(sample_desc(kind)); choice++) {
			struct buf b;
			buf_init(&b, 200000);
			assert_int_equal(codec_json(sample_make(&sample, kind, true, choice), &b), ERR_NONE);
			for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
				assert_null(strstr(buf_cstr(&b), secret[i]));
			}
			buf_fini(&b);
		}
	}
}

static void unset_parts_are_left_out_and_lists_print(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	Vestibule__V1__PublicAgency *a = (void *)sample_make(&sample, CODEC_PUBLIC_AGENCY, true, 0);
	a->policy_url = a->recipient = NULL;
	a->n_rings = 1;
	a->name = sample_text(&sample, "Fire \"1\"\n");
	assert_int_equal(codec_json(&a->base, &b), ERR_NONE);
	assert_string_equal(
		buf_cstr(&b),
		"{\"agency\":\"d7\",\"name\":\"Fire \\\"1\\\"\\n\",\"kind\":\"police\","
		"\"key_nbf_ms\":1795000000000,\"key_exp_ms\":1795000000000,\"suspended\":true,"
		"\"fast_path_lost\":true,\"rings\":[{\"lat_e7\":[1,1,1],\"lon_e7\":[1,1,1]}]}");
	buf_reset(&b);
	Vestibule__V1__HomeCommand *home = (void *)sample_make(&sample, CODEC_HOME_COMMAND, true, 5);
	assert_int_equal(codec_json(&home->base, &b), ERR_NONE);
	assert_non_null(strstr(buf_cstr(&b), "\"seq\":1,\"remove\":{\"username\":\"alice\"}}"));
	buf_fini(&b);
}

/* "MISSING_PERSON" of MotionKind's MOTION_KIND_ prefix and so on, from the descriptor alone. */
static void word_of(const ProtobufCEnumDescriptor *e, const char *name, char *out, size_t size) {
	size_t skip = 1; /* the last underscore of the prefix */
	for (const char *c = e->short_name; *c; c++)
		skip += isupper((unsigned char)*c) && c != e->short_name ? 2 : 1;
	size_t n = 0;
	for (; name[skip] && n + 1 < size; skip++) out[n++] = (char)tolower((unsigned char)name[skip]);
	out[n] = '\0';
}

static void words_are_the_names_of_the_proto_files(void **state) {
	(void)state;
	assert_int_equal(codec_word_count(), 16);
	for (size_t i = 0; i < codec_word_count(); i++) {
		const ProtobufCEnumDescriptor *e = codec_word_at(i);
		for (unsigned k = 0; k < e->n_values; k++) {
			char word[64];
			word_of(e, e->values[k].name, word, sizeof(word));
			assert_string_equal(codec_word(e, e->values[k].value), word);
			assert_int_equal(codec_enum(e, span_str(word)), e->values[k].value);
		}
		assert_null(codec_word(e, (int)e->n_values));
		assert_null(codec_word(e, -1));
		assert_int_equal(codec_enum(e, SPAN_LIT("Person")), -1);
		assert_int_equal(codec_enum(e, SPAN_LIT("")), -1);
	}
	assert_string_equal(codec_word(&vestibule__v1__incident_type__descriptor, 6), "missing_person");
}

static void every_enum_of_every_field_has_words(void **state) {
	(void)state;
	for (size_t i = 0; i < codec_rules_count(); i++) {
		const struct codec_message *m = codec_rules_at(i);
		for (size_t k = 0; k < m->count; k++) {
			if (m->desc->fields[k].type != PROTOBUF_C_TYPE_ENUM) continue;
			assert_non_null(codec_word(m->desc->fields[k].descriptor, 0));
		}
	}
}

static void the_field_table_names_every_field(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 200000);
	codec_print_fields(&b);
	assert_int_equal(buf_error(&b), ERR_NONE);
	for (size_t i = 0; i < codec_rules_count(); i++) {
		const struct codec_message *m = codec_rules_at(i);
		char text[128];
		(void)snprintf(text, sizeof(text), "#### %s\n", m->desc->short_name);
		const char *section = strstr(buf_cstr(&b), text);
		assert_non_null(section);
		for (size_t k = 0; k < m->count; k++) {
			(void)snprintf(text, sizeof(text), "| `%s` | %u | ", m->rules[k].field,
						   (unsigned)m->desc->fields[k].id);
			assert_non_null(strstr(section, text));
		}
	}
	assert_non_null(strstr(buf_cstr(&b), "| `seq` | 4 | uint64 | 1-9223372036854775807 |"));
	buf_fini(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_event_looks_like_this),
		cmocka_unit_test(clip_ready_shows_no_header_and_no_manifest),
		cmocka_unit_test(headers_and_digests_of_tokens_never_become_json),
		cmocka_unit_test(unset_parts_are_left_out_and_lists_print),
		cmocka_unit_test(words_are_the_names_of_the_proto_files),
		cmocka_unit_test(every_enum_of_every_field_has_words),
		cmocka_unit_test(the_field_table_names_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
