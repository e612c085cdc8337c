/* The registry commands: homes, devices, agencies, officers, integrators, relays, apps and tokens.
 * Each builds `put` commands of rows; what a row must satisfy is said by the plugin, which names
 * the field. */
#include <stdio.h>
#include <string.h>

#include "clients/ctl/cred.h"
#include "clients/ctl/ctl.h"
#include "clients/mq/token.h"
#include "lib/clock.h"
#include "plugin/policy/row.h"

#define DAY_MS (86400LL * 1000)

enum { JURISDICTION_BYTES_MAX = 1024 * 1024 };

static bool is_add(const struct ctl_settings *s, const char *what) {
	if (s->action && strcmp(s->action, "add") == 0) return true;
	fprintf(stderr,
			CTL_PROGRAM ": %s %s: the action is `add` (see also suspend, resume, remove, list)\n",
			what, s->action ? s->action : "");
	return false;
}

/* Sends what was built; when it is refused, a token file made for it goes again. */
static int finish(struct ask *a, const struct opt_common *common, const struct cred *c) {
	struct mq *mq = NULL;
	int rc = ask_connect(common, &mq);
	bool sent = rc == EXIT_RECORDED;
	if (sent) rc = ask_send(a, mq, common->timeout_ms, NULL);
	mq_free(mq);
	ask_end(a);
	if (c && sent) cred_settle(c, rc);
	if (c && !sent) cred_undo(c);
	return rc;
}

static void say_added(const struct opt_common *common, const char *what, const char *id) {
	if (common->json)
		printf("{\"added\":\"%s\",\"id\":\"%s\"}\n", what, id);
	else
		printf("%s %s added\n", what, id);
}

int registry_home(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	if (!is_add(s, "home")) return EXIT_USAGE;
	struct ask a;
	ask_begin(&a);
	cJSON *row = ask_put(&a, "home", true);
	ask_text(row, "id", s->id);
	ask_text(row, "name", s->name);
	ask_int(row, "unsealed_ok", s->unsealed_ok ? 1 : 0);
	int rc = finish(&a, common, NULL);
	if (rc == EXIT_RECORDED) say_added(common, "home", s->id);
	return rc;
}

int registry_device(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	if (!is_add(s, "device")) return EXIT_USAGE;
	if (!s->home) {
		fputs(CTL_PROGRAM ": --home ID is missing\n", stderr);
		return EXIT_USAGE;
	}
	struct ask a;
	ask_begin(&a);
	cJSON *row = ask_put(&a, "device", true);
	ask_text(row, "id", s->id);
	ask_text(row, "home", s->home);
	ask_text(row, "name", s->name);
	ask_text(row, "cell", s->cell);
	struct cred c = {s->id, "device", s->id, NULL, s->token_out};
	int rc = cred_put(&a, &c);
	if (rc != EXIT_RECORDED) {
		ask_end(&a);
		return rc;
	}
	rc = finish(&a, common, &c);
	if (rc == EXIT_RECORDED) say_added(common, "device", s->id);
	return rc;
}

/* A credential that needs no other row but, maybe, one {id, name} row of the same kind. */
static int add_credential(const struct opt_common *common, const struct ctl_settings *s,
						  const char *row_kind, const struct cred *c) {
	if (!is_add(s, c->kind)) return EXIT_USAGE;
	struct ask a;
	ask_begin(&a);
	if (row_kind) {
		cJSON *row = ask_put(&a, row_kind, true);
		ask_text(row, "id", c->subject);
		ask_text(row, "name", s->name);
	}
	int rc = cred_put(&a, c);
	if (rc != EXIT_RECORDED) {
		ask_end(&a);
		return rc;
	}
	rc = finish(&a, common, c);
	if (rc == EXIT_RECORDED) say_added(common, c->kind, c->username);
	return rc;
}

int registry_officer(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	struct cred c = {s->id, "officer", s->agency, s->role, s->token_out};
	return add_credential(common, s, NULL, &c);
}

int registry_integrator(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	struct cred c = {s->id, "integrator", s->public_id ? s->public_id : s->id, NULL, s->token_out};
	return add_credential(common, s, "integrator", &c);
}

int registry_relay(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	struct cred c = {s->id, "relay", s->public_id ? s->public_id : s->id, NULL, s->token_out};
	return add_credential(common, s, "relay", &c);
}

/* Rings of [latitude, longitude] pairs, in degrees, as a JSON file. */
static cJSON *read_jurisdiction(const char *path) {
	FILE *f = fopen(path, "rb");
	char *text = f ? malloc(JURISDICTION_BYTES_MAX + 1) : NULL;
	size_t len = text ? fread(text, 1, JURISDICTION_BYTES_MAX + 1, f) : 0;
	cJSON *rings =
		len > 0 && len <= JURISDICTION_BYTES_MAX ? cJSON_ParseWithLength(text, len) : NULL;
	if (!cJSON_IsArray(rings)) {
		fprintf(stderr,
				CTL_PROGRAM
				": --jurisdiction %s: not a JSON file [[[LAT, LON], ...], ...] of at most 1 MiB\n",
				path);
		cJSON_Delete(rings);
		rings = NULL;
	}
	free(text);
	if (f) (void)fclose(f); /* only read */
	return rings;
}

static void put_key(cJSON *row, const struct ctl_settings *s) {
	if (!s->recipient) return;
	int64_t now_ms = clock_read().utc_ms;
	ask_text(row, "recipient", s->recipient);
	ask_int(row, "key_nbf_ms", now_ms);
	ask_int(row, "key_exp_ms", now_ms + s->key_days * DAY_MS);
}

int registry_agency(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	if (!is_add(s, "agency")) return EXIT_USAGE;
	if (!s->jurisdiction) {
		fputs(CTL_PROGRAM ": --jurisdiction FILE is missing\n", stderr);
		return EXIT_USAGE;
	}
	cJSON *rings = read_jurisdiction(s->jurisdiction);
	if (!rings) return EXIT_USAGE;
	struct ask a;
	ask_begin(&a);
	cJSON *row = ask_put(&a, "agency", false);
	ask_text(row, "id", s->id);
	ask_text(row, "name", s->name);
	ask_text(row, "kind", s->kind);
	ask_text(row, "policy_url", s->policy_url);
	put_key(row, s);
	if (!row || !cJSON_AddItemToObject(row, "rings", rings)) cJSON_Delete(rings);
	int rc = finish(&a, common, NULL);
	if (rc == EXIT_RECORDED) say_added(common, "agency", s->id);
	return rc;
}

static int app_topic(const struct opt_common *common, const struct ctl_settings *s, bool allow) {
	if (!s->third) {
		fputs(CTL_PROGRAM ": FILTER is missing: app allow USERNAME FILTER\n", stderr);
		return EXIT_USAGE;
	}
	struct ask a;
	ask_begin(&a);
	if (allow) {
		cJSON *row = ask_put(&a, "app_topic", false);
		ask_text(row, "username", s->id);
		ask_text(row, "filter", s->third);
		ask_text(row, "access", s->access ? s->access : "read");
	} else {
		struct buf key;
		buf_init(&key, ROW_KEY_SIZE);
		buf_printf(&key, "%s %s", s->id, s->third);
		cJSON *object = ask_command(&a, "remove");
		ask_text(object, "kind", "app_topic");
		ask_text(object, "id", buf_cstr(&key));
		buf_fini(&key);
	}
	int rc = finish(&a, common, NULL);
	if (rc == EXIT_RECORDED && !common->json) {
		printf("%s %s %s\n", s->id, allow ? "may use" : "may no longer use", s->third);
	}
	return rc;
}

int registry_app(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	if (strcmp(s->action, "allow") == 0) return app_topic(common, s, true);
	if (strcmp(s->action, "disallow") == 0) return app_topic(common, s, false);
	struct cred c = {s->id, "app", NULL, NULL, s->token_out};
	return add_credential(common, s, NULL, &c);
}

int registry_token(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	char hash[TOKEN_HASH_SIZE];
	if (strcmp(s->action, "rotate") != 0) {
		fputs(CTL_PROGRAM ": token: the action is `rotate`\n", stderr);
		return EXIT_USAGE;
	}
	int rc = cred_token(s->token_out, hash);
	if (rc != EXIT_RECORDED) return rc;
	struct ask a;
	ask_begin(&a);
	cJSON *row = ask_put(&a, "token", false);
	ask_text(row, "username", s->id);
	ask_int(row, "slot", s->slot);
	ask_text(row, "sha256", hash);
	struct cred c = {.token_out = s->token_out};
	rc = finish(&a, common, &c);
	if (rc == EXIT_RECORDED && !common->json) {
		printf("new token of %s in slot %d; the other slot is as it was\n", s->id, (int)s->slot);
	}
	return rc;
}
