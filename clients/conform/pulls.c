/* See pulls.h. */
#include "clients/conform/pulls.h"

#include <openssl/evp.h>
#include <sys/random.h>

void pulls_init(struct pulls *p, struct checks *checks, struct codec *codec, const char *device) {
	*p = (struct pulls){.checks = checks, .codec = codec, .device = device};
}

void pulls_fini(struct pulls *p) {
	EVP_MD_CTX_free((EVP_MD_CTX *)p->sha);
	p->sha = NULL;
}

static void enter(struct pulls *p, enum pulls_phase phase) {
	p->phase = phase;
	p->waits = false;
	p->next = p->end = 0;
}

enum err pulls_start(struct pulls *p, const struct said *clip, int64_t now_ms) {
	pulls_fini(p);
	p->sha = EVP_MD_CTX_new();
	if (!p->sha || EVP_DigestInit_ex((EVP_MD_CTX *)p->sha, EVP_sha256(), NULL) != 1)
		return ERR_NOMEM;
	p->clip = *clip;
	p->since_ms = now_ms;
	enter(p, PULLS_WHOLE);
	return ERR_NONE;
}

/* --- asking ----------------------------------------------------------------------------------- */

static uint64_t part_length(const struct pulls *p) {
	return p->phase == PULLS_POSTER ? p->clip.poster_length : p->clip.payload_length;
}

/* How much to pull now; 1 byte where none is to be had. */
static uint64_t piece_of(const struct pulls *p, uint64_t offset) {
	uint64_t most = p->phase == PULLS_WHOLE && offset == 0 ? (uint64_t)PULLS_FIRST_BYTES
														   : (uint64_t)CODEC_PULL_MAX;
	uint64_t left = part_length(p) > offset ? part_length(p) - offset : 0;
	if (p->phase == PULLS_RANGE || p->phase == PULLS_GONE || left == 0) return 1;
	return left < most ? left : most;
}

static void name_clip(struct pulls *p, struct moment now) {
	uint8_t random[10], id[UUID_BYTES];
	if (p->phase != PULLS_GONE) {
		uuid_text(p->clip.clip_id, p->clip_text);
		return;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0x5a, sizeof(random)); /* any id that no clip has will do */
	uuid_v7(now.utc_ms, random, id);
	uuid_text(id, p->clip_text);
}

bool pulls_ask(struct pulls *p, struct moment now, struct buf *topic, struct buf *payload) {
	if (p->waits || p->phase == PULLS_IDLE || p->phase == PULLS_DONE) return false;
	Vestibule__V1__ClipPull pull = VESTIBULE__V1__CLIP_PULL__INIT;
	uint64_t offset = p->phase == PULLS_RANGE ? p->clip.payload_length : p->next;
	name_clip(p, now);
	pull.part = p->phase == PULLS_POSTER ? VESTIBULE__V1__PART__PART_POSTER
										 : VESTIBULE__V1__PART__PART_PAYLOAD;
	pull.offset = offset;
	pull.length = (uint32_t)piece_of(p, offset);
	p->end = offset + pull.length;
	struct topic t = {.kind = TOPIC_DEVICE_PULL,
					  .device = span_str(p->device),
					  .clip = span_str(p->clip_text),
					  .username = SPAN_LIT(PULLS_ASKER)};
	topic_build(&t, topic);
	p->waits = true;
	p->since_ms = now.boot_ms;
	return codec_encode(&pull.base, payload) == ERR_NONE;
}

/* --- judging ---------------------------------------------------------------------------------- */

static enum check check_of(enum pulls_phase phase) {
	static const enum check checks[] = {
		[PULLS_IDLE] = CHECK_CHUNK_ASKED, [PULLS_WHOLE] = CHECK_PULL,
		[PULLS_RANGE] = CHECK_PULL_RANGE, [PULLS_GONE] = CHECK_PULL_GONE,
		[PULLS_POSTER] = CHECK_POSTER,    [PULLS_DONE] = CHECK_CHUNK_ASKED,
	};
	return checks[phase];
}

static void next_phase(struct pulls *p) {
	if (p->phase < PULLS_DONE) enter(p, (enum pulls_phase)(p->phase + 1));
}

static bool spoil(struct pulls *p) {
	memcpy(p->spoiled, p->clip_text, sizeof(p->spoiled));
	next_phase(p);
	return false;
}

/* The phase is over with a failure of its check. */
static bool wrong(struct pulls *p, const char *limit, const char *what, uint64_t number) {
	checks_fail(p->checks, check_of(p->phase), limit, "%s %llu", what, (unsigned long long)number);
	return spoil(p);
}

static const char *status_word(int status) {
	const char *word = codec_word(&vestibule__v1__chunk_status__descriptor, status);
	return word ? word : "unknown";
}

/* The answers that are one chunk with a status and nothing else. */
static bool take_status(struct pulls *p, const Vestibule__V1__ClipChunk *c, int want) {
	if ((int)c->status == want && c->data.len == 0) {
		checks_ok(p->checks, check_of(p->phase));
		next_phase(p);
		return true;
	}
	checks_fail(p->checks, check_of(p->phase), "one chunk with that status and no data",
				"status %s with %zu bytes of data, not %s", status_word((int)c->status),
				c->data.len, status_word(want));
	return spoil(p);
}

static bool finish_payload(struct pulls *p) {
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	checks_ok(p->checks, CHECK_PULL);
	bool same = EVP_DigestFinal_ex((EVP_MD_CTX *)p->sha, digest, &len) == 1 &&
				span_eq(span_of(digest, len), span_of(p->clip.sha256, sizeof(p->clip.sha256)));
	if (same)
		checks_ok(p->checks, CHECK_PULL_HASH);
	else
		checks_fail(p->checks, CHECK_PULL_HASH, "payload_sha256 of ClipReady",
					"another SHA-256 over the %llu bytes that were pulled",
					(unsigned long long)p->clip.payload_length);
	next_phase(p);
	return same;
}

static bool take_data(struct pulls *p, const Vestibule__V1__ClipChunk *c) {
	uint64_t end = c->offset + c->data.len;
	if (c->status != VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_OK) return take_status(p, c, 0);
	if (c->offset != p->next) return wrong(p, "the offset that follows", "offset", c->offset);
	if (c->data.len == 0) return wrong(p, "1-65536 bytes", "no data at offset", c->offset);
	if (end > p->end)
		return wrong(p, "no byte behind offset + length of the pull", "data up to", end);
	if (!c->last != (end != part_length(p)))
		return wrong(p, "last on the chunk that ends the part, and only there",
					 c->last ? "last on a chunk that ends at" : "no last on a chunk that ends at",
					 end);
	if (p->phase == PULLS_WHOLE &&
		EVP_DigestUpdate((EVP_MD_CTX *)p->sha, c->data.data, c->data.len) != 1)
		return wrong(p, "memory", "cannot hash the chunk at", c->offset);
	p->next = end;
	p->waits = end < p->end;
	if (!c->last) return true;
	if (p->phase == PULLS_WHOLE) return finish_payload(p);
	checks_ok(p->checks, CHECK_POSTER);
	next_phase(p);
	return true;
}

bool pulls_take(struct pulls *p, struct span clip, const Vestibule__V1__ClipChunk *c,
				int64_t now_ms) {
	bool waited = p->waits && span_eq(clip, span_str(p->clip_text));
	if (!waited && span_eq(clip, span_str(p->spoiled))) return true;
	if (!waited) {
		checks_fail(p->checks, CHECK_CHUNK_ASKED,
					"chunks of the clip that was pulled, until length",
					"a chunk at offset %llu that no pull waits for", (unsigned long long)c->offset);
		return false;
	}
	checks_ok(p->checks, CHECK_CHUNK_ASKED);
	p->since_ms = now_ms;
	if ((c->part == VESTIBULE__V1__PART__PART_POSTER) != (p->phase == PULLS_POSTER))
		return wrong(p, "the part that was pulled", "a chunk of another part at offset", c->offset);
	if (p->phase == PULLS_RANGE)
		return take_status(p, c, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_RANGE);
	if (p->phase == PULLS_GONE || part_length(p) == 0)
		return take_status(p, c, VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE);
	return take_data(p, c);
}

void pulls_tick(struct pulls *p, int64_t now_ms) {
	if (p->waits && now_ms - p->since_ms > PULLS_WAIT_MS)
		(void)wrong(p, "an answer, within 30 s here", "no chunk after a pull at offset", p->next);
}
