/* The download listener of the directory backend, on libmicrohttpd, driven by the relay's poll loop
 * (no thread). It answers GET of a good link once, with the whole object, and everything else with
 * one 404 that says nothing (a wrong method with 405), so that expired, forged, used and absent
 * links cannot be told apart. The same 404 answers everybody while the relay is not in touch with its
 * broker, since it could not hear of a retraction then, and running downloads are cut off. It lists nothing, knows no ranges, holds at most SERVE_CONNECTIONS
 * connections and ends them after SERVE_IDLE_S of silence. A download that starts uses its link up:
 * the nonce becomes a file, made exclusively, so that not even a restart brings it back. TLS
 * belongs to the web server in front. */
#ifndef RELAY_SERVE_H
#define RELAY_SERVE_H

#include "clients/relay/backend.h"
#include "clients/relay/link.h"

enum { SERVE_CONNECTIONS = 64, SERVE_IDLE_S = 20 };

struct serve;

struct serve_opts {
	const char *listen;       /* ADDR:PORT, [ADDR]:PORT; port 0: any free one */
	int dir;                  /* directory descriptor, kept (not closed) */
	const uint8_t *key;       /* LINK_KEY_BYTES, kept */
	const struct moment *now; /* kept */
	const bool *in_touch;     /* kept: would a retraction be heard of? */
	struct loop *loop;        /* kept */
	struct log *log;          /* kept */
};

/* NULL: why is a sentence (not an address, in use, no permission, no memory). Adds itself to the
 * loop. */
struct serve *serve_new(const struct serve_opts *opts, char why[BACKEND_WHY_SIZE]);
void serve_free(struct serve *s); /* cuts off what runs; NULL is fine */

bool serve_listen_is_valid(const char *listen); /* ADDR:PORT or [ADDR]:PORT, numeric */
void serve_address(const struct serve *s,
				   struct buf *out); /* appends "http://ADDR:PORT" with the real port */
void serve_cut(struct serve *s,
			   const char *object); /* not one byte more of it to running downloads */

/* Names of used-up nonces in the directory start so; the rest is EXP-NONCE. */
#define SERVE_USED_PREFIX "used-"
bool serve_used_is_over(const char *name,
						int64_t now_ms); /* such a file whose link has ended anyway */

#endif
