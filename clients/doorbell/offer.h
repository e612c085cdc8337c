/* What a resident offered, as a message and as text on the device's disk. No I/O; any thread.
 *
 *     # first admin alice 9f86d0...      a waiting offer only: wanted name and SHA-256 of the token
 *     age1...                            the recipients, in the form of `age -R`
 */
#ifndef DOORBELL_OFFER_H
#define DOORBELL_OFFER_H

#include "clients/seal/recipient.h"
#include "proto/codec.h"
#include "proto/topic.h"

enum { OFFER_RECIPIENTS_MAX = 8, OFFER_TEXT_MAX = 1024 };

struct offer { /* of a resident */
	char recipients[OFFER_RECIPIENTS_MAX][RECIPIENT_TEXT_SIZE];
	size_t count;                    /* 1 to OFFER_RECIPIENTS_MAX */
	char username[TOPIC_ID_MAX + 1]; /* of a first admin; "": the home has an admin */
	uint8_t token_sha256[32];
};

/* The text, in the caller's memory; it always fits. */
struct span offer_text(const struct offer *offer, bool pending, char text[OFFER_TEXT_MAX]);
/* Exactly such a text. ERR_INPUT. */
enum err offer_parse(struct span text, bool pending, struct offer *out) MUST_CHECK;

/* From a validated message. ERR_INPUT: a recipient that is none (checksum, low order), or twice. */
enum err offer_take(const Vestibule__V1__EnrolHome *msg, struct offer *out) MUST_CHECK;

#endif
