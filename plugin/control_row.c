/* See control_row.h. */
#include "plugin/control_row.h"

#include <math.h>
#include <stddef.h>

#include "plugin/consent/geometry.h"
#include "plugin/policy/policy.h"

bool control_row_is_registry(enum row_kind kind) {
	switch (kind) {
	case ROW_HOME:
	case ROW_DEVICE:
	case ROW_CREDENTIAL:
	case ROW_TOKEN:
	case ROW_APP_TOPIC:
	case ROW_INTEGRATOR:
	case ROW_AGENCY:
	case ROW_RELAY: return true;
	default: return false;
	}
}

static enum err complain(char why[CONTROL_WHY_SIZE], const char *kind, const char *member,
						 const char *what) {
	(void)snprintf(why, CONTROL_WHY_SIZE, "%s.%s: %s", kind, member,
				   what); /* a cut sentence is still one */
	return ERR_INPUT;
}

/* What a member must be, for people. */
static enum err complain_limit(char why[CONTROL_WHY_SIZE], const struct row_desc *d,
							   const struct field *f) {
	char must[96];
	long long min = f->min, max = f->max;
	size_t bytes = f->size - 1;
	switch (f->type) {
	case FIELD_ID: return complain(why, d->name, f->name, "must be 1-64 of [a-z0-9_-]");
	case FIELD_ID_OPT: return complain(why, d->name, f->name, "must be 0-64 of [a-z0-9_-]");
	case FIELD_USERNAME: return complain(why, d->name, f->name, "must be 3-64 of [a-z0-9_-]");
	case FIELD_CELL_OPT:
		return complain(why, d->name, f->name, "must be a geohash of 8 letters, or empty");
	case FIELD_BOOL: return complain(why, d->name, f->name, "must be true or false");
	case FIELD_HEX:
	case FIELD_HEX_OPT:
		(void)snprintf(must, sizeof(must), "must be %lld lower-case hex digits", max);
		break;
	case FIELD_FILTER:
		(void)snprintf(must, sizeof(must),
					   "must be a topic filter outside vestibule/ and $, at most %zu bytes", bytes);
		break;
	case FIELD_TEXT:
		(void)snprintf(must, sizeof(must), "must be %lld-%zu bytes of text", min, bytes);
		break;
	default: (void)snprintf(must, sizeof(must), "must be %lld-%lld", min, max); break;
	}
	return complain(why, d->name, f->name, must);
}

/* Words stand for the enums a person types. -1: this member has no words, or the word is unknown.
 */
static int64_t word_value(enum row_kind kind, const char *member, struct span word) {
	if (kind == ROW_CREDENTIAL && strcmp(member, "kind") == 0) {
		enum cred_kind k = policy_cred_kind_by_name(word);
		return k == CRED_NONE ? -1 : (int64_t)k;
	}
	if (kind == ROW_CREDENTIAL && strcmp(member, "role") == 0) {
		enum cred_role r = policy_role_by_name(word);
		return r == ROLE_NONE ? -1 : (int64_t)r;
	}
	if (kind == ROW_AGENCY && strcmp(member, "kind") == 0) {
		if (span_eq(word, SPAN_LIT("police"))) return AGENCY_POLICE;
		if (span_eq(word, SPAN_LIT("fire"))) return AGENCY_FIRE;
		if (span_eq(word, SPAN_LIT("ambulance"))) return AGENCY_AMBULANCE;
	}
	if (kind == ROW_APP_TOPIC && strcmp(member, "access") == 0) {
		if (span_eq(word, SPAN_LIT("read"))) return APP_READ;
		if (span_eq(word, SPAN_LIT("write"))) return APP_WRITE;
		if (span_eq(word, SPAN_LIT("both"))) return APP_BOTH;
	}
	return -1;
}

static bool put_number(double v, int64_t *out) {
	if (!(v >= -9007199254740992.0 && v <= 9007199254740992.0) || floor(v) != v) return false;
	*out = (int64_t)v;
	return true;
}

static enum err put_int(enum row_kind kind, const struct row_desc *d, const cJSON *item,
						int64_t *out, char why[CONTROL_WHY_SIZE]) {
	if (cJSON_IsBool(item)) {
		*out = cJSON_IsTrue(item) ? 1 : 0;
		return ERR_NONE;
	}
	if (cJSON_IsNumber(item)) {
		return put_number(item->valuedouble, out)
				   ? ERR_NONE
				   : complain(why, d->name, item->string, "not a whole number");
	}
	int64_t value =
		cJSON_IsString(item) ? word_value(kind, item->string, span_str(item->valuestring)) : -1;
	if (value < 0) return complain(why, d->name, item->string, "not a number or a known word");
	*out = value;
	return ERR_NONE;
}

/* One ring, a list of [lat, lon] in degrees, appended in the stored form of geometry.h. */
static bool put_ring(const cJSON *ring, struct buf *out) {
	int32_t lat_e7[GEOMETRY_VERTICES_MAX], lon_e7[GEOMETRY_VERTICES_MAX];
	uint8_t bytes[GEOMETRY_RING_BYTES_MAX];
	const cJSON *point;
	size_t n = 0;
	cJSON_ArrayForEach(point, ring) {
		const cJSON *lat = cJSON_GetArrayItem(point, 0), *lon = cJSON_GetArrayItem(point, 1);
		if (n == GEOMETRY_VERTICES_MAX || !cJSON_IsNumber(lat) || !cJSON_IsNumber(lon))
			return false;
		if (!(fabs(lat->valuedouble) <= 90) || !(fabs(lon->valuedouble) <= 180)) return false;
		lat_e7[n] = (int32_t)lround(lat->valuedouble * 1e7);
		lon_e7[n++] = (int32_t)lround(lon->valuedouble * 1e7);
	}
	size_t len = geometry_ring_write(lat_e7, lon_e7, n, bytes, sizeof bytes);
	buf_put(out, bytes, len);
	return len > 0;
}

/* [[[lat, lon], ...], ...]; what rings must satisfy is judged by geometry.h. */
static enum err put_rings(const cJSON *item, struct buf *out, char why[CONTROL_WHY_SIZE]) {
	const cJSON *ring;
	bool ok = cJSON_IsArray(item);
	cJSON_ArrayForEach(ring, item) {
		ok = ok && cJSON_IsArray(ring) && put_ring(ring, out);
	}
	if (!ok || buf_error(out) != ERR_NONE || geometry_rings_check(buf_view(out)) != ERR_NONE) {
		return complain(why, "agency", "rings",
						"1-8 rings of 3-512 points [lat, lon] in degrees that do not touch or "
						"cross themselves");
	}
	return ERR_NONE;
}

static enum err put_member(enum row_kind kind, const cJSON *item, struct buf *rings,
						   union row_any *out, char why[CONTROL_WHY_SIZE]) {
	const struct row_desc *d = row_desc(kind);
	if (kind == ROW_TOKEN && strcmp(item->string, "slot") == 0)
		return ERR_NONE; /* part of the key, see compose_key */
	for (size_t i = 0; i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		if (strcmp(f->name, item->string) != 0) continue;
		uint8_t *at = (uint8_t *)out + f->offset;
		if (f->type == FIELD_INT || f->type == FIELD_BOOL)
			return put_int(kind, d, item, (int64_t *)(void *)at, why);
		if (f->type == FIELD_BLOB) {
			enum err e = put_rings(item, rings, why);
			if (e == ERR_NONE) *(struct blob *)(void *)at = (struct blob){rings->ptr, rings->len};
			return e;
		}
		if (!cJSON_IsString(item)) return complain(why, d->name, item->string, "not a text");
		if (!span_copy(span_str(item->valuestring), (char *)at, f->size)) {
			return complain_limit(why, d, f);
		}
		return ERR_NONE;
	}
	return complain(why, d->name, item->string, "not a known member");
}

/* Keys that are made of other members. */
static void compose_key(enum row_kind kind, const cJSON *json, union row_any *out) {
	if (kind == ROW_TOKEN) {
		const cJSON *slot = cJSON_GetObjectItemCaseSensitive(json, "slot");
		int n = cJSON_IsNumber(slot) && slot->valueint == 1 ? 1 : 0;
		(void)snprintf(out->token.id, sizeof out->token.id, "%s/%d", out->token.username, n);
	} else if (kind == ROW_APP_TOPIC) {
		(void)snprintf(out->app_topic.id, sizeof out->app_topic.id, "%s %s",
					   out->app_topic.username, out->app_topic.filter);
	}
}

static void stamp(enum row_kind kind, int64_t now_ms, union row_any *out) {
	const struct row_desc *d = row_desc(kind);
	for (size_t i = 0; i < d->field_count; i++) {
		if (strcmp(d->fields[i].name, "created_ms") != 0) continue;
		memcpy((uint8_t *)out + d->fields[i].offset, &now_ms, sizeof now_ms);
	}
}

enum err control_row_parse(enum row_kind kind, const cJSON *json, int64_t now_ms, struct buf *rings,
						   union row_any *out, char why[CONTROL_WHY_SIZE]) {
	const cJSON *item;
	const char *bad = NULL;
	if (!control_row_is_registry(kind)) return ERR_ABSENT;
	const struct row_desc *d = row_desc(kind);
	if (!cJSON_IsObject(json)) return complain(why, d->name, "row", "not an object");
	memset(out, 0, sizeof *out);
	out->row.kind = kind;
	cJSON_ArrayForEach(item, json) {
		enum err e = put_member(kind, item, rings, out, why);
		if (e != ERR_NONE) return e;
	}
	stamp(kind, now_ms, out);
	compose_key(kind, json, out);
	bool composed = kind == ROW_TOKEN || kind == ROW_APP_TOPIC; /* the key, of other members */
	for (size_t i = 0; i < d->field_count; i++) {
		if (composed && (int)i == d->key) continue;
		if (!row_field_is_valid(&out->row, &d->fields[i]))
			return complain_limit(why, d, &d->fields[i]);
	}
	if (row_validate(&out->row, &bad) != ERR_NONE)
		return complain(why, d->name, bad, "does not fit what else is said");
	return ERR_NONE;
}
