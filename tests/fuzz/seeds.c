/* Writes the seeds of the topic, codec and event fuzzers below a folder: seeds FOLDER. They are in
 * the repository (tests/fuzz/corpus); run it again when a message changes. */
#include "tests/unit/proto/sample.h"
#include "proto/topic.h"

static struct sample sample;

static void write_seed(const char *folder, const char *fuzzer, const char *name,
					   struct span bytes) {
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/%s/%s", folder, fuzzer, name);
	FILE *f = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "wb") : NULL;
	if (!f || fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void messages(const char *folder, enum codec_kind kind, bool full, unsigned choice) {
	struct buf b;
	char name[64];
	buf_init(&b, 1 << 17);
	buf_char(&b, (char)kind);
	if (codec_encode(sample_make(&sample, kind, full, choice), &b) != ERR_NONE) exit(1);
	(void)snprintf(name, sizeof(name), "%s-%s-%u", codec_name(kind), full ? "full" : "bare",
				   choice); /* fits */
	write_seed(folder, "codec", name, buf_view(&b));
	if (kind == CODEC_RING || kind == CODEC_MOTION || kind == CODEC_CLIP_READY) {
		write_seed(folder, "event", name, span_drop(buf_view(&b), 1));
		buf_reset(&b);
		if (codec_json(sample_make(&sample, kind, full, choice), &b) != ERR_NONE) exit(1);
		(void)snprintf(name, sizeof(name), "%s-%s-json", codec_name(kind),
					   full ? "full" : "bare"); /* fits */
		write_seed(folder, "event", name, buf_view(&b));
	}
	buf_fini(&b);
}

static void topics(const char *folder) {
	static const char *const pairs[][2] = {
		{"#", "+/+/#"},
		{"/#", "/+/#"},
		{"$SYS/#", "+/broker"},
		{"vestibule/v1/device/+/ring", "vestibule/#"},
		{"vestibule/v1/home/h1/json/#", "vestibule/v1/home/+/json/+/motion"}};
	struct span id = SPAN_LIT("d7"), clip = SPAN_LIT("01890a5d-0000-7000-8000-00000000002a");
	for (int kind = TOPIC_DEVICE_RING; kind <= TOPIC_CONTROL_RESPONSE; kind++) {
		struct topic t = {(enum topic_kind)kind, id, id, clip, SPAN_LIT("alice"),
						  SPAN_LIT("u4pru")};
		const char *const *pair = pairs[(size_t)kind % (sizeof(pairs) / sizeof(pairs[0]))];
		struct buf b;
		char name[32];
		buf_init(&b, 1024);
		buf_printf(&b, "%s\n%s\n", pair[0], pair[1]);
		topic_build(&t, &b);
		if (buf_error(&b) != ERR_NONE) exit(1);
		(void)snprintf(name, sizeof(name), "kind-%d", kind); /* fits */
		write_seed(folder, "topic", name, buf_view(&b));
		buf_fini(&b);
	}
}

int main(int argc, char **argv) {
	if (argc != 2) return 64;
	for (int k = 0; k < CODEC_KINDS; k++) {
		enum codec_kind kind = (enum codec_kind)k;
		for (unsigned choice = 0; choice < sample_choices(sample_desc(kind)); choice++) {
			messages(argv[1], kind, true, choice);
			messages(argv[1], kind, false, choice);
		}
	}
	topics(argv[1]);
	return 0;
}
