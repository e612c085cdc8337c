/* The times of a routed event. Everything else about an event is the codec's; this reader exists
 * because a READ check runs for every copy of every message. */
#include "proto/event.h"

#include "proto/wire.h"

enum { FIELD_AT = 2, FIELD_SYNCED = 3, FIELD_ARRIVED = 5 };

enum err event_times(struct span payload, struct event_times *out) {
	uint64_t value[FIELD_ARRIVED + 1] = {0};
	unsigned seen = 0;
	struct wire_field f;
	while (payload.len) {
		if (!wire_next(&payload, &f)) return ERR_INPUT;
		if (f.number != FIELD_AT && f.number != FIELD_SYNCED && f.number != FIELD_ARRIVED) continue;
		if (f.type != WIRE_VARINT || seen >> f.number & 1) return ERR_INPUT;
		if (f.number == FIELD_SYNCED && f.value > 1) return ERR_INPUT;
		seen |= 1u << f.number;
		value[f.number] = f.value;
	}
	*out = (struct event_times){value[FIELD_AT], value[FIELD_ARRIVED], value[FIELD_SYNCED] == 1};
	return ERR_NONE;
}

static bool take(struct span *rest, struct span literal) {
	if (!span_starts(*rest, literal)) return false;
	*rest = span_drop(*rest, literal.len);
	return true;
}

/* A JSON number of ours: digits, no leading zero, at most 64 bits. */
static bool take_number(struct span *rest, uint64_t *out) {
	uint64_t value = 0;
	size_t n = 0;
	while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9') {
		uint64_t digit = (uint64_t)(rest->ptr[n] - '0');
		if (value > (UINT64_MAX - digit) / 10) return false;
		value = value * 10 + digit;
		n++;
	}
	if (n == 0 || (n > 1 && rest->ptr[0] == '0')) return false;
	*rest = span_drop(*rest, n);
	*out = value;
	return true;
}

enum err event_times_json(struct span payload, struct event_times *out) {
	struct event_times found;
	if (!take(&payload, SPAN_LIT("{\"at_ms\":")) || !take_number(&payload, &found.at_ms))
		return ERR_INPUT;
	if (!take(&payload, SPAN_LIT(",\"arrived_ms\":"))) return ERR_INPUT;
	if (!take_number(&payload, &found.arrived_ms)) return ERR_INPUT;
	if (!take(&payload, SPAN_LIT(",\"synced\":"))) return ERR_INPUT;
	found.synced = take(&payload, SPAN_LIT("true"));
	if (!found.synced && !take(&payload, SPAN_LIT("false"))) return ERR_INPUT;
	if (payload.len == 0 || (payload.ptr[0] != ',' && payload.ptr[0] != '}')) return ERR_INPUT;
	*out = found;
	return ERR_NONE;
}

uint64_t event_effective_ms(const struct event_times *t) {
	return t->synced ? t->at_ms : t->arrived_ms;
}
