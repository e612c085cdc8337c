/* plugin_opt_* lines under arbitrary text. Properties: what is taken lies inside the limits of
 * options.h and names a store; what is refused says why; agencies and the short ticks of a demo are
 * on only when the text says so.
 *
 * Input: lines `key value`; a line without a blank is a key without a value. */
#include "plugin/options.h"

#include "tests/unit/plugin/broker_stub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 16 };

static void must(bool truth) {
	if (!truth) abort();
}

/* Cuts text (zero-terminated) into options; returns how many. */
static int cut(char *text, struct mosquitto_opt opts[LINES_MAX]) {
	int count = 0;
	for (char *line = text; line && *line && count < LINES_MAX;) {
		char *next = strchr(line, '\n');
		if (next) *next++ = 0;
		char *blank = strchr(line, ' ');
		if (blank) *blank++ = 0;
		opts[count].key = line;
		opts[count].value = blank;
		count++;
		line = next;
	}
	return count;
}

static bool says(const struct mosquitto_opt *opts, int count, const char *key, const char *value) {
	for (int i = 0; i < count; i++) {
		if (strcmp(opts[i].key, key) == 0 && opts[i].value && strcmp(opts[i].value, value) == 0)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct mosquitto_opt opts[LINES_MAX];
	struct options o;
	char why[OPTIONS_WHY_SIZE] = "";
	char *text = calloc(1, size + 1);
	if (!text) return 0;
	if (size) memcpy(text, data, size);
	int count = cut(text, opts);
	if (options_parse(opts, count, &o, why) != ERR_NONE) {
		must(why[0] != 0 && memchr(why, 0, sizeof(why)));
	} else {
		must(o.store[0] != 0 && o.hold_ticks >= 1 && o.hold_ticks <= 100);
		must(o.tick_ms >= (o.demo ? 1000 : 300000) && o.tick_ms <= 86400000);
		must(o.agencies == says(opts, count, "agencies", "on"));
		must(o.demo == says(opts, count, "demo", "true"));
	}
	free(text);
	return 0;
}
