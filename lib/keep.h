/* Small private files that must be whole or not there: keys, tokens, states of a few lines. A file
 * is written beside its place, fsynced, and then named, and the folder is fsynced, too: after a
 * crash there is the old file or the new one. Mode 0600; what others may read is not believed to be
 * private and is refused. One writer a file; any thread. Blocking file I/O. */
#ifndef LIB_KEEP_H
#define LIB_KEEP_H

#include "lib/err.h"
#include "lib/span.h"

enum { KEEP_WHY_SIZE = 320, KEEP_PATH_SIZE = 4096 };

enum keep_manner {
	KEEP_NEW = 0, /* ERR_LIMIT when the file exists already: it is never overwritten */
	KEEP_REPLACE
};

/* why: a sentence that names the file, on every failure. ERR_STORE: the system refused. */
enum err keep_write(const char *path, struct span bytes, enum keep_manner manner,
					char why[KEEP_WHY_SIZE]) MUST_CHECK;

/* The whole file into out[cap]. ERR_ABSENT: no such file; ERR_INPUT: not a regular file, or group
 * or others may read it; ERR_LIMIT: more than cap bytes; ERR_STORE. On failure out is wiped. */
enum err keep_read(const char *path, void *out, size_t cap, size_t *len,
				   char why[KEEP_WHY_SIZE]) MUST_CHECK;

/* Removes the file for good. An absent one is fine. ERR_STORE. */
enum err keep_remove(const char *path, char why[KEEP_WHY_SIZE]) MUST_CHECK;

/* Gives a file another name (KEEP_REPLACE semantics), for good. ERR_ABSENT, ERR_STORE. */
enum err keep_rename(const char *from, const char *to, char why[KEEP_WHY_SIZE]) MUST_CHECK;

/* Makes the folder, and those above it, mode 0700 where missing. ERR_STORE. */
enum err keep_folder(const char *path, char why[KEEP_WHY_SIZE]) MUST_CHECK;

#endif
