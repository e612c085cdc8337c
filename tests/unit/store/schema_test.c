/* The migrated schema and the row descriptions say the same, column by column: drift is caught
 * here, before a statement fails on somebody's disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/store/migrate.h"
#include "plugin/store/schema/0001.h"
#include "plugin/store/store_sql.h"

static int setup(void **state) {
	char why[STORE_WHY_SIZE] = "";
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	if (migrate_run(db, why) != ERR_NONE) fail_msg("%s", why);
	*state = db;
	return 0;
}

static int teardown(void **state) {
	return sqlite3_close(*state);
}

static void check_column(sqlite3_stmt *stmt, const char *table, const char *name, const char *type,
						 bool key) {
	if (sqlite3_step(stmt) != SQLITE_ROW) fail_msg("%s lacks the column %s", table, name);
	assert_string_equal(sqlite3_column_text(stmt, 0), name);
	assert_string_equal(sqlite3_column_text(stmt, 1), type);
	assert_int_equal(sqlite3_column_int(stmt, 2), 1); /* NOT NULL */
	assert_int_equal(sqlite3_column_int(stmt, 3), key);
}

static void every_table_has_the_columns_of_its_row_and_no_other(void **state) {
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(
		sqlite3_prepare_v2(*state,
						   "SELECT name,type,\"notnull\",pk FROM pragma_table_info(?) ORDER BY cid",
						   -1, &stmt, NULL),
		SQLITE_OK);
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		const struct row_desc *d = row_desc((enum row_kind)kind);
		assert_int_equal(sqlite3_bind_text(stmt, 1, d->name, -1, SQLITE_STATIC), SQLITE_OK);
		for (size_t i = 0; i < d->field_count; i++) {
			const struct field *f = &d->fields[i];
			check_column(stmt, d->name, f->name, store_sql_type(f), (int)i == d->key);
		}
		check_column(stmt, d->name, "change_seq", "INTEGER", false);
		assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
		assert_int_equal(sqlite3_reset(stmt), SQLITE_OK);
	}
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

static int one_number(sqlite3 *db, const char *sql) {
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int n = sqlite3_column_int(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	return n;
}

static void every_table_is_strict_and_there_is_one_for_each_kind(void **state) {
	/* Kinds without ROW_NONE, store_state and store_run. */
	assert_int_equal(
		one_number(*state,
				   "SELECT count(*) FROM pragma_table_list WHERE schema='main' AND type='table'"
				   " AND name NOT LIKE 'sqlite_%'"),
		ROW_KINDS - 1 + 2);
	assert_int_equal(
		one_number(*state,
				   "SELECT count(*) FROM pragma_table_list WHERE schema='main' AND type='table'"
				   " AND name NOT LIKE 'sqlite_%' AND NOT strict"),
		0);
}

static void every_statement_prepares_on_the_migrated_schema(void **state) {
	struct store_sql sql;
	assert_int_equal(store_sql_prepare(*state, &sql), SQLITE_OK);
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		sqlite3_stmt *stmt = NULL;
		assert_int_equal(store_sql_select(*state, (enum row_kind)kind, &stmt), SQLITE_OK);
		assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	}
	store_sql_fini(&sql);
}

static void migrating_again_changes_nothing(void **state) {
	char why[STORE_WHY_SIZE] = "";
	int before = one_number(*state, "PRAGMA schema_version");
	assert_int_equal(migrate_run(*state, why), ERR_NONE);
	assert_int_equal(one_number(*state, "PRAGMA schema_version"), before);
	assert_int_equal(one_number(*state, "PRAGMA user_version"), MIGRATE_NEWEST);
}

static void a_version_from_the_future_or_below_zero_is_refused(void **state) {
	char why[STORE_WHY_SIZE] = "";
	assert_int_equal(sqlite3_exec(*state, "PRAGMA user_version=4", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(migrate_run(*state, why), ERR_VERSION);
	assert_non_null(strstr(why, "version 4"));
	assert_int_equal(sqlite3_exec(*state, "PRAGMA user_version=-1", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(migrate_run(*state, why), ERR_VERSION);
}

/* A database of the first schema, with a device of the time when the operator's word was enough. */
static void devices_of_the_first_schema_become_claimed(void **state) {
	(void)state;
	char why[STORE_WHY_SIZE] = "";
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	for (const char *const *sql = schema_0001; *sql; sql++)
		assert_int_equal(sqlite3_exec(db, *sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
								  "PRAGMA user_version=1;"
								  "INSERT INTO device VALUES('d1','h1','Door','u4pruydq',0,77,5);"
								  "INSERT INTO device VALUES('d2','h1','','',1,0,6)",
								  NULL, NULL, NULL),
					 SQLITE_OK);
	assert_int_equal(migrate_run(db, why), ERR_NONE);
	assert_int_equal(one_number(db, "SELECT count(*) FROM device WHERE id='d1' AND home='h1' AND"
									" name='Door' AND cell='u4pruydq' AND retired=0 AND"
									" created_ms=77 AND claimed_ms=77 AND change_seq=5"),
					 1);
	assert_int_equal(one_number(db, "SELECT claimed_ms FROM device WHERE id='d2'"), 1);
	assert_int_equal(one_number(db, "PRAGMA user_version"), MIGRATE_NEWEST);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_failing_migration_leaves_nothing_behind(void **state) {
	(void)state;
	char why[STORE_WHY_SIZE] = "";
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE \"grant\"(x)", NULL, NULL, NULL),
					 SQLITE_OK); /* in its way */
	assert_int_equal(migrate_run(db, why), ERR_STORE);
	assert_non_null(strstr(why, "migration 1 failed"));
	assert_int_equal(one_number(db, "SELECT count(*) FROM sqlite_master WHERE name='home'"), 0);
	assert_int_equal(one_number(db, "PRAGMA user_version"), 0);
	assert_int_equal(sqlite3_exec(db, "BEGIN; COMMIT", NULL, NULL, NULL),
					 SQLITE_OK); /* no transaction is left */
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		CLAIM(every_table_has_the_columns_of_its_row_and_no_other),
		CLAIM(every_table_is_strict_and_there_is_one_for_each_kind),
		CLAIM(every_statement_prepares_on_the_migrated_schema),
		CLAIM(migrating_again_changes_nothing),
		CLAIM(a_version_from_the_future_or_below_zero_is_refused),
		CLAIM(devices_of_the_first_schema_become_claimed),
		CLAIM(a_failing_migration_leaves_nothing_behind),
	};
	return cmocka_run_group_tests_name("sqlite schema", tests, NULL, NULL);
}
