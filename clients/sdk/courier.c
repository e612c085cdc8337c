/* See courier.h. Every rule about resending and settling is in this file. */
#include "clients/sdk/courier.h"

void courier_init(struct courier *c, struct spool *s) {
	*c = (struct courier){.spool = s};
}

static int64_t wait_for_ack_ms(uint32_t tries) {
	int64_t ms = COURIER_ACK_MS;
	for (uint32_t i = 1; i < tries && ms < COURIER_ACK_MAX_MS; i++) ms *= 2;
	return ms < COURIER_ACK_MAX_MS ? ms : COURIER_ACK_MAX_MS;
}

static bool is_acked(const struct courier *c, const struct spool_entry *e) {
	return e->tries > 0 && e->seq <= c->acked_seq; /* never one that the broker cannot have seen */
}

static bool may_send(const struct courier *c, const struct spool_entry *e, bool is_first_clip,
					 struct moment now) {
	if (e->due_boot_ms > now.boot_ms || spool_is_stale(e, now) || is_acked(c, e)) return false;
	return e->kind != VESTIBULE_CLIP || is_first_clip;
}

static uint32_t life_left_s(const struct spool_entry *e, struct moment now) {
	if (e->kind != VESTIBULE_RING) return 0;
	int64_t left = VESTIBULE_RING_LIFE_MS - spool_age_ms(e, now);
	if (left > VESTIBULE_RING_LIFE_MS) left = VESTIBULE_RING_LIFE_MS; /* now is older than it */
	return left > 1000 ? (uint32_t)((left + 999) / 1000) : 1;
}

static bool take(struct courier *c, size_t i, struct moment now, struct courier_item *item,
				 struct buf *out) {
	struct spool_entry *e = spool_at(c->spool, i);
	struct message_head head;
	enum err err = spool_read(c->spool, i, out, &head);
	if (err == ERR_INPUT) {
		c->corrupt_seq = e->seq; /* courier_settle tells and sets it aside */
		return false;
	}
	if (err != ERR_NONE) {
		e->due_boot_ms = now.boot_ms + COURIER_DISK_MS;
		return false;
	}
	e->held = true;
	e->tries++;
	c->sent++;
	c->out_seq = e->seq;
	c->denied = c->waits_denial = false;
	c->reason[0] = c->sentence[0] = '\0';
	memcpy(c->event_id, head.event_id, sizeof c->event_id);
	*item = (struct courier_item){.kind = e->kind, .seq = e->seq, .life_s = life_left_s(e, now)};
	return true;
}

bool courier_next(struct courier *c, struct moment now, struct courier_item *item,
				  struct buf *out) {
	bool clip_before = false;
	if (c->out_seq != 0 || c->corrupt_seq != 0) return false;
	for (size_t i = 0; i < spool_count(c->spool); i++) {
		const struct spool_entry *e = spool_at(c->spool, i);
		if (may_send(c, e, !clip_before, now)) return take(c, i, now, item, out);
		if (e->kind == VESTIBULE_CLIP) clip_before = true;
	}
	return false;
}

void courier_sent(struct courier *c, uint64_t seq, int code, struct moment now) {
	if (seq == 0 || seq != c->out_seq || c->waits_denial) return;
	struct spool_entry *e = spool_at(c->spool, spool_find(c->spool, seq));
	if (!e) return;
	if (code == COURIER_REFUSED) {
		c->waits_denial = true;
		c->denial_until_boot_ms = now.boot_ms + COURIER_DENIAL_MS;
		return;
	}
	c->out_seq = 0;
	e->held = false;
	if (code == COURIER_LOST)
		e->due_boot_ms = now.boot_ms + 1000;
	else if (code >= 0x80 ||
			 e->kind == VESTIBULE_CLIP) /* not now, or arrived and not yet recorded */
		e->due_boot_ms = now.boot_ms + wait_for_ack_ms(e->tries);
	else
		e->due_boot_ms = INT64_MAX; /* arrived: courier_settle takes it */
}

void courier_offline(struct courier *c) {
	for (size_t i = 0; i < spool_count(c->spool); i++) {
		struct spool_entry *e = spool_at(c->spool, i);
		if (c->waits_denial && e->seq == c->out_seq) continue; /* the refusal stands */
		e->held = false;
		if (e->due_boot_ms != INT64_MAX) e->due_boot_ms = 0;
	}
	if (!c->waits_denial) c->out_seq = 0;
}

void courier_ack(struct courier *c, uint64_t seq) {
	if (seq > c->acked_seq) c->acked_seq = seq;
}

/* Text from the broker for a person or a log: cut to fit. */
static void copy_cut(struct span s, char *out, size_t size) {
	size_t n = s.len < size ? s.len : size - 1;
	if (n) memcpy(out, s.ptr, n);
	out[n] = '\0';
}

bool courier_denied(struct courier *c, struct span event_id, struct span reason,
					struct span sentence) {
	if (c->out_seq == 0 || !span_eq(event_id, span_of(c->event_id, sizeof c->event_id)))
		return false;
	c->denied = true;
	copy_cut(reason, c->reason, sizeof c->reason);
	copy_cut(sentence, c->sentence, sizeof c->sentence);
	return true;
}

static void read_id(struct courier *c, size_t i, uint8_t id[UUID_BYTES]) {
	struct message_head head;
	struct buf bytes;
	buf_init(&bytes, message_bytes_max());
	if (spool_read(c->spool, i, &bytes, &head) == ERR_NONE) memcpy(id, head.event_id, UUID_BYTES);
	buf_fini(&bytes);
}

/* Does entry e end now, and how? */
static bool outcome_of(const struct courier *c, const struct spool_entry *e, struct moment now,
					   enum vestibule_outcome *how) {
	bool is_out = e->seq == c->out_seq;
	if (e->seq == c->corrupt_seq) {
		*how = VESTIBULE_CORRUPT;
	} else if (is_out && c->waits_denial) {
		if (!c->denied && now.boot_ms < c->denial_until_boot_ms) return false;
		*how = VESTIBULE_REFUSED;
	} else if (is_acked(c, e)) {
		*how = VESTIBULE_RECORDED;
	} else if (e->due_boot_ms == INT64_MAX) {
		*how = VESTIBULE_ARRIVED;
	} else if (!is_out && spool_is_stale(e, now)) {
		*how = VESTIBULE_STALE;
	} else {
		return false;
	}
	return true;
}

bool courier_settle(struct courier *c, struct moment now, struct courier_settled *out) {
	enum vestibule_outcome how;
	for (size_t i = 0; i < spool_count(c->spool); i++) {
		const struct spool_entry *e = spool_at(c->spool, i);
		if (!outcome_of(c, e, now, &how)) continue;
		*out = (struct courier_settled){.kind = e->kind, .outcome = how, .seq = e->seq};
		if (how == VESTIBULE_REFUSED) {
			copy_cut(c->denied ? span_str(c->reason) : SPAN_LIT("not_given"), out->reason,
					 sizeof out->reason);
			copy_cut(c->denied ? span_str(c->sentence) : SPAN_LIT("the broker gave no reason"),
					 out->sentence, sizeof out->sentence);
		}
		if (how != VESTIBULE_CORRUPT) read_id(c, i, out->event_id);
		if (e->seq == c->out_seq) {
			c->out_seq = 0;
			c->waits_denial = false;
		}
		if (how == VESTIBULE_CORRUPT) {
			c->corrupt_seq = 0;
			spool_set_aside(c->spool, i);
		} else {
			spool_remove(c->spool, i);
		}
		return true;
	}
	return false;
}

static int64_t earlier(int64_t a, int64_t b) {
	return a < b ? a : b;
}

int64_t courier_due_ms(const struct courier *c, bool online, struct moment now) {
	int64_t due = c->waits_denial ? c->denial_until_boot_ms : INT64_MAX;
	bool clip_before = false;
	if (c->corrupt_seq != 0) return now.boot_ms;
	for (size_t i = 0; i < spool_count(c->spool); i++) {
		const struct spool_entry *e = spool_at(c->spool, i);
		bool may_go = online && c->out_seq == 0 && !(e->kind == VESTIBULE_CLIP && clip_before);
		if (e->kind == VESTIBULE_CLIP) clip_before = true;
		if (e->seq == c->out_seq) continue;
		if (may_go) due = earlier(due, e->due_boot_ms);
		if (e->kind != VESTIBULE_RING) continue;
		int64_t age = spool_age_ms(e, now);
		due = earlier(due, age < VESTIBULE_RING_LIFE_MS ? now.boot_ms + VESTIBULE_RING_LIFE_MS - age
														: now.boot_ms);
	}
	return due;
}
