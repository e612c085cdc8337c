/* Whom the device belongs to, on its disk: its own key, the claim code while nobody has claimed it,
 * and the home's recipients from then on. The recipients never change but by a reset (SEALED 5).
 * One folder, 0700:
 *
 *     device.key      the Ed25519 key, from the first start to a reset
 *     claim.code      the code; it dies with the claim
 *     claim.pending   what a first admin asked for; the broker has not answered yet
 *     recipients      the home's, in the form of `age -R`: the device is claimed
 *     reset           being reset; the broker may not know yet
 *
 * Every step is one file that appears or goes (lib/keep.h), and opening puts in order what a crash
 * left between two of them: `reset` is stronger than `recipients`, these than `claim.pending`. Any
 * thread. */
#ifndef DOORBELL_ENROLMENT_H
#define DOORBELL_ENROLMENT_H

#include "clients/doorbell/offer.h"
#include "clients/enrol/code.h"
#include "clients/seal/signer.h"
#include "lib/keep.h"

enum enrolment_state {
	ENROLMENT_UNCLAIMED = 0,
	ENROLMENT_PENDING,
	ENROLMENT_CLAIMED,
	ENROLMENT_RESETTING
};

struct enrolment;

/* Makes the folder when missing, draws key and code where none are. NULL: why is a sentence, also
 * when others may write to the folder, a file is damaged, or a claimed device has lost its key. */
struct enrolment *enrolment_open(const char *dir, char why[KEEP_WHY_SIZE]);
void enrolment_close(struct enrolment *e); /* NULL does nothing */

enum enrolment_state enrolment_state(struct enrolment *e);
const uint8_t *enrolment_key(
	const struct enrolment *e);                   /* SIGNER_PUBLIC_BYTES, until the reset ends */
size_t enrolment_recipients(struct enrolment *e); /* how many are pinned */
/* False: there is none (claimed, or being reset). */
bool enrolment_code(struct enrolment *e, struct code *out) MUST_CHECK;
/* What waits for the broker. False: nothing does. */
bool enrolment_pending(struct enrolment *e, struct offer *out) MUST_CHECK;

/* UNCLAIMED -> PENDING; a PENDING one may be held again by the same username and token alone.
 * ERR_INPUT: another state, or another offer waits; ERR_STORE: why. */
enum err enrolment_hold(struct enrolment *e, const struct offer *offer,
						char why[KEEP_WHY_SIZE]) MUST_CHECK;
/* PENDING -> UNCLAIMED: the broker refused. */
enum err enrolment_drop(struct enrolment *e, char why[KEEP_WHY_SIZE]) MUST_CHECK;
/* UNCLAIMED or PENDING -> CLAIMED. offer NULL: the one that waits. ERR_INPUT: another state. */
enum err enrolment_claim(struct enrolment *e, const struct offer *offer,
						 char why[KEEP_WHY_SIZE]) MUST_CHECK;

/* Any state -> RESETTING; recipients, code and what waits are gone. */
enum err enrolment_reset(struct enrolment *e, char why[KEEP_WHY_SIZE]) MUST_CHECK;
/* RESETTING -> UNCLAIMED, with a new key and a new code. */
enum err enrolment_renew(struct enrolment *e, char why[KEEP_WHY_SIZE]) MUST_CHECK;

#endif
