/* See settings.h. */
#include "clients/doorbell/settings.h"

#include <sys/stat.h>
#include <sys/un.h>

#include "lib/span.h"

static enum err join(const char *a, const char *b, const char *c, size_t max,
					 char out[SETTINGS_PATH_SIZE]) {
	int n = snprintf(out, SETTINGS_PATH_SIZE, "%s%s%s", a, b, c);
	return n >= 0 && (size_t)n < max ? ERR_NONE : ERR_LIMIT;
}

/* mkdir -p of what lies above the last name; errors show when the folder itself is made. */
static void make_parents(const char *path) {
	char above[SETTINGS_PATH_SIZE];
	if (!span_copy(span_str(path), above, sizeof above)) return;
	for (char *c = above; *c; c++) {
		if (*c != '/' || c == above) continue;
		*c = '\0';
		(void)mkdir(above, 0700);
		*c = '/';
	}
}

enum err settings_folder(const char *given, const char *name, char out[SETTINGS_PATH_SIZE]) {
	const char *state = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"),
			   *home = getenv("HOME");
	char under[64];
	enum err e = ERR_ABSENT;
	if (given) return join(given, "", "", SETTINGS_PATH_SIZE, out);
	(void)snprintf(under, sizeof under, "/vestibule-doorbell/%s",
				   name); /* name is ours and short */
	if (state && state[0] == '/')
		e = join(state, "/", name, SETTINGS_PATH_SIZE, out);
	else if (xdg && xdg[0] == '/')
		e = join(xdg, under, "", SETTINGS_PATH_SIZE, out);
	else if (home && home[0] == '/')
		e = join(home, "/.local/state", under, SETTINGS_PATH_SIZE, out);
	if (e == ERR_NONE) make_parents(out);
	return e;
}

/* A service has no login session, and who rings is not in it: it must say where. */
enum err settings_socket(const struct settings *s, char out[SETTINGS_PATH_SIZE]) {
	const size_t max = sizeof((struct sockaddr_un *)NULL)->sun_path;
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char path[SETTINGS_PATH_SIZE];
	if (s->socket) return join(s->socket, "", "", max, out);
	if (dir && dir[0] == '/') return join(dir, "/vestibule-doorbell.sock", "", max, out);
	if (getenv("STATE_DIRECTORY")) return ERR_ABSENT;
	enum err e = settings_folder(NULL, "vestibule-doorbell.sock", path);
	return e == ERR_NONE ? join(path, "", "", max, out) : e;
}

enum err settings_keys(const struct settings *s, char out[SETTINGS_PATH_SIZE]) {
	if (s->keys || !s->spool) return settings_folder(s->keys, "keys", out);
	return join(s->spool, "/keys", "", SETTINGS_PATH_SIZE, out);
}

/* On the loopback alone unless told otherwise: a daemon that nobody gave an address to opens nothing
 * to the network. */
enum err settings_claim_at(const struct settings *s, struct code_place *out) {
	struct span at = s->claim_at ? span_str(s->claim_at) : SPAN_LIT("127.0.0.1:0");
	*out = (struct code_place){.port = 0};
	return span_eq(at, SPAN_LIT("off")) ? ERR_NONE : code_place_parse(at, 0, out);
}

enum err settings_permille(const char *text, uint32_t *out) {
	uint32_t whole = 0, part = 0, scale = 1000;
	const char *c = text;
	if (*c < '0' || *c > '9') return ERR_INPUT;
	for (; *c >= '0' && *c <= '9'; c++) {
		whole = whole * 10 + (uint32_t)(*c - '0');
		if (whole > 100) return ERR_INPUT;
	}
	if (*c == '%' && c[1] == '\0') {
		*out = whole * 10;
		return ERR_NONE;
	}
	if (*c == '.') {
		for (c++; *c >= '0' && *c <= '9' && scale > 1; c++) {
			scale /= 10;
			part += (uint32_t)(*c - '0') * scale;
		}
		if (c[-1] == '.') return ERR_INPUT;
	}
	if (*c != '\0' || whole > 1 || (whole == 1 && part > 0)) return ERR_INPUT;
	*out = whole * 1000 + part;
	return ERR_NONE;
}
