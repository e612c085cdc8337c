/* Geohash cells (G. Niemeyer 2008; base 32 alphabet 0123456789bcdefghjkmnpqrstuvwxyz). Pure, any
 * thread. */
#ifndef PROTO_GEOHASH_H
#define PROTO_GEOHASH_H

#include "lib/err.h"
#include "lib/span.h"

enum { GEOHASH_DEVICE = 8, GEOHASH_AREA = 5, GEOHASH_MAX = 12 };

/* Centre of the cell in degrees. ERR_INPUT: empty, too long, or a letter outside the alphabet
 * (upper case too). */
enum err geohash_centre(struct span cell, double *lat, double *lon) MUST_CHECK;
/* Writes len letters and a zero. ERR_INPUT: not finite, |lat| > 90, |lon| > 180, or len
 * outside 1..GEOHASH_MAX. */
enum err geohash_encode(double lat, double lon, size_t len, char *out) MUST_CHECK;
bool geohash_is_valid(struct span cell, size_t len); /* exactly len letters of the alphabet */

#endif
