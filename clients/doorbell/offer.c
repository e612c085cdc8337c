/* See offer.h. */
#include "clients/doorbell/offer.h"

#include "lib/hex.h"

static const char first[] = "# first admin ";

struct span offer_text(const struct offer *offer, bool pending, char text[OFFER_TEXT_MAX]) {
	char hash[2 * sizeof offer->token_sha256 + 1];
	size_t n = 0;
	if (pending) {
		hex_encode(span_of(offer->token_sha256, sizeof offer->token_sha256), hash);
		n += (size_t)snprintf(text, OFFER_TEXT_MAX, "%s%s %s\n", first, offer->username, hash);
	}
	for (size_t i = 0; i < offer->count; i++) /* 8 * 63 + 14 + 64 + 64 + 2 fit */
		n += (size_t)snprintf(text + n, OFFER_TEXT_MAX - n, "%s\n", offer->recipients[i]);
	return span_of(text, n);
}

/* The next line without its line feed. False: no whole line is left. */
static bool line_of(struct span *rest, struct span *line) {
	const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	if (!end) return false;
	*line = span_of(rest->ptr, (size_t)(end - rest->ptr));
	*rest = span_drop(*rest, line->len + 1);
	return true;
}

static enum err parse_first(struct span line, struct offer *o) {
	if (!span_starts(line, SPAN_LIT("# first admin "))) return ERR_INPUT;
	line = span_drop(line, sizeof first - 1);
	const uint8_t *space = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
	if (!space) return ERR_INPUT;
	struct span name = span_of(line.ptr, (size_t)(space - line.ptr));
	if (!topic_username_is_valid(name) || !span_copy(name, o->username, sizeof o->username))
		return ERR_INPUT;
	return hex_decode(span_drop(line, name.len + 1), o->token_sha256, sizeof o->token_sha256);
}

static enum err add(struct span text, struct offer *o) {
	uint8_t point[RECIPIENT_BYTES];
	if (o->count == OFFER_RECIPIENTS_MAX) return ERR_INPUT;
	for (size_t i = 0; i < o->count; i++)
		if (span_eq(text, span_str(o->recipients[i]))) return ERR_INPUT;
	if (recipient_parse(text, point) != ERR_NONE) return ERR_INPUT;
	return span_copy(text, o->recipients[o->count++], RECIPIENT_TEXT_SIZE) ? ERR_NONE : ERR_INPUT;
}

enum err offer_parse(struct span text, bool pending, struct offer *out) {
	struct offer o = {.count = 0};
	struct span line;
	if (pending && (!line_of(&text, &line) || parse_first(line, &o) != ERR_NONE)) return ERR_INPUT;
	while (line_of(&text, &line))
		if (add(line, &o) != ERR_NONE) return ERR_INPUT;
	if (text.len != 0 || o.count == 0) return ERR_INPUT;
	*out = o;
	return ERR_NONE;
}

enum err offer_take(const Vestibule__V1__EnrolHome *msg, struct offer *out) {
	struct offer o = {.count = 0};
	for (size_t i = 0; i < msg->n_recipients; i++)
		if (add(span_str(msg->recipients[i]->recipient), &o) != ERR_NONE) return ERR_INPUT;
	if (msg->username && msg->username[0]) { /* the codec demands both or neither */
		if (msg->token_sha256.len != sizeof o.token_sha256 ||
			!span_copy(span_str(msg->username), o.username, sizeof o.username))
			return ERR_INPUT;
		memcpy(o.token_sha256, msg->token_sha256.data, sizeof o.token_sha256);
	}
	if (o.count == 0) return ERR_INPUT;
	*out = o;
	return ERR_NONE;
}
