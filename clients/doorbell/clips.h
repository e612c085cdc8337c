/* The doorbell's clips: one folder, one file a clip, at most so many bytes. When a new clip needs
 * room the oldest are deleted first (by id, which begins with the time it was drawn), announced or
 * not: a pull of one of these is answered "gone". A clip larger than the whole store is refused.
 * Files are as they came; sealing is not done here.
 *
 *     018bcfe5-6800-7000-8000-00000000000a.mp4   a clip
 *     018bcfe5-6800-7000-8000-00000000000b.part  a clip being copied; removed at the next start
 *
 * Any thread: copying goes on without the lock. */
#ifndef DOORBELL_CLIPS_H
#define DOORBELL_CLIPS_H

#include "clients/sdk/vestibule_device.h"
#include "lib/err.h"

enum { CLIPS_COUNT_MAX = 4096, CLIPS_BYTES_MIN = 65536, CLIPS_WHY_SIZE = 192 };

struct clips;

struct clips_item {
	uint8_t id[VESTIBULE_ID_BYTES];
	uint64_t size;
	uint8_t sha256[32];
	uint32_t duration_ms; /* from the file; 0: it says none */
};

/* Makes the folder (0700) when missing and takes up what is in it. NULL: why is a sentence, also
 * when its group or others may write to the folder. */
struct clips *clips_open(const char *dir, uint64_t bytes_max, char why[CLIPS_WHY_SIZE]);
void clips_close(struct clips *c); /* NULL does nothing; the files stay */

/* Copies the regular file behind fd (from its start; its position is not used) into the store,
 * durably. why is a sentence for people. ERR_INPUT: not a regular file, empty, or it changed while
 * it was copied; ERR_LIMIT: larger than the store or than a clip may be; ERR_STORE: the disk;
 * ERR_NOMEM. */
enum err clips_take(struct clips *c, int fd, struct clips_item *out,
					char why[CLIPS_WHY_SIZE]) MUST_CHECK;
void clips_remove(struct clips *c,
				  const uint8_t id[VESTIBULE_ID_BYTES]); /* unknown: does nothing */

void clips_wipe(struct clips *c); /* removes all of them */

/* A vestibule_clip_read_fn; ctx is the struct clips. There are no posters. */
int64_t clips_read(void *ctx, const struct vestibule_read *want, uint8_t *into, uint64_t *size);

struct clips_usage {
	uint64_t bytes, bytes_max, deleted; /* deleted: to make room, since the start */
	uint32_t count;
};
struct clips_usage clips_usage(struct clips *c);

#endif
