/* One sync, printed. Live notices are watch.c's. */
#include "clients/agency/list.h"

#include "clients/agency/render.h"
#include "clients/agency/session.h"
#include "clients/mq/listing.h"
#include "clients/mq/show.h"
#include "lib/clock.h"

struct list {
	struct listing items;
	struct buf line;
	bool json;
};

/* Adds what is in the line, or the message as JSON; empties the line. */
static void add(struct list *l, uint64_t at_ms, const ProtobufCBinaryData *id,
				const ProtobufCMessage *msg) {
	if (l->json) {
		buf_reset(&l->line);
		enum err e = codec_json(msg, &l->line);
		if (e != ERR_NONE && l->items.error == ERR_NONE) l->items.error = e;
	}
	if (buf_error(&l->line) != ERR_NONE && l->items.error == ERR_NONE)
		l->items.error = buf_error(&l->line);
	listing_add(&l->items, at_ms, span_of(id->data, id->len), buf_view(&l->line));
	buf_reset(&l->line);
}

static void requests_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_requests; i++) {
		const Vestibule__V1__RequestInfo *r = part->requests[i];
		if (!r->submit) continue;
		render_request(&l->line, r);
		add(l, r->submitted_ms, &r->submit->request_id, &r->base);
	}
}

static void deliveries_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_deliveries; i++) {
		const Vestibule__V1__AgencyNotice *n = part->deliveries[i];
		render_delivery(&l->line, n);
		add(l, n->start_ms, &n->delivery_id, &n->base);
	}
}

static void notices_part(void *ctx, const Vestibule__V1__Reply *part) {
	struct list *l = ctx;
	for (size_t i = 0; i < part->n_notices; i++) {
		const Vestibule__V1__AgencyNotice *n = part->notices[i];
		render_notice(&l->line, n);
		add(l, n->at_ms, &n->notice_id, &n->base);
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

enum exit_code list_requests(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_REQUESTS, requests_part);
}

enum exit_code list_deliveries(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_DELIVERIES, deliveries_part);
}

enum exit_code list_notices(const struct opt_common *common, const struct settings *set) {
	return run(common, set, VESTIBULE__V1__SYNC_WHAT__SYNC_WHAT_NOTICES, notices_part);
}
