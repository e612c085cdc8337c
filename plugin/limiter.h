/* Rate limits. Over one, a sender is not refused: it gets no acknowledgement and repeats later
 * (DESIGN 3).
 *
 * A device's events count by their own time, so that a spool flushed after an outage is not lost,
 * and by an ingress bucket, so that lying about the time gains nothing. The limiter also knows
 * which clip of a device was passed over: no DeviceAck may reach its seq, else the device would
 * believe it recorded. And it remembers the last event ids of a device: rings and motions are not stored, so
 * this is what finds their repetitions. Principals' commands draw on one bucket each. Who is over a
 * limit is named in the log, now and then. Broker thread only. */
#ifndef PLUGIN_LIMITER_H
#define PLUGIN_LIMITER_H

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/span.h"
#include "proto/codec.h"

enum {
	LIMIT_RING_MIN = 6, /* per device and minute of the events' own time (CONSENT 8) */
	LIMIT_MOTION_MIN = 6,
	LIMIT_CLIP_READY_MIN = 4,
	LIMIT_WINDOW_MS = 60000,
	LIMIT_AHEAD_MS = 30000, /* an `at` further ahead of its arrival is no good clock */
	LIMIT_KEPT = 64,        /* accepted times kept per device and kind */
	LIMIT_IDS = 16,         /* event ids kept per device */
	LIMIT_INGRESS_BURST =
		240, /* events of a device, whatever their times; then one each LIMIT_INGRESS_MS */
	LIMIT_INGRESS_MS = 500,
	LIMIT_COMMAND_BURST =
		60, /* commands, syncs, status words of a username; then one each LIMIT_COMMAND_MS */
	LIMIT_COMMAND_MS = 500,
	LIMIT_PULL_BURST = 512, /* ClipPull of a username */
	LIMIT_PULL_MS = 10,
	LIMIT_CHUNK_BURST = 16384, /* ClipChunk of a device: 1 GiB at once, then 64 MiB a second */
	LIMIT_CHUNK_MS = 1,
	/* sessions that a username may leave with the broker, some 3 KB each for up to 14 days (no call
	 * ends one): new client ids, then one each LIMIT_SESSION_MS */
	LIMIT_SESSION_BURST = 16384,
	LIMIT_SESSION_MS = 5000,
	LIMIT_LOG_EVERY_MS = 10000, /* lines about one that is over a limit; refused commands' lines */
	LIMIT_LOG_BURST = 20,       /* lines about a username's refused commands, then as above */
	LIMIT_IDLE_MS = 3600000     /* an hour without anything: forgotten */
};

struct limiter;

struct limiter *limiter_new(uint64_t seed0, uint64_t seed1,
							struct log *log); /* NULL: no memory. log is borrowed */
void limiter_free(struct limiter *l);         /* NULL is fine */

enum limiter_kind { LIMITER_RING = 0, LIMITER_MOTION, LIMITER_CLIP, LIMITER_KINDS };

struct limiter_event {
	enum limiter_kind kind;
	const uint8_t *event_id; /* 16 bytes */
	uint64_t seq;
	int64_t effective_ms; /* its own time, or its arrival when its clock is not good */
};

enum limiter_answer {
	LIMITER_TAKE = 0,
	LIMITER_REPEATED, /* this id was taken before: do not route again */
	LIMITER_LATER /* over the limit (or no memory); a clip: no acknowledgement reaches its seq */
};

/* One event of a device. Clips are not looked up among the ids: consent knows them from the store,
 * and the caller says limiter_repeated instead. */
enum limiter_answer limiter_take(struct limiter *l, struct span device,
								 const struct limiter_event *ev, struct moment now);

/* A repetition that another memory found: it costs nothing. */
void limiter_repeated(struct limiter *l, struct span device, uint64_t seq);

/* A clip that was taken could not be kept after all (store busy): as if it had been over the
 * limit. */
void limiter_put_back(struct limiter *l, struct span device, uint64_t seq);

/* The highest seq that may be acknowledged, at most value: below the lowest clip passed over. 0:
 * none. */
uint64_t limiter_ack(const struct limiter *l, struct span device, uint64_t value);

enum limiter_bucket {
	LIMITER_COMMAND = 0,
	LIMITER_PULL,
	LIMITER_CHUNK,
	LIMITER_SESSION,
	LIMITER_BUCKETS
};

/* True: within the limit, and counted. */
bool limiter_principal(struct limiter *l, struct span username, enum limiter_bucket bucket,
					   struct moment now);

/* May a line about a refused command of this username be logged? What has no limit of its own, a
 * retraction, must not fill the log either. No memory: no line. */
bool limiter_may_log(struct limiter *l, struct span username, struct moment now);

/* Forgets what was idle for LIMIT_IDLE_MS and has its limits back; call now and then. */
void limiter_sweep(struct limiter *l, struct moment now);

uint64_t limiter_limited(const struct limiter *l); /* how often LATER was the answer, ever */

#endif
