/* A device may publish an event as JSON (first byte `{`, which no protobuf message starts with).
 * This turns the text into the protobuf encoding of the same message, which then takes the one path
 * of all events: nothing is judged here but the form. Members have the names of the .proto;
 * event_id and clip_id are UUID text, other bytes hex, enums their lower-case words, times and
 * numbers whole numbers. Pure. */
#ifndef PLUGIN_JSONEVENT_H
#define PLUGIN_JSONEVENT_H

#include "proto/codec.h"

enum { JSONEVENT_BYTES_MAX = 8192 };

/* Appends the encoding to out. kind: CODEC_RING, CODEC_MOTION or CODEC_CLIP_READY. ERR_LIMIT: text
 * too long, or a value that does not fit its type; ERR_INPUT: not one JSON object to its exact end,
 * an unknown or repeated member, a value of another type; *why names the member. ERR_NOMEM. */
enum err jsonevent_encode(enum codec_kind kind, struct span text, struct buf *out,
						  struct codec_fault *why) MUST_CHECK;

#endif
