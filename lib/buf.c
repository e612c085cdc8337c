/* Growable bytes with a maximum. Formats of the project (topics, messages, log lines) are built on
 * it elsewhere; only JSON strings live here, because every writer of JSON needs exactly this
 * escaping. */
#include "lib/buf.h"

#include <stdarg.h>

#include "lib/hex.h"
#include "lib/utf8.h"

enum { FIRST_CAP = 64 };

void buf_init(struct buf *b, size_t max) {
	*b = (struct buf){.max = max};
}

void buf_fini(struct buf *b) {
	free(b->ptr);
	*b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b) {
	b->len = 0;
	b->error = ERR_NONE;
	if (b->ptr) b->ptr[0] = 0;
}

/* Makes room for `more` bytes and the zero after them. */
static bool reserve(struct buf *b, size_t more) {
	if (b->error != ERR_NONE) return false;
	if (b->max == SIZE_MAX || more > b->max - b->len) {
		b->error = ERR_LIMIT;
		return false;
	}
	size_t need = b->len + more + 1;
	if (need <= b->cap) return true;
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1) cap = b->max + 1;
	uint8_t *grown = realloc(b->ptr, cap);
	if (!grown) {
		b->error = ERR_NOMEM;
		return false;
	}
	b->ptr = grown;
	b->cap = cap;
	return true;
}

void buf_put(struct buf *b, const void *bytes, size_t len) {
	if (!reserve(b, len)) return;
	if (len) memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	b->ptr[b->len] = 0;
}

void buf_span(struct buf *b, struct span s) {
	buf_put(b, s.ptr, s.len);
}

void buf_str(struct buf *b, const char *s) {
	buf_put(b, s, strlen(s));
}

void buf_char(struct buf *b, char c) {
	buf_put(b, &c, 1);
}

void buf_int(struct buf *b, int64_t v) {
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (v < 0) digits[--at] = '-';
	buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *fmt, ...) {
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	if (len < 0) {
		if (b->error == ERR_NONE) b->error = ERR_INPUT;
	} else if (reserve(b, (size_t)len)) {
		(void)vsnprintf((char *)b->ptr + b->len, (size_t)len + 1, fmt, again); /* measured above */
		b->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void buf_hex(struct buf *b, struct span s) {
	if (s.len > SIZE_MAX / 2) {
		if (b->error == ERR_NONE) b->error = ERR_LIMIT;
		return;
	}
	if (!reserve(b, 2 * s.len)) return;
	hex_encode(s, (char *)b->ptr + b->len);
	b->len += 2 * s.len;
}

static void json_char(struct buf *b, struct span s, size_t len, uint32_t code) {
	switch (code) {
	case '"': buf_str(b, "\\\""); return;
	case '\\': buf_str(b, "\\\\"); return;
	case '\n': buf_str(b, "\\n"); return;
	case '\r': buf_str(b, "\\r"); return;
	case '\t': buf_str(b, "\\t"); return;
	default: break;
	}
	if (code < 0x20 || code == 0x7F) {
		buf_printf(b, "\\u%04x", (unsigned)code);
	} else {
		buf_put(b, s.ptr, len);
	}
}

void buf_json(struct buf *b, struct span s) {
	buf_char(b, '"');
	while (s.len && b->error == ERR_NONE) {
		uint32_t code = 0;
		size_t len = utf8_next(s, &code);
		if (len == 0) {
			buf_str(b, "\xEF\xBF\xBD");
			len = 1;
		} else {
			json_char(b, s, len, code);
		}
		s = span_drop(s, len);
	}
	buf_char(b, '"');
}

enum err buf_error(const struct buf *b) {
	return b->error;
}

struct span buf_view(const struct buf *b) {
	return span_of(b->ptr, b->len);
}

const char *buf_cstr(const struct buf *b) {
	return b->ptr ? (const char *)b->ptr : "";
}

uint8_t *buf_steal(struct buf *b, size_t *len) {
	if (b->error != ERR_NONE || !b->ptr) return NULL;
	uint8_t *bytes = b->ptr;
	*len = b->len;
	*b = (struct buf){.max = b->max};
	return bytes;
}
