/* Claims of proto/event.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"
#include "proto/event.h"

static struct sample sample;

static void times_of_every_event_agree_with_the_codec(void **state) {
	(void)state;
	static const enum codec_kind kinds[] = {CODEC_RING, CODEC_MOTION, CODEC_CLIP_READY};
	for (size_t i = 0; i < 3; i++) {
		struct event_times t;
		struct buf b;
		buf_init(&b, 4096);
		/* the five common fields are at the same place in all three */
		Vestibule__V1__RingEvent *e = (void *)sample_make(&sample, kinds[i], true, 0);
		e->at_ms = 1795000000123;
		e->arrived_ms = 1795000000456;
		e->synced = i != 1;
		assert_int_equal(codec_encode(&e->base, &b), ERR_NONE);
		assert_int_equal(event_times(buf_view(&b), &t), ERR_NONE);
		assert_true(t.at_ms == e->at_ms && t.arrived_ms == e->arrived_ms && t.synced == (i != 1));
		assert_true(event_effective_ms(&t) == (t.synced ? t.at_ms : t.arrived_ms));
		buf_reset(&b);
		assert_int_equal(codec_json(&e->base, &b), ERR_NONE);
		struct event_times j;
		assert_int_equal(event_times_json(buf_view(&b), &j), ERR_NONE);
		assert_true(j.at_ms == t.at_ms && j.arrived_ms == t.arrived_ms && j.synced == t.synced);
		buf_fini(&b);
	}
}

struct wire {
	const char *bytes;
	size_t len;
	enum err want;
	uint64_t at, arrived;
};

#define W(s) s, sizeof(s) - 1

static const struct wire wires[] = {
	{W(""), ERR_NONE, 0, 0},
	{W("\x10\x05\x28\x07"), ERR_NONE, 5, 7},
	{W("\x28\x07\x10\x05"), ERR_NONE, 5, 7},
	{W("\x10\x05\x10\x05"), ERR_INPUT, 0, 0}, /* twice */
	{W("\x28\x05\x28\x05"), ERR_INPUT, 0, 0},
	{W("\x12\x01\x05"), ERR_INPUT, 0, 0}, /* bytes instead of a number */
	{W("\x11\x01\x01\x01\x01\x01\x01\x01\x01"), ERR_INPUT, 0, 0},
	{W("\x18\x02"), ERR_INPUT, 0, 0}, /* synced is 0 or 1 */
	{W("\x10"), ERR_INPUT, 0, 0},     /* ends inside a field */
	{W("\x10\x80"), ERR_INPUT, 0, 0},
	{W("\x10\x85\x00"), ERR_INPUT, 0, 0}, /* longer than it must be */
	{W("\x0a\x05"
	   "abcd"),
	 ERR_INPUT, 0, 0}, /* length beyond the end */
	{W("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_INPUT, 0, 0},
	{W("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_NONE, UINT64_MAX, 0},
	{W("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), ERR_INPUT, 0, 0},
	{W("\x00\x01"), ERR_INPUT, 0, 0}, /* field 0 */
	{W("\x0b\x0c"), ERR_INPUT, 0, 0}, /* groups */
	{W("\x0e"), ERR_INPUT, 0, 0},
	{W("\x3d"
	   "abc"),
	 ERR_INPUT, 0, 0},
	{W("\x3d"
	   "abcd\x10\x01"),
	 ERR_NONE, 1, 0},
};

static void wire_format_is_read_to_its_exact_end(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
		struct event_times t = {9, 9, true};
		enum err e = event_times(span_of(wires[i].bytes, wires[i].len), &t);
		if (e != wires[i].want) fail_msg("case %zu", i);
		if (e == ERR_NONE) assert_true(t.at_ms == wires[i].at && t.arrived_ms == wires[i].arrived);
		if (e != ERR_NONE) assert_true(t.at_ms == 9);
	}
}

static void json_must_begin_with_the_times(void **state) {
	(void)state;
	static const char *const bad[] = {
		"",
		"{",
		"{}",
		"{\"at_ms\":1,\"arrived_ms\":2,\"synced\":true",
		"{\"at_ms\":1,\"arrived_ms\":2,\"synced\":1}",
		"{\"at_ms\":1,\"arrived_ms\":2,\"synced\":truex}",
		"{\"at_ms\":01,\"arrived_ms\":2,\"synced\":true}",
		"{\"at_ms\":-1,\"arrived_ms\":2,\"synced\":true}",
		"{\"at_ms\":,\"arrived_ms\":2,\"synced\":true}",
		"{\"at_ms\":1.5,\"arrived_ms\":2,\"synced\":true}",
		"{\"at_ms\":18446744073709551616,\"arrived_ms\":2,\"synced\":true}",
		"{\"arrived_ms\":2,\"at_ms\":1,\"synced\":true}",
		"{ \"at_ms\":1,\"arrived_ms\":2,\"synced\":true}",
	};
	struct event_times t;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(event_times_json(span_str(bad[i]), &t), ERR_INPUT);
	}
	assert_int_equal(
		event_times_json(
			SPAN_LIT("{\"at_ms\":18446744073709551615,\"arrived_ms\":0,\"synced\":false}"), &t),
		ERR_NONE);
	assert_true(t.at_ms == UINT64_MAX && t.arrived_ms == 0 && !t.synced);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_of_every_event_agree_with_the_codec),
		cmocka_unit_test(wire_format_is_read_to_its_exact_end),
		cmocka_unit_test(json_must_begin_with_the_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
