/* See answer.h. "ok" (exit code 0) is said only after the event is in the spool, on disk. */
#include "clients/doorbell/answer.h"

#include "clients/mq/exit.h"
#include "lib/clock.h"
#include "lib/hex.h"
#include "proto/codec.h"

static void refuse(struct buf *out, enum exit_code code, const char *field, const char *message) {
	buf_int(out, code);
	if (field[0]) wire_put(out, "field", field);
	wire_put(out, "message", message);
}

static void refuse_event(struct buf *out, enum vestibule_error e,
						 const struct vestibule_fault *why) {
	enum exit_code code =
		e == VESTIBULE_INVALID ? EXIT_USAGE : EXIT_TIMEOUT; /* the others may pass */
	refuse(out, code, e == VESTIBULE_INVALID ? why->field : "", why->limit);
}

static void accept_event(struct buf *out, const struct vestibule_event *e) {
	char id[VESTIBULE_ID_TEXT_SIZE];
	vestibule_id_text(e->event_id, id);
	buf_int(out, EXIT_RECORDED);
	wire_put(out, "event_id", id);
	wire_put_int(out, "seq", e->seq);
}

/* A number of our own option parser: digits only. False: not one, or larger than max. */
static bool number(const struct wire_line *l, const char *key, uint64_t max, uint64_t *out) {
	struct span s = wire_get(l, key);
	uint64_t v = 0;
	if (s.len == 0 || s.len > 19) return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
		v = v * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	*out = v;
	return v <= max;
}

static void ring(const struct answer_to *to, struct buf *out) {
	struct vestibule_event event;
	struct vestibule_fault why;
	enum vestibule_error e = vestibule_device_ring(to->device, &event, &why);
	if (e == VESTIBULE_OK)
		accept_event(out, &event);
	else
		refuse_event(out, e, &why);
}

static void motion(const struct answer_to *to, const struct wire_line *l, struct buf *out) {
	struct vestibule_event event;
	struct vestibule_fault why;
	uint64_t confidence = 0;
	int kind = codec_enum(&vestibule__v1__motion_kind__descriptor, wire_get(l, "kind"));
	if (kind <= 0) {
		refuse(out, EXIT_USAGE, "kind", "person, vehicle, animal, package or other");
		return;
	}
	if (!number(l, "confidence", 1000, &confidence)) {
		refuse(out, EXIT_USAGE, "confidence", "0-1000 permille");
		return;
	}
	enum vestibule_error e = vestibule_device_motion(to->device, (enum vestibule_motion)kind,
													 (uint32_t)confidence, &event, &why);
	if (e == VESTIBULE_OK)
		accept_event(out, &event);
	else
		refuse_event(out, e, &why);
}

static void announce(const struct answer_to *to, const struct clips_item *item,
					 struct vestibule_clip *clip, struct buf *out) {
	struct vestibule_event event;
	struct vestibule_fault why;
	char id[VESTIBULE_ID_TEXT_SIZE], sha256[2 * sizeof item->sha256 + 1];
	memcpy(clip->clip_id, item->id, sizeof clip->clip_id);
	memcpy(clip->payload_sha256, item->sha256, sizeof clip->payload_sha256);
	clip->payload_length = item->size;
	clip->media_type = "video/mp4";
	enum vestibule_error e = vestibule_device_clip_ready(to->device, clip, &event, &why);
	if (e != VESTIBULE_OK) {
		clips_remove(to->clips, item->id); /* nobody will ever know of it */
		refuse_event(out, e, &why);
		return;
	}
	accept_event(out, &event);
	vestibule_id_text(item->id, id);
	hex_encode(span_of(item->sha256, sizeof item->sha256), sha256);
	wire_put(out, "clip_id", id);
	wire_put_int(out, "bytes", item->size);
	wire_put_int(out, "start_ms", clip->start_ms);
	wire_put_int(out, "duration_ms", clip->duration_ms);
	wire_put(out, "sha256", sha256);
}

static void clip(const struct answer_to *to, const struct wire_line *l, int fd, struct buf *out) {
	char why[CLIPS_WHY_SIZE];
	struct clips_item item;
	struct vestibule_clip c = {.start_ms = 0};
	uint64_t duration = 0;
	int trigger = codec_enum(&vestibule__v1__trigger__descriptor, wire_get(l, "trigger"));
	if (trigger <= 0) {
		refuse(out, EXIT_USAGE, "trigger", "ring, motion or owner");
		return;
	}
	if (fd < 0) {
		refuse(out, EXIT_USAGE, "FILE", "no file came with the command");
		return;
	}
	enum err e = clips_take(to->clips, fd, &item, why);
	if (e != ERR_NONE) {
		refuse(out, e == ERR_INPUT || e == ERR_LIMIT ? EXIT_REFUSED : EXIT_TIMEOUT, "FILE", why);
		return;
	}
	c.trigger = (enum vestibule_trigger)trigger;
	c.duration_ms =
		number(l, "duration_ms", UINT32_MAX, &duration) ? (uint32_t)duration : item.duration_ms;
	if (c.duration_ms == 0) {
		clips_remove(to->clips, item.id);
		refuse(out, EXIT_REFUSED, "FILE",
			   "no MP4 file that says how long it plays; give --duration-ms if it is one");
		return;
	}
	if (!number(l, "start_ms", INT64_MAX, &c.start_ms))
		c.start_ms = (uint64_t)clock_read().utc_ms - c.duration_ms;
	announce(to, &item, &c, out);
}

static const char *state_word(const struct answer_to *to) {
	static const char *const words[] = {"unclaimed", "pending", "claimed", "resetting"};
	return words[enrolment_state(to->own->enrolment)];
}

static void belongs(const struct answer_to *to, struct buf *out) {
	struct claim_state state = {.exchanges = 0};
	wire_put(out, "claim", state_word(to));
	wire_put_int(out, "recipients", enrolment_recipients(to->own->enrolment));
	if (!to->own->claim) return;
	claim_look(to->own->claim, &state);
	wire_put_int(out, "claim_exchanges", state.exchanges);
	wire_put_int(out, "claim_wrong_codes", state.wrong);
	if (state.last[0]) wire_put(out, "claim_last", state.last);
}

static void claim(const struct answer_to *to, struct buf *out) {
	char key[SIGNER_PUBLIC_TEXT_SIZE], code[CODE_TEXT_SIZE];
	struct buf uri;
	buf_init(&uri, CODE_URI_MAX);
	hex_encode(span_of(enrolment_key(to->own->enrolment), SIGNER_PUBLIC_BYTES), key);
	buf_int(out, EXIT_RECORDED);
	wire_put(out, "device", to->name);
	belongs(to, out);
	wire_put(out, "device_key", key);
	if (ownership_uri(to->own, &uri, code)) {
		wire_put(out, "code", code);
		wire_put(out, "uri", buf_cstr(&uri));
	}
	buf_fini(&uri);
}

static void reset(const struct answer_to *to, const struct wire_line *l, struct buf *out) {
	struct outcome_word word;
	char why[OWNERSHIP_WHY_SIZE];
	uint64_t wait_ms = 0;
	if (!span_eq(wire_get(l, "yes"), SPAN_LIT("yes")) || !number(l, "wait_ms", 60000, &wait_ms)) {
		refuse(out, EXIT_USAGE, "--yes", "a reset ends everything that rests on this device");
		return;
	}
	enum ownership_reset r = ownership_reset(to->own, (int64_t)wait_ms, &word, why);
	if (r == OWNERSHIP_RESET_FAILED) {
		refuse(out, EXIT_TIMEOUT, "", why);
	} else if (r == OWNERSHIP_RESET_WAITS) {
		refuse(out, EXIT_TIMEOUT, "",
			   "wiped here; the broker does not know yet, the daemon goes on telling it");
	} else {
		buf_int(out, EXIT_RECORDED);
		wire_put(out, "device", to->name);
		wire_put(out, "broker", word.recorded ? "told" : word.reason);
	}
}

static void status(const struct answer_to *to, struct buf *out) {
	static const char *const links[] = {"offline", "connecting", "online"};
	struct vestibule_status s;
	struct clips_usage u = clips_usage(to->clips);
	vestibule_device_status(to->device, &s);
	buf_int(out, EXIT_RECORDED);
	wire_put(out, "device", to->name);
	wire_put(out, "link", links[s.link]);
	wire_put_int(out, "waiting", s.waiting);
	wire_put_int(out, "waiting_bytes", s.waiting_bytes);
	wire_put_int(out, "seq", s.seq);
	wire_put_int(out, "acked_seq", s.acked_seq);
	wire_put_int(out, "sent", s.sent);
	wire_put_int(out, "recorded", s.recorded);
	wire_put_int(out, "arrived", s.arrived);
	wire_put_int(out, "refused", s.refused);
	wire_put_int(out, "stale_rings", s.stale_rings);
	wire_put_int(out, "dropped_motion", s.dropped_motion);
	wire_put_int(out, "spool_full", s.full);
	wire_put_int(out, "corrupt", s.corrupt);
	wire_put_int(out, "disk_errors", s.disk_errors);
	wire_put_int(out, "connects", s.connects);
	wire_put_int(out, "chunks", s.chunks);
	wire_put_int(out, "dropped_pulls", s.dropped_pulls);
	wire_put_int(out, "clips", u.count);
	wire_put_int(out, "clips_bytes", u.bytes);
	wire_put_int(out, "clips_bytes_max", u.bytes_max);
	wire_put_int(out, "clips_deleted", u.deleted);
	belongs(to, out);
}

void answer_line(const struct answer_to *to, struct span bytes, int fd, struct buf *out) {
	struct wire_line line;
	if (wire_parse(bytes, &line) != ERR_NONE)
		refuse(out, EXIT_USAGE, "", "a line that this program does not understand");
	else if (span_eq(line.word, SPAN_LIT("status")))
		status(to, out);
	else if (span_eq(line.word, SPAN_LIT("claim")))
		claim(to, out);
	else if (span_eq(line.word, SPAN_LIT("reset")))
		reset(to, &line, out);
	else if (enrolment_state(to->own->enrolment) == ENROLMENT_RESETTING)
		refuse(out, EXIT_REFUSED, "", "the device is being reset");
	else if (span_eq(line.word, SPAN_LIT("ring")))
		ring(to, out);
	else if (span_eq(line.word, SPAN_LIT("motion")))
		motion(to, &line, out);
	else if (span_eq(line.word, SPAN_LIT("clip")))
		clip(to, &line, fd, out);
	else
		refuse(out, EXIT_USAGE, "", "an unknown command");
}
