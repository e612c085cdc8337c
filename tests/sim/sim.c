/* The simulator: sim STEPS SEED. The pure core (policy, consent, a store in memory) under random
 * scripts of a small town, with clocks that fail, crashes that lose what was not durable, commands
 * that come late, twice, or twice with other bytes; after every step the answers of the core are
 * held against the model (model.h). An episode is one town from its founding; each runs in a child
 * process, so that a violation, an assert and a sanitizer's word all end the same way: the script
 * is cut down to a minimal one that still fails, and printed.
 *
 * Closing line: `sim: S steps, V violations`. Exit status 0 only without one. */
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/sim/model.h"

struct world;
struct command;
static bool before(struct world *w, const struct command *cmd);
static void after(struct world *w, const struct command *cmd);
#define WORLD_BEFORE(w, cmd) before(w, cmd)
#define WORLD_AFTER(w, cmd)  after(w, cmd)

#include "tests/sim/check.h"
#include "tests/sim/draw.h"

enum { EPISODE_STEPS = 400 };

/* --- beside every command of the world --------------------------------------------------------- */

static bool before(struct world *w, const struct command *cmd) {
	sim.w = w; /* from the town's founding on */
	if (sim.resending || !cmd->who || !cmd->msg) return true;
	if (sim.keep_next) {
		sim.keep_next = false;
		letter_write(&sim.kept[sim.step % LETTERS], cmd);
		return false;
	}
	letter_write(&sim.sent[sim.sent_count++ % LETTERS], cmd);
	return true;
}

static void after(struct world *w, const struct command *cmd) {
	check_repeated(cmd);
	if (w->fx.reason == REASON_OK && !w->fx.repeated) {
		check_change(cmd);
		if (cmd->kind == COMMAND_HOME) note_home(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_CLAIM) note_claim(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_AGENCY) note_agency(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_REPORT) note_report(cmd->who, (const void *)cmd->msg);
		if (cmd->kind == COMMAND_OPERATOR) note_operator(cmd);
	}
	if (cmd->kind == COMMAND_TICK && w->now.sound) sim.ticked_ms = w->now.utc_ms;
	if (w->fx.change.count == 0) return;
	w->fx.change.seq = w->seq + 1; /* as world_apply will */
	struct change *copy = store_change_clone(&w->fx.change);
	if (!copy || sim.queued == MODEL_MAX) abort();
	sim.queue[sim.queued++] = copy;
}

/* --- the simulator's own verbs ---------------------------------------------------------------- */

static enum err take_row(void *ctx, const struct row *r) {
	const char *bad = NULL;
	return state_load(ctx, r, &bad);
}

/* kill -9: the store keeps what was committed, memory is gone, and the next start loads. */
static void crash(void) {
	char why[STORE_WHY_SIZE] = "";
	uint64_t kept = durable(), seq = 0;
	for (size_t i = 0; i < sim.queued; i++) {
		const struct change *c = sim.queue[i];
		if (c->seq <= kept && sim.store->ops->commit(sim.store, &c, 1, why) != ERR_NONE)
			violated("store", why);
		store_change_free(sim.queue[i]);
	}
	sim.queued = 0;
	struct state *st = state_new(sim.step, 7);
	if (!st || sim.store->ops->load(sim.store, take_row, st, &seq, why) != ERR_NONE)
		violated("load", why);
	const char *bad = "";
	must(seq == kept && state_complete(st, seq, &bad) == ERR_NONE, "load", bad);
	state_set_unsound(st, !sim.w->now.sound);
	state_free(sim.w->st);
	sim.w->st = st;
	sim.w->seq = seq;
	model_crash(&sim.model, seq);
	sim.ticked_ms = 0; /* its ends may be lost, too; the next one makes them again */
}

static void clock_fails(bool fails, uint8_t arg) {
	static int64_t highest;
	if (sim.w->now.utc_ms > highest || sim.step == 0) highest = sim.w->now.utc_ms;
	sim.w->now.sound = !fails;
	if (fails && arg & 1) sim.w->now.utc_ms -= INT64_C(1000) * arg;
	if (!fails && sim.w->now.utc_ms < highest) sim.w->now.utc_ms = highest; /* the floor */
	state_set_unsound(sim.w->st, fails);
}

static void send_again(const struct letter *l, bool other_bytes) {
	sim.resending = true;
	letter_send(sim.w, l, other_bytes);
	sim.resending = false;
}

static void own_verb(const uint8_t *b) {
	static const char *const homes[] = {"alice", "bob", "carol", "dan"};
	const struct letter *sent = &sim.sent[b[2] % LETTERS], *kept = &sim.kept[b[2] % LETTERS];
	const char *who = homes[b[2] % 4];
	switch ((b[0] - VERB_FIRST) % VERBS) {
	case 0: crash(); return;
	case 1: send_again(sent, false); return;
	case 2: send_again(sent, true); return;
	case 3: sim.keep_next = true; return;
	case 4: send_again(kept, false); return;
	case 5: clock_fails(b[1] & 1, b[2]); return;
	case 6: (void)world_claim(sim.w, who, b[1] & 1 ? "d1" : "d2"); return;
	case 7:
		if (b[1] % 8 == 0) (void)world_retire(sim.w, who, b[2] & 4 ? "d1" : "d2");
		return;
	case 8:
		if (b[1] % 8 == 0) (void)world_reset(sim.w, b[2] & 1 ? "dev-1" : "dev-2");
		return;
	case 9: (void)world_first_admin(sim.w, b[2] & 1 ? "dev-1" : "dev-2", "mallory", 9); return;
	default: (void)world_rotate(sim.w, who, b[1] | 1); return; /* never the invited one */
	}
}

/* --- episodes --------------------------------------------------------------------------------- */

static void found_town(uint8_t options) {
	static const struct row_credential op = {
		.row.kind = ROW_CREDENTIAL, .username = "root-op", .kind = CRED_OPERATOR};
	const struct change first = {.seq = 1, .count = 1, .ops = {{.row = &op.row}}}; /* world_new's */
	const struct change *list[] = {&first};
	char why[STORE_WHY_SIZE];
	sim.store = store_mem_open();
	if (!sim.store || sim.store->ops->commit(sim.store, list, 1, why) != ERR_NONE) abort();
	sim.w = world_town();
	world_add_home(sim.w, "h2", "carol", "d2", "dev-2");
	sim.w->opts.demo = options & 1;
	if (options & 2) sim.w->opts.hold_ticks = 2;
	sim.w->lazy_store = (options & 4) != 0;
}

/* Plays in this process; does not return from a violation. */
static void play(uint8_t options, const uint8_t (*script)[3], size_t count) {
	found_town(options);
	check_state();
	for (sim.step = 0; sim.step < count; sim.step++) {
		const uint8_t *b = script[sim.step];
		if (b[0] >= VERB_FIRST)
			own_verb(b);
		else
			script_act(sim.w, b);
		check_state();
	}
}

/* Where an episode was violated: the number of steps that were played, or -1. */
static bool fails(uint8_t options, const uint8_t (*script)[3], size_t count, bool quiet) {
	int status = 0;
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (quiet && !freopen("/dev/null", "w", stderr)) _exit(0);
		play(options, script, count);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) abort();
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* Takes away whatever the failure does not need: halves first, single steps last. */
static size_t shrink(uint8_t options, uint8_t (*script)[3], size_t count) {
	static uint8_t shorter[EPISODE_STEPS][3];
	for (size_t part = count / 2; part > 0; part /= 2) {
		for (size_t at = 0; at + part <= count;) {
			memcpy(shorter, script, at * 3);
			memcpy(shorter + at, script + at + part, (count - at - part) * 3);
			if (fails(options, (const uint8_t(*)[3])shorter, count - part, true)) {
				count -= part;
				memcpy(script, shorter, count * 3);
			} else {
				at += part;
			}
		}
	}
	return count;
}

static void print_trace(uint64_t seed, uint8_t options, uint8_t (*script)[3], size_t count) {
	printf("episode %llu, options %u, %zu steps:\n", (unsigned long long)seed, options, count);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *b = script[i];
		if (b[0] >= VERB_FIRST)
			printf("  %-16s %3u %3u\n", draw_verbs[(b[0] - VERB_FIRST) % VERBS], b[1], b[2]);
		else
			printf("  %-16s %-8s %3u %3u\n", draw_acts[b[0] % 14],
				   script_people[b[1] % SCRIPT_PEOPLE], b[1], b[2]);
	}
	(void)fails(options, (const uint8_t(*)[3])script, count, false); /* it says what, once more */
}

static bool episode(uint64_t seed, size_t count) {
	static uint8_t script[EPISODE_STEPS][3];
	uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
	for (int i = 0; i < 8; i++) (void)world_random(&random);
	uint8_t options = (uint8_t)(world_random(&random) >> 40);
	draw_script(&random, script, count);
	if (!fails(options, (const uint8_t(*)[3])script, count, true)) return true;
	count = shrink(options, script, count);
	print_trace(seed, options, script, count);
	return false;
}

int main(int argc, char **argv) {
	char *end = NULL;
	unsigned long long steps = argc == 3 ? strtoull(argv[1], &end, 10) : 0;
	unsigned long long seed = steps && !*end ? strtoull(argv[2], &end, 10) : 0;
	unsigned long long done = 0, violations = 0;
	if (!steps || *end) {
		(void)fprintf(stderr, "usage: sim STEPS SEED\n");
		return 64;
	}
	for (uint64_t n = 0; done < steps && violations < 3; n++) {
		size_t count = steps - done < EPISODE_STEPS ? (size_t)(steps - done) : EPISODE_STEPS;
		if (!episode(seed * 1000003 + n, count)) violations++;
		done += count;
	}
	printf("sim: %llu steps, %llu violations\n", done, violations);
	return violations ? 1 : 0;
}
