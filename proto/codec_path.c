/* Names of places in messages. */
#include "proto/codec_path.h"

static void append(char *out, size_t size, const char *name, long index) {
	size_t at = strlen(out);
	const char *dot = at ? "." : "";
	if (index < 0) {
		(void)snprintf(out + at, size - at, "%s%s", dot, name); /* cut, as the header says */
	} else {
		(void)snprintf(out + at, size - at, "%s%s[%ld]", dot, name, index);
	}
}

static void print(const struct codec_path *p, char *out, size_t size) {
	enum { DEPTH_MAX = 8 };
	const struct codec_path *chain[DEPTH_MAX];
	size_t n = 0;
	for (; p && n < DEPTH_MAX; p = p->up) chain[n++] = p;
	while (n > 0) {
		n--;
		append(out, size, chain[n]->name, chain[n]->index);
	}
}

enum err codec_path_fault(const struct codec_path *p, const char *field, const char *limit,
						  enum err e, struct codec_fault *why) {
	*why = (struct codec_fault){.field = "", .limit = ""};
	print(p, why->field, sizeof(why->field));
	if (field) append(why->field, sizeof(why->field), field, -1);
	(void)snprintf(why->limit, sizeof(why->limit), "%s", limit); /* cut, as the header says */
	return e;
}
