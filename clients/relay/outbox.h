/* What the relay must not forget: every object it was told about and every job it still owes an
 * answer, in one SQLite file (WAL, synchronous FULL) in the state directory. A job is a question
 * about an object; the object's state is the answer. So a job that comes twice, or again after
 * years, is answered from the object's row.
 *
 *     QUEUED -> SENDING -> VERIFIED -> STORED        a clip on its way: pulled, hash right, visible
 *     SENDING, VERIFIED -> QUEUED                    failed for now, or found at start
 *     QUEUED, SENDING -> GONE                        the device no longer has the clip
 *     any of them -> DELETING -> DELETED             purged, cancelled or expired; DELETED is
 * absorbing
 *
 * DELETED is the tombstone: name, state and perhaps the time of a second removal, kept
 * OUTBOX_TOMBSTONE_MS, so that a late COPY cannot bring the object back. Every call is one
 * transaction, durable when it returns ERR_NONE. ERR_STORE means that nothing changed; outbox_why()
 * then says what happened (disk full, in use by another process, damaged), and a later call may
 * succeed. One thread. */
#ifndef RELAY_OUTBOX_H
#define RELAY_OUTBOX_H

#include "clients/relay/backend.h"
#include "lib/err.h"
#include "lib/span.h"
#include "proto/uuid.h"

enum { OUTBOX_DEVICE_SIZE = 65, OUTBOX_SHA256 = 32, OUTBOX_WHY_SIZE = 256 };
#define OUTBOX_TOMBSTONE_MS  (INT64_C(90) * 86400 * 1000) /* three times the longest grant */
#define OUTBOX_SETTLE_MAX_MS (INT64_C(86400) * 1000)      /* a second removal is due within */
#define OUTBOX_ANSWERED_MS   (INT64_C(86400) * 1000) /* an answered job is remembered for a day */

enum outbox_state { /* numbers are in the file: never renumber */
					OUTBOX_NONE = 0,
					OUTBOX_QUEUED = 1,
					OUTBOX_SENDING = 2,
					OUTBOX_VERIFIED = 3,
					OUTBOX_STORED = 4,
					OUTBOX_DELETING = 5,
					OUTBOX_DELETED = 6,
					OUTBOX_GONE = 7
};

struct outbox_object {
	uint64_t length;
	uint64_t received; /* bytes that the backend holds durably */
	int64_t exp_ms;
	int64_t next_ms;   /* not before */
	uint32_t attempts; /* failures in a row */
	enum outbox_state state;
	uint8_t sha256[OUTBOX_SHA256];
	uint8_t clip[UUID_BYTES];
	char name[BACKEND_NAME_SIZE];
	char device[OUTBOX_DEVICE_SIZE];
};

struct outbox_job {
	uint8_t id[UUID_BYTES];
	int kind; /* Vestibule__V1__JobKind: COPY, CANCEL, PURGE */
};

struct outbox_report {
	uint8_t job_id[UUID_BYTES];
	uint8_t event_id[UUID_BYTES];
	int kind; /* Vestibule__V1__ReportKind */
	char object[BACKEND_NAME_SIZE];
	uint64_t length;
	uint8_t sha256[OUTBOX_SHA256];
	uint64_t seq;
	int64_t at_ms;
};

struct outbox;

/* Opens or makes DIR/outbox.db, for this process alone. ERR_STORE: not a directory, no permission,
 * in use, or damaged; ERR_VERSION: written by a newer relay; ERR_NOMEM. why is a sentence. Objects
 * found on their way are QUEUED again. */
enum err outbox_open(const char *dir, struct outbox **out, char why[OUTBOX_WHY_SIZE]) MUST_CHECK;
void outbox_close(struct outbox *ob);
const char *outbox_why(const struct outbox *ob); /* sentence of the last ERR_STORE */

enum err outbox_get(struct outbox *ob, const char *name,
					struct outbox_object *out) MUST_CHECK; /* ERR_ABSENT, ERR_STORE */

/* Writes the object's row; job, when not NULL, is recorded as owed an answer, anew if it had been
 * answered and acknowledged before. Every open job about the object that the new state answers gets
 * its report, in the same transaction. A DELETED row is stripped to its name. ERR_STORE. */
enum err outbox_put(struct outbox *ob, const struct outbox_object *o, const struct outbox_job *job,
					int64_t now_ms) MUST_CHECK;

/* Up to cap rows in that state with next_ms <= now_ms, longest due first. A next_ms further ahead
 * than any back-off reaches is due as well: the clock was set back. ERR_STORE. */
enum err outbox_due(struct outbox *ob, enum outbox_state state, int64_t now_ms,
					struct outbox_object *rows, size_t cap, size_t *count) MUST_CHECK;
/* Up to cap rows that are neither DELETING nor DELETED and whose exp_ms has come. ERR_STORE. */
enum err outbox_expired(struct outbox *ob, int64_t now_ms, struct outbox_object *rows, size_t cap,
						size_t *count) MUST_CHECK;

/* A tombstone's next_ms is when its object is to be removed once more (backend.h, settle_ms); 0:
 * never. Up to cap tombstones for which that time has come, or lies further ahead than any is set.
 * ERR_STORE. */
enum err outbox_settling(struct outbox *ob, int64_t now_ms, struct outbox_object *rows, size_t cap,
						 size_t *count) MUST_CHECK;
/* Sets next_ms of a tombstone; nothing when it is none. ERR_STORE. */
enum err outbox_settle(struct outbox *ob, const char *name, int64_t next_ms) MUST_CHECK;

/* The report with the lowest seq > after_seq that was not acknowledged. ERR_ABSENT: none;
 * ERR_STORE. */
enum err outbox_unsent(struct outbox *ob, uint64_t after_seq, struct outbox_report *out) MUST_CHECK;
/* PUBACK came for this report. ERR_STORE. */
enum err outbox_acked(struct outbox *ob, uint64_t seq) MUST_CHECK;
enum err outbox_next_seq(struct outbox *ob,
						 uint64_t *seq) MUST_CHECK; /* for a report that is no row. ERR_STORE */

/* Drops tombstones and answered jobs that are past use. ERR_STORE. */
enum err outbox_forget(struct outbox *ob, int64_t now_ms) MUST_CHECK;

/* The highest UTC seen, kept for the clock judge; 0 at first. ERR_STORE. */
enum err outbox_floor(struct outbox *ob, int64_t *floor_ms) MUST_CHECK;
enum err outbox_set_floor(struct outbox *ob, int64_t floor_ms) MUST_CHECK;

const char *outbox_state_name(enum outbox_state s); /* "queued", ... never NULL */

#endif
