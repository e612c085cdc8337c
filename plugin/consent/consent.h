/* The consent engine: pure state machines for requests, asks, clip grants, standing grants and
 * deliveries. consent_step() gets the state, one command, the moment and random bytes, and says
 * what follows as effects: the change of rows, what to tell whom once that change is durable, and
 * whom to kick. It changes nothing itself, does no I/O, reads no clock and allocates nothing. Every
 * transition that no table lists is refused, with a reason.
 *
 * The caller (plugin/engine.c) applies effects.change to memory at once (so a denial bites in the
 * callback that brought it, I4), hands it to the store, and sends effects.tell after the change is
 * durable (I3).
 *
 * Same event_id and digest again: the first answer again and no second effect; other bytes:
 * REASON_REUSED_ID. */
#ifndef CONSENT_CONSENT_H
#define CONSENT_CONSENT_H

#include "lib/clock.h"
#include "plugin/policy/policy.h"
#include "proto/codec.h"

#define RESTORED_META \
	"restored_ms" /* row_meta: when COMMAND_RESTORED was last done; absent: never */

/* Random bytes are an argument: tests make them from a seed. fill writes len bytes. Draws that an
 * agency can see the result of (notice ids, pseudonyms, the order of releases) come from
 * fill_agency, so that with two seeded sources a draw made for one home shifts none of them (I9);
 * NULL: from fill as well. */
struct consent_random {
	void (*fill)(void *ctx, uint8_t *out, size_t len);
	void *ctx;
	void (*fill_agency)(void *ctx, uint8_t *out, size_t len);
};

struct consent_opts {
	bool agencies;
	bool demo;
	int64_t tick_ms;    /* release tick: 900000; less than 300000 only with demo */
	int64_t hold_ticks; /* >= 1 */
};

enum command_kind {
	COMMAND_NONE = 0,
	COMMAND_HOME,     /* msg: HomeCommand of member `who` */
	COMMAND_AGENCY,   /* msg: AgencyCommand of officer `who` */
	COMMAND_CLIP,     /* msg: ClipReady of device credential `who` (arrived_ms set by the caller) */
	COMMAND_CLAIM,    /* msg: DeviceClaim of device credential `who` */
	COMMAND_REPORT,   /* msg: RelayReport of relay `who`; LINK reports go to the engine, not here */
	COMMAND_OPERATOR, /* op: a registry change or a moderator's word */
	COMMAND_TICK,     /* time passes: due transitions, at most one effects-full; effects.more: call
						 again */
	COMMAND_RESTORED, /* the database was restored: everything that may have been retracted since
						 ends; effects.more as above. Comes before anybody is connected */
	COMMAND_KINDS
};

enum operator_kind {
	OPERATOR_NONE = 0,
	OPERATOR_PUT, /* row: add or change a registry row (home, device, credential, token, app_topic,
					 integrator, agency, relay); never a member (I27) */
	OPERATOR_REMOVE,  /* row_kind + key: with everything that goes with it (tokens, grants REVOKED,
						 ...) */
	OPERATOR_SUSPEND, /* credential or agency by row_kind + key */
	OPERATOR_RESUME,
	OPERATOR_REJECT_REQUEST, /* key: request id */
	OPERATOR_SUSPEND_REQUEST,
	OPERATOR_RESUME_REQUEST
};

struct command {
	enum command_kind kind;
	const struct row_credential *who; /* NULL for TICK */
	struct span event_id;             /* 16 bytes; empty for TICK */
	char digest[65];                  /* SHA-256 of the payload, hex */
	const ProtobufCMessage *msg;
	enum operator_kind op;
	const struct row *row;  /* OPERATOR_PUT */
	enum row_kind row_kind; /* other operator commands */
	struct span key;
	uint64_t
		looked_seq; /* TICK: the state's seq at the last one that set effects.looked; 0: never */
};

/* What to tell once the change is durable; composed by the engine from the rows as they are then.
 */
enum tell_kind {
	TELL_NONE = 0,
	TELL_RECEIPT,  /* id: receipt row, to home/{home}/receipt */
	TELL_RECORDED, /* private receipt to `username`: command event_id is durable (reason REASON_OK)
					  or refused */
	TELL_ASK,      /* id: ask row, to its home */
	TELL_NOTICE,   /* id: notice row, to its agency */
	TELL_JOB,      /* id: job row, to its relay */
	TELL_REGISTER, /* id: request id; publish (retained) its public entry */
	TELL_AGENCY,   /* id: agency id; publish (retained) its public entry */
	TELL_ACK,      /* id: device id; DeviceAck with value */
	TELL_CLIP,     /* id: clip row durable: mirror to home json + let members know */
	TELL_LINK, /* id: delivery, username: ask the relay for a link for that officer (fetch recorded,
				  I22) */
	TELL_ALERT,        /* the Alert in effects.alert, to area/{cell}/alert */
	TELL_UNAVAILABLE,  /* private notice to `username`, event_id: the fetch cannot be served now */
	TELL_STATUS_CLEAR, /* id: device id: clear the retained status topics */
	TELL_STATUS        /* id: device id: it was claimed; say whether it is there */
};

struct tell {
	enum tell_kind kind;
	char id[ROW_UUID_SIZE > ROW_ID_SIZE ? ROW_UUID_SIZE : ROW_ID_SIZE];
	char username[ROW_ID_SIZE];
	char event_id[ROW_UUID_SIZE];
	enum reason reason;
	int64_t value;
};

struct kick {
	char username[ROW_ID_SIZE]; /* this credential's connections end (suspended, removed) ... */
	char grant[ROW_UUID_SIZE];  /* ... or: those of the integrator to which copies under this grant
								   were routed (I5) */
};

enum { EFFECTS_TELLS_MAX = 128, EFFECTS_KICKS_MAX = 32, EFFECTS_BYTES = 131072 };

struct effects {
	enum reason reason; /* REASON_OK: accepted. Else refused; tell may hold the private answer */
	bool repeated;      /* the command was seen before with the same bytes */
	bool denial;        /* the change narrows: the store takes it even when its queue is full */
	bool more;          /* TICK: call again at once */
	bool looked; /* TICK: all that changed up to the state's seq was looked at, if this is done */
	struct change change; /* seq set by the engine; rows point into arena */
	size_t tell_count;
	struct tell tell[EFFECTS_TELLS_MAX];
	size_t kick_count;
	struct kick kick[EFFECTS_KICKS_MAX];
	Vestibule__V1__Alert alert; /* strings borrowed from the command */
	char alert_cell[6];
	size_t used;
	_Alignas(16) uint8_t arena[EFFECTS_BYTES]; /* rows of the change live here */
};

/* The one entry. fx is cleared first. Never fails: what cannot be done is a refusal with its
 * reason. */
void consent_step(const struct state *st, const struct consent_opts *opts,
				  const struct command *cmd, struct moment now, struct consent_random rnd,
				  struct effects *fx);

/* Cheap: could COMMAND_TICK have something to do at now? (for the engine's time gate) */
bool consent_tick_due(const struct state *st, const struct consent_opts *opts, struct moment now,
					  int64_t *last_tick);

/* May a fetch of this delivery be served to this officer now? Asked before LINK and again before
 * FetchLink. */
enum reason consent_may_fetch(const struct state *st, const struct row_credential *officer,
							  const struct row_delivery *delivery, struct moment now);

#endif
