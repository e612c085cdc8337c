/* What is a ring: every polygon on small grids against a second implementation, in single steps of 10^-7
 * degrees and in degrees; and bytes, circles and points that are none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "plugin/consent/geometry.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { MOST = 6 }; /* vertices of the rings here */

struct place {
	int64_t x, y;
};

/* --- the oracle: edges as a line and a parameter ---------------------------------------------- */

static int64_t cross(struct place a, struct place b) {
	return a.x * b.y - a.y * b.x;
}

static struct place minus(struct place a, struct place b) {
	return (struct place){a.x - b.x, a.y - b.y};
}

/* Is n / d in [0, 1]? d is not 0. */
static bool is_part(int64_t n, int64_t d) {
	return d > 0 ? n >= 0 && n <= d : n <= 0 && n >= d;
}

static bool do_meet(struct place p, struct place p2, struct place q, struct place q2) {
	struct place r = minus(p2, p), s = minus(q2, q), pq = minus(q, p);
	int64_t d = cross(r, s);
	if (d != 0) return is_part(cross(pq, s), d) && is_part(cross(pq, r), d);
	if (cross(pq, r) != 0) return false;
	int64_t rr = r.x * r.x + r.y * r.y, t0 = pq.x * r.x + pq.y * r.y;
	int64_t t1 = t0 + s.x * r.x + s.y * r.y;
	int64_t low = t0 < t1 ? t0 : t1, high = t0 < t1 ? t1 : t0;
	return high >= 0 && low <= rr;
}

/* Neighbours have their common vertex and nothing else. */
static bool is_simple(const struct place *v, size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct place a = v[i], b = v[(i + 1) % n], c = v[(i + 2) % n];
		struct place ab = minus(b, a), bc = minus(c, b);
		if (ab.x == 0 && ab.y == 0) return false;
		if (cross(ab, bc) == 0 && ab.x * bc.x + ab.y * bc.y <= 0) return false;
		for (size_t j = i + 2; j < n; j++) {
			if ((j + 1) % n == i) continue;
			if (do_meet(a, b, v[j], v[(j + 1) % n])) return false;
		}
	}
	return true;
}

/* --- every ring on a grid --------------------------------------------------------------------- */

static size_t write_ring(const struct place *v, size_t n, int64_t lon0, int64_t scale,
						 uint8_t *out) {
	int32_t lat[MOST], lon[MOST];
	for (size_t i = 0; i < n; i++) {
		lat[i] = (int32_t)(v[i].y * scale);
		lon[i] = (int32_t)(lon0 + v[i].x * scale);
	}
	return geometry_ring_write(lat, lon, n, out, 4 + MOST * 8);
}

static void every_ring_on_a_grid(size_t n, int64_t side, int64_t scale) {
	size_t all = 1, sound = 0;
	for (size_t i = 0; i < n; i++) all *= (size_t)(side * side);
	for (size_t number = 0; number < all; number++) {
		struct place v[MOST];
		uint8_t bytes[4 + MOST * 8];
		size_t left = number;
		for (size_t i = 0; i < n; i++, left /= (size_t)(side * side)) {
			int64_t at = (int64_t)(left % (size_t)(side * side));
			v[i] = (struct place){at % side, at / side};
		}
		size_t len = write_ring(v, n, 0, scale, bytes);
		bool want = is_simple(v, n), got = !geometry_rings_check(span_of(bytes, len));
		if (want != got) fail_msg("ring %zu of %zu vertices: %d", number, n, got);
		sound += got;
	}
	assert_true(sound > all / 100 && sound < all);
}

static void every_small_ring_is_judged_as_by_the_oracle(void **unused) {
	(void)unused;
	static const int64_t scales[] = {1, 10000000};
	for (size_t i = 0; i < COUNT(scales); i++) {
		every_ring_on_a_grid(3, 4, scales[i]);
		every_ring_on_a_grid(4, 3, scales[i]);
		every_ring_on_a_grid(5, 3, scales[i]);
	}
}

static void a_ring_over_the_antimeridian_is_one_from_either_side(void **unused) {
	(void)unused;
	static const int32_t lat[] = {0, 0, 10000000, 10000000};
	static const int32_t east[] = {1795000000, -1795000000, -1795000000, 1795000000};
	static const int32_t west[] = {-1795000000, 1795000000, 1795000000, -1795000000};
	uint8_t bytes[4 + 4 * 8];
	for (int turn = 0; turn < 2; turn++) {
		size_t len = geometry_ring_write(lat, turn ? east : west, 4, bytes, sizeof(bytes));
		struct span ring = span_of(bytes, len);
		assert_int_equal(geometry_rings_check(ring), ERR_NONE);
		assert_true(geometry_contains(ring, 0.5, 179.9));
		assert_true(geometry_contains(ring, 0.5, -179.9));
		assert_false(geometry_contains(ring, 0.5, 0));
		assert_false(geometry_contains(ring, 0.5, 179));
	}
}

static void an_edge_goes_not_half_round_the_world(void **unused) {
	(void)unused;
	static const struct {
		enum err expected;
		int32_t lon[3];
	} cases[] = {
		{ERR_NONE, {0, 1799999999, 500000000}},   {ERR_INPUT, {0, 1800000000, 500000000}},
		{ERR_NONE, {0, -1799999999, -500000000}}, {ERR_INPUT, {0, -1800000000, -500000000}},
		{ERR_INPUT, {0, 900000000, -900000000}}, /* b to c: 180 degrees, westward */
		{ERR_INPUT, {0, -900000000, 900000000}}, /* and eastward */
	};
	static const int32_t lat[] = {0, 0, 100000000};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[4 + 3 * 8];
		size_t len = geometry_ring_write(lat, cases[i].lon, 3, bytes, sizeof(bytes));
		if (geometry_rings_check(span_of(bytes, len)) != cases[i].expected) fail_msg("%zu", i);
	}
}

/* --- bytes that are none ---------------------------------------------------------------------- */

static void a_vertex_lies_on_the_globe(void **unused) {
	(void)unused;
	static const struct {
		enum err expected;
		int32_t lat, lon;
	} cases[] = {
		{ERR_NONE, 900000000, 0},           {ERR_INPUT, 900000001, 0},
		{ERR_NONE, -900000000, 0},          {ERR_INPUT, -900000001, 0},
		{ERR_NONE, 100000000, 1800000000},  {ERR_INPUT, 100000000, 1800000001},
		{ERR_NONE, 100000000, -1800000000}, {ERR_INPUT, 100000000, -1800000001},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		int32_t near_lon = cases[i].lon > 0   ? 1700000000
						   : cases[i].lon < 0 ? -1700000000
											  : 10000000;
		int32_t lat[] = {cases[i].lat, 0, 0}, lon[] = {cases[i].lon, near_lon, near_lon + 50000000};
		uint8_t bytes[4 + 3 * 8];
		size_t len = geometry_ring_write(lat, lon, 3, bytes, sizeof(bytes));
		if (geometry_rings_check(span_of(bytes, len)) != cases[i].expected) fail_msg("%zu", i);
	}
}

static void a_number_of_vertices_out_of_range_is_no_ring(void **unused) {
	(void)unused;
	static uint8_t bytes[4 + (GEOMETRY_VERTICES_MAX + 1) * 8];
	static int32_t numbers[GEOMETRY_VERTICES_MAX + 1];
	static const struct {
		enum err expected;
		size_t n;
	} cases[] = {{ERR_LIMIT, 0},
				 {ERR_LIMIT, GEOMETRY_VERTICES_MIN - 1},
				 {ERR_LIMIT, GEOMETRY_VERTICES_MAX + 1},
				 {ERR_INPUT, GEOMETRY_VERTICES_MAX}}; /* as many as may be, and all of them alike */
	struct geometry_circle c = {.radius_m = 1};
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = cases[i].n;
		struct span ring, rest = span_of(bytes, 4 + n * 8), rings = rest;
		bytes[0] = (uint8_t)n;
		bytes[1] = (uint8_t)(n >> 8);
		assert_int_equal(geometry_rings_check(rings), cases[i].expected);
		assert_int_equal(geometry_ring_next(&rest, &ring), cases[i].expected == ERR_INPUT);
		assert_false(geometry_fits(rings, &c));
		assert_false(geometry_contains(rings, 0, 0));
		assert_int_equal(geometry_ring_write(numbers, numbers, n, bytes, sizeof(bytes)),
						 cases[i].expected == ERR_INPUT ? 4 + n * 8 : 0);
	}
	struct span cut = span_of(bytes, 3), ring;
	assert_false(geometry_ring_next(&cut, &ring));
	assert_int_equal(geometry_rings_check(cut), ERR_INPUT);
	assert_int_equal(geometry_ring_write(numbers, numbers, 3, bytes, 27), 0);
}

/* --- circles and points ----------------------------------------------------------------------- */

/* A square of two degrees about 1, 1, and where a vertex stands twice: that was refused when it was put, and
 * is no reason to fail. */
static void points_beside_on_and_beyond_an_edge(void **unused) {
	(void)unused;
	static const int32_t lat[] = {0, 0, 20000000, 20000000, 20000000};
	static const int32_t lon[] = {0, 20000000, 20000000, 0, 0};
	static const struct {
		bool inside;
		double lat, lon;
	} points[] = {
		{true, 1, 1},   {true, 0.000001, 1}, {false, 0, 1},  {false, 2, 1},  {false, 1, 0},
		{false, 1, 2},  {false, 0, 0},       {false, 0, 3},  {false, 0, -1}, {false, 3, 0},
		{false, -1, 0}, {false, 3, 2},       {false, -1, 2}, {false, 2, 3},  {false, 2, -1},
		{false, 1, 3},  {false, 1, -1},
	};
	for (size_t n = 4; n <= 5; n++) {
		uint8_t bytes[4 + 5 * 8];
		struct span ring = span_of(bytes, geometry_ring_write(lat, lon, n, bytes, sizeof(bytes)));
		assert_int_equal(geometry_rings_check(ring), n == 4 ? ERR_NONE : ERR_INPUT);
		for (size_t i = 0; i < COUNT(points); i++) {
			struct geometry_circle c = {.lat_e7 = (int64_t)(points[i].lat * 1e7),
										.lon_e7 = (int64_t)(points[i].lon * 1e7),
										.radius_m = 1};
			bool in = geometry_contains(ring, points[i].lat, points[i].lon);
			if (in != points[i].inside) fail_msg("point %zu", i);
			if (geometry_fits(ring, &c) != (in && points[i].lat == 1)) fail_msg("circle %zu", i);
		}
	}
}

static void numbers_that_are_none_are_nowhere(void **unused) {
	(void)unused;
	static const int32_t lat[] = {0, 0, 20000000}, lon[] = {0, 20000000, 20000000};
	static const double none[] = {NAN, INFINITY, -INFINITY};
	uint8_t bytes[4 + 3 * 8];
	struct span ring = span_of(bytes, geometry_ring_write(lat, lon, 3, bytes, sizeof(bytes)));
	struct geometry_circle c = {.lat_e7 = 10000000, .lon_e7 = 15000000, .radius_m = 1};
	assert_true(geometry_fits(ring, &c));
	for (int64_t radius = -1; radius <= 0; radius++) {
		c.radius_m = radius;
		assert_false(geometry_fits(ring, &c));
		assert_false(geometry_cell_in(SPAN_LIT("s0000000"), &c));
	}
	for (size_t i = 0; i < COUNT(none); i++) {
		assert_false(geometry_contains(ring, none[i], 1));
		assert_false(geometry_contains(ring, 1, none[i]));
		assert_true(geometry_distance_cm(none[i], 0, 0, 0) < 0);
		assert_true(geometry_distance_cm(0, none[i], 0, 0) < 0);
		assert_true(geometry_distance_cm(0, 0, none[i], 0) < 0);
		assert_true(geometry_distance_cm(0, 0, 0, none[i]) < 0);
	}
	assert_true(geometry_contains(ring, 1, 1.5));
}

static void a_cell_that_is_none_is_in_no_circle(void **unused) {
	(void)unused;
	struct geometry_circle c = {.radius_m = INT32_MAX}; /* all of the earth */
	assert_true(geometry_cell_in(SPAN_LIT("s0000000"), &c));
	assert_false(geometry_cell_in(SPAN_LIT(""), &c));
	assert_false(geometry_cell_in(SPAN_LIT("s000000"), &c));
	assert_false(geometry_cell_in(SPAN_LIT("s00000000"), &c));
	assert_false(geometry_cell_in(SPAN_LIT("s000000a"), &c));
}

static void a_circle_of_no_radius_shares_nothing(void **unused) {
	(void)unused;
	struct geometry_circle one = {.radius_m = 100}, none = {.radius_m = 0}, less = {.radius_m = -5};
	assert_true(geometry_lens_m2(&one, &one) > 31000);
	assert_true(geometry_lens_m2(&one, &none) == 0);
	assert_true(geometry_lens_m2(&none, &one) == 0);
	assert_true(geometry_lens_m2(&one, &less) == 0);
	assert_true(geometry_lens_m2(&less, &one) == 0);
}

/* The root of what rounding made negative, or the arc of what it made more than a half turn, is no
 * number: points that lie together or opposite, however they are written. */
static void no_rounding_leads_out_of_the_globe(void **unused) {
	(void)unused;
	const int64_t half_turn_cm = INT64_C(2001511000);
	for (int i = -18000; i <= 18000; i++) {
		double lat = i / 100.0, lon = i / 77.0;
		int64_t same = geometry_distance_cm(180 - lat, lon + 180, lat, lon);
		int64_t opposite = geometry_distance_cm(lat, lon, -lat, lon + 180);
		assert_true(same >= 0 && same < 50);
		assert_true(opposite > half_turn_cm - 1000000 && opposite < half_turn_cm + 1000000);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_small_ring_is_judged_as_by_the_oracle),
		cmocka_unit_test(a_ring_over_the_antimeridian_is_one_from_either_side),
		cmocka_unit_test(an_edge_goes_not_half_round_the_world),
		cmocka_unit_test(a_vertex_lies_on_the_globe),
		cmocka_unit_test(a_number_of_vertices_out_of_range_is_no_ring),
		cmocka_unit_test(points_beside_on_and_beyond_an_edge),
		cmocka_unit_test(numbers_that_are_none_are_nowhere),
		cmocka_unit_test(a_cell_that_is_none_is_in_no_circle),
		cmocka_unit_test(a_circle_of_no_radius_shares_nothing),
		cmocka_unit_test(no_rounding_leads_out_of_the_globe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
