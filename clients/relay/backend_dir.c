/* Clips as files of one directory: NAME is a whole object, NAME.part an upload under way,
 * used-EXP-NONCE a link that was followed. Hold-back commit is a rename after fsync, and the
 * directory is synced too. The disk is taken to be local: reads and writes here may wait for it.
 * Downloads are served by serve.c. */
#include "clients/relay/backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/relay/link.h"
#include "clients/relay/serve.h"

#define PART_SUFFIX ".part"
enum { PART_SIZE = BACKEND_NAME_SIZE + 5 };

struct backend_upload {
	struct dir_backend *owner;
	char name[BACKEND_NAME_SIZE];
	int fd;
	uint64_t length;
	uint64_t written;
};

struct dir_backend {
	struct backend base; /* first: a struct backend * is one of these */
	int dir;
	uint8_t key[LINK_KEY_BYTES];
	char *public_url; /* owned; without a slash at its end; NULL: no links */
	struct serve *serve;
};

static struct dir_backend *self(struct backend *b) {
	return (struct dir_backend *)b;
}

static enum backend_result failed(struct dir_backend *d, const char *what) {
	int e = errno;
	(void)snprintf(d->base.why, sizeof(d->base.why), "storage directory: %s: %s", what,
				   strerror(e)); /* cut is fine */
	return e == ENOSPC || e == EDQUOT || e == EFBIG ? BACKEND_FULL : BACKEND_FAILED;
}

static void part_name(const char *name, char out[PART_SIZE]) {
	(void)snprintf(out, PART_SIZE, "%.32s" PART_SUFFIX, name); /* fits */
}

/* --- uploads --- */

static enum backend_result stat_object(struct backend *b, const char *name, uint64_t *length) {
	struct dir_backend *d = self(b);
	struct stat st;
	if (fstatat(d->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? BACKEND_ABSENT : (failed(d, "stat"), BACKEND_FAILED);
	*length = (uint64_t)st.st_size;
	return BACKEND_DONE;
}

/* Opens the partial file cut to what is both there and known to be durable. */
static enum backend_result open_part(struct backend_upload *up, uint64_t *held) {
	char part[PART_SIZE];
	struct stat st;
	part_name(up->name, part);
	up->fd = openat(up->owner->dir, part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (up->fd < 0) return failed(up->owner, "open");
	if (fstat(up->fd, &st) != 0) return failed(up->owner, "stat");
	uint64_t have = (uint64_t)st.st_size < *held ? (uint64_t)st.st_size : *held;
	if (have > up->length) have = 0;
	if (ftruncate(up->fd, (off_t)have) != 0) return failed(up->owner, "truncate");
	*held = up->written = have;
	return BACKEND_DONE;
}

static enum backend_result begin(struct backend *b, const struct backend_object *o, uint64_t *held,
								 struct backend_upload **out) {
	struct dir_backend *d = self(b);
	uint64_t there = 0;
	enum backend_result r = stat_object(b, o->name, &there);
	if (r == BACKEND_DONE)
		return there == o->length ? BACKEND_PRESENT
								  : (errno = EEXIST, failed(d, "object of another length"));
	if (r != BACKEND_ABSENT) return r;
	struct backend_upload *up = calloc(1, sizeof(*up));
	if (!up) {
		errno = ENOMEM;
		return failed(d, "begin");
	}
	*up = (struct backend_upload){.owner = d, .fd = -1, .length = o->length};
	if (!span_copy(span_str(o->name), up->name, sizeof(up->name)))
		errno = EINVAL, r = failed(d, "name");
	else
		r = open_part(up, held);
	if (r == BACKEND_DONE) {
		*out = up;
		return r;
	}
	if (up->fd >= 0) (void)close(up->fd); /* nothing was written */
	free(up);
	return r;
}

static enum backend_result reread(struct backend_upload *up, uint64_t offset, uint8_t *out,
								  size_t len) {
	while (len) {
		ssize_t n = pread(up->fd, out, len, (off_t)offset);
		if (n < 0 && errno == EINTR) continue;
		if (n == 0) errno = EIO; /* shorter than it was at begin */
		if (n <= 0) return (failed(up->owner, "read"), BACKEND_FAILED);
		out += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return BACKEND_DONE;
}

static enum backend_result write_bytes(struct backend_upload *up, struct span bytes,
									   size_t *taken) {
	*taken = 0;
	if (bytes.len > up->length - up->written) {
		errno = EINVAL;
		return failed(up->owner, "more bytes than the clip has");
	}
	ssize_t n;
	do n = pwrite(up->fd, bytes.ptr, bytes.len, (off_t)up->written);
	while (n < 0 && errno == EINTR);
	if (n < 0) return failed(up->owner, "write");
	up->written += (uint64_t)n;
	*taken = (size_t)n;
	return n ? BACKEND_DONE : (errno = ENOSPC, failed(up->owner, "write"));
}

static enum backend_result sync_part(struct backend_upload *up) {
	return fdatasync(up->fd) == 0 ? BACKEND_DONE : failed(up->owner, "fdatasync");
}

static enum backend_result commit(struct backend_upload *up) {
	char part[PART_SIZE];
	struct dir_backend *d = up->owner;
	part_name(up->name, part);
	if (up->written != up->length) {
		errno = EINVAL;
		return failed(d, "commit of a part");
	}
	if (fsync(up->fd) != 0) return failed(d, "fsync");
	if (renameat(d->dir, part, d->dir, up->name) != 0) return failed(d, "rename");
	return fsync(d->dir) == 0 ? BACKEND_DONE : failed(d, "fsync of the directory");
}

static void end(struct backend_upload *up, bool keep) {
	char part[PART_SIZE];
	if (!up) return;
	part_name(up->name, part);
	/* absent after a commit; another failure leaves bytes that the next begin or the sweep takes */
	if (!keep) (void)unlinkat(up->owner->dir, part, 0);
	(void)close(up->fd); /* what must be durable was synced */
	free(up);
}

int backend_dir_fd(const struct backend_upload *up) {
	return up->fd;
}

/* --- objects --- */

static bool unlink_or_absent(struct dir_backend *d, const char *name) {
	return unlinkat(d->dir, name, 0) == 0 || errno == ENOENT;
}

static enum backend_result remove_object(struct backend *b, const char *name) {
	struct dir_backend *d = self(b);
	char part[PART_SIZE];
	part_name(name, part);
	if (d->serve) serve_cut(d->serve, name);
	if (!unlink_or_absent(d, name) || !unlink_or_absent(d, part))
		return (failed(d, "unlink"), BACKEND_FAILED);
	if (fsync(d->dir) != 0) return (failed(d, "fsync of the directory"), BACKEND_FAILED);
	return BACKEND_DONE;
}

static enum backend_result make_link(struct backend *b, const char *name, int64_t expires_ms,
									 struct buf *url) {
	struct dir_backend *d = self(b);
	uint8_t nonce[LINK_NONCE_BYTES];
	uint64_t length = 0;
	if (!d->public_url) return BACKEND_ABSENT;
	enum backend_result r = stat_object(b, name, &length);
	if (r != BACKEND_DONE) return r;
	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return (failed(d, "random bytes"), BACKEND_FAILED);
	buf_str(url, d->public_url);
	if (link_make(d->key, name, expires_ms, nonce, url) == ERR_NONE) return BACKEND_DONE;
	errno = ENOMEM;
	return failed(d, "link");
}

/* Reports the object that a file belongs to; removes remembered nonces that are past use. */
static void look_at(struct dir_backend *d, const char *file, struct moment now, backend_name_fn *fn,
					void *ctx) {
	char name[BACKEND_NAME_SIZE];
	struct span s = span_str(file);
	if (now.sound && serve_used_is_over(file, now.utc_ms)) {
		(void)unlinkat(d->dir, file, 0); /* the next sweep tries again */
		return;
	}
	bool is_part = s.len == BACKEND_NAME_LEN + sizeof(PART_SUFFIX) - 1 &&
				   memcmp(file + BACKEND_NAME_LEN, PART_SUFFIX, sizeof(PART_SUFFIX) - 1) == 0;
	if (is_part) s.len = BACKEND_NAME_LEN;
	if (link_object_is_valid(s) && span_copy(s, name, sizeof(name))) fn(ctx, name);
}

static enum backend_result list(struct backend *b, struct moment now, backend_name_fn *fn,
								void *ctx) {
	struct dir_backend *d = self(b);
	int fd = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		enum backend_result r = failed(d, "list");
		if (fd >= 0) (void)close(fd); /* only read from */
		return r;
	}
	struct dirent *entry;
	errno = 0;
	while ((entry = readdir(dir))) {
		look_at(d, entry->d_name, now, fn, ctx);
		errno = 0;
	}
	enum backend_result r = errno ? failed(d, "list") : BACKEND_DONE;
	(void)closedir(dir); /* only read from */
	return r;
}

/* --- life --- */

static void dir_free(struct backend *b) {
	struct dir_backend *d = self(b);
	serve_free(d->serve);
	if (d->dir >= 0) (void)close(d->dir); /* every change was synced */
	free(d->public_url);
	explicit_bzero(d->key, sizeof(d->key));
	free(d);
}

static const struct backend_ops dir_ops = {
	.begin = begin,
	.reread = reread,
	.write = write_bytes,
	.sync = sync_part,
	.commit = commit,
	.end = end,
	.remove = remove_object,
	.stat = stat_object,
	.link = make_link,
	.list = list,
	.free = dir_free,
};

static bool make_key(const char *path, uint8_t key[LINK_KEY_BYTES]) {
	if (getrandom(key, LINK_KEY_BYTES, 0) != LINK_KEY_BYTES) return false;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) return false;
	bool good = write(fd, key, LINK_KEY_BYTES) == LINK_KEY_BYTES && fsync(fd) == 0;
	int e = errno;
	if (close(fd) != 0) good = false;
	if (!good) (void)unlink(path); /* half a key must not stay; the sentence tells the cause */
	errno = e;
	return good;
}

static bool load_key(const char *path, uint8_t key[LINK_KEY_BYTES], char why[BACKEND_WHY_SIZE]) {
	struct stat st;
	uint8_t extra;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make_key(path, key)) return true;
	if (fd < 0) {
		(void)snprintf(why, BACKEND_WHY_SIZE, "link key file %s: %s", path,
					   strerror(errno)); /* cut is fine */
		return false;
	}
	bool closed = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) == 0;
	bool whole =
		closed && read(fd, key, LINK_KEY_BYTES) == LINK_KEY_BYTES && read(fd, &extra, 1) == 0;
	(void)close(fd); /* only read from */
	if (!whole)
		(void)snprintf(why, BACKEND_WHY_SIZE, "link key file %s: %s", path,
					   closed ? "must hold exactly 32 bytes"
							  : "must be a file that only its owner may read"); /* cut is fine */
	return whole;
}

static bool start_links(struct dir_backend *d, const struct backend_dir_opts *o,
						char why[BACKEND_WHY_SIZE]) {
	struct serve_opts s = {.listen = o->listen,
						   .dir = d->dir,
						   .key = d->key,
						   .now = o->now,
						   .in_touch = o->in_touch,
						   .loop = o->loop,
						   .log = o->log};
	struct buf url;
	size_t len = 0;
	if (!load_key(o->key_file, d->key, why)) return false;
	d->serve = serve_new(&s, why);
	if (!d->serve) return false;
	buf_init(&url, 1024);
	if (o->public_url)
		buf_str(&url, o->public_url);
	else
		serve_address(d->serve, &url);
	while (url.len && url.ptr[url.len - 1] == '/') url.ptr[--url.len] = '\0';
	d->public_url = (char *)buf_steal(&url, &len);
	buf_fini(&url);
	if (!d->public_url)
		(void)snprintf(why, BACKEND_WHY_SIZE, "the public URL is empty or too long"); /* fits */
	return d->public_url != NULL;
}

struct backend *backend_dir_new(const struct backend_dir_opts *opts, char why[BACKEND_WHY_SIZE]) {
	struct dir_backend *d = calloc(1, sizeof(*d));
	if (!d) {
		(void)snprintf(why, BACKEND_WHY_SIZE, "no memory"); /* fits */
		return NULL;
	}
	d->base.ops = &dir_ops;
	d->dir = open(opts->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = d->dir >= 0 && faccessat(d->dir, ".", W_OK | X_OK, AT_EACCESS) == 0;
	if (!good)
		(void)snprintf(why, BACKEND_WHY_SIZE, "storage directory %s: %s", opts->path,
					   strerror(errno)); /* cut is fine */
	if (good && opts->listen) good = start_links(d, opts, why);
	if (good) return &d->base;
	dir_free(&d->base);
	return NULL;
}
