/* Stands in for the broker in unit tests of the glue: memory is malloc's, publishes are counted and
 * the last is kept. Included by exactly one file of each test program. */
#ifndef TESTS_UNIT_PLUGIN_BROKER_STUB_H
#define TESTS_UNIT_PLUGIN_BROKER_STUB_H

#include <stdlib.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "lib/span.h"

static struct {
	size_t count;
	char client_id[256];
	char topic[512];
	uint8_t payload[65536];
	size_t len;
	bool retain;
} stub_published;

/* Called for each publish, when it is set. */
static void (*stub_on_publish)(const uint8_t *payload, size_t len);

/* What the broker says of any client. */
static struct {
	const char *id;
	int subs;
} stub_client;

void *mosquitto_malloc(size_t size) {
	return malloc(size);
}

void mosquitto_free(void *mem) {
	free(mem);
}

int mosquitto_broker_publish(const char *clientid, const char *topic, int payloadlen, void *payload,
							 int qos, bool retain, mosquitto_property *properties) {
	(void)qos;
	(void)properties;
	stub_published.count++;
	if (stub_on_publish) stub_on_publish(payload, (size_t)payloadlen);
	stub_published.len = (size_t)payloadlen;
	stub_published.retain = retain;
	(void)span_copy(span_str(clientid), stub_published.client_id, sizeof(stub_published.client_id));
	(void)span_copy(span_str(topic), stub_published.topic, sizeof(stub_published.topic));
	if (payloadlen > 0 && stub_published.len <= sizeof(stub_published.payload))
		memcpy(stub_published.payload, payload, stub_published.len);
	free(payload);
	return MOSQ_ERR_SUCCESS;
}

void mosquitto_log_printf(int level, const char *fmt, ...) {
	(void)level;
	(void)fmt;
}

int mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
								MOSQ_FUNC_generic_callback cb_func, const void *event_data,
								void *userdata) {
	(void)identifier;
	(void)event;
	(void)cb_func;
	(void)event_data;
	(void)userdata;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
								  MOSQ_FUNC_generic_callback cb_func, const void *event_data) {
	(void)identifier;
	(void)event;
	(void)cb_func;
	(void)event_data;
	return MOSQ_ERR_SUCCESS;
}

static const char *stub_address; /* of every client; NULL at first */

const char *mosquitto_client_address(const struct mosquitto *client) {
	(void)client;
	return stub_address;
}

const char *mosquitto_client_id(const struct mosquitto *client) {
	(void)client;
	return stub_client.id;
}

int mosquitto_client_sub_count(const struct mosquitto *client) {
	(void)client;
	return stub_client.subs;
}

const char *mosquitto_client_username(const struct mosquitto *client) {
	(void)client;
	return NULL;
}

void *mosquitto_client_certificate(const struct mosquitto *client) {
	(void)client;
	return NULL;
}

bool mosquitto_client_clean_session(const struct mosquitto *client) {
	(void)client;
	return true;
}

int mosquitto_client_protocol(const struct mosquitto *client) {
	(void)client;
	return 0;
}

int mosquitto_client_protocol_version(const struct mosquitto *client) {
	(void)client;
	return 0;
}

int mosquitto_set_username(struct mosquitto *client, const char *username) {
	(void)client;
	(void)username;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_kick_client_by_username(const char *username, bool with_will) {
	(void)username;
	(void)with_will;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_kick_client_by_clientid(const char *clientid, bool with_will) {
	(void)clientid;
	(void)with_will;
	return MOSQ_ERR_SUCCESS;
}

#endif
