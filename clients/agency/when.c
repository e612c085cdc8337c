/* Reading UTC times. Arithmetic on days is done here rather than by the C library, whose
 * readers follow the machine's time zone or accept half a date. Which times a request may name is
 * the broker's affair. */
#include "clients/agency/when.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };
enum { YEAR_FIRST = 2000, YEAR_LAST = 2099 };

/* Days from 1970-01-01 to a civil date, counted in years that begin in March, so that the leap day
 * is last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t month_days(int64_t year, int64_t month) {
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool is_in_range(int64_t ms) {
	return ms >= days_of(YEAR_FIRST, 1, 1) * DAY_MS && ms < days_of(YEAR_LAST + 1, 1, 1) * DAY_MS;
}

/* Takes exactly n digits from the front. */
static bool take_digits(struct span *s, size_t n, int64_t *value) {
	if (s->len < n) return false;
	int64_t v = 0;
	for (size_t i = 0; i < n; i++) {
		if (s->ptr[i] < '0' || s->ptr[i] > '9') return false;
		v = v * 10 + (s->ptr[i] - '0');
	}
	*value = v;
	*s = span_drop(*s, n);
	return true;
}

static bool take_char(struct span *s, char c) {
	if (s->len == 0 || s->ptr[0] != (uint8_t)c) return false;
	*s = span_drop(*s, 1);
	return true;
}

static enum err parse_date(struct span s, int64_t *ms) {
	int64_t year, month, day, hour, minute, second = 0;
	bool ok = take_digits(&s, 4, &year) && take_char(&s, '-') && take_digits(&s, 2, &month) &&
			  take_char(&s, '-') && take_digits(&s, 2, &day) && take_char(&s, 'T') &&
			  take_digits(&s, 2, &hour) && take_char(&s, ':') && take_digits(&s, 2, &minute);
	if (!ok) return ERR_INPUT;
	if (take_char(&s, ':') && !take_digits(&s, 2, &second)) return ERR_INPUT;
	if (!take_char(&s, 'Z') || s.len != 0) return ERR_INPUT;
	if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return ERR_INPUT;
	if (day < 1 || day > month_days(year, month)) return ERR_INPUT;
	int64_t at = days_of(year, month, day) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS +
				 second * SECOND_MS;
	if (!is_in_range(at)) return ERR_LIMIT;
	*ms = at;
	return ERR_NONE;
}

static enum err parse_relative(struct span s, int64_t now_ms, int64_t *ms) {
	int64_t sign = s.ptr[0] == '-' ? -1 : 1;
	s = span_drop(s, 1);
	if (s.len < 2) return ERR_INPUT;
	int64_t unit;
	switch (s.ptr[s.len - 1]) {
	case 's': unit = SECOND_MS; break;
	case 'm': unit = MINUTE_MS; break;
	case 'h': unit = HOUR_MS; break;
	case 'd': unit = DAY_MS; break;
	default: return ERR_INPUT;
	}
	if (s.len > 7) return ERR_INPUT;
	int64_t count;
	s.len--;
	if (!take_digits(&s, s.len, &count)) return ERR_INPUT;
	if (count > WHEN_RELATIVE_MAX || !is_in_range(now_ms)) return ERR_LIMIT;
	int64_t at = now_ms + sign * count * unit;
	if (!is_in_range(at)) return ERR_LIMIT;
	*ms = at;
	return ERR_NONE;
}

enum err when_parse(struct span text, int64_t now_ms, int64_t *ms) {
	if (text.len == 0) return ERR_INPUT;
	if (text.ptr[0] == '-' || text.ptr[0] == '+') return parse_relative(text, now_ms, ms);
	return parse_date(text, ms);
}
