/* Durable event files; see spool_dir.h. A write is: file, fsync, rename, fsync of the folder. */
#include "clients/sdk/spool_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char tmp_name[] = "new.tmp";
static const char *const suffixes[] = {"ring", "motion", "clip"};
enum { DIGITS = 20 };

static void event_name(enum vestibule_kind kind, uint64_t seq, const char *end,
					   char out[SPOOL_DIR_NAME_SIZE]) {
	(void)snprintf(out, SPOOL_DIR_NAME_SIZE, "%020" PRIu64 "-%s%s", seq, suffixes[kind],
				   end); /* always fits */
}

static void last_name(uint64_t seq, char out[SPOOL_DIR_NAME_SIZE]) {
	(void)snprintf(out, SPOOL_DIR_NAME_SIZE, "%020" PRIu64 "-last", seq); /* always fits */
}

/* "00000000000000000041-ring" -> 41 and "ring"; NULL when it is not of that shape. */
static const char *split_name(const char *name, uint64_t *seq) {
	uint64_t value = 0;
	for (size_t i = 0; i < DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9') return NULL;
		unsigned digit = (unsigned)(name[i] - '0');
		if (value > ((uint64_t)INT64_MAX - digit) / 10) return NULL;
		value = value * 10 + digit;
	}
	if (name[DIGITS] != '-' || value == 0) return NULL;
	*seq = value;
	return name + DIGITS + 1;
}

enum err spool_dir_open(struct spool_dir *d, const char *path) {
	*d = (struct spool_dir){.fd = -1, .lock_fd = -1};
	if (mkdir(path, 0700) != 0 && errno != EEXIST) return ERR_STORE;
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) return ERR_STORE;
	struct stat st;
	bool known = fstat(d->fd, &st) == 0;
	if (!known || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		int cause = errno;
		spool_dir_close(d);
		errno = cause;
		return known ? ERR_INPUT : ERR_STORE;
	}
	d->lock_fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0 || flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		int cause = errno;
		spool_dir_close(d);
		errno = cause;
		return ERR_STORE;
	}
	return ERR_NONE;
}

void spool_dir_close(struct spool_dir *d) {
	if (d->lock_fd >= 0) (void)close(d->lock_fd); /* nothing was written through it */
	if (d->fd >= 0) (void)close(d->fd);
	d->fd = d->lock_fd = -1;
}

/* Two "-last" files can be there after a crash; the lower one has done its duty. */
static void see_last(struct spool_dir *d, uint64_t seq) {
	uint64_t lower = seq < d->marker ? seq : d->marker;
	char name[SPOOL_DIR_NAME_SIZE];
	if (lower != 0) {
		last_name(lower, name);
		(void)unlinkat(d->fd, name, 0); /* tried again at the next start */
	}
	if (seq > d->marker) d->marker = seq;
	if (seq > d->last) d->last = seq;
}

static enum err see(struct spool_dir *d, const char *name, spool_dir_each_fn *each, void *ctx) {
	uint64_t seq = 0;
	const char *end = split_name(name, &seq);
	if (!end) return ERR_NONE;
	struct span suffix = span_str(end);
	for (size_t k = 0; k < sizeof suffixes / sizeof *suffixes; k++) {
		struct span kind = span_str(suffixes[k]);
		if (!span_starts(suffix, kind)) continue;
		struct span rest = span_drop(suffix, kind.len);
		if (rest.len == 0) return each(ctx, (enum vestibule_kind)k, seq);
		if (!span_eq(rest, SPAN_LIT(".bad"))) continue;
		d->bad++;
		if (seq > d->last) d->last = seq; /* its number was used, too */
		return ERR_NONE;
	}
	if (span_eq(suffix, SPAN_LIT("last"))) see_last(d, seq);
	return ERR_NONE;
}

enum err spool_dir_scan(struct spool_dir *d, spool_dir_each_fn *each, void *ctx) {
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0) (void)close(fd); /* the first error is the one to tell */
		return ERR_STORE;
	}
	(void)unlinkat(d->fd, tmp_name, 0); /* usually not there */
	enum err e = ERR_NONE;
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry) {
			if (errno != 0) e = ERR_STORE;
			break;
		}
		if ((e = see(d, entry->d_name, each, ctx)) != ERR_NONE) break;
	}
	(void)closedir(dir); /* read only */
	return e;
}

static enum err write_all(int fd, struct span bytes) {
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return ERR_STORE;
		bytes = span_drop(bytes, (size_t)n);
	}
	return fsync(fd) == 0 ? ERR_NONE : ERR_STORE;
}

/* After a failure the name must not stay: the caller was told that nothing was kept. */
static enum err give_up(struct spool_dir *d, const char *name) {
	int cause = errno;
	(void)unlinkat(d->fd, name, 0);
	errno = cause;
	return ERR_STORE;
}

enum err spool_dir_write(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq,
						 struct span bytes) {
	char name[SPOOL_DIR_NAME_SIZE];
	event_name(kind, seq, "", name);
	int fd = openat(d->fd, tmp_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) return ERR_STORE;
	enum err e = write_all(fd, bytes);
	int cause = errno;
	if (close(fd) != 0 && e == ERR_NONE) {
		e = ERR_STORE;
		cause = errno;
	}
	errno = cause;
	if (e != ERR_NONE) return give_up(d, tmp_name);
	if (renameat(d->fd, tmp_name, d->fd, name) != 0) return give_up(d, tmp_name);
	if (fsync(d->fd) != 0) return give_up(d, name);
	return ERR_NONE;
}

enum err spool_dir_read(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq,
						struct buf *out) {
	char name[SPOOL_DIR_NAME_SIZE];
	uint8_t piece[1024];
	event_name(kind, seq, "", name);
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) return ERR_STORE;
	enum err e = ERR_NONE;
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) e = ERR_STORE;
		if (n <= 0) break;
		buf_put(out, piece, (size_t)n);
		if ((e = buf_error(out)) != ERR_NONE) break;
	}
	(void)close(fd); /* read only */
	return e;
}

/* The event with the highest seq becomes the "-last" file; the one before it is then not needed any
 * more. */
static enum err become_last(struct spool_dir *d, const char *name, uint64_t seq) {
	char last[SPOOL_DIR_NAME_SIZE], before[SPOOL_DIR_NAME_SIZE];
	last_name(seq, last);
	if (renameat(d->fd, name, d->fd, last) != 0) return ERR_STORE;
	int fd =
		openat(d->fd, last, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW); /* only its name counts */
	if (fd >= 0) (void)close(fd);
	if (d->marker != 0) {
		last_name(d->marker, before);
		(void)unlinkat(d->fd, before, 0); /* a left one is harmless: the highest counts */
	}
	d->last = d->marker = seq;
	return ERR_NONE;
}

enum err spool_dir_remove(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq) {
	char name[SPOOL_DIR_NAME_SIZE];
	event_name(kind, seq, "", name);
	if (seq > d->last) return become_last(d, name, seq);
	return unlinkat(d->fd, name, 0) == 0 ? ERR_NONE : ERR_STORE;
}

enum err spool_dir_set_aside(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq) {
	char name[SPOOL_DIR_NAME_SIZE], bad[SPOOL_DIR_NAME_SIZE];
	if (d->bad >= SPOOL_DIR_BAD_MAX) return spool_dir_remove(d, kind, seq);
	event_name(kind, seq, "", name);
	event_name(kind, seq, ".bad", bad);
	if (renameat(d->fd, name, d->fd, bad) != 0) return ERR_STORE;
	d->bad++;
	if (seq > d->last) d->last = seq;
	return ERR_NONE;
}
