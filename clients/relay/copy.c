/* One clip on its way. Which clips, how many at once, and what a failure means for the job:
 * transfers.c. */
#include "clients/relay/copy.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "clients/relay/window.h"

enum { COPY_REREAD_BYTES = 65536, COPY_REREAD_PER_STEP = 16 };

enum phase { PHASE_REREAD = 0, PHASE_PULL, PHASE_COMMIT };

struct copy {
	struct backend *backend;
	struct backend_upload *upload;
	EVP_MD_CTX *hash;
	struct window window;
	uint8_t sha256[OUTBOX_SHA256];
	uint64_t length;
	uint64_t start;  /* held at begin: to be hashed again */
	uint64_t hashed; /* in order, from 0 */
	uint64_t held;   /* durable */
	int64_t progress_ms;
	enum phase phase;
	bool blocked; /* the backend said not now */
	bool gone;
	bool wrong_range;
};

static void release(struct copy *c, bool keep) {
	if (c->upload) c->backend->ops->end(c->upload, keep);
	EVP_MD_CTX_free(c->hash);
	window_fini(&c->window);
	free(c);
}

enum copy_result copy_new(struct backend *backend, const struct outbox_object *o, int64_t boot_ms,
						  struct copy **out) {
	struct backend_object object = {
		.name = o->name, .length = o->length, .sha256 = o->sha256, .exp_ms = o->exp_ms};
	*out = NULL;
	struct copy *c = calloc(1, sizeof(*c));
	if (!c) goto no_memory;
	*c = (struct copy){
		.backend = backend, .length = o->length, .held = o->received, .progress_ms = boot_ms};
	memcpy(c->sha256, o->sha256, sizeof(c->sha256));
	enum backend_result r = backend->ops->begin(backend, &object, &c->held, &c->upload);
	if (r != BACKEND_DONE) {
		release(c, true);
		return r == BACKEND_PRESENT ? COPY_STORED : r == BACKEND_AGAIN ? COPY_BUSY : COPY_STORAGE;
	}
	c->start = c->held;
	c->hash = EVP_MD_CTX_new();
	if (!c->hash || !EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL) ||
		window_init(&c->window, c->start, c->length) != ERR_NONE) {
		release(c, true);
		goto no_memory;
	}
	*out = c;
	return COPY_BUSY;
no_memory:
	(void)snprintf(backend->why, sizeof(backend->why), "no memory"); /* fits */
	return COPY_STORAGE;
}

void copy_free(struct copy *c, bool keep) {
	if (c) release(c, keep);
}

bool copy_pull(struct copy *c, int64_t boot_ms, uint64_t *offset, uint32_t *length) {
	return c->phase != PHASE_COMMIT && window_pull(&c->window, boot_ms, offset, length);
}

void copy_reconnected(struct copy *c, int64_t boot_ms) {
	c->progress_ms = boot_ms;
	window_ask_again(&c->window);
}

void copy_chunk(struct copy *c, const Vestibule__V1__ClipChunk *chunk, int64_t boot_ms) {
	if (chunk->part != VESTIBULE__V1__PART__PART_PAYLOAD) return;
	if (chunk->status == VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_GONE) {
		c->gone = true;
		return;
	}
	/* the device's clip is shorter than the job says, so it is not the clip the job means */
	uint64_t end = chunk->offset + chunk->data.len;
	bool ends_early = chunk->last && end < c->length && end >= chunk->offset;
	if (chunk->status != VESTIBULE__V1__CHUNK_STATUS__CHUNK_STATUS_OK || ends_early) {
		c->wrong_range = true;
		return;
	}
	if (window_put(&c->window, chunk->offset, span_of(chunk->data.data, chunk->data.len), boot_ms))
		c->progress_ms = boot_ms;
}

/* Some of the held bytes; false: the storage or libcrypto failed. */
static bool reread_some(struct copy *c, int64_t boot_ms) {
	uint8_t block[COPY_REREAD_BYTES];
	c->progress_ms = boot_ms;
	for (int i = 0; i < COPY_REREAD_PER_STEP && c->hashed < c->start; i++) {
		size_t len =
			c->start - c->hashed < sizeof(block) ? (size_t)(c->start - c->hashed) : sizeof(block);
		if (c->backend->ops->reread(c->upload, c->hashed, block, len) != BACKEND_DONE) return false;
		if (!EVP_DigestUpdate(c->hash, block, len)) return false;
		c->hashed += len;
	}
	if (c->hashed == c->start) c->phase = PHASE_PULL;
	return true;
}

/* Everything in order, until the storage has enough; false: it failed or is full. */
static bool write_ready(struct copy *c) {
	struct span ready;
	c->blocked = false;
	while ((ready = window_ready(&c->window)).len && !c->blocked) {
		size_t taken = 0;
		enum backend_result r = c->backend->ops->write(c->upload, ready, &taken);
		if (r == BACKEND_AGAIN)
			c->blocked = true;
		else if (r != BACKEND_DONE)
			return false;
		if (taken && !EVP_DigestUpdate(c->hash, ready.ptr, taken)) return false;
		window_take(&c->window, taken);
		c->hashed += taken;
	}
	return true;
}

static bool hash_is_right(struct copy *c) {
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	return EVP_DigestFinal_ex(c->hash, sum, &len) && len == OUTBOX_SHA256 &&
		   CRYPTO_memcmp(sum, c->sha256, len) == 0;
}

static enum copy_result pull_step(struct copy *c, int64_t boot_ms) {
	if (c->gone) return COPY_GONE;
	if (c->wrong_range) return COPY_MISMATCH;
	if (!write_ready(c)) return COPY_STORAGE;
	if (c->hashed == c->length) {
		if (!hash_is_right(c)) return COPY_MISMATCH;
		c->phase = PHASE_COMMIT;
		return COPY_VERIFIED;
	}
	if (c->hashed - c->held >= COPY_MARK_BYTES) {
		enum backend_result r = c->backend->ops->sync(c->upload);
		if (r == BACKEND_FAILED || r == BACKEND_FULL) return COPY_STORAGE;
		if (r == BACKEND_DONE) {
			c->held = c->hashed;
			return COPY_MARK;
		}
	}
	if (c->blocked) c->progress_ms = boot_ms; /* the storage is slow, not the device */
	return boot_ms - c->progress_ms >= COPY_STALL_MS ? COPY_STALLED : COPY_BUSY;
}

enum copy_result copy_step(struct copy *c, int64_t boot_ms) {
	if (c->phase == PHASE_REREAD && !reread_some(c, boot_ms)) return COPY_STORAGE;
	if (c->phase == PHASE_REREAD) return COPY_BUSY;
	if (c->phase == PHASE_PULL) return pull_step(c, boot_ms);
	enum backend_result r = c->backend->ops->commit(c->upload);
	if (r == BACKEND_AGAIN) return COPY_BUSY;
	return r == BACKEND_DONE ? COPY_STORED : COPY_STORAGE;
}

void copy_park(struct copy *c) {
	/* a failure leaves held where it was: less to resume, nothing wrong */
	if (c->phase != PHASE_REREAD && c->backend->ops->sync(c->upload) == BACKEND_DONE)
		c->held = c->hashed;
}

uint64_t copy_held(const struct copy *c) {
	return c->held;
}

bool copy_has_work(const struct copy *c) {
	if (c->phase == PHASE_REREAD || c->gone || c->wrong_range) return true;
	return c->phase == PHASE_PULL && !c->blocked &&
		   (window_ready(&c->window).len || c->hashed == c->length);
}

int64_t copy_due_ms(const struct copy *c) {
	if (c->phase == PHASE_COMMIT) return INT64_MAX; /* the backend's turn */
	int64_t due = window_due_ms(&c->window);
	return c->progress_ms + COPY_STALL_MS < due ? c->progress_ms + COPY_STALL_MS : due;
}
