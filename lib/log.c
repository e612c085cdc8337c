/* Log lines. What may be said in one is the caller's duty; that it stays one line is ours. */
#include "lib/log.h"

#include <stdarg.h>

#include "lib/utf8.h"

static const char cut_mark[] = "...";

/* A line under construction; once full, everything further is dropped, so that it ends at a whole
 * piece. */
struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool full;
};

static void piece(struct line *l, const char *bytes, size_t len) {
	if (l->full) return;
	if (len > sizeof(l->text) - sizeof(cut_mark) - l->len) {
		memcpy(l->text + l->len, cut_mark, sizeof(cut_mark) - 1);
		l->len += sizeof(cut_mark) - 1;
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
}

static bool is_plain_byte(uint8_t c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		   (c != 0 && strchr("_-./:@+,#$%*", c));
}

static bool is_plain_word(struct span s) {
	for (size_t i = 0; i < s.len; i++) {
		if (!is_plain_byte(s.ptr[i])) return false;
	}
	return s.len > 0;
}

/* One character of a quoted value; anything a terminal or a log reader could act on becomes \xNN.
 */
static size_t escaped(struct line *l, struct span s) {
	uint32_t code = 0;
	size_t len = utf8_next(s, &code);
	if (len == 1 && (code == '"' || code == '\\')) {
		char pair[2] = {'\\', (char)code};
		piece(l, pair, 2);
	} else if (len == 1 && code == '\n') {
		piece(l, "\\n", 2);
	} else if (len > 0 && utf8_is_plain(code)) {
		piece(l, (const char *)s.ptr, len);
	} else {
		char hex[5];
		int n = snprintf(hex, sizeof(hex), "\\x%02x", (unsigned)s.ptr[0]);
		if (n == 4) piece(l, hex, 4);
		return 1;
	}
	return len;
}

static void value(struct line *l, struct span s) {
	if (is_plain_word(s)) {
		piece(l, (const char *)s.ptr, s.len);
		return;
	}
	piece(l, "\"", 1);
	while (s.len && !l->full) s = span_drop(s, escaped(l, s));
	piece(l, "\"", 1);
}

void log_line(struct log *l, enum log_level level, const char *event, ...) {
	if (level > l->level) return;
	struct line line = {.len = 0};
	piece(&line, "event=", 6);
	value(&line, span_str(event));
	va_list args;
	va_start(args, event);
	for (const char *key = va_arg(args, const char *); key; key = va_arg(args, const char *)) {
		const char *text = va_arg(args, const char *);
		piece(&line, " ", 1);
		piece(&line, key, strlen(key));
		piece(&line, "=", 1);
		value(&line, text ? span_str(text) : SPAN_LIT("-"));
	}
	va_end(args);
	line.text[line.len] = '\0';
	if (l->sink) {
		l->sink(l->ctx, level, line.text);
	} else {
		(void)fprintf(stderr, "%s\n", line.text); /* nowhere to report a failing stderr */
	}
}

bool log_gate_open(struct log_gate *g, int64_t boot_ms, uint32_t burst, int64_t every_ms) {
	if (g->open) g->dropped = 0; /* the line after the last true has told it */
	if (boot_ms >= g->next_ms) {
		uint64_t regained =
			every_ms > 0 ? 1 + (uint64_t)(boot_ms - g->next_ms) / (uint64_t)every_ms : burst;
		g->used = regained >= g->used ? 0 : g->used - (uint32_t)regained;
		g->next_ms = boot_ms + every_ms;
	}
	g->open = g->used < burst;
	if (g->open) {
		g->used++;
	} else if (g->dropped < UINT32_MAX) {
		g->dropped++;
	}
	return g->open;
}
