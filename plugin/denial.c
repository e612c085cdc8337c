/* See denial.h. */
#include "plugin/denial.h"

#include <sys/queue.h>

#include "lib/table.h"
#include "lib/utf8.h"

struct history {
	char username[ROW_ID_SIZE];
	struct denial ring[DENIAL_RING];
	size_t count; /* ever; the newest is at (count - 1) % DENIAL_RING */
	struct log_gate lines, told;
	TAILQ_ENTRY(history) by_use; /* quiet longest first */
};

struct denials {
	struct log *log;
	struct table by_user;
	TAILQ_HEAD(use_list, history) by_use;
	struct log_gate strangers; /* names without a shape share one gate: they are free to invent */
	uint64_t counts[DENIAL_ACCESSES][REASON_COUNT];
};

struct denials *denials_new(uint64_t seed0, uint64_t seed1, struct log *log) {
	struct denials *d = calloc(1, sizeof(*d));
	if (!d) return NULL;
	d->log = log;
	table_init(&d->by_user, seed0, seed1);
	TAILQ_INIT(&d->by_use);
	return d;
}

static void drop(struct denials *d, struct history *h) {
	(void)table_del(&d->by_user, span_str(h->username)); /* the value is h itself */
	TAILQ_REMOVE(&d->by_use, h, by_use);
	free(h);
}

void denials_free(struct denials *d) {
	if (!d) return;
	struct history *h;
	while ((h = TAILQ_FIRST(&d->by_use))) drop(d, h);
	table_fini(&d->by_user);
	free(d);
}

void denial_set_topic(struct denial *what, struct span topic) {
	size_t at = 0;
	while (topic.len) {
		uint32_t code = 0;
		size_t n = utf8_next(topic, &code);
		bool plain = n > 0 && utf8_is_plain(code);
		size_t used = plain ? n : 1;
		if (at + used >= sizeof(what->topic)) break;
		if (plain)
			memcpy(what->topic + at, topic.ptr, n);
		else
			what->topic[at] = '?';
		at += used;
		topic = span_drop(topic, n ? n : 1);
	}
	what->topic[at] = '\0';
}

static struct history *history_of(struct denials *d, struct span username) {
	struct history *h = table_get(&d->by_user, username);
	if (h) return h;
	if (!topic_username_is_valid(username)) return NULL;
	if (d->by_user.count >= DENIAL_USERS_MAX) drop(d, TAILQ_FIRST(&d->by_use));
	h = calloc(1, sizeof(*h));
	if (!h) return NULL;
	if (!span_copy(username, h->username, sizeof(h->username)) ||
		table_put(&d->by_user, span_str(h->username), h, NULL) != ERR_NONE) {
		free(h);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&d->by_use, h, by_use);
	return h;
}

static void write_line(struct denials *d, struct span username, struct span client_id,
					   const struct denial *what, uint32_t dropped) {
	char who[ROW_ID_SIZE], id[128], more[16];
	if (!span_copy(username, who, sizeof(who))) (void)snprintf(who, sizeof(who), "(unprintable)");
	if (!span_copy(client_id, id, sizeof(id))) (void)snprintf(id, sizeof(id), "(long)");
	(void)snprintf(more, sizeof(more), "%u", dropped); /* 16 bytes hold any uint32 */
	log_line(d->log, LOG_WARN, "deny", "access", denial_access_name(what->access), "reason",
			 reason_word(what->reason), "who", who, "client", id, "topic", what->topic, "field",
			 what->fault.field, "limit", what->fault.limit, "suppressed", more, NULL);
}

bool denials_note(struct denials *d, struct span username, struct span client_id,
				  const struct denial *what, struct moment now) {
	if (!ENSURE((unsigned)what->access < DENIAL_ACCESSES && (unsigned)what->reason < REASON_COUNT))
		return false;
	d->counts[what->access][what->reason]++;
	if (what->access == DENIAL_READ)
		return false; /* one a copy: counted, and policy explains it when asked */
	struct history *h = history_of(d, username);
	struct log_gate *gate = h ? &h->lines : &d->strangers;
	bool write = log_gate_open(gate, now.boot_ms, DENIAL_LOG_BURST, DENIAL_LOG_EVERY_MS);
	if (write) write_line(d, username, client_id, what, gate->dropped);
	if (!h) return false;
	h->ring[h->count++ % DENIAL_RING] = *what;
	TAILQ_REMOVE(&d->by_use, h, by_use);
	TAILQ_INSERT_TAIL(&d->by_use, h, by_use);
	return what->access != DENIAL_CONNECT &&
		   log_gate_open(&h->told, now.boot_ms, DENIAL_TOLD_BURST, DENIAL_TOLD_EVERY_MS);
}

uint64_t denials_count(const struct denials *d, enum denial_access access, enum reason reason) {
	if ((unsigned)access >= DENIAL_ACCESSES || (unsigned)reason >= REASON_COUNT) return 0;
	return d->counts[access][reason];
}

const struct denial *denials_last(const struct denials *d, struct span username, size_t n) {
	const struct history *h = table_get(&d->by_user, username);
	if (!h || n >= h->count || n >= DENIAL_RING) return NULL;
	return &h->ring[(h->count - 1 - n) % DENIAL_RING];
}

const char *denial_access_name(enum denial_access access) {
	static const char *const names[DENIAL_ACCESSES] = {"connect", "read", "write", "subscribe"};
	return (unsigned)access < DENIAL_ACCESSES ? names[access] : "unknown";
}
