/* The start and the end of a connection: CONNECT, subscriptions, status words, DISCONNECT. */
#include "clients/conform/rules_impl.h"

/* Bytes of the device inside a sentence: the length for "%.*s", cut at what a sentence takes. */
static int shown(struct span s) {
	return s.len < 80 ? (int)s.len : 80;
}
#define SHOW(s) shown(s), (s).len ? (const char *)(s).ptr : ""

static struct span own_status(const struct rules *r, struct buf *b) {
	struct topic t = {.kind = TOPIC_DEVICE_STATUS, .device = span_str(r->device)};
	topic_build(&t, b);
	return buf_view(b);
}

static void check_will(struct rules *r, const struct packet_connect *m) {
	static const char limit[] = "`offline` to the device's own status, QoS 0, retained";
	struct buf name;
	buf_init(&name, TOPIC_BYTES_MAX);
	bool own = span_eq(m->will_topic, own_status(r, &name));
	buf_fini(&name);
	if (!m->has_will)
		checks_fail(r->checks, CHECK_WILL, limit, "no will");
	else if (!own)
		checks_fail(r->checks, CHECK_WILL, limit, "a will to %.*s", SHOW(m->will_topic));
	else if (!span_eq(m->will_payload, SPAN_LIT("offline")))
		checks_fail(r->checks, CHECK_WILL, limit, "a will that says \"%.*s\"",
					SHOW(m->will_payload));
	else if (m->will_qos > 0 || !m->will_retain)
		checks_fail(r->checks, CHECK_WILL, limit, "a will at QoS %u, %s", m->will_qos,
					m->will_retain ? "retained" : "not retained");
	else
		checks_ok(r->checks, CHECK_WILL);
}

static void check_names(struct rules *r, struct rules_conn *c, const struct packet_connect *m) {
	struct span name = span_str(r->device);
	c->own_id = span_eq(m->client_id, name) ||
				(span_starts(m->client_id, name) && m->client_id.ptr[name.len] == '.');
	if (!m->has_username || !span_eq(m->username, name))
		checks_fail(r->checks, CHECK_USERNAME, "the device's username", "username \"%.*s\"",
					SHOW(m->username));
	else if (!m->has_password || m->password.len == 0)
		checks_fail(r->checks, CHECK_USERNAME, "the token as MQTT password", "no password");
	else
		checks_ok(r->checks, CHECK_USERNAME);
	if (c->own_id) checks_ok(r->checks, CHECK_CLIENT_ID); /* another's: the broker's answer tells */
}

void rules_connect(struct rules *r, struct rules_conn *c, const struct packet *p) {
	struct packet_connect m;
	enum err e = packet_connect(p, &m);
	if (e == ERR_VERSION) {
		checks_fail(r->checks, CHECK_PACKETS, "MQTT 5 or 3.1.1", "protocol level %u", m.level);
		return;
	}
	if (e != ERR_NONE) {
		rules_unreadable(r, "a CONNECT");
		return;
	}
	c->v5 = m.level == 5;
	checks_ok(r->checks, CHECK_PACKETS);
	check_names(r, c, &m);
	check_will(r, &m);
	if (!m.clean_start || m.session_expiry_s > 0)
		checks_fail(r->checks, CHECK_CLEAN_START, "clean start, session expiry 0",
					"%sclean start, session expiry %u s", m.clean_start ? "" : "no ",
					m.session_expiry_s);
	else
		checks_ok(r->checks, CHECK_CLEAN_START);
	if (m.keepalive_s == 0)
		checks_fail(r->checks, CHECK_KEEP_ALIVE, "30 s, and never off",
					"keep-alive 0, which is off");
	else
		checks_ok(r->checks, CHECK_KEEP_ALIVE);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

/* Which of the topics that a device has to read the filter brings. */
static unsigned brought_by(const struct rules *r, struct span filter) {
	static const enum topic_kind kinds[] = {TOPIC_DEVICE_ACK, TOPIC_DEVICE_PULL, TOPIC_USER_DENIED};
	unsigned found = 0;
	if (!topic_filter_is_valid(filter)) return 0;
	for (unsigned i = 0; i < 3; i++) {
		struct buf name;
		bool user = kinds[i] == TOPIC_USER_DENIED;
		struct topic t = {.kind = kinds[i],
						  .device = span_str(r->device),
						  .clip = SPAN_LIT("01890a5d-0000-7000-8000-00000000002a"),
						  .username = user ? span_str(r->device) : SPAN_LIT(PULLS_ASKER)};
		buf_init(&name, TOPIC_BYTES_MAX);
		topic_build(&t, &name);
		if (topic_matches(filter, buf_view(&name))) found |= 1U << i;
		buf_fini(&name);
	}
	return found;
}

void rules_subscribe(struct rules *r, struct rules_conn *c, const struct packet *p) {
	struct packet_subscribe m;
	struct span filter;
	uint8_t options;
	unsigned all = 0, shift = 0;
	if (packet_subscribe(p, c->v5, &m) != ERR_NONE) {
		rules_unreadable(r, "a SUBSCRIBE");
		return;
	}
	for (; shift < 30 && packet_filter(&m.filters, &filter, &options); shift += 3)
		all |= brought_by(r, filter) << shift; /* three bits a filter, for its code */
	for (size_t i = 0; i < RULES_SUBSCRIBES_MAX; i++) {
		if (c->asked[i].mid != 0) continue;
		c->asked[i].mid = m.mid;
		c->asked[i].filters = all;
		return;
	}
}

void rules_suback(struct rules *r, struct rules_conn *c, const struct packet *p) {
	struct packet_suback m;
	unsigned filters = 0;
	if (packet_suback(p, c->v5, &m) != ERR_NONE) return;
	for (size_t i = 0; i < RULES_SUBSCRIBES_MAX; i++) {
		if (c->asked[i].mid != m.mid || m.mid == 0) continue;
		filters = c->asked[i].filters;
		c->asked[i].mid = 0;
	}
	for (size_t i = 0; i < m.codes.len; i++, filters >>= 3) {
		if (m.codes.ptr[i] < 0x80)
			c->filters |= filters & RULES_FILTERS;
		else
			checks_fail(r->checks, CHECK_SUBSCRIPTIONS, "filters inside the device's own subtree",
						"the broker refused filter %zu of a SUBSCRIBE with 0x%02x", i + 1,
						m.codes.ptr[i]);
	}
	if (c->filters == RULES_FILTERS) checks_ok(r->checks, CHECK_SUBSCRIPTIONS);
}

void rules_judge_start(struct rules *r, const struct rules_conn *c) {
	if (c->filters != RULES_FILTERS)
		checks_fail(r->checks, CHECK_SUBSCRIPTIONS, "all three, after each CONNACK",
					"connection %u: no subscription to%s%s%s", c->number,
					c->filters & RULES_ACK ? "" : " ack", c->filters & RULES_PULL ? "" : " pull/#",
					c->filters & RULES_DENIED ? "" : " denied");
	if (!c->status_said)
		checks_fail(r->checks, CHECK_STATUS, "online or sleeping, after each CONNACK",
					"connection %u: no status", c->number);
}

/* --- words ------------------------------------------------------------------------------------ */

bool rules_status(struct rules *r, struct rules_conn *c, struct span word) {
	c->offline_said = span_eq(word, SPAN_LIT("offline"));
	if (c->offline_said || span_eq(word, SPAN_LIT("online")) ||
		span_eq(word, SPAN_LIT("sleeping"))) {
		checks_ok(r->checks, CHECK_STATUS_WORD);
		if (!c->offline_said) {
			c->status_said = true;
			checks_ok(r->checks, CHECK_STATUS);
		}
		return true;
	}
	c->status_said = true; /* one failure for one mistake */
	checks_fail(r->checks, CHECK_STATUS_WORD, "online, sleeping or offline", "status \"%.*s\"",
				SHOW(word));
	return false;
}

void rules_disconnect(struct rules *r, struct rules_conn *c, const struct packet *p) {
	struct packet_ack m;
	if (packet_ack(p, c->v5, &m) != ERR_NONE) {
		rules_unreadable(r, "a DISCONNECT");
		return;
	}
	c->goodbye = true;
	if (m.code != 0) return; /* 3.14.2.1: the will is sent */
	if (c->offline_said)
		checks_ok(r->checks, CHECK_GOODBYE);
	else
		checks_fail(r->checks, CHECK_GOODBYE, "status offline, then DISCONNECT",
					"connection %u: DISCONNECT without it", c->number);
}
