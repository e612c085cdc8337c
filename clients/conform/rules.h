/* The contract, seen from between a device and its broker: every packet of either side passes here
 * and is judged, kept back or answered in the broker's place. Knows nothing of sockets and steps: it
 * is told of packets and asked for faults. One thread; no packet's bytes are kept. */
#ifndef CONFORM_RULES_H
#define CONFORM_RULES_H

#include "clients/conform/ledger.h"
#include "clients/conform/packet.h"
#include "clients/conform/pulls.h"

enum {
	RULES_WAITS_MAX = 32,
	RULES_PULLS_MAX = 64,
	RULES_SUBSCRIBES_MAX = 16,
	RULES_AGAIN_MS = 10000,     /* a clip comes again so long after its PUBACK ... */
	RULES_AGAIN_EARLY_MS = 1000 /* ... or this much earlier: two clocks and a network */
};

enum rules_filter { RULES_ACK = 1, RULES_PULL = 2, RULES_DENIED = 4, RULES_FILTERS = 7 };

/* An event at QoS 1 or 2 whose PUBACK the device has not got. */
struct rules_wait {
	uint16_t mid; /* 0: free */
	enum topic_kind kind;
	uint8_t event_id[UUID_BYTES];
	bool blamed; /* a check has failed on it already */
};

struct rules_conn {
	unsigned number; /* 1, 2, ... */
	bool v5, own_id;
	bool admitted;    /* CONNACK said so */
	bool status_said; /* online or sleeping */
	bool offline_said;
	bool goodbye;      /* DISCONNECT was seen */
	unsigned filters;  /* of enum rules_filter: asked for, and granted */
	uint64_t high_seq; /* of the events that were sent here for the first time */
	struct {
		uint16_t mid;
		unsigned filters;
	} asked[RULES_SUBSCRIBES_MAX];
	struct rules_wait waits[RULES_WAITS_MAX];
};

struct rules_faults {
	bool hold_acks;                /* the device gets no DeviceAck */
	bool hold_puback;              /* the next new ring gets no PUBACK on this connection */
	bool refuse_ring, refuse_clip; /* the next new one is refused in the broker's place */
};

struct rules {
	struct checks *checks; /* kept */
	struct codec *codec;   /* kept */
	const char *device;    /* kept */
	struct pulls *pulls;   /* kept */
	struct ledger ledger;
	struct rules_faults faults;
	unsigned conns;
	unsigned held_conn; /* 0: no PUBACK is kept back */
	uint8_t held_id[UUID_BYTES];
	bool blamed[TOPIC_KINDS]; /* of the last publish of that kind */
	struct {
		char clip[TOPIC_CLIP_LEN + 1];
		char username[TOPIC_USERNAME_MAX + 1];
	} pulled[RULES_PULLS_MAX];
	size_t pulled_count;
};

enum rules_fate { RULES_PASS = 0, RULES_SWALLOW };

void rules_init(struct rules *r, struct checks *checks, struct codec *codec, struct pulls *pulls,
				const char *device);
void rules_open(struct rules *r, struct rules_conn *c); /* a connection begins */

/* What to do with a packet; what to say to the device in the broker's place is appended to answer. */
enum rules_fate rules_from_device(struct rules *r, struct rules_conn *c, const struct packet *p,
								  int64_t now_ms, struct buf *answer);
enum rules_fate rules_from_broker(struct rules *r, struct rules_conn *c, const struct packet *p,
								  int64_t now_ms);
void rules_unreadable(struct rules *r, const char *what); /* the device's bytes are no packet */

/* After CONNACK the device had its time: what is missing is a failure. */
void rules_judge_start(struct rules *r, const struct rules_conn *c);

#endif
