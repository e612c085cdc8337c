/* Joining and leaving a home, and the rules its adults set. Not here: what rules mean (rules.c),
 * the operator's part (operator.c). */
#include "plugin/consent/members.h"

#include "lib/hex.h"
#include "plugin/consent/enrol.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/rules.h"
#include "plugin/consent/standing.h"
#include "proto/topic.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

bool members_is_adult(const struct row_credential *c) {
	return c && c->kind == CRED_MEMBER && (c->role == ROLE_ADULT || c->role == ROLE_ADMIN) &&
		   !c->suspended;
}

static const struct row_credential *next_member(const struct state *st, struct span home,
												const struct row_credential *after) {
	const struct row *row = after ? &after->row : NULL;
	while ((row = state_child(st, ROW_CREDENTIAL, 0, home, row))) {
		const struct row_credential *c = (const struct row_credential *)row;
		if (c->kind == CRED_MEMBER) return c;
	}
	return NULL;
}

size_t members_count(const struct state *st, struct span home) {
	size_t n = 0;
	for (const struct row_credential *c = next_member(st, home, NULL); c;
		 c = next_member(st, home, c))
		n++;
	return n;
}

bool members_ever(const struct state *st, struct span home) {
	if (next_member(st, home, NULL)) return true;
	const struct row *row = state_child(st, ROW_RECEIPT, 0, home, NULL);
	for (; row; row = state_child(st, ROW_RECEIPT, 0, home, row)) {
		if (((const struct row_receipt *)row)->kind == RECEIPT(MEMBER_ADDED)) return true;
	}
	return false;
}

static void add_receipt(const struct step *s, int kind, const char *home, const char *member) {
	struct row_receipt *r = effects_receipt(s, kind, home);
	if (s->who->kind == CRED_MEMBER) EFFECTS_TEXT(r->actor, s->who->username);
	EFFECTS_TEXT(r->member, member);
}

/* --- ends ------------------------------------------------------------------------------------- */

/* A username is never given again: an offline session of the broker, and private topics, are known
 * by the name alone. */
static struct span gone_name(const char *username, char out[ROW_ID_SIZE + 8]) {
	memcpy(out, "gone/", 6);
	(void)span_copy(span_str(username), out + 5, ROW_ID_SIZE); /* a username fits */
	return span_of(out, strlen(out));
}

bool members_is_gone(const struct state *st, const char *username) {
	char name[ROW_ID_SIZE + 8];
	return state_get(st, ROW_META, gone_name(username, name)) != NULL;
}

static void mark_gone(const struct step *s, const char *username) {
	char name[ROW_ID_SIZE + 8];
	(void)gone_name(username, name);
	struct row_meta *mark = effects_new(s, ROW_META);
	EFFECTS_TEXT(mark->name, name);
	mark->value = s->now.utc_ms;
}

static void end_tokens(const struct step *s, const char *username) {
	struct span name = span_str(username);
	const struct row *row = state_child(s->st, ROW_TOKEN, 0, name, NULL);
	for (; row; row = state_child(s->st, ROW_TOKEN, 0, name, row)) effects_del(s, row);
}

void members_end_credential(const struct step *s, const struct row_credential *c) {
	struct span name = span_str(c->username);
	end_tokens(s, c->username);
	const struct row *row = state_child(s->st, ROW_APP_TOPIC, 0, name, NULL);
	for (; row; row = state_child(s->st, ROW_APP_TOPIC, 0, name, row)) effects_del(s, row);
	const struct row_rules *rules = state_rules(s->st, name);
	if (rules) effects_del(s, rules);
	effects_del(s, c);
	mark_gone(s, c->username);
	effects_kick_user(s, c->username);
	s->fx->denial = true;
}

/* --- joining ---------------------------------------------------------------------------------- */

static enum cred_role role_of(Vestibule__V1__MemberRole role) {
	switch (role) {
	case VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_LIMITED: return ROLE_LIMITED;
	case VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADULT: return ROLE_ADULT;
	case VESTIBULE__V1__MEMBER_ROLE__MEMBER_ROLE_ADMIN: return ROLE_ADMIN;
	default: return ROLE_NONE;
	}
}

static void add_token(const struct step *s, const char *username, ProtobufCBinaryData sha256) {
	struct row_token *t = effects_new(s, ROW_TOKEN);
	size_t n = strlen(username);
	memcpy(t->id, username, n);
	memcpy(t->id + n, "/0", 3);
	EFFECTS_TEXT(t->username, username);
	hex_encode(span_of(sha256.data, sha256.len), t->sha256);
	t->created_ms = s->now.utc_ms;
}

bool members_is_free(const struct state *st, const char *username) {
	return !state_credential(st, span_str(username)) && !members_is_gone(st, username);
}

void members_add(const struct step *s, const struct members_new *m) {
	struct row_credential *c = effects_new(s, ROW_CREDENTIAL);
	EFFECTS_TEXT(c->username, m->username);
	EFFECTS_TEXT(c->subject, m->home);
	c->kind = CRED_MEMBER;
	c->role = m->role;
	c->created_ms = s->now.utc_ms;
	add_token(s, m->username, m->token_sha256);
	add_receipt(s, RECEIPT(MEMBER_ADDED), c->subject, c->username);
}

enum reason members_invite(const struct step *s, const Vestibule__V1__Invite *m) {
	enum cred_role role = role_of(m->role);
	if (s->who->role != ROLE_ADMIN) return REASON_ROLE;
	if (role == ROLE_NONE || !m->username || !topic_username_is_valid(span_str(m->username)))
		return REASON_MALFORMED;
	if (m->token_sha256.len != 32 || !m->token_sha256.data) return REASON_MALFORMED;
	if (!members_is_free(s->st, m->username)) return REASON_NAME_TAKEN;
	if (members_count(s->st, span_str(s->who->subject)) >= LIMIT_MEMBERS_PER_HOME)
		return REASON_TOO_LARGE;
	members_add(s, &(struct members_new){.username = m->username,
										 .home = s->who->subject,
										 .role = role,
										 .token_sha256 = m->token_sha256});
	return REASON_OK;
}

/* Whoever came in by an older token is out at once; the new one lets in when it is on disk. Not
 * while nothing gets there: who cannot come in can take nothing back. */
enum reason members_rotate(const struct step *s, const Vestibule__V1__Rotate *m) {
	if (m->token_sha256.len != 32 || !m->token_sha256.data) return REASON_MALFORMED;
	if (state_health(s->st).store_down) return REASON_BUSY;
	end_tokens(s, s->who->username);
	add_token(s, s->who->username, m->token_sha256);
	add_receipt(s, RECEIPT(TOKEN_ROTATED), s->who->subject, s->who->username);
	effects_kick_user(s, s->who->username);
	s->fx->denial = true;
	return REASON_OK;
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void end_member(const struct step *s, const struct row_credential *c) {
	members_end_credential(s, c);
	add_receipt(s, RECEIPT(MEMBER_REMOVED), c->subject, c->username);
	standing_end_of(s, c->subject, c->username);
}

enum reason members_remove(const struct step *s, const Vestibule__V1__Remove *m) {
	if (s->who->role != ROLE_ADMIN) return REASON_ROLE;
	const struct row_credential *c =
		m->username ? state_credential(s->st, span_str(m->username)) : NULL;
	if (!c || c->kind != CRED_MEMBER || !same(c->subject, s->who->subject)) return REASON_NOT_YOURS;
	if (same(c->username, s->who->username)) return members_leave(s);
	end_member(s, c);
	return REASON_OK;
}

/* The last one out ends the home: its devices are retired, so that nothing is gathered for nobody.
 * What does not fit into this change, members_tick takes. */
static bool end_home(const struct step *s, struct span home) {
	const struct row *row = state_child(s->st, ROW_DEVICE, 0, home, NULL);
	for (; row; row = state_child(s->st, ROW_DEVICE, 0, home, row)) {
		const struct row_device *d = (const struct row_device *)row;
		if (d->retired) continue;
		if (!effects_room(s->fx, ENROL_END_OPS, ENROL_END_TELLS)) return false;
		enrol_end_device(s, d);
	}
	return true;
}

bool members_tick(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_HOME, NULL);
	for (; row; row = state_each(s->st, ROW_HOME, row)) {
		struct span home = row_key(row);
		if (members_count(s->st, home) > 0 || !members_ever(s->st, home)) continue;
		if (!end_home(s, home)) return false;
	}
	return true;
}

enum reason members_leave(const struct step *s) {
	size_t admins = 0, others = 0;
	struct span home = span_str(s->who->subject);
	for (const struct row_credential *c = next_member(s->st, home, NULL); c;
		 c = next_member(s->st, home, c)) {
		if (same(c->username, s->who->username)) continue;
		others++;
		if (c->role == ROLE_ADMIN) admins++;
	}
	if (s->who->role == ROLE_ADMIN && admins == 0 && others > 0) return REASON_LAST_ADMIN;
	end_member(s, s->who);
	if (others == 0) (void)end_home(s, home); /* the rest follows */
	return REASON_OK;
}

/* --- rules ------------------------------------------------------------------------------------ */

enum reason members_rules(const struct step *s, const Vestibule__V1__Rules *m) {
	struct rules before, after;
	struct span text = span_str(m->text);
	const struct row_rules *old = state_rules(s->st, span_str(s->who->username));
	if (text.len >= ROW_RULES_SIZE) return REASON_TOO_LARGE;
	if (rules_parse(text, &after, NULL) != ERR_NONE) return REASON_RULES_SYNTAX;
	if (rules_parse(span_str(old ? old->text : ""), &before, NULL) != ERR_NONE)
		before = (struct rules){.never_all = true};
	s->fx->denial = !rules_widen(&before, &after);
	if (text.len == 0) {
		if (old) effects_del(s, old);
	} else {
		struct row_rules *n = old ? effects_alter(s, old) : effects_new(s, ROW_RULES);
		EFFECTS_TEXT(n->username, s->who->username);
		EFFECTS_TEXT(n->home, s->who->subject);
		(void)span_copy(text, n->text, sizeof(n->text)); /* measured above */
		n->changed_ms = s->now.utc_ms;
	}
	add_receipt(s, RECEIPT(RULES_CHANGED), s->who->subject, "");
	return REASON_OK;
}
