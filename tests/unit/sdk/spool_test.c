/* What the spool promises about events on disk: order, restarts, room, damage, a full disk. */
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void events_keep_their_order_across_a_restart(void **state) {
	struct scratch *s = (struct scratch *)*state;
	static const enum vestibule_kind kinds[] = {VESTIBULE_RING, VESTIBULE_CLIP, VESTIBULE_MOTION,
												VESTIBULE_RING};
	for (size_t i = 0; i < 4; i++) assert_int_equal(scratch_add(s, kinds[i]), ERR_NONE);
	scratch_reopen(s);
	assert_int_equal(spool_count(s->spool), 4);
	struct buf bytes;
	buf_init(&bytes, 4096);
	for (size_t i = 0; i < 4; i++) {
		struct message_head head;
		assert_int_equal(spool_at(s->spool, i)->seq, i + 1);
		assert_int_equal(spool_at(s->spool, i)->kind, kinds[i]);
		assert_int_equal(spool_read(s->spool, i, &bytes, &head), ERR_NONE);
		assert_int_equal(head.seq, i + 1);
	}
	buf_fini(&bytes);
}

static void seq_is_never_used_twice_even_when_all_events_are_gone(void **state) {
	struct scratch *s = (struct scratch *)*state;
	for (int i = 0; i < 3; i++) assert_int_equal(scratch_add(s, VESTIBULE_MOTION), ERR_NONE);
	while (spool_count(s->spool))
		spool_remove(s->spool, spool_count(s->spool) - 1); /* the highest first */
	scratch_reopen(s);
	assert_int_equal(spool_next_seq(s->spool), 4);
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	spool_remove(s->spool, 0);
	scratch_reopen(s);
	assert_int_equal(spool_next_seq(s->spool), 5);
	assert_int_equal(scratch_files(s, "-last"), 1);
}

static void new_folder_starts_at_the_given_seq(void **state) {
	struct scratch *s = (struct scratch *)*state;
	struct spool_opts opts = {
		.dir = s->dir, .files_max = 4, .bytes_max = 65536, .first_seq = 1700000000};
	bool busy;
	spool_close(s->spool);
	assert_int_equal(spool_open(&opts, &s->spool, &busy), ERR_NONE);
	assert_int_equal(spool_next_seq(s->spool), 1700000000);
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	spool_close(s->spool);
	opts.first_seq = 5; /* a clock that fell back does not matter */
	assert_int_equal(spool_open(&opts, &s->spool, &busy), ERR_NONE);
	assert_int_equal(spool_next_seq(s->spool), 1700000001);
}

static void full_spool_drops_stale_rings_then_oldest_motion_then_refuses(void **state) {
	struct scratch *s = (struct scratch *)*state;
	spool_close(s->spool);
	scratch_open(s, 4, 65536);
	assert_int_equal(scratch_add(s, VESTIBULE_MOTION), ERR_NONE); /* 1 */
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);   /* 2: will be stale */
	s->now.boot_ms += VESTIBULE_RING_LIFE_MS;
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE);   /* 3 */
	assert_int_equal(scratch_add(s, VESTIBULE_MOTION), ERR_NONE); /* 4 */

	assert_int_equal(scratch_add(s, VESTIBULE_CLIP),
					 ERR_NONE); /* 5 takes the place of the stale ring */
	assert_int_equal(spool_find(s->spool, 2), spool_count(s->spool));
	assert_int_equal(spool_counts(s->spool)->stale_rings, 1);
	assert_int_equal(spool_counts(s->spool)->dropped_motion, 0);

	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE); /* 6 takes the place of motion 1 */
	assert_int_equal(spool_find(s->spool, 1), spool_count(s->spool));
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE); /* 7: of motion 4 */
	assert_int_equal(spool_counts(s->spool)->dropped_motion, 2);

	for (int kind = VESTIBULE_RING; kind <= VESTIBULE_CLIP; kind++)
		assert_int_equal(scratch_add(s, (enum vestibule_kind)kind), ERR_LIMIT);
	assert_int_equal(spool_count(s->spool), 4);
	assert_int_equal(spool_at(s->spool, 0)->seq, 3); /* no clip and no fresh ring was lost */
	assert_int_equal(spool_at(s->spool, 3)->seq, 7);
	assert_int_equal(spool_next_seq(s->spool), 8); /* a refused event uses up no number */
}

static void bytes_are_bounded_like_files(void **state) {
	struct scratch *s = (struct scratch *)*state;
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE);
	uint64_t one = spool_bytes(s->spool);
	spool_close(s->spool);
	scratch_open(s, 16, 2 * one);
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_LIMIT);
	assert_int_equal(spool_bytes(s->spool), 2 * one);
	spool_remove(s->spool, 0);
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
}

static void nothing_is_dropped_for_an_event_that_would_not_fit_anyway(void **state) {
	struct scratch *s = (struct scratch *)*state;
	spool_close(s->spool);
	scratch_open(s, 16, 120); /* the clip would fit alone, not beside the ring */
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(scratch_add(s, VESTIBULE_MOTION), ERR_NONE);
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_LIMIT);
	assert_int_equal(spool_count(s->spool), 2);
	assert_int_equal(spool_counts(s->spool)->dropped_motion, 0);
}

static void held_motion_is_not_dropped(void **state) {
	struct scratch *s = (struct scratch *)*state;
	spool_close(s->spool);
	scratch_open(s, 1, 65536);
	assert_int_equal(scratch_add(s, VESTIBULE_MOTION), ERR_NONE);
	spool_at(s->spool, 0)->held = true;
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_LIMIT);
	spool_at(s->spool, 0)->held = false;
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
}

static void ring_is_stale_from_60_s_on(void **state) {
	struct scratch *s = (struct scratch *)*state;
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE);
	s->now.boot_ms += VESTIBULE_RING_LIFE_MS - 1;
	s->now.utc_ms += 86400000; /* a clock that is set meanwhile does not age it */
	assert_false(spool_is_stale(spool_at(s->spool, 0), s->now));
	s->now.boot_ms += 1;
	assert_true(spool_is_stale(spool_at(s->spool, 0), s->now));
	assert_false(spool_is_stale(spool_at(s->spool, 1), s->now));
}

static void after_a_restart_a_ring_ages_by_utc_and_a_future_one_is_stale(void **state) {
	struct scratch *s = (struct scratch *)*state;
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	scratch_reopen(s);
	struct moment later = {.utc_ms = s->now.utc_ms + VESTIBULE_RING_LIFE_MS - 1, .boot_ms = 5};
	assert_false(spool_is_stale(spool_at(s->spool, 0), later));
	later.utc_ms++;
	assert_true(spool_is_stale(spool_at(s->spool, 0), later));
	later.utc_ms = s->now.utc_ms - 1;
	assert_true(spool_is_stale(spool_at(s->spool, 0), later));
}

static void unsynced_ring_is_stale_after_a_restart(void **state) {
	struct scratch *s = (struct scratch *)*state;
	struct message_head h = scratch_head(s);
	struct buf bytes;
	buf_init(&bytes, 4096);
	h.synced = false;
	scratch_bytes(VESTIBULE_RING, &h, &bytes);
	assert_int_equal(spool_add(s->spool, VESTIBULE_RING, &h, buf_view(&bytes), s->now), ERR_NONE);
	buf_fini(&bytes);
	assert_false(spool_is_stale(spool_at(s->spool, 0), s->now));
	scratch_reopen(s);
	assert_true(spool_is_stale(spool_at(s->spool, 0), s->now));
}

static void overwrite(const struct scratch *s, const char *name, const char *bytes, size_t len) {
	char path[160];
	(void)snprintf(path, sizeof path, "%s/%s", s->dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void damaged_event_is_set_aside_and_the_others_stay(void **state) {
	struct scratch *s = (struct scratch *)*state;
	for (int i = 0; i < 4; i++) assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	spool_close(s->spool);
	overwrite(s, "00000000000000000002-ring", "rubbish", 7);
	overwrite(s, "00000000000000000004-ring", "", 0); /* the last one, too: its number stays used */
	scratch_open(s, 16, 65536);
	assert_int_equal(spool_count(s->spool), 2);
	assert_int_equal(spool_at(s->spool, 0)->seq, 1);
	assert_int_equal(spool_at(s->spool, 1)->seq, 3);
	assert_int_equal(spool_counts(s->spool)->corrupt, 2);
	assert_int_equal(scratch_files(s, ".bad"), 2);
	assert_int_equal(spool_next_seq(s->spool), 5);
	scratch_reopen(s);
	assert_int_equal(spool_count(s->spool), 2);
	assert_int_equal(spool_counts(s->spool)->corrupt, 0); /* told once */
	assert_int_equal(spool_next_seq(s->spool), 5);
}

static void event_under_another_events_name_is_damage(void **state) {
	struct scratch *s = (struct scratch *)*state;
	char from[160], to[160];
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	spool_close(s->spool);
	(void)snprintf(from, sizeof from, "%s/00000000000000000001-ring", s->dir);
	(void)snprintf(to, sizeof to, "%s/00000000000000000009-ring", s->dir);
	assert_int_equal(rename(from, to), 0);
	scratch_open(s, 16, 65536);
	assert_int_equal(spool_count(s->spool), 0);
	assert_int_equal(spool_counts(s->spool)->corrupt, 1);
}

static void set_aside_events_are_bounded(void **state) {
	struct scratch *s = (struct scratch *)*state;
	spool_close(s->spool);
	for (int i = 1; i <= 24; i++) {
		char name[40];
		(void)snprintf(name, sizeof name, "%020d-motion", i);
		overwrite(s, name, "x", 1);
	}
	scratch_open(s, 32, 65536);
	assert_int_equal(spool_counts(s->spool)->corrupt, 24);
	assert_int_equal(scratch_files(s, ".bad"), 16);
	assert_int_equal(scratch_files(s, "-motion"), 0);
}

static void half_written_and_foreign_files_are_no_events(void **state) {
	struct scratch *s = (struct scratch *)*state;
	spool_close(s->spool);
	overwrite(s, "new.tmp", "half", 4);
	overwrite(s, "notes.txt", "x", 1);
	overwrite(s, "1-ring", "x", 1);
	overwrite(s, "99999999999999999999-ring", "x", 1); /* above INT64_MAX */
	overwrite(s, "00000000000000000001-ringing", "x", 1);
	scratch_open(s, 16, 65536);
	assert_int_equal(spool_count(s->spool), 0);
	assert_int_equal(spool_counts(s->spool)->corrupt, 0);
	assert_int_equal(scratch_files(s, "new.tmp"), 0);
	assert_int_equal(scratch_files(s, "notes.txt"), 1);
	assert_int_equal(spool_next_seq(s->spool), 1);
}

static void second_process_is_told_that_the_folder_is_in_use(void **state) {
	struct scratch *s = (struct scratch *)*state;
	struct spool_opts opts = {.dir = s->dir, .files_max = 4, .bytes_max = 65536, .first_seq = 1};
	struct spool *other = NULL;
	bool busy = false;
	assert_int_equal(spool_open(&opts, &other, &busy), ERR_STORE);
	assert_true(busy);
	assert_null(other);
}

/* In a child of its own, because the limit cannot be raised again. 0: everything as promised. */
static int with_a_full_disk(struct scratch *s) {
	struct rlimit full = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY},
				  room = {RLIM_INFINITY, RLIM_INFINITY};
	if (getrlimit(RLIMIT_FSIZE, &room) != 0) return 1;
	full.rlim_max = room.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &full) != 0) return 2;
	if (scratch_add(s, VESTIBULE_CLIP) != ERR_STORE || errno != EFBIG) return 3;
	if (spool_count(s->spool) != 1 || spool_next_seq(s->spool) != 2) return 4;
	if (scratch_files(s, "new.tmp") != 0 || scratch_files(s, "-clip") != 0) return 5;
	spool_remove(s->spool, 0); /* what is settled goes without disk space */
	if (spool_counts(s->spool)->disk_errors != 1 || scratch_files(s, "-last") != 1) return 6;
	room.rlim_cur = room.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &room) != 0) return 7;
	if (scratch_add(s, VESTIBULE_CLIP) != ERR_NONE) return 8; /* and it recovers */
	return spool_at(s->spool, 0)->seq == 2 ? 0 : 9;
}

static void full_disk_refuses_the_event_and_recovers(void **state) {
	struct scratch *s = (struct scratch *)*state;
	int status = -1;
	assert_int_equal(scratch_add(s, VESTIBULE_RING), ERR_NONE);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) _exit(with_a_full_disk(s));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	scratch_reopen(s);
	assert_int_equal(spool_count(s->spool), 1);
	assert_int_equal(spool_at(s->spool, 0)->kind, VESTIBULE_CLIP);
}

static void spool_with_more_events_than_its_limit_does_not_open(void **state) {
	struct scratch *s = (struct scratch *)*state;
	struct spool_opts opts = {.dir = s->dir, .files_max = 1, .bytes_max = 65536, .first_seq = 1};
	bool busy;
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE);
	assert_int_equal(scratch_add(s, VESTIBULE_CLIP), ERR_NONE);
	spool_close(s->spool);
	s->spool = NULL;
	assert_int_equal(spool_open(&opts, &s->spool, &busy), ERR_LIMIT);
	assert_false(busy);
	assert_int_equal(scratch_files(s, "-clip"), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(events_keep_their_order_across_a_restart),
		T(seq_is_never_used_twice_even_when_all_events_are_gone),
		T(new_folder_starts_at_the_given_seq),
		T(full_spool_drops_stale_rings_then_oldest_motion_then_refuses),
		T(bytes_are_bounded_like_files),
		T(nothing_is_dropped_for_an_event_that_would_not_fit_anyway),
		T(held_motion_is_not_dropped),
		T(ring_is_stale_from_60_s_on),
		T(after_a_restart_a_ring_ages_by_utc_and_a_future_one_is_stale),
		T(unsynced_ring_is_stale_after_a_restart),
		T(damaged_event_is_set_aside_and_the_others_stay),
		T(event_under_another_events_name_is_damage),
		T(set_aside_events_are_bounded),
		T(half_written_and_foreign_files_are_no_events),
		T(second_process_is_told_that_the_folder_is_in_use),
		T(full_disk_refuses_the_event_and_recovers),
		T(spool_with_more_events_than_its_limit_does_not_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
