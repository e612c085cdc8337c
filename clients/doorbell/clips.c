/* See clips.h. */
#include "clients/doorbell/clips.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/doorbell/mp4.h"
#include "proto/codec.h"
#include "proto/uuid.h"

enum { NAME_SIZE = UUID_TEXT + 8, PIECE = 65536 };

struct kept {
	uint8_t id[UUID_BYTES];
	uint64_t size;
};

struct clips {
	int dir;
	pthread_mutex_t lock; /* everything below */
	struct kept *all;     /* sorted by id; room for CLIPS_COUNT_MAX */
	size_t count;
	uint64_t bytes;  /* of all, and what is promised to copies under way */
	uint32_t copies; /* under way */
	uint64_t bytes_max;
	uint64_t deleted;
};

static void file_name(const uint8_t id[UUID_BYTES], const char *end, char out[NAME_SIZE]) {
	char text[UUID_TEXT_SIZE];
	uuid_text(id, text);
	(void)snprintf(out, NAME_SIZE, "%s%s", text, end); /* always fits */
}

/* --- the index, under the lock --------------------------------------------------------------- */

static size_t place_of(const struct clips *c, const uint8_t id[UUID_BYTES]) {
	size_t low = 0, high = c->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(c->all[mid].id, id, UUID_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void insert(struct clips *c, const uint8_t id[UUID_BYTES], uint64_t size) {
	size_t at = place_of(c, id);
	memmove(&c->all[at + 1], &c->all[at], (c->count - at) * sizeof *c->all);
	memcpy(c->all[at].id, id, UUID_BYTES);
	c->all[at].size = size;
	c->count++;
}

static void delete_at(struct clips *c, size_t at) {
	char name[NAME_SIZE];
	file_name(c->all[at].id, ".mp4", name);
	(void)unlinkat(c->dir, name, 0); /* when it cannot go it is found again at the next start */
	c->bytes -= c->all[at].size;
	c->count--;
	memmove(&c->all[at], &c->all[at + 1], (c->count - at) * sizeof *c->all);
}

static bool has_room(const struct clips *c, uint64_t size) {
	return c->count + c->copies < CLIPS_COUNT_MAX && size <= c->bytes_max &&
		   c->bytes <= c->bytes_max - size;
}

/* Promises size bytes to a copy. False: also without any clip there would be no room. */
static bool reserve(struct clips *c, uint64_t size) {
	(void)pthread_mutex_lock(&c->lock);
	while (!has_room(c, size) && c->count > 0) {
		delete_at(c, 0);
		c->deleted++;
	}
	bool ok = has_room(c, size);
	if (ok) {
		c->bytes += size;
		c->copies++;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return ok;
}

static void settle(struct clips *c, const struct clips_item *item, bool copied) {
	(void)pthread_mutex_lock(&c->lock);
	c->copies--;
	if (copied)
		insert(c, item->id, item->size);
	else
		c->bytes -= item->size;
	(void)pthread_mutex_unlock(&c->lock);
}

/* --- opening --------------------------------------------------------------------------------- */

static void see(struct clips *c, const char *name) {
	struct span s = span_str(name);
	struct stat st;
	uint8_t id[UUID_BYTES];
	struct span end = span_drop(s, UUID_TEXT);
	if (s.len < UUID_TEXT || uuid_parse(span_of(name, UUID_TEXT), id) != ERR_NONE) return;
	if (span_eq(end, SPAN_LIT(".part")))
		(void)unlinkat(c->dir, name, 0); /* tried again at the next start */
	if (!span_eq(end, SPAN_LIT(".mp4"))) return;
	if (fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return;
	if (c->count == CLIPS_COUNT_MAX) {
		if (memcmp(id, c->all[0].id, sizeof id) < 0)
			return; /* older than all: left alone, not served from the index */
		delete_at(c, 0);
		c->deleted++;
	}
	insert(c, id, (uint64_t)st.st_size);
	c->bytes += (uint64_t)st.st_size;
}

static enum err scan(struct clips *c) {
	int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0) (void)close(fd); /* the first error is the one to tell */
		return ERR_STORE;
	}
	errno = 0;
	for (const struct dirent *e; (e = readdir(d)) != NULL; errno = 0) see(c, e->d_name);
	enum err result = errno == 0 ? ERR_NONE : ERR_STORE;
	(void)closedir(d); /* read only */
	return result;
}

/* Who may write to the folder could put clips of their own into it. Cannot tell: shared. */
static bool is_shared(int dir) {
	struct stat st;
	return fstat(dir, &st) != 0 || (st.st_mode & (S_IWGRP | S_IWOTH));
}

struct clips *clips_open(const char *dir, uint64_t bytes_max, char why[CLIPS_WHY_SIZE]) {
	struct clips *c = (struct clips *)calloc(1, sizeof *c);
	if (c) c->all = (struct kept *)calloc(CLIPS_COUNT_MAX, sizeof *c->all);
	if (!c || !c->all || pthread_mutex_init(&c->lock, NULL) != 0) {
		(void)snprintf(why, CLIPS_WHY_SIZE, "out of memory");
		if (c) free(c->all);
		free(c);
		return NULL;
	}
	c->bytes_max = bytes_max;
	c->dir = mkdir(dir, 0700) != 0 && errno != EEXIST
				 ? -1
				 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool shared = c->dir >= 0 && is_shared(c->dir);
	if (c->dir < 0 || shared || scan(c) != ERR_NONE) {
		(void)snprintf(why, CLIPS_WHY_SIZE, "%.100s: %s", dir,
					   shared ? "mode 0700 needed, others may write" : strerror(errno));
		clips_close(c);
		return NULL;
	}
	while (c->bytes > c->bytes_max && c->count > 0) { /* the limit was lowered */
		delete_at(c, 0);
		c->deleted++;
	}
	return c;
}

void clips_close(struct clips *c) {
	if (!c) return;
	if (c->dir >= 0) (void)close(c->dir);
	(void)pthread_mutex_destroy(&c->lock); /* nobody holds it any more */
	free(c->all);
	free(c);
}

/* --- taking a clip --------------------------------------------------------------------------- */

static enum err copy_piece(int from, int to, uint64_t at, uint8_t *piece, size_t want) {
	size_t got = 0, put = 0;
	while (got < want) {
		ssize_t n = pread(from, piece + got, want - got, (off_t)(at + got));
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return ERR_STORE;
		if (n == 0) return ERR_INPUT; /* shorter than it was */
		got += (size_t)n;
	}
	while (put < want) {
		ssize_t n = write(to, piece + put, want - put);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return ERR_STORE;
		put += (size_t)n;
	}
	return ERR_NONE;
}

/* Copies item->size bytes and hashes what was written. */
static enum err copy(int from, int to, struct clips_item *item) {
	enum err e = ERR_NOMEM;
	unsigned len = sizeof item->sha256;
	uint8_t *piece = (uint8_t *)malloc(PIECE);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	if (!piece || !hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) goto done;
	for (uint64_t at = 0; at < item->size;) {
		size_t want = item->size - at < PIECE ? (size_t)(item->size - at) : PIECE;
		if ((e = copy_piece(from, to, at, piece, want)) != ERR_NONE) goto done;
		if (EVP_DigestUpdate(hash, piece, want) != 1) {
			e = ERR_NOMEM;
			goto done;
		}
		at += want;
	}
	e = EVP_DigestFinal_ex(hash, item->sha256, &len) == 1 ? ERR_NONE : ERR_NOMEM;
done:
	EVP_MD_CTX_free(hash);
	free(piece);
	return e;
}

static bool read_at(void *ctx, uint64_t at, void *into, size_t len) {
	const int *fd = (const int *)ctx;
	return pread(*fd, into, len, (off_t)at) == (ssize_t)len;
}

/* The clip as ID.part, fsynced. Its duration is read from our copy, which nobody else changes. */
static enum err write_part(struct clips *c, int from, const char *part, struct clips_item *item) {
	int to = openat(c->dir, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0) return ERR_STORE;
	enum err e = copy(from, to, item);
	if (e == ERR_NONE && mp4_duration(read_at, &to, item->size, &item->duration_ms) != ERR_NONE)
		item->duration_ms = 0;
	if (e == ERR_NONE && fsync(to) != 0) e = ERR_STORE;
	int cause = errno;
	if (close(to) != 0 && e == ERR_NONE) {
		e = ERR_STORE;
		cause = errno;
	}
	errno = cause;
	return e;
}

static enum err store(struct clips *c, int from, struct clips_item *item) {
	char part[NAME_SIZE], name[NAME_SIZE];
	file_name(item->id, ".part", part);
	file_name(item->id, ".mp4", name);
	enum err e = write_part(c, from, part, item);
	if (e == ERR_NONE && renameat(c->dir, part, c->dir, name) != 0) e = ERR_STORE;
	int cause = errno;
	if (e != ERR_NONE) {
		(void)unlinkat(c->dir, part, 0); /* else it is removed at the next start */
	} else if (fsync(c->dir) != 0) {
		e = ERR_STORE;
		cause = errno;
		(void)unlinkat(c->dir, name, 0);
	}
	errno = cause;
	return e;
}

static enum err say(enum err e, char why[CLIPS_WHY_SIZE], const char *text) {
	(void)snprintf(why, CLIPS_WHY_SIZE, "%s", text);
	return e;
}

enum err clips_take(struct clips *c, int fd, struct clips_item *out, char why[CLIPS_WHY_SIZE]) {
	struct stat st;
	struct clips_item item = {.size = 0};
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return say(ERR_INPUT, why, "the clip is not a regular file");
	if (st.st_size <= 0) return say(ERR_INPUT, why, "the clip is empty");
	item.size = (uint64_t)st.st_size;
	if (item.size > CODEC_CLIP_MAX || item.size > c->bytes_max) {
		uint64_t most = c->bytes_max < CODEC_CLIP_MAX ? c->bytes_max : CODEC_CLIP_MAX;
		(void)snprintf(why, CLIPS_WHY_SIZE, "the clip has %" PRIu64 " bytes; at most %" PRIu64,
					   item.size, most);
		return ERR_LIMIT;
	}
	if (!vestibule_new_id(item.id)) return say(ERR_STORE, why, "the system gave no random bytes");
	if (!reserve(c, item.size))
		return say(ERR_LIMIT, why, "other clips are being stored; try again");
	enum err e = store(c, fd, &item);
	if (e == ERR_STORE)
		(void)snprintf(why, CLIPS_WHY_SIZE, "the clip cannot be stored: %s", strerror(errno));
	settle(c, &item, e == ERR_NONE);
	if (e == ERR_INPUT) return say(e, why, "the clip became shorter while it was copied");
	if (e == ERR_NOMEM) return say(e, why, "out of memory");
	if (e == ERR_NONE) *out = item;
	return e;
}

void clips_remove(struct clips *c, const uint8_t id[VESTIBULE_ID_BYTES]) {
	(void)pthread_mutex_lock(&c->lock);
	size_t at = place_of(c, id);
	if (at < c->count && memcmp(c->all[at].id, id, UUID_BYTES) == 0) delete_at(c, at);
	(void)pthread_mutex_unlock(&c->lock);
}

void clips_wipe(struct clips *c) {
	(void)pthread_mutex_lock(&c->lock);
	while (c->count > 0) delete_at(c, c->count - 1);
	(void)pthread_mutex_unlock(&c->lock);
}

int64_t clips_read(void *ctx, const struct vestibule_read *want, uint8_t *into, uint64_t *size) {
	const struct clips *c = (const struct clips *)ctx; /* only the folder: no lock */
	char name[NAME_SIZE];
	struct stat st;
	if (want->part != VESTIBULE_PAYLOAD) return VESTIBULE_GONE;
	file_name(want->clip_id, ".mp4", name);
	int fd = openat(c->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) return VESTIBULE_GONE;
	int64_t n = VESTIBULE_GONE;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		n = want->offset >= *size ? 0 : pread(fd, into, want->len, (off_t)want->offset);
		if (n < 0) n = VESTIBULE_GONE; /* a clip that cannot be read is as good as gone */
	}
	(void)close(fd); /* read only */
	return n;
}

struct clips_usage clips_usage(struct clips *c) {
	(void)pthread_mutex_lock(&c->lock);
	struct clips_usage u = {.bytes = c->bytes,
							.bytes_max = c->bytes_max,
							.deleted = c->deleted,
							.count = (uint32_t)c->count};
	(void)pthread_mutex_unlock(&c->lock);
	return u;
}
