/* The wire between device and broker: listens, connects onwards for whoever comes, and carries
 * packets one by one, each after its owner said so. Whole packets only; bytes are those that came.
 * One thread, one poll.
 *
 *     wire_init(&w, &opts); if (wire_listen(&w, "127.0.0.1", 1884, why) != ERR_NONE) ...
 *     while (!stop) if (wire_turn(&w, 100) != ERR_NONE) break;
 *     wire_fini(&w);
 */
#ifndef CONFORM_WIRE_H
#define CONFORM_WIRE_H

#include "clients/conform/dial.h"
#include "clients/conform/packet.h"
#include "lib/buf.h"

enum { WIRE_LINKS_MAX = 4, WIRE_WHY_SIZE = DIAL_WHY_SIZE };

struct wire_events { /* at: which link; none may call wire_turn or wire_fini */
	void (*on_open)(void *ctx, size_t at);
	bool (*on_packet)(void *ctx, size_t at, bool from_device,
					  const struct packet *p);                     /* false: it is not handed on */
	void (*on_unreadable)(void *ctx, size_t at, bool from_device); /* on_close follows */
	void (*on_close)(void *ctx, size_t at);
};

struct wire_side {
	int sock; /* -1: the link is free */
	struct buf in, out;
};

struct wire {
	struct dial to;
	const struct wire_events *events; /* kept */
	void *ctx;
	int listener;
	struct {
		struct wire_side device, broker;
		bool doomed; /* closed at the end of the turn */
	} links[WIRE_LINKS_MAX];
	char why[WIRE_WHY_SIZE]; /* of ERR_NET */
};

void wire_init(struct wire *w, const struct dial *to, const struct wire_events *events, void *ctx);
void wire_fini(struct wire *w); /* closes everything, without callbacks */

/* ERR_NET: why is half a sentence. */
enum err wire_listen(struct wire *w, const char *address, uint16_t port,
					 char why[WIRE_WHY_SIZE]) MUST_CHECK;

/* Waits up to wait_ms for bytes and handles what came. ERR_NET: the broker cannot be reached for a
 * device that came, or poll failed; w->why says so. */
enum err wire_turn(struct wire *w, int wait_ms) MUST_CHECK;

void wire_say(struct wire *w, size_t at, struct span bytes); /* to the device of a link */
void wire_cut(struct wire *w, size_t at); /* both sides, without a word; on_close follows */

#endif
