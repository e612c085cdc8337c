/* MQTT 3.1.1 and 5 control packets out of untrusted bytes, as far as a look at a device needs them:
 * cut, read, and the few that we send ourselves. Pure: no I/O, no allocation but in the caller's
 * buf. Sources: OASIS MQTT 5.0 and 3.1.1, sections 2 and 3 (numbers in comments are of 5.0). Any
 * bytes may be passed; nothing here reaches an assert (tests/fuzz/packet_fuzz.c).
 *
 *     struct packet p;
 *     while (packet_cut(rest, &p) == ERR_NONE) { ... rest = span_drop(rest, p.whole.len); }
 */
#ifndef CONFORM_PACKET_H
#define CONFORM_PACKET_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/span.h"

enum { PACKET_BYTES_MAX = 270000 /* max_packet_size that docs/broker.md sets */ };

enum packet_type {
	PACKET_CONNECT = 1,
	PACKET_CONNACK = 2,
	PACKET_PUBLISH = 3,
	PACKET_PUBACK = 4,
	PACKET_PUBREC = 5,
	PACKET_PUBREL = 6,
	PACKET_PUBCOMP = 7,
	PACKET_SUBSCRIBE = 8,
	PACKET_SUBACK = 9,
	PACKET_UNSUBSCRIBE = 10,
	PACKET_UNSUBACK = 11,
	PACKET_PINGREQ = 12,
	PACKET_PINGRESP = 13,
	PACKET_DISCONNECT = 14,
	PACKET_AUTH = 15
};

struct packet { /* spans borrow from the bytes that were cut */
	uint8_t type;
	uint8_t flags;
	struct span body;
	struct span whole;
};

/* The packet at the start of bytes. ERR_ABSENT: not all of it is there yet. ERR_INPUT: type 0 or a
 * remaining length of more than four bytes (1.5.5, 2.1). ERR_LIMIT: larger than PACKET_BYTES_MAX. */
enum err packet_cut(struct span bytes, struct packet *out) MUST_CHECK;

/* The readers below want a packet of their type. ERR_INPUT: it does not end where its parts do, or a
 * part is malformed; *out is then unspecified. */

struct packet_connect {
	uint8_t level; /* 4: MQTT 3.1.1; 5 */
	bool clean_start;
	uint16_t keepalive_s;
	uint32_t session_expiry_s; /* 0 when absent, and in 3.1.1 */
	struct span client_id, username, password;
	bool has_username, has_password;
	bool has_will, will_retain;
	uint8_t will_qos;
	struct span will_topic, will_payload;
};
enum err packet_connect(const struct packet *p, struct packet_connect *out)
	MUST_CHECK; /* ERR_VERSION: level neither 4 nor 5 (level is written) */

struct packet_publish {
	struct span topic, payload;
	uint8_t qos;
	bool retain;
	uint16_t mid; /* 0 at QoS 0 */
	bool has_expiry;
	uint32_t expiry_s;
	uint8_t other_property; /* the first property but a message expiry; 0: none */
};
enum err packet_publish(const struct packet *p, bool v5, struct packet_publish *out) MUST_CHECK;

struct packet_subscribe {
	uint16_t mid;
	struct span filters; /* for packet_filter */
};
enum err packet_subscribe(const struct packet *p, bool v5, struct packet_subscribe *out) MUST_CHECK;
/* Cuts the next filter off. False: none left, or malformed (then *rest is not empty). */
bool packet_filter(struct span *rest, struct span *filter, uint8_t *options);

/* CONNACK (mid 0), PUBACK, PUBREC, PUBCOMP; DISCONNECT (mid 0). The code is 0 where none is sent. */
struct packet_ack {
	uint16_t mid;
	uint8_t code;
};
enum err packet_ack(const struct packet *p, bool v5, struct packet_ack *out) MUST_CHECK;

struct packet_suback {
	uint16_t mid;
	struct span codes; /* a byte for each filter */
};
enum err packet_suback(const struct packet *p, bool v5, struct packet_suback *out) MUST_CHECK;

/* --- ours; errors stick in the buf ------------------------------------------------------------- */

void packet_put_connect(struct buf *b, struct span client_id, struct span username,
						struct span password); /* MQTT 5, clean start, keep-alive 30 s */
void packet_put_publish(struct buf *b, bool v5, struct span topic, struct span payload); /* QoS 0 */
/* PUBACK, or PUBREC. 3.1.1 has no code. */
void packet_put_ack(struct buf *b, enum packet_type type, bool v5, uint16_t mid, uint8_t code);
void packet_put_disconnect(struct buf *b);

#endif
