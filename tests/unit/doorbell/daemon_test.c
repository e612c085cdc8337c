/* The daemon and its commands over the socket. There is no broker: a doorbell accepts events
 * without one. */
#include "../sdk/scratch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "clients/doorbell/ask.h"
#include "clients/doorbell/listen.h"
#include "clients/doorbell/serve.h"
#include "clients/doorbell/wire.h"

struct bench {
	char dir[64];
	char socket[96], spool[96], clips[96];
	char out[4096]; /* of the last command */
	struct opt_common common;
	struct settings s;
	pid_t daemon;
};

static uint16_t closed_port(void) {
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

/* Runs one of ours in a child, its standard output in b->out; its exit code. */
static int run(struct bench *b, int (*command)(const struct opt_common *, void *)) {
	int ends[2], status = -1;
	size_t len = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int quiet = open("/dev/null", O_WRONLY);
		(void)dup2(ends[1], 1);
		(void)dup2(quiet, 2);
		int rc = command(&b->common, &b->s);
		(void)fflush(stdout);
		_exit(rc);
	}
	close(ends[1]);
	for (ssize_t n;
		 len < sizeof b->out - 1 && (n = read(ends[0], b->out + len, sizeof b->out - 1 - len)) > 0;)
		len += (size_t)n;
	b->out[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void start(struct bench *b) {
	b->daemon = fork();
	assert_true(b->daemon >= 0);
	if (b->daemon == 0) {
		int quiet = open("/dev/null", O_WRONLY);
		(void)dup2(quiet, 2);
		_exit(serve_run(&b->common, &b->s));
	}
	for (int i = 0; i < 200 && access(b->socket, F_OK) != 0; i++) usleep(10000);
	usleep(20000);
}

static int stop(struct bench *b, int sig) {
	int status = -1;
	if (b->daemon <= 0) return -1;
	kill(b->daemon, sig);
	(void)waitpid(b->daemon, &status, 0);
	b->daemon = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int setup(void **state) {
	struct bench *b = (struct bench *)calloc(1, sizeof *b);
	assert_non_null(b);
	scratch_dir(b->dir);
	(void)snprintf(b->socket, sizeof b->socket, "%s/socket", b->dir);
	(void)snprintf(b->spool, sizeof b->spool, "%s/spool", b->dir);
	(void)snprintf(b->clips, sizeof b->clips, "%s/clips", b->dir);
	b->common = (struct opt_common){.host = "127.0.0.1",
									.port = closed_port(),
									.username = "door-1",
									.token = "0123456789abcdef",
									.timeout_ms = 5000};
	b->s = (struct settings){.socket = b->socket,
							 .spool = b->spool,
							 .clips = b->clips,
							 .clock = "synced",
							 .spool_files = 3,
							 .spool_bytes = 65536,
							 .clips_bytes = 100000,
							 .kind = "person",
							 .confidence = "0.9",
							 .trigger = "ring",
							 .file = "tests/media/doorstep.mp4"};
	*state = b;
	return 0;
}

static int teardown(void **state) {
	struct bench *b = (struct bench *)*state;
	(void)stop(b, SIGTERM);
	scratch_remove(b->dir);
	free(b);
	return 0;
}

static size_t files_in(const char *path, const char *end) {
	struct scratch s;
	(void)snprintf(s.dir, sizeof s.dir, "%s", path);
	return scratch_files(&s, end);
}

static void ok_comes_after_the_event_is_on_disk(void **state) {
	struct bench *b = (struct bench *)*state;
	start(b);
	assert_int_equal(run(b, ask_ring), EXIT_RECORDED);
	assert_non_null(strstr(b->out, "event_id: "));
	assert_int_equal(files_in(b->spool, "-ring"), 1);
	assert_int_equal(run(b, ask_motion), EXIT_RECORDED);
	assert_int_equal(files_in(b->spool, "-motion"), 1);
	b->common.json = true;
	assert_int_equal(run(b, ask_clip), EXIT_RECORDED);
	assert_non_null(strstr(b->out, "{\"ok\":true,\"event_id\":\""));
	assert_non_null(strstr(b->out, "\"duration_ms\":6000"));
	assert_non_null(strstr(b->out, "\"sha256\":\""));
	assert_int_equal(files_in(b->spool, "-clip"), 1);
	assert_int_equal(files_in(b->clips, ".mp4"), 1);
	assert_int_equal(stop(b, SIGKILL), -1);
	start(b); /* over the socket file that the killed one left */
	assert_int_equal(run(b, ask_status), EXIT_RECORDED);
	assert_non_null(strstr(b->out, "\"waiting\":3"));
	assert_non_null(strstr(b->out, "\"clips\":1"));
}

static void options_of_a_clip_are_taken(void **state) {
	struct bench *b = (struct bench *)*state;
	b->common.json = true;
	b->s.start_ms = 1700000000000;
	b->s.duration_ms = 1234;
	start(b);
	assert_int_equal(run(b, ask_clip), EXIT_RECORDED);
	assert_non_null(strstr(b->out, "\"start_ms\":1700000000000"));
	assert_non_null(strstr(b->out, "\"duration_ms\":1234"));
}

static void mistakes_are_refused_and_nothing_is_kept(void **state) {
	struct bench *b = (struct bench *)*state;
	start(b);
	b->s.kind = "dragon";
	assert_int_equal(run(b, ask_motion), EXIT_USAGE);
	b->s.kind = "person";
	b->s.confidence = "1.5";
	assert_int_equal(run(b, ask_motion), EXIT_USAGE);
	b->s.trigger = "unspecified";
	assert_int_equal(run(b, ask_clip), EXIT_USAGE);
	b->s.trigger = "ring";
	b->s.file = "tests/media/README.md"; /* no MP4, no duration */
	b->common.json = true;
	assert_int_equal(run(b, ask_clip), EXIT_REFUSED);
	assert_non_null(strstr(b->out, "{\"ok\":false,\"field\":\"FILE\""));
	b->s.file = "tests/media/absent.mp4";
	assert_int_equal(run(b, ask_clip), EXIT_USAGE);
	assert_int_equal(run(b, ask_status), EXIT_RECORDED);
	assert_non_null(strstr(b->out, "\"waiting\":0"));
	assert_non_null(strstr(b->out, "\"clips\":0"));
}

static void full_spool_is_a_temporary_failure_and_the_clip_file_goes(void **state) {
	struct bench *b = (struct bench *)*state;
	start(b);
	for (int i = 0; i < 3; i++) assert_int_equal(run(b, ask_clip), EXIT_RECORDED);
	assert_int_equal(files_in(b->clips, ".mp4"), 3);
	assert_int_equal(run(b, ask_clip), EXIT_TIMEOUT);
	assert_int_equal(files_in(b->clips, ".mp4"), 3);
	assert_int_equal(run(b, ask_ring), EXIT_TIMEOUT);
	assert_int_equal(files_in(b->spool, "-clip"), 3);
}

static void without_a_daemon_the_client_says_so(void **state) {
	struct bench *b = (struct bench *)*state;
	assert_int_equal(run(b, ask_ring), EXIT_UNAVAILABLE);
}

static int run_server(const struct opt_common *common, void *settings) {
	return serve_run(common, (const struct settings *)settings);
}

static void second_daemon_is_refused_and_the_first_lives_on(void **state) {
	struct bench *b = (struct bench *)*state;
	start(b);
	assert_int_equal(run(b, run_server), EXIT_USAGE); /* its spool is in use */
	const char *spool = b->s.spool;
	char other[96];
	(void)snprintf(other, sizeof other, "%s/other", b->dir);
	b->s.spool = other;
	assert_int_equal(run(b, run_server), EXIT_REFUSED); /* its socket is in use */
	b->s.spool = spool;
	assert_int_equal(run(b, ask_ring), EXIT_RECORDED);
}

static void socket_is_for_its_owner_alone_and_goes_with_the_daemon(void **state) {
	struct bench *b = (struct bench *)*state;
	struct stat st;
	start(b);
	assert_int_equal(stat(b->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stop(b, SIGTERM), EXIT_RECORDED);
	assert_int_equal(access(b->socket, F_OK), -1);
}

/* A connection that is being served and says nothing. A place is free a moment after its answer:
 * try until taken. */
static int keep_silent(struct bench *b) {
	char byte;
	for (int i = 0; i < 100; i++) {
		int sock;
		assert_int_equal(listen_connect(b->socket, 1000, &sock), ERR_NONE);
		usleep(50000);
		if (recv(sock, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN) return sock;
		close(sock); /* it was told to come again */
	}
	fail_msg("no place became free");
	return -1;
}

static void silent_clients_do_not_keep_others_waiting(void **state) {
	struct bench *b = (struct bench *)*state;
	int silent[SERVE_CONNECTIONS];
	start(b);
	for (int i = 0; i < SERVE_CONNECTIONS - 1; i++) silent[i] = keep_silent(b);
	assert_int_equal(run(b, ask_ring), EXIT_RECORDED);
	silent[SERVE_CONNECTIONS - 1] = keep_silent(b);
	assert_int_equal(run(b, ask_ring), EXIT_TIMEOUT); /* the bound: told to come again */
	for (int i = 0; i < SERVE_CONNECTIONS; i++) close(silent[i]);
	int again = EXIT_TIMEOUT;
	for (int i = 0; i < 100 && again == EXIT_TIMEOUT; i++) again = run(b, ask_ring);
	assert_int_equal(again, EXIT_RECORDED);
}

static void rubbish_on_the_socket_is_answered_and_survived(void **state) {
	struct bench *b = (struct bench *)*state;
	static const char *const lines[] = {"\n",       "\xff\xfe\n",  "fly\n", "clip\ttrigger=ring\n",
										"motion\n", "ring\tring\n"};
	start(b);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct buf answer;
		int sock, fd;
		buf_init(&answer, WIRE_LINE_MAX);
		assert_int_equal(listen_connect(b->socket, 5000, &sock), ERR_NONE);
		assert_int_equal(wire_send(sock, span_str(lines[i]), -1), ERR_NONE);
		assert_int_equal(wire_receive(sock, &answer, &fd), ERR_NONE);
		assert_true(span_starts(buf_view(&answer), SPAN_LIT("64\t")));
		buf_fini(&answer);
		close(sock);
	}
	assert_int_equal(run(b, ask_ring), EXIT_RECORDED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		T(ok_comes_after_the_event_is_on_disk),
		T(options_of_a_clip_are_taken),
		T(mistakes_are_refused_and_nothing_is_kept),
		T(full_spool_is_a_temporary_failure_and_the_clip_file_goes),
		T(without_a_daemon_the_client_says_so),
		T(second_daemon_is_refused_and_the_first_lives_on),
		T(socket_is_for_its_owner_alone_and_goes_with_the_daemon),
		T(silent_clients_do_not_keep_others_waiting),
		T(rubbish_on_the_socket_is_answered_and_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
