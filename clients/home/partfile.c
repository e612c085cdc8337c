/* FILE.part until it is whole. Knows nothing of clips. */
#include "clients/home/partfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err say(char *why, enum err e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static enum err say(char *why, enum err e, const char *fmt, ...) {
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(why, PARTFILE_WHY_SIZE, fmt, args); /* a cut sentence still tells */
	va_end(args);
	return e;
}

/* Digests what the file holds already; the file position is then its end. */
static enum err digest_existing(struct partfile *f, char *why) {
	uint8_t block[16384];
	for (;;) {
		ssize_t n = read(f->fd, block, sizeof(block));
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return say(why, ERR_STORE, "cannot read %s: %s", f->part_path, strerror(errno));
		if (n == 0) return ERR_NONE;
		if (EVP_DigestUpdate(f->digest, block, (size_t)n) != 1)
			return say(why, ERR_NOMEM, "SHA-256 failed");
		f->size += (uint64_t)n;
	}
}

static enum err open_part(struct partfile *f, uint64_t length, char *why) {
	f->fd = open(f->part_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (f->fd < 0) return say(why, ERR_STORE, "cannot open %s: %s", f->part_path, strerror(errno));
	struct stat st;
	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		return say(why, ERR_STORE, "%s is not a regular file", f->part_path);
	}
	/* whoever made it could read the clip in it, whatever its mode becomes */
	if (st.st_uid != geteuid()) {
		return say(why, ERR_STORE, "%s belongs to another user; remove it or choose another FILE",
				   f->part_path);
	}
	if (fchmod(f->fd, 0600) != 0) {
		return say(why, ERR_STORE, "cannot make %s private: %s", f->part_path, strerror(errno));
	}
	if (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
		return say(why, ERR_STORE, "%s is being written by another program", f->part_path);
	}
	if ((uint64_t)st.st_size > length && ftruncate(f->fd, 0) != 0) {
		return say(why, ERR_STORE, "cannot empty %s: %s", f->part_path, strerror(errno));
	}
	return ERR_NONE;
}

enum err partfile_open(struct partfile *f, const char *path, uint64_t length,
					   char why[PARTFILE_WHY_SIZE]) {
	*f = (struct partfile){.fd = -1};
	enum err e = ERR_NOMEM;
	f->path = strdup(path);
	if (asprintf(&f->part_path, "%s.part", path) < 0) f->part_path = NULL;
	f->digest = EVP_MD_CTX_new();
	if (!f->path || !f->part_path || !f->digest ||
		EVP_DigestInit_ex(f->digest, EVP_sha256(), NULL) != 1) {
		(void)say(why, e, "no memory");
		goto fail;
	}
	if (access(path, F_OK) == 0) {
		e = say(why, ERR_STORE, "%s exists already", path);
		goto fail;
	}
	e = open_part(f, length, why);
	if (e == ERR_NONE) e = digest_existing(f, why);
	if (e == ERR_NONE) return ERR_NONE;
fail:
	partfile_close(f);
	return e;
}

enum err partfile_append(struct partfile *f, struct span bytes, char why[PARTFILE_WHY_SIZE]) {
	for (size_t done = 0; done < bytes.len;) {
		ssize_t n = write(f->fd, bytes.ptr + done, bytes.len - done);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0)
			return say(why, ERR_STORE, "cannot write %s: %s", f->part_path, strerror(errno));
		done += (size_t)n;
	}
	if (EVP_DigestUpdate(f->digest, bytes.ptr, bytes.len) != 1)
		return say(why, ERR_STORE, "SHA-256 failed");
	f->size += bytes.len;
	return ERR_NONE;
}

/* The rename lasts only when the folder that holds the name was synced, too. */
static int sync_folder(const char *path) {
	const char *slash = strrchr(path, '/');
	char *folder = slash == path ? strdup("/")
				   : slash       ? strndup(path, (size_t)(slash - path))
								 : strdup(".");
	if (!folder) return -1;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0) return -1;
	int rc = fsync(fd);
	(void)close(fd); /* read only */
	return rc;
}

enum err partfile_finish(struct partfile *f, struct span sha256, char why[PARTFILE_WHY_SIZE]) {
	uint8_t got[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	if (EVP_DigestFinal_ex(f->digest, got, &len) != 1) return say(why, ERR_STORE, "SHA-256 failed");
	if (!span_eq(span_of(got, len), sha256)) {
		(void)unlink(f->part_path); /* if it stays, the next run finds out again */
		return say(why, ERR_INPUT,
				   "the bytes are not those that were announced (SHA-256 differs); removed");
	}
	if (fsync(f->fd) != 0)
		return say(why, ERR_STORE, "cannot sync %s: %s", f->part_path, strerror(errno));
	if (rename(f->part_path, f->path) != 0) {
		return say(why, ERR_STORE, "cannot make %s: %s", f->path, strerror(errno));
	}
	if (sync_folder(f->path) != 0) {
		return say(why, ERR_STORE, "cannot sync the folder of %s: %s", f->path, strerror(errno));
	}
	return ERR_NONE;
}

void partfile_close(struct partfile *f) {
	if (f->fd >= 0) (void)close(f->fd); /* synced where it matters */
	EVP_MD_CTX_free(f->digest);
	free(f->path);
	free(f->part_path);
	*f = (struct partfile){.fd = -1};
}
