/* See signer.h. */
#include "clients/seal/signer.h"

#include <sodium.h>

#include "lib/hex.h"

enum { FILE_MAX = 512, HEX = 2 * SIGNER_SEED_BYTES };

static enum err derive(struct signer *s) {
	uint8_t whole[crypto_sign_SECRETKEYBYTES];
	int rc = crypto_sign_seed_keypair(s->public_key, whole, s->seed);
	sodium_memzero(whole, sizeof whole);
	return rc == 0 ? ERR_NONE : ERR_STORE;
}

enum err signer_draw(struct signer *s) {
	if (sodium_init() < 0) return ERR_STORE;
	randombytes_buf(s->seed, sizeof s->seed);
	return derive(s);
}

void signer_wipe(struct signer *s) {
	sodium_memzero(s, sizeof *s);
}

enum err signer_keep(const char *path, const struct signer *s, char why[KEEP_WHY_SIZE]) {
	char seed[HEX + 1], public_key[SIGNER_PUBLIC_TEXT_SIZE], file[FILE_MAX];
	hex_encode(span_of(s->seed, sizeof s->seed), seed);
	hex_encode(span_of(s->public_key, sizeof s->public_key), public_key);
	int n = snprintf(file, sizeof file, "# vestibule device key, public: %s\n%s\n", public_key,
					 seed); /* always fits */
	enum err e = keep_write(path, span_of(file, (size_t)n), KEEP_NEW, why);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(file, sizeof file);
	return e;
}

enum err signer_load(const char *path, struct signer *out, char why[KEEP_WHY_SIZE]) {
	char file[FILE_MAX];
	size_t len = 0;
	enum err e = keep_read(path, file, sizeof file, &len, why);
	if (e != ERR_NONE) return e;
	const char *end = memchr(file, '\n', len);
	struct span seed =
		end ? span_drop(span_of(file, len), (size_t)(end + 1 - file)) : (struct span){0};
	if (seed.len == HEX + 1 && seed.ptr[HEX] == '\n' && file[0] == '#')
		e = hex_decode(span_of(seed.ptr, HEX), out->seed, sizeof out->seed);
	else
		e = ERR_INPUT;
	if (e == ERR_NONE) e = derive(out);
	if (e != ERR_NONE) {
		signer_wipe(out);
		(void)snprintf(why, KEEP_WHY_SIZE, "%.200s: is not a device key file", path);
	}
	sodium_memzero(file, sizeof file);
	return e;
}
