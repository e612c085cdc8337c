/* The clip store: what is kept, what makes room, what a pull then sees. */
#include "../sdk/scratch.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "clients/doorbell/clips.h"
#include "lib/hex.h"
#include "proto/uuid.h"

static char why[CLIPS_WHY_SIZE];

struct bench {
	char dir[64];
	char source[96];
	struct clips *c;
};

static int setup(void **state) {
	struct bench *b = (struct bench *)calloc(1, sizeof *b);
	assert_non_null(b);
	scratch_dir(b->dir);
	(void)snprintf(b->source, sizeof b->source, "%s.source", b->dir);
	b->c = clips_open(b->dir, 100000, why);
	assert_non_null(b->c);
	*state = b;
	return 0;
}

static int teardown(void **state) {
	struct bench *b = (struct bench *)*state;
	clips_close(b->c);
	scratch_remove(b->dir);
	(void)unlink(b->source);
	free(b);
	return 0;
}

static int source_of(struct bench *b, size_t size, char fill) {
	int fd = open(b->source, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i += 1000) {
		char piece[1000];
		memset(piece, fill, sizeof piece);
		size_t n = size - i < sizeof piece ? size - i : sizeof piece;
		assert_int_equal(write(fd, piece, n), n);
	}
	return fd;
}

static enum err take(struct bench *b, size_t size, char fill, struct clips_item *item) {
	int fd = source_of(b, size, fill);
	enum err e = clips_take(b->c, fd, item, why);
	close(fd);
	usleep(2000); /* ids of the next millisecond sort behind this one's */
	return e;
}

static int64_t read_from(struct bench *b, const struct clips_item *item, uint64_t at, uint8_t *into,
						 size_t len) {
	uint64_t size = 0;
	struct vestibule_read want = {.offset = at, .len = len};
	memcpy(want.clip_id, item->id, sizeof want.clip_id);
	int64_t n = clips_read(b->c, &want, into, &size);
	if (n >= 0) assert_int_equal(size, item->size);
	return n;
}

static void stored_clip_is_read_back_with_its_hash(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item item;
	uint8_t bytes[10];
	char hash[65];
	uint64_t size;
	assert_int_equal(take(b, 3, 'a', &item), ERR_NONE);
	hex_encode(span_of(item.sha256, 32), hash);
	assert_string_equal(
		hash, "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"); /* of "aaa" */
	assert_int_equal(item.duration_ms, 0);                                         /* no MP4 file */
	assert_int_equal(read_from(b, &item, 0, bytes, sizeof bytes), 3);
	assert_memory_equal(bytes, "aaa", 3);
	assert_int_equal(read_from(b, &item, 2, bytes, sizeof bytes), 1);
	assert_int_equal(read_from(b, &item, 3, bytes, sizeof bytes), 0);
	struct vestibule_read poster = {.part = VESTIBULE_POSTER, .len = 3};
	memcpy(poster.clip_id, item.id, sizeof poster.clip_id);
	assert_int_equal(clips_read(b->c, &poster, bytes, &size), VESTIBULE_GONE);
}

static void duration_comes_from_the_movie_header(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item item;
	int fd = open("tests/media/doorstep.mp4", O_RDONLY);
	if (fd < 0) fail_msg("tests/media/doorstep.mp4: run me from the root of the repository");
	assert_int_equal(clips_take(b->c, fd, &item, why), ERR_NONE);
	close(fd);
	assert_int_equal(item.duration_ms, 6000);
}

static void oldest_clips_make_room_for_a_new_one(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item first, second, third;
	uint8_t byte;
	assert_int_equal(take(b, 40000, '1', &first), ERR_NONE);
	assert_int_equal(take(b, 40000, '2', &second), ERR_NONE);
	assert_int_equal(take(b, 30000, '3', &third), ERR_NONE);
	assert_int_equal(read_from(b, &first, 0, &byte, 1), VESTIBULE_GONE);
	assert_int_equal(read_from(b, &second, 0, &byte, 1), 1);
	assert_int_equal(byte, '2');
	assert_int_equal(read_from(b, &third, 0, &byte, 1), 1);
	struct clips_usage u = clips_usage(b->c);
	assert_int_equal(u.bytes, 70000);
	assert_int_equal(u.count, 2);
	assert_int_equal(u.deleted, 1);
}

static void clip_as_large_as_the_store_fits_and_one_byte_more_does_not(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item small, item;
	uint8_t byte;
	assert_int_equal(take(b, 100, 's', &small), ERR_NONE);
	assert_int_equal(take(b, 100001, 'x', &item), ERR_LIMIT);
	assert_non_null(strstr(why, "100001"));
	assert_int_equal(read_from(b, &small, 0, &byte, 1),
					 1); /* nothing was deleted for what never fits */
	assert_int_equal(take(b, 100000, 'x', &item), ERR_NONE);
	assert_int_equal(read_from(b, &small, 0, &byte, 1), VESTIBULE_GONE);
}

static void restart_keeps_clips_and_removes_half_copied_ones(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item one, two;
	char path[160];
	uint8_t byte;
	assert_int_equal(take(b, 30000, '1', &one), ERR_NONE);
	assert_int_equal(take(b, 30000, '2', &two), ERR_NONE);
	clips_close(b->c);
	(void)snprintf(path, sizeof path, "%s/018bcfe5-6800-7000-8000-00000000000b.part", b->dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	b->c = clips_open(b->dir, 65536, why);
	assert_non_null(b->c);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(clips_usage(b->c).bytes, 60000);
	clips_close(b->c);
	b->c = clips_open(b->dir, 50000, why); /* a lower limit deletes the oldest */
	assert_non_null(b->c);
	assert_int_equal(read_from(b, &one, 0, &byte, 1), VESTIBULE_GONE);
	assert_int_equal(read_from(b, &two, 0, &byte, 1), 1);
}

static void what_is_no_file_is_refused(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item item;
	int ends[2];
	assert_int_equal(take(b, 0, 'x', &item), ERR_INPUT);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(clips_take(b->c, ends[0], &item, why), ERR_INPUT);
	close(ends[0]);
	close(ends[1]);
	int dir = open(b->dir, O_RDONLY);
	assert_int_equal(clips_take(b->c, dir, &item, why), ERR_INPUT);
	close(dir);
	assert_int_equal(clips_usage(b->c).count, 0);
}

static void removed_clip_is_gone_and_its_bytes_are_free(void **state) {
	struct bench *b = (struct bench *)*state;
	struct clips_item item;
	uint8_t byte;
	assert_int_equal(take(b, 500, 'x', &item), ERR_NONE);
	clips_remove(b->c, item.id);
	clips_remove(b->c, item.id); /* unknown: does nothing */
	assert_int_equal(read_from(b, &item, 0, &byte, 1), VESTIBULE_GONE);
	assert_int_equal(clips_usage(b->c).bytes, 0);
}

static void full_disk_refuses_the_clip_and_leaves_nothing(void **state) {
	struct bench *b = (struct bench *)*state;
	int status = -1, fd = source_of(b, 5000, 'x');
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit full = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
		struct clips_item item;
		signal(SIGXFSZ, SIG_IGN);
		if (getrlimit(RLIMIT_FSIZE, &full) != 0) _exit(1);
		full.rlim_cur = 1000;
		if (setrlimit(RLIMIT_FSIZE, &full) != 0) _exit(2);
		if (clips_take(b->c, fd, &item, why) != ERR_STORE) _exit(3);
		_exit(clips_usage(b->c).bytes == 0 && clips_usage(b->c).count == 0 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fd);
	DIR *dir = opendir(b->dir);
	struct dirent *e;
	while ((e = readdir(dir)) != NULL) assert_int_equal(e->d_name[0], '.');
	closedir(dir);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void folder_that_others_may_write_to_is_refused(void **state) {
	struct bench *b = (struct bench *)*state;
	static const mode_t shared[] = {0770, 0707, 0777};
	clips_close(b->c);
	for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
		assert_int_equal(chmod(b->dir, shared[i]), 0);
		assert_null(clips_open(b->dir, 100000, why));
		assert_non_null(strstr(why, b->dir));
		assert_non_null(strstr(why, "0700"));
	}
	assert_int_equal(chmod(b->dir, 0755), 0); /* readable alone is the operator's choice */
	b->c = clips_open(b->dir, 100000, why);
	assert_non_null(b->c);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		T(stored_clip_is_read_back_with_its_hash),
		T(duration_comes_from_the_movie_header),
		T(oldest_clips_make_room_for_a_new_one),
		T(clip_as_large_as_the_store_fits_and_one_byte_more_does_not),
		T(restart_keeps_clips_and_removes_half_copied_ones),
		T(what_is_no_file_is_refused),
		T(removed_clip_is_gone_and_its_bytes_are_free),
		T(full_disk_refuses_the_clip_and_leaves_nothing),
		T(folder_that_others_may_write_to_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
