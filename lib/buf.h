/* Growable bytes with a mandatory maximum, after curl's dynbuf: a buffer that could grow without
 * end does not exist here. Errors stick: after the first failure every later append does nothing
 * and buf_error() keeps the cause, so a writer checks once, at the end. Not thread safe; one owner.
 *
 *     struct buf b; buf_init(&b, 4096);
 *     buf_str(&b, "event="); buf_json(&b, name); ...
 *     if (buf_error(&b)) ...            ERR_LIMIT or ERR_NOMEM
 *     send(b.ptr, b.len); buf_fini(&b);
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/err.h"
#include "lib/span.h"

struct buf {
	uint8_t *ptr; /* owned; always followed by a zero byte once anything was appended */
	size_t len;
	size_t cap;
	size_t max; /* len never exceeds it */
	enum err error;
};

void buf_init(struct buf *b, size_t max); /* allocates nothing */
void buf_fini(struct buf *b);             /* frees; b may be initialised again */
void buf_reset(struct buf *b);            /* empties and clears the error, keeps the memory */

void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_span(struct buf *b, struct span s);
void buf_str(struct buf *b, const char *s); /* s: borrowed, zero-terminated, not NULL */
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_hex(struct buf *b, struct span s); /* lower case */
void buf_json(struct buf *b,
			  struct span s); /* a quoted JSON string; bytes that are not UTF-8 become U+FFFD */

enum err buf_error(const struct buf *b) MUST_CHECK;
struct span buf_view(const struct buf *b); /* borrowed until the next change */
const char *buf_cstr(const struct buf *b); /* borrowed; "" when empty */

/* The bytes, with a terminating zero after them, now the caller's to free(); *len is written; b is
 * empty again. NULL when an error stuck or nothing was ever appended. */
uint8_t *buf_steal(struct buf *b, size_t *len);

#endif
