/* See ledger.h. A few dozen events in a run: looked through, not indexed. */
#include "clients/conform/ledger.h"

static size_t held(const struct ledger *l) {
	return l->count < LEDGER_EVENTS_MAX ? l->count : LEDGER_EVENTS_MAX;
}

struct ledger_event *ledger_find(struct ledger *l, const uint8_t event_id[UUID_BYTES]) {
	for (size_t i = 0; i < held(l); i++)
		if (memcmp(l->all[i].said.event_id, event_id, UUID_BYTES) == 0) return &l->all[i];
	return NULL;
}

struct ledger_event *ledger_add(struct ledger *l, const struct said *said) {
	struct ledger_event *e = &l->all[l->count++ % LEDGER_EVENTS_MAX];
	*e = (struct ledger_event){.said = *said};
	if (said->seq > l->high_seq) l->high_seq = said->seq;
	return e;
}

struct ledger_event *ledger_last(struct ledger *l, enum codec_kind kind) {
	for (size_t n = 1; n <= held(l); n++) {
		struct ledger_event *e = &l->all[(l->count - n) % LEDGER_EVENTS_MAX];
		if (e->said.kind == kind) return e;
	}
	return NULL;
}

struct ledger_event *ledger_since(struct ledger *l, enum codec_kind kind, size_t from) {
	if (l->count - from > held(l)) from = l->count - held(l);
	for (size_t i = from; i < l->count; i++) {
		struct ledger_event *e = &l->all[i % LEDGER_EVENTS_MAX];
		if (e->said.kind == kind) return e;
	}
	return NULL;
}

void ledger_ack(struct ledger *l, uint64_t seq, int64_t now_ms) {
	for (size_t i = 0; i < held(l); i++) {
		struct ledger_event *e = &l->all[i];
		if (e->said.kind == CODEC_CLIP_READY && e->said.seq <= seq && e->ack_ms == 0)
			e->ack_ms = now_ms;
	}
}
