/* Who does not know the code says nothing and hears nothing; what is said is bounded. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/hmac.h>
#include <openssl/ssl.h>

#include <cmocka.h>

#include "clients/enrol/channel.h"

#define RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
enum { MS = 10000, SHORT_MS = 300 };

struct half { /* one side, in a thread of its own */
	int sock;
	enum channel_side side;
	struct code code;
	int64_t timeout_ms;
	struct channel *channel;
	enum err error;
	char why[CHANNEL_WHY_SIZE];
};

static void *run_half(void *arg) {
	struct half *h = arg;
	h->channel = channel_open(h->sock, h->side, &h->code, h->timeout_ms, &h->error, h->why);
	return NULL;
}

static void open_both(struct half *device, struct half *home) {
	int pair[2];
	pthread_t thread;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	device->sock = pair[0];
	home->sock = pair[1];
	assert_int_equal(pthread_create(&thread, NULL, run_half, device), 0);
	(void)run_half(home);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void halves(struct half *device, struct half *home) {
	*device = (struct half){.side = CHANNEL_DEVICE, .timeout_ms = MS};
	*home = (struct half){.side = CHANNEL_HOME, .timeout_ms = MS};
	assert_int_equal(code_draw(&device->code), ERR_NONE);
	home->code = device->code;
}

static void good(struct half *device, struct half *home) {
	halves(device, home);
	open_both(device, home);
	assert_non_null(device->channel);
	assert_non_null(home->channel);
}

static void close_both(struct half *device, struct half *home) {
	channel_close(device->channel);
	channel_close(home->channel);
}

static void both_know_the_code_and_talk(void **state) {
	(void)state;
	struct half device, home;
	ProtobufCMessage *msg = NULL;
	good(&device, &home);
	Vestibule__V1__EnrolRecipient r = VESTIBULE__V1__ENROL_RECIPIENT__INIT, *list[] = {&r};
	Vestibule__V1__EnrolHome hello = VESTIBULE__V1__ENROL_HOME__INIT;
	r.recipient = (char *)(uintptr_t)RECIPIENT;
	hello.n_recipients = 1;
	hello.recipients = list;
	assert_int_equal(channel_send(home.channel, CODEC_ENROL_HOME, &hello.base, MS, home.why),
					 ERR_NONE);
	assert_int_equal(channel_receive(device.channel, CODEC_ENROL_HOME, &msg, MS, device.why),
					 ERR_NONE);
	const Vestibule__V1__EnrolHome *got = (const Vestibule__V1__EnrolHome *)msg;
	assert_int_equal(got->n_recipients, 1);
	assert_string_equal(got->recipients[0]->recipient, RECIPIENT);
	Vestibule__V1__EnrolResult result = VESTIBULE__V1__ENROL_RESULT__INIT;
	result.accepted = true;
	assert_int_equal(channel_send(device.channel, CODEC_ENROL_RESULT, &result.base, MS, device.why),
					 ERR_NONE);
	assert_int_equal(channel_receive(home.channel, CODEC_ENROL_RESULT, &msg, MS, home.why),
					 ERR_NONE);
	assert_true(((const Vestibule__V1__EnrolResult *)msg)->accepted);
	close_both(&device, &home);
}

static void a_wrong_code_opens_nothing_on_either_side(void **state) {
	(void)state;
	struct half device, home;
	for (size_t bit = 0; bit < 8 * CODE_BYTES; bit += 37) {
		halves(&device, &home);
		home.code.secret[bit / 8] ^= (uint8_t)(1u << bit % 8);
		open_both(&device, &home);
		assert_null(device.channel);
		assert_null(home.channel);
		assert_int_equal(device.error, ERR_INPUT);
		assert_int_equal(home.error, ERR_INPUT);
		assert_non_null(strstr(home.why, "does not know this code"));
	}
}

static void two_homes_or_two_devices_do_not_talk(void **state) {
	(void)state;
	struct half device, home;
	halves(&device, &home);
	device.side = CHANNEL_HOME;
	open_both(&device, &home);
	assert_null(device.channel);
	assert_null(home.channel);
	halves(&device, &home);
	home.side = CHANNEL_DEVICE;
	device.timeout_ms = home.timeout_ms = SHORT_MS;
	open_both(&device, &home);
	assert_null(device.channel);
	assert_null(home.channel);
	assert_int_equal(home.error, ERR_NET);
}

/* What was recorded of one exchange is nothing to the next: the keys are fresh. */
static void a_replayed_exchange_is_refused(void **state) {
	(void)state;
	struct half device, home, later;
	int to_device[2], to_home[2];
	uint8_t said[4096];
	size_t len = 0;
	pthread_t d, h;
	halves(&device, &home);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to_device), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to_home), 0);
	device.sock = to_device[0];
	home.sock = to_home[0];
	assert_int_equal(pthread_create(&d, NULL, run_half, &device), 0);
	assert_int_equal(pthread_create(&h, NULL, run_half, &home), 0);
	/* ClientHello, the server's flight, Finished: each is one write */
	for (int turn = 0; turn < 3; turn++) {
		int from = turn == 1 ? to_device[1] : to_home[1],
			into = turn == 1 ? to_home[1] : to_device[1];
		uint8_t piece[2048];
		ssize_t n = recv(from, piece, sizeof piece, 0);
		assert_true(n > 0 && len + (size_t)n <= sizeof said);
		if (turn != 1) {
			memcpy(said + len, piece, (size_t)n);
			len += (size_t)n;
		}
		assert_int_equal(send(into, piece, (size_t)n, 0), n);
	}
	assert_int_equal(pthread_join(d, NULL), 0);
	assert_int_equal(pthread_join(h, NULL), 0);
	assert_non_null(device.channel);
	close_both(&device, &home);
	(void)close(to_device[1]);
	(void)close(to_home[1]);

	later = (struct half){.side = CHANNEL_DEVICE, .timeout_ms = MS, .code = device.code};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to_device), 0);
	later.sock = to_device[0];
	assert_int_equal(send(to_device[1], said, len, 0), (ssize_t)len);
	(void)run_half(&later);
	assert_null(later.channel);
	assert_int_equal(later.error, ERR_INPUT);
	(void)close(to_device[1]);
}

/* --- a home of the test's own: the same key by another road, and bytes that channel.c never sends --- */

static struct code raw_code;

static int raw_offer(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len,
					 SSL_SESSION **session) {
	static const unsigned char name[] = "vestibule claim v1";
	static const unsigned char suite[] = {0x13, 0x01};
	uint8_t zero[32] = {0}, prk[32], psk[32];
	unsigned n = 0;
	(void)md;
	assert_non_null(HMAC(EVP_sha256(), zero, sizeof zero, raw_code.secret, CODE_BYTES, prk, &n));
	assert_non_null(
		HMAC(EVP_sha256(), prk, 32, (const uint8_t *)"vestibule/v1/claim-psk\x01", 23, psk, &n));
	*session = SSL_SESSION_new();
	assert_int_equal(SSL_SESSION_set1_master_key(*session, psk, sizeof psk), 1);
	assert_int_equal(SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, suite)), 1);
	assert_int_equal(SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION), 1);
	*id = name;
	*len = sizeof name - 1;
	return 1;
}

/* What the device makes of the bytes, when the home says them and leaves. */
static enum err device_hears(const uint8_t *bytes, size_t n, char why[CHANNEL_WHY_SIZE]) {
	struct half device = {.side = CHANNEL_DEVICE, .timeout_ms = MS};
	int pair[2];
	pthread_t thread;
	ProtobufCMessage *msg = NULL;
	assert_int_equal(code_draw(&raw_code), ERR_NONE);
	device.code = raw_code;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	device.sock = pair[0];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_psk_use_session_callback(ctx, raw_offer);
	SSL *ssl = SSL_new(ctx);
	assert_int_equal(SSL_set_fd(ssl, pair[1]), 1);
	assert_int_equal(pthread_create(&thread, NULL, run_half, &device), 0);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_non_null(device.channel);
	if (n > 0) assert_int_equal(SSL_write(ssl, bytes, (int)n), (int)n);
	(void)SSL_shutdown(ssl);
	(void)close(pair[1]);
	enum err e = channel_receive(device.channel, CODEC_ENROL_HOME, &msg, MS, why);
	channel_close(device.channel);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return e;
}

/* A device's server that knows no code but has a certificate, as any other server has. */
static void *run_certified(void *arg) {
	SSL *ssl = arg;
	(void)SSL_accept(ssl); /* fails */
	return NULL;
}

static X509 *self_signed(EVP_PKEY *key) {
	X509 *x = X509_new();
	assert_true(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -60));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static void a_certificate_is_no_code(void **state) {
	(void)state;
	struct half home = {.side = CHANNEL_HOME, .timeout_ms = MS};
	int pair[2];
	pthread_t thread;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = self_signed(key);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	SSL *ssl = SSL_new(ctx);
	assert_int_equal(code_draw(&home.code), ERR_NONE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	home.sock = pair[0];
	assert_int_equal(SSL_set_fd(ssl, pair[1]), 1);
	assert_int_equal(pthread_create(&thread, NULL, run_certified, ssl), 0);
	(void)run_half(&home);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_null(home.channel);
	assert_int_equal(home.error, ERR_INPUT);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	X509_free(x);
	EVP_PKEY_free(key);
	(void)close(pair[1]);
}

static void every_truncation_of_a_message_is_refused(void **state) {
	(void)state;
	char why[CHANNEL_WHY_SIZE];
	uint8_t hash[32] = {7};
	struct buf b;
	Vestibule__V1__EnrolRecipient r = VESTIBULE__V1__ENROL_RECIPIENT__INIT, *list[] = {&r};
	Vestibule__V1__EnrolHome hello = VESTIBULE__V1__ENROL_HOME__INIT;
	r.recipient = (char *)(uintptr_t)RECIPIENT;
	hello.n_recipients = 1;
	hello.recipients = list;
	hello.username = (char *)(uintptr_t) "alice";
	hello.token_sha256 = (ProtobufCBinaryData){sizeof hash, hash};
	buf_init(&b, 4096);
	buf_put(&b, "\0\0", 2);
	assert_int_equal(codec_encode(&hello.base, &b), ERR_NONE);
	size_t len = b.len - 2;
	b.ptr[1] = (uint8_t)len;
	assert_int_equal(device_hears(b.ptr, b.len, why), ERR_NONE);
	for (size_t n = 0; n < b.len; n++) assert_int_equal(device_hears(b.ptr, n, why), ERR_NET);
	for (size_t n = 0; n < len; n++) { /* whole frames of half messages */
		b.ptr[1] = (uint8_t)n;
		enum err e = device_hears(b.ptr, n + 2, why);
		/* the recipients alone are a message, too: that of a home that has its admin */
		if (n == 2 + 2 + 62)
			assert_int_equal(e, ERR_NONE);
		else
			assert_int_not_equal(e, ERR_NONE);
	}
	b.ptr[0] = 0x03; /* 768 is the most */
	b.ptr[1] = 0x01;
	assert_int_equal(device_hears(b.ptr, b.len, why), ERR_LIMIT);
	buf_fini(&b);
}

static void a_silent_peer_ends_by_the_clock(void **state) {
	(void)state;
	struct half device, home;
	ProtobufCMessage *msg = NULL;
	good(&device, &home);
	assert_int_equal(channel_receive(device.channel, CODEC_ENROL_HOME, &msg, SHORT_MS, device.why),
					 ERR_NET);
	close_both(&device, &home);
	int pair[2];
	halves(&device, &home);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	device.sock = pair[0];
	device.timeout_ms = SHORT_MS;
	(void)run_half(&device);
	assert_null(device.channel);
	assert_int_equal(device.error, ERR_NET);
	(void)close(pair[1]);
}

static void a_message_of_another_kind_is_refused(void **state) {
	(void)state;
	struct half device, home;
	ProtobufCMessage *msg = NULL;
	good(&device, &home);
	Vestibule__V1__EnrolDevice d = VESTIBULE__V1__ENROL_DEVICE__INIT;
	uint8_t key[32] = {1};
	d.device = (char *)(uintptr_t) "front";
	d.device_key = (ProtobufCBinaryData){sizeof key, key};
	d.host = (char *)(uintptr_t) "broker.example";
	d.port = 8883;
	assert_int_equal(channel_send(home.channel, CODEC_ENROL_DEVICE, &d.base, MS, home.why),
					 ERR_NONE);
	assert_int_not_equal(channel_receive(device.channel, CODEC_ENROL_HOME, &msg, MS, device.why),
						 ERR_NONE);
	d.port = 0;
	assert_int_equal(channel_send(home.channel, CODEC_ENROL_DEVICE, &d.base, MS, home.why),
					 ERR_INPUT);
	assert_non_null(strstr(home.why, "port"));
	close_both(&device, &home);
}

int main(void) {
	(void)signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_know_the_code_and_talk),
		cmocka_unit_test(a_wrong_code_opens_nothing_on_either_side),
		cmocka_unit_test(two_homes_or_two_devices_do_not_talk),
		cmocka_unit_test(a_replayed_exchange_is_refused),
		cmocka_unit_test(a_certificate_is_no_code),
		cmocka_unit_test(every_truncation_of_a_message_is_refused),
		cmocka_unit_test(a_silent_peer_ends_by_the_clock),
		cmocka_unit_test(a_message_of_another_kind_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
