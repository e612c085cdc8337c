/* See denied.h. */
#include "plugin/denied.h"

#include "plugin/payload.h"

static char *text(const char *s) {
	return (char *)(uintptr_t)s; /* protobuf-c only reads what it packs */
}

static void tell(struct engine *e, const struct denied *d, const struct denial *what) {
	enum { BYTES_MAX = 2048 };
	uint8_t event_id[16];
	struct buf name, bytes;
	Vestibule__V1__Denial m = VESTIBULE__V1__DENIAL__INIT;
	m.at_ms = (uint64_t)what->at_ms;
	m.reason = text(reason_word(what->reason));
	m.sentence = text(reason_sentence(what->reason));
	m.access = text(denial_access_name(what->access));
	m.topic = text(what->topic);
	m.field = text(what->fault.field);
	m.limit = text(what->fault.limit);
	if (payload_event_id(d->payload, event_id))
		m.event_id = (ProtobufCBinaryData){sizeof(event_id), event_id};

	struct topic to = {.kind = TOPIC_USER_DENIED, .username = d->username};
	buf_init(&name, TOPIC_BYTES_MAX);
	buf_init(&bytes, BYTES_MAX);
	topic_build(&to, &name);
	enum err rc = codec_encode(&m.base, &bytes);
	if (rc == ERR_NONE) rc = buf_error(&name);
	if (rc == ERR_NONE) rc = engine_publish(e, 0, buf_view(&name), buf_view(&bytes), 0, false);
	if (rc != ERR_NONE)
		log_line(engine_log(e), LOG_ERROR, "tell_lost", "topic", "user/denied", NULL);
	buf_fini(&name);
	buf_fini(&bytes);
}

void denied_report(struct engine *e, const struct denied *d) {
	struct moment now = engine_now(e);
	struct denial what = {.at_ms = now.utc_ms, .access = d->access, .reason = d->reason};
	if (d->fault) what.fault = *d->fault;
	denial_set_topic(&what, d->topic);
	bool may_tell = denials_note(engine_denials(e), d->username, d->client_id, &what, now);
	if (may_tell && state_credential(engine_state(e), d->username)) tell(e, d, &what);
}
