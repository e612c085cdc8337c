/* See outbound.h. */
#include "plugin/outbound.h"

#include <limits.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <sys/queue.h>

struct outbound_message {
	STAILQ_ENTRY(outbound_message) next;
	struct outbound_packet packet; /* its names point into names */
	char names[];
};

struct outbound {
	outbound_send_fn *send;
	void *ctx;
	STAILQ_HEAD(list, outbound_message) waiting;
	size_t count, bytes;
	uint64_t lost;
};

bool outbound_send_now(void *ctx, const struct outbound_packet *p) {
	(void)ctx;
	return mosquitto_broker_publish(p->client_id, p->topic, (int)p->len, p->payload, p->qos,
									p->retain, NULL) == MOSQ_ERR_SUCCESS;
}

struct outbound *outbound_new(outbound_send_fn *send, void *ctx) {
	struct outbound *o = calloc(1, sizeof(*o));
	if (!o) return NULL;
	o->send = send ? send : outbound_send_now;
	o->ctx = ctx;
	STAILQ_INIT(&o->waiting);
	return o;
}

void outbound_message_free(struct outbound_message *m) {
	if (!m) return;
	mosquitto_free(m->packet.payload);
	free(m);
}

struct outbound_packet *outbound_message_packet(struct outbound_message *m) {
	return &m->packet;
}

void outbound_free(struct outbound *o) {
	if (!o) return;
	struct outbound_message *m;
	while ((m = STAILQ_FIRST(&o->waiting))) {
		STAILQ_REMOVE_HEAD(&o->waiting, next);
		outbound_message_free(m);
	}
	free(o);
}

struct outbound_message *outbound_message_new(struct span client_id, struct span topic,
											  struct span payload, uint8_t qos, bool retain) {
	if (topic.len == 0 || topic.len > OUTBOUND_NAME_MAX || client_id.len > OUTBOUND_NAME_MAX)
		return NULL;
	if (payload.len > INT_MAX) return NULL; /* the broker's length is an int */
	struct outbound_message *m = calloc(1, sizeof(*m) + topic.len + 1 + client_id.len + 1);
	if (!m) return NULL;
	char *id = m->names + topic.len + 1;
	m->packet = (struct outbound_packet){.client_id = client_id.len ? id : NULL,
										 .topic = m->names,
										 .len = payload.len,
										 .qos = qos,
										 .retain = retain};
	if (!span_copy(topic, m->names, topic.len + 1) || !span_copy(client_id, id, client_id.len + 1))
		goto fail;
	if (payload.len) {
		m->packet.payload = mosquitto_malloc(payload.len);
		if (!m->packet.payload) goto fail;
		memcpy(m->packet.payload, payload.ptr, payload.len);
	}
	return m;

fail:
	free(m);
	return NULL;
}

enum err outbound_put(struct outbound *o, struct outbound_message *m) {
	if (o->count >= OUTBOUND_MAX || m->packet.len > OUTBOUND_BYTES_MAX - o->bytes) {
		o->lost++;
		outbound_message_free(m);
		return ERR_LIMIT;
	}
	STAILQ_INSERT_TAIL(&o->waiting, m, next);
	o->count++;
	o->bytes += m->packet.len;
	return ERR_NONE;
}

bool outbound_is_empty(const struct outbound *o) {
	return o->count == 0;
}

void outbound_flush(struct outbound *o) {
	struct outbound_message *m;
	for (size_t n = 0; n < OUTBOUND_PER_TICK && (m = STAILQ_FIRST(&o->waiting)); n++) {
		STAILQ_REMOVE_HEAD(&o->waiting, next);
		o->count--;
		o->bytes -= m->packet.len;
		if (o->send(o->ctx, &m->packet)) {
			m->packet.payload = NULL; /* the broker's now */
		} else {
			o->lost++;
		}
		outbound_message_free(m);
	}
}

uint64_t outbound_lost(const struct outbound *o) {
	return o->lost;
}
