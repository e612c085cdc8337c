/* The reader of MQTT packets under arbitrary bytes. Input: one byte (bit 0: MQTT 5), then a stream.
 * Properties: what is cut lies inside the stream and each cut makes progress; every span of a reader
 * lies inside its packet; what we write ourselves is read back. */
#include "clients/conform/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static void inside(const struct packet *p, struct span s) {
	if (s.len == 0) return;
	must(s.ptr >= p->body.ptr && s.len <= p->body.len &&
		 (size_t)(s.ptr - p->body.ptr) <= p->body.len - s.len);
}

static void check_connect(const struct packet *p) {
	struct packet_connect m;
	if (packet_connect(p, &m) != ERR_NONE) return;
	must(m.level == 4 || m.level == 5);
	must(m.will_qos < 3 && (m.has_will || m.will_topic.len == 0));
	inside(p, m.client_id);
	inside(p, m.username);
	inside(p, m.password);
	inside(p, m.will_topic);
	inside(p, m.will_payload);
}

static void check_publish(const struct packet *p, bool v5) {
	struct packet_publish m, again;
	struct packet back;
	struct buf b;
	if (packet_publish(p, v5, &m) != ERR_NONE) return;
	inside(p, m.topic);
	inside(p, m.payload);
	must(m.qos < 3 && (m.qos > 0) == (m.mid > 0));
	must(v5 || (!m.has_expiry && m.other_property == 0));
	buf_init(&b, 2 * PACKET_BYTES_MAX);
	packet_put_publish(&b, v5, m.topic, m.payload);
	must(buf_error(&b) == ERR_NONE && packet_cut(buf_view(&b), &back) == ERR_NONE);
	must(packet_publish(&back, v5, &again) == ERR_NONE && again.qos == 0);
	must(span_eq(again.topic, m.topic) && span_eq(again.payload, m.payload));
	buf_fini(&b);
}

static void check_subscribe(const struct packet *p, bool v5) {
	struct packet_subscribe m;
	struct span filter;
	uint8_t options;
	size_t count = 0;
	if (packet_subscribe(p, v5, &m) != ERR_NONE) return;
	for (; packet_filter(&m.filters, &filter, &options); count++) inside(p, filter);
	must(count > 0 && m.filters.len == 0);
}

static void check(const struct packet *p, bool v5) {
	struct packet_ack ack;
	struct packet_suback suback;
	check_connect(p);
	check_publish(p, v5);
	check_subscribe(p, v5);
	if (packet_ack(p, v5, &ack) == ERR_NONE && p->type == PACKET_DISCONNECT) must(ack.mid == 0);
	if (packet_suback(p, v5, &suback) == ERR_NONE) inside(p, suback.codes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct span rest = span_drop(span_of(data, size), 1);
	struct packet p;
	if (size == 0) return 0;
	while (packet_cut(rest, &p) == ERR_NONE) {
		must(p.type > 0 && p.whole.ptr == rest.ptr && p.whole.len >= 2);
		must(p.whole.len <= rest.len && p.whole.len <= PACKET_BYTES_MAX);
		check(&p, data[0] & 1);
		rest = span_drop(rest, p.whole.len);
	}
	return 0;
}
