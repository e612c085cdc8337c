/* Words and sentences of the reasons. A word is part of the protocol: once released it does not
 * change. The sentences of REASON_NOT_YOURS and its like say the same for what is absent and what
 * is somebody else's (I16). */
#include "plugin/policy/reason.h"

static const struct {
	const char *word;
	const char *sentence;
} reasons[REASON_COUNT] = {
	[REASON_NONE_GIVEN] = {"none_given", "Refused without a reason."},
	[REASON_OK] = {"ok", "Accepted."},
	[REASON_NOT_READY] = {"not_ready",
						  "The service cannot decide at the moment, so it allows nothing."},
	[REASON_NOT_DURABLE] = {"not_durable",
							"The permission is not recorded yet; try again in a moment."},
	[REASON_BUSY] = {"busy", "Too much waits to be recorded; repeat this later."},
	[REASON_UNKNOWN_CREDENTIAL] = {"unknown_credential", "Nobody of that name may connect."},
	[REASON_BAD_PROOF] = {"bad_proof", "The certificate or token does not prove that name."},
	[REASON_SUSPENDED] = {"suspended", "The operator has suspended this credential or its agency."},
	[REASON_AGENCIES_OFF] = {"agencies_off",
							 "This service does not take part in requests of agencies."},
	[REASON_FOREIGN_CLIENT_ID] = {"foreign_client_id",
								  "The client id is in another credential's namespace."},
	[REASON_BAD_NAME] = {"bad_name", "The name is not well-formed."},
	[REASON_NO_SUCH_TOPIC] = {"no_such_topic", "There is no topic of that form."},
	[REASON_NOT_YOURS] = {"not_yours", "There is nothing there that this credential may use."},
	[REASON_ROLE] = {"role", "The role of this credential may not do that."},
	[REASON_NO_GRANT] = {"no_grant", "No grant allows this now."},
	[REASON_BEFORE_GRANT] = {"before_grant", "The event is older than the grant."},
	[REASON_CONSUMED_TOPIC] = {"consumed_topic",
							   "Messages there are taken by the service and read by nobody."},
	[REASON_WIDE_FILTER] = {"wide_filter",
							"The filter reaches further than this role may subscribe."},
	[REASON_SHARED_SUBSCRIPTION] = {"shared_subscription", "Shared subscriptions are not served."},
	[REASON_DOLLAR_TOPIC] = {"dollar_topic", "Topics that start with $ are the operator's."},
	[REASON_QOS] = {"qos", "The quality of service is higher than that topic takes."},
	[REASON_RETAIN] = {"retain", "Messages there may not be retained."},
	[REASON_WILL] = {"will", "The only will that is sent is a device's own status."},
	[REASON_PROPERTIES] = {"properties",
						   "The message carries properties; only an expiry is accepted."},
	[REASON_NOT_CANONICAL] = {"not_canonical", "The message did not pass through the service."},
	[REASON_MALFORMED] = {"malformed", "The message is not well-formed."},
	[REASON_TOO_LARGE] = {"too_large", "The message is larger than its kind may be."},
	[REASON_REUSED_ID] = {"reused_id", "That event id was used before with other contents."},
	[REASON_RATE] = {"rate", "Too many at once; repeat this later."},
	[REASON_UNSEALED] = {"unsealed", "The clip is not sealed to the keys of the home."},
	[REASON_NOT_PENDING] = {"not_pending", "There is no open ask of that id."},
	[REASON_NOT_OFFERED] = {"not_offered", "That clip is not part of the ask."},
	[REASON_HEADER] = {"header",
					   "The header for the agency is missing, or is there where none belongs."},
	[REASON_KEY] = {"key", "The clip was wrapped to another key than the agency's present one."},
	[REASON_END_DATE] = {"end_date", "The end date is missing, in the past or too far ahead."},
	[REASON_ENDED] = {"ended", "It has ended, and an end is final."},
	[REASON_APPROVAL_RATE] = {"approval_rate",
							  "Too many approvals in an hour; declining has no limit."},
	[REASON_RULES_SYNTAX] = {"rules_syntax", "A line of the rules cannot be read."},
	[REASON_NAME_TAKEN] = {"name_taken", "That name cannot be given."},
	[REASON_LAST_ADMIN] = {"last_admin", "A home with members keeps at least one admin."},
	[REASON_POPULATED] = {"populated", "Only the admins of a home with members add to it."},
	[REASON_RADIUS] = {"radius", "The radius must be 150-400 m; in an emergency at most 250 m."},
	[REASON_WINDOW] =
		{"window",
		 "The time window must be 15 minutes to 12 hours long; in an emergency at most 2 hours."},
	[REASON_WINDOW_AGE] = {"window_age", "The time window must lie within the last 30 days."},
	[REASON_LIFE] = {"life", "A request stays open at most 14 days; in an emergency 4 hours."},
	[REASON_CASE_LIMIT] = {"case_limit", "A case may have 2 requests."},
	[REASON_OPEN_LIMIT] = {"open_limit",
						   "An agency may have 5 requests open; in an emergency one more."},
	[REASON_SUBMIT_LIMIT] = {"submit_limit",
							 "An officer may submit 3 requests a day, an agency 10."},
	[REASON_OVERLAP] = {"overlap",
						"The request overlaps others of the agency that count as the same case."},
	[REASON_JURISDICTION] = {"jurisdiction",
							 "The circle is not wholly inside the agency's jurisdiction."},
	[REASON_FAST_PATH] = {"fast_path", "The agency may not file emergency requests at present."},
	[REASON_SAME_PERSON] = {"same_person", "Who wrote a request may not approve it."},
	[REASON_STATE] = {"state", "That cannot be done in the present state."},
	[REASON_PURPOSE] = {"purpose", "The purpose does not fit the agency or the incident."},
	[REASON_FETCH_LIMIT] = {"fetch_limit", "A clip may be fetched 10 times a day."},
	[REASON_UNAVAILABLE] = {"unavailable", "It cannot be served now; try again later."},
	[REASON_UNCLAIMED] = {"unclaimed", "No admin of its home has claimed the device yet."},
	[REASON_LIVED_IN] = {"lived_in",
						 "Somebody lives in that home, or did: its admins add people and devices."},
	[REASON_ENROLMENT] = {"enrolment",
						  "People join by a device's claim or an admin's invite, and homes claim "
						  "devices; the operator does neither."},
};

static bool is_reason(enum reason r) {
	return (unsigned)r < REASON_COUNT && reasons[r].word;
}

const char *reason_word(enum reason r) {
	return reasons[is_reason(r) ? r : REASON_NONE_GIVEN].word;
}

const char *reason_sentence(enum reason r) {
	return reasons[is_reason(r) ? r : REASON_NONE_GIVEN].sentence;
}

enum reason reason_by_word(struct span word) {
	for (int r = 0; r < REASON_COUNT; r++) {
		if (is_reason((enum reason)r) && span_eq(span_str(reasons[r].word), word))
			return (enum reason)r;
	}
	return REASON_NONE_GIVEN;
}
