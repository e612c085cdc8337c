/* Claims of clients/conform/packet.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clients/conform/packet.h"

#define B(s) span_of((s), sizeof(s) - 1)

static const char connect_5[] = "\x10\x30\0\4MQTT\5\xe6\0\x1e\5\x11\0\0\0\x3c\0\5front"
								"\0\0\5w/top\0\3off\0\5front\0\3key";

static void packet_is_cut_only_when_it_is_whole(void **state) {
	(void)state;
	struct span whole = B("\x30\x05\0\1taX\xc0\0");
	struct packet p;
	for (size_t n = 0; n < 7; n++)
		assert_int_equal(packet_cut(span_of(whole.ptr, n), &p), ERR_ABSENT);
	assert_int_equal(packet_cut(whole, &p), ERR_NONE);
	assert_int_equal(p.type, PACKET_PUBLISH);
	assert_int_equal(p.whole.len, 7);
	assert_int_equal(packet_cut(span_drop(whole, 7), &p), ERR_NONE);
	assert_int_equal(p.type, PACKET_PINGREQ);
}

static void length_ends_after_four_bytes_and_below_the_limit(void **state) {
	(void)state;
	struct packet p;
	assert_int_equal(packet_cut(B("\x30\xff\xff\xff\xff\x01"), &p), ERR_INPUT);
	assert_int_equal(packet_cut(B("\x30\xff\xff\xff\x7f"), &p), ERR_LIMIT);
	assert_int_equal(packet_cut(B("\x30\xff\xff\x0f"), &p), ERR_ABSENT); /* 262143 */
	assert_int_equal(packet_cut(B("\x30\xb0\xbd\x10"), &p), ERR_LIMIT);  /* 270000 and the head */
	assert_int_equal(packet_cut(B("\x30\xac\xbd\x10"), &p), ERR_ABSENT); /* 269996 and the head */
	assert_int_equal(packet_cut(B("\x00\x00"), &p), ERR_INPUT);          /* type 0 */
}

static void connect_is_read_to_its_last_part(void **state) {
	(void)state;
	struct packet p;
	struct packet_connect m;
	assert_int_equal(packet_cut(B(connect_5), &p), ERR_NONE);
	assert_int_equal(packet_connect(&p, &m), ERR_NONE);
	assert_int_equal(m.level, 5);
	assert_true(m.clean_start && m.has_will && m.will_retain && m.will_qos == 0);
	assert_int_equal(m.keepalive_s, 30);
	assert_int_equal(m.session_expiry_s, 60);
	assert_true(span_eq(m.client_id, SPAN_LIT("front")) && span_eq(m.username, SPAN_LIT("front")));
	assert_true(span_eq(m.will_topic, SPAN_LIT("w/top")) &&
				span_eq(m.will_payload, SPAN_LIT("off")));
	assert_true(span_eq(m.password, SPAN_LIT("key")));
}

static void every_shorter_or_longer_connect_is_refused(void **state) {
	(void)state;
	struct packet p;
	struct packet_connect m;
	assert_int_equal(packet_cut(B(connect_5), &p), ERR_NONE);
	for (size_t n = 0; n < p.body.len; n++) {
		struct packet cut = p;
		cut.body.len = n;
		assert_int_equal(packet_connect(&cut, &m), ERR_INPUT);
	}
	p.body.len++; /* the zero that ends the literal */
	assert_int_equal(packet_connect(&p, &m), ERR_INPUT);
	p.body = B("\0\6MQIsdp\3\2\0\x1e\0\1a");
	assert_int_equal(packet_connect(&p, &m), ERR_VERSION);
	assert_int_equal(m.level, 3);
}

static void publish_tells_expiry_from_every_other_property(void **state) {
	(void)state;
	struct packet p = {.type = PACKET_PUBLISH, .flags = 3, .body = B("\0\1t\0\7\5\2\0\0\0\x3cX")};
	struct packet_publish m;
	assert_int_equal(packet_publish(&p, true, &m), ERR_NONE);
	assert_true(m.qos == 1 && m.retain && m.mid == 7 && m.has_expiry && m.expiry_s == 60);
	assert_int_equal(m.other_property, 0);
	assert_true(span_eq(m.payload, SPAN_LIT("X")));
	p.body = B("\0\1t\0\7\x0c\2\0\0\0\x3c\x26\0\1k\0\1vX");
	assert_int_equal(packet_publish(&p, true, &m), ERR_NONE);
	assert_int_equal(m.other_property, 0x26);
	p.body = B("\0\1t\0\7\x0a\2\0\0\0\x3c\2\0\0\0\x3cX"); /* an expiry twice is one too many */
	assert_int_equal(packet_publish(&p, true, &m), ERR_NONE);
	assert_int_equal(m.other_property, 2);
	p.body = B("\0\1t\0\7\2\x7f\0"); /* no such property */
	assert_int_equal(packet_publish(&p, true, &m), ERR_INPUT);
	p.body = B("\0\1t\0\7X");
	assert_int_equal(packet_publish(&p, false, &m), ERR_NONE);
	assert_true(span_eq(m.payload, SPAN_LIT("X")));
	p.body = B("\0\1t\0\0\0X"); /* 2.2.1: no packet id 0 */
	assert_int_equal(packet_publish(&p, true, &m), ERR_INPUT);
	p.flags = 6;
	assert_int_equal(packet_publish(&p, true, &m), ERR_INPUT);
}

static void subscriptions_and_their_codes_are_read(void **state) {
	(void)state;
	struct packet p = {.type = PACKET_SUBSCRIBE, .flags = 2, .body = B("\0\3\0\0\1a\0\0\3b/#\1")};
	struct packet_subscribe m;
	struct packet_suback a;
	struct span filter;
	uint8_t options;
	assert_int_equal(packet_subscribe(&p, true, &m), ERR_NONE);
	assert_int_equal(m.mid, 3);
	assert_true(packet_filter(&m.filters, &filter, &options) && span_eq(filter, SPAN_LIT("a")));
	assert_true(packet_filter(&m.filters, &filter, &options) && span_eq(filter, SPAN_LIT("b/#")));
	assert_int_equal(options, 1);
	assert_false(packet_filter(&m.filters, &filter, &options));
	p.body = B("\0\3\0\0\1a");
	assert_int_equal(packet_subscribe(&p, true, &m), ERR_INPUT);
	p.body = B("\0\3\0"); /* nothing asked for */
	assert_int_equal(packet_subscribe(&p, true, &m), ERR_INPUT);
	p = (struct packet){.type = PACKET_SUBACK, .body = B("\0\3\0\0\x87")};
	assert_int_equal(packet_suback(&p, true, &a), ERR_NONE);
	assert_int_equal(a.codes.len, 2);
	assert_int_equal(a.codes.ptr[1], 0x87);
}

static void acks_have_a_code_where_one_is_sent(void **state) {
	(void)state;
	struct packet_ack a;
	struct packet p = {.type = PACKET_PUBACK, .body = B("\0\7")};
	assert_int_equal(packet_ack(&p, true, &a), ERR_NONE);
	assert_true(a.mid == 7 && a.code == 0);
	p.body = B("\0\7\x87");
	assert_int_equal(packet_ack(&p, true, &a), ERR_NONE);
	assert_int_equal(a.code, 0x87);
	assert_int_equal(packet_ack(&p, false, &a), ERR_INPUT); /* 3.1.1 has none */
	p = (struct packet){.type = PACKET_CONNACK, .body = B("\1\x87\0")};
	assert_int_equal(packet_ack(&p, true, &a), ERR_NONE);
	assert_int_equal(a.code, 0x87);
	p = (struct packet){.type = PACKET_DISCONNECT};
	assert_int_equal(packet_ack(&p, true, &a), ERR_NONE);
	p.body = B("\4");
	assert_int_equal(packet_ack(&p, true, &a), ERR_NONE);
	assert_int_equal(a.code, 4);
}

static void ours_are_read_back(void **state) {
	(void)state;
	struct buf b;
	struct packet p;
	struct packet_connect c;
	struct packet_publish m;
	struct packet_ack a;
	uint8_t big[300] = {0};
	for (int v5 = 0; v5 < 2; v5++) {
		buf_init(&b, 4096);
		packet_put_publish(&b, v5, SPAN_LIT("a/b"), span_of(big, sizeof(big)));
		assert_int_equal(packet_cut(buf_view(&b), &p), ERR_NONE);
		assert_int_equal(p.whole.len, b.len);
		assert_int_equal(packet_publish(&p, v5, &m), ERR_NONE);
		assert_true(m.payload.len == sizeof(big) && m.qos == 0 && m.other_property == 0);
		buf_reset(&b);
		packet_put_ack(&b, PACKET_PUBACK, v5, 513, 0x87);
		assert_int_equal(packet_cut(buf_view(&b), &p), ERR_NONE);
		assert_int_equal(packet_ack(&p, v5, &a), ERR_NONE);
		assert_true(a.mid == 513 && a.code == (v5 ? 0x87 : 0));
		buf_fini(&b);
	}
	buf_init(&b, 4096);
	packet_put_connect(&b, SPAN_LIT("id"), SPAN_LIT("name"), SPAN_LIT("key"));
	assert_int_equal(packet_cut(buf_view(&b), &p), ERR_NONE);
	assert_int_equal(packet_connect(&p, &c), ERR_NONE);
	assert_true(c.clean_start && !c.has_will && span_eq(c.password, SPAN_LIT("key")));
	buf_fini(&b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_is_cut_only_when_it_is_whole),
		cmocka_unit_test(length_ends_after_four_bytes_and_below_the_limit),
		cmocka_unit_test(connect_is_read_to_its_last_part),
		cmocka_unit_test(every_shorter_or_longer_connect_is_refused),
		cmocka_unit_test(publish_tells_expiry_from_every_other_property),
		cmocka_unit_test(subscriptions_and_their_codes_are_read),
		cmocka_unit_test(acks_have_a_code_where_one_is_sent),
		cmocka_unit_test(ours_are_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
