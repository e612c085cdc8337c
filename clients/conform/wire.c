/* See wire.h. Closing happens in one place, at the end of a turn: until then a link that fails is
 * only doomed, so that no callback finds it gone. */
#include "clients/conform/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 65536,
	IN_MAX = PACKET_BYTES_MAX + READ_BYTES,
	OUT_MAX = 4 * 1024 * 1024,
	OUT_HIGH = 1024 * 1024 /* above it the other side is not read */
};

/* --- buffers ---------------------------------------------------------------------------------- */

static void drop_front(struct buf *b, size_t n) {
	memmove(b->ptr, b->ptr + n, b->len - n + 1); /* with the zero that follows the bytes */
	b->len -= n;
}

static void side_init(struct wire_side *s) {
	s->sock = -1;
	buf_init(&s->in, IN_MAX);
	buf_init(&s->out, OUT_MAX);
}

static void side_fini(struct wire_side *s) {
	if (s->sock >= 0) (void)close(s->sock);
	s->sock = -1;
	buf_fini(&s->in);
	buf_fini(&s->out);
}

/* False: the socket is gone. */
static bool flush(struct wire_side *s) {
	while (s->out.len) {
		ssize_t n = send(s->sock, s->out.ptr, s->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
		drop_front(&s->out, (size_t)n);
	}
	return true;
}

/* --- life ------------------------------------------------------------------------------------- */

void wire_init(struct wire *w, const struct dial *to, const struct wire_events *events, void *ctx) {
	*w = (struct wire){.to = *to, .events = events, .ctx = ctx, .listener = -1};
	for (size_t i = 0; i < WIRE_LINKS_MAX; i++) {
		side_init(&w->links[i].device);
		side_init(&w->links[i].broker);
	}
}

void wire_fini(struct wire *w) {
	for (size_t i = 0; i < WIRE_LINKS_MAX; i++) {
		side_fini(&w->links[i].device);
		side_fini(&w->links[i].broker);
	}
	if (w->listener >= 0) (void)close(w->listener);
	w->listener = -1;
}

static int listen_at(const struct addrinfo *a) {
	int on = 1, sock = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
	if (sock < 0) return -1;
	if (setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(sock, a->ai_addr, a->ai_addrlen) == 0 && listen(sock, WIRE_LINKS_MAX) == 0)
		return sock;
	int cause = errno;
	(void)close(sock);
	errno = cause;
	return -1;
}

enum err wire_listen(struct wire *w, const char *address, uint16_t port, char why[WIRE_WHY_SIZE]) {
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
							 .ai_socktype = SOCK_STREAM,
							 .ai_flags = AI_PASSIVE | AI_NUMERICHOST},
					*found = NULL;
	char text[8];
	(void)snprintf(text, sizeof(text), "%u", port); /* fits */
	int rc = getaddrinfo(address, text, &hints, &found);
	if (rc == 0) {
		w->listener = listen_at(found);
		freeaddrinfo(found);
	}
	if (w->listener >= 0) return ERR_NONE;
	(void)snprintf(why, WIRE_WHY_SIZE, "%s:%u: cannot listen: %s", address, port,
				   rc != 0 ? gai_strerror(rc) : strerror(errno));
	return ERR_NET;
}

static enum err welcome(struct wire *w) {
	size_t at = 0;
	int device = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
	if (device < 0) return ERR_NONE; /* it went away again */
	while (at < WIRE_LINKS_MAX && w->links[at].device.sock >= 0) at++;
	int broker = at < WIRE_LINKS_MAX ? dial_tcp(&w->to, w->why) : -1;
	if (broker < 0) {
		(void)close(device);
		return at < WIRE_LINKS_MAX ? ERR_NET : ERR_NONE;
	}
	w->links[at].device.sock = device;
	w->links[at].broker.sock = broker;
	w->links[at].doomed = false;
	w->events->on_open(w->ctx, at);
	return ERR_NONE;
}

static void bury(struct wire *w, size_t at) {
	(void)!flush(&w->links[at].device); /* last words; whoever is gone does not hear them */
	(void)!flush(&w->links[at].broker);
	side_fini(&w->links[at].device);
	side_fini(&w->links[at].broker);
	side_init(&w->links[at].device);
	side_init(&w->links[at].broker);
	w->events->on_close(w->ctx, at);
}

/* --- carrying --------------------------------------------------------------------------------- */

static void carry(struct wire *w, size_t at, bool from_device) {
	struct wire_side *from = from_device ? &w->links[at].device : &w->links[at].broker;
	struct wire_side *to = from_device ? &w->links[at].broker : &w->links[at].device;
	struct span rest = buf_view(&from->in);
	struct packet p;
	enum err e = ERR_NONE;
	while (!w->links[at].doomed && (e = packet_cut(rest, &p)) == ERR_NONE) {
		if (w->events->on_packet(w->ctx, at, from_device, &p)) buf_span(&to->out, p.whole);
		rest = span_drop(rest, p.whole.len);
	}
	if (e == ERR_INPUT || e == ERR_LIMIT) {
		w->events->on_unreadable(w->ctx, at, from_device);
		w->links[at].doomed = true;
	}
	if (from->in.len) drop_front(&from->in, from->in.len - rest.len);
	if (buf_error(&to->out) != ERR_NONE || !flush(to)) w->links[at].doomed = true;
}

static void take_bytes(struct wire *w, size_t at, bool from_device) {
	struct wire_side *from = from_device ? &w->links[at].device : &w->links[at].broker;
	uint8_t bytes[READ_BYTES];
	ssize_t n = recv(from->sock, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return;
	if (n > 0) {
		buf_put(&from->in, bytes, (size_t)n);
		carry(w, at, from_device);
	}
	if (n <= 0 || buf_error(&from->in) != ERR_NONE) w->links[at].doomed = true;
}

static short wishes(const struct wire_side *own, const struct wire_side *other) {
	int events = (other->out.len < OUT_HIGH ? POLLIN : 0) | (own->out.len ? POLLOUT : 0);
	return (short)events;
}

static void serve(struct wire *w, size_t at, int device, int broker) {
	const int readable = POLLIN | POLLHUP | POLLERR;
	if (device & POLLOUT && !flush(&w->links[at].device)) w->links[at].doomed = true;
	if (broker & POLLOUT && !flush(&w->links[at].broker)) w->links[at].doomed = true;
	if (device & readable && !w->links[at].doomed) take_bytes(w, at, true);
	if (broker & readable && !w->links[at].doomed) take_bytes(w, at, false);
}

enum err wire_turn(struct wire *w, int wait_ms) {
	struct pollfd fds[1 + 2 * WIRE_LINKS_MAX];
	enum err e = ERR_NONE;
	fds[0] = (struct pollfd){.fd = w->listener, .events = POLLIN};
	for (size_t i = 0; i < WIRE_LINKS_MAX; i++) {
		const struct wire_side *d = &w->links[i].device, *b = &w->links[i].broker;
		fds[1 + 2 * i] = (struct pollfd){.fd = d->sock, .events = wishes(d, b)};
		fds[2 + 2 * i] = (struct pollfd){.fd = b->sock, .events = wishes(b, d)};
	}
	if (poll(fds, 1 + 2 * WIRE_LINKS_MAX, wait_ms) < 0 && errno != EINTR) {
		(void)snprintf(w->why, sizeof(w->why), "poll: %s", strerror(errno));
		return ERR_NET;
	}
	for (size_t i = 0; i < WIRE_LINKS_MAX; i++)
		if (w->links[i].device.sock >= 0)
			serve(w, i, fds[1 + 2 * i].revents, fds[2 + 2 * i].revents);
	if (fds[0].revents & POLLIN) e = welcome(w);
	for (size_t i = 0; i < WIRE_LINKS_MAX; i++)
		if (w->links[i].device.sock >= 0 && w->links[i].doomed) bury(w, i);
	return e;
}

void wire_say(struct wire *w, size_t at, struct span bytes) {
	struct wire_side *to = &w->links[at].device;
	if (to->sock < 0 || bytes.len == 0) return;
	buf_span(&to->out, bytes);
	if (buf_error(&to->out) != ERR_NONE || !flush(to)) w->links[at].doomed = true;
}

void wire_cut(struct wire *w, size_t at) {
	if (w->links[at].device.sock >= 0) w->links[at].doomed = true;
}
