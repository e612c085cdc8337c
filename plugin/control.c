/* See control.h. Each command is one function; the table at the end is the list of them
 * (docs/control.md). */
#include "plugin/control.h"

#include <cjson/cJSON.h>
#include <openssl/sha.h>

#include "lib/hex.h"
#include "plugin/control_row.h"
#include "plugin/denial.h"
#include "plugin/limiter.h"
#include "plugin/session.h"
#include "proto/uuid.h"

enum { LIST_PAGE_BYTES = 49152, ANSWER_BYTES_MAX = 1048576 };

struct run {
	struct engine *e;
	const struct row_credential *who;
	const cJSON *command;
	cJSON *response;  /* being filled */
	struct buf rings; /* jurisdiction of the row being put */
	uint64_t seq;     /* the answer waits for it */
};

static struct span text_of(const struct run *r, const char *name) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(r->command, name);
	return cJSON_IsString(item) ? span_str(item->valuestring) : (struct span){0};
}

/* cJSON adds nothing when it has no memory: the answer then lacks a member, which the client
 * reports. */
static void say(cJSON *object, const char *name, const char *value) {
	(void)cJSON_AddStringToObject(object, name, value);
}

static void refuse(struct run *r, enum reason reason, const char *sentence) {
	say(r->response, "error", sentence ? sentence : reason_sentence(reason));
	say(r->response, "reason", reason_word(reason));
}

/* Gives the command an id of its own and its digest, and runs it. absent: what to say when what it
 * names is not there; NULL: the reason's sentence. */
static void run_operator(struct run *r, struct command *cmd, const char *absent) {
	uint8_t random[10], id[UUID_BYTES], digest[SHA256_DIGEST_LENGTH];
	struct consent_random rnd = engine_random(r->e);
	char *text = cJSON_PrintUnformatted(r->command);
	if (!text) {
		refuse(r, REASON_BUSY, "out of memory");
		return;
	}
	(void)SHA256((const unsigned char *)text, strlen(text), digest); /* cannot fail */
	cJSON_free(text);
	rnd.fill(rnd.ctx, random, sizeof random);
	uuid_v7(engine_now(r->e).utc_ms, random, id);
	cmd->who = r->who;
	cmd->event_id = span_of(id, sizeof id);
	hex_encode(span_of(digest, sizeof digest), cmd->digest);
	struct engine_result result = engine_operator(r->e, cmd);
	if (result.reason != REASON_OK)
		refuse(r, result.reason, result.reason == REASON_NOT_YOURS ? absent : NULL);
	else if (result.seq > r->seq)
		r->seq = result.seq;
}

/* Kept only so that the id is not given again. */
static bool is_retired(const struct row *row) {
	const union row_any *r = (const union row_any *)row;
	return (row->kind == ROW_DEVICE && r->device.retired) ||
		   (row->kind == ROW_AGENCY && r->agency.retired) ||
		   (row->kind == ROW_INTEGRATOR && r->integrator.retired);
}

/* Looks at a `put` without doing it, so that a list of them is done whole or not at all. */
static bool may_put(struct run *r) {
	union row_any row;
	char why[CONTROL_WHY_SIZE] = "";
	enum row_kind kind = row_kind_by_name(text_of(r, "kind"));
	buf_reset(&r->rings);
	enum err e = control_row_parse(kind, cJSON_GetObjectItemCaseSensitive(r->command, "row"),
								   engine_now(r->e).utc_ms, &r->rings, &row, why);
	if (e != ERR_NONE) {
		refuse(r, REASON_MALFORMED, e == ERR_ABSENT ? "kind: not a registry kind" : why);
		return false;
	}
	bool is_new = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(r->command, "new"));
	const struct row *old = state_get(engine_state(r->e), kind, row_key(&row.row));
	if (is_new && old) {
		char sentence[CONTROL_WHY_SIZE];
		(void)snprintf(sentence, sizeof(sentence), "%s %.*s %s", row_desc(kind)->name,
					   (int)row_key(&row.row).len, (const char *)row_key(&row.row).ptr,
					   is_retired(old) ? "was there once; no name is given twice"
									   : "exists already");
		refuse(r, REASON_NAME_TAKEN, sentence);
		return false;
	}
	return true;
}

/* What a row that is put belongs to. */
static const char *absent_parent(enum row_kind kind) {
	switch (kind) {
	case ROW_DEVICE: return "device.home: no such home";
	case ROW_CREDENTIAL: return "credential.subject: nothing of that name is registered";
	case ROW_TOKEN: return "token.username: no such credential";
	case ROW_APP_TOPIC: return "app_topic.username: no such credential";
	default: return NULL;
	}
}

/* First 8 bytes of SHA-256(recipient): whoever puts the agency need not be believed. */
static void key_id_of(struct row_agency *agency) {
	uint8_t digest[SHA256_DIGEST_LENGTH];
	agency->key_id[0] = '\0';
	if (!agency->recipient[0]) return;
	(void)SHA256((const unsigned char *)agency->recipient, strlen(agency->recipient), digest);
	hex_encode(span_of(digest, 8), agency->key_id);
}

static void do_put(struct run *r) {
	union row_any row;
	char why[CONTROL_WHY_SIZE] = "";
	enum row_kind kind = row_kind_by_name(text_of(r, "kind"));
	buf_reset(&r->rings);
	enum err e = control_row_parse(kind, cJSON_GetObjectItemCaseSensitive(r->command, "row"),
								   engine_now(r->e).utc_ms, &r->rings, &row, why);
	if (e != ERR_NONE) {
		refuse(r, REASON_MALFORMED, e == ERR_ABSENT ? "kind: not a registry kind" : why);
		return;
	}
	if (kind == ROW_AGENCY) key_id_of(&row.agency);
	struct command cmd = {.op = OPERATOR_PUT, .row = &row.row, .row_kind = kind};
	run_operator(r, &cmd, absent_parent(kind));
}

static void do_keyed(struct run *r, enum operator_kind op, enum operator_kind request_op) {
	struct span kind_name = text_of(r, "kind");
	enum row_kind kind = row_kind_by_name(kind_name);
	bool on_request = kind == ROW_REQUEST && request_op != OPERATOR_NONE;
	if (!on_request && (!control_row_is_registry(kind) || op == OPERATOR_NONE)) {
		refuse(r, REASON_MALFORMED, "kind: not a kind this command takes");
		return;
	}
	struct command cmd = {
		.op = on_request ? request_op : op, .row_kind = kind, .key = text_of(r, "id")};
	run_operator(r, &cmd, "id: nothing of that kind has that name");
}

static void do_remove(struct run *r) {
	do_keyed(r, OPERATOR_REMOVE, OPERATOR_NONE);
}
static void do_suspend(struct run *r) {
	do_keyed(r, OPERATOR_SUSPEND, OPERATOR_SUSPEND_REQUEST);
}
static void do_resume(struct run *r) {
	do_keyed(r, OPERATOR_RESUME, OPERATOR_RESUME_REQUEST);
}
static void do_reject(struct run *r) {
	do_keyed(r, OPERATOR_NONE, OPERATOR_REJECT_REQUEST);
}

/* The operator sees the registry and the requests he moderates; never what a home has, said or was
 * asked. */
static void do_list(struct run *r) {
	const struct state *st = engine_state(r->e);
	enum row_kind kind = row_kind_by_name(text_of(r, "kind"));
	struct span after = text_of(r, "after");
	if ((!control_row_is_registry(kind) && kind != ROW_REQUEST) || kind == ROW_TOKEN) {
		refuse(r, REASON_MALFORMED, "kind: not a kind that is listed");
		return;
	}
	cJSON *data = cJSON_AddObjectToObject(r->response, "data");
	cJSON *rows = cJSON_AddArrayToObject(data, "rows");
	struct buf one;
	size_t used = 0;
	const struct row *row = after.len ? state_get(st, kind, after) : NULL;
	buf_init(&one, LIST_PAGE_BYTES * 4);
	for (row = state_each(st, kind, row); row && used < LIST_PAGE_BYTES;
		 row = state_each(st, kind, row)) {
		if (is_retired(row)) continue;
		buf_reset(&one);
		row_json(row, &one);
		used += one.len;
		cJSON *item =
			buf_error(&one) == ERR_NONE ? cJSON_ParseWithLength(buf_cstr(&one), one.len) : NULL;
		if (!cJSON_AddItemToArray(rows, item)) cJSON_Delete(item);
		char key[ROW_KEY_SIZE];
		if (used >= LIST_PAGE_BYTES && state_each(st, kind, row) &&
			span_copy(row_key(row), key, sizeof key)) {
			say(data, "next", key);
		}
	}
	buf_fini(&one);
}

static enum access access_by_name(struct span word) {
	if (span_eq(word, SPAN_LIT("read"))) return ACCESS_READ;
	if (span_eq(word, SPAN_LIT("write"))) return ACCESS_WRITE;
	if (span_eq(word, SPAN_LIT("subscribe"))) return ACCESS_SUBSCRIBE;
	return ACCESS_NONE;
}

/* Does a grant or a rule of a home's decide that? Neither is the operator's to know. */
static bool is_homes_word(const struct question *q, enum topic_kind kind, struct verdict v) {
	if (v.reason == REASON_NO_GRANT || v.grant) return true;
	bool may_mute = q->access == ACCESS_READ && kind == TOPIC_AREA_ALERT;
	bool would_tell = v.kind == VERDICT_ALLOW || v.reason == REASON_NOT_YOURS;
	return may_mute && would_tell && q->who && q->who->kind == CRED_MEMBER;
}

/* What policy would say now, about an event that happens now. */
static void do_explain(struct run *r) {
	const struct state *st = engine_state(r->e);
	int64_t now_ms = engine_now(r->e).utc_ms;
	struct span username = text_of(r, "username"), name = text_of(r, "topic");
	struct topic topic = {.kind = TOPIC_UNKNOWN};
	struct question q = {
		.access = access_by_name(text_of(r, "access")),
		.who = state_credential(st, username),
		.name = name,
		.has_event = true,
		.event = {.at_ms = (uint64_t)now_ms, .arrived_ms = (uint64_t)now_ms, .synced = true},
		.status = SPAN_LIT("online"),
		.now_ms = now_ms,
	};
	if (q.access == ACCESS_NONE) {
		refuse(r, REASON_MALFORMED, "access: read, write or subscribe");
		return;
	}
	if (topic_parse(name, &topic) == ERR_NONE)
		q.retain = q.access == ACCESS_WRITE && topic.kind == TOPIC_DEVICE_STATUS;
	struct verdict v = policy_decide(st, &q, &engine_opts(r->e)->policy);
	if (!q.who) v = (struct verdict){VERDICT_DENY, REASON_UNKNOWN_CREDENTIAL, NULL};
	cJSON *data = cJSON_AddObjectToObject(r->response, "data");
	if (is_homes_word(&q, topic.kind, v)) {
		say(data, "verdict", "homes decide");
		say(data, "reason", reason_word(REASON_NO_GRANT));
		say(data, "sentence",
			"It is so while the home says so; what homes say is not the operator's to know.");
		return;
	}
	say(data, "verdict", v.kind == VERDICT_ALLOW ? "allow" : "deny");
	say(data, "reason", reason_word(v.reason));
	say(data, "sentence", reason_sentence(v.reason));
}

static void do_denials(struct run *r) {
	struct span username = text_of(r, "username");
	cJSON *data = cJSON_AddObjectToObject(r->response, "data");
	cJSON *list = cJSON_AddArrayToObject(data, "denials");
	const struct denial *d;
	for (size_t i = 0; (d = denials_last(engine_denials(r->e), username, i)); i++) {
		cJSON *one = cJSON_CreateObject();
		(void)cJSON_AddNumberToObject(one, "at_ms", (double)d->at_ms); /* as in say() */
		say(one, "access", denial_access_name(d->access));
		say(one, "reason", reason_word(d->reason));
		say(one, "sentence", reason_sentence(d->reason));
		say(one, "topic", d->topic);
		if (d->fault.field[0]) say(one, "field", d->fault.field);
		if (d->fault.limit[0]) say(one, "limit", d->fault.limit);
		if (!cJSON_AddItemToArray(list, one)) cJSON_Delete(one);
	}
}

static void do_status(struct run *r) {
	struct engine_health h = engine_health(r->e);
	cJSON *data = cJSON_AddObjectToObject(r->response, "data");
	const char *word = h.state.incomplete || h.state.refusing ? "refusing"
					   : h.state.unsound                      ? "clock_suspect"
					   : h.state.store_down                   ? "store_down"
					   : h.tick_missing                       ? "no_tick"
															  : "ok";
	say(data, "health", word);
	if (h.why && h.why[0]) say(data, "why", h.why);
	(void)cJSON_AddNumberToObject(data, "waiting", (double)h.waiting); /* as in say() */
	(void)cJSON_AddNumberToObject(data, "held", (double)h.held);
	if (h.restored_ms) (void)cJSON_AddNumberToObject(data, "restored_ms", (double)h.restored_ms);
	(void)cJSON_AddNumberToObject(data, "connected", (double)sessions_count(engine_sessions(r->e)));
	(void)cJSON_AddNumberToObject(data, "limited",
								  (double)limiter_limited(engine_limiter(r->e))); /* as in say() */
	for (int a = 0; a < DENIAL_ACCESSES; a++) {
		cJSON *group = cJSON_AddObjectToObject(data, denial_access_name((enum denial_access)a));
		for (int reason = 0; reason < REASON_COUNT; reason++) {
			uint64_t n =
				denials_count(engine_denials(r->e), (enum denial_access)a, (enum reason)reason);
			if (n > 0)
				(void)cJSON_AddNumberToObject(group, reason_word((enum reason)reason), (double)n);
		}
	}
}

static void do_trust_clock(struct run *r) {
	engine_trust_clock(r->e, span_str(r->who->username));
}

static const struct {
	const char *name;
	void (*run)(struct run *r);
} commands[] = {
	{"put", do_put},         {"remove", do_remove},
	{"suspend", do_suspend}, {"resume", do_resume},
	{"reject", do_reject},   {"list", do_list},
	{"explain", do_explain}, {"denials", do_denials},
	{"status", do_status},   {"trustClock", do_trust_clock},
};

static void label(struct run *r) {
	struct span name = text_of(r, "command"), correlation = text_of(r, "correlationData");
	if (name.len) say(r->response, "command", (const char *)name.ptr);
	if (correlation.len) say(r->response, "correlationData", (const char *)correlation.ptr);
}

static void run_one(struct run *r) {
	struct span name = text_of(r, "command");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (span_eq(name, span_str(commands[i].name))) {
			commands[i].run(r);
			return;
		}
	}
	refuse(r, REASON_MALFORMED, "command: not a known command");
}

/* Every `put` of the list is looked at before the first command is done. */
static bool may_run(struct run *r, const cJSON *list, cJSON *responses) {
	int refused = 0, at = 0;
	cJSON_ArrayForEach(r->command, list) {
		r->response = cJSON_GetArrayItem(responses, at++);
		if (span_eq(text_of(r, "command"), SPAN_LIT("put")) && !may_put(r)) refused++;
	}
	at = 0;
	cJSON_ArrayForEach(r->command, list) {
		r->response = cJSON_GetArrayItem(responses, at++);
		if (refused && !cJSON_HasObjectItem(r->response, "error"))
			refuse(r, REASON_STATE, "not done: another command of this list is refused");
	}
	return refused == 0;
}

static enum err answer(struct engine *e, const struct control_client *who, uint64_t seq,
					   cJSON *root) {
	char *text = cJSON_PrintUnformatted(root);
	if (!text) return ERR_NOMEM;
	enum err err = strlen(text) > ANSWER_BYTES_MAX
					   ? ERR_LIMIT
					   : engine_answer(e, seq, who->client_id, SPAN_LIT(CONTROL_RESPONSE_TOPIC),
									   span_str(text));
	cJSON_free(text);
	return err;
}

enum err control_handle(struct engine *e, struct control_client who, struct span payload) {
	if (payload.len > CONTROL_BYTES_MAX) return ERR_LIMIT;
	cJSON *request = cJSON_ParseWithLength((const char *)payload.ptr, payload.len);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(request, "commands");
	cJSON *root = cJSON_CreateObject();
	cJSON *responses = cJSON_AddArrayToObject(root, "responses");
	struct run r = {.e = e, .who = who.who};
	enum err err = ERR_NONE;
	if (!responses)
		err = ERR_NOMEM;
	else if (!cJSON_IsArray(list))
		err = ERR_INPUT;
	else if (cJSON_GetArraySize(list) > CONTROL_COMMANDS_MAX)
		err = ERR_LIMIT;
	buf_init(&r.rings, ROW_RINGS_BYTES_MAX + 4);
	if (err == ERR_NONE) {
		cJSON_ArrayForEach(r.command, list) {
			r.response = cJSON_CreateObject();
			if (!cJSON_AddItemToArray(responses, r.response)) {
				cJSON_Delete(r.response);
				err = ERR_NOMEM;
				break;
			}
			label(&r);
		}
	}
	if (err == ERR_NONE && may_run(&r, list, responses)) {
		int at = 0;
		cJSON_ArrayForEach(r.command, list) {
			r.response = cJSON_GetArrayItem(responses, at++);
			run_one(&r);
		}
	}
	if (err == ERR_NONE) err = answer(e, &who, r.seq, root);
	buf_fini(&r.rings);
	cJSON_Delete(root);
	cJSON_Delete(request);
	return err;
}
