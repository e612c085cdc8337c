/* Where rows live: found by key, and linked newest first in one list per kind and per parent. Pure
 * data structure: it does not know what rows mean, only which of their fields they are found by.
 * The state (state.c) owns one and checks before it changes it.
 *
 * Changing is split so that a whole change can be made ready before anything happens: _prepare and
 * _reserve allocate and may fail, _put and _del cannot. Broker thread only; looking up allocates
 * nothing. */
#ifndef POLICY_STATE_INDEX_H
#define POLICY_STATE_INDEX_H

#include "lib/table.h"
#include "plugin/policy/row.h"
#include "plugin/policy/state_due.h"

enum {
	STATE_BY_PARENT = 0, /* and 1: the two parents of row.h */
	STATE_BY_EXTRA = 2, /* only ACTIVE grants: standing by "integrator/home", clip grants by clip */
	STATE_BY_ALL = 3,
	STATE_LINKS
};

enum { STATE_EXTRA_SIZE = 2 * ROW_ID_SIZE }; /* a key of STATE_BY_EXTRA, with its zero */

struct state_node; /* a row with its links, in one allocation */

struct state_list {
	struct state_node *head;
	struct span key; /* the parent's text, behind the struct in one allocation; none for all[] */
};

struct state_index {
	struct table rows[ROW_KINDS];                /* key -> state_node, owned */
	struct table lists[ROW_KINDS][STATE_BY_ALL]; /* parent's text -> state_list, owned */
	struct state_list all[ROW_KINDS];
	/* ACTIVE standing grants by end, clips by arrival, marks of commands by age; else empty */
	struct state_due due[ROW_KINDS];
};

/* A row made ready: its copy, and a list for each parent in case it is the first one there. */
struct state_put {
	struct state_node *node;
	struct state_list *spare[STATE_BY_ALL];
};

void state_index_init(struct state_index *ix, uint64_t seed0, uint64_t seed1);
void state_index_fini(struct state_index *ix);

/* Copies r, stamped with seq, into *put. ERR_NOMEM: *put is empty. */
enum err state_index_prepare(const struct row *r, uint64_t seq, struct state_put *put) MUST_CHECK;
void state_index_discard(struct state_put *put); /* frees what was not used; empty is fine */

/* Room for so many more rows of that kind. ERR_NOMEM: nothing that can be seen changed. */
enum err state_index_reserve(struct state_index *ix, enum row_kind kind, size_t n) MUST_CHECK;

/* Adds the row, or puts it in the place of the one with its key (which is freed). Room must be
 * reserved. */
void state_index_put(struct state_index *ix, struct state_put *put);
/* Frees the row of that key; absent is fine. */
void state_index_del(struct state_index *ix, enum row_kind kind, struct span key);

/* Puts every list into the order of seq, newest first; rows of one change by key. For the end of a
 * load, whose rows come in any order. ERR_NOMEM: nothing changed. */
enum err state_index_sort(struct state_index *ix) MUST_CHECK;

const struct row *state_index_get(const struct state_index *ix, enum row_kind kind,
								  struct span key);

/* First row of a list, NULL when there is none; and the one after it. link: STATE_BY_... */
const struct row *state_index_first(const struct state_index *ix, enum row_kind kind, int link,
									struct span parent);
const struct row *state_index_after(const struct row *r, int link);

/* The row at that place of due[kind]; and the place of one. */
const struct row *state_index_at(const struct state_index *ix, enum row_kind kind, size_t place);
size_t state_index_place(const struct row *r);

/* The key of STATE_BY_EXTRA for an integrator and a home; empty when too long. out: borrowed by the
 * result. */
struct span state_index_pair(struct span integrator, struct span home, char out[STATE_EXTRA_SIZE]);

#endif
