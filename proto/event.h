/* The small reader of routed events: the times that a READ check needs, out of the bytes, without
 * allocation, and without trusting them (fuzzed like the codec). It reads what the plugin itself
 * routed: canonical protobuf with arrived_ms set, or the JSON mirror, whose first members are
 * always at_ms, arrived_ms and synced in this order. Pure, any thread. */
#ifndef PROTO_EVENT_H
#define PROTO_EVENT_H

#include "lib/err.h"
#include "lib/span.h"

struct event_times {
	uint64_t at_ms;      /* as sent */
	uint64_t arrived_ms; /* 0: never went through the plugin's MESSAGE callback: route to nobody */
	bool synced;
};

/* Protobuf of RingEvent, MotionEvent or ClipReady (fields 2, 3 and 5 of any). ERR_INPUT: not
 * protobuf wire format to its exact end, a field of these with another wire type, or twice. Absent
 * fields are zero. */
enum err event_times(struct span payload, struct event_times *out) MUST_CHECK;

/* The JSON mirror: {"at_ms":N,"arrived_ms":N,"synced":true|false,... ERR_INPUT when it does not
 * start so. */
enum err event_times_json(struct span payload, struct event_times *out) MUST_CHECK;

/* What a grant's start is compared with: at_ms, or arrived_ms when the clock was not known to be
 * good. */
uint64_t event_effective_ms(const struct event_times *t);

#endif
