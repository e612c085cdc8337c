/* The spool: every event that is not settled yet, in order, on disk and in a small index. It
 * decides what has to go when it is full. Not here: when an event is sent and when it is settled
 * (courier.h), file names (spool_dir.h).
 *
 * Full means files_max events or bytes_max bytes. To make room, in this order: rings older than 60
 * s, then the oldest motion; an event that is being sent (held) stays. When even all of these would
 * not be enough the new event is refused and nothing is dropped, so that a clip or a fresh ring in
 * the spool is never lost to a newer event.
 *
 * Not thread safe: one owner, or a lock around it (vestibule_device.c has one). Indexes stay valid
 * until the next spool_add, spool_remove or spool_set_aside. */
#ifndef SDK_SPOOL_H
#define SDK_SPOOL_H

#include "clients/sdk/message.h"
#include "lib/clock.h"

struct spool_opts {
	const char *dir;    /* borrowed for the call */
	uint32_t files_max; /* at least 1 */
	uint64_t bytes_max;
	uint64_t first_seq; /* of a folder that never held an event; at least 1 */
};

struct spool_entry {
	uint64_t seq;
	int64_t at_ms; /* UTC; 0 when an unsynchronised clock said it before this start: its age is
					  unknown */
	int64_t made_boot_ms; /* -1: made before this start */
	int64_t due_boot_ms;  /* not to be sent before; the courier's */
	uint32_t bytes;
	uint32_t tries; /* times it was sent since this start; the courier's */
	enum vestibule_kind kind;
	bool held; /* being sent; the courier's */
};

struct spool_counts {
	uint64_t dropped_motion;
	uint64_t stale_rings; /* dropped to make room */
	uint64_t corrupt;
	uint64_t disk_errors;
};

struct spool;

/* Opens the folder, takes up the events in it and sets damaged ones aside. *busy: the folder is
 * locked by another process (with ERR_STORE). ERR_INPUT: group or others may write to the folder; ERR_STORE: errno; ERR_LIMIT: it holds more events
 * than files_max; ERR_NOMEM. */
enum err spool_open(const struct spool_opts *opts, struct spool **out, bool *busy) MUST_CHECK;
void spool_close(struct spool *s); /* NULL does nothing; the events stay on disk */

uint64_t spool_next_seq(const struct spool *s); /* what the next event must carry */

/* Keeps an event durably. bytes: its encoding with head->seq == spool_next_seq(s). ERR_LIMIT: full,
 * see above; ERR_STORE: errno; the event is then not there, its seq is free, but what made room for
 * it is gone. */
enum err spool_add(struct spool *s, enum vestibule_kind kind, const struct message_head *head,
				   struct span bytes, struct moment now) MUST_CHECK;

size_t spool_count(const struct spool *s);
uint64_t spool_bytes(const struct spool *s);
struct spool_entry *spool_at(struct spool *s, size_t i); /* i < spool_count: in the order of seq */
size_t spool_find(const struct spool *s, uint64_t seq);  /* spool_count(s) when absent */
bool spool_is_stale(const struct spool_entry *e, struct moment now);  /* a ring of 60 s or more */
int64_t spool_age_ms(const struct spool_entry *e, struct moment now); /* INT64_MAX: unknown */

/* Reads an event into out (emptied first). ERR_INPUT: damaged, or not what its name says;
 * ERR_STORE: errno. */
enum err spool_read(struct spool *s, size_t i, struct buf *out,
					struct message_head *head) MUST_CHECK;

/* Both forget entry i, also when the disk does not obey (counted): the event is then sent again
 * after a restart. */
void spool_remove(struct spool *s, size_t i);
void spool_set_aside(struct spool *s, size_t i);

const struct spool_counts *spool_counts(const struct spool *s);

#endif
