/* Decoding and encoding with every bound in place. The rules are in codec_rules.c, JSON in
 * codec_json.c. */
#include "proto/codec.h"

#include "proto/codec_check.h"
#include "proto/codec_scan.h"

struct kind {
	const ProtobufCMessageDescriptor *desc;
	size_t bytes_max;
};

/* Sizes: the largest encoding that the field rules allow, rounded up, or a named limit. */
static const struct kind kinds[CODEC_KINDS] = {
	[CODEC_RING] = {&vestibule__v1__ring_event__descriptor, 128},
	[CODEC_MOTION] = {&vestibule__v1__motion_event__descriptor, 128},
	[CODEC_CLIP_READY] = {&vestibule__v1__clip_ready__descriptor, 2304},
	[CODEC_DEVICE_ACK] = {&vestibule__v1__device_ack__descriptor, 16},
	[CODEC_PULL] = {&vestibule__v1__clip_pull__descriptor, 32},
	[CODEC_CHUNK] = {&vestibule__v1__clip_chunk__descriptor, CODEC_CHUNK_MAX + 64},
	[CODEC_ASK] = {&vestibule__v1__ask__descriptor, CODEC_ASK_BYTES_MAX},
	[CODEC_HOME_COMMAND] = {&vestibule__v1__home_command__descriptor, 8192},
	[CODEC_RECEIPT] = {&vestibule__v1__receipt__descriptor, 1024},
	[CODEC_AGENCY_COMMAND] = {&vestibule__v1__agency_command__descriptor, 4096},
	[CODEC_NOTICE] = {&vestibule__v1__agency_notice__descriptor, CODEC_NOTICE_BYTES},
	[CODEC_FETCH_LINK] = {&vestibule__v1__fetch_link__descriptor, 2560},
	[CODEC_PUBLIC_AGENCY] = {&vestibule__v1__public_agency__descriptor, 45056},
	[CODEC_PUBLIC_REQUEST] = {&vestibule__v1__public_request__descriptor, 256},
	[CODEC_RELAY_JOB] = {&vestibule__v1__relay_job__descriptor, 512},
	[CODEC_RELAY_REPORT] = {&vestibule__v1__relay_report__descriptor, 2560},
	[CODEC_ALERT] = {&vestibule__v1__alert__descriptor, 1536},
	[CODEC_SYNC] = {&vestibule__v1__sync__descriptor, 128},
	[CODEC_REPLY] = {&vestibule__v1__reply__descriptor, CODEC_REPLY_BYTES_MAX},
	[CODEC_DENIAL] = {&vestibule__v1__denial__descriptor, 2048},
	[CODEC_ENROL_HOME] = {&vestibule__v1__enrol_home__descriptor, 768},
	[CODEC_ENROL_DEVICE] = {&vestibule__v1__enrol_device__descriptor, 17408},
	[CODEC_ENROL_RESULT] = {&vestibule__v1__enrol_result__descriptor, 384},
	[CODEC_DEVICE_CLAIM] = {&vestibule__v1__device_claim__descriptor, 192},
};

/* The whole arena is one block: what one decode cannot fit into it does not exist. Nothing is given
 * back before the next decode starts over. */
struct codec {
	ProtobufCAllocator allocator;
	size_t used;
	bool exhausted;
	_Alignas(max_align_t) uint8_t arena[CODEC_ARENA_BYTES];
};

static void *arena_alloc(void *data, size_t size) {
	struct codec *c = data;
	enum { ALIGN = _Alignof(max_align_t) };
	if (size > CODEC_ARENA_BYTES - ALIGN || c->used > CODEC_ARENA_BYTES - ALIGN - size) {
		c->exhausted = true;
		return NULL;
	}
	void *at = c->arena + c->used;
	c->used += (size + ALIGN - 1) / ALIGN * ALIGN;
	return at;
}

static void arena_free(void *data, void *ptr) {
	(void)data;
	(void)ptr; /* the arena is emptied as a whole */
}

struct codec *codec_new(void) {
	struct codec *c = malloc(sizeof(*c));
	if (!c) return NULL;
	c->allocator = (ProtobufCAllocator){arena_alloc, arena_free, c};
	c->used = 0;
	c->exhausted = false;
	return c;
}

void codec_free(struct codec *c) {
	free(c);
}

static enum err fault_whole(const char *words, size_t limit, enum err e, struct codec_fault *why) {
	char text[64];
	(void)snprintf(text, sizeof(text), "at most %zu bytes%s", limit, words); /* both callers fit */
	return codec_path_fault(NULL, NULL, text, e, why);
}

static enum err decode(struct codec *c, enum codec_kind kind, struct span bytes,
					   ProtobufCMessage **msg, struct codec_fault *why, enum codec_manner manner) {
	if (!ENSURE((unsigned)kind < CODEC_KINDS)) {
		return codec_path_fault(NULL, NULL, "a known message", ERR_INPUT, why);
	}
	const struct kind *k = &kinds[kind];
	if (bytes.len > k->bytes_max) return fault_whole("", k->bytes_max, ERR_LIMIT, why);
	struct codec_path at = {NULL, k->desc->short_name, -1};
	enum err e = codec_scan(k->desc, bytes, manner == CHECK_ROUTED, &at, why);
	if (e != ERR_NONE) return e;
	c->used = 0;
	c->exhausted = false;
	ProtobufCMessage *found =
		protobuf_c_message_unpack(k->desc, &c->allocator, bytes.len, bytes.ptr);
	if (!found && c->exhausted) return fault_whole(" of memory", CODEC_ARENA_BYTES, ERR_LIMIT, why);
	if (!found) return codec_path_fault(&at, NULL, "protobuf", ERR_INPUT, why);
	if (manner == CHECK_ROUTED) codec_check_settle(found);
	e = codec_check(found, manner, &at, why);
	if (e == ERR_NONE) *msg = found;
	return e;
}

enum err codec_decode(struct codec *c, enum codec_kind kind, struct span bytes,
					  ProtobufCMessage **msg, struct codec_fault *why) {
	return decode(c, kind, bytes, msg, why, CHECK_PUBLISHED);
}

enum err codec_decode_routed(struct codec *c, enum codec_kind kind, struct span bytes,
							 ProtobufCMessage **msg, struct codec_fault *why) {
	return decode(c, kind, bytes, msg, why, CHECK_ROUTED);
}

enum err codec_validate(enum codec_kind kind, const ProtobufCMessage *msg,
						struct codec_fault *why) {
	if (!ENSURE((unsigned)kind < CODEC_KINDS && msg->descriptor == kinds[kind].desc)) {
		return codec_path_fault(NULL, NULL, "a known message", ERR_INPUT, why);
	}
	struct codec_path at = {NULL, kinds[kind].desc->short_name, -1};
	return codec_check(msg, CHECK_OURS, &at, why);
}

/* protobuf-c writes into a ProtobufCBuffer; ours passes the pieces on. */
struct out_buffer {
	ProtobufCBuffer base;
	struct buf *out;
};

static void append(ProtobufCBuffer *base, size_t len, const uint8_t *bytes) {
	buf_put(((struct out_buffer *)base)->out, bytes, len);
}

enum err codec_encode(const ProtobufCMessage *msg, struct buf *out) {
	struct out_buffer b = {{append}, out};
	(void)protobuf_c_message_pack_to_buffer(msg, &b.base); /* the buffer keeps errors */
	return buf_error(out);
}

enum err codec_encode_notice(const Vestibule__V1__AgencyNotice *notice, struct buf *out) {
	static uint8_t zeros[CODEC_NOTICE_BYTES];
	enum {
		TAG = 2,
		SHORT_MAX = 127
	}; /* field 16: two bytes of tag; up to 127 bytes need one of length */
	Vestibule__V1__AgencyNotice padded = *notice;
	padded.padding = (ProtobufCBinaryData){0, NULL};
	size_t bare = protobuf_c_message_get_packed_size(&padded.base);
	if (bare > CODEC_NOTICE_BYTES) return ERR_LIMIT;
	size_t room = CODEC_NOTICE_BYTES - bare;
	if (room > 0) {
		size_t len_bytes = room > TAG + 1 + SHORT_MAX ? 2 : 1;
		/* 1 to 3 bytes cannot be filled, nor can the gap between the two lengths of length; the
		 * field rules keep every valid notice so short that neither happens. */
		if (room < TAG + len_bytes + 1 || (len_bytes == 2 && room - TAG - 2 <= SHORT_MAX))
			return ERR_LIMIT;
		padded.padding = (ProtobufCBinaryData){room - TAG - len_bytes, zeros};
	}
	return codec_encode(&padded.base, out);
}

size_t codec_bytes_max(enum codec_kind kind) {
	return (unsigned)kind < CODEC_KINDS ? kinds[kind].bytes_max : 0;
}

const char *codec_name(enum codec_kind kind) {
	return (unsigned)kind < CODEC_KINDS ? kinds[kind].desc->short_name : "unknown";
}
