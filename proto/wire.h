/* Protobuf wire format, one field at a time, read strictly: varints in their shortest form and at
 * most 64 bits, lengths that end inside the bytes, no groups, no field 0. Pure: no allocation; any
 * thread.
 *
 *     struct wire_field f;
 *     while (rest.len) if (!wire_next(&rest, &f)) ... malformed
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "lib/span.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;    /* WIRE_VARINT */
	struct span bytes; /* WIRE_BYTES: borrowed from the input */
};

/* Cuts one field off *rest. False: malformed, or nothing left; *rest and *out are then unspecified.
 */
bool wire_next(struct span *rest, struct wire_field *out);

bool wire_varint(struct span *rest, uint64_t *out); /* cuts one varint off; false as above */

#endif
