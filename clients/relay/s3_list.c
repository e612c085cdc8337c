/* Listing: ListObjectsV2, or ListObjectVersions where versions are kept. */
#include "clients/relay/s3_list.h"

#include "clients/relay/link.h"
#include "clients/relay/s3_text.h"

enum { MARKER_SIZE = 1025 };

struct s3_list {
	struct s3_http *http;
	struct s3_gate *gate;
	struct s3_call *call;
	bool is_versions, is_running;
	char marker[MARKER_SIZE];         /* continuation token, or key marker */
	char version_marker[MARKER_SIZE]; /* of versions only */
};

struct s3_list *s3_list_new(struct s3_http *http, struct s3_gate *gate) {
	struct s3_list *l = calloc(1, sizeof(*l));
	if (l) *l = (struct s3_list){.http = http, .gate = gate};
	return l;
}

static void reset(struct s3_list *l) {
	s3_http_end(l->call);
	*l = (struct s3_list){.http = l->http, .gate = l->gate};
}

void s3_list_free(struct s3_list *l) {
	if (!l) return;
	s3_http_end(l->call);
	free(l);
}

bool s3_list_is_running(const struct s3_list *l) {
	return l->is_running;
}

static void start(struct s3_list *l) {
	struct sign_pair p[5];
	char page[16];
	size_t n = 0;
	if (!l->is_running) l->is_versions = s3_gate_is_versioned(l->gate);
	l->is_running = true;
	(void)snprintf(page, sizeof(page), "%d", (int)S3_LIST_PAGE); /* fits */
	p[n++] =
		l->is_versions ? (struct sign_pair){"versions", ""} : (struct sign_pair){"list-type", "2"};
	p[n++] = (struct sign_pair){"prefix", s3_gate_site(l->gate)->prefix};
	p[n++] = (struct sign_pair){"max-keys", page};
	if (l->marker[0])
		p[n++] =
			(struct sign_pair){l->is_versions ? "key-marker" : "continuation-token", l->marker};
	if (l->version_marker[0]) p[n++] = (struct sign_pair){"version-id-marker", l->version_marker};
	struct s3_ask ask = {.method = "GET", .params = p, .param_count = n, .fd = -1};
	l->call = s3_http_start(l->http, &ask);
}

/* The name behind the prefix, if it is one of ours. */
static bool name_of(const struct s3_list *l, struct span key, char out[BACKEND_NAME_SIZE]) {
	struct span prefix = span_str(s3_gate_site(l->gate)->prefix);
	if (!span_starts(key, prefix)) return false;
	struct span name = span_drop(key, prefix.len);
	return link_object_is_valid(name) && span_copy(name, out, BACKEND_NAME_SIZE);
}

static void hand_on(const struct s3_list *l, struct span xml, backend_name_fn *fn, void *ctx) {
	char last[BACKEND_NAME_SIZE] = "", name[BACKEND_NAME_SIZE];
	struct span key;
	while (s3_text_next(&xml, "Key", &key)) {
		if (!name_of(l, key, name) || strcmp(name, last) == 0) continue; /* another version of it */
		memcpy(last, name, sizeof(last));
		fn(ctx, name);
	}
}

static enum backend_result failed(struct s3_list *l, char why[BACKEND_WHY_SIZE], const char *text) {
	(void)snprintf(why, BACKEND_WHY_SIZE, "%s", text); /* same size */
	reset(l);
	return BACKEND_FAILED;
}

static enum backend_result saw_page(struct s3_list *l, struct span xml, backend_name_fn *fn,
									void *ctx, char why[BACKEND_WHY_SIZE]) {
	hand_on(l, xml, fn, ctx);
	if (!s3_text_is(xml, "IsTruncated", "true")) {
		reset(l);
		return BACKEND_DONE;
	}
	bool good = s3_text_get(xml, l->is_versions ? "NextKeyMarker" : "NextContinuationToken",
							l->marker, sizeof(l->marker));
	/* absent when the page ends with the last version of a key */
	if (l->is_versions)
		(void)s3_text_get(xml, "NextVersionIdMarker", l->version_marker, sizeof(l->version_marker));
	return good && l->marker[0] ? BACKEND_AGAIN
								: failed(l, why, "a listing that cannot be continued");
}

static enum backend_result answered(struct s3_list *l, const struct s3_reply *r,
									backend_name_fn *fn, void *ctx, char why[BACKEND_WHY_SIZE]) {
	enum s3_verdict v = s3_fault_judge(r);
	char text[S3_FAULT_WHY_SIZE];
	if (v == S3_FINE) {
		s3_gate_fine(l->gate, "GET");
		return saw_page(l, r->body, fn, ctx, why);
	}
	if (v == S3_LATER || v == S3_MISSING) {
		s3_fault_why(r, s3_gate_site(l->gate), text);
		return failed(l, why, text);
	}
	s3_gate_fault(l->gate, "GET", r);
	return BACKEND_AGAIN; /* the same page, when the gate is open */
}

enum backend_result s3_list_step(struct s3_list *l, backend_name_fn *fn, void *ctx,
								 char why[BACKEND_WHY_SIZE]) {
	struct s3_reply r;
	if (!l->call && s3_gate_is_open(l->gate)) start(l);
	if (!l->call || !s3_http_reply(l->call, &r)) return BACKEND_AGAIN;
	struct s3_call *ended = l->call;
	l->call = NULL;
	enum backend_result result = answered(l, &r, fn, ctx, why);
	s3_http_end(ended); /* the page was borrowed from it */
	return result;
}
