/* Only what was named is shared; everything doubtful is no answer at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/home/answer.h"

#define FIRST  "01890a5d-0000-7000-8000-000000000001"
#define SECOND "01890a5d-0000-7000-8000-000000000002"
#define SEALED "01890a5d-0000-7000-8000-000000000003"
#define OTHER  "01890a5d-0000-7000-8000-000000000009"

static uint8_t ids[3][16];
static uint8_t header[8];
static Vestibule__V1__AskClip clips[3];
static Vestibule__V1__AskClip *list[3] = {&clips[0], &clips[1], &clips[2]};
static Vestibule__V1__Ask ask;

static int set_up(void **state) {
	(void)state;
	vestibule__v1__ask__init(&ask);
	for (size_t i = 0; i < 3; i++) {
		static const uint8_t start[] = {0x01, 0x89, 0x0a, 0x5d, 0x00, 0x00, 0x70, 0x00, 0x80};
		memcpy(ids[i], start, sizeof(start));
		ids[i][15] = (uint8_t)(i + 1);
		vestibule__v1__ask_clip__init(&clips[i]);
		clips[i].clip_id = (ProtobufCBinaryData){16, ids[i]};
	}
	clips[2].sealed = (ProtobufCBinaryData){sizeof(header), header};
	ask.revision = 3;
	ask.clips = list;
	ask.n_clips = 3;
	ask.key_id = (ProtobufCBinaryData){sizeof(header), header};
	return 0;
}

static enum answer_fault build(struct opt_list yes, struct opt_list no, bool none,
							   struct answer *out) {
	char why[ANSWER_WHY_SIZE] = "";
	struct answer_words words = {&yes, &no, none, 77};
	enum answer_fault f = answer_build(&ask, &words, out, why);
	assert_int_equal(f == ANSWER_OK, why[0] == '\0');
	return f;
}

static const struct opt_list nothing = {.count = 0};

static void each_clip_gets_the_word_that_was_given(void **state) {
	(void)state;
	struct answer a;
	struct opt_list yes = {{FIRST}, 1};
	struct opt_list no = {{SECOND, SEALED}, 2};
	assert_int_equal(build(yes, no, false, &a), ANSWER_OK);
	assert_int_equal(a.msg.revision, 3);
	assert_int_equal(a.msg.n_decisions, 3);
	size_t shared = 0;
	for (size_t i = 0; i < 3; i++) {
		const Vestibule__V1__Decision *d = a.msg.decisions[i];
		bool is_first = memcmp(d->clip_id.data, ids[0], 16) == 0;
		assert_int_equal(d->yes, is_first);
		assert_int_equal(d->exp_ms, is_first ? 77 : 0);
		shared += d->yes ? 1 : 0;
	}
	assert_int_equal(shared, 1);
	assert_int_equal(a.msg.key_id.len, sizeof(header));
}

static void none_declines_all_and_names_no_key(void **state) {
	(void)state;
	struct answer a;
	assert_int_equal(build(nothing, nothing, true, &a), ANSWER_OK);
	assert_true(a.msg.none);
	assert_int_equal(a.msg.n_decisions, 0);
	assert_int_equal(a.msg.key_id.len, 0);
}

static void none_with_another_word_is_no_answer(void **state) {
	(void)state;
	struct answer a;
	struct opt_list one = {{FIRST}, 1};
	assert_int_equal(build(one, nothing, true, &a), ANSWER_USAGE);
	assert_int_equal(build(nothing, one, true, &a), ANSWER_USAGE);
	assert_int_equal(build(nothing, nothing, false, &a), ANSWER_USAGE);
}

static void yes_and_no_to_one_clip_is_no_answer(void **state) {
	(void)state;
	struct answer a;
	struct opt_list one = {{FIRST}, 1};
	struct opt_list twice = {{FIRST, FIRST}, 2};
	assert_int_equal(build(one, one, false, &a), ANSWER_USAGE);
	assert_int_equal(build(twice, nothing, false, &a), ANSWER_USAGE);
}

static void a_clip_outside_the_ask_is_no_answer(void **state) {
	(void)state;
	struct answer a;
	struct opt_list other = {{OTHER}, 1};
	struct opt_list bad = {{"front-door"}, 1};
	assert_int_equal(build(other, nothing, false, &a), ANSWER_NOT_OFFERED);
	assert_int_equal(build(nothing, other, false, &a), ANSWER_NOT_OFFERED);
	assert_int_equal(build(bad, nothing, false, &a), ANSWER_USAGE);
}

static void a_sealed_clip_can_be_declined_and_not_shared(void **state) {
	(void)state;
	struct answer a;
	struct opt_list sealed = {{SEALED}, 1};
	assert_int_equal(build(sealed, nothing, false, &a), ANSWER_SEALED);
	assert_int_equal(build(nothing, sealed, false, &a), ANSWER_OK);
	assert_false(a.msg.decisions[0]->yes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_clip_gets_the_word_that_was_given, set_up),
		cmocka_unit_test_setup(none_declines_all_and_names_no_key, set_up),
		cmocka_unit_test_setup(none_with_another_word_is_no_answer, set_up),
		cmocka_unit_test_setup(yes_and_no_to_one_clip_is_no_answer, set_up),
		cmocka_unit_test_setup(a_clip_outside_the_ask_is_no_answer, set_up),
		cmocka_unit_test_setup(a_sealed_clip_can_be_declined_and_not_shared, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
