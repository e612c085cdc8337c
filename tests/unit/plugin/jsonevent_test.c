/* JSON events: what becomes an event, and the nearest text that does not. */
#include "plugin/jsonevent.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/plugin/broker_stub.h"

#define ID   "01890a5d-0000-7000-8000-00000000002a"
#define HEAD "\"event_id\":\"" ID "\",\"at_ms\":1795000000000,\"synced\":true,\"seq\":7"

static void accepts(enum codec_kind kind, const char *text) {
	struct buf out;
	struct codec_fault why;
	ProtobufCMessage *m = NULL;
	struct codec *c = codec_new();
	assert_non_null(c);
	buf_init(&out, 4096);
	assert_int_equal(jsonevent_encode(kind, span_str(text), &out, &why), ERR_NONE);
	assert_int_equal(codec_decode(c, kind, buf_view(&out), &m, &why), ERR_NONE);
	assert_int_equal(((Vestibule__V1__RingEvent *)m)->seq, 7);
	buf_fini(&out);
	codec_free(c);
}

static void refuses(enum codec_kind kind, const char *text, const char *field, enum err with) {
	struct buf out;
	struct codec_fault why;
	buf_init(&out, 4096);
	assert_int_equal(jsonevent_encode(kind, span_str(text), &out, &why), with);
	assert_string_equal(why.field, field);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void whole_events_are_taken(void **state) {
	(void)state;
	accepts(CODEC_RING, "{" HEAD "}");
	accepts(CODEC_RING, " \t{" HEAD "}\n"); /* blanks around it */
	accepts(CODEC_MOTION, "{" HEAD ",\"kind\":\"person\",\"confidence_permille\":1000}");
	accepts(CODEC_CLIP_READY,
			"{" HEAD ",\"clip_id\":\"" ID
			"\",\"start_ms\":1795000000000,\"duration_ms\":5,\"trigger\":\"ring\","
			"\"media_type\":\"video/mp4\",\"payload_length\":3,\"payload_sha256\":"
			"\"0000000000000000000000000000000000000000000000000000000000000000\"}");
}

static void i28_unknown_and_repeated_members_are_refused(void **state) {
	(void)state;
	refuses(CODEC_RING, "{" HEAD ",\"face\":\"x\"}", "RingEvent.face", ERR_INPUT);
	refuses(CODEC_RING, "{" HEAD ",\"seq\":7}", "RingEvent.seq", ERR_INPUT);
	refuses(CODEC_RING, "{" HEAD ",\"Seq\":7}", "RingEvent.Seq", ERR_INPUT);
}

static void wrong_types_are_refused(void **state) {
	(void)state;
	refuses(CODEC_RING, "{\"seq\":\"7\"}", "RingEvent.seq", ERR_INPUT);
	refuses(CODEC_RING, "{\"seq\":-1}", "RingEvent.seq", ERR_INPUT);
	refuses(CODEC_RING, "{\"seq\":1.5}", "RingEvent.seq", ERR_INPUT);
	refuses(CODEC_RING, "{\"seq\":9007199254740992}", "RingEvent.seq", ERR_INPUT);
	refuses(CODEC_RING, "{\"seq\":1e400}", "RingEvent.seq", ERR_INPUT);
	refuses(CODEC_RING, "{\"synced\":1}", "RingEvent.synced", ERR_INPUT);
	refuses(CODEC_RING, "{\"event_id\":\"0102\"}", "RingEvent.event_id", ERR_INPUT);
	refuses(CODEC_MOTION, "{\"kind\":\"ghost\"}", "MotionEvent.kind", ERR_INPUT);
	refuses(CODEC_MOTION, "{\"confidence_permille\":4294967296}", "MotionEvent.confidence_permille",
			ERR_INPUT);
	refuses(CODEC_CLIP_READY, "{\"sealed\":\"0g\"}", "ClipReady.sealed", ERR_INPUT);
	refuses(CODEC_CLIP_READY, "{\"sealed\":\"012\"}", "ClipReady.sealed", ERR_INPUT);
}

static void anything_but_one_object_is_refused(void **state) {
	(void)state;
	static char big[JSONEVENT_BYTES_MAX + 2];
	refuses(CODEC_RING, "{" HEAD "} x", "RingEvent", ERR_INPUT);
	refuses(CODEC_RING, "{" HEAD, "RingEvent", ERR_INPUT);
	refuses(CODEC_RING, "[]", "RingEvent", ERR_INPUT);
	refuses(CODEC_RING, "", "RingEvent", ERR_INPUT);
	memset(big, ' ', JSONEVENT_BYTES_MAX + 1);
	refuses(CODEC_RING, big, "RingEvent", ERR_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_events_are_taken),
		cmocka_unit_test(i28_unknown_and_repeated_members_are_refused),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(anything_but_one_object_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
