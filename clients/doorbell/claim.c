/* See claim.h. */
#include "clients/doorbell/claim.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients/enrol/channel.h"
#include "clients/enrol/dial.h"
#include "lib/clock.h"

enum {
	WRONG_PAUSE_MS = 1000, /* after a wrong code; 128 bits need no more */
	BROKER_MS = 30000,     /* for the broker's answer, whoever asks it */
	CA_MAX = 16384
};

struct claim {
	struct claim_opts o;
	int listener;
	pthread_t thread;
	pthread_mutex_t lock; /* the three below */
	struct claim_state state;
	bool stop;
	int busy; /* a second name of the exchange's socket, to end it by; -1: none */
	char ca[CA_MAX + 1];
};

static bool is_stopped(struct claim *c) {
	(void)pthread_mutex_lock(&c->lock);
	bool stop = c->stop;
	(void)pthread_mutex_unlock(&c->lock);
	return stop;
}

static void note(struct claim *c, bool wrong, const char *why) {
	(void)pthread_mutex_lock(&c->lock);
	c->state.exchanges++;
	if (wrong) c->state.wrong++;
	(void)snprintf(c->state.last, sizeof c->state.last, "%s", why);
	(void)pthread_mutex_unlock(&c->lock);
}

/* --- one exchange ------------------------------------------------------------------------------ */

struct talk {
	struct channel *channel;
	struct offer offer;
	struct outcome_word word; /* what the resident is told */
	char why[CLAIM_WHY_SIZE];
};

static void refuse(struct talk *t, const char *reason, const char *sentence) {
	t->word.recorded = false;
	(void)snprintf(t->word.reason, sizeof t->word.reason, "%s", reason);
	(void)snprintf(t->word.sentence, sizeof t->word.sentence, "%.240s", sentence);
}

static enum err hear_offer(struct talk *t) {
	ProtobufCMessage *msg = NULL;
	enum err e = channel_receive(t->channel, CODEC_ENROL_HOME, &msg, CHANNEL_PATIENCE_MS, t->why);
	if (e != ERR_NONE) return e;
	e = offer_take((const Vestibule__V1__EnrolHome *)msg, &t->offer);
	if (e != ERR_NONE)
		(void)snprintf(t->why, sizeof t->why, "recipients: not all can be sealed to");
	return e;
}

static enum err say_who(const struct claim *c, struct talk *t) {
	Vestibule__V1__EnrolDevice d = VESTIBULE__V1__ENROL_DEVICE__INIT;
	/* only read: the generated structs know no const */
	d.device = (char *)(uintptr_t)c->o.name;
	d.device_key.data = (uint8_t *)(uintptr_t)enrolment_key(c->o.enrolment);
	d.device_key.len = SIGNER_PUBLIC_BYTES;
	d.host = (char *)(uintptr_t)c->o.host;
	d.port = c->o.port;
	d.tls = c->o.tls;
	d.ca_pem = (char *)(uintptr_t)c->ca;
	return channel_send(t->channel, CODEC_ENROL_DEVICE, &d.base, CHANNEL_PATIENCE_MS, t->why);
}

/* ERR_ABSENT: the resident takes it back. */
static enum err hear_go(struct talk *t) {
	ProtobufCMessage *msg = NULL;
	enum err e = channel_receive(t->channel, CODEC_ENROL_RESULT, &msg, BROKER_MS, t->why);
	if (e != ERR_NONE) return e;
	if (((const Vestibule__V1__EnrolResult *)msg)->accepted) return ERR_NONE;
	(void)snprintf(t->why, sizeof t->why, "the broker did not take the resident's claim");
	return ERR_ABSENT;
}

static enum err pin(const struct claim *c, struct talk *t) {
	enum err e = enrolment_claim(c->o.enrolment, &t->offer, t->why);
	t->word = (struct outcome_word){.recorded = e == ERR_NONE};
	if (e != ERR_NONE) refuse(t, "", t->why);
	return ERR_NONE;
}

/* On disk, then to the broker, then its answer; what it said to the enrolment is serve.c's business,
 * which hears it first. ERR_NET: it did not answer in time; it is asked again until it does. */
static enum err ask_broker(const struct claim *c, struct talk *t) {
	struct vestibule_fault fault;
	outcome_ask(c->o.outcome);
	if (enrolment_hold(c->o.enrolment, &t->offer, t->why) != ERR_NONE) {
		refuse(t, "", t->why);
		return ERR_NONE;
	}
	enum vestibule_error e =
		vestibule_device_first_admin(c->o.device, t->offer.username, t->offer.token_sha256, &fault);
	if (e != VESTIBULE_OK && e != VESTIBULE_BUSY) { /* BUSY: it waits already, for this offer */
		(void)snprintf(t->why, sizeof t->why, "%s: %s", fault.field, fault.limit);
		refuse(t, "", t->why);
		return enrolment_drop(c->o.enrolment, t->why);
	}
	if (outcome_wait(c->o.outcome, BROKER_MS, &t->word)) {
		/* the answer to an earlier question could have taken the offer away in between */
		if (t->word.recorded && enrolment_state(c->o.enrolment) != ENROLMENT_CLAIMED)
			return pin(c, t);
		return ERR_NONE;
	}
	(void)snprintf(t->why, sizeof t->why, "no answer from the broker yet");
	return ERR_NET;
}

static enum err say_result(struct talk *t) {
	Vestibule__V1__EnrolResult r = VESTIBULE__V1__ENROL_RESULT__INIT;
	r.accepted = t->word.recorded;
	r.reason = t->word.reason;
	r.sentence = t->word.sentence;
	return channel_send(t->channel, CODEC_ENROL_RESULT, &r.base, CHANNEL_PATIENCE_MS, t->why);
}

static void exchange(struct claim *c, int sock, const struct code *code) {
	struct talk t = {.channel = NULL};
	enum err e = ERR_NONE;
	t.channel = channel_open(sock, CHANNEL_DEVICE, code, CHANNEL_PATIENCE_MS, &e, t.why);
	if (!t.channel) {
		note(c, e == ERR_INPUT, t.why);
		if (e != ERR_INPUT) return;
		struct pollfd p = {.fd = c->o.wake, .events = POLLIN};
		(void)poll(&p, 1, WRONG_PAUSE_MS); /* a stop ends the pause */
		return;
	}
	if ((e = hear_offer(&t)) == ERR_NONE && (e = say_who(c, &t)) == ERR_NONE &&
		(e = hear_go(&t)) == ERR_NONE)
		e = t.offer.username[0] ? ask_broker(c, &t) : pin(c, &t);
	if (e == ERR_NONE) e = say_result(&t);
	channel_close(t.channel);
	note(c, false, e == ERR_NONE ? t.word.sentence : t.why);
}

/* --- the thread -------------------------------------------------------------------------------- */

static void close_listener(struct claim *c) {
	(void)pthread_mutex_lock(&c->lock);
	if (c->listener >= 0) (void)close(c->listener);
	c->listener = -1;
	c->state.at.port = 0;
	(void)pthread_mutex_unlock(&c->lock);
}

/* Closes the one before. False: it is time to stop. */
static bool set_busy(struct claim *c, int fd) {
	(void)pthread_mutex_lock(&c->lock);
	if (c->busy >= 0) (void)close(c->busy);
	c->busy = fd;
	bool go = !c->stop;
	(void)pthread_mutex_unlock(&c->lock);
	return go;
}

static void *run(void *arg) {
	struct claim *c = arg;
	struct code code;
	while (!is_stopped(c) && enrolment_code(c->o.enrolment, &code)) {
		eventfd_t ticks;
		struct pollfd fds[] = {{.fd = c->o.wake, .events = POLLIN},
							   {.fd = c->listener, .events = POLLIN}};
		if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
		if (fds[0].revents & POLLIN) (void)eventfd_read(c->o.wake, &ticks); /* looked at above */
		if (!(fds[1].revents & POLLIN) || (fds[0].revents & POLLIN)) continue;
		int sock = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
		if (sock < 0) continue;
		if (set_busy(c, dup(sock)))
			exchange(c, sock, &code);
		else
			(void)close(sock); /* unheard */
		(void)set_busy(c, -1); /* nothing to refuse */
	}
	explicit_bzero(&code, sizeof code);
	close_listener(c);
	if (enrolment_state(c->o.enrolment) == ENROLMENT_CLAIMED) {
		(void)puts("claimed; the code is of no use any more"); /* where the code was shown */
		(void)fflush(stdout);
	}
	return NULL;
}

/* --- starting ---------------------------------------------------------------------------------- */

static bool fail(char why[CLAIM_WHY_SIZE], const char *what, const char *cause) {
	(void)snprintf(why, CLAIM_WHY_SIZE, "%.150s%s%.150s", what, cause[0] ? ": " : "", cause);
	return false;
}

/* Only the certificates, in place: tools put words between them, which are no message's text. */
static void keep_certificates(char *pem) {
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	bool inside = false;
	char *out = pem;
	for (char *line = pem, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next) *next++ = '\0';
		size_t len = strcspn(line, "\r");
		if (len == sizeof begin - 1 && memcmp(line, begin, len) == 0) inside = true;
		if (!inside) continue;
		if (len == sizeof end - 1 && memcmp(line, end, len) == 0) inside = false;
		memmove(out, line, len);
		out += len;
		*out++ = '\n'; /* over its own line end, or the closing zero, which comes again below */
	}
	*out = '\0';
}

/* A large file is a bundle of the system's, which a resident has, too: none is given. */
static bool read_ca(struct claim *c, char why[CLAIM_WHY_SIZE]) {
	if (!c->o.ca_file) return true;
	FILE *f = fopen(c->o.ca_file, "re");
	if (!f) return fail(why, c->o.ca_file, strerror(errno));
	size_t n = fread(c->ca, 1, CA_MAX - 1, f); /* a line end may be added */
	bool bad = ferror(f) != 0, more = fgetc(f) != EOF;
	(void)fclose(f); /* only read from */
	if (bad) return fail(why, c->o.ca_file, "cannot be read");
	c->ca[more ? 0 : n] = '\0';
	keep_certificates(c->ca);
	return true;
}

static bool open_all(struct claim *c, char why[CLAIM_WHY_SIZE]) {
	char cause[DIAL_WHY_SIZE];
	int listener = -1;
	if (!read_ca(c, why)) return false;
	if (dial_listen(&c->o.at, &listener, &c->state.at, cause) != ERR_NONE)
		return fail(why, "--claim-at", cause);
	c->listener = listener;
	return true;
}

struct claim *claim_start(const struct claim_opts *opts, char why[CLAIM_WHY_SIZE]) {
	struct claim *c = calloc(1, sizeof *c);
	if (!c || pthread_mutex_init(&c->lock, NULL) != 0) {
		(void)fail(why, "out of memory", "");
		free(c);
		return NULL;
	}
	c->o = *opts;
	c->listener = c->busy = -1;
	bool ok = open_all(c, why);
	if (ok && pthread_create(&c->thread, NULL, run, c) != 0) ok = fail(why, "no thread", "");
	if (ok) return c;
	close_listener(c);
	(void)pthread_mutex_destroy(&c->lock); /* nobody holds it */
	free(c);
	return NULL;
}

void claim_stop(struct claim *c) {
	if (!c) return;
	(void)pthread_mutex_lock(&c->lock);
	c->stop = true;
	if (c->busy >= 0) (void)shutdown(c->busy, SHUT_RDWR);
	(void)pthread_mutex_unlock(&c->lock);
	outcome_end(c->o.outcome);
	(void)eventfd_write(c->o.wake, 1);     /* full: it is awake */
	(void)pthread_join(c->thread, NULL);   /* joined once, here */
	(void)pthread_mutex_destroy(&c->lock); /* the thread has ended */
	free(c);
}

void claim_look(struct claim *c, struct claim_state *out) {
	(void)pthread_mutex_lock(&c->lock);
	*out = c->state;
	(void)pthread_mutex_unlock(&c->lock);
}
