/* The one claim that a device may have under way: its first admin, or its reset. Pure decisions about
 * when it is sent and what became of it, time as an argument; kept in memory only.
 *
 * It is sent again with each connection and 10 s after a PUBACK without an answer. A first admin is
 * recorded when the Receipt on the own reply topic says so; a reset, when the broker lets the device
 * in no more after it was sent. A refusal (reason code 0x87) is final, unless its Denial names a
 * reason that passes; the Denial is waited for, shortly.
 *
 * Not here: MQTT (link.h), events (courier.h). Not thread safe: under the device's lock. */
#ifndef SDK_CLAIM_H
#define SDK_CLAIM_H

#include "clients/sdk/message.h"
#include "lib/clock.h"

enum { CLAIM_AGAIN_MS = 10000, CLAIM_DENIAL_MS = 1000 };

struct claim {
	enum vestibule_claim what; /* VESTIBULE_NO_CLAIM: none */
	uint8_t event_id[UUID_BYTES];
	struct buf bytes; /* sent each time, byte for byte */
	bool is_out;      /* being sent */
	bool was_sent;
	int64_t due_boot_ms;
	int64_t denial_until_boot_ms; /* 0: it was not refused */
	bool is_over;
	enum vestibule_outcome outcome;
	char reason[64];
	char sentence[192];
};

void claim_init(struct claim *c);
void claim_fini(struct claim *c);

/* Takes over bytes, the encoding, which the caller made with buf_init; whatever waited is dropped. */
void claim_set(struct claim *c, enum vestibule_claim what, const uint8_t event_id[UUID_BYTES],
			   struct buf *bytes);

bool claim_next(struct claim *c, struct moment now); /* is it to be sent now? Then it is out */
/* How sending ended: an MQTT reason code, or -1 when nobody knows. */
void claim_sent(struct claim *c, int code, struct moment now);
void claim_offline(struct claim *c);
void claim_not_let_in(struct claim *c); /* the broker refused the login */

/* A Denial or a private Receipt came; false: about something else. Spans are borrowed. */
bool claim_denied(struct claim *c, struct span event_id, struct span reason, struct span sentence,
				  struct moment now);
bool claim_recorded(struct claim *c, struct span event_id);

/* Settles it: true once, out's texts borrowed from c until the next claim_set. */
bool claim_settle(struct claim *c, struct moment now, struct vestibule_claimed *out);

/* Boot time at which claim_next (when online) or claim_settle may have something to do; INT64_MAX:
 * none. */
int64_t claim_due_ms(const struct claim *c, bool online);

#endif
