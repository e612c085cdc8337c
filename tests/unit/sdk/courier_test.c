/* What is sent when, and what becomes of it; no network, the test owns time. */
#include "scratch.h"

#include "clients/sdk/courier.h"

struct bench {
	struct scratch *s;
	struct courier c;
	struct buf bytes;
};

static int setup(void **state) {
	struct bench *b = (struct bench *)calloc(1, sizeof *b);
	assert_non_null(b);
	void *scratch = NULL;
	(void)scratch_setup(&scratch);
	b->s = (struct scratch *)scratch;
	courier_init(&b->c, b->s->spool);
	buf_init(&b->bytes, 4096);
	*state = b;
	return 0;
}

static int teardown(void **state) {
	struct bench *b = (struct bench *)*state;
	void *scratch = b->s;
	buf_fini(&b->bytes);
	(void)scratch_teardown(&scratch);
	free(b);
	return 0;
}

/* The seq of the next event that is sent; 0: none. */
static uint64_t next(struct bench *b) {
	struct courier_item item;
	return courier_next(&b->c, b->s->now, &item, &b->bytes) ? item.seq : 0;
}

static void settles(struct bench *b, uint64_t seq, enum vestibule_outcome how) {
	struct courier_settled s = {.seq = 0};
	assert_true(courier_settle(&b->c, b->s->now, &s));
	assert_int_equal(s.seq, seq);
	assert_int_equal(s.outcome, how);
}

static void settles_nothing(struct bench *b) {
	struct courier_settled s;
	assert_false(courier_settle(&b->c, b->s->now, &s));
}

static void sent(struct bench *b, uint64_t seq, int code) {
	courier_sent(&b->c, seq, code, b->s->now);
}

static void one_event_is_out_at_a_time_in_order(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(scratch_add(b->s, VESTIBULE_MOTION), ERR_NONE);
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(next(b), 1);
	assert_int_equal(next(b), 0);
	sent(b, 1, COURIER_OK);
	settles(b, 1, VESTIBULE_ARRIVED);
	assert_int_equal(next(b), 2);
	sent(b, 2, 0x10); /* no subscriber: arrived all the same */
	settles(b, 2, VESTIBULE_ARRIVED);
	assert_int_equal(spool_count(b->s->spool), 0);
}

static void clip_stays_until_an_ack_covers_it(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_OK);
	settles_nothing(b); /* PUBACK is no promise */
	assert_int_equal(spool_count(b->s->spool), 1);
	courier_ack(&b->c, 1);
	settles(b, 1, VESTIBULE_RECORDED);
	assert_int_equal(spool_count(b->s->spool), 0);
}

static void unacknowledged_clip_holds_back_later_clips_but_no_ring(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);   /* 1 */
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);   /* 2 */
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);   /* 3 */
	assert_int_equal(scratch_add(b->s, VESTIBULE_MOTION), ERR_NONE); /* 4 */
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_OK);
	assert_int_equal(next(b), 3);
	sent(b, 3, COURIER_OK);
	assert_int_equal(next(b), 4);
	sent(b, 4, COURIER_OK);
	assert_int_equal(next(b), 0);
	courier_ack(&b->c, 1);
	settles(b, 1, VESTIBULE_RECORDED);
	settles(b, 3, VESTIBULE_ARRIVED);
	settles(b, 4, VESTIBULE_ARRIVED);
	assert_int_equal(next(b), 2);
}

static void ack_removes_what_was_sent_up_to_its_seq_and_nothing_else(void **state) {
	struct bench *b = (struct bench *)*state;
	for (int i = 0; i < 3; i++) assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_OK);
	courier_ack(&b->c,
				2); /* an ack from before this spool was restored: 2 was not sent in this run */
	settles(b, 1, VESTIBULE_RECORDED);
	settles_nothing(b);
	assert_int_equal(next(b), 2); /* sent once, then the old ack covers it */
	sent(b, 2, COURIER_OK);
	settles(b, 2, VESTIBULE_RECORDED);
	assert_int_equal(next(b), 3);
	sent(b, 3, COURIER_OK);
	courier_ack(&b->c, 1); /* a late one says nothing new */
	settles_nothing(b);
}

static void clip_without_ack_is_sent_again_after_a_growing_pause(void **state) {
	struct bench *b = (struct bench *)*state;
	int64_t pauses[] = {10000, 20000, 40000, 80000, 160000, 300000, 300000};
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		assert_int_equal(next(b), 1);
		sent(b, 1, COURIER_OK);
		assert_int_equal(courier_due_ms(&b->c, true, b->s->now), b->s->now.boot_ms + pauses[i]);
		b->s->now.boot_ms += pauses[i] - 1;
		assert_int_equal(next(b), 0);
		b->s->now.boot_ms += 1;
	}
	assert_int_equal(next(b), 1);
}

static void new_connection_sends_everything_unsettled_again(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_OK);
	assert_int_equal(next(b), 2); /* and now the connection goes, before the PUBACK */
	courier_offline(&b->c);
	settles_nothing(b);
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_OK);
	assert_int_equal(next(b), 2);
	sent(b, 1, COURIER_OK); /* of an event that is not out: does nothing */
	assert_int_equal(next(b), 0);
}

static void stale_ring_is_not_sent_but_told_and_counted(void **state) {
	struct bench *b = (struct bench *)*state;
	struct courier_item item;
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	b->s->now.boot_ms += VESTIBULE_RING_LIFE_MS - 1;
	assert_true(courier_next(&b->c, b->s->now, &item, &b->bytes));
	assert_int_equal(item.seq, 1); /* the last millisecond of its life */
	assert_int_equal(item.life_s, 1);
	assert_int_equal(courier_due_ms(&b->c, false, b->s->now), b->s->now.boot_ms + 1);
	b->s->now.boot_ms += 1;
	settles(b, 2, VESTIBULE_STALE);
	settles_nothing(b); /* the first is out: its PUBACK decides */
	sent(b, 1, COURIER_OK);
	settles(b, 1, VESTIBULE_ARRIVED);
}

static void fresh_ring_carries_what_is_left_of_its_minute(void **state) {
	struct bench *b = (struct bench *)*state;
	struct courier_item item;
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_true(courier_next(&b->c, b->s->now, &item, &b->bytes));
	assert_int_equal(item.life_s, 60);
	courier_offline(&b->c);
	b->s->now.boot_ms += 20500;
	assert_true(courier_next(&b->c, b->s->now, &item, &b->bytes));
	assert_int_equal(item.life_s, 40);
}

/* The courier's reading of the clock may be a moment older than the event. */
static void ring_younger_than_the_clock_has_a_minute_and_no_more(void **state) {
	struct bench *b = (struct bench *)*state;
	struct courier_item item;
	struct moment before = b->s->now;
	before.boot_ms -= 3;
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_true(courier_next(&b->c, before, &item, &b->bytes));
	assert_int_equal(item.life_s, 60);
}

static void refused_event_is_dropped_with_the_reason_of_its_denial(void **state) {
	struct bench *b = (struct bench *)*state;
	struct courier_settled s;
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(next(b), 1);
	uint8_t other[UUID_BYTES] = {1};
	struct span id = span_of(b->c.event_id, UUID_BYTES);
	sent(b, 1, COURIER_REFUSED);
	settles_nothing(b); /* the Denial may follow */
	assert_int_equal(next(b), 0);
	assert_false(courier_denied(&b->c, span_of(other, sizeof other), SPAN_LIT("x"), SPAN_LIT("y")));
	assert_true(courier_denied(&b->c, id, SPAN_LIT("wrong_device"), SPAN_LIT("Not your device.")));
	assert_true(courier_settle(&b->c, b->s->now, &s));
	assert_int_equal(s.outcome, VESTIBULE_REFUSED);
	assert_string_equal(s.reason, "wrong_device");
	assert_string_equal(s.sentence, "Not your device.");
	assert_int_equal(spool_count(b->s->spool), 0);
}

static void denial_before_the_puback_is_remembered(void **state) {
	struct bench *b = (struct bench *)*state;
	struct courier_settled s;
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(next(b), 1);
	assert_true(
		courier_denied(&b->c, span_of(b->c.event_id, UUID_BYTES), SPAN_LIT("r"), SPAN_LIT("s")));
	settles_nothing(b);
	sent(b, 1, COURIER_REFUSED);
	assert_true(courier_settle(&b->c, b->s->now, &s));
	assert_string_equal(s.reason, "r");
}

static void refusal_without_denial_ends_after_a_second(void **state) {
	struct bench *b = (struct bench *)*state;
	struct courier_settled s;
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_REFUSED);
	courier_offline(&b->c); /* a lost connection does not undo it */
	assert_int_equal(courier_due_ms(&b->c, false, b->s->now),
					 b->s->now.boot_ms + COURIER_DENIAL_MS);
	b->s->now.boot_ms += COURIER_DENIAL_MS;
	assert_true(courier_settle(&b->c, b->s->now, &s));
	assert_int_equal(s.outcome, VESTIBULE_REFUSED);
	assert_string_equal(s.reason, "not_given");
}

static void other_reason_codes_are_tried_again(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(scratch_add(b->s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(next(b), 1);
	sent(b, 1, 0x97); /* quota exceeded */
	settles_nothing(b);
	assert_int_equal(next(b), 0);
	b->s->now.boot_ms += COURIER_ACK_MS;
	assert_int_equal(next(b), 1);
}

static void event_damaged_after_start_is_set_aside_when_its_turn_comes(void **state) {
	struct bench *b = (struct bench *)*state;
	char path[128];
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	(void)snprintf(path, sizeof path, "%s/00000000000000000001-clip", b->s->dir);
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(next(b), 0);
	assert_int_equal(courier_due_ms(&b->c, true, b->s->now), b->s->now.boot_ms);
	settles(b, 1, VESTIBULE_CORRUPT);
	assert_int_equal(scratch_files(b->s, ".bad"), 1);
	assert_int_equal(next(b), 2);
}

static void idle_courier_is_due_never(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_true(courier_due_ms(&b->c, true, b->s->now) == INT64_MAX);
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(scratch_add(b->s, VESTIBULE_CLIP), ERR_NONE);
	assert_true(courier_due_ms(&b->c, false, b->s->now) ==
				INT64_MAX); /* offline nothing can be sent */
	assert_int_equal(next(b), 1);
	sent(b, 1, COURIER_OK);
	assert_true(courier_due_ms(&b->c, true, b->s->now) >
				b->s->now.boot_ms); /* the second clip waits for the first */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(one_event_is_out_at_a_time_in_order),
		T(clip_stays_until_an_ack_covers_it),
		T(unacknowledged_clip_holds_back_later_clips_but_no_ring),
		T(ack_removes_what_was_sent_up_to_its_seq_and_nothing_else),
		T(clip_without_ack_is_sent_again_after_a_growing_pause),
		T(new_connection_sends_everything_unsettled_again),
		T(stale_ring_is_not_sent_but_told_and_counted),
		T(fresh_ring_carries_what_is_left_of_its_minute),
		T(ring_younger_than_the_clock_has_a_minute_and_no_more),
		T(refused_event_is_dropped_with_the_reason_of_its_denial),
		T(denial_before_the_puback_is_remembered),
		T(refusal_without_denial_ends_after_a_second),
		T(other_reason_codes_are_tried_again),
		T(event_damaged_after_start_is_set_aside_when_its_turn_comes),
		T(idle_courier_is_due_never),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
