/* Bucket, prefix, endpoint: strict, because they end up in paths, URLs and policies. */
#include "clients/relay/s3_site.h"

static bool wrong(char why[S3_SITE_WHY_SIZE], const char *text) {
	(void)snprintf(why, S3_SITE_WHY_SIZE, "%s", text); /* fits */
	return false;
}

static bool is_lower_or_digit(uint8_t c) {
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_bucket(struct span s) {
	if (s.len < 3 || s.len >= S3_SITE_BUCKET_SIZE) return false;
	for (size_t i = 0; i < s.len; i++) {
		bool edge = i == 0 || i + 1 == s.len;
		if (!is_lower_or_digit(s.ptr[i]) && (edge || (s.ptr[i] != '-' && s.ptr[i] != '.')))
			return false;
		if (i && s.ptr[i] == '.' && s.ptr[i - 1] == '.') return false;
	}
	return true;
}

/* Segments of letters, digits, . _ - that are neither empty nor dots alone. */
static bool is_prefix(struct span s) {
	bool has_word = false;
	if (s.len == 0 || s.len + 2 > S3_SITE_PREFIX_SIZE) return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (c == '/') {
			if (!has_word) return false;
			has_word = false;
			continue;
		}
		bool word = is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
		if (!word && c != '.') return false;
		has_word = has_word || word;
	}
	return has_word;
}

static bool is_host(struct span s) {
	if (s.len == 0 || s.len > 255) return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool good = is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || strchr(".-:[]_", c);
		if (!good || !c) return false;
	}
	return true;
}

static bool take_storage(struct s3_site *s, struct span storage, char why[S3_SITE_WHY_SIZE]) {
	const uint8_t *slash = storage.len ? memchr(storage.ptr, '/', storage.len) : NULL;
	size_t bucket_len = slash ? (size_t)(slash - storage.ptr) : storage.len;
	struct span bucket = {storage.ptr, bucket_len};
	if (!is_bucket(bucket) || !span_copy(bucket, s->bucket, sizeof(s->bucket)))
		return wrong(why, "storage: s3:BUCKET[/PREFIX] needed, BUCKET of 3 to 63 a-z 0-9 . -");
	s->prefix[0] = '\0';
	if (!slash) return true;
	struct span prefix = span_drop(storage, bucket_len + 1);
	if (prefix.len && prefix.ptr[prefix.len - 1] == '/') prefix.len--;
	if (!is_prefix(prefix) || !span_copy(prefix, s->prefix, sizeof(s->prefix) - 1))
		return wrong(why, "storage: PREFIX may hold A-Z a-z 0-9 . _ - and single slashes");
	s->prefix[prefix.len] = '/';
	s->prefix[prefix.len + 1] = '\0';
	return true;
}

static bool take_endpoint(struct s3_site *s, struct span url, char why[S3_SITE_WHY_SIZE]) {
	s->is_https = span_starts(url, SPAN_LIT("https://"));
	if (!s->is_https && !span_starts(url, SPAN_LIT("http://")))
		return wrong(why, "s3-endpoint: http://HOST[:PORT] or https://HOST[:PORT] needed");
	struct span host = span_drop(url, s->is_https ? 8 : 7);
	if (host.len && host.ptr[host.len - 1] == '/') host.len--;
	if (!is_host(host)) return wrong(why, "s3-endpoint: a host and nothing behind it needed");
	int n = s->is_virtual
				? snprintf(s->host, sizeof(s->host), "%s.%.*s", s->bucket, (int)host.len,
						   (const char *)host.ptr)
				: snprintf(s->host, sizeof(s->host), "%.*s", (int)host.len, (const char *)host.ptr);
	return n > 0 && (size_t)n < sizeof(s->host) ? true : wrong(why, "s3-endpoint: too long");
}

static bool take_region(struct s3_site *s, struct span region, char why[S3_SITE_WHY_SIZE]) {
	for (size_t i = 0; i < region.len; i++) {
		if (!is_lower_or_digit(region.ptr[i]) && region.ptr[i] != '-')
			return wrong(why, "s3-region: 1 to 32 of a-z 0-9 - needed");
	}
	if (region.len && span_copy(region, s->region, sizeof(s->region))) return true;
	return wrong(why, "s3-region: 1 to 32 of a-z 0-9 - needed");
}

bool s3_site_parse(struct s3_site *s, const struct s3_site_opts *o, char why[S3_SITE_WHY_SIZE]) {
	const char *style = o->style ? o->style : "path";
	*s = (struct s3_site){.is_virtual = strcmp(style, "virtual") == 0};
	if (!s->is_virtual && strcmp(style, "path") != 0)
		return wrong(why, "s3-style: path or virtual needed");
	return take_storage(s, span_str(o->storage), why) &&
		   take_endpoint(s, span_str(o->endpoint), why) &&
		   take_region(s, span_str(o->region ? o->region : "us-east-1"), why);
}

void s3_site_path(const struct s3_site *s, const char *name, struct buf *out) {
	if (!s->is_virtual) buf_printf(out, "/%s", s->bucket);
	if (name)
		buf_printf(out, "/%s%s", s->prefix, name);
	else if (s->is_virtual)
		buf_char(out, '/');
}

void s3_site_base(const struct s3_site *s, struct buf *out) {
	buf_printf(out, "%s://%s", s->is_https ? "https" : "http", s->host);
}
