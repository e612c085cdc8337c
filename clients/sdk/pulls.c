/* See pulls.h. */
#include "clients/sdk/pulls.h"

enum { CHUNK_ENCODED_MAX = VESTIBULE_CHUNK_BYTES + 64 };

void pulls_init(struct pulls *p, struct codec *codec, vestibule_clip_read_fn *read, void *ctx) {
	*p = (struct pulls){.codec = codec, .read = read, .ctx = ctx};
	buf_init(&p->encoded, CHUNK_ENCODED_MAX);
}

void pulls_clear(struct pulls *p) {
	p->count = 0;
	free(p->piece);
	p->piece = NULL;
	buf_fini(&p->encoded);
	buf_init(&p->encoded, CHUNK_ENCODED_MAX);
}

static bool waits_already(const struct pulls *p, const struct pull *x) {
	for (size_t i = 0; i < p->count; i++) {
		const struct pull *y = &p->all[i];
		if (memcmp(x->clip_id, y->clip_id, sizeof x->clip_id) == 0 &&
			strcmp(x->username, y->username) == 0 && x->part == y->part && x->offset == y->offset &&
			x->left == y->left)
			return true;
	}
	return false;
}

enum err pulls_add(struct pulls *p, const char *clip, const char *username, struct span bytes) {
	ProtobufCMessage *msg = NULL;
	struct codec_fault why;
	struct pull x = {.part = VESTIBULE_PAYLOAD};
	enum err e = codec_decode_routed(p->codec, CODEC_PULL, bytes, &msg, &why);
	if (e != ERR_NONE) return e == ERR_NOMEM ? e : ERR_INPUT;
	const Vestibule__V1__ClipPull *m = (const Vestibule__V1__ClipPull *)msg;
	x.part = m->part == VESTIBULE__V1__PART__PART_POSTER ? VESTIBULE_POSTER : VESTIBULE_PAYLOAD;
	x.offset = m->offset;
	x.left = m->length;
	if (uuid_parse(span_str(clip), x.clip_id) != ERR_NONE ||
		!span_copy(span_str(clip), x.clip, sizeof x.clip) ||
		!span_copy(span_str(username), x.username, sizeof x.username) ||
		x.offset > UINT64_MAX - x.left)
		return ERR_INPUT;
	if (waits_already(p, &x)) return ERR_NONE;
	if (p->count == PULLS_MAX) return ERR_LIMIT;
	if (!p->piece && !(p->piece = (uint8_t *)malloc(VESTIBULE_CHUNK_BYTES))) return ERR_NOMEM;
	p->all[p->count++] = x;
	return ERR_NONE;
}

/* Removes the first pull; puts it behind the others when more of it is left. */
static void advance(struct pulls *p, struct pull now) {
	memmove(&p->all[0], &p->all[1], (p->count - 1) * sizeof p->all[0]);
	p->count--;
	if (now.left > 0) p->all[p->count++] = now;
}

/* Reads the next piece of x and says in m what it is; x moves on, x->left is 0 after the last
 * chunk. */
static void fill(struct pulls *p, struct pull *x, Vestibule__V1__ClipChunk *m) {
	size_t want = x->left < VESTIBULE_CHUNK_BYTES ? (size_t)x->left : VESTIBULE_CHUNK_BYTES;
	uint64_t size = 0;
	struct vestibule_read ask = {.part = x->part, .offset = x->offset, .len = want};
	memcpy(ask.clip_id, x->clip_id, sizeof ask.clip_id);
	int64_t got = p->read ? p->read(p->ctx, &ask, p->piece, &size) : VESTIBULE_GONE;
	m->part = x->part == VESTIBULE_POSTER ? VESTIBULE__V1__PART__PART_POSTER
										  : VESTIBULE__V1__PART__PART_PAYLOAD;
	m->offset = x->offset;
	uint64_t left = x->left;
	x->left = 0;
	if (got < 0) {
		m->status = VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE;
	} else if (got == 0 || (uint64_t)got > want || x->offset >= size ||
			   (uint64_t)got > size - x->offset) {
		m->status = VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_RANGE;
	} else {
		m->data = (ProtobufCBinaryData){.len = (size_t)got, .data = p->piece};
		x->offset += (uint64_t)got;
		m->last = x->offset == size;
		if (!m->last) x->left = left - (uint64_t)got;
	}
}

enum err pulls_next(struct pulls *p, struct pull *to, struct span *payload) {
	Vestibule__V1__ClipChunk m = VESTIBULE__V1__CLIP_CHUNK__INIT;
	if (p->count == 0) {
		if (p->piece) pulls_clear(p); /* the last chunk left: no buffers while idle */
		return ERR_ABSENT;
	}
	struct pull x = p->all[0];
	fill(p, &x, &m);
	buf_reset(&p->encoded);
	enum err e = codec_encode(&m.base, &p->encoded);
	if (e != ERR_NONE) x.left = 0;
	advance(p, x);
	if (e != ERR_NONE) return ERR_NOMEM;
	*to = x;
	*payload = buf_view(&p->encoded);
	return ERR_NONE;
}
