/* The keys of the home's devices as they were at their claim, one file a device: who answers under
 * its name later with another key is another device. Blocking file I/O. */
#ifndef HOME_PIN_H
#define HOME_PIN_H

#include "lib/keep.h"

enum { PIN_KEY_BYTES = 32, PIN_KEY_TEXT_SIZE = 65 };

enum pin {
	PIN_UNKNOWN = 0, /* cannot be read: why. Zero refuses */
	PIN_OTHER,       /* another key is pinned: why names both */
	PIN_SAME,
	PIN_NONE
};

/* folder: of the keys; device: a valid id. */
enum pin pin_check(const char *folder, const char *device, const uint8_t key[PIN_KEY_BYTES],
				   char why[KEEP_WHY_SIZE]) MUST_CHECK;
/* Pins it, durably. ERR_LIMIT: a key is pinned already; ERR_STORE. */
enum err pin_keep(const char *folder, const char *device, const uint8_t key[PIN_KEY_BYTES],
				  char why[KEEP_WHY_SIZE]) MUST_CHECK;
/* Forgets a device that will never come back. Absent is fine. ERR_STORE. */
enum err pin_forget(const char *folder, const char *device, char why[KEEP_WHY_SIZE]) MUST_CHECK;

#endif
