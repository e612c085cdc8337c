/* What does not fit into one change waits: each part of a tick is given less and less room, and must say so,
 * leave nothing half done, and come to the same end when there is room again. What does not fit although it
 * was to fit is refused whole. */
#include "plugin/consent/ask.h"
#include "plugin/consent/clip.h"
#include "plugin/consent/delivery.h"
#include "plugin/consent/enrol.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/members.h"
#include "plugin/consent/operator.h"
#include "plugin/consent/request.h"
#include "plugin/consent/restored.h"
#include "plugin/consent/standing.h"
#include "plugin/consent/sweep.h"
#include "proto/geohash.h"
#include "tests/unit/consent/bare.h"

typedef bool part_fn(const struct step *s);

/* --- what there is to do, in twos, so that room may end between them -------------------------- */

static void prepare_ends(struct state *st) {
	rows_put(st, CLIP("53", "elm", "elm-door"));
	rows_put(st, GRANT("63", "40", "41", "53", GSTATE_APPROVED, NOW_MS));
}

/* Two that ran out, two whose giver is gone, and two that end within the month. */
static void prepare_standing(struct state *st) {
	int64_t year_ago = NOW_MS - 300 * DAY_MS, soon = NOW_MS + 20 * DAY_MS;
	rows_put(st,
			 STANDING("10", "elm", "cloud-co", "", GRANT_RING, GSTATE_ACTIVE, year_ago, NOW_MS));
	rows_put(st,
			 STANDING("11", "elm", "cloud-co", "", GRANT_MOTION, GSTATE_ACTIVE, year_ago, soon));
	rows_put(st, STANDING("12", "elm", "alarm-co", "", GRANT_CLIP, GSTATE_ACTIVE, year_ago, soon));
}

static void prepare_requests(struct state *st) {
	rows_put(st, REQUEST("42", "metro-pd", REQ_APPROVED));
	rows_put(st, REQUEST("43", "fire-9", REQ_APPROVED));
}

/* Two released grants of a request that ends while it is suspended. */
static void prepare_suspended(struct state *st) {
	struct row_request r;
	memcpy(&r, REQUEST("40", "metro-pd", REQ_SUSPENDED), sizeof(r));
	r.exp_ms = NOW_MS;
	rows_put(st, &r.row);
}

static void prepare_lapse(struct state *st) {
	rows_put(st, ASK("44", "40", "oak", ASK_PENDING)); /* as ask 41: offers nothing */
}

static void prepare_announce(struct state *st) {
	rows_put(st, CLIP("53", "elm", "elm-door"));
	rows_put(st, GRANT("63", "40", "41", "53", GSTATE_ACTIVE, NOW_MS + DAY_MS));
	rows_put(st, DELIVERY("70", "60", "40", DLV_STAGED));
	rows_put(st, DELIVERY("73", "63", "40", DLV_STAGED));
}

/* Two to release, and two that were approved once and ended in silence. */
static void prepare_release(struct state *st) {
	struct row_grant g;
	static const char *const clips[] = {UUID_OF("53"), UUID_OF("54"), UUID_OF("55"), UUID_OF("56")};
	rows_put(st, CLIP("53", "elm", "elm-door"));
	rows_put(st, CLIP("54", "elm", "elm-door"));
	for (int i = 0; i < 4; i++) {
		memcpy(&g, GRANT("63", "40", "41", "53", GSTATE_APPROVED, NOW_MS + DAY_MS), sizeof(g));
		g.id[ROW_UUID_SIZE - 2] = (char)('3' + i);
		memcpy(g.clip, clips[i], sizeof(g.clip));
		if (i >= 2) g.state = GSTATE_REFUSED;
		g.release_ms = NOW_MS - 1;
		rows_put(st, &g.row);
	}
}

static const struct row_request *asking(void) {
	static struct row_request r;
	memcpy(&r, REQUEST("45", "metro-pd", REQ_OPEN), sizeof(r));
	r.lat_e7 = 520000000;
	r.lon_e7 = 130000000;
	r.from_ms = NOW_MS - DAY_MS - 10 * MINUTE_MS;
	return &r;
}

/* Two homes to be asked, and two asks that get a clip more. */
static void prepare_asking(struct state *st) {
	static const char *const homes[] = {"ash", "box", "elm", "oak"};
	rows_put(st, &asking()->row);
	for (size_t i = 0; i < COUNT(homes); i++) {
		struct row_home h = {.row.kind = ROW_HOME};
		struct row_device d = {
			.row.kind = ROW_DEVICE, .cell = "u33d1h2c", .claimed_ms = 1}; /* set below */
		struct row_rules r = {.row.kind = ROW_RULES, .text = "ask police"};
		struct row_credential c = {
			.row.kind = ROW_CREDENTIAL, .kind = CRED_MEMBER, .role = ROLE_ADULT};
		struct row_clip clip;
		memcpy(&clip, CLIP("30", "elm", "elm-door"), sizeof(clip));
		(void)span_copy(span_str(homes[i]), h.id, sizeof(h.id));
		(void)snprintf(d.id, sizeof(d.id), "%.9s-cam", h.id);
		(void)span_copy(span_str(homes[i]), d.home, sizeof(d.home));
		(void)snprintf(c.username, sizeof(c.username), "%.9s-adult", h.id);
		memcpy(c.subject, d.home, sizeof(c.subject));
		memcpy(r.username, c.username, sizeof(r.username));
		memcpy(r.home, d.home, sizeof(r.home));
		clip.id[ROW_UUID_SIZE - 2] = (char)('0' + i);
		memcpy(clip.device, d.id, sizeof(clip.device));
		memcpy(clip.home, d.home, sizeof(clip.home));
		clip.start_ms = NOW_MS - DAY_MS;
		clip.synced = 1;
		h.unsealed_ok = 1;
		rows_put(st, &h.row);
		assert_int_equal(geohash_encode(52.0, 13.0, GEOHASH_DEVICE, d.cell), ERR_NONE);
		rows_put(st, &d.row);
		rows_put(st, &c.row);
		rows_put(st, &r.row);
		rows_put(st, &clip.row);
	}
	/* mute alerts says nothing of asks, but a line above it does */
	rows_put(st, RULES("ben", "elm", "mute alerts\n"));
	rows_put(st, ASK("46", "45", "elm", ASK_PENDING));
	rows_put(st, ASK("47", "45", "oak", ASK_PENDING));
}

/* Two homes that everybody left, each with two devices. */
static void prepare_empty_homes(struct state *st) {
	static const char *const homes[] = {"ash", "box"};
	for (int i = 0; i < 4; i++) {
		struct row_home h = {.row.kind = ROW_HOME};
		struct row_device d = {.row.kind = ROW_DEVICE, .claimed_ms = 1};
		struct row_receipt r = {.row.kind = ROW_RECEIPT, .kind = RECEIPT(MEMBER_ADDED)};
		(void)span_copy(span_str(homes[i / 2]), h.id, sizeof(h.id));
		(void)snprintf(d.id, sizeof(d.id), "%s-cam-%d", homes[i / 2], i);
		memcpy(d.home, h.id, sizeof(d.home));
		memcpy(r.home, h.id, sizeof(r.home));
		bare_uuid(r.id, 20 + (unsigned)i);
		rows_put(st, &h.row);
		rows_put(st, &d.row);
		rows_put(st, &r.row);
	}
}

static void prepare_retired(struct state *st) {
	rows_put(st, ROW(ROW_AGENCY, agency, .id = "metro-pd", .kind = AGENCY_POLICE, .retired = 1));
	rows_put(st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co", .retired = 1));
	rows_put(st, ROW(ROW_TOKEN, token, .id = "inv-1/0", .username = "inv-1", .sha256 = HASH64));
	rows_put(st, TOPIC("alarm-4", "garden/#", APP_READ));
}

/* A retired device with two clips, one of them offered twice. */
static void prepare_catalogue(struct state *st) {
	struct row_clip c;
	static const char *const ids[] = {UUID_OF("53"), UUID_OF("54")};
	for (size_t i = 0; i < COUNT(ids); i++) {
		memcpy(&c, CLIP("53", "elm", "elm-gone"), sizeof(c));
		memcpy(c.id, ids[i], sizeof(c.id));
		rows_put(st, &c.row);
	}
	rows_put(st, ASK("44", "40", "oak", ASK_PENDING));
	rows_put(st, OFFER("41", "53"));
	rows_put(st, OFFER("44", "53"));
}

/* Two of each that are old enough to be forgotten. */
static void prepare_old(struct state *st) {
	struct row_request r;
	struct row_clip c;
	memcpy(&r, REQUEST("45", "metro-pd", REQ_EXPIRED), sizeof(r));
	r.closed_ms = NOW_MS - LIMIT_REFUSAL_MS;
	memcpy(&c, CLIP("55", "oak", "oak-door"), sizeof(c));
	c.arrived_ms = NOW_MS - LIMIT_CLIP_KEPT_MS;
	rows_put(st, &r.row);
	rows_put(st, &c.row);
	memcpy(c.id, UUID_OF("56"), sizeof(c.id));
	rows_put(st, &c.row);
	rows_put(st, ROW(ROW_SEEN, seen, .id = "ann/" UUID_OF("91"), .username = "ann",
					 .digest = HASH64, .at_ms = NOW_MS - LIMIT_SEEN_MS));
	rows_put(st, ROW(ROW_SEEN, seen, .id = "ann/" UUID_OF("92"), .username = "ann",
					 .digest = HASH64, .at_ms = 1));
	rows_put(st, ASK("46", "45", "elm", ASK_LAPSED));
	rows_put(st, ASK("47", "45", "oak", ASK_DECIDED));
	rows_put(st, OFFER("46", "50"));
	rows_put(st, OFFER("46", "51"));
	rows_put(st, OFFER("47", "55"));
	for (int i = 0; i < 2; i++) {
		struct row_grant g;
		memcpy(&g, GRANT("65", "45", "46", "50", GSTATE_REFUSED, NOW_MS), sizeof(g));
		g.nbf_ms = 0;
		g.id[ROW_UUID_SIZE - 2] = (char)('5' + i);
		memcpy(g.clip, i ? UUID_OF("51") : UUID_OF("50"), sizeof(g.clip));
		rows_put(st, &g.row);
	}
}

/* Nothing is live: only the restore itself is to be remembered. */
static void prepare_restored(struct state *st) {
	struct row_standing g;
	struct row_grant c;
	const struct row *r;
	while (state_standing_count(st)) {
		memcpy(&g, state_standing_nth(st, 0), sizeof(g));
		g.state = GSTATE_REVOKED;
		rows_put(st, &g.row);
	}
	for (r = state_each(st, ROW_GRANT, NULL); r; r = state_each(st, ROW_GRANT, r)) {
		memcpy(&c, r, sizeof(c));
		c.state = GSTATE_REVOKED;
		rows_put(st, &c.row);
		r = state_get(st, ROW_GRANT, row_key(&c.row)); /* it kept its place */
	}
}

/* An ask that offers nothing any more. */
static void prepare_old_ask(struct state *st) {
	struct row_request r;
	memcpy(&r, REQUEST("45", "metro-pd", REQ_EXPIRED), sizeof(r));
	r.closed_ms = NOW_MS - LIMIT_REFUSAL_MS;
	rows_put(st, &r.row);
	rows_put(st, ASK("46", "45", "elm", ASK_LAPSED));
}

static const struct {
	const char *name;
	part_fn *part;
	void (*prepare)(struct state *st);
} parts[] = {
	{"grants end", grant_tick_ends, prepare_ends},
	{"standing grants end and warn", standing_tick, prepare_standing},
	{"requests open", request_tick, prepare_requests},
	{"a suspended request ends", request_tick, prepare_suspended},
	{"asks lapse", ask_tick_lapse, prepare_lapse},
	{"deliveries are announced", delivery_tick, prepare_announce},
	{"grants are released", grant_tick_release, prepare_release},
	{"homes are asked", ask_tick_make, prepare_asking},
	{"homes end", members_tick, prepare_empty_homes},
	{"credentials of the retired end", operator_tick, prepare_retired},
	{"catalogues of the retired end", enrol_tick, prepare_catalogue},
	{"what is old is forgotten", sweep_tick, prepare_old},
	{"all ends after a restore", restored_end_all, prepare_standing},
	{"a restore is remembered", restored_end_all, prepare_restored},
	{"an old ask is forgotten", sweep_tick, prepare_old_ask},
};

/* --- the claims ------------------------------------------------------------------------------- */

static struct bare *prepared(void (*prepare)(struct state *st)) {
	struct state *st = world_new();
	state_committed(st, state_seq(st));
	prepare(st);
	return bare_over(st);
}

/* As the engine does: again and again while a change comes out. Rows of each kind that are there at last,
 * but for the marks of the crowd. */
static void finish(struct bare *b, part_fn *part, size_t counts[ROW_KINDS]) {
	bool done = false;
	for (int i = 0; !done; i++) {
		assert_true(i < 100);
		done = part(bare_step(b, ""));
		assert_false(effects_overflowed(&b->fx));
		bare_apply(b);
	}
	for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++)
		counts[kind] = state_count(b->st, (enum row_kind)kind);
}

static void each_part_waits_for_room_and_comes_to_the_same_end(void **unused) {
	(void)unused;
	for (size_t p = 0; p < COUNT(parts); p++) {
		size_t plain[ROW_KINDS], crowded[ROW_KINDS];
		struct bare *b = prepared(parts[p].prepare);
		assert_true(parts[p].part(bare_step(b, "")));
		size_t all = b->fx.change.count;
		if (all == 0) fail_msg("%s: nothing to do", parts[p].name);
		finish(b, parts[p].part, plain);
		bare_free(b);
		bool done = false;
		for (size_t left = 0; !done; left++) {
			if (left >= CHANGE_OPS_MAX) fail_msg("%s never fits", parts[p].name);
			b = prepared(parts[p].prepare);
			(void)bare_step(b, "");
			bare_crowd(b, left);
			size_t marks = b->fx.change.count;
			done = parts[p].part(&b->s);
			if (effects_overflowed(&b->fx)) fail_msg("%s overflows at %zu", parts[p].name, left);
			if (!done && left < all && b->fx.change.count - marks >= all)
				fail_msg("%s: all of it, and still not done", parts[p].name);
			bare_apply(b);
			finish(b, parts[p].part, crowded);
			for (int kind = ROW_NONE + 1; kind < ROW_KINDS; kind++) {
				size_t more = kind == ROW_META ? marks : 0;
				if (crowded[kind] != plain[kind] + more)
					fail_msg("%s with room for %zu: %s", parts[p].name, left,
							 row_desc((enum row_kind)kind)->name);
			}
			bare_free(b);
		}
	}
}

/* Room is operations, tells, kicks and bytes: whichever ends first. */
static void there_is_no_room_when_any_of_it_is_spent(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	const struct step *s = &b->s;
	assert_true(effects_room(&b->fx, CHANGE_OPS_MAX, EFFECTS_TELLS_MAX));
	assert_false(effects_room(&b->fx, CHANGE_OPS_MAX + 1, 0));
	assert_false(effects_room(&b->fx, 0, EFFECTS_TELLS_MAX + 1));
	for (int i = 0; i < EFFECTS_TELLS_MAX; i++) (void)effects_tell(s, TELL_ACK, "");
	assert_true(effects_room(&b->fx, 1, 0));
	assert_false(effects_room(&b->fx, 1, 1));
	(void)bare_step(b, "");
	for (int i = 0; i < EFFECTS_KICKS_MAX - 1; i++) effects_kick_user(s, "ann");
	assert_false(effects_room(&b->fx, 1, 1));
	(void)bare_step(b, "");
	assert_non_null(effects_bytes(s, EFFECTS_BYTES / 16 * 15));
	assert_false(effects_room(&b->fx, 1, 1));
	bare_free(b);
}

/* What overflows is found out: the row or tell that is handed out is one to write into, and none that
 * counts. */
static void what_overflows_counts_for_nothing(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	const struct step *s = &b->s;
	bare_crowd(b, 0);
	struct row_receipt *r = effects_new(s, ROW_RECEIPT);
	assert_non_null(r);
	memset(r->member, 'x', sizeof(r->member));
	assert_true(effects_overflowed(&b->fx));
	assert_int_equal(b->fx.change.count, CHANGE_OPS_MAX);
	assert_null(effects_bytes(s, 1));
	assert_false(effects_room(&b->fx, 0, 0));
	struct row_credential *c = effects_alter(s, state_credential(b->st, SPAN_LIT("ann")));
	assert_int_equal(c->username[0], '\0'); /* no copy */
	(void)bare_step(b, "");
	assert_null(effects_bytes(s, 0));
	assert_false(effects_overflowed(&b->fx));
	assert_null(effects_bytes(s, EFFECTS_BYTES));
	assert_true(effects_overflowed(&b->fx));
	(void)bare_step(b, "");
	for (int i = 0; i < EFFECTS_TELLS_MAX; i++) (void)effects_tell(s, TELL_ACK, "");
	assert_false(effects_overflowed(&b->fx));
	assert_non_null(effects_tell(s, TELL_ACK, ""));
	assert_true(effects_overflowed(&b->fx));
	assert_int_equal(b->fx.tell_count, EFFECTS_TELLS_MAX);
	(void)bare_step(b, "");
	for (int i = 0; i < EFFECTS_KICKS_MAX; i++) effects_kick_grant(s, UUID_OF("01"));
	assert_false(effects_overflowed(&b->fx));
	effects_kick_grant(s, UUID_OF("01"));
	assert_true(effects_overflowed(&b->fx));
	assert_int_equal(b->fx.kick_count, EFFECTS_KICKS_MAX);
	bare_free(b);
}

/* --- what a change says of itself ------------------------------------------------------------- */

static void the_last_word_of_a_change_on_a_row_counts(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	const struct step *s = &b->s;
	const struct row_home *elm = state_home(b->st, SPAN_LIT("elm"));
	assert_ptr_equal(effects_latest(s, ROW_HOME, SPAN_LIT("elm")), elm);
	struct row_home *n = effects_alter(s, elm);
	assert_ptr_equal(effects_alter(s, elm), n);
	assert_ptr_equal(effects_latest(s, ROW_HOME, SPAN_LIT("elm")), n);
	effects_del(s, elm);
	assert_null(effects_latest(s, ROW_HOME, SPAN_LIT("elm")));
	struct row_home *again = effects_alter(s, elm);
	assert_ptr_not_equal(again, n);
	assert_ptr_equal(effects_latest(s, ROW_HOME, SPAN_LIT("elm")), again);
	assert_int_equal(b->fx.change.count, 3);
	bare_free(b);
}

static void stuck(void *ctx, uint8_t *out, size_t len) {
	(*(size_t *)ctx)++;
	memset(out, 0xff, len);
}

static void a_source_that_is_stuck_holds_nobody(void **unused) {
	(void)unused;
	size_t draws = 0;
	struct bare *b = bare_new();
	b->s.rnd = (struct consent_random){.fill = stuck, .ctx = &draws, .fill_agency = stuck};
	assert_true(effects_below(&b->s, 3) < 3);
	assert_int_equal(draws, 64);
	bare_free(b);
}

static void an_id_is_sixteen_bytes_that_are_there(void **unused) {
	(void)unused;
	uint8_t bytes[UUID_BYTES] = {0};
	char text[UUID_TEXT_SIZE] = "x";
	assert_false(effects_uuid_of((ProtobufCBinaryData){.len = 15, .data = bytes}, text));
	assert_false(effects_uuid_of((ProtobufCBinaryData){.len = 16, .data = NULL}, text));
	assert_string_equal(text, "");
	assert_true(effects_uuid_of((ProtobufCBinaryData){.len = 16, .data = bytes}, text));
	assert_string_equal(text, "00000000-0000-0000-0000-000000000000");
}

static void an_answer_names_the_command_that_it_answers_if_it_has_a_name(void **unused) {
	(void)unused;
	struct bare *b = bare_new();
	assert_true(effects_answer(&b->s, NOTICE(RECORDED), "metro-pd")->in_reply_to[0] != '\0');
	b->cmd.event_id = (struct span){NULL, 0};
	assert_string_equal(effects_answer(&b->s, NOTICE(RECORDED), "metro-pd")->in_reply_to, "");
	bare_free(b);
}

/* What was written to the state by nobody's command: a delivery with a hundred jobs, and sixty grants that
 * let the same be read. Their ends do not fit into any change. */
static void prepare_too_much(struct state *st) {
	for (int i = 0; i < 100; i++) {
		struct row_job j;
		struct row_standing g;
		memcpy(&j, JOB("80", "mover", "72", JOB_CANCEL), sizeof(j));
		bare_uuid(j.id, 1000 + (unsigned)i);
		rows_put(st, &j.row);
		if (i >= 60) continue;
		memcpy(&g, STANDING("20", "elm", "alarm-co", "", GRANT_CLIP, GSTATE_ACTIVE, 1, NOW_MS + 5),
			   sizeof(g));
		bare_uuid(g.id, 2000 + (unsigned)i);
		rows_put(st, &g.row);
	}
}

static void a_change_that_cannot_fit_is_refused_whole(void **unused) {
	(void)unused;
	struct bare *b = prepared(prepare_too_much);
	uint8_t id[UUID_BYTES];
	Vestibule__V1__HomeCommand m = VESTIBULE__V1__HOME_COMMAND__INIT;
	Vestibule__V1__Retract retract = VESTIBULE__V1__RETRACT__INIT;
	assert_int_equal(uuid_parse(SPAN_LIT("00000000-0000-7000-8000-000000002007"), id), ERR_NONE);
	retract.grant_id = (ProtobufCBinaryData){.len = UUID_BYTES, .data = id};
	m.what_case = VESTIBULE__V1__HOME_COMMAND__WHAT_RETRACT;
	m.retract = &retract;
	assert_int_equal(bare_command(b, COMMAND_HOME, "ann", &m), REASON_BUSY);
	assert_int_equal(b->fx.change.count, 0);
	assert_int_equal(bare_command(b, COMMAND_TICK, "", NULL), REASON_BUSY);
	assert_int_equal(b->fx.change.count, 0);
	assert_false(b->fx.more);
	int rounds = 0;
	while (bare_command(b, COMMAND_RESTORED, "", NULL) ==
		   REASON_OK) { /* standing grants end first */
		assert_true(b->fx.more);
		assert_true(rounds++ < 10);
		bare_apply(b);
	}
	assert_true(rounds > 1);
	assert_int_equal(b->fx.reason, REASON_BUSY);
	assert_int_equal(b->fx.change.count, 0);
	bare_free(b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_waits_for_room_and_comes_to_the_same_end),
		cmocka_unit_test(there_is_no_room_when_any_of_it_is_spent),
		cmocka_unit_test(what_overflows_counts_for_nothing),
		cmocka_unit_test(a_change_that_cannot_fit_is_refused_whole),
		cmocka_unit_test(the_last_word_of_a_change_on_a_row_counts),
		cmocka_unit_test(a_source_that_is_stuck_holds_nobody),
		cmocka_unit_test(an_id_is_sixteen_bytes_that_are_there),
		cmocka_unit_test(an_answer_names_the_command_that_it_answers_if_it_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
