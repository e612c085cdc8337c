/* The state of one bucket: open, or shut because keys, name, rights, region, clock or server are
 * wrong. While it is shut nothing is asked of it but a probe, with back-off; every reason is told
 * in one line when it appears, and one line tells that it is over. The probe lists the bucket, asks
 * whether it is versioned and, if so, whether objects are locked in it.
 *
 * Refused for good: a bucket with a default retention (object lock), for nothing could be deleted,
 * and a versioned one unless the configuration allows it. Not here: single requests
 * (backend_s3.c). One thread. */
#ifndef RELAY_S3_GATE_H
#define RELAY_S3_GATE_H

#include "clients/relay/s3_fault.h"
#include "lib/log.h"

struct s3_gate;

struct s3_gate_opts { /* all kept */
	struct s3_http *http;
	const struct s3_site *site;
	struct s3_keys *keys;
	struct log *log;
	const struct moment *now;
	bool allow_versioned;
};

struct s3_gate *s3_gate_new(const struct s3_gate_opts *o); /* shut; NULL: no memory */
void s3_gate_free(struct s3_gate *g);                      /* NULL is fine */

void s3_gate_turn(struct s3_gate *g); /* each turn, after s3_http_turn */
int s3_gate_wait_ms(const struct s3_gate *g);

bool s3_gate_is_open(const struct s3_gate *g);
bool s3_gate_is_known(const struct s3_gate *g); /* the first probe has ended, well or badly */
bool s3_gate_is_refused(const struct s3_gate *g);
const char *s3_gate_why(const struct s3_gate *g); /* why it is shut; empty: it is not, or unknown */

const struct s3_site *s3_gate_site(const struct s3_gate *g);

/* Versions are kept in it: deleting means deleting each of them. */
bool s3_gate_is_versioned(const struct s3_gate *g);
/* An answer had a version id though the probe said no. From now on it is versioned; told once. */
void s3_gate_saw_version(struct s3_gate *g);

/* A request met a verdict of S3_BUCKET, S3_AWAY or S3_SKEWED. With S3_SKEWED the server's clock is
 * taken and the bucket stays open; else it is shut, and the probe finds out more. */
void s3_gate_fault(struct s3_gate *g, const char *method, const struct s3_reply *r);
/* The same for a reason of our own. */
void s3_gate_shut(struct s3_gate *g, const char *method, const char *why);
/* A request of that method worked. */
void s3_gate_fine(struct s3_gate *g, const char *method);

#endif
