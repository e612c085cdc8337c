/* Text for terminals. The rule of what may be shown is lib/utf8.h; JSON escaping is lib/buf.c. */
#include "clients/mq/show.h"

#include <errno.h>

#include "lib/utf8.h"
#include "proto/uuid.h"

void show_text(struct buf *b, const char *s) {
	struct span rest = span_str(s);
	while (rest.len) {
		uint32_t code = 0;
		size_t len = utf8_next(rest, &code);
		if (len && utf8_is_plain(code)) {
			buf_put(b, rest.ptr, len);
		} else {
			buf_char(b, '?');
			if (len == 0) len = 1;
		}
		rest = span_drop(rest, len);
	}
}

void show_field(struct buf *b, const char *s) {
	buf_str(b, "  ");
	show_text(b, s && s[0] ? s : "-");
}

void show_time(struct buf *b, uint64_t ms) {
	static const uint64_t after_9999_ms = UINT64_C(253402300800000);
	time_t seconds = (time_t)(ms < after_9999_ms ? ms / 1000 : 0);
	struct tm tm;
	char text[32];
	if (seconds == 0 || !gmtime_r(&seconds, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		buf_char(b, '-');
		return;
	}
	buf_str(b, text);
}

void show_id(struct buf *b, const ProtobufCBinaryData *id) {
	char text[UUID_TEXT_SIZE];
	if (id->len != UUID_BYTES) {
		buf_char(b, '-');
		return;
	}
	uuid_text(id->data, text);
	buf_str(b, text);
}

void show_word(struct buf *b, const ProtobufCEnumDescriptor *e, int value, bool spaced) {
	const char *word = codec_word(e, value);
	if (!word) word = "unknown";
	for (; *word; word++) buf_put(b, spaced && *word == '_' ? " " : word, 1);
}

bool show_line(struct buf *b) {
	buf_char(b, '\n');
	bool ok = buf_error(b) == ERR_NONE;
	if (!ok) {
		(void)fprintf(stderr, "a line cannot be printed: %s\n",
					  err_name(buf_error(b))); /* last resort */
	} else if (fwrite(b->ptr, 1, b->len, stdout) != b->len || fflush(stdout) != 0) {
		(void)fprintf(stderr, "cannot write to standard output: %s\n", strerror(errno));
		ok = false;
	}
	buf_reset(b);
	return ok;
}

void show_complain(const char *program, const char *fmt, va_list args) {
	char text[1024];
	struct buf b;
	(void)vsnprintf(text, sizeof(text), fmt, args); /* a cut sentence still tells */
	buf_init(&b, SHOW_LINE_MAX);
	show_text(&b, text);
	(void)fprintf(stderr, "%s: %s\n", program, buf_cstr(&b)); /* last resort */
	buf_fini(&b);
}
