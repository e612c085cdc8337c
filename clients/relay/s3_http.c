/* One easy handle a request: headers signed, answer's headers and body taken in. */
#include "clients/relay/s3_http.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

#include "clients/relay/s3_text.h"

enum { LINK_SECONDS_MAX = 60, HEADER_MAX = SIGN_VALUE_MAX + 64 };

struct s3_http {
	struct s3_http_opts o;
	int64_t offset_s;
};

struct s3_call {
	struct s3_http *owner;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	struct s3_reply reply;
	int fd;
	uint64_t length, sent;
	bool done, in_multi, tried_again;
};

struct s3_http *s3_http_new(const struct s3_http_opts *o) {
	struct s3_http *h = calloc(1, sizeof(*h));
	if (h) h->o = *o;
	return h;
}

void s3_http_free(struct s3_http *h) {
	free(h);
}

void s3_http_set_offset(struct s3_http *h, int64_t offset_s) {
	h->offset_s = offset_s;
}

int64_t s3_http_offset(const struct s3_http *h) {
	return h->offset_s;
}

static int64_t now_s(const struct s3_http *h) {
	return h->o.now->utc_ms / 1000 + h->offset_s;
}

static struct sign_keys keys_of(struct s3_http *h) {
	char why[S3_KEYS_WHY_SIZE];
	(void)s3_keys_refresh(h->o.keys, false, why); /* if unreadable, the old ones are as good */
	return (struct sign_keys){.access = s3_keys_access(h->o.keys),
							  .secret = s3_keys_secret(h->o.keys),
							  .token = s3_keys_token(h->o.keys),
							  .region = h->o.site->region,
							  .service = "s3"};
}

/* --- what curl asks for and hands over --- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx) {
	struct s3_call *c = ctx;
	buf_put(&c->body, data, size * count);
	return buf_error(&c->body) == ERR_NONE ? size * count : 0; /* 0 ends the transfer */
}

static size_t on_read(char *out, size_t size, size_t count, void *ctx) {
	struct s3_call *c = ctx;
	uint64_t left = c->length - c->sent;
	size_t want = size * count < left ? size * count : (size_t)left;
	ssize_t n;
	if (want == 0) return 0;
	do n = pread(c->fd, out, want, (off_t)c->sent);
	while (n < 0 && errno == EINTR);
	if (n <= 0) return CURL_READFUNC_ABORT; /* it was whole a moment ago: the disk fails */
	c->sent += (uint64_t)n;
	return (size_t)n;
}

/* curl rewinds when a kept connection was closed under a body. */
static int on_seek(void *ctx, curl_off_t offset, int origin) {
	struct s3_call *c = ctx;
	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > c->length) return CURL_SEEKFUNC_FAIL;
	c->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void take_length(struct span value, uint64_t *out) {
	uint64_t n = 0;
	if (value.len == 0 || value.len > 18) return;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9') return;
		n = n * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	*out = n;
}

static bool is_named(struct span name, const char *want) {
	return name.len == strlen(want) && strncasecmp((const char *)name.ptr, want, name.len) == 0;
}

static void take_header(struct s3_call *c, struct span name, struct span value) {
	struct s3_reply *r = &c->reply;
	char date[64];
	if (is_named(name, "content-length"))
		take_length(value, &r->length);
	else if (is_named(name, "x-amz-meta-sha256"))
		(void)span_copy(value, r->sha256, sizeof(r->sha256)); /* another length is not ours */
	else if (is_named(name, "x-amz-version-id"))
		r->is_version = !span_eq(value, SPAN_LIT("null"));
	else if (is_named(name, "x-amz-delete-marker"))
		r->is_version = r->is_version || span_eq(value, SPAN_LIT("true"));
	else if (is_named(name, "x-amz-server-side-encryption"))
		r->is_encrypted = c->owner->o.sse && span_eq(value, span_str(c->owner->o.sse));
	else if (is_named(name, "x-amz-bucket-region"))
		(void)span_copy(value, r->region, sizeof(r->region)); /* only a hint */
	else if (is_named(name, "date") && span_copy(value, date, sizeof(date)))
		r->date_s = curl_getdate(date, NULL) > 0 ? (int64_t)curl_getdate(date, NULL) : 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx) {
	struct s3_call *c = ctx;
	struct span line = span_of(data, size * count);
	if (span_starts(line, SPAN_LIT("HTTP/"))) { /* a new answer: 100 Continue was another */
		int64_t asked_s = c->reply.asked_s;
		c->reply = (struct s3_reply){.asked_s = asked_s};
		return size * count;
	}
	const uint8_t *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
	if (!colon) return size * count;
	size_t name_len = (size_t)(colon - line.ptr);
	struct span value = span_drop(line, name_len + 1);
	while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t')) value = span_drop(value, 1);
	while (value.len && value.ptr[value.len - 1] <= ' ') value.len--;
	take_header(c, (struct span){line.ptr, name_len}, value);
	return size * count;
}

/* --- starting --- */

static bool add_header(struct s3_call *c, const char *name, const char *value) {
	char line[HEADER_MAX];
	int n = snprintf(line, sizeof(line), "%s: %s", name, value);
	if (n < 0 || (size_t)n >= sizeof(line)) return false;
	struct curl_slist *longer = curl_slist_append(c->headers, line);
	explicit_bzero(line, sizeof(line));
	if (!longer) return false;
	c->headers = longer;
	return true;
}

/* The headers that are signed, and the signature. */
static bool sign(struct s3_call *c, const struct s3_ask *ask, const char *path) {
	struct s3_http *h = c->owner;
	struct sign_pair list[SIGN_HEADERS_MAX];
	struct sign_keys keys = keys_of(h);
	char date[SIGN_DATE_SIZE];
	struct buf authorization;
	size_t n = 0;
	bool is_put = strcmp(ask->method, "PUT") == 0;
	const char *payload = is_put ? ask->sha256 : SIGN_EMPTY;
	c->reply.asked_s = now_s(h);
	sign_date(c->reply.asked_s, date);
	list[n++] = (struct sign_pair){"host", h->o.site->host};
	list[n++] = (struct sign_pair){"x-amz-content-sha256", payload};
	list[n++] = (struct sign_pair){"x-amz-date", date};
	if (keys.token) list[n++] = (struct sign_pair){"x-amz-security-token", keys.token};
	if (is_put) {
		list[n++] = (struct sign_pair){"content-type", "application/octet-stream"};
		list[n++] = (struct sign_pair){"x-amz-meta-sha256", ask->sha256};
		if (h->o.sse) list[n++] = (struct sign_pair){"x-amz-server-side-encryption", h->o.sse};
	}
	struct sign_request q = {.method = ask->method,
							 .path = path,
							 .params = ask->params,
							 .param_count = ask->param_count,
							 .headers = list,
							 .header_count = n,
							 .payload = payload,
							 .date = date};
	buf_init(&authorization, SIGN_VALUE_MAX);
	bool good = sign_header(&q, &keys, &authorization) == ERR_NONE;
	for (size_t i = 0; i < n && good; i++) good = add_header(c, list[i].name, list[i].value);
	good = good && add_header(c, "Authorization", buf_cstr(&authorization));
	/* the body is saved when the answer is a refusal */
	if (is_put) good = good && add_header(c, "Expect", "100-continue");
	buf_fini(&authorization);
	return good;
}

static bool set_url(struct s3_call *c, const struct s3_ask *ask, const char *path) {
	struct sign_request q = {.path = path, .params = ask->params, .param_count = ask->param_count};
	struct buf url;
	buf_init(&url, S3_SITE_HOST_SIZE + 16 + SIGN_TARGET_MAX);
	s3_site_base(c->owner->o.site, &url);
	bool good = sign_target(&q, &url) == ERR_NONE &&
				curl_easy_setopt(c->easy, CURLOPT_URL, buf_cstr(&url)) == CURLE_OK;
	buf_fini(&url);
	return good;
}

#define SET(option, value) (curl_easy_setopt(c->easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_strict(struct s3_call *c) {
	const struct s3_http_opts *o = &c->owner->o;
	return SET(PROTOCOLS_STR, o->site->is_https ? "https" : "http") && SET(FOLLOWLOCATION, 0L) &&
		   SET(PROXY, "") && SET(NOSIGNAL, 1L) && SET(HTTP09_ALLOWED, 0L) &&
		   SET(DISALLOW_USERNAME_IN_URL, 1L) && SET(PATH_AS_IS, 1L) &&
		   SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
		   SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
		   SET(CONNECTTIMEOUT_MS, (long)S3_HTTP_CONNECT_MS) &&
		   SET(USERAGENT, "vestibule-relay/" VESTIBULE_VERSION) &&
		   (!o->cafile || SET(CAINFO, o->cafile));
}

static bool set_callbacks(struct s3_call *c) {
	return SET(WRITEFUNCTION, on_body) && SET(WRITEDATA, c) && SET(HEADERFUNCTION, on_header) &&
		   SET(HEADERDATA, c) && SET(PRIVATE, c) && SET(HTTPHEADER, c->headers);
}

static bool set_method(struct s3_call *c, const struct s3_ask *ask) {
	int64_t limit_ms = S3_HTTP_ANSWER_MS;
	bool good = true;
	if (strcmp(ask->method, "HEAD") == 0) good = SET(NOBODY, 1L);
	if (strcmp(ask->method, "DELETE") == 0) good = SET(CUSTOMREQUEST, "DELETE");
	if (strcmp(ask->method, "PUT") == 0) {
		limit_ms += (int64_t)(ask->length / S3_HTTP_SLOW_BYTES) * 1000;
		good = SET(UPLOAD, 1L) && SET(INFILESIZE_LARGE, (curl_off_t)ask->length) &&
			   SET(READFUNCTION, on_read) && SET(READDATA, c) && SET(SEEKFUNCTION, on_seek) &&
			   SET(SEEKDATA, c) && SET(EXPECT_100_TIMEOUT_MS, (long)S3_HTTP_EXPECT_MS) &&
			   SET(LOW_SPEED_LIMIT, 1L) && SET(LOW_SPEED_TIME, (long)S3_HTTP_SILENCE_S);
	}
	return good && SET(TIMEOUT_MS, (long)limit_ms);
}

struct s3_call *s3_http_start(struct s3_http *h, const struct s3_ask *ask) {
	struct s3_call *c = calloc(1, sizeof(*c));
	struct buf path;
	if (!c) return NULL;
	*c = (struct s3_call){.owner = h, .fd = ask->fd, .length = ask->length};
	buf_init(&c->body, S3_HTTP_BODY_MAX);
	buf_init(&path, SIGN_TARGET_MAX);
	s3_site_path(h->o.site, ask->name, &path);
	c->easy = curl_easy_init();
	bool good = c->easy && buf_error(&path) == ERR_NONE && sign(c, ask, buf_cstr(&path)) &&
				set_url(c, ask, buf_cstr(&path)) && set_strict(c) && set_callbacks(c) &&
				set_method(c, ask);
	buf_fini(&path);
	c->in_multi = good && curl_multi_add_handle(h->o.multi, c->easy) == CURLM_OK;
	if (c->in_multi) return c;
	s3_http_end(c);
	return NULL;
}

/* --- ending --- */

/* Signs of a connection that was kept too long: closed, or with bytes of an earlier answer in it.
 */
static bool is_stale(CURLcode code) {
	return code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL ||
		   code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

/* Not when a body was on its way: that request may have taken effect, and a look comes first. */
static bool try_again(struct s3_call *c) {
	if (c->tried_again || c->sent) return false;
	c->tried_again = true;
	c->reply = (struct s3_reply){.asked_s = c->reply.asked_s};
	buf_reset(&c->body);
	c->in_multi = false;
	(void)curl_multi_remove_handle(c->owner->o.multi, c->easy); /* it is there */
	if (!SET(FRESH_CONNECT, 1L)) return false;
	c->in_multi = curl_multi_add_handle(c->owner->o.multi, c->easy) == CURLM_OK;
	return c->in_multi;
}

static void ended(struct s3_call *c, CURLcode code) {
	if (is_stale(code) && try_again(c)) return;
	struct s3_reply *r = &c->reply;
	c->done = true;
	r->curl = code;
	/* a body that came before all was sent is a refusal, and the answer counts */
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &r->status); /* 0 stays */
	if (code == CURLE_SEND_ERROR && r->status >= 300) r->curl = CURLE_OK;
	r->body = buf_view(&c->body);
	if (r->status < 300) return;
	(void)s3_text_get(r->body, "Code", r->code, sizeof(r->code));          /* none is fine */
	(void)s3_text_get(r->body, "Message", r->message, sizeof(r->message)); /* none is fine */
	if (!r->region[0]) (void)s3_text_get(r->body, "Region", r->region, sizeof(r->region));
}

void s3_http_turn(struct s3_http *h) {
	CURLMsg *msg;
	int left = 0;
	while ((msg = curl_multi_info_read(h->o.multi, &left))) {
		char *ctx = NULL;
		CURLcode code = msg->data.result;
		if (msg->msg != CURLMSG_DONE) continue;
		if (curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &ctx) == CURLE_OK && ctx)
			ended((struct s3_call *)(void *)ctx, code);
	}
}

bool s3_http_reply(const struct s3_call *c, struct s3_reply *out) {
	if (c->done) *out = c->reply;
	return c->done;
}

void s3_http_end(struct s3_call *c) {
	if (!c) return;
	if (c->in_multi) (void)curl_multi_remove_handle(c->owner->o.multi, c->easy); /* it is there */
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	buf_fini(&c->body);
	free(c);
}

/* --- links --- */

enum err s3_http_link(struct s3_http *h, const char *name, int64_t expires_s, struct buf *url) {
	const struct sign_pair host[] = {{"host", h->o.site->host}};
	const struct sign_pair as_file[] = {{"response-content-disposition", "attachment"}};
	struct sign_keys keys = keys_of(h);
	int64_t start_s = now_s(h);
	int64_t life_s = expires_s + h->offset_s - start_s;
	char date[SIGN_DATE_SIZE];
	struct buf path;
	if (life_s < 1 || life_s > LINK_SECONDS_MAX) return ERR_INPUT;
	sign_date(start_s, date);
	buf_init(&path, SIGN_TARGET_MAX);
	s3_site_path(h->o.site, name, &path);
	struct sign_request q = {.method = "GET",
							 .path = buf_cstr(&path),
							 .params = as_file,
							 .param_count = 1,
							 .headers = host,
							 .header_count = 1,
							 .payload = SIGN_UNSIGNED,
							 .date = date};
	s3_site_base(h->o.site, url);
	enum err e = buf_error(&path);
	if (e == ERR_NONE) e = sign_query(&q, &keys, life_s, url);
	buf_fini(&path);
	return e == ERR_NONE ? buf_error(url) : e;
}
