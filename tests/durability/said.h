/* What the child that plays tells the parent that judges, over a pipe: written before the thing it is
 * about can be known to anybody else. */
#ifndef TESTS_DURABILITY_SAID_H
#define TESTS_DURABILITY_SAID_H

#include <stdint.h>

#include "plugin/policy/row.h"

enum said_what {
	SAID_NONE = 0,
	SAID_MAY_GIVE, /* about to give: a grant that nobody names yet may be in the store from here on */
	SAID_GAVE,     /* the grant that came of it, accepted; none when id is "" */
	SAID_GIVEN,    /* its sender was told that it is recorded */
	SAID_LIVE,     /* it allows */
	SAID_MAY_END, /* about to take it back */
	SAID_ENDED,   /* its sender was told that this is recorded */
	SAID_MAY_CLAIM,
	SAID_CLAIMED, /* told */
	SAID_USED,    /* the device counts as claimed */
	SAID_WRONG    /* a truth of its own did not hold: id says which */
};

struct said {
	int32_t what;
	char id[ROW_ID_SIZE];
};

#endif
