/* What the people of a home read: one thing, one line (an ask: one line and one for each clip),
 * without the last line feed. For machines there is codec_json, not this. Every value from outside
 * goes through show.h. Pure. Messages are borrowed for the call; errors stick in the buffer. */
#ifndef HOME_RENDER_H
#define HOME_RENDER_H

#include <cjson/cJSON.h>

#include "lib/buf.h"
#include "proto/codec.h"

void render_device(struct buf *b, const Vestibule__V1__DeviceInfo *d);
void render_member(struct buf *b, const Vestibule__V1__MemberInfo *m);
void render_clip(struct buf *b, const Vestibule__V1__ClipInfo *c);
void render_ask(struct buf *b, const Vestibule__V1__Ask *a);
void render_grant(struct buf *b, const Vestibule__V1__GrantInfo *g);
void render_receipt(struct buf *b, const Vestibule__V1__Receipt *r);
void render_alert(struct buf *b, const Vestibule__V1__Alert *a);

/* A message under home/{home}/json/{device}/: name is its last level ("ring"), json its content;
 * members that are missing or of another type are left out. */
void render_event(struct buf *b, const char *device, const char *name, const cJSON *json);

#endif
