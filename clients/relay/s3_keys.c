/* Reads and keeps the keys of a bucket. */
#include "clients/relay/s3_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct values {
	char access[S3_KEYS_ACCESS_MAX + 1];
	char secret[S3_KEYS_SECRET_MAX + 1];
	char token[S3_KEYS_TOKEN_MAX + 1];
};

struct s3_keys {
	const char *path;
	struct values values;
	struct stat seen; /* as the file was when it was read last */
};

static bool wrong(char why[S3_KEYS_WHY_SIZE], const char *path, const char *cause) {
	(void)snprintf(why, S3_KEYS_WHY_SIZE, "credentials file %.150s: %s", path,
				   cause); /* cut is fine */
	return false;
}

static struct span stripped(struct span s) {
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) s = span_drop(s, 1);
	while (s.len &&
		   (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/* Visible ASCII, for it goes into headers. */
static bool take(struct span value, char *out, size_t cap) {
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] <= ' ' || value.ptr[i] > '~') return false;
	}
	return value.len && !out[0] && span_copy(value, out, cap);
}

static bool take_line(struct span line, struct values *v) {
	line = stripped(line);
	if (line.len == 0 || line.ptr[0] == '#') return true;
	const uint8_t *sign = memchr(line.ptr, '=', line.len);
	if (!sign) return false;
	struct span name = stripped((struct span){line.ptr, (size_t)(sign - line.ptr)});
	struct span value = stripped(span_drop(line, (size_t)(sign - line.ptr) + 1));
	if (span_eq(name, SPAN_LIT("access_key"))) return take(value, v->access, sizeof(v->access));
	if (span_eq(name, SPAN_LIT("secret_key"))) return take(value, v->secret, sizeof(v->secret));
	if (span_eq(name, SPAN_LIT("session_token"))) return take(value, v->token, sizeof(v->token));
	return false;
}

static bool parse(struct span text, struct values *v) {
	while (text.len) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;
		if (!take_line((struct span){text.ptr, len}, v)) return false;
		text = span_drop(text, len + 1);
	}
	return v->access[0] && v->secret[0] && !strchr(v->access, '/');
}

static bool read_open(int fd, const char *path, struct values *v, struct stat *st,
					  char why[S3_KEYS_WHY_SIZE]) {
	char text[S3_KEYS_FILE_MAX + 1];
	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))
		return wrong(why, path, "is not a regular file");
	if (st->st_mode & (S_IRWXG | S_IRWXO))
		return wrong(why, path, "others may read it (chmod 600)");
	ssize_t n = read(fd, text, sizeof(text));
	bool good = n >= 0 && n <= S3_KEYS_FILE_MAX && parse(span_of(text, (size_t)n), v);
	explicit_bzero(text, sizeof(text));
	return good ||
		   wrong(why, path,
				 n < 0 ? strerror(errno)
					   : "lines access_key = ..., secret_key = ..., session_token = ... needed");
}

static bool read_file(const char *path, struct values *v, struct stat *st,
					  char why[S3_KEYS_WHY_SIZE]) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
	if (fd < 0) return wrong(why, path, strerror(errno));
	bool good = read_open(fd, path, v, st, why);
	(void)close(fd); /* only read from */
	return good;
}

struct s3_keys *s3_keys_new(const char *path, char why[S3_KEYS_WHY_SIZE]) {
	struct s3_keys *k = calloc(1, sizeof(*k));
	if (!k) {
		(void)wrong(why, path, "no memory");
		return NULL;
	}
	k->path = path;
	if (read_file(path, &k->values, &k->seen, why)) return k;
	s3_keys_free(k);
	return NULL;
}

void s3_keys_free(struct s3_keys *k) {
	if (!k) return;
	explicit_bzero(k, sizeof(*k));
	free(k);
}

static bool is_same_file(const struct stat *a, const struct stat *b) {
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
		   a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
		   a->st_mode == b->st_mode;
}

bool s3_keys_refresh(struct s3_keys *k, bool is_doubted, char why[S3_KEYS_WHY_SIZE]) {
	struct values v = {.access = ""};
	struct stat st;
	why[0] = '\0';
	if (!is_doubted && stat(k->path, &st) == 0 && is_same_file(&st, &k->seen)) return false;
	if (!read_file(k->path, &v, &st, why)) {
		explicit_bzero(&v, sizeof(v));
		return false;
	}
	k->seen = st;
	bool changed = memcmp(&v, &k->values, sizeof(v)) != 0;
	k->values = v;
	explicit_bzero(&v, sizeof(v));
	return changed;
}

const char *s3_keys_access(const struct s3_keys *k) {
	return k->values.access;
}

const char *s3_keys_secret(const struct s3_keys *k) {
	return k->values.secret;
}

const char *s3_keys_token(const struct s3_keys *k) {
	return k->values.token[0] ? k->values.token : NULL;
}
