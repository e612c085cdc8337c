/* The slow, obvious model of what the people of the simulated town said: a log of accepted commands,
 * read from its beginning whenever something is asked. It knows no rows, no indexes and no states
 * of grants; what somebody allowed counts once it is durable, what somebody took back counts at
 * once, and a crash cuts off whatever was not durable. */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "plugin/consent/consent.h"
#include "plugin/consent/limits.h"
#include "proto/uuid.h"

enum { MODEL_MAX = 8192 };

enum fact_kind {
	FACT_CREDENTIAL, /* name, subject: whose, number: role, kind in `more` */
	FACT_GONE,       /* name: a credential that ended */
	FACT_SUSPENDED,  /* name, number: 1 or 0 */
	FACT_TOKEN,      /* name, number: the first byte of the new hash */
	FACT_DEVICE,     /* name, subject: home */
	FACT_CLAIMED,    /* name: device */
	FACT_RETIRED,    /* name: device */
	FACT_INTEGRATOR_GONE,
	FACT_AGENCY_GONE,
	FACT_AGENCY_SUSPENDED,  /* name, number: 1 or 0 */
	FACT_REQUEST,           /* id: request, subject: agency, name: author */
	FACT_REQUEST_SUSPENDED, /* id: request, number: 1 or 0 */
	FACT_RULES,             /* name: who, text */
	FACT_YES,      /* id: request, other: clip, subject: home, name: who, device, number: when */
	FACT_NO,       /* id: request, other: clip ("": all), subject: home */
	FACT_RETRACT,  /* id: request, other: clip, subject: home */
	FACT_RELEASED, /* id: request, other: clip: seen in a tick's change */
	FACT_COPIED,   /* the same: a relay said so, and it was taken */
	FACT_STANDING, /* id: grant, subject: home, name: who, integrator, device, from, until */
	FACT_UNGIVEN   /* subject: home, integrator, device */
};

struct fact {
	enum fact_kind kind;
	uint64_t seq;
	int64_t number, from_ms, until_ms;
	int more;
	char name[ROW_ID_SIZE], subject[ROW_ID_SIZE], integrator[ROW_ID_SIZE], device[ROW_ID_SIZE];
	char id[ROW_UUID_SIZE], other[ROW_UUID_SIZE];
	char text[64];
};

struct model {
	size_t count;
	struct fact log[MODEL_MAX];
};

#define MODEL_TEXT(dst, src) ((void)span_copy(span_str(src), (dst), sizeof(dst)))

static inline bool model_same(const char *a, const char *b) {
	return strcmp(a, b) == 0;
}

/* Takes back what the next call of model_add would fill otherwise: a cleared fact. */
static inline struct fact *model_add(struct model *m, enum fact_kind kind, uint64_t seq) {
	if (m->count == MODEL_MAX) abort(); /* an episode is shorter */
	struct fact *f = &m->log[m->count++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	f->seq = seq;
	return f;
}

static inline void model_crash(struct model *m, uint64_t durable) {
	size_t kept = 0;
	for (size_t i = 0; i < m->count; i++) {
		if (m->log[i].seq <= durable) m->log[kept++] = m->log[i];
	}
	m->count = kept;
}

/* --- what the log says ------------------------------------------------------------------------ */

/* The credential as it is now; NULL: there is none. */
static inline const struct fact *model_credential(const struct model *m, const char *name) {
	const struct fact *now = NULL;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (!model_same(f->name, name)) continue;
		if (f->kind == FACT_CREDENTIAL) now = f;
		if (f->kind == FACT_GONE) now = NULL;
	}
	return now;
}

/* The last word of a switch (suspended or not). */
static inline bool model_is_on(const struct model *m, enum fact_kind kind, const char *name,
							   const char *id) {
	bool on = false;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind == kind && model_same(f->name, name) && model_same(f->id, id))
			on = f->number != 0;
	}
	return on;
}

static inline bool model_has(const struct model *m, enum fact_kind kind, const char *name) {
	for (size_t i = 0; i < m->count; i++) {
		if (m->log[i].kind == kind && model_same(m->log[i].name, name)) return true;
	}
	return false;
}

/* Does that token, of those that a rotation brought, let that name in? */
static inline bool model_lets_in(const struct model *m, const char *name, int64_t first,
								 uint64_t durable) {
	const struct fact *last = NULL;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind == FACT_TOKEN && model_same(f->name, name)) last = f;
	}
	return last && last->number == first && last->seq <= durable && model_credential(m, name) &&
		   !model_is_on(m, FACT_SUSPENDED, name, "");
}

static inline bool model_is_adult(const struct model *m, const char *name, const char *home) {
	const struct fact *c = model_credential(m, name);
	return c && c->more == CRED_MEMBER && c->number >= ROLE_ADULT && model_same(c->subject, home);
}

static inline const char *model_home_of(const struct model *m, const char *device) {
	const char *home = "";
	for (size_t i = 0; i < m->count; i++) {
		if (m->log[i].kind == FACT_DEVICE && model_same(m->log[i].name, device))
			home = m->log[i].subject;
	}
	return home;
}

static inline bool model_is_used(const struct model *m, const char *device, uint64_t durable) {
	bool claimed = false;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (!model_same(f->name, device)) continue;
		if (f->kind == FACT_RETIRED) return false;
		if (f->kind == FACT_CLAIMED && f->seq <= durable) claimed = true;
	}
	return claimed;
}

static inline size_t model_people(const struct model *m) {
	size_t n = 0;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind == FACT_CREDENTIAL && f->more == CRED_MEMBER)
			n += model_credential(m, f->name) == f;
	}
	return n;
}

/* --- clips ------------------------------------------------------------------------------------ */

/* Did anybody of that home ever say no to it, or take it back? A refusal wins, whenever it came. */
static inline bool model_is_refused(const struct model *m, const char *request, const char *clip,
									const char *home) {
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind != FACT_NO && f->kind != FACT_RETRACT) continue;
		if (model_same(f->id, request) && model_same(f->subject, home) &&
			model_same(f->other, clip))
			return true;
	}
	return false;
}

/* Is there a first boundary of the release tick, after the hold, that is over? */
static inline bool model_hold_is_over(int64_t said_ms, int64_t now_ms, int64_t tick_ms,
									  int64_t hold_ticks) {
	int64_t hold_ms = said_ms + hold_ticks * tick_ms;
	int64_t boundary = (hold_ms + tick_ms - 1) / tick_ms * tick_ms;
	return boundary <= now_ms;
}

/* May this agency have that clip for that request at now? */
static inline bool model_may_have(const struct model *m, const char *agency, const char *request,
								  const char *clip, const struct consent_opts *opts,
								  struct moment now, uint64_t durable) {
	if (!now.sound || model_is_on(m, FACT_AGENCY_SUSPENDED, agency, "") ||
		model_has(m, FACT_AGENCY_GONE, agency) ||
		model_is_on(m, FACT_REQUEST_SUSPENDED, "", request))
		return false;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind != FACT_YES || f->seq > durable) continue;
		if (!model_same(f->id, request) || !model_same(f->other, clip)) continue;
		/* an emergency's tick is shorter: a minute is what every release needs */
		int64_t tick =
			opts->tick_ms < LIMIT_TICK_EMERGENCY_MS ? opts->tick_ms : LIMIT_TICK_EMERGENCY_MS;
		if (model_is_adult(m, f->name, f->subject) && model_is_used(m, f->device, durable) &&
			!model_is_refused(m, request, clip, f->subject) &&
			model_hold_is_over(f->number, now.utc_ms, tick, opts->hold_ticks) &&
			now.utc_ms < f->number + LIMIT_GRANT_MAX_MS + 14 * LIMIT_DAY_MS)
			return true;
	}
	return false;
}

static inline bool model_has_of(const struct model *m, enum fact_kind kind, const char *request,
								const char *clip, uint64_t durable) {
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind == kind && f->seq <= durable && model_same(f->id, request) &&
			model_same(f->other, clip))
			return true;
	}
	return false;
}

/* Was its release committed? */
static inline bool model_is_released(const struct model *m, const char *request, const char *clip,
									 uint64_t durable) {
	return model_has_of(m, FACT_RELEASED, request, clip, durable);
}

/* Is it known to be where the agency can fetch it, committed or not? */
static inline bool model_is_copied(const struct model *m, const char *request, const char *clip) {
	return model_has_of(m, FACT_COPIED, request, clip, UINT64_MAX);
}

/* --- standing grants -------------------------------------------------------------------------- */

static inline bool model_was_ungiven(const struct model *m, size_t since, const struct fact *g) {
	for (size_t i = since; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind == FACT_UNGIVEN && model_same(f->subject, g->subject) &&
			model_same(f->integrator, g->integrator) && model_same(f->device, g->device))
			return true;
	}
	return false;
}

/* Was the granter there all the time since? (who left and came back gave nothing) */
static inline bool model_granter_stayed(const struct model *m, size_t since, const struct fact *g) {
	for (size_t i = since; i < m->count; i++) {
		if (m->log[i].kind == FACT_GONE && model_same(m->log[i].name, g->name)) return false;
	}
	return model_is_adult(m, g->name, g->subject);
}

/* May this credential of an integrator read rings of that device at now? */
static inline bool model_may_read(const struct model *m, const char *username, const char *device,
								  struct moment now, uint64_t durable) {
	const struct fact *who = model_credential(m, username);
	const char *home = model_home_of(m, device);
	if (!now.sound || !who || who->more != CRED_INTEGRATOR || who->seq > durable ||
		model_is_on(m, FACT_SUSPENDED, username, "") ||
		model_has(m, FACT_INTEGRATOR_GONE, who->subject) || !model_is_used(m, device, durable))
		return false;
	for (size_t i = 0; i < m->count; i++) {
		const struct fact *f = &m->log[i];
		if (f->kind != FACT_STANDING || f->seq > durable) continue;
		if (model_same(f->subject, home) && model_same(f->integrator, who->subject) &&
			(!f->device[0] || model_same(f->device, device)) && f->from_ms <= now.utc_ms &&
			now.utc_ms < f->until_ms && !model_was_ungiven(m, i, f) &&
			model_granter_stayed(m, i, f))
			return true;
	}
	return false;
}

#endif
