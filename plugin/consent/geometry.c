/* Distances, circles and rings. Not here: what a circle is asked for. */
#include "plugin/consent/geometry.h"

#include <math.h>

#include "proto/geohash.h"

static const double earth_m = 6371008.8;
static const double pi = 3.14159265358979323846;

static double rad(double deg) {
	return deg * pi / 180.0;
}

/* Into (-180, 180]: the antimeridian is no seam. */
static double lon_difference(double a, double b) {
	double d = fmod(a - b, 360.0);
	if (d <= -180.0) d += 360.0;
	if (d > 180.0) d -= 360.0;
	return d;
}

int64_t geometry_distance_cm(double lat1, double lon1, double lat2, double lon2) {
	if (!isfinite(lat1) || !isfinite(lon1) || !isfinite(lat2) || !isfinite(lon2)) return -1;
	double u = sin(rad(lat2 - lat1) / 2), v = sin(rad(lon_difference(lon2, lon1)) / 2);
	double h = u * u + cos(rad(lat1)) * cos(rad(lat2)) * v * v;
	if (h < 0) h = 0; /* rounding */
	if (h > 1) h = 1;
	return (int64_t)llround(2 * earth_m * asin(sqrt(h)) * 100.0);
}

static double degrees(int64_t e7) {
	return (double)e7 / 1e7;
}

bool geometry_cell_in(struct span cell, const struct geometry_circle *c) {
	double lat, lon;
	if (cell.len != GEOHASH_DEVICE || geohash_centre(cell, &lat, &lon) != ERR_NONE) return false;
	return geometry_distance_cm(lat, lon, degrees(c->lat_e7), degrees(c->lon_e7)) <
		   c->radius_m * 100; /* a distance between numbers is never negative */
}

/* Two circular segments; the classic formula of the lens. */
double geometry_lens_m2(const struct geometry_circle *a, const struct geometry_circle *b) {
	int64_t cm = geometry_distance_cm(degrees(a->lat_e7), degrees(a->lon_e7), degrees(b->lat_e7),
									  degrees(b->lon_e7));
	double d = (double)cm / 100.0, r = (double)a->radius_m, s = (double)b->radius_m;
	if (r <= 0 || s <= 0 || d >= r + s) return 0;
	if (d <= fabs(r - s)) return pi * fmin(r, s) * fmin(r, s);
	double x = (d * d + r * r - s * s) / (2 * d), y = d - x;
	double part_r = r * r * acos(fmax(-1, fmin(1, x / r))) - x * sqrt(fmax(0, r * r - x * x));
	double part_s = s * s * acos(fmax(-1, fmin(1, y / s))) - y * sqrt(fmax(0, s * s - y * y));
	return part_r + part_s;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static uint32_t read_u32(const uint8_t *p) {
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int32_t read_i32(const uint8_t *p) {
	uint32_t u = read_u32(p);
	return u <= INT32_MAX ? (int32_t)u : -(int32_t)(UINT32_MAX - u) - 1;
}

static void write_u32(uint8_t *p, uint32_t v) {
	for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

bool geometry_ring_next(struct span *rest, struct span *vertices) {
	if (rest->len < 4) return false;
	size_t n = read_u32(rest->ptr);
	if (n < GEOMETRY_VERTICES_MIN || n > GEOMETRY_VERTICES_MAX || rest->len - 4 < n * 8)
		return false;
	*vertices = span_of(rest->ptr + 4, n * 8);
	*rest = span_drop(*rest, 4 + n * 8);
	return true;
}

void geometry_vertex(struct span vertices, size_t n, int32_t *lat_e7, int32_t *lon_e7) {
	*lat_e7 = read_i32(vertices.ptr + n * 8);
	*lon_e7 = read_i32(vertices.ptr + n * 8 + 4);
}

size_t geometry_ring_write(const int32_t *lat_e7, const int32_t *lon_e7, size_t n, uint8_t *out,
						   size_t cap) {
	if (n < GEOMETRY_VERTICES_MIN || n > GEOMETRY_VERTICES_MAX || cap < 4 + n * 8) return 0;
	write_u32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		write_u32(out + 4 + i * 8, (uint32_t)lat_e7[i]);
		write_u32(out + 8 + i * 8, (uint32_t)lon_e7[i]);
	}
	return 4 + n * 8;
}

/* --- is it a ring? ---------------------------------------------------------------------------- */

/* A point in whole 10^-7 degrees; x is the longitude's difference from the ring's first vertex, so
 * that a ring over the antimeridian is in one piece. */
struct point {
	int64_t x, y;
};

static int64_t wrap_e7(int64_t d) {
	const int64_t turn = INT64_C(3600000000);
	d %= turn;
	if (d <= -turn / 2) d += turn;
	if (d > turn / 2) d -= turn;
	return d;
}

static struct point vertex(struct span ring, size_t n) {
	int32_t lat, lon, lat0, lon0;
	geometry_vertex(ring, 0, &lat0, &lon0);
	geometry_vertex(ring, n % (ring.len / 8), &lat, &lon);
	return (struct point){wrap_e7((int64_t)lon - lon0), lat};
}

/* Which side of a-b is c on? Factors are below 2^33, so that products and their difference fit. */
static int side(struct point a, struct point b, struct point c) {
	int64_t ux = b.x - a.x, uy = b.y - a.y, vx = c.x - a.x, vy = c.y - a.y;
	double approx = (double)ux * (double)vy - (double)uy * (double)vx;
	if (approx > 1e4 || approx < -1e4) return approx > 0 ? 1 : -1;
	int64_t exact = (int64_t)((uint64_t)ux * (uint64_t)vy - (uint64_t)uy * (uint64_t)vx);
	return (exact > 0) - (exact < 0);
}

static bool between(int64_t a, int64_t b, int64_t v) {
	return a <= b ? a <= v && v <= b : b <= v && v <= a;
}

static bool on_edge(struct point a, struct point b, struct point c) {
	return side(a, b, c) == 0 && between(a.x, b.x, c.x) && between(a.y, b.y, c.y);
}

/* Do the closed edges a-b and c-d have a point in common? c is not on a-b: it was the d of the edge
 * before c-d. */
static bool edges_meet(struct point a, struct point b, struct point c, struct point d) {
	if (on_edge(a, b, d) || on_edge(c, d, a) || on_edge(c, d, b)) return true;
	return side(a, b, c) != side(a, b, d) && side(c, d, a) != side(c, d, b);
}

static bool edge_is_sound(struct span ring, size_t i) {
	size_t n = ring.len / 8;
	struct point a = vertex(ring, i), b = vertex(ring, i + 1), next = vertex(ring, i + 2);
	int64_t half = INT64_C(1800000000);
	if ((a.x == b.x && a.y == b.y) || b.x - a.x >= half || a.x - b.x >= half) return false;
	if (on_edge(a, b, next) || on_edge(b, next, a)) return false; /* folds back on itself */
	for (size_t j = i + 2; j < n; j++) {
		if (i == 0 && j == n - 1) continue; /* neighbours share a vertex */
		if (edges_meet(a, b, vertex(ring, j), vertex(ring, j + 1))) return false;
	}
	return true;
}

static enum err ring_check(struct span ring) {
	size_t n = ring.len / 8;
	for (size_t i = 0; i < n; i++) {
		int32_t lat, lon;
		geometry_vertex(ring, i, &lat, &lon);
		if (lat > 900000000 || lat < -900000000 || lon > 1800000000 || lon < -1800000000)
			return ERR_INPUT;
	}
	for (size_t i = 0; i < n; i++) {
		if (!edge_is_sound(ring, i)) return ERR_INPUT;
	}
	return ERR_NONE;
}

enum err geometry_rings_check(struct span rings) {
	struct span ring;
	size_t count = 0;
	for (; rings.len; count++) {
		if (count == GEOMETRY_RINGS_MAX) return ERR_LIMIT;
		if (rings.len < 4) return ERR_INPUT;
		uint32_t n = read_u32(rings.ptr);
		if (n < GEOMETRY_VERTICES_MIN || n > GEOMETRY_VERTICES_MAX) return ERR_LIMIT;
		if (!geometry_ring_next(&rings, &ring)) return ERR_INPUT;
		enum err e = ring_check(ring);
		if (e != ERR_NONE) return e;
	}
	return count ? ERR_NONE : ERR_LIMIT;
}

/* --- circle and ring -------------------------------------------------------------------------- */

/* A vertex as degrees east and north of the point asked about. Both are measured from the ring's
 * first vertex, so that the ring is in one piece wherever the point is. */
static void relative(struct span ring, size_t n, double lat, double lon, double *x, double *y) {
	int32_t lat0, lon0;
	struct point p = vertex(ring, n);
	geometry_vertex(ring, 0, &lat0, &lon0);
	*x = degrees(p.x) - lon_difference(lon, degrees(lon0));
	*y = degrees(p.y) - lat;
}

/* Ray casting towards the east from the origin; a point on an edge is outside. */
static bool ring_contains(struct span ring, double lat, double lon) {
	bool inside = false;
	for (size_t i = 0; i < ring.len / 8; i++) {
		double ax, ay, bx, by;
		relative(ring, i, lat, lon, &ax, &ay);
		relative(ring, i + 1, lat, lon, &bx, &by);
		double cross = ax * by - ay * bx;
		if (cross == 0 && ax * bx <= 0 && ay * by <= 0) return false;
		if ((ay > 0) == (by > 0)) continue;
		double at = ax - ay * (bx - ax) / (by - ay);
		if (at > 0) inside = !inside;
	}
	return inside;
}

/* Distance from the origin to the edge a-b in the plane. */
static double edge_distance(double ax, double ay, double bx, double by) {
	double dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
	double t = length > 0 ? -(ax * dx + ay * dy) / length : 0;
	t = fmax(0, fmin(1, t));
	double x = ax + t * dx, y = ay + t * dy;
	return sqrt(x * x + y * y);
}

/* No edge nearer than r in the equirectangular plane about the centre. */
static bool ring_clear(struct span ring, double lat, double lon, double radius_m) {
	double metres = earth_m * pi / 180.0, squeeze = cos(rad(lat));
	for (size_t i = 0; i < ring.len / 8; i++) {
		double ax, ay, bx, by;
		relative(ring, i, lat, lon, &ax, &ay);
		relative(ring, i + 1, lat, lon, &bx, &by);
		double d =
			edge_distance(ax * squeeze * metres, ay * metres, bx * squeeze * metres, by * metres);
		if (!(d >= radius_m)) return false;
	}
	return true;
}

/* Rings to the exact end? Whether they cross themselves was asked when they were put. */
static bool is_whole(struct span rings) {
	struct span ring;
	while (rings.len) {
		if (!geometry_ring_next(&rings, &ring)) return false;
	}
	return true;
}

bool geometry_fits(struct span rings, const struct geometry_circle *c) {
	struct span ring;
	double lat = degrees(c->lat_e7), lon = degrees(c->lon_e7);
	if (!is_whole(rings) || c->radius_m <= 0) return false;
	while (geometry_ring_next(&rings, &ring)) {
		if (ring_contains(ring, lat, lon) && ring_clear(ring, lat, lon, (double)c->radius_m))
			return true;
	}
	return false;
}

bool geometry_contains(struct span rings, double lat, double lon) {
	struct span ring;
	if (!isfinite(lat) || !isfinite(lon) || !is_whole(rings)) return false;
	while (geometry_ring_next(&rings, &ring)) {
		if (ring_contains(ring, lat, lon)) return true;
	}
	return false;
}
