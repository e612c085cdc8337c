/* The local exchange of a claim: a TLS 1.3 connection whose only credential is the claim code, and
 * one message after another on it. The code becomes an external PSK (RFC 8446 2.2; HKDF-SHA-256 with
 * an info of its own, so that it serves nothing else), always with (EC)DHE: who records the
 * connection and learns the code later still reads nothing. There are no certificates, no tickets,
 * no early data, no other version; the device is always the server and the resident always the
 * client (RFC 9257 5.2). Both sides prove the code before the first message.
 *
 *     message = length[2], big-endian || protobuf of the kind whose turn it is, at most its maximum
 *
 * Blocking, each call with its own time limit. One thread a channel. */
#ifndef ENROL_CHANNEL_H
#define ENROL_CHANNEL_H

#include "clients/enrol/code.h"
#include "proto/codec.h"

enum { CHANNEL_WHY_SIZE = 256, CHANNEL_PATIENCE_MS = 10000 };

enum channel_side { CHANNEL_DEVICE = 1, CHANNEL_HOME };

struct channel;

/* Shakes hands on a connected socket, which is given to the channel in every case. NULL, and *e:
 * ERR_INPUT: the other side does not know the code, or speaks something else; ERR_NET: no answer in
 * time, or it went away; ERR_NOMEM. why is a sentence. */
struct channel *channel_open(int sock, enum channel_side side, const struct code *code,
							 int64_t timeout_ms, enum err *e, char why[CHANNEL_WHY_SIZE]);
void channel_close(struct channel *c); /* closes the socket; NULL does nothing */

/* ERR_INPUT: msg breaks its own rules; ERR_NET; ERR_NOMEM. */
enum err channel_send(struct channel *c, enum codec_kind kind, const ProtobufCMessage *msg,
					  int64_t timeout_ms, char why[CHANNEL_WHY_SIZE]) MUST_CHECK;

/* *msg: borrowed until the next call on c. ERR_INPUT or ERR_LIMIT: not a message of that kind, with
 * the field and its limit in why; ERR_NET: no message in time, or the other side went away. */
enum err channel_receive(struct channel *c, enum codec_kind kind, ProtobufCMessage **msg,
						 int64_t timeout_ms, char why[CHANNEL_WHY_SIZE]) MUST_CHECK;

#endif
