/* Wire format only: what a field means is the business of the codec and of the event reader. */
#include "proto/wire.h"

bool wire_varint(struct span *rest, uint64_t *out) {
	uint64_t value = 0;
	for (size_t i = 0; i < 10 && i < rest->len; i++) {
		uint8_t byte = rest->ptr[i];
		if (i == 9 && byte > 1) return false; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7F) << (7 * i);
		if (byte & 0x80) continue;
		if (byte == 0 && i > 0) return false; /* longer than it must be */
		*rest = span_drop(*rest, i + 1);
		*out = value;
		return true;
	}
	return false;
}

bool wire_next(struct span *rest, struct wire_field *out) {
	uint64_t tag, len;
	if (!wire_varint(rest, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) return false;
	*out = (struct wire_field){.number = (uint32_t)(tag >> 3)};
	switch (tag & 7) {
	case WIRE_VARINT: out->type = WIRE_VARINT; return wire_varint(rest, &out->value);
	case WIRE_BYTES:
		out->type = WIRE_BYTES;
		if (!wire_varint(rest, &len) || len > rest->len) return false;
		break;
	case WIRE_64BIT:
		out->type = WIRE_64BIT;
		len = 8;
		break;
	case WIRE_32BIT:
		out->type = WIRE_32BIT;
		len = 4;
		break;
	default: /* groups, and the two types that do not exist */ return false;
	}
	if (len > rest->len) return false;
	out->bytes = span_of(rest->ptr, (size_t)len);
	*rest = span_drop(*rest, (size_t)len);
	return true;
}
