/* Rows into messages. Each function builds one message from the rows as they are now, in an arena
 * that is emptied by compose_reset: what comes back points into the arena and into rows, and is
 * borrowed until the next reset or change of state. NULL: the arena is full (compose_is_full), or a
 * row that the message needs is gone.
 *
 * Nothing here decides who may see a message; nothing here sends one. No agency message gets a
 * device, home or member id out of these functions. Broker thread only. */
#ifndef PLUGIN_COMPOSE_H
#define PLUGIN_COMPOSE_H

#include "plugin/consent/consent.h"
#include "plugin/session.h"
#include "proto/codec.h"

enum { COMPOSE_ARENA = 262144 };

struct compose;

/* All borrowed until compose_free. NULL: no memory. */
struct compose *compose_new(const struct state *st, const struct sessions *sessions,
							struct consent_random rnd);
void compose_free(struct compose *c); /* NULL is fine */
void compose_reset(struct compose *c);
bool compose_is_full(const struct compose *c);       /* an allocation failed since the last reset */
void *compose_alloc(struct compose *c, size_t size); /* zeroed; NULL when full */

typedef ProtobufCMessage *compose_fn(struct compose *c, const struct row *r);

compose_fn compose_receipt; /* row_receipt -> Receipt */
compose_fn compose_notice;  /* row_notice -> AgencyNotice, without padding; a delivery's facts are
							   filled in */
compose_fn compose_ask;     /* row_ask -> Ask */
compose_fn compose_job;     /* row_job -> RelayJob */
compose_fn compose_public_agency;  /* row_agency -> PublicAgency */
compose_fn compose_public_request; /* row_request -> PublicRequest */
compose_fn compose_clip_info;      /* row_clip -> ClipInfo */
compose_fn compose_clip_ready;     /* row_clip -> ClipReady */
compose_fn compose_standing_info;  /* row_standing -> GrantInfo */
compose_fn compose_grant_info;     /* row_grant -> GrantInfo, as the home may see it */
compose_fn compose_device_info;    /* row_device -> DeviceInfo */
compose_fn compose_member_info;    /* row_credential -> MemberInfo */
compose_fn compose_rules_info;     /* row_rules -> RulesInfo */
compose_fn compose_request_info;   /* row_request -> RequestInfo */

/* A private answer: Reply with one Receipt (members and the rest) or one AgencyNotice (officers) in
 * it. kind: RECORDED or REFUSED by tell->reason, or UNAVAILABLE. */
ProtobufCMessage *compose_private(struct compose *c, const struct tell *tell, bool officer,
								  bool unavailable, int64_t at_ms);

/* A LINK job for a delivery: job_id is drawn by the caller. */
ProtobufCMessage *compose_link_job(struct compose *c, const struct row_delivery *d,
								   const uint8_t job_id[16], int64_t exp_ms);

/* The FetchLink for a delivery: header from its grant, facts from its clip, url and end from the
 * report. */
ProtobufCMessage *compose_fetch_link(struct compose *c, const struct row_delivery *d,
									 const char *event_id,
									 const Vestibule__V1__RelayReport *report);

/* Is a device connected now, by any of its credentials? */
bool compose_is_online(const struct compose *c, const char *device);

#endif
