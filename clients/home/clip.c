/* The conversation with the device. Which range comes next is pull.c's, the file partfile.c's. */
#include "clients/home/clip.h"

#include <inttypes.h>

#include "clients/home/partfile.h"
#include "clients/home/pull.h"
#include "clients/home/session.h"
#include "lib/clock.h"
#include "proto/uuid.h"

enum { STEP_MS = 500 }; /* how often patience is checked */

struct clip {
	struct session session;
	uint8_t id[UUID_BYTES];
	/* from the catalogue */
	bool found;
	bool sealed;
	char device[TOPIC_ID_MAX + 1];
	uint64_t length;
	uint8_t sha256[PARTFILE_SHA256_LEN];
	/* the transfer */
	char pull_topic[TOPIC_BYTES_MAX + 1];
	char chunk_topic[TOPIC_BYTES_MAX + 1];
	struct codec *codec;
	struct pull pull;
	struct partfile file;
	int64_t fresh_ms; /* boot time of the last new bytes */
	bool over;        /* rc says how it ended before the file was whole */
	enum exit_code rc;
};

static void catalogue_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct clip *c = ctx;
	for (size_t i = 0; i < part->n_clips; i++) {
		const Vestibule__V1__ClipReady *clip = part->clips[i]->clip;
		if (!clip || clip->clip_id.len != sizeof(c->id)) continue;
		if (memcmp(clip->clip_id.data, c->id, sizeof(c->id)) != 0) continue;
		if (clip->payload_sha256.len != sizeof(c->sha256)) continue;
		if (!topic_id_is_valid(span_str(part->clips[i]->device))) continue;
		c->found = span_copy(span_str(part->clips[i]->device), c->device, sizeof(c->device));
		c->sealed = clip->sealed.len > 0;
		c->length = clip->payload_length;
		memcpy(c->sha256, clip->payload_sha256.data, sizeof(c->sha256));
	}
}

static void end(struct clip *c, enum exit_code rc, const char *why) {
	if (c->over) return;
	c->over = true;
	c->rc = session_fail(rc, "%s", why);
}

static void ask_for_more(struct clip *c) {
	uint64_t offset;
	uint32_t len;
	while (!c->over && pull_next(&c->pull, clock_read().boot_ms, &offset, &len)) {
		Vestibule__V1__ClipPull pull = VESTIBULE__V1__CLIP_PULL__INIT;
		pull.offset = offset;
		pull.length = len;
		if (mq_publish_msg(c->session.mq, c->pull_topic, &pull.base, 0, NULL) != ERR_NONE)
			return; /* asked again */
	}
}

static void take_chunk(struct clip *c, const Vestibule__V1__ClipChunk *chunk) {
	char why[PARTFILE_WHY_SIZE];
	struct span fresh;
	int64_t now_ms = clock_read().boot_ms;
	switch (pull_take(&c->pull, now_ms, chunk, &fresh)) {
	case PULL_TAKE:
		c->fresh_ms = now_ms;
		if (partfile_append(&c->file, fresh, why) != ERR_NONE) end(c, EXIT_INTERNAL, why);
		break;
	case PULL_GONE: end(c, EXIT_REFUSED, "the device no longer has this clip"); break;
	case PULL_WRONG:
		end(c, EXIT_REFUSED, "what the device sends is not the clip it announced");
		break;
	case PULL_IGNORE: break;
	}
	ask_for_more(c);
}

static void on_message(void *ctx, struct span topic, struct span payload, bool retained) {
	struct clip *c = ctx;
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	if (retained || c->over || pull_is_done(&c->pull)) return;
	if (!span_eq(topic, span_str(c->chunk_topic))) return;
	if (codec_decode_routed(c->codec, CODEC_CHUNK, payload, &msg, &why) != ERR_NONE)
		return; /* as good as lost */
	take_chunk(c, (const Vestibule__V1__ClipChunk *)msg);
}

static void on_denial(void *ctx, const Vestibule__V1__Denial *denial) {
	struct clip *c = ctx;
	if (!denial->topic || !c->pull_topic[0] || strcmp(denial->topic, c->pull_topic) != 0) return;
	end(c, EXIT_NOT_AUTHORISED,
		denial->sentence && denial->sentence[0] ? denial->sentence : denial->reason);
}

static void on_refused(void *ctx, const char *filter, int code) {
	struct clip *c = ctx;
	if (strcmp(filter, c->chunk_topic) == 0) end(c, EXIT_NOT_AUTHORISED, mq_reason(code));
}

static const struct mq_events events = {
	.on_message = on_message,
	.on_denial = on_denial,
	.on_refused = on_refused,
};

static bool is_over(void *ctx) {
	const struct clip *c = ctx;
	return c->over || pull_is_done(&c->pull);
}

static enum err make_topic(const struct clip *c, enum topic_kind kind,
						   char out[TOPIC_BYTES_MAX + 1]) {
	char id[UUID_TEXT_SIZE];
	uuid_text(c->id, id);
	struct topic t = {.kind = kind,
					  .device = span_str(c->device),
					  .clip = span_str(id),
					  .username = span_str(mq_username(c->session.mq))};
	struct buf b;
	buf_init(&b, TOPIC_BYTES_MAX);
	topic_build(&t, &b);
	enum err e = buf_error(&b);
	if (e == ERR_NONE && !span_copy(buf_view(&b), out, TOPIC_BYTES_MAX + 1)) e = ERR_LIMIT;
	buf_fini(&b);
	return e;
}

/* Pulls until the file is whole, the time without new bytes is over, or something ended it. */
static enum exit_code pull_all(struct clip *c) {
	c->fresh_ms = clock_read().boot_ms;
	while (!is_over(c)) {
		ask_for_more(c);
		enum exit_code rc = mq_run(c->session.mq, is_over, c, STEP_MS);
		if (rc != EXIT_RECORDED && rc != EXIT_TIMEOUT) {
			return session_fail(rc, "%s; what is here stays in %s", mq_last_error(c->session.mq),
								c->file.part_path);
		}
		if (!is_over(c) && clock_read().boot_ms - c->fresh_ms > c->session.common->timeout_ms) {
			return session_fail(EXIT_TIMEOUT,
								"the device does not answer (%" PRIu64 " of %" PRIu64
								" bytes); what is here stays in %s",
								c->file.size, c->length, c->file.part_path);
		}
	}
	return c->over ? c->rc : EXIT_RECORDED;
}

static enum exit_code transfer(struct clip *c, const char *path) {
	char why[PARTFILE_WHY_SIZE];
	if (partfile_open(&c->file, path, c->length, why) != ERR_NONE)
		return session_fail(EXIT_USAGE, "%s", why);
	pull_init(&c->pull, c->length, c->file.size, clock_read().boot_ms);
	if (make_topic(c, TOPIC_DEVICE_PULL, c->pull_topic) != ERR_NONE ||
		make_topic(c, TOPIC_DEVICE_CHUNK, c->chunk_topic) != ERR_NONE) {
		return session_fail(EXIT_INTERNAL, "the topic is too long");
	}
	if (mq_subscribe(c->session.mq, c->chunk_topic, 0) != ERR_NONE) {
		return session_fail(EXIT_UNAVAILABLE, "cannot subscribe to the device's answers");
	}
	enum exit_code rc = pull_all(c);
	if (rc != EXIT_RECORDED) return rc;
	enum err e = partfile_finish(&c->file, span_of(c->sha256, sizeof(c->sha256)), why);
	return e == ERR_NONE ? rc
						 : session_fail(e == ERR_INPUT ? EXIT_REFUSED : EXIT_INTERNAL, "%s", why);
}

static enum exit_code get(struct clip *c, const char *path) {
	struct exchange_sink sink = {catalogue_part, c};
	enum exit_code rc =
		session_sync(&c->session, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_CLIPS, 0, &sink);
	if (rc != EXIT_RECORDED) return rc;
	if (!c->found) return session_fail(EXIT_REFUSED, "no such clip");
	rc = transfer(c, path);
	partfile_close(&c->file);
	if (rc == EXIT_RECORDED && c->sealed) {
		(void)session_fail(rc, "%s is sealed: it holds the age payload without its header",
						   path); /* a remark */
	}
	return rc;
}

enum exit_code clip_run(const struct opt_common *common, const struct settings *set) {
	if (!span_eq(span_str(set->action), SPAN_LIT("get"))) {
		return session_fail(EXIT_USAGE, "clip %s: only get can follow", set->action);
	}
	if (!set->out || !set->out[0]) return session_fail(EXIT_USAGE, "clip get needs --out FILE");
	struct clip c = {.file = {.fd = -1}};
	if (!session_parse_id("clip", set->subject, c.id)) return EXIT_USAGE;
	c.codec = codec_new();
	if (!c.codec) return session_fail(EXIT_INTERNAL, "no memory");
	enum exit_code rc =
		session_open(&c.session, common, set, &(struct mq_opts){.events = &events, .ctx = &c});
	if (rc == EXIT_RECORDED) rc = get(&c, set->out);
	session_close(&c.session);
	codec_free(c.codec);
	return rc;
}
