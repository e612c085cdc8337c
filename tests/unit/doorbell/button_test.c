/* The button: debouncing as tables of edges, then the kernel's events, written into a pipe in place
 * of a line, up to the spool of a real daemon. */
#include "../sdk/scratch.h"

#include <linux/gpio.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "clients/doorbell/ask.h"
#include "clients/doorbell/button.h"
#include "clients/doorbell/gpio.h"
#include "clients/doorbell/serve.h"

enum { DEBOUNCE = 30 };

/* --- debouncing ------------------------------------------------------------------------------ */

/* Edges at these milliseconds, first to active, then alternately; how many presses by end_ms. */
static int presses(const int64_t *at_ms, size_t count, int64_t end_ms) {
	struct button b = {.debounce_ms = DEBOUNCE};
	int rings = 0;
	for (size_t i = 0; i < count; i++) rings += button_edge(&b, i % 2 == 0, at_ms[i]);
	rings += button_settle(&b, end_ms);
	rings += button_settle(&b, end_ms); /* told once */
	return rings;
}

#define PRESSES(end_ms, ...)                                                                  \
	presses((const int64_t[]){__VA_ARGS__}, sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t), \
			end_ms)

static void press_rings_once_when_it_has_stood(void **state) {
	(void)state;
	assert_int_equal(PRESSES(1029, 1000), 0);
	assert_int_equal(PRESSES(1030, 1000), 1);
	assert_int_equal(PRESSES(1000000, 1000), 1);    /* held, or stuck */
	assert_int_equal(PRESSES(2000, 1000, 1030), 1); /* read late, but it had stood */
	assert_int_equal(PRESSES(2000, 1000, 1029), 0); /* a spike */
}

static void bounces_of_press_and_release_ring_once(void **state) {
	(void)state;
	assert_int_equal(PRESSES(2000, 1000, 1002, 1003, 1009, 1010), 1);
	assert_int_equal(PRESSES(2000, 1000, 1002, 1003, 1200, 1204, 1206, 1209, 1215), 1);
	assert_int_equal(PRESSES(3000, 1000, 1200, 2000, 2200), 2); /* two presses are two */
}

static void wait_is_for_the_level_to_stand(void **state) {
	(void)state;
	struct button b = {.debounce_ms = DEBOUNCE};
	assert_int_equal(button_wait_ms(&b, 1000), -1);
	assert_false(button_edge(&b, true, 1000));
	assert_int_equal(button_wait_ms(&b, 1010), 20);
	assert_int_equal(button_wait_ms(&b, 5000), 0);
	assert_true(button_settle(&b, 1030));
	assert_int_equal(button_wait_ms(&b, 1030), -1);
}

/* --- CHIP:LINE ------------------------------------------------------------------------------- */

static void chip_and_line_are_read_and_anything_else_is_refused(void **state) {
	(void)state;
	char chip[BUTTON_CHIP_SIZE];
	unsigned line = 0;
	static const char *const wrong[] = {
		"",
		"gpiochip0",
		":17",
		"gpiochip0:",
		"gpiochip0:x",
		"gpiochip0:-1",
		"gpiochip0:65536",
		"gpiochip0:4294967297",
		"0123456789012345678901234567890123456789012345678901234567890123:1"};
	assert_int_equal(button_parse("gpiochip0:17", chip, &line), ERR_NONE);
	assert_string_equal(chip, "gpiochip0");
	assert_int_equal(line, 17);
	assert_int_equal(button_parse("/dev/gpiochip1:65535", chip, &line), ERR_NONE);
	assert_string_equal(chip, "/dev/gpiochip1");
	assert_int_equal(line, 65535);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(button_parse(wrong[i], chip, &line), ERR_INPUT);
}

/* Which error it is, is the build's: tests/gpio.sh reads both sentences. */
static void chip_that_is_not_there_is_told(void **state) {
	(void)state;
	char why[GPIO_WHY_SIZE] = "";
	struct gpio *g = NULL;
	enum err e = gpio_open("gpiochip-of-nobody", 17, true, &g, why);
	assert_true(e == ERR_VERSION || e == ERR_ABSENT);
	assert_true(why[0] != '\0');
	assert_null(g);
	gpio_close(g);
}

/* --- the descriptor -------------------------------------------------------------------------- */

static uint64_t now_ns(void) {
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* As the kernel writes it, ago_ms ago. */
static struct gpioevent_data edge(bool active, uint64_t ago_ms) {
	return (struct gpioevent_data){.timestamp = now_ns() - ago_ms * 1000000,
								   .id = active ? GPIOEVENT_EVENT_RISING_EDGE
												: GPIOEVENT_EVENT_FALLING_EDGE};
}

static void count(void *ctx) {
	++*(int *)ctx;
}

/* The bytes as all that ever comes. */
static enum err watch(const void *bytes, size_t len, int *rings) {
	int ends[2];
	*rings = 0;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, len), len);
	close(ends[1]);
	enum err e = button_watch(ends[0], DEBOUNCE, count, rings);
	close(ends[0]);
	return e;
}

static void kernel_events_are_presses(void **state) {
	(void)state;
	int rings;
	struct gpioevent_data all[] = {edge(true, 900),  edge(false, 700), edge(true, 500),
								   edge(false, 490), edge(true, 400),  edge(false, 100)};
	assert_int_equal(watch(all, sizeof all, &rings), ERR_ABSENT);
	assert_int_equal(rings, 2);
	assert_int_equal(watch(&all[2], 2 * sizeof *all, &rings), ERR_ABSENT);
	assert_int_equal(rings, 0); /* 10 ms */
}

/* A kernel before 5.7 stamps with the wall clock, which is far ahead. */
static void clock_of_an_old_kernel_does_not_stop_the_button(void **state) {
	(void)state;
	struct gpioevent_data e = {.timestamp = 1700000000000000000, .id = GPIOEVENT_EVENT_RISING_EDGE};
	int rings = 0, ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], &e, sizeof e), sizeof e);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) { /* longer than the debouncing, then the end */
		usleep(1000000);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(button_watch(ends[0], DEBOUNCE, count, &rings), ERR_ABSENT);
	assert_int_equal(rings, 1);
	close(ends[0]);
	(void)waitpid(pid, NULL, 0);
}

static void bytes_that_are_no_event_end_it(void **state) {
	(void)state;
	int rings;
	struct gpioevent_data strange = {.timestamp = 1, .id = 7};
	assert_int_equal(watch(&strange, sizeof strange, &rings), ERR_INPUT);
	assert_int_equal(watch("press", 5, &rings), ERR_INPUT);
	assert_int_equal(watch("", 0, &rings), ERR_ABSENT);
	int folder = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(button_watch(folder, DEBOUNCE, count, &rings), ERR_STORE);
	assert_int_equal(errno, EISDIR);
	close(folder);
	assert_int_equal(rings, 0);
}

/* --- up to the daemon ------------------------------------------------------------------------ */

struct bench {
	char dir[64];
	char socket[96], spool[96], clips[96];
	struct opt_common common;
	struct settings s;
	pid_t daemon;
};

static int setup(void **state) {
	struct bench *b = (struct bench *)calloc(1, sizeof *b);
	assert_non_null(b);
	scratch_dir(b->dir);
	(void)snprintf(b->socket, sizeof b->socket, "%s/socket", b->dir);
	(void)snprintf(b->spool, sizeof b->spool, "%s/spool", b->dir);
	(void)snprintf(b->clips, sizeof b->clips, "%s/clips", b->dir);
	b->common = (struct opt_common){.host = "127.0.0.1",
									.port = 1, /* nobody: an event is accepted without a broker */
									.username = "door-1",
									.token = "0123456789abcdef",
									.timeout_ms = 10000};
	b->s = (struct settings){.socket = b->socket,
							 .spool = b->spool,
							 .clips = b->clips,
							 .clock = "synced",
							 .spool_files = 8,
							 .spool_bytes = 65536,
							 .clips_bytes = 100000,
							 .button = "a pipe",
							 .debounce_ms = DEBOUNCE};
	*state = b;
	return 0;
}

static int teardown(void **state) {
	struct bench *b = (struct bench *)*state;
	if (b->daemon > 0) {
		kill(b->daemon, SIGTERM);
		(void)waitpid(b->daemon, NULL, 0);
	}
	scratch_remove(b->dir);
	free(b);
	return 0;
}

static void start(struct bench *b) {
	b->daemon = fork();
	assert_true(b->daemon >= 0);
	if (b->daemon == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		_exit(serve_run(&b->common, &b->s));
	}
	for (int i = 0; i < 1000 && access(b->socket, F_OK) != 0; i++) usleep(10000);
	usleep(20000);
}

/* `button` on a pipe instead of a line, in a process of its own. */
static int serve(struct bench *b, const struct gpioevent_data *events, size_t count_of) {
	int ends[2], status = -1;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[1]);
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		_exit(button_serve(ends[0], &b->common, &b->s));
	}
	close(ends[0]);
	assert_int_equal(write(ends[1], events, count_of * sizeof *events), count_of * sizeof *events);
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t rings_in(const struct bench *b) {
	struct scratch s;
	(void)span_copy(span_str(b->spool), s.dir, sizeof s.dir);
	return scratch_files(&s, "-ring");
}

static void press_is_the_ring_of_the_socket(void **state) {
	struct bench *b = (struct bench *)*state;
	struct gpioevent_data press[] = {edge(true, 300), edge(false, 100)};
	struct gpioevent_data spike[] = {edge(true, 300), edge(false, 290)};
	start(b);
	assert_int_equal(serve(b, spike, 2), EXIT_UNAVAILABLE); /* as the pipe ended */
	assert_int_equal(rings_in(b), 0);
	assert_int_equal(serve(b, press, 2), EXIT_UNAVAILABLE);
	assert_int_equal(rings_in(b), 1);
	assert_int_equal(ask_ring(&b->common, &b->s), EXIT_RECORDED);
	assert_int_equal(rings_in(b), 2);
}

static void press_without_a_daemon_is_lost_and_the_next_one_rings(void **state) {
	struct bench *b = (struct bench *)*state;
	struct gpioevent_data press[] = {edge(true, 300), edge(false, 100)};
	assert_int_equal(serve(b, press, 2), EXIT_UNAVAILABLE);
	start(b);
	assert_int_equal(rings_in(b), 0);
	assert_int_equal(serve(b, press, 2), EXIT_UNAVAILABLE);
	assert_int_equal(rings_in(b), 1);
}

#define T(name) cmocka_unit_test(name)
#define D(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(press_rings_once_when_it_has_stood),
		T(bounces_of_press_and_release_ring_once),
		T(wait_is_for_the_level_to_stand),
		T(chip_and_line_are_read_and_anything_else_is_refused),
		T(chip_that_is_not_there_is_told),
		T(kernel_events_are_presses),
		T(clock_of_an_old_kernel_does_not_stop_the_button),
		T(bytes_that_are_no_event_end_it),
		D(press_is_the_ring_of_the_socket),
		D(press_without_a_daemon_is_lost_and_the_next_one_rings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
