/* What our programs print: values from outside as text for a terminal, and whole messages as one
 * line of JSON. A name that somebody else chose may hold bytes that move the cursor, reorder the
 * line or fake a second one, so nothing from a message reaches the terminal but through here. What
 * a line says is each program's business. Any thread.
 *
 *     show_time(&b, clip->start_ms); show_field(&b, info->device); show_line(&b);
 */
#ifndef MQ_SHOW_H
#define MQ_SHOW_H

#include <stdarg.h>

#include "lib/buf.h"
#include "proto/codec.h"

enum { SHOW_LINE_MAX = 1048576 }; /* for buf_init: the longest message as JSON is well below it */

/* Appends s (NULL is empty) as one line of plain text: characters that may not be shown become '?'.
 */
void show_text(struct buf *b, const char *s);
/* Two spaces, then show_text; "-" for an empty s: one column of a listing. */
void show_field(struct buf *b, const char *s);
/* UTC as 2026-11-25T20:00:00Z; "-" for 0 and for times after the year 9999. */
void show_time(struct buf *b, uint64_t ms);
/* UUID text of 16 bytes; "-" for anything else. */
void show_id(struct buf *b, const ProtobufCBinaryData *id);

/* Word of an enum value, with spaces for underscores when `spaced`; "unknown" for one without a
 * word. */
void show_word(struct buf *b, const ProtobufCEnumDescriptor *e, int value, bool spaced);

/* Writes what b holds and a line feed to stdout, flushes, and empties b. False: b has an error, or
 * stdout failed; a sentence is on stderr. */
bool show_line(struct buf *b) MUST_CHECK;

/* "PROGRAM: SENTENCE" on stderr, cut at 1023 bytes. */
void show_complain(const char *program, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
