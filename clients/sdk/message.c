/* Events <-> protobuf bytes; see message.h. No limit of a field is repeated here: the codec knows
 * them. */
#include "clients/sdk/message.h"

static ProtobufCBinaryData borrow(const uint8_t *bytes, size_t len) {
	return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)(uintptr_t)bytes};
}

static enum err finish(enum codec_kind kind, const ProtobufCMessage *msg, struct buf *out,
					   struct codec_fault *why) {
	enum err e = codec_validate(kind, msg, why);
	return e != ERR_NONE ? e : codec_encode(msg, out);
}

enum err message_ring(const struct message_head *head, struct buf *out, struct codec_fault *why) {
	Vestibule__V1__RingEvent m = VESTIBULE__V1__RING_EVENT__INIT;
	m.event_id = borrow(head->event_id, sizeof head->event_id);
	m.at_ms = head->at_ms;
	m.synced = head->synced;
	m.seq = head->seq;
	return finish(CODEC_RING, &m.base, out, why);
}

enum err message_motion(const struct message_head *head, enum vestibule_motion kind,
						uint32_t permille, struct buf *out, struct codec_fault *why) {
	Vestibule__V1__MotionEvent m = VESTIBULE__V1__MOTION_EVENT__INIT;
	m.event_id = borrow(head->event_id, sizeof head->event_id);
	m.at_ms = head->at_ms;
	m.synced = head->synced;
	m.seq = head->seq;
	m.kind = (Vestibule__V1__MotionKind)kind;
	m.confidence_permille = permille;
	return finish(CODEC_MOTION, &m.base, out, why);
}

enum err message_clip(const struct message_head *head, const struct vestibule_clip *clip,
					  struct buf *out, struct codec_fault *why) {
	Vestibule__V1__ClipReady m = VESTIBULE__V1__CLIP_READY__INIT;
	m.event_id = borrow(head->event_id, sizeof head->event_id);
	m.at_ms = head->at_ms;
	m.synced = head->synced;
	m.seq = head->seq;
	m.clip_id = borrow(clip->clip_id, sizeof clip->clip_id);
	m.start_ms = clip->start_ms;
	m.duration_ms = clip->duration_ms;
	m.trigger = (Vestibule__V1__Trigger)clip->trigger;
	if (clip->media_type) m.media_type = (char *)(uintptr_t)clip->media_type;
	m.payload_length = clip->payload_length;
	m.payload_sha256 = borrow(clip->payload_sha256, sizeof clip->payload_sha256);
	m.sealed = borrow(clip->sealed, clip->sealed_len);
	m.manifest = borrow(clip->manifest, clip->manifest_len);
	m.poster_length = clip->poster_length;
	return finish(CODEC_CLIP_READY, &m.base, out, why);
}

enum err message_claim(const struct message_head *head, const char *username,
					   const uint8_t *token_sha256, struct buf *out, struct codec_fault *why) {
	Vestibule__V1__DeviceClaim m = VESTIBULE__V1__DEVICE_CLAIM__INIT;
	Vestibule__V1__FirstAdmin first = VESTIBULE__V1__FIRST_ADMIN__INIT;
	Vestibule__V1__Reset reset = VESTIBULE__V1__RESET__INIT;
	m.event_id = borrow(head->event_id, sizeof head->event_id);
	m.at_ms = head->at_ms;
	m.synced = head->synced;
	m.seq = head->seq;
	if (username) {
		first.username = (char *)(uintptr_t)username;
		first.token_sha256 = borrow(token_sha256, token_sha256 ? 32 : 0);
		m.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_FIRST_ADMIN;
		m.first_admin = &first;
	} else {
		m.what_case = VESTIBULE__V1__DEVICE_CLAIM__WHAT_RESET;
		m.reset = &reset;
	}
	return finish(CODEC_DEVICE_CLAIM, &m.base, out, why);
}

static enum err take(ProtobufCBinaryData id, struct message_head *out) {
	if (id.len != sizeof out->event_id) return ERR_INPUT;
	memcpy(out->event_id, id.data, id.len);
	return ERR_NONE;
}

enum err message_read(struct codec *c, enum vestibule_kind kind, struct span bytes,
					  struct message_head *out) {
	static const enum codec_kind kinds[] = {CODEC_RING, CODEC_MOTION, CODEC_CLIP_READY};
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	struct message_head head = {.seq = 0};
	ProtobufCBinaryData id;
	enum err e = codec_decode(c, kinds[kind], bytes, &msg, &why);
	if (e != ERR_NONE) return e;
	if (kind == VESTIBULE_RING) {
		const Vestibule__V1__RingEvent *m = (const Vestibule__V1__RingEvent *)msg;
		head = (struct message_head){.at_ms = m->at_ms, .synced = m->synced, .seq = m->seq};
		id = m->event_id;
	} else if (kind == VESTIBULE_MOTION) {
		const Vestibule__V1__MotionEvent *m = (const Vestibule__V1__MotionEvent *)msg;
		head = (struct message_head){.at_ms = m->at_ms, .synced = m->synced, .seq = m->seq};
		id = m->event_id;
	} else {
		const Vestibule__V1__ClipReady *m = (const Vestibule__V1__ClipReady *)msg;
		head = (struct message_head){.at_ms = m->at_ms, .synced = m->synced, .seq = m->seq};
		id = m->event_id;
	}
	if ((e = take(id, &head)) != ERR_NONE) return e;
	*out = head;
	return ERR_NONE;
}

size_t message_bytes_max(void) {
	return codec_bytes_max(CODEC_CLIP_READY);
}
