/* Running copies. What a job means is relay.c's, deleting is purger.c's, bytes are copy.c's. */
#include "clients/relay/transfers.h"

#include "clients/relay/copy.h"
#include "lib/failpoint.h"
#include "clients/relay/retry.h"
#include "proto/topic.h"

enum {
	TRANSFERS_LOOK = 16,     /* due rows looked at in one scan */
	TRANSFERS_AGAIN_MS = 100 /* the storage is at it: look again soon */
};

/* Free, or running (copy set), or ended and not yet recorded (copy NULL). */
struct slot {
	bool used;
	struct copy *copy;
	struct outbox_object o; /* as the outbox has it, or shall have it */
	uint64_t started_at;    /* o.received when it began */
	bool refused;           /* the broker did not let us subscribe to the chunks */
	char chunk_topic[MQ_TOPIC_SIZE];
	char pull_topic[MQ_TOPIC_SIZE];
};

struct transfers {
	struct core *core;
	struct slot slots[TRANSFERS_MAX];
	int64_t scan_ms; /* boot time of the next look into the outbox */
};

struct transfers *transfers_new(struct core *core) {
	struct transfers *t = calloc(1, sizeof(*t));
	if (t) t->core = core;
	return t;
}

void transfers_kick(struct transfers *t) {
	t->scan_ms = 0;
}

/* --- how a copy ends --- */

static void log_end(struct transfers *t, const struct slot *s, enum log_level level,
					const char *event, const char *why) {
	char held[24];
	char attempts[16];
	(void)snprintf(held, sizeof(held), "%llu", (unsigned long long)s->o.received); /* fits */
	(void)snprintf(attempts, sizeof(attempts), "%u", (unsigned)s->o.attempts);     /* fits */
	log_line(t->core->log, level, event, "object", s->o.name, "held", held, "attempts", attempts,
			 "why", why, NULL);
}

static void free_slot(struct transfers *t, struct slot *s, bool keep) {
	copy_free(s->copy, keep);
	/* not subscribed, or the connection is gone and with it the subscription */
	if (s->chunk_topic[0]) (void)mq_unsubscribe(t->core->mq, s->chunk_topic);
	*s = (struct slot){.used = false};
}

/* Writes the row of a slot that ended; the slot waits for the outbox if that fails. */
static void settle(struct transfers *t, struct slot *s) {
	if (core_put(t->core, &s->o, NULL) != ERR_NONE) return;
	if (s->o.state == OUTBOX_STORED) (void)failpoint_hit("copy-stored");
	free_slot(t, s, true);
	transfers_kick(t);
}

static void stop_copy(struct slot *s, bool keep) {
	if (keep && s->copy) copy_park(s->copy);
	if (s->copy) s->o.received = keep ? copy_held(s->copy) : 0;
	copy_free(s->copy, keep);
	s->copy = NULL;
}

/* Back into the queue. Progress starts the back-off anew, but for a wrong clip, whose bytes are no
 * progress. */
static void postpone(struct transfers *t, struct slot *s, bool keep) {
	stop_copy(s, keep);
	if (s->o.received > s->started_at)
		s->o.attempts = 0;
	else if (s->o.attempts < UINT32_MAX)
		s->o.attempts++;
	s->o.state = OUTBOX_QUEUED;
	s->o.next_ms = core_later_ms(t->core, s->o.attempts, RETRY_MAX_MS);
}

static void ended(struct transfers *t, struct slot *s, enum copy_result r) {
	switch (r) {
	case COPY_STORED:
		(void)failpoint_hit("copy-committed");
		stop_copy(s, true);
		s->o.received = s->o.length;
		s->o.attempts = 0;
		s->o.state = OUTBOX_STORED;
		log_end(t, s, LOG_INFO, "stored", NULL);
		break;
	case COPY_GONE:
		stop_copy(s, false);
		s->o.state = OUTBOX_GONE;
		log_end(t, s, LOG_WARN, "gone", "the device no longer has the clip");
		break;
	case COPY_MISMATCH:
		postpone(t, s, false);
		log_end(t, s, LOG_ERROR, "copy_wrong", "length or SHA-256 is not what the job says");
		break;
	case COPY_STORAGE:
		postpone(t, s, true);
		core_storage_trouble(t->core, s->o.name);
		break;
	default:
		postpone(t, s, true);
		log_end(t, s, LOG_WARN, "copy_stalled", "the device does not answer");
		break;
	}
	settle(t, s);
}

/* A mark or a verified clip: written down on the way. Failing is no reason to stop: at worst more
 * is pulled again. */
static void record(struct transfers *t, struct slot *s, enum outbox_state state) {
	s->o.received = copy_held(s->copy);
	s->o.state = state;
	(void)core_put(t->core, &s->o, NULL); /* told there */
}

/* --- how a copy begins --- */

static bool name_topics(struct transfers *t, struct slot *s) {
	char clip[UUID_TEXT_SIZE];
	struct buf b;
	uuid_text(s->o.clip, clip);
	struct topic topic = {.kind = TOPIC_DEVICE_CHUNK,
						  .device = span_str(s->o.device),
						  .clip = span_str(clip),
						  .username = span_str(mq_username(t->core->mq))};
	buf_init(&b, MQ_TOPIC_SIZE - 1);
	topic_build(&topic, &b);
	bool good = buf_error(&b) == ERR_NONE &&
				span_copy(buf_view(&b), s->chunk_topic, sizeof(s->chunk_topic));
	buf_reset(&b);
	topic.kind = TOPIC_DEVICE_PULL;
	topic_build(&topic, &b);
	good = good && buf_error(&b) == ERR_NONE &&
		   span_copy(buf_view(&b), s->pull_topic, sizeof(s->pull_topic));
	buf_fini(&b);
	return good;
}

static bool is_running(const struct transfers *t, const struct outbox_object *o) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		const struct slot *s = &t->slots[i];
		if (!s->used) continue;
		if (strcmp(s->o.name, o->name) == 0) return true;
		if (strcmp(s->o.device, o->device) == 0 && memcmp(s->o.clip, o->clip, UUID_BYTES) == 0)
			return true;
	}
	return false;
}

static struct slot *free_place(struct transfers *t) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		if (!t->slots[i].used) return &t->slots[i];
	}
	return NULL;
}

static void start(struct transfers *t, struct slot *s, const struct outbox_object *o) {
	*s = (struct slot){.used = true, .o = *o, .started_at = o->received};
	enum copy_result r = copy_new(t->core->backend, o, t->core->now.boot_ms, &s->copy);
	if (r != COPY_BUSY) {
		ended(t, s, r);
		return;
	}
	if (!s->copy) { /* the storage says later: the next scan asks again */
		t->scan_ms = t->core->now.boot_ms + TRANSFERS_AGAIN_MS;
		s->used = false;
		return;
	}
	s->o.state = OUTBOX_SENDING;
	s->o.received = copy_held(s->copy);
	s->started_at = s->o.received;
	if (!name_topics(t, s) || mq_subscribe(t->core->mq, s->chunk_topic, 0) != ERR_NONE) {
		s->chunk_topic[0] = '\0';
		ended(t, s, COPY_STALLED);
		return;
	}
	record(t, s, OUTBOX_SENDING);
	(void)failpoint_hit("copy-begun");
	log_line(t->core->log, LOG_INFO, "copy", "object", o->name, NULL);
}

/* Looks for due objects; only when there is a connection to pull them through and a clock to trust.
 */
static void scan(struct transfers *t) {
	struct outbox_object rows[TRANSFERS_LOOK];
	size_t count = 0;
	t->scan_ms = t->core->now.boot_ms + CORE_SCAN_MS;
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		if (t->slots[i].used && !t->slots[i].copy) settle(t, &t->slots[i]);
	}
	if (!mq_is_connected(t->core->mq) || !t->core->now.sound || !free_place(t)) return;
	if (outbox_due(t->core->outbox, OUTBOX_QUEUED, t->core->now.utc_ms, rows, TRANSFERS_LOOK,
				   &count) != ERR_NONE) {
		core_outbox_trouble(t->core, NULL);
		return;
	}
	struct slot *s;
	for (size_t i = 0; i < count && (s = free_place(t)); i++) {
		if (rows[i].exp_ms > t->core->now.utc_ms && !is_running(t, &rows[i])) start(t, s, &rows[i]);
	}
}

/* --- while it runs --- */

static void ask(struct transfers *t, struct slot *s) {
	uint64_t offset;
	uint32_t length;
	if (!mq_is_connected(t->core->mq)) return;
	while (copy_pull(s->copy, t->core->now.boot_ms, &offset, &length)) {
		Vestibule__V1__ClipPull pull = VESTIBULE__V1__CLIP_PULL__INIT;
		pull.part = VESTIBULE__V1__PART__PART_PAYLOAD;
		pull.offset = offset;
		pull.length = length;
		/* not taken: as good as lost on the way, and asked again after the silence */
		if (mq_publish_msg(t->core->mq, s->pull_topic, &pull.base, 0, NULL) != ERR_NONE) return;
	}
}

static void step(struct transfers *t, struct slot *s) {
	if (!mq_is_connected(t->core->mq))
		copy_reconnected(s->copy, t->core->now.boot_ms); /* silence is not the device's */
	enum copy_result r = s->refused ? COPY_STALLED : copy_step(s->copy, t->core->now.boot_ms);
	if (r == COPY_MARK || r == COPY_VERIFIED) {
		record(t, s, r == COPY_MARK ? OUTBOX_SENDING : OUTBOX_VERIFIED);
		if (r == COPY_MARK) (void)failpoint_hit("copy-marked");
		if (r == COPY_VERIFIED) (void)failpoint_hit("copy-verified");
		if (r == COPY_VERIFIED) r = copy_step(s->copy, t->core->now.boot_ms);
	}
	if (r == COPY_BUSY || r == COPY_MARK)
		ask(t, s);
	else
		ended(t, s, r);
}

void transfers_turn(struct transfers *t) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		if (t->slots[i].used && t->slots[i].copy) step(t, &t->slots[i]);
	}
	if (t->core->now.boot_ms < t->scan_ms) return;
	scan(t);
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		if (t->slots[i].used && t->slots[i].copy) ask(t, &t->slots[i]);
	}
}

int transfers_wait_ms(const struct transfers *t) {
	int64_t due = t->scan_ms;
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		const struct copy *c = t->slots[i].used ? t->slots[i].copy : NULL;
		if (c && copy_has_work(c)) return 0;
		if (c && copy_due_ms(c) < due && mq_is_connected(t->core->mq)) due = copy_due_ms(c);
	}
	int64_t wait = due - t->core->now.boot_ms;
	return wait <= 0 ? 0 : wait > CORE_SCAN_MS ? CORE_SCAN_MS : (int)wait;
}

bool transfers_chunk(struct transfers *t, struct span topic, struct span payload) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		struct slot *s = &t->slots[i];
		if (!s->used || !span_eq(topic, span_str(s->chunk_topic))) continue;
		ProtobufCMessage *msg = NULL;
		struct codec_fault why;
		if (codec_decode_routed(t->core->codec, CODEC_CHUNK, payload, &msg, &why) != ERR_NONE) {
			log_line(t->core->log, LOG_WARN, "chunk_malformed", "object", s->o.name, "field",
					 why.field, "limit", why.limit, NULL);
		} else if (s->copy) {
			copy_chunk(s->copy, (const Vestibule__V1__ClipChunk *)msg, t->core->now.boot_ms);
		}
		return true;
	}
	return false;
}

void transfers_refused(struct transfers *t, const char *filter) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		struct slot *s = &t->slots[i];
		if (s->used && strcmp(s->chunk_topic, filter) == 0)
			s->refused = true; /* the next turn acts */
	}
}

void transfers_connected(struct transfers *t) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		if (t->slots[i].used && t->slots[i].copy)
			copy_reconnected(t->slots[i].copy, t->core->now.boot_ms);
	}
	transfers_kick(t);
}

void transfers_drop(struct transfers *t, const char *object) {
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		if (t->slots[i].used && strcmp(t->slots[i].o.name, object) == 0)
			free_slot(t, &t->slots[i], false);
	}
	transfers_kick(t);
}

void transfers_free(struct transfers *t) {
	if (!t) return;
	for (size_t i = 0; i < TRANSFERS_MAX; i++) {
		struct slot *s = &t->slots[i];
		if (s->used && s->copy) {
			stop_copy(s, true);
			s->o.state = OUTBOX_QUEUED;
			s->o.next_ms = 0;
		}
		/* not recorded: the next start finds it on its way and takes it up from the last mark */
		if (s->used) (void)core_put(t->core, &s->o, NULL);
		if (s->used) free_slot(t, s, true);
	}
	free(t);
}
