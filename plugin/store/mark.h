/* The mark: a small file beside the database that no backup of the database brings back. It names
 * the run of the database (drawn at each opening) and the seq of the last denial that became
 * durable; a database that is of another run, or has not come as far, was restored or moved
 * (docs/decisions/0008-restored-database.md). It also names itself, by inode number and time of
 * birth: a mark that was copied is no mark, so a backup of the whole folder does not bring it back
 * either, nor does one that is copied over it. Each write makes a new file, fsyncs and renames it.
 * Not here: what follows from it (store_sqlite.c). One thread at a time. */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include "lib/err.h"
#include "plugin/store/store.h"

enum { MARK_RUN_SIZE = 33 }; /* 32 hex digits and the zero */

struct mark {
	char run[MARK_RUN_SIZE]; /* of the database */
	char next
		[MARK_RUN_SIZE]; /* "": none; else the run that begins: the database is of one of both */
	uint64_t denied_seq; /* the database has come as far, at least */
};

/* 128 random bits. ERR_STORE: the kernel gives none. */
enum err mark_draw(char run[MARK_RUN_SIZE]) MUST_CHECK;

/* store_path: of the database; the mark is store_path.mark. ERR_ABSENT: there is none, or what lies
 * there is a copy, or is no mark; why: half a sentence. */
enum err mark_read(const char *store_path, struct mark *out, char why[STORE_WHY_SIZE]) MUST_CHECK;

/* Durable when it returns ERR_NONE; else (ERR_STORE) the old one stands, or the new one, whole. */
enum err mark_write(const char *store_path, const struct mark *m,
					char why[STORE_WHY_SIZE]) MUST_CHECK;

#endif
