/* Requests: what an agency files, its states and its clock. Checks read the request, the agency's
 * own history and the limits, never a home or a device (I12). Internal to plugin/consent.
 *
 *     -                    submit, investigator            SUBMITTED
 *     -                    submit emergency, supervisor    APPROVED
 *     SUBMITTED            approve, another supervisor     APPROVED, or REJECTED when a limit fails now
 *     SUBMITTED, APPROVED  reject, operator                REJECTED
 *     SUBMITTED, APPROVED  withdraw, author or supervisor  WITHDRAWN
 *     SUBMITTED, APPROVED  clock, 72 h                     LAPSED
 *     APPROVED             clock, durable                  OPEN
 *     OPEN                 suspend, operator               SUSPENDED
 *     SUSPENDED            resume, operator                OPEN
 *     OPEN                 resolve, officer                RESOLVED
 *     OPEN, SUSPENDED      clock, exp                      EXPIRED
 *
 * An emergency request that is OPEN or closed is reviewed by `approve` of a second supervisor: no
 * change of state. Everything else is refused. Handlers return REASON_OK when accepted; effects of
 * a refusal are thrown away. */
#ifndef CONSENT_REQUEST_H
#define CONSENT_REQUEST_H

#include "plugin/consent/effects.h"

enum reason request_submit(const struct step *s, const Vestibule__V1__Submit *m);
enum reason request_approve(const struct step *s, ProtobufCBinaryData id);
enum reason request_withdraw(const struct step *s, ProtobufCBinaryData id);
enum reason request_resolve(const struct step *s, ProtobufCBinaryData id);
enum reason request_alert(const struct step *s, const Vestibule__V1__SendAlert *m);

/* The operator's word about one request (OPERATOR_*_REQUEST), or about all of an agency's. */
enum reason request_moderate(const struct step *s, enum operator_kind op, struct span id);
void request_suspend_all(const struct step *s, const struct row_agency *agency);
void request_resume_all(const struct step *s, const struct row_agency *agency);

/* What time brings. False: out of room, call again. */
bool request_tick(const struct step *s);

/* The agency of a request, when it may act: known, not suspended, not retired. Else NULL. */
const struct row_agency *request_live_agency(const struct state *st, struct span agency);

bool request_is_closed(const struct row_request *r); /* absorbing */
int64_t request_tick_ms(const struct consent_opts *opts, const struct row_request *r);

/* Is now the moment of a release tick of this request? *boundary gets the tick's time. */
bool request_tick_now(const struct step *s, const struct row_request *r, int64_t *boundary);

/* --- request_check.c -------------------------------------------------------------------------- */

/* May this request be filed? Only its own content and its agency's history are read. */
enum reason request_check_submit(const struct step *s, const struct row_request *r,
								 const struct row_agency *agency);
/* Do the limits hold still, or again, when it is approved? */
enum reason request_check_approve(const struct step *s, const struct row_request *r,
								  const struct row_agency *agency);

#endif
