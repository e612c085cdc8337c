/* See steps.h. The table at the end is the order of things. */
#include "clients/conform/steps.h"

enum {
	START_MS = 10000,      /* for subscriptions and status after a CONNACK */
	START_AGAIN_MS = 1000, /* where what is missing has failed before */
	BREATH_MS = 500,       /* for what follows an event on its heels */
	AGAIN_MS = 30000,      /* for what is due 10 s after a PUBACK */
	BACK_MS = 90000,       /* for a device that waits up to 60 s before it connects again */
	REPLAY_MS = 15000,     /* for what it then has to send */
	RING_LIFE_MS = 50000,  /* a ring that may still be sent again */
	SETTLE_MS = 2000,
	QUIET_MS = 5000 /* nothing may come in this time */
};

enum turn { TURN_WAIT = 0, TURN_NEXT, TURN_END };

struct step {
	const char *tell; /* to a person, when it begins; NULL: nothing, or the step asks by itself */
	void (*begin)(struct steps *s); /* NULL: nothing */
	enum turn (*look)(struct steps *s, int64_t now_ms);
};

/* --- asking ----------------------------------------------------------------------------------- */

static const char *const wishes[STEPS_WANTS] = {
	[STEPS_RING] = "press the button of the device",
	[STEPS_MOTION] = "move in front of the device",
	[STEPS_CLIP] = "make the device record a clip",
	[STEPS_STOP] = "switch the device off in good order",
};

static bool has_commands(const struct steps *s) {
	for (int i = 0; i < STEPS_WANTS; i++)
		if (s->hooks[i]) return true;
	return false;
}

/* With at least one command nobody is asked, and what has none is left out. */
static void ask(struct steps *s, enum steps_want want) {
	s->asked = true;
	if (s->hooks[want])
		s->asked = hook_run(s->hooks[want], NULL, 0, (struct span){NULL, 0}) == ERR_NONE;
	else if (has_commands(s))
		s->asked = false;
	else
		(void)fprintf(stderr, "conform: %s now\n", wishes[want]);
}

static bool is_late(const struct steps *s, int64_t now_ms) {
	return !s->asked || now_ms - s->since_ms > s->settings->patience_ms;
}

/* The condition of the step is met: true once that is ms ago. */
static bool met(struct steps *s, int64_t now_ms, int64_t ms) {
	if (s->quiet_ms == 0) s->quiet_ms = now_ms;
	return now_ms - s->quiet_ms >= ms;
}

/* The device has done what it does after a CONNACK, or had its time. */
static bool has_started(struct steps *s, int64_t now_ms) {
	const struct rules_conn *c = s->conn;
	if (!c || !c->admitted || s->admitted_ms == 0) return false;
	bool filters = c->filters == RULES_FILTERS;
	if (filters && c->status_said) return true;
	bool told = (filters || checks_has_failed(s->checks, CHECK_SUBSCRIPTIONS)) &&
				(c->status_said || checks_has_failed(s->checks, CHECK_STATUS));
	if (now_ms - s->admitted_ms < (told ? START_AGAIN_MS : START_MS)) return false;
	rules_judge_start(s->rules, c);
	return true;
}

static struct ledger_event *clip_of(struct steps *s) {
	return s->has_clip ? ledger_find(&s->rules->ledger, s->clip) : NULL;
}

static struct ledger_event *ring_of(struct steps *s) {
	return s->has_ring ? ledger_find(&s->rules->ledger, s->ring) : NULL;
}

static bool has_arrived(const struct ledger_event *e) {
	return e->puback_ms != 0 || e->refused || e->qos != 1;
}

static void cut(struct steps *s) {
	s->rules->faults.hold_acks = s->rules->faults.hold_puback = false;
	s->cut = s->was_cut = true;
}

/* --- steps ------------------------------------------------------------------------------------ */

static enum turn look_connect(struct steps *s, int64_t now_ms) {
	if (has_started(s, now_ms) && met(s, now_ms, BREATH_MS)) return TURN_NEXT;
	return is_late(s, now_ms) && s->quiet_ms == 0 ? TURN_END : TURN_WAIT;
}

static void begin_connect(struct steps *s) {
	s->asked = true;
}

static void begin_ring(struct steps *s) {
	ask(s, STEPS_RING);
}

static void begin_motion(struct steps *s) {
	ask(s, STEPS_MOTION);
}

static enum turn look_event(struct steps *s, enum codec_kind kind, int64_t now_ms) {
	const struct ledger_event *e = ledger_since(&s->rules->ledger, kind, s->from);
	if (e && has_arrived(e) && met(s, now_ms, BREATH_MS)) return TURN_NEXT;
	return is_late(s, now_ms) ? TURN_NEXT : TURN_WAIT;
}

static enum turn look_ring(struct steps *s, int64_t now_ms) {
	return look_event(s, CODEC_RING, now_ms);
}

static enum turn look_motion(struct steps *s, int64_t now_ms) {
	return look_event(s, CODEC_MOTION, now_ms);
}

static void begin_clip(struct steps *s) {
	s->rules->faults.hold_acks = true;
	ask(s, STEPS_CLIP);
}

static enum turn look_clip(struct steps *s, int64_t now_ms) {
	const struct ledger_event *e = ledger_since(&s->rules->ledger, CODEC_CLIP_READY, s->from);
	if (!e || !has_arrived(e)) return is_late(s, now_ms) ? TURN_NEXT : TURN_WAIT;
	s->has_clip = true;
	memcpy(s->clip, e->said.event_id, UUID_BYTES);
	if (pulls_start(s->pulls, &e->said, now_ms) != ERR_NONE) return TURN_END;
	return TURN_NEXT;
}

static enum turn look_pulls(struct steps *s, int64_t now_ms) {
	(void)now_ms;
	return s->has_clip && s->pulls->phase != PULLS_DONE ? TURN_WAIT : TURN_NEXT;
}

static enum turn look_again(struct steps *s, int64_t now_ms) {
	const struct ledger_event *e = clip_of(s);
	if (!e || e->refused || e->qos != 1 || e->sent > 1) return TURN_NEXT;
	if (now_ms - e->puback_ms < AGAIN_MS) return TURN_WAIT;
	checks_fail(s->checks, CHECK_CLIP_AGAIN, "10 s after the PUBACK, until a DeviceAck",
				"clip-ready with seq %llu did not come again within 30 s of its PUBACK",
				(unsigned long long)e->said.seq);
	return TURN_NEXT;
}

static void begin_lose(struct steps *s) {
	s->rules->faults.hold_puback = true;
	ask(s, STEPS_RING);
}

static enum turn look_lose(struct steps *s, int64_t now_ms) {
	const struct ledger_event *e = ledger_since(&s->rules->ledger, CODEC_RING, s->from);
	if (e && e->qos == 1 && !s->has_ring) {
		s->has_ring = true;
		s->ring_ms = now_ms;
		memcpy(s->ring, e->said.event_id, UUID_BYTES);
	}
	if (e ? !met(s, now_ms, BREATH_MS) : !is_late(s, now_ms)) return TURN_WAIT;
	cut(s);
	return TURN_NEXT;
}

/* Where the device has come back after a cut. */
static enum turn look_return(struct steps *s, int64_t now_ms) {
	bool back = s->conn && s->conn->number > s->conns && has_started(s, now_ms);
	if (back) checks_ok(s->checks, CHECK_RECONNECT);
	if (back || now_ms - s->since_ms < BACK_MS) return back ? TURN_NEXT : TURN_WAIT;
	checks_fail(s->checks, CHECK_RECONNECT, "after a random time, of up to 60 s",
				"the device did not come back, or was not let in, within 90 s of a cut");
	return TURN_END;
}

/* Must e be sent on this connection? Then is it there yet? */
static bool is_owed(const struct steps *s, const struct ledger_event *e) {
	return e && !e->refused && e->qos == 1 && s->conn && e->on < s->conn->number;
}

static enum turn look_replay(struct steps *s, int64_t now_ms) {
	const struct ledger_event *clip = clip_of(s), *ring = ring_of(s);
	bool clip_owed = is_owed(s, clip), ring_owed = is_owed(s, ring);
	bool late = now_ms - s->since_ms > REPLAY_MS, old = now_ms - s->ring_ms > RING_LIFE_MS;
	if (!s->conn) return late ? TURN_NEXT : TURN_WAIT;
	if (!late && (clip_owed || ring_owed || (clip && !clip->refused && clip->ack_ms == 0)))
		return TURN_WAIT;
	if (clip_owed)
		checks_fail(s->checks, CHECK_CLIP_KEPT, "again with the next connection",
					"clip-ready with seq %llu was not done and did not come again",
					(unsigned long long)clip->said.seq);
	else if (clip && !clip->refused && clip->qos == 1)
		checks_ok(s->checks, CHECK_CLIP_KEPT);
	if (ring_owed && !old)
		checks_fail(s->checks, CHECK_RING_AGAIN, "again with the next connection, up to 60 s old",
					"ring with seq %llu had no PUBACK and did not come again",
					(unsigned long long)ring->said.seq);
	else if (ring && !ring->refused && !ring_owed)
		checks_ok(s->checks, CHECK_RING_AGAIN);
	return TURN_NEXT;
}

static void begin_refuse_ring(struct steps *s) {
	s->rules->faults.refuse_ring = true;
	ask(s, STEPS_RING);
}

static void begin_refuse_clip(struct steps *s) {
	s->rules->faults.refuse_clip = true;
	ask(s, STEPS_CLIP);
}

static enum turn look_refuse(struct steps *s, int64_t now_ms) {
	bool wait = s->rules->faults.refuse_ring || s->rules->faults.refuse_clip;
	if (wait && !is_late(s, now_ms)) return TURN_WAIT;
	s->rules->faults.refuse_ring = s->rules->faults.refuse_clip = false;
	return TURN_NEXT;
}

/* Was the device told of an event a moment ago? A cut could take that from it. */
static bool is_busy(const struct steps *s, int64_t now_ms) {
	const struct ledger *l = &s->rules->ledger;
	for (size_t i = 0; i < l->count && i < LEDGER_EVENTS_MAX; i++)
		if (now_ms - l->all[i].puback_ms < SETTLE_MS || now_ms - l->all[i].ack_ms < SETTLE_MS)
			return true;
	return false;
}

static enum turn look_settle(struct steps *s, int64_t now_ms) {
	bool busy = is_busy(s, now_ms) && now_ms - s->since_ms < REPLAY_MS;
	if (busy || !met(s, now_ms, SETTLE_MS)) return TURN_WAIT;
	cut(s);
	return TURN_NEXT;
}

/* What could have come again and did not. */
static enum turn look_quiet(struct steps *s, int64_t now_ms) {
	const struct ledger *l = &s->rules->ledger;
	if (!met(s, now_ms, QUIET_MS)) return TURN_WAIT;
	for (size_t i = 0; i < l->count && i < LEDGER_EVENTS_MAX; i++) {
		const struct ledger_event *e = &l->all[i];
		bool before = s->conn && e->first_on < s->conn->number;
		if (!before) continue;
		if (e->refused_by_us) checks_ok(s->checks, CHECK_REFUSED);
		if (e->refused || e->puback_ms == 0) continue;
		if (e->said.kind == CODEC_RING) checks_ok(s->checks, CHECK_RING_DONE);
		if (e->ack_ms != 0) checks_ok(s->checks, CHECK_CLIP_DONE);
	}
	return TURN_NEXT;
}

static void begin_stop(struct steps *s) {
	ask(s, STEPS_STOP);
}

static enum turn look_stop(struct steps *s, int64_t now_ms) {
	return !s->conn || is_late(s, now_ms) ? TURN_NEXT : TURN_WAIT;
}

static const struct step table[] = {
	{NULL, begin_connect, look_connect},
	{NULL, begin_ring, look_ring},
	{NULL, begin_motion, look_motion},
	{NULL, begin_clip, look_clip},
	{"the clip is pulled", NULL, look_pulls},
	{"clip-ready has to come again, within 30 s", NULL, look_again},
	{NULL, begin_lose, look_lose}, /* a ring without PUBACK, a clip without DeviceAck: cut */
	{"the connection is cut; the device has 90 s to come back", NULL, look_return},
	{NULL, NULL, look_replay},
	{NULL, begin_refuse_ring, look_refuse},
	{NULL, begin_refuse_clip, look_refuse},
	{NULL, NULL, look_settle}, /* everything is done: cut */
	{"the connection is cut again", NULL, look_return},
	{"nothing may come again now", NULL, look_quiet},
	{NULL, begin_stop, look_stop},
};

enum { STEPS_COUNT = sizeof(table) / sizeof(table[0]) };

/* --- life ------------------------------------------------------------------------------------- */

enum err steps_init(struct steps *s, const struct settings *settings, struct rules *rules) {
	const char *const texts[STEPS_WANTS] = {settings->ring_cmd, settings->motion_cmd,
											settings->clip_cmd, settings->stop_cmd};
	*s = (struct steps){
		.settings = settings, .rules = rules, .pulls = rules->pulls, .checks = rules->checks};
	for (int i = 0; i < STEPS_WANTS; i++) {
		if (!texts[i]) continue;
		/* standard output is the report's alone */
		if (asprintf(&s->commands[i], "{ %s\n} >&2", texts[i]) < 0) s->commands[i] = NULL;
		s->hooks[i] = s->commands[i] ? hook_new(s->commands[i]) : NULL;
		if (!s->hooks[i]) return ERR_NOMEM;
	}
	return ERR_NONE;
}

void steps_fini(struct steps *s) {
	for (int i = 0; i < STEPS_WANTS; i++) {
		hook_free(s->hooks[i]);
		free(s->commands[i]);
		s->hooks[i] = NULL;
		s->commands[i] = NULL;
	}
}

static void begin(struct steps *s, int64_t now_ms) {
	s->begun = true;
	s->from = s->rules->ledger.count;
	s->since_ms = now_ms;
	s->quiet_ms = 0;
	s->conns = s->rules->conns;
	if (table[s->at].tell && !has_commands(s))
		(void)fprintf(stderr, "conform: %s\n", table[s->at].tell);
	if (table[s->at].begin) table[s->at].begin(s);
}

bool steps_tick(struct steps *s, struct moment now) {
	for (int i = 0; i < STEPS_WANTS; i++) hook_reap(s->hooks[i]);
	if (s->at >= STEPS_COUNT) return false;
	if (!s->begun) begin(s, now.boot_ms);
	switch (table[s->at].look(s, now.boot_ms)) {
	case TURN_WAIT: return true;
	case TURN_NEXT: break;
	case TURN_END: s->at = STEPS_COUNT; break;
	}
	s->at++;
	s->begun = false;
	return s->at < STEPS_COUNT;
}
