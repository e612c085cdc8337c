/* See mp4.h. A box: 4 bytes size, 4 bytes type; size 1: 8 more bytes of size; size 0: to the end of
 * the file. */
#include "clients/doorbell/mp4.h"

enum { HEADER = 8, HEADER_LARGE = 16, MVHD_V0 = 20, MVHD_V1 = 32 };

struct walk {
	mp4_read_fn *read;
	void *ctx;
	unsigned boxes; /* looked at so far */
};

struct box {
	uint8_t type[4];
	uint64_t body; /* offset of what follows the header */
	uint64_t end;  /* first offset behind the box */
};

static uint32_t be32(const uint8_t *p) {
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p) {
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static bool is_type(const struct box *b, const char *type) {
	return memcmp(b->type, type, sizeof b->type) == 0;
}

/* The box at `at`, which must lie wholly before `end`; only a box of the file itself may reach to
 * its end by size 0. */
static enum err read_box(struct walk *w, uint64_t at, uint64_t end, bool top, struct box *out) {
	uint8_t h[HEADER_LARGE];
	if (w->boxes++ >= MP4_BOXES_MAX) return ERR_LIMIT;
	if (end - at < HEADER) return ERR_INPUT;
	if (!w->read(w->ctx, at, h, HEADER)) return ERR_STORE;
	uint64_t size = be32(h);
	uint64_t header = HEADER;
	if (size == 1) {
		if (end - at < HEADER_LARGE) return ERR_INPUT;
		if (!w->read(w->ctx, at + HEADER, h + HEADER, HEADER)) return ERR_STORE;
		size = be64(h + HEADER);
		header = HEADER_LARGE;
	} else if (size == 0 && top) {
		size = end - at;
	}
	if (size < header || size > end - at) return ERR_INPUT;
	memcpy(out->type, h + 4, sizeof out->type);
	out->body = at + header;
	out->end = at + size;
	return ERR_NONE;
}

static enum err find(struct walk *w, uint64_t at, uint64_t end, bool top, const char *type,
					 struct box *out) {
	while (at < end) {
		enum err e = read_box(w, at, end, top, out);
		if (e != ERR_NONE) return e;
		if (is_type(out, type)) return ERR_NONE;
		at = out->end;
	}
	return ERR_ABSENT;
}

/* version and flags (4), creation and modification time (2 x 4 or 2 x 8), timescale (4), duration
 * (4 or 8) */
static enum err read_mvhd(struct walk *w, const struct box *b, uint32_t *ms) {
	uint8_t f[MVHD_V1];
	uint64_t left = b->end - b->body;
	if (left < MVHD_V0) return ERR_INPUT;
	if (!w->read(w->ctx, b->body, f, MVHD_V0)) return ERR_STORE;
	uint32_t scale = be32(f + 12);
	uint64_t duration = be32(f + 16);
	bool unknown = duration == UINT32_MAX;
	if (f[0] == 1) {
		if (left < MVHD_V1) return ERR_INPUT;
		if (!w->read(w->ctx, b->body + MVHD_V0, f + MVHD_V0, MVHD_V1 - MVHD_V0)) return ERR_STORE;
		scale = be32(f + 20);
		duration = be64(f + 24);
		unknown = duration == UINT64_MAX;
	} else if (f[0] != 0) {
		return ERR_INPUT;
	}
	if (scale == 0) return ERR_INPUT;
	if (unknown || duration == 0) return ERR_ABSENT;
	if (duration / scale > MP4_DURATION_MAX_MS / 1000)
		return ERR_LIMIT; /* so that the product below fits */
	uint64_t total = duration * 1000 / scale;
	if (total > MP4_DURATION_MAX_MS) return ERR_LIMIT;
	*ms = total == 0 ? 1 : (uint32_t)total; /* shorter than a millisecond is still a clip */
	return ERR_NONE;
}

enum err mp4_duration(mp4_read_fn *read, void *ctx, uint64_t size, uint32_t *ms) {
	struct walk w = {.read = read, .ctx = ctx};
	struct box b;
	enum err e = size < HEADER ? ERR_INPUT : read_box(&w, 0, size, true, &b);
	if (e != ERR_NONE) return e;
	if (!is_type(&b, "ftyp")) return ERR_INPUT;
	if ((e = find(&w, b.end, size, true, "moov", &b)) != ERR_NONE)
		return e == ERR_ABSENT ? ERR_INPUT : e;
	if ((e = find(&w, b.body, b.end, false, "mvhd", &b)) != ERR_NONE)
		return e == ERR_ABSENT ? ERR_INPUT : e;
	return read_mvhd(&w, &b, ms);
}
