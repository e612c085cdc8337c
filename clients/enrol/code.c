/* See code.h. */
#include "clients/enrol/code.h"

#include <sys/random.h>

enum { DATA = 26, GROUP = 4 };

static const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* --- GF(32), x^5 + x^2 + 1 -------------------------------------------------------------------- */

static uint8_t times(uint8_t a, uint8_t b) {
	unsigned product = 0;
	for (int i = 0; i < 5; i++)
		if (b >> i & 1) product ^= (unsigned)a << i;
	for (int i = 8; i >= 5; i--)
		if (product >> i & 1) product ^= 0x25u << (i - 5);
	return (uint8_t)product;
}

static uint8_t power(unsigned n) { /* of x */
	uint8_t v = 1;
	while (n-- > 0) v = times(v, 2);
	return v;
}

static uint8_t inverse(uint8_t a) { /* a^30: the group has 31 elements */
	uint8_t v = 1;
	for (int i = 0; i < 30; i++) v = times(v, a);
	return v;
}

/* Both are zero for a whole code: sum of c[i], sum of x^i c[i]. */
static void syndromes(const uint8_t *c, size_t n, uint8_t out[2]) {
	out[0] = out[1] = 0;
	for (size_t i = 0; i < n; i++) {
		out[0] ^= c[i];
		out[1] ^= times(power((unsigned)i), c[i]);
	}
}

static void add_check(uint8_t c[CODE_SYMBOLS]) {
	uint8_t s[2];
	syndromes(c, DATA, s);
	uint8_t p = power(DATA), q = power(DATA + 1);
	c[DATA + 1] = times(s[1] ^ times(p, s[0]), inverse(p ^ q));
	c[DATA] = s[0] ^ c[DATA + 1];
}

/* --- text ------------------------------------------------------------------------------------- */

enum err code_draw(struct code *c) {
	return getrandom(c->secret, sizeof c->secret, 0) == (ssize_t)sizeof c->secret ? ERR_NONE
																				  : ERR_STORE;
}

void code_text(const struct code *c, char out[CODE_TEXT_SIZE]) {
	uint8_t values[CODE_SYMBOLS];
	for (size_t i = 0; i < DATA; i++) {
		size_t bit = i * 5, byte = bit / 8;
		unsigned two =
			(unsigned)c->secret[byte] << 8 | (byte + 1 < CODE_BYTES ? c->secret[byte + 1] : 0u);
		values[i] = (uint8_t)(two >> (11 - bit % 8) & 31);
	}
	add_check(values);
	for (size_t i = 0; i < CODE_SYMBOLS; i++) {
		if (i > 0 && i % GROUP == 0) *out++ = '-';
		*out++ = symbols[values[i]];
	}
	*out = '\0';
	explicit_bzero(values, sizeof values);
}

static int value_of(uint8_t c) {
	if (c >= 'a' && c <= 'z') c = (uint8_t)(c - 'a' + 'A');
	if (c == 'O') c = '0';
	if (c == 'I' || c == 'L') c = '1';
	const char *at = c ? strchr(symbols, c) : NULL;
	return at ? (int)(at - symbols) : -1;
}

static enum err fail(char why[CODE_WHY_SIZE], const char *what) {
	(void)snprintf(why, CODE_WHY_SIZE, "%s", what);
	return ERR_INPUT;
}

static enum err parse_symbols(struct span text, uint8_t values[CODE_SYMBOLS],
							  char why[CODE_WHY_SIZE]) {
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '-' || text.ptr[i] == ' ') continue;
		int v = value_of(text.ptr[i]);
		if (v < 0) return fail(why, "a code has digits and letters only, no U");
		if (n == CODE_SYMBOLS) return fail(why, "too long: a code has 28 symbols");
		values[n++] = (uint8_t)v;
	}
	return n == CODE_SYMBOLS ? ERR_NONE : fail(why, "too short: a code has 28 symbols");
}

static enum err parse_code(struct span text, struct code *c, char why[CODE_WHY_SIZE]) {
	uint8_t values[CODE_SYMBOLS] = {0}, s[2];
	enum err e = parse_symbols(text, values, why);
	if (e == ERR_NONE) {
		syndromes(values, CODE_SYMBOLS, s);
		if (s[0] != 0 || s[1] != 0 || (values[DATA - 1] & 3) != 0)
			e = fail(why, "there is a typing error in it");
	}
	for (size_t i = 0; e == ERR_NONE && i < CODE_BYTES; i++) {
		size_t bit = i * 8, at = bit / 5;
		unsigned three = (unsigned)values[at] << 10 | (unsigned)values[at + 1] << 5 |
						 (at + 2 < DATA ? values[at + 2] : 0u);
		c->secret[i] = (uint8_t)(three >> (7 - bit % 5));
	}
	explicit_bzero(values, sizeof values);
	return e;
}

/* --- places and URIs -------------------------------------------------------------------------- */

static bool is_host(struct span s) {
	static const char more[] = ".:_-%";
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!plain && (c == 0 || !strchr(more, c))) return false;
	}
	return s.len > 0;
}

enum err code_place_parse(struct span text, unsigned port_min, struct code_place *out) {
	struct code_place p = {.port = 0};
	unsigned port = 0;
	const uint8_t *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
	if (!colon) return ERR_INPUT;
	struct span host = span_of(text.ptr, (size_t)(colon - text.ptr));
	struct span digits = span_drop(text, host.len + 1);
	if (digits.len == 0 || digits.len > 5) return ERR_INPUT;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9') return ERR_INPUT;
		port = port * 10 + (unsigned)(digits.ptr[i] - '0');
	}
	if (port < port_min || port > 65535) return ERR_INPUT;
	if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = span_of(host.ptr + 1, host.len - 2);
	else if (host.len && memchr(host.ptr, ':', host.len))
		return ERR_INPUT; /* an IPv6 address needs its brackets */
	if (!is_host(host) || !span_copy(host, p.host, sizeof p.host)) return ERR_INPUT;
	p.port = (uint16_t)port;
	*out = p;
	return ERR_NONE;
}

void code_place_text(const struct code_place *p, struct buf *out) {
	bool brackets = strchr(p->host, ':') != NULL;
	buf_printf(out, "%s%s%s:%u", brackets ? "[" : "", p->host, brackets ? "]" : "",
			   (unsigned)p->port);
}

void code_uri(const struct code *c, const struct code_place *at, struct buf *out) {
	char text[CODE_TEXT_SIZE];
	code_text(c, text);
	buf_str(out, "vestibule:claim?code=");
	buf_str(out, text);
	buf_str(out, "&at=");
	code_place_text(at, out);
	explicit_bzero(text, sizeof text);
}

enum err code_parse(struct span text, struct code *c, struct code_place *place,
					char why[CODE_WHY_SIZE]) {
	struct span rest = text;
	bool has_code = false;
	*place = (struct code_place){.port = 0};
	if (!span_starts(text, SPAN_LIT("vestibule:claim?"))) return parse_code(text, c, why);
	rest = span_drop(rest, sizeof "vestibule:claim?" - 1);
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.ptr, '&', rest.len);
		struct span pair = span_of(rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len);
		rest = span_drop(rest, pair.len + 1);
		if (span_starts(pair, SPAN_LIT("code=")) && !has_code) {
			enum err e = parse_code(span_drop(pair, 5), c, why);
			if (e != ERR_NONE) return e;
			has_code = true;
		} else if (span_starts(pair, SPAN_LIT("at=")) && !place->port) {
			if (code_place_parse(span_drop(pair, 3), 1, place) != ERR_NONE)
				return fail(why, "its at is not HOST:PORT");
		} else {
			return fail(why, "a claim URI has one code and one at");
		}
	}
	return has_code ? ERR_NONE : fail(why, "the URI holds no code");
}
