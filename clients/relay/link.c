/* Download links of our own listener, signed with HMAC-SHA-256. */
#include "clients/relay/link.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/hex.h"

enum { LINK_EXP_MAX = 12 }; /* digits: seconds until the year 33658 */

bool link_object_is_valid(struct span name) {
	if (name.len != 32) return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
	}
	return true;
}

/* The signed text names its purpose, so that the key signs nothing else by accident. */
static bool sign(const uint8_t *key, const char *object, const char *exp, const char *nonce,
				 char out[LINK_SIG_TEXT + 1]) {
	char text[160];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	int n = snprintf(text, sizeof(text), "vestibule-link/v1\n%s\n%s\n%s\n", object, exp, nonce);
	if (n < 0 || (size_t)n >= sizeof(text)) return false;
	if (!HMAC(EVP_sha256(), key, LINK_KEY_BYTES, (const uint8_t *)text, (size_t)n, mac, &mac_len))
		return false;
	if (mac_len != LINK_SIG_TEXT / 2) return false;
	hex_encode(span_of(mac, mac_len), out);
	return true;
}

enum err link_make(const uint8_t key[LINK_KEY_BYTES], const char *object, int64_t expires_ms,
				   const uint8_t nonce[LINK_NONCE_BYTES], struct buf *out) {
	char exp[24];
	char nonce_text[LINK_NONCE_TEXT + 1];
	char sig[LINK_SIG_TEXT + 1];
	int n = snprintf(exp, sizeof(exp), "%lld", (long long)(expires_ms / 1000));
	if (n < 1 || n > LINK_EXP_MAX) return ERR_LIMIT;
	hex_encode(span_of(nonce, LINK_NONCE_BYTES), nonce_text);
	if (!sign(key, object, exp, nonce_text, sig)) return ERR_NOMEM;
	buf_printf(out, "/c/%s?exp=%s&n=%s&sig=%s", object, exp, nonce_text, sig);
	return buf_error(out);
}

/* Canonical decimal: the text is signed as it stands, so there must be one way to write a number.
 */
static bool read_exp(struct span s, int64_t *out_ms) {
	if (s.len == 0 || s.len > LINK_EXP_MAX || (s.ptr[0] == '0' && s.len > 1)) return false;
	int64_t v = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
		v = v * 10 + (s.ptr[i] - '0');
	}
	*out_ms = v * 1000;
	return true;
}

bool link_is_good(const uint8_t key[LINK_KEY_BYTES], const struct link_parts *p, int64_t now_ms) {
	char sig[LINK_SIG_TEXT + 1];
	uint8_t nonce[LINK_NONCE_BYTES];
	int64_t exp_ms = 0;
	if (!p->object || !p->exp || !p->nonce || !p->sig) return false;
	struct span given = span_str(p->sig);
	if (!link_object_is_valid(span_str(p->object)) || given.len != LINK_SIG_TEXT) return false;
	if (!read_exp(span_str(p->exp), &exp_ms)) return false;
	if (hex_decode(span_str(p->nonce), nonce, sizeof(nonce)) != ERR_NONE) return false;
	if (!sign(key, p->object, p->exp, p->nonce, sig)) return false;
	if (CRYPTO_memcmp(sig, given.ptr, LINK_SIG_TEXT) != 0) return false;
	return now_ms < exp_ms && exp_ms - now_ms <= LINK_LIFE_MS;
}
