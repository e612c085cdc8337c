/* Rings, motions and clip-ready: bytes, numbers, order, and what is sent again. */
#include <openssl/evp.h>

#include "clients/conform/rules_impl.h"

enum { MOMENT_MS = 2000 /* what crossed a DeviceAck on its way is no repeat */ };

static enum codec_kind codec_of(enum topic_kind kind) {
	if (kind == TOPIC_DEVICE_RING) return CODEC_RING;
	return kind == TOPIC_DEVICE_MOTION ? CODEC_MOTION : CODEC_CLIP_READY;
}

static const char *word_of(enum codec_kind kind) {
	if (kind == CODEC_RING) return "ring";
	return kind == CODEC_MOTION ? "motion" : "clip-ready";
}

#define NUMBER(n) (unsigned long long)(n)

/* --- form ------------------------------------------------------------------------------------- */

static bool read_event(struct rules *r, const struct packet_publish *m, enum codec_kind kind,
					   struct said *said) {
	struct codec_fault why = {{0}, {0}};
	char limit[64];
	size_t max = said_bytes_max(kind, m->payload);
	if (m->payload.len > max) {
		(void)snprintf(limit, sizeof(limit), "%zu bytes", max); /* fits */
		checks_fail(r->checks, CHECK_SIZE, limit, "a %s of %zu bytes", word_of(kind),
					m->payload.len);
		return false;
	}
	checks_ok(r->checks, CHECK_SIZE);
	if (said_read(r->codec, kind, m->payload, said, &why) != ERR_NONE) {
		checks_fail(r->checks, CHECK_PAYLOAD, why.limit, "field %s of a %s is wrong",
					why.field[0] ? why.field : "(the whole message)", word_of(kind));
		return false;
	}
	checks_ok(r->checks, CHECK_PAYLOAD);
	return true;
}

static void check_expiry(struct rules *r, const struct rules_conn *c,
						 const struct packet_publish *m) {
	static const char limit[] = "what is left of 60 s";
	if (!c->v5) return;
	if (!m->has_expiry)
		checks_fail(r->checks, CHECK_RING_EXPIRY, limit, "a ring without message expiry");
	else if (m->expiry_s < 1 || m->expiry_s > 60)
		checks_fail(r->checks, CHECK_RING_EXPIRY, limit, "a ring with message expiry %u s",
					m->expiry_s);
	else
		checks_ok(r->checks, CHECK_RING_EXPIRY);
}

/* --- order ------------------------------------------------------------------------------------ */

static const struct rules_wait *waited_for(const struct rules_conn *c) {
	for (size_t i = 0; i < RULES_WAITS_MAX; i++)
		if (c->waits[i].mid != 0) return &c->waits[i];
	return NULL;
}

static bool check_order(struct rules *r, const struct rules_conn *c, const struct said *said,
						bool known, bool here) {
	if (waited_for(c)) {
		checks_fail(r->checks, CHECK_ORDER, "each after the PUBACK of the one before",
					"%s with seq %llu before that PUBACK", word_of(said->kind), NUMBER(said->seq));
		return false;
	}
	if (known && !here && said->seq < c->high_seq) {
		checks_fail(r->checks, CHECK_ORDER, "after a reconnect first what is not done, by seq",
					"%s with seq %llu after seq %llu", word_of(said->kind), NUMBER(said->seq),
					NUMBER(c->high_seq));
		return false;
	}
	if (r->ledger.count > 1) checks_ok(r->checks, CHECK_ORDER);
	return true;
}

/* --- again ------------------------------------------------------------------------------------ */

static void check_clip_again(struct rules *r, const struct rules_conn *c,
							 const struct ledger_event *e, int64_t now_ms) {
	if (e->ack_ms != 0) {
		if (now_ms - e->ack_ms > MOMENT_MS)
			checks_fail(r->checks, CHECK_CLIP_DONE, "not after a DeviceAck with its seq or higher",
						"clip-ready with seq %llu again %lld ms after it", NUMBER(e->said.seq),
						(long long)(now_ms - e->ack_ms));
		return;
	}
	if (e->on != c->number) return; /* clip-kept: whoever cut the connection judges */
	int64_t gap_ms = now_ms - e->puback_ms;
	if (e->puback_ms != 0 && gap_ms < RULES_AGAIN_MS - RULES_AGAIN_EARLY_MS)
		checks_fail(r->checks, CHECK_CLIP_AGAIN, "10 s after the PUBACK, then after twice as long",
					"clip-ready with seq %llu again %lld ms after its PUBACK", NUMBER(e->said.seq),
					(long long)gap_ms);
	else if (e->puback_ms != 0)
		checks_ok(r->checks, CHECK_CLIP_AGAIN);
}

static void check_again(struct rules *r, const struct rules_conn *c, const struct ledger_event *e,
						int64_t now_ms) {
	if (e->refused_by_us)
		checks_fail(r->checks, CHECK_REFUSED, "dropped when the PUBACK says 0x87",
					"%s with seq %llu again", word_of(e->said.kind), NUMBER(e->said.seq));
	else if (e->said.kind == CODEC_CLIP_READY)
		check_clip_again(r, c, e, now_ms);
	else if (e->said.kind == CODEC_RING && e->puback_ms != 0 && !e->refused)
		checks_fail(r->checks, CHECK_RING_DONE, "done at PUBACK", "ring with seq %llu again",
					NUMBER(e->said.seq));
}

/* --- one event -------------------------------------------------------------------------------- */

static void refuse(struct rules *r, const struct rules_conn *c, const struct packet_publish *m,
				   struct ledger_event *e, struct buf *answer) {
	static char malformed[] = "malformed", access[] = "write";
	static char sentence[] = "vestibule-conform refuses this one, to see what the device does.";
	Vestibule__V1__Denial d = VESTIBULE__V1__DENIAL__INIT;
	struct topic t = {.kind = TOPIC_USER_DENIED, .username = span_str(r->device)};
	struct buf name, about, bytes;
	bool json = m->payload.len && m->payload.ptr[0] == '{';
	buf_init(&name, TOPIC_BYTES_MAX);
	buf_init(&about, TOPIC_BYTES_MAX);
	buf_init(&bytes, codec_bytes_max(CODEC_DENIAL));
	topic_build(&t, &name);
	d.at_ms = (uint64_t)clock_read().utc_ms;
	d.reason = malformed;
	d.sentence = sentence;
	d.access = access;
	buf_span(&about, m->topic);
	d.topic = (char *)about.ptr;
	if (!json) d.event_id = (ProtobufCBinaryData){UUID_BYTES, e->said.event_id};
	if (c->filters & RULES_DENIED && codec_encode(&d.base, &bytes) == ERR_NONE)
		packet_put_publish(answer, c->v5, buf_view(&name), buf_view(&bytes));
	if (m->qos > 0)
		packet_put_ack(answer, m->qos == 1 ? PACKET_PUBACK : PACKET_PUBREC, c->v5, m->mid,
					   RULES_REFUSED);
	e->refused = e->refused_by_us = true;
	buf_fini(&bytes);
	buf_fini(&about);
	buf_fini(&name);
}

/* The faults that are waiting for a new event. */
static bool is_to_refuse(struct rules *r, const struct rules_conn *c,
						 const struct ledger_event *e) {
	bool *flag = e->said.kind == CODEC_RING ? &r->faults.refuse_ring : &r->faults.refuse_clip;
	bool wanted = e->said.kind != CODEC_MOTION && *flag && (c->v5 || c->filters & RULES_DENIED);
	if (wanted) *flag = false;
	if (e->said.kind == CODEC_RING && e->qos == 1 && r->faults.hold_puback) {
		r->faults.hold_puback = false;
		r->held_conn = c->number;
		memcpy(r->held_id, e->said.event_id, UUID_BYTES);
	}
	return wanted;
}

static void wait_for_puback(struct rules_conn *c, const struct packet_publish *m,
							enum topic_kind kind, const struct said *said) {
	for (size_t i = 0; i < RULES_WAITS_MAX; i++) {
		if (c->waits[i].mid != 0) continue;
		c->waits[i] = (struct rules_wait){.mid = m->mid, .kind = kind};
		memcpy(c->waits[i].event_id, said->event_id, UUID_BYTES);
		return;
	}
}

static struct ledger_event *enter(struct rules *r, const struct said *said,
								  const uint8_t digest[LEDGER_DIGEST], bool *fine) {
	if (said->seq <= r->ledger.high_seq) {
		checks_fail(r->checks, CHECK_SEQ, "higher than every seq before, across all kinds",
					"%s with seq %llu after seq %llu", word_of(said->kind), NUMBER(said->seq),
					NUMBER(r->ledger.high_seq));
		*fine = false;
	} else if (r->ledger.count > 0) {
		checks_ok(r->checks, CHECK_SEQ);
	}
	checks_ok(r->checks, CHECK_EVENT_ID);
	struct ledger_event *e = ledger_add(&r->ledger, said);
	memcpy(e->digest, digest, LEDGER_DIGEST);
	return e;
}

static void count_sent(struct rules_conn *c, struct ledger_event *e) {
	e->on_count = e->on == c->number ? e->on_count + 1 : 1;
	e->on = c->number;
	if (e->sent++ == 0) e->first_on = c->number;
	if (e->said.seq > c->high_seq) c->high_seq = e->said.seq;
}

bool rules_event(struct rules *r, struct rules_conn *c, struct rules_said *p) {
	const struct packet_publish *m = &p->m;
	struct said said;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool fine = true;
	if (!read_event(r, m, codec_of(p->t.kind), &said)) return false;
	if (EVP_Digest(m->payload.ptr, m->payload.len, digest, &len, EVP_sha256(), NULL) != 1)
		return false;
	if (said.kind == CODEC_RING) check_expiry(r, c, m);
	struct ledger_event *e = ledger_find(&r->ledger, said.event_id);
	bool known = e != NULL;
	if (known && memcmp(e->digest, digest, LEDGER_DIGEST) != 0) {
		checks_fail(r->checks, CHECK_EVENT_ID, "another event has another event_id",
					"%s with seq %llu has the event_id of seq %llu", word_of(said.kind),
					NUMBER(said.seq), NUMBER(e->said.seq));
		e->refused = true; /* by the broker: reused_id; nothing more is expected of it */
		count_sent(c, e);
		return false;
	}
	fine = check_order(r, c, &said, known, known && e->on == c->number);
	if (known)
		check_again(r, c, e, p->now_ms);
	else
		e = enter(r, &said, digest, &fine);
	e->qos = m->qos;
	count_sent(c, e);
	if (is_to_refuse(r, c, e) || e->refused_by_us) {
		p->fate = RULES_SWALLOW;
		refuse(r, c, m, e, p->answer);
	} else if (m->qos > 0) {
		wait_for_puback(c, m, p->t.kind, &said);
	}
	return fine;
}
