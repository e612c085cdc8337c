/* Rows by key and by parent. A node is one allocation: links, then the row with its blobs; so the
 * way from a row that was handed out back to its links is arithmetic, and walking a list needs no
 * look-up. */
#include "plugin/policy/state_index.h"

#include <stddef.h>

struct link {
	struct state_node *prev, *next;
	struct state_list *list; /* NULL: not in a list of that kind */
};

struct state_node {
	struct link link[STATE_LINKS];
	size_t due;        /* place in due */
	max_align_t row[]; /* the row */
};

static struct row *row_of(const struct state_node *n) {
	return (struct row *)(void *)n->row;
}

static struct state_node *node_of(const struct row *r) {
	return (struct state_node *)(void *)((uint8_t *)r - offsetof(struct state_node, row));
}

/* --- lists --- */

static void push(struct state_list *list, struct state_node *n, int link) {
	n->link[link] = (struct link){NULL, list->head, list};
	if (list->head) list->head->link[link].prev = n;
	list->head = n;
}

static void unlink_node(struct state_node *n, int link) {
	struct link *l = &n->link[link];
	if (!l->list) return;
	if (l->prev)
		l->prev->link[link].next = l->next;
	else
		l->list->head = l->next;
	if (l->next) l->next->link[link].prev = l->prev;
	*l = (struct link){NULL, NULL, NULL};
}

/* n takes the place of old, which is in no list of that kind afterwards. */
static void take_place(struct state_node *old, struct state_node *n, int link) {
	struct link *l = &n->link[link];
	*l = old->link[link];
	if (l->prev)
		l->prev->link[link].next = n;
	else
		l->list->head = n;
	if (l->next) l->next->link[link].prev = n;
	old->link[link] = (struct link){NULL, NULL, NULL};
}

/* --- which lists --- */

struct span state_index_pair(struct span integrator, struct span home, char out[STATE_EXTRA_SIZE]) {
	size_t len = integrator.len + 1 + home.len;
	if (integrator.len == 0 || home.len == 0 || len >= STATE_EXTRA_SIZE)
		return (struct span){NULL, 0};
	memcpy(out, integrator.ptr, integrator.len);
	out[integrator.len] = '/'; /* in no id, so that pairs cannot be confused */
	memcpy(out + integrator.len + 1, home.ptr, home.len);
	out[len] = '\0';
	return span_of(out, len);
}

/* What the row is found by on that link; empty: not in such a list. room lends memory to a composed
 * key. */
static struct span list_key(const struct row *r, int link, char room[STATE_EXTRA_SIZE]) {
	if (link != STATE_BY_EXTRA) return row_parent(r, link);
	const union row_any *any = (const union row_any *)r;
	if (r->kind == ROW_STANDING && any->standing.state == GSTATE_ACTIVE) {
		return state_index_pair(span_str(any->standing.integrator), span_str(any->standing.home),
								room);
	}
	if (r->kind == ROW_GRANT && any->grant.state == GSTATE_ACTIVE) return span_str(any->grant.clip);
	return (struct span){NULL, 0};
}

static void leave_list(struct state_index *ix, enum row_kind kind, struct state_node *n, int link) {
	struct state_list *list = n->link[link].list;
	unlink_node(n, link);
	if (!list || list->head) return;
	(void)table_del(&ix->lists[kind][link], list->key);
	free(list);
}

static void join_list(struct state_index *ix, struct state_put *put, int link) {
	char room[STATE_EXTRA_SIZE];
	const struct row *r = row_of(put->node);
	struct span key = list_key(r, link, room);
	if (key.len == 0) return;
	struct table *t = &ix->lists[r->kind][link];
	struct state_list *list = table_get(t, key);
	if (!list) {
		list = put->spare[link];
		if (!ENSURE(list && table_put(t, list->key, list, NULL) == ERR_NONE)) return;
		put->spare[link] = NULL;
	}
	push(list, put->node, link);
}

static bool has_due(enum row_kind kind) {
	return kind == ROW_STANDING || kind == ROW_CLIP || kind == ROW_SEEN;
}

static void join_due(struct state_index *ix, struct state_node *n) {
	const struct row *r = row_of(n);
	const union row_any *any = (const union row_any *)r;
	if (!has_due(r->kind) || (r->kind == ROW_STANDING && any->standing.state != GSTATE_ACTIVE))
		return;
	int64_t at_ms = r->kind == ROW_STANDING ? any->standing.exp_ms
					: r->kind == ROW_CLIP   ? any->clip.arrived_ms
											: any->seen.at_ms;
	state_due_add(&ix->due[r->kind], at_ms, n, &n->due);
}

/* --- putting --- */

void state_index_init(struct state_index *ix, uint64_t seed0, uint64_t seed1) {
	memset(ix, 0, sizeof(*ix)); /* due, too: empty */
	for (int kind = 0; kind < ROW_KINDS; kind++) {
		table_init(&ix->rows[kind], seed0, seed1);
		for (int link = 0; link < STATE_BY_ALL; link++)
			table_init(&ix->lists[kind][link], seed0, seed1);
	}
}

void state_index_fini(struct state_index *ix) {
	for (int kind = 0; kind < ROW_KINDS; kind++) {
		state_due_fini(&ix->due[kind]);
		size_t at = 0;
		void *value;
		while ((value = table_next(&ix->rows[kind], &at))) free(value);
		table_fini(&ix->rows[kind]);
		for (int link = 0; link < STATE_BY_ALL; link++) {
			at = 0;
			while ((value = table_next(&ix->lists[kind][link], &at))) free(value);
			table_fini(&ix->lists[kind][link]);
		}
	}
}

enum err state_index_prepare(const struct row *r, uint64_t seq, struct state_put *put) {
	*put = (struct state_put){0};
	size_t bytes = row_clone_bytes(r);
	put->node = bytes ? calloc(1, sizeof(struct state_node) + bytes) : NULL;
	if (!put->node) return ERR_NOMEM;
	struct row *copy = row_clone_into(r, put->node->row);
	copy->seq = seq;
	if (r->kind == ROW_DEVICE) ((struct row_device *)copy)->claim_seq = seq;
	for (int link = 0; link < STATE_BY_ALL; link++) {
		char room[STATE_EXTRA_SIZE];
		struct span key = list_key(r, link, room);
		if (key.len == 0) continue;
		struct state_list *list = malloc(sizeof(*list) + key.len);
		if (!list) {
			state_index_discard(put);
			return ERR_NOMEM;
		}
		memcpy(list + 1, key.ptr, key.len);
		*list = (struct state_list){NULL, span_of(list + 1, key.len)};
		put->spare[link] = list;
	}
	return ERR_NONE;
}

void state_index_discard(struct state_put *put) {
	free(put->node);
	for (int link = 0; link < STATE_BY_ALL; link++) free(put->spare[link]);
	*put = (struct state_put){0};
}

enum err state_index_reserve(struct state_index *ix, enum row_kind kind, size_t n) {
	enum err e = table_reserve(&ix->rows[kind], n);
	if (e == ERR_NONE && has_due(kind)) e = state_due_reserve(&ix->due[kind], n);
	for (int link = 0; link < STATE_BY_ALL && e == ERR_NONE; link++) {
		bool used = link == STATE_BY_EXTRA ? kind == ROW_STANDING || kind == ROW_GRANT
										   : row_desc(kind)->parent[link] >= 0;
		if (used) e = table_reserve(&ix->lists[kind][link], n);
	}
	return e;
}

/* A device that was claimed before keeps the seq of its claim. */
static void keep_claim(const struct row *old, struct row *r) {
	const struct row_device *was = (const struct row_device *)old;
	if (r->kind == ROW_DEVICE && was->claimed_ms)
		((struct row_device *)r)->claim_seq = was->claim_seq;
}

/* On each link the new node takes the old one's place when both belong into the same list, so that
 * a row keeps its age when it changes. */
static void replace(struct state_index *ix, struct state_node *old, struct state_put *put) {
	enum row_kind kind = row_of(old)->kind;
	keep_claim(row_of(old), row_of(put->node));
	take_place(old, put->node, STATE_BY_ALL);
	for (int link = 0; link < STATE_BY_ALL; link++) {
		char room[STATE_EXTRA_SIZE];
		struct state_list *list = old->link[link].list;
		struct span key = list_key(row_of(put->node), link, room);
		if (list && span_eq(list->key, key)) {
			take_place(old, put->node, link);
		} else {
			leave_list(ix, kind, old, link);
			join_list(ix, put, link);
		}
	}
	state_due_del(&ix->due[kind], &old->due);
	free(old);
}

void state_index_put(struct state_index *ix, struct state_put *put) {
	const struct row *r = row_of(put->node);
	void *old = NULL;
	if (!ENSURE(table_put(&ix->rows[r->kind], row_key(r), put->node, &old) == ERR_NONE)) return;
	if (old) {
		replace(ix, old, put);
	} else {
		push(&ix->all[r->kind], put->node, STATE_BY_ALL);
		for (int link = 0; link < STATE_BY_ALL; link++) join_list(ix, put, link);
	}
	join_due(ix, put->node);
	put->node = NULL; /* the index has it */
	state_index_discard(put);
}

void state_index_del(struct state_index *ix, enum row_kind kind, struct span key) {
	struct state_node *n = table_del(&ix->rows[kind], key);
	if (!n) return;
	unlink_node(n, STATE_BY_ALL);
	for (int link = 0; link < STATE_BY_ALL; link++) leave_list(ix, kind, n, link);
	state_due_del(&ix->due[kind], &n->due);
	free(n);
}

/* --- order --- */

/* seq beside the node, so that sorting touches no row but those of one change. */
struct aged {
	uint64_t seq;
	struct state_node *node;
};

static int older_first(const void *a, const void *b) {
	const struct aged *x = a, *y = b;
	if (x->seq != y->seq) return x->seq < y->seq ? -1 : 1;
	struct span p = row_key(row_of(x->node)), q = row_key(row_of(y->node));
	int c = memcmp(p.ptr, q.ptr, p.len < q.len ? p.len : q.len);
	if (c != 0) return c;
	return p.len < q.len ? -1 : p.len > q.len;
}

/* Moves n to the head of the list it is in. */
static void move_first(struct state_node *n, int link) {
	struct state_list *list = n->link[link].list;
	if (!list) return;
	unlink_node(n, link);
	push(list, n, link);
}

static void sort_kind(struct state_index *ix, int kind, struct aged *room) {
	size_t at = 0, n = 0;
	struct state_node *node;
	while ((node = table_next(&ix->rows[kind], &at)))
		room[n++] = (struct aged){row_of(node)->seq, node};
	qsort(room, n, sizeof(room[0]), older_first);
	for (size_t i = 0; i < n; i++) {
		for (int link = 0; link < STATE_LINKS; link++) move_first(room[i].node, link);
	}
}

enum err state_index_sort(struct state_index *ix) {
	size_t most = 1;
	for (int kind = 0; kind < ROW_KINDS; kind++) {
		if (ix->rows[kind].count > most) most = ix->rows[kind].count;
	}
	struct aged *room = calloc(most, sizeof(*room));
	if (!room) return ERR_NOMEM;
	for (int kind = 0; kind < ROW_KINDS; kind++) sort_kind(ix, kind, room);
	free(room);
	return ERR_NONE;
}

/* --- finding --- */

static bool is_kind(enum row_kind kind) {
	return kind > ROW_NONE && kind < ROW_KINDS;
}

const struct row *state_index_get(const struct state_index *ix, enum row_kind kind,
								  struct span key) {
	const struct state_node *n = is_kind(kind) ? table_get(&ix->rows[kind], key) : NULL;
	return n ? row_of(n) : NULL;
}

const struct row *state_index_first(const struct state_index *ix, enum row_kind kind, int link,
									struct span parent) {
	if (!is_kind(kind) || link < 0 || link >= STATE_LINKS) return NULL;
	const struct state_list *list = &ix->all[kind];
	if (link != STATE_BY_ALL) list = table_get(&ix->lists[kind][link], parent);
	return list && list->head ? row_of(list->head) : NULL;
}

const struct row *state_index_after(const struct row *r, int link) {
	if (link < 0 || link >= STATE_LINKS) return NULL;
	const struct state_node *next = node_of(r)->link[link].next;
	return next ? row_of(next) : NULL;
}

const struct row *state_index_at(const struct state_index *ix, enum row_kind kind, size_t place) {
	return row_of(ix->due[kind].items[place - 1].owner);
}

size_t state_index_place(const struct row *r) {
	return node_of(r)->due;
}
