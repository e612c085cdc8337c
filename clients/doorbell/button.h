/* A button on a GPIO line: presses become the `ring` of the socket, from a process of its own, so
 * that the daemon needs neither libgpiod nor access to the line. Three parts: the debouncing (pure),
 * the watching of a descriptor that delivers the kernel's edges, the command. Not here: how the line
 * is opened (gpio.h).
 *
 * Debouncing: a level counts when it has stood for debounce_ms; a press is the step to a counting
 * active level. So neither bounces nor a spike shorter than debounce_ms rings, and a held or stuck
 * button rings once. One thread. */
#ifndef DOORBELL_BUTTON_H
#define DOORBELL_BUTTON_H

#include "clients/doorbell/settings.h"

enum { BUTTON_DEBOUNCE_MAX_MS = 1000, BUTTON_CHIP_SIZE = 64, BUTTON_LINE_MAX = 65535 };

struct button { /* zero, but debounce_ms: released */
	int64_t debounce_ms;
	int64_t since_ms; /* when level began */
	bool level;       /* active, at the last edge */
	bool pressed;     /* the level that counts */
};

/* Tells of an edge to active or not. True: before it, the button had been pressed. at_ms: any clock
 * that does not go back. */
bool button_edge(struct button *b, bool active, int64_t at_ms);
bool button_settle(struct button *b, int64_t now_ms); /* true: it is pressed, told once a press */
int button_wait_ms(const struct button *b, int64_t now_ms); /* until settle; -1: for an edge */

/* "gpiochip0:17" -> chip and line; what precedes the last colon is the chip (name, number, label or
 * path, at most 63 bytes). ERR_INPUT: not of this shape, or a line above BUTTON_LINE_MAX. */
enum err button_parse(const char *text, char chip[BUTTON_CHIP_SIZE], unsigned *line) MUST_CHECK;

typedef void button_pressed_fn(void *ctx);

/* Reads struct gpioevent_data (linux/gpio.h; edges are logical: the kernel has turned an active-low
 * line round, drivers/gpio/gpiolib-cdev.c lineevent_irq_thread) from fd and calls pressed once a
 * press. Returns when fd ends: ERR_ABSENT; ERR_STORE: errno; ERR_INPUT: what came is no such event. */
enum err button_watch(int fd, int64_t debounce_ms, button_pressed_fn *pressed,
					  void *ctx) MUST_CHECK;

/* Each press on fd is the command `ring`. Returns an exit code when fd ends, after a sentence. */
int button_serve(int fd, const struct opt_common *common, void *settings);

/* The command `button`: opens the line, then as above, until a signal ends the program. Both:
 * settings is a struct settings. */
int button_run(const struct opt_common *common, void *settings);

#endif
