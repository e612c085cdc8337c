/* The member's word on an ask, clip by clip: from the ask as the broker described it, and the clips
 * named on the command line, to the message that is sent. Pure but for memory the caller lends; no
 * I/O. */
#ifndef HOME_ANSWER_H
#define HOME_ANSWER_H

#include "clients/mq/opt.h"
#include "proto/codec.h"

enum { ANSWER_WHY_SIZE = 160 };

/* What was typed: clip ids as text. */
struct answer_words {
	const struct opt_list *yes;
	const struct opt_list *no;
	bool none;
	uint64_t exp_ms; /* of every yes; 0: the broker's default */
};

/* Room for the message; borrowed by it. Nothing to free. */
struct answer {
	Vestibule__V1__Answer msg;
	Vestibule__V1__Decision decision[CODEC_DECISIONS_MAX];
	Vestibule__V1__Decision *list[CODEC_DECISIONS_MAX];
};

enum answer_fault {
	ANSWER_OK = 0,
	ANSWER_USAGE, /* neither --yes, --no nor --none, --none with another, a text that is no id, a
					 clip named twice */
	ANSWER_NOT_OFFERED, /* a clip that is not in the ask */
	ANSWER_SEALED /* a yes to a sealed clip: its header cannot be written anew for the agency here
				   */
};

/* Fills out->msg; ids and key point into ask. why: a sentence unless ANSWER_OK. */
enum answer_fault answer_build(const Vestibule__V1__Ask *ask, const struct answer_words *words,
							   struct answer *out, char why[ANSWER_WHY_SIZE]) MUST_CHECK;

#endif
