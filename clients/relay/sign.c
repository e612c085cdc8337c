/* Signature Version 4: canonical request, string to sign, derived key, in that order. */
#include "clients/relay/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/hex.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
enum { SHA256_BYTES = 32, DAY_LEN = 8, CANONICAL_MAX = 32768 };

/* A pair as the canonical forms have it. */
struct encoded {
	struct buf name, value;
};

void sign_date(int64_t utc_s, char out[SIGN_DATE_SIZE]) {
	const int64_t last_s = INT64_C(253402300799); /* the end of the year 9999 */
	time_t t = (time_t)(utc_s < 0 ? 0 : utc_s > last_s ? last_s : utc_s);
	struct tm tm = {.tm_mday = 1, .tm_year = 70};
	(void)gmtime_r(&t, &tm); /* cannot fail between 1970 and 9999 */
	if (strftime(out, SIGN_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0) out[0] = '\0';
}

/* --- encoding --- */

static bool is_unreserved(char c) {
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		   c == '.' || c == '_' || c == '~';
}

static void encode(const char *text, bool keep_slash, struct buf *out) {
	static const char digits[] = "0123456789ABCDEF";
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (is_unreserved(*text) || (keep_slash && c == '/')) {
			buf_char(out, *text);
			continue;
		}
		buf_char(out, '%');
		buf_char(out, digits[c >> 4]);
		buf_char(out, digits[c & 15]);
	}
}

/* A header's value: no blanks around it, one for every run of them inside. */
static void trim(const char *text, struct buf *out) {
	bool blank = false;
	for (; *text; text++) {
		if (*text == ' ' || *text == '\t') {
			blank = true;
			continue;
		}
		if (blank && out->len) buf_char(out, ' ');
		blank = false;
		buf_char(out, *text);
	}
}

static int compare(const void *a, const void *b) {
	const struct encoded *x = a, *y = b;
	int order = strcmp(buf_cstr(&x->name), buf_cstr(&y->name));
	return order ? order : strcmp(buf_cstr(&x->value), buf_cstr(&y->value));
}

static enum err encoded_error(const struct encoded *list, size_t count) {
	enum err e = ERR_NONE;
	for (size_t i = 0; i < count && e == ERR_NONE; i++) {
		e = buf_error(&list[i].name);
		if (e == ERR_NONE) e = buf_error(&list[i].value);
	}
	return e;
}

static void encoded_fini(struct encoded *list, size_t count) {
	for (size_t i = 0; i < count; i++) {
		buf_fini(&list[i].name);
		buf_fini(&list[i].value);
	}
}

/* The one canonical query: sorted by encoded name, then encoded value. */
static enum err put_query(const struct sign_request *q, struct buf *out) {
	struct encoded list[SIGN_PARAMS_MAX];
	if (q->param_count > SIGN_PARAMS_MAX) return ERR_LIMIT;
	for (size_t i = 0; i < q->param_count; i++) {
		buf_init(&list[i].name, SIGN_TARGET_MAX);
		buf_init(&list[i].value, SIGN_TARGET_MAX);
		encode(q->params[i].name, false, &list[i].name);
		encode(q->params[i].value, false, &list[i].value);
	}
	qsort(list, q->param_count, sizeof(list[0]), compare);
	for (size_t i = 0; i < q->param_count; i++) {
		if (i) buf_char(out, '&');
		buf_span(out, buf_view(&list[i].name));
		buf_char(out, '=');
		buf_span(out, buf_view(&list[i].value));
	}
	enum err e = encoded_error(list, q->param_count);
	encoded_fini(list, q->param_count);
	return e == ERR_NONE ? buf_error(out) : e;
}

enum err sign_target(const struct sign_request *q, struct buf *out) {
	encode(q->path, true, out);
	if (q->param_count) buf_char(out, '?');
	return put_query(q, out);
}

/* "name:value" lines into lines, "name;name" into names. Two headers of one name are the caller's
 * mistake: nothing of ours sends them. */
static enum err put_headers(const struct sign_request *q, struct buf *lines, struct buf *names) {
	struct encoded list[SIGN_HEADERS_MAX];
	if (q->header_count > SIGN_HEADERS_MAX) return ERR_LIMIT;
	for (size_t i = 0; i < q->header_count; i++) {
		buf_init(&list[i].name, SIGN_VALUE_MAX);
		buf_init(&list[i].value, SIGN_VALUE_MAX);
		buf_str(&list[i].name, q->headers[i].name);
		trim(q->headers[i].value, &list[i].value);
	}
	qsort(list, q->header_count, sizeof(list[0]), compare);
	for (size_t i = 0; i < q->header_count; i++) {
		buf_printf(lines, "%s:%s\n", buf_cstr(&list[i].name), buf_cstr(&list[i].value));
		if (i) buf_char(names, ';');
		buf_span(names, buf_view(&list[i].name));
	}
	enum err e = encoded_error(list, q->header_count);
	encoded_fini(list, q->header_count);
	return e;
}

/* --- the signature --- */

static bool sha256_hex(struct span in, char out[SIGN_SHA256_SIZE]) {
	uint8_t sum[SHA256_BYTES];
	if (EVP_Digest(in.ptr, in.len, sum, NULL, EVP_sha256(), NULL) != 1) return false;
	hex_encode(span_of(sum, sizeof(sum)), out);
	return true;
}

static bool hmac(struct span key, struct span text, uint8_t out[SHA256_BYTES]) {
	unsigned len = 0;
	return HMAC(EVP_sha256(), key.ptr, (int)key.len, text.ptr, text.len, out, &len) &&
		   len == SHA256_BYTES;
}

/* "20130524/us-east-1/s3/aws4_request" */
static void put_scope(const struct sign_request *q, const struct sign_keys *k, struct buf *out) {
	buf_put(out, q->date, DAY_LEN);
	buf_printf(out, "/%s/%s/aws4_request", k->region, k->service);
}

static bool derive_key(const struct sign_request *q, const struct sign_keys *k,
					   uint8_t key[SHA256_BYTES]) {
	struct buf first;
	buf_init(&first, SIGN_VALUE_MAX);
	buf_str(&first, "AWS4");
	buf_str(&first, k->secret);
	bool good = buf_error(&first) == ERR_NONE &&
				hmac(buf_view(&first), span_of(q->date, DAY_LEN), key) &&
				hmac(span_of(key, SHA256_BYTES), span_str(k->region), key) &&
				hmac(span_of(key, SHA256_BYTES), span_str(k->service), key) &&
				hmac(span_of(key, SHA256_BYTES), SPAN_LIT("aws4_request"), key);
	if (first.ptr) explicit_bzero(first.ptr, first.len);
	buf_fini(&first);
	return good;
}

/* Hex of the signature of a canonical request that is complete. */
static enum err finish(const struct sign_request *q, const struct sign_keys *k,
					   struct span canonical, char out[SIGN_SHA256_SIZE]) {
	uint8_t key[SHA256_BYTES] = {0}, sum[SHA256_BYTES];
	char hash[SIGN_SHA256_SIZE];
	struct buf text;
	if (!sha256_hex(canonical, hash)) return ERR_NOMEM;
	buf_init(&text, SIGN_VALUE_MAX);
	buf_printf(&text, ALGORITHM "\n%s\n", q->date);
	put_scope(q, k, &text);
	buf_char(&text, '\n');
	buf_str(&text, hash);
	enum err e = buf_error(&text);
	if (e == ERR_NONE &&
		(!derive_key(q, k, key) || !hmac(span_of(key, sizeof(key)), buf_view(&text), sum)))
		e = ERR_NOMEM;
	if (e == ERR_NONE) hex_encode(span_of(sum, sizeof(sum)), out);
	explicit_bzero(key, sizeof(key));
	buf_fini(&text);
	return e;
}

/* names: out, the signed headers' names. */
static enum err signature(const struct sign_request *q, const struct sign_keys *k,
						  struct buf *names, char out[SIGN_SHA256_SIZE]) {
	struct buf canonical;
	buf_init(&canonical, CANONICAL_MAX);
	buf_printf(&canonical, "%s\n", q->method);
	encode(q->path, true, &canonical);
	buf_char(&canonical, '\n');
	enum err e = put_query(q, &canonical);
	buf_char(&canonical, '\n');
	if (e == ERR_NONE) e = put_headers(q, &canonical, names);
	buf_char(&canonical, '\n');
	buf_span(&canonical, buf_view(names));
	buf_printf(&canonical, "\n%s", q->payload);
	if (e == ERR_NONE) e = buf_error(&canonical);
	if (e == ERR_NONE) e = buf_error(names);
	if (e == ERR_NONE) e = finish(q, k, buf_view(&canonical), out);
	buf_fini(&canonical);
	return e;
}

enum err sign_header(const struct sign_request *q, const struct sign_keys *keys, struct buf *out) {
	char hex[SIGN_SHA256_SIZE];
	struct buf names;
	buf_init(&names, SIGN_VALUE_MAX);
	enum err e = signature(q, keys, &names, hex);
	if (e == ERR_NONE) {
		buf_printf(out, ALGORITHM " Credential=%s/", keys->access);
		put_scope(q, keys, out);
		buf_printf(out, ", SignedHeaders=%s, Signature=%s", buf_cstr(&names), hex);
		e = buf_error(out);
	}
	buf_fini(&names);
	return e;
}

enum err sign_query(const struct sign_request *q, const struct sign_keys *keys, int64_t expires_s,
					struct buf *out) {
	struct sign_pair params[SIGN_PARAMS_MAX];
	struct sign_request full = *q;
	struct buf credential, names;
	char expires[24], hex[SIGN_SHA256_SIZE];
	size_t n = q->param_count;
	if (n + 6 > SIGN_PARAMS_MAX) return ERR_LIMIT;
	for (size_t i = 0; i < n; i++) params[i] = q->params[i];
	buf_init(&credential, SIGN_VALUE_MAX);
	buf_init(&names, SIGN_VALUE_MAX);
	buf_printf(&credential, "%s/", keys->access);
	put_scope(q, keys, &credential);
	(void)snprintf(expires, sizeof(expires), "%lld", (long long)expires_s); /* fits */
	params[n++] = (struct sign_pair){"X-Amz-Algorithm", ALGORITHM};
	params[n++] = (struct sign_pair){"X-Amz-Credential", buf_cstr(&credential)};
	params[n++] = (struct sign_pair){"X-Amz-Date", q->date};
	params[n++] = (struct sign_pair){"X-Amz-Expires", expires};
	if (keys->token) params[n++] = (struct sign_pair){"X-Amz-Security-Token", keys->token};
	params[n++] = (struct sign_pair){"X-Amz-SignedHeaders", "host"};
	full.params = params;
	full.param_count = n;
	enum err e = buf_error(&credential);
	if (e == ERR_NONE) e = signature(&full, keys, &names, hex);
	if (e == ERR_NONE) e = sign_target(&full, out);
	if (e == ERR_NONE) {
		buf_printf(out, "&X-Amz-Signature=%s", hex);
		e = buf_error(out);
	}
	buf_fini(&credential);
	buf_fini(&names);
	return e;
}
