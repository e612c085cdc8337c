/* Messages of our own on their way to the broker. They are queued in any callback and handed over
 * in TICK, at most OUTBOUND_PER_TICK at a time; the broker then fans them out after asking READ for
 * each subscriber. A message to one client id reaches that client without READ and without a
 * subscription: only for answers to its own request (BROKER 8). Broker thread only. */
#ifndef PLUGIN_OUTBOUND_H
#define PLUGIN_OUTBOUND_H

#include "lib/err.h"
#include "lib/span.h"

enum {
	OUTBOUND_MAX = 16384,          /* messages waiting */
	OUTBOUND_BYTES_MAX = 67108864, /* and their payload bytes */
	OUTBOUND_PER_TICK = 500
};

struct outbound_packet {
	const char *client_id; /* NULL: to all who may read */
	const char *topic;
	void *payload; /* from mosquitto_malloc; NULL when len is 0 */
	size_t len;
	uint8_t qos;
	bool retain;
};

/* How the broker takes a message: the payload is the broker's when it returns true. Tests put their
 * own here. */
typedef bool outbound_send_fn(void *ctx, const struct outbound_packet *p);

/* One message to the broker at once, in TICK. */
bool outbound_send_now(void *ctx, const struct outbound_packet *p);

struct outbound;

/* send NULL: mosquitto_broker_publish. NULL: no memory. */
struct outbound *outbound_new(outbound_send_fn *send, void *ctx);
void outbound_free(struct outbound *o); /* drops what waits; NULL is fine */

struct outbound_message;

/* A message in memory of its own, payload in the broker's. client_id empty: to all who may read.
 * NULL: no memory, or a topic or client id that is empty, longer than OUTBOUND_NAME_MAX or holds a
 * zero byte. */
enum { OUTBOUND_NAME_MAX = 512 };
struct outbound_message *outbound_message_new(struct span client_id, struct span topic,
											  struct span payload, uint8_t qos, bool retain);
void outbound_message_free(struct outbound_message *m);                      /* NULL is fine */
struct outbound_packet *outbound_message_packet(struct outbound_message *m); /* lives in m */

/* Given to o, also on failure. ERR_LIMIT: the queue is full; dropped and counted. */
enum err outbound_put(struct outbound *o, struct outbound_message *m) MUST_CHECK;

bool outbound_is_empty(const struct outbound *o);
void outbound_flush(struct outbound *o); /* in TICK */
uint64_t outbound_lost(const struct outbound *o);

#endif
