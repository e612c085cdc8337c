/* The library against a real broker: what goes over the wire, and what survives its loss. */
#include "broker.h"

#include <pthread.h>

#include "clients/sdk/vestibule_device.h"

struct told { /* filled on the library's thread */
	pthread_mutex_t lock;
	size_t count;
	struct vestibule_settled last;
	char reason[64];
	unsigned by_outcome[5];
	unsigned online, offline;
	char why[160];
	unsigned claims;
	enum vestibule_claim claimed;
	enum vestibule_outcome claim_outcome;
	char claim_reason[64];
};

struct bench {
	struct broker b;
	char spool[96];
	struct told told;
	struct vestibule_device *d;
};

static void on_settled(void *ctx, const struct vestibule_settled *s) {
	struct told *t = &((struct bench *)ctx)->told;
	pthread_mutex_lock(&t->lock);
	t->count++;
	t->last = *s;
	(void)snprintf(t->reason, sizeof t->reason, "%s", s->reason);
	t->by_outcome[s->outcome]++;
	pthread_mutex_unlock(&t->lock);
}

static void on_link(void *ctx, enum vestibule_link link, const char *why) {
	struct told *t = &((struct bench *)ctx)->told;
	pthread_mutex_lock(&t->lock);
	if (link == VESTIBULE_ONLINE) t->online++;
	if (link == VESTIBULE_OFFLINE) t->offline++;
	if (why[0]) (void)snprintf(t->why, sizeof t->why, "%s", why);
	pthread_mutex_unlock(&t->lock);
}

static void on_claimed(void *ctx, const struct vestibule_claimed *c) {
	struct told *t = &((struct bench *)ctx)->told;
	pthread_mutex_lock(&t->lock);
	t->claims++;
	t->claimed = c->what;
	t->claim_outcome = c->outcome;
	(void)snprintf(t->claim_reason, sizeof t->claim_reason, "%s", c->reason);
	pthread_mutex_unlock(&t->lock);
}

static int64_t read_clip(void *ctx, const struct vestibule_read *want, uint8_t *into,
						 uint64_t *size) {
	(void)ctx;
	*size = 100000;
	if (want->part != VESTIBULE_PAYLOAD) return VESTIBULE_GONE;
	if (want->offset >= *size) return 0;
	size_t len = want->len < *size - want->offset ? want->len : (size_t)(*size - want->offset);
	for (size_t i = 0; i < len; i++) into[i] = (uint8_t)((want->offset + i) % 251);
	return (int64_t)len;
}

static unsigned counted(struct bench *x, const unsigned *counter) {
	pthread_mutex_lock(&x->told.lock);
	unsigned n = *counter;
	pthread_mutex_unlock(&x->told.lock);
	return n;
}

static unsigned outcomes(struct bench *x, enum vestibule_outcome how) {
	return counted(x, &x->told.by_outcome[how]);
}

#define WAIT_FOR(x, condition)                                \
	do {                                                      \
		int64_t end_ = clock_read().boot_ms + PATIENCE_MS;    \
		while (!(condition) && clock_read().boot_ms < end_) { \
			if ((x)->b.observer)                              \
				(void)mosquitto_loop((x)->b.observer, 10, 1); \
			else                                              \
				usleep(10000);                                \
		}                                                     \
		assert_true(condition);                               \
	} while (0)

static void open_device(struct bench *x, const char *name, int port) {
	struct vestibule_fault why;
	struct vestibule_config c = {.host = "127.0.0.1",
								 .port = (uint16_t)port,
								 .username = name,
								 .token = "0123456789abcdef",
								 .clock = VESTIBULE_CLOCK_SYNCED,
								 .spool_dir = x->spool,
								 .clip_read = read_clip,
								 .settled = on_settled,
								 .claimed = on_claimed,
								 .link = on_link,
								 .ctx = x};
	x->d = vestibule_device_new(&c, &why);
	if (!x->d) fail_msg("%s: %s", why.field, why.limit);
	assert_int_equal(vestibule_device_connect(x->d, &why), VESTIBULE_OK);
	assert_int_equal(vestibule_device_connect(x->d, &why), VESTIBULE_BUSY);
}

static int setup(void **state) {
	struct bench *x = (struct bench *)calloc(1, sizeof *x);
	assert_non_null(x);
	pthread_mutex_init(&x->told.lock, NULL);
	scratch_dir(x->spool);
	*state = x;
	return 0;
}

static int teardown(void **state) {
	struct bench *x = (struct bench *)*state;
	vestibule_device_free(x->d);
	broker_stop(&x->b);
	scratch_remove(x->spool);
	pthread_mutex_destroy(&x->told.lock);
	free(x);
	return 0;
}

static struct vestibule_clip a_clip(void) {
	struct vestibule_clip c = {.start_ms = 1700000000000,
							   .duration_ms = 5000,
							   .trigger = VESTIBULE_BY_RING,
							   .media_type = "video/mp4",
							   .payload_length = 100000};
	assert_true(vestibule_new_id(c.clip_id));
	return c;
}

static void ack(struct bench *x, const char *device, uint64_t seq) {
	char topic[96];
	Vestibule__V1__DeviceAck m = VESTIBULE__V1__DEVICE_ACK__INIT;
	m.seq = seq;
	(void)snprintf(topic, sizeof topic, "vestibule/v1/device/%s/ack", device);
	broker_publish(&x->b, topic, &m.base);
}

static void events_arrive_in_order_and_a_clip_settles_with_its_ack(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	struct vestibule_event ring, motion, clip;
	struct vestibule_clip c = a_clip();
	open_device(x, "door-1", x->b.port);
	const struct seen *s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_string_equal((const char *)s->bytes, "online");
	assert_int_equal(vestibule_device_ring(x->d, &ring, NULL), VESTIBULE_OK);
	assert_int_equal(vestibule_device_motion(x->d, VESTIBULE_PERSON, 900, &motion, NULL),
					 VESTIBULE_OK);
	assert_int_equal(vestibule_device_clip_ready(x->d, &c, &clip, NULL), VESTIBULE_OK);
	assert_int_equal(clip.seq, ring.seq + 2);

	s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/ring");
	assert_int_equal(s->qos, 1);
	assert_in_range(s->expiry_s, 55, 60);
	assert_int_equal(s->properties, 1); /* nothing rides along */
	s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/motion");
	assert_int_equal(s->qos, 0);
	assert_int_equal(s->properties, 0);
	s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/clip-ready");
	assert_int_equal(s->qos, 1);
	assert_int_equal(s->properties, 0);
	WAIT_FOR(x, outcomes(x, VESTIBULE_ARRIVED) == 2);
	assert_int_equal(outcomes(x, VESTIBULE_RECORDED), 0);
	ack(x, "door-1", clip.seq);
	WAIT_FOR(x, outcomes(x, VESTIBULE_RECORDED) == 1);
	assert_memory_equal(x->told.last.event_id, clip.event_id, 16);
	struct vestibule_status st;
	vestibule_device_status(x->d, &st);
	assert_int_equal(st.waiting, 0);
	assert_int_equal(st.link, VESTIBULE_ONLINE);
	assert_int_equal(st.acked_seq, clip.seq);
}

static void first_admin_is_told_when_its_receipt_says_recorded(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	uint8_t sha256[32] = {7};
	struct vestibule_fault why;
	open_device(x, "door-1", x->b.port);
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_int_equal(vestibule_device_first_admin(x->d, "an", sha256, &why), VESTIBULE_INVALID);
	assert_string_equal(why.field, "DeviceClaim.first_admin.username");
	assert_int_equal(vestibule_device_first_admin(x->d, "ann", NULL, &why), VESTIBULE_INVALID);
	assert_int_equal(vestibule_device_first_admin(x->d, "ann", sha256, &why), VESTIBULE_OK);
	assert_int_equal(vestibule_device_first_admin(x->d, "ann", sha256, &why), VESTIBULE_BUSY);
	const struct seen *s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/claim");
	assert_int_equal(s->qos, 1);
	assert_int_equal(s->properties, 0);
	struct codec *codec = codec_new();
	struct codec_fault fault;
	ProtobufCMessage *msg = NULL;
	assert_int_equal(
		codec_decode(codec, CODEC_DEVICE_CLAIM, span_of(s->bytes, s->len), &msg, &fault), ERR_NONE);
	const Vestibule__V1__DeviceClaim *m = (const Vestibule__V1__DeviceClaim *)msg;
	assert_string_equal(m->first_admin->username, "ann");
	assert_memory_equal(m->first_admin->token_sha256.data, sha256, 32);
	assert_int_equal(counted(x, &x->told.claims), 0); /* a PUBACK is no answer */
	uint8_t other[16] = {1, 2, 3};
	Vestibule__V1__Receipt receipt = VESTIBULE__V1__RECEIPT__INIT, *list[1] = {&receipt};
	Vestibule__V1__Reply reply = VESTIBULE__V1__REPLY__INIT;
	receipt.receipt_id = receipt.in_reply_to = reply.in_reply_to =
		(ProtobufCBinaryData){.len = 16, .data = other};
	receipt.at_ms = 1;
	receipt.kind = VESTIBULE__V1__RECEIPT_KIND__RECEIPT_KIND_RECORDED;
	reply.last = true;
	reply.n_receipts = 1;
	reply.receipts = list;
	broker_publish(&x->b, "vestibule/v1/user/door-1/reply", &reply.base); /* to something else */
	receipt.in_reply_to = m->event_id;
	broker_publish(&x->b, "vestibule/v1/user/door-1/reply", &reply.base);
	WAIT_FOR(x, counted(x, &x->told.claims) == 1);
	assert_int_equal(x->told.claimed, VESTIBULE_FIRST_ADMIN);
	assert_int_equal(x->told.claim_outcome, VESTIBULE_RECORDED);
	codec_free(codec);
}

/* The broker forgets the device as the plugin would: it lets it in no more. */
static void bar_everybody(struct broker *b) {
	char path[96];
	(void)snprintf(path, sizeof path, "%s/conf", b->dir);
	broker_leave(b);
	broker_kill(b);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f, "listener %d 127.0.0.1\nallow_anonymous false\n%s", b->port,
				  geteuid() == 0 ? "user root\n" : "");
	(void)fclose(f);
	broker_run(b);
}

static void reset_is_recorded_once_the_device_is_let_in_no_more(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	uint8_t sha256[32] = {7};
	open_device(x, "door-1", x->b.port);
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_int_equal(vestibule_device_first_admin(x->d, "ann", sha256, NULL), VESTIBULE_OK);
	assert_int_equal(vestibule_device_reset(x->d, NULL), VESTIBULE_OK); /* takes its place */
	assert_int_equal(vestibule_device_reset(x->d, NULL), VESTIBULE_BUSY);
	const struct seen *s;
	do s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/claim");
	while (s->len > 40); /* the first admin may have left before */
	assert_int_equal(s->bytes[s->len - 2], 9 << 3 | 2);
	usleep(200000);
	assert_int_equal(counted(x, &x->told.claims), 0);
	bar_everybody(&x->b);
	WAIT_FOR(x, counted(x, &x->told.claims) == 1);
	assert_int_equal(x->told.claimed, VESTIBULE_RESET);
	assert_int_equal(x->told.claim_outcome, VESTIBULE_RECORDED);
	/* now nothing can be told any more */
	assert_int_equal(vestibule_device_reset(x->d, NULL), VESTIBULE_OK);
	WAIT_FOR(x, counted(x, &x->told.claims) == 2);
	assert_int_equal(x->told.claim_outcome, VESTIBULE_REFUSED);
	assert_string_equal(x->told.claim_reason, "not_let_in");
}

static void status_is_retained_and_says_offline_at_the_end(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	open_device(x, "door-1", x->b.port);
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	vestibule_device_sleeping(x->d, true);
	const struct seen *s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_string_equal((const char *)s->bytes, "sleeping");
	vestibule_device_free(x->d);
	x->d = NULL;
	s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_string_equal((const char *)s->bytes, "offline");
	broker_leave(&x->b);
	broker_observe(&x->b); /* comes later, and still gets to know */
	s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_string_equal((const char *)s->bytes, "offline");
	assert_true(s->retained);
}

static void killed_device_leaves_offline_as_its_will(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		open_device(x, "door-1", x->b.port);
		pause();
		_exit(0);
	}
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	const struct seen *s = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	assert_string_equal((const char *)s->bytes, "offline");
	assert_int_equal(s->properties, 0);
}

static void pulled_clip_comes_in_chunks_to_whoever_pulled(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	static const char clip[] = "018bcfe5-6800-7000-8000-00000000000a";
	char pull[160], chunk[160];
	size_t at = 0, got = 0;
	struct codec *codec = codec_new();
	Vestibule__V1__ClipPull m = VESTIBULE__V1__CLIP_PULL__INIT;
	m.length = 200000;
	open_device(x, "door-1", x->b.port);
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-1/status");
	(void)snprintf(pull, sizeof pull, "vestibule/v1/device/door-1/pull/%s/anna", clip);
	(void)snprintf(chunk, sizeof chunk, "vestibule/v1/device/door-1/chunk/%s/anna", clip);
	broker_publish(&x->b, pull, &m.base);
	for (bool last = false; !last;) {
		const struct seen *s = broker_expect(&x->b, &at, chunk);
		struct codec_fault why;
		ProtobufCMessage *msg;
		assert_int_equal(codec_decode(codec, CODEC_CHUNK, span_of(s->bytes, s->len), &msg, &why),
						 ERR_NONE);
		const Vestibule__V1__ClipChunk *c = (const Vestibule__V1__ClipChunk *)msg;
		assert_int_equal(c->status, 0);
		assert_int_equal(c->offset, got);
		for (size_t i = 0; i < c->data.len; i++) assert_int_equal(c->data.data[i], (got + i) % 251);
		got += c->data.len;
		last = c->last;
	}
	assert_int_equal(got, 100000);
	codec_free(codec);
}

static void refused_clip_is_dropped_and_told_with_its_reason(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	struct vestibule_event clip, ring;
	struct vestibule_clip c = a_clip();
	open_device(x, "door-2", x->b.port);
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-2/status");
	assert_int_equal(vestibule_device_clip_ready(x->d, &c, &clip, NULL), VESTIBULE_OK);
	Vestibule__V1__Denial m = VESTIBULE__V1__DENIAL__INIT;
	m.at_ms = 1700000000000;
	m.reason = (char *)(uintptr_t) "wrong_device";
	m.sentence = (char *)(uintptr_t) "This device is not yours.";
	m.access = (char *)(uintptr_t) "write";
	m.topic = (char *)(uintptr_t) "vestibule/v1/device/door-2/clip-ready";
	m.event_id = (ProtobufCBinaryData){.len = 16, .data = clip.event_id};
	broker_publish(&x->b, "vestibule/v1/user/door-2/denied", &m.base);
	WAIT_FOR(x, outcomes(x, VESTIBULE_REFUSED) == 1);
	assert_true(strcmp(x->told.reason, "wrong_device") == 0 ||
				strcmp(x->told.reason, "not_given") == 0);
	assert_int_equal(vestibule_device_ring(x->d, &ring, NULL),
					 VESTIBULE_OK); /* the next one is not held up */
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-2/ring");
	WAIT_FOR(x, outcomes(x, VESTIBULE_ARRIVED) == 1);
	struct vestibule_status st;
	vestibule_device_status(x->d, &st);
	assert_int_equal(st.waiting, 0);
	assert_int_equal(st.refused, 1);
}

static void clip_without_ack_comes_again_after_the_broker_restarted(void **state) {
	struct bench *x = (struct bench *)*state;
	if (!broker_start(&x->b)) skip();
	size_t at = 0;
	struct vestibule_event clip;
	struct vestibule_clip c = a_clip();
	open_device(x, "door-1", x->b.port);
	assert_int_equal(vestibule_device_clip_ready(x->d, &c, &clip, NULL), VESTIBULE_OK);
	const struct seen *first = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/clip-ready");
	size_t len = first->len;
	uint8_t bytes[512];
	assert_true(len <= sizeof bytes);
	memcpy(bytes, first->bytes, len);
	broker_leave(&x->b);
	broker_kill(&x->b);
	unsigned before = counted(x, &x->told.online);
	assert_int_equal(vestibule_device_ring(x->d, NULL, NULL),
					 VESTIBULE_OK); /* while there is no broker */
	broker_run(&x->b);
	broker_observe(&x->b);
	WAIT_FOR(x, counted(x, &x->told.online) == before + 1);
	const struct seen *again = broker_expect(&x->b, &at, "vestibule/v1/device/door-1/clip-ready");
	assert_int_equal(again->len, len);
	assert_memory_equal(again->bytes, bytes, len);
	(void)broker_expect(&x->b, &at, "vestibule/v1/device/door-1/ring");
	ack(x, "door-1", clip.seq);
	WAIT_FOR(x, outcomes(x, VESTIBULE_RECORDED) == 1);
}

/* Needs no broker. */
static void without_a_broker_events_are_kept_and_the_reason_is_told(void **state) {
	struct bench *x = (struct bench *)*state;
	struct vestibule_clip c = a_clip();
	open_device(x, "door-1", broker_free_port());
	assert_int_equal(vestibule_device_clip_ready(x->d, &c, NULL, NULL), VESTIBULE_OK);
	WAIT_FOR(x, counted(x, &x->told.offline) >= 2);
	assert_non_null(strstr(x->told.why, "cannot connect"));
	struct vestibule_status st;
	vestibule_device_status(x->d, &st);
	assert_int_equal(st.waiting, 1);
	assert_int_equal(st.sent, 0);
	vestibule_device_free(x->d);
	x->d = NULL;
	open_device(x, "door-1", broker_free_port());
	vestibule_device_status(x->d, &st);
	assert_int_equal(st.waiting, 1); /* and over a restart */
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(without_a_broker_events_are_kept_and_the_reason_is_told),
		T(events_arrive_in_order_and_a_clip_settles_with_its_ack),
		T(first_admin_is_told_when_its_receipt_says_recorded),
		T(reset_is_recorded_once_the_device_is_let_in_no_more),
		T(status_is_retained_and_says_offline_at_the_end),
		T(killed_device_leaves_offline_as_its_will),
		T(pulled_clip_comes_in_chunks_to_whoever_pulled),
		T(refused_clip_is_dropped_and_told_with_its_reason),
		T(clip_without_ack_comes_again_after_the_broker_restarted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
