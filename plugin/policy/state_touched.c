/* See state_touched.h. */
#include "plugin/policy/state_touched.h"

static void note_home(struct state_touched *t, uint64_t seq, const char *home) {
	size_t at = t->count++ % STATE_TOUCHED_KEPT;
	if (t->count > STATE_TOUCHED_KEPT) t->forgotten = t->kept[at].seq;
	t->kept[at].seq = seq;
	memcpy(t->kept[at].home, home, ROW_ID_SIZE);
}

static void note(struct state_touched *t, uint64_t seq, const struct row *r) {
	const union row_any *any = (const union row_any *)r;
	if (!r) return;
	if (r->kind == ROW_DEVICE) note_home(t, seq, any->device.home);
	if (r->kind == ROW_CREDENTIAL && any->credential.kind == CRED_MEMBER)
		note_home(t, seq, any->credential.subject);
	if (r->kind == ROW_INTEGRATOR) t->forgotten = seq; /* grants of many homes */
}

void state_touched_note(struct state_touched *t, uint64_t seq, const struct row *r,
						const struct row *old) {
	note(t, seq, r);
	note(t, seq, old);
}

const char *state_touched_home(const struct state_touched *t, uint64_t seq, size_t n) {
	if (n >= STATE_TOUCHED_KEPT || n >= t->count) return NULL;
	size_t at = (t->count - 1 - n) % STATE_TOUCHED_KEPT;
	return t->kept[at].seq > seq ? t->kept[at].home : NULL;
}

bool state_touched_any(const struct state_touched *t, uint64_t seq) {
	return seq == 0 || t->forgotten > seq;
}
