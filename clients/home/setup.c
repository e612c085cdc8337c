/* See setup.h. */
#include "clients/home/setup.h"

#include <limits.h>
#include <unistd.h>

#include "clients/home/session.h"
#include "clients/mq/opt_config.h"
#include "clients/seal/identity.h"
#include "lib/hex.h"

enum { CONF_MAX = 16384 };

/* --- where ------------------------------------------------------------------------------------ */

static bool join(const char *folder, const char *name, char out[KEEP_PATH_SIZE]) {
	int n = snprintf(out, KEEP_PATH_SIZE, "%s/%s", folder, name);
	return n > 0 && n < KEEP_PATH_SIZE;
}

/* Where opt_config.c looks for the configuration. */
static bool config_folder(char out[KEEP_PATH_SIZE]) {
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (xdg && xdg[0] == '/') return join(xdg, "vestibule", out);
	return home && home[0] == '/' && join(home, ".config/vestibule", out);
}

static bool name_files(struct setup *s, const char *config) {
	return join(config, "vestibule-home.conf", s->conf) &&
		   join(config, "vestibule-home.conf.part", s->part) &&
		   join(s->keys, "vestibule-home.token", s->token) &&
		   join(s->keys, "vestibule-home.ca.pem", s->ca);
}

enum exit_code setup_open(struct setup *s, const struct settings *set) {
	char config[KEEP_PATH_SIZE], why[KEEP_WHY_SIZE], whole[PATH_MAX];
	*s = (struct setup){.count = 0};
	if (!config_folder(config))
		return session_fail(EXIT_USAGE, "neither XDG_CONFIG_HOME nor HOME says where keys can be");
	if (!span_copy(span_str(set->keys ? set->keys : config), s->keys, sizeof s->keys))
		return session_fail(EXIT_USAGE, "--keys: too long a path");
	if (keep_folder(config, why) != ERR_NONE || keep_folder(s->keys, why) != ERR_NONE)
		return session_fail(EXIT_USAGE, "%s", why);
	/* the configuration names files by their whole paths */
	if (!realpath(s->keys, whole) || !span_copy(span_str(whole), s->keys, sizeof s->keys) ||
		!name_files(s, config))
		return session_fail(EXIT_USAGE, "%s: not a usable folder", s->keys);
	return EXIT_RECORDED;
}

/* --- keys ------------------------------------------------------------------------------------- */

static enum exit_code own_recipient(struct setup *s) {
	char path[KEEP_PATH_SIZE], why[KEEP_WHY_SIZE] = "the identity has no recipient";
	struct identity id;
	if (!join(s->keys, "home.identity", path)) return EXIT_INTERNAL;
	enum err e = identity_load(path, &id, why);
	if (e == ERR_ABSENT) {
		e = identity_draw(&id);
		if (e == ERR_NONE) e = identity_keep(path, &id, why);
	}
	if (e == ERR_NONE) e = identity_recipient(&id, s->recipients[s->count++]);
	identity_wipe(&id);
	return e == ERR_NONE ? EXIT_RECORDED : session_fail(EXIT_USAGE, "%s", why);
}

enum exit_code setup_recipients(struct setup *s, const struct settings *set) {
	uint8_t point[RECIPIENT_BYTES];
	enum exit_code rc = own_recipient(s);
	for (size_t i = 0; rc == EXIT_RECORDED && i < set->recipients.count; i++) {
		struct span text = span_str(set->recipients.items[i]);
		if (s->count == SETUP_RECIPIENTS_MAX)
			return session_fail(EXIT_USAGE, "--recipient: at most 7 beside the own one");
		if (recipient_parse(text, point) != ERR_NONE ||
			!span_copy(text, s->recipients[s->count], RECIPIENT_TEXT_SIZE))
			return session_fail(EXIT_USAGE, "--recipient %s: not an age recipient (age1...)",
								set->recipients.items[i]);
		for (size_t k = 0; k < s->count; k++)
			if (span_eq(text, span_str(s->recipients[k])))
				return session_fail(EXIT_USAGE, "--recipient %s: given twice, or the own one",
									set->recipients.items[i]);
		s->count++;
	}
	return rc;
}

/* --- the configuration ------------------------------------------------------------------------- */

enum exit_code setup_write(const struct setup *s, const struct settings *set,
						   const struct setup_broker *b, struct span ca_pem) {
	char why[KEEP_WHY_SIZE];
	struct buf text;
	enum err e = ca_pem.len ? keep_write(s->ca, ca_pem, KEEP_REPLACE, why) : ERR_NONE;
	if (e != ERR_NONE) return session_fail(EXIT_USAGE, "%s", why);
	buf_init(&text, CONF_MAX);
	buf_printf(&text, "# made by vestibule-home claim\nhost = %s\nport = %lld\nusername = %s\n",
			   b->host, (long long)b->port, b->username);
	buf_printf(&text, "token-file = %s\n", s->token);
	if (b->cafile[0]) buf_printf(&text, "cafile = %s\n", b->cafile);
	if (set->keys) buf_printf(&text, "keys = %s\n", s->keys);
	e = buf_error(&text);
	if (e != ERR_NONE)
		(void)snprintf(why, sizeof why, "the configuration: %s", err_name(e));
	else
		e = keep_write(s->part, buf_view(&text), KEEP_REPLACE, why);
	buf_fini(&text);
	return e == ERR_NONE ? EXIT_RECORDED : session_fail(EXIT_USAGE, "%s", why);
}

static enum err take(void *ctx, struct span name, const char *value, char want[OPT_CONFIG_WANT]) {
	struct setup_broker *b = ctx;
	struct span v = span_str(value);
	bool ok = true;
	(void)snprintf(want, OPT_CONFIG_WANT, "not as it was written");
	if (span_eq(name, SPAN_LIT("host"))) ok = span_copy(v, b->host, sizeof b->host);
	if (span_eq(name, SPAN_LIT("cafile"))) ok = span_copy(v, b->cafile, sizeof b->cafile);
	if (span_eq(name, SPAN_LIT("username"))) ok = span_copy(v, b->username, sizeof b->username);
	if (span_eq(name, SPAN_LIT("port"))) {
		char *end = NULL;
		b->port = strtoll(value, &end, 10);
		ok = *end == '\0' && b->port >= 1 && b->port <= 65535;
	}
	return ok ? ERR_NONE : ERR_INPUT;
}

bool setup_read(const struct setup *s, struct setup_broker *out) {
	char why[OPT_CONFIG_WHY], *kept = NULL;
	*out = (struct setup_broker){.port = 0};
	enum err e = opt_config_read(settings_program.name, s->part, take, out, &kept, why);
	free(kept);
	return e == ERR_NONE && out->host[0] && out->port && out->username[0];
}

enum exit_code setup_finish(const struct setup *s) {
	char why[KEEP_WHY_SIZE];
	return keep_rename(s->part, s->conf, why) == ERR_NONE ? EXIT_RECORDED
														  : session_fail(EXIT_USAGE, "%s", why);
}

void setup_undo(const struct setup *s) {
	char why[KEEP_WHY_SIZE];
	if (keep_remove(s->part, why) != ERR_NONE || keep_remove(s->ca, why) != ERR_NONE ||
		keep_remove(s->token, why) != ERR_NONE)
		(void)session_fail(EXIT_USAGE, "%s", why); /* the refusal is the exit code */
}
