/* See mirror.h. */
#include "plugin/mirror.h"

static void publish(struct engine *e, struct span home, struct span device, enum topic_kind kind,
					struct buf *json, bool retain) {
	struct buf name;
	struct topic to = {.kind = kind, .owner = home, .device = device};
	buf_init(&name, TOPIC_BYTES_MAX);
	topic_build(&to, &name);
	enum err rc = buf_error(&name);
	if (rc == ERR_NONE) rc = buf_error(json);
	if (rc == ERR_NONE)
		rc = engine_publish(e, 0, buf_view(&name), buf_view(json), retain ? 0 : 1, retain);
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
	if (json.len) publish(e, home, device, kind, &json, false);
	buf_fini(&json);
}

void mirror_status(struct engine *e, struct span home, struct span device, struct span word) {
	enum { JSON_MAX = 512 };
	struct buf json;
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
	publish(e, home, device, TOPIC_HOME_JSON_STATUS, &json, true);
	buf_fini(&json);
}
