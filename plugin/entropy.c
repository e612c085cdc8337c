/* See entropy.h. */
#include "plugin/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "lib/err.h"

static bool refill(struct entropy *e) {
	size_t have = 0;
	while (have < ENTROPY_POOL) {
		ssize_t got = getrandom(e->pool + have, ENTROPY_POOL - have, 0);
		if (got < 0 && errno == EINTR) continue;
		if (!ENSURE(got > 0)) return false;
		have += (size_t)got;
	}
	e->left = ENTROPY_POOL;
	return true;
}

void entropy_fill(void *ctx, uint8_t *out, size_t len) {
	struct entropy *e = ctx;
	while (len > 0) {
		if (e->left == 0 && !refill(e)) {
			memset(out, 0, len);
			return;
		}
		size_t n = len < e->left ? len : e->left;
		uint8_t *from = e->pool + ENTROPY_POOL - e->left;
		memcpy(out, from, n);
		explicit_bzero(from, n);
		e->left -= n;
		out += n;
		len -= n;
	}
}

void entropy_fill_homes(void *ctx, uint8_t *out, size_t len) {
	entropy_fill(&((struct entropy_pools *)ctx)->homes, out, len);
}

void entropy_fill_agencies(void *ctx, uint8_t *out, size_t len) {
	entropy_fill(&((struct entropy_pools *)ctx)->agencies, out, len);
}
