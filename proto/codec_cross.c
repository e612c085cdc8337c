/* Rules that span fields of one message. A rule that needs to know the world belongs to policy or
 * consent. */
#include "proto/codec_rules.h"

static bool is_set(ProtobufCBinaryData b) {
	return b.len > 0;
}

static bool is_text(const char *s) {
	return s && *s;
}

const char *codec_cross_claim(const ProtobufCMessage *msg) {
	const Vestibule__V1__DeviceClaim *m = (const void *)msg;
	return m->what_case == VESTIBULE__V1__DEVICE_CLAIM__WHAT__NOT_SET ? "what" : NULL;
}

const char *codec_cross_home(const ProtobufCMessage *msg) {
	const Vestibule__V1__HomeCommand *m = (const void *)msg;
	return m->what_case == VESTIBULE__V1__HOME_COMMAND__WHAT__NOT_SET ? "what" : NULL;
}

const char *codec_cross_agency(const ProtobufCMessage *msg) {
	const Vestibule__V1__AgencyCommand *m = (const void *)msg;
	return m->what_case == VESTIBULE__V1__AGENCY_COMMAND__WHAT__NOT_SET ? "what" : NULL;
}

const char *codec_cross_answer(const ProtobufCMessage *msg) {
	const Vestibule__V1__Answer *m = (const void *)msg;
	return (m->n_decisions > 0) == (m->none != 0) ? "decisions" : NULL;
}

const char *codec_cross_decision(const ProtobufCMessage *msg) {
	const Vestibule__V1__Decision *m = (const void *)msg;
	if (m->yes) return NULL;
	return is_set(m->header) ? "header" : m->exp_ms ? "exp_ms" : NULL;
}

const char *codec_cross_enrol(const ProtobufCMessage *msg) {
	const Vestibule__V1__EnrolHome *m = (const void *)msg;
	return is_text(m->username) == is_set(m->token_sha256) ? NULL : "token_sha256";
}

const char *codec_cross_ring(const ProtobufCMessage *msg) {
	const Vestibule__V1__Ring *m = (const void *)msg;
	return m->n_lat_e7 != m->n_lon_e7 ? "lon_e7" : NULL;
}

const char *codec_cross_job(const ProtobufCMessage *msg) {
	const Vestibule__V1__RelayJob *m = (const void *)msg;
	if (m->kind != VESTIBULE__V1__JOB_KIND__JOB_KIND_COPY) return NULL;
	if (!is_text(m->device)) return "device";
	if (!is_set(m->clip_id)) return "clip_id";
	if (m->payload_length == 0) return "payload_length";
	return is_set(m->payload_sha256) ? NULL : "payload_sha256";
}

const char *codec_cross_report(const ProtobufCMessage *msg) {
	const Vestibule__V1__RelayReport *m = (const void *)msg;
	if (m->kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_COPIED) {
		if (m->payload_length == 0) return "payload_length";
		return is_set(m->payload_sha256) ? NULL : "payload_sha256";
	}
	if (m->kind == VESTIBULE__V1__REPORT_KIND__REPORT_KIND_LINK) {
		if (!is_text(m->url)) return "url";
		return m->expires_ms ? NULL : "expires_ms";
	}
	return NULL;
}
