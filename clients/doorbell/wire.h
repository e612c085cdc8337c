/* What passes through the doorbell's socket: one line from the client, one line back, and for a
 * clip the open file itself (SCM_RIGHTS), so that the daemon never opens a path that somebody else
 * names.
 *
 *     motion<TAB>kind=person<TAB>confidence=900<LF>
 *     0<TAB>event_id=018b...<TAB>seq=41<LF>      an answer begins with the client's exit code
 *     64<TAB>field=kind<TAB>message=...<LF>
 *
 * Keys are [a-z0-9_.], values have no control characters. Neither side trusts the other's line. Any
 * thread. */
#ifndef DOORBELL_WIRE_H
#define DOORBELL_WIRE_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/span.h"

enum { WIRE_LINE_MAX = 2048, WIRE_PAIRS_MAX = 40 };

struct wire_pair {
	struct span key, value;
};

struct wire_line { /* spans borrow the parsed bytes */
	struct span word;
	struct wire_pair pairs[WIRE_PAIRS_MAX];
	size_t count;
};

/* bytes: without the line feed. ERR_INPUT: not of the shape above; ERR_LIMIT: too many pairs. */
enum err wire_parse(struct span bytes, struct wire_line *out) MUST_CHECK;
struct span wire_get(const struct wire_line *l, const char *key); /* the empty span when absent */

/* Appends TAB key=value; a control character in value becomes '?'. */
void wire_put(struct buf *b, const char *key, const char *value);
void wire_put_int(struct buf *b, const char *key, uint64_t value);

/* Sends all of line and, with it, a copy of the descriptor (fd -1: none). ERR_NET: errno. */
enum err wire_send(int sock, struct span line, int fd) MUST_CHECK;

/* Reads up to and without the line feed into out (reset first). *fd gets the descriptor that came
 * along, now the caller's, or -1; more than one are closed. ERR_LIMIT: longer than WIRE_LINE_MAX;
 * ERR_NET: errno, or the peer closed (errno 0). */
enum err wire_receive(int sock, struct buf *out, int *fd) MUST_CHECK;

#endif
