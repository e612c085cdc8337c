/* The people of a home: who joins, who leaves, and what their rules say. Internal to
 * plugin/consent. */
#ifndef CONSENT_MEMBERS_H
#define CONSENT_MEMBERS_H

#include "plugin/consent/effects.h"

bool members_is_adult(const struct row_credential *c); /* admin or adult, not suspended */
size_t members_count(const struct state *st, struct span home);

/* Was somebody ever a member here? A home once lived in is never handed on (I27). */
bool members_ever(const struct state *st, struct span home);

/* Was the username never given to anybody? It is given once. */
bool members_is_free(const struct state *st, const char *username);

/* A new member with its token, and the receipt to every member that nobody can suppress. */
struct members_new {
	const char *username, *home;
	enum cred_role role;
	ProtobufCBinaryData token_sha256; /* 32 bytes */
};
void members_add(const struct step *s, const struct members_new *m);

enum reason members_invite(const struct step *s, const Vestibule__V1__Invite *m); /* admin */
enum reason members_remove(const struct step *s, const Vestibule__V1__Remove *m); /* admin */
enum reason members_leave(const struct step *s);
enum reason members_rotate(const struct step *s, const Vestibule__V1__Rotate *m); /* the own */
enum reason members_rules(const struct step *s, const Vestibule__V1__Rules *m);   /* adult */

/* Homes whose last member left end wholly. False: out of room. */
bool members_tick(const struct step *s);

/* Ends a credential with its tokens, topics and rules, and kicks it. */
bool members_is_gone(const struct state *st, const char *username); /* was it ever ended? */
void members_end_credential(const struct step *s, const struct row_credential *c);

#endif
