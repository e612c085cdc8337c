/* What the kernel still holds for a reader goes with the connection, and only for that connection. */
#include "plugin/peer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/plugin/broker_stub.h"

struct pair {
	int reader,
		broker; /* both ends of a TCP connection on loopback; the reader's window is small */
	struct {
		int ident, sock;
	} client; /* as the broker's begins */
};

static void connect_pair(struct pair *p) {
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int small = 2048, listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	p->reader = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(p->reader, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(connect(p->reader, (struct sockaddr *)&at, sizeof(at)), 0);
	p->broker = accept(listener, NULL, NULL);
	assert_true(p->broker >= 0);
	assert_int_equal(close(listener), 0);
	assert_int_equal(fcntl(p->broker, F_SETFL, O_NONBLOCK), 0);
	p->client.ident = 2;
	p->client.sock = p->broker;
	stub_address = "127.0.0.1";
}

static struct peer peer(const struct pair *p) {
	return peer_of((const struct mosquitto *)&p->client);
}

static size_t fill(const struct pair *p, size_t most) {
	uint8_t block[1024] = {0};
	size_t sum = 0;
	while (sum < most) {
		ssize_t n = write(p->broker, block, sizeof(block));
		if (n < 0) break;
		sum += (size_t)n;
	}
	return sum;
}

/* All that still arrives; *reset: how it ended. */
static size_t drain(const struct pair *p, bool *reset) {
	uint8_t block[4096];
	size_t sum = 0;
	ssize_t n;
	while ((n = read(p->reader, block, sizeof(block))) > 0) sum += (size_t)n;
	*reset = n < 0 && errno == ECONNRESET;
	(void)close(p->reader);
	return sum;
}

static void i5_unsent_bytes_go_with_the_connection(void **state) {
	struct pair p;
	bool reset;
	(void)state;
	connect_pair(&p);
	struct peer known = peer(&p);
	assert_true(known.known);
	size_t written = fill(&p, 100000);
	assert_true(written > 50000);
	peer_drop_unsent(&known);
	(void)close(p.broker);
	assert_true(drain(&p, &reset) < 20000);
	assert_true(reset);
}

static void without_it_all_of_them_arrive(void **state) {
	struct pair p;
	bool reset;
	(void)state;
	connect_pair(&p);
	size_t written = fill(&p, 100000);
	(void)close(p.broker);
	assert_int_equal(drain(&p, &reset), written);
	assert_false(reset);
}

static void connection_with_nothing_unsent_closes_as_ever(void **state) {
	struct pair p;
	bool reset;
	(void)state;
	connect_pair(&p);
	struct peer known = peer(&p);
	assert_int_equal(fill(&p, 1024), 1024);
	peer_drop_unsent(&known);
	(void)close(p.broker);
	assert_int_equal(drain(&p, &reset), 1024);
	assert_false(reset);
}

static void what_does_not_fit_is_not_believed(void **state) {
	struct pair p;
	bool reset;
	(void)state;
	connect_pair(&p);
	assert_false(peer_of(NULL).known);
	stub_address = "127.0.0.2";
	assert_false(peer(&p).known);
	stub_address = NULL;
	assert_false(peer(&p).known);
	stub_address = "127.0.0.1";
	p.client.ident = 4; /* websockets */
	assert_false(peer(&p).known);
	p.client.ident = 2;
	p.client.sock = -1;
	assert_false(peer(&p).known);
	p.client.sock = STDIN_FILENO;
	assert_false(peer(&p).known);
	(void)close(p.broker);
	(void)drain(&p, &reset);
}

static void descriptor_of_another_connection_is_left_alone(void **state) {
	struct pair p, next;
	bool reset;
	(void)state;
	connect_pair(&p);
	struct peer known = peer(&p);
	(void)close(p.broker);
	(void)drain(&p, &reset);
	connect_pair(&next);
	known.fd = next.broker;
	size_t written = fill(&next, 100000);
	peer_drop_unsent(&known);
	(void)close(next.broker);
	assert_int_equal(drain(&next, &reset), written);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(i5_unsent_bytes_go_with_the_connection),
		cmocka_unit_test(without_it_all_of_them_arrive),
		cmocka_unit_test(connection_with_nothing_unsent_closes_as_ever),
		cmocka_unit_test(what_does_not_fit_is_not_believed),
		cmocka_unit_test(descriptor_of_another_connection_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
