/* Parsing and combining the rules of a home. Not here: what is done with an ask when they change
 * (ask.c). */
#include "plugin/consent/rules.h"

#include "proto/topic.h"

static const char *const kind_words[AGENCY_KINDS] = {"", "police", "fire", "ambulance"};

static const char *const type_words[RULES_TYPES] = {
	"",           "burglary",       "robbery",        "assault",       "homicide",
	"kidnapping", "missing-person", "hit-and-run",    "vehicle-theft", "vandalism",
	"arson",      "fire",           "medical-rescue",
};

enum { ALL_TYPES = (1 << RULES_TYPES) - 2, MINUTES_A_DAY = 1440 };

/* --- words ------------------------------------------------------------------------------------ */

static bool is_space(uint8_t c) {
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_space(struct span *s) {
	while (s->len && is_space(s->ptr[0])) *s = span_drop(*s, 1);
}

/* Takes the next word; a comma ends one. Empty at the end. */
static struct span take_word(struct span *s) {
	size_t n = 0;
	skip_space(s);
	while (n < s->len && !is_space(s->ptr[n]) && s->ptr[n] != ',') n++;
	struct span word = span_of(s->ptr, n);
	*s = span_drop(*s, n);
	skip_space(s);
	return word;
}

static bool is_word(struct span s, const char *word) {
	return span_eq(s, span_str(word));
}

static int kind_of(struct span word) {
	for (int i = 1; i < AGENCY_KINDS; i++) {
		if (is_word(word, kind_words[i])) return i;
	}
	return 0;
}

static int type_of(struct span word) {
	for (int i = 1; i < RULES_TYPES; i++) {
		const char *name = type_words[i];
		size_t n = 0;
		while (n < word.len && name[n] &&
			   (word.ptr[n] == (uint8_t)name[n] || (word.ptr[n] == '_' && name[n] == '-')))
			n++;
		if (n == word.len && !name[n]) return i;
	}
	return 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* "only a, b, c" to the end of the line */
static enum err parse_types(struct span s, uint32_t *types) {
	*types = 0;
	for (;;) {
		int type = type_of(take_word(&s));
		if (!type) return ERR_INPUT;
		*types |= UINT32_C(1) << type;
		if (s.len == 0) return ERR_NONE;
		if (s.ptr[0] != ',') return ERR_INPUT;
		s = span_drop(s, 1);
	}
}

static enum err parse_ask(struct span s, struct rules *r) {
	uint32_t types = ALL_TYPES;
	int kind = kind_of(take_word(&s));
	if (!kind) return ERR_INPUT;
	if (s.len) {
		if (!is_word(take_word(&s), "only") || parse_types(s, &types) != ERR_NONE) return ERR_INPUT;
	}
	r->asked[kind] |= types;
	return ERR_NONE;
}

static enum err parse_never(struct span s, struct rules *r) {
	struct span word = take_word(&s), more = take_word(&s);
	if (s.len) return ERR_INPUT;
	if (is_word(word, "type")) {
		int type = type_of(more);
		r->never_types |= UINT32_C(1) << type;
		return type ? ERR_NONE : ERR_INPUT;
	}
	if (is_word(word, "all") && more.len == 0) {
		r->never_all = true;
		return ERR_NONE;
	}
	if (is_word(word, "agency")) {
		word = more;
		more = (struct span){NULL, 0};
	}
	if (more.len || !topic_id_is_valid(word)) return ERR_INPUT;
	if (r->never_count == RULES_NEVER_MAX) return ERR_LIMIT;
	r->never[r->never_count++] = word;
	return ERR_NONE;
}

/* "HH:MM", exactly */
static bool parse_clock(struct span s, int hours_max, int *minutes) {
	if (s.len != 5 || s.ptr[2] != ':') return false;
	for (size_t i = 0; i < 5; i++) {
		if (i != 2 && (s.ptr[i] < '0' || s.ptr[i] > '9')) return false;
	}
	int h = (s.ptr[0] - '0') * 10 + s.ptr[1] - '0', m = (s.ptr[3] - '0') * 10 + s.ptr[4] - '0';
	*minutes = h * 60 + m;
	return h <= hours_max && m <= 59;
}

static enum err parse_quiet(struct span s, struct rules *r) {
	struct rules_quiet q = {0};
	struct span range = take_word(&s), offset = take_word(&s);
	if (s.len || range.len != 11 || range.ptr[5] != '-') return ERR_INPUT;
	if (!parse_clock(span_of(range.ptr, 5), 23, &q.from_min)) return ERR_INPUT;
	if (!parse_clock(span_drop(range, 6), 23, &q.to_min) || q.from_min == q.to_min)
		return ERR_INPUT;
	if (offset.len) {
		if (offset.ptr[0] != '+' && offset.ptr[0] != '-') return ERR_INPUT;
		if (!parse_clock(span_drop(offset, 1), 14, &q.offset_min)) return ERR_INPUT;
		if (offset.ptr[0] == '-') q.offset_min = -q.offset_min;
	}
	if (r->quiet_count == RULES_QUIET_MAX) return ERR_LIMIT;
	r->quiet[r->quiet_count++] = q;
	return ERR_NONE;
}

static enum err parse_line(struct span s, struct rules *r) {
	skip_space(&s);
	if (s.len == 0 || s.ptr[0] == '#') return ERR_NONE;
	while (is_space(s.ptr[s.len - 1])) s.len--;
	struct span verb = take_word(&s);
	if (is_word(verb, "ask")) return parse_ask(s, r);
	if (is_word(verb, "never")) return parse_never(s, r);
	if (is_word(verb, "quiet")) return parse_quiet(s, r);
	if (is_word(verb, "mute") && is_word(s, "alerts")) {
		r->mute_alerts = true;
		return ERR_NONE;
	}
	return ERR_INPUT;
}

enum err rules_parse(struct span text, struct rules *out, size_t *line) {
	memset(out, 0, sizeof(*out));
	for (size_t number = 1; text.len; number++) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t n = end ? (size_t)(end - text.ptr) : text.len;
		enum err e = parse_line(span_of(text.ptr, n), out);
		if (e != ERR_NONE) {
			memset(out, 0, sizeof(*out));
			if (line) *line = number;
			return e;
		}
		text = span_drop(text, n + 1);
	}
	return ERR_NONE;
}

/* --- what one adult's rules say --------------------------------------------------------------- */

static uint32_t type_bit(int64_t incident) {
	return incident > 0 && incident < RULES_TYPES ? UINT32_C(1) << incident : 0;
}

bool rules_object(const struct rules *r, struct span agency, int64_t incident) {
	uint32_t bit = type_bit(incident);
	if (r->never_all || bit == 0 || (r->never_types & bit)) return true;
	for (size_t i = 0; i < r->never_count; i++) {
		if (span_eq(r->never[i], agency)) return true;
	}
	return false;
}

bool rules_opt_in(const struct rules *r, int64_t agency_kind, int64_t incident) {
	return agency_kind > AGENCY_NONE && agency_kind < AGENCY_KINDS &&
		   (r->asked[agency_kind] & type_bit(incident));
}

static bool quiet_now(const struct rules_quiet *q, int64_t now_ms) {
	int64_t minute = (now_ms / 60000 + q->offset_min) % MINUTES_A_DAY;
	if (minute < 0) minute += MINUTES_A_DAY;
	if (q->from_min < q->to_min) return minute >= q->from_min && minute < q->to_min;
	return minute >= q->from_min || minute < q->to_min;
}

bool rules_is_quiet(const struct rules *r, int64_t now_ms) {
	for (size_t i = 0; i < r->quiet_count; i++) {
		if (quiet_now(&r->quiet[i], now_ms)) return true;
	}
	return false;
}

static bool quiet_kept(const struct rules_quiet *q, const struct rules *after) {
	for (size_t i = 0; i < after->quiet_count; i++) {
		const struct rules_quiet *a = &after->quiet[i];
		if (a->from_min == q->from_min && a->to_min == q->to_min && a->offset_min == q->offset_min)
			return true;
	}
	return false;
}

bool rules_widen(const struct rules *before, const struct rules *after) {
	for (int kind = 1; kind < AGENCY_KINDS; kind++) {
		if (after->asked[kind] & ~before->asked[kind]) return true;
	}
	if ((before->never_all && !after->never_all) || (before->never_types & ~after->never_types))
		return true;
	for (size_t i = 0; i < before->never_count && !after->never_all; i++) {
		bool kept = false;
		for (size_t j = 0; j < after->never_count; j++)
			kept |= span_eq(before->never[i], after->never[j]);
		if (!kept) return true;
	}
	for (size_t i = 0; i < before->quiet_count; i++) {
		if (!quiet_kept(&before->quiet[i], after)) return true;
	}
	return before->mute_alerts && !after->mute_alerts;
}

/* --- what the home's say ---------------------------------------------------------------------- */

static bool is_adult_of(const struct row_credential *c, struct span home) {
	return c && c->kind == CRED_MEMBER && c->role >= ROLE_ADULT &&
		   span_eq(span_str(c->subject), home);
}

enum rules_word rules_home(const struct state *st, struct span home,
						   const struct row_agency *agency, int64_t incident, int64_t now_ms) {
	bool asked = false, quiet = false;
	const struct row *row = state_child(st, ROW_RULES, 0, home, NULL);
	for (; row; row = state_child(st, ROW_RULES, 0, home, row)) {
		const struct row_rules *text = (const struct row_rules *)row;
		const struct row_credential *adult = state_credential(st, span_str(text->username));
		struct rules r;
		if (!is_adult_of(adult, home)) continue;
		if (rules_parse(span_str(text->text), &r, NULL) != ERR_NONE) return RULES_NO;
		if (rules_object(&r, span_str(agency->id), incident)) return RULES_NO;
		if (!adult->suspended && rules_opt_in(&r, agency->kind, incident)) asked = true;
		if (rules_is_quiet(&r, now_ms)) quiet = true;
	}
	if (!asked) return RULES_NO;
	return quiet ? RULES_LATER : RULES_ASK;
}
