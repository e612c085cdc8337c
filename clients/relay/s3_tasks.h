/* Questions about single objects that take several turns of the loop: is it there (HEAD), and
 * remove it with proof (DELETE, then HEAD says 404; in a versioned bucket every version of it, the
 * oldest first, so that none becomes current again). A question is put again, with the same name,
 * until it is answered; one that nobody puts again is still worked off, and then forgotten. While
 * the gate is shut everything waits. One thread. */
#ifndef RELAY_S3_TASKS_H
#define RELAY_S3_TASKS_H

#include "clients/relay/backend.h"
#include "clients/relay/s3_gate.h"

enum {
	S3_TASKS_MAX = 32,        /* at once; more wait */
	S3_TASKS_KEPT_MS = 30000, /* an answer that nobody fetches */
	S3_TASKS_FRESH_MS = 5000  /* an older answer is not given, but asked for anew */
};

struct s3_look {
	bool is_there;
	uint64_t length;
	char sha256[SIGN_SHA256_SIZE]; /* as it was said at the upload; empty: it was not */
};

struct s3_tasks;

/* All kept. NULL: no memory. */
struct s3_tasks *s3_tasks_new(struct s3_http *http, struct s3_gate *gate, const struct moment *now);
void s3_tasks_free(struct s3_tasks *t); /* NULL is fine */
void s3_tasks_turn(struct s3_tasks *t); /* each turn, after s3_gate_turn */

/* BACKEND_DONE, AGAIN or FAILED (why is a sentence). A look that follows a remove is answered by
 * what the remove saw last. */
enum backend_result s3_tasks_look(struct s3_tasks *t, const char *name, struct s3_look *out,
								  char why[BACKEND_WHY_SIZE]);
enum backend_result s3_tasks_remove(struct s3_tasks *t, const char *name,
									char why[BACKEND_WHY_SIZE]);

/* What a HEAD answer says. */
void s3_tasks_read_look(const struct s3_reply *r, struct s3_look *out);

#endif
