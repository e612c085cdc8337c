/* See login.h. */
#include "plugin/login.h"

#include <mosquitto.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "plugin/denied.h"
#include "plugin/limiter.h"
#include "plugin/resend.h"
#include "plugin/session.h"

enum { TOKEN_BYTES_MAX = 256 };

struct login {
	char name[ROW_ID_SIZE]; /* claimed username, or the certificate's CN */
	bool has_cert;
	bool has_token;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct span client_id;
};

/* The one CN of the certificate, if it has the shape of a username. */
static bool common_name(X509 *cert, char out[ROW_ID_SIZE]) {
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return false;
	const ASN1_STRING *cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	int len = cn ? ASN1_STRING_length(cn) : 0;
	struct span text =
		span_of(len > 0 ? ASN1_STRING_get0_data(cn) : NULL, len > 0 ? (size_t)len : 0);
	return topic_username_is_valid(text) && span_copy(text, out, ROW_ID_SIZE);
}

/* Who it says it is. Anonymous, a name without shape, a name other than the certificate's:
 * REASON_BAD_NAME. */
static enum reason identify(const struct mosquitto_evt_basic_auth *ev, struct login *l) {
	char cn[ROW_ID_SIZE];
	struct span username = span_str(ev->username);
	X509 *cert = mosquitto_client_certificate(ev->client);
	if (cert) {
		bool named = common_name(cert, cn);
		X509_free(cert);
		if (!named) return REASON_BAD_NAME;
		if (username.len && !span_eq(username, span_str(cn))) return REASON_BAD_NAME;
		username = span_str(cn);
		l->has_cert = true;
	}
	if (!topic_username_is_valid(username) || !span_copy(username, l->name, sizeof(l->name)))
		return REASON_BAD_NAME;
	struct span token = span_str(ev->password);
	if (token.len && token.len <= TOKEN_BYTES_MAX) {
		SHA256(token.ptr, token.len, l->digest);
		l->has_token = true;
	}
	return l->has_cert || l->has_token ? REASON_OK : REASON_BAD_PROOF;
}

/* As the broker draws one for an empty id: "auto-" and a UUID in capitals. */
static bool is_drawn_id(struct span id) {
	enum { UUID_CHARS = 36 };
	static const char prefix[] = "auto-";
	size_t n = sizeof(prefix) - 1;
	if (id.len != n + UUID_CHARS || memcmp(id.ptr, prefix, n) != 0) return false;
	for (size_t i = n; i < id.len; i++) {
		uint8_t c = id.ptr[i];
		bool digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
		if (!digit && c != '-') return false;
	}
	return true;
}

/* Officers and relays may not name an id outside their own namespace at all: whether it is refused
 * would tell them which usernames exist. */
static bool is_kept_to_itself(const struct engine *e, struct span name) {
	const struct row_credential *who = state_credential(engine_state(e), name);
	return !who || who->kind == CRED_OFFICER || who->kind == CRED_RELAY;
}

/* A name's own namespace is always its own; other credentials' never; the rest belongs to who used
 * it last. */
static bool may_use_id(const struct engine *e, struct sessions *s, const struct login *l) {
	struct span name = span_str(l->name);
	if (l->client_id.len == 0 || l->client_id.len > SESSION_CLIENT_ID_MAX) return false;
	if (policy_own_client_id(l->client_id, name)) return true;
	if (is_kept_to_itself(e, name) && !is_drawn_id(l->client_id)) return false;
	if (policy_foreign_client_id(engine_state(e), l->client_id, name)) return false;
	return sessions_may_use_id(s, l->client_id, name, engine_now(e));
}

/* Of a session that stays with the broker when the connection is gone: from version 5 on nobody tells
 * us how long. */
static bool may_leave_a_session(struct engine *e, const struct mosquitto *client,
								const struct login *l) {
	struct span name = span_str(l->name);
	if (mosquitto_client_protocol_version(client) < 5 && mosquitto_client_clean_session(client))
		return true;
	return sessions_is_id_of(engine_sessions(e), l->client_id, name) ||
		   limiter_principal(engine_limiter(e), name, LIMITER_SESSION, engine_now(e));
}

static enum reason decide(struct engine *e, const struct mosquitto_evt_basic_auth *ev,
						  struct login *l) {
	enum reason reason = engine_may_allow(e) ? identify(ev, l) : REASON_NOT_READY;
	if (reason != REASON_OK) return reason;
	struct verdict v = policy_login(engine_state(e), span_str(l->name), l->has_cert,
									l->has_token ? l->digest : NULL, &engine_opts(e)->policy);
	if (v.kind != VERDICT_ALLOW) return v.reason;
	struct sessions *s = engine_sessions(e);
	if (!may_use_id(e, s, l)) return REASON_FOREIGN_CLIENT_ID;
	if (!may_leave_a_session(e, ev->client, l)) return REASON_RATE;
	const struct row_credential *who = state_credential(engine_state(e), span_str(l->name));
	if (!ev->username && mosquitto_set_username(ev->client, l->name) != MOSQ_ERR_SUCCESS)
		return REASON_BUSY;
	enum err rc = sessions_add(s, ev->client, l->client_id, span_str(l->name),
							   (enum cred_kind)who->kind, engine_now(e));
	if (rc != ERR_NONE) return REASON_BUSY;
	struct peer peer = peer_of(ev->client);
	sessions_set_peer(s, ev->client, &peer);
	resend_back(engine_resend(e), l->client_id, mosquitto_client_clean_session(ev->client));
	return REASON_OK;
}

static int refuse(struct engine *e, struct span username, struct span client_id,
				  enum reason reason) {
	struct denied d = {
		.username = username, .client_id = client_id, .access = DENIAL_CONNECT, .reason = reason};
	denied_report(e, &d);
	return MOSQ_ERR_AUTH;
}

/* After SIGHUP the broker asks about the sessions that are offline, too. Nothing says so, but a
 * CONNECT has no subscription yet. From 2.1 on, what has none is refused: such a session is no loss
 * and a CONNECT comes again. On 2.0 the refusal would corrupt the broker's memory, and TICK ends the
 * reload before the next packet is read (websockets apart). */
static int recheck_offline(struct engine *e, const struct mosquitto_evt_basic_auth *ev,
						   enum login_reload reload) {
	if (reload == LOGIN_RELOADING || mosquitto_client_sub_count(ev->client) > 0)
		return MOSQ_ERR_SUCCESS; /* its next CONNECT decides */
	return refuse(e, span_str(ev->username), span_str(mosquitto_client_id(ev->client)),
				  REASON_NOT_READY);
}

int login_check(struct engine *e, struct mosquitto_evt_basic_auth *ev, enum login_reload reload) {
	struct sessions *s = engine_sessions(e);
	bool is_kept = reload == LOGIN_RELOADING_SAFE ||
				   (reload == LOGIN_RELOADING &&
					mosquitto_client_protocol(ev->client) == mp_mqtt); /* a websocket is live */
	if (is_kept && !sessions_get(s, ev->client)) return recheck_offline(e, ev, reload);
	sessions_purge_end(s);
	struct login l = {.client_id = span_str(mosquitto_client_id(ev->client))};
	enum reason reason = decide(e, ev, &l);
	explicit_bzero(l.digest, sizeof(l.digest));
	if (reason == REASON_OK) return MOSQ_ERR_SUCCESS;
	return refuse(e, l.name[0] ? span_str(l.name) : span_str(ev->username), l.client_id, reason);
}
