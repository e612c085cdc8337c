/* What one decision costs: nanoseconds per policy_decide with 1,000 and 100,000 devices (a home and
 * a member each, one integrator with a ring grant of every home), devices asked in an order that no
 * cache can follow. Also how long the rows take to load, and the memory of a device with all its
 * rows.
 *
 *     policy_bench [DEVICES...] */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>

#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

enum { ROUNDS = 1000000, NAME_BYTES = 96 };

static int64_t now_ns(void) {
	struct timespec t;
	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) abort();
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void must(enum err e, const char *what) {
	if (e == ERR_NONE) return;
	(void)fprintf(stderr, "policy_bench: %s: %s\n", what, err_name(e));
	exit(1);
}

#define FORMAT(dst, ...) ((void)snprintf(dst, sizeof(dst), __VA_ARGS__))

static void load(struct state *st, struct row *r) {
	const char *bad = "";
	r->seq = 1;
	must(state_load(st, r, &bad), bad);
}

static void load_home(struct state *st, int n) {
	struct row_home home = {.row = {.kind = ROW_HOME}};
	struct row_device device = {.row = {.kind = ROW_DEVICE}, .claimed_ms = 1};
	struct row_credential member = {
		.row = {.kind = ROW_CREDENTIAL}, .kind = CRED_MEMBER, .role = ROLE_ADULT};
	struct row_credential camera = {.row = {.kind = ROW_CREDENTIAL}, .kind = CRED_DEVICE};
	struct row_standing yes = {.row = {.kind = ROW_STANDING},
							   .kind = GRANT_RING,
							   .state = GSTATE_ACTIVE,
							   .integrator = "alarm-co",
							   .exp_ms = NOW_MS + DAY_MS};
	FORMAT(home.id, "home-%d", n);
	FORMAT(device.id, "device-%d", n);
	FORMAT(device.home, "home-%d", n);
	FORMAT(member.username, "member-%d", n);
	FORMAT(member.subject, "home-%d", n);
	FORMAT(camera.username, "camera-%d", n);
	FORMAT(camera.subject, "device-%d", n);
	FORMAT(yes.id, "00000000-0000-7000-8000-%012d", n);
	FORMAT(yes.home, "home-%d", n);
	FORMAT(yes.actor, "member-%d", n);
	load(st, &home.row);
	load(st, &device.row);
	load(st, &member.row);
	load(st, &camera.row);
	load(st, &yes.row);
}

static struct state *load_all(int devices) {
	const char *bad = "";
	struct state *st = state_new(11, 12);
	if (!st) must(ERR_NOMEM, "state");
	load(st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co"));
	load(st, ROW(ROW_INTEGRATOR, integrator, .id = "other-co"));
	load(st, CRED("alarm-4", CRED_INTEGRATOR, "alarm-co", ROLE_NONE));
	load(st, CRED("other-4", CRED_INTEGRATOR, "other-co", ROLE_NONE));
	for (int n = 0; n < devices; n++) load_home(st, n);
	must(state_complete(st, 1, &bad), bad);
	return st;
}

/* --- measuring --- */

struct scene {
	const char *what;
	enum access access;
	const char *username;
	bool is_own; /* the number of the device follows the username */
	enum verdict_kind expected;
};

static const struct scene scenes[] = {
	{"write ring, its device", ACCESS_WRITE, "camera-", true, VERDICT_ALLOW},
	{"read ring, member of the home", ACCESS_READ, "member-", true, VERDICT_ALLOW},
	{"read ring, integrator with a grant", ACCESS_READ, "alarm-4", false, VERDICT_ALLOW},
	{"read ring, integrator without: denied", ACCESS_READ, "other-4", false, VERDICT_DENY},
	{"read ring, member of another home: denied", ACCESS_READ, "member-0", false, VERDICT_DENY},
};

/* A walk through all n that jumps: the step is prime and larger than any cache line of rows. */
static int next_device(int at, int devices) {
	return (int)(((int64_t)at + 7919) % devices);
}

struct case_bench {
	struct question q;
	char topic[NAME_BYTES];
};

enum { CASES = 4096 };
static struct case_bench cases[CASES];

static void prepare(const struct state *st, const struct scene *s, int devices) {
	int device = 1;
	for (int i = 0; i < CASES; i++, device = next_device(device, devices)) {
		char username[NAME_BYTES];
		if (device == 0) device = next_device(device, devices); /* the home of the stranger */
		FORMAT(username, "%s", s->username);
		if (s->is_own) FORMAT(username, "%s%d", s->username, device);
		FORMAT(cases[i].topic, "vestibule/v1/device/device-%d/ring", device);
		cases[i].q = (struct question){
			.access = s->access,
			.who = state_credential(st, span_str(username)),
			.name = span_str(cases[i].topic),
			.qos = 1,
			.has_event = true,
			.event = {(uint64_t)NOW_MS, (uint64_t)NOW_MS, true},
			.now_ms = NOW_MS,
		};
	}
}

static void measure(const struct state *st, const struct scene *s, int devices) {
	const struct policy_opts opts = {.agencies = true};
	prepare(st, s, devices);
	int64_t right = 0, start = now_ns();
	for (int i = 0; i < ROUNDS; i++) {
		right += policy_decide(st, &cases[i % CASES].q, &opts).kind == s->expected;
	}
	int64_t ns = now_ns() - start;
	if (right != ROUNDS) {
		(void)fprintf(stderr, "policy_bench: %s: wrong answer\n", s->what);
		exit(1);
	}
	(void)printf("  %-44s %5" PRId64 " ns per decision\n", s->what, ns / ROUNDS);
}

static void bench(int devices) {
	struct mallinfo2 before = mallinfo2();
	int64_t start = now_ns();
	struct state *st = load_all(devices);
	int64_t ms = (now_ns() - start) / 1000000;
	struct mallinfo2 after = mallinfo2();
	size_t bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
	(void)printf("%d devices: loaded in %" PRId64
				 " ms, %zu bytes a device with home, member, two credentials, grant\n",
				 devices, ms, bytes / (size_t)devices);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		measure(st, &scenes[i], devices);
	state_free(st);
}

static int parse_devices(const char *text) {
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || *end || n < 2 || n > 10000000) {
		(void)fprintf(stderr, "policy_bench: not a number of devices (2 to 10000000): %s\n", text);
		exit(64);
	}
	return (int)n;
}

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++) bench(parse_devices(argv[i]));
	if (argc > 1) return 0;
	bench(1000);
	bench(100000);
	return 0;
}
