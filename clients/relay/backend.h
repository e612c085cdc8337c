/* Where stored clips live: one small contract, a directory (backend_dir.c) or an object store
 * behind it.
 *
 * Calls never wait for a network. A call that cannot finish yet answers BACKEND_AGAIN and is made
 * again, with the same arguments, on a later turn of the loop; so each operation may be repeated
 * until it answers something else, and nothing calls back. A backend with a network watches its
 * descriptors in the loop it was made with (loop.h offers a curl_multi handle); the loop then turns
 * when there is something to be asked again.
 *
 * Promises:
 *  - nothing that was written is visible to stat, link or a download before commit answered DONE
 * (hold-back commit: an object store keeps the last byte of the body until then; a directory
 * renames);
 *  - commit DONE means durable and whole; the caller calls it only when length and SHA-256 are
 * right;
 *  - remove DONE means that the object, its partial bytes and every link to it are gone, running
 * downloads cut off, and that no earlier upload of ours can make it appear again; stat then answers
 * ABSENT;
 *  - names are 32 lower-case hex digits, checked by the caller.
 * One thread: the loop's. */
#ifndef RELAY_BACKEND_H
#define RELAY_BACKEND_H

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { BACKEND_NAME_LEN = 32, BACKEND_NAME_SIZE = 33, BACKEND_WHY_SIZE = 256 };

enum backend_result {
	BACKEND_FAILED =
		0, /* storage refused or broke; backend_why() is a sentence; worth another try later */
	BACKEND_DONE,
	BACKEND_AGAIN,   /* not now: ask again on a later turn */
	BACKEND_ABSENT,  /* no such object; for link also: this storage makes no links */
	BACKEND_PRESENT, /* begin: the whole object is there already, nothing to upload */
	BACKEND_FULL     /* no space or quota left; what was taken so far is kept */
};

struct backend_object {
	const char *name;
	uint64_t length;
	const uint8_t *sha256; /* 32 bytes: an object store signs it */
	int64_t exp_ms;
};

struct backend;
struct backend_upload; /* each backend's own */

typedef void backend_name_fn(void *ctx, const char *name);

struct backend_ops {
	/* Starts an upload or takes up one that was kept. *held: in, how many bytes the caller knows to
	 * be durable; out, how many the backend really holds (never more than that): write goes on
	 * there. DONE: *up is the caller's until end. PRESENT, FAILED, FULL, AGAIN: no upload. */
	enum backend_result (*begin)(struct backend *b, const struct backend_object *o, uint64_t *held,
								 struct backend_upload **up);
	/* Held bytes again, to hash them: exactly len bytes from offset. DONE or FAILED. */
	enum backend_result (*reread)(struct backend_upload *up, uint64_t offset, uint8_t *out,
								  size_t len);
	/* Takes the next bytes; *taken <= bytes.len is always written. DONE: some were taken; AGAIN,
	 * FULL, FAILED: none. */
	enum backend_result (*write)(struct backend_upload *up, struct span bytes, size_t *taken);
	enum backend_result (*sync)(
		struct backend_upload *up); /* makes what was taken durable, where that can be resumed */
	enum backend_result (*commit)(struct backend_upload *up);
	/* Frees up. keep: leave partial bytes for a later begin, if the backend can; else forget them.
	 * After commit DONE both are the same. */
	void (*end)(struct backend_upload *up, bool keep);

	enum backend_result (*remove)(struct backend *b,
								  const char *name); /* DONE also when it never existed */
	enum backend_result (*stat)(struct backend *b, const char *name,
								uint64_t *length); /* DONE, ABSENT, AGAIN, FAILED */
	/* Appends the URL of one download, good until expires_ms (the backend's own form and means).
	 * Never AGAIN. */
	enum backend_result (*link)(struct backend *b, const char *name, int64_t expires_ms,
								struct buf *url);
	/* Every name of which the backend holds an object or partial bytes. fn must not call the
	 * backend. DONE, AGAIN (fn may see names again), FAILED. Also the moment to clean up what
	 * belongs to no object. */
	enum backend_result (*list)(struct backend *b, struct moment now, backend_name_fn *fn,
								void *ctx);
	void (*free)(struct backend *b); /* uploads must have ended */
};

struct backend {
	const struct backend_ops *ops;
	/* An upload that was cut off may still take effect on a server after remove said DONE, for at
	 * most so long; the caller then removes once more. 0: it cannot. */
	int64_t settle_ms;
	char why[BACKEND_WHY_SIZE]; /* sentence of the last FAILED or FULL; no links, no credentials */
};

static inline const char *backend_why(const struct backend *b) {
	return b->why;
}

struct loop;

struct backend_dir_opts {
	const char *path;       /* must exist; objects are files of mode 0600 in it */
	const char *listen;     /* ADDR:PORT of the download listener; NULL: no links are made */
	const char *public_url; /* what links begin with, "https://clips.example.org"; NULL: http:// and
							   the listener */
	const char *
		key_file; /* key of the links, made with mode 0600 when missing; NULL only without listen */
	const struct moment *now; /* kept: judged time, brought up to date by the loop's owner */
	const bool
		*in_touch; /* kept: downloads are served only while it is true; NULL only without listen */
	struct loop
		*loop;       /* kept: the listener watches its descriptor there; NULL only without listen */
	struct log *log; /* kept */
};

/* NULL: why is a sentence that names the path or address. opts: borrowed for the call but for what
 * is marked kept. */
struct backend *backend_dir_new(const struct backend_dir_opts *opts, char why[BACKEND_WHY_SIZE]);

/* The open file of an upload of a directory backend, for a backend that stages in one. Borrowed
 * until end. */
int backend_dir_fd(const struct backend_upload *up);

#endif
