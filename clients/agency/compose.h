/* From words on the command line to the messages that are sent: a request and an alert. Checks how
 * a value is written, in the order of the command line; whether the request may be made is the
 * broker's to say. Pure: time and the request's id are arguments. */
#ifndef AGENCY_COMPOSE_H
#define AGENCY_COMPOSE_H

#include "clients/agency/settings.h"
#include "lib/err.h"
#include "proto/codec.h"

enum { COMPOSE_WHY_SIZE = 256 };

/* msg borrows from set, circle and id (16 bytes). False: why says which option is missing or wrong,
 * and what it must be. */
bool compose_submit(const struct settings *set, int64_t now_ms, uint8_t id[16],
					Vestibule__V1__Circle *circle, Vestibule__V1__Submit *msg,
					char why[COMPOSE_WHY_SIZE]) MUST_CHECK;
bool compose_alert(const struct settings *set, int64_t now_ms, Vestibule__V1__SendAlert *msg,
				   char why[COMPOSE_WHY_SIZE]) MUST_CHECK;

/* Degrees as decimal text ("52.5200066", "-0.1"), at most 7 decimals, |value| <= limit degrees,
 * into units of 1e-7 degree. ERR_INPUT: not so written; ERR_LIMIT: too far. */
enum err compose_degrees(struct span text, int32_t limit, int32_t *e7) MUST_CHECK;

#endif
