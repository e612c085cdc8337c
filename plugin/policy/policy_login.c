/* Who may connect under which name and client id, and the words for kinds and roles. */
#include "lib/hex.h"
#include "plugin/policy/policy.h"
#include "plugin/policy/policy_impl.h"

enum { SHA256_BYTES = 32, TOKENS_MAX = 2 };

static struct verdict deny(enum reason reason) {
	return (struct verdict){VERDICT_DENY, reason, NULL};
}

/* Takes the same time wherever the first difference is. */
static bool is_same_hash(const uint8_t a[SHA256_BYTES], const uint8_t b[SHA256_BYTES]) {
	volatile uint8_t differs = 0;
	for (size_t i = 0; i < SHA256_BYTES; i++) differs = (uint8_t)(differs | (a[i] ^ b[i]));
	return differs == 0;
}

/* Every durable token of the credential is compared, whether or not one before it fitted. */
static bool has_token(const struct state *st, struct span username,
					  const uint8_t sha256[SHA256_BYTES]) {
	bool found = false;
	const struct row *r = state_child(st, ROW_TOKEN, 0, username, NULL);
	for (int n = 0; r && n < TOKENS_MAX; n++, r = state_child(st, ROW_TOKEN, 0, username, r)) {
		uint8_t known[SHA256_BYTES];
		const struct row_token *t = (const struct row_token *)r;
		if (!state_durable(st, r) ||
			hex_decode(span_str(t->sha256), known, SHA256_BYTES) != ERR_NONE)
			continue;
		found |= is_same_hash(known, sha256);
	}
	return found;
}

struct verdict policy_login(const struct state *st, struct span username, bool has_cert,
							const uint8_t token_sha256[32], const struct policy_opts *opts) {
	struct state_health h = {.incomplete = true};
	if (st) h = state_health(st);
	if (h.incomplete || h.refusing) return deny(REASON_NOT_READY);
	if (!topic_username_is_valid(username)) return deny(REASON_BAD_NAME);
	const struct row_credential *who = state_credential(st, username);
	bool proven = has_cert || (token_sha256 && has_token(st, username, token_sha256));
	if (!who) return deny(REASON_UNKNOWN_CREDENTIAL);
	if (!proven) return deny(REASON_BAD_PROOF);
	enum reason reason = policy_check_who(st, who, opts);
	if (reason != REASON_OK) return deny(reason);
	return (struct verdict){VERDICT_ALLOW, REASON_OK, NULL};
}

/* --- client ids --- */

/* The username in whose namespace the id lies: all before the first point, which no username holds.
 */
static struct span owner_of(struct span client_id) {
	const uint8_t *point = client_id.len ? memchr(client_id.ptr, '.', client_id.len) : NULL;
	return point ? span_of(client_id.ptr, (size_t)(point - client_id.ptr)) : client_id;
}

bool policy_own_client_id(struct span client_id, struct span username) {
	return username.len > 0 && span_eq(owner_of(client_id), username);
}

bool policy_foreign_client_id(const struct state *st, struct span client_id, struct span username) {
	struct span owner = owner_of(client_id);
	return !span_eq(owner, username) && state_credential(st, owner) != NULL;
}

/* --- words --- */

static const char *const kinds[CRED_KINDS] = {"none",    "device", "member", "integrator",
											  "officer", "relay",  "app",    "operator"};
static const char *const roles[ROLE_KINDS] = {"none",     "limited",      "adult",
											  "admin",    "investigator", "supervisor",
											  "evidence", "liaison",      "auditor"};

const char *policy_role_name(enum cred_role role) {
	return roles[(unsigned)role < ROLE_KINDS ? role : ROLE_NONE];
}

const char *policy_cred_kind_name(enum cred_kind kind) {
	return kinds[(unsigned)kind < CRED_KINDS ? kind : CRED_NONE];
}

enum cred_role policy_role_by_name(struct span word) {
	for (int role = ROLE_NONE + 1; role < ROLE_KINDS; role++) {
		if (span_eq(span_str(roles[role]), word)) return (enum cred_role)role;
	}
	return ROLE_NONE;
}

enum cred_kind policy_cred_kind_by_name(struct span word) {
	for (int kind = CRED_NONE + 1; kind < CRED_KINDS; kind++) {
		if (span_eq(span_str(kinds[kind]), word)) return (enum cred_kind)kind;
	}
	return CRED_NONE;
}
