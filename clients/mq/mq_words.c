/* Reason codes of MQTT 5 (section 2.4) as half sentences, and the names of our topics. */
#include "clients/mq/mq.h"

#include "proto/topic.h"

const char *mq_reason(int code) {
	static const struct {
		int code;
		const char *words;
	} table[] = {
		{0x00, "accepted"},
		{0x01, "accepted"},
		{0x02, "accepted"},
		{0x04, "ended with its will"},
		{0x10, "arrived, nobody is subscribed"},
		{0x80, "refused without a reason"},
		{0x81, "malformed packet"},
		{0x82, "protocol error"},
		{0x83, "the broker cannot take it"},
		{0x84, "the broker does not speak MQTT 5"},
		{0x85, "client id refused"},
		{0x86, "unknown username or wrong token"},
		{0x87, "not authorised"},
		{0x88, "the broker is unavailable"},
		{0x89, "the broker is busy"},
		{0x8a, "banned"},
		{0x8b, "the broker shuts down"},
		{0x8c, "authentication method refused"},
		{0x8d, "the broker heard nothing for too long"},
		{0x8e, "another connection took over this client id"},
		{0x8f, "topic filter refused"},
		{0x90, "topic name refused"},
		{0x91, "packet id in use"},
		{0x93, "too many messages in flight"},
		{0x95, "packet too large"},
		{0x96, "too many messages"},
		{0x97, "quota exceeded"},
		{0x98, "ended by the operator"},
		{0x99, "payload format refused"},
		{0x9a, "retained messages refused"},
		{0x9b, "QoS refused"},
		{0x9e, "shared subscriptions refused"},
		{0xa1, "subscription identifiers refused"},
		{0xa2, "wildcard subscriptions refused"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == code) return table[i].words;
	}
	return code >= 0x80 ? "refused for an unknown reason" : "accepted";
}

enum err mq_topic(const char *kind, const char *id, const char *leaf, char out[MQ_TOPIC_SIZE]) {
	if (!topic_id_is_valid(span_str(id))) return ERR_INPUT;
	int n = snprintf(out, MQ_TOPIC_SIZE, "vestibule/v1/%s/%s%s%s", kind, id, leaf ? "/" : "",
					 leaf ? leaf : "");
	return n > 0 && n < MQ_TOPIC_SIZE ? ERR_NONE : ERR_LIMIT;
}
