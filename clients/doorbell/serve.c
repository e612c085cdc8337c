/* See serve.h. */
#include "clients/doorbell/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients/doorbell/answer.h"
#include "clients/doorbell/listen.h"
#include "clients/doorbell/qr.h"
#include "clients/mq/token.h"

struct server {
	struct answer_to to;
	struct ownership own;
	int listener;
	int signals;
	char socket_path[SETTINGS_PATH_SIZE];
	char spool[SETTINGS_PATH_SIZE];
	pthread_mutex_t lock; /* the two below */
	pthread_cond_t idle;
	int socks[SERVE_CONNECTIONS]; /* -1: free */
	int active;
};

struct visit { /* what a connection's thread gets; freed by it */
	struct server *server;
	int at; /* in socks */
};

static int complain(int code, const char *what, const char *why) {
	(void)fprintf(stderr, "vestibule-doorbell: %s%s%s\n", what, why[0] ? ": " : "", why);
	return code;
}

/* --- connections ----------------------------------------------------------------------------- */

static void talk(const struct server *s, int sock) {
	struct buf line, answer;
	int fd = -1;
	buf_init(&line, WIRE_LINE_MAX);
	buf_init(&answer, WIRE_LINE_MAX);
	if (wire_receive(sock, &line, &fd) == ERR_NONE) {
		answer_line(&s->to, buf_view(&line), fd, &answer);
		buf_char(&answer, '\n');
		/* a client that went away does not undo its event: it is in the spool */
		if (buf_error(&answer) == ERR_NONE) (void)!wire_send(sock, buf_view(&answer), -1);
	}
	if (fd >= 0) (void)close(fd); /* read only */
	buf_fini(&line);
	buf_fini(&answer);
}

static void leave(struct server *s, int at) {
	(void)pthread_mutex_lock(&s->lock);
	(void)close(s->socks[at]);
	s->socks[at] = -1;
	s->active--;
	(void)pthread_cond_signal(&s->idle);
	(void)pthread_mutex_unlock(&s->lock);
}

static void *visit(void *arg) {
	struct visit v = *(struct visit *)arg;
	free(arg);
	talk(v.server, v.server->socks[v.at]);
	leave(v.server, v.at);
	return NULL;
}

/* A free place for sock; -1: all are taken. */
static int enter(struct server *s, int sock) {
	int at = -1;
	(void)pthread_mutex_lock(&s->lock);
	for (int i = 0; i < SERVE_CONNECTIONS && at < 0; i++)
		if (s->socks[i] < 0) at = i;
	if (at >= 0) {
		s->socks[at] = sock;
		s->active++;
	}
	(void)pthread_mutex_unlock(&s->lock);
	return at;
}

static bool start_visit(struct server *s, int at) {
	pthread_t thread;
	pthread_attr_t detached;
	struct visit *v = (struct visit *)malloc(sizeof *v);
	if (!v) return false;
	*v = (struct visit){.server = s, .at = at};
	if (pthread_attr_init(&detached) != 0) {
		free(v);
		return false;
	}
	bool ok = pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) == 0 &&
			  pthread_create(&thread, &detached, visit, v) == 0;
	(void)pthread_attr_destroy(&detached); /* cannot fail for an initialised one */
	if (!ok) free(v);
	return ok;
}

static void welcome(struct server *s) {
	static const char busy[] = "75\tmessage=too many commands at once, try again\n";
	int sock = listen_accept(s->listener);
	if (sock < 0) return;
	int at = enter(s, sock);
	if (at >= 0 && start_visit(s, at)) return;
	(void)!wire_send(sock, span_of(busy, sizeof busy - 1), -1); /* it is told, or it went away */
	if (at >= 0)
		leave(s, at);
	else
		(void)close(sock);
}

/* Waits for those who are being served; their sockets are shut, so that nobody waits for a silent
 * client. */
static void farewell(struct server *s) {
	(void)pthread_mutex_lock(&s->lock);
	for (int i = 0; i < SERVE_CONNECTIONS; i++)
		if (s->socks[i] >= 0) (void)shutdown(s->socks[i], SHUT_RD);
	while (s->active > 0) (void)pthread_cond_wait(&s->idle, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
}

static int loop(struct server *s) {
	struct pollfd fds[] = {{.fd = s->signals, .events = POLLIN},
						   {.fd = s->listener, .events = POLLIN},
						   {.fd = s->own.over, .events = POLLIN}};
	for (;;) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return complain(EXIT_INTERNAL, "poll", strerror(errno));
		if ((fds[0].revents | fds[2].revents) & POLLIN) break;
		if (fds[1].revents & POLLIN) welcome(s);
	}
	farewell(s);
	return EXIT_RECORDED;
}

/* --- starting -------------------------------------------------------------------------------- */

static void write_log(void *ctx, enum vestibule_level level, const char *line) {
	(void)ctx;
	static const char *const words[] = {"error", "warn", "info", "debug"};
	(void)fprintf(stderr, "level=%s %s\n", words[level], line);
}

static int64_t read_clip(void *ctx, const struct vestibule_read *want, uint8_t *into,
						 uint64_t *size) {
	return clips_read(((const struct server *)ctx)->to.clips, want, into, size);
}

static void hear(void *ctx, const struct vestibule_claimed *claim) {
	ownership_told(&((struct server *)ctx)->own, claim);
}

static int clock_of(const char *word, enum vestibule_clock *out) {
	static const char *const words[] = {"kernel", "synced", "unsynced"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(word, words[i]) != 0) continue;
		*out = (enum vestibule_clock)i;
		return -1;
	}
	return complain(EXIT_USAGE, "--clock", "kernel, synced or unsynced");
}

/* -1: go on. */
static int read_token(const struct opt_common *common, char token[TOKEN_TEXT_MAX + 1]) {
	char why[TOKEN_WHY_SIZE];
	token[0] = '\0';
	if (common->token_file) {
		if (token_read(common->token_file, token, why) != ERR_NONE)
			return complain(EXIT_USAGE, "--token-file", why);
	} else if (common->token && !span_copy(span_str(common->token), token, TOKEN_TEXT_MAX + 1)) {
		return complain(EXIT_USAGE, "token", "at most 128 characters");
	}
	return -1;
}

static int open_device(struct server *s, const struct opt_common *common,
					   const struct settings *set) {
	char token[TOKEN_TEXT_MAX + 1], text[300];
	struct vestibule_fault why;
	enum vestibule_clock clock = VESTIBULE_CLOCK_KERNEL;
	if (settings_folder(set->spool, "spool", s->spool) != ERR_NONE)
		return complain(EXIT_USAGE, "--spool", "no usable path; give one");
	if (!common->username)
		return complain(EXIT_USAGE, "--username", "the device's credential is needed");
	if (common->client_id_suffix)
		return complain(EXIT_USAGE, "--client-id-suffix", "a device connects as its username");
	int rc = clock_of(set->clock, &clock);
	if (rc < 0) rc = read_token(common, token);
	if (rc >= 0) return rc;
	struct vestibule_config c = {.host = common->host,
								 .port = (uint16_t)common->port,
								 .ca_file = common->cafile,
								 .cert_file = common->cert,
								 .key_file = common->key,
								 .username = common->username,
								 .token = token[0] ? token : NULL,
								 .device = set->device,
								 .keepalive_s = (uint16_t)set->keepalive_s,
								 .clock = clock,
								 .spool_dir = s->spool,
								 .spool_files_max = (uint32_t)set->spool_files,
								 .spool_bytes_max = (uint64_t)set->spool_bytes,
								 .clip_read = read_clip,
								 .claimed = hear,
								 .log = write_log,
								 .log_level =
									 common->verbose ? VESTIBULE_LOG_DEBUG : VESTIBULE_LOG_WARN,
								 .ctx = s};
	s->to.device = vestibule_device_new(&c, &why);
	explicit_bzero(token, sizeof token);
	s->to.name = set->device ? set->device : common->username;
	if (s->to.device) return -1;
	(void)snprintf(text, sizeof text, "%s%s%s", why.field, why.field[0] ? ": " : "", why.limit);
	return complain(EXIT_USAGE, "the device cannot start", text);
}

static int open_clips(struct server *s, const struct settings *set) {
	char dir[SETTINGS_PATH_SIZE], why[CLIPS_WHY_SIZE];
	if (settings_folder(set->clips, "clips", dir) != ERR_NONE)
		return complain(EXIT_USAGE, "--clips", "no usable path; give one");
	s->to.clips = clips_open(dir, (uint64_t)set->clips_bytes, why);
	return s->to.clips ? -1 : complain(EXIT_USAGE, "--clips", why);
}

/* After the device, whose spool is locked: one daemon a folder. */
static int open_ownership(struct server *s, const struct settings *set) {
	char dir[SETTINGS_PATH_SIZE], why[OWNERSHIP_WHY_SIZE];
	if (settings_keys(set, dir) != ERR_NONE)
		return complain(EXIT_USAGE, "--keys", "no usable path; give one");
	if (!ownership_open(&s->own, dir, why)) return complain(EXIT_USAGE, "--keys", why);
	s->own.device = s->to.device;
	s->own.clips = s->to.clips;
	s->own.spool = s->spool;
	s->to.own = &s->own;
	return -1;
}

/* Where people look: on the terminal, or in the log that keeps what the daemon prints. */
static void show_code(const struct server *s, const struct settings *set) {
	char code[CODE_TEXT_SIZE];
	struct buf uri, picture;
	buf_init(&uri, CODE_URI_MAX);
	buf_init(&picture, QR_BYTES_MAX);
	if (ownership_uri(&s->own, &uri, code)) {
		(void)printf("unclaimed; claim code %s\n  vestibule-home claim '%s' --username YOU\n", code,
					 buf_cstr(&uri));
		if ((set->qr || isatty(STDOUT_FILENO) == 1) &&
			qr_draw(buf_cstr(&uri), false, &picture) == ERR_NONE)
			(void)fputs(buf_cstr(&picture), stdout);
		(void)fflush(stdout); /* the code can be asked for again */
	}
	buf_fini(&picture);
	buf_fini(&uri);
}

static int start(struct server *s, const struct opt_common *common, const struct settings *set) {
	char why[OWNERSHIP_WHY_SIZE];
	struct vestibule_fault fault;
	struct claim_opts claim = {.name = s->to.name,
							   .host = common->host,
							   .port = (uint16_t)common->port,
							   .tls = common->cafile || common->cert || common->key,
							   .ca_file = common->cafile};
	if (settings_claim_at(set, &claim.at) != ERR_NONE)
		return complain(EXIT_USAGE, "--claim-at", "HOST:PORT with a port of 0-65535, or off");
	if (vestibule_device_connect(s->to.device, &fault) != VESTIBULE_OK)
		return complain(EXIT_INTERNAL, fault.field, fault.limit);
	if (!ownership_start(&s->own, &claim, why)) return complain(EXIT_USAGE, "claim", why);
	show_code(s, set);
	return -1;
}

static int open_socket(struct server *s, const struct settings *set) {
	char why[LISTEN_WHY_SIZE];
	sigset_t stop;
	if (settings_socket(set, s->socket_path) != ERR_NONE)
		return complain(EXIT_USAGE, "--socket", "no usable path of at most 107 bytes; give one");
	(void)sigemptyset(&stop); /* these three cannot fail for known signals */
	(void)sigaddset(&stop, SIGTERM);
	(void)sigaddset(&stop, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &stop, NULL) != 0) return complain(EXIT_INTERNAL, "signals", "");
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &stop, SFD_CLOEXEC);
	if (s->signals < 0) return complain(EXIT_INTERNAL, "signalfd", strerror(errno));
	enum err e = listen_open(s->socket_path, &s->listener, why);
	if (e != ERR_NONE) return complain(e == ERR_LIMIT ? EXIT_REFUSED : EXIT_USAGE, "--socket", why);
	return -1;
}

int serve_run(const struct opt_common *common, const struct settings *set) {
	struct server s = {.listener = -1,
					   .signals = -1,
					   .own = {.over = -1, .wake = -1},
					   .lock = PTHREAD_MUTEX_INITIALIZER,
					   .idle = PTHREAD_COND_INITIALIZER};
	for (int i = 0; i < SERVE_CONNECTIONS; i++) s.socks[i] = -1;
	int rc = open_clips(&s, set);
	if (rc < 0) rc = open_device(&s, common, set);
	if (rc < 0) rc = open_ownership(&s, set);
	if (rc < 0) rc = open_socket(&s, set);
	if (rc < 0) rc = start(&s, common, set);
	if (rc < 0) rc = loop(&s);
	listen_close(s.listener, s.socket_path);
	if (s.signals >= 0) (void)close(s.signals);
	ownership_stop(&s.own);
	vestibule_device_free(s.to.device);
	if (!ownership_close(&s.own)) rc = EXIT_INTERNAL;
	clips_close(s.to.clips);
	return rc;
}
