/* Circles and rings against a second implementation: distances by vectors on the sphere, rings by
 * winding number, lenses by counting points. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/consent/geometry.h"
#include "proto/geohash.h"

static uint64_t seed = 88172645463325252ULL;

static double draw(double from, double to) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return from + (to - from) * ((double)(seed >> 11) / 9007199254740992.0);
}

/* --- distances -------------------------------------------------------------------------------- */

static double vector_distance_m(double lat1, double lon1, double lat2, double lon2) {
	const double d = 3.14159265358979323846 / 180.0;
	double a[3] = {cos(lat1 * d) * cos(lon1 * d), cos(lat1 * d) * sin(lon1 * d), sin(lat1 * d)};
	double b[3] = {cos(lat2 * d) * cos(lon2 * d), cos(lat2 * d) * sin(lon2 * d), sin(lat2 * d)};
	double x = a[1] * b[2] - a[2] * b[1], y = a[2] * b[0] - a[0] * b[2],
		   z = a[0] * b[1] - a[1] * b[0];
	return 6371008.8 * atan2(sqrt(x * x + y * y + z * z), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

static void distance_agrees_with_vectors_on_the_sphere(void **state) {
	(void)state;
	for (int i = 0; i < 20000; i++) {
		double lat = draw(-85, 85), lon = draw(-180, 180);
		double lat2 = i % 2 ? draw(-85, 85) : lat + draw(-0.01, 0.01),
			   lon2 = i % 2 ? draw(-180, 180) : lon + draw(-0.01, 0.01);
		double want = vector_distance_m(lat, lon, lat2, lon2) * 100;
		assert_true(fabs((double)geometry_distance_cm(lat, lon, lat2, lon2) - want) <
					0.6 + want * 1e-9);
	}
}

static void antimeridian_is_no_seam(void **state) {
	(void)state;
	assert_int_equal(geometry_distance_cm(10, 179.999, 10, -179.999),
					 geometry_distance_cm(10, 0.001, 10, -0.001));
	assert_int_equal(geometry_distance_cm(10, 180, 10, -180), 0);
	assert_true(geometry_distance_cm(NAN, 0, 0, 0) < 0);
}

static void edge_of_the_circle_is_outside(void **state) {
	(void)state;
	char cell[9];
	double lat, lon;
	assert_int_equal(geohash_encode(52.0, 13.0, GEOHASH_DEVICE, cell), ERR_NONE);
	assert_int_equal(geohash_centre(span_str(cell), &lat, &lon), ERR_NONE);
	/* a centre that lies a known distance south of the cell's */
	for (int cm = 19990; cm <= 20010; cm++) {
		struct geometry_circle c = {.lon_e7 = llround(lon * 1e7), .radius_m = 200};
		c.lat_e7 = llround((lat - cm / 100.0 / 6371008.8 * 180 / 3.14159265358979323846) * 1e7);
		int64_t real =
			geometry_distance_cm(lat, lon, (double)c.lat_e7 / 1e7, (double)c.lon_e7 / 1e7);
		assert_int_equal(geometry_cell_in(span_str(cell), &c), real < 20000);
	}
	struct geometry_circle c = {.radius_m = 400};
	assert_false(geometry_cell_in(SPAN_LIT(""), &c));
	assert_false(geometry_cell_in(SPAN_LIT("u33db2a!"), &c));
}

/* --- lenses ----------------------------------------------------------------------------------- */

static void lens_agrees_with_counted_points(void **state) {
	(void)state;
	for (int i = 0; i < 12; i++) {
		double r = draw(150, 400), s = draw(150, 400), d = draw(1, 1.1 * (r + s)), inside = 0;
		struct geometry_circle a = {.radius_m = llround(r)}, b = {.radius_m = llround(s)};
		b.lat_e7 = llround(d / 6371008.8 * 180 / 3.14159265358979323846 * 1e7);
		d = (double)geometry_distance_cm(0, 0, (double)b.lat_e7 / 1e7, 0) / 100;
		const int steps = 1000;
		double ra = (double)a.radius_m, rb = (double)b.radius_m;
		for (int x = 0; x < steps; x++) {
			for (int y = 0; y < steps; y++) {
				double px = (2 * (x + 0.5) / steps - 1) * ra, py = (2 * (y + 0.5) / steps - 1) * ra;
				inside += px * px + py * py < ra * ra && px * px + (py - d) * (py - d) < rb * rb;
			}
		}
		double want = inside / steps / steps * 4 * ra * ra;
		assert_true(fabs(geometry_lens_m2(&a, &b) - want) < 4 * ra * ra * 0.002);
		assert_true(fabs(geometry_lens_m2(&a, &b) - geometry_lens_m2(&b, &a)) < 1e-6);
	}
}

/* --- rings ------------------------------------------------------------------------------------ */

static double turn(double ax, double ay, double bx, double by, double px, double py) {
	return (bx - ax) * (py - ay) - (px - ax) * (by - ay);
}

static bool winds_around(const int32_t *lat, const int32_t *lon, size_t n, double py, double px) {
	int winding = 0;
	for (size_t i = 0; i < n; i++) {
		double ax = lon[i], ay = lat[i], bx = lon[(i + 1) % n], by = lat[(i + 1) % n];
		if (ay <= py && by > py && turn(ax, ay, bx, by, px, py) > 0) winding++;
		if (ay > py && by <= py && turn(ax, ay, bx, by, px, py) < 0) winding--;
	}
	return winding != 0;
}

/* A star around a centre never crosses itself. */
static size_t star(int32_t *lat, int32_t *lon, size_t n) {
	for (size_t i = 0; i < n; i++) {
		double angle = 2 * 3.14159265358979 * (double)i / (double)n, r = draw(0.02, 0.2);
		lat[i] = (int32_t)((52 + r * sin(angle)) * 1e7);
		lon[i] = (int32_t)((13 + r * cos(angle)) * 1e7);
	}
	return n;
}

static void ring_contains_what_a_winding_number_says(void **state) {
	(void)state;
	static int32_t lat[64], lon[64];
	uint8_t bytes[4 + 64 * 8];
	for (int i = 0; i < 60; i++) {
		size_t n = star(lat, lon, 5 + (size_t)i);
		struct span rings = span_of(bytes, geometry_ring_write(lat, lon, n, bytes, sizeof(bytes)));
		assert_int_equal(geometry_rings_check(rings), ERR_NONE);
		for (int j = 0; j < 300; j++) {
			double y = draw(51.75, 52.25), x = draw(12.75, 13.25);
			assert_int_equal(geometry_contains(rings, y, x),
							 winds_around(lat, lon, n, y * 1e7, x * 1e7));
		}
	}
}

/* The circle's own edge, sampled: it fits when the centre and each of its points are inside. */
static void circle_fits_when_its_sampled_edge_does(void **state) {
	(void)state;
	static int32_t lat[16], lon[16];
	uint8_t bytes[4 + 16 * 8];
	int agreed = 0, fitted = 0;
	for (int i = 0; i < 4000; i++) {
		size_t n = star(lat, lon, 5 + (size_t)(i % 12));
		struct span rings = span_of(bytes, geometry_ring_write(lat, lon, n, bytes, sizeof(bytes)));
		struct geometry_circle c = {.lat_e7 = llround(draw(51.9, 52.1) * 1e7),
									.lon_e7 = llround(draw(12.9, 13.1) * 1e7)};
		c.radius_m = llround(draw(150, 400));
		bool want = winds_around(lat, lon, n, (double)c.lat_e7, (double)c.lon_e7);
		for (int k = 0; k < 720 && want; k++) {
			double angle = k * 3.14159265358979 / 360,
				   m = (double)c.radius_m / 6371008.8 * 180 / 3.14159265358979 * 1e7;
			double y = (double)c.lat_e7 + m * sin(angle);
			double x = (double)c.lon_e7 +
					   m * cos(angle) / cos((double)c.lat_e7 / 1e7 * 3.14159265358979 / 180);
			want = winds_around(lat, lon, n, y, x);
		}
		bool fits = geometry_fits(rings, &c);
		agreed += fits == want;
		fitted += fits;
	}
	assert_true(agreed >= 3998); /* the samples miss a needle's point now and then */
	assert_true(fitted > 400 && fitted < 3600);
}

static void edges_and_vertices_are_outside(void **state) {
	(void)state;
	const int32_t lat[] = {0, 0, 10000000, 10000000}, lon[] = {0, 10000000, 10000000, 0};
	uint8_t bytes[64];
	struct span rings = span_of(bytes, geometry_ring_write(lat, lon, 4, bytes, sizeof(bytes)));
	assert_true(geometry_contains(rings, 0.5, 0.5));
	assert_false(geometry_contains(rings, 0, 0.5));
	assert_false(geometry_contains(rings, 0.5, 1));
	assert_false(geometry_contains(rings, 1, 1));
	assert_false(geometry_contains(rings, 0, 0));
	assert_false(geometry_contains(rings, 0.5, 1.5));
	assert_false(geometry_contains(rings, 0.5, -0.5));
}

static void ring_over_the_antimeridian_is_in_one_piece(void **state) {
	(void)state;
	const int32_t lat[] = {0, 0, 10000000, 10000000},
				  lon[] = {1790000000, -1790000000, -1790000000, 1790000000};
	uint8_t bytes[64];
	struct span rings = span_of(bytes, geometry_ring_write(lat, lon, 4, bytes, sizeof(bytes)));
	assert_int_equal(geometry_rings_check(rings), ERR_NONE);
	assert_true(geometry_contains(rings, 0.5, 180));
	assert_true(geometry_contains(rings, 0.5, -179.5));
	assert_true(geometry_contains(rings, 0.5, 179.5));
	assert_false(geometry_contains(rings, 0.5, 178.5));
	assert_false(geometry_contains(rings, 0.5, 0));
}

static void rings_are_parsed_strictly(void **state) {
	(void)state;
	const int32_t lat[] = {0, 0, 10000000, 10000000}, lon[] = {0, 10000000, 10000000, 0};
	const int32_t bow_lat[] = {0, 10000000, 0, 10000000}, bow_lon[] = {0, 10000000, 10000000, 0};
	uint8_t bytes[9 * 40];
	size_t n = geometry_ring_write(lat, lon, 4, bytes, sizeof(bytes));
	assert_int_equal(n, 36);
	for (size_t cut = 1; cut < n; cut++)
		assert_int_not_equal(geometry_rings_check(span_of(bytes, cut)), ERR_NONE);
	assert_int_not_equal(geometry_rings_check(span_of(bytes, n + 1)), ERR_NONE);
	assert_int_equal(geometry_rings_check((struct span){NULL, 0}), ERR_LIMIT);
	for (int i = 1; i < 9; i++) memcpy(bytes + 36 * i, bytes, 36);
	assert_int_equal(geometry_rings_check(span_of(bytes, 36 * 8)), ERR_NONE);
	assert_int_equal(geometry_rings_check(span_of(bytes, 36 * 9)), ERR_LIMIT);
	n = geometry_ring_write(bow_lat, bow_lon, 4, bytes, sizeof(bytes));
	assert_int_equal(geometry_rings_check(span_of(bytes, n)), ERR_INPUT); /* crosses itself */
	n = geometry_ring_write(lat, lat, 4, bytes, sizeof(bytes));
	assert_int_equal(geometry_rings_check(span_of(bytes, n)), ERR_INPUT); /* an edge of no length */
	assert_int_equal(geometry_ring_write(lat, lon, 2, bytes, sizeof(bytes)), 0);
	assert_int_equal(geometry_ring_write(lat, lon, 4, bytes, 35), 0);
}

static void negative_degrees_come_back_from_the_bytes(void **state) {
	(void)state;
	const int32_t lat[] = {-850000000, -1, 0}, lon[] = {-1800000000, -2, 1800000000};
	uint8_t bytes[64];
	struct span rest = span_of(bytes, geometry_ring_write(lat, lon, 3, bytes, sizeof(bytes))), ring;
	assert_true(geometry_ring_next(&rest, &ring));
	for (size_t i = 0; i < 3; i++) {
		int32_t y, x;
		geometry_vertex(ring, i, &y, &x);
		assert_int_equal(y, lat[i]);
		assert_int_equal(x, lon[i]);
	}
	assert_false(geometry_ring_next(&rest, &ring));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_agrees_with_vectors_on_the_sphere),
		cmocka_unit_test(antimeridian_is_no_seam),
		cmocka_unit_test(edge_of_the_circle_is_outside),
		cmocka_unit_test(lens_agrees_with_counted_points),
		cmocka_unit_test(ring_contains_what_a_winding_number_says),
		cmocka_unit_test(circle_fits_when_its_sampled_edge_does),
		cmocka_unit_test(edges_and_vertices_are_outside),
		cmocka_unit_test(ring_over_the_antimeridian_is_in_one_piece),
		cmocka_unit_test(rings_are_parsed_strictly),
		cmocka_unit_test(negative_degrees_come_back_from_the_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
