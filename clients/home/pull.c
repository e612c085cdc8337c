/* Go back to where the file ends, whatever was lost. Writing, hashing and the connection are
 * clip.c's. */
#include "clients/home/pull.h"

void pull_init(struct pull *p, uint64_t length, uint64_t have, int64_t now_ms) {
	*p = (struct pull){
		.length = length,
		.have = have,
		.asked = have,
		.hole_at = UINT64_MAX,
		.retry_ms = PULL_RETRY_MS,
		.waits_since_ms = now_ms,
	};
}

bool pull_is_done(const struct pull *p) {
	return p->have == p->length;
}

static void ask_again(struct pull *p, int64_t now_ms) {
	p->asked = p->have;
	p->waits_since_ms = now_ms;
}

bool pull_next(struct pull *p, int64_t now_ms, uint64_t *offset, uint32_t *len) {
	if (p->asked > p->have && now_ms - p->waits_since_ms >= p->retry_ms) {
		ask_again(p, now_ms);
		p->hole_at = UINT64_MAX;
		p->retry_ms = p->retry_ms > PULL_RETRY_MAX_MS / 2 ? PULL_RETRY_MAX_MS : 2 * p->retry_ms;
	}
	if (p->asked >= p->length || p->asked - p->have > PULL_WINDOW - PULL_PIECE) return false;
	if (p->asked == p->have) p->waits_since_ms = now_ms;
	uint64_t left = p->length - p->asked;
	*offset = p->asked;
	*len = left < PULL_PIECE ? (uint32_t)left : (uint32_t)PULL_PIECE;
	p->asked += *len;
	return true;
}

/* A chunk that starts beyond the file's end: something was lost. The first one at each place makes
 * us ask again; those behind it belong to the same loss. */
static enum pull_verdict note_hole(struct pull *p, int64_t now_ms) {
	if (p->hole_at != p->have) {
		p->hole_at = p->have;
		ask_again(p, now_ms);
	}
	return PULL_IGNORE;
}

enum pull_verdict pull_take(struct pull *p, int64_t now_ms, const Vestibule__V1__ClipChunk *chunk,
							struct span *fresh) {
	if (chunk->part != VESTIBULE__V1__PART__PART_PAYLOAD) return PULL_IGNORE;
	if (chunk->status == VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE) return PULL_GONE;
	if (chunk->status != VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_OK) return PULL_WRONG;
	if (chunk->offset > p->length || chunk->data.len > p->length - chunk->offset) return PULL_WRONG;
	uint64_t end = chunk->offset + chunk->data.len;
	if (chunk->last && end != p->length) return PULL_WRONG;
	if (end <= p->have) return PULL_IGNORE;
	if (chunk->offset > p->have) return note_hole(p, now_ms);
	*fresh =
		span_drop(span_of(chunk->data.data, chunk->data.len), (size_t)(p->have - chunk->offset));
	p->have = end;
	if (p->asked < p->have) p->asked = p->have;
	p->retry_ms = PULL_RETRY_MS;
	p->waits_since_ms = now_ms;
	return PULL_TAKE;
}
