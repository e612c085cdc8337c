/* Geohash cells: bits of longitude and latitude in turn, five to a letter. Distances and circles
 * belong to the consent engine. */
#include "proto/geohash.h"

static const char alphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";

static int letter_value(uint8_t c) {
	const char *at = c ? memchr(alphabet, c, sizeof(alphabet) - 1) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

/* The interval a coordinate is known to lie in. */
struct range {
	double low, high;
};

static double middle(const struct range *r) {
	return (r->low + r->high) / 2;
}

enum err geohash_centre(struct span cell, double *lat, double *lon) {
	if (cell.len == 0 || cell.len > GEOHASH_MAX || !geohash_is_valid(cell, cell.len))
		return ERR_INPUT;
	struct range axis[2] = {{-180, 180}, {-90, 90}}; /* longitude takes the even bits */
	for (size_t bit = 0; bit < 5 * cell.len; bit++) {
		struct range *r = &axis[bit % 2];
		int letter = letter_value(cell.ptr[bit / 5]);
		if (letter >> (4 - bit % 5) & 1) {
			r->low = middle(r);
		} else {
			r->high = middle(r);
		}
	}
	*lon = middle(&axis[0]);
	*lat = middle(&axis[1]);
	return ERR_NONE;
}

enum err geohash_encode(double lat, double lon, size_t len, char *out) {
	/* Written so that NaN fails every comparison and is refused. */
	if (!(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180)) return ERR_INPUT;
	if (len == 0 || len > GEOHASH_MAX) return ERR_INPUT;
	struct range axis[2] = {{-180, 180}, {-90, 90}};
	const double at[2] = {lon, lat};
	int letter = 0;
	for (size_t bit = 0; bit < 5 * len; bit++) {
		struct range *r = &axis[bit % 2];
		bool upper = at[bit % 2] >= middle(r);
		if (upper) {
			r->low = middle(r);
		} else {
			r->high = middle(r);
		}
		letter = letter << 1 | (upper ? 1 : 0);
		if (bit % 5 == 4) {
			out[bit / 5] = alphabet[letter];
			letter = 0;
		}
	}
	out[len] = '\0';
	return ERR_NONE;
}

bool geohash_is_valid(struct span cell, size_t len) {
	if (cell.len != len || len == 0) return false;
	for (size_t i = 0; i < len; i++) {
		if (letter_value(cell.ptr[i]) < 0) return false;
	}
	return true;
}
