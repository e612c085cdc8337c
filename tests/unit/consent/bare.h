/* A step of the consent engine made by hand, over the rows of tests/unit/policy/rows.h: for what commands and
 * time alone do not bring about, such as a change without room or a row that was damaged in memory. Stories
 * are told with world.h. The moment is NOW_MS, a release tick. */
#ifndef TESTS_CONSENT_BARE_H
#define TESTS_CONSENT_BARE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/consent/effects.h"
#include "plugin/consent/limits.h"
#include "tests/unit/policy/rows.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define KEY_ID     "0102030405060708"
#define RECIPIENT  "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define RECEIPT(k) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##k
#define NOTICE(k)  VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_##k
#define REPORT(k)  VESTIBULE__V1__REPORT_KIND__REPORT_KIND_##k

/* A row of the state, to be damaged: only a test may. */
#define DAMAGED(name, row) ((struct row_##name *)(uintptr_t)(row))

/* Does statement with other bytes in field, and puts the sound ones back. value: a pointer. */
#define WITH(field, value, statement)             \
	do {                                          \
		unsigned char sound_[sizeof(field)];      \
		memcpy(sound_, &(field), sizeof(field));  \
		memcpy(&(field), (value), sizeof(field)); \
		statement;                                \
		memcpy(&(field), sound_, sizeof(field));  \
	} while (0)
#define NUMBER(n) (&(int64_t){n})
#define NOBODY    ((char[ROW_ID_SIZE]){"nobody"})
#define NOTHING   ((char[ROW_UUID_SIZE]){UUID_OF("99")})

struct bare {
	struct state *st;
	struct consent_opts opts;
	struct command cmd;
	uint64_t random;
	struct effects fx;
	struct step s;
};

static inline void bare_fill(void *ctx, uint8_t *out, size_t len) {
	struct bare *b = ctx;
	for (size_t i = 0; i < len; i++) {
		b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		out[i] = (uint8_t)(b->random >> 33);
	}
}

/* An empty change, for the credential of that name, or for a tick ("" or unknown). */
static inline const struct step *bare_step(struct bare *b, const char *username) {
	static const uint8_t event[UUID_BYTES] = {[0] = 1, [6] = 0x70, [8] = 0x80};
	effects_clear(&b->fx);
	b->cmd = (struct command){.event_id = span_of(event, sizeof(event))};
	memset(b->cmd.digest, 'd', 64);
	b->s = (struct step){.st = b->st,
						 .opts = &b->opts,
						 .cmd = &b->cmd,
						 .who = state_credential(b->st, span_str(username)),
						 .now = {.utc_ms = NOW_MS, .boot_ms = 5000, .sound = true},
						 .rnd = {.fill = bare_fill, .ctx = b},
						 .fx = &b->fx};
	return &b->s;
}

/* The same engine over st, which is freed with it. */
static inline struct bare *bare_over(struct state *st) {
	struct bare *b = calloc(1, sizeof(*b));
	assert_non_null(b);
	b->st = st;
	b->opts =
		(struct consent_opts){.agencies = true, .demo = true, .tick_ms = 900000, .hold_ticks = 1};
	b->random = 7;
	(void)bare_step(b, "");
	return b;
}

static inline struct bare *bare_new(void) {
	return bare_over(world_new());
}

static inline void bare_free(struct bare *b) {
	state_free(b->st);
	free(b);
}

/* The change of the step into the state, durable at once; what it is must be taken. */
static inline void bare_apply(struct bare *b) {
	static const char *bad;
	if (b->fx.change.count == 0) return;
	b->fx.change.seq = state_seq(b->st) + 1;
	if (state_apply(b->st, &b->fx.change, &bad) != ERR_NONE) fail_msg("%s", bad);
	state_committed(b->st, state_seq(b->st));
}

/* One command through the one entry. msg: NULL for what has none. */
static inline enum reason bare_command(struct bare *b, enum command_kind kind, const char *who,
									   const void *msg) {
	(void)bare_step(b, who);
	b->cmd.kind = kind;
	b->cmd.who = b->s.who;
	b->cmd.msg = msg;
	consent_step(b->st, &b->opts, &b->cmd, b->s.now, b->s.rnd, &b->fx);
	return b->fx.reason;
}

/* The UUID that ends in the decimal digits of n. */
static inline void bare_uuid(char id[ROW_UUID_SIZE], unsigned n) {
	memcpy(id, UUID_OF("00"), ROW_UUID_SIZE);
	for (size_t i = ROW_UUID_SIZE - 2; n; i--, n /= 10) id[i] = (char)('0' + n % 10);
}

/* So much into the change that only `left` operations fit. */
static inline void bare_crowd(struct bare *b, size_t left) {
	while (b->fx.change.count + left < CHANGE_OPS_MAX) {
		struct row_meta *m = effects_new(&b->s, ROW_META);
		(void)snprintf(m->name, sizeof(m->name), "crowd/%zu", b->fx.change.count); /* fits */
	}
}

static inline size_t bare_puts(const struct bare *b, enum row_kind kind) {
	size_t n = 0;
	for (size_t i = 0; i < b->fx.change.count; i++) n += b->fx.change.ops[i].row->kind == kind;
	return n;
}

/* --- rows that rows.h has not ----------------------------------------------------------------- */

#define ASK(NN, REQ, HOME_ID, STATE)                                                               \
	ROW(ROW_ASK, ask, .id = UUID_OF(NN), .request = UUID_OF(REQ), .home = HOME_ID, .state = STATE, \
		.revision = 1, .made_ms = NOW_MS - DAY_MS, .exp_ms = NOW_MS + DAY_MS)
#define OFFER(ASK_NN, CLIP_NN)                                              \
	ROW(ROW_ASK_CLIP, ask_clip, .id = UUID_OF(ASK_NN) "/" UUID_OF(CLIP_NN), \
		.ask = UUID_OF(ASK_NN), .clip = UUID_OF(CLIP_NN), .revision = 1)
#define RULES(USER, HOME_ID, TEXT) \
	ROW(ROW_RULES, rules, .username = USER, .home = HOME_ID, .text = TEXT)

#endif
