/* Topic grammar under arbitrary bytes. Input: two filters and a name, divided by line feeds.
 * Properties: a parsed name of ours is built back to the same bytes; matching agrees with a naive
 * oracle; what covers matches; what matches both overlaps. */
#include "proto/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static struct span cut_line(struct span *rest) {
	const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	struct span line = end ? span_of(rest->ptr, (size_t)(end - rest->ptr)) : *rest;
	*rest = span_drop(*rest, line.len + (end ? 1 : 0));
	return line;
}

/* MQTT 5.0 section 4.7 level by level, without the shortcuts of the real code. */
static bool naive_matches(struct span filter, struct span name) {
	struct span f, n;
	bool wild = filter.ptr[0] == '+' || filter.ptr[0] == '#';
	if (wild && name.ptr[0] == '$') return false;
	for (size_t i = 0;; i++) {
		bool more_f = topic_level(filter, i, &f), more_n = topic_level(name, i, &n);
		if (more_f && span_eq(f, SPAN_LIT("#"))) return true;
		if (!more_f || !more_n) return more_f == more_n;
		if (!span_eq(f, SPAN_LIT("+")) && !span_eq(f, n)) return false;
	}
}

static void check_name(struct span name) {
	struct topic t;
	if (topic_parse(name, &t) != ERR_NONE) {
		must(t.kind == TOPIC_UNKNOWN);
		return;
	}
	bool shared = span_eq(name, SPAN_LIT("$share")) || span_starts(name, SPAN_LIT("$share/"));
	must(t.kind != TOPIC_UNKNOWN && topic_filter_is_valid(name) == !shared);
	if (t.kind == TOPIC_OTHER || t.kind == TOPIC_DOLLAR) return;
	struct buf b;
	buf_init(&b, TOPIC_BYTES_MAX);
	topic_build(&t, &b);
	must(buf_error(&b) == ERR_NONE && span_eq(buf_view(&b), name));
	buf_fini(&b);
}

static void check_filters(struct span a, struct span b, struct span name) {
	must(topic_covers(a, a) && topic_overlaps(a, a));
	must(topic_overlaps(a, b) == topic_overlaps(b, a));
	if (topic_covers(a, b)) must(topic_overlaps(a, b));
	if (topic_covers(a, b) && topic_covers(b, a))
		must(topic_matches(a, name) == topic_matches(b, name));
	if (!topic_matches(b, name)) return;
	if (topic_covers(a, b)) must(topic_matches(a, name));
	if (topic_matches(a, name)) must(topic_overlaps(a, b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct span rest = span_of(data, size);
	struct span a = cut_line(&rest), b = cut_line(&rest), name = rest;
	struct topic t;
	check_name(a);
	check_name(name);
	(void)topic_matches(a, name); /* whatever the bytes are */
	(void)topic_covers(a, b);
	(void)topic_overlaps(a, b);
	if (!topic_filter_is_valid(a) || !topic_filter_is_valid(b)) return 0;
	if (name.len == 0) return 0;
	if (topic_parse(name, &t) == ERR_INPUT && !topic_filter_is_valid(name)) return 0;
	if (memchr(name.ptr, '+', name.len) || memchr(name.ptr, '#', name.len)) return 0;
	must(topic_matches(a, name) == naive_matches(a, name));
	check_filters(a, b, name);
	check_filters(b, a, name);
	return 0;
}
