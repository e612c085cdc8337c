/* Migration 3: the run, 32 hex digits drawn at each opening. It is kept twice: in a table of its own,
 * whose page is in the file itself from the opening on, and beside last_seq, whose page is in the log
 * with every commit. So a file and a log of different runs show. A database from before has no mark
 * either: it counts as restored (docs/decisions/0008-restored-database.md). */
#ifndef STORE_SCHEMA_0003_H
#define STORE_SCHEMA_0003_H

#include <stddef.h>

static const char *const schema_0003[] = {
	"CREATE TABLE store_run("
	"  id INTEGER PRIMARY KEY CHECK(id=1),"
	"  run TEXT NOT NULL"
	") STRICT",
	"INSERT INTO store_run VALUES(1,'')",
	"ALTER TABLE store_state ADD COLUMN run TEXT NOT NULL DEFAULT ''",
	NULL,
};

#endif
