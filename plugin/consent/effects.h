/* How a step of the consent engine says what follows: rows are made in the arena of struct effects,
 * so that the change stays whole after the state it came from has moved on. Internal to
 * plugin/consent. Pure, no allocation.
 *
 * Room: the arena, the operations and the tells are bounded. A command's handler is written so that
 * it fits; work that may not fit (ticks) asks effects_room() first. What does not fit all the same
 * is not half done: the step ends as REASON_BUSY without effects (consent.c asks
 * effects_overflowed). */
#ifndef CONSENT_EFFECTS_H
#define CONSENT_EFFECTS_H

#include "plugin/consent/consent.h"
#include "proto/uuid.h"

/* What a step knows; all borrowed for the step. */
struct step {
	const struct state *st;
	const struct consent_opts *opts;
	const struct command *cmd;
	const struct row_credential *who; /* the sender; NULL in a tick */
	struct moment now;
	struct consent_random rnd;
	struct effects *fx;
};

/* Copies text that fits by construction (same kind of field on both sides). */
#define EFFECTS_TEXT(dst, src) ((void)span_copy(span_str(src), (dst), sizeof(dst)))

void effects_clear(struct effects *fx); /* everything but the arena's bytes */
bool effects_room(const struct effects *fx, size_t ops, size_t tells);
bool effects_overflowed(const struct effects *fx);

/* A new zeroed row, put by this change. Never NULL: after an overflow it is memory that nobody
 * reads. */
void *effects_new(const struct step *s, enum row_kind kind);
/* A copy of old to alter, put by this change; the same copy again when this change already has one.
 */
void *effects_alter(const struct step *s, const void *old);
void effects_put(const struct step *s,
				 const struct row *r); /* a copy of r as it is, put by this change */
void effects_del(const struct step *s, const void *old);

/* Room for bytes that must outlive the state's rows; NULL after an overflow or for n = 0. */
uint8_t *effects_bytes(const struct step *s, size_t n);

/* The row as this change leaves it so far: its own put, NULL when deleted, else the state's. */
const struct row *effects_latest(const struct step *s, enum row_kind kind, struct span key);

struct tell *effects_tell(const struct step *s, enum tell_kind kind, const char *id);
void effects_recorded(const struct step *s, enum reason reason); /* TELL_RECORDED to the sender */
void effects_kick_user(const struct step *s, const char *username);
void effects_kick_grant(const struct step *s, const char *grant);

/* Identifiers. Those that an agency can see are drawn from a source of their own (consent.h). */
void effects_uuid(const struct step *s, char out[UUID_TEXT_SIZE]);        /* UUIDv7 */
void effects_uuid_agency(const struct step *s, char out[UUID_TEXT_SIZE]); /* UUIDv7 */
void effects_pseudonym(const struct step *s, char out[UUID_TEXT_SIZE]);   /* 128 random bits */
void effects_object_name(const struct step *s, char out[33]);             /* 128 random bits, hex */
uint32_t effects_below(const struct step *s,
					   uint32_t n); /* uniform in [0, n), n > 0, from the agencies' source */

/* 16 bytes of a message as UUID text; false and "" when they are not 16. */
bool effects_uuid_of(ProtobufCBinaryData bytes, char out[UUID_TEXT_SIZE]);

/* A receipt to the home, told once durable; a notice to the agency likewise. Fill in the rest. */
struct row_receipt *effects_receipt(const struct step *s, int kind, const char *home);
struct row_notice *effects_notice(const struct step *s, int kind, const char *agency);
/* A notice that answers the sender's command. */
struct row_notice *effects_answer(const struct step *s, int kind, const char *agency);

#endif
