/* Numbered, forward-only migrations of the SQLite schema. Number n is schema/000n.h, a list of SQL
 * statements that is never edited once released; a database remembers the last one in PRAGMA
 * user_version. Not here: what the tables mean, and rows (store_sql.h generates its statements from
 * row descriptions; a unit test proves that both agree). One thread. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <sqlite3.h>

#include "lib/err.h"
#include "plugin/store/store.h"

enum { MIGRATE_NEWEST = 3 };

/* Runs what is above user_version, each in its own transaction together with the new number. A new,
 * empty database has version 0. ERR_VERSION: the database is newer than MIGRATE_NEWEST, or
 * negative; ERR_STORE: a statement failed, that migration is rolled back. why: half a sentence. */
enum err migrate_run(sqlite3 *db, char why[STORE_WHY_SIZE]) MUST_CHECK;

#endif
