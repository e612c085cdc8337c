/* Every event that the device sent, by its event_id, and how far each has come. Bounded: the oldest
 * make room. Memory alone; what is right is rules.h. One thread. */
#ifndef CONFORM_LEDGER_H
#define CONFORM_LEDGER_H

#include "clients/conform/said.h"

enum { LEDGER_EVENTS_MAX = 256, LEDGER_DIGEST = 32 };

struct ledger_event {
	struct said said;
	uint8_t digest[LEDGER_DIGEST]; /* SHA-256 of the payload as it was sent first */
	uint8_t qos;
	unsigned sent;             /* how often */
	unsigned on, first_on;     /* numbers of the last and the first connection it was sent on */
	unsigned on_count;         /* how often on that connection */
	int64_t puback_ms, ack_ms; /* when the device was told; boot time, 0: not yet */
	bool refused;              /* PUBACK 0x87 or a Denial, the broker's or ours */
	bool refused_by_us;
};

struct ledger {
	struct ledger_event all[LEDGER_EVENTS_MAX];
	size_t count; /* of all time; all[i % LEDGER_EVENTS_MAX] */
	uint64_t high_seq;
};

struct ledger_event *ledger_find(struct ledger *l, const uint8_t event_id[UUID_BYTES]);
struct ledger_event *ledger_add(struct ledger *l, const struct said *said); /* never NULL */
struct ledger_event *ledger_last(struct ledger *l, enum codec_kind kind);   /* NULL: none */
/* The first of that kind since count was `from`. NULL: none. */
struct ledger_event *ledger_since(struct ledger *l, enum codec_kind kind, size_t from);
void ledger_ack(struct ledger *l, uint64_t seq, int64_t now_ms); /* a DeviceAck was handed on */

#endif
