/* See ask.h. */
#include "clients/ctl/ask.h"

#include <stdio.h>

#include "clients/mq/exchange.h"

enum { ASK_ANSWER_MAX = 8 * 1024 * 1024 };

void ask_begin(struct ask *a) {
	*a = (struct ask){0};
	a->root = cJSON_CreateObject();
	a->commands = a->root ? cJSON_AddArrayToObject(a->root, "commands") : NULL;
	if (!a->commands || exchange_correlation(a->correlation) != ERR_NONE) a->failed = true;
}

void ask_end(struct ask *a) {
	cJSON_Delete(a->root);
	*a = (struct ask){0};
}

cJSON *ask_command(struct ask *a, const char *command) {
	if (a->failed) return NULL;
	cJSON *object = cJSON_CreateObject();
	if (!object || !cJSON_AddItemToArray(a->commands, object)) {
		cJSON_Delete(object);
		a->failed = true;
		return NULL;
	}
	if (!cJSON_AddStringToObject(object, "command", command) ||
		!cJSON_AddStringToObject(object, "correlationData", a->correlation)) {
		a->failed = true;
	}
	return object;
}

cJSON *ask_put(struct ask *a, const char *row_kind, bool is_new) {
	cJSON *object = ask_command(a, "put");
	if (!object) return NULL;
	ask_text(object, "kind", row_kind);
	if (is_new && !cJSON_AddTrueToObject(object, "new")) a->failed = true;
	cJSON *row = cJSON_AddObjectToObject(object, "row");
	if (!row) a->failed = true;
	return row;
}

void ask_text(cJSON *object, const char *name, const char *value) {
	/* What could not be added is missing in the command, and the plugin then names the field. */
	if (object && value) (void)cJSON_AddStringToObject(object, name, value);
}

void ask_int(cJSON *object, const char *name, int64_t value) {
	if (object) (void)cJSON_AddNumberToObject(object, name, (double)value);
}

static int complain_about(const cJSON *answer) {
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
	const cJSON *command = cJSON_GetObjectItemCaseSensitive(answer, "command");
	if (!cJSON_IsString(error)) return EXIT_RECORDED;
	fprintf(stderr, CTL_PROGRAM ": %s refused: %s\n",
			cJSON_IsString(command) ? command->valuestring : "command", error->valuestring);
	return EXIT_REFUSED;
}

static int read_answers(const struct buf *text, int expected, cJSON **answers) {
	cJSON *root = cJSON_ParseWithLength(buf_cstr(text), text->len);
	cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "responses");
	int rc = EXIT_RECORDED;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != expected) {
		fputs(CTL_PROGRAM ": the broker's answer is not what was asked for\n", stderr);
		rc = EXIT_INTERNAL;
	} else {
		const cJSON *answer;
		cJSON_ArrayForEach(answer, list) {
			int one = complain_about(answer);
			if (one != EXIT_RECORDED) rc = one;
		}
	}
	if (answers) *answers = cJSON_IsArray(list) ? cJSON_DetachItemViaPointer(root, list) : NULL;
	cJSON_Delete(root);
	return rc;
}

int ask_send(struct ask *a, struct mq *mq, int64_t timeout_ms, cJSON **answers) {
	if (answers) *answers = NULL;
	char *json = a->failed ? NULL : cJSON_PrintUnformatted(a->root);
	if (!json) {
		fputs(CTL_PROGRAM ": out of memory\n", stderr);
		return EXIT_INTERNAL;
	}
	struct buf text;
	buf_init(&text, ASK_ANSWER_MAX);
	enum exit_code rc = exchange_control(mq, a->correlation, span_str(json), timeout_ms, &text);
	if (rc == EXIT_RECORDED) {
		rc = (enum exit_code)read_answers(&text, cJSON_GetArraySize(a->commands), answers);
	} else {
		fprintf(stderr, CTL_PROGRAM ": %s\n",
				rc == EXIT_NOT_AUTHORISED ? "not authorised: this credential is not an operator's"
										  : "no answer from the broker (is the plugin loaded?)");
	}
	buf_fini(&text);
	cJSON_free(json);
	return (int)rc;
}

int ask_connect(const struct opt_common *common, struct mq **out) {
	char why[MQ_WHY_SIZE];
	struct mq *mq = mq_new(common, &(struct mq_opts){0}, why);
	if (!mq) {
		fprintf(stderr, CTL_PROGRAM ": %s\n", why);
		return EXIT_USAGE;
	}
	enum exit_code rc = mq_connect(mq, why);
	if (rc != EXIT_RECORDED) {
		fprintf(stderr, CTL_PROGRAM ": %s\n", why);
		mq_free(mq);
		return (int)rc;
	}
	*out = mq;
	return EXIT_RECORDED;
}
