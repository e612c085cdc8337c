/* A clip arrives whole whatever is lost, repeated or reordered on the way, and never beyond its
 * announced length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/home/pull.h"

enum { LENGTH = 1000000, CHUNK = 65536 };

static uint8_t payload[LENGTH];

static Vestibule__V1__ClipChunk chunk_at(uint64_t offset, size_t len) {
	Vestibule__V1__ClipChunk c = VESTIBULE__V1__CLIP_CHUNK__INIT;
	c.offset = offset;
	c.data = (ProtobufCBinaryData){len, payload + offset};
	c.last = offset + len == LENGTH;
	return c;
}

static enum pull_verdict give(struct pull *p, uint64_t offset, size_t len, struct span *fresh) {
	Vestibule__V1__ClipChunk c = chunk_at(offset, len);
	return pull_take(p, 0, &c, fresh);
}

static void no_more_is_asked_for_than_the_window(void **state) {
	(void)state;
	struct pull p;
	uint64_t offset, end = 0;
	uint32_t len;
	pull_init(&p, LENGTH, 0, 0);
	while (pull_next(&p, 0, &offset, &len)) {
		assert_int_equal(offset, end);
		end = offset + len;
	}
	assert_int_equal(end, PULL_WINDOW);
}

static void the_last_request_ends_with_the_clip(void **state) {
	(void)state;
	struct pull p;
	uint64_t offset;
	uint32_t len;
	pull_init(&p, LENGTH, LENGTH - 10, 0);
	assert_true(pull_next(&p, 0, &offset, &len));
	assert_int_equal(offset, LENGTH - 10);
	assert_int_equal(len, 10);
	assert_false(pull_next(&p, 0, &offset, &len));
}

static void a_lost_chunk_is_asked_for_once_at_once(void **state) {
	(void)state;
	struct pull p;
	struct span fresh;
	uint64_t offset;
	uint32_t len;
	pull_init(&p, LENGTH, 0, 0);
	while (pull_next(&p, 0, &offset, &len)) continue;
	assert_int_equal(give(&p, 0, CHUNK, &fresh), PULL_TAKE);
	assert_int_equal(give(&p, 2 * CHUNK, CHUNK, &fresh), PULL_IGNORE);
	assert_true(pull_next(&p, 0, &offset, &len));
	assert_int_equal(offset, CHUNK);
	while (pull_next(&p, 0, &offset, &len)) continue;
	assert_int_equal(give(&p, 3 * CHUNK, CHUNK, &fresh), PULL_IGNORE); /* of the same loss */
	assert_false(pull_next(&p, 0, &offset, &len));
}

static void silence_makes_it_ask_again_with_growing_patience(void **state) {
	(void)state;
	struct pull p;
	uint64_t offset;
	uint32_t len;
	pull_init(&p, LENGTH, 0, 0);
	while (pull_next(&p, 0, &offset, &len)) continue;
	assert_false(pull_next(&p, PULL_RETRY_MS - 1, &offset, &len));
	assert_true(pull_next(&p, PULL_RETRY_MS, &offset, &len));
	assert_int_equal(offset, 0);
	while (pull_next(&p, PULL_RETRY_MS, &offset, &len)) continue;
	assert_false(pull_next(&p, 3 * PULL_RETRY_MS - 1, &offset, &len));
	assert_true(pull_next(&p, 3 * PULL_RETRY_MS, &offset, &len));
}

static void repeated_bytes_are_taken_once(void **state) {
	(void)state;
	struct pull p;
	struct span fresh;
	pull_init(&p, LENGTH, 0, 0);
	assert_int_equal(give(&p, 0, 100, &fresh), PULL_TAKE);
	assert_int_equal(give(&p, 0, 100, &fresh), PULL_IGNORE);
	assert_int_equal(give(&p, 50, 100, &fresh), PULL_TAKE);
	assert_ptr_equal(fresh.ptr, payload + 100);
	assert_int_equal(fresh.len, 50);
	assert_int_equal(p.have, 150);
}

static void bytes_beyond_the_announced_length_are_never_taken(void **state) {
	(void)state;
	struct pull p;
	struct span fresh;
	pull_init(&p, 100, 0, 0);
	assert_int_equal(give(&p, 0, 101, &fresh), PULL_WRONG);
	assert_int_equal(give(&p, 101, 1, &fresh), PULL_WRONG);
	Vestibule__V1__ClipChunk c = chunk_at(0, 10);
	c.offset = UINT64_MAX;
	assert_int_equal(pull_take(&p, 0, &c, &fresh), PULL_WRONG);
	c = chunk_at(0, 10);
	c.last = true; /* shorter than announced */
	assert_int_equal(pull_take(&p, 0, &c, &fresh), PULL_WRONG);
	assert_int_equal(p.have, 0);
}

static void a_device_without_the_clip_ends_it(void **state) {
	(void)state;
	struct pull p;
	struct span fresh;
	pull_init(&p, LENGTH, 0, 0);
	Vestibule__V1__ClipChunk c = VESTIBULE__V1__CLIP_CHUNK__INIT;
	c.status = VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE;
	assert_int_equal(pull_take(&p, 0, &c, &fresh), PULL_GONE);
	c.status = VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_RANGE;
	assert_int_equal(pull_take(&p, 0, &c, &fresh), PULL_WRONG);
	c.part = VESTIBULE__V1__PART__PART_POSTER; /* another conversation */
	assert_int_equal(pull_take(&p, 0, &c, &fresh), PULL_IGNORE);
}

/* A device that answers every request in chunks, over a line that drops and repeats by a fixed
 * sequence. */
static void a_bad_line_still_delivers_every_byte_in_order(void **state) {
	(void)state;
	struct pull p;
	uint32_t seed = 1;
	int64_t now_ms = 0;
	uint64_t end = 0;
	pull_init(&p, LENGTH, 0, 0);
	for (int rounds = 0; !pull_is_done(&p) && rounds < 100000; rounds++) {
		uint64_t offset;
		uint32_t len;
		while (pull_next(&p, now_ms, &offset, &len)) {
			for (uint64_t at = offset; at < offset + len; at += CHUNK) {
				uint64_t left = offset + len - at;
				Vestibule__V1__ClipChunk c = chunk_at(at, left < CHUNK ? (size_t)left : CHUNK);
				seed = seed * 1664525 + 1013904223;
				for (uint32_t copies = (seed >> 24) % 3; copies; copies--) {
					struct span fresh;
					if (pull_take(&p, now_ms, &c, &fresh) != PULL_TAKE) continue;
					assert_ptr_equal(fresh.ptr, payload + end);
					end += fresh.len;
				}
			}
		}
		now_ms += 1000;
	}
	assert_int_equal(end, LENGTH);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_is_asked_for_than_the_window),
		cmocka_unit_test(the_last_request_ends_with_the_clip),
		cmocka_unit_test(a_lost_chunk_is_asked_for_once_at_once),
		cmocka_unit_test(silence_makes_it_ask_again_with_growing_patience),
		cmocka_unit_test(repeated_bytes_are_taken_once),
		cmocka_unit_test(bytes_beyond_the_announced_length_are_never_taken),
		cmocka_unit_test(a_device_without_the_clip_ends_it),
		cmocka_unit_test(a_bad_line_still_delivers_every_byte_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
