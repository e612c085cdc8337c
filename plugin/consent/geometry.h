/* Circles and rings: is a device's cell in a circle, does a circle lie in a jurisdiction, how much
 * do two circles share. Pure, no allocation; every function takes any numbers and answers "no" when
 * it cannot tell.
 *
 * Sphere of radius 6 371 008.8 m; distances by haversine, rounded to whole centimetres. Inside
 * means nearer than r: the edge is outside.
 *
 * Rings are stored as bytes (row_agency.rings): for each ring its number of vertices (uint32,
 * little-endian), then the vertices, each latitude and longitude in degrees x 10^7 (int32,
 * little-endian). 1-8 rings of 3-512 vertices; the last vertex joins the first; edges are straight
 * in longitude and latitude and cross no other edge of the same ring. A ring may cross the
 * antimeridian: longitudes are compared modulo 360 degrees. */
#ifndef CONSENT_GEOMETRY_H
#define CONSENT_GEOMETRY_H

#include "lib/err.h"
#include "lib/span.h"

enum {
	GEOMETRY_RINGS_MAX = 8,
	GEOMETRY_VERTICES_MIN = 3,
	GEOMETRY_VERTICES_MAX = 512,
	GEOMETRY_RING_BYTES_MAX = 4 + GEOMETRY_VERTICES_MAX * 8
};

struct geometry_circle {
	int64_t lat_e7, lon_e7;
	int64_t radius_m;
};

/* Whole centimetres between two points in degrees; negative when a number is not finite. */
int64_t geometry_distance_cm(double lat1, double lon1, double lat2, double lon2);

/* Is the centre of this geohash-8 cell strictly inside the circle? False for "" and for what is no
 * cell. */
bool geometry_cell_in(struct span cell, const struct geometry_circle *c);

/* Does the circle lie strictly inside one of the rings? False when the bytes are not rings. */
bool geometry_fits(struct span rings, const struct geometry_circle *c);

/* Is the point strictly inside one of the rings? */
bool geometry_contains(struct span rings, double lat, double lon);

/* Area of the lens that two circles share, in m^2; 0 when they do not meet. */
double geometry_lens_m2(const struct geometry_circle *a, const struct geometry_circle *b);

/* --- the bytes of rings ----------------------------------------------------------------------- */

/* ERR_INPUT: not rings to the exact end, a latitude beyond +-90 or longitude beyond +-180 degrees,
 * an edge of no length, or a ring that touches or crosses itself. ERR_LIMIT: too many or too few
 * rings or vertices. */
enum err geometry_rings_check(struct span rings) MUST_CHECK;

/* Takes the next ring off *rest: *vertices is a span of 8 bytes each. False at the end or when
 * malformed. */
bool geometry_ring_next(struct span *rest, struct span *vertices);
void geometry_vertex(struct span vertices, size_t n, int32_t *lat_e7,
					 int32_t *lon_e7); /* n < len / 8 */

/* Writes one ring in the stored form: 4 + 8 n bytes. 0 when n is out of range or cap too small. */
size_t geometry_ring_write(const int32_t *lat_e7, const int32_t *lon_e7, size_t n, uint8_t *out,
						   size_t cap);

#endif
