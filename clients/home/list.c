/* One sync, printed. Live messages are watch.c's. */
#include "clients/home/list.h"

#include "clients/home/render.h"
#include "clients/home/session.h"
#include "clients/mq/listing.h"
#include "clients/mq/show.h"
#include "lib/clock.h"

struct list {
	struct listing items;
	struct buf line;
	bool json;
};

/* Adds what is in the line, or the message as JSON; empties the line. */
static void add(struct list *l, uint64_t at_ms, struct span key, const ProtobufCMessage *msg) {
	if (l->json) {
		buf_reset(&l->line);
		enum err e = codec_json(msg, &l->line);
		if (e != ERR_NONE && l->items.error == ERR_NONE) l->items.error = e;
	}
	if (buf_error(&l->line) != ERR_NONE && l->items.error == ERR_NONE)
		l->items.error = buf_error(&l->line);
	listing_add(&l->items, at_ms, key, buf_view(&l->line));
	buf_reset(&l->line);
}

static struct span id_span(const ProtobufCBinaryData *id) {
	return span_of(id->data, id->len);
}

static void devices_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_devices; i++) {
		const Vestibule__V1__DeviceInfo *d = part->devices[i];
		render_device(&l->line, d);
		add(l, 0, span_str(d->device), &d->base);
	}
}

static void members_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_members; i++) {
		const Vestibule__V1__MemberInfo *m = part->members[i];
		render_member(&l->line, m);
		add(l, 0, span_str(m->username), &m->base);
	}
}

static void clips_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_clips; i++) {
		const Vestibule__V1__ClipInfo *c = part->clips[i];
		if (!c->clip) continue;
		render_clip(&l->line, c);
		add(l, c->clip->start_ms, id_span(&c->clip->clip_id), &c->base);
	}
}

static void asks_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_asks; i++) {
		const Vestibule__V1__Ask *a = part->asks[i];
		render_ask(&l->line, a);
		add(l, a->expires_ms, id_span(&a->ask_id), &a->base);
	}
}

static void grants_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_grants; i++) {
		const Vestibule__V1__GrantInfo *g = part->grants[i];
		render_grant(&l->line, g);
		add(l, g->nbf_ms, id_span(&g->grant_id), &g->base);
	}
}

static void receipts_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_receipts; i++) {
		const Vestibule__V1__Receipt *r = part->receipts[i];
		render_receipt(&l->line, r);
		add(l, r->at_ms, id_span(&r->receipt_id), &r->base);
	}
}

/* Connects, asks, prints. */
static enum exit_code run(const struct opt_common *common, const struct settings *settings,
						  Vestibule__V1__SyncWhat what,
						  void (*part)(void *, const Vestibule__V1__Reply *)) {
	int64_t begin_ms = settings->since_ms ? clock_read().utc_ms - settings->since_ms : 0;
	struct session s;
	struct list l = {.json = common->json};
	struct exchange_sink sink = {part, &l};
	listing_init(&l.items);
	buf_init(&l.line, SHOW_LINE_MAX);
	enum exit_code rc = session_open(&s, common, settings, &(struct mq_opts){0});
	if (rc == EXIT_RECORDED) rc = session_sync(&s, what, (uint64_t)begin_ms, &sink);
	if (rc == EXIT_RECORDED && !listing_print(&l.items)) rc = EXIT_INTERNAL;
	session_close(&s);
	buf_fini(&l.line);
	listing_fini(&l.items);
	return rc;
}

enum exit_code list_devices(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DEVICES, devices_part);
}

enum exit_code list_members(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_MEMBERS, members_part);
}

enum exit_code list_clips(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_CLIPS, clips_part);
}

enum exit_code list_asks(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_ASKS, asks_part);
}

enum exit_code list_grants(const struct opt_common *common, const struct settings *set) {
	if (set->action && !span_eq(span_str(set->action), SPAN_LIT("list"))) {
		return session_fail(EXIT_USAGE, "grants %s: only list can follow", set->action);
	}
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_GRANTS, grants_part);
}

enum exit_code list_receipts(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_RECEIPTS, receipts_part);
}
