/* The store on SQLite: one file, one connection that keeps the file locked, every commit fsynced
 * (WAL, synchronous=FULL) and checked. Statements are in store_sql.c, the schema in migrate.c. What
 * is deleted or erased is also overwritten on disk: secure_delete zeroes it in the pages, and the
 * log that still holds the old page is emptied after each commit that took something away. */
#include "plugin/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/failpoint.h"
#include "plugin/store/mark.h"
#include "plugin/store/migrate.h"
#include "plugin/store/store_sql.h"

enum { APPLICATION_ID = 0x56737462 }; /* "Vstb" in the file's header */
enum opening { OPENING_OLD, OPENING_NEW, OPENING_RESTORED };

struct store_sqlite {
	struct store store; /* first: the public part */
	sqlite3 *db;        /* owned */
	struct store_sql sql;
	uint64_t last_seq;
	bool erase_due; /* the log may hold what was taken away */
	struct mark mark;
	char restored[STORE_WHY_SIZE];
};

/* --- failures as sentences -------------------------------------------------------------------- */

static enum err fail(enum err e, char why[STORE_WHY_SIZE], const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The cause must survive a long path: the path is cut first. */
static enum err fail(enum err e, char why[STORE_WHY_SIZE], const char *path, const char *fmt, ...) {
	char cause[STORE_WHY_SIZE / 2];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(cause, sizeof(cause), fmt, ap);
	va_end(ap);
	(void)snprintf(why, STORE_WHY_SIZE, "store %.120s: %s", path, cause);
	return e;
}

static enum err fail_db(struct store_sqlite *s, char why[STORE_WHY_SIZE], const char *doing,
						int rc) {
	const char *path = sqlite3_db_filename(s->db, "main");
	if (!path) path = "?";
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return fail(ERR_STORE, why, path, "%s: locked by another process", doing);
	case SQLITE_NOTADB: return fail(ERR_STORE, why, path, "%s: not a database of ours", doing);
	case SQLITE_CORRUPT: return fail(ERR_STORE, why, path, "%s: the file is corrupt", doing);
	case SQLITE_FULL: return fail(ERR_STORE, why, path, "%s: the disk is full", doing);
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_MISUSE: return fail(ERR_INPUT, why, path, "%s: %s", doing, sqlite3_errmsg(s->db));
	default: return fail(ERR_STORE, why, path, "%s: %s", doing, sqlite3_errmsg(s->db));
	}
}

/* --- load ------------------------------------------------------------------------------------- */

static enum err load_kind(struct store_sqlite *s, enum row_kind kind, store_row_fn *fn, void *ctx,
						  char why[STORE_WHY_SIZE]) {
	const char *path = sqlite3_db_filename(s->db, "main");
	const char *table = row_desc(kind)->name;
	sqlite3_stmt *stmt = NULL;
	int rc = store_sql_select(s->db, kind, &stmt);
	enum err e = rc == SQLITE_OK ? ERR_NONE : fail_db(s, why, "reading", rc);

	while (e == ERR_NONE && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		union row_any row;
		const char *bad = "";
		if (store_sql_read(stmt, kind, &row, &bad) != ERR_NONE) {
			struct span key = row_key(&row.row);
			e = fail(ERR_INPUT, why, path, "table %s, key %.*s: %s does not validate", table,
					 (int)(key.len < 40 ? key.len : 40), key.ptr ? (const char *)key.ptr : "", bad);
		} else if (row.row.seq > s->last_seq) {
			e = fail(ERR_INPUT, why, path, "table %s: a row is newer than the last commit", table);
		} else {
			e = fn(ctx, &row.row);
			if (e != ERR_NONE)
				(void)fail(e, why, path, "table %s: the reader stopped: %s", table, err_name(e));
		}
	}
	if (e == ERR_NONE && rc != SQLITE_DONE) e = fail_db(s, why, "reading", rc);
	(void)sqlite3_finalize(stmt); /* repeats rc */
	return e;
}

static enum err sqlite_load(struct store *store, store_row_fn *fn, void *ctx, uint64_t *seq,
							char why[STORE_WHY_SIZE]) {
	struct store_sqlite *s = (struct store_sqlite *)store;
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		enum err e = load_kind(s, (enum row_kind)kind, fn, ctx, why);
		if (e != ERR_NONE) return e;
	}
	*seq = s->last_seq;
	return ERR_NONE;
}

/* --- commit ----------------------------------------------------------------------------------- */

/* Everything that can be wrong with the changes themselves, before the file is touched. */
static enum err check(const struct store_sqlite *s, const struct change *const *changes,
					  size_t count, char why[STORE_WHY_SIZE]) {
	uint64_t after = s->last_seq;
	for (size_t i = 0; i < count; i++) {
		const struct change *c = changes[i];
		if (c->seq <= after || c->seq > INT64_MAX || c->count > CHANGE_OPS_MAX) {
			(void)snprintf(why, STORE_WHY_SIZE, "change %llu does not follow %llu",
						   (unsigned long long)c->seq, (unsigned long long)after);
			return ERR_INPUT;
		}
		after = c->seq;
		for (size_t k = 0; k < c->count; k++) {
			const struct row *row = c->ops[k].row;
			const struct row_desc *desc = row_desc(row->kind);
			const char *bad = "kind";
			if (desc && (c->ops[k].del || row_validate(row, &bad) == ERR_NONE)) continue;
			(void)snprintf(why, STORE_WHY_SIZE, "change %llu: %s: %s does not validate",
						   (unsigned long long)c->seq, desc ? desc->name : "row", bad);
			return ERR_INPUT;
		}
	}
	return ERR_NONE;
}

/* Does the row have an empty blob, so that writing it may take bytes away that the old row had? */
static bool may_erase(const struct row *r) {
	const struct row_desc *d = row_desc(r->kind);
	for (size_t i = 0; i < d->field_count; i++) {
		if (d->fields[i].type != FIELD_BLOB) continue;
		struct blob b;
		memcpy(&b, (const char *)r + d->fields[i].offset, sizeof(b));
		if (b.len == 0) return true;
	}
	return false;
}

static int write_ops(struct store_sqlite *s, const struct change *c, bool *erases) {
	for (size_t i = 0; i < c->count; i++) {
		const struct row_op *op = &c->ops[i];
		int rc =
			op->del ? store_sql_del(&s->sql, op->row) : store_sql_put(&s->sql, op->row, c->seq);
		if (rc != SQLITE_DONE) return rc;
		if (failpoint_hit("store-op")) return SQLITE_IOERR;
		if (op->del || may_erase(op->row)) *erases = true;
	}
	return SQLITE_OK;
}

/* Empties the log. A failure takes nothing back of what was committed: it is due again at the next
 * commit. */
static void erase_log(struct store_sqlite *s) {
	s->erase_due =
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
}

static enum err sqlite_commit(struct store *store, const struct change *const *changes,
							  size_t count, char why[STORE_WHY_SIZE]) {
	struct store_sqlite *s = (struct store_sqlite *)store;
	if (count == 0) return ERR_NONE;
	enum err e = check(s, changes, count, why);
	if (e != ERR_NONE) return e;
	uint64_t seq = changes[count - 1]->seq;
	bool erases = false;

	int rc = failpoint_hit("store-begin") ? SQLITE_IOERR : SQLITE_OK;
	if (rc == SQLITE_OK) rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) rc = write_ops(s, changes[i], &erases);
	if (rc == SQLITE_OK) {
		rc = store_sql_set_seq(&s->sql, seq);
		rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
	}
	if (rc == SQLITE_OK && failpoint_hit("store-commit")) rc = SQLITE_IOERR;
	if (rc == SQLITE_OK) rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		e = fail_db(s, why, "writing", rc);
		/* A failure here leaves the transaction open: BEGIN then fails, and says so, until a
		 * rollback works. */
		if (!sqlite3_get_autocommit(s->db)) (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		return e;
	}
	s->last_seq = seq;
	(void)failpoint_hit("store-committed");
	if (erases || s->erase_due) {
		erase_log(s);
		(void)failpoint_hit("store-erased");
	}
	return ERR_NONE;
}

/* --- the mark, and the run it names ----------------------------------------------------------- */

static enum err sqlite_mark(struct store *store, uint64_t seq, char why[STORE_WHY_SIZE]) {
	struct store_sqlite *s = (struct store_sqlite *)store;
	struct mark m = s->mark;
	m.denied_seq = seq;
	if (failpoint_hit("store-mark")) return fail(ERR_STORE, why, "mark", "cannot be written");
	enum err e = mark_write(sqlite3_db_filename(s->db, "main"), &m, why);
	if (e != ERR_NONE) return e;
	(void)failpoint_hit("store-marked");
	s->mark = m;
	return ERR_NONE;
}

static int write_run(struct store_sqlite *s, const char *run) {
	char sql[160];
	(void)snprintf(
		sql, sizeof(sql),
		"BEGIN IMMEDIATE; UPDATE store_run SET run='%s'; UPDATE store_state SET run='%s'; "
		"COMMIT",
		run, run); /* hex digits of our own */
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK && !sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* rc says it */
	if (rc != SQLITE_OK) return rc;
	/* store_run's page into the file, where no log hides it */
	return sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* Announced in the mark, then in the database, then in force: wherever it ends, the database is of
 * one of the mark's two runs, and no change was made in the new one yet. */
static enum err begin_run(struct store_sqlite *s, uint64_t denied_seq, char why[STORE_WHY_SIZE]) {
	const char *path = sqlite3_db_filename(s->db, "main");
	struct mark m = {.denied_seq = denied_seq};
	if (mark_draw(m.run) != ERR_NONE)
		return fail(ERR_STORE, why, path, "no random bytes from the kernel");
	if (!s->restored[0] && s->mark.run[0]) {
		struct mark both = s->mark;
		memcpy(both.next, m.run, sizeof(m.run));
		enum err e = mark_write(path, &both, why);
		if (e != ERR_NONE) return e;
		(void)failpoint_hit("run-announced");
	}
	int rc = write_run(s, m.run);
	if (rc != SQLITE_OK) return fail_db(s, why, "beginning", rc);
	(void)failpoint_hit("run-begun");
	enum err e = mark_write(path, &m, why);
	if (e == ERR_NONE) s->mark = m;
	return e;
}

static enum err sqlite_settled(struct store *store, char why[STORE_WHY_SIZE]) {
	struct store_sqlite *s = (struct store_sqlite *)store;
	enum err e = begin_run(s, s->last_seq, why);
	if (e != ERR_NONE) return e;
	s->restored[0] = '\0';
	store->restored = NULL;
	return ERR_NONE;
}

static int one_text(sqlite3 *db, const char *sql, char out[64]);

/* Why this is not the database that was last used, half a sentence in s->restored; "": it is. Cannot
 * tell means it is not. */
static void judge(struct store_sqlite *s, const char *run) {
	const char *path = sqlite3_db_filename(s->db, "main");
	struct span is = span_str(run);
	struct mark *m = &s->mark;
	if (mark_read(path, m, s->restored) != ERR_NONE) return; /* it says why */
	if (!is.len || !(span_eq(is, span_str(m->run)) || span_eq(is, span_str(m->next)))) {
		(void)snprintf(s->restored, sizeof(s->restored), "it is not of the run in its mark");
	} else if (m->denied_seq > s->last_seq) {
		(void)snprintf(s->restored, sizeof(s->restored),
					   "it ends at change %llu, and a denial was recorded at %llu",
					   (unsigned long long)s->last_seq, (unsigned long long)m->denied_seq);
	} else {
		s->restored[0] = '\0';
		(void)span_copy(is, m->run,
						sizeof(m->run)); /* of which of both, if it ended between them */
		m->next[0] = '\0';
	}
}

/* A restored database takes a run that no mark names: until it is settled every opening finds it
 * restored, however far it has come. */
static enum err disown(struct store_sqlite *s, char why[STORE_WHY_SIZE]) {
	char run[MARK_RUN_SIZE];
	const char *path = sqlite3_db_filename(s->db, "main");
	if (mark_draw(run) != ERR_NONE)
		return fail(ERR_STORE, why, path, "no random bytes from the kernel");
	int rc = write_run(s, run);
	if (rc != SQLITE_OK) return fail_db(s, why, "opening", rc);
	s->store.restored = s->restored;
	return ERR_NONE;
}

static enum err look_at_run(struct store_sqlite *s, enum opening how, char why[STORE_WHY_SIZE]) {
	const char *path = sqlite3_db_filename(s->db, "main");
	char in_file[64], in_log[64];
	int rc = one_text(s->db, "SELECT run FROM store_run", in_file);
	if (rc == SQLITE_OK) rc = one_text(s->db, "SELECT run FROM store_state", in_log);
	if (rc != SQLITE_OK) return fail_db(s, why, "checking", rc);
	if (!span_eq(span_str(in_file), span_str(in_log)))
		return fail(ERR_STORE, why, path,
					"the file and its -wal are of different times: remove the -wal if the file was "
					"restored");
	if (how == OPENING_OLD) judge(s, in_file);
	if (how == OPENING_RESTORED)
		(void)snprintf(s->restored, sizeof(s->restored), "the operator says so");
	return s->restored[0] ? disown(s, why) : begin_run(s, s->mark.denied_seq, why);
}

/* --- open and close --------------------------------------------------------------------------- */

static void sqlite_close(struct store *store) {
	struct store_sqlite *s = (struct store_sqlite *)store;
	store_sql_fini(&s->sql);
	(void)sqlite3_close(s->db); /* nothing uncommitted can be lost; no statement is left */
	free(s);
}

/* Causes that SQLite would report as "unable to open database file". Looks without opening: closing
 * a descriptor of ours would drop the locks of a connection in this process. */
static enum err check_file(const char *path, char why[STORE_WHY_SIZE]) {
	struct stat st;
	if (stat(path, &st) != 0) {
		if (errno == ENOENT)
			return fail(ERR_ABSENT, why, path, "no such file (vestibule-ctl init makes it)");
		return fail(ERR_STORE, why, path, "cannot be looked at: %s", strerror(errno));
	}
	if (S_ISDIR(st.st_mode)) return fail(ERR_STORE, why, path, "is a directory");
	if (!S_ISREG(st.st_mode)) return fail(ERR_STORE, why, path, "is not a regular file");
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) {
		return fail(ERR_STORE, why, path, "not readable: %s", strerror(errno));
	}
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
		return fail(ERR_STORE, why, path, "not writable: %s", strerror(errno));
	}
	if (st.st_size == 0) return fail(ERR_STORE, why, path, "is empty (0 bytes), not a database");
	return ERR_NONE;
}

/* One value, as text. SQLITE_OK and text "" when it yields no row. */
static int one_text(sqlite3 *db, const char *sql, char out[64]) {
	sqlite3_stmt *stmt = NULL;
	out[0] = '\0';
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);
		(void)snprintf(out, 64, "%s", text ? (const char *)text : "");
	}
	(void)sqlite3_finalize(stmt); /* repeats rc */
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Settings that come before the first look at the file, the lock, and those that come after. */
static enum err configure(struct store_sqlite *s, bool create, char why[STORE_WHY_SIZE]) {
	static const char *const settings[] = {
		"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON",
		"PRAGMA secure_delete=ON",       "PRAGMA synchronous=FULL",   NULL,
	};
	const char *path = sqlite3_db_filename(s->db, "main");
	char text[64];
	int rc = SQLITE_OK;
	for (const char *const *sql = settings; *sql && rc == SQLITE_OK; sql++)
		rc = one_text(s->db, *sql, text);
	if (rc == SQLITE_OK && sqlite3_db_readonly(s->db, "main") != 0) {
		return fail(ERR_STORE, why, path, "not writable");
	}
	if (rc == SQLITE_OK && create) {
		(void)snprintf(text, sizeof(text), "PRAGMA application_id=%d", APPLICATION_ID);
		rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK) rc = one_text(s->db, "PRAGMA application_id", text);
	if (rc != SQLITE_OK) return fail_db(s, why, "opening", rc);
	if (strtol(text, NULL, 10) != APPLICATION_ID) {
		return fail(ERR_STORE, why, path, "is a database, but not one of ours");
	}

	rc = one_text(s->db, "PRAGMA journal_mode=WAL", text);
	if (rc == SQLITE_OK && strcmp(text, "wal") != 0) {
		return fail(ERR_STORE, why, path, "cannot keep a write-ahead log here");
	}
	/* The lock that stays: with locking_mode=EXCLUSIVE it is not given up at the end of the
	 * transaction. */
	if (rc == SQLITE_OK) rc = sqlite3_exec(s->db, "BEGIN EXCLUSIVE; COMMIT", NULL, NULL, NULL);
	return rc == SQLITE_OK ? ERR_NONE : fail_db(s, why, "opening", rc);
}

/* Content: sound, finished, newest schema. */
static enum err prepare(struct store_sqlite *s, bool create, char why[STORE_WHY_SIZE]) {
	const char *path = sqlite3_db_filename(s->db, "main");
	char text[64];
	int rc = one_text(s->db, "PRAGMA quick_check(1)", text);
	if (rc != SQLITE_OK) return fail_db(s, why, "checking", rc);
	if (strcmp(text, "ok") != 0) return fail(ERR_STORE, why, path, "the file is corrupt: %s", text);
	rc = one_text(s->db, "PRAGMA user_version", text);
	if (rc != SQLITE_OK) return fail_db(s, why, "checking", rc);
	if (!create && strcmp(text, "0") == 0) {
		return fail(ERR_STORE, why, path,
					"was never finished when it was made: remove it and make it again");
	}

	char cause[STORE_WHY_SIZE];
	enum err e = migrate_run(s->db, cause);
	if (e != ERR_NONE) return fail(e, why, path, "%s", cause);
	rc = store_sql_get_seq(s->db, &s->last_seq);
	if (rc == SQLITE_OK) rc = store_sql_prepare(s->db, &s->sql);
	return rc == SQLITE_OK ? ERR_NONE : fail_db(s, why, "opening", rc);
}

static enum err open_file(const char *path, enum opening how, struct store **out,
						  char why[STORE_WHY_SIZE]) {
	static const struct store_ops ops = {.load = sqlite_load,
										 .commit = sqlite_commit,
										 .mark = sqlite_mark,
										 .settled = sqlite_settled,
										 .close = sqlite_close};
	struct store_sqlite *s = calloc(1, sizeof(*s));
	if (!s) return fail(ERR_NOMEM, why, path, "out of memory");
	s->store.ops = &ops;

	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, &s->db, flags, NULL);
	enum err e = ERR_NONE;
	if (rc != SQLITE_OK) e = fail(ERR_STORE, why, path, "cannot be opened: %s", sqlite3_errstr(rc));
	/* closing one that is refused must not write its log into it */
	if (e == ERR_NONE && sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != 0)
		e = fail(ERR_STORE, why, path, "this SQLite cannot keep a log on closing");
	if (e == ERR_NONE) e = configure(s, how == OPENING_NEW, why);
	if (e == ERR_NONE) e = prepare(s, how == OPENING_NEW, why);
	if (e == ERR_NONE) e = look_at_run(s, how, why);
	if (e != ERR_NONE) {
		sqlite_close(&s->store);
		return e;
	}
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL); /* could before */
	s->erase_due = true; /* a crash may have come before the log was emptied */
	*out = &s->store;
	return ERR_NONE;
}

enum err store_sqlite_open(const char *path, struct store **out, char why[STORE_WHY_SIZE]) {
	enum err e = check_file(path, why);
	return e == ERR_NONE ? open_file(path, OPENING_OLD, out, why) : e;
}

enum err store_sqlite_open_restored(const char *path, struct store **out,
									char why[STORE_WHY_SIZE]) {
	enum err e = check_file(path, why);
	return e == ERR_NONE ? open_file(path, OPENING_RESTORED, out, why) : e;
}

/* The new name in its folder must survive power loss, too. */
static enum err sync_folder(const char *path, char why[STORE_WHY_SIZE]) {
	char *copy = strdup(path);
	if (!copy) return fail(ERR_STORE, why, path, "out of memory");
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	enum err e = rc == 0 ? ERR_NONE : fail(ERR_STORE, why, path, "its folder: %s", strerror(errno));
	if (fd >= 0) (void)close(fd); /* only read from */
	free(copy);
	return e;
}

enum err store_sqlite_create(const char *path, struct store **out, char why[STORE_WHY_SIZE]) {
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0 && errno == EEXIST) return fail(ERR_STORE, why, path, "exists already");
	if (fd < 0) return fail(ERR_STORE, why, path, "cannot be made: %s", strerror(errno));
	(void)close(fd); /* nothing was written */

	struct store *made = NULL;
	enum err e = open_file(path, OPENING_NEW, &made, why);
	if (e == ERR_NONE) e = sync_folder(path, why);
	if (e != ERR_NONE) {
		if (made) sqlite_close(made);
		(void)unlink(path); /* e already says what went wrong */
		return e;
	}
	*out = made;
	return ERR_NONE;
}
