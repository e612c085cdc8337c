/* See identity.h. */
#include "clients/seal/identity.h"

#include <sodium.h>

#include "clients/seal/bech32.h"

static const char hrp[] = "AGE-SECRET-KEY-";

enum err identity_draw(struct identity *id) {
	if (sodium_init() < 0) return ERR_STORE;
	randombytes_buf(id->secret, sizeof id->secret);
	return ERR_NONE;
}

void identity_wipe(struct identity *id) {
	sodium_memzero(id, sizeof *id);
}

enum err identity_recipient(const struct identity *id, char out[RECIPIENT_TEXT_SIZE]) {
	uint8_t point[RECIPIENT_BYTES];
	if (crypto_scalarmult_base(point, id->secret) != 0) return ERR_INPUT;
	return recipient_text(point, out);
}

enum err identity_parse(struct span text, struct identity *out) {
	return bech32_decode(hrp, text, out->secret, sizeof out->secret);
}

enum err identity_keep(const char *path, const struct identity *id, char why[KEEP_WHY_SIZE]) {
	char text[IDENTITY_TEXT_SIZE], recipient[RECIPIENT_TEXT_SIZE], file[IDENTITY_FILE_MAX];
	struct tm utc;
	char day[32];
	time_t now = time(NULL);
	enum err e = identity_recipient(id, recipient);
	if (e == ERR_NONE)
		e = bech32_encode(hrp, span_of(id->secret, sizeof id->secret), text, sizeof text);
	if (e != ERR_NONE || !gmtime_r(&now, &utc) ||
		strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
		(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: the identity cannot be written as text", path);
		e = ERR_INPUT;
	} else {
		int n = snprintf(file, sizeof file, "# created: %s\n# public key: %s\n%s\n", day, recipient,
						 text); /* always fits */
		e = keep_write(path, span_of(file, (size_t)n), KEEP_NEW, why);
	}
	sodium_memzero(text, sizeof text);
	sodium_memzero(file, sizeof file);
	return e;
}

static enum err fail(const char *path, const char *cause, char why[KEEP_WHY_SIZE]) {
	(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: %s", path, cause);
	return ERR_INPUT;
}

static enum err parse_file(const char *path, struct span file, struct identity *out,
						   char why[KEEP_WHY_SIZE]) {
	bool found = false;
	while (file.len > 0) {
		const uint8_t *end = memchr(file.ptr, '\n', file.len);
		struct span line = span_of(file.ptr, end ? (size_t)(end - file.ptr) : file.len);
		file = span_drop(file, line.len + 1);
		if (line.len > 0 && line.ptr[line.len - 1] == '\r') line.len--;
		if (line.len == 0 || line.ptr[0] == '#') continue;
		if (found) return fail(path, "holds more than one identity", why);
		if (identity_parse(line, out) != ERR_NONE)
			return fail(path, "holds a line that is no age identity", why);
		found = true;
	}
	return found ? ERR_NONE : fail(path, "holds no age identity", why);
}

enum err identity_load(const char *path, struct identity *out, char why[KEEP_WHY_SIZE]) {
	char file[IDENTITY_FILE_MAX];
	size_t len = 0;
	enum err e = keep_read(path, file, sizeof file, &len, why);
	if (e != ERR_NONE) return e;
	e = parse_file(path, span_of(file, len), out, why);
	if (e != ERR_NONE) identity_wipe(out);
	sodium_memzero(file, sizeof file);
	return e;
}
