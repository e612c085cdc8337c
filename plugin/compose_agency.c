/* See compose.h: what officers get, and the private answers. Everything an agency can see leaves
 * through this file: pseudonyms of the delivery, never a device, home or member (I9, I11). */
#include "plugin/compose_impl.h"

static void delivery_facts(struct compose *c, const struct row_delivery *d,
						   Vestibule__V1__AgencyNotice *m) {
	const struct row_grant *g = state_grant(c->st, span_str(d->grant));
	const struct row_clip *clip = g ? state_clip(c->st, span_str(g->clip)) : NULL;
	m->source = compose_uuid(c, d->source);
	if (!clip) return;
	m->start_ms = compose_ms(clip->start_ms);
	m->duration_ms = (uint32_t)clip->duration_ms;
	m->media_type = compose_text(clip->media_type);
	m->payload_length = (uint64_t)clip->payload_length;
	m->payload_sha256 = compose_hex(c, clip->payload_sha256, 32);
	m->exp_ms = compose_ms(g->exp_ms);
}

ProtobufCMessage *compose_notice(struct compose *c, const struct row *r) {
	const struct row_notice *row = (const struct row_notice *)r;
	Vestibule__V1__AgencyNotice *m = compose_message(c, &vestibule__v1__agency_notice__descriptor);
	if (!m) return NULL;
	m->notice_id = compose_uuid(c, row->id);
	m->at_ms = compose_ms(row->at_ms);
	m->kind = (Vestibule__V1__NoticeKind)row->kind;
	m->in_reply_to = compose_uuid(c, row->in_reply_to);
	m->request_id = compose_uuid(c, row->request);
	m->state = (Vestibule__V1__RequestState)row->state;
	if (row->reason > REASON_OK && row->reason < REASON_COUNT)
		m->reason = compose_text(reason_word((enum reason)row->reason));
	m->delivery_id = compose_uuid(c, row->delivery);
	const struct row_delivery *d = state_delivery(c->st, span_str(row->delivery));
	if (d && row->kind == VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_DELIVERY) delivery_facts(c, d, m);
	return &m->base;
}

static Vestibule__V1__Submit *submit_of(struct compose *c, const struct row_request *row) {
	Vestibule__V1__Submit *m = compose_message(c, &vestibule__v1__submit__descriptor);
	Vestibule__V1__Circle *circle =
		m ? compose_message(c, &vestibule__v1__circle__descriptor) : NULL;
	if (!circle) return NULL;
	m->request_id = compose_uuid(c, row->id);
	m->incident_type = (Vestibule__V1__IncidentType)row->incident;
	m->purpose = (Vestibule__V1__Purpose)row->purpose;
	m->emergency = row->emergency != 0;
	m->case_number = compose_text(row->case_number);
	m->reason = compose_text(row->reason);
	circle->lat_e7 = (int32_t)row->lat_e7;
	circle->lon_e7 = (int32_t)row->lon_e7;
	circle->radius_m = (uint32_t)row->radius_m;
	m->circle = circle;
	m->from_ms = compose_ms(row->from_ms);
	m->to_ms = compose_ms(row->to_ms);
	m->open_hours = (uint32_t)(row->life_ms / 3600000);
	return m;
}

ProtobufCMessage *compose_request_info(struct compose *c, const struct row *r) {
	const struct row_request *row = (const struct row_request *)r;
	Vestibule__V1__RequestInfo *m = compose_message(c, &vestibule__v1__request_info__descriptor);
	Vestibule__V1__Submit *submit = m ? submit_of(c, row) : NULL;
	if (!submit) return NULL;
	m->submit = submit;
	m->state = (Vestibule__V1__RequestState)row->state;
	m->author = compose_text(row->author);
	m->approver = compose_text(row->approver);
	m->submitted_ms = compose_ms(row->submitted_ms);
	m->opened_ms = compose_ms(row->opened_ms);
	m->exp_ms = compose_ms(row->exp_ms);
	return &m->base;
}

/* --- private answers --- */

static ProtobufCBinaryData fresh_id(struct compose *c, bool for_agency, int64_t at_ms) {
	uint8_t random[10];
	uint8_t *id = compose_alloc(c, UUID_BYTES);
	if (!id) return (ProtobufCBinaryData){0, NULL};
	bool own = for_agency && c->rnd.fill_agency;
	(own ? c->rnd.fill_agency : c->rnd.fill)(c->rnd.ctx, random, sizeof(random));
	uuid_v7(at_ms, random, id);
	return (ProtobufCBinaryData){UUID_BYTES, id};
}

static bool private_notice(struct compose *c, const struct tell *tell, bool unavailable,
						   int64_t at_ms, Vestibule__V1__Reply *reply) {
	Vestibule__V1__AgencyNotice *m = compose_message(c, &vestibule__v1__agency_notice__descriptor);
	reply->notices = m ? compose_alloc(c, sizeof(void *)) : NULL;
	if (!reply->notices) return false;
	m->notice_id = fresh_id(c, true, at_ms);
	m->at_ms = compose_ms(at_ms);
	m->in_reply_to = compose_uuid(c, tell->event_id);
	m->kind = VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_RECORDED;
	if (unavailable) {
		m->kind = VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_UNAVAILABLE;
	} else if (tell->reason != REASON_OK) {
		m->kind = VESTIBULE__V1__NOTICE_KIND__NOTICE_KIND_REFUSED;
		m->reason = compose_text(reason_word(tell->reason));
	}
	reply->notices[reply->n_notices++] = m;
	return true;
}

static bool private_receipt(struct compose *c, const struct tell *tell, int64_t at_ms,
							Vestibule__V1__Reply *reply) {
	Vestibule__V1__Receipt *m = compose_message(c, &vestibule__v1__receipt__descriptor);
	reply->receipts = m ? compose_alloc(c, sizeof(void *)) : NULL;
	if (!reply->receipts) return false;
	m->receipt_id = fresh_id(c, false, at_ms);
	m->at_ms = compose_ms(at_ms);
	m->in_reply_to = compose_uuid(c, tell->event_id);
	m->kind = VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_RECORDED;
	if (tell->reason != REASON_OK) {
		m->kind = VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_REFUSED;
		m->reason = compose_text(reason_word(tell->reason));
		m->detail = compose_text(reason_sentence(tell->reason));
	}
	reply->receipts[reply->n_receipts++] = m;
	return true;
}

ProtobufCMessage *compose_private(struct compose *c, const struct tell *tell, bool officer,
								  bool unavailable, int64_t at_ms) {
	Vestibule__V1__Reply *reply = compose_message(c, &vestibule__v1__reply__descriptor);
	if (!reply) return NULL;
	reply->in_reply_to = compose_uuid(c, tell->event_id);
	reply->last = true;
	if (tell->reason != REASON_OK) reply->sentence = compose_text(reason_sentence(tell->reason));
	bool made = officer ? private_notice(c, tell, unavailable, at_ms, reply)
						: private_receipt(c, tell, at_ms, reply);
	return made ? &reply->base : NULL;
}

ProtobufCMessage *compose_fetch_link(struct compose *c, const struct row_delivery *d,
									 const char *event_id,
									 const Vestibule__V1__RelayReport *report) {
	const struct row_grant *g = state_grant(c->st, span_str(d->grant));
	const struct row_clip *clip = g ? state_clip(c->st, span_str(g->clip)) : NULL;
	Vestibule__V1__FetchLink *m =
		clip ? compose_message(c, &vestibule__v1__fetch_link__descriptor) : NULL;
	if (!m) return NULL;
	m->delivery_id = compose_uuid(c, d->id);
	m->in_reply_to = compose_uuid(c, event_id);
	m->url = report->url;
	m->expires_ms = report->expires_ms;
	m->header = compose_blob(g->header);
	m->payload_length = (uint64_t)clip->payload_length;
	m->payload_sha256 = compose_hex(c, clip->payload_sha256, 32);
	m->media_type = compose_text(clip->media_type);
	return &m->base;
}
