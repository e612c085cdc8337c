/* See play.h. The commands are those of tests/unit/consent/world.h, handed to a real engine. */
#include "tests/durability/play.h"

#include <errno.h>
#include <unistd.h>

#include "plugin/engine.h"
#include "plugin/outbound.h"
#include "tests/durability/said.h"
#include "tests/unit/consent/abort.h"
#include "tests/unit/plugin/broker_stub.h"

static struct engine *engine; /* NULL: the world is its own, while a store is made */
static struct engine_result last;

struct world;
static bool before(struct world *w, const struct command *cmd);
#define WORLD_BEFORE(w, cmd) before(w, cmd)
#include "tests/unit/consent/town.h"

enum { PENDING = 256, TICK_MS = 20 };

static struct world *w;
static int pipe_end;
static struct pending {
	uint8_t event_id[UUID_BYTES];
	struct said said; /* when its sender is told; what SAID_NONE: free */
} pending[PENDING];

static bool before(struct world *world, const struct command *cmd) {
	(void)world;
	if (!engine) return true;
	last = engine_command(engine, cmd);
	return false;
}

/* --- telling the parent ------------------------------------------------------------------------ */

static void say(enum said_what what, const char *id) {
	struct said s = {.what = (int32_t)what};
	(void)span_copy(span_str(id), s.id, sizeof(s.id)); /* ids fit */
	if (write(pipe_end, &s, sizeof(s)) != (ssize_t)sizeof(s)) _exit(3);
}

static void wrong(const char *what) {
	say(SAID_WRONG, what);
}

/* The parent learns it before the sender does. */
static void on_publish(const uint8_t *payload, size_t len) {
	for (size_t i = 0; i < PENDING; i++) {
		struct pending *p = &pending[i];
		if (!p->said.what || !memmem(payload, len, p->event_id, UUID_BYTES)) continue;
		say((enum said_what)p->said.what, p->said.id);
		p->said.what = SAID_NONE;
	}
}

static void when_told(enum said_what what, const char *id) {
	for (size_t i = 0; i < PENDING; i++) {
		if (pending[i].said.what) continue;
		memcpy(pending[i].event_id, w->event_id, UUID_BYTES);
		pending[i].said.what = (int32_t)what;
		(void)span_copy(span_str(id), pending[i].said.id, sizeof(pending[i].said.id));
		return;
	}
}

/* --- looking ----------------------------------------------------------------------------------- */

static bool is_live(int64_t state) {
	return state == GSTATE_APPROVED || state == GSTATE_ACTIVE;
}

static bool lets_read(const struct row_standing *g) {
	int64_t now = w->now.utc_ms;
	const struct row_device *d = state_device(w->st, span_str(g->device));
	return state_standing_for(w->st, span_str(g->integrator), d, (enum grant_kind)g->kind, now,
							  now) != NULL;
}

/* Everything that allows at this moment; also that nothing does before its commit (I3). */
static void look(void) {
	const struct row *r = state_each(w->st, ROW_STANDING, NULL);
	for (; r; r = state_each(w->st, ROW_STANDING, r)) {
		const struct row_standing *g = (const struct row_standing *)r;
		if (g->state == GSTATE_ACTIVE && g->nbf_ms <= w->now.utc_ms && state_durable(w->st, r)) {
			if (!lets_read(g)) wrong("a durable standing grant allows nothing");
			say(SAID_LIVE, g->id);
		}
	}
	for (r = state_each(w->st, ROW_GRANT, NULL); r; r = state_each(w->st, ROW_GRANT, r)) {
		const struct row_grant *g = (const struct row_grant *)r;
		if (g->state == GSTATE_ACTIVE && state_durable(w->st, r)) say(SAID_LIVE, g->id);
	}
	for (r = state_each(w->st, ROW_DEVICE, NULL); r; r = state_each(w->st, ROW_DEVICE, r)) {
		const struct row_device *d = (const struct row_device *)r;
		if (state_is_claimed(w->st, d)) say(SAID_USED, d->id);
	}
}

static void turn(void) {
	engine_enter(engine);
	w->now = engine_now(engine);
	outbound_flush(engine_outbound(engine));
}

/* --- commands ---------------------------------------------------------------------------------- */

static uint64_t draws;

static size_t below(size_t n) {
	return (size_t)(world_random(&draws) >> 11) % n;
}

static const struct row *any(enum row_kind kind) {
	size_t n = state_count(w->st, kind);
	const struct row *r = n ? state_each(w->st, kind, NULL) : NULL;
	for (n = n ? below(n) : 0; r && n > 0; n--) r = state_each(w->st, kind, r);
	return r;
}

/* Each home's admin is named after it: h1 has ann1. */
static void admin_of(const char *home, char out[ROW_ID_SIZE]) {
	(void)snprintf(out, ROW_ID_SIZE, "ann%s", home + 1);
}

static void end_like(const struct row_standing *g, bool told) {
	const struct row *r = state_child(w->st, ROW_STANDING, 0, span_str(g->home), NULL);
	for (; r; r = state_child(w->st, ROW_STANDING, 0, span_str(g->home), r)) {
		const struct row_standing *o = (const struct row_standing *)r;
		if (strcmp(o->device, g->device) != 0) continue; /* one integrator, one kind */
		if (!told && o->state == GSTATE_ACTIVE) say(SAID_MAY_END, o->id);
		if (told && o->state == GSTATE_REVOKED) when_told(SAID_ENDED, o->id);
	}
}

static void give(void) {
	char who[ROW_ID_SIZE], id[ROW_UUID_SIZE] = "", device[ROW_ID_SIZE];
	unsigned home = 1 + (unsigned)below(PLAY_HOMES);
	(void)snprintf(who, sizeof(who), "ann%u", home);
	(void)snprintf(device, sizeof(device), "d%u", home);
	const struct row_standing *was =
		(const struct row_standing *)state_each(w->st, ROW_STANDING, NULL);
	if (was) memcpy(id, was->id, sizeof(id));
	say(SAID_MAY_GIVE, "");
	(void)world_grant(w, who, "alarm", device,
					  w->now.utc_ms + LIMIT_DAY_MS + (int64_t)below(300) * LIMIT_DAY_MS);
	const struct row_standing *g =
		(const struct row_standing *)state_each(w->st, ROW_STANDING, NULL);
	bool made = last.reason == REASON_OK && g && strcmp(g->id, id) != 0;
	if (made && state_durable(w->st, &g->row)) wrong("durable in the step that made it");
	say(SAID_GAVE, made ? g->id : "");
	if (made) when_told(SAID_GIVEN, g->id);
}

static void take_back(void) {
	char who[ROW_ID_SIZE];
	const struct row_standing *g = (const struct row_standing *)any(ROW_STANDING);
	if (!g) return;
	const struct row_standing copy = *g;
	admin_of(g->home, who);
	end_like(&copy, false);
	(void)world_retract(w, who, copy.id);
	if (last.reason != REASON_OK) return;
	if (lets_read(&copy)) wrong("a retraction did not bite at once (I4)");
	end_like(&copy, true);
}

static void retract_clip(void) {
	char who[ROW_ID_SIZE];
	const struct row_grant *g = (const struct row_grant *)any(ROW_GRANT);
	if (!g) return;
	const struct row_grant copy = *g;
	admin_of(g->home, who);
	if (is_live(g->state)) say(SAID_MAY_END, copy.id);
	(void)world_retract(w, who, copy.id);
	if (last.reason != REASON_OK) return;
	g = state_grant(w->st, span_str(copy.id));
	if (!g || is_live(g->state)) wrong("a retraction did not bite at once (I4)");
	if (is_live(copy.state)) when_told(SAID_ENDED, copy.id);
}

static void answer(bool yes) {
	char who[ROW_ID_SIZE], id[ROW_UUID_SIZE] = "";
	const struct row_ask_clip *offer = (const struct row_ask_clip *)any(ROW_ASK_CLIP);
	const struct row_ask *found = offer ? state_ask(w->st, span_str(offer->ask)) : NULL;
	if (!found) return;
	const struct row_ask ask = *found;
	char clip[ROW_UUID_SIZE];
	memcpy(clip, offer->clip, sizeof(clip));
	admin_of(ask.home, who);
	const struct row_grant *was = world_grant_on(w, clip);
	if (was) memcpy(id, was->id, sizeof(id));
	bool may_end = was && was->state == GSTATE_APPROVED && !yes;
	if (may_end) say(SAID_MAY_END, id);
	if (yes) say(SAID_MAY_GIVE, "");
	(void)(yes ? world_yes(w, who, &ask, clip) : world_no(w, who, &ask, clip));
	const struct row_grant *g = last.reason == REASON_OK ? world_grant_on(w, clip) : NULL;
	bool made = g && !was && yes;
	if (yes) say(SAID_GAVE, made ? g->id : "");
	if (made) when_told(SAID_GIVEN, g->id);
	if (g && may_end && is_live(g->state)) wrong("a no did not bite at once (I4)");
	if (g && may_end) when_told(SAID_ENDED, g->id);
}

static void claim(void) {
	char who[ROW_ID_SIZE];
	const struct row_device *d = (const struct row_device *)any(ROW_DEVICE);
	char id[ROW_ID_SIZE];
	memcpy(id, d->id, sizeof(id));
	admin_of(d->home, who);
	say(SAID_MAY_CLAIM, id);
	(void)world_claim(w, who, id);
	if (last.reason == REASON_OK) when_told(SAID_CLAIMED, id);
}

static void copied(void) {
	const struct row_delivery *d = (const struct row_delivery *)any(ROW_DELIVERY);
	if (!d) return;
	const struct row_delivery copy = *d;
	(void)world_report(w, "mover",
					   d->state == DLV_COPYING ? VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED
											   : VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED,
					   &copy, 1000);
}

static void tick(void) {
	struct command cmd = {.kind = COMMAND_TICK};
	for (int i = 0; i < 4; i++) (void)engine_command(engine, &cmd);
	engine_tick(engine);
}

static void act(void) {
	switch (below(12)) {
	case 0:
	case 1: give(); return;
	case 2: take_back(); return;
	case 3:
	case 4:
	case 5: answer(true); return;
	case 6: answer(false); return;
	case 7: retract_clip(); return;
	case 8: claim(); return;
	case 9: copied(); return;
	default: tick(); return;
	}
}

/* --- life -------------------------------------------------------------------------------------- */

static void to_nobody(void *ctx, enum log_level level, const char *line) {
	(void)ctx;
	(void)level;
	(void)line;
}

static void open_engine(const char *path) {
	static const struct engine_opts opts = {
		.consent = {.agencies = true, .demo = true, .tick_ms = TICK_MS, .hold_ticks = 1},
		.policy = {.agencies = true, .demo = true}};
	static struct log quiet = {.sink = to_nobody};
	char why[STORE_WHY_SIZE] = "";
	struct store *s = NULL;
	if (store_sqlite_open(path, &s, why) != ERR_NONE) wrong(why);
	if (s && s->restored) wrong("a crash was taken for a restore");
	engine = s ? engine_new(&opts, s, &quiet, why) : NULL;
	if (!engine) {
		wrong(why);
		_exit(4);
	}
}

void play(const char *path, uint64_t seed, uint64_t round, int report) {
	pipe_end = report;
	draws = seed | 1;
	for (int i = 0; i < 20; i++) (void)world_random(&draws); /* small seeds look alike at first */
	stub_on_publish = on_publish;
	open_engine(path);
	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->st = (struct state *)(uintptr_t)engine_state(engine); /* only looked at: before() */
	w->events = round * 100000;
	engine_tick(engine); /* the broker sends TICK: things may be allowed */
	for (int i = 0; i < PLAY_COMMANDS; i++) {
		turn();
		act();
		turn();
		look();
		if (below(3) == 0)
			(void)usleep((useconds_t)below(3000)); /* what waits is committed together */
	}
	_exit(0);
}

/* --- a new store ------------------------------------------------------------------------------- */

static void make_agency(void) {
	struct row_agency a;
	uint8_t rings[64];
	world_agency_row(&a, "pd", AGENCY_POLICE, rings, sizeof(rings));
	a.key_exp_ms = w->now.utc_ms + 300 * LIMIT_DAY_MS; /* this is the real clock's world */
	assert_int_equal(world_put(w, &a), REASON_OK);
	assert_int_equal(world_put_credential(w, "ines", CRED_OFFICER, "pd", ROLE_INVESTIGATOR),
					 REASON_OK);
	assert_int_equal(world_put_credential(w, "sam", CRED_OFFICER, "pd", ROLE_SUPERVISOR),
					 REASON_OK);
}

static void make_home(unsigned n) {
	char home[8], admin[8], device[16], user[16], clip[UUID_TEXT_SIZE];
	(void)snprintf(home, sizeof(home), "h%u", n % 10);
	(void)snprintf(admin, sizeof(admin), "ann%u", n % 10);
	(void)snprintf(device, sizeof(device), "d%u", n % 10);
	(void)snprintf(user, sizeof(user), "dev-%u", n % 10);
	world_add_home(w, home, admin, device, user);
	assert_int_equal(world_rules(w, admin, "ask police"), REASON_OK);
	for (int i = 0; i < PLAY_CLIPS; i++) world_good_clip(w, user, clip);
	for (unsigned i = 0; i < PLAY_SPARE_DEVICES; i++) {
		(void)snprintf(device, sizeof(device), "d%u-%u", n % 10, i % 10);
		assert_int_equal(world_put_device(w, device, home, 52.0, 13.0), REASON_OK);
	}
}

static void write_rows(struct store *s) {
	char why[STORE_WHY_SIZE];
	struct change c = {.seq = 0};
	const struct change *one = &c;
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
		const struct row *r = state_each(w->st, (enum row_kind)kind, NULL);
		for (; r; r = state_each(w->st, (enum row_kind)kind, r)) {
			c.ops[c.count++] = (struct row_op){.row = r};
			if (c.count < CHANGE_OPS_MAX) continue;
			c.seq++;
			assert_int_equal(s->ops->commit(s, &one, 1, why), ERR_NONE);
			c.count = 0;
		}
	}
	c.seq++;
	assert_int_equal(s->ops->commit(s, &one, 1, why), ERR_NONE);
}

void play_make(const char *path) {
	char why[STORE_WHY_SIZE];
	struct store *s = NULL;
	struct world_submit r;
	engine = NULL;
	w = world_new();
	w->now.utc_ms = clock_read().utc_ms - 5000;
	w->opts.tick_ms = TICK_MS;
	make_agency();
	world_put_relay(w, "r1", "mover");
	world_put_integrator(w, "alarm", "alarm-4");
	for (unsigned n = 1; n <= PLAY_HOMES; n++) make_home(n);
	world_submit_init(w, &r);
	assert_int_equal(world_submit(w, "ines", &r), REASON_OK);
	assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	for (int i = 0; i < 4 && !world_ask(w, "h1"); i++) world_to_tick(w);
	assert_int_equal(state_count(w->st, ROW_ASK_CLIP), PLAY_HOMES * PLAY_CLIPS);
	if (store_sqlite_create(path, &s, why) != ERR_NONE) {
		(void)fprintf(stderr, "durability: %s\n", why);
		abort();
	}
	write_rows(s);
	s->ops->close(s);
	world_free(w);
}
