/* See sync.h. */
#include "plugin/sync.h"

#include "plugin/compose_impl.h"

enum list {
	LIST_DEVICES = 0,
	LIST_CLIPS,
	LIST_ASKS,
	LIST_GRANTS,
	LIST_RECEIPTS,
	LIST_REQUESTS,
	LIST_DELIVERIES,
	LIST_NOTICES,
	LIST_JOBS,
	LIST_RULES,
	LIST_MEMBERS,
	LISTS
};

enum {
	PART_SLACK = 256,
	ENTRY_SLACK = 8
}; /* in_reply_to, part, last; tag and length of an entry */

/* An answer under construction: entries collect until the next would not fit, then the part goes
 * out. */
struct answer {
	const struct sync_opts *o;
	const Vestibule__V1__Sync *sync;
	struct buf out;
	uint32_t part;
	size_t bytes;
	size_t count[LISTS];
	ProtobufCMessage *entry[LISTS][CODEC_LIST_MAX];
	enum err error;
};

/* The lists of a Reply as (count, pointer), in the order of enum list. */
static void fill(struct answer *a, Vestibule__V1__Reply *m) {
#define TAKE(which, field)                    \
	do {                                      \
		(m)->n_##field = a->count[which];     \
		(m)->field = (void *)a->entry[which]; \
	} while (0)
	TAKE(LIST_DEVICES, devices);
	TAKE(LIST_CLIPS, clips);
	TAKE(LIST_ASKS, asks);
	TAKE(LIST_GRANTS, grants);
	TAKE(LIST_RECEIPTS, receipts);
	TAKE(LIST_REQUESTS, requests);
	TAKE(LIST_DELIVERIES, deliveries);
	TAKE(LIST_NOTICES, notices);
	TAKE(LIST_JOBS, jobs);
	TAKE(LIST_RULES, rules);
	TAKE(LIST_MEMBERS, members);
#undef TAKE
}

static void send_part(struct answer *a, bool last) {
	Vestibule__V1__Reply m = VESTIBULE__V1__REPLY__INIT;
	if (a->error != ERR_NONE) return;
	if (!last && a->part + 1 >= SYNC_PARTS_MAX) {
		a->error = ERR_LIMIT;
		return;
	}
	m.in_reply_to = a->sync->event_id;
	m.part = a->part++;
	m.last = last;
	m.subject = compose_text(a->o->who->subject);
	fill(a, &m);
	buf_reset(&a->out);
	a->error = codec_encode(&m.base, &a->out);
	if (a->error == ERR_NONE && !a->o->send(a->o->ctx, buf_view(&a->out))) a->error = ERR_NOMEM;
	memset(a->count, 0, sizeof(a->count));
	a->bytes = 0;
	compose_reset(a->o->compose);
}

/* Adds the row's message, in a part of its own if need be. A row that cannot be told (a part of it
 * is gone) is left out. */
static void add(struct answer *a, enum list list, compose_fn *make, const struct row *r) {
	if (a->error != ERR_NONE) return;
	struct compose *c = a->o->compose;
	if (a->count[list] >= CODEC_LIST_MAX) send_part(a, false);
	ProtobufCMessage *m = make(c, r);
	bool full = compose_is_full(c);
	size_t size = m && !full ? protobuf_c_message_get_packed_size(m) + ENTRY_SLACK : 0;
	if (a->bytes > 0 && (full || a->bytes + size > CODEC_REPLY_BYTES_MAX - PART_SLACK)) {
		send_part(a, false); /* empties the arena, and with it the message just made */
		m = make(c, r);
		size = m ? protobuf_c_message_get_packed_size(m) + ENTRY_SLACK : 0;
	}
	if (!m || compose_is_full(c) || a->error != ERR_NONE) return;
	if (size > CODEC_REPLY_BYTES_MAX - PART_SLACK)
		return; /* codec.h: no single entry is that large */
	a->entry[list][a->count[list]++] = m;
	a->bytes += size;
}

static bool is_new(const struct answer *a, int64_t at_ms) {
	return a->sync->since_ms == 0 || (at_ms >= 0 && (uint64_t)at_ms >= a->sync->since_ms);
}

/* Calls fn for each durable row of a kind with that parent. */
static void each(struct answer *a, enum row_kind kind, int which, const char *parent,
				 void (*fn)(struct answer *a, const struct row *r)) {
	const struct state *st = a->o->st;
	const struct row *r = state_child(st, kind, which, span_str(parent), NULL);
	for (; r && a->error == ERR_NONE; r = state_child(st, kind, which, span_str(parent), r)) {
		if (state_durable(st, r)) fn(a, r);
	}
}

/* --- members --- */

/* One that waits for its claim is an admin's to see. */
static void one_device(struct answer *a, const struct row *r) {
	const struct row_device *d = (const struct row_device *)r;
	bool admin = a->o->who->kind == CRED_MEMBER && a->o->who->role == ROLE_ADMIN;
	if (state_is_claimed(a->o->st, d) || (admin && !d->retired && !d->claimed_ms))
		add(a, LIST_DEVICES, compose_device_info, r);
}

/* What an ended device had is shown no more, even where its row stays for a while (enrol.c). */
static void one_clip(struct answer *a, const struct row *r) {
	const struct row_clip *clip = (const struct row_clip *)r;
	if (state_is_claimed(a->o->st, state_device(a->o->st, span_str(clip->device))) &&
		is_new(a, clip->arrived_ms))
		add(a, LIST_CLIPS, compose_clip_info, r);
}

static bool is_adult(const struct row_credential *who) {
	return who->kind == CRED_MEMBER && (who->role == ROLE_ADULT || who->role == ROLE_ADMIN);
}

static size_t adults_of(const struct state *st, const char *home) {
	size_t n = 0;
	const struct row *r = state_child(st, ROW_CREDENTIAL, 0, span_str(home), NULL);
	for (; r; r = state_child(st, ROW_CREDENTIAL, 0, span_str(home), r)) {
		if (is_adult((const struct row_credential *)r)) n++;
	}
	return n;
}

/* Nobody is told that another adult decided (CONSENT 7): with several adults an ask stays listed
 * until it ends. */
static void one_ask(struct answer *a, const struct row *r) {
	const struct row_ask *ask = (const struct row_ask *)r;
	if (a->o->now.utc_ms >= ask->exp_ms) return;
	bool listed = ask->state == ASK_PENDING ||
				  (ask->state == ASK_DECIDED && adults_of(a->o->st, ask->home) > 1);
	if (listed) add(a, LIST_ASKS, compose_ask, r);
}

static void one_standing(struct answer *a, const struct row *r) {
	const struct row_standing *g = (const struct row_standing *)r;
	if (g->state == GSTATE_ACTIVE && a->o->now.utc_ms < g->exp_ms)
		add(a, LIST_GRANTS, compose_standing_info, r);
}

/* Was it approved, and is its release still ahead? A veto must look like that until the tick
 * (compose_grant_info). */
static bool is_before_release(const struct row_grant *g, int64_t now_ms) {
	bool by_system = g->state == GSTATE_REVOKED && g->actor_kind == 1;
	return g->actor[0] && g->nbf_ms == 0 && g->release_ms > now_ms &&
		   (g->state == GSTATE_REFUSED || g->state == GSTATE_EXPIRED || by_system);
}

static void one_grant(struct answer *a, const struct row *r) {
	const struct row_grant *g = (const struct row_grant *)r;
	int64_t now_ms = a->o->now.utc_ms;
	bool live = g->state == GSTATE_APPROVED || (g->state == GSTATE_ACTIVE && now_ms < g->exp_ms);
	if (live || is_before_release(g, now_ms)) add(a, LIST_GRANTS, compose_grant_info, r);
}

static void one_receipt(struct answer *a, const struct row *r) {
	if (is_new(a, ((const struct row_receipt *)r)->at_ms))
		add(a, LIST_RECEIPTS, compose_receipt, r);
}

static void one_member(struct answer *a, const struct row *r) {
	if (((const struct row_credential *)r)->kind == CRED_MEMBER)
		add(a, LIST_MEMBERS, compose_member_info, r);
}

static void member_devices(struct answer *a) {
	each(a, ROW_DEVICE, 0, a->o->who->subject, one_device);
}
static void member_clips(struct answer *a) {
	each(a, ROW_CLIP, 1, a->o->who->subject, one_clip);
}
static void member_receipts(struct answer *a) {
	each(a, ROW_RECEIPT, 0, a->o->who->subject, one_receipt);
}
static void member_members(struct answer *a) {
	each(a, ROW_CREDENTIAL, 0, a->o->who->subject, one_member);
}

static void member_asks(struct answer *a) {
	if (is_adult(a->o->who)) each(a, ROW_ASK, 1, a->o->who->subject, one_ask);
}

static void member_grants(struct answer *a) {
	each(a, ROW_STANDING, 0, a->o->who->subject, one_standing);
	each(a, ROW_GRANT, 1, a->o->who->subject, one_grant);
}

/* One's own only: another adult's objection is his affair. */
static void member_rules(struct answer *a) {
	const struct row_rules *rules = state_rules(a->o->st, span_str(a->o->who->username));
	if (rules && state_durable(a->o->st, &rules->row))
		add(a, LIST_RULES, compose_rules_info, &rules->row);
}

/* --- integrators --- */

static void integrator_grants(struct answer *a) {
	each(a, ROW_STANDING, 1, a->o->who->subject, one_standing);
}

static bool is_live(const struct answer *a, const struct row_standing *g) {
	return g->state == GSTATE_ACTIVE && a->o->now.utc_ms < g->exp_ms &&
		   state_durable(a->o->st, &g->row);
}

/* Does a grant newer in the list than `until` cover the device already? So that each device is
 * named once. */
static bool is_named(const struct answer *a, const struct row_device *d, const struct row *until) {
	struct span parent = span_str(a->o->who->subject);
	const struct row *r = state_child(a->o->st, ROW_STANDING, 1, parent, NULL);
	for (; r && r != until; r = state_child(a->o->st, ROW_STANDING, 1, parent, r)) {
		const struct row_standing *g = (const struct row_standing *)r;
		if (!is_live(a, g) || !span_eq(span_str(g->home), span_str(d->home))) continue;
		if (!g->device[0] || span_eq(span_str(g->device), span_str(d->id))) return true;
	}
	return false;
}

static void devices_of_grant(struct answer *a, const struct row *r) {
	const struct row_standing *g = (const struct row_standing *)r;
	if (!is_live(a, g)) return;
	const struct row *d = state_child(a->o->st, ROW_DEVICE, 0, span_str(g->home), NULL);
	for (; d; d = state_child(a->o->st, ROW_DEVICE, 0, span_str(g->home), d)) {
		const struct row_device *device = (const struct row_device *)d;
		if (g->device[0] && !span_eq(span_str(g->device), span_str(device->id))) continue;
		if (state_durable(a->o->st, d) && !is_named(a, device, r)) one_device(a, d);
	}
}

static void integrator_devices(struct answer *a) {
	each(a, ROW_STANDING, 1, a->o->who->subject, devices_of_grant);
}

/* --- officers --- */

static void one_request(struct answer *a, const struct row *r) {
	add(a, LIST_REQUESTS, compose_request_info, r);
}

static void one_notice(struct answer *a, const struct row *r) {
	if (is_new(a, ((const struct row_notice *)r)->at_ms)) add(a, LIST_NOTICES, compose_notice, r);
}

/* Listed as it was announced, and until the agency is told otherwise: a retraction must not show
 * between ticks (I9), so its not yet durable row does not hide the delivery either. */
static void one_delivery(struct answer *a, const struct row *r) {
	const struct row_notice *n = (const struct row_notice *)r;
	if (n->kind != VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_DELIVERY) return;
	const struct row_delivery *d = state_delivery(a->o->st, span_str(n->delivery));
	if (d && d->announced && !d->revoke_told) add(a, LIST_DELIVERIES, compose_notice, r);
}

static void officer_requests(struct answer *a) {
	each(a, ROW_REQUEST, 0, a->o->who->subject, one_request);
}
static void officer_deliveries(struct answer *a) {
	each(a, ROW_NOTICE, 0, a->o->who->subject, one_delivery);
}
static void officer_notices(struct answer *a) {
	each(a, ROW_NOTICE, 0, a->o->who->subject, one_notice);
}

/* --- relays --- */

static void one_purge(struct answer *a, const struct row *r) {
	const struct row_job *job = (const struct row_job *)r;
	if (job->kind != JOB_COPY && (!a->o->issue || a->o->issue(a->o->ctx, job)))
		add(a, LIST_JOBS, compose_job, r);
}

static void one_copy(struct answer *a, const struct row *r) {
	const struct row_job *job = (const struct row_job *)r;
	if (job->kind == JOB_COPY && (!a->o->issue || a->o->issue(a->o->ctx, job)))
		add(a, LIST_JOBS, compose_job, r);
}

static void relay_jobs(struct answer *a) {
	each(a, ROW_JOB, 0, a->o->who->subject, one_purge);
	each(a, ROW_JOB, 0, a->o->who->subject, one_copy);
}

/* --- who may ask for what --- */

static const struct topic_of_sync {
	enum cred_kind kind;
	Vestibule__V1__SyncWhat what;
	void (*answer)(struct answer *a);
} table[] = {
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES, member_devices},
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_MEMBERS, member_members},
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_RULES, member_rules},
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_ASKS, member_asks},
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_GRANTS, member_grants},
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_RECEIPTS, member_receipts},
	{CRED_MEMBER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_CLIPS, member_clips},
	{CRED_INTEGRATOR, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_GRANTS, integrator_grants},
	{CRED_INTEGRATOR, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES, integrator_devices},
	{CRED_OFFICER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_REQUESTS, officer_requests},
	{CRED_OFFICER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DELIVERIES, officer_deliveries},
	{CRED_OFFICER, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_NOTICES, officer_notices},
	{CRED_RELAY, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_JOBS, relay_jobs},
};

enum err sync_answer(const struct sync_opts *o, const Vestibule__V1__Sync *sync) {
	struct answer *a = calloc(1, sizeof(*a));
	if (!a) return ERR_NOMEM;
	a->o = o;
	a->sync = sync;
	buf_init(&a->out, CODEC_REPLY_BYTES_MAX);
	compose_reset(o->compose);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bool asked = sync->what == VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_UNSPECIFIED ||
					 sync->what == table[i].what;
		if (asked && (int64_t)table[i].kind == o->who->kind) table[i].answer(a);
	}
	send_part(a, true);
	enum err e = a->error;
	buf_fini(&a->out);
	free(a);
	return e;
}
