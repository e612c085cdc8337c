/* What officers read: one thing, one line, without line feed. For machines there is codec_json, not
 * this. Every value from outside goes through show.h. Pure. Messages are borrowed for the call;
 * errors stick in the buffer. */
#ifndef AGENCY_RENDER_H
#define AGENCY_RENDER_H

#include "lib/buf.h"
#include "proto/codec.h"

void render_request(struct buf *b, const Vestibule__V1__RequestInfo *r);
void render_delivery(struct buf *b, const Vestibule__V1__AgencyNotice *n);
void render_notice(struct buf *b, const Vestibule__V1__AgencyNotice *n);

#endif
