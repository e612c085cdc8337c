/* A GPIO line as a descriptor that delivers both of its edges. Needs libgpiod 1.x (Debian 12 has
 * 1.6.3) and is compiled with `make GPIO=1`; without, gpio_open says so. One thread. */
#ifndef DOORBELL_GPIO_H
#define DOORBELL_GPIO_H

#include "lib/err.h"

enum { GPIO_WHY_SIZE = 192 };

struct gpio;

/* Requests the line of the chip (name, number, label or path) as an input. active_low: pressed
 * pulls it to ground, and the chip's pull-up is turned on; else its pull-down (a chip without
 * either ignores it). Not ERR_NONE: why is a sentence. ERR_VERSION: built without GPIO;
 * ERR_ABSENT: no such chip; ERR_INPUT: no such line; ERR_STORE: errno (no permission, in use). */
enum err gpio_open(const char *chip, unsigned line, bool active_low, struct gpio **out,
				   char why[GPIO_WHY_SIZE]) MUST_CHECK;
int gpio_fd(const struct gpio *g); /* delivers struct gpioevent_data; until gpio_close */
void gpio_close(struct gpio *g);   /* NULL does nothing */

#endif
