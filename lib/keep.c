/* See keep.h. What is in the files is their owners' business. */
#include "lib/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err fail(enum err e, char why[KEEP_WHY_SIZE], const char *path, const char *cause) {
	(void)snprintf(why, KEEP_WHY_SIZE, "%.220s: %s", path, cause); /* a cut sentence still tells */
	return e;
}

/* A name lasts only when the folder that holds it was synced. */
static int sync_folder(const char *path) {
	char folder[KEEP_PATH_SIZE];
	const char *slash = strrchr(path, '/');
	size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
	if (!span_copy(len ? span_of(path, len) : SPAN_LIT("."), folder, sizeof folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return -1;
	int rc = fsync(fd);
	(void)close(fd); /* read only */
	return rc;
}

static int write_beside(const char *beside, struct span bytes) {
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) return -1;
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) break;
		bytes = span_drop(bytes, (size_t)n);
	}
	int rc = bytes.len == 0 ? fsync(fd) : -1;
	int cause = errno;
	if (close(fd) != 0 && rc == 0) {
		rc = -1;
		cause = errno;
	}
	errno = cause;
	return rc;
}

enum err keep_write(const char *path, struct span bytes, enum keep_manner manner,
					char why[KEEP_WHY_SIZE]) {
	char beside[KEEP_PATH_SIZE];
	int n = snprintf(beside, sizeof beside, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof beside) return fail(ERR_STORE, why, path, "too long a path");
	(void)unlink(beside); /* of a writer that was killed */
	enum err e = ERR_NONE;
	if (write_beside(beside, bytes) != 0) e = fail(ERR_STORE, why, path, strerror(errno));
	if (e == ERR_NONE && manner == KEEP_REPLACE && rename(beside, path) != 0)
		e = fail(ERR_STORE, why, path, strerror(errno));
	if (e == ERR_NONE && manner == KEEP_NEW && link(beside, path) != 0)
		e = fail(errno == EEXIST ? ERR_LIMIT : ERR_STORE, why, path,
				 errno == EEXIST ? "exists already" : strerror(errno));
	if (e != ERR_NONE || manner == KEEP_NEW) (void)unlink(beside); /* or the next writer does */
	if (e == ERR_NONE && sync_folder(path) != 0) e = fail(ERR_STORE, why, path, strerror(errno));
	return e;
}

enum err keep_read(const char *path, void *out, size_t cap, size_t *len, char why[KEEP_WHY_SIZE]) {
	struct stat st;
	size_t got = 0;
	uint8_t more = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
	if (fd < 0) return fail(errno == ENOENT ? ERR_ABSENT : ERR_STORE, why, path, strerror(errno));
	enum err e = ERR_NONE;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = fail(ERR_INPUT, why, path, "is not a regular file");
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		e = fail(ERR_INPUT, why, path, "others may read it (chmod 600)");
	while (e == ERR_NONE) {
		ssize_t n = read(fd, got < cap ? (uint8_t *)out + got : &more, got < cap ? cap - got : 1);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) e = fail(ERR_STORE, why, path, strerror(errno));
		if (n > 0 && got == cap) e = fail(ERR_LIMIT, why, path, "is larger than it can be");
		if (n <= 0) break;
		if (got < cap) got += (size_t)n;
	}
	(void)close(fd); /* only read from */
	if (e == ERR_NONE)
		*len = got;
	else
		explicit_bzero(out, cap);
	return e;
}

enum err keep_remove(const char *path, char why[KEEP_WHY_SIZE]) {
	if (unlink(path) != 0)
		return errno == ENOENT ? ERR_NONE : fail(ERR_STORE, why, path, strerror(errno));
	return sync_folder(path) == 0 ? ERR_NONE : fail(ERR_STORE, why, path, strerror(errno));
}

enum err keep_rename(const char *from, const char *to, char why[KEEP_WHY_SIZE]) {
	if (rename(from, to) != 0)
		return fail(errno == ENOENT ? ERR_ABSENT : ERR_STORE, why, to, strerror(errno));
	return sync_folder(to) == 0 ? ERR_NONE : fail(ERR_STORE, why, to, strerror(errno));
}

enum err keep_folder(const char *path, char why[KEEP_WHY_SIZE]) {
	char above[KEEP_PATH_SIZE];
	if (!span_copy(span_str(path), above, sizeof above))
		return fail(ERR_STORE, why, path, "too long a path");
	for (char *c = above + 1; above[0] && *c; c++) {
		if (*c != '/') continue;
		*c = '\0';
		(void)mkdir(above, 0700); /* when it fails, the last one does, too */
		*c = '/';
	}
	if (mkdir(above, 0700) != 0 && errno != EEXIST)
		return fail(ERR_STORE, why, path, strerror(errno));
	return ERR_NONE;
}
