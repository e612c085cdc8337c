/* Filters as sets of names (MQTT 5.0 section 4.7): membership, inclusion, intersection. All three
 * walk level by level; a leading wildcard never reaches names that start with $. Which filters a
 * role may use is policy. */
#include "lib/utf8.h"
#include "proto/topic.h"

/* One level at a time. */
struct walk {
	struct span rest; /* ptr NULL: nothing follows */
	struct span level;
	bool done;
};

static void step(struct walk *w) {
	w->done = !w->rest.ptr;
	if (w->done) return;
	const uint8_t *slash = w->rest.len ? memchr(w->rest.ptr, '/', w->rest.len) : NULL;
	w->level = span_of(w->rest.ptr, slash ? (size_t)(slash - w->rest.ptr) : w->rest.len);
	size_t left = w->rest.len - w->level.len;
	w->rest = slash ? (struct span){slash + 1, left - 1} : (struct span){NULL, 0};
}

static struct walk start(struct span filter) {
	/* `x/#` matches x too, but there is no empty name: so these two match what their longer forms
	 * match. */
	if (span_eq(filter, SPAN_LIT("#"))) filter = SPAN_LIT("+/#");
	if (span_eq(filter, SPAN_LIT("/#"))) filter = SPAN_LIT("/+/#");
	struct walk w = {.rest = filter};
	step(&w);
	return w;
}

static bool is_hash(const struct walk *w) {
	return !w->done && w->level.len == 1 && w->level.ptr[0] == '#';
}

/* Of a level that is there. */
static bool is_plus(const struct walk *w) {
	return w->level.len == 1 && w->level.ptr[0] == '+';
}

/* Of a filter that is not empty, as the next. */
static bool is_dollar(struct span s) {
	return s.ptr[0] == '$';
}

static bool is_wild(struct span s) {
	return s.ptr[0] == '+' || s.ptr[0] == '#';
}

bool topic_filter_is_valid(struct span filter) {
	if (filter.len == 0 || filter.len > UINT16_MAX || memchr(filter.ptr, 0, filter.len))
		return false;
	if (!utf8_is_valid(filter)) return false;
	struct walk w = {.rest = filter};
	for (step(&w); !w.done; step(&w)) {
		bool wild = w.level.len && (memchr(w.level.ptr, '+', w.level.len) ||
									memchr(w.level.ptr, '#', w.level.len));
		if (wild && w.level.len != 1) return false;
		if (is_hash(&w) && w.rest.ptr) return false;
	}
	return !span_eq(filter, SPAN_LIT("$share")) && !span_starts(filter, SPAN_LIT("$share/"));
}

bool topic_covers(struct span outer, struct span inner) {
	if (outer.len == 0 || inner.len == 0) return false;
	if (is_wild(outer) && is_dollar(inner)) return false;
	struct walk o = start(outer), i = start(inner);
	for (;; step(&o), step(&i)) {
		if (is_hash(&o)) return true;
		if (is_hash(&i) || o.done != i.done) return false;
		if (o.done) return true;
		if (!is_plus(&o) && !span_eq(o.level, i.level)) return false; /* + equals only + */
	}
}

bool topic_matches(struct span filter, struct span name) {
	/* A name is the filter that matches itself alone; one with wildcards is no name. */
	if (name.len == 0 || memchr(name.ptr, '+', name.len) || memchr(name.ptr, '#', name.len))
		return false;
	return topic_covers(filter, name);
}

bool topic_overlaps(struct span a, struct span b) {
	if (a.len == 0 || b.len == 0) return false;
	if ((is_wild(a) && is_dollar(b)) || (is_wild(b) && is_dollar(a))) return false;
	struct walk x = start(a), y = start(b);
	for (;; step(&x), step(&y)) {
		if (is_hash(&x) || is_hash(&y)) return true;
		if (x.done || y.done) return x.done && y.done;
		if (!is_plus(&x) && !is_plus(&y) && !span_eq(x.level, y.level)) return false;
	}
}
