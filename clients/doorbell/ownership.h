/* The daemon's dealings with whom it belongs to: the enrolment on disk, the listener for a claim,
 * the broker's answers, and the reset, which begins at the daemon's own socket (who can use it has
 * the device in hand) and ends when the broker was told.
 *
 *     open -> (device made, with ownership_told as its callback) -> start -> ... -> close
 *
 * A reset wipes recipients, code and clips at once, and is asked of the broker until it answers,
 * across restarts; then `over` becomes readable, and ownership_close, after the device was freed,
 * wipes the spool and draws a new key and code. */
#ifndef DOORBELL_OWNERSHIP_H
#define DOORBELL_OWNERSHIP_H

#include "clients/doorbell/claim.h"
#include "clients/doorbell/clips.h"

enum { OWNERSHIP_WHY_SIZE = 320 };

struct ownership {
	struct enrolment *enrolment; /* owned */
	struct claim *claim;         /* owned; NULL: no listener was wanted or needed */
	struct outcome claimed, reset;
	struct vestibule_device *device; /* borrowed, as are the next two */
	struct clips *clips;
	const char *spool; /* its folder */
	int over;          /* readable: the reset is done, end the daemon; -1 before open */
	int wake;          /* of the listener's thread */
};

/* False: why is a sentence. */
bool ownership_open(struct ownership *o, const char *dir, char why[OWNERSHIP_WHY_SIZE]) MUST_CHECK;
/* The listener, unless opts->at has an empty host; or what is left of a reset. opts: name, host,
 * port, tls, ca_file and at; the rest is filled in. */
bool ownership_start(struct ownership *o, const struct claim_opts *opts,
					 char why[OWNERSHIP_WHY_SIZE]) MUST_CHECK;
void ownership_stop(struct ownership *o); /* ends the listener; before the device is freed */
bool ownership_close(
	struct ownership *o); /* false: what a reset should have wiped is still there */

/* The SDK's callback: what the broker said reaches the disk here, then whoever waits. */
void ownership_told(struct ownership *o, const struct vestibule_claimed *claim);

/* The code, and where to bring it as a URI. False: nobody is waited for; nothing is written. */
bool ownership_uri(const struct ownership *o, struct buf *out,
				   char text[CODE_TEXT_SIZE]) MUST_CHECK;

enum ownership_reset { OWNERSHIP_RESET_TOLD = 0, OWNERSHIP_RESET_WAITS, OWNERSHIP_RESET_FAILED };

/* Begins the reset, or joins the one that goes on, and waits for the broker. FAILED: the disk; why.
 * WAITS: everything here is wiped but the spool, and the broker does not know yet. */
enum ownership_reset ownership_reset(struct ownership *o, int64_t timeout_ms,
									 struct outcome_word *word, char why[OWNERSHIP_WHY_SIZE]);

#endif
