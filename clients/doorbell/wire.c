/* See wire.h. */
#include "clients/doorbell/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_key(struct span s) {
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
			return false;
	}
	return s.len > 0;
}

/* The bytes up to the next tab; *rest is what follows it, *more whether there was one. */
static struct span cut(struct span *rest, bool *more) {
	const uint8_t *tab = rest->len ? (const uint8_t *)memchr(rest->ptr, '\t', rest->len) : NULL;
	size_t len = tab ? (size_t)(tab - rest->ptr) : rest->len;
	struct span s = span_of(rest->ptr, len);
	*more = tab != NULL;
	*rest = span_drop(*rest, len + 1);
	return s;
}

enum err wire_parse(struct span bytes, struct wire_line *out) {
	bool more;
	for (size_t i = 0; i < bytes.len; i++)
		if ((bytes.ptr[i] < 0x20 && bytes.ptr[i] != '\t') || bytes.ptr[i] == 0x7f) return ERR_INPUT;
	*out = (struct wire_line){.word = cut(&bytes, &more)};
	if (!is_key(out->word)) return ERR_INPUT;
	while (more) {
		struct span pair = cut(&bytes, &more);
		const uint8_t *equals = pair.len ? (const uint8_t *)memchr(pair.ptr, '=', pair.len) : NULL;
		if (!equals) return ERR_INPUT;
		if (out->count == WIRE_PAIRS_MAX) return ERR_LIMIT;
		size_t key_len = (size_t)(equals - pair.ptr);
		struct wire_pair p = {.key = span_of(pair.ptr, key_len),
							  .value = span_drop(pair, key_len + 1)};
		if (!is_key(p.key)) return ERR_INPUT;
		out->pairs[out->count++] = p;
	}
	return ERR_NONE;
}

struct span wire_get(const struct wire_line *l, const char *key) {
	for (size_t i = 0; i < l->count; i++)
		if (span_eq(l->pairs[i].key, span_str(key))) return l->pairs[i].value;
	return (struct span){NULL, 0};
}

void wire_put(struct buf *b, const char *key, const char *value) {
	buf_char(b, '\t');
	buf_str(b, key);
	buf_char(b, '=');
	for (const char *c = value; *c; c++) {
		bool control = (unsigned char)*c < 0x20 || *c == 0x7f;
		buf_put(b, control ? "?" : c, 1);
	}
}

void wire_put_int(struct buf *b, const char *key, uint64_t value) {
	char text[24];
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)value); /* always fits */
	wire_put(b, key, text);
}

enum err wire_send(int sock, struct span line, int fd) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	while (line.len > 0) {
		struct iovec part = {.iov_base = (void *)(uintptr_t)line.ptr, .iov_len = line.len};
		struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
		if (fd >= 0) {
			m.msg_control = control.bytes;
			m.msg_controllen = sizeof control.bytes;
			struct cmsghdr *c = CMSG_FIRSTHDR(&m);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof fd);
			memcpy(CMSG_DATA(c), &fd, sizeof fd);
		}
		ssize_t n = sendmsg(sock, &m, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return ERR_NET;
		fd = -1; /* it went with the first byte */
		line = span_drop(line, (size_t)n);
	}
	return ERR_NONE;
}

/* Keeps the first descriptor, closes every other: a peer cannot fill our table. */
static void take_fds(struct msghdr *m, int *fd) {
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int got;
			memcpy(&got, CMSG_DATA(c) + i * sizeof got, sizeof got);
			if (*fd < 0)
				*fd = got;
			else
				(void)close(got); /* not asked for */
		}
	}
}

enum err wire_receive(int sock, struct buf *out, int *fd) {
	char piece[512];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	*fd = -1;
	buf_reset(out);
	for (;;) {
		struct iovec part = {.iov_base = piece, .iov_len = sizeof piece};
		struct msghdr m = {.msg_iov = &part,
						   .msg_iovlen = 1,
						   .msg_control = control.bytes,
						   .msg_controllen = sizeof control.bytes};
		ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR) continue;
		if (n == 0) errno = 0;
		if (n <= 0) return ERR_NET;
		take_fds(&m, fd);
		const char *end = (const char *)memchr(piece, '\n', (size_t)n);
		buf_put(out, piece, end ? (size_t)(end - piece) : (size_t)n);
		if (buf_error(out) != ERR_NONE) return buf_error(out);
		if (end) return ERR_NONE;
	}
}
