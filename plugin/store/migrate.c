/* Brings a database to the newest schema, one numbered step after the other. */
#include "plugin/store/migrate.h"

#include "plugin/store/schema/0001.h"
#include "plugin/store/schema/0002.h"
#include "plugin/store/schema/0003.h"

static const char *const *const steps[MIGRATE_NEWEST] = {schema_0001, schema_0002, schema_0003};

static enum err fail(sqlite3 *db, char why[STORE_WHY_SIZE], int version) {
	(void)snprintf(why, STORE_WHY_SIZE, "migration %d failed: %s", version, sqlite3_errmsg(db));
	return ERR_STORE;
}

static int version_of(sqlite3 *db, int *version) {
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) *version = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt); /* repeats rc */
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* One step: statements and number in one transaction. */
static int run_step(sqlite3 *db, int version) {
	char number[48];
	(void)snprintf(number, sizeof(number), "PRAGMA user_version=%d", version);
	int rc = sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
	for (const char *const *sql = steps[version - 1]; *sql && rc == SQLITE_OK; sql++) {
		rc = sqlite3_exec(db, *sql, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK) rc = sqlite3_exec(db, number, NULL, NULL, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

enum err migrate_run(sqlite3 *db, char why[STORE_WHY_SIZE]) {
	int version = 0;
	if (version_of(db, &version) != SQLITE_OK) return fail(db, why, 0);
	if (version < 0 || version > MIGRATE_NEWEST) {
		(void)snprintf(why, STORE_WHY_SIZE,
					   "has schema version %d, this program knows versions up to %d", version,
					   MIGRATE_NEWEST);
		return ERR_VERSION;
	}
	while (version < MIGRATE_NEWEST) {
		version++;
		if (run_step(db, version) == SQLITE_OK) continue;
		enum err e = fail(db, why, version);
		if (!sqlite3_get_autocommit(db))
			(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* e says it */
		return e;
	}
	return ERR_NONE;
}
