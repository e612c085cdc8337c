/* See health.h. */
#include "plugin/health.h"

#include "plugin/denial.h"
#include "plugin/limiter.h"
#include "plugin/session.h"

static unsigned flags_of(const struct engine_health *h) {
	return (h->state.incomplete ? 1U : 0) | (h->state.refusing ? 2U : 0) |
		   (h->state.unsound ? 4U : 0) | (h->state.store_down ? 8U : 0);
}

static const char *word_of(const struct engine_health *h) {
	if (h->state.refusing) return "refusing";
	if (h->state.incomplete) return "incomplete";
	if (h->state.unsound) return "clock_suspect";
	return h->state.store_down ? "store_failing" : "ok";
}

static void publish(struct engine *e, const char *topic, struct buf *payload) {
	enum err rc = buf_error(payload);
	if (rc == ERR_NONE) rc = engine_publish(e, 0, span_str(topic), buf_view(payload), 0, false);
	if (rc != ERR_NONE)
		log_line(engine_log(e), LOG_ERROR, "tell_lost", "topic", topic, "err", err_name(rc), NULL);
	buf_fini(payload);
}

static void tell_health(struct engine *e, const struct engine_health *h) {
	enum { BYTES_MAX = 2048 };
	struct buf b;
	buf_init(&b, BYTES_MAX);
	buf_printf(&b,
			   "{\"at_ms\":%lld,\"version\":\"" VESTIBULE_VERSION "\",\"state\":\"%s\",\"why\":",
			   (long long)engine_now(e).utc_ms, word_of(h));
	buf_json(&b, span_str(h->why));
	buf_printf(&b,
			   ",\"store_down\":%s,\"clock_sound\":%s,\"waiting\":%zu,\"held\":%zu,\"clients\":%zu",
			   h->state.store_down ? "true" : "false", h->state.unsound ? "false" : "true",
			   h->waiting, h->held, sessions_count(engine_sessions(e)));
	buf_printf(&b, ",\"restored_ms\":%lld}", (long long)h->restored_ms);
	publish(e, "vestibule/v1/operator/health", &b);
}

static void gauge(struct buf *b, const char *name, uint64_t value) {
	buf_printf(b, "# TYPE vestibule_%s gauge\nvestibule_%s %llu\n", name, name,
			   (unsigned long long)value);
}

static void counter(struct buf *b, const char *name, uint64_t value) {
	buf_printf(b, "# TYPE vestibule_%s counter\nvestibule_%s %llu\n", name, name,
			   (unsigned long long)value);
}

static void denial_counters(struct buf *b, const struct denials *d) {
	buf_str(b, "# TYPE vestibule_denials_total counter\n");
	for (int a = 0; a < DENIAL_ACCESSES; a++) {
		for (int r = 0; r < REASON_COUNT; r++) {
			uint64_t n = denials_count(d, (enum denial_access)a, (enum reason)r);
			if (n == 0) continue;
			buf_printf(b, "vestibule_denials_total{access=\"%s\",reason=\"%s\"} %llu\n",
					   denial_access_name((enum denial_access)a), reason_word((enum reason)r),
					   (unsigned long long)n);
		}
	}
}

static void tell_metrics(struct engine *e, const struct engine_health *h) {
	enum { BYTES_MAX = 65536 };
	struct buf b;
	buf_init(&b, BYTES_MAX);
	gauge(&b, "may_allow", state_may_allow(engine_state(e)));
	gauge(&b, "store_down", h->state.store_down);
	gauge(&b, "restored_ms", (uint64_t)h->restored_ms);
	gauge(&b, "clock_sound", !h->state.unsound);
	gauge(&b, "changes_waiting", h->waiting);
	gauge(&b, "messages_held", h->held);
	gauge(&b, "clients", sessions_count(engine_sessions(e)));
	counter(&b, "messages_lost_total", h->tells_lost);
	counter(&b, "changes_refused_total", h->changes_refused);
	counter(&b, "rate_limited_total", limiter_limited(engine_limiter(e)));
	counter(&b, "changes_total", state_seq(engine_state(e)));
	denial_counters(&b, engine_denials(e));
	publish(e, "vestibule/v1/operator/metrics", &b);
}

void health_tick(struct health *h, struct engine *e) {
	struct engine_health now = engine_health(e);
	unsigned flags = flags_of(&now);
	bool due = engine_now(e).boot_ms >= h->next_boot_ms;
	if (!due && flags == h->last) return;
	h->last = flags;
	tell_health(e, &now);
	if (!due) return;
	h->next_boot_ms = engine_now(e).boot_ms + HEALTH_EVERY_MS;
	tell_metrics(e, &now);
}
