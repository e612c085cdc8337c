/* Refusals, remembered and logged: a counter per kind of access and reason, the last few per
 * username (for `explain`), and one rate-limited log line. Never a payload, an address or a token.
 * The decision was made before, elsewhere; what was refused changes nothing. Broker thread only. */
#ifndef PLUGIN_DENIAL_H
#define PLUGIN_DENIAL_H

#include "lib/clock.h"
#include "lib/log.h"
#include "plugin/policy/policy.h"
#include "proto/codec.h"

enum {
	DENIAL_RING = 16, /* kept per username */
	DENIAL_USERS_MAX =
		2048, /* usernames with a ring; beyond it the one that was quiet longest is dropped */
	DENIAL_TOLD_BURST = 20, /* denied messages per username, then one each DENIAL_TOLD_EVERY_MS */
	DENIAL_TOLD_EVERY_MS = 1000,
	DENIAL_LOG_BURST = 5, /* log lines per username, then one each DENIAL_LOG_EVERY_MS */
	DENIAL_LOG_EVERY_MS = 10000
};

enum denial_access {
	DENIAL_CONNECT = 0,
	DENIAL_READ,
	DENIAL_WRITE,
	DENIAL_SUBSCRIBE,
	DENIAL_ACCESSES
};

struct denial {
	int64_t at_ms;
	enum denial_access access;
	enum reason reason;
	char
		topic[TOPIC_BYTES_MAX + 1]; /* as the sender named it, cut at a character; "" for CONNECT */
	struct codec_fault fault;       /* the field to blame, or empty */
};

struct denials;

struct denials *denials_new(uint64_t seed0, uint64_t seed1,
							struct log *log); /* NULL: no memory. log is borrowed */
void denials_free(struct denials *d);         /* NULL is fine */

/* Copies a topic or filter of any length into what, cut to fit, `?` for what people should not be
 * shown. */
void denial_set_topic(struct denial *what, struct span topic);

/* Counts; for all but READ also remembers and logs. True when a denied message may be sent (rate).
 * Names may be anything a stranger sent. */
bool denials_note(struct denials *d, struct span username, struct span client_id,
				  const struct denial *what, struct moment now);

uint64_t denials_count(const struct denials *d, enum denial_access access, enum reason reason);
/* The n-th last denial of a username (0 is the newest); NULL when there are fewer. Borrowed until
 * the next note. */
const struct denial *denials_last(const struct denials *d, struct span username, size_t n);
const char *denial_access_name(enum denial_access access); /* "write", ... never NULL */

#endif
