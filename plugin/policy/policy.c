/* The general checks that come before every rule, and what several rules share. The rules
 * themselves: policy_read.c, policy_write.c and policy_subscribe.c; logins and names:
 * policy_login.c. */
#include "plugin/policy/policy.h"

#include "plugin/policy/policy_impl.h"

static struct verdict deny(enum reason reason) {
	return (struct verdict){VERDICT_DENY, reason, NULL};
}

/* --- who --- */

/* Is what the credential stands for in use? It exists as long as a credential names it
 * (state_check.h), but may be retired under its credential. */
static bool is_subject_live(const struct state *st, const struct row_credential *who) {
	struct span subject = span_str(who->subject);
	const struct row_integrator *integrator;
	const struct row_agency *agency;
	switch (who->kind) {
	case CRED_DEVICE: return policy_live_device(st, subject) != NULL;
	case CRED_INTEGRATOR:
		integrator = state_integrator(st, subject);
		return integrator && !integrator->retired;
	case CRED_OFFICER: agency = state_agency(st, subject); return agency && !agency->retired;
	default: return who->kind > CRED_NONE && who->kind < CRED_KINDS;
	}
}

enum reason policy_check_who(const struct state *st, const struct row_credential *who,
							 const struct policy_opts *opts) {
	if (!who) return REASON_UNKNOWN_CREDENTIAL;
	if (who->suspended) return REASON_SUSPENDED; /* a denial needs no commit */
	if (!state_durable(st, &who->row)) return REASON_NOT_DURABLE;
	if (!is_subject_live(st, who)) return REASON_NOT_YOURS;
	if (who->kind == CRED_OFFICER && !(opts && opts->agencies)) return REASON_AGENCIES_OFF;
	return REASON_OK;
}

/* --- health --- */

/* With a clock that cannot be trusted nothing is allowed but the way out: a retraction counts at
 * once, its receipt gets home, and the operator sees the alarm and can set it right. Subscribing
 * routes nothing by itself, each copy is asked for, so it is judged as ever: a refusal would be
 * permanent for the client. */
static bool is_way_out(const struct question *q, enum topic_kind kind) {
	if (q->access == ACCESS_SUBSCRIBE) return true;
	if (q->access == ACCESS_WRITE)
		return kind == TOPIC_HOME_COMMAND || kind == TOPIC_DEVICE_CLAIM || kind == TOPIC_CONTROL;
	return kind == TOPIC_USER_REPLY || kind == TOPIC_USER_DENIED || kind == TOPIC_OPERATOR_HEALTH ||
		   kind == TOPIC_CONTROL_RESPONSE;
}

static bool may_decide(const struct state *st, const struct question *q, enum topic_kind kind) {
	struct state_health h = state_health(st);
	if (h.incomplete || h.refusing) return false;
	return !h.unsound || is_way_out(q, kind);
}

/* --- the decision --- */

static enum reason check_topic(const struct policy_case *c, bool parsed) {
	if (c->q->access == ACCESS_SUBSCRIBE) return REASON_OK; /* a filter, not a name */
	return parsed ? REASON_OK : REASON_NO_SUCH_TOPIC;
}

static enum reason apply_rules(const struct policy_case *c, const struct row_standing **grant) {
	switch (c->q->access) {
	case ACCESS_READ: return policy_read(c, grant);
	case ACCESS_WRITE: return policy_write(c);
	case ACCESS_SUBSCRIBE: return policy_subscribe(c);
	case ACCESS_NONE: break;
	}
	return REASON_NONE_GIVEN;
}

struct verdict policy_decide(const struct state *st, const struct question *q,
							 const struct policy_opts *opts) {
	struct policy_case c = {.st = st, .q = q, .who = q->who};
	bool parsed = q->access != ACCESS_SUBSCRIBE && topic_parse(q->name, &c.t) == ERR_NONE;
	if (!st || !may_decide(st, q, c.t.kind)) return deny(REASON_NOT_READY);
	enum reason reason = policy_check_who(st, q->who, opts);
	if (reason == REASON_OK) reason = check_topic(&c, parsed);
	if (reason != REASON_OK) return deny(reason);

	c.subject = span_str(q->who->subject);
	c.username = span_str(q->who->username);
	const struct row_agency *agency =
		q->who->kind == CRED_OFFICER ? state_agency(st, c.subject) : NULL;
	c.agency_suspended = agency && agency->suspended;
	const struct row_standing *grant = NULL;
	reason = apply_rules(&c, &grant);
	if (reason != REASON_OK) return deny(reason);
	return (struct verdict){VERDICT_ALLOW, REASON_OK, grant};
}

/* --- shared by the rules --- */

bool policy_is_adult(const struct row_credential *who) {
	return who->kind == CRED_MEMBER && (who->role == ROLE_ADULT || who->role == ROLE_ADMIN);
}

const struct row_device *policy_live_device(const struct state *st, struct span id) {
	const struct row_device *d = state_device(st, id);
	return d && !d->retired ? d : NULL;
}

const struct row_device *policy_claimed_device(const struct state *st, struct span id) {
	const struct row_device *d = state_device(st, id);
	return state_is_claimed(st, d) ? d : NULL;
}

bool policy_relay_may_copy(const struct policy_case *c) {
	if (!policy_live_device(c->st, c->t.device)) return false;
	const struct row_job *job = state_copy_job(c->st, c->subject, c->t.device, c->t.clip);
	const struct row_delivery *d = job ? state_delivery(c->st, span_str(job->delivery)) : NULL;
	const struct row_grant *g = d ? state_grant(c->st, span_str(d->grant)) : NULL;
	const struct row_request *r = g ? state_request(c->st, span_str(g->request)) : NULL;
	const struct row_agency *a = g ? state_agency(c->st, span_str(g->agency)) : NULL;
	if (!r || r->state == REQ_SUSPENDED || !a || a->suspended || a->retired) return false;
	if (!state_is_adult_of(c->st, g->actor, g->home)) return false;
	return g->nbf_ms <= c->q->now_ms && c->q->now_ms < g->exp_ms;
}

bool policy_listed(const struct policy_case *c, struct span filter, enum app_access access) {
	const struct row *r = state_child(c->st, ROW_APP_TOPIC, 0, c->username, NULL);
	for (; r; r = state_child(c->st, ROW_APP_TOPIC, 0, c->username, r)) {
		const struct row_app_topic *listed = (const struct row_app_topic *)r;
		if (!(listed->access & (int64_t)access) || !state_durable(c->st, r)) continue;
		if (topic_covers(span_str(listed->filter), filter))
			return true; /* a name is a filter, too */
	}
	return false;
}
