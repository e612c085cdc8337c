/* The operator's hand on the registry. It adds, changes, suspends and removes what runs; it never
 * becomes, adds or speaks for a member of a populated home (I27): the first admin of a home where
 * nobody ever lived is all it can make, with one token that comes within the hour and before that
 * admin has said anything. Internal to plugin/consent. */
#ifndef CONSENT_OPERATOR_H
#define CONSENT_OPERATOR_H

#include "plugin/consent/effects.h"

enum reason operator_command(const struct step *s);

/* Ends the credentials of what was retired. False: out of room. */
bool operator_tick(const struct step *s);

#endif
