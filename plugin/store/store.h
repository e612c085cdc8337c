/* The store: one contract, several keepers. It keeps rows and takes changes, in order, each wholly
 * or not at all. store_mem.c is the contract in its simplest form (tests); store_sqlite.c is the
 * default. All stores run one suite (tests/store/). The store knows nothing of what rows mean.
 *
 * One thread at a time uses a store: at start the broker's thread (load), then the worker's
 * (worker.h). */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "plugin/policy/row.h"

enum { STORE_WHY_SIZE = 256 };

struct store;

/* Called for each row of the store, in no particular order; r is borrowed for the call. Anything
 * but ERR_NONE ends the load with that error. */
typedef enum err store_row_fn(void *ctx, const struct row *r);

struct store_ops {
	/* Hands every row to fn, validated (row_validate) after reading; *seq gets the last committed
	 * seq. ERR_STORE: cannot be read; ERR_INPUT: a row does not validate; why tells table, key and
	 * field. */
	enum err (*load)(struct store *s, store_row_fn *fn, void *ctx, uint64_t *seq,
					 char why[STORE_WHY_SIZE]);

	/* Makes count changes durable, in one transaction: when it returns ERR_NONE they survive power
	 * loss, else none of them is in the store. Seqs must rise and be above the last committed one.
	 * Rows are validated before writing. ERR_STORE: may be tried again (disk full, locked, I/O);
	 * ERR_INPUT: can never succeed (a programmer's mistake: the plugin then refuses everything);
	 * why says which. */
	enum err (*commit)(struct store *s, const struct change *const *changes, size_t count,
					   char why[STORE_WHY_SIZE]);

	/* A denial up to seq is durable: remembers that outside the database, where no backup of the
	 * database brings it back. Comes before the denial is reported durable. ERR_STORE: may be tried
	 * again. NULL: a store that nothing can be restored into. */
	enum err (*mark)(struct store *s, uint64_t seq, char why[STORE_WHY_SIZE]);

	/* All that a backup may have brought back is denied, and durably so: from here on the database
	 * is the one that is used. `restored` is NULL then. ERR_STORE. NULL as above. */
	enum err (*settled)(struct store *s, char why[STORE_WHY_SIZE]);

	void (*close)(struct store *s); /* frees s */
};

struct store {
	const struct store_ops *ops;
	/* NULL; or why one cannot tell that the database is the one last used: it was restored or moved.
	 * Grants in it may have been retracted since: settle.h comes before any use. The store's. */
	const char *restored;
};

/* In memory, nothing survives. NULL: no memory. */
struct store *store_mem_open(void);

/* Opens an existing database made by store_sqlite_create, brings it to the newest schema (numbered
 * migrations, forward only) and checks it. ERR_ABSENT: no such file; ERR_STORE: cannot be opened,
 * locked by another process, corrupt (PRAGMA quick_check), not writable; ERR_VERSION: made by a
 * newer version; ERR_NOMEM. why is a sentence. A database that was restored is opened, and
 * `restored` set; one whose log (-wal) is of another time is refused. */
enum err store_sqlite_open(const char *path, struct store **out,
						   char why[STORE_WHY_SIZE]) MUST_CHECK;

/* The same, and the operator says that it was restored, whatever it looks like. */
enum err store_sqlite_open_restored(const char *path, struct store **out,
									char why[STORE_WHY_SIZE]) MUST_CHECK;

/* Makes a new database with the newest schema, and its mark (mark.h) in place of an old one.
 * ERR_STORE: exists already, or cannot be made. */
enum err store_sqlite_create(const char *path, struct store **out,
							 char why[STORE_WHY_SIZE]) MUST_CHECK;

/* A deep copy of a change on the heap (rows cloned); free with store_change_free. NULL: no memory.
 */
struct change *store_change_clone(const struct change *c);
void store_change_free(struct change *c); /* NULL is fine */

#endif
