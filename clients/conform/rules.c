/* Every packet once: which rule it is for. See rules.h. */
#include "clients/conform/rules_impl.h"

void rules_init(struct rules *r, struct checks *checks, struct codec *codec, struct pulls *pulls,
				const char *device) {
	*r = (struct rules){.checks = checks, .codec = codec, .pulls = pulls, .device = device};
}

void rules_open(struct rules *r, struct rules_conn *c) {
	*c = (struct rules_conn){.number = ++r->conns};
}

void rules_unreadable(struct rules *r, const char *what) {
	checks_fail(r->checks, CHECK_PACKETS, "MQTT 5 or 3.1.1, and at most 270000 bytes",
				"%s that cannot be read", what);
}

/* --- from the device -------------------------------------------------------------------------- */

static int shown(struct span s) {
	return s.len < 120 ? (int)s.len : 120;
}

/* Below the device's own topic, and not what only others write there. */
static bool is_own(const struct rules *r, const struct topic *t) {
	struct span name = span_str(r->device);
	if (t->kind == TOPIC_USER_SYNC) return span_eq(t->username, name);
	return t->owner.len == 0 && span_eq(t->device, name) && t->kind != TOPIC_DEVICE_ACK &&
		   t->kind != TOPIC_DEVICE_PULL;
}

static bool is_event(enum topic_kind kind) {
	return kind == TOPIC_DEVICE_RING || kind == TOPIC_DEVICE_MOTION ||
		   kind == TOPIC_DEVICE_CLIP_READY;
}

static bool check_topic(struct rules *r, struct rules_said *p) {
	bool known = topic_parse(p->m.topic, &p->t) == ERR_NONE;
	if (known && is_own(r, &p->t)) {
		checks_ok(r->checks, CHECK_TOPICS);
		return true;
	}
	checks_fail(r->checks, CHECK_TOPICS,
				"ring, motion, clip-ready, status and chunk below the device's own topic",
				"a publish to %.*s", shown(p->m.topic), (const char *)p->m.topic.ptr);
	return false;
}

static unsigned qos_max(enum topic_kind kind) {
	return kind != TOPIC_DEVICE_MOTION && kind != TOPIC_DEVICE_STATUS && kind != TOPIC_DEVICE_CHUNK;
}

/* What the packet says beside topic and payload. */
static void check_envelope(struct rules *r, struct rules_said *p) {
	const char *name = topic_kind_name(p->t.kind);
	bool wants_retain = p->t.kind == TOPIC_DEVICE_STATUS, fine = true;
	if (p->m.qos > qos_max(p->t.kind)) {
		checks_fail(r->checks, CHECK_QOS, qos_max(p->t.kind) ? "QoS 1" : "QoS 0", "%s at QoS %u",
					name, p->m.qos);
		fine = false;
	} else {
		checks_ok(r->checks, CHECK_QOS);
	}
	if (p->m.retain != wants_retain) {
		checks_fail(r->checks, CHECK_RETAIN, wants_retain ? "retained" : "not retained", "%s %s",
					name, p->m.retain ? "retained" : "not retained");
		fine = false;
	} else {
		checks_ok(r->checks, CHECK_RETAIN);
	}
	if (p->m.other_property != 0) {
		checks_fail(r->checks, CHECK_PROPERTIES, "message expiry (0x02) alone",
					"%s with property 0x%02x", name, p->m.other_property);
		fine = false;
	} else {
		checks_ok(r->checks, CHECK_PROPERTIES);
	}
	p->fine = p->fine && fine;
}

static bool was_pulled(const struct rules *r, const struct topic *t) {
	for (size_t i = 0; i < RULES_PULLS_MAX; i++)
		if (span_eq(span_str(r->pulled[i].clip), t->clip) &&
			span_eq(span_str(r->pulled[i].username), t->username))
			return true;
	return false;
}

static bool check_chunk(struct rules *r, struct rules_said *p) {
	struct codec_fault why = {{0}, {0}};
	ProtobufCMessage *msg;
	bool ours = span_eq(p->t.username, SPAN_LIT(PULLS_ASKER));
	if (ours) p->fate = RULES_SWALLOW; /* the broker knows no such asker */
	if (codec_decode(r->codec, CODEC_CHUNK, p->m.payload, &msg, &why) != ERR_NONE) {
		bool whole = p->m.payload.len > codec_bytes_max(CODEC_CHUNK);
		checks_fail(r->checks, whole ? CHECK_SIZE : CHECK_PAYLOAD, why.limit,
					"a chunk of %zu bytes: %s", p->m.payload.len, why.field);
		return false;
	}
	if (ours) return pulls_take(r->pulls, p->t.clip, (const void *)msg, p->now_ms);
	if (was_pulled(r, &p->t)) {
		checks_ok(r->checks, CHECK_CHUNK_ASKED);
		return true;
	}
	checks_fail(r->checks, CHECK_CHUNK_ASKED, "those whose pull came to the device",
				"a chunk for %.*s, who has not pulled that clip", shown(p->t.username),
				(const char *)p->t.username.ptr);
	return false;
}

static enum rules_fate take_publish(struct rules *r, struct rules_conn *c, const struct packet *p,
									int64_t now_ms, struct buf *answer) {
	struct rules_said pub = {.fine = true, .now_ms = now_ms, .answer = answer};
	if (packet_publish(p, c->v5, &pub.m) != ERR_NONE) {
		rules_unreadable(r, "a PUBLISH");
		return RULES_PASS;
	}
	if (!check_topic(r, &pub)) {
		r->blamed[pub.t.kind] = true;
		return RULES_PASS;
	}
	enum topic_kind kind = pub.t.kind;
	bool right = true;
	check_envelope(r, &pub);
	if (kind == TOPIC_DEVICE_STATUS)
		right = rules_status(r, c, pub.m.payload);
	else if (kind == TOPIC_DEVICE_CHUNK)
		right = check_chunk(r, &pub);
	else if (is_event(kind))
		right = rules_event(r, c, &pub);
	if (kind == TOPIC_DEVICE_CHUNK && pub.fate == RULES_SWALLOW && pub.m.qos == 1)
		packet_put_ack(answer, PACKET_PUBACK, c->v5, pub.m.mid, 0);
	r->blamed[kind] = !pub.fine || !right;
	for (size_t i = 0; i < RULES_WAITS_MAX; i++)
		if (c->waits[i].mid != 0 && c->waits[i].mid == pub.m.mid)
			c->waits[i].blamed = r->blamed[kind];
	return pub.fate;
}

enum rules_fate rules_from_device(struct rules *r, struct rules_conn *c, const struct packet *p,
								  int64_t now_ms, struct buf *answer) {
	switch ((enum packet_type)p->type) {
	case PACKET_CONNECT: rules_connect(r, c, p); break;
	case PACKET_PUBLISH: return take_publish(r, c, p, now_ms, answer);
	case PACKET_SUBSCRIBE: rules_subscribe(r, c, p); break;
	case PACKET_DISCONNECT: rules_disconnect(r, c, p); break;
	default: break; /* acks and pings: the broker minds them */
	}
	return RULES_PASS;
}

/* --- from the broker -------------------------------------------------------------------------- */

static void take_connack(struct rules *r, struct rules_conn *c, const struct packet *p) {
	static const char refused[] = "the broker refused the connection with";
	struct packet_ack m;
	if (packet_ack(p, c->v5, &m) != ERR_NONE) return;
	c->admitted = m.code == 0;
	if (c->admitted) {
		checks_ok(r->checks, CHECK_ADMITTED);
		checks_ok(r->checks, CHECK_CLIENT_ID);
	} else if (!c->own_id) {
		checks_fail(r->checks, CHECK_CLIENT_ID, "the username, or the username, a dot and anything",
					"another client id, and %s 0x%02x", refused, m.code);
	} else {
		checks_fail(r->checks, CHECK_ADMITTED, "CONNACK 0x00", "%s 0x%02x", refused, m.code);
	}
}

static void refused_by_broker(struct rules *r, const struct rules_wait *w, unsigned code) {
	struct ledger_event *e = ledger_find(&r->ledger, w->event_id);
	if (e) e->refused = true;
	if (!w->blamed)
		checks_fail(r->checks, CHECK_ACCEPTED, "PUBACK 0x00 or 0x10",
					"the broker refused a message on %s with 0x%02x", topic_kind_name(w->kind),
					code);
}

static enum rules_fate take_puback(struct rules *r, struct rules_conn *c, const struct packet *p,
								   int64_t now_ms) {
	struct packet_ack m;
	if (packet_ack(p, c->v5, &m) != ERR_NONE || m.mid == 0) return RULES_PASS;
	for (size_t i = 0; i < RULES_WAITS_MAX; i++) {
		struct rules_wait *w = &c->waits[i];
		if (w->mid != m.mid) continue;
		if (r->held_conn == c->number && memcmp(w->event_id, r->held_id, UUID_BYTES) == 0)
			return RULES_SWALLOW;
		struct ledger_event *e = ledger_find(&r->ledger, w->event_id);
		if (e && e->puback_ms == 0) e->puback_ms = now_ms;
		if (e && e->said.kind == CODEC_CLIP_READY) e->puback_ms = now_ms; /* of the last sending */
		if (m.code >= 0x80)
			refused_by_broker(r, w, m.code);
		else
			checks_ok(r->checks, CHECK_ACCEPTED);
		w->mid = 0;
		return RULES_PASS;
	}
	return RULES_PASS;
}

static void take_denial(struct rules *r, struct span payload) {
	struct codec_fault why;
	ProtobufCMessage *msg;
	struct topic t;
	if (codec_decode_routed(r->codec, CODEC_DENIAL, payload, &msg, &why) != ERR_NONE) return;
	const Vestibule__V1__Denial *d = (const void *)msg;
	struct ledger_event *e =
		d->event_id.len == UUID_BYTES ? ledger_find(&r->ledger, d->event_id.data) : NULL;
	if (!span_eq(span_str(d->access), SPAN_LIT("write"))) return; /* SUBACK tells of filters */
	if (span_eq(span_str(d->reason), SPAN_LIT("will"))) return;   /* CONNECT told */
	if (topic_parse(span_str(d->topic), &t) == ERR_NONE && r->blamed[t.kind]) return;
	if (e) e->refused = true;
	checks_fail(r->checks, CHECK_ACCEPTED,
				d->limit && d->limit[0] ? d->limit : "nothing is refused", "a Denial: %s; %s %s",
				d->reason, d->sentence ? d->sentence : "", d->field ? d->field : "");
}

static void remember_pull(struct rules *r, const struct topic *t) {
	size_t at = r->pulled_count++ % RULES_PULLS_MAX;
	if (!span_copy(t->clip, r->pulled[at].clip, sizeof(r->pulled[at].clip)) ||
		!span_copy(t->username, r->pulled[at].username, sizeof(r->pulled[at].username)))
		r->pulled[at].clip[0] = '\0';
}

static enum rules_fate take_routed(struct rules *r, const struct rules_conn *c,
								   const struct packet *p, int64_t now_ms) {
	struct packet_publish m;
	struct topic t;
	struct codec_fault why;
	ProtobufCMessage *msg;
	if (packet_publish(p, c->v5, &m) != ERR_NONE || topic_parse(m.topic, &t) != ERR_NONE)
		return RULES_PASS;
	if (t.kind == TOPIC_DEVICE_PULL) remember_pull(r, &t);
	if (t.kind == TOPIC_USER_DENIED) take_denial(r, m.payload);
	if (t.kind != TOPIC_DEVICE_ACK) return RULES_PASS;
	if (r->faults.hold_acks) return RULES_SWALLOW;
	if (codec_decode_routed(r->codec, CODEC_DEVICE_ACK, m.payload, &msg, &why) == ERR_NONE)
		ledger_ack(&r->ledger, ((const Vestibule__V1__DeviceAck *)(const void *)msg)->seq, now_ms);
	return RULES_PASS;
}

enum rules_fate rules_from_broker(struct rules *r, struct rules_conn *c, const struct packet *p,
								  int64_t now_ms) {
	switch ((enum packet_type)p->type) {
	case PACKET_CONNACK: take_connack(r, c, p); break;
	case PACKET_SUBACK: rules_suback(r, c, p); break;
	case PACKET_PUBACK:
	case PACKET_PUBREC: return take_puback(r, c, p, now_ms);
	case PACKET_PUBLISH: return take_routed(r, c, p, now_ms);
	default: break;
	}
	return RULES_PASS;
}
