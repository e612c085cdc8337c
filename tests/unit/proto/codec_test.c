/* Claims of proto/codec.h about bytes: what decodes, what does not, and that nothing breaks in
 * between. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sample.h"

static struct sample sample;
static struct codec *codec;

static int setup(void **state) {
	(void)state;
	codec = codec_new();
	return codec ? 0 : -1;
}

static int teardown(void **state) {
	(void)state;
	codec_free(codec);
	return 0;
}

static struct buf encoded(const ProtobufCMessage *msg) {
	struct buf b;
	buf_init(&b, 100000);
	assert_int_equal(codec_encode(msg, &b), ERR_NONE);
	return b;
}

static enum err decode(enum codec_kind kind, const void *bytes, size_t len,
					   struct codec_fault *why) {
	ProtobufCMessage *msg = NULL;
	return codec_decode(codec, kind, span_of(bytes, len), &msg, why);
}

static void check_identity(enum codec_kind kind, bool full, unsigned choice) {
	struct buf one = encoded(sample_make(&sample, kind, full, choice));
	ProtobufCMessage *msg = NULL;
	struct codec_fault why = {"", ""};
	assert_true(one.len <= codec_bytes_max(kind));
	enum err e = codec_decode_routed(codec, kind, buf_view(&one), &msg, &why);
	if (e != ERR_NONE) fail_msg("%s %s", why.field, why.limit);
	assert_string_equal(msg->descriptor->short_name, codec_name(kind));
	assert_int_equal(codec_validate(kind, msg, &why), ERR_NONE);
	struct buf two = encoded(msg);
	assert_true(span_eq(buf_view(&one), buf_view(&two)));
	buf_fini(&one);
	buf_fini(&two);
}

static void decoding_and_encoding_is_identity(void **state) {
	(void)state;
	for (int k = 0; k < CODEC_KINDS; k++) {
		enum codec_kind kind = (enum codec_kind)k;
		for (unsigned choice = 0; choice < sample_choices(sample_desc(kind)); choice++) {
			check_identity(kind, true, choice);
			check_identity(kind, false, choice);
		}
	}
}

/* Anything that decodes must encode to something that decodes to the same. */
static size_t try_bytes(enum codec_kind kind, struct span bytes) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why = {"", ""};
	enum err e = codec_decode_routed(codec, kind, bytes, &msg, &why);
	if (e != ERR_NONE) {
		assert_true(e == ERR_INPUT || e == ERR_LIMIT);
		assert_string_not_equal(why.limit, "");
		return 0;
	}
	struct buf one = encoded(msg);
	assert_int_equal(codec_decode_routed(codec, kind, buf_view(&one), &msg, &why), ERR_NONE);
	struct buf two = encoded(msg);
	assert_true(span_eq(buf_view(&one), buf_view(&two)));
	buf_fini(&one);
	buf_fini(&two);
	return 1;
}

static void no_truncation_and_no_bit_flip_breaks_anything(void **state) {
	(void)state;
	for (int k = 0; k < CODEC_KINDS; k++) {
		enum codec_kind kind = (enum codec_kind)k;
		struct buf b = encoded(sample_make(&sample, kind, true, 0));
		size_t step = 1 + b.len / 700; /* the long ones */
		for (size_t i = 0; i < b.len; i += step) {
			(void)try_bytes(kind, span_of(b.ptr, i));
			for (int bit = 0; bit < 8; bit++) {
				b.ptr[i] = (uint8_t)(b.ptr[i] ^ 1u << bit);
				(void)try_bytes(kind, buf_view(&b));
				b.ptr[i] = (uint8_t)(b.ptr[i] ^ 1u << bit);
			}
		}
		assert_int_equal(try_bytes(kind, buf_view(&b)), 1);
		buf_fini(&b);
	}
}

/* A bare ring and something after it. */
struct quirk {
	const char *tail;
	size_t len;
	const char *field;
	const char *limit;
};

static const struct quirk quirks[] = {
	{"\x30\x01", 2, "RingEvent.6", "not a known field"},
	{"\xfa\xff\xff\xff\x0f\x00", 6, "RingEvent.536870911", "not a known field"},
	{"\x10\x01", 2, "RingEvent.at_ms", "once"},
	{"\x0a\x00", 2, "RingEvent.event_id", "once"},
	{"\x2a\x01\x01", 3, "RingEvent.arrived_ms", "another wire type"},
	{"\x29"
	 "12345678",
	 9, "RingEvent.arrived_ms", "another wire type"},
	{"\x2d"
	 "1234",
	 5, "RingEvent.arrived_ms", "another wire type"},
	{"\x28\x01", 2, "RingEvent.arrived_ms", "set by the plugin alone"},
	{"\x28\x80\x00", 3, "RingEvent", "protobuf wire format, shortest form"},
	{"\xa8\x00\x01", 3, "RingEvent", "protobuf wire format, shortest form"},
	{"\x2b\x2c", 2, "RingEvent", "protobuf wire format, shortest form"},
	{"\x00\x00", 2, "RingEvent", "protobuf wire format, shortest form"},
	{"\x28", 1, "RingEvent", "protobuf wire format, shortest form"},
	{"\x07", 1, "RingEvent", "protobuf wire format, shortest form"},
};

static void nothing_rides_along_with_an_event(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		struct buf b = encoded(sample_make(&sample, CODEC_RING, false, 0));
		struct codec_fault why = {"", ""};
		assert_int_equal(decode(CODEC_RING, b.ptr, b.len, &why), ERR_NONE);
		buf_put(&b, quirks[i].tail, quirks[i].len);
		assert_int_equal(decode(CODEC_RING, b.ptr, b.len, &why), ERR_INPUT);
		assert_string_equal(why.field, quirks[i].field);
		assert_string_equal(why.limit, quirks[i].limit);
		buf_fini(&b);
	}
}

static void numbers_too_large_for_their_type_are_refused(void **state) {
	(void)state;
	struct codec_fault why;
	/* ClipPull: part, offset, length. protobuf-c alone would cut these to 32 bits or accept any
	 * bool. */
	assert_int_equal(decode(CODEC_PULL, "\x18\x01", 2, &why), ERR_NONE);
	assert_int_equal(decode(CODEC_PULL, "\x18\x81\x80\x80\x80\x10", 6, &why), ERR_INPUT);
	assert_string_equal(why.field, "ClipPull.length");
	assert_string_equal(why.limit, "at most 32 bits");
	assert_int_equal(decode(CODEC_PULL, "\x08\x02\x18\x01", 4, &why), ERR_INPUT);
	assert_string_equal(why.field, "ClipPull.part");
	assert_int_equal(decode(CODEC_PULL, "\x08\x80\x80\x80\x80\x10\x18\x01", 8, &why), ERR_INPUT);
	assert_int_equal(
		decode(CODEC_PULL, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x01", 13, &why),
		ERR_INPUT);
	assert_int_equal(decode(CODEC_CHUNK, "\x20\x01", 2, &why), ERR_NONE);
	assert_int_equal(decode(CODEC_CHUNK, "\x20\x02", 2, &why), ERR_INPUT);
	assert_string_equal(why.field, "ClipChunk.last");
	/* offset beyond 63 bits must not turn into a negative number that passes */
	assert_int_equal(
		decode(CODEC_PULL, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x18\x01", 13, &why),
		ERR_LIMIT);
}

static void explicit_zeros_are_accepted_and_left_out_again(void **state) {
	(void)state;
	struct buf b = encoded(sample_make(&sample, CODEC_RING, false, 0));
	size_t canonical = b.len;
	buf_put(&b, "\x28\x00", 2);
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	assert_int_equal(codec_decode(codec, CODEC_RING, buf_view(&b), &msg, &why), ERR_NONE);
	struct buf again = encoded(msg);
	assert_int_equal(again.len, canonical);
	buf_fini(&b);
	buf_fini(&again);
}

static void a_command_is_exactly_one_command(void **state) {
	(void)state;
	struct codec_fault why;
	struct buf b = encoded(sample_make(&sample, CODEC_HOME_COMMAND, false, 6)); /* leave */
	assert_int_equal(decode(CODEC_HOME_COMMAND, b.ptr, b.len, &why), ERR_NONE);
	assert_int_equal(decode(CODEC_HOME_COMMAND, b.ptr, b.len - 2, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.what");
	buf_put(&b, "\x72\x00", 2); /* leave again */
	assert_int_equal(decode(CODEC_HOME_COMMAND, b.ptr, b.len, &why), ERR_INPUT);
	b.len -= 2;
	buf_put(&b, "\x5a\x00", 2); /* rules as well */
	assert_int_equal(decode(CODEC_HOME_COMMAND, b.ptr, b.len, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.rules");
	assert_string_equal(why.limit, "only one of the commands");
	buf_fini(&b);
}

static void text_cannot_hide_bytes_behind_a_zero(void **state) {
	(void)state;
	struct codec_fault why;
	struct buf b = encoded(sample_make(&sample, CODEC_HOME_COMMAND, false, 5)); /* remove "alice" */
	b.ptr[b.len - 1] = 0;
	assert_int_equal(decode(CODEC_HOME_COMMAND, b.ptr, b.len, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.remove.username");
	buf_fini(&b);
}

static void every_kind_has_its_size(void **state) {
	(void)state;
	static uint8_t zeros[CODEC_CHUNK_MAX + 1024];
	for (int k = 0; k < CODEC_KINDS; k++) {
		struct codec_fault why;
		char limit[64];
		size_t max = codec_bytes_max((enum codec_kind)k);
		assert_true(max > 0 && max < sizeof(zeros));
		assert_int_equal(decode((enum codec_kind)k, zeros, max, &why), ERR_INPUT);
		assert_int_equal(decode((enum codec_kind)k, zeros, max + 1, &why), ERR_LIMIT);
		assert_string_equal(why.field, "");
		(void)snprintf(limit, sizeof(limit), "at most %zu bytes", max);
		assert_string_equal(why.limit, limit);
	}
	assert_int_equal(codec_bytes_max(CODEC_KINDS), 0);
	assert_string_equal(codec_name(CODEC_KINDS), "unknown");
}

static void largest_valid_messages_fit_their_size(void **state) {
	(void)state;
	struct codec_fault why;
	Vestibule__V1__ClipReady *clip = (void *)sample_make(&sample, CODEC_CLIP_READY, true, 0);
	clip->seq = INT64_MAX;
	clip->at_ms = clip->start_ms = CODEC_TIME_MAX;
	clip->sealed = sample_age(&sample, 8);
	clip->manifest = (ProtobufCBinaryData){
		CODEC_MANIFEST_MAX, (uint8_t *)sample_repeat(&sample, 'm', CODEC_MANIFEST_MAX)};
	clip->payload_length = CODEC_CLIP_MAX;
	clip->poster_length = CODEC_POSTER_MAX;
	assert_int_equal(codec_validate(CODEC_CLIP_READY, &clip->base, &why), ERR_NONE);
	assert_true(protobuf_c_message_get_packed_size(&clip->base) <=
				codec_bytes_max(CODEC_CLIP_READY));

	Vestibule__V1__AgencyCommand *cmd = (void *)sample_make(&sample, CODEC_AGENCY_COMMAND, true, 0);
	char *reason = sample_alloc(&sample, 4 * CODEC_REASON_MAX + 1);
	for (size_t i = 0; i < CODEC_REASON_MAX; i++) memcpy(reason + 4 * i, "\xF0\x9F\x9A\xAA", 4);
	cmd->submit->reason = reason;
	assert_int_equal(codec_validate(CODEC_AGENCY_COMMAND, &cmd->base, &why), ERR_NONE);
	assert_true(protobuf_c_message_get_packed_size(&cmd->base) <=
				codec_bytes_max(CODEC_AGENCY_COMMAND));

	Vestibule__V1__HomeCommand *home = (void *)sample_make(&sample, CODEC_HOME_COMMAND, true, 0);
	Vestibule__V1__Decision **all = sample_alloc(&sample, sizeof(*all) * CODEC_DECISIONS_MAX);
	for (size_t i = 0; i < CODEC_DECISIONS_MAX; i++) all[i] = home->answer->decisions[0];
	home->answer->decisions = all;
	home->answer->n_decisions = CODEC_DECISIONS_MAX;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_NONE);
	assert_true(protobuf_c_message_get_packed_size(&home->base) <=
				codec_bytes_max(CODEC_HOME_COMMAND));
	home->answer->n_decisions = CODEC_DECISIONS_MAX + 1;
	assert_int_equal(codec_validate(CODEC_HOME_COMMAND, &home->base, &why), ERR_LIMIT);
	assert_string_equal(why.field, "HomeCommand.answer.decisions");
}

static void the_plugin_stamps_arrival_and_readers_see_it(void **state) {
	(void)state;
	struct codec_fault why;
	Vestibule__V1__RingEvent *ring = (void *)sample_make(&sample, CODEC_RING, false, 0);
	struct buf sent = encoded(&ring->base);
	ProtobufCMessage *msg = NULL;
	assert_int_equal(codec_decode(codec, CODEC_RING, buf_view(&sent), &msg, &why), ERR_NONE);
	((Vestibule__V1__RingEvent *)msg)->arrived_ms = 1795000000999;
	assert_int_equal(codec_validate(CODEC_RING, msg, &why), ERR_NONE);
	struct buf routed = encoded(msg);
	assert_int_equal(codec_decode(codec, CODEC_RING, buf_view(&routed), &msg, &why), ERR_INPUT);
	assert_string_equal(why.field, "RingEvent.arrived_ms");
	assert_int_equal(codec_decode_routed(codec, CODEC_RING, buf_view(&routed), &msg, &why),
					 ERR_NONE);
	assert_true(((Vestibule__V1__RingEvent *)msg)->arrived_ms == 1795000000999);
	buf_fini(&sent);
	buf_fini(&routed);
}

static void readers_pass_over_what_a_newer_plugin_says(void **state) {
	(void)state;
	struct codec_fault why;
	ProtobufCMessage *msg = NULL;
	Vestibule__V1__Reply *reply = (void *)sample_make(&sample, CODEC_REPLY, true, 0);
	reply->receipts[1]->kind = (Vestibule__V1__ReceiptKind)999;
	struct buf b = encoded(&reply->base);
	buf_put(&b, "\xf2\x3f\x03new", 6); /* field 1022 */
	assert_int_equal(codec_decode(codec, CODEC_REPLY, buf_view(&b), &msg, &why), ERR_INPUT);
	assert_int_equal(codec_decode_routed(codec, CODEC_REPLY, buf_view(&b), &msg, &why), ERR_NONE);
	const Vestibule__V1__Reply *read = (void *)msg;
	assert_int_equal(read->receipts[0]->kind, 1);
	assert_int_equal(read->receipts[1]->kind, 0);
	assert_int_equal(msg->n_unknown_fields, 0);
	assert_int_equal(read->n_members, reply->n_members);
	b.len -= 6;
	buf_put(&b, "\xf0\x3f\x80\x00", 4); /* unknown is no excuse for malformed */
	assert_int_equal(codec_decode_routed(codec, CODEC_REPLY, buf_view(&b), &msg, &why), ERR_INPUT);
	buf_fini(&b);
}

static void memory_of_one_decode_is_bounded(void **state) {
	(void)state;
	struct buf b;
	struct codec_fault why;
	buf_init(&b, CODEC_REPLY_BYTES_MAX);
	while (b.len + 2 <= CODEC_REPLY_BYTES_MAX) buf_put(&b, "\x2a\x00", 2); /* empty ClipInfo */
	assert_int_equal(decode(CODEC_REPLY, b.ptr, b.len, &why), ERR_LIMIT);
	assert_string_equal(why.limit, "at most 262144 bytes of memory");
	buf_fini(&b);
}

static void full_replies_decode_within_the_memory(void **state) {
	(void)state;
	struct codec_fault why;
	Vestibule__V1__Reply *reply = (void *)sample_make(&sample, CODEC_REPLY, true, 0);
	Vestibule__V1__ClipInfo *clip = reply->clips[0];
	Vestibule__V1__DeviceInfo *device = reply->devices[0];
	sample.full = false;
	Vestibule__V1__Reply *big = (void *)sample_message(&sample, sample_desc(CODEC_REPLY));
	big->clips = sample_alloc(&sample, sizeof(void *) * CODEC_LIST_MAX);
	big->devices = sample_alloc(&sample, sizeof(void *) * CODEC_LIST_MAX);
	clip->clip->sealed.len = clip->clip->manifest.len = 0;
	while (protobuf_c_message_get_packed_size(&big->base) < CODEC_REPLY_BYTES_MAX - 14000) {
		big->clips[big->n_clips++] = clip;
	}
	while (big->n_devices < CODEC_LIST_MAX) big->devices[big->n_devices++] = device;
	struct buf b = encoded(&big->base);
	assert_true(b.len <= CODEC_REPLY_BYTES_MAX);
	enum err e = decode(CODEC_REPLY, b.ptr, b.len, &why);
	if (e != ERR_NONE) fail_msg("%s: %s", why.field, why.limit);
	buf_fini(&b);
}

static void every_notice_encodes_to_one_size(void **state) {
	(void)state;
	for (int full = 0; full < 2; full++) {
		for (size_t len = 1; len <= 64; len++) {
			Vestibule__V1__AgencyNotice *n = (void *)sample_make(&sample, CODEC_NOTICE, full, 0);
			struct codec_fault why;
			struct buf b;
			n->reason = sample_repeat(&sample, 'r', len);
			buf_init(&b, 4096);
			assert_int_equal(codec_encode_notice(n, &b), ERR_NONE);
			assert_int_equal(b.len, CODEC_NOTICE_BYTES);
			ProtobufCMessage *msg = NULL;
			assert_int_equal(codec_decode(codec, CODEC_NOTICE, buf_view(&b), &msg, &why), ERR_NONE);
			assert_string_equal(((Vestibule__V1__AgencyNotice *)msg)->reason, n->reason);
			buf_fini(&b);
		}
	}
}

static void a_notice_too_long_to_pad_is_refused(void **state) {
	(void)state;
	size_t fitting = 0;
	for (size_t len = 1; len <= 600; len++) {
		Vestibule__V1__AgencyNotice *n = (void *)sample_make(&sample, CODEC_NOTICE, false, 0);
		struct buf b;
		n->reason = sample_repeat(&sample, 'r', len);
		buf_init(&b, 4096);
		enum err e = codec_encode_notice(n, &b);
		assert_true(e == ERR_NONE || e == ERR_LIMIT);
		assert_int_equal(b.len, e == ERR_NONE ? CODEC_NOTICE_BYTES : 0);
		fitting += e == ERR_NONE ? 1 : 0;
		buf_fini(&b);
	}
	assert_true(fitting > 400);
}

static void a_full_buffer_is_reported(void **state) {
	(void)state;
	struct buf b;
	buf_init(&b, 10);
	assert_int_equal(codec_encode(sample_make(&sample, CODEC_RING, true, 0), &b), ERR_LIMIT);
	buf_fini(&b);
}

static void a_deep_fault_names_its_place(void **state) {
	(void)state;
	struct codec_fault why;
	Vestibule__V1__HomeCommand *home = (void *)sample_make(&sample, CODEC_HOME_COMMAND, true, 0);
	home->answer->decisions[1]->header.data[0] ^= 1;
	struct buf b = encoded(&home->base);
	assert_int_equal(decode(CODEC_HOME_COMMAND, b.ptr, b.len, &why), ERR_INPUT);
	assert_string_equal(why.field, "HomeCommand.answer.decisions[1].header");
	buf_fini(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_and_encoding_is_identity),
		cmocka_unit_test(no_truncation_and_no_bit_flip_breaks_anything),
		cmocka_unit_test(nothing_rides_along_with_an_event),
		cmocka_unit_test(numbers_too_large_for_their_type_are_refused),
		cmocka_unit_test(explicit_zeros_are_accepted_and_left_out_again),
		cmocka_unit_test(a_command_is_exactly_one_command),
		cmocka_unit_test(text_cannot_hide_bytes_behind_a_zero),
		cmocka_unit_test(every_kind_has_its_size),
		cmocka_unit_test(largest_valid_messages_fit_their_size),
		cmocka_unit_test(the_plugin_stamps_arrival_and_readers_see_it),
		cmocka_unit_test(readers_pass_over_what_a_newer_plugin_says),
		cmocka_unit_test(memory_of_one_decode_is_bounded),
		cmocka_unit_test(full_replies_decode_within_the_memory),
		cmocka_unit_test(every_notice_encodes_to_one_size),
		cmocka_unit_test(a_notice_too_long_to_pad_is_refused),
		cmocka_unit_test(a_full_buffer_is_reported),
		cmocka_unit_test(a_deep_fault_names_its_place),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
