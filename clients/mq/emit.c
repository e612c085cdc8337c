/* Told once, in the form that was asked for. */
#include "clients/mq/emit.h"

#include "clients/mq/show.h"

static bool is_repeated(struct emit *e, const char *key) {
	if (!key || !key[0]) return false;
	for (size_t i = 0; i < EMIT_SEEN_MAX; i++) {
		if (strcmp(e->seen[i], key) == 0) return true;
	}
	if (span_copy(span_str(key), e->seen[e->next], EMIT_KEY_SIZE))
		e->next = (e->next + 1) % EMIT_SEEN_MAX;
	return false;
}

static void member(struct buf *b, const char *name, const char *value) {
	if (!name || !value || !value[0]) return;
	buf_json(b, span_str(name));
	buf_char(b, ':');
	buf_json(b, span_str(value));
	buf_char(b, ',');
}

static void envelope(const struct emit_event *event, struct buf *b) {
	buf_char(b, '{');
	member(b, "event", event->name);
	for (size_t i = 0; i < EMIT_PARTS_MAX; i++)
		member(b, event->parts[i].name, event->parts[i].value);
	buf_str(b, "\"message\":");
	buf_span(b, event->json);
	buf_char(b, '}');
}

/* "device" becomes "VESTIBULE_DEVICE". */
static void variable(const char *name, char *out, size_t size) {
	int n = snprintf(out, size, "VESTIBULE_%s", name);
	for (int i = 0; i < n && (size_t)i + 1 < size; i++) {
		if (out[i] >= 'a' && out[i] <= 'z') out[i] = (char)(out[i] - 'a' + 'A');
	}
}

static void run(const struct emit *e, const struct emit_event *event, struct span json) {
	char names[HOOK_VARS_MAX][EMIT_NAME_MAX + sizeof("VESTIBULE_")];
	struct hook_var vars[HOOK_VARS_MAX];
	size_t count = 0;
	for (size_t i = 0; i <= EMIT_PARTS_MAX; i++) {
		struct emit_part part =
			i == 0 ? (struct emit_part){"event", event->name} : event->parts[i - 1];
		if (!part.name) continue;
		variable(part.name, names[count], sizeof(names[count]));
		vars[count] = (struct hook_var){names[count], part.value};
		count++;
	}
	/* a command that could not be run was told on stderr; the watch goes on */
	enum err ignored = hook_run(e->hook, vars, count, json);
	(void)ignored;
}

void emit_event(struct emit *e, const struct emit_event *event) {
	if (is_repeated(e, event->key)) return;
	struct buf json;
	struct buf line;
	buf_init(&json, SHOW_LINE_MAX);
	buf_init(&line, SHOW_LINE_MAX);
	envelope(event, &json);
	buf_span(&line, e->json ? buf_view(&json) : event->line);
	if (buf_error(&json) != ERR_NONE || !show_line(&line)) e->failed = true;
	if (e->hook && !event->quiet && buf_error(&json) == ERR_NONE) run(e, event, buf_view(&json));
	buf_fini(&line);
	buf_fini(&json);
}
