/* One MQTT 5 connection on Paho's MQTTAsync: clean start, no session, last will, four
 * subscriptions. Paho's threads only leave news here; the owner's thread waits for them with
 * link_wait. A new Paho client is made for every attempt and destroyed after it, so that nothing
 * Paho queued for an old connection is ever sent on a new one. Not here: which event is sent when
 * (courier.h), when to connect again (worker.c).
 *
 * Locks: Paho calls back with its own lock held, so this module never calls Paho with its lock
 * held. Threads: all functions are the owner's, but for link_wake, which anybody may call. */
#ifndef SDK_LINK_H
#define SDK_LINK_H

#include "lib/err.h"
#include "lib/span.h"
#include "proto/topic.h"

enum {
	LINK_PULLS_MAX = 32,  /* messages of the pull topics that wait to be taken; more are dropped */
	LINK_OTHERS_MAX = 16, /* the same for acks, denials and replies together */
	LINK_MESSAGE_MAX = 4096, /* longer ones are dropped */
	LINK_WHY_SIZE = 128,
	LINK_FILTERS = 4
};

struct link_opts { /* strings are borrowed until link_free */
	const char *host;
	uint16_t port;
	bool tls;
	const char *ca_file, *cert_file, *key_file;
	const char *username; /* also the client id */
	const char *token;    /* NULL: none */
	uint16_t keepalive_s;
	const char *will_topic; /* "offline" goes there, retained, QoS 0 */
	const char *filters[LINK_FILTERS];
};

enum link_slot {
	LINK_EVENT = 0,
	LINK_CHUNK,
	LINK_STATUS,
	LINK_CLAIM,
	LINK_SLOTS
}; /* one message of each is under way */

enum link_state {
	LINK_DOWN = 0, /* no client */
	LINK_OPENING,
	LINK_UP,    /* connected, every subscription answered */
	LINK_FAILED /* the attempt or the connection is over: link_close, then link_open again */
};

struct link_news {
	enum link_state state;
	char why[LINK_WHY_SIZE];  /* LINK_FAILED: a sentence */
	bool not_let_in;          /* LINK_FAILED: the broker refused the login */
	unsigned refused_filters; /* bit n: the broker refused filters[n] */
	bool done[LINK_SLOTS];    /* the message of this slot is settled since the last news ... */
	int code[LINK_SLOTS];     /* ... with this MQTT reason code, or -1: lost */
	uint64_t dropped_pulls;   /* since link_new */
};

/* A message on one of the filters. Free with link_message_free. */
struct link_message {
	struct link_message *next; /* the link's */
	enum topic_kind kind;      /* TOPIC_DEVICE_PULL, _ACK, TOPIC_USER_DENIED or _REPLY */
	char clip[TOPIC_CLIP_LEN + 1];
	char username[TOPIC_USERNAME_MAX + 1];
	size_t len;
	uint8_t bytes[];
};

struct link;

struct link *link_new(const struct link_opts *opts); /* NULL: no memory */
void link_free(struct link *l);                      /* closes first; NULL does nothing */

/* Starts an attempt; news tell how it goes. ERR_NET: Paho refused, *why says why. Only when
 * LINK_DOWN. */
enum err link_open(struct link *l, char why[LINK_WHY_SIZE]) MUST_CHECK;
void link_close(
	struct link *l); /* ends whatever there is; may take about a second; messages are dropped */

/* Publishes "offline" and says goodbye; waits at most wait_ms for it to leave. Then link_close. */
void link_goodbye(struct link *l, int wait_ms);

struct link_send {
	const char *topic;
	struct span payload;
	int qos; /* 0 or 1 */
	bool retained;
	uint32_t expiry_s; /* 0: no property */
};
/* Hands one message over; its end comes as news. ERR_NET: not taken. Only when LINK_UP and the slot
 * is free. */
enum err link_send(struct link *l, enum link_slot slot, const struct link_send *m) MUST_CHECK;
bool link_is_free(const struct link *l,
				  enum link_slot slot); /* no message of this slot is under way */

/* Waits until there are news or messages, link_wake was called, or ms passed; fills news. */
void link_wait(struct link *l, int64_t ms, struct link_news *news);
void link_wake(struct link *l);
struct link_message *link_take(
	struct link *l); /* the oldest message that waits, now the caller's; NULL: none */
void link_message_free(struct link_message *m);

#endif
