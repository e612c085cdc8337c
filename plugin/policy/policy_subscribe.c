/* SUBSCRIBE: may this filter stand? Decided by its shape and by what the credential itself is,
 * never by whether a grant, a home or a device of others exists (I16): the READ check decides on
 * each copy. A filter that could match a consumed topic, or the status of devices of several homes,
 * is refused: the first would change a publisher's reason code, the second would stall the broker
 * on retained messages.
 *
 * Each kind of credential has its list of forms. In a form
 *     {own}     stands for its subject, {me} for its username
 *     {device}  for a live device of the own home, written out
 *     {one}     for any one id, written out (not a wildcard)
 *     {cell}    for a geohash-5 cell, written out
 *     +         for one level, written out or +
 *     #         for all that follows, however it is written. */
#include "plugin/policy/policy_impl.h"
#include "proto/geohash.h"

struct form {
	const char *levels;                       /* NULL ends a list */
	bool (*may)(const struct policy_case *c); /* NULL: the whole kind may */
};

static bool is_adult(const struct policy_case *c) {
	return policy_is_adult(c->who);
}

static bool may_fetch(const struct policy_case *c) {
	return c->who->role == ROLE_EVIDENCE;
}

#define OURS "vestibule/v1/"
#define REPLIES                       \
	{OURS "user/{me}/reply", NULL}, { \
		OURS "user/{me}/denied", NULL \
	}
#define PUBLIC \
	{ OURS "public/#", NULL }
#define END \
	{ NULL, NULL }

static const struct form device_forms[] = {
	{OURS "device/{own}/pull/#", NULL},
	{OURS "device/{own}/ack", NULL},
	REPLIES,
	END,
};

static const struct form member_forms[] = {
	{OURS "home/{own}/json/#", NULL},
	{OURS "home/{own}/receipt", NULL},
	{OURS "home/{own}/ask", is_adult},
	{OURS "device/{device}/ring", NULL},
	{OURS "device/{device}/motion", NULL},
	{OURS "device/{device}/clip-ready", NULL},
	{OURS "device/{device}/status", NULL},
	{OURS "device/{device}/chunk/+/{me}", NULL},
	{OURS "area/{cell}/alert", is_adult},
	REPLIES,
	PUBLIC,
	END,
};

static const struct form integrator_forms[] = {
	{OURS "device/+/ring", NULL},
	{OURS "device/+/motion", NULL},
	{OURS "device/{one}/status", NULL},
	{OURS "home/+/json/+/ring", NULL},
	{OURS "home/+/json/+/motion", NULL},
	{OURS "home/+/json/+/clip-ready", NULL},
	{OURS "home/{one}/json/{one}/status", NULL},
	REPLIES,
	PUBLIC,
	END,
};

static const struct form officer_forms[] = {
	{OURS "agency/{own}/notice", NULL}, {OURS "user/{me}/link", may_fetch}, REPLIES, PUBLIC, END,
};

static const struct form relay_forms[] = {
	{OURS "relay/{own}/job", NULL}, {OURS "device/{one}/chunk/+/{me}", NULL}, REPLIES, PUBLIC, END,
};

static const struct form app_forms[] = {
	{OURS "user/{me}/denied", NULL},
	PUBLIC,
	END,
};

static const struct form operator_forms[] = {
	{OURS "operator/health", NULL},
	{OURS "operator/metrics", NULL},
	{"$SYS/#", NULL},
	{"$CONTROL/vestibule/v1/response", NULL},
	REPLIES,
	PUBLIC,
	END,
};

static const struct form *const forms[CRED_KINDS] = {
	[CRED_DEVICE] = device_forms,         [CRED_MEMBER] = member_forms,
	[CRED_INTEGRATOR] = integrator_forms, [CRED_OFFICER] = officer_forms,
	[CRED_RELAY] = relay_forms,           [CRED_APP] = app_forms,
	[CRED_OPERATOR] = operator_forms,
};

/* --- fitting a filter to a form --- */

static bool is_device_of_home(const struct policy_case *c, struct span level) {
	const struct row_device *d = policy_live_device(c->st, level);
	return d && span_eq(span_str(d->home), c->subject);
}

static bool does_level_fit(const struct policy_case *c, struct span form, struct span level) {
	if (span_eq(form, SPAN_LIT("{own}"))) return span_eq(level, c->subject);
	if (span_eq(form, SPAN_LIT("{me}"))) return span_eq(level, c->username);
	if (span_eq(form, SPAN_LIT("{device}"))) return is_device_of_home(c, level);
	if (span_eq(form, SPAN_LIT("{one}"))) return topic_id_is_valid(level);
	if (span_eq(form, SPAN_LIT("{cell}"))) return geohash_is_valid(level, GEOHASH_AREA);
	if (span_eq(form, SPAN_LIT("+"))) return !span_eq(level, SPAN_LIT("#"));
	return span_eq(form, level);
}

static bool does_fit(const struct policy_case *c, const char *form) {
	struct span want, level;
	for (size_t n = 0;; n++) {
		bool more = topic_level(span_str(form), n, &want);
		if (more && span_eq(want, SPAN_LIT("#")))
			return true; /* its parent alone is matched, too */
		bool left = topic_level(c->q->name, n, &level);
		if (!more || !left) return more == left;
		if (!does_level_fit(c, want, level)) return false;
	}
}

/* --- refusals --- */

static const char *const consumed[] = {
	OURS "device/+/claim", OURS "home/+/command", OURS "agency/+/command",
	OURS "relay/+/report", OURS "user/+/sync",    "$CONTROL/vestibule/v1",
};

static bool could_match_consumed(struct span filter) {
	for (size_t i = 0; i < sizeof(consumed) / sizeof(consumed[0]); i++) {
		if (topic_overlaps(span_str(consumed[i]), filter)) return true;
	}
	return false;
}

static bool has_wildcard(struct span filter) {
	return memchr(filter.ptr, '+', filter.len) || memchr(filter.ptr, '#', filter.len);
}

enum { OWNER_LEVELS = 4 }; /* vestibule/v1/home/maple: whose subtree it is */

/* Level n of a name or filter; empty when there are fewer. */
static struct span level_of(struct span name, size_t n) {
	struct span level = {NULL, 0};
	(void)topic_level(name, n, &level); /* empty is the answer then */
	return level;
}

/* Does the filter, which has a wildcard somewhere, begin with a literal owner that none of the forms
 * allows? */
static bool is_foreign_subtree(const struct policy_case *c, const struct form *f) {
	for (size_t n = 0; n < OWNER_LEVELS; n++) {
		if (has_wildcard(level_of(c->q->name, n))) return false;
	}
	for (; f && f->levels; f++) {
		struct span form = span_str(f->levels);
		size_t n = 0;
		while (n < OWNER_LEVELS && does_level_fit(c, level_of(form, n), level_of(c->q->name, n)))
			n++;
		if (n == OWNER_LEVELS) return false;
	}
	return true;
}

/* Why a filter that fits no form is refused: by its letters, and by what is the credential's own.
 */
static enum reason explain(const struct policy_case *c, const struct form *f) {
	struct topic t;
	if (c->q->name.ptr[0] == '$') return REASON_DOLLAR_TOPIC;
	if (has_wildcard(c->q->name))
		return is_foreign_subtree(c, f) ? REASON_NOT_YOURS : REASON_WIDE_FILTER;
	return topic_parse(c->q->name, &t) == ERR_NONE ? REASON_NOT_YOURS : REASON_NO_SUCH_TOPIC;
}

static bool is_shared(struct span filter) {
	return span_eq(filter, SPAN_LIT("$share")) || span_starts(filter, SPAN_LIT("$share/"));
}

enum reason policy_subscribe(const struct policy_case *c) {
	struct span filter = c->q->name;
	if (is_shared(filter)) return REASON_SHARED_SUBSCRIPTION;
	if (!topic_filter_is_valid(filter)) return REASON_BAD_NAME;
	if (could_match_consumed(filter)) return REASON_CONSUMED_TOPIC;
	/* Rows name only what is outside vestibule/ and $, so what they cover is, too. */
	if (policy_listed(c, filter, APP_READ)) return REASON_OK;

	const struct form *f =
		c->who->kind > CRED_NONE && c->who->kind < CRED_KINDS ? forms[c->who->kind] : NULL;
	for (const struct form *each = f; each && each->levels; each++) {
		if (!does_fit(c, each->levels)) continue;
		return !each->may || each->may(c) ? REASON_OK : REASON_ROLE;
	}
	return explain(c, f);
}
