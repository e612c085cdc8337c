/* May a request be filed: every limit on its content, its agency's history and its place, in one
 * fixed order. This file cannot see homes: it looks up nothing but requests (I12). */
#include "plugin/consent/geometry.h"
#include "plugin/consent/limits.h"
#include "plugin/consent/request.h"

/* --- content ---------------------------------------------------------------------------------- */

static enum reason check_shape(const struct row_request *r, int64_t now_ms) {
	int64_t radius_max = r->emergency ? LIMIT_RADIUS_EMERGENCY_M : LIMIT_RADIUS_MAX_M;
	int64_t window_max = r->emergency ? LIMIT_WINDOW_EMERGENCY_MS : LIMIT_WINDOW_MAX_MS;
	int64_t life_max_h = r->emergency ? LIMIT_LIFE_EMERGENCY_H : LIMIT_LIFE_MAX_H;
	if (r->emergency && r->purpose != VESTIBULE__V1__PURPOSE__PURPOSE_EMERGENCY_AID)
		return REASON_PURPOSE;
	if (r->radius_m < LIMIT_RADIUS_MIN_M || r->radius_m > radius_max) return REASON_RADIUS;
	if (r->from_ms >= r->to_ms || r->to_ms - r->from_ms < LIMIT_WINDOW_MIN_MS) return REASON_WINDOW;
	if (r->to_ms - r->from_ms > window_max) return REASON_WINDOW;
	if (r->to_ms > now_ms || r->from_ms < now_ms - LIMIT_WINDOW_AGE_MS) return REASON_WINDOW_AGE;
	if (r->life_ms < LIMIT_HOUR_MS || r->life_ms > life_max_h * LIMIT_HOUR_MS) return REASON_LIFE;
	return REASON_OK;
}

static struct geometry_circle circle_of(const struct row_request *r) {
	return (struct geometry_circle){
		.lat_e7 = r->lat_e7, .lon_e7 = r->lon_e7, .radius_m = r->radius_m};
}

static enum reason check_place(const struct row_request *r, const struct row_agency *agency) {
	struct geometry_circle c = circle_of(r);
	if (r->lat_e7 > LIMIT_LATITUDE_E7 || r->lat_e7 < -LIMIT_LATITUDE_E7) return REASON_JURISDICTION;
	return geometry_fits(span_of(agency->rings.ptr, agency->rings.len), &c) ? REASON_OK
																			: REASON_JURISDICTION;
}

/* --- history ---------------------------------------------------------------------------------- */

/* More than half of the smaller of both volumes (area x time) in common: one case, whatever their
 * numbers. */
static bool overlaps(const struct row_request *a, const struct row_request *b) {
	const double pi = 3.14159265358979323846;
	struct geometry_circle ca = circle_of(a), cb = circle_of(b);
	int64_t from = a->from_ms > b->from_ms ? a->from_ms : b->from_ms;
	int64_t to = a->to_ms < b->to_ms ? a->to_ms : b->to_ms;
	if (to <= from) return false;
	double va = pi * (double)(ca.radius_m * ca.radius_m) * (double)(a->to_ms - a->from_ms);
	double vb = pi * (double)(cb.radius_m * cb.radius_m) * (double)(b->to_ms - b->from_ms);
	double shared = geometry_lens_m2(&ca, &cb) * (double)(to - from);
	return shared > 0.5 * (va < vb ? va : vb);
}

/* Live, or ever open within 30 days. */
static bool counts(const struct row_request *r, int64_t now_ms) {
	if (r->state <= REQ_SUSPENDED) return true;
	return r->opened_ms != 0 && r->closed_ms > now_ms - LIMIT_OVERLAP_AGE_MS;
}

static bool same_case(const struct row_request *a, const struct row_request *b) {
	return span_eq(span_str(a->case_number), span_str(b->case_number));
}

static bool same_request(const struct row_request *a, const struct row_request *b) {
	return span_eq(span_str(a->id), span_str(b->id));
}

static const struct row_request *next_of(const struct state *st, const struct row_request *r,
										 const struct row_request *after) {
	const struct row *row = after ? &after->row : NULL;
	return (const struct row_request *)state_child(st, ROW_REQUEST, 0, span_str(r->agency), row);
}

/* Does a request that overlaps r carry the number of other? */
static bool linked_by_number(const struct step *s, const struct row_request *r,
							 const struct row_request *other) {
	for (const struct row_request *o = next_of(s->st, r, NULL); o; o = next_of(s->st, r, o)) {
		if (same_request(o, r) || !counts(o, s->now.utc_ms) || !same_case(o, other)) continue;
		if (overlaps(o, r)) return true;
	}
	return false;
}

static enum reason check_case(const struct step *s, const struct row_request *r) {
	int by_number = 0, by_place = 0;
	for (const struct row_request *o = next_of(s->st, r, NULL); o; o = next_of(s->st, r, o)) {
		if (same_request(o, r) || !counts(o, s->now.utc_ms)) continue;
		if (same_case(o, r))
			by_number++;
		else if (overlaps(o, r) || linked_by_number(s, r, o))
			by_place++;
	}
	if (by_number >= LIMIT_PER_CASE) return REASON_CASE_LIMIT;
	return by_number + by_place >= LIMIT_PER_CASE ? REASON_OVERLAP : REASON_OK;
}

static enum reason check_open(const struct step *s, const struct row_request *r) {
	int open = 0, max = r->emergency ? LIMIT_OPEN_EMERGENCY : LIMIT_OPEN_PER_AGENCY;
	for (const struct row_request *o = next_of(s->st, r, NULL); o; o = next_of(s->st, r, o)) {
		bool is_open =
			o->state == REQ_APPROVED || o->state == REQ_OPEN || o->state == REQ_SUSPENDED;
		if (is_open && !same_request(o, r)) open++;
	}
	return open >= max ? REASON_OPEN_LIMIT : REASON_OK;
}

static enum reason check_submits(const struct step *s, const struct row_request *r) {
	int officer = 0, agency = 0;
	for (const struct row_request *o = next_of(s->st, r, NULL); o; o = next_of(s->st, r, o)) {
		if (o->submitted_ms <= s->now.utc_ms - LIMIT_DAY_MS) continue;
		agency++;
		if (span_eq(span_str(o->author), span_str(r->author))) officer++;
	}
	return officer >= LIMIT_SUBMITS_OFFICER || agency >= LIMIT_SUBMITS_AGENCY ? REASON_SUBMIT_LIMIT
																			  : REASON_OK;
}

/* --- both moments ----------------------------------------------------------------------------- */

enum reason request_check_approve(const struct step *s, const struct row_request *r,
								  const struct row_agency *agency) {
	enum reason why = check_shape(r, r->submitted_ms);
	if (why == REASON_OK) why = check_place(r, agency);
	if (why == REASON_OK) why = check_case(s, r);
	if (why == REASON_OK) why = check_open(s, r);
	return why;
}

enum reason request_check_submit(const struct step *s, const struct row_request *r,
								 const struct row_agency *agency) {
	enum reason why = check_shape(r, s->now.utc_ms);
	if (why == REASON_OK) why = check_place(r, agency);
	if (why == REASON_OK && r->emergency && agency->fast_path_lost) why = REASON_FAST_PATH;
	if (why == REASON_OK) why = check_case(s, r);
	if (why == REASON_OK) why = check_open(s, r);
	if (why == REASON_OK) why = check_submits(s, r);
	return why;
}
