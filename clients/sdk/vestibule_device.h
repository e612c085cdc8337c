/* libvestibule-device: what a doorbell or camera needs to take part in a Vestibule. Rings, motion
 * and finished clips are written to the device's own spool first and are then delivered over MQTT
 * 5, in order, again and again until the broker says that they are recorded; clips themselves stay
 * on the device and are read, piece by piece, through a callback when somebody who may see them
 * pulls them. This header is the manual; nothing else is public. Not here: recording video, sealing
 * clips, keeping clip files.
 *
 *     struct vestibule_config c = {.host = "broker.example", .tls = true,
 *                                  .username = "door-1", .token = token,
 *                                  .spool_dir = "/var/lib/doorbell/spool", .clip_read = my_read};
 *     struct vestibule_fault why;
 *     struct vestibule_device *d = vestibule_device_new(&c, &why);
 *     if (!d || vestibule_device_connect(d, &why) != VESTIBULE_OK) ...     why.field, why.limit
 *     vestibule_device_ring(d, NULL, &why);                        somebody pressed the button
 *     vestibule_device_free(d);
 *
 * Promises:
 * - VESTIBULE_OK of ring, motion and clip_ready means: on disk, fsynced, with a number (seq) that
 *   no other event of this device has. It survives a crash, a power cut, weeks without a network.
 * - A clip announcement is never dropped silently: it is resent until the broker's DeviceAck
 *   covers it, or is refused for good, and `settled` says which. A ring is good for 60 seconds: an
 *   older one is dropped, and counted. Motion is sent once.
 * - Events leave in the order they were made. A clip that waits for its acknowledgement holds back
 *   later clips, never rings and motion.
 * - When the spool is full, rings older than 60 s go first, then the oldest motion; when nothing
 *   is left that may go, the new event is refused with VESTIBULE_FULL, and clips already in the
 *   spool stay.
 * - Memory is bounded: one event and one chunk are in flight, at most 32 pulls wait (more are
 *   dropped and counted: whoever pulls asks again), and the spool's index has a fixed size.
 *
 * Threads: every function may be called from any thread, also from callbacks, but for
 * vestibule_device_free, which must not be called from a callback. Events wait for their own
 * fsync, never for the network. Callbacks run on the one thread that vestibule_device_connect
 * starts, one at a time, never on yours; while one runs no event is sent, so keep them short.
 * (Paho's own two threads only hand over to that thread.) All signals are blocked in it.
 *
 * Memory: everything passed in is borrowed for the call and copied; what callbacks get is borrowed
 * for theirs. */
#ifndef VESTIBULE_DEVICE_H
#define VESTIBULE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VESTIBULE_API __attribute__((visibility("default")))

enum {
	VESTIBULE_ID_BYTES = 16,       /* event and clip ids are UUIDv7 */
	VESTIBULE_ID_TEXT_SIZE = 37,   /* as text, with the terminating zero */
	VESTIBULE_CHUNK_BYTES = 65536, /* the most that clip_read is asked for at once */
	VESTIBULE_RING_LIFE_MS = 60000,
	VESTIBULE_SPOOL_FILES = 512, /* defaults and bounds of the spool */
	VESTIBULE_SPOOL_FILES_MAX = 4096,
	VESTIBULE_SPOOL_BYTES = 1048576,
	VESTIBULE_SPOOL_BYTES_MIN = 16384
};

enum vestibule_error {
	VESTIBULE_OK = 0,
	VESTIBULE_INVALID, /* an argument breaks a limit: fault.field and fault.limit name it */
	VESTIBULE_FULL,    /* the spool is full of what may not be dropped: try again later */
	VESTIBULE_DISK,    /* the spool cannot be written (disk full, gone): not kept, try again */
	VESTIBULE_NOMEM,   /* out of memory: not kept, try again */
	VESTIBULE_BUSY     /* another process uses this spool, or connect was called before */
};

struct vestibule_fault {
	char field[64];  /* what is wrong: "username", "MotionEvent.confidence_permille", "spool_dir" */
	char limit[160]; /* what it had to satisfy, or the system's error */
};

/* --- what the device tells you --------------------------------------------------------------- */

enum vestibule_kind { VESTIBULE_RING = 0, VESTIBULE_MOTION, VESTIBULE_CLIP };

enum vestibule_outcome {
	VESTIBULE_RECORDED = 0, /* the broker's DeviceAck covers it: durable there, or past use */
	VESTIBULE_ARRIVED, /* a ring or a motion left and was taken; no more is promised for these */
	VESTIBULE_REFUSED, /* the broker refuses it for good; reason and sentence say why */
	VESTIBULE_STALE,   /* a ring older than 60 s, not sent */
	VESTIBULE_CORRUPT  /* its spool file was damaged, now NAME.bad; event_id is zero */
};

struct vestibule_settled {
	enum vestibule_kind kind;
	enum vestibule_outcome outcome;
	uint64_t seq;
	uint8_t event_id[VESTIBULE_ID_BYTES];
	const char *reason;   /* REFUSED: a word of the broker's list, or "not_given"; else "" */
	const char *sentence; /* REFUSED: the same for people; else "" */
};

enum vestibule_claim { VESTIBULE_NO_CLAIM = 0, VESTIBULE_FIRST_ADMIN, VESTIBULE_RESET };

/* What became of vestibule_device_first_admin or vestibule_device_reset. */
struct vestibule_claimed {
	enum vestibule_claim what;
	enum vestibule_outcome outcome; /* VESTIBULE_RECORDED or VESTIBULE_REFUSED */
	const char *reason;   /* REFUSED: a word of the broker's list, "not_given" or "not_let_in" (the
							 broker refuses the login); else "" */
	const char *sentence; /* REFUSED: the same for people; else "" */
};

enum vestibule_link { VESTIBULE_OFFLINE = 0, VESTIBULE_CONNECTING, VESTIBULE_ONLINE };
enum vestibule_level {
	VESTIBULE_LOG_ERROR = 0,
	VESTIBULE_LOG_WARN,
	VESTIBULE_LOG_INFO,
	VESTIBULE_LOG_DEBUG
};
enum vestibule_part { VESTIBULE_PAYLOAD = 0, VESTIBULE_POSTER = 1 };

/* The clip source. Reads up to want->len bytes of a clip's part from want->offset into `into`, sets
 * *size to the whole part's size, returns the number of bytes read: fewer than asked for only at
 * the end of the part, 0 at or behind it. VESTIBULE_GONE: the device does not have this clip or
 * part (any more). */
enum { VESTIBULE_GONE = -1 };
struct vestibule_read {
	uint8_t clip_id[VESTIBULE_ID_BYTES];
	enum vestibule_part part;
	uint64_t offset;
	size_t len; /* at most VESTIBULE_CHUNK_BYTES */
};
typedef int64_t vestibule_clip_read_fn(void *ctx, const struct vestibule_read *want, uint8_t *into,
									   uint64_t *size);

typedef void vestibule_settled_fn(void *ctx, const struct vestibule_settled *event);
typedef void vestibule_claimed_fn(void *ctx, const struct vestibule_claimed *claim);
/* why: a sentence for people when the connection ended or could not be made, else "". */
typedef void vestibule_link_fn(void *ctx, enum vestibule_link link, const char *why);
/* One line of key=value pairs without newline; never a payload or a credential. */
typedef void vestibule_log_fn(void *ctx, enum vestibule_level level, const char *line);

/* --- life of a device ------------------------------------------------------------------------ */

enum vestibule_clock {
	VESTIBULE_CLOCK_KERNEL = 0, /* good when the kernel says it is synchronised (adjtimex) */
	VESTIBULE_CLOCK_SYNCED,     /* always good: you know better, from a GNSS receiver, say */
	VESTIBULE_CLOCK_UNSYNCED    /* never */
};

/* Zero is a usable default for all but host, username, spool_dir and the credential. */
struct vestibule_config {
	const char *host;      /* name or address of the broker, 1-255 letters of [A-Za-z0-9.:_-] */
	uint16_t port;         /* 0: 8883 with TLS, 1883 without */
	bool tls;              /* also switched on by any of the three files */
	const char *ca_file;   /* PEM; NULL: the system's certificates */
	const char *cert_file; /* PEM client certificate and its key: both or neither */
	const char *key_file;
	const char *username; /* the credential: 3-64 of [a-z0-9_-]; also the MQTT client id */
	const char *token;  /* 16-128 visible characters, wiped when freed; or NULL with a cert_file */
	const char *device; /* id in topics: 1-64 of [a-z0-9_-]; NULL: the username */
	uint16_t keepalive_s; /* 0: 30 */
	enum vestibule_clock clock;

	const char *
		spool_dir; /* made (0700) when missing, INVALID when others may write; one device a directory */
	uint32_t spool_files_max; /* 0: VESTIBULE_SPOOL_FILES; 1 to VESTIBULE_SPOOL_FILES_MAX */
	uint64_t spool_bytes_max; /* 0: VESTIBULE_SPOOL_BYTES; VESTIBULE_SPOOL_BYTES_MIN or more */

	vestibule_clip_read_fn *clip_read; /* NULL: every pull is answered "gone" */
	vestibule_settled_fn *settled;     /* NULL: not told; the same for the next three */
	vestibule_claimed_fn *claimed;
	vestibule_link_fn *link;
	vestibule_log_fn *log;
	enum vestibule_level log_level; /* lines above it are not made: 0 errors only */
	void *ctx;                      /* handed to every callback */
};

struct vestibule_device;

/* Opens the spool and takes up the events in it; no network yet, but events are accepted from here
 * on. NULL, and *why: INVALID, DISK, NOMEM or BUSY in words (why may be NULL). */
VESTIBULE_API struct vestibule_device *vestibule_device_new(const struct vestibule_config *config,
															struct vestibule_fault *why);

/* Starts the thread that connects, and connects again for ever after a loss, with a random pause of
 * up to 1 s that doubles up to 60 s. The result of an attempt comes through the `link` callback.
 * VESTIBULE_BUSY: called before. VESTIBULE_NOMEM: no thread. */
VESTIBULE_API enum vestibule_error vestibule_device_connect(struct vestibule_device *d,
															struct vestibule_fault *why);

/* Publishes `offline`, says goodbye, stops the thread and frees; what is in the spool stays there
 * for the next start. Takes up to about 2 s. NULL does nothing. */
VESTIBULE_API void vestibule_device_free(struct vestibule_device *d);

/* A device that sleeps keeps its connection or loses it, and shows `sleeping` instead of `online`
 * to its home. */
VESTIBULE_API void vestibule_device_sleeping(struct vestibule_device *d, bool sleeping);

/* --- events ---------------------------------------------------------------------------------- */

struct vestibule_event { /* what an accepted event got */
	uint8_t event_id[VESTIBULE_ID_BYTES];
	uint64_t seq;
};

enum vestibule_motion {
	VESTIBULE_PERSON = 1,
	VESTIBULE_VEHICLE = 2,
	VESTIBULE_ANIMAL = 3,
	VESTIBULE_PACKAGE = 4,
	VESTIBULE_OTHER = 5
};

enum vestibule_trigger { VESTIBULE_BY_RING = 1, VESTIBULE_BY_MOTION = 2, VESTIBULE_BY_OWNER = 3 };

struct vestibule_clip {
	uint8_t clip_id[VESTIBULE_ID_BYTES]; /* of vestibule_new_id; clip_read is asked for it */
	uint64_t start_ms;                   /* UTC, when the recording begins */
	uint32_t duration_ms;
	enum vestibule_trigger trigger;
	const char *media_type;     /* "video/mp4"; at most 32 characters */
	uint64_t payload_length;    /* of the stored form, what clip_read hands out */
	uint8_t payload_sha256[32]; /* of the same bytes */
	const uint8_t *sealed;      /* age header for the home's recipients; NULL: none */
	size_t sealed_len;
	const uint8_t *manifest; /* device-signed note; NULL: none */
	size_t manifest_len;
	uint32_t poster_length; /* 0: no poster */
};

/* Each spools one event that happens now; *out (may be NULL) is written on success only. INVALID,
 * FULL, DISK, NOMEM: nothing was kept and no seq was used up that a reader could miss. */
VESTIBULE_API enum vestibule_error vestibule_device_ring(struct vestibule_device *d,
														 struct vestibule_event *out,
														 struct vestibule_fault *why);
/* confidence: 0-1000 permille. */
VESTIBULE_API enum vestibule_error vestibule_device_motion(struct vestibule_device *d,
														   enum vestibule_motion kind,
														   uint32_t confidence,
														   struct vestibule_event *out,
														   struct vestibule_fault *why);
/* Announce a clip only after its bytes are safe on the device. */
VESTIBULE_API enum vestibule_error vestibule_device_clip_ready(struct vestibule_device *d,
															   const struct vestibule_clip *clip,
															   struct vestibule_event *out,
															   struct vestibule_fault *why);

/* --- the home -------------------------------------------------------------------------------- */

/* A device that the operator put into a home says nothing there until it is claimed: by an admin of
 * the home on the bus, or, where nobody ever lived, by naming the first admin itself. The program
 * must know by its own means (a claim code shown on the device) that the name comes from a person of
 * the home.
 *
 * Both calls return at once and are kept in memory until they are answered: sent at QoS 1 with every
 * connection and every 10 s, then told by `claimed`. One at a time; a reset takes the place of a
 * first admin that waits. After a crash just call again: the same name and token are recorded once. */

/* username: 3-64 of [a-z0-9_-], never used before; token_sha256: of the token that the person drew.
 * RECORDED: that person is the home's admin, durably, and the device is claimed. REFUSED: lived_in,
 * name_taken and others. INVALID; NOMEM; DISK: no random bytes; BUSY: a claim waits for its
 * answer. */
VESTIBULE_API enum vestibule_error vestibule_device_first_admin(struct vestibule_device *d,
																const char *username,
																const uint8_t token_sha256[32],
																struct vestibule_fault *why);
/* Ends the device in its home, for good: its clips, what was shared of them, its credential and its
 * id. RECORDED: the broker lets it in no more after it was told; free the device, which else tries
 * to connect for ever. REFUSED "not_let_in": it did not before, so nothing was told. NOMEM, DISK as
 * above; BUSY: a reset waits for its answer. */
VESTIBULE_API enum vestibule_error vestibule_device_reset(struct vestibule_device *d,
														  struct vestibule_fault *why);

/* --- looking --------------------------------------------------------------------------------- */

struct vestibule_status { /* counters run since vestibule_device_new */
	enum vestibule_link link;
	uint32_t waiting; /* events in the spool */
	uint64_t waiting_bytes;
	uint64_t seq;       /* of the newest event; new spool: one less than the first gets */
	uint64_t acked_seq; /* highest DeviceAck of this run */
	uint64_t sent;      /* events handed over, repeats included */
	uint64_t recorded;
	uint64_t arrived;
	uint64_t refused;
	uint64_t stale_rings;
	uint64_t dropped_motion; /* to make room */
	uint64_t full;           /* events refused because the spool was full */
	uint64_t corrupt;        /* spool files set aside */
	uint64_t disk_errors;
	uint64_t connects;
	uint64_t chunks; /* sent */
	uint64_t dropped_pulls;
};

VESTIBULE_API void vestibule_device_status(struct vestibule_device *d,
										   struct vestibule_status *out);

/* A fresh UUIDv7. False: the system gave no random bytes. */
VESTIBULE_API bool vestibule_new_id(uint8_t out[VESTIBULE_ID_BYTES]);
VESTIBULE_API void vestibule_id_text(const uint8_t id[VESTIBULE_ID_BYTES],
									 char out[VESTIBULE_ID_TEXT_SIZE]);
/* A short sentence; never NULL. */
VESTIBULE_API const char *vestibule_error_text(enum vestibule_error e);

#ifdef __cplusplus
}
#endif

#endif
