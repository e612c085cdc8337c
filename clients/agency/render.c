/* Lines for officers. What is printed when, and JSON, are list.c's and watch.c's. */
#include "clients/agency/render.h"

#include "clients/mq/show.h"

static void word(struct buf *b, const ProtobufCEnumDescriptor *e, int value) {
	buf_str(b, "  ");
	show_word(b, e, value, true);
}

static void seconds(struct buf *b, uint64_t ms) {
	buf_printf(b, "  %llu.%llu s", (unsigned long long)(ms / 1000),
			   (unsigned long long)(ms % 1000 / 100));
}

static void labelled_id(struct buf *b, const char *label, const ProtobufCBinaryData *id) {
	if (id->len == 0) return;
	buf_printf(b, "  %s ", label);
	show_id(b, id);
}

static void labelled_time(struct buf *b, const char *label, uint64_t ms) {
	if (ms == 0) return;
	buf_printf(b, "  %s ", label);
	show_time(b, ms);
}

void render_request(struct buf *b, const Vestibule__V1__RequestInfo *r) {
	const Vestibule__V1__Submit *s = r->submit;
	if (!s) return;
	show_id(b, &s->request_id);
	word(b, &vestibule__v1__request_state__descriptor, (int)r->state);
	word(b, &vestibule__v1__incident_type__descriptor, (int)s->incident_type);
	buf_str(b, s->emergency ? "  emergency  case " : "  case ");
	show_text(b, s->case_number);
	labelled_time(b, "from", s->from_ms);
	labelled_time(b, "to", s->to_ms);
	if (s->circle) buf_printf(b, "  %u m", (unsigned)s->circle->radius_m);
	buf_str(b, "  by ");
	show_text(b, r->author);
	if (r->approver && r->approver[0]) {
		buf_str(b, ", approved by ");
		show_text(b, r->approver);
	}
	labelled_time(b, "ends", r->exp_ms);
}

void render_delivery(struct buf *b, const Vestibule__V1__AgencyNotice *n) {
	show_id(b, &n->delivery_id);
	labelled_id(b, "request", &n->request_id);
	labelled_id(b, "source", &n->source);
	labelled_time(b, "start", n->start_ms);
	seconds(b, n->duration_ms);
	show_field(b, n->media_type);
	buf_printf(b, "  %llu bytes", (unsigned long long)n->payload_length);
	labelled_time(b, "until", n->exp_ms);
}

void render_notice(struct buf *b, const Vestibule__V1__AgencyNotice *n) {
	show_time(b, n->at_ms);
	word(b, &vestibule__v1__notice_kind__descriptor, (int)n->kind);
	if (n->state) word(b, &vestibule__v1__request_state__descriptor, (int)n->state);
	labelled_id(b, "request", &n->request_id);
	labelled_id(b, "delivery", &n->delivery_id);
	labelled_time(b, "start", n->start_ms);
	if (n->duration_ms) seconds(b, n->duration_ms);
	if (n->payload_length) buf_printf(b, "  %llu bytes", (unsigned long long)n->payload_length);
	labelled_time(b, "until", n->exp_ms);
	if (n->reason && n->reason[0]) {
		buf_str(b, "  reason ");
		show_text(b, n->reason);
	}
	if (n->kind == VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_REVOKED)
		buf_str(b, ": delete every copy");
}
