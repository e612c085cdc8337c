/* The resident's side of the local exchange (proto/vestibule/v1/enrol.proto), as far as it is the
 * same for a first admin and for one of a home with people: meet, decide, close. Sentences go to
 * stderr here, once.
 *
 *     meet_open(&m, ...)        both sides have proved the code; m.device and m.key are the device's
 *     ... the broker ...
 *     meet_settle(&m, true)     the device has pinned, or says why not
 *     meet_close(&m)
 */
#ifndef HOME_MEET_H
#define HOME_MEET_H

#include "clients/enrol/channel.h"
#include "clients/home/pin.h"
#include "clients/home/setup.h"

enum { MEET_CA_MAX = 16384 };

struct meet {
	struct channel *channel; /* owned */
	int64_t timeout_ms;
	char device[TOPIC_ID_MAX + 1];
	uint8_t key[PIN_KEY_BYTES];
	char host[256]; /* of the broker */
	uint16_t port;
	bool tls;
	char ca_pem[MEET_CA_MAX + 1];
	char reason[65]; /* of a refusal; "" */
};

struct meet_opts {
	const struct code *code;
	const struct code_place *at;
	const struct setup *setup; /* recipients */
	const char *username;      /* NULL: the home has an admin */
	const uint8_t *token_sha256;
	int64_t timeout_ms;
};

/* EXIT_UNAVAILABLE: the device cannot be reached; EXIT_REFUSED: it does not know the code;
 * EXIT_TIMEOUT; EXIT_INTERNAL. m is ready for meet_close whatever happens. */
enum exit_code meet_open(struct meet *m, const struct meet_opts *opts) MUST_CHECK;
/* Tells the device to go on or not, and hears its end. EXIT_REFUSED: it says no (m->reason);
 * EXIT_TIMEOUT: no word from it. Not accepted: EXIT_RECORDED, nothing is heard. */
enum exit_code meet_settle(struct meet *m, bool accepted) MUST_CHECK;
void meet_close(struct meet *m);

#endif
