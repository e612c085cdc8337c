/* JSON events of devices under arbitrary text. Properties: the same text gives the same bytes; what
 * is refused leaves no bytes and says why; what is taken is judged by the codec like bytes that a
 * device sent, and is then the canonical encoding already.
 *
 * Input: one byte for the kind of event, then the text. */
#include "plugin/jsonevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static struct codec *the_codec(void) {
	static struct codec *c;
	if (!c) c = codec_new();
	must(c != NULL);
	return c;
}

static void check_taken(enum codec_kind kind, struct span bytes) {
	struct codec_fault why = {"", ""};
	ProtobufCMessage *msg = NULL;
	struct buf again;
	if (codec_decode(the_codec(), kind, bytes, &msg, &why) != ERR_NONE) {
		must(why.limit[0] != 0);
		return;
	}
	buf_init(&again, CODEC_ARENA_BYTES);
	must(codec_encode(msg, &again) == ERR_NONE && span_eq(buf_view(&again), bytes));
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const enum codec_kind kinds[] = {CODEC_RING, CODEC_MOTION, CODEC_CLIP_READY};
	struct codec_fault why = {"", ""}, same = {"", ""};
	struct buf out, twice;
	if (size == 0) return 0;
	enum codec_kind kind = kinds[data[0] % 3];
	struct span text = span_of(data + 1, size - 1);
	buf_init(&out, CODEC_ARENA_BYTES);
	buf_init(&twice, CODEC_ARENA_BYTES);
	enum err e = jsonevent_encode(kind, text, &out, &why);
	must(jsonevent_encode(kind, text, &twice, &same) == e);
	must(span_eq(buf_view(&out), buf_view(&twice)));
	if (e == ERR_NONE)
		check_taken(kind, buf_view(&out));
	else
		must(out.len == 0 && why.limit[0] != 0);
	buf_fini(&out);
	buf_fini(&twice);
	return 0;
}
