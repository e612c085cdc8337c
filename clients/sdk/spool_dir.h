/* The spool's folder: one event a file, made durable before anybody is told, and nothing that can
 * be mistaken for an event after a crash. Not here: what the events mean, and which of them has to
 * go.
 *
 *     00000000000000000041-ring     an event (ring, motion or clip): protobuf
 *     00000000000000000040-last     empty; the highest seq of an event that is gone
 *     00000000000000000039-clip.bad a damaged event, set aside (at most SPOOL_DIR_BAD_MAX)
 *     new.tmp                       an event being written; removed at the next start
 *     lock                          held while a process uses the folder
 *
 * A removed event with the highest seq becomes the "-last" file by one rename: no seq is ever used
 * twice, and no disk space is needed to say so. One owner at a time; the caller serialises. */
#ifndef SDK_SPOOL_DIR_H
#define SDK_SPOOL_DIR_H

#include "clients/sdk/vestibule_device.h"
#include "lib/buf.h"
#include "lib/err.h"

enum { SPOOL_DIR_NAME_SIZE = 40, SPOOL_DIR_BAD_MAX = 16 };

struct spool_dir {
	int fd; /* of the folder; -1: closed */
	int lock_fd;
	unsigned bad;
	uint64_t last;   /* highest seq of an event that is gone or set aside; 0: none */
	uint64_t marker; /* of the "-last" file; 0: none */
};

/* Makes the folder (0700) when missing and locks it. ERR_INPUT: its group or others may write to it;
 * ERR_STORE: errno says why; EWOULDBLOCK: locked by another. */
enum err spool_dir_open(struct spool_dir *d, const char *path) MUST_CHECK;
void spool_dir_close(struct spool_dir *d); /* closed or zeroed with fd -1: does nothing */

/* Calls each(ctx, kind, seq) for every event in no order, reads the "-last" seq and counts, and
 * removes "new.tmp". each returning an error ends it with that error. ERR_STORE: the folder cannot
 * be read. */
typedef enum err spool_dir_each_fn(void *ctx, enum vestibule_kind kind, uint64_t seq);
enum err spool_dir_scan(struct spool_dir *d, spool_dir_each_fn *each, void *ctx) MUST_CHECK;

/* Durable (fsync of file and folder) when it returns ERR_NONE. ERR_STORE: errno; the event is not
 * there. */
enum err spool_dir_write(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq,
						 struct span bytes) MUST_CHECK;
/* Appends the file to out. ERR_STORE: errno; ERR_LIMIT: larger than out may get. */
enum err spool_dir_read(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq,
						struct buf *out) MUST_CHECK;
/* Forgets the event; its seq stays known. ERR_STORE: errno; after the next start it may be there
 * again. */
enum err spool_dir_remove(struct spool_dir *d, enum vestibule_kind kind, uint64_t seq) MUST_CHECK;
/* Renames the event to NAME.bad, or removes it when there are SPOOL_DIR_BAD_MAX of those.
 * ERR_STORE: errno. */
enum err spool_dir_set_aside(struct spool_dir *d, enum vestibule_kind kind,
							 uint64_t seq) MUST_CHECK;

#endif
