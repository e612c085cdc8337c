/* The codec under arbitrary bytes. Input: one byte of message kind, then the payload. Properties:
 * what a publisher may send validates; what decodes encodes, decodes again and encodes to the same
 * bytes; a publisher's event is a reader's event; its JSON is one line without control characters;
 * the small event reader sees the times that the codec sees. */
#include "proto/codec.h"
#include "proto/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static void check_times(enum codec_kind kind, struct span bytes, const ProtobufCMessage *msg) {
	if (kind != CODEC_RING && kind != CODEC_MOTION && kind != CODEC_CLIP_READY) return;
	const Vestibule__V1__RingEvent *ring =
		(const void *)msg; /* the first five fields are the same */
	struct event_times t;
	must(event_times(bytes, &t) == ERR_NONE);
	must(t.at_ms == ring->at_ms && t.arrived_ms == ring->arrived_ms &&
		 t.synced == (ring->synced != 0));
}

static void check_json(enum codec_kind kind, const ProtobufCMessage *msg) {
	struct buf b;
	struct event_times t;
	buf_init(&b, 1 << 22);
	must(codec_json(msg, &b) == ERR_NONE);
	must(b.len >= 2 && b.ptr[0] == '{' && b.ptr[b.len - 1] == '}');
	for (size_t i = 0; i < b.len; i++) must(b.ptr[i] >= ' ' && b.ptr[i] != 0x7F);
	bool event = kind == CODEC_RING || kind == CODEC_MOTION || kind == CODEC_CLIP_READY;
	must((event_times_json(buf_view(&b), &t) == ERR_NONE) == event);
	buf_fini(&b);
}

static void check_again(struct codec *c, enum codec_kind kind, ProtobufCMessage *msg,
						bool published) {
	struct buf one, two;
	struct codec_fault why;
	buf_init(&one, 1 << 18);
	buf_init(&two, 1 << 18);
	if (published) must(codec_validate(kind, msg, &why) == ERR_NONE);
	must(codec_encode(msg, &one) == ERR_NONE);
	check_json(kind, msg);
	must(codec_decode_routed(c, kind, buf_view(&one), &msg, &why) == ERR_NONE);
	check_times(kind, buf_view(&one), msg);
	must(codec_encode(msg, &two) == ERR_NONE);
	must(span_eq(buf_view(&one), buf_view(&two)));
	buf_fini(&one);
	buf_fini(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size == 0) return 0;
	enum codec_kind kind = (enum codec_kind)(data[0] % CODEC_KINDS);
	struct span bytes = span_of(data + 1, size - 1);
	struct codec *c = codec_new();
	if (!c) return 0;
	struct codec_fault why = {"", ""};
	ProtobufCMessage *msg = NULL;
	bool published = codec_decode(c, kind, bytes, &msg, &why) == ERR_NONE;
	bool routed = codec_decode_routed(c, kind, bytes, &msg, &why) == ERR_NONE;
	must(routed || !published);
	if (routed) {
		must(bytes.len <= codec_bytes_max(kind));
		check_times(kind, bytes, msg);
		check_again(c, kind, msg, published);
	} else {
		must(why.limit[0] != '\0');
	}
	codec_free(c);
	return 0;
}
