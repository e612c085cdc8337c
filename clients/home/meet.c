/* See meet.h. */
#include "clients/home/meet.h"

#include <signal.h>

#include "clients/enrol/dial.h"
#include "clients/home/session.h"

static enum exit_code say_hello(struct meet *m, const struct meet_opts *o) {
	char why[CHANNEL_WHY_SIZE];
	Vestibule__V1__EnrolRecipient items[SETUP_RECIPIENTS_MAX], *list[SETUP_RECIPIENTS_MAX];
	Vestibule__V1__EnrolHome hello = VESTIBULE__V1__ENROL_HOME__INIT;
	for (size_t i = 0; i < o->setup->count; i++) {
		vestibule__v1__enrol_recipient__init(&items[i]);
		/* only read: the generated structs know no const */
		items[i].recipient = (char *)(uintptr_t)o->setup->recipients[i];
		list[i] = &items[i];
	}
	hello.n_recipients = o->setup->count;
	hello.recipients = list;
	if (o->username) {
		hello.username = (char *)(uintptr_t)o->username;
		hello.token_sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)o->token_sha256};
	}
	enum err e = channel_send(m->channel, CODEC_ENROL_HOME, &hello.base, m->timeout_ms, why);
	if (e == ERR_NONE) return EXIT_RECORDED;
	return session_fail(e == ERR_INPUT ? EXIT_USAGE : EXIT_TIMEOUT, "%s", why);
}

static enum exit_code hear_device(struct meet *m) {
	char why[CHANNEL_WHY_SIZE];
	ProtobufCMessage *msg = NULL;
	enum err e = channel_receive(m->channel, CODEC_ENROL_DEVICE, &msg, m->timeout_ms, why);
	if (e != ERR_NONE) return session_fail(EXIT_TIMEOUT, "no word from the device: %s", why);
	const Vestibule__V1__EnrolDevice *d = (const Vestibule__V1__EnrolDevice *)msg;
	m->port = (uint16_t)d->port;
	m->tls = d->tls;
	memcpy(m->key, d->device_key.data, sizeof m->key); /* 32 bytes, as every part, by the codec */
	if (!span_copy(span_str(d->device), m->device, sizeof m->device) ||
		!span_copy(span_str(d->host), m->host, sizeof m->host) ||
		!span_copy(span_str(d->ca_pem), m->ca_pem, sizeof m->ca_pem))
		return session_fail(EXIT_INTERNAL, "the device's answer does not fit");
	return EXIT_RECORDED;
}

enum exit_code meet_open(struct meet *m, const struct meet_opts *o) {
	char why[CHANNEL_WHY_SIZE];
	int sock = -1;
	enum err e = ERR_NONE;
	*m = (struct meet){.timeout_ms = o->timeout_ms};
	(void)signal(SIGPIPE, SIG_IGN); /* a device that leaves is an error, not the end */
	if (dial_connect(o->at, o->timeout_ms, &sock, why) != ERR_NONE)
		return session_fail(EXIT_UNAVAILABLE, "the device does not answer: %s", why);
	m->channel = channel_open(sock, CHANNEL_HOME, o->code, o->timeout_ms, &e, why);
	if (!m->channel && e == ERR_INPUT)
		return session_fail(EXIT_REFUSED, "wrong code: %s; it is not a typing error", why);
	if (!m->channel) return session_fail(EXIT_TIMEOUT, "the device does not answer: %s", why);
	enum exit_code rc = say_hello(m, o);
	return rc == EXIT_RECORDED ? hear_device(m) : rc;
}

enum exit_code meet_settle(struct meet *m, bool accepted) {
	char why[CHANNEL_WHY_SIZE];
	ProtobufCMessage *msg = NULL;
	Vestibule__V1__EnrolResult word = VESTIBULE__V1__ENROL_RESULT__INIT;
	word.accepted = accepted;
	enum err e = channel_send(m->channel, CODEC_ENROL_RESULT, &word.base, m->timeout_ms, why);
	if (!accepted) return EXIT_RECORDED;
	if (e == ERR_NONE)
		e = channel_receive(m->channel, CODEC_ENROL_RESULT, &msg, m->timeout_ms, why);
	if (e != ERR_NONE) return session_fail(EXIT_TIMEOUT, "no word from the device: %s", why);
	const Vestibule__V1__EnrolResult *r = (const Vestibule__V1__EnrolResult *)msg;
	if (r->accepted) return EXIT_RECORDED;
	(void)span_copy(span_str(r->reason), m->reason,
					sizeof m->reason); /* a word of 64, by the codec */
	return session_fail(EXIT_REFUSED, "refused: %s%s%s%s", r->sentence, m->reason[0] ? " (" : "",
						m->reason, m->reason[0] ? ")" : "");
}

void meet_close(struct meet *m) {
	channel_close(m->channel);
	m->channel = NULL;
}
