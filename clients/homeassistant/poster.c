/* See poster.h. */
#include "clients/homeassistant/poster.h"

void poster_init(struct poster *p) {
	*p = (struct poster){0};
	buf_init(&p->bytes, POSTER_BYTES_MAX);
}

void poster_fini(struct poster *p) {
	buf_fini(&p->bytes);
	p->clip[0] = '\0';
}

bool poster_begin(struct poster *p, struct span clip, uint64_t length, int64_t now_ms) {
	uint8_t id[UUID_BYTES];
	buf_reset(&p->bytes);
	p->clip[0] = '\0';
	if (uuid_parse(clip, id) != ERR_NONE || length == 0 || length > POSTER_BYTES_MAX) return false;
	uuid_text(id, p->clip);
	p->length = (uint32_t)length;
	p->tries = 0;
	p->due_ms = now_ms;
	return true;
}

bool poster_next(struct poster *p, int64_t now_ms, uint64_t *offset, uint32_t *len) {
	if (!p->clip[0] || now_ms < p->due_ms) return false;
	if (p->tries == POSTER_TRIES) {
		p->clip[0] = '\0';
		return false;
	}
	p->tries++;
	p->due_ms = now_ms + POSTER_RETRY_MS;
	*offset = p->bytes.len;
	*len = p->length - (uint32_t)p->bytes.len;
	return true;
}

bool poster_take(struct poster *p, int64_t now_ms, struct span clip,
				 const Vestibule__V1__ClipChunk *chunk) {
	if (!p->clip[0] || !span_eq(clip, span_str(p->clip))) return false;
	if (chunk->part != VESTIBULE__V1__PART__PART_POSTER) return false;
	bool ok = chunk->status == VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_OK;
	/* earlier bytes came twice; later ones follow a loss, and come again */
	if (ok && (chunk->offset != p->bytes.len || chunk->data.len == 0)) return false;
	if (ok && chunk->data.len <= p->length - p->bytes.len) {
		buf_put(&p->bytes, chunk->data.data, chunk->data.len);
		p->due_ms = now_ms + POSTER_RETRY_MS;
		if (buf_error(&p->bytes) == ERR_NONE && p->bytes.len < p->length) return false;
		ok = buf_error(&p->bytes) == ERR_NONE;
	} else {
		ok = false;
	}
	p->clip[0] = '\0'; /* whole, or gone, or not what was announced */
	return ok;
}

struct span poster_jpeg(const struct poster *p) {
	struct span s = buf_view(&p->bytes);
	return span_starts(s, SPAN_LIT("\xff\xd8\xff")) ? s : SPAN_LIT("");
}
