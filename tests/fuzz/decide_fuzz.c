/* The policy under arbitrary grants, questions and retractions. Properties:
 *   1. no grant, no ALLOW: what an integrator may read of a device follows from a grant that a
 *      naive search finds, and it has nothing else but its own topics and the public ones;
 *   2. one more retraction, suspension, retirement, mute or alarm never turns a DENY into an ALLOW;
 *   3. the same question gets the same answer.
 *
 * Input: a count and so many grants of 6 bytes, a retraction of 2 bytes, a question of 8 bytes,
 * then its name: one byte that picks a form, or 255 and the bytes of the name itself. What is
 * missing reads as 0. */
#include "plugin/policy/policy.h"
#include "tests/unit/policy/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GRANTS_MAX = 12 };

struct input {
	struct span rest;
};

struct world {
	struct state *st;
	size_t count;
	struct row_standing grant[GRANTS_MAX];
	bool durable[GRANTS_MAX];
};

static const char *const homes[] = {"elm", "oak"};
static const char *const integrators[] = {"alarm-co", "cloud-co"};
static const char *const devices[] = {"elm-door", "elm-yard", "oak-door", ""};
static const char *const users[] = {"alarm-4", "cloud-1", "ann", "door-1"};

/* %d a device, %h a home, %u a username */
static const char *const forms[] = {
	"vestibule/v1/device/%d/ring",
	"vestibule/v1/device/%d/motion",
	"vestibule/v1/device/%d/clip-ready",
	"vestibule/v1/device/%d/status",
	"vestibule/v1/home/%h/json/%d/ring",
	"vestibule/v1/home/%h/json/%d/motion",
	"vestibule/v1/home/%h/json/%d/clip-ready",
	"vestibule/v1/home/%h/json/%d/status",
	"vestibule/v1/home/%h/ask",
	"vestibule/v1/home/%h/command",
	"vestibule/v1/home/%h/receipt",
	"vestibule/v1/user/%u/reply",
	"vestibule/v1/user/%u/sync",
	"vestibule/v1/user/%u/link",
	"vestibule/v1/public/agency/%h",
	"vestibule/v1/area/u33db/alert",
	"vestibule/v1/device/%d/chunk/" UUID_OF("50") "/%u",
	"vestibule/v1/device/%d/pull/" UUID_OF("50") "/%u",
	"vestibule/v1/device/+/ring",
	"vestibule/v1/home/%h/json/#",
};

#define PICK(list, n) ((list)[(n) % (sizeof(list) / sizeof((list)[0]))])

static void must(bool truth) {
	if (!truth) abort();
}

static uint8_t next(struct input *in) {
	uint8_t b = in->rest.len ? in->rest.ptr[0] : 0;
	in->rest = span_drop(in->rest, 1);
	return b;
}

static void copy(char *dst, size_t cap, const char *text) {
	must(span_copy(span_str(text), dst, cap));
}

/* --- the world --- */

static void add_grant(struct world *w, struct input *in) {
	struct row_standing *g = &w->grant[w->count];
	uint8_t where = next(in), what = next(in);
	*g = (struct row_standing){.row = {.kind = ROW_STANDING}};
	(void)snprintf(g->id, sizeof(g->id), "00000000-0000-7000-8000-0000000000%02u",
				   (unsigned)w->count);
	copy(g->home, sizeof(g->home), PICK(homes, where));
	copy(g->integrator, sizeof(g->integrator), PICK(integrators, where >> 1));
	copy(g->device, sizeof(g->device), PICK(devices, where >> 2));
	g->kind = GRANT_RING + what % 3;
	g->state = GSTATE_ACTIVE + what / 3 % 4;
	g->nbf_ms = next(in);
	g->exp_ms = g->nbf_ms + 1 + next(in);
	w->durable[w->count] = next(in) % 4 != 0;
	(void)next(in);
	if (w->durable[w->count]) rows_put(w->st, &g->row);
	w->count++;
}

/* Grants that are not durable come last, as in a real queue of commits. */
static void add_soon(struct world *w) {
	for (size_t i = 0; i < w->count; i++) {
		if (!w->durable[i]) rows_put_soon(w->st, &w->grant[i].row);
	}
}

static void build(struct world *w, struct input *in) {
	*w = (struct world){.st = rows_state()};
	rows_put(w->st, HOME("elm"));
	rows_put(w->st, HOME("oak"));
	rows_put(w->st, DEVICE("elm-door", "elm", "u33db2m3"));
	rows_put(w->st, DEVICE("elm-yard", "elm", ""));
	rows_put(w->st, DEVICE("oak-door", "oak", ""));
	rows_put(w->st, ROW(ROW_INTEGRATOR, integrator, .id = "alarm-co"));
	rows_put(w->st, ROW(ROW_INTEGRATOR, integrator, .id = "cloud-co"));
	rows_put(w->st, CRED("alarm-4", CRED_INTEGRATOR, "alarm-co", ROLE_NONE));
	rows_put(w->st, CRED("cloud-1", CRED_INTEGRATOR, "cloud-co", ROLE_NONE));
	rows_put(w->st, CRED("ann", CRED_MEMBER, "elm", ROLE_ADULT));
	rows_put(w->st, CRED("door-1", CRED_DEVICE, "elm-door", ROLE_NONE));
	size_t count = next(in) % (GRANTS_MAX + 1);
	while (w->count < count) add_grant(w, in);
	add_soon(w);
}

/* --- property 1 --- */

static enum grant_kind kind_needed(enum topic_kind kind) {
	switch (kind) {
	case TOPIC_DEVICE_RING:
	case TOPIC_HOME_JSON_RING: return GRANT_RING;
	case TOPIC_DEVICE_MOTION:
	case TOPIC_HOME_JSON_MOTION: return GRANT_MOTION;
	case TOPIC_HOME_JSON_CLIP_READY: return GRANT_CLIP;
	default: return GRANT_NONE;
	}
}

static bool is_same(const char *a, struct span b) {
	return span_eq(span_str(a), b);
}

static struct span home_of(struct span device) {
	return span_starts(device, SPAN_LIT("oak")) ? SPAN_LIT("oak") : SPAN_LIT("elm");
}

static bool is_granted(const struct world *w, const struct question *q, const struct topic *t) {
	enum grant_kind kind = kind_needed(t->kind);
	int64_t at = q->event.synced ? (int64_t)q->event.at_ms : (int64_t)q->event.arrived_ms;
	for (size_t i = 0; i < w->count; i++) {
		const struct row_standing *g = &w->grant[i];
		bool fits = w->durable[i] && g->state == GSTATE_ACTIVE &&
					is_same(g->integrator, span_str(q->who->subject)) &&
					is_same(g->home, home_of(t->device)) &&
					(!g->device[0] || is_same(g->device, t->device));
		fits = fits && g->nbf_ms <= q->now_ms && q->now_ms < g->exp_ms;
		if (kind != GRANT_NONE) fits = fits && g->kind == (int64_t)kind && at >= g->nbf_ms;
		if (fits) return true;
	}
	return false;
}

static void check_allowed(const struct world *w, const struct question *q) {
	struct topic t;
	if (q->who->kind != CRED_INTEGRATOR || q->access == ACCESS_SUBSCRIBE) return;
	must(topic_parse(q->name, &t) == ERR_NONE);
	if (t.kind == TOPIC_PUBLIC_AGENCY || t.kind == TOPIC_PUBLIC_REQUEST) return;
	if (t.username.len) { /* its own, and never the bytes of a clip */
		must(is_same(q->who->username, t.username) && t.device.len == 0 &&
			 t.kind != TOPIC_USER_LINK);
		must((t.kind == TOPIC_USER_SYNC) == (q->access == ACCESS_WRITE));
		return;
	}
	must(q->access == ACCESS_READ && t.device.len && t.kind != TOPIC_DEVICE_CLIP_READY);
	bool is_event = kind_needed(t.kind) != GRANT_NONE;
	must(!is_event || (q->has_event && q->event.arrived_ms != 0));
	must(is_granted(w, q, &t));
}

/* --- property 2 --- */

static void retract(struct world *w, struct input *in) {
	uint8_t what = next(in), which = next(in);
	struct row_standing g = w->grant[which % GRANTS_MAX];
	const char *bad;
	switch (what % 7) {
	case 0:
	case 1:
		g.state = what % 2 ? GSTATE_REVOKED : GSTATE_EXPIRED;
		(void)rows_try(w->st, &g.row,
					   &bad); /* refused when there is none or it has ended: nothing changes */
		break;
	case 2:
		rows_put_soon(w->st, SUSPENDED("alarm-4", CRED_INTEGRATOR, "alarm-co", ROLE_NONE));
		break;
	case 3: rows_put_soon(w->st, SUSPENDED("ann", CRED_MEMBER, "elm", ROLE_ADULT)); break;
	case 4: rows_put_soon(w->st, RETIRED("elm-door", "elm")); break;
	case 5:
		rows_put_soon(
			w->st, ROW(ROW_RULES, rules, .username = "ann", .home = "elm", .text = "mute alerts"));
		break;
	default:
		if (which % 2)
			state_set_unsound(w->st, true);
		else
			state_set_refusing(w->st);
	}
}

/* --- the question --- */

static void write_name(struct input *in, struct buf *out) {
	uint8_t form = next(in), about = next(in);
	if (form == 255) {
		buf_span(out, in->rest);
		return;
	}
	for (const char *c = PICK(forms, form); *c; c++) {
		if (*c != '%')
			buf_char(out, *c);
		else if (*++c == 'd')
			buf_str(out, PICK(devices, about));
		else if (*c == 'h')
			buf_str(out, PICK(homes, about >> 2));
		else
			buf_str(out, PICK(users, about >> 4));
	}
}

static void read_question(const struct world *w, struct input *in, struct question *q) {
	q->who = state_credential(w->st, span_str(PICK(users, next(in))));
	q->access = (enum access)(next(in) % 4);
	uint8_t flags = next(in);
	q->has_event = flags & 1;
	q->event.synced = flags & 2;
	q->retain = flags & 4;
	q->is_will = flags & 8;
	q->qos = flags >> 6;
	q->status = flags & 16 ? SPAN_LIT("online") : SPAN_LIT("x");
	q->now_ms = next(in) + next(in);
	q->event.at_ms = next(in);
	q->event.arrived_ms = next(in);
	(void)next(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct policy_opts opts = {.agencies = true};
	struct input in = {span_of(data, size)};
	struct world w;
	struct question q = {0};
	struct buf name;
	build(&w, &in);
	struct input retraction = in;
	in.rest = span_drop(in.rest, 2);
	read_question(&w, &in, &q);
	buf_init(&name, 65536);
	write_name(&in, &name);
	q.name = buf_view(&name);

	struct verdict first = policy_decide(w.st, &q, &opts), again = policy_decide(w.st, &q, &opts);
	must(first.kind == again.kind && first.reason == again.reason && first.grant == again.grant);
	must((first.kind == VERDICT_ALLOW) == (first.reason == REASON_OK));
	if (first.kind == VERDICT_ALLOW) check_allowed(&w, &q);

	char username[ROW_ID_SIZE];
	copy(username, sizeof(username), q.who->username);
	retract(&w, &retraction);
	q.who = state_credential(w.st, span_str(username));
	if (first.kind == VERDICT_DENY) must(policy_decide(w.st, &q, &opts).kind == VERDICT_DENY);
	buf_fini(&name);
	state_free(w.st);
	return 0;
}
