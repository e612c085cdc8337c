/* Everything an operator asks or tells about what is already there: suspend, resume, remove, list,
 * explain, denials, status, a moderator's word on a request. */
#include <stdio.h>
#include <string.h>

#include "clients/ctl/ask.h"
#include "clients/ctl/ctl.h"

/* Sends one command and hands back its response object (inside *answers), or NULL with *rc set. */
static const cJSON *send_one(struct ask *a, const struct opt_common *common, cJSON **answers,
							 int *rc) {
	struct mq *mq = NULL;
	*answers = NULL;
	*rc = ask_connect(common, &mq);
	if (*rc == EXIT_RECORDED) *rc = ask_send(a, mq, common->timeout_ms, answers);
	mq_free(mq);
	ask_end(a);
	return *rc == EXIT_RECORDED ? cJSON_GetArrayItem(*answers, 0) : NULL;
}

static void print_json(const cJSON *item) {
	char *text = cJSON_PrintUnformatted(item);
	puts(text ? text : "null");
	cJSON_free(text);
}

static const char *text_of(const cJSON *object, const char *name) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(item) ? item->valuestring : "";
}

int inspect_change(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	struct ask a;
	ask_begin(&a);
	cJSON *object = ask_command(&a, s->action);
	ask_text(object, "kind", s->kind);
	ask_text(object, "id", s->id);
	cJSON *answers;
	int rc;
	if (send_one(&a, common, &answers, &rc) && !common->json)
		printf("%s %s: %s done\n", s->kind, s->id, s->action);
	cJSON_Delete(answers);
	return rc;
}

int inspect_request(const struct opt_common *common, void *settings) {
	struct ctl_settings *s = settings;
	if (strcmp(s->action, "reject") != 0 && strcmp(s->action, "suspend") != 0 &&
		strcmp(s->action, "resume") != 0) {
		fputs(CTL_PROGRAM ": request: the action is reject, suspend or resume\n", stderr);
		return EXIT_USAGE;
	}
	s->kind = "request";
	return inspect_change(common, s);
}

/* One row a line: `key=value` of every member that is not empty. */
static void print_row(const cJSON *row) {
	const cJSON *member;
	const char *gap = "";
	cJSON_ArrayForEach(member, row) {
		if (cJSON_IsString(member) && member->valuestring[0]) {
			printf("%s%s=%s", gap, member->string, member->valuestring);
		} else if (cJSON_IsNumber(member)) {
			printf("%s%s=%.0f", gap, member->string, member->valuedouble);
		} else {
			continue;
		}
		gap = "  ";
	}
	putchar('\n');
}

/* The rows of an answer's data.NAME; a long list comes in pages, each asked for with `after`. */
static int print_page(const struct opt_common *common, const struct ctl_settings *s, char *after,
					  size_t size, bool *more) {
	struct ask a;
	ask_begin(&a);
	cJSON *object = ask_command(&a, "list");
	ask_text(object, "kind", s->kind);
	if (after[0]) ask_text(object, "after", after);
	cJSON *answers;
	int rc;
	const cJSON *answer = send_one(&a, common, &answers, &rc);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
	const cJSON *row;
	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(data, "rows")) {
		if (common->json)
			print_json(row);
		else
			print_row(row);
	}
	*more = span_copy(span_str(text_of(data, "next")), after, size) && after[0] != '\0';
	cJSON_Delete(answers);
	return rc;
}

int inspect_list(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	char after[512] = "";
	bool more = false;
	int rc;
	do {
		rc = print_page(common, s, after, sizeof after, &more);
	} while (rc == EXIT_RECORDED && more);
	return rc;
}

int inspect_explain(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	struct ask a;
	ask_begin(&a);
	cJSON *object = ask_command(&a, "explain");
	ask_text(object, "username", s->id);
	ask_text(object, "access", s->access);
	ask_text(object, "topic", s->third);
	cJSON *answers;
	int rc;
	const cJSON *answer = send_one(&a, common, &answers, &rc);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
	if (data && common->json)
		print_json(data);
	else if (data) {
		printf("%s: %s\n%s\n", text_of(data, "verdict"), text_of(data, "reason"),
			   text_of(data, "sentence"));
	}
	cJSON_Delete(answers);
	return rc;
}

int inspect_denials(const struct opt_common *common, void *settings) {
	const struct ctl_settings *s = settings;
	struct ask a;
	ask_begin(&a);
	ask_text(ask_command(&a, "denials"), "username", s->id);
	cJSON *answers;
	int rc;
	const cJSON *answer = send_one(&a, common, &answers, &rc);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
	const cJSON *row;
	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(data, "denials")) {
		if (common->json)
			print_json(row);
		else
			print_row(row);
	}
	cJSON_Delete(answers);
	return rc;
}

int inspect_status(const struct opt_common *common, void *settings) {
	(void)settings; /* takes none */
	struct ask a;
	ask_begin(&a);
	(void)ask_command(&a, "status"); /* a failure is kept in a and told by ask_send */
	cJSON *answers;
	int rc;
	const cJSON *answer = send_one(&a, common, &answers, &rc);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
	if (data && common->json)
		print_json(data);
	else if (data) {
		const cJSON *group;
		print_row(data);
		cJSON_ArrayForEach(group, data) {
			if (cJSON_IsObject(group) && group->child) {
				printf("%s: ", group->string);
				print_row(group);
			}
		}
	}
	cJSON_Delete(answers);
	return rc;
}

int inspect_trust_clock(const struct opt_common *common, void *settings) {
	(void)settings; /* takes none */
	struct ask a;
	ask_begin(&a);
	(void)ask_command(&a, "trustClock"); /* as above */
	cJSON *answers;
	int rc;
	if (send_one(&a, common, &answers, &rc) && !common->json)
		puts("the clock is trusted from here on");
	cJSON_Delete(answers);
	return rc;
}
