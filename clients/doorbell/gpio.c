/* See gpio.h. */
#include "clients/doorbell/gpio.h"

#include <errno.h>

#ifdef VESTIBULE_GPIO

#include <gpiod.h>

struct gpio {
	struct gpiod_chip *chip;
	int fd;
};

static enum err fail(enum err e, const char *what, char why[GPIO_WHY_SIZE]) {
	(void)snprintf(why, GPIO_WHY_SIZE, "%s", what);
	return e;
}

static enum err no_chip(char why[GPIO_WHY_SIZE]) {
	if (errno == ENOENT) return fail(ERR_ABSENT, "no such GPIO chip; gpiodetect lists them", why);
	(void)snprintf(why, GPIO_WHY_SIZE, "the GPIO chip: %s", strerror(errno));
	return ERR_STORE;
}

/* Both edges, not the one of a press: how long a level stood decides. */
static enum err request(struct gpiod_chip *chip, unsigned line, bool active_low, int *fd,
						char why[GPIO_WHY_SIZE]) {
	int flags = active_low
					? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW | GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP
					: GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
	if (line >= gpiod_chip_num_lines(chip)) {
		(void)snprintf(why, GPIO_WHY_SIZE, "the chip %s has the lines 0-%u; gpioinfo lists them",
					   gpiod_chip_name(chip), gpiod_chip_num_lines(chip) - 1);
		return ERR_INPUT;
	}
	struct gpiod_line *l = gpiod_chip_get_line(chip, line);
	if (!l || gpiod_line_request_both_edges_events_flags(l, "vestibule-doorbell", flags) != 0) {
		if (errno == EBUSY)
			return fail(ERR_STORE, "the line is in use; gpioinfo says by whom", why);
		(void)snprintf(why, GPIO_WHY_SIZE, "the GPIO line: %s", strerror(errno));
		return ERR_STORE;
	}
	*fd = gpiod_line_event_get_fd(l);
	return *fd >= 0 ? ERR_NONE : fail(ERR_STORE, "the GPIO line has no events", why);
}

enum err gpio_open(const char *chip, unsigned line, bool active_low, struct gpio **out,
				   char why[GPIO_WHY_SIZE]) {
	struct gpio *g = (struct gpio *)malloc(sizeof *g);
	if (!g) return fail(ERR_NOMEM, "out of memory", why);
	g->chip = gpiod_chip_open_lookup(chip);
	enum err e = g->chip ? request(g->chip, line, active_low, &g->fd, why) : no_chip(why);
	if (e == ERR_NONE) {
		*out = g;
		return ERR_NONE;
	}
	if (g->chip) gpiod_chip_close(g->chip);
	free(g);
	return e;
}

int gpio_fd(const struct gpio *g) {
	return g->fd;
}

void gpio_close(struct gpio *g) {
	if (!g) return;
	gpiod_chip_close(g->chip); /* its line and the descriptor go with it */
	free(g);
}

#else

enum err gpio_open(const char *chip, unsigned line, bool active_low, struct gpio **out,
				   char why[GPIO_WHY_SIZE]) {
	(void)chip;
	(void)line;
	(void)active_low;
	(void)out;
	(void)snprintf(why, GPIO_WHY_SIZE, "this program was built without GPIO; build it with GPIO=1");
	return ERR_VERSION;
}

int gpio_fd(const struct gpio *g) {
	(void)g;
	return -1;
}

void gpio_close(struct gpio *g) {
	(void)g;
}

#endif
