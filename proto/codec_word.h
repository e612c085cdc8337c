/* The list of all enums with their words, for those who print them. Inside proto/ only; codec.h has
 * the look-ups. */
#ifndef PROTO_CODEC_WORD_H
#define PROTO_CODEC_WORD_H

#include "proto/codec.h"

size_t codec_word_count(void);
const ProtobufCEnumDescriptor *codec_word_at(size_t i); /* NULL past the end */

#endif
