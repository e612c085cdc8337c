/* A plain Mosquitto of the test's own on a free port, and an observer that sees everything. No
 * plugin: the test plays its part. Without /usr/sbin/mosquitto broker_start answers false, and the
 * test says so. */
#ifndef TESTS_SDK_BROKER_H
#define TESTS_SDK_BROKER_H

#include "scratch.h"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define BROKER_PROGRAM "/usr/sbin/mosquitto"
enum { SEEN_MAX = 64, PATIENCE_MS = 15000 };

struct seen {
	char topic[160];
	size_t len;
	uint8_t *bytes;
	int qos;
	bool retained;
	long expiry_s;  /* -1: no property */
	int properties; /* how many there are */
};

struct broker {
	char dir[64];
	int port;
	pid_t pid;
	struct mosquitto *observer;
	size_t count;
	struct seen seen[SEEN_MAX];
};

static inline int broker_free_port(void) {
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static inline bool broker_answers(int port) {
	struct sockaddr_in a = {.sin_family = AF_INET,
							.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
							.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool yes = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
	if (fd >= 0) close(fd);
	return yes;
}

static inline void broker_run(struct broker *b) {
	char conf[96];
	(void)snprintf(conf, sizeof conf, "%s/conf", b->dir);
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		int quiet = open("/dev/null", O_WRONLY);
		(void)dup2(quiet, 1);
		(void)dup2(quiet, 2);
		execl(BROKER_PROGRAM, BROKER_PROGRAM, "-c", conf, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 100 && !broker_answers(b->port); i++) usleep(50000);
	assert_true(broker_answers(b->port));
}

static inline void broker_kill(struct broker *b) {
	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		(void)waitpid(b->pid, NULL, 0);
	}
	b->pid = 0;
}

static inline void broker_on_message(struct mosquitto *m, void *ctx,
									 const struct mosquitto_message *msg,
									 const mosquitto_property *props) {
	struct broker *b = (struct broker *)ctx;
	(void)m;
	assert_true(b->count < SEEN_MAX);
	struct seen *s = &b->seen[b->count++];
	*s = (struct seen){
		.len = (size_t)msg->payloadlen, .qos = msg->qos, .retained = msg->retain, .expiry_s = -1};
	(void)snprintf(s->topic, sizeof s->topic, "%s", msg->topic);
	s->bytes = (uint8_t *)malloc(s->len + 1);
	assert_non_null(s->bytes);
	if (s->len) memcpy(s->bytes, msg->payload, s->len);
	s->bytes[s->len] = '\0';
	for (const mosquitto_property *p = props; p; p = mosquitto_property_next(p)) s->properties++;
	uint32_t expiry;
	if (mosquitto_property_read_int32(props, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, &expiry, false))
		s->expiry_s = expiry;
}

static inline void broker_observe(struct broker *b) {
	b->observer = mosquitto_new("observer", true, b);
	assert_non_null(b->observer);
	mosquitto_int_option(b->observer, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_message_v5_callback_set(b->observer, broker_on_message);
	assert_int_equal(mosquitto_connect(b->observer, "127.0.0.1", b->port, 60), MOSQ_ERR_SUCCESS);
	assert_int_equal(mosquitto_subscribe(b->observer, NULL, "vestibule/#", 1), MOSQ_ERR_SUCCESS);
	for (int i = 0; i < 10; i++) (void)mosquitto_loop(b->observer, 50, 1);
}

static inline void broker_forget(struct broker *b) {
	for (size_t i = 0; i < b->count; i++) free(b->seen[i].bytes);
	b->count = 0;
}

static inline void broker_leave(struct broker *b) {
	if (b->observer) mosquitto_destroy(b->observer);
	b->observer = NULL;
}

static inline bool broker_start(struct broker *b) {
	char path[96], acl[96];
	*b = (struct broker){.pid = 0};
	if (access(BROKER_PROGRAM, X_OK) != 0) {
		(void)fprintf(stderr, "SKIPPED: needs " BROKER_PROGRAM ", which is not installed\n");
		return false;
	}
	scratch_dir(b->dir);
	b->port = broker_free_port();
	(void)snprintf(path, sizeof path, "%s/conf", b->dir);
	(void)snprintf(acl, sizeof acl, "%s/acl", b->dir);
	FILE *f = fopen(acl, "w");
	assert_non_null(f);
	(void)fprintf(
		f, "topic readwrite #\nuser door-1\ntopic readwrite #\n"
		   "user door-2\ntopic readwrite #\ntopic deny vestibule/v1/device/door-2/clip-ready\n");
	(void)fclose(f);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f,
				  "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nacl_file %s\n%s",
				  b->port, acl, geteuid() == 0 ? "user root\n" : "");
	(void)fclose(f);
	broker_run(b);
	(void)mosquitto_lib_init();
	broker_observe(b);
	return true;
}

static inline void broker_stop(struct broker *b) {
	broker_leave(b);
	broker_forget(b);
	broker_kill(b);
	if (b->dir[0]) scratch_remove(b->dir);
}

/* Runs the observer until a message on the topic is there after index *from; its index goes to
 * *from + 1. */
static inline const struct seen *broker_expect(struct broker *b, size_t *from, const char *topic) {
	for (int64_t end = clock_read().boot_ms + PATIENCE_MS; clock_read().boot_ms < end;) {
		for (size_t i = *from; i < b->count; i++) {
			if (strcmp(b->seen[i].topic, topic) != 0) continue;
			*from = i + 1;
			return &b->seen[i];
		}
		(void)mosquitto_loop(b->observer, 20, 1);
	}
	fail_msg("no message on %s", topic);
	return NULL;
}

static inline void broker_publish(struct broker *b, const char *topic,
								  const ProtobufCMessage *msg) {
	struct buf bytes;
	buf_init(&bytes, 65536);
	assert_int_equal(codec_encode(msg, &bytes), ERR_NONE);
	assert_int_equal(
		mosquitto_publish(b->observer, NULL, topic, (int)bytes.len, bytes.ptr, 0, false),
		MOSQ_ERR_SUCCESS);
	buf_fini(&bytes);
}

#endif
