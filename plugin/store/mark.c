/* See mark.h. One line of text, so that an operator can read it. */
#include "plugin/store/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hex.h"

enum { LINE_SIZE = 256, PATH_SIZE = 4096, RUN_BYTES = (MARK_RUN_SIZE - 1) / 2 };

static enum err no_mark(char why[STORE_WHY_SIZE], const char *text) {
	(void)snprintf(why, STORE_WHY_SIZE, "%s", text);
	return ERR_ABSENT;
}

static enum err fail(char why[STORE_WHY_SIZE], const char *path, const char *doing) {
	(void)snprintf(why, STORE_WHY_SIZE, "mark %.120s: %s: %s", path, doing, strerror(errno));
	return ERR_STORE;
}

static bool path_of(const char *store_path, const char *suffix, char out[PATH_SIZE]) {
	int n = snprintf(out, PATH_SIZE, "%s.mark%s", store_path, suffix);
	return n > 0 && n < PATH_SIZE;
}

enum err mark_draw(char run[MARK_RUN_SIZE]) {
	uint8_t bytes[RUN_BYTES];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) return ERR_STORE;
	hex_encode(span_of(bytes, sizeof(bytes)), run);
	return ERR_NONE;
}

/* What a copy of the file cannot share with it. Times of birth are 0 where the file system keeps
 * none. */
static bool self_of(int fd, char out[LINE_SIZE]) {
	struct statx sx;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &sx) != 0) return false;
	bool born = (sx.stx_mask & STATX_BTIME) != 0;
	(void)snprintf(out, LINE_SIZE, "%" PRIu64 "/%" PRId64 ".%09" PRIu32, (uint64_t)sx.stx_ino,
				   born ? (int64_t)sx.stx_btime.tv_sec : 0, born ? sx.stx_btime.tv_nsec : 0);
	return true;
}

static void write_line(char out[LINE_SIZE], const char *self, const struct mark *m) {
	(void)snprintf(out, LINE_SIZE,
				   "vestibule-mark 1 self=%.60s run=%s next=%s denied=%" PRIu64 "\n", self, m->run,
				   m->next, m->denied_seq);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The word after `name` up to a blank or the end, at most size - 1 bytes. */
static bool word(struct span *line, const char *name, char *out, size_t size) {
	struct span want = span_str(name);
	if (!span_starts(*line, want)) return false;
	*line = span_drop(*line, want.len);
	size_t n = 0;
	while (n < line->len && line->ptr[n] != ' ' && line->ptr[n] != '\n') n++;
	bool fits = span_copy(span_of(line->ptr, n), out, size);
	*line = span_drop(*line, n < line->len ? n + 1 : n);
	return fits;
}

static bool is_run(const char *text) {
	uint8_t bytes[RUN_BYTES];
	return strlen(text) == MARK_RUN_SIZE - 1 &&
		   hex_decode(span_str(text), bytes, sizeof(bytes)) == ERR_NONE;
}

/* Read, written again, compared: one form only. */
static bool parse(struct span text, struct mark *m, char self[LINE_SIZE]) {
	char digits[24], again[LINE_SIZE];
	struct span line = text;
	*m = (struct mark){.run = ""};
	if (!word(&line, "vestibule-mark 1 self=", self, LINE_SIZE) ||
		!word(&line, "run=", m->run, sizeof(m->run)) ||
		!word(&line, "next=", m->next, sizeof(m->next)) ||
		!word(&line, "denied=", digits, sizeof(digits)))
		return false;
	m->denied_seq = strtoull(digits, NULL, 10);
	write_line(again, self, m);
	return span_eq(text, span_str(again)) && is_run(m->run) && (!m->next[0] || is_run(m->next));
}

static enum err read_open(int fd, struct mark *out, char why[STORE_WHY_SIZE]) {
	char line[LINE_SIZE], self[LINE_SIZE], named[LINE_SIZE];
	struct mark m;
	ssize_t n = read(fd, line, sizeof(line));
	if (n < 0 || !self_of(fd, self)) return no_mark(why, "its mark cannot be read");
	if (!parse(span_of(line, (size_t)n), &m, named)) return no_mark(why, "its mark is damaged");
	if (!span_eq(span_str(self), span_str(named))) return no_mark(why, "its mark is a copy");
	*out = m;
	return ERR_NONE;
}

enum err mark_read(const char *store_path, struct mark *out, char why[STORE_WHY_SIZE]) {
	char path[PATH_SIZE];
	if (!path_of(store_path, "", path)) return no_mark(why, "the path of its mark is too long");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return no_mark(why, errno == ENOENT ? "its mark is missing" : "its mark cannot be read");
	enum err e = read_open(fd, out, why);
	(void)close(fd); /* only read from */
	return e;
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool put_line(int fd, const struct mark *m) {
	char self[LINE_SIZE], line[LINE_SIZE];
	if (!self_of(fd, self)) return false;
	write_line(line, self, m);
	size_t len = strlen(line);
	ssize_t n = write(fd, line, len);
	if (n >= 0 && (size_t)n != len) errno = ENOSPC;
	return n == (ssize_t)len && fsync(fd) == 0;
}

/* The new name must survive power loss, too. */
static bool sync_folder(const char *path) {
	char copy[PATH_SIZE];
	(void)span_copy(span_str(path), copy, sizeof(copy)); /* same size */
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	int saved = errno;
	if (fd >= 0) (void)close(fd); /* only read from */
	errno = saved;
	return ok;
}

/* Like the database's: its owner's alone, and the database's owner's when root writes it. */
static bool give(int fd, const char *store_path) {
	struct stat st;
	if (geteuid() != 0) return true;
	return stat(store_path, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
}

enum err mark_write(const char *store_path, const struct mark *m, char why[STORE_WHY_SIZE]) {
	char path[PATH_SIZE], fresh[PATH_SIZE];
	errno = ENAMETOOLONG;
	if (!path_of(store_path, "", path) || !path_of(store_path, "-new", fresh))
		return fail(why, store_path, "its path");
	(void)unlink(fresh); /* of a crash; what cannot go is met by O_EXCL */
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0) return fail(why, path, "cannot be made");
	bool ok = give(fd, store_path) && put_line(fd, m);
	int saved = errno;
	ok = close(fd) == 0 && ok;
	errno = saved;
	if (ok && rename(fresh, path) == 0 && sync_folder(path)) return ERR_NONE;
	enum err e = fail(why, path, "cannot be written");
	(void)unlink(fresh); /* e says what went wrong; it may have its name already */
	return e;
}
