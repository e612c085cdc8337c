/* What a person types, scans or pastes at a claim, under arbitrary bytes: claim codes and their
 * URIs, places, recipients, identities. Input: the text. Properties: what is read is written and
 * read back as the same; a code with one other symbol is a typing error; a key has one text only;
 * what is refused leaves a reason, or wiped bytes. */
#include "clients/enrol/code.h"
#include "clients/seal/bech32.h"
#include "clients/seal/identity.h"
#include "clients/seal/recipient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static void check_place(struct span text) {
	struct code_place p, again;
	struct buf b;
	if (code_place_parse(text, 0, &p) != ERR_NONE) return;
	must(p.host[0] != '\0' && memchr(p.host, '\0', sizeof p.host) != NULL);
	must(code_place_parse(text, 1, &again) == (p.port ? ERR_NONE : ERR_INPUT));
	buf_init(&b, CODE_URI_MAX);
	code_place_text(&p, &b);
	must(buf_error(&b) == ERR_NONE && code_place_parse(buf_view(&b), 0, &again) == ERR_NONE);
	must(strcmp(p.host, again.host) == 0 && p.port == again.port);
	buf_fini(&b);
}

/* One other symbol anywhere is a typing error. */
static void check_neighbour(const struct code *c, size_t at) {
	char text[CODE_TEXT_SIZE], why[CODE_WHY_SIZE];
	struct code other;
	struct code_place place;
	code_text(c, text);
	at %= CODE_TEXT_SIZE - 1;
	if (text[at] == '-') return;
	text[at] = text[at] == '7' ? '8' : '7';
	must(code_parse(span_str(text), &other, &place, why) == ERR_INPUT);
}

static void check_code(struct span text) {
	char why[CODE_WHY_SIZE] = "";
	struct code c, again;
	struct code_place p, place;
	struct buf b;
	if (code_parse(text, &c, &p, why) != ERR_NONE) {
		must(why[0] != '\0');
		return;
	}
	buf_init(&b, CODE_URI_MAX);
	code_uri(&c, &p, &b);
	must(buf_error(&b) == ERR_NONE);
	if (p.port) {
		must(code_parse(buf_view(&b), &again, &place, why) == ERR_NONE);
		must(strcmp(p.host, place.host) == 0 && p.port == place.port);
		must(memcmp(&c, &again, sizeof c) == 0);
	}
	buf_fini(&b);
	check_neighbour(&c, text.len);
}

static void check_keys(struct span text) {
	uint8_t point[RECIPIENT_BYTES];
	char out[IDENTITY_TEXT_SIZE];
	struct identity id;
	if (recipient_parse(text, point) == ERR_NONE) {
		must(recipient_text(point, out) == ERR_NONE && span_eq(text, span_str(out)));
	}
	if (identity_parse(text, &id) == ERR_NONE) {
		must(identity_recipient(&id, out) == ERR_NONE);
		must(recipient_parse(span_str(out), point) == ERR_NONE);
		must(bech32_encode("AGE-SECRET-KEY-", span_of(id.secret, sizeof id.secret), out,
						   sizeof out) == ERR_NONE);
		must(span_eq(text, span_str(out)));
	} else {
		for (size_t i = 0; i < sizeof id.secret; i++) must(id.secret[i] == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct span text = span_of(data, size);
	check_code(text);
	check_place(text);
	check_keys(text);
	return 0;
}
