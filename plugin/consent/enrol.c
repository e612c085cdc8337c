/* Into a home and out of it. Not here: the people who are invited later (members.c), the operator's
 * part (operator.c), the claim code, which never reaches the bus. */
#include "plugin/consent/enrol.h"

#include "lib/hex.h"
#include "plugin/consent/clip.h"
#include "plugin/consent/grant.h"
#include "plugin/consent/members.h"
#include "plugin/consent/standing.h"
#include "proto/topic.h"

#define RECEIPT(kind) VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_##kind

static bool same(const char *a, const char *b) {
	return span_eq(span_str(a), span_str(b));
}

/* --- the claim -------------------------------------------------------------------------------- */

static void mark_claimed(const struct step *s, const struct row_device *d) {
	struct row_device *n = effects_alter(s, d);
	n->claimed_ms = s->now.utc_ms;
	struct row_receipt *r = effects_receipt(s, RECEIPT(DEVICE_CLAIMED), d->home);
	EFFECTS_TEXT(r->device, d->id);
	if (s->who->kind == CRED_MEMBER) EFFECTS_TEXT(r->actor, s->who->username);
	(void)effects_tell(s, TELL_STATUS, d->id); /* nothing to add to it */
}

/* The live device of the admin's own home; NULL for absent, foreign and retired alike (I16). */
static const struct row_device *own_device(const struct step *s, const char *id) {
	const struct row_device *d = id ? state_device(s->st, span_str(id)) : NULL;
	return d && !d->retired && same(d->home, s->who->subject) ? d : NULL;
}

enum reason enrol_claim(const struct step *s, const Vestibule__V1__Claim *m) {
	if (s->who->role != ROLE_ADMIN) return REASON_ROLE;
	const struct row_device *d = own_device(s, m->device);
	if (!d) return REASON_NOT_YOURS;
	if (!d->claimed_ms) mark_claimed(s, d);
	return REASON_OK;
}

/* --- the first admin -------------------------------------------------------------------------- */

/* Is that what an earlier claim already made? Its answer may have been lost with a crash, and the
 * device asks with a new id. */
static bool is_made(const struct step *s, const struct row_device *d,
					const Vestibule__V1__FirstAdmin *m) {
	const struct row_credential *c = state_credential(s->st, span_str(m->username));
	if (!c || c->kind != CRED_MEMBER || c->role != ROLE_ADMIN || !same(c->subject, d->home))
		return false;
	char sha256[65];
	hex_encode(span_of(m->token_sha256.data, m->token_sha256.len), sha256);
	const struct row *row = state_child(s->st, ROW_TOKEN, 0, span_str(c->username), NULL);
	for (; row; row = state_child(s->st, ROW_TOKEN, 0, span_str(c->username), row)) {
		if (same(((const struct row_token *)row)->sha256, sha256)) return d->claimed_ms != 0;
	}
	return false;
}

static enum reason first_admin(const struct step *s, const struct row_device *d,
							   const Vestibule__V1__FirstAdmin *m) {
	if (!m->username || !topic_username_is_valid(span_str(m->username))) return REASON_MALFORMED;
	if (m->token_sha256.len != 32 || !m->token_sha256.data) return REASON_MALFORMED;
	if (is_made(s, d, m)) return REASON_OK;
	if (members_ever(s->st, span_str(d->home))) return REASON_LIVED_IN; /* I27 */
	if (!members_is_free(s->st, m->username)) return REASON_NAME_TAKEN;
	members_add(s, &(struct members_new){.username = m->username,
										 .home = d->home,
										 .role = ROLE_ADMIN,
										 .token_sha256 = m->token_sha256});
	if (!d->claimed_ms) mark_claimed(s, d);
	return REASON_OK;
}

enum reason enrol_device(const struct step *s, const Vestibule__V1__DeviceClaim *m) {
	const struct row_device *d = state_device(s->st, span_str(s->who->subject));
	if (!d || d->retired) return REASON_NOT_YOURS;
	switch (m->what_case) {
	case VESTIBULE__V1__DEVICE_CLAIM__WHAT_FIRST_ADMIN: return first_admin(s, d, m->first_admin);
	case VESTIBULE__V1__DEVICE_CLAIM__WHAT_RESET: enrol_end_device(s, d); return REASON_OK;
	default: return REASON_MALFORMED;
	}
}

/* --- the end ---------------------------------------------------------------------------------- */

enum reason enrol_retire(const struct step *s, const Vestibule__V1__Retire *m) {
	if (s->who->role != ROLE_ADMIN) return REASON_ROLE;
	const struct row_device *d = own_device(s, m->device);
	if (!d) return REASON_NOT_YOURS;
	enrol_end_device(s, d);
	return REASON_OK;
}

void enrol_end_device(const struct step *s, const struct row_device *d) {
	struct row_device *n = effects_alter(s, d);
	n->retired = 1;
	n->cell[0] = '\0'; /* where it hung is nobody's business any more */
	const struct row *row = state_child(s->st, ROW_CREDENTIAL, 0, span_str(d->id), NULL);
	for (; row; row = state_child(s->st, ROW_CREDENTIAL, 0, span_str(d->id), row)) {
		const struct row_credential *c = (const struct row_credential *)row;
		if (c->kind == CRED_DEVICE) members_end_credential(s, c);
	}
	struct row_receipt *r = effects_receipt(s, RECEIPT(DEVICE_REMOVED), d->home);
	EFFECTS_TEXT(r->device, d->id);
	if (s->who && s->who->kind == CRED_MEMBER) EFFECTS_TEXT(r->actor, s->who->username);
	(void)effects_tell(s, TELL_STATUS_CLEAR, d->id);
	s->fx->denial = true;
	grant_end_device(s, d);
	standing_end_device(s, d);
}

/* What an agency was ever told of rests on the clip's row (compose_agency.c): it goes in its usual
 * time, for the moment of the end must not show (I9). The home is not shown it any more. */
static bool is_told_of(const struct state *st, const struct row_clip *clip) {
	const struct row *row = state_child(st, ROW_GRANT, 1, span_str(clip->home), NULL);
	for (; row; row = state_child(st, ROW_GRANT, 1, span_str(clip->home), row)) {
		const struct row_grant *g = (const struct row_grant *)row;
		if (!same(g->clip, clip->id)) continue;
		const struct row *d = state_child(st, ROW_DELIVERY, 0, span_str(g->id), NULL);
		for (; d; d = state_child(st, ROW_DELIVERY, 0, span_str(g->id), d)) {
			if (((const struct row_delivery *)d)->announced) return true;
		}
	}
	return false;
}

/* An ask that has no other clip lapsed before (ask_tick_lapse). */
bool enrol_tick(const struct step *s) {
	const struct row *row = state_each(s->st, ROW_DEVICE, NULL);
	for (; row; row = state_each(s->st, ROW_DEVICE, row)) {
		const struct row_device *d = (const struct row_device *)row;
		if (!d->retired) continue;
		const struct row *c = state_child(s->st, ROW_CLIP, 0, span_str(d->id), NULL);
		for (; c; c = state_child(s->st, ROW_CLIP, 0, span_str(d->id), c)) {
			const struct row_clip *clip = (const struct row_clip *)c;
			if (clip_is_needed(s->st, clip) || is_told_of(s->st, clip)) continue;
			if (!clip_drop(s, clip)) return false;
		}
	}
	return true;
}
