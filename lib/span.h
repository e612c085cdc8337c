/* A span is borrowed bytes with their length: every outside string becomes one at the edge, so that
 * no code inside ever looks for a terminating zero. A span owns nothing and is valid as long as
 * what it points into. Zero ({NULL, 0}) is the empty span. Pure, any thread. */
#ifndef LIB_SPAN_H
#define LIB_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *ptr;
	size_t len;
};

#define SPAN_LIT(s) ((struct span){(const uint8_t *)("" s ""), sizeof(s) - 1})

static inline struct span span_of(const void *ptr, size_t len) {
	return (struct span){(const uint8_t *)ptr, ptr ? len : 0};
}

/* For zero-terminated strings of our own (literals, row fields, API strings at the glue); NULL is
 * empty. */
static inline struct span span_str(const char *s) {
	return span_of(s, s ? strlen(s) : 0);
}

static inline bool span_eq(struct span a, struct span b) {
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_starts(struct span s, struct span prefix) {
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* The rest after the first n bytes; empty when there are fewer. */
static inline struct span span_drop(struct span s, size_t n) {
	return n >= s.len ? (struct span){NULL, 0} : (struct span){s.ptr + n, s.len - n};
}

/* Copies s into dst[cap] and terminates it. False, and dst empty, when it does not fit or holds a
 * zero. */
static inline bool span_copy(struct span s, char *dst, size_t cap) {
	if (cap == 0) return false;
	dst[0] = '\0';
	if (s.len >= cap || (s.len && memchr(s.ptr, 0, s.len))) return false;
	if (s.len) memcpy(dst, s.ptr, s.len);
	dst[s.len] = '\0';
	return true;
}

#endif
