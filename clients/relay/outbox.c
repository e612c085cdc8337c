/* The outbox on SQLite: statements prepared once, every step and commit checked, rows validated
 * when they are read. What a job means for an object is decided in relay.c; which answer a state
 * gives stands here, in answer_of. */
#include "clients/relay/outbox.h"

#include <sqlite3.h>
#include <sys/random.h>

#include "clients/relay/retry.h"
#include "vestibule/v1/relay.pb-c.h"

enum { OUTBOX_VERSION = 1, OPEN_JOBS_MAX = 32 };

static const char schema[] =
	"CREATE TABLE object (name TEXT PRIMARY KEY, device TEXT NOT NULL, clip BLOB NOT NULL,"
	" sha256 BLOB NOT NULL, length INTEGER NOT NULL, exp_ms INTEGER NOT NULL,"
	" state INTEGER NOT NULL, received INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	" next_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX object_due ON object (state, next_ms);"
	"CREATE INDEX object_exp ON object (exp_ms) WHERE state IN (1, 2, 3, 4, 7);"
	"CREATE TABLE job (id BLOB PRIMARY KEY, kind INTEGER NOT NULL, object TEXT NOT NULL,"
	" report INTEGER NOT NULL, event_id BLOB, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" acked INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX job_object ON job (object, report);"
	"CREATE INDEX job_unsent ON job (seq) WHERE report <> 0 AND acked = 0;"
	"CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO number VALUES ('seq', 0), ('floor_ms', 0);"
	"PRAGMA user_version = 1;";

#define COLUMNS "name, device, clip, sha256, length, exp_ms, state, received, attempts, next_ms"

enum stmt {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_GET,
	STMT_PUT,
	STMT_STRIP,
	STMT_SETTLING,
	STMT_SETTLE,
	STMT_JOB,
	STMT_RETAKE,
	STMT_OPEN_JOBS,
	STMT_ANSWER,
	STMT_SEQ,
	STMT_DUE,
	STMT_EXPIRED,
	STMT_UNSENT,
	STMT_ACKED,
	STMT_FORGET_OBJECTS,
	STMT_FORGET_JOBS,
	STMT_FLOOR,
	STMT_SET_FLOOR,
	STMT_RECOVER,
	STMT_COUNT
};

static const char *const stmt_sql[STMT_COUNT] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_ROLLBACK] = "ROLLBACK",
	[STMT_GET] = "SELECT " COLUMNS " FROM object WHERE name = ?1",
	/* DELETED is left by nobody, DELETING only towards DELETED, whatever the caller says */
	[STMT_PUT] = "INSERT INTO object (" COLUMNS ", changed_ms)"
				 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
				 " ON CONFLICT (name) DO UPDATE SET device = ?2, clip = ?3, sha256 = ?4,"
				 " length = ?5, exp_ms = ?6, state = ?7, received = ?8, attempts = ?9,"
				 " next_ms = ?10, changed_ms = ?11"
				 " WHERE state NOT IN (5, 6) OR (state = 5 AND ?7 IN (5, 6))",
	[STMT_STRIP] = "UPDATE object SET device = '', clip = x'', sha256 = x'', length = 0,"
				   " exp_ms = 0, received = 0, attempts = 0"
				   " WHERE name = ?1 AND state = 6 AND device <> ''",
	[STMT_SETTLING] = "SELECT " COLUMNS " FROM object WHERE state = 6 AND next_ms > 0"
					  " AND (next_ms <= ?1 OR next_ms > ?2) ORDER BY next_ms LIMIT ?3",
	[STMT_SETTLE] = "UPDATE object SET next_ms = ?2 WHERE name = ?1 AND state = 6",
	[STMT_JOB] = "INSERT INTO job VALUES (?1, ?2, ?3, 0, NULL, 0, 0, 0)"
				 " ON CONFLICT (id) DO UPDATE SET report = 0, event_id = NULL, seq = 0,"
				 " at_ms = 0, acked = 0 WHERE acked = 1",
	/* an answer that nobody heard yet and that is no longer so (3, PURGED, stays so) */
	[STMT_RETAKE] = "UPDATE job SET report = 0"
					" WHERE object = ?1 AND acked = 0 AND report NOT IN (0, 3)",
	[STMT_OPEN_JOBS] = "SELECT id, kind FROM job WHERE object = ?1 AND report = 0 LIMIT 32",
	[STMT_ANSWER] = "UPDATE job SET report = ?2, event_id = ?3, seq = ?4, at_ms = ?5,"
					" acked = 0 WHERE id = ?1",
	[STMT_SEQ] = "UPDATE number SET value = value + 1 WHERE name = 'seq' RETURNING value",
	[STMT_DUE] = "SELECT " COLUMNS " FROM object WHERE state = ?1"
				 " AND (next_ms <= ?2 OR next_ms > ?3) ORDER BY next_ms LIMIT ?4",
	[STMT_EXPIRED] = "SELECT " COLUMNS " FROM object"
					 " WHERE state IN (1, 2, 3, 4, 7) AND exp_ms <= ?1 LIMIT ?2",
	[STMT_UNSENT] = "SELECT job.id, job.event_id, job.report, job.object, object.length,"
					" object.sha256, job.seq, job.at_ms"
					" FROM job JOIN object ON object.name = job.object"
					" WHERE job.report <> 0 AND job.acked = 0 AND job.seq > ?1"
					" ORDER BY job.seq LIMIT 1",
	[STMT_ACKED] = "UPDATE job SET acked = 1 WHERE seq = ?1 AND report <> 0",
	[STMT_FORGET_OBJECTS] = "DELETE FROM object WHERE state = 6 AND changed_ms < ?1"
							" AND NOT EXISTS (SELECT 1 FROM job WHERE job.object = object.name)",
	[STMT_FORGET_JOBS] = "DELETE FROM job WHERE acked = 1 AND at_ms < ?1",
	[STMT_FLOOR] = "SELECT value FROM number WHERE name = 'floor_ms'",
	[STMT_SET_FLOOR] = "UPDATE number SET value = ?1 WHERE name = 'floor_ms' AND value < ?1",
	[STMT_RECOVER] = "UPDATE object SET state = 1, next_ms = 0 WHERE state IN (2, 3)",
};

struct outbox {
	sqlite3 *db;
	sqlite3_stmt *stmt[STMT_COUNT];
	char why[OUTBOX_WHY_SIZE];
};

const char *outbox_why(const struct outbox *ob) {
	return ob->why;
}

const char *outbox_state_name(enum outbox_state s) {
	static const char *const names[] = {"none",   "queued",   "sending", "verified",
										"stored", "deleting", "deleted", "gone"};
	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

static enum err broken(struct outbox *ob) {
	int rc = sqlite3_extended_errcode(ob->db);
	const char *hint = "";
	if ((rc & 0xff) == SQLITE_FULL) hint = " (the disk or quota of the state directory is full)";
	if ((rc & 0xff) == SQLITE_BUSY) hint = " (another process uses this state directory)";
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
		hint = " (outbox.db is damaged: see the manual)";
	(void)snprintf(ob->why, sizeof(ob->why), "outbox: %s%s", sqlite3_errmsg(ob->db),
				   hint); /* cut is fine */
	return ERR_STORE;
}

/* Steps a statement that gives no row, and leaves it ready for the next use. */
static enum err run(struct outbox *ob, enum stmt which) {
	sqlite3_stmt *s = ob->stmt[which];
	int rc = sqlite3_step(s);
	enum err e = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_NONE : broken(ob);
	(void)sqlite3_reset(s);          /* repeats the error of step */
	(void)sqlite3_clear_bindings(s); /* cannot fail */
	return e;
}

static enum err begin(struct outbox *ob) {
	return run(ob, STMT_BEGIN);
}

/* Ends the transaction: commits when e is ERR_NONE and the commit works, else nothing has happened.
 */
static enum err finish(struct outbox *ob, enum err e) {
	if (e == ERR_NONE) e = run(ob, STMT_COMMIT);
	if (e == ERR_NONE) return e;
	char why[OUTBOX_WHY_SIZE];
	memcpy(why, ob->why, sizeof(why));
	/* SQLite may have rolled back by itself; then there is nothing to end, and that is no news */
	if (!sqlite3_get_autocommit(ob->db)) (void)run(ob, STMT_ROLLBACK);
	memcpy(ob->why, why, sizeof(why));
	return e;
}

static bool bind_text(sqlite3_stmt *s, int at, const char *text) {
	return sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_bytes(sqlite3_stmt *s, int at, const uint8_t *bytes, int len) {
	return sqlite3_bind_blob(s, at, bytes, len, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_int(sqlite3_stmt *s, int at, int64_t v) {
	return sqlite3_bind_int64(s, at, v) == SQLITE_OK;
}

/* Exactly len bytes, or none at all (a tombstone): then out is zeroed. */
static bool read_bytes(sqlite3_stmt *s, int at, uint8_t *out, int len) {
	const void *bytes = sqlite3_column_blob(s, at);
	int have = sqlite3_column_bytes(s, at);
	memset(out, 0, (size_t)len);
	if (have == 0) return true;
	if (have != len || !bytes) return false;
	memcpy(out, bytes, (size_t)len);
	return true;
}

static bool read_text(sqlite3_stmt *s, int at, char *out, size_t cap) {
	const unsigned char *text = sqlite3_column_text(s, at);
	return span_copy(span_of(text, (size_t)sqlite3_column_bytes(s, at)), out, cap);
}

/* The columns of COLUMNS; a row that we did not write so is damage, never obeyed. */
static enum err read_object(struct outbox *ob, sqlite3_stmt *s, struct outbox_object *out) {
	struct outbox_object o = {.state = OUTBOX_NONE};
	int64_t length = sqlite3_column_int64(s, 4);
	int64_t state = sqlite3_column_int64(s, 6);
	int64_t received = sqlite3_column_int64(s, 7);
	int64_t attempts = sqlite3_column_int64(s, 8);
	o.exp_ms = sqlite3_column_int64(s, 5);
	o.next_ms = sqlite3_column_int64(s, 9);
	bool good = read_text(s, 0, o.name, sizeof(o.name)) && strlen(o.name) == BACKEND_NAME_LEN &&
				read_text(s, 1, o.device, sizeof(o.device)) &&
				read_bytes(s, 2, o.clip, UUID_BYTES) && read_bytes(s, 3, o.sha256, OUTBOX_SHA256) &&
				length >= 0 && received >= 0 && received <= length && attempts >= 0 &&
				attempts <= UINT32_MAX && state >= OUTBOX_QUEUED && state <= OUTBOX_GONE;
	if (!good) {
		(void)snprintf(ob->why, sizeof(ob->why),
					   "outbox: a damaged row of table object"); /* fits */
		return ERR_STORE;
	}
	o.length = (uint64_t)length;
	o.received = (uint64_t)received;
	o.attempts = (uint32_t)attempts;
	o.state = (enum outbox_state)state;
	*out = o;
	return ERR_NONE;
}

/* Every row of a bound SELECT of COLUMNS. */
static enum err read_rows(struct outbox *ob, sqlite3_stmt *s, struct outbox_object *rows,
						  size_t cap, size_t *count) {
	size_t n = 0;
	enum err e = ERR_NONE;
	int rc = SQLITE_DONE;
	while (e == ERR_NONE && n < cap && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		e = read_object(ob, s, &rows[n]);
		if (e == ERR_NONE) n++;
	}
	if (e == ERR_NONE && rc != SQLITE_DONE && rc != SQLITE_ROW) e = broken(ob);
	(void)sqlite3_reset(s); /* repeats the error of step */
	if (e == ERR_NONE) *count = n;
	return e;
}

enum err outbox_get(struct outbox *ob, const char *name, struct outbox_object *out) {
	sqlite3_stmt *s = ob->stmt[STMT_GET];
	size_t count = 0;
	if (!bind_text(s, 1, name)) return broken(ob);
	enum err e = read_rows(ob, s, out, 1, &count);
	return e == ERR_NONE && count == 0 ? ERR_ABSENT : e;
}

/* The number of the highest report so far, plus one; inside a transaction it is taken back with it.
 */
static enum err take_seq(struct outbox *ob, uint64_t *seq) {
	sqlite3_stmt *s = ob->stmt[STMT_SEQ];
	int64_t v = 0;
	int rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		v = sqlite3_column_int64(s, 0);
		rc = sqlite3_step(s);
	}
	enum err e = rc == SQLITE_DONE && v > 0 ? ERR_NONE : broken(ob);
	(void)sqlite3_reset(s); /* repeats the error of step */
	if (e == ERR_NONE) *seq = (uint64_t)v;
	return e;
}

enum err outbox_next_seq(struct outbox *ob, uint64_t *seq) {
	return take_seq(ob, seq); /* autocommit: a transaction of its own */
}

/* Which report answers a job of this kind about an object in this state; UNSPECIFIED: not answered
 * yet. */
static int answer_of(enum outbox_state state, int kind) {
	bool copy = kind == VESTIBULE__V1__JOB_KIND__JOB_KIND_COPY;
	if (state == OUTBOX_DELETED) return VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED;
	if (state == OUTBOX_STORED && copy) return VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED;
	if (state == OUTBOX_GONE && copy) return VESTIBULE__V1__REPORT_KIND__REPORT_KIND_GONE;
	return VESTIBULE__V1__REPORT_KIND__REPORT_KIND_UNSPECIFIED;
}

static enum err write_answer(struct outbox *ob, const struct outbox_job *job, int report,
							 int64_t now_ms) {
	uint8_t random[10];
	uint8_t event_id[UUID_BYTES];
	uint64_t seq = 0;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		(void)snprintf(ob->why, sizeof(ob->why),
					   "outbox: the kernel gives no random bytes"); /* fits */
		return ERR_STORE;
	}
	uuid_v7(now_ms, random, event_id);
	enum err e = take_seq(ob, &seq);
	if (e != ERR_NONE) return e;
	sqlite3_stmt *s = ob->stmt[STMT_ANSWER];
	if (!bind_bytes(s, 1, job->id, UUID_BYTES) || !bind_int(s, 2, report) ||
		!bind_bytes(s, 3, event_id, UUID_BYTES) || !bind_int(s, 4, (int64_t)seq) ||
		!bind_int(s, 5, now_ms))
		return broken(ob);
	return run(ob, STMT_ANSWER);
}

static enum err open_jobs(struct outbox *ob, const char *name, struct outbox_job *jobs,
						  size_t *count) {
	sqlite3_stmt *s = ob->stmt[STMT_OPEN_JOBS];
	size_t n = 0;
	int rc;
	if (!bind_text(s, 1, name)) return broken(ob);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW && n < OPEN_JOBS_MAX) {
		jobs[n].kind = sqlite3_column_int(s, 1);
		if (read_bytes(s, 0, jobs[n].id, UUID_BYTES)) n++;
	}
	enum err e = rc == SQLITE_DONE || rc == SQLITE_ROW ? ERR_NONE : broken(ob);
	(void)sqlite3_reset(s); /* repeats the error of step */
	*count = n;
	return e;
}

static enum err answer_jobs(struct outbox *ob, const char *name, int64_t now_ms) {
	struct outbox_job jobs[OPEN_JOBS_MAX];
	struct outbox_object now_is;
	size_t count = 0;
	enum err e = outbox_get(ob, name, &now_is);
	if (e == ERR_NONE && (now_is.state == OUTBOX_DELETING || now_is.state == OUTBOX_DELETED)) {
		if (!bind_text(ob->stmt[STMT_RETAKE], 1, name)) return broken(ob);
		e = run(ob, STMT_RETAKE);
	}
	if (e == ERR_NONE) e = open_jobs(ob, name, jobs, &count);
	for (size_t i = 0; e == ERR_NONE && i < count; i++) {
		int report = answer_of(now_is.state, jobs[i].kind);
		if (report) e = write_answer(ob, &jobs[i], report, now_ms);
	}
	return e;
}

static enum err write_object(struct outbox *ob, const struct outbox_object *o, int64_t now_ms) {
	sqlite3_stmt *s = ob->stmt[STMT_PUT];
	bool bound = bind_text(s, 1, o->name) && bind_text(s, 2, o->device) &&
				 bind_bytes(s, 3, o->clip, UUID_BYTES) &&
				 bind_bytes(s, 4, o->sha256, OUTBOX_SHA256) && bind_int(s, 5, (int64_t)o->length) &&
				 bind_int(s, 6, o->exp_ms) && bind_int(s, 7, o->state) &&
				 bind_int(s, 8, (int64_t)o->received) && bind_int(s, 9, o->attempts) &&
				 bind_int(s, 10, o->next_ms) && bind_int(s, 11, now_ms);
	if (!bound) return broken(ob);
	enum err e = run(ob, STMT_PUT);
	if (e != ERR_NONE || o->state != OUTBOX_DELETED) return e;
	if (!bind_text(ob->stmt[STMT_STRIP], 1, o->name)) return broken(ob);
	return run(ob, STMT_STRIP);
}

static enum err write_job(struct outbox *ob, const char *name, const struct outbox_job *job) {
	sqlite3_stmt *s = ob->stmt[STMT_JOB];
	if (!bind_bytes(s, 1, job->id, UUID_BYTES) || !bind_int(s, 2, job->kind) ||
		!bind_text(s, 3, name))
		return broken(ob);
	return run(ob, STMT_JOB);
}

enum err outbox_put(struct outbox *ob, const struct outbox_object *o, const struct outbox_job *job,
					int64_t now_ms) {
	enum err e = begin(ob);
	if (e != ERR_NONE) return e;
	e = write_object(ob, o, now_ms);
	if (e == ERR_NONE && job) e = write_job(ob, o->name, job);
	if (e == ERR_NONE) e = answer_jobs(ob, o->name, now_ms);
	return finish(ob, e);
}

enum err outbox_due(struct outbox *ob, enum outbox_state state, int64_t now_ms,
					struct outbox_object *rows, size_t cap, size_t *count) {
	sqlite3_stmt *s = ob->stmt[STMT_DUE];
	if (!bind_int(s, 1, state) || !bind_int(s, 2, now_ms) ||
		!bind_int(s, 3, now_ms + RETRY_MAX_MS) || !bind_int(s, 4, (int64_t)cap))
		return broken(ob);
	return read_rows(ob, s, rows, cap, count);
}

enum err outbox_expired(struct outbox *ob, int64_t now_ms, struct outbox_object *rows, size_t cap,
						size_t *count) {
	sqlite3_stmt *s = ob->stmt[STMT_EXPIRED];
	if (!bind_int(s, 1, now_ms) || !bind_int(s, 2, (int64_t)cap)) return broken(ob);
	return read_rows(ob, s, rows, cap, count);
}

enum err outbox_settling(struct outbox *ob, int64_t now_ms, struct outbox_object *rows, size_t cap,
						 size_t *count) {
	sqlite3_stmt *s = ob->stmt[STMT_SETTLING];
	if (!bind_int(s, 1, now_ms) || !bind_int(s, 2, now_ms + OUTBOX_SETTLE_MAX_MS) ||
		!bind_int(s, 3, (int64_t)cap))
		return broken(ob);
	return read_rows(ob, s, rows, cap, count);
}

enum err outbox_settle(struct outbox *ob, const char *name, int64_t next_ms) {
	sqlite3_stmt *s = ob->stmt[STMT_SETTLE];
	if (!bind_text(s, 1, name) || !bind_int(s, 2, next_ms)) return broken(ob);
	return run(ob, STMT_SETTLE);
}

enum err outbox_unsent(struct outbox *ob, uint64_t after_seq, struct outbox_report *out) {
	sqlite3_stmt *s = ob->stmt[STMT_UNSENT];
	struct outbox_report r = {.kind = 0};
	if (!bind_int(s, 1, (int64_t)after_seq)) return broken(ob);
	int rc = sqlite3_step(s);
	bool good = true;
	if (rc == SQLITE_ROW) {
		r.kind = sqlite3_column_int(s, 2);
		r.length = (uint64_t)sqlite3_column_int64(s, 4);
		r.seq = (uint64_t)sqlite3_column_int64(s, 6);
		r.at_ms = sqlite3_column_int64(s, 7);
		good = read_bytes(s, 0, r.job_id, UUID_BYTES) && read_bytes(s, 1, r.event_id, UUID_BYTES) &&
			   read_text(s, 3, r.object, sizeof(r.object)) &&
			   read_bytes(s, 5, r.sha256, OUTBOX_SHA256);
	}
	enum err e = rc == SQLITE_ROW ? ERR_NONE : rc == SQLITE_DONE ? ERR_ABSENT : broken(ob);
	(void)sqlite3_reset(s); /* repeats the error of step */
	if (!good) {
		(void)snprintf(ob->why, sizeof(ob->why), "outbox: a damaged row of table job"); /* fits */
		return ERR_STORE;
	}
	if (e == ERR_NONE) *out = r;
	return e;
}

enum err outbox_acked(struct outbox *ob, uint64_t seq) {
	if (!bind_int(ob->stmt[STMT_ACKED], 1, (int64_t)seq)) return broken(ob);
	return run(ob, STMT_ACKED);
}

enum err outbox_forget(struct outbox *ob, int64_t now_ms) {
	enum err e = begin(ob);
	if (e != ERR_NONE) return e;
	if (!bind_int(ob->stmt[STMT_FORGET_JOBS], 1, now_ms - OUTBOX_ANSWERED_MS))
		return finish(ob, broken(ob));
	e = run(ob, STMT_FORGET_JOBS);
	if (e != ERR_NONE) return finish(ob, e);
	if (!bind_int(ob->stmt[STMT_FORGET_OBJECTS], 1, now_ms - OUTBOX_TOMBSTONE_MS))
		return finish(ob, broken(ob));
	return finish(ob, run(ob, STMT_FORGET_OBJECTS));
}

enum err outbox_floor(struct outbox *ob, int64_t *floor_ms) {
	sqlite3_stmt *s = ob->stmt[STMT_FLOOR];
	int rc = sqlite3_step(s);
	int64_t v = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	enum err e = rc == SQLITE_ROW ? ERR_NONE : broken(ob);
	(void)sqlite3_reset(s); /* repeats the error of step */
	if (e == ERR_NONE) *floor_ms = v;
	return e;
}

enum err outbox_set_floor(struct outbox *ob, int64_t floor_ms) {
	if (!bind_int(ob->stmt[STMT_SET_FLOOR], 1, floor_ms)) return broken(ob);
	return run(ob, STMT_SET_FLOOR);
}

/* --- opening --- */

/* One integer or word that a PRAGMA answers. */
static bool pragma(struct outbox *ob, const char *sql, char *out, size_t cap) {
	sqlite3_stmt *s = NULL;
	bool good = sqlite3_prepare_v2(ob->db, sql, -1, &s, NULL) == SQLITE_OK &&
				sqlite3_step(s) == SQLITE_ROW && read_text(s, 0, out, cap);
	if (!good) (void)broken(ob); /* only for its sentence */
	(void)sqlite3_finalize(s);   /* repeats the error of step */
	return good;
}

static enum err set_up(struct outbox *ob) {
	char word[64];
	if (sqlite3_exec(
			ob->db,
			"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			"PRAGMA secure_delete = ON; PRAGMA cache_size = -512; PRAGMA journal_size_limit = "
			"1048576;"
			"BEGIN EXCLUSIVE; COMMIT",
			NULL, NULL, NULL) != SQLITE_OK)
		return broken(ob);
	if (!pragma(ob, "PRAGMA quick_check(1)", word, sizeof(word))) return ERR_STORE;
	if (strcmp(word, "ok") != 0) {
		(void)snprintf(ob->why, sizeof(ob->why),
					   "outbox: outbox.db is damaged (%s): see the manual", word); /* fits */
		return ERR_STORE;
	}
	if (!pragma(ob, "PRAGMA user_version", word, sizeof(word))) return ERR_STORE;
	if (strcmp(word, "0") == 0) {
		if (sqlite3_exec(ob->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
			sqlite3_exec(ob->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
			sqlite3_exec(ob->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
			return broken(ob);
	} else if (strcmp(word, "1") != 0) {
		(void)snprintf(ob->why, sizeof(ob->why),
					   "outbox: outbox.db has version %s, this program knows %d", word,
					   OUTBOX_VERSION); /* fits */
		return ERR_VERSION;
	}
	for (int i = 0; i < STMT_COUNT; i++) {
		if (sqlite3_prepare_v3(ob->db, stmt_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &ob->stmt[i],
							   NULL) != SQLITE_OK)
			return broken(ob);
	}
	return run(ob, STMT_RECOVER);
}

enum err outbox_open(const char *dir, struct outbox **out, char why[OUTBOX_WHY_SIZE]) {
	char path[4096];
	why[0] = '\0';
	int n = snprintf(path, sizeof(path), "%s/outbox.db", dir);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		(void)snprintf(why, OUTBOX_WHY_SIZE,
					   "outbox: the path of the state directory is too long"); /* fits */
		return ERR_STORE;
	}
	struct outbox *ob = calloc(1, sizeof(*ob));
	if (!ob) return ERR_NOMEM;
	int rc = sqlite3_open_v2(
		path, &ob->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (!ob->db) {
		free(ob);
		return ERR_NOMEM;
	}
	enum err e = rc == SQLITE_OK ? set_up(ob) : broken(ob);
	if (e != ERR_NONE) {
		(void)snprintf(why, OUTBOX_WHY_SIZE, "%s", ob->why); /* same size */
		outbox_close(ob);
		return e;
	}
	*out = ob;
	return ERR_NONE;
}

void outbox_close(struct outbox *ob) {
	if (!ob) return;
	for (int i = 0; i < STMT_COUNT; i++)
		(void)sqlite3_finalize(ob->stmt[i]); /* repeats old errors */
	(void)sqlite3_close(ob->db);             /* every statement is finalized */
	free(ob);
}
