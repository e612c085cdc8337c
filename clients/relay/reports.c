/* Reports on the wire. Which report a job gets is decided in the outbox, with the state of its
 * object. */
#include "clients/relay/reports.h"

#include <sys/random.h>

#include "lib/failpoint.h"

struct sent {
	int mid;
	uint64_t seq; /* 0: free */
};

struct reports {
	struct core *core;
	char topic[MQ_TOPIC_SIZE];
	struct sent in_flight[REPORTS_IN_FLIGHT];
	uint64_t after;  /* everything up to this seq was sent on this connection */
	int64_t scan_ms; /* boot time of the next look */
};

struct reports *reports_new(struct core *core, const char *relay) {
	struct reports *r = calloc(1, sizeof(*r));
	if (!r) return NULL;
	r->core = core;
	if (mq_topic("relay", relay, "report", r->topic) == ERR_NONE) return r;
	free(r);
	return NULL;
}

void reports_free(struct reports *r) {
	free(r);
}

static ProtobufCBinaryData bytes_of(uint8_t *ptr, size_t len) {
	return (ProtobufCBinaryData){.len = len, .data = ptr};
}

static enum err publish(struct reports *r, const Vestibule__V1__RelayReport *msg, int *mid) {
	struct codec_fault why;
	enum err e = codec_validate(CODEC_RELAY_REPORT, &msg->base, &why);
	if (e != ERR_NONE) {
		log_line(r->core->log, LOG_ERROR, "report_invalid", "field", why.field, "limit", why.limit,
				 NULL);
		return ERR_INPUT;
	}
	return mq_publish_msg(r->core->mq, r->topic, &msg->base, 1, mid);
}

static enum err send_row(struct reports *r, struct outbox_report *row, int *mid) {
	Vestibule__V1__RelayReport msg = VESTIBULE__V1__RELAY_REPORT__INIT;
	msg.event_id = bytes_of(row->event_id, UUID_BYTES);
	msg.at_ms = (uint64_t)row->at_ms;
	msg.synced = r->core->now.sound;
	msg.seq = row->seq;
	msg.job_id = bytes_of(row->job_id, UUID_BYTES);
	msg.kind = (Vestibule__V1__ReportKind)row->kind;
	msg.object = row->object;
	if (row->kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED) {
		msg.payload_length = row->length;
		msg.payload_sha256 = bytes_of(row->sha256, OUTBOX_SHA256);
	}
	return publish(r, &msg, mid);
}

static struct sent *free_sent(struct reports *r) {
	for (size_t i = 0; i < REPORTS_IN_FLIGHT; i++) {
		if (!r->in_flight[i].seq) return &r->in_flight[i];
	}
	return NULL;
}

void reports_turn(struct reports *r) {
	struct sent *place;
	struct outbox_report row;
	bool is_due = r->core->news || r->core->now.boot_ms >= r->scan_ms;
	if (!is_due || !mq_is_connected(r->core->mq)) return;
	r->core->news = false;
	r->scan_ms = r->core->now.boot_ms + CORE_SCAN_MS;
	while ((place = free_sent(r))) {
		int mid = 0;
		enum err e = outbox_unsent(r->core->outbox, r->after, &row);
		if (e == ERR_STORE) core_outbox_trouble(r->core, NULL);
		if (e != ERR_NONE) return;
		e = send_row(r, &row, &mid);
		if (e == ERR_NET) return; /* the next connection sends it */
		r->after = row.seq;
		if (e != ERR_NONE) continue;
		(void)failpoint_hit("report-sent");
		*place = (struct sent){.mid = mid, .seq = row.seq};
		log_line(r->core->log, LOG_INFO, "report", "object", row.object, "kind",
				 codec_word(&vestibule__v1__report_kind__descriptor, row.kind), NULL);
	}
}

void reports_connected(struct reports *r) {
	memset(r->in_flight, 0, sizeof(r->in_flight));
	r->after = 0;
	r->scan_ms = 0;
}

void reports_published(struct reports *r, int mid, int code) {
	for (size_t i = 0; i < REPORTS_IN_FLIGHT; i++) {
		struct sent *s = &r->in_flight[i];
		if (!s->seq || s->mid != mid) continue;
		/* a refusal is for ever: it is told, and the job may come again */
		if (code >= 0x80)
			log_line(r->core->log, LOG_ERROR, "report_refused", "why", mq_reason(code), NULL);
		if (outbox_acked(r->core->outbox, s->seq) != ERR_NONE) core_outbox_trouble(r->core, NULL);
		(void)failpoint_hit("report-acked");
		*s = (struct sent){.seq = 0};
		r->scan_ms = 0; /* a place is free */
		return;
	}
}

enum err reports_event_id(const struct core *core, uint8_t id[UUID_BYTES]) {
	uint8_t random[10];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) return ERR_STORE;
	uuid_v7(core->now.utc_ms, random, id);
	return ERR_NONE;
}

void reports_link(struct reports *r, const Vestibule__V1__RelayJob *job, const char *url,
				  int64_t expires_ms) {
	uint8_t event_id[UUID_BYTES];
	uint64_t seq = 0;
	if (reports_event_id(r->core, event_id) != ERR_NONE) return;
	if (outbox_next_seq(r->core->outbox, &seq) != ERR_NONE) {
		core_outbox_trouble(r->core, job->object);
		return;
	}
	Vestibule__V1__RelayReport msg = VESTIBULE__V1__RELAY_REPORT__INIT;
	msg.event_id = bytes_of(event_id, sizeof(event_id));
	msg.at_ms = (uint64_t)r->core->now.utc_ms;
	msg.synced = r->core->now.sound;
	msg.seq = seq;
	msg.job_id = job->job_id;
	msg.kind = VESTIBULE__V1__REPORT_KIND__REPORT_KIND_LINK;
	msg.object = job->object;
	msg.url = (char *)(uintptr_t)url; /* protobuf-c has no const; it only reads */
	msg.expires_ms = (uint64_t)expires_ms;
	if (publish(r, &msg, NULL) == ERR_NONE)
		log_line(r->core->log, LOG_INFO, "link", "object", job->object, NULL);
}
