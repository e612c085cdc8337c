/* See mirror.h. */
#include "plugin/mirror.h"

struct how {
	uint8_t qos;
	bool retain;
};

static void publish(struct engine *e, struct span home, struct span device, enum topic_kind kind,
					const struct buf *payload, struct how how) {
	struct buf name;
	struct topic to = {.kind = kind, .owner = home, .device = device};
	buf_init(&name, TOPIC_BYTES_MAX);
	topic_build(&to, &name);
	enum err rc = buf_error(&name);
	if (rc == ERR_NONE) rc = buf_error(payload);
	if (rc == ERR_NONE)
		rc = engine_publish(e, 0, buf_view(&name), buf_view(payload), how.qos, how.retain);
	if (rc != ERR_NONE)
		log_line(engine_log(e), LOG_ERROR, "mirror_lost", "topic", topic_kind_name(kind), "err",
				 err_name(rc), NULL);
	buf_fini(&name);
}

void mirror_event(struct engine *e, struct span home, struct span device, enum topic_kind kind,
				  const ProtobufCMessage *m) {
	enum { JSON_MAX = 16384 };
	struct buf json;
	buf_init(&json, JSON_MAX);
	if (codec_json(m, &json) != ERR_NONE)
		buf_reset(&json); /* no memory: an empty mirror is not sent */
	if (json.len) publish(e, home, device, kind, &json, (struct how){1, false});
	buf_fini(&json);
}

void mirror_status(struct engine *e, const struct row_device *d, struct span word, bool retain) {
	enum { WORD_MAX = 16, JSON_MAX = 512 };
	if (!d->claimed_ms || d->retired) return; /* nobody is told, now or by what is retained */
	struct span home = span_str(d->home), device = span_str(d->id);
	struct buf payload, json;
	buf_init(&payload, WORD_MAX);
	buf_span(&payload, word);
	publish(e, home, device, TOPIC_DEVICE_STATUS, &payload, (struct how){0, retain});
	buf_fini(&payload);
	int64_t now_ms = engine_now(e).utc_ms;
	buf_init(&json, JSON_MAX);
	buf_str(&json, "{\"at_ms\":");
	buf_int(&json, now_ms);
	buf_str(&json, ",\"arrived_ms\":");
	buf_int(&json, now_ms);
	buf_str(&json, ",\"synced\":true,\"device\":");
	buf_json(&json, device);
	buf_str(&json, ",\"status\":");
	buf_json(&json, word);
	buf_char(&json, '}');
	publish(e, home, device, TOPIC_HOME_JSON_STATUS, &json, (struct how){0, true});
	buf_fini(&json);
}

void mirror_lost(struct engine *e, struct span username) {
	const struct state *st = engine_state(e);
	const struct row_credential *who = state_credential(st, username);
	if (!who || who->kind != CRED_DEVICE) return;
	const struct row_device *d = state_device(st, span_str(who->subject));
	if (d && !engine_is_online(e, d->id)) mirror_status(e, d, SPAN_LIT("offline"), true);
}
