/* The catalogue of clips. Not here: who may be offered one (ask.c). */
#include "plugin/consent/clip.h"

#include "lib/hex.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/limits.h"

/* "ack/DEVICE" */
static struct span ack_name(const char *device, char out[ROW_ID_SIZE + 8]) {
	memcpy(out, "ack/", 5);
	(void)span_copy(span_str(device), out + 4, ROW_ID_SIZE); /* an id fits */
	return span_of(out, strlen(out));
}

void clip_ack(const struct step *s) {
	char name[ROW_ID_SIZE + 8];
	struct span key = ack_name(s->who->subject, name);
	const struct row_meta *ack = (const struct row_meta *)effects_latest(s, ROW_META, key);
	struct tell *t = effects_tell(s, TELL_ACK, s->who->subject);
	t->value = ack ? ack->value : 0;
}

static void raise_ack(const struct step *s, int64_t seq) {
	char name[ROW_ID_SIZE + 8];
	struct span key = ack_name(s->who->subject, name);
	const struct row_meta *old = (const struct row_meta *)state_get(s->st, ROW_META, key);
	if (old && old->value >= seq) return;
	struct row_meta *ack = old ? effects_alter(s, old) : effects_new(s, ROW_META);
	EFFECTS_TEXT(ack->name, name);
	ack->value = seq;
}

/* --- room in the catalogue -------------------------------------------------------------------- */

bool clip_is_needed(const struct state *st, const struct row_clip *clip) {
	const struct row *row = state_child(st, ROW_GRANT, 1, span_str(clip->home), NULL);
	for (; row; row = state_child(st, ROW_GRANT, 1, span_str(clip->home), row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (grant_is_live(g) && span_eq(span_str(g->clip), span_str(clip->id))) return true;
	}
	return false;
}

bool clip_drop(const struct step *s, const struct row_clip *clip) {
	const struct row *row = state_child(s->st, ROW_ASK_CLIP, 1, span_str(clip->id), NULL);
	for (; row; row = state_child(s->st, ROW_ASK_CLIP, 1, span_str(clip->id), row)) {
		if (!effects_room(s->fx, 2, 0)) return false;
		effects_del(s, row);
	}
	if (!effects_room(s->fx, 1, 0)) return false;
	effects_del(s, clip);
	return true;
}

/* Keeps a device from filling the catalogue: its oldest clip that nothing rests on goes. */
static void make_room(const struct step *s, const char *device) {
	const struct row_clip *oldest = NULL;
	size_t count = 0;
	const struct row *row = state_child(s->st, ROW_CLIP, 0, span_str(device), NULL);
	for (; row; row = state_child(s->st, ROW_CLIP, 0, span_str(device), row)) {
		const struct row_clip *clip = (const struct row_clip *)row;
		count++;
		if (oldest && clip->arrived_ms >= oldest->arrived_ms) continue;
		if (count < LIMIT_CLIPS_PER_DEVICE / 2 || !clip_is_needed(s->st, clip)) oldest = clip;
	}
	if (count >= LIMIT_CLIPS_PER_DEVICE) (void)clip_drop(s, oldest); /* what does not fit stays */
}

/* --- a clip comes ----------------------------------------------------------------------------- */

static struct blob keep(const struct step *s, ProtobufCBinaryData bytes) {
	uint8_t *copy = bytes.data ? effects_bytes(s, bytes.len) : NULL;
	if (copy) memcpy(copy, bytes.data, bytes.len);
	return (struct blob){copy, copy ? bytes.len : 0};
}

/* An event from the future has no clock to be trusted, whatever it says of itself. */
static bool is_synced(const Vestibule__V1__ClipReady *m) {
	uint64_t latest = m->arrived_ms + LIMIT_CLOCK_AHEAD_MS;
	return m->synced && m->at_ms <= latest && m->start_ms <= latest;
}

static bool is_plausible(const Vestibule__V1__ClipReady *m) {
	const uint64_t max = INT64_MAX / 2;
	return m->media_type && m->at_ms < max && m->start_ms < max && m->arrived_ms < max &&
		   m->seq < max && m->payload_length < max && m->payload_sha256.len == 32 &&
		   m->payload_sha256.data;
}

static void fill(const struct step *s, const Vestibule__V1__ClipReady *m,
				 const struct row_device *device, struct row_clip *c) {
	EFFECTS_TEXT(c->device, device->id);
	EFFECTS_TEXT(c->home, device->home);
	EFFECTS_TEXT(c->media_type, m->media_type);
	hex_encode(span_of(m->payload_sha256.data, 32), c->payload_sha256);
	c->seq = (int64_t)m->seq;
	c->at_ms = (int64_t)m->at_ms;
	c->arrived_ms = (int64_t)m->arrived_ms;
	c->synced = is_synced(m);
	c->start_ms = (int64_t)m->start_ms;
	c->duration_ms = m->duration_ms;
	c->trigger = m->trigger;
	c->payload_length = (int64_t)m->payload_length;
	c->sealed = keep(s, m->sealed);
	c->manifest = keep(s, m->manifest);
	c->poster_length = m->poster_length;
}

enum reason clip_ready(const struct step *s, const Vestibule__V1__ClipReady *m) {
	char id[UUID_TEXT_SIZE], event[UUID_TEXT_SIZE];
	const struct row_device *device = state_device(s->st, span_str(s->who->subject));
	if (!device || device->retired) return REASON_NOT_YOURS;
	if (!device->claimed_ms) return REASON_UNCLAIMED;
	if (!effects_uuid_of(m->clip_id, id) || !effects_uuid_of(m->event_id, event))
		return REASON_MALFORMED;
	if (!is_plausible(m)) return REASON_MALFORMED;
	if (state_clip(s->st, span_str(id))) return REASON_REUSED_ID;
	make_room(s, device->id);
	struct row_clip *c = effects_new(s, ROW_CLIP);
	EFFECTS_TEXT(c->id, id);
	EFFECTS_TEXT(c->event_id, event);
	fill(s, m, device, c);
	raise_ack(s, c->seq);
	(void)effects_tell(s, TELL_CLIP, c->id);
	clip_ack(s);
	return REASON_OK;
}
