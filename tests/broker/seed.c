/* Fills a database with rows for a test: seed DB < lines, one row a line: `kind field=value
 * field="value with blanks"`. Fields left out are zero or empty. Makes the database if there is
 * none. It writes what the store takes, allowed or not: rules about who may add what are the
 * consent engine's. Not a tool for operators: that is vestibule-ctl. */
#include <stdio.h>

#include "lib/hex.h"
#include "plugin/store/store.h"

enum { LINE_MAX_BYTES = 8192 };

struct seed {
	struct store *store;
	uint64_t seq;
	struct change change; /* rows that wait for one transaction */
	struct row *rows[CHANGE_OPS_MAX];
	union row_any row;
	uint8_t blob[LINE_MAX_BYTES];
	size_t blob_used;
};

static enum err ignore_row(void *ctx, const struct row *r) {
	(void)ctx;
	(void)r;
	return ERR_NONE;
}

static bool open_store(struct seed *s, const char *path) {
	char why[STORE_WHY_SIZE];
	enum err e = store_sqlite_open(path, &s->store, why);
	if (e == ERR_ABSENT) e = store_sqlite_create(path, &s->store, why);
	if (e == ERR_NONE) e = s->store->ops->load(s->store, ignore_row, NULL, &s->seq, why);
	if (e != ERR_NONE) (void)fprintf(stderr, "seed: %s\n", why);
	return e == ERR_NONE;
}

static bool parse_int(struct span v, int64_t *out) {
	char text[32], *end = NULL;
	if (!span_copy(v, text, sizeof(text))) return false;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0';
}

static bool set_blob(struct seed *s, struct span v, struct blob *out) {
	size_t len = v.len / 2;
	uint8_t *at = s->blob + s->blob_used;
	if (v.len % 2 || len > sizeof(s->blob) - s->blob_used || hex_decode(v, at, len) != ERR_NONE)
		return false;
	*out = (struct blob){at, len};
	s->blob_used += len;
	return true;
}

static bool set_field(struct seed *s, const struct row_desc *d, struct span name,
					  struct span value) {
	for (size_t i = 0; i < d->field_count; i++) {
		const struct field *f = &d->fields[i];
		uint8_t *at = (uint8_t *)&s->row + f->offset;
		if (!span_eq(span_str(f->name), name)) continue;
		if (f->type == FIELD_INT || f->type == FIELD_BOOL)
			return parse_int(value, (int64_t *)(void *)at);
		if (f->type == FIELD_BLOB) return set_blob(s, value, (struct blob *)(void *)at);
		return span_copy(value, (char *)at, f->size);
	}
	return false;
}

/* The next word, or name="quoted value" as a whole; false at the end of the line. */
static bool next_word(struct span *rest, struct span *word) {
	while (rest->len && rest->ptr[0] == ' ') *rest = span_drop(*rest, 1);
	size_t n = 0;
	bool quoted = false;
	while (n < rest->len && (quoted || rest->ptr[n] != ' ')) {
		if (rest->ptr[n] == '"') quoted = !quoted;
		n++;
	}
	*word = span_of(rest->ptr, n);
	*rest = span_drop(*rest, n);
	return n > 0;
}

static bool set_pair(struct seed *s, const struct row_desc *d, struct span word) {
	const uint8_t *eq = memchr(word.ptr, '=', word.len);
	if (!eq) return false;
	struct span name = span_of(word.ptr, (size_t)(eq - word.ptr)),
				value = span_drop(word, name.len + 1);
	if (value.len >= 2 && value.ptr[0] == '"') value = span_of(value.ptr + 1, value.len - 2);
	return set_field(s, d, name, value);
}

static bool flush(struct seed *s) {
	char why[STORE_WHY_SIZE];
	const struct change *list[] = {&s->change};
	if (s->change.count == 0) return true;
	s->change.seq = ++s->seq;
	enum err e = s->store->ops->commit(s->store, list, 1, why);
	if (e != ERR_NONE) (void)fprintf(stderr, "seed: %s\n", why);
	for (size_t i = 0; i < s->change.count; i++) row_free(s->rows[i]);
	s->change.count = 0;
	return e == ERR_NONE;
}

static bool keep(struct seed *s) {
	const char *bad = "";
	if (s->change.count == CHANGE_OPS_MAX && !flush(s)) return false;
	if (row_validate(&s->row.row, &bad) != ERR_NONE) {
		(void)fprintf(stderr, "seed: %s does not validate\n", bad);
		return false;
	}
	struct row *copy = row_clone(&s->row.row);
	if (!copy) return false;
	s->rows[s->change.count] = copy;
	s->change.ops[s->change.count++] = (struct row_op){.row = copy};
	return true;
}

static bool take_line(struct seed *s, struct span line) {
	struct span word;
	if (!next_word(&line, &word)) return true;
	enum row_kind kind = row_kind_by_name(word);
	const struct row_desc *d = row_desc(kind);
	if (!d) return false;
	memset(&s->row, 0, sizeof(s->row));
	s->row.row.kind = kind;
	if (kind == ROW_DEVICE) s->row.device.claimed_ms = 1; /* unless the line says claimed_ms=0 */
	s->blob_used = 0;
	while (next_word(&line, &word)) {
		if (!set_pair(s, d, word)) {
			(void)fprintf(stderr, "seed: cannot set %.*s\n", (int)word.len, (const char *)word.ptr);
			return false;
		}
	}
	return keep(s);
}

int main(int argc, char **argv) {
	static struct seed s;
	static char line[LINE_MAX_BYTES];
	if (argc != 2 || !open_store(&s, argv[1])) return 64;
	int rc = 0;
	while (rc == 0 && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (take_line(&s, span_str(line))) continue;
		(void)fprintf(stderr, "seed: bad line: %s\n", line);
		rc = 65;
	}
	if (!flush(&s)) rc = 74;
	s.store->ops->close(s.store);
	return rc;
}
