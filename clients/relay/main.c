/* vestibule-relay: options, signals, and the loop until one of them says stop. What it does is in
 * relay.c. */
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/relay/relay.h"

struct stopper {
	int fd;
	bool stop;
};

static int stopper_fd(void *ctx) {
	return ((struct stopper *)ctx)->fd;
}

static void stopper_run(void *ctx, short revents) {
	if (revents) ((struct stopper *)ctx)->stop = true;
}

/* TERM and INT become readable; a reader that left and a file that may not grow are errors of
 * calls, not deaths. */
static bool catch_signals(struct stopper *s) {
	sigset_t set;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	s->fd = -1;
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 || sigaction(SIGXFSZ, &ignore, NULL) != 0)
		return false;
	if (sigemptyset(&set) != 0 || sigaddset(&set, SIGTERM) != 0 || sigaddset(&set, SIGINT) != 0)
		return false;
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return false;
	s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->fd >= 0;
}

static enum exit_code serve_until_stopped(struct relay *r, struct stopper *s, struct log *log) {
	struct loop_source source = {.fd = stopper_fd, .run = stopper_run, .ctx = s};
	if (loop_add(relay_loop(r), &source) != ERR_NONE) return EXIT_INTERNAL;
	log_line(log, LOG_INFO, "started", "version", VESTIBULE_VERSION, NULL);
	while (!s->stop) {
		if (relay_turn(r) == ERR_NONE) continue;
		log_line(log, LOG_ERROR, "poll_failed", NULL);
		return EXIT_INTERNAL;
	}
	log_line(log, LOG_INFO, "stopped", NULL);
	return EXIT_RECORDED;
}

/* What --check can see without opening a network or somebody's database: credential and paths. */
static enum exit_code check(const struct opt_common *common) {
	char why[MQ_WHY_SIZE];
	struct mq *mq = mq_new(common, &(struct mq_opts){.reconnect = true}, why);
	if (!mq) return (enum exit_code)opt_usage(&options_program, "%s", why);
	mq_free(mq);
	return EXIT_RECORDED;
}

static enum exit_code run(const struct opt_common *common, const struct relay_options *options) {
	struct log log = {.level = common->verbose ? LOG_DEBUG : LOG_INFO};
	struct stopper s = {.stop = false};
	struct relay *r = NULL;
	char why[RELAY_WHY_SIZE];
	if (!options_are_good(options, why))
		return (enum exit_code)opt_usage(&options_program, "%s", why);
	if (options->check) return check(common);
	(void)umask(077); /* the outbox and its journal are the relay's alone */
	if (!catch_signals(&s) || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return EXIT_INTERNAL;
	enum exit_code rc = relay_new(common, options, &log, &r, why);
	if (rc == EXIT_RECORDED)
		rc = serve_until_stopped(r, &s, &log);
	else
		log_line(&log, LOG_ERROR, "not_started", "why", why, NULL);
	relay_free(r);
	(void)close(s.fd); /* only read from */
	curl_global_cleanup();
	return rc;
}

int main(int argc, char **argv) {
	struct opt_common common;
	struct relay_options options = {.check = false};
	struct opt_choice choice;
	int rc = opt_parse(&options_program, argc, argv, &common, &options, &choice);
	if (rc < 0) rc = (int)run(&common, &options);
	opt_fini(&choice);
	return rc;
}
