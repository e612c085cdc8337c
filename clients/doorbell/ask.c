/* See ask.h. */
#include "clients/doorbell/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "clients/doorbell/listen.h"
#include "clients/doorbell/qr.h"
#include "clients/doorbell/wire.h"

static int complain(int code, const char *what, const char *why) {
	(void)fprintf(stderr, "vestibule-doorbell: %s%s%s\n", what, why[0] ? ": " : "", why);
	return code;
}

/* --- printing -------------------------------------------------------------------------------- */

static bool is_number(struct span s) {
	if (s.len == 0 || s.len > 19 || (s.len > 1 && s.ptr[0] == '0')) return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
	return true;
}

static void json(const struct wire_line *l, bool ok, struct buf *out) {
	buf_str(out, ok ? "{\"ok\":true" : "{\"ok\":false");
	for (size_t i = 0; i < l->count; i++) {
		buf_char(out, ',');
		buf_json(out, l->pairs[i].key);
		buf_char(out, ':');
		if (is_number(l->pairs[i].value))
			buf_span(out, l->pairs[i].value);
		else
			buf_json(out, l->pairs[i].value);
	}
	buf_str(out, "}\n");
}

static void text(const struct wire_line *l, struct buf *out) {
	for (size_t i = 0; i < l->count; i++) {
		buf_span(out, l->pairs[i].key);
		buf_str(out, ": ");
		buf_span(out, l->pairs[i].value);
		buf_char(out, '\n');
	}
}

/* The claim's URI as a QR code, below the text. */
static void picture(const struct wire_line *l, const struct settings *s, struct buf *out) {
	char uri[QR_TEXT_MAX + 1];
	if (!span_copy(wire_get(l, "uri"), uri, sizeof uri) || uri[0] == '\0') return;
	if (!s->qr && isatty(STDOUT_FILENO) != 1) return;
	if (qr_draw(uri, false, out) != ERR_NONE)
		(void)fputs("vestibule-doorbell: the QR code cannot be drawn\n", stderr);
}

static int print(struct span bytes, bool as_json, const struct settings *s) {
	struct wire_line l;
	struct buf out;
	if (wire_parse(bytes, &l) != ERR_NONE || !is_number(l.word) || l.word.len > 3)
		return complain(EXIT_INTERNAL, "the daemon's answer is not understood", "");
	int code = 0;
	for (size_t i = 0; i < l.word.len; i++) code = code * 10 + (l.word.ptr[i] - '0');
	buf_init(&out, QR_BYTES_MAX);
	if (as_json) {
		json(&l, code == 0, &out);
	} else if (code == 0) {
		text(&l, &out);
		picture(&l, s, &out);
	} else {
		struct span field = wire_get(&l, "field"), message = wire_get(&l, "message");
		(void)fprintf(stderr, "vestibule-doorbell: %.*s%s%.*s\n", (int)field.len,
					  (const char *)field.ptr, field.len ? ": " : "", (int)message.len,
					  (const char *)message.ptr);
	}
	if (buf_error(&out) != ERR_NONE || fputs(buf_cstr(&out), stdout) == EOF || fflush(stdout) != 0)
		code = complain(EXIT_INTERNAL, "cannot print the answer", strerror(errno));
	buf_fini(&out);
	return code;
}

/* --- asking ---------------------------------------------------------------------------------- */

static int open_socket(const struct opt_common *common, const struct settings *s, int *sock) {
	char path[SETTINGS_PATH_SIZE];
	if (settings_socket(s, path) != ERR_NONE)
		return complain(EXIT_USAGE, "--socket", "no usable path of at most 107 bytes; give one");
	enum err e = listen_connect(path, common->timeout_ms, sock);
	if (e == ERR_NONE) return -1;
	if (e == ERR_ABSENT)
		return complain(EXIT_UNAVAILABLE, path,
						"no daemon answers; start 'vestibule-doorbell run'");
	return complain(EXIT_UNAVAILABLE, path, strerror(errno));
}

/* Sends line (and fd) and prints what comes back. line: ended with a line feed here. */
static int ask(const struct opt_common *common, const struct settings *s, struct buf *line,
			   int fd) {
	struct buf answer;
	int sock = -1, unwanted = -1;
	buf_char(line, '\n');
	if (buf_error(line) != ERR_NONE) return complain(EXIT_INTERNAL, "out of memory", "");
	int rc = open_socket(common, s, &sock);
	if (rc >= 0) return rc;
	buf_init(&answer, WIRE_LINE_MAX);
	if (wire_send(sock, buf_view(line), fd) != ERR_NONE)
		rc = complain(EXIT_TIMEOUT, "the daemon takes no command", strerror(errno));
	else if (wire_receive(sock, &answer, &unwanted) != ERR_NONE)
		rc = complain(EXIT_TIMEOUT, "no answer from the daemon",
					  errno ? strerror(errno) : "it closed the connection");
	else
		rc = print(buf_view(&answer), common->json, s);
	if (unwanted >= 0) (void)close(unwanted); /* the daemon sends none */
	(void)close(sock);
	buf_fini(&answer);
	return rc;
}

static int ask_word(const struct opt_common *common, const struct settings *s, const char *word) {
	struct buf line;
	buf_init(&line, WIRE_LINE_MAX);
	buf_str(&line, word);
	int rc = ask(common, s, &line, -1);
	buf_fini(&line);
	return rc;
}

int ask_ring(const struct opt_common *common, void *settings) {
	return ask_word(common, (const struct settings *)settings, "ring");
}

int ask_status(const struct opt_common *common, void *settings) {
	return ask_word(common, (const struct settings *)settings, "status");
}

int ask_claim(const struct opt_common *common, void *settings) {
	return ask_word(common, (const struct settings *)settings, "claim");
}

int ask_reset(const struct opt_common *common, void *settings) {
	const struct settings *s = (const struct settings *)settings;
	struct buf line;
	int64_t wait_ms = common->timeout_ms - common->timeout_ms / 5; /* the answer needs time, too */
	if (!s->yes)
		return complain(EXIT_USAGE, "reset",
						"ends every grant and clip of this device for good; say --yes");
	buf_init(&line, WIRE_LINE_MAX);
	buf_str(&line, "reset");
	wire_put(&line, "yes", "yes");
	wire_put_int(&line, "wait_ms", wait_ms < 60000 ? (uint64_t)wait_ms : 60000);
	int rc = ask(common, s, &line, -1);
	buf_fini(&line);
	return rc;
}

int ask_motion(const struct opt_common *common, void *settings) {
	const struct settings *s = (const struct settings *)settings;
	uint32_t permille = 0;
	struct buf line;
	if (settings_permille(s->confidence, &permille) != ERR_NONE)
		return complain(EXIT_USAGE, "--confidence", "0-1 with at most three decimals, or 0%-100%");
	buf_init(&line, WIRE_LINE_MAX);
	buf_str(&line, "motion");
	wire_put(&line, "kind", s->kind);
	wire_put_int(&line, "confidence", permille);
	int rc = ask(common, s, &line, -1);
	buf_fini(&line);
	return rc;
}

int ask_clip(const struct opt_common *common, void *settings) {
	const struct settings *s = (const struct settings *)settings;
	struct buf line;
	int fd = open(s->file,
				  O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would be refused, not waited for */
	if (fd < 0) return complain(EXIT_USAGE, s->file, strerror(errno));
	buf_init(&line, WIRE_LINE_MAX);
	buf_str(&line, "clip");
	wire_put(&line, "trigger", s->trigger);
	if (s->start_ms != 0) wire_put_int(&line, "start_ms", (uint64_t)s->start_ms);
	if (s->duration_ms != 0) wire_put_int(&line, "duration_ms", (uint64_t)s->duration_ms);
	int rc = ask(common, s, &line, fd);
	buf_fini(&line);
	(void)close(fd); /* read only */
	return rc;
}
