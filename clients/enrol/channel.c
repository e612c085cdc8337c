/* See channel.h. Who says what when is the programs' business. */
#include "clients/enrol/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include "lib/clock.h"

enum { PSK_BYTES = 32 };

/* The same for every claim: who watches the network learns nothing from it. */
static const unsigned char identity[] = "vestibule claim v1";
enum { IDENTITY_LEN = sizeof identity - 1 };

struct channel {
	int sock;
	SSL_CTX *ctx;
	SSL *ssl;
	struct codec *codec;
	struct buf in, out;
	uint8_t psk[PSK_BYTES];
};

static int64_t now_ms(void) {
	return clock_read().boot_ms;
}

static enum err fail(enum err e, char why[CHANNEL_WHY_SIZE], const char *what) {
	(void)snprintf(why, CHANNEL_WHY_SIZE, "%s", what);
	return e;
}

/* --- the key ---------------------------------------------------------------------------------- */

static bool derive(const struct code *code, uint8_t psk[PSK_BYTES]) {
	static const char info[] = "vestibule/v1/claim-psk";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)code->secret,
										  sizeof code->secret),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
										  sizeof info - 1),
		OSSL_PARAM_construct_end()};
	bool ok = ctx && EVP_KDF_derive(ctx, psk, PSK_BYTES, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* The PSK in the form in which OpenSSL takes it; given to the caller. NULL: no memory. */
static SSL_SESSION *session_of(SSL *ssl) {
	static const unsigned char aes_128_gcm_sha256[] = {0x13, 0x01};
	const struct channel *c = SSL_get_app_data(ssl);
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
	SSL_SESSION *s = SSL_SESSION_new();
	if (s && cipher && SSL_SESSION_set1_master_key(s, c->psk, sizeof c->psk) == 1 &&
		SSL_SESSION_set_cipher(s, cipher) == 1 &&
		SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) == 1)
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

static int offer(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len,
				 SSL_SESSION **session) {
	*session = NULL;
	if (md && EVP_MD_get_type(md) != NID_sha256) return 0; /* another hash than the key is for */
	*session = session_of(ssl);
	*id = identity;
	*len = IDENTITY_LEN;
	return *session != NULL;
}

static int find(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **session) {
	*session = NULL;
	if (!span_eq(span_of(id, len), span_of(identity, IDENTITY_LEN))) return 1; /* unknown: none */
	*session = session_of(ssl);
	return *session != NULL;
}

/* --- one step at a time ------------------------------------------------------------------------ */

static bool set_up(struct channel *c, enum channel_side side) {
	bool device = side == CHANNEL_DEVICE;
	c->ctx = SSL_CTX_new(device ? TLS_server_method() : TLS_client_method());
	if (!c->ctx || SSL_CTX_set_min_proto_version(c->ctx, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_max_proto_version(c->ctx, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_ciphersuites(c->ctx, "TLS_AES_128_GCM_SHA256") != 1 ||
		SSL_CTX_set1_groups_list(c->ctx, "X25519:P-256") != 1 ||
		SSL_CTX_set_num_tickets(c->ctx, 0) != 1 || SSL_CTX_set_max_early_data(c->ctx, 0) != 1)
		return false;
	(void)SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF); /* returns the mode before */
	(void)SSL_CTX_clear_options(c->ctx, SSL_OP_ALLOW_NO_DHE_KEX);     /* off by default, too */
	/* a device that shows a certificate instead of the code has no way in: nobody vouches for it */
	SSL_CTX_set_verify(c->ctx, device ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (device)
		SSL_CTX_set_psk_find_session_callback(c->ctx, find);
	else
		SSL_CTX_set_psk_use_session_callback(c->ctx, offer);
	c->ssl = SSL_new(c->ctx);
	if (!c->ssl || SSL_set_app_data(c->ssl, c) != 1 || SSL_set_fd(c->ssl, c->sock) != 1)
		return false;
	if (device)
		SSL_set_accept_state(c->ssl);
	else
		SSL_set_connect_state(c->ssl);
	return true;
}

/* Waits until the step that returned rc may be tried again. False: it failed for good; *e and why. */
static bool wait_step(const struct channel *c, int rc, int64_t end_ms, enum err *e,
					  char why[CHANNEL_WHY_SIZE]) {
	int want = SSL_get_error(c->ssl, rc);
	if (want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE) {
		struct pollfd p = {.fd = c->sock, .events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
		int64_t left = end_ms - now_ms();
		if (left > 0 && (poll(&p, 1, (int)left) > 0 || errno == EINTR) && end_ms > now_ms())
			return true;
		*e = fail(ERR_NET, why, "no answer in time");
	} else if (want == SSL_ERROR_SSL &&
			   ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		*e = fail(ERR_INPUT, why, "the other side does not know this code");
	} else {
		*e = fail(ERR_NET, why, "the other side went away");
	}
	return false;
}

static enum err shake(struct channel *c, int64_t end_ms, char why[CHANNEL_WHY_SIZE]) {
	enum err e = ERR_NONE;
	for (;;) {
		ERR_clear_error();
		int rc = SSL_do_handshake(c->ssl);
		if (rc == 1) break;
		if (!wait_step(c, rc, end_ms, &e, why)) return e;
	}
	/* belt and braces: the key was the PSK, nothing else */
	if (SSL_session_reused(c->ssl) == 1 && SSL_version(c->ssl) == TLS1_3_VERSION) return ERR_NONE;
	return fail(ERR_INPUT, why, "the other side did not prove the code");
}

struct channel *channel_open(int sock, enum channel_side side, const struct code *code,
							 int64_t timeout_ms, enum err *e, char why[CHANNEL_WHY_SIZE]) {
	struct channel *c = calloc(1, sizeof *c);
	*e = fail(ERR_NOMEM, why, "out of memory");
	if (!c) {
		(void)close(sock);
		return NULL;
	}
	c->sock = sock;
	buf_init(&c->in, CODEC_ARENA_BYTES);
	buf_init(&c->out, CODEC_ARENA_BYTES);
	c->codec = codec_new();
	int flags = fcntl(sock, F_GETFL);
	if (c->codec && flags >= 0 && fcntl(sock, F_SETFL, flags | O_NONBLOCK) == 0 &&
		derive(code, c->psk) && set_up(c, side))
		*e = shake(c, now_ms() + timeout_ms, why);
	explicit_bzero(c->psk, sizeof c->psk);
	if (*e == ERR_NONE) return c;
	channel_close(c);
	return NULL;
}

void channel_close(struct channel *c) {
	if (!c) return;
	if (c->ssl && SSL_is_init_finished(c->ssl))
		(void)SSL_shutdown(c->ssl); /* a goodbye; whether it arrives does not matter */
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	(void)close(c->sock);
	codec_free(c->codec);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

/* --- messages --------------------------------------------------------------------------------- */

enum err channel_send(struct channel *c, enum codec_kind kind, const ProtobufCMessage *msg,
					  int64_t timeout_ms, char why[CHANNEL_WHY_SIZE]) {
	struct codec_fault fault;
	uint8_t head[2] = {0};
	enum err e = codec_validate(kind, msg, &fault);
	if (e != ERR_NONE) {
		(void)snprintf(why, CHANNEL_WHY_SIZE, "%s: %s", fault.field, fault.limit);
		return ERR_INPUT;
	}
	buf_reset(&c->out);
	buf_put(&c->out, head, sizeof head);
	e = codec_encode(msg, &c->out);
	size_t len = c->out.len - sizeof head;
	if (e != ERR_NONE || len > codec_bytes_max(kind) || len > UINT16_MAX)
		return fail(e == ERR_NONE ? ERR_INPUT : e, why, "the message is too large");
	c->out.ptr[0] = (uint8_t)(len >> 8);
	c->out.ptr[1] = (uint8_t)len;
	int64_t end_ms = now_ms() + timeout_ms;
	for (;;) { /* SSL_write takes all or nothing: no partial writes were allowed */
		ERR_clear_error();
		int rc = SSL_write(c->ssl, c->out.ptr, (int)c->out.len);
		if (rc > 0) return ERR_NONE;
		if (!wait_step(c, rc, end_ms, &e, why)) return ERR_NET;
	}
}

/* Exactly n more bytes into c->in. */
static enum err take(struct channel *c, size_t n, int64_t end_ms, char why[CHANNEL_WHY_SIZE]) {
	uint8_t piece[1024];
	enum err e = ERR_NONE;
	while (n > 0) {
		ERR_clear_error();
		int rc = SSL_read(c->ssl, piece, (int)(n < sizeof piece ? n : sizeof piece));
		if (rc > 0) {
			buf_put(&c->in, piece, (size_t)rc);
			n -= (size_t)rc;
		} else if (!wait_step(c, rc, end_ms, &e, why)) {
			return ERR_NET;
		}
	}
	return buf_error(&c->in);
}

enum err channel_receive(struct channel *c, enum codec_kind kind, ProtobufCMessage **msg,
						 int64_t timeout_ms, char why[CHANNEL_WHY_SIZE]) {
	struct codec_fault fault;
	int64_t end_ms = now_ms() + timeout_ms;
	buf_reset(&c->in);
	enum err e = take(c, 2, end_ms, why);
	if (e != ERR_NONE) return e;
	size_t len = (size_t)c->in.ptr[0] << 8 | c->in.ptr[1];
	if (len > codec_bytes_max(kind)) return fail(ERR_LIMIT, why, "the message is too large");
	buf_reset(&c->in);
	e = take(c, len, end_ms, why);
	if (e != ERR_NONE) return e;
	e = codec_decode(c->codec, kind, buf_view(&c->in), msg, &fault);
	if (e != ERR_NONE) (void)snprintf(why, CHANNEL_WHY_SIZE, "%s: %s", fault.field, fault.limit);
	return e;
}
