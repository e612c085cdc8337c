/* The SQL of rows, generated from their descriptions (row.h): one table a kind, a column a field,
 * and the seq of the change that wrote the row in "change_seq". Statements are prepared once. Not
 * here: transactions, opening, what a failure means (store_sqlite.c); how tables come to be
 * (migrate.h). Store thread only. */
#ifndef STORE_STORE_SQL_H
#define STORE_STORE_SQL_H

#include <sqlite3.h>

#include "plugin/policy/row.h"

struct store_sql {
	sqlite3_stmt *put[ROW_KINDS]; /* owned */
	sqlite3_stmt *del[ROW_KINDS];
	sqlite3_stmt *seq; /* sets the last committed seq */
};

/* Result codes are SQLite's; the message is with the connection. */
int store_sql_prepare(sqlite3 *db,
					  struct store_sql *out) MUST_CHECK; /* on failure nothing is left prepared */
void store_sql_fini(struct store_sql *q);                /* also right for a zeroed struct */

int store_sql_put(struct store_sql *q, const struct row *r, uint64_t seq) MUST_CHECK;
int store_sql_del(struct store_sql *q,
				  const struct row *r) MUST_CHECK; /* absent: SQLITE_DONE as well */
int store_sql_set_seq(struct store_sql *q, uint64_t seq) MUST_CHECK;
int store_sql_get_seq(sqlite3 *db, uint64_t *seq) MUST_CHECK;

/* A statement that yields every row of a kind; the caller finalizes it. */
int store_sql_select(sqlite3 *db, enum row_kind kind, sqlite3_stmt **out) MUST_CHECK;

/* The current row of such a statement, validated. Blobs are borrowed from the statement until its
 * next step. ERR_INPUT, ERR_LIMIT: the row does not validate, *bad names the field. */
enum err store_sql_read(sqlite3_stmt *stmt, enum row_kind kind, union row_any *out,
						const char **bad) MUST_CHECK;

/* The SQL column type of a field: "TEXT", "INTEGER" or "BLOB". */
const char *store_sql_type(const struct field *f);

#endif
