/* See pin.h. */
#include "clients/home/pin.h"

#include "lib/hex.h"

enum { TEXT = PIN_KEY_TEXT_SIZE - 1 };

static enum err path_of(const char *folder, const char *device, char out[KEEP_PATH_SIZE],
						char why[KEEP_WHY_SIZE]) {
	int n = snprintf(out, KEEP_PATH_SIZE, "%s/devices/%s.key", folder, device);
	if (n > 0 && n < KEEP_PATH_SIZE) return ERR_NONE;
	(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: too long a path", folder);
	return ERR_STORE;
}

enum pin pin_check(const char *folder, const char *device, const uint8_t key[PIN_KEY_BYTES],
				   char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE], text[PIN_KEY_TEXT_SIZE], now[PIN_KEY_TEXT_SIZE];
	uint8_t pinned[PIN_KEY_BYTES];
	size_t len = 0;
	enum err e = path_of(folder, device, path, why);
	if (e == ERR_NONE) e = keep_read(path, text, sizeof text, &len, why);
	if (e == ERR_ABSENT) return PIN_NONE;
	if (e != ERR_NONE) return PIN_UNKNOWN;
	if (len != sizeof text || text[TEXT] != '\n' ||
		hex_decode(span_of(text, TEXT), pinned, sizeof pinned) != ERR_NONE) {
		(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: holds no key", path);
		return PIN_UNKNOWN;
	}
	if (memcmp(pinned, key, sizeof pinned) == 0) return PIN_SAME;
	hex_encode(span_of(key, PIN_KEY_BYTES), now);
	(void)snprintf(why, KEEP_WHY_SIZE, "it was %.*s and is %s", TEXT, text, now);
	return PIN_OTHER;
}

enum err pin_keep(const char *folder, const char *device, const uint8_t key[PIN_KEY_BYTES],
				  char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE], text[PIN_KEY_TEXT_SIZE];
	enum err e = path_of(folder, device, path, why);
	if (e != ERR_NONE) return e;
	char *slash = strrchr(path, '/');
	*slash = '\0';
	e = keep_folder(path, why);
	*slash = '/';
	if (e != ERR_NONE) return e;
	hex_encode(span_of(key, PIN_KEY_BYTES), text);
	text[TEXT] = '\n';
	return keep_write(path, span_of(text, sizeof text), KEEP_NEW, why);
}

enum err pin_forget(const char *folder, const char *device, char why[KEEP_WHY_SIZE]) {
	char path[KEEP_PATH_SIZE];
	enum err e = path_of(folder, device, path, why);
	return e == ERR_NONE ? keep_remove(path, why) : e;
}
