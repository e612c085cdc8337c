/* See session.h. Three tables over the same entries: by pointer, by client id, by username. */
#include "plugin/session.h"

#include <sys/queue.h>

#include "lib/table.h"
#include "plugin/policy/policy.h"
#include "proto/uuid.h"

struct user;

TAILQ_HEAD(kick_list, entry);

struct entry {
	struct session pub;
	struct user *user;
	struct used_id
		*id; /* NULL: the id logged in again, what this pointer still writes is its will */

	/* Grants of which a copy was routed here since the login: open addressing, all-zero slots are
	 * free. */
	uint8_t (*routed)[UUID_BYTES];
	size_t routed_cap, routed_count;
	bool routed_all; /* no memory to remember: any grant counts as routed */

	struct kick_list *kick_in; /* NULL: not listed */
	bool kick_whole;
	TAILQ_ENTRY(entry) kick;
	LIST_ENTRY(entry) of_user;
};

/* A client id and who used it last. */
struct used_id {
	struct user *user;
	struct entry *now; /* NULL: nobody is connected with it */
	int64_t left_boot_ms;
	TAILQ_ENTRY(used_id) of_user; /* least recently begun first */
	char text[SESSION_CLIENT_ID_MAX + 1];
};

struct user {
	char name[ROW_ID_SIZE];
	size_t id_count;
	TAILQ_HEAD(id_list, used_id) ids;
	LIST_HEAD(entry_list, entry) entries;
	bool lost;
	TAILQ_ENTRY(user) of_lost;
};

struct sessions {
	struct table by_client, by_id, by_user;
	const void *purging;
	struct kick_list kicks, purge_kicks;
	TAILQ_HEAD(lost_list, user) lost;
};

struct sessions *sessions_new(uint64_t seed0, uint64_t seed1) {
	struct sessions *s = calloc(1, sizeof(*s));
	if (!s) return NULL;
	table_init(&s->by_client, seed0, seed1);
	table_init(&s->by_id, seed1, seed0);
	table_init(&s->by_user, seed0 ^ seed1, seed1);
	TAILQ_INIT(&s->kicks);
	TAILQ_INIT(&s->purge_kicks);
	TAILQ_INIT(&s->lost);
	return s;
}

static struct span client_key(const struct entry *en) {
	return span_of(&en->pub.client, sizeof(en->pub.client));
}

static struct entry *find(const struct sessions *s, const void *client) {
	return table_get(&s->by_client, span_of(&client, sizeof(client)));
}

static struct user *find_user(const struct sessions *s, struct span username) {
	return table_get(&s->by_user, username);
}

static void unlist_kick(struct entry *en) {
	if (!en->kick_in) return;
	TAILQ_REMOVE(en->kick_in, en, kick);
	en->kick_in = NULL;
}

static void drop_id(struct sessions *s, struct used_id *id) {
	TAILQ_REMOVE(&id->user->ids, id, of_user);
	id->user->id_count--;
	(void)table_del(&s->by_id, span_str(id->text)); /* the value is id itself */
	free(id);
}

static void drop_user_if_unused(struct sessions *s, struct user *u) {
	if (u->id_count > 0 || !LIST_EMPTY(&u->entries)) return;
	if (u->lost) TAILQ_REMOVE(&s->lost, u, of_lost);
	(void)table_del(&s->by_user, span_str(u->name));
	free(u);
}

static void drop_entry(struct sessions *s, struct entry *en, int64_t boot_ms) {
	unlist_kick(en);
	(void)table_del(&s->by_client, client_key(en));
	LIST_REMOVE(en, of_user);
	if (en->id) {
		en->id->now = NULL;
		en->id->left_boot_ms = boot_ms;
	}
	if (s->purging == en->pub.client) s->purging = NULL;
	free(en->routed);
	free(en);
}

void sessions_free(struct sessions *s) {
	if (!s) return;
	size_t at = 0;
	for (struct entry *en; (en = table_next(&s->by_client, &at));) {
		free(en->routed);
		free(en);
	}
	at = 0;
	for (void *id; (id = table_next(&s->by_id, &at));) free(id);
	at = 0;
	for (void *user; (user = table_next(&s->by_user, &at));) free(user);
	table_fini(&s->by_client);
	table_fini(&s->by_id);
	table_fini(&s->by_user);
	free(s);
}

static struct user *need_user(struct sessions *s, struct span username) {
	struct user *u = find_user(s, username);
	if (u) return u;
	u = calloc(1, sizeof(*u));
	if (!u) return NULL;
	TAILQ_INIT(&u->ids);
	LIST_INIT(&u->entries);
	if (!span_copy(username, u->name, sizeof(u->name)) ||
		table_put(&s->by_user, span_str(u->name), u, NULL) != ERR_NONE) {
		free(u);
		return NULL;
	}
	return u;
}

/* Forgets the oldest ids that nobody uses: a stock client draws a new one for every run. */
static void trim_ids(struct sessions *s, struct user *u) {
	struct used_id *id = TAILQ_FIRST(&u->ids);
	while (id && u->id_count >= SESSION_IDS_MAX) {
		struct used_id *next = TAILQ_NEXT(id, of_user);
		if (!id->now) drop_id(s, id);
		id = next;
	}
}

static void move_id(struct used_id *id, struct user *to) {
	TAILQ_REMOVE(&id->user->ids, id, of_user);
	id->user->id_count--;
	id->user = to;
	TAILQ_INSERT_TAIL(&to->ids, id, of_user);
	to->id_count++;
}

/* The id, now this user's. */
static struct used_id *need_id(struct sessions *s, struct span client_id, struct user *u) {
	struct used_id *id = table_get(&s->by_id, client_id);
	if (id) {
		struct user *before = id->user;
		move_id(id, u);
		drop_user_if_unused(s, before);
		return id;
	}
	trim_ids(s, u);
	id = calloc(1, sizeof(*id));
	if (!id) return NULL;
	id->user = u;
	if (!span_copy(client_id, id->text, sizeof(id->text)) ||
		table_put(&s->by_id, span_str(id->text), id, NULL) != ERR_NONE) {
		free(id);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&u->ids, id, of_user);
	u->id_count++;
	return id;
}

static bool is_same(const struct entry *en, struct span client_id, struct span username) {
	return span_eq(span_str(en->pub.client_id), client_id) &&
		   span_eq(span_str(en->pub.username), username);
}

enum err sessions_add(struct sessions *s, const void *client, struct span client_id,
					  struct span username, enum cred_kind kind, struct moment now) {
	if (client_id.len == 0 || client_id.len > SESSION_CLIENT_ID_MAX) return ERR_LIMIT;
	struct entry *old = find(s, client);
	if (old && old->id && is_same(old, client_id, username)) return ERR_NONE;
	if (old)
		drop_entry(s, old,
				   now.boot_ms); /* the broker reused the memory of a client without DISCONNECT */

	struct entry *en = calloc(1, sizeof(*en));
	struct user *u = en ? need_user(s, username) : NULL;
	struct used_id *id = u ? need_id(s, client_id, u) : NULL;
	if (!id) goto no_memory;
	en->pub = (struct session){.client = client, .connected_boot_ms = now.boot_ms, .kind = kind};
	if (!span_copy(username, en->pub.username, sizeof(en->pub.username)) ||
		!span_copy(client_id, en->pub.client_id, sizeof(en->pub.client_id)))
		goto no_memory; /* lengths were checked: only a zero byte inside leads here */
	if (table_put(&s->by_client, client_key(en), en, NULL) != ERR_NONE) goto no_memory;
	if (id->now) id->now->id = NULL;
	id->now = en;
	en->id = id;
	en->user = u;
	LIST_INSERT_HEAD(&u->entries, en, of_user);
	s->purging = client;
	return ERR_NONE;

no_memory:
	free(en);
	if (u) drop_user_if_unused(s, u);
	return ERR_NOMEM;
}

void sessions_set_peer(struct sessions *s, const void *client, const struct peer *peer) {
	struct entry *en = find(s, client);
	if (en) en->pub.peer = *peer;
}

bool sessions_del(struct sessions *s, const void *client, struct moment now, struct session *gone) {
	struct entry *en = find(s, client);
	if (!en) return false;
	if (gone) *gone = en->pub;
	drop_entry(s, en, now.boot_ms);
	return true;
}

const struct session *sessions_get(const struct sessions *s, const void *client) {
	const struct entry *en = find(s, client);
	return en ? &en->pub : NULL;
}

const struct session *sessions_with_id(const struct sessions *s, struct span client_id,
									   bool *leaving) {
	const struct used_id *id = table_get(&s->by_id, client_id);
	*leaving = id && id->now && id->now->kick_in;
	return id && id->now ? &id->now->pub : NULL;
}

bool sessions_is_will(const struct sessions *s, const void *client) {
	const struct entry *en = find(s, client);
	return !en || !en->id;
}

bool sessions_online(const struct sessions *s, struct span username) {
	const struct user *u = find_user(s, username);
	return u && !LIST_EMPTY(&u->entries);
}

size_t sessions_count(const struct sessions *s) {
	return s->by_client.count;
}

bool sessions_may_use_id(const struct sessions *s, struct span client_id, struct span username,
						 struct moment now) {
	const struct used_id *id = table_get(&s->by_id, client_id);
	if (!id || span_eq(span_str(id->user->name), username)) return true;
	return !id->now && now.boot_ms - id->left_boot_ms >= SESSION_ID_KEPT_MS;
}

bool sessions_is_id_of(const struct sessions *s, struct span client_id, struct span username) {
	const struct used_id *id = table_get(&s->by_id, client_id);
	return id && span_eq(span_str(id->user->name), username);
}

static void list_kick(struct sessions *s, struct entry *en, bool whole) {
	if (!en->id && !whole) return; /* taken over: a kick by id would meet its successor */
	peer_drop_unsent(&en->pub.peer);
	en->kick_whole = en->kick_whole || whole;
	if (en->kick_in == &s->kicks) return;
	unlist_kick(en); /* the purge's can be put off, this one not */
	en->kick_in = &s->kicks;
	TAILQ_INSERT_TAIL(en->kick_in, en, kick);
}

static void list_purge_kick(struct sessions *s, struct entry *en) {
	if (en->kick_in) return;
	en->kick_in = &s->purge_kicks;
	TAILQ_INSERT_TAIL(en->kick_in, en, kick);
}

void sessions_purge_end(struct sessions *s) {
	s->purging = NULL;
}

bool sessions_is_purging(const struct sessions *s, const void *client) {
	return s->purging == client;
}

void sessions_read_denied(struct sessions *s, const void *client) {
	if (!client || s->purging != client) return;
	struct entry *en = find(s, client);
	if (!en || !en->id || en->pub.kind == CRED_OFFICER) return;
	list_purge_kick(s, en);
}

/* Slot of the id, or the free one where it belongs. cap is a power of two and never full. */
static size_t slot_of(uint8_t (*set)[UUID_BYTES], size_t cap, const uint8_t id[UUID_BYTES]) {
	static const uint8_t zero[UUID_BYTES];
	uint64_t tail = 0;
	memcpy(&tail, &id[8], sizeof(tail)); /* the random end of the id */
	for (size_t at = (size_t)tail & (cap - 1);; at = (at + 1) & (cap - 1)) {
		if (memcmp(set[at], id, UUID_BYTES) == 0 || memcmp(set[at], zero, UUID_BYTES) == 0)
			return at;
	}
}

static bool grow(struct entry *en) {
	static const uint8_t zero[UUID_BYTES];
	size_t cap = en->routed_cap ? en->routed_cap * 2 : 8;
	uint8_t(*set)[UUID_BYTES] = calloc(cap, UUID_BYTES);
	if (!set) return false;
	for (size_t i = 0; i < en->routed_cap; i++) {
		if (memcmp(en->routed[i], zero, UUID_BYTES) != 0)
			memcpy(set[slot_of(set, cap, en->routed[i])], en->routed[i], UUID_BYTES);
	}
	free(en->routed);
	en->routed = set;
	en->routed_cap = cap;
	return true;
}

void sessions_routed(struct sessions *s, const void *client, const char grant[ROW_UUID_SIZE]) {
	uint8_t id[UUID_BYTES];
	struct entry *en = find(s, client);
	if (!en || en->routed_all) return; /* offline: the purge at reconnect asks READ again */
	if (uuid_parse(span_str(grant), id) != ERR_NONE ||
		(en->routed_count * 4 >= en->routed_cap * 3 && !grow(en))) {
		en->routed_all = true;
		return;
	}
	size_t at = slot_of(en->routed, en->routed_cap, id);
	if (memcmp(en->routed[at], id, UUID_BYTES) == 0) return;
	memcpy(en->routed[at], id, UUID_BYTES);
	en->routed_count++;
}

void sessions_kick_username(struct sessions *s, struct span username) {
	const struct user *u = find_user(s, username);
	struct entry *en = u ? LIST_FIRST(&u->entries) : NULL;
	for (; en; en = LIST_NEXT(en, of_user)) list_kick(s, en, true);
}

void sessions_kick_grant(struct sessions *s, const char grant[ROW_UUID_SIZE]) {
	uint8_t id[UUID_BYTES];
	if (uuid_parse(span_str(grant), id) != ERR_NONE) return;
	size_t at = 0;
	for (struct entry *en; (en = table_next(&s->by_client, &at));) {
		bool routed = en->routed_all ||
					  (en->routed_cap && memcmp(en->routed[slot_of(en->routed, en->routed_cap, id)],
												id, UUID_BYTES) == 0);
		if (routed) list_kick(s, en, false);
	}
}

static bool next_kick(struct kick_list *list, struct session_kick *out) {
	struct entry *en = TAILQ_FIRST(list);
	while (en && !en->id && !en->kick_whole) { /* taken over since it was listed */
		unlist_kick(en);
		en = TAILQ_FIRST(list);
	}
	if (!en) return false;
	const char *name = en->kick_whole ? en->pub.username : en->pub.client_id;
	out->whole_username = en->kick_whole;
	bool fits = span_copy(span_str(name), out->name, sizeof(out->name));
	unlist_kick(en);
	en->kick_whole = false;
	return fits;
}

bool sessions_next_kick(struct sessions *s, struct session_kick *out) {
	return next_kick(&s->kicks, out);
}

bool sessions_next_purge_kick(struct sessions *s, struct session_kick *out) {
	return next_kick(&s->purge_kicks, out);
}

void sessions_lost(struct sessions *s, struct span username) {
	struct user *u = find_user(s, username);
	if (!u || u->lost) return;
	u->lost = true;
	TAILQ_INSERT_TAIL(&s->lost, u, of_lost);
}

bool sessions_next_lost(struct sessions *s, char username[ROW_ID_SIZE]) {
	struct user *u = TAILQ_FIRST(&s->lost);
	if (!u) return false;
	TAILQ_REMOVE(&s->lost, u, of_lost);
	u->lost = false;
	memcpy(username, u->name, ROW_ID_SIZE);
	return true;
}
