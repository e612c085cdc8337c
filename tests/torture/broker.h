/* A broker of one process: it keeps the callbacks that the plugin registers, calls them as Mosquitto
 * does, and routes nothing. What the plugin publishes is looked at and thrown away. */
#ifndef TESTS_TORTURE_BROKER_H
#define TESTS_TORTURE_BROKER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "tests/torture/faults.h"

enum { EVENTS_MAX = 40 };

struct mosquitto {
	const char *id, *username;
};

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **userdata, struct mosquitto_opt *opts,
						  int count);
int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *opts, int count);

static struct {
	MOSQ_FUNC_generic_callback fn[EVENTS_MAX];
	void *userdata[EVENTS_MAX];
	void (*published)(const char *client_id, const char *topic, const void *payload, size_t len);
} broker;

void *mosquitto_malloc(size_t size) {
	return malloc(size);
}

void mosquitto_free(void *mem) {
	free(mem);
}

int mosquitto_broker_publish(const char *clientid, const char *topic, int payloadlen, void *payload,
							 int qos, bool retain, mosquitto_property *properties) {
	(void)qos;
	(void)retain;
	(void)properties;
	if (fault_now(FAULT_ALLOCATION)) return MOSQ_ERR_NOMEM; /* the payload stays the caller's */
	if (broker.published) broker.published(clientid, topic, payload, (size_t)payloadlen);
	free(payload);
	return MOSQ_ERR_SUCCESS;
}

void mosquitto_log_printf(int level, const char *fmt, ...) {
	va_list ap;
	if (!getenv("TORTURE_LOG")) return;
	(void)level;
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

int mosquitto_callback_register(mosquitto_plugin_id_t *identifier, int event,
								MOSQ_FUNC_generic_callback cb_func, const void *event_data,
								void *userdata) {
	(void)identifier;
	(void)event_data;
	if (event < 0 || event >= EVENTS_MAX || event > MOSQ_EVT_DISCONNECT)
		return MOSQ_ERR_NOT_SUPPORTED; /* as 2.0 */
	if (fault_now(FAULT_ALLOCATION)) return MOSQ_ERR_NOMEM;
	broker.fn[event] = cb_func;
	broker.userdata[event] = userdata;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_callback_unregister(mosquitto_plugin_id_t *identifier, int event,
								  MOSQ_FUNC_generic_callback cb_func, const void *event_data) {
	(void)identifier;
	(void)event_data;
	if (event < 0 || event >= EVENTS_MAX || broker.fn[event] != cb_func) return MOSQ_ERR_NOT_FOUND;
	broker.fn[event] = NULL;
	return MOSQ_ERR_SUCCESS;
}

const char *mosquitto_client_address(const struct mosquitto *client) {
	(void)client;
	return "127.0.0.1";
}

const char *mosquitto_client_id(const struct mosquitto *client) {
	return client->id;
}

const char *mosquitto_client_username(const struct mosquitto *client) {
	return client->username;
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
	return mp_mqtt;
}

int mosquitto_client_protocol_version(const struct mosquitto *client) {
	(void)client;
	return 5;
}

int mosquitto_client_sub_count(const struct mosquitto *client) {
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

/* --- what clients do -------------------------------------------------------------------------- */

static inline int broker_call(int event, void *data) {
	return broker.fn[event] ? broker.fn[event](event, data, broker.userdata[event])
							: MOSQ_ERR_ACL_DENIED;
}

static inline bool broker_login(struct mosquitto *c, const char *token) {
	struct mosquitto_evt_basic_auth ev = {.client = c,
										  .username = (char *)(uintptr_t)c->username,
										  .password = (char *)(uintptr_t)token};
	return broker_call(MOSQ_EVT_BASIC_AUTH, &ev) == MOSQ_ERR_SUCCESS;
}

static inline bool broker_may(struct mosquitto *c, int access, const char *topic,
							  const void *payload, size_t len) {
	struct mosquitto_evt_acl_check ev = {.client = c,
										 .topic = topic,
										 .payload = payload,
										 .payloadlen = (uint32_t)len,
										 .access = access,
										 .qos = 1};
	return broker_call(MOSQ_EVT_ACL_CHECK, &ev) == MOSQ_ERR_SUCCESS;
}

/* WRITE, then MESSAGE. The payload as it would be routed is copied to out (size cap); its length is
 * returned, 0: refused. */
static inline size_t broker_publish(struct mosquitto *c, const char *topic, const void *payload,
									size_t len, uint8_t *out, size_t cap) {
	if (!broker_may(c, MOSQ_ACL_WRITE, topic, payload, len)) return 0;
	struct mosquitto_evt_message ev = {.client = c,
									   .topic = (char *)(uintptr_t)topic,
									   .payload = (void *)(uintptr_t)payload,
									   .payloadlen = (uint32_t)len,
									   .qos = 1};
	if (broker_call(MOSQ_EVT_MESSAGE, &ev) != MOSQ_ERR_SUCCESS) return 0;
	size_t n = ev.payloadlen < cap ? ev.payloadlen : cap;
	if (out) memcpy(out, ev.payload, n);
	if (ev.payload != payload) free(ev.payload);
	return n;
}

static inline void broker_control(struct mosquitto *c, const char *json) {
	struct mosquitto_evt_control ev = {.client = c,
									   .topic = "$CONTROL/vestibule/v1",
									   .payload = json,
									   .payloadlen = (uint32_t)strlen(json)};
	if (broker_may(c, MOSQ_ACL_WRITE, ev.topic, json, strlen(json)))
		(void)broker_call(MOSQ_EVT_CONTROL, &ev);
}

static inline void broker_tick(void) {
	struct mosquitto_evt_tick ev = {.now_s = 1};
	(void)broker_call(MOSQ_EVT_TICK, &ev);
}

static inline void broker_gone(struct mosquitto *c) {
	struct mosquitto_evt_disconnect ev = {.client = c};
	(void)broker_call(MOSQ_EVT_DISCONNECT, &ev);
}

#endif
