/* Statements from row descriptions, and the two conversions: row to bound parameters, columns to
 * row. Names come from our own constant tables, never from outside; values are always bound. */
#include "plugin/store/store_sql.h"

enum { SQL_BYTES_MAX = 4096 };

enum sql_class { SQL_TEXT, SQL_INTEGER, SQL_BLOB };

static enum sql_class class_of(const struct field *f) {
	switch (f->type) {
	case FIELD_INT:
	case FIELD_BOOL: return SQL_INTEGER;
	case FIELD_BLOB: return SQL_BLOB;
	default: return SQL_TEXT;
	}
}

const char *store_sql_type(const struct field *f) {
	static const char *const names[] = {
		[SQL_TEXT] = "TEXT", [SQL_INTEGER] = "INTEGER", [SQL_BLOB] = "BLOB"};
	return names[class_of(f)];
}

/* "a","b",...,"change_seq": the order of all statements; field i is parameter i + 1 and column i.
 */
static void write_columns(struct buf *b, const struct row_desc *d) {
	for (size_t i = 0; i < d->field_count; i++) buf_printf(b, "\"%s\",", d->fields[i].name);
	buf_str(b, "\"change_seq\"");
}

static int prepare(sqlite3 *db, struct buf *sql, sqlite3_stmt **out) {
	if (buf_error(sql) != ERR_NONE) return SQLITE_NOMEM;
	return sqlite3_prepare_v3(db, buf_cstr(sql), -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

static int prepare_put(sqlite3 *db, const struct row_desc *d, sqlite3_stmt **out) {
	struct buf b;
	buf_init(&b, SQL_BYTES_MAX);
	buf_printf(&b, "INSERT INTO \"%s\"(", d->name);
	write_columns(&b, d);
	buf_str(&b, ") VALUES(");
	for (size_t i = 0; i <= d->field_count; i++) buf_str(&b, i ? ",?" : "?");
	buf_printf(&b, ") ON CONFLICT(\"%s\") DO UPDATE SET ", d->fields[d->key].name);
	for (size_t i = 0; i < d->field_count; i++) {
		const char *name = d->fields[i].name;
		if ((int)i != d->key) buf_printf(&b, "\"%s\"=excluded.\"%s\",", name, name);
	}
	buf_str(&b, "\"change_seq\"=excluded.\"change_seq\"");
	int rc = prepare(db, &b, out);
	buf_fini(&b);
	return rc;
}

static int prepare_del(sqlite3 *db, const struct row_desc *d, sqlite3_stmt **out) {
	struct buf b;
	buf_init(&b, SQL_BYTES_MAX);
	buf_printf(&b, "DELETE FROM \"%s\" WHERE \"%s\"=?", d->name, d->fields[d->key].name);
	int rc = prepare(db, &b, out);
	buf_fini(&b);
	return rc;
}

int store_sql_select(sqlite3 *db, enum row_kind kind, sqlite3_stmt **out) {
	const struct row_desc *d = row_desc(kind);
	if (!ENSURE(d)) return SQLITE_MISUSE;
	struct buf b;
	buf_init(&b, SQL_BYTES_MAX);
	buf_str(&b, "SELECT ");
	write_columns(&b, d);
	buf_printf(&b, " FROM \"%s\"", d->name);
	int rc = prepare(db, &b, out);
	buf_fini(&b);
	return rc;
}

int store_sql_prepare(sqlite3 *db, struct store_sql *out) {
	*out = (struct store_sql){0};
	int rc = sqlite3_prepare_v3(db, "UPDATE \"store_state\" SET \"last_seq\"=?", -1,
								SQLITE_PREPARE_PERSISTENT, &out->seq, NULL);
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS && rc == SQLITE_OK; kind++) {
		const struct row_desc *d = row_desc((enum row_kind)kind);
		rc = prepare_put(db, d, &out->put[kind]);
		if (rc == SQLITE_OK) rc = prepare_del(db, d, &out->del[kind]);
	}
	if (rc != SQLITE_OK) store_sql_fini(out);
	return rc;
}

/* Finalizing repeats the error of the last step, which was reported then. */
void store_sql_fini(struct store_sql *q) {
	for (int kind = 0; kind < ROW_KINDS; kind++) {
		(void)sqlite3_finalize(q->put[kind]);
		(void)sqlite3_finalize(q->del[kind]);
	}
	(void)sqlite3_finalize(q->seq);
	*q = (struct store_sql){0};
}

static int bind_field(sqlite3_stmt *stmt, int at, const struct row *r, size_t i) {
	const struct field *f = &row_desc(r->kind)->fields[i];
	const void *member = (const char *)r + f->offset;
	switch (class_of(f)) {
	case SQL_INTEGER: {
		int64_t v;
		memcpy(&v, member, sizeof(v));
		return sqlite3_bind_int64(stmt, at, v);
	}
	case SQL_BLOB: {
		struct blob v;
		memcpy(&v, member, sizeof(v));
		/* A NULL pointer would bind SQL NULL, which the columns refuse. */
		return sqlite3_bind_blob64(stmt, at, v.len ? (const void *)v.ptr : "", v.len,
								   SQLITE_STATIC);
	}
	default: {
		struct span v = row_text(r, (int)i);
		return sqlite3_bind_text64(stmt, at, v.len ? (const char *)v.ptr : "", v.len, SQLITE_STATIC,
								   SQLITE_UTF8);
	}
	}
}

/* Runs to the end and lets go of the borrowed parameters. */
static int finish(sqlite3_stmt *stmt, int rc) {
	if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
	(void)sqlite3_reset(stmt);          /* repeats rc */
	(void)sqlite3_clear_bindings(stmt); /* cannot fail */
	return rc;
}

int store_sql_put(struct store_sql *q, const struct row *r, uint64_t seq) {
	const struct row_desc *d = row_desc(r->kind);
	if (!ENSURE(d)) return SQLITE_MISUSE;
	sqlite3_stmt *stmt = q->put[r->kind];
	int rc = SQLITE_OK;
	for (size_t i = 0; i < d->field_count && rc == SQLITE_OK; i++)
		rc = bind_field(stmt, (int)i + 1, r, i);
	if (rc == SQLITE_OK) rc = sqlite3_bind_int64(stmt, (int)d->field_count + 1, (int64_t)seq);
	return finish(stmt, rc);
}

int store_sql_del(struct store_sql *q, const struct row *r) {
	const struct row_desc *d = row_desc(r->kind);
	if (!ENSURE(d)) return SQLITE_MISUSE;
	sqlite3_stmt *stmt = q->del[r->kind];
	return finish(stmt, bind_field(stmt, 1, r, (size_t)d->key));
}

int store_sql_set_seq(struct store_sql *q, uint64_t seq) {
	return finish(q->seq, sqlite3_bind_int64(q->seq, 1, (int64_t)seq));
}

int store_sql_get_seq(sqlite3 *db, uint64_t *seq) {
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT \"last_seq\" FROM \"store_state\"", -1, &stmt, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		int64_t v = sqlite3_column_int64(stmt, 0);
		rc = v >= 0 ? SQLITE_OK : SQLITE_CORRUPT;
		if (v >= 0) *seq = (uint64_t)v;
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_CORRUPT; /* the one row is missing */
	}
	(void)sqlite3_finalize(stmt); /* repeats rc */
	return rc;
}

static bool read_field(sqlite3_stmt *stmt, int at, const struct field *f, void *member) {
	int type = sqlite3_column_type(stmt, at);
	switch (class_of(f)) {
	case SQL_INTEGER: {
		int64_t v = sqlite3_column_int64(stmt, at);
		memcpy(member, &v, sizeof(v));
		return type == SQLITE_INTEGER;
	}
	case SQL_BLOB: {
		const uint8_t *ptr = sqlite3_column_blob(stmt, at);
		struct blob v = {ptr, ptr ? (size_t)sqlite3_column_bytes(stmt, at) : 0};
		memcpy(member, &v, sizeof(v));
		return type == SQLITE_BLOB;
	}
	default: {
		const unsigned char *ptr = sqlite3_column_text(stmt, at);
		struct span v = span_of(ptr, (size_t)sqlite3_column_bytes(stmt, at));
		return type == SQLITE_TEXT && span_copy(v, member, f->size);
	}
	}
}

enum err store_sql_read(sqlite3_stmt *stmt, enum row_kind kind, union row_any *out,
						const char **bad) {
	const struct row_desc *d = row_desc(kind);
	if (!ENSURE(d)) return ERR_INPUT;
	*out = (union row_any){.row = {.kind = kind}};
	for (size_t i = 0; i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		if (!read_field(stmt, (int)i, f, (char *)out + f->offset)) {
			*bad = f->name;
			return ERR_INPUT;
		}
	}
	int64_t seq = sqlite3_column_int64(stmt, (int)d->field_count);
	if (seq < 0) {
		*bad = "change_seq";
		return ERR_INPUT;
	}
	out->row.seq = (uint64_t)seq;
	return row_validate(&out->row, bad);
}
