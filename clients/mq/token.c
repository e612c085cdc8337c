/* Draws, hashes, writes and reads tokens. */
#include "clients/mq/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "lib/hex.h"

static enum err fail(enum err e, char why[TOKEN_WHY_SIZE], const char *path, const char *cause) {
	(void)snprintf(why, TOKEN_WHY_SIZE, "token file %.150s: %s", path, cause);
	return e;
}

enum err token_draw(char out[TOKEN_TEXT_SIZE]) {
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t raw[TOKEN_BYTES];
	out[0] = '\0';
	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw)) return ERR_STORE;
	/* 32 bytes are 42 groups of 6 bits and one of 4, which is padded with zero bits (RFC 4648, 5).
	 */
	for (size_t i = 0; i < TOKEN_TEXT; i++) {
		size_t bit = i * 6;
		unsigned two =
			(unsigned)raw[bit / 8] << 8 | (bit / 8 + 1 < TOKEN_BYTES ? raw[bit / 8 + 1] : 0u);
		out[i] = letters[two >> (10 - bit % 8) & 63];
	}
	out[TOKEN_TEXT] = '\0';
	explicit_bzero(raw, sizeof(raw));
	return ERR_NONE;
}

enum err token_hash(struct span token, char out[TOKEN_HASH_SIZE]) {
	uint8_t digest[32];
	if (EVP_Digest(token.len ? (const void *)token.ptr : "", token.len, digest, NULL, EVP_sha256(),
				   NULL) != 1) {
		return ERR_NOMEM;
	}
	hex_encode(span_of(digest, sizeof(digest)), out);
	return ERR_NONE;
}

static bool write_all(int fd, const char *text, size_t len) {
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

enum err token_write(const char *path, const char *token, char why[TOKEN_WHY_SIZE]) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail(ERR_STORE, why, path, errno == EEXIST ? "exists already" : strerror(errno));
	bool ok = write_all(fd, token, strlen(token)) && write_all(fd, "\n", 1) && fsync(fd) == 0;
	int cause = errno;
	if (close(fd) != 0 && ok) {
		ok = false;
		cause = errno;
	}
	if (ok) return ERR_NONE;
	(void)unlink(path); /* half a token helps nobody */
	return fail(ERR_STORE, why, path, strerror(cause));
}

static enum err check_text(char *text, size_t len, const char *path, char why[TOKEN_WHY_SIZE]) {
	if (len > 0 && text[len - 1] == '\n') len--;
	if (len > 0 && text[len - 1] == '\r') len--;
	if (len == 0) return fail(ERR_INPUT, why, path, "is empty");
	if (len > TOKEN_TEXT_MAX) return fail(ERR_INPUT, why, path, "is too long for a token");
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return fail(ERR_INPUT, why, path, "must hold one line, the token");
	}
	text[len] = '\0';
	return ERR_NONE;
}

enum err token_read(const char *path, char out[TOKEN_TEXT_MAX + 1], char why[TOKEN_WHY_SIZE]) {
	char text[TOKEN_TEXT_MAX + 3]; /* one more than a token with its line end */
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
	if (fd < 0) return fail(errno == ENOENT ? ERR_ABSENT : ERR_STORE, why, path, strerror(errno));
	enum err e = ERR_NONE;
	ssize_t n = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = fail(ERR_STORE, why, path, "is not a regular file");
	if (e == ERR_NONE && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		e = fail(ERR_INPUT, why, path, "others may read it (chmod 600)");
	}
	if (e == ERR_NONE) n = read(fd, text, sizeof(text));
	if (n < 0) e = fail(ERR_STORE, why, path, strerror(errno));
	(void)close(fd); /* only read from */
	if (e == ERR_NONE) e = check_text(text, (size_t)n, path, why);
	if (e == ERR_NONE) memcpy(out, text, strlen(text) + 1);
	explicit_bzero(text, sizeof(text));
	return e;
}
