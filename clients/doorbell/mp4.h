/* How long an MP4 file plays, from its movie header (ISO/IEC 14496-12: moov, mvhd), and nothing
 * else about it. The file is untrusted: every box is checked against the one that holds it before a
 * byte of it is read, and the number of boxes looked at is limited. Pure but for the reader. */
#ifndef DOORBELL_MP4_H
#define DOORBELL_MP4_H

#include "lib/err.h"

#include <stdint.h>

enum { MP4_BOXES_MAX = 4096, MP4_DURATION_MAX_MS = 86400000 };

/* Reads exactly len bytes at offset at; false: it cannot. Never asked for more than the size given
 * below. */
typedef bool mp4_read_fn(void *ctx, uint64_t at, void *into, size_t len);

/* ERR_INPUT: not an MP4 file, or malformed. ERR_ABSENT: well-formed, but says no duration (a
 * fragmented file). ERR_LIMIT: more than MP4_BOXES_MAX boxes before it, or longer than
 * MP4_DURATION_MAX_MS. ERR_STORE: reading failed. */
enum err mp4_duration(mp4_read_fn *read, void *ctx, uint64_t size, uint32_t *ms) MUST_CHECK;

#endif
