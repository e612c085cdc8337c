/* WRITE: may this sender publish that kind of message there? Who first, then how (will, QoS,
 * retain): the table of limits below is the columns "QoS" and "written by" of the topic table in
 * proto/README.md. */
#include "plugin/policy/policy_impl.h"

/* The part of a holder: a credential of that kind whose subject is id. */
static enum reason write_own(const struct policy_case *c, enum cred_kind kind, struct span id) {
	if (c->who->kind != (int64_t)kind) return REASON_ROLE;
	return span_eq(id, c->subject) ? REASON_OK : REASON_NOT_YOURS;
}

static enum reason write_pull(const struct policy_case *c) {
	if (c->who->kind != CRED_MEMBER && c->who->kind != CRED_RELAY) return REASON_ROLE; /* I19 */
	if (!span_eq(c->t.username, c->username)) return REASON_NOT_YOURS;
	if (c->who->kind == CRED_RELAY) return policy_relay_may_copy(c) ? REASON_OK : REASON_NO_GRANT;
	const struct row_device *d = policy_claimed_device(c->st, c->t.device);
	return d && span_eq(span_str(d->home), c->subject) ? REASON_OK : REASON_NOT_YOURS;
}

/* Nothing from before the claim is taken, so that nobody can be shown it later. A claim that is not
 * on disk yet counts here: a refusal would be permanent, and READ waits for the commit. */
static enum reason write_event(const struct policy_case *c) {
	enum reason r = write_own(c, CRED_DEVICE, c->t.device);
	if (r != REASON_OK) return r;
	const struct row_device *d = policy_live_device(c->st, c->t.device);
	return d && d->claimed_ms != 0 ? REASON_OK : REASON_UNCLAIMED;
}

static enum reason write_home_command(const struct policy_case *c) {
	enum reason r = write_own(c, CRED_MEMBER, c->t.owner);
	return r == REASON_OK && !policy_is_adult(c->who) ? REASON_ROLE : r; /* I8 */
}

/* What an officer's role may command is the consent engine's to say; an auditor commands nothing.
 */
static enum reason write_agency_command(const struct policy_case *c) {
	enum reason r = write_own(c, CRED_OFFICER, c->t.owner);
	if (r != REASON_OK) return r;
	if (c->who->role == ROLE_AUDITOR) return REASON_ROLE;
	return c->agency_suspended ? REASON_SUSPENDED : REASON_OK;
}

static enum reason write_sync(const struct policy_case *c) {
	if (c->who->kind == CRED_APP) return REASON_ROLE;
	return span_eq(c->t.username, c->username) ? REASON_OK : REASON_NOT_YOURS;
}

static bool is_status(struct span s) {
	return span_eq(s, SPAN_LIT("online")) || span_eq(s, SPAN_LIT("sleeping")) ||
		   span_eq(s, SPAN_LIT("offline"));
}

static enum reason write_status(const struct policy_case *c) {
	enum reason r = write_own(c, CRED_DEVICE, c->t.device);
	return r == REASON_OK && !is_status(c->q->status) ? REASON_MALFORMED : r;
}

static enum reason check_sender(const struct policy_case *c) {
	switch (c->t.kind) {
	case TOPIC_DEVICE_RING:
	case TOPIC_DEVICE_MOTION:
	case TOPIC_DEVICE_CLIP_READY: return write_event(c);
	case TOPIC_DEVICE_CHUNK:
	case TOPIC_DEVICE_CLAIM: return write_own(c, CRED_DEVICE, c->t.device);
	case TOPIC_DEVICE_STATUS: return write_status(c);
	case TOPIC_DEVICE_PULL: return write_pull(c);
	case TOPIC_HOME_COMMAND: return write_home_command(c);
	case TOPIC_AGENCY_COMMAND: return write_agency_command(c);
	case TOPIC_RELAY_REPORT: return write_own(c, CRED_RELAY, c->t.owner);
	case TOPIC_USER_SYNC: return write_sync(c);
	case TOPIC_CONTROL: return c->who->kind == CRED_OPERATOR ? REASON_OK : REASON_DOLLAR_TOPIC;
	case TOPIC_CONTROL_RESPONSE:
	case TOPIC_DOLLAR: return REASON_DOLLAR_TOPIC;
	case TOPIC_OTHER: return policy_listed(c, c->q->name, APP_WRITE) ? REASON_OK : REASON_NOT_YOURS;
	default: return REASON_ROLE; /* the plugin alone publishes there */
	}
}

/* --- how --- */

static uint8_t qos_max(enum topic_kind kind) {
	switch (kind) {
	case TOPIC_DEVICE_RING:
	case TOPIC_DEVICE_CLIP_READY:
	case TOPIC_DEVICE_CLAIM:
	case TOPIC_HOME_COMMAND:
	case TOPIC_AGENCY_COMMAND:
	case TOPIC_RELAY_REPORT:
	case TOPIC_USER_SYNC:
	case TOPIC_CONTROL: return 1;
	case TOPIC_OTHER: return 2; /* not ours: the program's own affair */
	default: return 0;
	}
}

/* I13. What an app does with its own topics is not ours. */
static bool may_retain(enum topic_kind kind) {
	return kind == TOPIC_DEVICE_STATUS || kind == TOPIC_OTHER;
}

enum reason policy_write(const struct policy_case *c) {
	enum reason r = check_sender(c);
	if (r != REASON_OK) return r;
	if (c->q->is_will && c->t.kind != TOPIC_DEVICE_STATUS) return REASON_WILL; /* I18 */
	if (c->q->qos > qos_max(c->t.kind)) return REASON_QOS;
	return c->q->retain && !may_retain(c->t.kind) ? REASON_RETAIN : REASON_OK;
}
