/* The sliding window of one pulled clip: which ranges were asked for, which bytes are here, which
 * are missing. Bytes may come in any order and any number of times; they leave in order. Memory is
 * WINDOW_BYTES however long the clip is. Pure but for the ring it allocates at birth; time is an
 * argument (boot milliseconds). One owner.
 *
 *     window_pull() says what to ask for next, window_put() takes what came,
 *     window_ready() / window_take() hand on what is in order.
 *
 * Invariants: base <= asked <= end; every range in have[] lies in [base, asked), asked <= base +
 * WINDOW_BYTES, sorted, apart. */
#ifndef RELAY_WINDOW_H
#define RELAY_WINDOW_H

#include "lib/err.h"
#include "lib/span.h"

enum {
	WINDOW_PULL_BYTES = 262144,                      /* one pull: four chunks of a usual device */
	WINDOW_PULLS = 4,                                /* asked for and not complete */
	WINDOW_BYTES = WINDOW_PULL_BYTES * WINDOW_PULLS, /* 1 MiB */
	WINDOW_RANGES_MAX = 64,  /* islands of early bytes; more are dropped and asked again */
	WINDOW_TIMEOUT_MS = 3000 /* silence after which a pull is asked again; doubles */
};

struct window_range {
	uint64_t begin, end; /* half-open */
};

struct window_pull {
	uint64_t begin, end;
	int64_t heard_ms; /* asked, or a new byte of it or of what was asked before it came */
	uint32_t tries;   /* repeated so often since a byte of it came */
	bool used;
};

struct window {
	uint8_t *ring;  /* owned: byte n of the clip is ring[n % WINDOW_BYTES] */
	uint64_t base;  /* the next byte to hand on */
	uint64_t asked; /* the first byte never asked for */
	uint64_t end;   /* length of the clip */
	struct window_range have[WINDOW_RANGES_MAX];
	size_t have_count;
	struct window_pull pulls[WINDOW_PULLS];
};

/* start: bytes already handed on in an earlier life. ERR_INPUT: start > length; ERR_NOMEM. */
enum err window_init(struct window *w, uint64_t start, uint64_t length) MUST_CHECK;
void window_fini(struct window *w);

/* The next range to ask for, if any: first what is missing of a pull that fell silent, then new
 * ground. It counts as asked at now_ms. False: nothing to ask now. */
bool window_pull(struct window *w, int64_t now_ms, uint64_t *offset, uint32_t *length);
void window_ask_again(
	struct window *w); /* everything outstanding is due at once: the connection was lost */
int64_t window_due_ms(
	const struct window *w); /* boot time at which a pull falls silent; INT64_MAX: none */

/* Takes bytes at offset, as far as they were asked for; true when at least one was new. */
bool window_put(struct window *w, uint64_t offset, struct span bytes, int64_t now_ms);

struct span window_ready(
	const struct window *w); /* in order, from base; up to the ring's edge; may be empty */
void window_take(struct window *w, size_t n); /* n <= window_ready().len: handed on */

#endif
