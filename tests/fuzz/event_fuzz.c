/* The event reader under arbitrary bytes: it has no codec before it in a READ check. Properties: it
 * never reads past the end (sanitizers), the answer depends on nothing but the bytes, a prefix that
 * cuts a field is refused, and JSON that is accepted begins exactly with the times that were read.
 */
#include "lib/buf.h"
#include "proto/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth) {
	if (!truth) abort();
}

static void check_json(struct span bytes, const struct event_times *t) {
	struct buf b;
	buf_init(&b, 128);
	buf_printf(&b, "{\"at_ms\":%llu,\"arrived_ms\":%llu,\"synced\":%s",
			   (unsigned long long)t->at_ms, (unsigned long long)t->arrived_ms,
			   t->synced ? "true" : "false");
	must(buf_error(&b) == ERR_NONE && span_starts(bytes, buf_view(&b)));
	buf_fini(&b);
}

/* A stamp behind readable bytes without one is seen, and a second one refused. */
static void check_stamp(struct span bytes, const struct event_times *t) {
	struct buf b;
	struct event_times again;
	buf_init(&b, bytes.len + 4);
	buf_span(&b, bytes);
	buf_put(&b, "\x28\x05", 2);
	must(buf_error(&b) == ERR_NONE);
	enum err e = event_times(buf_view(&b), &again);
	if (e == ERR_NONE) must(t->arrived_ms == 0 && again.arrived_ms == 5 && again.at_ms == t->at_ms);
	buf_put(&b, "\x28\x05", 2);
	must(event_times(buf_view(&b), &again) == ERR_INPUT);
	must(event_times(span_of(b.ptr, b.len - 1), &again) == ERR_INPUT);
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct span bytes = span_of(data, size);
	struct event_times t, again;
	if (event_times(bytes, &t) == ERR_NONE) {
		must(event_times(bytes, &again) == ERR_NONE && again.at_ms == t.at_ms);
		must(event_effective_ms(&t) == (t.synced ? t.at_ms : t.arrived_ms));
		check_stamp(bytes, &t);
	}
	if (event_times_json(bytes, &t) == ERR_NONE) check_json(bytes, &t);
	return 0;
}
