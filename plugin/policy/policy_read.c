/* READ: may this copy of a message go to this reader now? The gate that every delivery passes,
 * whatever was subscribed. The rules follow the column "read by" of the topic table in
 * proto/README.md. */
#include "plugin/policy/policy_impl.h"

/* What an event's age is measured by. An `at` after the arrival is not believed: it would let an
 * old event pass for a new one. 0, older than any grant, when it cannot be told. */
static int64_t effective_ms(const struct event_times *e) {
	uint64_t ms = event_effective_ms(e);
	if (ms > e->arrived_ms) ms = e->arrived_ms;
	return ms > INT64_MAX ? 0 : (int64_t)ms;
}

/* Is it an event that went through the plugin? (status has no event, and is published by the device
 * itself) */
static enum reason check_event(const struct policy_case *c, enum grant_kind kind) {
	if (kind == GRANT_NONE) return REASON_OK;
	return c->q->has_event && c->q->event.arrived_ms != 0 ? REASON_OK : REASON_NOT_CANONICAL;
}

static enum reason read_by_grant(const struct policy_case *c, const struct row_device *d,
								 enum grant_kind kind, const struct row_standing **grant) {
	int64_t now = c->q->now_ms;
	int64_t at = kind == GRANT_NONE ? now : effective_ms(&c->q->event);
	*grant = state_standing_for(c->st, c->subject, d, kind, now, at);
	if (!*grant && !state_standing_for(c->st, c->subject, d, kind, now, now))
		return REASON_NO_GRANT;
	enum reason r = check_event(c, kind);
	return r == REASON_OK && !*grant ? REASON_BEFORE_GRANT : r;
}

/* device/... and home/.../json/...: what a device tells. d is NULL when there is no such device (in
 * that home), or none that was claimed: the answer is then the same as for a device that is
 * somebody else's (I16). */
static enum reason read_event(const struct policy_case *c, const struct row_device *d,
							  enum grant_kind kind, const struct row_standing **grant) {
	switch ((enum cred_kind)c->who->kind) {
	case CRED_MEMBER:
		if (!d || !span_eq(span_str(d->home), c->subject)) return REASON_NOT_YOURS;
		return check_event(c, kind);
	case CRED_INTEGRATOR:
		/* The protobuf ClipReady carries the sealed header; a clip grant reads the JSON, which does
		 * not. */
		if (c->t.kind == TOPIC_DEVICE_CLIP_READY) return REASON_ROLE;
		return read_by_grant(c, d, kind, grant);
	default: return REASON_ROLE; /* I19, I20: officers never, whatever exists */
	}
}

static enum reason read_mirror(const struct policy_case *c, enum grant_kind kind,
							   const struct row_standing **grant) {
	const struct row_device *d = policy_claimed_device(c->st, c->t.device);
	if (d && !span_eq(span_str(d->home), c->t.owner)) d = NULL;
	if (c->who->kind == CRED_MEMBER && !span_eq(c->t.owner, c->subject)) return REASON_NOT_YOURS;
	return read_event(c, d, kind, grant);
}

static enum reason read_chunk(const struct policy_case *c) {
	if (c->who->kind != CRED_MEMBER && c->who->kind != CRED_RELAY) return REASON_ROLE;
	if (!span_eq(c->t.username, c->username)) return REASON_NOT_YOURS;
	if (c->who->kind == CRED_RELAY) return policy_relay_may_copy(c) ? REASON_OK : REASON_NO_GRANT;
	const struct row_device *d = policy_claimed_device(c->st, c->t.device);
	return d && span_eq(span_str(d->home), c->subject) ? REASON_OK : REASON_NOT_YOURS;
}

/* The part of a holder: a credential of that kind whose subject is id. */
static enum reason read_own(const struct policy_case *c, enum cred_kind kind, struct span id) {
	if (c->who->kind != (int64_t)kind) return REASON_ROLE;
	return span_eq(id, c->subject) ? REASON_OK : REASON_NOT_YOURS;
}

static enum reason read_ask(const struct policy_case *c) {
	enum reason r = read_own(c, CRED_MEMBER, c->t.owner);
	return r == REASON_OK && !policy_is_adult(c->who) ? REASON_ROLE : r;
}

/* --- alerts --- */

static bool is_blank(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the next word off *rest; empty when there is none. */
static struct span next_word(struct span *rest) {
	while (rest->len && is_blank(rest->ptr[0])) *rest = span_drop(*rest, 1);
	size_t len = 0;
	while (len < rest->len && !is_blank(rest->ptr[len])) len++;
	struct span word = span_of(rest->ptr, len);
	*rest = span_drop(*rest, len);
	return word;
}

/* The one rule that speaks of alerts; the whole language is consent/rules.h. */
static bool is_mute(struct span line) {
	struct span first = next_word(&line), second = next_word(&line);
	return span_eq(first, SPAN_LIT("mute")) && span_eq(second, SPAN_LIT("alerts")) &&
		   next_word(&line).len == 0;
}

/* A denial, so it counts before it is durable. */
static bool has_muted(const struct policy_case *c) {
	const struct row_rules *rules = state_rules(c->st, c->username);
	struct span rest = span_str(rules ? rules->text : NULL);
	while (rest.len) {
		const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
		if (is_mute(span_of(rest.ptr, len))) return true;
		rest = span_drop(rest, len + 1);
	}
	return false;
}

static bool is_home_in_cell(const struct policy_case *c, struct span cell) {
	const struct row *r = state_child(c->st, ROW_DEVICE, 0, c->subject, NULL);
	for (; r; r = state_child(c->st, ROW_DEVICE, 0, c->subject, r)) {
		const struct row_device *d = (const struct row_device *)r;
		if (state_is_claimed(c->st, d) && state_durable(c->st, r) &&
			span_starts(span_str(d->cell), cell))
			return true;
	}
	return false;
}

static enum reason read_alert(const struct policy_case *c) {
	if (!policy_is_adult(c->who)) return REASON_ROLE;
	return is_home_in_cell(c, c->t.cell) && !has_muted(c) ? REASON_OK : REASON_NOT_YOURS;
}

/* --- own, public, operator, listed --- */

static enum reason read_user(const struct policy_case *c) {
	if (!span_eq(c->t.username, c->username)) return REASON_NOT_YOURS;
	bool app = c->who->kind == CRED_APP;
	if (c->t.kind == TOPIC_USER_REPLY) return app ? REASON_ROLE : REASON_OK;
	if (c->t.kind == TOPIC_USER_DENIED) return REASON_OK;
	if (c->who->kind != CRED_OFFICER || c->who->role != ROLE_EVIDENCE) return REASON_ROLE;
	return c->agency_suspended ? REASON_SUSPENDED : REASON_OK;
}

static enum reason read_dollar(const struct policy_case *c) {
	if (c->who->kind != CRED_OPERATOR) return REASON_DOLLAR_TOPIC;
	bool sys = span_starts(c->q->name, SPAN_LIT("$SYS/"));
	return sys || c->t.kind == TOPIC_CONTROL_RESPONSE ? REASON_OK : REASON_DOLLAR_TOPIC;
}

enum reason policy_read(const struct policy_case *c, const struct row_standing **grant) {
	const struct row_device *d = NULL;
	if (topic_is_consumed(c->t.kind)) return REASON_CONSUMED_TOPIC;
	if (c->who->kind == CRED_MEMBER || c->who->kind == CRED_INTEGRATOR)
		d = policy_claimed_device(c->st, c->t.device);
	switch (c->t.kind) {
	case TOPIC_DEVICE_RING: return read_event(c, d, GRANT_RING, grant);
	case TOPIC_DEVICE_MOTION: return read_event(c, d, GRANT_MOTION, grant);
	case TOPIC_DEVICE_CLIP_READY: return read_event(c, d, GRANT_CLIP, grant);
	case TOPIC_DEVICE_STATUS: return read_event(c, d, GRANT_NONE, grant);
	case TOPIC_DEVICE_ACK:
	case TOPIC_DEVICE_PULL: return read_own(c, CRED_DEVICE, c->t.device);
	case TOPIC_DEVICE_CHUNK: return read_chunk(c);
	case TOPIC_HOME_JSON_RING: return read_mirror(c, GRANT_RING, grant);
	case TOPIC_HOME_JSON_MOTION: return read_mirror(c, GRANT_MOTION, grant);
	case TOPIC_HOME_JSON_CLIP_READY: return read_mirror(c, GRANT_CLIP, grant);
	case TOPIC_HOME_JSON_STATUS: return read_mirror(c, GRANT_NONE, grant);
	case TOPIC_HOME_ASK: return read_ask(c);
	case TOPIC_HOME_RECEIPT: return read_own(c, CRED_MEMBER, c->t.owner);
	case TOPIC_AGENCY_NOTICE: return read_own(c, CRED_OFFICER, c->t.owner);
	case TOPIC_RELAY_JOB: return read_own(c, CRED_RELAY, c->t.owner);
	case TOPIC_AREA_ALERT: return read_alert(c);
	case TOPIC_USER_REPLY:
	case TOPIC_USER_DENIED:
	case TOPIC_USER_LINK: return read_user(c);
	case TOPIC_PUBLIC_AGENCY:
	case TOPIC_PUBLIC_REQUEST: return c->who->kind == CRED_DEVICE ? REASON_ROLE : REASON_OK;
	case TOPIC_OPERATOR_HEALTH:
	case TOPIC_OPERATOR_METRICS: return c->who->kind == CRED_OPERATOR ? REASON_OK : REASON_ROLE;
	case TOPIC_CONTROL_RESPONSE:
	case TOPIC_DOLLAR: return read_dollar(c);
	case TOPIC_OTHER: return policy_listed(c, c->q->name, APP_READ) ? REASON_OK : REASON_NOT_YOURS;
	default: return REASON_NO_SUCH_TOPIC;
	}
}
