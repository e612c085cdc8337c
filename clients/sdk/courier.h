/* Which event is sent next, and when an event is settled: pure decisions over the spool, time as an
 * argument.
 *
 * One event is out at a time. Events leave in the order of seq, but a clip that was sent and is not
 * acknowledged yet holds back later clips only, so that DeviceAck (cumulative) can never cover a
 * clip that was not taken. A clip is sent again when the connection is new, or after 10 s without
 * its ack (this is also how a rate limit looks), doubling up to 5 min. A refusal (reason code 0x87)
 * is final; the Denial that explains it is waited for, shortly.
 *
 * Not here: MQTT (link.h), bytes on disk (spool.h). Not thread safe: one owner, under the spool's
 * lock. */
#ifndef SDK_COURIER_H
#define SDK_COURIER_H

#include "clients/sdk/spool.h"

enum {
	COURIER_ACK_MS = 10000, /* first wait for a DeviceAck */
	COURIER_ACK_MAX_MS = 300000,
	COURIER_DENIAL_MS = 1000, /* wait for the Denial of a refused event */
	COURIER_DISK_MS = 5000,   /* before an unreadable event is tried again */
	COURIER_OK = 0, /* result codes of courier_sent, apart from MQTT reason codes below 0x80 */
	COURIER_REFUSED = 0x87,
	COURIER_LOST = -1 /* never left, or nobody knows */
};

struct courier {
	struct spool *spool; /* borrowed */
	uint64_t out_seq;    /* of the event that is being sent or was refused; 0: none */
	bool waits_denial;   /* it was refused */
	int64_t denial_until_boot_ms;
	uint8_t event_id[UUID_BYTES]; /* of the event out */
	bool denied;
	char reason[64];
	char sentence[192];
	uint64_t corrupt_seq; /* found while reading, to be settled; 0: none */
	uint64_t acked_seq;
	uint64_t sent;
};

struct courier_item {
	enum vestibule_kind kind;
	uint64_t seq;
	uint32_t life_s; /* of a ring: what is left of its 60 s, at least 1; else 0 */
};

/* What became of an event; event_id is zero when it could not be read. */
struct courier_settled {
	enum vestibule_kind kind;
	enum vestibule_outcome outcome;
	uint64_t seq;
	uint8_t event_id[UUID_BYTES];
	char reason[64];
	char sentence[192];
};

void courier_init(struct courier *c, struct spool *s);

/* The event to send now, its bytes in out; held until courier_sent or courier_offline. False: none
 */
bool courier_next(struct courier *c, struct moment now, struct courier_item *item, struct buf *out);

/* How sending item seq ended: an MQTT reason code, or COURIER_LOST. An old seq does nothing. */
void courier_sent(struct courier *c, uint64_t seq, int code, struct moment now);
void courier_offline(struct courier *c); /* the connection is gone: everything may be sent again */
void courier_ack(struct courier *c, uint64_t seq); /* a DeviceAck came */
/* A Denial came. True: it explains the event that is out. Spans are borrowed. */
bool courier_denied(struct courier *c, struct span event_id, struct span reason,
					struct span sentence);

/* Settles one event and removes it from the spool; false: none is settled now. Call until false. */
bool courier_settle(struct courier *c, struct moment now, struct courier_settled *out);

/* Boot time at which courier_next (when online) or courier_settle may have something to do;
 * INT64_MAX: only after a new event or a message. */
int64_t courier_due_ms(const struct courier *c, bool online, struct moment now);

#endif
