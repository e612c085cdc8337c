/* The pieces that compose*.c share. Internal to them. */
#ifndef PLUGIN_COMPOSE_IMPL_H
#define PLUGIN_COMPOSE_IMPL_H

#include "plugin/compose.h"
#include "proto/uuid.h"

struct compose {
	const struct state *st;
	const struct sessions *sessions;
	struct consent_random rnd;
	size_t used;
	bool full;
	_Alignas(16) uint8_t arena[COMPOSE_ARENA];
};

void *compose_message(struct compose *c,
					  const ProtobufCMessageDescriptor *desc); /* initialised; NULL when full */
char *compose_text(const char *s);
ProtobufCBinaryData compose_blob(struct blob b);
ProtobufCBinaryData compose_uuid(struct compose *c, const char *text);            /* empty for "" */
ProtobufCBinaryData compose_hex(struct compose *c, const char *text, size_t len); /* empty for "" */
uint64_t compose_ms(int64_t ms);

#endif
