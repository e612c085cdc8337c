/* Every reason for a verdict, as a closed list: a word for logs and messages, one sentence for
 * people. The sentence never says whether a thing exists (I16). Pure constants, any thread. */
#ifndef POLICY_REASON_H
#define POLICY_REASON_H

#include "lib/span.h"

enum reason {
	REASON_NONE_GIVEN = 0, /* the zero value: refuses */
	REASON_OK,
	/* cannot tell */
	REASON_NOT_READY,   /* state incomplete, refusing, or the clock not sound */
	REASON_NOT_DURABLE, /* granted, but not yet on disk */
	REASON_BUSY,        /* the store's queue is full: repeat later */
	/* who */
	REASON_UNKNOWN_CREDENTIAL,
	REASON_BAD_PROOF,
	REASON_SUSPENDED,
	REASON_AGENCIES_OFF,
	REASON_FOREIGN_CLIENT_ID,
	REASON_BAD_NAME,
	/* topics and filters */
	REASON_NO_SUCH_TOPIC, /* under vestibule/, not in the table */
	REASON_NOT_YOURS,     /* absent or somebody else's: one reason for both (I16) */
	REASON_ROLE,          /* the role may not do this */
	REASON_NO_GRANT,
	/* one number is given no more: rows on disk hold these numbers */
	REASON_BEFORE_GRANT = REASON_NO_GRANT + 2, /* the event is older than the grant */
	REASON_CONSUMED_TOPIC,
	REASON_WIDE_FILTER,
	REASON_SHARED_SUBSCRIPTION,
	REASON_DOLLAR_TOPIC,
	REASON_QOS,
	REASON_RETAIN, /* retain where it may not be */
	REASON_WILL,
	REASON_PROPERTIES,
	REASON_NOT_CANONICAL, /* a copy that never went through the plugin */
	/* payloads */
	REASON_MALFORMED, /* with field and limit */
	REASON_TOO_LARGE,
	REASON_REUSED_ID, /* the event_id was used with other bytes */
	REASON_RATE,      /* counted, not acknowledged: repeat later */
	REASON_UNSEALED,
	/* commands of a home */
	REASON_NOT_PENDING, /* no such open ask */
	REASON_NOT_OFFERED, /* the clip is not in the ask */
	REASON_HEADER,      /* agency header missing or where none belongs */
	REASON_KEY,         /* wrapped to another key than the agency's current one */
	REASON_END_DATE,
	REASON_ENDED, /* absorbing state */
	REASON_APPROVAL_RATE,
	REASON_RULES_SYNTAX,
	REASON_NAME_TAKEN,
	REASON_LAST_ADMIN,
	REASON_POPULATED, /* the operator cannot add to a populated home (I27) */
	/* requests */
	REASON_RADIUS,
	REASON_WINDOW,
	REASON_WINDOW_AGE,
	REASON_LIFE,
	REASON_CASE_LIMIT,
	REASON_OPEN_LIMIT,
	REASON_SUBMIT_LIMIT,
	REASON_OVERLAP,
	REASON_JURISDICTION,
	REASON_FAST_PATH,
	REASON_SAME_PERSON, /* author and approver must differ */
	REASON_STATE,       /* not a transition of that state */
	REASON_PURPOSE,
	REASON_FETCH_LIMIT,
	REASON_UNAVAILABLE, /* cannot be served now */
	/* enrolment; at the end, for rows on disk hold these numbers */
	REASON_UNCLAIMED, /* the device waits for the claim of an admin */
	REASON_LIVED_IN,  /* first_admin of a home where somebody lives or lived */
	REASON_ENROLMENT, /* the operator can neither add a member nor claim a device (I27) */
	REASON_COUNT
};

const char *reason_word(enum reason r);       /* "no_grant"; never NULL */
const char *reason_sentence(enum reason r);   /* one sentence, full stop; never NULL */
enum reason reason_by_word(struct span word); /* REASON_NONE_GIVEN when unknown */

#endif
