/* Indistinguishable answers (I9-I12) at the level of the engine: worlds SCRIPTS SEED. One script of
 * two agencies is played in many worlds that differ in what one home is, has or says; another home,
 * the same everywhere, approves now and then, so that there is something to see. Everything that a
 * credential of an agency, or anybody, can observe is written down as bytes: notices, private
 * answers, the register, what may be fetched and what not, and when. The transcripts must be equal,
 * byte for byte.
 *
 * Closing line: `worlds: N worlds, B differing bytes`. tests/worlds/run.sh plays the same against
 * leaky variants, which must differ, and on a real broker. */
#include "tests/unit/plugin/broker_stub.h"

#include "plugin/compose.h"
#include "tests/unit/consent/abort.h"
#include "tests/unit/consent/town.h"

enum world_kind {
	NEVER_OPTED_IN,
	DECLINED,
	IGNORED,
	OPTED_OUT,
	OBJECTS,
	QUIET_HOURS,
	OFFLINE,
	NO_CAMERA,
	NO_CLIP,
	UNSEALED,
	UNCLAIMED_CAMERA,
	OVER_THE_CAP,
	OUTSIDE,
	VETOED,
	REVOKED_BEFORE_THE_TICK,
	LOST_IN_A_CRASH,
	WORLDS
};

static const char *const world_names[WORLDS] = {
	"never opted in", "declined", "ignored",          "opted out", "objects",
	"quiet hours",    "offline",  "no camera",        "no clip",   "unsealed",
	"unclaimed",      "over cap", "outside the area", "vetoed",    "revoked before the tick",
	"lost in a crash"};

enum { STEPS = 40, TRANSCRIPT_MAX = 1 << 22 };

#define WORLD_RANDOM \
	((struct consent_random){.fill = world_fill, .ctx = w, .fill_agency = world_fill_agency})

static struct world *w;
static struct compose *compose;
static struct buf seen;
static enum world_kind kind;

/* --- the observers ---------------------------------------------------------------------------- */

static void write_head(const char *what, const char *topic) {
	buf_printf(&seen, "%lld %s %s ", (long long)w->now.utc_ms, what, topic);
}

static void write_message(const char *topic, const ProtobufCMessage *m, bool is_notice) {
	struct buf bytes;
	assert_non_null(m);
	write_head("message", topic);
	buf_init(&bytes, CODEC_ARENA_BYTES);
	enum err e = is_notice ? codec_encode_notice((const Vestibule__V1__AgencyNotice *)m, &bytes)
						   : codec_encode(m, &bytes);
	assert_int_equal(e, ERR_NONE);
	buf_hex(&seen, buf_view(&bytes));
	buf_printf(&seen, "\n");
	buf_fini(&bytes);
}

static bool is_officer(const char *username) {
	const struct row_credential *c = world_who(w, username);
	return c && c->kind == CRED_OFFICER;
}

static void write_tell(const struct tell *t) {
	const struct state *st = w->st;
	const struct row *r = NULL;
	bool unavailable = t->kind == TELL_UNAVAILABLE;
	compose_reset(compose);
	switch (t->kind) {
	case TELL_NOTICE:
		r = state_get(st, ROW_NOTICE, span_str(t->id));
		write_message(((const struct row_notice *)r)->agency, compose_notice(compose, r), true);
		return;
	case TELL_REGISTER:
		r = state_get(st, ROW_REQUEST, span_str(t->id));
		write_message("public", compose_public_request(compose, r), false);
		return;
	case TELL_AGENCY:
		r = state_get(st, ROW_AGENCY, span_str(t->id));
		write_message("public", compose_public_agency(compose, r), false);
		return;
	case TELL_RECORDED:
	case TELL_UNAVAILABLE:
		if (is_officer(t->username)) {
			write_message(t->username,
						  compose_private(compose, t, true, unavailable, w->now.utc_ms), false);
		}
		return;
	case TELL_LINK:
		write_head("link", t->username);
		buf_printf(&seen, "%s\n", t->id);
		return;
	default: return; /* a home's, a relay's */
	}
}

/* What an officer who asks gets: the reason, and what follows. */
static void write_step(const char *who, enum reason why) {
	write_head("answer", who);
	buf_printf(&seen, "%s\n", reason_word(why));
}

static void write_tells(void) {
	for (size_t i = 0; i < w->fx.tell_count; i++) write_tell(&w->fx.tell[i]);
}

/* A sync: the requests of the agency, its notices, in the order in which they come. */
static void write_sync(const char *agency) {
	static const enum row_kind kinds[] = {ROW_REQUEST, ROW_NOTICE};
	for (size_t k = 0; k < 2; k++) {
		for (const struct row *r = state_child(w->st, kinds[k], 0, span_str(agency), NULL); r;
			 r = state_child(w->st, kinds[k], 0, span_str(agency), r)) {
			compose_reset(compose);
			write_message(agency, k ? compose_notice(compose, r) : compose_request_info(compose, r),
						  false);
		}
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static void tick(void) {
	struct command cmd = {.kind = COMMAND_TICK};
	do {
		(void)world_step(w, &cmd);
		write_tells();
	} while (w->fx.more);
}

static void pass(int64_t ms) {
	w->now.utc_ms += ms;
	w->now.boot_ms += ms;
	tick();
}

static void to_tick(void) {
	pass(w->opts.tick_ms - w->now.utc_ms % w->opts.tick_ms);
}

/* --- the two homes ---------------------------------------------------------------------------- */

/* The pending ask about the first of the requests by name: ids of asks are drawn anew in each world. */
static bool pending_ask(const char *home, struct row_ask *out) {
	bool found = false;
	const struct row *r = state_child(w->st, ROW_ASK, 1, span_str(home), NULL);
	for (; r; r = state_child(w->st, ROW_ASK, 1, span_str(home), r)) {
		const struct row_ask *ask = (const struct row_ask *)r;
		if (ask->state != ASK_PENDING) continue;
		if (!found || strcmp(ask->request, out->request) < 0) *out = *ask;
		found = true;
	}
	return found;
}

static void say(const char *home, const char *who, bool yes) {
	struct row_ask ask;
	char clips[LIMIT_ASK_CLIPS][ROW_UUID_SIZE];
	size_t count = 0;
	if (!pending_ask(home, &ask)) return;
	const struct row *c = state_child(w->st, ROW_ASK_CLIP, 0, span_str(ask.id), NULL);
	for (; c && count < LIMIT_ASK_CLIPS;
		 c = state_child(w->st, ROW_ASK_CLIP, 0, span_str(ask.id), c))
		memcpy(clips[count++], ((const struct row_ask_clip *)c)->clip, ROW_UUID_SIZE);
	for (size_t i = 0; i < count; i++)
		(void)(yes ? world_yes(w, who, &ask, clips[i]) : world_no(w, who, &ask, clips[i]));
}

static void retract_all(const char *home, const char *who) {
	char ids[64][ROW_UUID_SIZE];
	size_t count = 0;
	const struct row *r = state_child(w->st, ROW_GRANT, 1, span_str(home), NULL);
	for (; r && count < 64; r = state_child(w->st, ROW_GRANT, 1, span_str(home), r)) {
		const struct row_grant *g = (const struct row_grant *)r;
		if (g->state == GSTATE_APPROVED || g->state == GSTATE_ACTIVE)
			memcpy(ids[count++], g->id, ROW_UUID_SIZE);
	}
	for (size_t i = 0; i < count; i++) (void)world_retract(w, who, ids[i]);
}

/* A crash, in every world at the same moment: memory is made anew from the rows. In one of them the
 * home's approvals had not been committed. */
static void crash(void) {
	struct state *st = state_new(5, 6);
	assert_non_null(st);
	for (int k = ROW_NONE + 1; k < ROW_KINDS; k++) {
		const struct row *r = state_each(w->st, (enum row_kind)k, NULL);
		for (; r; r = state_each(w->st, (enum row_kind)k, r)) {
			const char *bad = "";
			bool lost = kind == LOST_IN_A_CRASH && k == ROW_GRANT &&
						((const struct row_grant *)r)->state == GSTATE_APPROVED &&
						span_eq(row_parent(r, 1), SPAN_LIT("h1"));
			if (!lost) assert_int_equal(state_load(st, r, &bad), ERR_NONE);
		}
	}
	assert_int_equal(state_complete(st, w->seq, NULL), ERR_NONE);
	state_free(w->st);
	w->st = st;
	compose_free(compose);
	compose = compose_new(st, NULL, WORLD_RANDOM);
	assert_non_null(compose);
}

/* What the home that differs does: it answers, and after 20 seconds, sooner than anything can be
 * released, it may think better of it. */
static void home_answers(void) {
	bool yes = kind == VETOED || kind == REVOKED_BEFORE_THE_TICK || kind == LOST_IN_A_CRASH;
	if (yes || kind == DECLINED) say("h1", "alice", yes);
	pass(20000);
	if (kind == VETOED) retract_all("h1", "bob");
	if (kind == REVOKED_BEFORE_THE_TICK) retract_all("h1", "alice");
	crash();
}

static void build_homes(void) {
	static const char *const rules[WORLDS] = {[NEVER_OPTED_IN] = "",
											  [OPTED_OUT] = "",
											  [OBJECTS] = "ask police\nnever pd",
											  [QUIET_HOURS] = "ask police\nquiet 00:00-23:59"};
	double lat = kind == OUTSIDE ? 52.1 : 52.0;
	(void)world_put_home(w, "h1");
	if (kind != NO_CAMERA) {
		(void)world_put_device(w, "d1", "h1", lat, 13.0);
		(void)world_put_credential(w, "dev-1", CRED_DEVICE, "d1", ROLE_NONE);
		(void)world_first_admin(w, "dev-1", "alice", 1);
		(void)world_invite(w, "alice", "bob", VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADULT);
		if (kind == OPTED_OUT) (void)world_rules(w, "alice", "ask police");
		(void)world_rules(w, "alice", rules[kind] ? rules[kind] : "ask police");
		if (kind == OVER_THE_CAP) (void)world_rules(w, "bob", "ask fire");
	}
	if (kind == UNCLAIMED_CAMERA) { /* a second one that was never claimed, and the first is gone */
		(void)world_retire(w, "alice", "d1");
		(void)world_put_device(w, "d3", "h1", 52.0, 13.0);
		(void)world_put_credential(w, "dev-3", CRED_DEVICE, "d3", ROLE_NONE);
	}
}

static void home_clip(void) {
	struct world_clip c = {.start_ms = w->now.utc_ms - 600000, .duration_ms = 20000};
	c.unsealed = kind == UNSEALED;
	if (kind == NO_CAMERA || kind == OFFLINE || kind == NO_CLIP) return;
	(void)world_clip(w, kind == UNCLAIMED_CAMERA ? "dev-3" : "dev-1", &c);
}

/* --- the agencies ----------------------------------------------------------------------------- */

static uint64_t script; /* the agencies' randomness: the same in every world */

static unsigned draw(unsigned n) {
	return (unsigned)(world_random(&script) >> 33) % n;
}

static void do_as(const char *who, enum reason why) {
	write_step(who, why);
	write_tells();
}

static uint8_t request_ids[64][UUID_BYTES];
static char requests[64][ROW_UUID_SIZE];
static size_t request_count;
static uint64_t agency_events, control_random;

static void submit(const char *who, unsigned n) {
	struct world_submit r;
	world_submit_init(w, &r);
	memset(r.id, (int)n, sizeof(r.id)); /* not of a counter that outlives a world */
	r.id[6] = 0x70;
	r.id[8] = 0x80;
	r.id[15] = (uint8_t)request_count;
	(void)snprintf(r.case_number, sizeof(r.case_number), "case-%u", n);
	r.m.emergency = draw(5) == 0;
	if (r.m.emergency) r.m.purpose = VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID;
	if (draw(6) == 0) r.circle.radius_m = 500;
	if (draw(3) == 0) r.circle.lat_e7 += (int32_t)draw(40) * 1000;
	memcpy(request_ids[request_count % 64], r.id, UUID_BYTES);
	uuid_text(r.id, requests[request_count++ % 64]);
	do_as(who, world_submit(w, who, &r));
}

static const char *some_request(void) {
	return requests[request_count ? draw((unsigned)(request_count < 64 ? request_count : 64)) : 0];
}

static void fetch_all(void) {
	static const char *const officers[] = {"eve", "ines", "sam", "fsup"};
	const struct row *r = state_child(w->st, ROW_NOTICE, 0, SPAN_LIT("pd"), NULL);
	char known[16][ROW_UUID_SIZE];
	size_t count = 0;
	for (; r && count < 15; r = state_child(w->st, ROW_NOTICE, 0, SPAN_LIT("pd"), r)) {
		const struct row_notice *n = (const struct row_notice *)r;
		if (n->delivery[0]) memcpy(known[count++], n->delivery, ROW_UUID_SIZE);
	}
	memcpy(known[count++], "01890a5d-0000-7000-8000-00000000002a", ROW_UUID_SIZE); /* a guess */
	for (size_t i = 0; i < count; i++) {
		const char *who = officers[draw(8) < 5 ? 0 : draw(4)];
		do_as(who, world_fetch(w, who, known[i]));
	}
}

static void agencies_act(unsigned step) {
	uint64_t homes_events = w->events; /* an officer's event ids count what officers did */
	w->events = agency_events;
	static const char *const pd[] = {"ines", "ivan", "sam", "sue"};
	if (step < 4 || draw(4) == 0) submit(step == 1 ? "fsup" : pd[draw(2)], step);
	if (request_count && draw(2)) {
		const char *who = pd[2 + draw(2)], *request = some_request();
		do_as(who, world_approve(w, who, request));
	}
	if (request_count && draw(12) == 0) {
		const char *who = pd[draw(4)], *request = some_request();
		do_as(who,
			  world_about(w, who, draw(2) ? AGENCY_CASE(WITHDRAW) : AGENCY_CASE(RESOLVE), request));
	}
	if (draw(3) == 0) fetch_all();
	if (draw(10) == 0) {
		write_sync("pd");
		write_sync("fd");
	}
	agency_events = w->events;
	w->events = homes_events;
}

/* --- the other home, and the relay ------------------------------------------------------------ */

static void control_home_acts(unsigned step) {
	/* its grants are named from a source of their own: the order of rows of one change is that of
	 * their names */
	uint64_t homes = w->random;
	w->random = control_random;
	struct world_clip c = {.start_ms = w->now.utc_ms - 300000, .duration_ms = 15000};
	if (step % 3 == 0) (void)world_clip(w, "dev-2", &c);
	if (step % 2 == 0) say("h2", "carol", step % 10 != 4);
	if (step % 17 == 16) retract_all("h2", "carol");
	control_random = w->random;
	w->random = homes;
}

static void relay_acts(void) {
	char ids[64][ROW_UUID_SIZE];
	size_t count = 0;
	const struct row *r = state_each(w->st, ROW_DELIVERY, NULL);
	for (; r && count < 64; r = state_each(w->st, ROW_DELIVERY, r)) {
		const struct row_delivery *d = (const struct row_delivery *)r;
		if (d->state == DLV_COPYING || d->state == DLV_PURGING)
			memcpy(ids[count++], d->id, ROW_UUID_SIZE);
	}
	for (size_t i = 0; i < count; i++) {
		const struct row_delivery *d = state_delivery(w->st, span_str(ids[i]));
		bool copied = d->state == DLV_COPYING;
		(void)world_report(w, "mover",
						   copied ? VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED
								  : VESTIBULE__V1__REPORT_KIND__REPORT_KIND_PURGED,
						   d, 1000);
		write_tells();
	}
}

/* --- one world -------------------------------------------------------------------------------- */

static void build(uint64_t seed) {
	w = world_new();
	script = seed * UINT64_C(0x9E3779B97F4A7C15) + 11;
	w->random_agency = seed + 77;
	request_count = 0;
	control_random = 4711;
	agency_events = UINT64_C(1) << 40;
	compose = compose_new(w->st, NULL, WORLD_RANDOM);
	assert_non_null(compose);
	world_add_home(w, "h2", "carol", "d2", "dev-2");
	(void)world_rules(w, "carol", "ask police\nask fire");
	assert_int_equal(world_put_agency(w, "pd", AGENCY_POLICE), REASON_OK);
	assert_int_equal(world_put_agency(w, "fd", AGENCY_FIRE), REASON_OK);
	static const struct {
		const char *name, *agency;
		enum cred_role role;
	} officers[] = {{"ines", "pd", ROLE_INVESTIGATOR}, {"ivan", "pd", ROLE_INVESTIGATOR},
					{"sam", "pd", ROLE_SUPERVISOR},    {"sue", "pd", ROLE_SUPERVISOR},
					{"eve", "pd", ROLE_EVIDENCE},      {"fsup", "fd", ROLE_SUPERVISOR}};
	for (size_t i = 0; i < sizeof(officers) / sizeof(officers[0]); i++)
		(void)world_put_credential(w, officers[i].name, CRED_OFFICER, officers[i].agency,
								   officers[i].role);
	world_put_relay(w, "r1", "mover");
	build_homes();
}

static void play(enum world_kind which, uint64_t seed) {
	kind = which;
	build(seed);
	for (unsigned step = 0; step < STEPS; step++) {
		home_clip();
		control_home_acts(step);
		agencies_act(step);
		pass(1000);
		home_answers();
		relay_acts();
		pass(INT64_C(60000) * draw(9));
		home_answers();
		if (draw(2)) to_tick();
		if (draw(25) == 0) pass(LIMIT_DAY_MS);
	}
	compose_free(compose);
	world_free(w);
}

/* Two clips are approved one after the other and announced at one tick: was the first approved the
 * first announced? */
static bool first_comes_first(uint64_t seed) {
	char clips[2][ROW_UUID_SIZE];
	kind = NO_CAMERA;
	build(seed);
	for (int i = 0; i < 2; i++) {
		struct world_clip c = {.start_ms = w->now.utc_ms - 600000 * (i + 1), .duration_ms = 9000};
		assert_int_equal(world_clip(w, "dev-2", &c), REASON_OK);
		memcpy(clips[i], w->id, ROW_UUID_SIZE);
	}
	struct world_submit request;
	world_submit_init(w, &request);
	assert_int_equal(world_submit(w, "ines", &request), REASON_OK);
	assert_int_equal(world_approve(w, "sam", w->id), REASON_OK);
	pass(1000);
	pass(1000);
	for (int i = 0; i < 2; i++) {
		struct row_ask ask;
		if (pending_ask("h2", &ask)) (void)world_yes(w, "carol", &ask, clips[i]);
		pass(1000);
	}
	to_tick();
	to_tick();
	relay_acts();
	buf_reset(&seen);
	to_tick();
	const struct row *r = state_child(w->st, ROW_NOTICE, 0, SPAN_LIT("pd"), NULL);
	const char *last = ""; /* the newest notice of a delivery */
	for (; r && !last[0]; r = state_child(w->st, ROW_NOTICE, 0, SPAN_LIT("pd"), r))
		last = ((const struct row_notice *)r)->delivery;
	const struct row_delivery *d = state_delivery(w->st, span_str(last));
	const struct row_grant *g = d ? state_grant(w->st, span_str(d->grant)) : NULL;
	assert_non_null(g);
	bool second_is_last = strcmp(g->clip, clips[1]) == 0;
	compose_free(compose);
	world_free(w);
	return second_is_last;
}

/* How often, of a thousand; about half if the order says nothing (I10). */
static unsigned order_permille(uint64_t seed) {
	unsigned n = 0;
	for (uint64_t i = 0; i < 1000; i++) n += first_comes_first(seed * 7919 + i * 31);
	return n;
}

static size_t compare(uint64_t seed, struct span first, struct span other, enum world_kind which) {
	size_t differing = first.len > other.len ? first.len - other.len : other.len - first.len;
	size_t shorter = first.len < other.len ? first.len : other.len, at = 0;
	for (size_t i = shorter; i > 0; i--) {
		if (first.ptr[i - 1] == other.ptr[i - 1]) continue;
		differing++;
		at = i - 1;
	}
	if (differing) {
		size_t from = at;
		while (from > 0 && first.ptr[from - 1] != '\n') from--;
		printf("script %llu, world '%s': differs from '%s' at byte %zu\n  %.100s\n  %.100s\n",
			   (unsigned long long)seed, world_names[which], world_names[0], at,
			   (const char *)first.ptr + from, (const char *)other.ptr + from);
	}
	return differing;
}

int main(int argc, char **argv) {
	unsigned long long scripts = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
	unsigned long long seed = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, bytes = 0;
	size_t differing = 0;
	struct buf first;
	if (!scripts) {
		(void)fprintf(stderr, "usage: worlds SCRIPTS SEED\n");
		return 64;
	}
	buf_init(&first, TRANSCRIPT_MAX);
	buf_init(&seen, TRANSCRIPT_MAX);
	for (uint64_t s = 0; s < scripts && differing == 0; s++) {
		for (int k = 0; k < WORLDS; k++) {
			buf_reset(&seen);
			play((enum world_kind)k, seed * 1000003 + s);
			assert_int_equal(buf_error(&seen), ERR_NONE);
			bytes += seen.len;
			if (k == 0) {
				buf_reset(&first);
				buf_span(&first, buf_view(&seen));
			} else {
				differing += compare(s, buf_view(&first), buf_view(&seen), (enum world_kind)k);
			}
		}
	}
	unsigned order = differing ? 500 : order_permille(seed);
	if (order < 400 || order > 600)
		printf("of 1000 pairs of clips %u were announced in the order of their answers\n", order);
	printf("%llu scripts, %llu bytes seen, %u permille in order\n", scripts, bytes, order);
	printf("worlds: %d worlds, %zu differing bytes\n", WORLDS, differing);
	return differing || order < 400 || order > 600 ? 1 : 0;
}
