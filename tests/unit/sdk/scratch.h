/* A folder of its own for each test of the sdk, and events to put into a spool. */
#ifndef TESTS_SDK_SCRATCH_H
#define TESTS_SDK_SCRATCH_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/sdk/spool.h"

struct scratch {
	char dir[64];
	struct spool *spool;
	struct moment now; /* the tests own time */
};

static inline void scratch_dir(char out[64]) {
	(void)snprintf(out, 64, "/tmp/vestibule-sdk-XXXXXX");
	assert_non_null(mkdtemp(out));
}

static inline int scratch_unlink(const char *path, const struct stat *st, int kind,
								 struct FTW *at) {
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void scratch_remove(const char *path) {
	(void)nftw(path, scratch_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_open(struct scratch *s, uint32_t files_max, uint64_t bytes_max) {
	struct spool_opts opts = {
		.dir = s->dir, .files_max = files_max, .bytes_max = bytes_max, .first_seq = 1};
	bool busy;
	assert_int_equal(spool_open(&opts, &s->spool, &busy), ERR_NONE);
}

static inline void scratch_reopen(struct scratch *s) {
	spool_close(s->spool);
	scratch_open(s, 16, 65536);
}

static inline int scratch_setup(void **state) {
	struct scratch *s = (struct scratch *)calloc(1, sizeof *s);
	assert_non_null(s);
	scratch_dir(s->dir);
	s->now = (struct moment){.utc_ms = 1700000000000, .boot_ms = 1000000, .sound = true};
	scratch_open(s, 16, 65536);
	*state = s;
	return 0;
}

static inline int scratch_teardown(void **state) {
	struct scratch *s = (struct scratch *)*state;
	spool_close(s->spool);
	scratch_remove(s->dir);
	free(s);
	return 0;
}

static inline struct message_head scratch_head(const struct scratch *s) {
	struct message_head h = {
		.at_ms = (uint64_t)s->now.utc_ms, .synced = true, .seq = spool_next_seq(s->spool)};
	uint8_t random[10] = {0};
	random[9] = (uint8_t)h.seq;
	uuid_v7(s->now.utc_ms, random, h.event_id);
	return h;
}

static inline void scratch_bytes(enum vestibule_kind kind, const struct message_head *h,
								 struct buf *out) {
	struct codec_fault why = {.field = ""};
	struct vestibule_clip clip = {.start_ms = h->at_ms - 5000,
								  .duration_ms = 5000,
								  .trigger = VESTIBULE_BY_MOTION,
								  .media_type = "video/mp4",
								  .payload_length = 100000};
	uint8_t random[10] = {1};
	uuid_v7((int64_t)h->at_ms, random, clip.clip_id);
	memset(clip.payload_sha256, 0xab, sizeof clip.payload_sha256);
	enum err e = kind == VESTIBULE_RING     ? message_ring(h, out, &why)
				 : kind == VESTIBULE_MOTION ? message_motion(h, VESTIBULE_PERSON, 900, out, &why)
											: message_clip(h, &clip, out, &why);
	if (e != ERR_NONE) fail_msg("%s: %s", why.field, why.limit);
}

static inline enum err scratch_add(struct scratch *s, enum vestibule_kind kind) {
	struct message_head h = scratch_head(s);
	struct buf bytes;
	buf_init(&bytes, 4096);
	scratch_bytes(kind, &h, &bytes);
	enum err e = spool_add(s->spool, kind, &h, buf_view(&bytes), s->now);
	buf_fini(&bytes);
	return e;
}

static inline size_t scratch_files(const struct scratch *s, const char *end) {
	DIR *dir = opendir(s->dir);
	struct dirent *e;
	size_t n = 0;
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name), want = strlen(end);
		if (len >= want && strcmp(e->d_name + len - want, end) == 0) n++;
	}
	closedir(dir);
	return n;
}

#endif
