/* Is what was acknowledged there after every death, and nothing that was not committed (I3, I6, I7)?
 * durability ROUNDS SEED. In each round a child plays commands on a real engine over a real SQLite
 * file (play.c) and dies at a step of the store's write path (lib/failpoint.h), or by kill
 * -9 at a random moment; the parent then opens the store again and compares it with what the child
 * had said before it let anybody know. One store lives through ROUNDS_A_STORE deaths. Closing line:
 * `durability: R rounds, L lost, K leaked`; exit status 0 only if both are 0 and nothing else was
 * wrong. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "plugin/store/settle.h"
#include "tests/durability/play.h"
#include "tests/durability/said.h"

enum {
	ROUNDS_A_STORE = 8,
	LANES = 2,
	THINGS = 4096,
	ALL_POINTS_BY = 500,
	HANGS_MS = 60000,
	KILL_MS = 60
};

static const struct point {
	const char *name;
	uint32_t most; /* the n-th pass, drawn from 1 to this */
	bool may_fail; /* also with :error */
} points[] = {
	{"store-begin", 25, true},      {"store-op", 120, true},      {"store-commit", 25, true},
	{"store-committed", 25, false}, {"store-erased", 8, false},   {"store-mark", 5, true},
	{"store-marked", 5, false},     {"worker-report", 25, false}, {"worker-dead", 10, true},
	{"run-announced", 1, false},    {"run-begun", 1, false},
};
enum { POINTS = sizeof(points) / sizeof(points[0]), DIED_AT_POINT = 137 };

struct sum {
	uint32_t rounds, lost, leaked, wrong, killed;
	uint32_t given, ended, claimed, live; /* told, and seen to allow */
	uint32_t hits[POINTS];
};

/* What is known of a grant or a claim. */
struct thing {
	char id[ROW_ID_SIZE];
	bool given, live, may_end, ended; /* as said.h */
	bool gone;                        /* it had ended when the store was looked at before */
};

static struct lane {
	uint64_t seed, draws;
	uint32_t round;
	uint64_t store_round;
	char folder[64], path[96];
	struct thing grants[THINGS], claims[THINGS];
	size_t grant_count, claim_count;
	uint32_t unnamed; /* gives that were begun and never got a name */
	struct sum sum;
} lane;

static uint64_t draw(void) {
	lane.draws ^= lane.draws << 13;
	lane.draws ^= lane.draws >> 7;
	lane.draws ^= lane.draws << 17;
	return lane.draws >> 11;
}

static void blame(uint32_t *count, const char *what, const char *id) {
	(*count)++;
	printf("%s: %s: %s (seed %llu, round %u)\n",
		   count == &lane.sum.lost     ? "lost"
		   : count == &lane.sum.leaked ? "leaked"
									   : "wrong",
		   what, id, (unsigned long long)lane.seed, lane.round);
}

/* --- what the child said ------------------------------------------------------------------------ */

static struct thing *thing(struct thing *all, size_t *count, const char *id) {
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(all[i].id, id) == 0) return &all[i];
	}
	if (*count == THINGS) abort();
	all[*count] = (struct thing){.given = false};
	(void)span_copy(span_str(id), all[*count].id, ROW_ID_SIZE); /* same size */
	return &all[(*count)++];
}

static struct thing *grant(const char *id) {
	return thing(lane.grants, &lane.grant_count, id);
}

static struct thing *claim(const char *id) {
	return thing(lane.claims, &lane.claim_count, id);
}

static void take(const struct said *s) {
	switch ((enum said_what)s->what) {
	case SAID_MAY_GIVE: lane.unnamed++; return;
	case SAID_GAVE:
		lane.unnamed--;
		if (s->id[0]) (void)grant(s->id);
		return;
	case SAID_GIVEN:
		grant(s->id)->given = true;
		lane.sum.given++;
		return;
	case SAID_LIVE:
		if (grant(s->id)->ended) blame(&lane.sum.leaked, "allows after its end was told", s->id);
		lane.sum.live += !grant(s->id)->live;
		grant(s->id)->live = true;
		return;
	case SAID_MAY_END: grant(s->id)->may_end = true; return;
	case SAID_ENDED:
		grant(s->id)->ended = true;
		lane.sum.ended++;
		return;
	case SAID_MAY_CLAIM: (void)claim(s->id); return;
	case SAID_CLAIMED:
		claim(s->id)->given = true;
		lane.sum.claimed++;
		return;
	case SAID_USED: claim(s->id)->live = true; return;
	default: blame(&lane.sum.wrong, s->id, "the child"); return;
	}
}

/* --- what the store says ------------------------------------------------------------------------ */

static void compare_grant(struct thing *t, int64_t state) {
	bool is_live = state == GSTATE_APPROVED || state == GSTATE_ACTIVE;
	if (t->ended && is_live)
		blame(&lane.sum.lost, "an end that was told is not in the store", t->id);
	if (t->ended && state == GSTATE_NONE)
		blame(&lane.sum.lost, "what ended is not in the store at all", t->id);
	if (t->given && state == GSTATE_NONE)
		blame(&lane.sum.lost, "a yes that was told is not in the store", t->id);
	if (t->live && (state == GSTATE_NONE || state == GSTATE_APPROVED))
		blame(&lane.sum.leaked, "it allowed, and was never committed", t->id);
	if (t->gone && is_live) blame(&lane.sum.leaked, "an ended grant lives again (I7)", t->id);
	if ((t->given || t->live) && !t->may_end && !is_live && state != GSTATE_NONE)
		blame(&lane.sum.lost, "it ended, and nobody ended it", t->id);
	t->gone |= !is_live && state != GSTATE_NONE;
}

static int64_t state_in(const struct state *st, const char *id) {
	const struct row_standing *s = state_standing(st, span_str(id));
	const struct row_grant *g = state_grant(st, span_str(id));
	return s ? s->state : g ? g->state : GSTATE_NONE;
}

/* A row that was never named came of the one command under way at the death, or of a no. */
static void adopt(const char *id, int64_t state) {
	for (size_t i = 0; i < lane.grant_count; i++) {
		if (strcmp(lane.grants[i].id, id) == 0) return;
	}
	(void)grant(id);
	if (state != GSTATE_APPROVED && state != GSTATE_ACTIVE) return;
	if (lane.unnamed == 0)
		blame(&lane.sum.leaked, "a grant that nobody gave", id);
	else
		lane.unnamed--;
}

static bool has_purge(const struct state *st, const char *delivery) {
	const struct row *r = state_child(st, ROW_JOB, 1, span_str(delivery), NULL);
	for (; r; r = state_child(st, ROW_JOB, 1, span_str(delivery), r)) {
		if (((const struct row_job *)r)->kind == JOB_PURGE) return true;
	}
	return false;
}

/* An ended clip grant keeps no header, and its copy goes. */
static void check_ended(const struct state *st, const struct row_grant *g) {
	if (g->state == GSTATE_APPROVED || g->state == GSTATE_ACTIVE) return;
	if (g->header.len > 0) blame(&lane.sum.leaked, "an ended grant keeps its header", g->id);
	const struct row *r = state_child(st, ROW_DELIVERY, 0, span_str(g->id), NULL);
	for (; r; r = state_child(st, ROW_DELIVERY, 0, span_str(g->id), r)) {
		const struct row_delivery *d = (const struct row_delivery *)r;
		bool goes = d->state == DLV_PURGED || d->state == DLV_VOID ||
					(d->state == DLV_PURGING && has_purge(st, d->id));
		if (!goes) blame(&lane.sum.leaked, "the copy of an ended grant stays", g->id);
	}
}

static void compare(const struct state *st) {
	const struct row *r = state_each(st, ROW_STANDING, NULL);
	for (; r; r = state_each(st, ROW_STANDING, r)) {
		const struct row_standing *g = (const struct row_standing *)r;
		adopt(g->id, g->state);
	}
	for (r = state_each(st, ROW_GRANT, NULL); r; r = state_each(st, ROW_GRANT, r)) {
		const struct row_grant *g = (const struct row_grant *)r;
		adopt(g->id, g->state);
		check_ended(st, g);
	}
	for (size_t i = 0; i < lane.grant_count; i++)
		compare_grant(&lane.grants[i], state_in(st, lane.grants[i].id));
	for (size_t i = 0; i < lane.claim_count; i++) {
		const struct thing *t = &lane.claims[i];
		const struct row_device *d = state_device(st, span_str(t->id));
		bool claimed = d && d->claimed_ms != 0;
		if (t->given && !claimed) blame(&lane.sum.lost, "a claim that was told", t->id);
		if (t->live && !claimed)
			blame(&lane.sum.leaked, "used before its claim was committed", t->id);
	}
	lane.unnamed = 0;
}

static void judge(void) {
	char why[STORE_WHY_SIZE] = "";
	struct store *s = NULL;
	uint64_t seq = 0;
	if (store_sqlite_open(lane.path, &s, why) != ERR_NONE) {
		blame(&lane.sum.wrong, "the store does not open", why);
		return;
	}
	if (s->restored) blame(&lane.sum.wrong, "a crash was taken for a restore", s->restored);
	struct state *st = state_new(lane.seed, 1);
	if (!st || settle_load(s, st, &seq, why) != ERR_NONE)
		blame(&lane.sum.wrong, "the store does not load", why);
	else
		compare(st);
	state_free(st);
	s->ops->close(s);
}

/* --- a round ------------------------------------------------------------------------------------ */

/* The failpoint of this round; POINTS: none, it is killed. */
static size_t choose(char fail[64]) {
	size_t n = lane.round % (POINTS + 3);
	if (n >= POINTS) return POINTS;
	const struct point *p = &points[n];
	bool error = p->may_fail && draw() % 3 == 0;
	(void)snprintf(fail, 64, "%s:%u%s", p->name, 1 + (uint32_t)(draw() % p->most),
				   error ? ":error" : "");
	return n;
}

/* Reads what the child says until it is gone; kills it after so many milliseconds. */
static void listen(int fd, pid_t child, int64_t kill_ms) {
	int64_t until = clock_read().boot_ms + kill_ms;
	struct said s;
	for (;;) {
		int64_t left = until - clock_read().boot_ms;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n == 0) {
			(void)kill(child, SIGKILL); /* gone already is fine */
			until += HANGS_MS;
			if (kill_ms == HANGS_MS) blame(&lane.sum.wrong, "the child hangs", lane.path);
			continue;
		}
		if (n < 0 || read(fd, &s, sizeof(s)) != (ssize_t)sizeof(s)) return;
		take(&s);
	}
}

static void end_round(size_t point, int status) {
	bool at_point = WIFEXITED(status) && WEXITSTATUS(status) == DIED_AT_POINT;
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (at_point && point < POINTS)
		lane.sum.hits[point]++;
	else if (killed)
		lane.sum.killed++;
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		blame(&lane.sum.wrong, "the child ended of itself", lane.path);
}

static void play_round(void) {
	char fail[64] = "";
	int ends[2], status = 0;
	size_t point = choose(fail);
	uint64_t seed = draw();
	if (pipe(ends) != 0) abort();
	(void)fflush(stdout); /* not twice */
	pid_t child = fork();
	if (child < 0) abort();
	if (child == 0) {
		(void)close(ends[0]);
		if (fail[0] && setenv("VESTIBULE_FAIL", fail, 1) != 0) _exit(5);
		play(lane.path, seed, lane.store_round, ends[1]);
	}
	(void)close(ends[1]);
	listen(ends[0], child, point < POINTS ? HANGS_MS : 1 + (int64_t)(draw() % KILL_MS));
	(void)close(ends[0]);
	if (waitpid(child, &status, 0) != child) abort();
	end_round(point, status);
	judge();
	lane.sum.rounds++;
}

static void drop_store(void) {
	static const char *const ends[] = {"", "-wal", "-shm", ".mark", ".mark-new"};
	char path[128];
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", lane.path, ends[i]);
		(void)unlink(path); /* absent is fine */
	}
}

static void new_store(void) {
	drop_store();
	play_make(lane.path);
	lane.grant_count = lane.claim_count = 0;
	lane.store_round = 0;
}

/* Every LANES-th round, so that a round is the same in any number of them. */
static void play_lane(uint32_t first, uint32_t rounds, uint64_t seed, int report) {
	(void)snprintf(lane.folder, sizeof(lane.folder), "/tmp/vestibule-durability-XXXXXX");
	if (!mkdtemp(lane.folder)) abort();
	(void)snprintf(lane.path, sizeof(lane.path), "%s/store.db", lane.folder);
	lane.seed = seed;
	lane.draws = (seed * 2654435761U) ^ (first + 1) ^ 0x9e3779b97f4a7c15U;
	for (lane.round = first; lane.round < rounds; lane.round += LANES) {
		if (lane.store_round++ % ROUNDS_A_STORE == 0) new_store();
		play_round();
	}
	drop_store();
	(void)rmdir(lane.folder); /* a file that is left shows */
	(void)fflush(stdout);
	_exit(write(report, &lane.sum, sizeof(lane.sum)) == (ssize_t)sizeof(lane.sum) ? 0 : 1);
}

/* --- all of them -------------------------------------------------------------------------------- */

static void add(struct sum *all, const struct sum *one) {
	all->rounds += one->rounds;
	all->lost += one->lost;
	all->leaked += one->leaked;
	all->wrong += one->wrong;
	all->given += one->given;
	all->ended += one->ended;
	all->claimed += one->claimed;
	all->live += one->live;
	all->killed += one->killed;
	for (size_t i = 0; i < POINTS; i++) all->hits[i] += one->hits[i];
}

static int tell(const struct sum *all, uint32_t rounds, int64_t began_ms) {
	uint32_t missed = 0;
	printf("%u grants, %u ends, %u claims told; %u grants allowed; killed %u times; ends at",
		   all->given, all->ended, all->claimed, all->live, all->killed);
	for (size_t i = 0; i < POINTS; i++) {
		printf("%s %s %u", i ? "," : "", points[i].name, all->hits[i]);
		missed += all->hits[i] == 0;
	}
	printf("; %.1f rounds a second\n",
		   1000.0 * all->rounds / (double)(clock_read().boot_ms - began_ms + 1));
	bool short_of = all->rounds != rounds || (missed > 0 && rounds >= ALL_POINTS_BY);
	if (all->wrong) printf("durability: %u other faults\n", all->wrong);
	if (short_of) printf("durability: %u rounds played, %u steps never met\n", all->rounds, missed);
	printf("durability: %u rounds, %u lost, %u leaked\n", all->rounds, all->lost, all->leaked);
	return all->lost || all->leaked || all->wrong || short_of;
}

int main(int argc, char **argv) {
	unsigned long rounds = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	if (rounds == 0 || rounds > 1000000) {
		(void)fputs("usage: durability ROUNDS SEED\n", stderr);
		return 64;
	}
	int64_t began_ms = clock_read().boot_ms;
	int ends[2];
	struct sum all = {0}, one;
	if (pipe(ends) != 0) abort();
	for (uint32_t i = 0; i < LANES; i++) {
		pid_t pid = fork();
		if (pid < 0) abort();
		if (pid == 0) play_lane(i, (uint32_t)rounds, strtoull(argv[2], NULL, 10), ends[1]);
	}
	(void)close(ends[1]);
	while (read(ends[0], &one, sizeof(one)) == (ssize_t)sizeof(one)) add(&all, &one);
	while (wait(NULL) > 0) continue;
	return tell(&all, (uint32_t)rounds, began_ms);
}
