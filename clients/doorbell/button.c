/* See button.h. */
#include "clients/doorbell/button.h"

#include <errno.h>
#include <linux/gpio.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "clients/doorbell/ask.h"
#include "clients/doorbell/gpio.h"

/* --- debouncing ------------------------------------------------------------------------------ */

bool button_settle(struct button *b, int64_t now_ms) {
	if (b->level == b->pressed || now_ms - b->since_ms < b->debounce_ms) return false;
	b->pressed = b->level;
	return b->pressed;
}

bool button_edge(struct button *b, bool active, int64_t at_ms) {
	bool rang = button_settle(b, at_ms); /* edges may be read late: what stood until now counts */
	b->level = active;
	b->since_ms = at_ms;
	return rang;
}

int button_wait_ms(const struct button *b, int64_t now_ms) {
	if (b->level == b->pressed) return -1;
	int64_t left = b->since_ms + b->debounce_ms - now_ms;
	return left <= 0 ? 0 : left > BUTTON_DEBOUNCE_MAX_MS ? BUTTON_DEBOUNCE_MAX_MS : (int)left;
}

/* --- watching -------------------------------------------------------------------------------- */

static int64_t monotonic_ms(void) {
	struct timespec t = {.tv_sec = 0};
	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The kernel stamps with CLOCK_MONOTONIC since 5.7, before with the wall clock: never later than
 * now, so that an old kernel only debounces by the time of reading. */
static int64_t time_of(const struct gpioevent_data *e, int64_t now_ms) {
	uint64_t at_ms = e->timestamp / 1000000;
	return at_ms < (uint64_t)now_ms ? (int64_t)at_ms : now_ms;
}

/* The kernel keeps 16 edges for a slow reader and drops more. The worst that a lost release does is
 * that the press after it is not told; the next release puts it right. */
static enum err take(int fd, struct button *b, button_pressed_fn *pressed, void *ctx) {
	struct gpioevent_data events[16];
	ssize_t n = read(fd, events, sizeof events);
	if (n < 0) return errno == EINTR || errno == EAGAIN ? ERR_NONE : ERR_STORE;
	if (n == 0) return ERR_ABSENT;
	if ((size_t)n % sizeof *events != 0) return ERR_INPUT;
	int64_t now_ms = monotonic_ms();
	for (size_t i = 0; i < (size_t)n / sizeof *events; i++) {
		bool active = events[i].id == GPIOEVENT_EVENT_RISING_EDGE;
		if (!active && events[i].id != GPIOEVENT_EVENT_FALLING_EDGE) return ERR_INPUT;
		if (button_edge(b, active, time_of(&events[i], now_ms))) pressed(ctx);
	}
	return ERR_NONE;
}

enum err button_watch(int fd, int64_t debounce_ms, button_pressed_fn *pressed, void *ctx) {
	struct button b = {.debounce_ms = debounce_ms};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	for (;;) {
		int ready = poll(&p, 1, button_wait_ms(&b, monotonic_ms()));
		if (ready < 0 && errno != EINTR) return ERR_STORE;
		if (ready > 0) {
			enum err e = take(fd, &b, pressed, ctx);
			if (e != ERR_NONE) return e;
		}
		if (button_settle(&b, monotonic_ms())) pressed(ctx);
	}
}

/* --- the command ----------------------------------------------------------------------------- */

enum err button_parse(const char *text, char chip[BUTTON_CHIP_SIZE], unsigned *line) {
	const char *colon = strrchr(text, ':');
	unsigned value = 0;
	if (!colon || colon == text || colon[1] == '\0') return ERR_INPUT;
	for (const char *c = colon + 1; *c; c++) {
		if (*c < '0' || *c > '9') return ERR_INPUT;
		value = value * 10 + (unsigned)(*c - '0');
		if (value > BUTTON_LINE_MAX) return ERR_INPUT;
	}
	if (!span_copy(span_of(text, (size_t)(colon - text)), chip, BUTTON_CHIP_SIZE)) return ERR_INPUT;
	*line = value;
	return ERR_NONE;
}

static int complain(int code, const char *what, const char *why) {
	(void)fprintf(stderr, "vestibule-doorbell: %s: %s\n", what, why);
	return code;
}

struct asker {
	const struct opt_common *common;
	void *settings;
};

/* What went wrong is on stderr; the next press is tried again. */
static void ask(void *ctx) {
	const struct asker *a = (const struct asker *)ctx;
	(void)ask_ring(a->common, a->settings);
}

int button_serve(int fd, const struct opt_common *common, void *settings) {
	const struct settings *s = (const struct settings *)settings;
	struct asker asker = {.common = common, .settings = settings};
	enum err e = button_watch(fd, s->debounce_ms, ask, &asker);
	return complain(EXIT_UNAVAILABLE, s->button,
					e == ERR_STORE ? strerror(errno) : "the line delivers no events any more");
}

int button_run(const struct opt_common *common, void *settings) {
	const struct settings *s = (const struct settings *)settings;
	char chip[BUTTON_CHIP_SIZE], why[GPIO_WHY_SIZE];
	unsigned line = 0;
	struct gpio *gpio = NULL;
	if (button_parse(s->button, chip, &line) != ERR_NONE)
		return complain(EXIT_USAGE, s->button, "CHIP:LINE is like gpiochip0:17; a line is 0-65535");
	enum err e = gpio_open(chip, line, s->active_low, &gpio, why);
	if (e != ERR_NONE)
		return complain(e == ERR_VERSION ? EXIT_UNAVAILABLE : EXIT_USAGE, s->button, why);
	int rc = button_serve(gpio_fd(gpio), common, settings);
	gpio_close(gpio);
	return rc;
}
