/* Who is connected. The table is keyed by the broker's client pointer of a successful login and
 * lasts until DISCONNECT of that pointer: names prove nothing, since DISCONNECT of a failed login
 * may carry a stranger's id. From it follow presence, what is a will, which READ checks are the
 * purge of an old queue, to whom copies under a grant were routed (I5), and who last used a client
 * id (I15).
 *
 * Kicks are only listed here; hooks.c runs the list in TICK, because kicks inside other events lose
 * acks (BROKER 4, 8). Broker thread only. Pointers to clients are compared, never followed. */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/span.h"
#include "plugin/peer.h"
#include "plugin/policy/row.h"

enum {
	SESSION_CLIENT_ID_MAX = 256,
	SESSION_IDS_MAX = 64, /* client ids remembered per username; the oldest unused one goes first */
	SESSION_PURGE_KICKS_PER_TICK = 50 /* each reconnect is a TLS handshake: spread them */
};
#define SESSION_ID_KEPT_MS (INT64_C(14) * 24 * 3600 * 1000) /* the longest session expiry */

struct sessions;

struct session {
	const void *client;
	int64_t connected_boot_ms;
	enum cred_kind kind;
	char username[ROW_ID_SIZE];
	char client_id[SESSION_CLIENT_ID_MAX + 1];
	struct peer peer;
};

struct sessions *sessions_new(uint64_t seed0, uint64_t seed1); /* NULL: no memory */
void sessions_free(struct sessions *s);                        /* NULL is fine */

/* After a successful login; the purge of its old queue begins. The id now belongs to this pointer:
 * an older pointer with it was taken over, and its next WRITE is its will. The same pointer, id and
 * name again (SIGHUP asks again) changes nothing. ERR_LIMIT: id empty or too long; ERR_NOMEM:
 * refuse the login. */
enum err sessions_add(struct sessions *s, const void *client, struct span client_id,
					  struct span username, enum cred_kind kind, struct moment now) MUST_CHECK;
/* Its connection, when it is known. */
void sessions_set_peer(struct sessions *s, const void *client, const struct peer *peer);
/* False: was not in the table. gone (may be NULL) gets a copy. */
bool sessions_del(struct sessions *s, const void *client, struct moment now, struct session *gone);
const struct session *sessions_get(const struct sessions *s, const void *client); /* NULL: absent */
/* Who is connected with that id, and is it about to be kicked? NULL: nobody is, *leaving is false. */
const struct session *sessions_with_id(const struct sessions *s, struct span client_id,
									   bool *leaving);

/* Is a WRITE by this pointer a will? Absent, or its id has logged in again since. */
bool sessions_is_will(const struct sessions *s, const void *client);
bool sessions_online(const struct sessions *s, struct span username);
size_t sessions_count(const struct sessions *s);

/* May this username use a client id that lies in nobody's namespace? False: another one uses it
 * now, or used it less than SESSION_ID_KEPT_MS ago. */
bool sessions_may_use_id(const struct sessions *s, struct span client_id, struct span username,
						 struct moment now);

/* Is this client id remembered as that username's? */
bool sessions_is_id_of(const struct sessions *s, struct span client_id, struct span username);

/* The READ checks right after a login, for the same client, purge its old queue. Any other event of
 * a client ends that. A READ refused in it lists one more kick: the broker forgets to pay back the
 * in-flight window of what it dropped. What was refused is gone, so the next purge refuses only
 * what lost its right since: no kick without a cause, however often. Never for officers, whose connection must not betray a
 * moment (I9). */
void sessions_purge_end(struct sessions *s);
bool sessions_is_purging(const struct sessions *s, const void *client);
void sessions_read_denied(struct sessions *s, const void *client);

/* A copy under this standing grant was routed to that client. */
void sessions_routed(struct sessions *s, const void *client, const char grant[ROW_UUID_SIZE]);

void sessions_kick_username(struct sessions *s, struct span username);
void sessions_kick_grant(struct sessions *s,
						 const char grant[ROW_UUID_SIZE]); /* I5: those it was routed to */

struct session_kick {
	bool whole_username; /* name is a username, else a client id that is online */
	char name[SESSION_CLIENT_ID_MAX + 1];
};

/* Takes the next one off the list. False: the list is empty. What ends a right (of a grant, of a
 * username) is never put off: run the whole list (I5). Kicks after a purge only mend the broker's
 * window. */
bool sessions_next_kick(struct sessions *s, struct session_kick *out);
bool sessions_next_purge_kick(struct sessions *s, struct session_kick *out);

/* The will of a device's own status fired: remembered until it is taken. A username that never
 * logged in is nobody's. Whether it is back meanwhile is the taker's to ask. */
void sessions_lost(struct sessions *s, struct span username);
bool sessions_next_lost(struct sessions *s, char username[ROW_ID_SIZE]); /* false: none */

#endif
