/* Words to fields. An enum's words are those of the messages, with - or _ between their parts. */
#include "clients/agency/compose.h"

#include <stdarg.h>

#include "clients/agency/when.h"
#include "proto/geohash.h"

enum { WORD_SIZE = 32, E7_DIGITS = 7, E7 = 10000000, WHOLE_DIGITS_MAX = 3 };

static bool say(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool say(char *why, const char *fmt, ...) {
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(why, COMPOSE_WHY_SIZE, fmt, args); /* a cut sentence still tells */
	va_end(args);
	return false;
}

static void list_words(const ProtobufCEnumDescriptor *e, struct buf *b) {
	for (int v = 1; codec_word(e, v); v++) {
		if (v > 1) buf_str(b, ", ");
		for (const char *at = codec_word(e, v); *at; at++) buf_put(b, *at == '_' ? "-" : at, 1);
	}
}

static bool parse_word(const char *option, const char *text, const ProtobufCEnumDescriptor *e,
					   int *value, char *why) {
	char word[WORD_SIZE];
	if (text && span_copy(span_str(text), word, sizeof(word))) {
		for (char *at = word; *at; at++) {
			if (*at == '-') *at = '_';
		}
		int v = codec_enum(e, span_str(word));
		if (v > 0) {
			*value = v;
			return true;
		}
	}
	struct buf b;
	buf_init(&b, COMPOSE_WHY_SIZE);
	list_words(e, &b);
	(void)say(why, "--%s %s: give one of %s", option, text ? text : "is missing", buf_cstr(&b));
	buf_fini(&b);
	return false;
}

static bool parse_when(const char *option, const char *text, int64_t now_ms, uint64_t *ms,
					   char *why) {
	int64_t at = 0;
	if (!text) return say(why, "--%s is missing", option);
	if (when_parse(span_str(text), now_ms, &at) != ERR_NONE) {
		return say(why,
				   "--%s %s: give UTC as 2026-11-25T20:00Z, or a time from now as -2h, +90m or -3d",
				   option, text);
	}
	*ms = (uint64_t)at;
	return true;
}

enum err compose_degrees(struct span text, int32_t limit, int32_t *e7) {
	bool negative = text.len > 0 && text.ptr[0] == '-';
	if (negative) text = span_drop(text, 1);
	size_t point = 0;
	while (point < text.len && text.ptr[point] != '.') point++;
	size_t decimals = point < text.len ? text.len - point - 1 : 0;
	if (point == 0 || point > WHOLE_DIGITS_MAX || decimals > E7_DIGITS) return ERR_INPUT;
	if (point < text.len && decimals == 0) return ERR_INPUT;
	int64_t v = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (i == point) continue;
		if (text.ptr[i] < '0' || text.ptr[i] > '9') return ERR_INPUT;
		v = v * 10 + (text.ptr[i] - '0');
	}
	for (size_t i = decimals; i < E7_DIGITS; i++) v *= 10;
	if (v > (int64_t)limit * E7) return ERR_LIMIT;
	*e7 = (int32_t)(negative ? -v : v);
	return ERR_NONE;
}

static bool parse_degrees(const char *option, const char *text, int32_t limit, int32_t *e7,
						  char *why) {
	if (!text) return say(why, "--%s is missing", option);
	if (compose_degrees(span_str(text), limit, e7) == ERR_NONE) return true;
	return say(why, "--%s %s: give degrees from -%d to %d, at most 7 decimals", option, text,
			   (int)limit, (int)limit);
}

bool compose_submit(const struct settings *set, int64_t now_ms, uint8_t id[16],
					Vestibule__V1__Circle *circle, Vestibule__V1__Submit *msg,
					char why[COMPOSE_WHY_SIZE]) {
	static const ProtobufCEnumDescriptor *const types = &vestibule__v1__incident_type__descriptor;
	static const ProtobufCEnumDescriptor *const purposes = &vestibule__v1__purpose__descriptor;
	int type = 0;
	int purpose = set->emergency ? VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID
								 : VESTIBULE__V1__PURPOSE__PURPOSE_INVESTIGATION;
	vestibule__v1__circle__init(circle);
	vestibule__v1__submit__init(msg);
	if (!parse_word("type", set->type, types, &type, why)) return false;
	if (set->purpose && !parse_word("purpose", set->purpose, purposes, &purpose, why)) return false;
	if (!set->case_number) return say(why, "--case is missing");
	if (!set->reason) return say(why, "--reason is missing");
	if (!parse_degrees("lat", set->lat, 90, &circle->lat_e7, why)) return false;
	if (!parse_degrees("lon", set->lon, 180, &circle->lon_e7, why)) return false;
	if (set->radius_m == 0) return say(why, "--radius is missing");
	if (!parse_when("from", set->from, now_ms, &msg->from_ms, why)) return false;
	if (!parse_when("to", set->to, now_ms, &msg->to_ms, why)) return false;
	circle->radius_m = (uint32_t)set->radius_m;
	msg->request_id = (ProtobufCBinaryData){16, id};
	msg->incident_type = (Vestibule__V1__IncidentType)type;
	msg->purpose = (Vestibule__V1__Purpose)purpose;
	msg->emergency = set->emergency;
	msg->case_number =
		(char *)set->case_number; /* only read: the generated structs know no const */
	msg->reason = (char *)set->reason;
	msg->circle = circle;
	msg->open_hours = (uint32_t)set->open_hours;
	return true;
}

bool compose_alert(const struct settings *set, int64_t now_ms, Vestibule__V1__SendAlert *msg,
				   char why[COMPOSE_WHY_SIZE]) {
	int kind = 0;
	vestibule__v1__send_alert__init(msg);
	if (!geohash_is_valid(span_str(set->subject), GEOHASH_AREA)) {
		return say(why, "%s: a cell is a geohash of 5 letters", set->subject);
	}
	if (!parse_word("kind", set->kind, &vestibule__v1__alert_kind__descriptor, &kind, why))
		return false;
	if (!set->text) return say(why, "--text is missing");
	if (!parse_when("until", set->until, now_ms, &msg->until_ms, why)) return false;
	msg->geohash5 = (char *)set->subject; /* only read */
	msg->kind = (Vestibule__V1__AlertKind)kind;
	msg->text = (char *)set->text;
	return true;
}
