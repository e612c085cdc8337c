/* Waiting for a resident who knows the claim code: a listener that is open only while the device is
 * unclaimed, with a thread of its own, one exchange at a time, each step within 10 seconds. What is
 * said: proto/vestibule/v1/enrol.proto; how: clients/enrol/channel.h.
 *
 *     first admin     home's recipients, name, token hash -> own key and broker -> kept -> the broker
 *                     is asked (SDK) -> its answer; the recipients are pinned with its yes
 *     home's admin    home's recipients -> own key and broker -> the admin's claim is recorded ->
 *                     the recipients are pinned
 *
 * What a first admin asked for is on disk before the broker is asked, and is asked again after a
 * crash: whoever asks for the same again hears the answer. */
#ifndef DOORBELL_CLAIM_H
#define DOORBELL_CLAIM_H

#include "clients/doorbell/enrolment.h"
#include "clients/doorbell/outcome.h"

enum { CLAIM_WHY_SIZE = 320 };

struct claim_opts { /* borrowed until claim_stop */
	struct enrolment *enrolment;
	struct vestibule_device *device; /* asked for a first admin */
	struct outcome *outcome;         /* of that */
	int wake;                        /* eventfd: the enrolment changed, look again */
	struct code_place at;            /* where to listen; port 0: the system's choice */
	const char *name;                /* the device's id */
	const char *host;                /* of the broker, for the resident's configuration */
	uint16_t port;
	bool tls;
	const char *ca_file; /* NULL: none */
};

struct claim_state {
	struct code_place at;      /* port 0: not listening */
	uint64_t exchanges;        /* that came to an end, whatever it was */
	uint64_t wrong;            /* who did not know the code */
	char last[CLAIM_WHY_SIZE]; /* why the last one failed; "" when it did not */
};

struct claim;

/* Opens the listener and its thread, which ends with the claim. NULL: why is a sentence. */
struct claim *claim_start(const struct claim_opts *opts, char why[CLAIM_WHY_SIZE]);
void claim_stop(struct claim *c); /* ends the exchange that is going on; NULL does nothing */

void claim_look(struct claim *c, struct claim_state *out);

#endif
